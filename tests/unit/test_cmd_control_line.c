/* cmd/control/control_line: lines of clients, with what they mean or what is wrong with them. */
#include "cmd/control/control_line.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ID_SIZE = 300 };

#define FORM "a line is a command, or {\"command\": \"calls\", \"id\": 1}"

static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* clang-format off */
static const struct {
	const char *line;
	const char *command; /* NULL: it is none */
	const char *id;      /* as JSON; NULL: none */
	const char *words;
} rows[] = {
	{"calls", "calls", NULL, NULL},
	{"  call 'a b' \t\r", "call 'a b'", NULL, NULL},
	{"call\rx\r\r", "call\rx\r", NULL, NULL}, /* one is the line's, the rest is for the parser */
	{"", "", NULL, NULL},
	{"\r", "", NULL, NULL},
	{"# a {comment}", "# a {comment}", NULL, NULL},
	{"\xff", "\xff", NULL, NULL},
	{"[1]", "[1]", NULL, NULL},
	{"{\"command\":\"calls\"}", "calls", NULL, NULL},
	{" {\"id\" : 7, \"command\" : \"call \\\"b\\\"\"} ", "call \"b\"", "7", NULL},
	{"{\"command\":\"\",\"id\":\"\"}", "", "\"\"", NULL},
	{"{\"command\":\"x\",\"id\":-1.5}", "x", "-1.5", NULL},
	{"{\"command\":\"x\",\"id\":\"h\\u00fc\\u0000\"}", "x", "\"h\xc3\xbc\\u0000\"", NULL},
	{"{\"command\":\"x\",\"id\":null}", NULL, NULL, "an id is a string or a number"},
	{"{\"command\":\"x\",\"id\":true}", NULL, NULL, "an id is a string or a number"},
	{"{\"command\":\"x\",\"id\":[1]}", NULL, NULL, "an id is a string or a number"},
	{"{\"command\":\"a\\nb\",\"id\":1}", NULL, "1", "a command is one line"},
	{"{\"command\":\"a\\u0000b\"}", NULL, NULL, "a command cannot hold a NUL"},
	{"{\"command\":1}", NULL, NULL, "there is no command; " FORM},
	{"{\"command\":[\"calls\"],\"id\":3}", NULL, "3", "there is no command; " FORM},
	{"{}", NULL, NULL, "there is no command; " FORM},
	{"{\"id\":\"a\"}", NULL, "\"a\"", "there is no command; " FORM},
	{"{\"comand\":\"x\",\"id\":2}", NULL, "2", "there is no \"comand\"; " FORM},
	{"{\"\\u001b[1m\":\"x\"}", NULL, NULL, "there is no \"\\x1b[1m\"; " FORM},
	{"{\"command\":\"a\",\"command\":\"b\"}", NULL, NULL, "this is no JSON: column 24; " FORM},
	{"{", NULL, NULL, "this is no JSON: column 1; " FORM},
	{"{\"command\":\"x\"} x", NULL, NULL, "this is no JSON: column 17; " FORM},
	{"{\"command\":\"\xff\"}", NULL, NULL, "this is no JSON: column 12; " FORM},
};
/* clang-format on */

static void expect_id(const json_t *id, const char *wanted)
{
	char room[ID_SIZE];
	size_t len;

	if (!wanted) {
		assert_null(id);
		return;
	}
	len = json_dumpb(id, room, sizeof(room) - 1, JSON_ENCODE_ANY);
	assert_true(len < sizeof(room));
	room[len] = '\0';
	assert_string_equal(room, wanted);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct control_line line;
		struct fault why = {""};
		int err = control_line_read(&line, slice_of(rows[i].line), &why);

		assert_int_equal(err, rows[i].command ? 0 : -EINVAL);
		if (rows[i].command)
			assert_string_equal(line.command, rows[i].command);
		else
			assert_null(line.command);
		assert_string_equal(why.words, rows[i].words ? rows[i].words : "");
		expect_id(line.id, rows[i].id);
		control_line_drop(&line);
		control_line_drop(&line); /* harmless */
	}
}

static void test_nul(void **state)
{
	struct control_line line;
	struct fault why;

	(void)state;
	assert_int_equal(control_line_read(&line, (struct slice){(const uint8_t *)"a\0b", 3}, &why),
		-EINVAL);
	assert_string_equal(why.words, "a command cannot hold a NUL");
}

/* The longest, and one more. */
static void test_lengths(void **state)
{
	static char room[CONTROL_LINE_MAX + 2];
	struct control_line line;
	struct fault why;
	struct text text;

	(void)state;
	memset(room, 'x', sizeof(room) - 1);
	assert_int_equal(control_line_read(&line, slice_of(room), &why), -EINVAL);
	assert_string_equal(why.words, "a line has at most 16384 bytes");
	room[CONTROL_LINE_MAX] = '\0';
	assert_int_equal(control_line_read(&line, slice_of(room), &why), 0);
	control_line_drop(&line);
	memset(room, '{', sizeof(room) - 2); /* deeper than anybody means */
	assert_int_equal(control_line_read(&line, slice_of(room), &why), -EINVAL);

	for (size_t len = CONTROL_ID_MAX - 2; len <= CONTROL_ID_MAX - 1; len++) {
		text = TEXT_IN(room);
		text_puts(&text, "{\"command\":\"x\",\"id\":\"");
		for (size_t i = 0; i < len; i++)
			text_putc(&text, 'i');
		text_puts(&text, "\"}");
		assert_int_equal(control_line_read(&line, text_slice(&text), &why),
			len + 2 <= CONTROL_ID_MAX ? 0 : -EINVAL);
		control_line_drop(&line);
	}
	assert_string_equal(why.words, "an id has at most 256 bytes");
}

static void test_no_memory(void **state)
{
	struct control_line line;
	struct fault why;

	(void)state;
	no_memory = true;
	assert_int_equal(control_line_read(&line, slice_of("calls"), &why), -ENOMEM);
	no_memory = false;
	assert_null(line.command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
