/* core/ua: calls that wait to know how their sound is seen from outside, by a server that is
 * silent, or refuses. What one that answers tells is in tests/interop/test_stun.py. */
#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define SILENT                                                                                     \
	"note(the STUN server 192.0.2.9 has no good answer; "                                      \
	"the call goes on with this machine's address) "

static const struct addr elsewhere = {ADDR_IPV4, 0, 0, {192, 0, 2, 11}};

static void open_pair(struct pair *pair, struct ua_policy near)
{
	pair_init(pair, near, (struct ua_policy){.answer = true});
	pair->near.anywhere = true;
	pair->near.config.stun = "192.0.2.9";
	pair_start(pair);
}

static void expect_sound(struct pair *pair)
{
	assert_true(pair->near.far_dbfs > -20 && pair->far.far_dbfs > -20);
}

/* It is told once, and called all the same. */
static void test_the_call_goes_on(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, (struct ua_policy){0});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 990);
	expect_log(&pair.near, "outgoing(192.0.2.2) ");
	expect_log(&pair.far, "");
	run_s(&pair, 1);
	expect_log(&pair.near, SILENT "answered ");
	expect_sound(&pair);
	pair_close(&pair);
}

/* RFC 8489, section 14.8: an error, 500. */
static void refuse(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct udp **server = arg;
	uint8_t out[] = "\1\x11\0\x8................\0\x9\0\4\0\0\5";

	(void)to;
	(void)arrival_ns;
	assert_int_equal(bytes.len, 20);
	memcpy(out + 4, bytes.data + 4, 16);
	assert_int_equal(udp_send(*server, from, (struct slice){out, sizeof(out)}), 0);
}

/* Who refuses is not waited for, and is told in words that are true of that, too. */
static void test_it_refuses(void **state)
{
	static const struct udp_events events = {.datagram = refuse};
	const struct addr at = {ADDR_IPV4, 3478, 0, {192, 0, 2, 9}};
	struct world_host *host;
	struct loop *loop;
	struct udp *server;
	struct pair pair;

	(void)state;
	open_pair(&pair, (struct ua_policy){0});
	assert_int_equal(world_host_new(&host, pair.world, &at), 0);
	assert_int_equal(world_loop_new(&loop, host), 0);
	assert_int_equal(loop_udp_open(&server, loop, &at), 0);
	assert_int_equal(udp_start(server, loop, &events, &server), 0);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 500);
	expect_log(&pair.near, "outgoing(192.0.2.2) " SILENT "answered ");
	udp_free(server);
	world_loop_free(loop);
	pair_close(&pair);
}

static void test_given_up_meanwhile(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, (struct ua_policy){0});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 500);
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 2);
	expect_log(&pair.near, "outgoing(192.0.2.2) ended(local 487) ");
	expect_log(&pair.far, "");
	pair_close(&pair);
}

/* For as long as calls may ring, nothing has been sent. */
static void test_given_up_by_the_clock_meanwhile(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, (struct ua_policy){.ring_limit_ns = 500 * NS_PER_MS});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 3);
	expect_log(&pair.near, "outgoing(192.0.2.2) ended(unreachable 408) ");
	expect_log(&pair.far, "");
	pair_close(&pair);
}

/* The address changes before the INVITE is sent: it is sent from the new one. */
static void test_moved_meanwhile(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, (struct ua_policy){0});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 500);
	world_host_move(pair.here, &elsewhere);
	run_s(&pair, 2);
	expect_log(&pair.near, "outgoing(192.0.2.2) network.changed " SILENT "answered ");
	expect_log(&pair.far, "incoming answered ");
	expect_sound(&pair);
	world_host_move(pair.here, &here); /* and again, in the call */
	run_s(&pair, 3);
	expect_log(&pair.near, "network.changed " SILENT);
	expect_sound(&pair);
	pair_close(&pair);
}

/* Who is called waits likewise, whoever answers, and moves. */
static void test_called(void **state)
{
	struct fault why;
	struct pair pair;
	unsigned call;

	(void)state;
	open_pair(&pair, (struct ua_policy){.ring = true});
	assert_int_equal(agent_call(&call, pair.far.agent, "sip:al@192.0.2.1", &why, NULL), 0);
	run_ms(&pair, 300);
	expect_log(&pair.near, "incoming ");
	assert_int_equal(agent_answer(pair.near.agent, 1), 0); /* before it is known */
	world_host_move(pair.here, &elsewhere);
	run_ms(&pair, 400);
	expect_log(&pair.near, "network.changed ");
	run_s(&pair, 2);
	expect_log(&pair.near, SILENT "answered ");
	expect_sound(&pair);
	pair_close(&pair);
}

static void test_caller_gives_up_meanwhile(void **state)
{
	struct fault why;
	struct pair pair;
	unsigned call;

	(void)state;
	open_pair(&pair, (struct ua_policy){.ring = true});
	assert_int_equal(agent_call(&call, pair.far.agent, "sip:al@192.0.2.1", &why, NULL), 0);
	run_ms(&pair, 500);
	assert_int_equal(agent_hangup(pair.far.agent, call), 0);
	run_s(&pair, 2);
	expect_log(&pair.near, "incoming ended(remote 487) ");
	pair_close(&pair);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_call_goes_on),
		cmocka_unit_test(test_it_refuses),
		cmocka_unit_test(test_given_up_meanwhile),
		cmocka_unit_test(test_given_up_by_the_clock_meanwhile),
		cmocka_unit_test(test_moved_meanwhile),
		cmocka_unit_test(test_called),
		cmocka_unit_test(test_caller_gives_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
