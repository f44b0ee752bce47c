/*
 * The lines of a REGISTER that tell who is to be reached where (RFC 3261, section 10.2; RFC 5626,
 * section 4.2; RFC 5627, section 4.1). Nothing is kept: any thread.
 */
#pragma once

#include "core/base/text.h"
#include "core/sip/flow.h"

#include <stdbool.h>
#include <stdint.h>

struct reach;
struct ua_account;

struct register_lines {
	const struct ua_account *account;
	const struct sip_flow *flow; /* by which it goes */
	const struct reach *reach;
	const char *former; /* the URI of a Contact that is no more; or NULL */
	uint64_t call_id, tag;
	uint32_t expires_s; /* 0: withdrawn */
	bool outbound;      /* what is for us shall come by that flow; takes an instance */
	bool past_proxy;    /* it goes by no proxy of the account's */
};

void register_lines_print(struct text *out, const struct register_lines *lines);

/* The URI of our Contact, without parameters, so that it is found again in the answer. */
void register_lines_print_contact(struct text *out, const struct register_lines *lines);

/* The Route line of the account's proxy, if it has one. */
void register_lines_print_proxy(struct text *out, const struct ua_account *account);
