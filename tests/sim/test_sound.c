/* A minute of a call in virtual time: what it costs, and whether its loss is told as it was. */
#include "core/base/list.h"
#include "core/rtp/packet.h"
#include "core/rtp/session.h"
#include "tests/sim/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	TALK_S = 60,
	PACKETS_A_SECOND = 50,
	CPU_LIMIT_MS = 1000, /* far more than it takes, for slow machines and sanitizers */
	CPU_AIM_MS = 50,
};

struct side {
	struct world_host *host;
	struct actor *actor;
	struct addr addr;
	struct impair *way; /* to the other */
	uint64_t rtp_sent;  /* on that way */
	uint64_t rtp_lost;
	uint64_t others_lost;
	bool ended;
	struct ua_stats stats;
};

struct call {
	struct world *world;
	struct side sides[2];
};

static void on_event(void *arg, const struct ua_event *event)
{
	struct side *side = arg;

	if (event->kind == UA_CALL_STATS && event->stats.final)
		side->stats = event->stats.now;
	side->ended |= event->kind == UA_CALL_ENDED;
}

static void on_closed(void *arg)
{
	(void)arg;
}

static bool is_rtp(struct slice bytes)
{
	struct rtp_packet packet;

	return rtp_packet_parse(&packet, bytes) == 0 && !rtp_is_rtcp(bytes);
}

static void on_wire(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct call *call = arg;
	struct side *side = &call->sides[addr_same_host(from, &call->sides[1].addr)];

	(void)now_ns;
	(void)to;
	if (what == WORLD_SENT)
		side->rtp_sent += is_rtp(bytes);
	else if (what == WORLD_LOST && is_rtp(bytes))
		side->rtp_lost++;
	else if (what == WORLD_LOST)
		side->others_lost++;
}

static void make_side(struct call *call, unsigned i)
{
	static const struct actor_events events = {on_event, on_closed};
	struct side *side = &call->sides[i];
	struct actor_config config = {
		.world = call->world,
		.name = (char)('a' + i),
		.media = true,
		.mic = "tone:440",
		.policy = {.answer = true},
		.events = &events,
		.arg = side,
	};

	side->addr = (struct addr){
		.family = ADDR_IPV4, .port = SIP_PORT, .ip = {10, 0, 0, (uint8_t)(i + 1)}};
	assert_int_equal(world_host_new(&side->host, call->world, &side->addr), 0);
	config.host = side->host;
	config.listen = side->addr;
	assert_int_equal(actor_new(&side->actor, &config), 0);
}

static void begin(struct call *call, uint64_t seed)
{
	const struct world_config config = {
		.seed = seed,
		.timer_late_ns = NS_PER_MS,
		.post_late_ns = 100 * NS_PER_US,
		.work_late_ns = NS_PER_MS,
		.way_ns = NS_PER_MS,
	};

	*call = (struct call){0};
	assert_int_equal(world_new(&call->world, &config), 0);
	world_watch(call->world, on_wire, call);
	for (unsigned i = 0; i < 2; i++)
		make_side(call, i);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(world_way(&call->sides[i].way, call->sides[i].host,
					 call->sides[1 - i].host),
			0);
}

static void end(struct call *call)
{
	for (unsigned i = 0; i < 2; i++)
		actor_free(call->sides[i].actor);
	world_free(call->world);
}

static void run_for(struct call *call, uint64_t ns)
{
	world_run(call->world, world_now(call->world) + ns);
}

static void run_call(void *arg)
{
	struct call *call = arg;

	assert_int_equal(actor_call(call->sides[0].actor, "sip:b@10.0.0.2"), 0);
}

static void run_hangup(void *arg)
{
	struct call *call = arg;

	actor_hangup(call->sides[0].actor, 0);
}

static void run_close(void *arg)
{
	actor_close(arg);
}

static void close_both(struct call *call)
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			actor_errand(call->sides[i].actor, run_close, call->sides[i].actor), 0);
	run_for(call, NS_PER_S);
	for (unsigned i = 0; i < 2; i++)
		assert_true(actor_is_closed(call->sides[i].actor));
}

/*
 * The network is bad for a minute, but neither at the first packets nor at the last: what is lost
 * before the first that comes, or after the last, no receiver can know of.
 */
static void talk(struct call *call, const struct impair_config *net)
{
	static const struct impair_config good;

	assert_int_equal(actor_errand(call->sides[0].actor, run_call, call), 0);
	run_for(call, NS_PER_S);
	for (unsigned i = 0; i < 2; i++)
		impair_change(call->sides[i].way, net);
	run_for(call, TALK_S * NS_PER_S);
	for (unsigned i = 0; i < 2; i++)
		impair_change(call->sides[i].way, &good);
	run_for(call, NS_PER_S);
	assert_int_equal(actor_errand(call->sides[0].actor, run_hangup, call), 0);
	run_for(call, NS_PER_S);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What i sent, the other tells of. */
static void check_way(const struct call *call, unsigned i)
{
	const struct side *side = &call->sides[i];
	const struct ua_stats *stats = &call->sides[1 - i].stats;
	struct impair_counts counts;

	impair_counts(&counts, side->way);
	assert_int_equal(counts.lost, side->rtp_lost + side->others_lost);
	assert_int_equal(stats->lost, side->rtp_lost);
	assert_int_equal(stats->received, side->rtp_sent - side->rtp_lost);
	assert_int_equal(side->stats.sent, side->rtp_sent);
	assert_in_range(
		side->rtp_sent, (TALK_S + 1) * PACKETS_A_SECOND, (TALK_S + 3) * PACKETS_A_SECOND);
}

static void one_minute(uint64_t seed, const struct impair_config *net)
{
	struct call call;
	double begin_ms;

	begin(&call, seed);
	begin_ms = cpu_ms();
	talk(&call, net);
	begin_ms = cpu_ms() - begin_ms;
	print_message("seed %llu: %d s took %.1f ms of CPU (aim: %d); lost %llu and %llu of %llu\n",
		(unsigned long long)seed, TALK_S, begin_ms, CPU_AIM_MS,
		(unsigned long long)call.sides[0].rtp_lost,
		(unsigned long long)call.sides[1].rtp_lost,
		(unsigned long long)call.sides[0].rtp_sent);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(call.sides[i].ended);
		check_way(&call, i);
	}
	assert_true(begin_ms < CPU_LIMIT_MS);
	close_both(&call);
	end(&call);
}

static void test_loss_is_told_as_it_was(void **state)
{
	static const struct impair_config net = {
		.loss = IMPAIR_ALWAYS / 20,
		.jitter_ns = 40 * NS_PER_MS,
		.reorders = true,
	};

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		one_minute(seed, &net);
}

static void test_good_network_loses_nothing(void **state)
{
	static const struct impair_config net = {.delay_ns = 20 * NS_PER_MS};

	(void)state;
	one_minute(1, &net);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loss_is_told_as_it_was),
		cmocka_unit_test(test_good_network_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
