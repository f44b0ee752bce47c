/* core/base/loop: what is written above the operations: timers, fair chance, freeing nothing. */
#include "core/base/loop.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h> /* after the headers that it needs */

enum { DRAWS_MAX = 4 };

/* A loop that only remembers what it was asked. */
struct fake {
	struct loop loop;
	uint64_t now_ns;
	size_t started;
	size_t stopped;
	size_t fired;
	uint32_t draws[DRAWS_MAX];
	size_t drawn;
};

static uint64_t fake_now(struct loop *loop)
{
	return ((struct fake *)loop)->now_ns;
}

static void fake_random(struct loop *loop, void *out, size_t len)
{
	struct fake *fake = (struct fake *)loop;

	assert_int_equal(len, sizeof(uint32_t));
	assert_true(fake->drawn < DRAWS_MAX);
	memcpy(out, &fake->draws[fake->drawn++], len);
}

static void fake_timer_start(struct loop *loop, struct timer *timer)
{
	assert_false(timer->node.queued);
	timer->node.queued = true;
	((struct fake *)loop)->started++;
}

static void fake_timer_stop(struct loop *loop, struct timer *timer)
{
	assert_true(timer->node.queued);
	timer->node.queued = false;
	((struct fake *)loop)->stopped++;
}

static const struct loop_ops fake_ops = {
	.now = fake_now,
	.random = fake_random,
	.timer_start = fake_timer_start,
	.timer_stop = fake_timer_stop,
};

static void fire(void *arg)
{
	((struct fake *)arg)->fired++;
}

static void test_timer(void **state)
{
	struct fake fake = {.loop = {&fake_ops}, .now_ns = 1000};
	struct timer timer;

	(void)state;
	memset(&timer, 0xa5, sizeof(timer));
	timer_init(&timer, &fake.loop, fire, &fake);
	assert_false(timer_running(&timer));
	timer_stop(&timer);
	assert_int_equal(fake.stopped, 0);

	timer_start(&timer, 500);
	assert_true(timer_running(&timer));
	assert_int_equal(timer.due_ns, 500);
	timer_start_in(&timer, 500); /* it runs already */
	assert_int_equal(timer.due_ns, 1500);
	assert_int_equal(fake.started, 2);
	assert_int_equal(fake.stopped, 1);

	timer_stop(&timer);
	timer_stop(&timer);
	assert_false(timer_running(&timer));
	assert_int_equal(fake.stopped, 2);
	assert_int_equal(fake.fired, 0);
	timer.fire(timer.arg);
	assert_int_equal(fake.fired, 1);
}

static void test_delay_without_end(void **state)
{
	struct fake fake = {.loop = {&fake_ops}, .now_ns = 1000};
	struct timer timer;

	(void)state;
	timer_init(&timer, &fake.loop, fire, &fake);
	timer_start_in(&timer, UINT64_MAX - 1001);
	assert_true(timer.due_ns == UINT64_MAX - 1);
	timer_start_in(&timer, UINT64_MAX - 999);
	assert_true(timer.due_ns == UINT64_MAX);
	timer_start_in(&timer, UINT64_MAX);
	assert_true(timer.due_ns == UINT64_MAX);
}

static void test_random_below(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t bound;
		uint32_t draws[DRAWS_MAX];
		uint32_t number;
		size_t drawn;
	} rows[] = {
		{1,           {7},                    0,          1},
		{2,           {0},                    0,          1},
		{2,           {UINT32_MAX},           1,          1},
		{10,          {5, 6},                 6,          2}, /* 2^32 % 10 is 6 */
		{10,          {0, 5, 16},             6,          3},
		{10,          {UINT32_MAX},           5,          1},
		{0x80000000,  {0},                    0,          1},
		{0x80000001,  {0x7ffffffe, 0x7fffffff}, 0x7fffffff, 2},
		{0x80000001,  {0x80000001},           0,          1},
		{UINT32_MAX,  {0, UINT32_MAX},        0,          2},
		{UINT32_MAX,  {1},                    1,          1},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake fake = {.loop = {&fake_ops}};

		memcpy(fake.draws, rows[i].draws, sizeof(fake.draws));
		if (loop_random_below(&fake.loop, rows[i].bound) != rows[i].number ||
			fake.drawn != rows[i].drawn)
			fail_msg("row %zu: drawn %zu", i, fake.drawn);
	}
}

static void test_free_nothing(void **state)
{
	(void)state;
	udp_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_delay_without_end),
		cmocka_unit_test(test_random_below),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
