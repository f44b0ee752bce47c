/*
 * core/net: the loops of the simulated world keep what core/base/loop.h promises of every loop,
 * whatever the seed.
 */
#include "tests/unit/sim_play.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { SEEDS = 50 };

static void test_time(void **state)
{
	struct play *play = *state;

	assert_int_equal(world_now(play->world), PLAY_START_NS);
	play_run(play, 7);
	assert_int_equal(loop_now(play->loops[3][1]), PLAY_START_NS + 7);
	assert_int_equal(loop_wall(play->loop), PLAY_WALL_NS + 7);
	world_run(play->world, 5); /* it never goes back */
	assert_int_equal(world_now(play->world), PLAY_START_NS + 7);
	assert_false(world_step(play->world));
	assert_int_equal(world_now(play->world), PLAY_START_NS + 7);
}

/* Whatever the seed, and however close they are: lateness is the thread's, not the timer's. */
static void test_timers_run_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct play play;
		uint64_t at = PLAY_START_NS + 2 * NS_PER_MS;

		play_open(&play, seed);
		timer_init(&play.timers[0], play.loop, play_fire_a, &play);
		timer_init(&play.timers[1], play.loop, play_fire_b, &play);
		timer_init(&play.timers[2], play.loop, play_fire_c, &play);
		timer_start(&play.timers[1], at); /* of two that are due at once, */
		timer_start(&play.timers[2], at); /* the one that was started first */
		timer_start(&play.timers[0], at - 1);
		assert_int_equal(play_left(&play).timers, 3);
		world_run(play.world, at - 2);
		assert_string_equal(play.log, "");
		world_run(play.world, at + PLAY_LATE_NS);
		assert_string_equal(play.log, "abc");
		assert_false(timer_running(&play.timers[0]));
		assert_int_equal(play_left(&play).timers, 0);
		play_close(&play);
	}
}

static void fire_and_stop_b(void *arg)
{
	struct play *play = arg;

	timer_stop(&play->timers[1]);
	play_note(play, 'a');
}

/* A timer that is due already may be stopped by one that comes before it. */
static void test_stopped_timer_is_silent(void **state)
{
	struct play *play = *state;
	uint64_t at = loop_now(play->loop);

	timer_init(&play->timers[0], play->loop, fire_and_stop_b, play);
	timer_init(&play->timers[1], play->loop, play_fire_b, play);
	timer_init(&play->timers[2], play->loop, play_fire_c, play);
	timer_start(&play->timers[0], at);
	timer_start(&play->timers[1], at);
	timer_start(&play->timers[2], at + NS_PER_MS);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "ac");
}

struct clock {
	struct timer timer;
	uint64_t due_ns;   /* when it may go off, at the earliest */
	uint64_t late_ns;  /* the sum */
	uint64_t worst_ns; /* the most */
	size_t left;
	struct loop *loop;
};

static void clock_fire(void *arg)
{
	struct clock *clock = arg;
	uint64_t now_ns = loop_now(clock->loop);

	assert_true(now_ns >= clock->due_ns);
	clock->late_ns += now_ns - clock->due_ns;
	if (now_ns - clock->due_ns > clock->worst_ns)
		clock->worst_ns = now_ns - clock->due_ns;
	if (--clock->left == 0)
		return;
	clock->due_ns = now_ns + loop_random_below(clock->loop, 3 * PLAY_LATE_NS);
	timer_start(&clock->timer, clock->due_ns);
}

/* Three clocks of one loop, whose timers come before, behind and between each other's. */
static void test_timers_are_never_early_and_not_too_late(void **state)
{
	enum { CLOCKS = 3, TICKS = 5000 };
	struct play *play = *state;
	struct clock clocks[CLOCKS];

	for (size_t i = 0; i < CLOCKS; i++) {
		clocks[i] =
			(struct clock){.left = TICKS, .loop = play->loop, .due_ns = PLAY_START_NS};
		timer_init(&clocks[i].timer, play->loop, clock_fire, &clocks[i]);
		timer_start(&clocks[i].timer, PLAY_START_NS);
	}
	play_run(play, 60 * NS_PER_S);
	for (size_t i = 0; i < CLOCKS; i++) {
		assert_int_equal(clocks[i].left, 0);
		assert_true(clocks[i].worst_ns <= PLAY_LATE_NS &&
			    clocks[i].worst_ns > PLAY_LATE_NS * 9 / 10);
		assert_true(clocks[i].late_ns / TICKS > PLAY_LATE_NS / 4);
		assert_true(clocks[i].late_ns / TICKS < PLAY_LATE_NS * 3 / 4);
	}
}

static void fire_and_start_b(void *arg)
{
	struct play *play = arg;

	play_note(play, 'a');
	timer_start(&play->timers[1], 0); /* before c, which is due */
}

/* A new timer in front does not make those behind it later than they may be. */
static void test_overdue_timer_comes_in_its_turn(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct play play;

		play_open(&play, seed);
		timer_init(&play.timers[0], play.loop, fire_and_start_b, &play);
		timer_init(&play.timers[1], play.loop, play_fire_b, &play);
		timer_init(&play.timers[2], play.loop, play_fire_c, &play);
		timer_start(&play.timers[0], PLAY_START_NS + 5);
		timer_start(&play.timers[2], PLAY_START_NS + 5);
		play_run(&play, 5 + PLAY_LATE_NS);
		assert_string_equal(play.log, "abc");
		play_close(&play);
	}
}

/* Nor does one that is started from elsewhere while the thread is late. */
static void test_new_timer_before_an_overdue_one(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct play play;

		play_open(&play, seed);
		timer_init(&play.timers[1], play.loop, play_fire_b, &play);
		timer_init(&play.timers[2], play.loop, play_fire_c, &play);
		timer_start(&play.timers[2], PLAY_START_NS + 5);
		play_run(&play, 5 + PLAY_LATE_NS / 2);
		if (play.events == 0) {
			timer_start(&play.timers[1], 0);
			play_run(&play, PLAY_LATE_NS / 2);
			assert_string_equal(play.log, "bc");
		}
		timer_stop(&play.timers[1]);
		play_close(&play);
	}
}

/* The least and the most that they may be late both occur. */
static void test_lateness_has_both_ends(void **state)
{
	const struct world_config config = {.timer_late_ns = 1};
	const struct addr addr = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
	struct clock clock = {.left = 100};
	struct world_host *host;
	struct world *world;

	(void)state;
	assert_int_equal(world_new(&world, &config), 0);
	assert_int_equal(world_host_new(&host, world, &addr), 0);
	assert_int_equal(world_loop_new(&clock.loop, host), 0);
	timer_init(&clock.timer, clock.loop, clock_fire, &clock);
	timer_start(&clock.timer, 0);
	world_run(world, NS_PER_S);
	assert_int_equal(clock.left, 0);
	assert_int_equal(clock.worst_ns, 1);
	assert_true(clock.late_ns > 20 && clock.late_ns < 80);
	world_loop_free(clock.loop);
	world_free(world);
}

/* The end of time never comes, and a timer that waits for it is left. */
static void test_timer_without_end(void **state)
{
	struct play *play = *state;

	timer_init(&play->timers[0], play->loop, play_fire_a, play);
	timer_start_in(&play->timers[0], UINT64_MAX);
	assert_false(world_step(play->world));
	assert_int_equal(play_left(play).timers, 1);
	timer_stop(&play->timers[0]);
	assert_int_equal(play_left(play).timers, 0);
}

/* A thread of the play: posts that carry a number. */
struct numbered {
	struct post post;
	struct play *play;
	size_t sender;
	size_t number;
	uint64_t posted_ns;
};

struct sender {
	struct timer timer;
	struct play *play;
	struct loop *to;
	size_t number; /* of the sender */
	size_t sent;
	size_t received;
	uint64_t last_ns;
	struct numbered posts[100];
};

static struct sender senders[3];
static uint64_t latest_ns;
static size_t apart; /* were posted at once and arrived one after the other */

static void run_numbered(struct post *post)
{
	struct numbered *self = container_of(post, struct numbered, post);
	uint64_t now_ns = world_now(self->play->world);
	uint64_t late_ns = now_ns - self->posted_ns;
	struct sender *sender = &senders[self->sender];

	assert_int_equal(self->number, sender->received++);
	assert_true(late_ns <= PLAY_LATE_NS);
	if (late_ns > latest_ns)
		latest_ns = late_ns;
	apart += self->number % 4 > 0 && now_ns > sender->last_ns;
	sender->last_ns = now_ns;
	play_note(self->play, (char)('0' + self->sender));
}

static void send_some(void *arg)
{
	struct sender *self = arg;

	for (size_t i = 0; i < 4; i++) {
		struct numbered *post = &self->posts[self->sent];

		*post = (struct numbered){{NULL, run_numbered}, self->play, self->number,
			self->sent++, world_now(self->play->world)};
		loop_post(self->to, &post->post);
	}
	if (self->sent < 100)
		timer_start_in(&self->timer, NS_PER_MS / 2);
}

/* Three loops post to a fourth; returns how often another one's post came in between. */
static size_t play_posts(struct play *play)
{
	size_t changes = 0;

	for (size_t i = 0; i < 3; i++) {
		senders[i] = (struct sender){.play = play, .to = play->loops[3][0], .number = i};
		timer_init(&senders[i].timer, play->loops[i][0], send_some, &senders[i]);
		timer_start_in(&senders[i].timer, 0);
	}
	latest_ns = 0;
	apart = 0;
	play_run(play, NS_PER_S);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(senders[i].received, 100);
	for (size_t i = 1; i < play->events; i++)
		changes += play->log[i] != play->log[i - 1];
	return changes;
}

static void test_posts_keep_their_order(void **state)
{
	char first[PLAY_LOG_SIZE];

	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct play play;

		play_open(&play, seed);
		assert_true(play_posts(&play) > 50);
		assert_true(latest_ns > PLAY_LATE_NS * 9 / 10);
		assert_true(apart > 100);
		if (seed == 0)
			memcpy(first, play.log, sizeof(first));
		else
			assert_string_not_equal(play.log, first);
		play_close(&play);
	}
}

/* Without memory they may wait for each other, but their order is kept. */
static void test_posting_cannot_fail(void **state)
{
	struct play play;

	(void)state;
	for (size_t allowed = 0; allowed < 4; allowed++) {
		play_open(&play, 7);
		play_allocations = allowed;
		play_posts(&play);
		play_allocations = SIZE_MAX;
		play_close(&play);
	}
}

/* Memory comes back while posts still wait among those of outside; they come first. */
static void test_posts_keep_their_order_when_memory_is_back(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct play play;

		play_open(&play, seed);
		senders[0] = (struct sender){.play = &play, .to = play.loops[3][0]};
		timer_init(&senders[0].timer, play.loop, send_some, &senders[0]);
		timer_start_in(&senders[0].timer, 0);
		play_allocations = 0;
		while (senders[0].sent == 0)
			assert_true(world_step(play.world));
		play_allocations = SIZE_MAX;
		play_run(&play, NS_PER_S); /* run_numbered() looks at the order */
		assert_int_equal(senders[0].received, 100);
		play_close(&play);
	}
}

/* Each arrives where it was sent: one of the two is asleep. */
static void test_posts_of_one_loop_to_two(void **state)
{
	struct play *play = *state;
	struct letter sends[4], arrives[4];

	for (size_t i = 0; i < 4; i++) {
		letter_init(&sends[i], play, 's');
		letter_init(&arrives[i], play, (char)('0' + i));
		sends[i].then = &arrives[i];
		sends[i].to = play->loops[1 + i % 2][0];
		loop_post(play->loop, &sends[i].post);
	}
	world_host_down(play->hosts[1]);
	play_run(play, NS_PER_S);
	assert_int_equal(play->events, 6);
	assert_null(strchr(play->log, '0'));
	assert_null(strchr(play->log, '2'));
	world_host_up(play->hosts[1]);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log + 6, "02");
}

/* The loop that posted is gone when the post arrives; the one it was for, when it does not. */
static void test_posts_of_and_to_loops_that_are_gone(void **state)
{
	struct play *play = *state;
	struct letter arrives, sends, dropped;

	letter_init(&arrives, play, 'y');
	letter_init(&sends, play, 'x');
	letter_init(&dropped, play, 'z');
	sends.then = &arrives;
	sends.to = play->loops[1][0];
	loop_post(play->loop, &sends.post);
	assert_true(world_step(play->world));
	assert_string_equal(play->log, "x");
	play_free_loop(play, 0, 0);
	loop_post(play->loops[2][0], &dropped.post);
	assert_int_equal(play_left(play).posts, 2);
	play_free_loop(play, 2, 0);
	assert_int_equal(play_left(play).posts, 1);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "xy");
	assert_int_equal(play_left(play).posts, 0);
}

/* Its timers may be stopped after it is gone. */
static void test_loop_freed_with_timers(void **state)
{
	struct play *play = *state;

	timer_init(&play->timers[0], play->loop, play_fire_a, play);
	timer_init(&play->timers[1], play->loop, play_fire_b, play);
	timer_start_in(&play->timers[0], 5);
	timer_start_in(&play->timers[1], 6);
	play_run(play, 1);
	play_free_loop(play, 0, 0);
	assert_false(timer_running(&play->timers[0]));
	timer_stop(&play->timers[1]);
	assert_int_equal(play_left(play).timers, 0);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "");
	world_loop_free(NULL);
}

static void fire_and_stop_world(void *arg)
{
	struct play *play = arg;

	play_note(play, 's');
	world_stop(play->world);
}

static void test_world_stops_between_two_events(void **state)
{
	struct play *play = *state;
	uint64_t stopped_ns;

	timer_init(&play->timers[0], play->loop, fire_and_stop_world, play);
	timer_init(&play->timers[1], play->loop, play_fire_b, play);
	timer_start_in(&play->timers[0], 5);
	timer_start_in(&play->timers[1], 5);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "s");
	stopped_ns = world_now(play->world);
	assert_true(stopped_ns <= PLAY_START_NS + 5 + PLAY_LATE_NS);
	play_run(play, 0);
	assert_string_equal(play->log, "sb");
	assert_int_equal(world_now(play->world), stopped_ns);
}

static void test_world_runs_some_events(void **state)
{
	struct play *play = *state;
	uint64_t until_ns = world_now(play->world) + NS_PER_S;
	struct letter letter;

	letter_init(&letter, play, 'p');
	letter.then = &letter; /* for ever */
	letter.to = play->loop;
	loop_post(play->loop, &letter.post);
	assert_false(world_run_some(play->world, until_ns, 3));
	assert_string_equal(play->log, "ppp");
	assert_false(world_run_some(play->world, until_ns, 0));
	assert_string_equal(play->log, "ppp");
	letter.then = NULL;
	assert_true(world_run_some(play->world, until_ns, 1)); /* no more than that there is */
	assert_string_equal(play->log, "pppp");
	assert_int_equal(world_now(play->world), until_ns);
}

static void test_work(void **state)
{
	enum { ERRANDS = 100 };
	struct play *play = *state;
	struct errand errands[ERRANDS];
	size_t swapped = 0, within = 0;

	for (size_t i = 0; i < ERRANDS; i++) {
		errand_init(&errands[i], play);
		assert_int_equal(loop_work(play->loop, &errands[i].work), 0);
		assert_int_equal(errands[i].ran_ns, 0);
	}
	assert_int_equal(play_left(play).work, ERRANDS);
	play_run(play, 2 * PLAY_LATE_NS);
	assert_int_equal(play_left(play).work, 0);
	for (size_t i = 0; i < ERRANDS; i++) {
		assert_true(errands[i].ran_ns > 0 && errands[i].ran_ns <= errands[i].done_ns);
		assert_true(errands[i].done_ns <= PLAY_START_NS + PLAY_LATE_NS);
		swapped += i > 0 && errands[i].done_ns < errands[i - 1].done_ns;
		within +=
			errands[i].ran_ns < errands[i].done_ns && errands[i].ran_ns > PLAY_START_NS;
	}
	assert_true(swapped > 20 && within > 50);
	assert_int_equal(play->events, 2 * ERRANDS); /* with what run has posted */

	play_allocations = 0;
	assert_int_equal(loop_work(play->loop, &errands[0].work), -ENOMEM);
}

/* It is waited for, whether it runs already or not. */
static void test_loop_freed_with_work(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct play play;
		struct errand errands[2];

		play_open(&play, seed);
		errand_init(&errands[0], &play);
		errand_init(&errands[1], &play);
		assert_int_equal(loop_work(play.loop, &errands[0].work), 0);
		assert_int_equal(loop_work(play.loop, &errands[1].work), 0);
		assert_true(world_step(play.world));
		assert_true(errands[0].ran_ns + errands[1].ran_ns > 0);
		play_free_loop(&play, 0, 0);
		assert_true(errands[0].ran_ns > 0 && errands[1].ran_ns > 0);
		assert_string_equal(play.log, "ww");
		assert_int_equal(play_left(&play).work + play_left(&play).posts, 0);
		play_run(&play, NS_PER_S);
		assert_string_equal(play.log, "ww");
		play_close(&play);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_time, play_set_up, play_tear_down),
		cmocka_unit_test(test_timers_run_in_order),
		cmocka_unit_test_setup_teardown(
			test_stopped_timer_is_silent, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_timers_are_never_early_and_not_too_late, play_set_up, play_tear_down),
		cmocka_unit_test(test_overdue_timer_comes_in_its_turn),
		cmocka_unit_test(test_new_timer_before_an_overdue_one),
		cmocka_unit_test(test_lateness_has_both_ends),
		cmocka_unit_test_setup_teardown(
			test_posts_of_one_loop_to_two, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_timer_without_end, play_set_up, play_tear_down),
		cmocka_unit_test(test_posts_keep_their_order),
		cmocka_unit_test(test_posting_cannot_fail),
		cmocka_unit_test(test_posts_keep_their_order_when_memory_is_back),
		cmocka_unit_test_setup_teardown(
			test_posts_of_and_to_loops_that_are_gone, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_loop_freed_with_timers, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_world_stops_between_two_events, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_world_runs_some_events, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_work, play_set_up, play_tear_down),
		cmocka_unit_test(test_loop_freed_with_work),
	};

	return cmocka_run_group_tests_name("net/loop_sim", tests, NULL, NULL);
}
