/* core/net/lossy: what impair says is done to the datagrams of a loop, and to nothing else. */
#include "core/net/lossy.h"

#include "tests/unit/sim_station.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* A station behind a bad network, and one that is not. */
struct pair {
	struct play *play;
	struct loop *lossy;
	struct station bad, good;
};

static void open_pair(struct pair *pair, void **state)
{
	struct play *play = *state;
	struct loop *other = play->loops[0][0];

	*pair = (struct pair){.play = play};
	assert_int_equal(lossy_new(&pair->lossy, other, 1), 0);
	play->loops[0][0] = pair->lossy;
	station_open(&pair->bad, play, 0, "192.0.2.1:5060");
	play->loops[0][0] = other;
	station_open(&pair->good, play, 1, "192.0.2.2:5060");
}

static void close_pair(struct pair *pair)
{
	udp_free(pair->bad.udp);
	udp_free(pair->good.udp);
	lossy_free(pair->lossy);
}

static void change(struct pair *pair, enum lossy_way way, struct impair_config config)
{
	lossy_change(pair->lossy, way, &config);
}

static void send(struct station *from, const char *to, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(station_send(from, to, "hello"), 0);
}

static struct impair_counts counts_of(const struct pair *pair, enum lossy_way way)
{
	struct impair_counts counts;

	lossy_counts(&counts, pair->lossy, way);
	return counts;
}

static void test_all_passes(void **state)
{
	struct pair pair;

	open_pair(&pair, state);
	send(&pair.bad, "192.0.2.2:5060", 3);
	send(&pair.good, "192.0.2.1:5060", 2);
	play_run(pair.play, PLAY_WAY_NS);
	assert_int_equal(pair.good.count, 3);
	assert_int_equal(pair.bad.count, 2);
	assert_string_equal(pair.bad.bytes, "hello");
	station_assert_addr(&pair.bad.from, "192.0.2.2:5060");
	assert_int_equal(counts_of(&pair, LOSSY_TX).passed, 3);
	assert_int_equal(counts_of(&pair, LOSSY_RX).passed, 2);
	close_pair(&pair);
}

static void test_one_way_loses(void **state)
{
	struct pair pair;

	open_pair(&pair, state);
	change(&pair, LOSSY_TX, (struct impair_config){.loss = IMPAIR_ALWAYS});
	send(&pair.bad, "192.0.2.2:5060", 3); /* which says nothing of it */
	send(&pair.good, "192.0.2.1:5060", 3);
	play_run(pair.play, PLAY_WAY_NS);
	assert_int_equal(pair.good.count, 0);
	assert_int_equal(pair.bad.count, 3);
	assert_int_equal(counts_of(&pair, LOSSY_TX).lost, 3);

	change(&pair, LOSSY_TX, (struct impair_config){0});
	change(&pair, LOSSY_RX, (struct impair_config){.cut = true});
	send(&pair.bad, "192.0.2.2:5060", 1);
	send(&pair.good, "192.0.2.1:5060", 4);
	play_run(pair.play, PLAY_WAY_NS);
	assert_int_equal(pair.good.count, 1);
	assert_int_equal(pair.bad.count, 3);
	assert_int_equal(counts_of(&pair, LOSSY_RX).cut, 4);
	close_pair(&pair);
}

static void test_delay(void **state)
{
	const struct impair_config late = {.delay_ns = 40 * NS_PER_MS};
	struct pair pair;

	open_pair(&pair, state);
	change(&pair, LOSSY_TX, late);
	change(&pair, LOSSY_RX, late);
	send(&pair.bad, "192.0.2.2:5060", 1);
	send(&pair.good, "192.0.2.1:5060", 1);
	play_run(pair.play, PLAY_WAY_NS + 40 * NS_PER_MS - 1);
	assert_int_equal(pair.good.count + pair.bad.count, 0);
	play_run(pair.play, 1 + PLAY_LATE_NS);
	assert_int_equal(pair.good.count, 1);
	assert_int_equal(pair.bad.count, 1);
	assert_int_equal(pair.bad.arrival_ns, PLAY_START_NS + PLAY_WAY_NS + 40 * NS_PER_MS);

	send(&pair.bad, "192.0.2.2:5060", 2); /* they are dropped with the socket */
	close_pair(&pair);
	play_run(pair.play, NS_PER_S);
	assert_int_equal(play_left(pair.play).timers, 0);
}

static void test_doubles_and_damage(void **state)
{
	struct pair pair;

	open_pair(&pair, state);
	change(&pair, LOSSY_RX, (struct impair_config){.duplicates = IMPAIR_ALWAYS});
	change(&pair, LOSSY_TX, (struct impair_config){.corrupts = IMPAIR_ALWAYS});
	send(&pair.good, "192.0.2.1:5060", 1);
	send(&pair.bad, "192.0.2.2:5060", 1);
	play_run(pair.play, PLAY_WAY_NS);
	assert_int_equal(pair.bad.count, 2);
	assert_string_equal(pair.bad.bytes, "hello");
	assert_int_equal(pair.good.count, 1);
	assert_int_equal(strlen(pair.good.bytes), 5);
	assert_string_not_equal(pair.good.bytes, "hello");
	close_pair(&pair);
}

static void test_strays_are_overtaken(void **state)
{
	struct impair_config config = {.strays = IMPAIR_ALWAYS, .stray_ns = 30 * NS_PER_MS};
	struct pair pair;

	open_pair(&pair, state);
	change(&pair, LOSSY_TX, config);
	assert_int_equal(station_send(&pair.bad, "192.0.2.2:5060", "stray"), 0);
	change(&pair, LOSSY_TX, (struct impair_config){0});
	assert_int_equal(station_send(&pair.bad, "192.0.2.2:5060", "next"), 0);
	play_run(pair.play, PLAY_WAY_NS);
	assert_string_equal(pair.good.bytes, "next");
	play_run(pair.play, 30 * NS_PER_MS + PLAY_LATE_NS);
	assert_string_equal(pair.good.bytes, "stray");
	assert_int_equal(counts_of(&pair, LOSSY_TX).overtaken, 1);
	close_pair(&pair);
}

struct suicide {
	struct udp *udp;
	unsigned count;
};

static void die(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct suicide *suicide = arg;

	(void)from;
	(void)to;
	(void)bytes;
	(void)arrival_ns;
	suicide->count++;
	udp_free(suicide->udp);
}

/* An event frees the socket that has a second copy to come, at once or later. */
static void test_freed_within(void **state)
{
	static const struct udp_events events = {.datagram = die};
	static const struct impair_config configs[] = {{.duplicates = IMPAIR_ALWAYS},
		{.duplicates = IMPAIR_ALWAYS, .delay_ns = NS_PER_MS}};
	const struct addr at = station_at("192.0.2.1:5062");
	struct pair pair;

	open_pair(&pair, state);
	for (size_t i = 0; i < 2; i++) {
		struct suicide suicide = {0};

		change(&pair, LOSSY_RX, configs[i]);
		assert_int_equal(loop_udp_open(&suicide.udp, pair.lossy, &at), 0);
		assert_int_equal(udp_start(suicide.udp, pair.lossy, &events, &suicide), 0);
		send(&pair.good, "192.0.2.1:5062", 1);
		play_run(pair.play, PLAY_WAY_NS + 2 * NS_PER_MS + PLAY_LATE_NS);
		assert_int_equal(suicide.count, 1);
	}
	close_pair(&pair);
}

static void note(void *arg)
{
	play_note(arg, 't');
}

static void run_post(struct post *post)
{
	play_note(container_of(post, struct letter, post)->play, 'p');
}

static void found(void *arg, const struct dns_answer *answer)
{
	assert_int_equal(answer->err, 0);
	assert_int_equal(answer->count, 1);
	assert_true(addr_is_loopback(&answer->records[0].addr));
	play_note(arg, 'n');
}

/* All but datagrams is the other loop's. */
static void test_the_rest(void **state)
{
	const struct addr any = {.family = ADDR_IPV4};
	const struct addr to = station_at("192.0.2.2:1");
	struct play *play = *state;
	struct letter letter = {.post = {.run = run_post}, .play = play};
	struct tcp_listener *listener;
	struct loop *other = play->loop, *lossy;
	struct resolve *resolve;
	struct timer timer;
	struct addr local;
	struct pipe *pipe;
	uint32_t random = 0;

	assert_int_equal(lossy_new(&lossy, other, 1), 0);
	assert_true(loop_now(lossy) == loop_now(other) && loop_wall(lossy) == loop_wall(other));
	timer_init(&timer, lossy, note, play);
	timer_start_in(&timer, NS_PER_MS);
	loop_post(lossy, &letter.post);
	assert_int_equal(loop_resolve(&resolve, lossy, DNS_HOST, "localhost", found, play), 0);
	assert_int_equal(loop_resolve(&resolve, lossy, DNS_HOST, "localhost", found, play), 0);
	resolve_cancel(resolve);
	assert_int_equal(loop_route(&local, lossy, &to), 0);
	station_assert_addr(&local, "192.0.2.1:0");
	assert_int_equal(loop_tcp_listen(&listener, lossy, &any, NULL, NULL), 0);
	tcp_listener_free(listener);
	assert_int_equal(loop_pipe_command(&pipe, lossy, PIPE_IN, "true", 1), -ENOTSUP);
	loop_random(lossy, &random, sizeof(random));
	play_run(play, 20 * NS_PER_MS);
	assert_true(strchr(play->log, 't') && strchr(play->log, 'p') && strchr(play->log, 'n'));
	assert_int_equal(play->events, 3);
	timer_start_in(&timer, NS_PER_MS);
	timer_stop(&timer);
	lossy_free(lossy);
}

/* Without memory it is as if the network had lost it. */
static void test_no_memory(void **state)
{
	const struct impair_config late = {.delay_ns = NS_PER_MS};
	const struct addr at = station_at("192.0.2.1:5062");
	struct udp *udp;
	struct loop *lossy;
	struct pair pair;

	open_pair(&pair, state);
	for (size_t i = 0; i < 3; i++) {
		play_allocations = i;
		assert_int_equal(lossy_new(&lossy, pair.play->loop, 1), -ENOMEM);
	}
	for (size_t i = 0; i < 2; i++) {
		play_allocations = i;
		assert_int_equal(loop_udp_open(&udp, pair.lossy, &at), -ENOMEM);
	}
	play_allocations = SIZE_MAX;
	lossy_change(pair.lossy, LOSSY_TX, &late);
	play_allocations = 0;
	send(&pair.bad, "192.0.2.2:5060", 1);
	play_allocations = SIZE_MAX;
	play_run(pair.play, NS_PER_S);
	assert_int_equal(pair.good.count, 0);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_passes, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_one_way_loses, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_delay, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_doubles_and_damage, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
			test_strays_are_overtaken, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_freed_within, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_the_rest, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, play_set_up, play_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
