/*
 * RTP: the bytes are a row of orders to one session and one jitter buffer: a datagram comes, a tick
 * is due, time goes by, the caller's decoder does less or more than asked. The promises of the
 * jitter buffer's header are checked as it goes.
 */
#include "core/rtp/jitter.h"
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
		check(abs(decision.stretch) * 2 <= (int)decision.duration);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const actions[])(struct phone *, struct slice *) = {
		offer_bytes, offer_packet, tick, wait_ms};
	static const struct rtp_session_config session = {7, 1, 2, RATE, "fuzz"};
	static const struct jitter_config jitter = {RATE, 0, 500};
	struct phone phone = {.now_ns = 1000000000, .seq = 65500, .timestamp = 0xfffff000};
	struct slice orders = {data, size};
	struct jitter_stats stats;
	struct slice order;
	int err = 0;

	check(rtp_session_new(&phone.session, &session) == 0);
	check(jitter_new(&phone.jitter, &jitter) == 0);
	while (!err && slice_take(&order, &orders, 1) == 0)
		err = actions[order.data[0] % 4](&phone, &orders);

	jitter_stats(&stats, phone.jitter);
	check(stats.target_ms <= jitter.max_ms);
	jitter_free(phone.jitter);
	rtp_session_free(phone.session);
	return 0;
}
