/*
 * The sockets of one stream, RTP and RTCP, and what comes in on them: told apart, and believed only
 * from where the stream is known to come from.
 *
 * The agent binds it, because its offer needs the port numbers; from media_transport_start() on it
 * is the media thread's. Whoever holds it owns it.
 */
#pragma once

#include "core/base/loop.h"
#include "core/media/tap.h"

#include <stdbool.h>

struct media_transport;

struct media_transport_events {
	/* A datagram that looks like RTP, or RTCP, from the far end. bytes: during the call only.
	 */
	void (*rtp)(void *arg, struct slice bytes, uint64_t arrival_ns);
	void (*rtcp)(void *arg, struct slice bytes, uint64_t arrival_ns);
};

/* Where to send, as the far end's description says. */
struct media_aim {
	struct addr rtp;  /* ADDR_NONE, or an address that means any: nothing is sent */
	struct addr rtcp; /* likewise */
	bool mux;         /* RTCP goes with RTP instead (RFC 5761) */
};

/*
 * Binds two neighbouring ports on host, the lower one even (RFC 3550, section 11), whose own port
 * is not looked at. Returns what loop_udp_open() does.
 */
int media_transport_new(
	struct media_transport **out, struct loop *agent_loop, const struct addr *host);

/* Nothing comes any more. NULL is allowed. */
void media_transport_free(struct media_transport *transport);

/* Marks what is sent with that DSCP, 0..63; before media_transport_start(). */
void media_transport_mark(struct media_transport *transport, unsigned dscp);

/* Lets tap look on, or nobody (NULL), before media_transport_start(). It is kept alive by the
 * caller. */
void media_transport_tap(struct media_transport *transport, const struct media_tap *tap);

/* The sockets, RTP's first: for whoever has to do with them before media_transport_start(). */
enum { MEDIA_SOCKETS = 2 };
void media_transport_sockets(
	struct udp *out[static MEDIA_SOCKETS], const struct media_transport *transport);

/* Where RTP is received, as it was bound. The port of RTCP is the next. */
void media_transport_local(struct addr *out, const struct media_transport *transport);

/*
 * How long the RTP port may be silent before an empty datagram goes from it to where RTP goes (RFC
 * 6263, sections 4.1 and 6), so that what lies between does not forget the way: a NAT on our side,
 * which else lets nothing in, and the latch of a far end. It is no packet, and nobody counts it.
 * Whoever has agreed to take RTCP there, too, is sent no such thing as long as reports go that way
 * (section 4.3); the port of RTCP alone is kept open by those. Where nothing has gone to an address
 * yet, the first goes soon.
 */
#define MEDIA_KEEP_ALIVE_NS (15 * NS_PER_S)
#define MEDIA_FIRST_KEEP_ALIVE_NS (500 * NS_PER_MS)

/* Starts receiving on media_loop. Returns what udp_start() does. */
int media_transport_start(struct media_transport *transport, struct loop *media_loop,
	const struct media_transport_events *events, void *arg);

/*
 * Aims at what a description says. Of the same RTP address as before, where RTP really comes from
 * stays known; another is learnt anew.
 */
void media_transport_aim(struct media_transport *transport, const struct media_aim *aim);

/* Hands one datagram to the network; one that is lost at once counts as lost on the way. */
void media_transport_send_rtp(struct media_transport *transport, struct slice bytes);
void media_transport_send_rtcp(struct media_transport *transport, struct slice bytes);

/* Where RTP goes to by now. */
const struct addr *media_transport_remote(const struct media_transport *transport);

/*
 * What the network said of the RTP that we sent, if nothing has come from the far end since: a
 * negative error code, or 0. to: of which address; untouched if 0.
 */
int media_transport_trouble(struct addr *to, const struct media_transport *transport);
