/*
 * RTP: the bytes are a row of orders to one session and one jitter buffer: a datagram comes, a tick
 * is due, time goes by, the caller's decoder does less or more than asked, the stream is changed,
 * and reports go both ways. The promises of the jitter buffer's header are checked as it goes, and
 * those of the reports and their times.
 */
#include "core/rtp/jitter.h"
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RATE = 8000,
	FRAME = 160,
	DECISIONS_MAX = 2000, /* in one tick: more packets than fit must have been played */
};

struct phone {
	struct rtp_session *session;
	struct rtp_session *far; /* which reports to it, and is reported to */
	struct jitter *jitter;
	uint64_t now_ns;
	uint16_t seq; /* for packets that are sound */
	uint32_t timestamp;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void offer(struct phone *phone, struct slice datagram, uint32_t duration)
{
	struct rtp_packet packet;
	int err;

	err = rtp_session_receive(&packet, phone->session, datagram, phone->now_ns);
	check(err == 0 || err == -EPROTO || err == -EALREADY);
	if (!err)
		jitter_put(phone->jitter, &packet, phone->now_ns, duration);
}

/* A datagram of the fuzzer's own. */
static int offer_bytes(struct phone *phone, struct slice *orders)
{
	struct slice head, datagram;

	if (slice_take(&head, orders, 2) || slice_take(&datagram, orders, head.data[0]))
		return -1;
	offer(phone, datagram, head.data[1] * 40u);
	return 0;
}

/* A sound packet, nearly where it belongs. */
static int offer_packet(struct phone *phone, struct slice *orders)
{
	static const uint8_t payload[20];
	uint8_t room[RTP_HEADER_SIZE + sizeof(payload)];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct rtp_packet packet = {.ssrc = 9};
	struct slice head;

	if (slice_take(&head, orders, 2))
		return -1;
	packet.seq = (uint16_t)(phone->seq + (int8_t)head.data[0]);
	packet.timestamp = phone->timestamp + (uint32_t)((int8_t)head.data[0] * FRAME);
	packet.payload = (struct slice){payload, head.data[1] % sizeof(payload)};
	phone->seq++;
	phone->timestamp += FRAME;
	check(rtp_packet_print(&out, &packet) == 0);
	offer(phone, (struct slice){room, out.len}, FRAME);
	return 0;
}

/* The caller does what it is asked for, unless whim says otherwise. */
static struct jitter_done obey(const struct jitter_decision *decision, uint8_t whim)
{
	struct jitter_done done = {.action = decision->action, .ticks = decision->duration};

	if (whim & 1 && done.action == JITTER_PLAY) {
		done.stretched = decision->stretch;
		done.ticks = (uint32_t)((int64_t)done.ticks + decision->stretch);
		done.quiet = whim & 8;
	}
	if (whim & 2)
		done.action = JITTER_CONCEAL;
	if (whim & 4)
		done.ticks = whim;
	return done;
}

static int tick(struct phone *phone, struct slice *orders)
{
	struct jitter_decision decision;
	struct jitter_done done;
	uint32_t ready = 0;
	unsigned int asked = 0;
	struct slice whim;

	if (slice_take(&whim, orders, 1))
		return -1;
	for (;;) {
		check(asked++ < DECISIONS_MAX);
		jitter_next(&decision, phone->jitter, phone->now_ns, ready, FRAME);
		check((decision.packet != NULL) ==
			(decision.action == JITTER_PLAY || decision.action == JITTER_FEC));
		if (decision.action == JITTER_ENOUGH || decision.action == JITTER_NOTHING)
			break;
		check(decision.duration > 0 && decision.duration <= RATE);
		check(abs(decision.stretch) <= (int)decision.duration);
		done = obey(&decision, whim.data[0]);
		ready += done.ticks;
		jitter_done(phone->jitter, &done);
	}
	phone->now_ns += 20000000;
	return 0;
}

static int wait_ms(struct phone *phone, struct slice *orders)
{
	struct slice ms;

	if (slice_take(&ms, orders, 1))
		return -1;
	phone->now_ns += (uint64_t)ms.data[0] * ms.data[0] * 1000000;
	return 0;
}

/* What a call does to its stream; the session numbers what it sends, and may be renamed. */
static int change(struct phone *phone, struct slice *orders)
{
	static const uint8_t payload[4];
	uint8_t room[RTP_HEADER_SIZE + sizeof(payload)];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct slice what;

	if (slice_take(&what, orders, 1))
		return -1;
	if (what.data[0] & 1)
		rtp_session_resume(phone->session);
	if (what.data[0] & 2)
		jitter_reset(phone->jitter);
	if (what.data[0] & 4)
		phone->seq = (uint16_t)(phone->seq + what.data[0] * 300);
	if (what.data[0] & 8)
		phone->timestamp += what.data[0] * 0x01000000u;
	if (what.data[0] & 16)
		rtp_session_set_bandwidth(phone->session, what.data[0] * 100u);
	if (what.data[0] & 32)
		check(rtp_session_send(&out, phone->session, 0, false, phone->timestamp,
			      (struct slice){payload, sizeof(payload)}, phone->now_ns) == 0);
	if (rtp_session_collided(phone->session))
		rtp_session_rename(phone->session, what.data[0]);
	check(!rtp_session_collided(phone->session));
	return 0;
}

/* A report of one, which the other can read. */
static void report(struct phone *phone, struct rtp_session *from, struct rtp_session *to, bool bye)
{
	uint8_t room[256];
	struct buf out = {.data = room, .size = sizeof(room)};
	uint64_t wall_ns = phone->now_ns + UINT64_C(1790000000000000000);
	int err;

	err = rtp_session_report(&out, from, phone->now_ns, wall_ns, bye);
	check(err == 0 || (err == -ENODATA && bye));
	if (!err)
		check(rtp_session_rtcp(to, (struct slice){room, out.len}, phone->now_ns) == 0);
}

/* As their times come, or out of turn, or a goodbye. */
static int exchange(struct phone *phone, struct slice *orders)
{
	struct slice what;
	uint32_t random;

	if (slice_take(&what, orders, 1))
		return -1;
	random = what.data[0] * 0x01010101u;
	if (what.data[0] & 1)
		report(phone, phone->far, phone->session, what.data[0] & 2);
	if (what.data[0] & 4)
		report(phone, phone->session, phone->far, true);
	if (phone->now_ns < rtp_session_next_report(phone->session))
		return 0;
	if (rtp_session_report_due(phone->session, phone->now_ns, random)) {
		report(phone, phone->session, phone->far, false);
		rtp_session_plan_report(phone->session, random);
	}
	check(rtp_session_next_report(phone->session) > phone->now_ns);
	return 0;
}

/* RTCP of the fuzzer's own. */
static int offer_rtcp(struct phone *phone, struct slice *orders)
{
	uint64_t planned_ns = rtp_session_next_report(phone->session);
	struct slice head, datagram;
	int err;

	if (slice_take(&head, orders, 1) || slice_take(&datagram, orders, head.data[0]))
		return -1;
	err = rtp_session_rtcp(phone->session, datagram, phone->now_ns);
	check(err == 0 || err == -EPROTO);
	/* a goodbye brings the next report nearer, and never into the past */
	check(rtp_session_next_report(phone->session) <= planned_ns ||
		rtp_session_next_report(phone->session) == phone->now_ns);
	return 0;
}

static void check_stats(const struct phone *phone)
{
	struct rtp_stats stats;

	rtp_session_stats(&stats, phone->session);
	check(stats.jitter_ms >= 0 && stats.remote_lost_fraction >= 0);
	check(stats.remote_lost_fraction < 1);
	check(stats.rtt_ns <= UINT64_C(60000000000));
	check(stats.out_of_order <= stats.packets_received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const actions[])(struct phone *, struct slice *) = {
		offer_bytes, offer_packet, tick, wait_ms, change, exchange, offer_rtcp};
	static const struct rtp_session_config session = {7, 1, 2, RATE, "fuzz"};
	static const struct rtp_session_config far = {9, 1, 2, RATE, "far"};
	static const struct jitter_config jitter = {RATE, 0, 500};
	struct phone phone = {.now_ns = 1000000000, .seq = 65500, .timestamp = 0xfffff000};
	struct slice orders = {data, size};
	struct jitter_stats stats;
	struct slice order;
	enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };
	int err = 0;

	check(rtp_session_new(&phone.session, &session) == 0);
	check(rtp_session_new(&phone.far, &far) == 0);
	check(jitter_new(&phone.jitter, &jitter) == 0);
	rtp_session_start_reports(phone.session, 2000, phone.now_ns, 12345);
	while (!err && slice_take(&order, &orders, 1) == 0)
		err = actions[order.data[0] % ACTIONS](&phone, &orders);

	jitter_stats(&stats, phone.jitter);
	check(stats.target_ms <= jitter.max_ms);
	check_stats(&phone);
	jitter_free(phone.jitter);
	rtp_session_free(phone.far);
	rtp_session_free(phone.session);
	return 0;
}
