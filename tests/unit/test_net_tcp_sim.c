/* core/net: TCP between simulated hosts keeps bytes whole, whatever becomes of packets. */
#include "core/base/text.h"
#include "tests/unit/sim_station.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { BIG = 20000 };

struct end {
	struct tcp *tcp;
	size_t came, calls, connects, closes;
	bool wrong;
	int err;
	bool frees_itself;
};

struct pair {
	struct play *play;
	struct tcp_listener *listener;
	struct end a, b;
	size_t sent, arrived;
};

static void act(struct end *end)
{
	if (!end->frees_itself)
		return;
	tcp_free(end->tcp);
	end->tcp = NULL;
}

static void connected(void *arg)
{
	((struct end *)arg)->connects++;
	act(arg);
}

static void received(void *arg, struct slice bytes)
{
	struct end *end = arg;

	for (size_t i = 0; i < bytes.len; i++)
		end->wrong |= bytes.data[i] != (uint8_t)((end->came + i) % 251);
	end->came += bytes.len;
	end->calls++;
	act(end);
}

static void closed(void *arg, int err)
{
	struct end *end = arg;

	end->err = err;
	end->closes++;
	act(end);
}

static const struct tcp_events events = {connected, received, closed};

static void accepted(void *arg, struct tcp *tcp)
{
	struct pair *pair = arg;

	pair->b.tcp = tcp;
	tcp_start(tcp, &events, &pair->b);
}

static void tap(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct pair *pair = arg;

	(void)now_ns;
	(void)from;
	(void)to;
	pair->sent += what == WORLD_STREAM_SENT ? bytes.len : 0;
	pair->arrived += what == WORLD_STREAM_ARRIVED ? bytes.len : 0;
}

static int try_connect(struct pair *pair, const char *to)
{
	struct addr none = {0}, at = station_at(to);

	return loop_tcp_connect(&pair->a.tcp, pair->play->loop, &none, &at, &events, &pair->a);
}

static void open_pair(struct pair *pair, struct play *play)
{
	struct addr at = station_at("0.0.0.0:5060");

	*pair = (struct pair){.play = play};
	world_watch(play->world, tap, pair);
	assert_int_equal(
		loop_tcp_listen(&pair->listener, play->loops[1][0], &at, accepted, pair), 0);
	assert_int_equal(try_connect(pair, "192.0.2.2:5060"), 0);
	assert_int_equal(pair->a.connects, 0);
	play_run(play, 100 * NS_PER_MS);
	assert_int_equal(pair->a.connects, 1);
	assert_non_null(pair->b.tcp);
}

static int send_numbers(struct end *end, size_t first, size_t count)
{
	uint8_t bytes[BIG];

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)((first + i) % 251);
	return tcp_send(end->tcp, (struct slice){bytes, count});
}

static void close_pair(struct pair *pair)
{
	tcp_free(pair->a.tcp);
	tcp_free(pair->b.tcp);
	tcp_listener_free(pair->listener);
	play_run(pair->play, 300 * NS_PER_S);
	assert_int_equal(play_left(pair->play).connections, 0);
	world_watch(pair->play->world, NULL, NULL);
}

static void test_bytes_arrive_whole(void **state)
{
	static const struct impair_config bad = {.loss = 200000,
		.duplicates = 100000,
		.corrupts = 100000,
		.jitter_ns = 20 * NS_PER_MS,
		.reorders = true};

	(void)state;
	for (uint64_t seed = 1; seed < 30; seed++) {
		struct play play;
		struct pair pair;
		struct addr near, far;

		play_open(&play, seed);
		open_pair(&pair, &play);
		tcp_local(&near, pair.a.tcp);
		tcp_remote(&far, pair.b.tcp);
		assert_true(addr_equal(&near, &far));
		world_impair(play.world, &bad);
		for (size_t i = 0; i < 10; i++)
			assert_int_equal(send_numbers(&pair.a, i * 2000, 2000), 0);
		assert_int_equal(send_numbers(&pair.b, 0, 5000), 0);
		play_run(&play, 60 * NS_PER_S);
		assert_int_equal(pair.b.came, BIG);
		assert_int_equal(pair.a.came, 5000);
		assert_false(pair.a.wrong || pair.b.wrong);
		assert_int_equal(pair.sent, BIG + 5000);
		assert_int_equal(pair.arrived, BIG + 5000);
		assert_true(pair.b.calls > 4);
		assert_int_equal(send_numbers(&pair.a, BIG, 100), 0);
		tcp_free(pair.a.tcp); /* what was taken still goes */
		pair.a.tcp = NULL;
		play_run(&play, 60 * NS_PER_S);
		assert_int_equal(pair.b.came, BIG + 100);
		assert_int_equal(pair.b.closes, 1);
		assert_int_equal(pair.b.err, 0);
		assert_int_equal(send_numbers(&pair.b, 0, 1), -EPIPE);
		close_pair(&pair);
		play_close(&play);
	}
}

static void test_how_it_ends(void **state)
{
	static const struct impair_config cut = {.cut = true}, fine = {0};
	struct play *play = *state;
	struct pair pair = {.play = play};

	assert_int_equal(try_connect(&pair, "192.0.2.2:5060"), 0);
	play_run(play, 100 * NS_PER_MS);
	assert_int_equal(pair.a.err, -ECONNREFUSED);
	tcp_free(pair.a.tcp);

	world_host_down(play->hosts[1]);
	assert_int_equal(try_connect(&pair, "192.0.2.2:5060"), 0);
	play_run(play, 120 * NS_PER_S);
	assert_int_equal(pair.a.closes, 1);
	play_run(play, 200 * NS_PER_S);
	assert_int_equal(pair.a.closes, 2);
	assert_int_equal(pair.a.err, -ETIMEDOUT);
	tcp_free(pair.a.tcp);
	world_host_up(play->hosts[1]);

	open_pair(&pair, play);
	world_impair(play->world, &cut);
	assert_int_equal(send_numbers(&pair.a, 0, 10), 0);
	play_run(play, 90 * NS_PER_S);
	assert_int_equal(pair.a.closes, 0);
	play_run(play, 120 * NS_PER_S);
	assert_int_equal(pair.a.err, -ETIMEDOUT);
	world_impair(play->world, &fine);
	close_pair(&pair);

	open_pair(&pair, play);
	pair.b.frees_itself = true; /* and does not read what comes behind */
	assert_int_equal(send_numbers(&pair.a, 0, BIG), 0);
	play_run(play, 10 * NS_PER_S);
	assert_int_equal(pair.a.closes, 1);
	assert_int_equal(pair.a.err, -ECONNRESET);
	close_pair(&pair);

	open_pair(&pair, play);
	world_host_move(play->hosts[1], &(struct addr){ADDR_IPV4, 0, 0, {192, 0, 2, 77}});
	assert_int_equal(send_numbers(&pair.a, 0, 10), 0);
	play_run(play, 10 * NS_PER_S);
	assert_int_equal(pair.a.err, -ECONNRESET);
	assert_int_equal(pair.b.came, 0);
	close_pair(&pair);
}

static void test_no_memory(void **state)
{
	struct play *play = *state;
	struct pair pair;

	open_pair(&pair, play);
	for (size_t i = 0; i < 3; i++) {
		play_allocations = i;
		assert_int_equal(send_numbers(&pair.a, 0, 8000), -ENOMEM);
	}
	play_allocations = 0;
	assert_int_equal(try_connect(&(struct pair){.play = play}, "192.0.2.2:5060"), -ENOMEM);
	play_allocations = SIZE_MAX;
	assert_int_equal(send_numbers(&pair.a, 0, 8000), 0);
	play_run(play, NS_PER_S);
	assert_int_equal(pair.b.came, 8000);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_arrive_whole),
		cmocka_unit_test_setup_teardown(test_how_it_ends, play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, play_set_up, play_tear_down),
	};

	return cmocka_run_group_tests_name("net/tcp_sim", tests, NULL, NULL);
}
