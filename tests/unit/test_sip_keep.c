/* core/sip/keep by connections: pings, pongs, and what comes of those that are not there. By UDP it
 * is tested with who needs it, in test_ua_registration_flow. */
#include "core/base/text.h"
#include "core/sip/keep.h"
#include "core/sip/transport.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

struct stage {
	struct sim sim;
	struct sip_flow flow;
	struct sip_keep *keep;
	char log[256];
};

static void note(struct stage *stage, const char *what, int err)
{
	size_t at = strlen(stage->log);

	snprintf(stage->log + at, sizeof(stage->log) - at, err ? "%s(%d) " : "%s ", what, -err);
}

static void alive(void *arg, const struct addr *mapped)
{
	assert_null(mapped);
	note(arg, "alive", 0);
}

static void dead(void *arg, int err)
{
	struct stage *stage = arg;

	note(stage, "dead", err);
	sip_keep_free(stage->keep);
	stage->keep = NULL;
}

static void keep(struct stage *stage, enum sip_keep_how how, uint32_t every_s)
{
	static const struct sip_keep_events events = {.alive = alive, .dead = dead};
	const struct sip_keep_config config = {
		.flow = &stage->flow, .how = how, .every_s = every_s};

	assert_int_equal(
		sip_keep_new(&stage->keep, stage->sim.a.stack, &config, &events, stage), 0);
}

static void open_stage(struct stage *stage)
{
	struct addr remote;

	*stage = (struct stage){0};
	sim_open(&stage->sim, true);
	sim_listen(&stage->sim, "192.0.2.3:5070");
	assert_int_equal(addr_parse_port(&remote, slice_of("192.0.2.3:5070")), 0);
	assert_int_equal(sip_stack_flow(&stage->flow, stage->sim.a.stack, SIP_TCP, &remote), 0);
	assert_int_equal(sip_flow_send_on(&stage->flow, slice_of("hello")), 0);
	sim_run_ms(&stage->sim, 1000);
	assert_string_equal(stage->sim.raw.got, "hello");
	stage->sim.raw.got[0] = '\0';
}

static void close_stage(struct stage *stage)
{
	sip_keep_free(stage->keep);
	sim_close(&stage->sim);
}

static void expect_log(struct stage *stage, const char *log)
{
	assert_string_equal(stage->log, log);
	stage->log[0] = '\0';
}

static void say(struct stage *stage, const char *bytes)
{
	assert_int_equal(tcp_send(stage->sim.raw.tcp, slice_of(bytes)), 0);
	sim_run_ms(&stage->sim, 100);
}

/* Runs until something comes, for at most so long; how long that took, in ms. */
static unsigned await(struct stage *stage, unsigned most_ms)
{
	unsigned ms = 0;

	while (stage->sim.raw.got[0] == '\0' && ms < most_ms) {
		sim_run_ms(&stage->sim, 50);
		ms += 50;
	}
	return ms;
}

static void expect_ping(struct stage *stage, unsigned least_ms, unsigned most_ms)
{
	unsigned ms = await(stage, most_ms + 200);

	assert_string_equal(stage->sim.raw.got, "\r\n\r\n");
	assert_in_range(ms, least_ms - 200, most_ms + 200);
	stage->sim.raw.got[0] = '\0';
}

/* RFC 5626, section 4.4.1. */
static void test_pong(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_ASKED, 0);
	for (unsigned i = 0; i < 5; i++) {
		expect_ping(&stage, 96000, 120000);
		sim_run_ms(&stage.sim, 9000);
		expect_log(&stage, "");
		say(&stage, i % 2 == 0 ? "\r\n" : "\r");
		if (i % 2 == 1)
			say(&stage, "\n");
		expect_log(&stage, "alive ");
		assert_string_equal(stage.sim.raw.got, ""); /* two of them are no ping */
	}
	assert_int_equal(stage.sim.raw.accepted, 1);
	close_stage(&stage);
}

/* As often as the server wants it. */
static void test_flow_timer(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_ASKED, 30);
	for (unsigned i = 0; i < 20; i++) {
		expect_ping(&stage, 24000, 30000);
		say(&stage, "\r\n");
	}
	close_stage(&stage);
}

static void test_no_pong(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_ASKED, 0);
	expect_ping(&stage, 96000, 120000);
	sim_run_ms(&stage.sim, 9700);
	expect_log(&stage, "");
	sim_run_ms(&stage.sim, 500);
	expect_log(&stage, "dead(110) "); /* ETIMEDOUT */
	assert_int_equal(stage.sim.raw.closed, 1);
	close_stage(&stage);
}

/* Their own ping is answered, and as good as a pong. */
static void test_ping_of_theirs(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_ASKED, 0);
	say(&stage, "\r\n\r\n");
	assert_string_equal(stage.sim.raw.got, "\r\n");
	expect_log(&stage, "");
	stage.sim.raw.got[0] = '\0';
	expect_ping(&stage, 90000, 120000);
	say(&stage, "\r\n\r\n");
	expect_log(&stage, "alive ");
	close_stage(&stage);
}

static void test_closed(void **state)
{
	struct stage stage;

	(void)state;
	for (int how = SIP_KEEP_HELD; how <= SIP_KEEP_ASKED; how++) {
		open_stage(&stage);
		keep(&stage, (enum sip_keep_how)how, 0);
		tcp_free(stage.sim.raw.tcp);
		stage.sim.raw.tcp = NULL;
		sim_run_ms(&stage.sim, 1000);
		expect_log(&stage, "dead(104) "); /* ECONNRESET */
		close_stage(&stage);
	}
}

/* Without it, the connection would be given up after five minutes. */
static void test_held(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_HELD, 0);
	sim_run_ms(&stage.sim, 3600000);
	assert_string_equal(stage.sim.raw.got, "");
	assert_int_equal(stage.sim.raw.closed, 0);
	sip_keep_free(stage.keep);
	stage.keep = NULL;
	sim_run_ms(&stage.sim, 310000);
	assert_int_equal(stage.sim.raw.closed, 1);
	expect_log(&stage, "");
	close_stage(&stage);
}

/* Who has not agreed to answer is not waited for. */
static void test_told(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	keep(&stage, SIP_KEEP_TOLD, 0);
	for (unsigned i = 0; i < 3; i++)
		expect_ping(&stage, 96000, 120000);
	sim_run_ms(&stage.sim, 20000);
	expect_log(&stage, "");
	assert_int_equal(stage.sim.raw.closed, 0);
	close_stage(&stage);
}

static void test_memory(void **state)
{
	static const struct sip_keep_events events = {.alive = alive, .dead = dead};
	struct stage stage;
	struct sip_keep_config config = {.how = SIP_KEEP_HELD};

	(void)state;
	open_stage(&stage);
	config.flow = &stage.flow;
	play_allocations = 0;
	assert_int_equal(
		sip_keep_new(&stage.keep, stage.sim.a.stack, &config, &events, &stage), -ENOMEM);
	play_allocations = SIZE_MAX;
	assert_null(stage.keep);
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pong),
		cmocka_unit_test(test_flow_timer),
		cmocka_unit_test(test_no_pong),
		cmocka_unit_test(test_ping_of_theirs),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
