/* cmd/check: what is told, and with which exit code, before anything starts. */
#include "cmd/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct {
	const char *target;
	size_t at;
	const char *shown;
} carets[] = {
	{"bob@exam ple.org", 8, "  bob@exam ple.org\n          ^\n"}, {"", 0, "  \n  ^\n"},
	{"bob", 3, "  bob\n     ^\n"},
	{"b\xc3\xb6"
	 "b@x y",
		6,
		"  b\xc3\xb6"
		"b@x y\n       ^\n"},                             /* bytes are no columns */
	{"\xe5\xbc\xa0@x y", 5, "  \xe5\xbc\xa0@x y\n      ^\n"}, /* wide ones are two */
	{"\x1b@x y", 3, "  \\x1b@x y\n        ^\n"},              /* escaped ones four */
};

static void test_carets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(carets) / sizeof(carets[0]); i++) {
		char room[CHECK_SIZE];
		struct text out = TEXT_IN(room);

		check_put_caret(&out, slice_of(carets[i].target), carets[i].at);
		assert_string_equal(room, carets[i].shown);
	}
}

/* However long it is, the place is seen. */
static void test_long_target(void **state)
{
	static char target[100000];
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);

	(void)state;
	memset(target, '\x1b', sizeof(target) - 1);
	check_put_caret(&out, slice_of(target), 50000);
	assert_false(out.cut);
	assert_int_equal(out.len, 2 + 2 * 400 * 4 + 1 + 2 + 400 * 4 + 2);
}

/* Checks what is given, which ends with code and with the lines of expected. */
static void expect(struct options options, int code, const char *expected)
{
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);

	assert_int_equal(check_options(&out, &options), code);
	assert_string_equal(room, expected);
}

#define EXPECT(code, expected, ...) expect((struct options){__VA_ARGS__}, code, expected)

static void test_options(void **state)
{
	char directory[] = "/tmp/test_cmd_check.XXXXXX";
	char path[64], same[64], words[256];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/there.wav", directory);
	snprintf(same, sizeof(same), "%s/there%%%%.wav", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);

	EXPECT(0, "", .target = "sip:bob@127.0.0.1", .mic = "tone:440", .speaker = "null");
	EXPECT(0, "", .answer = true, .mic = "loop");
	EXPECT(2,
		"sipcall: a host cannot hold a space\n"
		"  bob@exam ple.org\n"
		"          ^\n",
		.target = "bob@exam ple.org");
	EXPECT(2, "sipcall: --mic: no source tune:; did you mean tone:?\n", .mic = "tune:440");
	EXPECT(9, "sipcall: --mic: /nowhere/a.wav: no such file\n", .mic = "file:/nowhere/a.wav");
	EXPECT(2, "sipcall: --speaker: no sink nul; did you mean null?\n", .speaker = "nul");

	snprintf(words, sizeof(words),
		"sipcall: --record: %s is there already and is not overwritten\n", path);
	EXPECT(9, words, .record = path);
	snprintf(path, sizeof(path), "%s/%%n.wav", directory);
	EXPECT(0, "", .record = path);
	EXPECT(0, "", .record = same); /* another name, once it is read */

	snprintf(path, sizeof(path), "%s/there%%.wav", directory);
	EXPECT(2,
		"sipcall: --record: a recording's name knows no %.; there are %n (call), %t "
		"(time), %p (peer) and %%\n",
		.record = path);

	/* A pattern that gives the name of a file today gives another one tomorrow. */
	snprintf(path, sizeof(path), "%s/1.wav", directory);
	assert_int_equal(link(strcat(strcpy(words, directory), "/there.wav"), path), 0);
	snprintf(same, sizeof(same), "%s/%%n.wav", directory);
	EXPECT(0, "", .record = same);

	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/there.wav", directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void test_record_nowhere(void **state)
{
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);
	struct options options = {.answer = true, .record = "/nowhere/%n.wav"};

	(void)state;
	assert_int_equal(check_options(&out, &options), 9);
	assert_memory_equal(room, "sipcall: --record: /nowhere/1.wav", 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carets),
		cmocka_unit_test(test_long_target),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_record_nowhere),
	};

	return cmocka_run_group_tests_name("cmd/check", tests, NULL, NULL);
}
