/* core/rtp/jitter: whole calls over networks that are made up. */
#include "core/rtp/jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS UINT64_C(1000000)
#define START (UINT64_C(3600000) * MS)

enum {
	RATE = 8000,
	TICKS_PER_MS = 8,
	FRAME_MS = 20,
	FRAME = 160,
	PERIOD = 48,
};

static struct jitter *new_jitter(uint32_t min_ms, uint32_t max_ms)
{
	struct jitter_config config = {RATE, min_ms, max_ms};
	struct jitter *jitter;

	assert_int_equal(jitter_new(&jitter, &config), 0);
	return jitter;
}

static struct jitter_stats stats_of(const struct jitter *jitter)
{
	struct jitter_stats stats;

	jitter_stats(&stats, jitter);
	return stats;
}

/* A network that is made up, packet by packet, from a seed. */
struct network {
	const char *name;
	uint32_t packets;
	uint32_t frame_ms, tick_ms;
	uint32_t jitter_ms;             /* each packet, uniform; reorders if more than a frame */
	int drift_ppm;                  /* > 0: the sender's clock is slow */
	uint32_t stall_every, stall_ms; /* packets that come at once, behind one that is late */
	double loss, burst;             /* of packets; mean length of a row of them */
	uint32_t step_at, step_until, step_ms;
	bool stiff; /* the caller cannot stretch; else it can by a PERIOD at a time */
	/* what is to come of it */
	double concealed_max; /* percent */
	double delay_max;     /* ms, mean over all packets played, over the least of the network */
	double last_max;      /* the same over the last tenth, or */
	uint32_t last_from;   /* from this packet on */
	double worst;         /* of any */
	double concealed_min; /* percent: what is lost cannot come out */
};

/* clang-format off */
static const struct network networks[] = {
	{.name = "none", .packets = 1000, .concealed_max = 0, .delay_max = 25, .last_max = 25, .worst = 25},
	{.name = "none, 10 ms ticks", .packets = 1000, .tick_ms = 10, .concealed_max = 0, .delay_max = 15,
		.last_max = 15, .worst = 15},
	{.name = "none, 60 ms packets", .packets = 1000, .frame_ms = 60, .concealed_max = 0, .delay_max = 35,
		.last_max = 35, .worst = 40},
	{.name = "none, 60 ms ticks", .packets = 1000, .tick_ms = 60, .concealed_max = 0, .delay_max = 65,
		.last_max = 65, .worst = 85},
	{.name = "none, 30 ms packets", .packets = 1000, .frame_ms = 30, .concealed_max = 0, .delay_max = 30,
		.last_max = 30, .worst = 40},
	{.name = "2 ms", .packets = 3000, .jitter_ms = 2, .concealed_max = 0, .delay_max = 27, .last_max = 27,
		.worst = 27},
	{.name = "uniform 40 ms", .packets = 3000, .jitter_ms = 40, .concealed_max = 0.2, .delay_max = 62,
		.last_max = 62, .worst = 66},
	{.name = "uniform 100 ms", .packets = 3000, .jitter_ms = 100, .concealed_max = 0.3, .delay_max = 122,
		.last_max = 122, .worst = 126},
	{.name = "stalls", .packets = 3000, .jitter_ms = 2, .stall_every = 100, .stall_ms = 150,
		.concealed_max = 1.5, .delay_max = 165, .last_max = 165, .worst = 175},
	{.name = "two stalls", .packets = 3000, .stall_every = 1600, .stall_ms = 150, .concealed_max = 0.6,
		.delay_max = 48, .last_max = 30, .worst = 175},
	{.name = "loss", .packets = 3000, .loss = 0.05, .burst = 1, .concealed_max = 6, .concealed_min = 4,
		.delay_max = 25, .last_max = 25, .worst = 25},
	{.name = "bursts of loss and 20 ms", .packets = 6000, .loss = 0.05, .burst = 2.5, .jitter_ms = 20,
		.concealed_max = 6.5, .concealed_min = 4, .delay_max = 40, .last_max = 40, .worst = 46},
	{.name = "fast sender, 20 min", .packets = 60000, .drift_ppm = -200, .jitter_ms = 2,
		.concealed_max = 0, .delay_max = 22, .last_max = 28, .worst = 34},
	{.name = "slow sender, 20 min", .packets = 60000, .drift_ppm = 200, .jitter_ms = 2,
		.concealed_max = 0, .delay_max = 22, .last_max = 28, .worst = 32},
	{.name = "a longer path", .packets = 3000, .step_at = 1000, .step_until = 9999, .step_ms = 80,
		.concealed_max = 0.2, .delay_max = 75, .last_max = 100, .worst = 105},
	{.name = "longer and back", .packets = 3000, .step_at = 500, .step_until = 1500, .step_ms = 80,
		.concealed_max = 0.2, .delay_max = 55, .last_from = 1850, .last_max = 25, .worst = 105},
	{.name = "stalls, nothing to stretch", .packets = 3000, .jitter_ms = 2, .stall_every = 100,
		.stall_ms = 150, .stiff = true, .concealed_max = 0.5, .delay_max = 170, .last_max = 170,
		.worst = 175},
};
/* clang-format on */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(*seed >> 8) * below >> 24);
}

struct sent {
	uint64_t arrival_ns;
	uint64_t sent_ns;
	uint32_t number;
};

static int by_arrival(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;

	if (x->arrival_ns != y->arrival_ns)
		return x->arrival_ns < y->arrival_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Fills sent with what arrives, in order of arrival; returns how many. */
static size_t transmit(
	struct sent *sent, const struct network *network, uint32_t frame_ms, uint32_t seed)
{
	uint64_t held_ns = 0;
	size_t count = 0;
	bool losing = false;

	for (uint32_t i = 0; i < network->packets; i++) {
		uint64_t step_ns = frame_ms * (MS + (uint64_t)(network->drift_ppm + 1000) - 1000);
		struct sent packet = {.number = i, .sent_ns = START + i * step_ns};

		packet.arrival_ns =
			packet.sent_ns + draw(&seed, network->jitter_ms * 1000 + 1) * 1000;
		if (network->stall_every && i % network->stall_every == network->stall_every / 2)
			held_ns = packet.sent_ns + network->stall_ms * MS;
		if (packet.arrival_ns < held_ns)
			packet.arrival_ns = held_ns;
		if (i >= network->step_at && i < network->step_until)
			packet.arrival_ns += network->step_ms * MS;

		if (network->loss > 0) {
			double leave = 1 / network->burst;
			double begin = network->loss * leave / (1 - network->loss);
			double chance = draw(&seed, 1 << 24) / (double)(1 << 24);

			losing = losing ? chance >= leave : chance < begin;
		}
		if (!losing || i == 0)
			sent[count++] = packet;
	}
	qsort(sent, count, sizeof(*sent), by_arrival);
	return count;
}

struct result {
	double delay_sum, last_sum, worst;
	size_t played, last_played;
	uint64_t ticks, concealed;
	int64_t highest;
	bool began;
	uint32_t hash; /* of all decisions */
};

static void note_play(struct result *result, const struct network *network, uint32_t frame_ms,
	const struct jitter_packet *packet, uint64_t play_ns)
{
	uint64_t step_ns = frame_ms * (MS + (uint64_t)(network->drift_ppm + 1000) - 1000);
	int64_t number = (int64_t)(packet->timestamp / (frame_ms * TICKS_PER_MS));
	double delay =
		((double)play_ns - (double)(START + (uint64_t)number * step_ns)) / (double)MS;

	assert_true(number > result->highest); /* each once, and in order */
	assert_int_equal(packet->payload.len, 2);
	assert_int_equal(be16_get(packet->payload.data), (uint16_t)number);
	assert_int_equal(packet->seq, (uint16_t)number);
	result->highest = number;
	result->delay_sum += delay;
	result->played++;
	if (number >= (network->last_from ? network->last_from
					  : network->packets - network->packets / 10)) {
		result->last_sum += delay;
		result->last_played++;
	}
	if (delay > result->worst)
		result->worst = delay;
}

/* As a voice lets itself be stretched: added to by a period at least, and not shortened too far. */
static int32_t stretch(int32_t wish)
{
	if (wish > 0)
		return PERIOD;
	return wish <= -PERIOD ? -PERIOD : 0;
}

/* One tick of the caller's: asks until it has enough. Returns what is ready for the next. */
static uint32_t tick(struct result *result, const struct network *network, struct jitter *jitter,
	uint32_t frame_ms, uint64_t now_ns, uint64_t shift_ns, uint32_t ready, uint32_t wanted)
{
	for (;;) {
		struct jitter_decision decision;
		struct jitter_done done = {0};

		jitter_next(&decision, jitter, now_ns + shift_ns, ready, wanted);
		result->hash = result->hash * 31 + decision.action * 7 + (uint32_t)decision.stretch;
		if (decision.action == JITTER_ENOUGH)
			return ready - wanted;
		if (decision.action == JITTER_NOTHING) {
			result->concealed += result->began ? wanted - ready : 0;
			result->ticks += result->began ? wanted - ready : 0;
			return 0;
		}

		assert_true(decision.duration > 0);
		assert_int_equal(decision.packet != NULL,
			decision.action == JITTER_PLAY || decision.action == JITTER_FEC);
		if (decision.action == JITTER_PLAY)
			note_play(result, network, frame_ms, decision.packet,
				now_ns + ready / TICKS_PER_MS * MS);
		else
			result->concealed += decision.duration;
		result->began = true;
		done.action = decision.action == JITTER_FEC ? JITTER_CONCEAL : decision.action;
		done.stretched = network->stiff ? 0 : stretch(decision.stretch);
		done.ticks = (uint32_t)((int32_t)decision.duration + done.stretched);
		result->ticks += done.ticks;
		ready += done.ticks;
		jitter_done(jitter, &done);
	}
}

static struct result simulate(
	const struct network *network, uint32_t seed, uint64_t shift_ns, struct jitter_stats *stats)
{
	uint32_t frame_ms = network->frame_ms ? network->frame_ms : FRAME_MS;
	uint32_t tick_ms = network->tick_ms ? network->tick_ms : FRAME_MS;
	struct sent *sent = calloc(network->packets, sizeof(*sent));
	struct jitter *jitter = new_jitter(0, 500);
	struct result result = {.highest = -1, .hash = 1};
	uint64_t now_ns = START + seed * 4300000 % (tick_ms * MS); /* the ticks lie anywhere */
	uint32_t ready = 0;
	size_t count, next = 0;

	assert_non_null(sent);
	count = transmit(sent, network, frame_ms, seed * 2654435761);
	for (; next < count; now_ns += tick_ms * MS) {
		for (; next < count && sent[next].arrival_ns <= now_ns; next++) {
			uint32_t number = sent[next].number;
			uint8_t payload[2] = {(uint8_t)(number >> 8), (uint8_t)number};
			struct rtp_packet packet = {.seq = (uint16_t)number,
				.timestamp = number * frame_ms * TICKS_PER_MS,
				.payload = {payload, 2}};
			int err = jitter_put(jitter, &packet, sent[next].arrival_ns + shift_ns,
				frame_ms * TICKS_PER_MS);

			assert_true(err == 0 || err == -ETIME);
		}
		ready = tick(&result, network, jitter, frame_ms, now_ns, shift_ns, ready,
			tick_ms * TICKS_PER_MS);
	}
	*stats = stats_of(jitter);
	jitter_free(jitter);
	free(sent);
	return result;
}

static void check_result(const struct network *network, uint32_t seed, const struct result *result,
	const struct jitter_stats *stats)
{
	double concealed = 100.0 * (double)result->concealed / (double)result->ticks;
	double delay = result->delay_sum / (double)result->played;
	double last = result->last_sum / (double)result->last_played;

	if (concealed > network->concealed_max || concealed < network->concealed_min ||
		delay > network->delay_max || last > network->last_max ||
		result->worst > network->worst)
		fail_msg("%s, seed %u: concealed %.2f %%, delay %.1f, last %.1f, worst %.1f ms",
			network->name, seed, concealed, delay, last, result->worst);
	assert_int_equal(stats->dropped, 0); /* what came in time is heard */
	assert_int_equal(stats->played, result->played);
	assert_int_equal(stats->restarts, 0);
	assert_int_equal(stats->overflow, 0);
	assert_true(stats->buffer_ms <= delay + 0.01);
}

static void test_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		for (uint32_t seed = 1; seed <= (networks[i].packets > 6000 ? 1 : 5); seed++) {
			struct jitter_stats stats;
			struct result result = simulate(&networks[i], seed, 0, &stats);

			check_result(&networks[i], seed, &result, &stats);
		}
	}
}

/* The same calls make the same decisions, whenever the clock began. */
static void test_replay(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct jitter_stats stats;
		struct network network = networks[i];
		uint32_t hash;

		if (network.packets > 3000)
			network.packets = 3000;
		hash = simulate(&network, 9, 0, &stats).hash;
		assert_int_equal(simulate(&network, 9, 0, &stats).hash, hash);
		assert_int_equal(simulate(&network, 9, 1000000000 * MS, &stats).hash, hash);
		if (network.jitter_ms > 20)
			assert_int_not_equal(simulate(&network, 10, 0, &stats).hash, hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests_name("rtp/jitter over networks", tests, NULL, NULL);
}
