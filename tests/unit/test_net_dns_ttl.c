/* core/net/dns_ttl: how long an answer holds, of whole and of broken messages. */
#include "core/net/dns_ttl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* A header that counts questions and answers. */
#define HEAD(questions, answers) "\0\1\x81\x80\0" questions "\0" answers "\0\0\0\0"
#define QUESTION "\1a\0\0\x21\0\1"
#define POINTER "\xc0\x0c"
#define RECORD(ttl, data_len) "\0\x21\0\1" ttl "\0" data_len
#define ROW(bytes, ttl_s)                                                                          \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, ttl_s                                                    \
	}

static const struct {
	const char *bytes;
	size_t len;
	uint32_t ttl_s;
} rows[] = {
	ROW("", 0),
	ROW("\0\1\x81\x80\0\1\0\1\0\0\0", 0),
	ROW(HEAD("\0", "\0"), 0),
	ROW(HEAD("\1", "\0") QUESTION, 0),
	ROW(HEAD("\1", "\1") QUESTION POINTER RECORD("\0\0\0\x3c", "\0"), 60),
	ROW(HEAD("\1", "\1") QUESTION POINTER RECORD("\0\0\0\0", "\0"), 0),
	ROW(HEAD("\1", "\1") QUESTION POINTER RECORD("\x7f\xff\xff\xff", "\0"), 0x7fffffff),
	ROW(HEAD("\1", "\1") QUESTION POINTER RECORD("\x80\0\0\x01", "\0"), 0),
	ROW(HEAD("\0", "\1") "\0" RECORD("\0\0\0\7", "\2") "xx", 7),
	ROW(HEAD("\0", "\1") "\3abc\2de\0" RECORD("\0\0\0\7", "\0"), 7),
	ROW(HEAD("\0", "\1") "\3abc" POINTER RECORD("\0\0\0\7", "\0"), 7),
	ROW(HEAD("\1", "\2") QUESTION POINTER RECORD("\0\0\0\x3c", "\1") "x" POINTER RECORD(
		    "\0\0\0\x1e", "\0"),
		30),
	ROW(HEAD("\1", "\2") QUESTION POINTER RECORD("\0\0\0\x1e", "\0")
			POINTER RECORD("\0\0\0\x3c", "\0"),
		30),
	/* what comes behind the answers is not looked at */
	ROW(HEAD("\0", "\1") "\0" RECORD("\0\0\0\7", "\0") "\0\0\0", 7),

	/* cut, or with lengths that lie */
	ROW(HEAD("\1", "\1") "\1a\0\0\x21\0", 0),
	ROW(HEAD("\1", "\1") "\5a", 0),
	ROW(HEAD("\1", "\1") QUESTION, 0),
	ROW(HEAD("\1", "\1") QUESTION "\xc0", 0),
	ROW(HEAD("\1", "\1") QUESTION POINTER "\0\x21\0\1\0\0\0", 0),
	ROW(HEAD("\1", "\1") QUESTION POINTER RECORD("\0\0\0\x3c", "\1"), 0),
	ROW(HEAD("\1", "\2") QUESTION POINTER RECORD("\0\0\0\x3c", "\0"), 0),
	ROW(HEAD("\xff", "\xff") QUESTION, 0),
	/* labels of kinds that there are not; a pointer to itself, which is not followed */
	ROW(HEAD("\0", "\1") "\x41x\0" RECORD("\0\0\0\7", "\0"), 0),
	ROW(HEAD("\0", "\1") "\x81x\0" RECORD("\0\0\0\7", "\0"), 0),
	ROW(HEAD("\0", "\1") "\xc0\x0c" RECORD("\0\0\0\7", "\0"), 7),
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *copy = malloc(rows[i].len + 1); /* so that reading beyond it shows */
		uint32_t ttl_s;

		assert_non_null(copy);
		memcpy(copy, rows[i].bytes, rows[i].len);
		copy = realloc(copy, rows[i].len ? rows[i].len : 1);
		assert_non_null(copy);
		ttl_s = dns_ttl_s((struct slice){copy, rows[i].len});
		free(copy);
		if (ttl_s != rows[i].ttl_s)
			fail_msg("row %zu: %u", i, ttl_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

	return cmocka_run_group_tests_name("net/dns_ttl", tests, NULL, NULL);
}
