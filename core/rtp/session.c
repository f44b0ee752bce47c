#include "core/rtp/session.h"

#include "core/rtp/rtcp.h"
#include "core/rtp/session_private.h"

#include <assert.h>
#include <stdlib.h>

enum {
	MAX_DROPOUT = 3000, /* RFC 3550, appendix A.1 */
	MAX_MISORDER = 100,
	JITTER_JUMP_S = 2,   /* more is a clock that was set anew */
	ECHO_PACKETS = 1024, /* of ours that may still come back: 20 s of speech */
	RENAMES_MAX = 4,     /* after so many collisions it is no accident */
	RTCP_TYPE_FIRST = 192,
	RTCP_TYPE_LAST = 223,
};

int rtp_session_new(struct rtp_session **out, const struct rtp_session_config *config)
{
	size_t cname_len = strlen(config->cname);
	struct rtp_session *session;

	assert(config->clock_rate > 0);
	assert(cname_len > 0 && cname_len <= RTCP_TEXT_MAX);

	session = calloc(1, sizeof(*session) + cname_len);
	if (!session)
		return -ENOMEM;

	session->ssrc = config->ssrc;
	session->clock_rate = config->clock_rate;
	session->usual_clock = config->clock_rate;
	session->first_timestamp = config->first_timestamp;
	session->last_timestamp = config->first_timestamp;
	session->next_seq = config->first_seq;
	session->cname_len = cname_len;
	memcpy(session->cname, config->cname, cname_len);
	*out = session;
	return 0;
}

void rtp_session_free(struct rtp_session *session)
{
	free(session);
}

void rtp_session_expect(struct rtp_session *session, uint8_t payload_type, uint32_t clock_rate)
{
	assert(payload_type < RTP_PAYLOAD_TYPES && clock_rate > 0);

	session->their_clocks[payload_type] = clock_rate;
}

static uint32_t clock_of(const struct rtp_session *session, const struct rtp_packet *packet)
{
	uint32_t told = session->their_clocks[packet->payload_type];

	return told > 0 ? told : session->usual_clock;
}

int rtp_session_send(struct buf *out, struct rtp_session *session, uint8_t payload_type,
	bool marker, uint32_t timestamp, struct slice payload, uint64_t now_ns)
{
	struct rtp_packet packet = {
		.marker = marker,
		.payload_type = payload_type,
		.seq = session->next_seq,
		.timestamp = session->first_timestamp + timestamp,
		.ssrc = session->ssrc,
		.payload = payload,
	};
	int err;

	err = rtp_packet_print(out, &packet);
	if (err)
		return err;

	session->next_seq++;
	session->last_timestamp = packet.timestamp;
	session->last_sent_ns = now_ns;
	session->stats.packets_sent++;
	session->stats.octets_sent += payload.len;
	return 0;
}

static int64_t lost(const struct source *source)
{
	return (int64_t)session_expected(source) - (int64_t)(source->received - source->duplicates);
}

static uint64_t *seen_word(struct source *source, uint32_t seq, uint64_t *bit)
{
	*bit = UINT64_C(1) << seq % SEEN_WORD;
	return &source->seen[seq % SEEN_BITS / SEEN_WORD];
}

/* Marks seq and returns whether it was marked before. */
static bool see(struct source *source, uint32_t seq)
{
	uint64_t bit;
	uint64_t *word = seen_word(source, seq, &bit);
	bool before = *word & bit;

	*word |= bit;
	return before;
}

/* Makes seq, which is ahead, the highest; what lies between has not been seen. */
static void advance(struct source *source, uint16_t steps)
{
	for (uint16_t i = 0; i < steps; i++) {
		uint64_t bit;
		uint64_t *word = seen_word(source, ++source->highest, &bit);

		*word &= ~bit;
	}
}

/* Begins to count anew; what the source before has lost stays lost. */
static void begin_source(struct rtp_session *session, const struct rtp_packet *packet)
{
	if (session->source.heard) {
		session->lost_before += lost(&session->source);
		session->left = session->source.ssrc != packet->ssrc;
		session->left_ssrc = session->source.ssrc;
	}

	session->source = (struct source){
		.heard = true,
		.clock_rate = clock_of(session, packet),
		.ssrc = packet->ssrc,
		.highest = packet->seq,
		.base = packet->seq,
	};
	see(&session->source, packet->seq);
}

/* A packet out of the row: whether it is the second of a new one, which is then begun. */
static int audition(struct rtp_session *session, const struct rtp_packet *packet)
{
	struct candidate *candidate = &session->candidate;

	if (candidate->set && packet->ssrc == candidate->ssrc &&
		packet->seq == candidate->next_seq) {
		begin_source(session, packet);
		return 0;
	}

	*candidate = (struct candidate){true, packet->ssrc, (uint16_t)(packet->seq + 1)};
	return -EPROTO;
}

/* RFC 3550, appendix A.1, with a memory for duplicates. */
static int check_seq(struct rtp_session *session, const struct rtp_packet *packet)
{
	struct source *source = &session->source;
	uint16_t ahead = (uint16_t)(packet->seq - source->highest);
	uint16_t behind = (uint16_t)-ahead;

	if (ahead > 0 && ahead < MAX_DROPOUT) {
		advance(source, ahead);
		see(source, packet->seq);
		return 0;
	}
	if (behind > MAX_MISORDER)
		return audition(session, packet);
	if (see(source, packet->seq)) {
		source->duplicates++;
		session->stats.duplicates++;
		return -EALREADY;
	}
	session->stats.out_of_order++;
	return 0;
}

/* Ticks of two clocks have nothing in common but how many seconds they are (RFC 7160, section 4.3).
 */
static void change_clock(struct source *source, uint32_t clock_rate)
{
	source->jitter_x16 =
		(uint32_t)((uint64_t)source->jitter_x16 * clock_rate / source->clock_rate);
	source->clock_rate = clock_rate;
}

/*
 * RFC 3550, appendix A.8. Packets of one moment, as those of a telephone event are, say nothing of
 * the network: they are sent at different times with the same timestamp (RFC 4733,
 * section 2.5.1.2).
 */
static void measure_jitter(
	struct rtp_session *session, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	struct source *source = &session->source;
	uint32_t clock_rate = clock_of(session, packet);
	uint32_t transit = session_ticks(arrival_ns, clock_rate) - packet->timestamp;
	bool comparable = source->received > 0 && clock_rate == source->clock_rate;
	uint32_t change = transit - source->transit;

	if (comparable && packet->timestamp == source->timestamp)
		return;
	if (clock_rate != source->clock_rate)
		change_clock(source, clock_rate);
	if (change > UINT32_MAX / 2)
		change = -change;
	if (comparable && change / JITTER_JUMP_S < clock_rate)
		source->jitter_x16 += change - ((source->jitter_x16 + 8) >> JITTER_SHIFT);
	source->timestamp = packet->timestamp;
	source->transit = transit;
}

/* RFC 7160, section 4.1. What is late of the source before comes by another clock, too. */
static bool has_turned(const struct rtp_session *session, const struct rtp_packet *packet)
{
	uint32_t told = session->their_clocks[packet->payload_type];

	return told > 0 && told != session->source.clock_rate &&
	       !(session->left && packet->ssrc == session->left_ssrc);
}

static int check_packet(struct rtp_session *session, const struct rtp_packet *packet)
{
	if (!session->source.heard || session->resumed) {
		session->resumed = false;
		begin_source(session, packet);
		return 0;
	}
	if (packet->ssrc != session->source.ssrc) {
		if (!has_turned(session, packet))
			return audition(session, packet);
		begin_source(session, packet);
		return 0;
	}
	return check_seq(session, packet);
}

/*
 * One of those that we have sent lately. RFC 3550, section 8.2, has a participant drop what comes
 * with its own SSRC, as a loop or a collision. But a telephone talks to echo services, and to test
 * tools that send back each datagram as it is: whoever calls one wants to hear it, and a new SSRC
 * would come back, too. So our own packets are heard as the far end's stream, and change nothing;
 * only a packet that we have not sent, or a CNAME that is not ours, shows that our SSRC is
 * another's. What the RTCP of an echo tells, we know, and pass over.
 */
static bool is_echo(const struct rtp_session *session, const struct rtp_packet *packet)
{
	uint16_t back = (uint16_t)(session->next_seq - 1 - packet->seq);

	return back < ECHO_PACKETS && back < session->stats.packets_sent - session->packets_before;
}

void session_collide(struct rtp_session *session)
{
	session->collided = session->renames < RENAMES_MAX;
}

bool rtp_session_collided(const struct rtp_session *session)
{
	return session->collided;
}

/* RFC 3550, section 6.4.1: the sender's counts begin anew with its SSRC. */
static void become(struct rtp_session *session, uint32_t ssrc)
{
	session->ssrc = ssrc;
	session->collided = false;
	session->packets_before = session->stats.packets_sent;
	session->octets_before = session->stats.octets_sent;
	session->reports_before = session->reports;
	session->sent_at_report[0] = session->stats.packets_sent;
	session->sent_at_report[1] = session->stats.packets_sent;
	memset(session->sent_reports, 0, sizeof(session->sent_reports));
}

void rtp_session_rename(struct rtp_session *session, uint32_t ssrc)
{
	become(session, ssrc);
	session->renames++;
}

void rtp_session_turn(struct rtp_session *session, uint32_t ssrc, uint32_t clock_rate,
	uint32_t timestamp, uint64_t now_ns)
{
	assert(clock_rate > 0);

	become(session, ssrc);
	session->clock_rate = clock_rate;
	session->last_timestamp = session->first_timestamp + timestamp;
	session->last_sent_ns = now_ns;
}

int rtp_session_receive(struct rtp_packet *out, struct rtp_session *session, struct slice datagram,
	uint64_t arrival_ns)
{
	struct rtp_packet packet;
	int err;

	err = rtp_is_rtcp(datagram) ? -EPROTO : rtp_packet_parse(&packet, datagram);
	if (!err)
		err = check_packet(session, &packet);
	if (err == -EPROTO)
		session->stats.refused++;
	if (err == -EALREADY)
		session->source.received++;
	if (err)
		return err;

	if (packet.ssrc == session->ssrc && !is_echo(session, &packet))
		session_collide(session);
	measure_jitter(session, &packet, arrival_ns);
	interval_heard_rtp(&session->interval, arrival_ns);
	session->candidate.set = false;
	session->source.bye = false;
	session->source.received++;
	session->stats.packets_received++;
	session->stats.octets_received += packet.payload.len;
	*out = packet;
	return 0;
}

void rtp_session_resume(struct rtp_session *session)
{
	session->resumed = true;
	session->candidate.set = false;
}

void rtp_session_stats(struct rtp_stats *out, const struct rtp_session *session)
{
	const struct source *source = &session->source;

	*out = session->stats;
	out->lost = session->lost_before + (source->heard ? lost(source) : 0);
	if (source->heard)
		out->jitter_ms =
			session_ms(source->jitter_x16, source->clock_rate) / (1 << JITTER_SHIFT);
	out->bye = source->bye;
}

bool rtp_session_remote(uint32_t *out, const struct rtp_session *session)
{
	if (!session->source.heard)
		return false;

	*out = session->source.ssrc;
	return true;
}

/* RFC 5761, section 4: RTCP's types are those of RTP's 64..95 with the marker bit. */
bool rtp_is_rtcp(struct slice datagram)
{
	return datagram.len >= 2 && datagram.data[1] >= RTCP_TYPE_FIRST &&
	       datagram.data[1] <= RTCP_TYPE_LAST;
}
