/* core/base/log: which lines reach the sink, and that none can harm a terminal. */
#include "core/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LONG = 10000 };

struct seen {
	size_t lines;
	enum log_level level;
	char last[LONG];
};

static void keep(void *arg, enum log_level level, const char *line)
{
	struct seen *seen = arg;

	seen->lines++;
	seen->level = level;
	snprintf(seen->last, sizeof(seen->last), "%s", line);
}

static void log_each(void)
{
	log_error("error %d", 1);
	log_warning("warning %d", 2);
	log_info("info %d", 3);
	log_debug("debug %d", 4);
}

static void test_levels(void **state)
{
	static const char *const last[] = {"error 1", "warning 2", "info 3", "debug 4"};

	(void)state;
	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		struct seen seen = {0};

		log_open((enum log_level)level, keep, &seen);
		log_each();
		assert_int_equal(seen.lines, level + 1);
		assert_int_equal(seen.level, level);
		assert_string_equal(seen.last, last[level]);
		for (int other = LOG_ERROR; other <= LOG_DEBUG; other++)
			assert_int_equal(log_wanted((enum log_level)other), other <= level);
	}
}

static void test_no_sink(void **state)
{
	struct seen seen = {0};

	(void)state;
	log_open(LOG_DEBUG, keep, &seen);
	log_open(LOG_DEBUG, NULL, NULL);
	log_each();
	assert_false(log_wanted(LOG_ERROR));
	assert_int_equal(seen.lines, 0);
}

static void test_harmless(void **state)
{
	struct seen seen = {0};

	(void)state;
	log_open(LOG_INFO, keep, &seen);
	log_info("from %s", "\x1b[2J\r\nINVITE \xc2\x9b \xff \xc3\xa4");
	assert_string_equal(seen.last, "from \\x1b[2J\\x0d\\x0aINVITE \\xc2\\x9b \\xff \xc3\xa4");
	assert_int_equal(seen.lines, 1);
}

/* Escaping makes a line up to four times as long; it is cut then, too. */
static void test_long_lines(void **state)
{
	static const char *const bytes[] = {"a", "\x1b", "\xc3\xa4"};
	static const char *const shown[] = {"a", "\\x1b", "\xc3\xa4"};
	char asked[LONG];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct seen seen = {0};
		size_t piece = strlen(shown[i]);

		asked[0] = '\0';
		for (size_t len = 0; len + strlen(bytes[i]) < LONG; len += strlen(bytes[i]))
			strcpy(asked + len, bytes[i]);
		log_open(LOG_INFO, keep, &seen);
		log_info("%s", asked);

		assert_int_equal(seen.lines, 1);
		assert_in_range(strlen(seen.last), 1000, LONG - 2);
		assert_int_equal(strlen(seen.last) % piece, 0);
		for (size_t at = 0; at < strlen(seen.last); at += piece)
			assert_memory_equal(seen.last + at, shown[i], piece);
	}
}

static int close_log(void **state)
{
	(void)state;
	log_open(LOG_ERROR, NULL, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_levels, close_log),
		cmocka_unit_test_teardown(test_no_sink, close_log),
		cmocka_unit_test_teardown(test_harmless, close_log),
		cmocka_unit_test_teardown(test_long_lines, close_log),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
