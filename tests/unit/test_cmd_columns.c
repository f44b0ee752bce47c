/* cmd/columns: widths of what people write, and where a line is cut. */
#include "cmd/columns.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct {
	const char *text;
	size_t columns;
	size_t cut_at; /* columns */
	size_t kept;   /* bytes */
} rows[] = {
	{"", 0, 5, 0}, {"abc", 3, 2, 2}, {"abc", 3, 3, 3}, {"abc", 3, 0, 0},
	{"J\xc3\xb6rg", 4, 2, 3}, {"o\xcc\x88x", 2, 1, 3}, /* the dots belong to the o */
	{"\xe5\xbc\xa0x", 3, 1, 0},                        /* half of a wide character is none */
	{"\xe5\xbc\xa0x", 3, 2, 3}, {"\xf0\x9f\x98\x80x", 3, 2, 4}, /* a face */
	{"\xe2\x96\x81\xe2\x96\x88", 2, 1, 3},                      /* blocks */
	{"\xea\xb0\x80", 2, 2, 3}, {"\xef\xbc\xa0", 2, 1, 0}, {"\xe0\xb8\x81", 1, 1, 3},
	{"\xf0\x9d\x84\x9e", 1, 1, 4}, /* four bytes, one column */
	{"\xff"
	 "a",
		2, 1, 1},       /* no UTF-8: byte by byte */
	{"a\xe5\xbc", 3, 1, 1}, /* cut off */
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);
		char *copy = malloc(len); /* no byte longer than it is */
		struct slice text = {(const uint8_t *)copy, len};

		if (len > 0)
			memcpy(copy, rows[i].text, len);
		if (columns_count(text) != rows[i].columns ||
			columns_cut(text, rows[i].cut_at).len != rows[i].kept)
			fail_msg("row %zu: %zu columns, %zu bytes kept", i, columns_count(text),
				columns_cut(text, rows[i].cut_at).len);
		free(copy);
	}
}

static void test_pad(void **state)
{
	static const struct {
		const char *text, *padded;
	} cases[] = {
		{"", "    |"}, {"ab", "ab  |"}, {"abcd", "abcd|"}, {"abcde", "abcde|"},
		{"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9 |"}, /* a byte more each, and no column */
		{"\xe5\xbc\xa0", "\xe5\xbc\xa0  |"},          /* wide */
		{"e\xcc\x81", "e\xcc\x81   |"},               /* a mark that combines */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[32];
		struct text text = TEXT_IN(room);

		columns_pad(&text, slice_of(cases[i].text), 4);
		text_putc(&text, '|');
		assert_string_equal(room, cases[i].padded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_pad),
	};

	return cmocka_run_group_tests_name("cmd/columns", tests, NULL, NULL);
}
