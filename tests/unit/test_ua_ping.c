/* core/ua: OPTIONS to others, and what comes back, in the simulated world. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* Who waits for a pong, and what it said, in one line. */
struct waiter {
	char room[512];
	struct text said;
	unsigned count;
	void (*then)(struct waiter *waiter);
	struct agent *agent;
};

static void pinged(void *arg, const struct agent_pong *pong)
{
	struct waiter *waiter = arg;
	char at[ADDR_TEXT_SIZE];

	waiter->count++;
	waiter->said = TEXT_IN(waiter->room);
	text_printf(&waiter->said, "%u %.*s, %g ms, %s %s, %.*s, %.*s, %s", pong->code,
		(int)pong->reason.len, (const char *)pong->reason.data, pong->rtt_ms,
		pong->transport, addr_print_port(at, &pong->address), (int)pong->user_agent.len,
		(const char *)pong->user_agent.data, (int)pong->allow.len,
		(const char *)pong->allow.data, pong->words ? pong->words : "-");
	if (waiter->then)
		waiter->then(waiter);
}

static int ping(struct pair *pair, const char *target, struct waiter *waiter)
{
	struct fault why;

	return agent_ping(pair->near.agent, target, pinged, waiter, &why, NULL);
}

#define CAN "test, INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, -"

/* clang-format off */
static const struct {
	const char *target;
	struct ua_policy far;
	unsigned seconds;
	const char *said;
} rows[] = {
	{"sip:bob@192.0.2.2", {.ring = true}, 1,
		"200 OK, 2 ms, udp 192.0.2.2:5060, " CAN},
	{"bob@192.0.2.2", {.answer = true, .answer_after_ns = NS_PER_S}, 1,
		"200 OK, 2 ms, udp 192.0.2.2:5060, " CAN},
	{"Bob <sip:192.0.2.2;transport=tcp>", {.ring = true}, 1,
		"200 OK, 2 ms, tcp 192.0.2.2:5060, " CAN},
	{"192.0.2.2", {0}, 1,
		"486 Busy Here, 2 ms, udp 192.0.2.2:5060, test, , -"},
	{"sip:bob@two.test", {.ring = true}, 1, /* nothing listens at the first of its addresses */
		"200 OK, 2 ms, udp 192.0.2.2:5060, " CAN},
	{"sip:bob@192.0.2.2:5999", {.ring = true}, 1,
		"0 , 0 ms, udp 192.0.2.2:5999, , , nothing listens on 192.0.2.2:5999 (port unreachable)"},
	{"sip:bob@192.0.2.2:5999;transport=tcp", {.ring = true}, 1,
		"0 , 0 ms, tcp 192.0.2.2:5999, , , nothing listens on 192.0.2.2:5999 (connection refused)"},
	{"sip:bob@192.0.2.9", {.ring = true}, 33,
		"0 , 0 ms, udp 192.0.2.9:5060, , , nothing came back from 192.0.2.9:5060"},
	{"sip:bob@nobody.test", {.ring = true}, 1,
		"0 , 0 ms, udp none:0, , , there is no host nobody.test"},
	{"sip:bob@[2001:db8::1]", {.ring = true}, 1,
		"0 , 0 ms, udp none:0, , , 2001:db8::1 is reached by IPv6, and we listen on no such address"},
};
/* clang-format on */

static void open_tcp(struct end *end, const struct addr *at)
{
	struct addr local = *at;
	struct fault why;

	local.port = 5060;
	assert_int_equal(agent_listen(end->agent, SIP_TCP, &local, false, &why), 0);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct waiter waiter = {0};
		struct world_host *empty;
		struct pair pair;

		pair_open(&pair, (struct ua_policy){0}, rows[i].far);
		open_tcp(&pair.far, &there);
		assert_int_equal(world_host_new(&empty, pair.world, &nowhere), 0);
		assert_int_equal(world_name(pair.world, "two.test", &nowhere), 0);
		assert_int_equal(world_name(pair.world, "two.test", &there), 0);
		assert_int_equal(ping(&pair, rows[i].target, &waiter), 0);
		assert_int_equal(waiter.count, 0);
		run_s(&pair, rows[i].seconds);
		assert_int_equal(waiter.count, 1);
		if (strcmp(waiter.room, rows[i].said) != 0)
			fail_msg("%s: %s", rows[i].target, waiter.room);
		pair_close(&pair);
		assert_int_equal(waiter.count, 1);
	}
}

/* What the near end has sent first. */
static char sent_room[1024];

static void trace(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	(void)arg;
	(void)kind;
	(void)local;
	(void)remote;
	if (sent && sent_room[0] == '\0')
		snprintf(sent_room, sizeof(sent_room), "%.*s", (int)bytes.len,
			(const char *)bytes.data);
}

/* Section 11.1. */
static void test_on_the_wire(void **state)
{
	static const char *const lines[] = {
		"OPTIONS sip:bob@192.0.2.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=",
		"\r\nMax-Forwards: 70\r\n",
		"\r\nFrom: <sip:x@192.0.2.1>;tag=",
		"\r\nTo: <sip:bob@192.0.2.2:5060>\r\n",
		"@192.0.2.1\r\nContact: <sip:x@192.0.2.1:5060>\r\nAccept: application/sdp\r\n",
		"\r\nCSeq: 1 OPTIONS\r\nUser-Agent: test\r\nContent-Length: 0\r\n\r\n",
	};
	struct waiter waiter = {0};
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	pair.near.config.trace = trace;
	pair_start(&pair);
	assert_int_equal(ping(&pair, "sip:bob@192.0.2.2:5060", &waiter), 0);
	run_s(&pair, 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(sent_room, lines[i]))
			fail_msg("no \"%s\" in \"%s\"", lines[i], sent_room);
	pair_close(&pair);
}

static void test_bad_targets(void **state)
{
	struct waiter waiter = {0};
	struct pair pair;
	struct fault why;
	size_t at = 99;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){0});
	assert_int_equal(
		agent_ping(pair.near.agent, "bob@exam ple", pinged, &waiter, &why, &at), -EINVAL);
	assert_int_equal(at, 8);
	assert_true(why.words[0] != '\0');
	pair_close(&pair);
	assert_int_equal(waiter.count, 0);
}

static void test_cancel(void **state)
{
	struct waiter one = {0}, other = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	agent_ping_cancel(pair.near.agent, &one);
	assert_int_equal(ping(&pair, "192.0.2.2", &one), 0);
	assert_int_equal(ping(&pair, "192.0.2.2", &one), 0);
	assert_int_equal(ping(&pair, "192.0.2.2", &other), 0);
	run_ms(&pair, 1); /* they are out */
	assert_int_equal(ping(&pair, "192.0.2.2", &one), 0);
	agent_ping_cancel(pair.near.agent, &one);
	run_s(&pair, 1);
	assert_int_equal(one.count, 0);
	assert_int_equal(other.count, 1);
	pair_close(&pair);
}

/* From within: another one, as a command that repeats itself would, and no more than that. */
static void again(struct waiter *waiter)
{
	struct fault why;
	int err;

	if (waiter->count > 2)
		return;
	err = agent_ping(waiter->agent, "192.0.2.2", pinged, waiter, &why, NULL);
	if (err) {
		assert_int_equal(err, -ESHUTDOWN);
		assert_true(why.words[0] != '\0');
	}
}

static void test_once_more(void **state)
{
	struct waiter waiter = {.then = again};
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	waiter.agent = pair.near.agent;
	assert_int_equal(ping(&pair, "192.0.2.2", &waiter), 0);
	run_s(&pair, 1);
	assert_int_equal(waiter.count, 3);
	pair_close(&pair);
}

/* Whoever waits when the phone is put down is told so; what was out is of no interest. */
static void test_closing(void **state)
{
	struct waiter first = {.then = again}, second = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	first.agent = pair.near.agent;
	assert_int_equal(ping(&pair, "sip:bob@192.0.2.2", &first), 0);
	run_ms(&pair, 1);
	assert_int_equal(ping(&pair, "sip:bob@192.0.2.2", &second), 0);
	agent_close(pair.near.agent, on_closed, &pair.near);
	assert_true(pair.near.closed);
	assert_string_equal(
		first.room, "0 , 0 ms, udp 192.0.2.2:5060, , , the phone is being put down");
	assert_string_equal(second.room, "0 , 0 ms, udp none:0, , , the phone is being put down");
	run_s(&pair, 1);
	assert_int_equal(first.count + second.count, 2);

	agent_free(pair.near.agent);
	world_loop_free(pair.near.loop);
	world_loop_free(pair.near.media_loop);
	end_close(&pair, &pair.far);
	world_free(pair.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_on_the_wire),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_once_more),
		cmocka_unit_test(test_closing),
	};

	return cmocka_run_group_tests_name("core/ua, ping", tests, NULL, NULL);
}
