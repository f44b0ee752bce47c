/*
 * What differs among connections by TCP, TLS and WebSocket: how one begins, how one that came in is
 * taken, and what is wrong with it. For core/sip/transport_tcp. On the stack's thread.
 */
#pragma once

#include "core/base/loop.h"
#include "core/sip/transport.h"

/*
 * Connects to where flow leads, for whom its name stands. As loop_tcp_connect(), tls_connect() or
 * websocket_connect(); -ENOTCONN: who is there has no name, so nobody could be told from another.
 */
int sip_carry_begin(
	struct tcp **out, const struct sip_flow *flow, const struct tcp_events *events, void *arg);

/* Makes what has come in ready to be started; on error it is gone. */
int sip_carry_take(struct tcp **tcp, struct sip_transport *transport);

/* Why a connection of it is over, or does not come about, for people; empty: its error says all. */
const char *sip_carry_words(const struct sip_transport *transport, const struct tcp *tcp);
