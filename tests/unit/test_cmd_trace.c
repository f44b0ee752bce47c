/* cmd/readers/trace: a message as it is shown, and what a hostile one cannot do. */
#include "cmd/readers/trace.h"

#include "core/base/loop.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define HEAD "23:00:01.000412Z  sent  127.0.0.1:5060 -> [::1]:5070  "
#define WALL (1795215601 * NS_PER_S + 412999)

static const struct {
	const char *message;
	const char *shown;
} rows[] = {
	{"INVITE x\r\nVia: y\r\n\r\nv=0\r\n", HEAD "25 bytes\nINVITE x\nVia: y\n\nv=0\n\n"},
	{"A\r\n\r\nno end", HEAD "11 bytes\nA\n\nno end\n\n"},
	{"A\n\rB\n", HEAD "5 bytes\nA\n\\x0dB\n\n"},
	{"\x1b[31m\xff\r\r\n", HEAD "9 bytes\n\\x1b[31m\\xff\\x0d\n\n"},
	{"\r\n\r\n", HEAD "4 bytes\n\n\n\n"},
	{"", HEAD "0 bytes\n\n"},
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

static const struct addr ours = {.family = ADDR_IPV4, .port = 5060, .ip = {127, 0, 0, 1}};
static const struct addr theirs = {.family = ADDR_IPV6, .port = 5070, .ip = {[15] = 1}};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = 0;
		char *shown =
			trace_print(&len, WALL, true, &ours, &theirs, slice_of(rows[i].message));

		assert_non_null(shown);
		assert_string_equal(shown, rows[i].shown);
		assert_int_equal(len, strlen(shown));
		free(shown);
	}
}

static void test_received(void **state)
{
	size_t len;
	char *shown = trace_print(&len, 0, false, &ours, &theirs, slice_of("x\r\n"));

	(void)state;
	assert_string_equal(
		shown, "00:00:00.000000Z  received  127.0.0.1:5060 <- [::1]:5070  3 bytes\nx\n\n");
	free(shown);
}

/* The worst of all messages is shown whole. */
static void test_longest(void **state)
{
	static uint8_t bytes[65536];
	size_t len;
	char *shown;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		memset(bytes, i == 0 ? '\x1b' : '\n', sizeof(bytes));
		shown = trace_print(
			&len, WALL, true, &ours, &theirs, (struct slice){bytes, sizeof(bytes)});
		assert_non_null(shown);
		assert_int_equal(len, strlen(HEAD "65536 bytes\n") +
					      (i == 0 ? 4 * sizeof(bytes) + 2 : sizeof(bytes) + 1));
		free(shown);
	}
}

static void test_no_memory(void **state)
{
	size_t len;

	(void)state;
	allocations_left = 0;
	assert_null(trace_print(&len, WALL, true, &ours, &theirs, slice_of("x")));
	allocations_left = SIZE_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/trace", tests, NULL, NULL);
}
