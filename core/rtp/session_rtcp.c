/* The RTCP of a session: what its reports say, what comes of the far end's, and when they are due.
 */
#include "core/rtp/rtcp.h"
#include "core/rtp/session_private.h"

#define NTP_1970 UINT64_C(2208988800) /* seconds from 1900, where NTP begins, to 1970 */
#define RTT_MAX_NS (60 * NS_PER_S)    /* nobody talks over more; such a number is a mistake */

/* By how much a report of less loss than before counts: a quarter. */
enum { LOSS_SLOWNESS = 4 };

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
	uint64_t interval = session_expected(source) - source->expected_prior;
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
		.lost = clamp_lost((int64_t)session_expected(source) - (int64_t)source->received),
		.highest_seq = source->highest,
		.jitter = source->jitter_x16 >> JITTER_SHIFT,
	};
	if (report->set && report->ssrc == source->ssrc) {
		block->lsr = report->ntp_middle;
		block->dlsr = short_ntp(session_since(report->arrival_ns, now_ns));
	}
	return 1;
}

static void make_sender(struct rtcp_sender *sender, const struct rtp_session *session,
	uint64_t now_ns, uint64_t wall_ns)
{
	*sender = (struct rtcp_sender){
		.ntp = ntp_of(wall_ns),
		.timestamp = session->last_timestamp +
			     session_ticks(session_since(session->last_sent_ns, now_ns),
				     session->clock_rate),
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
		source->expected_prior = session_expected(source);
		source->received_prior = source->received;
	}
}

/* RFC 3550, section 6.4: whether we have sent RTP in the last two intervals. */
static bool is_sender(const struct rtp_session *session)
{
	return session->stats.packets_sent > session->sent_at_report[1];
}

int rtp_session_report(
	struct buf *out, struct rtp_session *session, uint64_t now_ns, uint64_t wall_ns, bool bye)
{
	bool sending = is_sender(session);
	struct buf end = *out;
	struct rtcp_sender sender;
	struct rtcp_block block;
	size_t blocks = make_block(&block, session, now_ns);
	int err;

	if (bye && session->reports == session->reports_before &&
		session->stats.packets_sent == session->packets_before)
		return -ENODATA;

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

	interval_measure(&session->interval, end.len - out->len);
	interval_sent(&session->interval, now_ns);
	note_report(session, now_ns, wall_ns, sending);
	*out = end;
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

/* Losses come in bursts, between which a report or two may know of none. */
static void smooth_loss(struct rtp_stats *stats)
{
	double change = stats->remote_lost_fraction - stats->remote_loss;

	stats->remote_loss += change > 0 ? change : change / LOSS_SLOWNESS;
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
	smooth_loss(stats);
	stats->remote_lost = block->lost;
	stats->remote_jitter_ms = session_ms(block->jitter, session->clock_rate);
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
	interval_heard_rtcp(&session->interval, arrival_ns);
}

static void take_receiver(
	struct rtp_session *session, const struct rtcp_item *item, uint64_t arrival_ns)
{
	(void)item;
	interval_heard_rtcp(&session->interval, arrival_ns);
}

static void take_bye(struct rtp_session *session, const struct rtcp_item *item, uint64_t arrival_ns)
{
	if (session->source.heard && item->ssrc != session->source.ssrc)
		return;

	session->source.bye = true;
	interval_left(&session->interval, arrival_ns);
}

/* Our SSRC with another name is another's (RFC 3550, section 8.2); with ours it is our echo. */
static void take_echo(struct rtp_session *session, const struct rtcp_item *item)
{
	if (item->kind == RTCP_CNAME &&
		(item->text.len != session->cname_len ||
			memcmp(item->text.data, session->cname, session->cname_len) != 0))
		session_collide(session);
}

int rtp_session_rtcp(struct rtp_session *session, struct slice datagram, uint64_t arrival_ns)
{
	static void (*const takers[RTCP_BYE + 1])(
		struct rtp_session *, const struct rtcp_item *, uint64_t) = {
		[RTCP_SENDER] = take_sender,
		[RTCP_RECEIVER] = take_receiver,
		[RTCP_BLOCK] = take_block,
		[RTCP_BYE] = take_bye,
	};
	struct rtcp_reader reader;
	struct rtcp_item item;
	int err;

	err = rtcp_parse(&reader, datagram);
	if (err)
		return err;

	interval_measure(&session->interval, datagram.len);
	while (rtcp_next(&item, &reader))
		if (item.ssrc == session->ssrc)
			take_echo(session, &item);
		else if (takers[item.kind])
			takers[item.kind](session, &item, arrival_ns);
	return 0;
}

void rtp_session_start_reports(
	struct rtp_session *session, uint32_t bandwidth, uint64_t now_ns, uint32_t random)
{
	interval_begin(&session->interval, bandwidth, now_ns);
	rtp_session_plan_report(session, random);
}

void rtp_session_set_bandwidth(struct rtp_session *session, uint32_t bandwidth)
{
	interval_set_bandwidth(&session->interval, bandwidth);
}

uint64_t rtp_session_next_report(const struct rtp_session *session)
{
	return session->interval.next_ns;
}

bool rtp_session_report_due(struct rtp_session *session, uint64_t now_ns, uint32_t random)
{
	return interval_due(&session->interval, now_ns, is_sender(session), random);
}

void rtp_session_plan_report(struct rtp_session *session, uint32_t random)
{
	interval_plan(&session->interval, is_sender(session), random);
}
