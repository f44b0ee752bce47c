/*
 * core/net: the real loop is told of this host's addresses and routes, in a network namespace that
 * the test makes for itself. Where it may make none, it is skipped.
 */
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LIMIT_S = 20 };

struct stage {
	struct loop *loop;
	struct network_watch *watch;
	struct timer limit;
	unsigned told;
	bool late;
};

static void run(const char *line)
{
	assert_int_equal(system(line), 0); /* NOLINT: lines of ours */
}

static void note(void *arg)
{
	struct stage *stage = arg;

	stage->told++;
	loop_uv_stop(stage->loop);
}

static void give_up(void *arg)
{
	struct stage *stage = arg;

	stage->late = true;
	loop_uv_stop(stage->loop);
}

/* Whether it was told within so long. */
static bool is_told(struct stage *stage, uint64_t limit_ns)
{
	stage->late = false;
	timer_start_in(&stage->limit, limit_ns);
	loop_uv_run(stage->loop);
	timer_stop(&stage->limit);
	return !stage->late;
}

static bool has(struct loop *loop, const char *text)
{
	struct addr addresses[8], wanted;
	size_t count = loop_addresses(addresses, 8, loop);

	assert_int_equal(addr_parse(&wanted, slice_of(text)), 0);
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&addresses[i], &wanted))
			return true;
	return false;
}

static int enter(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	if (unshare(CLONE_NEWNET) != 0 || system("ip link add name v0 type veth peer name v1") != 0)
		return -1;
	return 0;
}

static void test_addresses_come_and_go(void **state)
{
	struct stage stage = {.told = 0};
	struct addr route;
	struct addr to = {ADDR_IPV4, 9, 0, {198, 51, 100, 1}};

	(void)state;
	if (enter(state) != 0)
		skip();
	run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	run("ip link set lo up; ip link set v0 up; ip link set v1 up");
	assert_int_equal(loop_uv_new(&stage.loop), 0);
	timer_init(&stage.limit, stage.loop, give_up, &stage);
	assert_int_equal(loop_network_watch(&stage.watch, stage.loop, note, &stage), 0);
	assert_false(is_told(&stage, NS_PER_S / 2)); /* what was before is no news */

	run("ip addr add 192.0.2.7/24 dev v0; ip addr add 192.0.2.8/24 dev v0");
	assert_false(is_told(&stage, NETWORK_SETTLE_NS / 2));
	assert_true(is_told(&stage, 2 * NS_PER_S));
	assert_int_equal(stage.told, 1); /* of both at once */
	assert_true(has(stage.loop, "192.0.2.7") && has(stage.loop, "192.0.2.8"));
	assert_false(has(stage.loop, "127.0.0.1"));

	assert_true(loop_route(&route, stage.loop, &to) < 0);
	run("ip route add default via 192.0.2.1");
	assert_true(is_told(&stage, 2 * NS_PER_S));
	assert_int_equal(loop_route(&route, stage.loop, &to), 0);

	run("ip addr flush dev v0");
	assert_true(is_told(&stage, 2 * NS_PER_S));
	assert_false(has(stage.loop, "192.0.2.7"));

	/* a link that is put down takes its addresses' use with it */
	run("ip addr add 192.0.2.9/24 dev v0");
	assert_true(is_told(&stage, 2 * NS_PER_S));
	run("ip link set v0 down");
	assert_true(is_told(&stage, 2 * NS_PER_S));
	assert_false(has(stage.loop, "192.0.2.9"));

	network_unwatch(stage.watch);
	run("ip link set v0 up");
	assert_false(is_told(&stage, NS_PER_S / 2));
	loop_uv_free(stage.loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
