/*
 * core/net: a simulated world is replayed by its seed, to the nanosecond and to the byte. All that
 * there is (timers, posts, work, names, datagrams, hosts that fail and move) is played at random.
 */
#include "tests/unit/sim_play.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ACTORS = PLAY_HOSTS * PLAY_LOOPS,
	STEPS = 150, /* of each actor */
	ACTS = 4,    /* of each step, at most */
	PORT = 5060, /* of an actor's socket: this and its number */
	BYTES = 16,
	SEEDS = 20,
};

struct stage {
	struct play play;
	struct actor *actors;
	size_t seen[128]; /* how often each kind of thing has happened */
	uint64_t hash;    /* of all that happened, in its order */
};

struct actor {
	struct stage *stage;
	struct loop *loop;
	uint16_t number;
	struct udp *udp; /* or NULL */
	struct resolve *question;
	struct timer step;
	struct timer other;
	size_t steps;
};

static void saw_number(struct stage *stage, uint64_t number)
{
	for (size_t i = 0; i < 8; i++) {
		stage->hash = (stage->hash ^ (uint8_t)(number >> 8 * i)) * UINT64_C(0x100000001b3);
	}
}

static void saw(struct actor *actor, char what)
{
	struct stage *stage = actor->stage;

	stage->seen[(size_t)what]++;
	saw_number(stage, (uint64_t)what);
	saw_number(stage, actor->number);
	saw_number(stage, loop_now(actor->loop));
}

static void saw_bytes(struct actor *actor, char what, const struct addr *from, struct slice bytes)
{
	saw(actor, what);
	saw_number(actor->stage, from->port);
	for (size_t i = 0; i < bytes.len; i++)
		saw_number(actor->stage, bytes.data[i]);
}

static void came(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct actor *actor = arg;

	saw_number(actor->stage, to->port);
	saw_bytes(actor, 'd', from, bytes);
	saw_number(actor->stage, arrival_ns);
	if (loop_random_below(actor->loop, 8) == 0) {
		udp_free(actor->udp);
		actor->udp = NULL;
	}
}

static void unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	assert_int_equal(err, -ECONNREFUSED);
	saw_bytes(arg, 'u', to, sent);
}

static void act_udp(struct actor *actor)
{
	static const struct udp_events events = {came, unreachable};
	struct addr addr = {ADDR_IPV4, (uint16_t)(PORT + actor->number), 0, {0}};
	uint8_t bytes[BYTES];
	uint32_t to, host;

	if (!actor->udp) {
		assert_int_equal(loop_udp_open(&actor->udp, actor->loop, &addr), 0);
		assert_int_equal(udp_start(actor->udp, actor->loop, &events, actor), 0);
		return;
	}
	to = loop_random_below(actor->loop, ACTORS);
	host = to / PLAY_LOOPS;
	if (loop_random_below(actor->loop, 4) == 0)
		host = loop_random_below(actor->loop, PLAY_HOSTS + 1); /* most likely a wrong one */
	addr = (struct addr){ADDR_IPV4, (uint16_t)(PORT + to), 0, {192, 0, 2, (uint8_t)(host + 1)}};
	loop_random(actor->loop, bytes, sizeof(bytes));
	assert_int_equal(udp_send(actor->udp, &addr, (struct slice){bytes, sizeof(bytes)}), 0);
}

struct parcel {
	struct post post;
	struct work work;
	struct actor *to;
};

static void run_parcel(struct post *post)
{
	struct parcel *parcel = container_of(post, struct parcel, post);

	saw(parcel->to, 'p');
	free(parcel);
}

static void work_on_parcel(struct work *work)
{
	saw(container_of(work, struct parcel, work)->to, 'r');
}

static void finish_parcel(struct work *work)
{
	struct parcel *parcel = container_of(work, struct parcel, work);

	saw(parcel->to, 'w');
	free(parcel);
}

static struct parcel *parcel_for(struct actor *to)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));

	assert_non_null(parcel);
	*parcel = (struct parcel){{NULL, run_parcel}, {work_on_parcel, finish_parcel}, to};
	return parcel;
}

static void act_post(struct actor *actor)
{
	struct actor *to = &actor->stage->actors[loop_random_below(actor->loop, ACTORS)];

	loop_post(to->loop, &parcel_for(to)->post);
}

static void act_work(struct actor *actor)
{
	assert_int_equal(loop_work(actor->loop, &parcel_for(actor)->work), 0);
}

static void act_timer(struct actor *actor)
{
	if (timer_running(&actor->other) && loop_random_below(actor->loop, 2) == 0)
		timer_stop(&actor->other);
	else
		timer_start_in(&actor->other, loop_random_below(actor->loop, 4 * PLAY_LATE_NS));
}

static void answered(void *arg, const struct dns_answer *answer)
{
	struct actor *actor = arg;

	assert_int_equal(answer->err, 0);
	assert_int_equal(answer->count, 1);
	actor->question = NULL;
	saw(actor, 'n');
}

static void act_name(struct actor *actor)
{
	if (actor->question) {
		resolve_cancel(actor->question);
		actor->question = NULL;
		return;
	}
	assert_int_equal(
		loop_resolve(&actor->question, actor->loop, DNS_HOST, "localhost", answered, actor),
		0);
}

static void fire_other(void *arg)
{
	saw(arg, 't');
}

static void fire_step(void *arg)
{
	static void (*const acts[])(struct actor *) = {act_udp, act_udp, act_udp, act_post,
		act_post, act_work, act_timer, act_timer, act_name};
	struct actor *actor = arg;
	uint32_t count = loop_random_below(actor->loop, ACTS + 1);

	saw(actor, 's');
	for (uint32_t i = 0; i < count; i++)
		acts[loop_random_below(actor->loop, sizeof(acts) / sizeof(acts[0]))](actor);
	if (++actor->steps < STEPS)
		timer_start_in(&actor->step, loop_random_below(actor->loop, 8 * PLAY_LATE_NS));
}

/* A host falls asleep and wakes up, or moves there and back; the network gets worse and better. */
static void disturb(struct stage *stage)
{
	struct play *play = &stage->play;
	uint32_t chance = world_random_below(play->world, PLAY_HOSTS);
	struct world_host *host = play->hosts[chance];
	struct addr home = {ADDR_IPV4, 0, 0, {192, 0, 2, (uint8_t)(chance + 1)}};
	struct addr away = {ADDR_IPV4, 0, 0, {192, 0, 2, PLAY_HOSTS + 1}};
	const struct impair_config bad = {
		.loss = 1000 * world_random_below(play->world, 300),
		.burst_begins = 200000,
		.burst_ends = 200000,
		.burst_loss = 500000,
		.jitter_ns = 4 * PLAY_WAY_NS,
		.spread = (enum impair_spread)world_random_below(play->world, 3),
		.reorders = world_random_below(play->world, 2) == 0,
		.duplicates = 50000,
		.corrupts = 50000,
		.rate_bps = world_random_below(play->world, 2) * 4000,
		.queue_bytes = 40,
	};

	world_impair(play->world, &bad);
	if (world_random_below(play->world, 2) == 0) {
		world_host_down(host);
		play_run(play, 20 * NS_PER_MS);
		world_host_up(host);
	} else {
		world_host_move(host, &away);
		play_run(play, 20 * NS_PER_MS);
		world_host_move(host, &home);
	}
	world_impair(play->world, &(struct impair_config){0});
	play_run(play, 20 * NS_PER_MS);
}

static void tap(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct stage *stage = arg;

	stage->seen[(size_t) "SALU"[what]]++;
	saw_number(stage, now_ns);
	saw_number(stage, (uint64_t)from->port << 16 | to->port);
	saw_number(stage, bytes.len);
}

/* Each datagram has met one fate, and in all plays together each fate is met. */
static void assert_counts(const struct stage *stage, struct impair_counts *sum)
{
	struct impair_counts counts;

	world_counts(&counts, stage->play.world);
	assert_int_equal(counts.asked, counts.passed + counts.lost + counts.overflowed);
	assert_true(counts.passed > 0 && counts.lost > 0);
	sum->lost_in_bursts += counts.lost_in_bursts;
	sum->overflowed += counts.overflowed;
	sum->duplicated += counts.duplicated;
	sum->corrupted += counts.corrupted;
	sum->overtaken += counts.overtaken;
}

/* One run of the world; out is what happened in it. */
static void perform(struct stage *out, uint64_t seed, struct impair_counts *sum)
{
	struct actor actors[ACTORS] = {0};

	*out = (struct stage){.actors = actors};
	play_open(&out->play, seed);
	world_watch(out->play.world, tap, out);
	for (uint16_t i = 0; i < ACTORS; i++) {
		struct loop *loop = out->play.loops[i / PLAY_LOOPS][i % PLAY_LOOPS];

		actors[i] = (struct actor){.stage = out, .loop = loop, .number = i};
		timer_init(&actors[i].step, loop, fire_step, &actors[i]);
		timer_init(&actors[i].other, loop, fire_other, &actors[i]);
		timer_start(&actors[i].step, 0);
	}
	for (size_t i = 0; i < 10; i++)
		disturb(out);
	while (world_step(out->play.world))
		;
	for (size_t i = 0; i < ACTORS; i++) {
		assert_int_equal(actors[i].steps, STEPS);
		udp_free(actors[i].udp);
	}
	saw_number(out, world_now(out->play.world));
	assert_counts(out, sum);
	play_close(&out->play); /* which sees that nothing is left */
}

static void test_seed_replays_a_run(void **state)
{
	struct impair_counts sum = {0};
	uint64_t last = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct stage one, two;

		perform(&one, seed, &sum);
		perform(&two, seed, &sum);
		assert_true(one.hash == two.hash);
		assert_memory_equal(one.seen, two.seen, sizeof(one.seen));
		assert_true(one.hash != last);
		last = one.hash;
		for (const char *what = "dupwrtnsSALU"; *what; what++)
			assert_true(one.seen[(size_t)*what] > 0);
		assert_int_equal(one.seen['s'], ACTORS * STEPS);
		assert_int_equal(one.seen['w'], one.seen['r']);
		assert_int_equal(one.seen['d'], one.seen['A']);
	}
	assert_true(sum.lost_in_bursts > 0 && sum.overflowed > 0 && sum.overtaken > 0);
	assert_true(sum.duplicated > 0 && sum.corrupted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_replays_a_run),
	};

	return cmocka_run_group_tests_name("net/world_sim", tests, NULL, NULL);
}
