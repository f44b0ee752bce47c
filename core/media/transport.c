#include "core/media/transport.h"

#include "core/rtp/packet.h"
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <errno.h>
#include <stdlib.h>

enum {
	PORT_TRIES = 32,
	/*
	 * Packets in a row, of one source, that make us follow a far end behind a NAT to where
	 * it really sends from. One alone could be anybody's who guessed the port.
	 */
	LATCH_PACKETS = 3,
};

/* Symmetric RTP (RFC 4961): answers go to where the packets come from, once that is certain. */
enum latch {
	LATCH_OPEN,     /* nothing has come from where the description says */
	LATCH_FOLLOWED, /* we have followed: only the described address may still win at once */
	LATCH_SETTLED,  /* it comes from where it was described: others are strangers */
};

/*
 * A NAT may give a stream another port in the middle of it, as it forgets, or is started anew. It
 * is followed there if the old one has been silent for so long, and if it is the same source that
 * counts on from where it was: who has not seen the stream cannot know that.
 */
#define FORMER_SILENCE_NS NS_PER_S
enum { SEQ_AHEAD_MAX = 3000 }; /* a minute of packets that were not heard */

struct media_transport {
	struct udp *rtp;
	struct udp *rtcp;
	struct loop *loop; /* the media thread's */
	const struct media_transport_events *events;
	void *arg;
	const struct media_tap *tap;

	struct timer keep_alive;
	bool sent;        /* anything, to where RTP goes now */
	uint64_t sent_ns; /* when the RTP port last sent something to rtp_remote, or began to know
			     it */

	struct media_aim aim; /* as described */
	struct addr rtp_remote;
	struct addr rtcp_remote;
	struct addr trouble_at; /* what the network said of our RTP, */
	int trouble;            /* and 0 after something came */

	enum latch latch;
	uint32_t ssrc;     /* of the last packet that was believed, */
	uint16_t seq;      /* its number, */
	uint64_t heard_ns; /* and when it came */
	struct addr candidate;
	uint32_t candidate_ssrc;
	uint16_t candidate_seq;
	unsigned candidate_packets;
};

/* Tries once: a port that the system picks, and its neighbour. -EADDRINUSE: try another. */
static int bind_pair(struct media_transport *transport, struct loop *loop, const struct addr *host)
{
	struct addr at = *host;
	struct udp *first = NULL;
	struct udp *second = NULL;
	int err;

	at.port = 0;
	err = loop_udp_open(&first, loop, &at);
	if (err)
		return err;

	udp_local(&at, first);
	/* the port that was picked may be either of the pair */
	at.port ^= 1;
	err = loop_udp_open(&second, loop, &at);
	if (err) {
		udp_free(first);
		return err;
	}
	transport->rtp = at.port & 1 ? first : second;
	transport->rtcp = at.port & 1 ? second : first;
	return 0;
}

int media_transport_new(
	struct media_transport **out, struct loop *agent_loop, const struct addr *host)
{
	struct media_transport *transport;
	int err = -EADDRINUSE;

	transport = calloc(1, sizeof(*transport));
	if (!transport)
		return -ENOMEM;

	for (int tries = 0; err == -EADDRINUSE && tries < PORT_TRIES; tries++)
		err = bind_pair(transport, agent_loop, host);
	if (err) {
		free(transport);
		return err;
	}
	*out = transport;
	return 0;
}

void media_transport_free(struct media_transport *transport)
{
	if (!transport)
		return;

	if (transport->loop)
		timer_stop(&transport->keep_alive);
	udp_free(transport->rtp);
	udp_free(transport->rtcp);
	free(transport);
}

void media_transport_local(struct addr *out, const struct media_transport *transport)
{
	udp_local(out, transport->rtp);
}

void media_transport_sockets(
	struct udp *out[static MEDIA_SOCKETS], const struct media_transport *transport)
{
	out[0] = transport->rtp;
	out[1] = transport->rtcp;
}

void media_transport_mark(struct media_transport *transport, unsigned dscp)
{
	udp_mark(transport->rtp, dscp);
	udp_mark(transport->rtcp, dscp);
}

void media_transport_tap(struct media_transport *transport, const struct media_tap *tap)
{
	transport->tap = tap;
}

static void show_received(const struct media_transport *transport, const struct addr *from,
	const struct addr *to, struct slice bytes, uint64_t at)
{
	if (transport->tap)
		transport->tap->datagram(transport->tap->arg, false, to, from, bytes, at);
}

static void show_sent(const struct media_transport *transport, const struct udp *udp,
	const struct addr *to, struct slice bytes)
{
	struct addr local;

	if (!transport->tap)
		return;

	udp_local(&local, udp);
	transport->tap->datagram(
		transport->tap->arg, true, &local, to, bytes, loop_now(transport->loop));
}

static void follow(struct media_transport *transport, const struct addr *from)
{
	transport->latch = LATCH_FOLLOWED;
	transport->rtp_remote = *from;
	/* A NAT gives RTCP a port of its own, which only RTCP can show; the host is the same. */
	if (transport->rtcp_remote.family != ADDR_NONE) {
		uint16_t port = transport->rtcp_remote.port;

		transport->rtcp_remote = *from;
		transport->rtcp_remote.port = port;
	}
}

/*
 * The described address itself: after a change, what still comes from where the far end was may
 * have been followed in error for a moment.
 */
static void settle(struct media_transport *transport)
{
	if (transport->latch == LATCH_FOLLOWED) {
		transport->rtp_remote = transport->aim.rtp;
		transport->rtcp_remote = transport->aim.rtcp;
	}
	transport->latch = LATCH_SETTLED;
}

/* Counts packets in a row of one source from one address that is not the one described. */
static bool enough_of(
	struct media_transport *transport, const struct addr *from, const struct rtp_packet *packet)
{
	bool goes_on = transport->candidate_packets > 0 &&
		       addr_equal(from, &transport->candidate) &&
		       packet->ssrc == transport->candidate_ssrc &&
		       packet->seq == (uint16_t)(transport->candidate_seq + 1);

	transport->candidate_packets = goes_on ? transport->candidate_packets + 1 : 1;
	transport->candidate = *from;
	transport->candidate_ssrc = packet->ssrc;
	transport->candidate_seq = packet->seq;
	return transport->candidate_packets >= LATCH_PACKETS;
}

/* Whether it is the stream that we hear, which comes from elsewhere by now. */
static bool goes_on(
	const struct media_transport *transport, const struct rtp_packet *packet, uint64_t at)
{
	uint16_t ahead = (uint16_t)(packet->seq - transport->seq);

	return packet->ssrc == transport->ssrc && ahead > 0 && ahead <= SEQ_AHEAD_MAX &&
	       at >= transport->heard_ns + FORMER_SILENCE_NS;
}

/* Whether what comes from there is the far end's. */
static bool is_theirs(struct media_transport *transport, const struct addr *from,
	const struct rtp_packet *packet, uint64_t at)
{
	if (addr_equal(from, &transport->aim.rtp)) {
		settle(transport);
		return true;
	}
	if (transport->latch != LATCH_OPEN && addr_equal(from, &transport->rtp_remote))
		return true;
	if (!enough_of(transport, from, packet) ||
		(transport->latch != LATCH_OPEN && !goes_on(transport, packet, at)))
		return false;

	follow(transport, from);
	return true;
}

/* Whether a datagram from there is the far end's. */
static bool believe(
	struct media_transport *transport, const struct addr *from, struct slice bytes, uint64_t at)
{
	struct rtp_packet packet;

	if (rtp_packet_parse(&packet, bytes) || !is_theirs(transport, from, &packet, at))
		return false;

	transport->ssrc = packet.ssrc;
	transport->seq = packet.seq;
	transport->heard_ns = at;
	return true;
}

/* A description may give RTCP another host than RTP (RFC 3605). */
static bool rtcp_believed(
	const struct media_transport *transport, const struct addr *from, struct slice bytes)
{
	struct rtcp_reader reader;

	return (addr_same_host(from, &transport->rtp_remote) ||
		       addr_same_host(from, &transport->rtcp_remote)) &&
	       rtcp_parse(&reader, bytes) == 0;
}

static void rtcp_came(struct media_transport *transport, struct slice bytes, uint64_t at)
{
	transport->trouble = 0;
	transport->events->rtcp(transport->arg, bytes, at);
}

static void rtcp_with_rtp(
	struct media_transport *transport, const struct addr *from, struct slice bytes, uint64_t at)
{
	if (rtcp_believed(transport, from, bytes))
		rtcp_came(transport, bytes, at);
}

static void rtp_datagram(
	void *arg, const struct addr *from, const struct addr *to, struct slice bytes, uint64_t at)
{
	struct media_transport *transport = arg;

	show_received(transport, from, to, bytes, at);
	if (rtp_is_rtcp(bytes)) /* RFC 5761: some multiplex without having said so */
		rtcp_with_rtp(transport, from, bytes, at);
	else if (believe(transport, from, bytes, at)) {
		transport->trouble = 0;
		transport->events->rtp(transport->arg, bytes, at);
	}
}

static void rtcp_datagram(
	void *arg, const struct addr *from, const struct addr *to, struct slice bytes, uint64_t at)
{
	struct media_transport *transport = arg;

	show_received(transport, from, to, bytes, at);
	if (!rtcp_believed(transport, from, bytes))
		return;
	if (transport->latch != LATCH_OPEN && transport->rtcp_remote.family != ADDR_NONE)
		transport->rtcp_remote = *from;
	rtcp_came(transport, bytes, at);
}

/* A far end that is not ready yet, or gone: what we send is lost, and if nothing comes, this is
 * why. */
static void rtp_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct media_transport *transport = arg;

	(void)sent;
	if (!addr_equal(to, &transport->rtp_remote))
		return;
	transport->trouble = err;
	transport->trouble_at = *to;
}

/* Many take no RTCP. */
static void rtcp_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	(void)arg;
	(void)to;
	(void)err;
	(void)sent;
}

static void await_silence(struct media_transport *transport, uint64_t limit_ns)
{
	transport->sent_ns = loop_now(transport->loop);
	timer_start(&transport->keep_alive, transport->sent_ns + limit_ns);
}

/* What was sent since it was started has only been noted: that is cheaper, packet by packet. */
static void keep_alive(void *arg)
{
	struct media_transport *transport = arg;
	uint64_t due_ns = transport->sent_ns + MEDIA_KEEP_ALIVE_NS;

	if (transport->sent && loop_now(transport->loop) < due_ns) {
		timer_start(&transport->keep_alive, due_ns);
		return;
	}
	media_transport_send_rtp(transport, (struct slice){(const uint8_t *)"", 0});
	await_silence(transport, MEDIA_KEEP_ALIVE_NS);
}

static const struct udp_events rtp_events = {
	.datagram = rtp_datagram, .unreachable = rtp_unreachable};
static const struct udp_events rtcp_events = {
	.datagram = rtcp_datagram, .unreachable = rtcp_unreachable};

int media_transport_start(struct media_transport *transport, struct loop *media_loop,
	const struct media_transport_events *events, void *arg)
{
	int err;

	transport->loop = media_loop;
	transport->events = events;
	transport->arg = arg;
	err = udp_start(transport->rtp, media_loop, &rtp_events, transport);
	if (!err)
		err = udp_start(transport->rtcp, media_loop, &rtcp_events, transport);
	timer_init(&transport->keep_alive, media_loop, keep_alive, transport);
	if (!err)
		await_silence(transport, MEDIA_FIRST_KEEP_ALIVE_NS);
	return err;
}

/*
 * Nothing is sent to an address that means any: old phones ask for silence by it (RFC 3264,
 * section 8.4). A description knows no scope; a link-local address is on the link of our own.
 */
static struct addr usable(const struct addr *described, const struct addr *local)
{
	struct addr addr = *described;

	if (addr_is_any(&addr))
		return (struct addr){0};
	if (addr.family == ADDR_IPV6 && addr.ip[0] == 0xfe && (addr.ip[1] & 0xc0) == 0x80 &&
		addr.scope == 0)
		addr.scope = local->scope;
	return addr;
}

void media_transport_aim(struct media_transport *transport, const struct media_aim *described)
{
	struct media_aim aim = *described;
	struct addr local;

	udp_local(&local, transport->rtp);
	aim.rtp = usable(&described->rtp, &local);
	aim.rtcp = usable(&described->rtcp, &local);
	if (!addr_equal(&aim.rtp, &transport->aim.rtp)) {
		transport->rtp_remote = aim.rtp;
		transport->rtcp_remote = aim.rtcp;
		transport->latch = LATCH_OPEN;
		transport->candidate_packets = 0;
		transport->trouble = 0;
		transport->sent = false;
		if (transport->loop)
			await_silence(transport, MEDIA_FIRST_KEEP_ALIVE_NS);
	} else if (!addr_equal(&aim.rtcp, &transport->aim.rtcp)) {
		transport->rtcp_remote = aim.rtcp;
	}
	transport->aim = aim;
}

/* What surely was not sent is not shown. */
static void send(struct media_transport *transport, struct udp *udp, const struct addr *to,
	struct slice bytes)
{
	if (to->family != ADDR_NONE && udp_send(udp, to, bytes) == 0)
		show_sent(transport, udp, to, bytes);
}

void media_transport_send_rtp(struct media_transport *transport, struct slice bytes)
{
	send(transport, transport->rtp, &transport->rtp_remote, bytes);
	transport->sent = true;
	transport->sent_ns = loop_now(transport->loop);
}

void media_transport_send_rtcp(struct media_transport *transport, struct slice bytes)
{
	if (transport->aim.mux)
		media_transport_send_rtp(transport, bytes);
	else
		send(transport, transport->rtcp, &transport->rtcp_remote, bytes);
}

const struct addr *media_transport_remote(const struct media_transport *transport)
{
	return &transport->rtp_remote;
}

int media_transport_trouble(struct addr *to, const struct media_transport *transport)
{
	if (transport->trouble)
		*to = transport->trouble_at;
	return transport->trouble;
}
