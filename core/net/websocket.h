/*
 * A WebSocket (RFC 6455) with whom speaks SIP by it, over TCP or TLS, as the one who connects. What
 * is made here is a struct tcp as any other (core/base/loop.h), with the same rules, but that it
 * has messages in place of bytes: what is sent at once is one message, and received brings one,
 * whole, of WEBSOCKET_MESSAGE_MAX bytes at most. On the loop's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/loop.h"

struct tls;

enum { WEBSOCKET_MESSAGE_MAX = 65536 };

struct websocket_config {
	struct loop *loop;
	struct tls *tls; /* NULL: over TCP */
	struct addr from, to;
	const char *host; /* a name, or an IP address as text: of the certificate, and in HTTP */
	const char *path; /* "/ws" */
};

/* Makes sure that there can be any. As library_load(), with its words. */
int websocket_need(struct fault *why);

/*
 * As loop_tcp_connect() or tls_connect(), after websocket_need(). connected comes once both are
 * agreed. closed comes with -EPROTO if they are not, or if the far end keeps to no rules,
 * -ETIMEDOUT if it has not answered in 5 s, -EMSGSIZE after a message that is too large, or as TCP
 * or TLS has it; websocket_words() says it in words. 0: it has said goodbye.
 */
int websocket_connect(struct tcp **out, const struct websocket_config *config,
	const struct tcp_events *events, void *arg);

/* In closed, or before that when nothing has come of it for long: why, for people; empty if there
 * is nothing to say that the error code does not. tcp is of websocket_connect(). */
const char *websocket_words(const struct tcp *tcp);
