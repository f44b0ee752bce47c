/*
 * Why a request was sent, as its Reason header tells (RFC 3326): a call that ends with Q.850 cause
 * 17 found the line busy. What is read borrows the message's bytes. Nothing is kept, so any thread
 * that may read the message may call.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/sip/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum sip_reason_protocol {
	SIP_REASON_SIP,  /* the cause is a status of a response */
	SIP_REASON_Q850, /* the cause is one of the telephone network */
	SIP_REASON_OTHER,
};

/* One value of Reason. */
struct sip_reason_value {
	enum sip_reason_protocol protocol;
	struct slice protocol_name; /* "Q.850" */
	bool has_cause;
	uint16_t cause;
	struct slice text; /* without its quotes, escapes as they stand; empty: none */
};

/* Reads one value. -EPROTO, with out untouched, if it is broken. */
int sip_reason_parse(struct sip_reason_value *out, struct slice value);

/*
 * The value that tells a person most: the first of Q.850 with a cause, or else the first of SIP
 * with one, or else the first at all; broken ones are passed over. Returns whether there is one;
 * out is untouched otherwise.
 */
bool sip_reason_find(struct sip_reason_value *out, const struct sip_msg *msg);

/*
 * The words for a cause: of Q.850 its definition (ITU-T Q.850, table 1), of SIP the phrase of the
 * status; static. NULL if the value has no cause, or one without words.
 */
const char *sip_reason_words(const struct sip_reason_value *value);

/*
 * Appends what a person may read: the far end's text with its escapes undone and nothing in it that
 * could harm a terminal, or, if it has none, the words for the cause, or "Q.850 cause 999".
 */
void sip_reason_print(struct text *out, const struct sip_reason_value *value);
