/*
 * How a connection becomes a WebSocket (RFC 6455, section 4): the question, which is one of HTTP,
 * and what is to be thought of the answer. Nothing is kept: any thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"

#include <stdbool.h>

enum {
	UPGRADE_NONCE_SIZE = 16,
	UPGRADE_ANSWER_MAX = 8192, /* bytes of an answer's status line and headers */
};

struct upgrade {
	const char *host; /* a name, or an IP address as text */
	uint16_t port;
	bool secure;
	const char *path;     /* "/ws" */
	const char *protocol; /* the subprotocol that has to be spoken: "sip" */
	uint8_t nonce[UPGRADE_NONCE_SIZE];
};

/* Loads what the rest needs, once: as library_load(). */
int upgrade_load(struct fault *why);

/* The whole request. */
void upgrade_print(struct text *out, const struct upgrade *upgrade);

/* How many bytes the status line and the headers take with the empty line; 0: they are not whole.
 */
size_t upgrade_find_end(struct slice bytes);

/*
 * Whether what answer says (upgrade_find_end() bytes of it) makes it a WebSocket. -EPROTO if not,
 * with words in why. -EAGAIN: it is one of those that come before the answer, as many as the server
 * likes (RFC 9110, section 15.2).
 */
int upgrade_judge(struct slice answer, const struct upgrade *upgrade, struct fault *why);
