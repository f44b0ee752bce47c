/* core/ua: calls while memory fails, at each place in turn. What it costs, nobody is to crash. */
#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static bool counts;
static size_t allocations_left = SIZE_MAX;
static size_t failures;

/* The linker sends each calloc() and malloc() of this program here, by --wrap. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

/* One fails, or each from that on. */
static size_t run_length = 1;

static bool may_allocate(void)
{
	if (!counts)
		return true;
	if (allocations_left > 0) {
		allocations_left--;
		return true;
	}
	if (failures == run_length)
		return true;
	failures++;
	return false;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

static const struct addr elsewhere[] = {
	{ADDR_IPV4, 0, 0, {192, 0, 2, 11}}, {ADDR_IPV4, 0, 0, {192, 0, 2, 12}}};

static char recording[] = "/tmp/ua_memory.XXXXXX.wav";

/* A name that nobody else has. */
static int name_recording(void **state)
{
	int fd = mkstemps(recording, (int)strlen(".wav"));

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return unlink(recording);
}

static void pinged(void *arg, const struct agent_pong *pong)
{
	unsigned *pongs = arg;

	(void)pong;
	(*pongs)++;
}

/* Returns whether anything failed. */
static bool play(size_t nth, size_t length)
{
	struct pair pair;
	unsigned call, pings = 0, pongs = 0;
	struct fault why;

	pair_init(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	pair.far.config.early = "tone:700";
	pair.near.anywhere = pair.far.anywhere = true;
	pair_start(&pair);
	allocations_left = nth;
	failures = 0;
	run_length = length;
	counts = true;
	(void)agent_call(&call, pair.near.agent, "sip:bob@192.0.2.2", &why, NULL);
	if (agent_ping(pair.far.agent, "sip:alice@192.0.2.1", pinged, &pongs, &why, NULL) == 0)
		pings++;
	run_ms(&pair, 10);
	world_host_move(pair.there, &elsewhere[0]); /* while it rings */
	run_ms(&pair, 220);
	(void)agent_answer(pair.far.agent, 1);
	run_ms(&pair, 60);
	(void)agent_play(pair.near.agent, 1, "tone:600");
	(void)agent_listen_in(pair.far.agent, 1, (const double[]){600}, 1);
	(void)agent_record(pair.far.agent, 1, recording, &why);
	agent_hold(pair.near.agent, 1);
	run_ms(&pair, 20);
	(void)agent_record(pair.far.agent, 1, NULL, &why);
	(void)agent_play(pair.near.agent, 1, NULL);
	agent_hold(pair.far.agent, 1);
	run_ms(&pair, 20);
	agent_mute(pair.near.agent, 1, true);
	agent_resume(pair.near.agent, 1);
	run_ms(&pair, 20);
	world_host_move(pair.here, &elsewhere[1]);
	run_ms(&pair, 260);
	agent_hangup(pair.near.agent, 1);
	run_ms(&pair, 20);
	counts = false;
	pair_close(&pair);
	unlink(recording);
	assert_int_equal(pongs, pings);
	return failures > 0;
}

static void test_each_allocation(void **state)
{
	size_t n = 0;

	(void)state;
	while (play(n, 1))
		n++;
	assert_in_range(n, 100, 100000);
}

static void test_several_allocations(void **state)
{
	size_t n = 0;

	(void)state;
	while (play(n, 10))
		n += 3;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation),
		cmocka_unit_test(test_several_allocations),
	};

	return cmocka_run_group_tests(tests, name_recording, NULL);
}
