/* cmd/settings/ini_line: each line with what it is, or with the words against it. */
#include "cmd/settings/ini_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

/* clang-format off */
static const struct {
	const char *line;
	enum ini_kind kind;
	const char *name, *value;
} rights[] = {
	{"", INI_NOTHING, "", ""},
	{" \t ", INI_NOTHING, "", ""},
	{"# a = b", INI_NOTHING, "", ""},
	{"  ; a = b", INI_NOTHING, "", ""},
	{"#[a]", INI_NOTHING, "", ""},
	{"[a]", INI_SECTION, "a", ""},
	{"  [a b] ", INI_SECTION, "a b", ""},
	{"a=b", INI_ENTRY, "a", "b"},
	{"a=", INI_ENTRY, "a", ""},
	{"=b", INI_ENTRY, "", "b"},
	{"\ta_b  =  c d\t", INI_ENTRY, "a_b", "c d"},
	{"a: b = c", INI_ENTRY, "a", "b = c"},
	{"a = b: c", INI_ENTRY, "a", "b: c"},
	{"a = b = c", INI_ENTRY, "a", "b = c"},
	{"a = b ; c # d", INI_ENTRY, "a", "b ; c # d"},
	{"a = ;", INI_ENTRY, "a", ";"},
	{"a = \"b c\"", INI_ENTRY, "a", "\"b c\""},
	{"a = [b]", INI_ENTRY, "a", "[b]"},
	{"\"a b\" = c", INI_ENTRY, "\"a b\"", "c"},
	{"a]b = c", INI_ENTRY, "a]b", "c"},
	{"a;b = c", INI_ENTRY, "a;b", "c"},
	{"a = " X100 X100 X100, INI_ENTRY, "a", X100 X100 X100},
	{X100 X10 X10 "xxxxxx =1", INI_ENTRY, X100 X10 X10 "xxxxxx", "1"},
};

static const struct {
	const char *line;
	const char *words;
} wrongs[] = {
	{"a", "neither NAME = VALUE nor [SECTION]: a"},
	{"a \x1b b", "neither NAME = VALUE nor [SECTION]: a \\x1b b"},
	{"a ;b = c", "neither NAME = VALUE nor [SECTION]: a ;b = c"},
	{"[a", "a section is written [NAME]; [a is none"},
	{"[a] b", "a section is written [NAME]; [a] b is none"},
	{"[a] ; b", "a section is written [NAME]; [a] ; b is none"},
	{"[a]]", "a section is written [NAME]; [a]] is none"},
	{"[a] = b", "a section is written [NAME]; [a] = b is none"},
	{"[a ;b]", "a section is written [NAME]; [a ;b] is none"},
	{"[]", "a section is written [NAME]; [] is none"},
	{X100 X10 X10 X10 "= 1", "a name has at most 127 bytes"},
	{"[" X100 X10 X10 X10 "]", "a name has at most 127 bytes"},
};
/* clang-format on */

static struct ini ini;

static void test_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		struct ini_line got;
		struct fault why = {""};
		int err = ini_line_read(&got, &ini, slice_of(rights[i].line), &why);

		if (err || got.kind != rights[i].kind || strcmp(got.name, rights[i].name) != 0 ||
			!slice_is(got.value, rights[i].value))
			fail_msg("row %zu: got %d %s: %d \"%s\" = \"%.*s\"", i, err, why.words,
				(int)got.kind, got.name, (int)got.value.len,
				(const char *)got.value.data);
	}
}

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct ini_line got;
		struct fault why = {""};
		int err = ini_line_read(&got, &ini, slice_of(wrongs[i].line), &why);

		if (err != -EINVAL || strcmp(why.words, wrongs[i].words) != 0)
			fail_msg("row %zu: got %d %s", i, err, why.words);
	}
}

static int set_up(void **state)
{
	(void)state;
	return ini_load(&ini, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("cmd/settings/ini_line", tests, set_up, NULL);
}
