/* core/net: simulated hosts go down and up, know names, and have chance of their own. */
#include "tests/unit/sim_play.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* Everything that is a loop's waits until its host is up; what is overdue comes at once then. */
static void test_host_down_and_up(void **state)
{
	struct play *play = *state;
	struct letter letter;
	struct errand errand;

	errand_init(&errand, play);
	letter_init(&letter, play, 'p');
	timer_init(&play->timers[0], play->loop, play_fire_a, play);
	timer_init(&play->timers[1], play->loop, play_fire_b, play);
	timer_init(&play->timers[2], play->loops[1][0], play_fire_c, play);
	timer_start_in(&play->timers[0], NS_PER_MS);
	timer_start_in(&play->timers[1], NS_PER_S);
	timer_start_in(&play->timers[2], 2 * NS_PER_MS);
	assert_int_equal(loop_work(play->loop, &errand.work), 0);
	world_host_down(play->hosts[0]);
	loop_post(play->loop, &letter.post);
	play_run(play, NS_PER_S / 2);
	assert_string_equal(play->log, "c"); /* the other host goes on */

	world_host_up(play->hosts[0]);
	play_run(play, 0);
	assert_true(play->events >= 3);
	play_run(play, 2 * PLAY_LATE_NS);
	assert_int_equal(play->events, 5);
	for (const char *what = "apwo"; *what; what++)
		assert_non_null(strchr(play->log, *what));
	play_run(play, NS_PER_S);
	assert_int_equal(play->log[5], 'b');
}

static void note_change(void *arg)
{
	play_note(arg, 'n');
}

/* A swarm of changes is told once, when it is over; one without end is told in time. */
static void test_network_is_told(void **state)
{
	static const struct addr one = {ADDR_IPV4, 0, 0, {192, 0, 2, 77}};
	static const struct addr other = {ADDR_IPV4, 0, 0, {192, 0, 2, 78}};
	struct play *play = *state;
	struct network_watch *watch;
	struct addr addresses[2], route;

	assert_int_equal(loop_network_watch(&watch, play->loop, note_change, play), 0);
	assert_int_equal(loop_addresses(addresses, 2, play->loop), 1);
	world_host_move(play->hosts[1], &other); /* another's */
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "");

	world_host_unplug(play->hosts[0]);
	world_host_unplug(play->hosts[0]);
	assert_int_equal(loop_addresses(addresses, 2, play->loop), 0);
	assert_int_equal(loop_route(&route, play->loop, &other), -ENETUNREACH);
	play_run(play, NETWORK_SETTLE_NS - 1);
	world_host_move(play->hosts[0], &one);
	assert_int_equal(loop_addresses(addresses, 2, play->loop), 1);
	assert_true(addr_equal(&addresses[0], &one));
	assert_int_equal(loop_addresses(addresses, 0, play->loop), 0);
	play_run(play, NETWORK_SETTLE_NS - 1);
	assert_string_equal(play->log, "");
	play_run(play, 1 + PLAY_LATE_NS);
	assert_string_equal(play->log, "n");

	for (unsigned i = 0; i < 11; i++) {
		world_host_unplug(play->hosts[0]);
		world_host_move(play->hosts[0], &one);
		play_run(play, NETWORK_SETTLE_NS / 2);
	}
	assert_string_equal(play->log, "nn");
	network_unwatch(watch); /* with one that was to come */
	network_unwatch(NULL);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "nn");
}

static void test_network_without_memory(void **state)
{
	struct play *play = *state;
	struct network_watch *watch;

	play_allocations = 0;
	assert_int_equal(loop_network_watch(&watch, play->loop, note_change, play), -ENOMEM);
	play_allocations = SIZE_MAX;
}

/* Whoever is freed while its host is down leaves nothing behind. */
static void test_freed_while_down(void **state)
{
	struct play *play = *state;
	struct letter letter;

	letter_init(&letter, play, 'p');
	timer_init(&play->timers[0], play->loop, play_fire_a, play);
	timer_start_in(&play->timers[0], NS_PER_MS);
	loop_post(play->loop, &letter.post);
	world_host_down(play->hosts[0]);
	play_run(play, NS_PER_S);
	assert_int_equal(play_left(play).posts + play_left(play).timers, 2);
	timer_start_in(&play->timers[0], 2 * NS_PER_MS);
	timer_stop(&play->timers[0]);
	play_free_loop(play, 0, 0);
	world_host_up(play->hosts[0]);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "");
}

/* A timer moved while its host is down goes off at its new time, whether up again by then or not.
 */
static void test_timer_moved_while_down(void **state)
{
	struct play *play = *state;

	timer_init(&play->timers[0], play->loop, play_fire_a, play);
	timer_start_in(&play->timers[0], NS_PER_MS);
	world_host_down(play->hosts[0]);
	play_run(play, NS_PER_S);
	timer_start_in(&play->timers[0], NS_PER_S);
	world_host_up(play->hosts[0]);
	play_run(play, NS_PER_S - 1);
	assert_string_equal(play->log, "");
	play_run(play, 1 + PLAY_LATE_NS);
	assert_string_equal(play->log, "a");
}

struct question {
	struct play *play;
	int err;
	struct addr addrs[DNS_RECORDS_MAX];
	size_t count;
};

static void answered(void *arg, const struct dns_answer *answer)
{
	struct question *question = arg;

	question->err = answer->err;
	question->count = answer->count;
	assert_true(answer->count <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < answer->count; i++)
		question->addrs[i] = answer->records[i].addr;
	play_note(question->play, 'n');
}

static struct question ask(struct play *play, const char *host)
{
	struct question question = {.play = play, .err = 1};
	struct resolve *resolve;

	assert_int_equal(
		loop_resolve(&resolve, play->loop, DNS_HOST, host, answered, &question), 0);
	assert_int_equal(question.err, 1); /* never before it returns */
	assert_int_equal(play_left(play).questions, 1);
	play_run(play, 2 * PLAY_WAY_NS - 1);
	assert_int_equal(question.err, 1); /* there and back takes its time */
	play_run(play, 1 + PLAY_LATE_NS);
	assert_int_equal(play_left(play).questions, 0);
	return question;
}

static void test_names(void **state)
{
	struct play *play = *state;
	struct addr addr = {.family = ADDR_IPV4, .port = 5060, .ip = {192, 0, 2, 1}};
	struct question question;
	char text[ADDR_TEXT_SIZE];

	for (uint8_t i = 0; i < DNS_RECORDS_MAX + 2; i++) {
		addr.ip[3] = (uint8_t)(99 - i);
		assert_int_equal(world_name(play->world, "Many.example", &addr), 0);
	}
	addr.ip[3] = 77;
	for (size_t i = 0; i < 40; i++) { /* more than the table has room for at first */
		char name[32];

		snprintf(name, sizeof(name), "n%zu.example", i);
		assert_int_equal(world_name(play->world, name, &addr), 0);
	}
	question = ask(play, "mANY.example");
	assert_int_equal(question.err, 0);
	assert_int_equal(question.count, DNS_RECORDS_MAX);
	for (size_t i = 0; i < DNS_RECORDS_MAX; i++) {
		assert_int_equal(question.addrs[i].ip[3], 99 - i);
		assert_int_equal(question.addrs[i].port, 0);
	}
	assert_int_equal(ask(play, "n39.example").addrs[0].ip[3], 77);
	assert_int_equal(ask(play, "n40.example").err, -ENOENT);
	assert_int_equal(ask(play, "").err, -ENOENT);
	question = ask(play, "LocalHost");
	assert_string_equal(addr_print(text, &question.addrs[0]), "127.0.0.1");
	question = ask(play, "2001:db8::1");
	assert_string_equal(addr_print(text, &question.addrs[0]), "2001:db8::1");
}

/* Who has cancelled hears nothing, nor does anybody of a loop that is gone. */
static void test_names_forgotten(void **state)
{
	struct play *play = *state;
	struct question question = {.play = play};
	struct resolve *first, *second;

	assert_int_equal(
		loop_resolve(&first, play->loop, DNS_HOST, "localhost", answered, &question), 0);
	assert_int_equal(
		loop_resolve(&second, play->loop, DNS_HOST, "localhost", answered, &question), 0);
	resolve_cancel(first);
	assert_int_equal(play_left(play).questions, 1);
	play_free_loop(play, 0, 0);
	assert_int_equal(play_left(play).questions, 0);
	play_run(play, NS_PER_S);
	assert_string_equal(play->log, "");

	play_allocations = 0;
	assert_int_equal(
		loop_resolve(&first, play->loops[1][0], DNS_HOST, "localhost", answered, &question),
		-ENOMEM);
	assert_int_equal(world_name(play->world, "x", &(struct addr){0}), -ENOMEM);
}

/* A loop's chance is its own: who else there is makes no difference to it. */
static void test_random(void **state)
{
	struct play *play = *state;
	uint8_t drawn[PLAY_HOSTS * PLAY_LOOPS][32], again[32];
	struct play other;
	struct loop *more;

	for (size_t i = 0; i < PLAY_HOSTS * PLAY_LOOPS; i++) {
		loop_random(
			play->loops[i / PLAY_LOOPS][i % PLAY_LOOPS], drawn[i], sizeof(drawn[i]));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(drawn[i], drawn[j], sizeof(drawn[i]));
	}
	play_open(&other, 1);
	assert_int_equal(world_loop_new(&more, other.hosts[0]), 0);
	loop_random(more, again, sizeof(again));
	world_random_below(other.world, 10);
	loop_random(other.loops[1][0], again, sizeof(again));
	assert_memory_equal(again, drawn[PLAY_LOOPS], sizeof(again));
	world_loop_free(more);
	world_loop_free(other.loops[0][0]); /* one that takes its place is another */
	assert_int_equal(world_loop_new(&other.loops[0][0], other.hosts[0]), 0);
	loop_random(other.loops[0][0], again, sizeof(again));
	assert_memory_not_equal(again, drawn[0], sizeof(again));
	play_close(&other);

	play_open(&other, 2);
	loop_random(other.loops[0][0], again, sizeof(again));
	assert_memory_not_equal(again, drawn[0], sizeof(again));
	play_close(&other);
}

static void test_random_of_the_play(void **state)
{
	struct play *play = *state;
	size_t seen[3] = {0};

	for (size_t i = 0; i < 3000; i++)
		seen[world_random_below(play->world, 3)]++;
	for (size_t i = 0; i < 3; i++)
		assert_true(seen[i] > 850 && seen[i] < 1150);
}

static void test_without_memory(void **state)
{
	const struct world_config config = {0};
	const struct addr addr = {.family = ADDR_IPV6, .ip = {[15] = 9}};
	struct play *play = *state;
	struct world *world = NULL;
	struct world_host *host = NULL;
	struct impair *way = NULL;
	struct loop *loop = NULL;
	size_t needed = 0;

	for (;; needed++) {
		int err;

		play_allocations = needed;
		err = world_new(&world, &config);
		play_allocations = SIZE_MAX;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_null(world);
	}
	assert_true(needed > 1);
	world_free(world);
	world_free(NULL);

	play_allocations = 0;
	assert_int_equal(world_host_new(&host, play->world, &addr), -ENOMEM);
	assert_int_equal(world_loop_new(&loop, play->hosts[0]), -ENOMEM);
	for (size_t i = 0; i < 2; i++) {
		play_allocations = i;
		assert_int_equal(world_way(&way, play->hosts[0], play->hosts[1]), -ENOMEM);
	}
	play_allocations = SIZE_MAX;
	assert_null(way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_host_down_and_up, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_network_is_told, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_network_without_memory, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_freed_while_down, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_timer_moved_while_down, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_names, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_names_forgotten, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_random, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_random_of_the_play, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_without_memory, play_set_up, play_tear_down),
	};

	return cmocka_run_group_tests_name("net/host_sim", tests, NULL, NULL);
}
