/* cmd/whole: what a reader gets of a file that comes in pieces, is too long, or cannot be read. */
#include "cmd/whole.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 8 };

ssize_t __wrap_read(int fd, void *room, size_t size);

/* What read() does, one after the other: bytes, "" at the end, NULL and an error. */
struct answer {
	const char *bytes;
	int err;
};

static const struct answer *answers;

ssize_t __wrap_read(int fd, void *room, size_t size)
{
	const struct answer *answer = answers++;

	assert_int_equal(fd, 7);
	assert_true(size > 0);
	if (!answer->bytes) {
		errno = answer->err;
		return -1;
	}
	assert_true(strlen(answer->bytes) <= size);
	memcpy(room, answer->bytes, strlen(answer->bytes));
	return (ssize_t)strlen(answer->bytes);
}

static void test_read(void **state)
{
	static const struct {
		struct answer answers[5];
		const char *expected;
		int err;
	} rows[] = {
		{{{"", 0}}, "a", 0},
		{{{"bc", 0}, {"d", 0}, {"", 0}}, "abcd", 0},
		{{{NULL, EINTR}, {"bc", 0}, {NULL, EINTR}, {"", 0}}, "abc", 0},
		{{{"bcd", 0}, {"efgh", 0}}, "abcdefgh", 0}, /* it is not asked for more */
		{{{"bc", 0}, {NULL, EISDIR}}, "abc", -EISDIR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t room[ROOM] = "a";
		struct buf out = {room, 1, sizeof(room)};

		answers = rows[i].answers;
		assert_int_equal(whole_read(&out, 7), rows[i].err);
		assert_int_equal(out.len, strlen(rows[i].expected));
		assert_memory_equal(room, rows[i].expected, out.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
