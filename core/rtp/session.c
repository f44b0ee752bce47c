#include "core/rtp/session.h"

#include "core/rtp/rtcp.h"

#include <assert.h>
#include <stdlib.h>

#define NS_PER_S UINT64_C(1000000000)
#define NTP_1970 UINT64_C(2208988800) /* seconds from 1900, where NTP begins, to 1970 */
#define RTT_MAX_NS (60 * NS_PER_S)    /* nobody talks over more; such a number is a mistake */

enum {
	MAX_DROPOUT = 3000, /* RFC 3550, appendix A.1 */
	MAX_MISORDER = 100,
	SEEN_BITS = 128, /* divides 2^16, and holds MAX_MISORDER */
	SEEN_WORD = 64,
	JITTER_SHIFT = 4,       /* appendix A.8: a gain of 1/16 */
	JITTER_JUMP_S = 2,      /* more is a clock that was set anew */
	ECHO_PACKETS = 1024,    /* of ours that may still come back: 20 s of speech */
	RENAMES_MAX = 4,        /* after so many collisions it is no accident */
	REPORTS_REMEMBERED = 4, /* of ours, that the far end may still answer to */
	RTCP_TYPE_FIRST = 192,
	RTCP_TYPE_LAST = 223,
};

/* One of the far end's; RFC 3550, appendix A.1, calls it so. */
struct source {
	bool heard; /* the rest is good */
	bool bye;
	uint32_t ssrc;
	uint32_t highest;  /* sequence number, with its cycles in the upper half */
	uint32_t base;     /* where it began */
	uint64_t received; /* duplicates included, as the reports want it */
	uint64_t duplicates;
	uint64_t expected_prior; /* both as of our last report */
	uint64_t received_prior;
	uint64_t seen[SEEN_BITS / SEEN_WORD]; /* a bit a sequence number, modulo SEEN_BITS */
	uint32_t timestamp;                   /* of the last packet, and its transit */
	uint32_t transit;
	uint32_t jitter_x16; /* ticks, scaled */
};

/* The start of what may become the stream. */
struct candidate {
	bool set;
	uint32_t ssrc;
	uint16_t next_seq;
};

/* A sender report that came: for the round trip that the far end measures. */
struct heard_report {
	bool set;
	uint32_t ssrc;
	uint32_t ntp_middle;
	uint64_t arrival_ns;
};

/* A sender report of ours: for the round trip that we measure. */
struct sent_report {
	uint32_t ntp_middle;
	uint64_t sent_ns;
};

struct rtp_session {
	uint32_t ssrc;
	uint32_t clock_rate;
	uint32_t first_timestamp;
	uint16_t next_seq;
	uint32_t last_timestamp; /* of the last packet sent, and when it was */
	uint64_t last_sent_ns;
	uint64_t sent_at_report[2]; /* packets_sent as of our last report, and of the one before */
	uint64_t reports;
	uint64_t packets_before; /* sent under another SSRC, as are */
	uint64_t octets_before;
	bool collided;
	unsigned renames;
	struct sent_report sent_reports[REPORTS_REMEMBERED];
	struct source source;
	bool resumed; /* the next packet begins the source anew */
	struct candidate candidate;
	struct heard_report heard_report;
	int64_t lost_before; /* by the sources before this one */
	struct rtp_stats stats;
	size_t cname_len;
	uint8_t cname[];
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

/* In two steps, because the product of the whole would overflow after hours. */
static uint32_t ticks_of(uint64_t ns, uint32_t clock_rate)
{
	return (uint32_t)(ns / NS_PER_S * clock_rate + ns % NS_PER_S * clock_rate / NS_PER_S);
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

/* An arrival may bear the time of the kernel's clock, a trifle ahead of the now that we were told.
 */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static uint64_t expected(const struct source *source)
{
	return (uint64_t)(uint32_t)(source->highest - source->base) + 1;
}

static int64_t lost(const struct source *source)
{
	return (int64_t)expected(source) - (int64_t)(source->received - source->duplicates);
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
	if (session->source.heard)
		session->lost_before += lost(&session->source);

	session->source = (struct source){
		.heard = true,
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

/*
 * RFC 3550, appendix A.8. Packets of one moment, as those of a telephone event are, say nothing of
 * the network: they are sent at different times with the same timestamp (RFC 4733,
 * section 2.5.1.2).
 */
static void measure_jitter(
	struct rtp_session *session, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	struct source *source = &session->source;
	uint32_t transit = ticks_of(arrival_ns, session->clock_rate) - packet->timestamp;
	uint32_t change = transit - source->transit;

	if (source->received > 0 && packet->timestamp == source->timestamp)
		return;
	if (change > UINT32_MAX / 2)
		change = -change;
	if (source->received > 0 && change / JITTER_JUMP_S < session->clock_rate)
		source->jitter_x16 += change - ((source->jitter_x16 + 8) >> JITTER_SHIFT);
	source->timestamp = packet->timestamp;
	source->transit = transit;
}

static int check_packet(struct rtp_session *session, const struct rtp_packet *packet)
{
	if (!session->source.heard || session->resumed) {
		session->resumed = false;
		begin_source(session, packet);
		return 0;
	}
	if (packet->ssrc != session->source.ssrc)
		return audition(session, packet);
	return check_seq(session, packet);
}

/* One of those that we have sent lately. */
static bool is_echo(const struct rtp_session *session, const struct rtp_packet *packet)
{
	uint16_t back = (uint16_t)(session->next_seq - 1 - packet->seq);

	return back < ECHO_PACKETS && back < session->stats.packets_sent - session->packets_before;
}

static void collide(struct rtp_session *session)
{
	session->collided = session->renames < RENAMES_MAX;
}

bool rtp_session_collided(const struct rtp_session *session)
{
	return session->collided;
}

/* RFC 3550, section 6.4.1: the sender's counts begin anew with its SSRC. */
void rtp_session_rename(struct rtp_session *session, uint32_t ssrc)
{
	session->ssrc = ssrc;
	session->collided = false;
	session->renames++;
	session->packets_before = session->stats.packets_sent;
	session->octets_before = session->stats.octets_sent;
	memset(session->sent_reports, 0, sizeof(session->sent_reports));
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
		collide(session);
	measure_jitter(session, &packet, arrival_ns);
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

static double ticks_to_ms(const struct rtp_session *session, uint32_t ticks)
{
	return 1e3 * ticks / session->clock_rate;
}

void rtp_session_stats(struct rtp_stats *out, const struct rtp_session *session)
{
	const struct source *source = &session->source;

	*out = session->stats;
	out->lost = session->lost_before + (source->heard ? lost(source) : 0);
	out->jitter_ms = ticks_to_ms(session, source->jitter_x16) / (1 << JITTER_SHIFT);
	out->bye = source->bye;
}

bool rtp_session_remote(uint32_t *out, const struct rtp_session *session)
{
	if (!session->source.heard)
		return false;

	*out = session->source.ssrc;
	return true;
}

/* RFC 3550, section 4: 32 bits of seconds since 1900, 32 of a second's parts. */
static uint64_t ntp_of(uint64_t wall_ns)
{
	return (wall_ns / NS_PER_S + NTP_1970) << 32 | (wall_ns % NS_PER_S << 32) / NS_PER_S;
}

static uint32_t ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/* In 1/65536 s, as the reports have it; what 32 bits do not hold, 18 hours, as the most they do. */
static uint32_t short_ntp(uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_S;

	if (seconds > UINT16_MAX)
		return UINT32_MAX;
	return (uint32_t)(seconds << 16 | (ns % NS_PER_S << 16) / NS_PER_S);
}

/* RFC 3550, appendix A.3: nothing is less than nothing, where duplicates make up for losses. */
static uint8_t fraction_lost(const struct source *source)
{
	uint64_t interval = expected(source) - source->expected_prior;
	uint64_t received = source->received - source->received_prior;

	if (interval == 0 || received >= interval)
		return 0;
	return (uint8_t)(((interval - received) << 8) / interval);
}

static int32_t clamp_lost(int64_t count)
{
	if (count > INT32_MAX)
		return INT32_MAX;
	return count < INT32_MIN ? INT32_MIN : (int32_t)count;
}

/*
 * RFC 3550, section 6.4: there is a block for each source heard since the last report. Returns how
 * many that is, 0 or 1.
 */
static size_t make_block(
	struct rtcp_block *block, const struct rtp_session *session, uint64_t now_ns)
{
	const struct source *source = &session->source;
	const struct heard_report *report = &session->heard_report;

	if (!source->heard || source->received == source->received_prior)
		return 0;

	*block = (struct rtcp_block){
		.ssrc = source->ssrc,
		.fraction_lost = fraction_lost(source),
		.lost = clamp_lost((int64_t)expected(source) - (int64_t)source->received),
		.highest_seq = source->highest,
		.jitter = source->jitter_x16 >> JITTER_SHIFT,
	};
	if (report->set && report->ssrc == source->ssrc) {
		block->lsr = report->ntp_middle;
		block->dlsr = short_ntp(since(report->arrival_ns, now_ns));
	}
	return 1;
}

static void make_sender(struct rtcp_sender *sender, const struct rtp_session *session,
	uint64_t now_ns, uint64_t wall_ns)
{
	*sender = (struct rtcp_sender){
		.ntp = ntp_of(wall_ns),
		.timestamp = session->last_timestamp +
			     ticks_of(since(session->last_sent_ns, now_ns), session->clock_rate),
		.packets = (uint32_t)(session->stats.packets_sent - session->packets_before),
		.octets = (uint32_t)(session->stats.octets_sent - session->octets_before),
	};
}

static void note_report(struct rtp_session *session, uint64_t now_ns, uint64_t wall_ns, bool sender)
{
	struct source *source = &session->source;

	if (sender)
		session->sent_reports[session->reports % REPORTS_REMEMBERED] =
			(struct sent_report){ntp_middle(ntp_of(wall_ns)), now_ns};
	session->reports++;
	session->sent_at_report[1] = session->sent_at_report[0];
	session->sent_at_report[0] = session->stats.packets_sent;
	if (source->heard) {
		source->expected_prior = expected(source);
		source->received_prior = source->received;
	}
}

int rtp_session_report(
	struct buf *out, struct rtp_session *session, uint64_t now_ns, uint64_t wall_ns, bool bye)
{
	bool sending = session->stats.packets_sent > session->sent_at_report[1];
	struct buf end = *out;
	struct rtcp_sender sender;
	struct rtcp_block block;
	size_t blocks = make_block(&block, session, now_ns);
	int err;

	make_sender(&sender, session, now_ns, wall_ns);
	if (sending)
		err = rtcp_print_sender(&end, session->ssrc, &sender, &block, blocks);
	else
		err = rtcp_print_receiver(&end, session->ssrc, &block, blocks);
	if (!err)
		err = rtcp_print_cname(
			&end, session->ssrc, (struct slice){session->cname, session->cname_len});
	if (!err && bye)
		err = rtcp_print_bye(&end, session->ssrc);
	if (err)
		return err;

	*out = end;
	note_report(session, now_ns, wall_ns, sending);
	return 0;
}

/*
 * RFC 3550, section 6.4.1: arrival less LSR less DLSR. LSR only tells which report of ours is
 * meant: when that was sent we know by the clock that does not jump.
 */
static void measure_rtt(
	struct rtp_session *session, const struct rtcp_block *block, uint64_t arrival_ns)
{
	for (size_t i = 0; i < REPORTS_REMEMBERED; i++) {
		const struct sent_report *report = &session->sent_reports[i];
		uint64_t held_ns = (block->dlsr * NS_PER_S) >> 16;
		uint64_t rtt_ns = arrival_ns - report->sent_ns - held_ns;

		if (block->lsr == 0 || report->ntp_middle != block->lsr)
			continue;
		if (rtt_ns <= RTT_MAX_NS) /* one below 0 has become a very large one */
			session->stats.rtt_ns = rtt_ns > 0 ? rtt_ns : 1;
		return;
	}
}

static void take_block(
	struct rtp_session *session, const struct rtcp_item *item, uint64_t arrival_ns)
{
	const struct rtcp_block *block = &item->block;
	struct rtp_stats *stats = &session->stats;

	if (block->ssrc != session->ssrc)
		return;

	stats->remote_reports++;
	stats->remote_lost_fraction = block->fraction_lost / 256.0;
	stats->remote_lost = block->lost;
	stats->remote_jitter_ms = ticks_to_ms(session, block->jitter);
	measure_rtt(session, block, arrival_ns);
}

static void take_sender(
	struct rtp_session *session, const struct rtcp_item *item, uint64_t arrival_ns)
{
	session->heard_report = (struct heard_report){
		.set = true,
		.ssrc = item->ssrc,
		.ntp_middle = ntp_middle(item->sender.ntp),
		.arrival_ns = arrival_ns,
	};
}

static void take_bye(struct rtp_session *session, const struct rtcp_item *item, uint64_t arrival_ns)
{
	(void)arrival_ns;
	if (!session->source.heard || item->ssrc == session->source.ssrc)
		session->source.bye = true;
}

/* Our SSRC with another name is another's (RFC 3550, section 8.2); with ours it is our echo. */
static void take_echo(struct rtp_session *session, const struct rtcp_item *item)
{
	if (item->kind == RTCP_CNAME &&
		(item->text.len != session->cname_len ||
			memcmp(item->text.data, session->cname, session->cname_len) != 0))
		collide(session);
}

int rtp_session_rtcp(struct rtp_session *session, struct slice datagram, uint64_t arrival_ns)
{
	static void (*const takers[RTCP_BYE + 1])(
		struct rtp_session *, const struct rtcp_item *, uint64_t) = {
		[RTCP_SENDER] = take_sender,
		[RTCP_BLOCK] = take_block,
		[RTCP_BYE] = take_bye,
	};
	struct rtcp_reader reader;
	struct rtcp_item item;
	int err;

	err = rtcp_parse(&reader, datagram);
	if (err)
		return err;

	while (rtcp_next(&item, &reader))
		if (item.ssrc == session->ssrc)
			take_echo(session, &item);
		else if (takers[item.kind])
			takers[item.kind](session, &item, arrival_ns);
	return 0;
}

/*
 * RFC 3550, sections 6.2 and 6.3.1. Of two members, at any rate that carries speech, the share of
 * the bandwidth never asks for more than the least interval. It is spread over 0.5 to 1.5 of
 * itself, and divided by e - 3/2 for what timer reconsideration would lengthen it.
 */
uint64_t rtp_session_next_report(
	const struct rtp_session *session, uint64_t now_ns, uint32_t random)
{
	double least_s = session->reports == 0 ? 2.5 : 5;
	double spread = 0.5 + random / 4294967296.0;

	return now_ns + (uint64_t)(least_s * spread / 1.21828 * (double)NS_PER_S);
}

/* RFC 5761, section 4: RTCP's types are those of RTP's 64..95 with the marker bit. */
bool rtp_is_rtcp(struct slice datagram)
{
	return datagram.len >= 2 && datagram.data[1] >= RTCP_TYPE_FIRST &&
	       datagram.data[1] <= RTCP_TYPE_LAST;
}
