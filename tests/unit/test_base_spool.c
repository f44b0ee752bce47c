/* core/base/spool: what fits and what is dropped, at each place; two threads; no memory. */
#include "core/base/spool.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	CAPACITY = 64,
	RECORD_MAX = 48,
	TOTAL = 20000,
	TIME_LIMIT_S = 10,
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static bool put(struct spool *spool, const char *head, const char *body)
{
	return spool_put(spool, (struct slice){(const uint8_t *)head, strlen(head)},
		(struct slice){(const uint8_t *)body, strlen(body)});
}

static void assert_takes(struct spool *spool, const char *expected)
{
	uint8_t room[RECORD_MAX + 1] = {0};
	struct buf out = {room, 0, RECORD_MAX};

	assert_int_equal(spool_take(&out, spool), 0);
	assert_int_equal(out.len, strlen(expected));
	assert_string_equal((const char *)room, expected);
}

static void assert_empty(struct spool *spool)
{
	struct buf out = {0};

	assert_int_equal(spool_filled(spool), 0);
	assert_int_equal(spool_take(&out, spool), -ENODATA);
}

static void test_records(void **state)
{
	struct spool *spool;

	(void)state;
	assert_int_equal(spool_new(&spool, CAPACITY), 0);
	assert_empty(spool);
	assert_true(put(spool, "one", ""));
	assert_true(put(spool, "", ""));
	assert_true(put(spool, "two", " three"));
	assert_int_equal(spool_filled(spool), 3 * SPOOL_RECORD_MORE + 12);
	assert_takes(spool, "one");
	assert_takes(spool, "");
	assert_takes(spool, "two three");
	assert_empty(spool);
	assert_int_equal(spool_dropped(spool), 0);
	spool_free(spool);
	spool_free(NULL);
}

/* Each record begins at another place, so that its length and both pieces cross the edge in turn.
 */
static void test_each_place(void **state)
{
	struct spool *spool;

	(void)state;
	assert_int_equal(spool_new(&spool, CAPACITY), 0);
	for (size_t i = 0; i < 3 * CAPACITY; i++) {
		assert_true(put(spool, "abcdefghijk", "lmnopqrstuvwxyz"));
		assert_true(put(spool, "ABCDEFGHIJKL", "MNOPQRST"));
		assert_takes(spool, "abcdefghijklmnopqrstuvwxyz");
		assert_takes(spool, "ABCDEFGHIJKLMNOPQRST");
		assert_true(put(spool, "", "x")); /* moves on by an odd number */
		assert_takes(spool, "x");
	}
	spool_free(spool);
}

static void test_full(void **state)
{
	static const uint8_t bytes[CAPACITY];
	struct slice whole = {bytes, CAPACITY - SPOOL_RECORD_MORE};
	struct slice huge = {bytes, SIZE_MAX - 1}; /* is not looked at */
	struct slice none = {NULL, 0};
	uint8_t room[CAPACITY];
	struct buf out = {room, 0, CAPACITY - SPOOL_RECORD_MORE - 1};
	struct spool *spool;

	(void)state;
	assert_int_equal(spool_new(&spool, CAPACITY), 0);
	assert_false(spool_put(spool, (struct slice){bytes, CAPACITY}, none));
	assert_false(spool_put(spool, huge, huge));
	assert_false(spool_put(spool, none, huge));
	assert_false(spool_put(spool, (struct slice){bytes, 2}, huge)); /* 0 in all */
	assert_int_equal(spool_dropped(spool), 4);
	assert_empty(spool);

	assert_true(spool_put(spool, whole, none));
	assert_false(put(spool, "", ""));
	assert_int_equal(spool_take(&out, spool), -ENOBUFS); /* it stays */
	out.size++;
	assert_int_equal(spool_take(&out, spool), 0);
	assert_int_equal(out.len, whole.len);
	assert_empty(spool);
	assert_true(put(spool, "", ""));
	assert_int_equal(spool_dropped(spool), 5);
	spool_free(spool);
}

/* Numbers in records of many sizes; what does not fit is tried again. */
static void *write_total(void *arg)
{
	static const uint8_t filling[RECORD_MAX];
	struct spool *spool = arg;

	for (uint32_t i = 0; i < TOTAL; i++) {
		struct slice head = {(const uint8_t *)&i, sizeof(i)};

		while (!spool_put(spool, head, (struct slice){filling, i % 37}))
			sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct spool *spool;
	pthread_t thread;

	(void)state;
	alarm(TIME_LIMIT_S);
	assert_int_equal(spool_new(&spool, CAPACITY), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_total, spool), 0);
	for (uint32_t i = 0; i < TOTAL;) {
		uint8_t room[RECORD_MAX];
		struct buf out = {room, 0, sizeof(room)};
		uint32_t number;

		if (spool_take(&out, spool)) {
			sched_yield();
			continue;
		}
		memcpy(&number, room, sizeof(number));
		assert_int_equal(number, i);
		assert_int_equal(out.len, sizeof(number) + i % 37);
		i++;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_empty(spool);
	spool_free(spool);
	alarm(0);
}

static void test_no_memory(void **state)
{
	struct spool *spool = NULL;

	(void)state;
	for (size_t allowed = 0; allowed < 2; allowed++) {
		allocations_left = allowed;
		assert_int_equal(spool_new(&spool, CAPACITY), -ENOMEM);
		assert_null(spool);
	}
	allocations_left = SIZE_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_each_place),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("core/base/spool", tests, NULL, NULL);
}
