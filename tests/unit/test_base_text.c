/* core/base/text: reading slices, writing what fits and no more, and what must not be shown. */
#include "core/base/text.h"

#include <setjmp.h>
#include <stdlib.h>
#include <wchar.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) (literal), sizeof(literal) - 1

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

/* A copy no byte longer than it is, so that AddressSanitizer sees one read too many. */
static struct slice exact(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	assert_true(copy || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	return (struct slice){copy, len};
}

static void drop(struct slice text)
{
	free((void *)(uintptr_t)text.data);
}

/* clang-format off */
static const struct {
	const char *a;
	const char *b;
	bool same;        /* in each byte */
	bool same_nocase;
	bool starts;      /* a with b, nocase */
} pairs[] = {
	{"",        "",        true,  true,  true},
	{"a",       "",        false, false, true},
	{"",        "a",       false, false, false},
	{"Via",     "Via",     true,  true,  true},
	{"Via",     "vIA",     false, true,  true},
	{"Via",     "Viaz",    false, false, false},
	{"Viaz",    "via",     false, false, true},
	{"via",     "vib",     false, false, false},
	{"azAZ",    "AZaz",    false, true,  true},
	{"@[`{",    "`{@[",    false, false, false}, /* 0x20 apart, but no letters */
	{"\xe4",    "\xc4",    false, false, false}, /* letters in Latin-1 only */
};

static const struct {
	const char *text;
	const char *trimmed;
} trims[] = {
	{"", ""}, {" ", ""}, {"\t \t", ""}, {"a", "a"}, {" a", "a"}, {"a\t", "a"},
	{"\t a b \t", "a b"}, {"\na\r", "\na\r"},
};

static const struct {
	const char *text;
	const char *head;
	const char *rest;
	bool found;
} cuts[] = {
	{"",      "",    "",    false},
	{"abc",   "abc", "",    false},
	{"a,b",   "a",   "b",   true},
	{"a,b,c", "a",   "b,c", true},
	{",b",    "",    "b",   true},
	{"a,",    "a",   "",    true},
	{",",     "",    "",    true},
};

static const struct {
	const char *text;
	uint64_t max;
	int err;
	uint64_t value;
} numbers[] = {
	{"0",                     0,          0,       0},
	{"7",                     9,          0,       7},
	{"65535",                 UINT16_MAX, 0,       65535},
	{"65536",                 UINT16_MAX, -ERANGE, 0},
	{"0000000000000000000042", 42,        0,       42},
	{"43",                    42,         -ERANGE, 0},
	{"50",                    42,         -ERANGE, 0},
	{"1",                     0,          -ERANGE, 0},
	{"10",                    5,          -ERANGE, 0},
	{"4294967295",            UINT32_MAX, 0,       UINT32_MAX},
	{"4294967296",            UINT32_MAX, -ERANGE, 0},
	{"18446744073709551615",  UINT64_MAX, 0,       UINT64_MAX},
	{"18446744073709551616",  UINT64_MAX, -ERANGE, 0},
	{"99999999999999999999999999999999", UINT64_MAX, -ERANGE, 0},
	{"300",                   250,        -ERANGE, 0}, /* and does not start anew at the third */
	{"99999999999999999999x", UINT64_MAX, -EPROTO, 0},
	{"",                      9,          -EPROTO, 0},
	{" 1",                    9,          -EPROTO, 0},
	{"1 ",                    9,          -EPROTO, 0},
	{"+1",                    9,          -EPROTO, 0},
	{"-1",                    9,          -EPROTO, 0},
	{"1/",                    9,          -EPROTO, 0},
	{"1:",                    99,         -EPROTO, 0},
	{"0x1",                   9,          -EPROTO, 0},
};

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *shown;
} escapes[] = {
	{"nothing",             BYTES(""),                     ""},
	{"printable ASCII",     BYTES(" !\"%09AZaz\\~"),       " !\"%09AZaz\\~"},
	{"two bytes",           BYTES("\xc2\xa0\xc3\xa4\xdf\xbf"), "\xc2\xa0\xc3\xa4\xdf\xbf"},
	{"three bytes",         BYTES("\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf"),
	                                                       "\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf"},
	{"around surrogates",   BYTES("\xee\x80\x80"),         "\xee\x80\x80"},
	{"four bytes",          BYTES("\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"),
	                              "\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"},
	{"U+40000, U+FFFFF",    BYTES("\xf1\x80\x80\x80\xf3\xbf\xbf\xbf"),
	                                                       "\xf1\x80\x80\x80\xf3\xbf\xbf\xbf"},
	{"NUL",                 BYTES("a\0b"),                 "a\\x00" "b"},
	{"controls",            BYTES("\x01\t\r\n\x1b[2J\x1f"), "\\x01\\x09\\x0d\\x0a\\x1b[2J\\x1f"},
	{"delete",              BYTES("\x7f"),                 "\\x7f"},
	{"first C1 control",    BYTES("\xc2\x80"),             "\\xc2\\x80"},
	{"C1 CSI",              BYTES("\xc2\x9b" "2J"),        "\\xc2\\x9b" "2J"},
	{"last C1 control",     BYTES("\xc2\x9f"),             "\\xc2\\x9f"},
	{"C1 CSI in Latin-1",   BYTES("\x9b" "2J"),            "\\x9b" "2J"},
	{"Arabic letter mark",  BYTES("\xd8\x9c"),             "\\xd8\\x9c"},
	{"beside it",           BYTES("\xd8\x9b\xd8\x9d"),     "\xd8\x9b\xd8\x9d"},
	{"U+200D, a joiner",    BYTES("\xe2\x80\x8d"),         "\xe2\x80\x8d"},
	{"U+200E",              BYTES("\xe2\x80\x8e"),         "\\xe2\\x80\\x8e"},
	{"U+200F",              BYTES("\xe2\x80\x8f"),         "\\xe2\\x80\\x8f"},
	{"U+2010, a hyphen",    BYTES("\xe2\x80\x90"),         "\xe2\x80\x90"},
	{"U+2027",              BYTES("\xe2\x80\xa7"),         "\xe2\x80\xa7"},
	{"U+2028",              BYTES("\xe2\x80\xa8"),         "\\xe2\\x80\\xa8"},
	{"U+2029",              BYTES("\xe2\x80\xa9"),         "\\xe2\\x80\\xa9"},
	{"U+202A",              BYTES("\xe2\x80\xaa"),         "\\xe2\\x80\\xaa"},
	{"U+202E",              BYTES("a\xe2\x80\xae" "b"),    "a\\xe2\\x80\\xae" "b"},
	{"U+202F, a space",     BYTES("\xe2\x80\xaf"),         "\xe2\x80\xaf"},
	{"U+2065",              BYTES("\xe2\x81\xa5"),         "\xe2\x81\xa5"},
	{"U+2066",              BYTES("\xe2\x81\xa6"),         "\\xe2\\x81\\xa6"},
	{"U+2069",              BYTES("\xe2\x81\xa9"),         "\\xe2\\x81\\xa9"},
	{"U+206F",              BYTES("\xe2\x81\xaf"),         "\\xe2\\x81\\xaf"},
	{"U+2070",              BYTES("\xe2\x81\xb0"),         "\xe2\x81\xb0"},
	{"byte order mark",     BYTES("\xef\xbb\xbf"),         "\\xef\\xbb\\xbf"},
	{"beside it",           BYTES("\xef\xbb\xbe"),         "\xef\xbb\xbe"},
	{"annotation",          BYTES("\xef\xbf\xb9\xef\xbf\xbb"),
	                                                       "\\xef\\xbf\\xb9\\xef\\xbf\\xbb"},
	{"no character",        BYTES("\xef\xbf\xbf"),         "\\xef\\xbf\\xbf"},
	{"replacement sign",    BYTES("\xef\xbf\xbd"),         "\xef\xbf\xbd"},
	{"rest without a head", BYTES("\x80\xbf"),             "\\x80\\xbf"},
	{"one of two",          BYTES("\xc3"),                 "\\xc3"},
	{"two of three",        BYTES("\xe2\x82"),             "\\xe2\\x82"},
	{"three of four",       BYTES("\xf0\x9f\x98"),         "\\xf0\\x9f\\x98"},
	{"broken by ASCII",     BYTES("\xe2\x82x"),            "\\xe2\\x82x"},
	{"broken by a head",    BYTES("\xc3\xc3\xa4"),         "\\xc3\xc3\xa4"},
	{"fourth is ASCII",     BYTES("\xf0\x9f\x98x"),        "\\xf0\\x9f\\x98x"},
	{"ESC in two bytes",    BYTES("\xc0\x9b"),             "\\xc0\\x9b"},
	{"DEL in two bytes",    BYTES("\xc1\xbf"),             "\\xc1\\xbf"},
	{"A in two bytes",      BYTES("\xc1\x81"),             "\\xc1\\x81"},
	{"overlong in three",   BYTES("\xe0\x9f\xbf"),         "\\xe0\\x9f\\xbf"},
	{"overlong in four",    BYTES("\xf0\x8f\xbf\xbf"),     "\\xf0\\x8f\\xbf\\xbf"},
	{"first surrogate",     BYTES("\xed\xa0\x80"),         "\\xed\\xa0\\x80"},
	{"last surrogate",      BYTES("\xed\xbf\xbf"),         "\\xed\\xbf\\xbf"},
	{"above U+10FFFF",      BYTES("\xf4\x90\x80\x80"),     "\\xf4\\x90\\x80\\x80"},
	{"first byte too high", BYTES("\xf5\x80\x80\x80"),     "\\xf5\\x80\\x80\\x80"},
	{"0xff",                BYTES("\xff\xfe"),             "\\xff\\xfe"},
};
/* clang-format on */

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct slice a = exact(pairs[i].a, strlen(pairs[i].a));
		struct slice b = exact(pairs[i].b, strlen(pairs[i].b));

		if (slice_equal(a, b) != pairs[i].same || slice_is(a, pairs[i].b) != pairs[i].same)
			fail_msg("equal: '%s' and '%s'", pairs[i].a, pairs[i].b);
		if (slice_equal_nocase(a, b) != pairs[i].same_nocase ||
			slice_is_nocase(a, pairs[i].b) != pairs[i].same_nocase)
			fail_msg("equal_nocase: '%s' and '%s'", pairs[i].a, pairs[i].b);
		if (slice_starts_nocase(a, pairs[i].b) != pairs[i].starts)
			fail_msg("starts_nocase: '%s' and '%s'", pairs[i].a, pairs[i].b);
		drop(a);
		drop(b);
	}
}

/* An empty slice may be NULL; UBSan sees whether it goes where NULL must not. */
static void test_null_slice(void **state)
{
	struct slice none = {0};
	struct slice out = {NULL, 7};
	uint64_t number = 7;
	char *copy;

	(void)state;
	assert_true(slice_equal(none, none));
	assert_true(slice_is(none, ""));
	assert_true(slice_is_nocase(none, ""));
	assert_int_equal(slice_trim(none).len, 0);
	assert_int_equal(slice_find(none, 'a'), 0);
	assert_false(slice_cut(&out, &none, ','));
	assert_int_equal(out.len, 0);
	assert_int_equal(slice_number(&number, none, 9), -EPROTO);
	copy = slice_copy(none);
	assert_string_equal(copy, "");
	free(copy);
}

static void test_trim(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(trims); i++) {
		struct slice text = exact(trims[i].text, strlen(trims[i].text));

		if (!slice_is(slice_trim(text), trims[i].trimmed))
			fail_msg("trim: '%s'", trims[i].text);
		drop(text);
	}
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct slice text = exact(cuts[i].text, strlen(cuts[i].text));
		struct slice rest = text;
		struct slice head;

		if (slice_cut(&head, &rest, ',') != cuts[i].found ||
			!slice_is(head, cuts[i].head) || !slice_is(rest, cuts[i].rest))
			fail_msg("cut: '%s'", cuts[i].text);
		drop(text);
	}
}

static void test_find(void **state)
{
	(void)state;
	assert_int_equal(slice_find(slice_of("abcb"), 'b'), 1);
	assert_int_equal(slice_find(slice_of("abcb"), 'x'), 4);
	assert_int_equal(slice_find(slice_of("a\xff"), '\xff'), 1);
	assert_int_equal(slice_find((struct slice){(const uint8_t *)"a\0b", 3}, '\0'), 1);
}

static void test_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct slice text = exact(numbers[i].text, strlen(numbers[i].text));
		uint64_t value = 777;
		int err = slice_number(&value, text, numbers[i].max);

		if (err != numbers[i].err || value != (err ? 777 : numbers[i].value))
			fail_msg("'%s': got %d, %llu", numbers[i].text, err,
				(unsigned long long)value);
		drop(text);
	}
}

static void test_copy(void **state)
{
	struct slice text = exact("abc", 3);
	char *copy = slice_copy(text);

	(void)state;
	assert_string_equal(copy, "abc");
	free(copy);

	allocations_left = 0;
	copy = slice_copy(text);
	allocations_left = SIZE_MAX;
	assert_null(copy);
	drop(text);
}

static void check(const struct text *text, const char *expected, bool cut)
{
	assert_string_equal(text->data, expected);
	assert_int_equal(text->len, strlen(expected));
	assert_int_equal(text->cut, cut);
	assert_true(slice_is(text_slice(text), expected));
}

/* The writers, each asked for "abc". */
static void put(struct text *text)
{
	text_put(text, (struct slice){(const uint8_t *)"abcd", 3});
}

static void puts_it(struct text *text)
{
	text_puts(text, "abc");
}

static void printf_it(struct text *text)
{
	text_printf(text, "%c%s", 'a', "bc");
}

static void test_all_or_nothing(void **state)
{
	static void (*const writers[])(struct text * text) = {put, puts_it, printf_it};

	(void)state;
	for (size_t i = 0; i < COUNT(writers); i++) {
		for (size_t size = 1; size <= 10; size++) {
			char *data = malloc(size); /* for AddressSanitizer */
			struct text text;

			assert_non_null(data);
			memset(data, 'x', size);
			text = text_in(data, size);
			check(&text, "", false);
			for (size_t times = 0; times < 2; times++)
				writers[i](&text);
			check(&text, size < 4 ? "" : size < 7 ? "abc" : "abcabc", size < 7);
			free(data);
		}
	}
}

static void test_nothing_after_a_cut(void **state)
{
	char room[4];
	struct text text = TEXT_IN(room);

	(void)state;
	text_putc(&text, 'a');
	text_puts(&text, ""); /* nothing always fits */
	check(&text, "a", false);
	text_puts(&text, "bcd");
	check(&text, "a", true);
	text_putc(&text, 'b');
	text_puts(&text, "b");
	text_printf(&text, "b");
	text_put_escaped(&text, slice_of("b"));
	check(&text, "a", true);
}

static void test_putc_full(void **state)
{
	char room[3];
	struct text text = TEXT_IN(room);

	(void)state;
	text_putc(&text, 'a');
	text_putc(&text, 'b');
	check(&text, "ab", false);
	text_puts(&text, "");
	text_put(&text, (struct slice){0});
	text_put_escaped(&text, (struct slice){0});
	check(&text, "ab", false);
	text_putc(&text, 'c');
	check(&text, "ab", true);
}

static void test_escape_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(escapes); i++) {
		struct slice bytes = exact(escapes[i].bytes, escapes[i].len);
		char room[64];
		struct text text = TEXT_IN(room);

		text_put_escaped(&text, bytes);
		if (text.cut || strcmp(room, escapes[i].shown) != 0)
			fail_msg("%s: '%s'", escapes[i].name, room);
		drop(bytes);
	}
}

/* Whatever stands around it, each single byte that is no printable ASCII is escaped. */
static void test_escape_each_byte(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte <= 0xff; byte++) {
		const uint8_t bytes[] = {'a', (uint8_t)byte, 'b'};
		bool plain = byte >= 0x20 && byte <= 0x7e;
		char expected[8];
		char room[8];
		struct text text = TEXT_IN(room);
		struct text model = TEXT_IN(expected);

		text_printf(&model, plain ? "a%cb" : "a\\x%02xb", byte);
		text_put_escaped(&text, (struct slice){bytes, sizeof(bytes)});
		check(&text, expected, false);
	}
}

/* Neither a character nor its escape is cut in two. */
static void test_escape_cut(void **state)
{
	static const char *const whole[] = {"", "a", "a", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4",
		"a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4",
		"a\xc3\xa4\\xc2\\x9b", "a\xc3\xa4\\xc2\\x9bz"};

	(void)state;
	for (size_t size = 1; size <= COUNT(whole); size++) {
		char *data = malloc(size);
		struct text text;

		assert_non_null(data);
		text = text_in(data, size);
		text_put_escaped(&text, slice_of("a\xc3\xa4\xc2\x9bz"));
		check(&text, whole[size - 1], size < COUNT(whole));
		free(data);
	}
}

static void __attribute__((format(printf, 2, 3)))
printf_cut(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprintf_cut(text, format, args);
	va_end(args);
}

static void test_printf_cut(void **state)
{
	/* clang-format off */
	static const struct {
		size_t size;
		const char *asked;
		const char *expected;
	} rows[] = {
		{1, "a",                   ""},
		{4, "abc",                 "abc"},
		{4, "abcd",                "abc"},
		{4, "ab\xc3\xa4",          "ab"},
		{5, "ab\xc3\xa4",          "ab\xc3\xa4"},
		{5, "ab\xc3\xa4z",         "ab\xc3\xa4"},
		{3, "\xe2\x82\xac",        ""},
		{5, "\xf0\x9f\x98\x80z",   "\xf0\x9f\x98\x80"},
		{4, "\xf0\x9f\x98\x80z",   ""},
		{5, "\xe2\x82\xac\xe2\x82\xac", "\xe2\x82\xac"},
		{6, "\xe2\x82\xac\xe2\x82\xac", "\xe2\x82\xac"},
		{6, "\x80\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80"}, /* no UTF-8 anyway */
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *data = malloc(rows[i].size);
		struct text text;

		assert_non_null(data);
		text = text_in(data, rows[i].size);
		printf_cut(&text, "%s", rows[i].asked);
		check(&text, rows[i].expected, strcmp(rows[i].asked, rows[i].expected) != 0);
		free(data);
	}
}

/* vsnprintf() may refuse; then there is nothing, and it shows. */
static void test_printf_refused(void **state)
{
	char room[8];
	struct text text = TEXT_IN(room);

	(void)state;
	text_puts(&text, "a");
	text_printf(&text, "b%lc", (wint_t)0xd800); /* no character of the C locale */
	check(&text, "a", true);

	text = TEXT_IN(room);
	text_puts(&text, "a");
	printf_cut(&text, "b%lc", (wint_t)0xd800);
	check(&text, "a", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_null_slice),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_nothing_after_a_cut),
		cmocka_unit_test(test_putc_full),
		cmocka_unit_test(test_escape_table),
		cmocka_unit_test(test_escape_each_byte),
		cmocka_unit_test(test_escape_cut),
		cmocka_unit_test(test_printf_cut),
		cmocka_unit_test(test_printf_refused),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
