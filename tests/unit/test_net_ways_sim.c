/* core/net: the network between simulated hosts fails as it is told to, and counts it. */
#include "tests/unit/sim_station.h"

#include "core/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* It may be lost, delayed and doubled as datagrams are, and answers nobody who is gone. */
static void test_icmp_is_impaired(void **state)
{
	struct play *play = *state;
	struct impair_counts counts;
	struct impair *back;
	struct station a;

	assert_int_equal(world_way(&back, play->hosts[1], play->hosts[0]), 0);
	station_open(&a, play, 0, "0.0.0.0:7");
	impair_change(back, &(struct impair_config){.duplicates = IMPAIR_ALWAYS, .delay_ns = 3});
	assert_int_equal(station_send(&a, "192.0.2.2:9", "x"), 0);
	play_run(play, 2 * PLAY_WAY_NS + 2);
	assert_int_equal(a.errors, 0);
	play_run(play, 1);
	assert_int_equal(a.errors, 2);
	/* 32 bit/ms: 28 bytes of headers and 4 of the datagram take 8 ms */
	impair_change(back, &(struct impair_config){.rate_bps = 32000});
	assert_int_equal(station_send(&a, "192.0.2.2:9", "four"), 0);
	play_run(play, 2 * PLAY_WAY_NS + 8 * NS_PER_MS - 1);
	assert_int_equal(a.errors, 2);
	play_run(play, 1);
	assert_int_equal(a.errors, 3);
	impair_change(back, &(struct impair_config){.loss = IMPAIR_ALWAYS});
	assert_int_equal(station_send(&a, "192.0.2.2:9", "x"), 0);
	play_run(play, NS_PER_S);
	assert_int_equal(a.errors, 3);
	impair_counts(&counts, back);
	assert_int_equal(counts.asked, 3);
	assert_int_equal(counts.lost, 1);

	world_impair(play->world, &(struct impair_config){0});
	assert_int_equal(station_send(&a, "192.0.2.2:9", "x"), 0);
	udp_free(a.udp);
	play_run(play, NS_PER_S);
	assert_int_equal(a.errors, 3);
}

static void test_down(void **state)
{
	struct play *play = *state;
	struct told told = {0};
	struct station a, b;

	world_watch(play->world, told_tap, &told);
	station_open(&a, play, 0, "0.0.0.0:7");
	station_open(&b, play, 1, "0.0.0.0:7");
	assert_int_equal(station_send(&a, "192.0.2.2:7", "x"), 0);
	world_host_down(play->hosts[1]);
	assert_int_equal(station_send(&b, "192.0.2.1:7", "y"), -ENETDOWN);
	assert_int_equal(station_send(&b, "127.0.0.1:7", "y"), -ENETDOWN);
	assert_int_equal(station_send(&a, "192.0.2.2:9", "no ICMP"), 0);
	play_run(play, NS_PER_S);
	told_assert(&told, 2, 0, 2, 0);
	world_host_up(play->hosts[1]);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "z"), 0);
	play_run(play, NS_PER_S);
	assert_string_equal(b.bytes, "z");
	assert_int_equal(b.count, 1);
	assert_int_equal(a.count + a.errors, 0);
	udp_free(a.udp);
	udp_free(b.udp);
}

static void test_move(void **state)
{
	struct play *play = *state;
	struct addr new_addr = station_at("198.51.100.1:77"), old_addr = station_at("192.0.2.2:0"),
		    route;
	struct station a, exact, any, inside;

	station_open(&a, play, 0, "0.0.0.0:7");
	station_open(&exact, play, 1, "192.0.2.2:1");
	station_open(&any, play, 1, "0.0.0.0:2");
	station_open(&inside, play, 1, "127.0.0.1:3");
	assert_int_equal(station_send(&a, "192.0.2.2:2", "too late"), 0);
	assert_int_equal(station_send(&any, "192.0.2.2:1", "too late"), 0);
	world_host_move(play->hosts[1], &new_addr);
	play_run(play, NS_PER_S);
	assert_int_equal(any.count + exact.count, 0);

	assert_int_equal(station_send(&exact, "192.0.2.1:7", "x"), -EADDRNOTAVAIL);
	assert_int_equal(station_send(&exact, "127.0.0.1:3", "x"), -EADDRNOTAVAIL);
	assert_int_equal(station_send(&a, "198.51.100.1:1", "deaf"), 0);
	assert_int_equal(station_send(&a, "198.51.100.1:2", "new"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:2", "old"), 0);
	assert_int_equal(station_send(&any, "127.0.0.1:3", "in"), 0);
	play_run(play, NS_PER_S);
	assert_int_equal(exact.count, 0);
	assert_int_equal(a.errors, 1);
	assert_string_equal(a.bytes, "deaf");
	assert_string_equal(any.bytes, "new");
	assert_int_equal(any.count, 1);
	assert_string_equal(inside.bytes, "in");
	assert_int_equal(station_send(&any, "192.0.2.1:7", "hi"), 0);
	play_run(play, NS_PER_S);
	station_assert_addr(&a.from, "198.51.100.1:2");
	assert_int_equal(loop_route(&route, play->loops[1][0], &new_addr), 0);
	station_assert_addr(&route, "198.51.100.1:0");

	world_host_move(play->hosts[1], &old_addr);
	assert_int_equal(station_send(&a, "192.0.2.2:1", "back"), 0);
	play_run(play, NS_PER_S);
	assert_string_equal(exact.bytes, "back");
	udp_free(a.udp);
	udp_free(exact.udp);
	udp_free(any.udp);
	udp_free(inside.udp);
}

struct poster {
	struct play *play;
	struct timer timer;
	struct letter letters[2];
};

static void post_first(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct poster *self = arg;

	(void)from;
	(void)to;
	(void)bytes;
	(void)arrival_ns;
	loop_post(self->play->loops[2][0], &self->letters[0].post);
	timer_start_in(&self->timer, 0);
}

static void post_second(void *arg)
{
	struct poster *self = arg;

	loop_post(self->play->loops[2][0], &self->letters[1].post);
}

/* A loop's posts keep their order, whether a datagram or a timer made it post. */
static void test_posts_by_datagrams_keep_their_order(void **state)
{
	static const struct udp_events events = {post_first, NULL};

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct play play;
		struct poster poster = {.play = &play};
		struct station a;
		struct udp *udp;

		play_open(&play, seed);
		station_open(&a, &play, 0, "0.0.0.0:7");
		assert_int_equal(station_try_bind(&udp, play.loops[1][0], "0.0.0.0:7"), 0);
		assert_int_equal(udp_start(udp, play.loops[1][0], &events, &poster), 0);
		timer_init(&poster.timer, play.loops[1][0], post_second, &poster);
		letter_init(&poster.letters[0], &play, '1');
		letter_init(&poster.letters[1], &play, '2');
		assert_int_equal(station_send(&a, "192.0.2.2:7", "x"), 0);
		play_run(&play, NS_PER_S);
		assert_string_equal(play.log, "12");
		udp_free(a.udp);
		udp_free(udp);
		play_close(&play);
	}
}

/* Each way has chance of its own. */
static void test_ways_differ(void **state)
{
	enum { ROUNDS = 32 };
	struct play *play = *state;
	uint32_t lost[PLAY_HOSTS][PLAY_HOSTS] = {0};
	struct station s[PLAY_HOSTS];

	world_impair(play->world, &(struct impair_config){.loss = 500000});
	for (size_t i = 0; i < PLAY_HOSTS; i++)
		station_open(&s[i], play, i, "0.0.0.0:7");
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < PLAY_HOSTS; i++)
			for (size_t j = 0; j < PLAY_HOSTS; j++) {
				struct addr to = {ADDR_IPV4, 7, 0, {192, 0, 2, (uint8_t)(j + 1)}};
				size_t before = s[j].count;

				assert_int_equal(udp_send(s[i].udp, &to, slice_of("x")), 0);
				play_run(play, PLAY_WAY_NS);
				lost[i][j] = lost[i][j] << 1 | (s[j].count == before);
			}
	for (size_t i = 0; i < PLAY_HOSTS * PLAY_HOSTS; i++)
		for (size_t j = 0; j < i; j++) {
			uint32_t a = lost[i / PLAY_HOSTS][i % PLAY_HOSTS];
			uint32_t b = lost[j / PLAY_HOSTS][j % PLAY_HOSTS];

			assert_true(a != b || (a == 0 && b == 0)); /* 0: within a host */
		}
	for (size_t i = 0; i < PLAY_HOSTS; i++)
		udp_free(s[i].udp);
}

/* One way is cut, then both; the others go on. */
static void test_partitions(void **state)
{
	const struct impair_config cut = {.cut = true};
	struct play *play = *state;
	struct impair_counts counts;
	struct station s[3];
	struct impair *way;

	for (size_t i = 0; i < 3; i++)
		station_open(&s[i], play, i, "0.0.0.0:7");
	assert_int_equal(world_way(&way, play->hosts[0], play->hosts[1]), 0);
	impair_change(way, &cut);
	for (int both = 0; both < 2; both++) {
		assert_int_equal(station_send(&s[0], "192.0.2.2:7", "01"), 0);
		assert_int_equal(station_send(&s[1], "192.0.2.1:7", "10"), 0);
		assert_int_equal(station_send(&s[0], "192.0.2.3:7", "02"), 0);
		assert_int_equal(station_send(&s[2], "192.0.2.2:7", "21"), 0);
		play_run(play, PLAY_WAY_NS);
		assert_int_equal(s[1].count, both + 1);
		assert_string_equal(s[1].bytes, "21");
		assert_int_equal(s[0].count, 1);
		assert_int_equal(s[2].count, both + 1);
		assert_int_equal(world_way(&way, play->hosts[1], play->hosts[0]), 0);
		impair_change(way, &cut);
	}
	world_counts(&counts, play->world);
	assert_int_equal(counts.asked, 8);
	assert_int_equal(counts.cut, 3);
	world_impair(play->world, &(struct impair_config){0});
	assert_int_equal(station_send(&s[0], "192.0.2.2:7", "01"), 0);
	play_run(play, PLAY_WAY_NS);
	assert_string_equal(s[1].bytes, "01");
	for (size_t i = 0; i < 3; i++)
		udp_free(s[i].udp);
}

/* The counts of all ways are what the tap and the sockets see. */
static void test_impairment(void **state)
{
	enum { ROUNDS = 3000 };
	const struct impair_config config = {.loss = 100000,
		.duplicates = 100000,
		.corrupts = 100000,
		.jitter_ns = PLAY_WAY_NS,
		.reorders = true};
	struct play *play = *state;
	struct told told = {0};
	struct impair_counts counts;
	struct station a, b;
	size_t changed = 0;

	world_watch(play->world, told_tap, &told);
	world_impair(play->world, &config);
	station_open(&a, play, 0, "0.0.0.0:7");
	station_open(&b, play, 1, "0.0.0.0:7");
	for (size_t i = 0; i < ROUNDS; i++) {
		size_t count = b.count;

		assert_int_equal(station_send(&a, "192.0.2.2:7", "good"), 0);
		assert_int_equal(station_send(&b, "192.0.2.1:7", "good"), 0);
		play_run(play, 2 * PLAY_WAY_NS);
		assert_true(b.count <= count + 2);
		if (b.count > count && strcmp(b.bytes, "good") != 0)
			changed++;
	}
	world_counts(&counts, play->world);
	assert_int_equal(counts.asked, 2 * ROUNDS);
	assert_int_equal(counts.passed + counts.duplicated, a.count + b.count);
	assert_int_equal(counts.passed + counts.duplicated, told.of[WORLD_ARRIVED]);
	assert_int_equal(counts.lost, told.of[WORLD_LOST]);
	assert_int_equal(counts.asked, told.of[WORLD_SENT]);
	assert_true(counts.lost > 500 && counts.duplicated > 450 && changed > 200);
	assert_true(changed < counts.corrupted);
	udp_free(a.udp);
	udp_free(b.udp);
}

static void test_without_memory(void **state)
{
	struct play *play = *state;
	struct impair_counts counts;
	struct station a;
	size_t needed;

	station_open(&a, play, 0, "0.0.0.0:7");
	for (needed = 0; needed < 10; needed++) { /* a way of two pieces, and the datagram */
		int err;

		play_allocations = needed;
		err = station_send(&a, "192.0.2.2:9", "x");
		play_allocations = SIZE_MAX;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		world_counts(&counts, play->world);
		assert_int_equal(counts.asked, 0);
	}
	assert_true(needed > 0 && needed < 10);
	for (size_t allowed = 0; a.errors == 0; allowed++) { /* ICMP gets lost, then */
		assert_true(allowed < 10);
		play_allocations = allowed;
		play_run(play, NS_PER_S);
		play_allocations = SIZE_MAX;
		assert_int_equal(play_left(play).datagrams, 0);
		assert_int_equal(station_send(&a, "192.0.2.2:9", "x"), 0);
	}
	play_run(play, NS_PER_S);
	assert_int_equal(a.errors, 2);
	udp_free(a.udp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
		TEST(test_icmp_is_impaired),
		TEST(test_down),
		TEST(test_move),
		TEST(test_partitions),
		TEST(test_ways_differ),
		cmocka_unit_test(test_posts_by_datagrams_keep_their_order),
		TEST(test_impairment),
		TEST(test_without_memory),
	};

	return cmocka_run_group_tests_name("net/ways_sim", tests, NULL, NULL);
}
