/* core/net: datagrams between simulated hosts go where real ones would. */
#include "tests/unit/sim_station.h"

#include "core/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { KEPT = 64 }; /* datagrams that wait for udp_start() */

/* That a datagram takes at most within a host. */
#define WITHIN_NS NS_PER_MS

static void test_datagram(void **state)
{
	struct play *play = *state;
	struct told told = {0};
	struct station a, b;

	world_watch(play->world, told_tap, &told);
	station_open(&a, play, 0, "192.0.2.1:5060");
	station_open(&b, play, 1, "0.0.0.0:5062");
	assert_int_equal(play_left(play).sockets, 2);
	assert_int_equal(station_send(&a, "192.0.2.2:5062", "hello"), 0);
	assert_int_equal(told.bytes, 5);
	told_assert(&told, 1, 0, 0, 0);
	play_run(play, PLAY_WAY_NS - 1);
	assert_int_equal(b.count, 0);
	assert_int_equal(play_left(play).datagrams, 1);
	play_run(play, 1);
	assert_string_equal(b.bytes, "hello");
	station_assert_addr(&b.from, "192.0.2.1:5060");
	assert_int_equal(b.arrival_ns, PLAY_START_NS + PLAY_WAY_NS);
	assert_int_equal(play_left(play).datagrams, 0);
	told_assert(&told, 0, 1, 0, 0);

	assert_int_equal(station_send(&b, "192.0.2.1:5060", ""), 0); /* nothing is a datagram too */
	play_run(play, PLAY_WAY_NS);
	assert_int_equal(a.count, 1);
	station_assert_addr(&a.from, "192.0.2.2:5062");
	world_watch(play->world, NULL, NULL);
	assert_int_equal(station_send(&b, "192.0.2.1:5060", "x"), 0);
	assert_int_equal(told.of[WORLD_SENT], 1);
	udp_free(a.udp);
	udp_free(b.udp);
	play_run(play, 2 * PLAY_WAY_NS); /* nobody is there for it, nor for the answer by ICMP */
	udp_free(NULL);
}

/* Bound to all addresses, it sees at which one a datagram came, and answers from there. */
static void test_local_addresses(void **state)
{
	static const struct {
		const char *from, *to, *seen; /* seen NULL: it does not leave */
		int err;
	} cases[] = {
		{"127.0.0.2:0", "127.0.0.1:5062", "127.0.0.2:5060", 0},
		{"192.0.2.1:9", "127.0.0.1:5062", "192.0.2.1:5060", 0},
		{"0.0.0.0:0", "127.0.0.1:5062", "127.0.0.1:5060", 0},
		{"192.0.2.2:0", "127.0.0.1:5062", NULL, -EINVAL},
		{"[::1]:0", "127.0.0.1:5062", NULL, -EINVAL},
		{"127.0.0.2:0", "192.0.2.2:5062", NULL, -EINVAL},
	};
	const struct slice bytes = {(const uint8_t *)"x", 1};
	struct play *play = *state;
	struct station a, b;

	station_open(&a, play, 0, "0.0.0.0:5060");
	station_open(&b, play, 0, "0.0.0.0:5062");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr from = station_at(cases[i].from), to = station_at(cases[i].to);

		b.count = 0;
		assert_int_equal(udp_send_from(a.udp, &from, &to, bytes), cases[i].err);
		play_run(play, WITHIN_NS);
		assert_int_equal(b.count, cases[i].seen != NULL);
		if (!cases[i].seen)
			continue;
		station_assert_addr(&b.from, cases[i].seen);
		station_assert_addr(&b.to, cases[i].to);
	}
	udp_free(a.udp);
	udp_free(b.udp);
}

static void test_binding(void **state)
{
	static const struct {
		const char *first;
		const char *second;
		int err;
	} pairs[] = {
		{"192.0.2.1:5060", "192.0.2.1:5060", -EADDRINUSE},
		{"192.0.2.1:5060", "192.0.2.1:5061", 0},
		{"192.0.2.1:5060", "0.0.0.0:5060", -EADDRINUSE},
		{"0.0.0.0:5060", "192.0.2.1:5060", -EADDRINUSE},
		{"0.0.0.0:5060", "127.0.0.1:5060", -EADDRINUSE},
		{"0.0.0.0:5060", "0.0.0.0:5060", -EADDRINUSE},
		{"127.0.0.1:5060", "192.0.2.1:5060", 0},
		{"127.0.0.1:5060", "127.0.0.2:5060", 0},
		{"0.0.0.0:5060", "[::]:5060", 0},
		{"[::1]:5060", "[::]:5060", -EADDRINUSE},
		{"192.0.2.1:5060", "192.0.2.2:5060", -EADDRNOTAVAIL},
		{"192.0.2.1:5060", "192.0.2.2:0", -EADDRNOTAVAIL},
		{"192.0.2.1:5060", "[2001:db8::1]:0", -EADDRNOTAVAIL},
	};
	struct play *play = *state;
	const struct addr none = {0};
	struct udp *first, *second, *third;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		second = NULL;
		assert_int_equal(station_try_bind(&first, play->loops[0][0], pairs[i].first), 0);
		assert_int_equal(station_try_bind(&second, play->loops[0][1], pairs[i].second),
			pairs[i].err);
		assert_int_equal(second == NULL, pairs[i].err != 0);
		udp_free(second);
		assert_int_equal(station_try_bind(&third, play->loops[1][0], "0.0.0.0:5060"), 0);
		udp_free(third); /* another host is another matter */
		udp_free(first);
	}
	assert_int_equal(loop_udp_open(&first, play->loop, &none), -EAFNOSUPPORT);
	play_allocations = 0;
	assert_int_equal(station_try_bind(&first, play->loop, "0.0.0.0:0"), -ENOMEM);
}

/* Even ones, odd ones, all over the place; until there is none left. */
static void test_picked_ports(void **state)
{
	enum { FIRST = 10000, LAST = 60000, PORTS = LAST - FIRST + 1 };
	struct play *play = *state;
	struct udp **sockets = calloc(PORTS, sizeof(*sockets));
	uint8_t *seen = calloc(PORTS, 1);
	size_t odd = 0, high = 0;
	struct udp *one;
	struct addr local;

	assert_true(sockets && seen);
	for (size_t i = 0; i < PORTS; i++) {
		assert_int_equal(station_try_bind(&sockets[i], play->loop, "192.0.2.1:0"), 0);
		udp_local(&local, sockets[i]);
		assert_true(local.port >= FIRST && local.port <= LAST);
		assert_true(
			addr_same_host(&local, &(struct addr){ADDR_IPV4, 0, 0, {192, 0, 2, 1}}));
		assert_int_equal(seen[local.port - FIRST]++, 0);
		if (i < 1000) {
			odd += local.port & 1;
			high += local.port > (FIRST + LAST) / 2;
		}
	}
	assert_true(odd > 400 && odd < 600 && high > 400 && high < 600);
	assert_int_equal(station_try_bind(&one, play->loop, "192.0.2.1:0"), -EADDRINUSE);
	for (size_t i = 0; i < PORTS; i++)
		udp_free(sockets[i]);
	free(sockets);
	free(seen);
}

/* What is sent within a host takes no way, and comes from where it would in the real world. */
static void test_within_a_host(void **state)
{
	static const struct {
		const char *bound, *to, *listens, *from; /* from NULL: it does not arrive */
		int err;
	} cases[] = {
		{"0.0.0.0:7", "127.0.0.1:5060", "0.0.0.0:5060", "127.0.0.1:7", 0},
		{"0.0.0.0:7", "127.0.0.1:5060", "127.0.0.1:5060", "127.0.0.1:7", 0},
		{"0.0.0.0:7", "0.0.0.0:5060", "127.0.0.1:5060", "127.0.0.1:7", 0},
		{"0.0.0.0:7", "127.0.0.1:5060", "192.0.2.1:5060", NULL, 0},
		{"0.0.0.0:7", "192.0.2.1:5060", "0.0.0.0:5060", "192.0.2.1:7", 0},
		{"127.0.0.1:7", "192.0.2.1:5060", "0.0.0.0:5060", "127.0.0.1:7", 0},
		{"192.0.2.1:7", "127.0.0.1:5060", "127.0.0.1:5060", "192.0.2.1:7", 0},
		{"127.0.0.1:7", "192.0.2.2:5060", "0.0.0.0:5060", NULL, -EINVAL},
		{"[::]:7", "[::1]:5060", "[::]:5060", "[::1]:7", 0},
		{"[::]:7", "[2001:db8::1]:5060", "[::]:5060", NULL, -ENETUNREACH},
		{"[::]:7", "127.0.0.1:5060", "[::]:5060", NULL, -EAFNOSUPPORT},
		{"0.0.0.0:7", "[::1]:5060", "0.0.0.0:5060", NULL, -EAFNOSUPPORT},
		{"0.0.0.0:7", "192.0.2.1:0", "0.0.0.0:5060", NULL, -EINVAL},
	};
	const struct impair_config cut = {.cut = true};
	struct play *play = *state;

	world_impair(play->world, &cut); /* it is of ways between hosts */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct station a, b, elsewhere;

		station_open(&a, play, 0, cases[i].bound);
		station_open(&b, play, 0, cases[i].listens);
		station_open(&elsewhere, play, 1, "0.0.0.0:5060");
		assert_int_equal(station_send(&a, cases[i].to, "x"), cases[i].err);
		assert_int_equal(b.count, 0);
		play_run(play, WITHIN_NS);
		assert_int_equal(b.count, cases[i].from != NULL);
		if (cases[i].from)
			station_assert_addr(&b.from, cases[i].from);
		assert_int_equal(elsewhere.count, 0);
		assert_int_equal(a.errors, !cases[i].from && cases[i].err == 0);
		udp_free(a.udp);
		udp_free(b.udp);
		udp_free(elsewhere.udp);
	}
}

static void test_sizes(void **state)
{
	struct play *play = *state;
	uint8_t *bytes = calloc(1, 65528);
	struct addr ipv4 = station_at("192.0.2.2:9"), ipv6 = station_at("[::1]:9");
	struct station a, b;

	assert_non_null(bytes);
	station_open(&a, play, 0, "0.0.0.0:7");
	station_open(&b, play, 0, "[::]:7");
	assert_int_equal(udp_send(a.udp, &ipv4, (struct slice){bytes, 65507}), 0);
	assert_int_equal(udp_send(a.udp, &ipv4, (struct slice){bytes, 65508}), -EMSGSIZE);
	assert_int_equal(udp_send(b.udp, &ipv6, (struct slice){bytes, 65527}), 0);
	assert_int_equal(udp_send(b.udp, &ipv6, (struct slice){bytes, 65528}), -EMSGSIZE);
	udp_free(a.udp);
	udp_free(b.udp);
	free(bytes);
	play_run(play, NS_PER_S);
}

static void test_ipv6_hosts(void **state)
{
	struct play *play = *state;
	struct addr first = station_at("[2001:db8::1]:0"), second = station_at("[2001:db8::2]:0"),
		    route;
	struct addr ipv4 = station_at("192.0.2.1:5060");
	struct station a = {.play = play}, b = {.play = play};
	struct world_host *hosts[2];

	assert_int_equal(world_host_new(&hosts[0], play->world, &first), 0);
	assert_int_equal(world_host_new(&hosts[1], play->world, &second), 0);
	assert_int_equal(world_loop_new(&a.loop, hosts[0]), 0);
	assert_int_equal(world_loop_new(&b.loop, hosts[1]), 0);
	assert_int_equal(station_try_bind(&a.udp, a.loop, "[::]:5060"), 0);
	assert_int_equal(station_try_bind(&b.udp, b.loop, "[2001:db8::2]:5060"), 0);
	station_start(&b);
	assert_int_equal(station_send(&a, "[2001:db8::2]:5060", "six"), 0);
	play_run(play, PLAY_WAY_NS);
	assert_string_equal(b.bytes, "six");
	station_assert_addr(&b.from, "[2001:db8::1]:5060");

	assert_int_equal(loop_route(&route, a.loop, &second), 0);
	station_assert_addr(&route, "[2001:db8::1]:0");
	assert_int_equal(loop_route(&route, a.loop, &ipv4), -ENETUNREACH);
	udp_free(a.udp);
	udp_free(b.udp);
	world_loop_free(a.loop);
	world_loop_free(b.loop);
}

static void test_routes(void **state)
{
	struct play *play = *state;
	struct addr to = station_at("203.0.113.9:5060"), loopback = station_at("127.0.0.9:1"),
		    six = station_at("[::1]:1");
	struct addr route, any = station_at("0.0.0.0:1");

	assert_int_equal(loop_route(&route, play->loops[1][0], &any), 0);
	station_assert_addr(&route, "127.0.0.1:0");
	assert_int_equal(loop_route(&route, play->loops[1][0], &to), 0);
	station_assert_addr(&route, "192.0.2.2:0");
	assert_int_equal(loop_route(&route, play->loops[1][0], &loopback), 0);
	station_assert_addr(&route, "127.0.0.1:0");
	assert_int_equal(loop_route(&route, play->loops[1][0], &six), 0);
	station_assert_addr(&route, "[::1]:0");
	world_host_down(play->hosts[1]);
	assert_int_equal(loop_route(&route, play->loops[1][0], &to), -ENETUNREACH);
}

/* It is bound by one loop and read by another; what comes in between is kept, up to so many. */
static void test_kept_until_started(void **state)
{
	struct play *play = *state;
	struct told told = {0};
	struct station a, b = {.play = play, .loop = play->loops[1][1]};
	uint64_t arrived_ns;

	station_open(&a, play, 0, "0.0.0.0:7");
	assert_int_equal(station_try_bind(&b.udp, play->loops[1][0], "0.0.0.0:7"), 0);
	world_watch(play->world, told_tap, &told);
	for (size_t i = 0; i <= KEPT; i++)
		assert_int_equal(
			station_send(&a, "192.0.2.2:7", (char[]){'0', (char)('0' + i), '\0'}), 0);
	play_run(play, PLAY_WAY_NS);
	arrived_ns = world_now(play->world);
	play_run(play, NS_PER_S);
	told_assert(&told, KEPT + 1, 0, 1, 0);
	assert_int_equal(play_left(play).datagrams, KEPT);

	station_start(&b);
	assert_int_equal(b.count, 0); /* never before it returns */
	for (size_t i = 0; i < KEPT; i++) {
		assert_true(world_step(play->world));
		assert_int_equal(b.count, i + 1);
		assert_int_equal(b.bytes[1], '0' + (char)i);
		assert_int_equal(b.arrival_ns, arrived_ns);
	}
	assert_false(world_step(play->world));
	assert_int_equal(world_now(play->world), arrived_ns + NS_PER_S);
	told_assert(&told, 0, KEPT, 0, 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "x"), 0);
	play_run(play, PLAY_WAY_NS);
	assert_string_equal(b.bytes, "x");
	udp_free(a.udp);
	udp_free(b.udp);
}

/* What comes while older ones are being read waits behind them. */
static void test_kept_before_new(void **state)
{
	struct play *play = *state;
	struct station a, b = {.play = play, .loop = play->loops[1][0]};

	station_open(&a, play, 0, "0.0.0.0:7");
	assert_int_equal(station_try_bind(&b.udp, b.loop, "0.0.0.0:7"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "1"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "2"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "3"), 0);
	for (size_t i = 0; i < 2; i++)
		assert_true(world_step(play->world));
	station_start(&b);
	assert_true(world_step(play->world)); /* the third comes */
	for (char i = '1'; i <= '3'; i++) {
		assert_int_equal(b.count, i - '1');
		assert_true(world_step(play->world));
		assert_int_equal(b.bytes[0], i);
	}

	udp_free(b.udp); /* with what is kept */
	assert_int_equal(station_try_bind(&b.udp, b.loop, "0.0.0.0:7"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "4"), 0);
	assert_int_equal(station_send(&a, "192.0.2.2:7", "5"), 0);
	play_run(play, PLAY_WAY_NS);
	station_start(&b);
	assert_int_equal(play_left(play).datagrams, 2);
	udp_free(b.udp);
	assert_int_equal(play_left(play).datagrams, 0);
	play_run(play, NS_PER_S);
	assert_int_equal(b.count, 3);
	udp_free(a.udp);
}

/* The second is on its way, or is kept already; nobody is there for it. */
static void test_socket_freed_by_its_event(void **state)
{
	struct play *play = *state;

	for (int kept = 0; kept < 2; kept++) {
		struct station a, b = {.play = play, .loop = play->loops[1][0]};

		b.frees_itself = true;
		station_open(&a, play, 0, "0.0.0.0:7");
		assert_int_equal(station_try_bind(&b.udp, b.loop, "0.0.0.0:7"), 0);
		if (!kept)
			station_start(&b);
		assert_int_equal(station_send(&a, "192.0.2.2:7", "1"), 0);
		assert_int_equal(station_send(&a, "192.0.2.2:7", "2"), 0);
		play_run(play, kept ? PLAY_WAY_NS : 0);
		if (kept)
			station_start(&b);
		play_run(play, 3 * PLAY_WAY_NS);
		assert_string_equal(b.bytes, "1");
		assert_int_equal(b.count, 1);
		assert_int_equal(a.errors, !kept);
		udp_free(a.udp);
	}
}

static void test_loop_freed_with_datagrams_on_their_way(void **state)
{
	struct play *play = *state;
	struct station a, b;

	station_open(&a, play, 0, "0.0.0.0:7");
	station_open(&b, play, 1, "0.0.0.0:7");
	assert_int_equal(station_send(&a, "192.0.2.2:7", "x"), 0);
	assert_int_equal(station_send(&b, "192.0.2.1:7", "y"), 0);
	udp_free(a.udp);
	udp_free(b.udp);
	play_free_loop(play, 0, 0);
	play_free_loop(play, 1, 0);
	assert_int_equal(play_left(play).datagrams, 2);
	play_run(play, PLAY_WAY_NS);
	assert_int_equal(play_left(play).datagrams, 2); /* by ICMP */
	play_run(play, PLAY_WAY_NS);
	assert_int_equal(play_left(play).datagrams, 0);
	assert_int_equal(a.count + b.count + a.errors + b.errors, 0);
}

/* What is on its way when the world ends is the world's. */
static void test_world_freed_with_datagrams_on_their_way(void **state)
{
	const struct impair_config config = {.duplicates = IMPAIR_ALWAYS};
	struct world *world;
	struct world_host *hosts[2];
	struct loop *loop;
	struct addr first = station_at("192.0.2.1:0"), second = station_at("192.0.2.2:5");
	struct udp *udp;

	(void)state;
	assert_int_equal(world_new(&world, &(struct world_config){.way_ns = 5}), 0);
	world_impair(world, &config);
	assert_int_equal(world_host_new(&hosts[0], world, &first), 0);
	assert_int_equal(world_host_new(&hosts[1], world, &second), 0);
	assert_int_equal(world_loop_new(&loop, hosts[0]), 0);
	assert_int_equal(loop_udp_open(&udp, loop, &first), 0);
	assert_int_equal(udp_send(udp, &second, slice_of("x")), 0);
	udp_free(udp);
	world_loop_free(loop);
	world_free(world);
}

static void test_icmp(void **state)
{
	struct play *play = *state;
	struct told told = {0};
	struct station a;

	world_watch(play->world, told_tap, &told);
	station_open(&a, play, 0, "0.0.0.0:7");
	for (size_t round = 1; round <= 2; round++) { /* it goes on working after an error */
		a.err = 0;
		assert_int_equal(station_send(&a, "192.0.2.2:9", "ring"), 0);
		play_run(play, 2 * PLAY_WAY_NS - 1);
		assert_int_equal(a.err, 0);
		told_assert(&told, 1, 0, 0, 1);
		play_run(play, 1);
		assert_int_equal(a.err, -ECONNREFUSED);
		assert_string_equal(a.bytes, "ring");
		station_assert_addr(&a.from, "192.0.2.2:9");
		assert_int_equal(a.errors, round);
	}
	told_assert(&told, 0, 0, 0, 0);

	a.frees_itself = true;
	assert_int_equal(station_send(&a, "127.0.0.1:9", "here"), 0);
	assert_int_equal(station_send(&a, "127.0.0.1:9", "nobody"), 0);
	play_run(play, 2 * WITHIN_NS);
	assert_string_equal(a.bytes, "here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
		TEST(test_datagram),
		TEST(test_local_addresses),
		TEST(test_binding),
		TEST(test_picked_ports),
		TEST(test_within_a_host),
		TEST(test_sizes),
		TEST(test_ipv6_hosts),
		TEST(test_routes),
		TEST(test_kept_until_started),
		TEST(test_kept_before_new),
		TEST(test_socket_freed_by_its_event),
		TEST(test_loop_freed_with_datagrams_on_their_way),
		TEST(test_world_freed_with_datagrams_on_their_way),
		TEST(test_icmp),
	};

	return cmocka_run_group_tests_name("net/udp_sim", tests, NULL, NULL);
}
