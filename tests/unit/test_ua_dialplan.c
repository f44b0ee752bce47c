/* core/ua/dialplan: rules that are and are none, and what they make of numbers. */
#include "core/ua/dialplan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

static bool no_memory;

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* clang-format off */
static const struct {
	const char *rule;
	size_t at;
	const char *words; /* NULL: it is one */
} rules[] = {
	{"0. -> +49.", 0, NULL},
	{"0.->+49.", 0, NULL},
	{"[2-9]xxx -> +4930123.", 0, NULL},
	{"[1479]x[0-3] -> .", 0, NULL},
	{"+. -> 00.", 0, NULL},
	{"*8 -> voicemail", 0, NULL},
	{"**x -> pick-up_.", 0, NULL},
	{"#31#. -> .", 0, NULL},
	{". -> 9.", 0, NULL},
	{"", 0, "PATTERN -> REPLACEMENT"},
	{"0.", 2, "PATTERN -> REPLACEMENT"},
	{"0. > 1", 6, "PATTERN -> REPLACEMENT"},
	{"-> 1", 0, "nothing stands before the arrow"},
	{"0. ->  ", 7, "nothing stands behind the arrow"},
	{"0.1 -> 1", 1, "a dot stands at the end"},
	{"0 1 -> 1", 1, "a pattern has digits"},
	{"bob -> 1", 0, "a pattern has digits"},
	{"0X -> 1", 1, "a pattern has digits"},
	{"0[12 -> 1", 1, "the bracket is not closed"},
	{"0[] -> 1", 2, "nothing stands in the brackets"},
	{"0[1a] -> 1", 3, "in brackets stand digits"},
	{"0[-1] -> 1", 2, "in brackets stand digits"},
	{"0[1-] -> 1", 3, "in brackets stand digits"},
	{"0[9-2] -> 1", 3, "a range goes up"},
	{"0[2-x] -> 1", 3, "a range goes up"},
	{"0] -> 1", 1, "a pattern has digits"},
	{"0. -> +49..", 10, "one dot is enough"},
	{"01 -> 2.", 7, "no x, bracket or dot"},
	{"0. -> a b", 7, "what is dialled has letters"},
	{"0. -> .@example.org", 7, "what is dialled has letters"},
	{"0. -> 1 -> 2", 7, "what is dialled has letters"},
};

static const struct {
	const char *code, *rules[3];
	const char *number, *made;
	const char *rule; /* NULL: none */
} numbers[] = {
	{NULL, {NULL}, "0171", "0171", NULL},
	{NULL, {"0. -> +49."}, "0171", "+49171", "0. -> +49."},
	{NULL, {"0. -> +49."}, "0", "0", NULL},
	{NULL, {"0. -> +49."}, "0*1", "0*1", NULL},
	{NULL, {"0. -> +49."}, "171", "171", NULL},
	{NULL, {"00. -> +.", "0. -> +49."}, "0044", "+44", "00. -> +."},
	{NULL, {"0. -> +49.", "00. -> +."}, "0044", "+49044", "0. -> +49."}, /* the first counts */
	{NULL, {"[2-9]xx -> +49301."}, "234", "+49301234", "[2-9]xx -> +49301."},
	{NULL, {"[2-9]xx -> +49301."}, "134", "134", NULL},
	{NULL, {"[2-9]xx -> +49301."}, "2345", "2345", NULL},
	{NULL, {"[2-9]xx -> +49301."}, "23", "23", NULL},
	{NULL, {"[2-9]xx -> +49301."}, "2*3", "2*3", NULL},
	{NULL, {"[19]x -> ."}, "19", "19", "[19]x -> ."},
	{NULL, {"[19]x -> ."}, "29", "29", NULL},
	{NULL, {"9x. -> ."}, "91", "91", NULL}, /* a dot is one digit or more */
	{NULL, {"9x. -> ."}, "912", "12", "9x. -> ."},
	{NULL, {"4x1 -> a.b"}, "421", "a21b", "4x1 -> a.b"}, /* from the x on */
	{NULL, {"+49. -> 0."}, "+4930", "030", "+49. -> 0."},
	{NULL, {"*8 -> voicemail"}, "*8", "voicemail", "*8 -> voicemail"},
	{NULL, {". -> 9.", "x -> ."}, "+1", "+1", NULL},
	{"49", {NULL}, "0171", "+49171", "0. -> +49."},
	{"49", {NULL}, "0044", "+44", "00. -> +."},
	{"49", {NULL}, "171", "171", NULL},
	{"49", {"01. -> +491."}, "0171", "+49171", "01. -> +491."}, /* before the country's */
	{"1", {NULL}, "2125550100", "+12125550100", "[2-9]xx[2-9]xxxxxx -> +1."},
	{"1", {NULL}, "12125550100", "+12125550100", "1[2-9]xx[2-9]xxxxxx -> +1."},
	{"1", {NULL}, "0114930", "+4930", "011. -> +."},
	{"1", {NULL}, "0171", "0171", NULL},
	{"39", {NULL}, "0612345", "+390612345", "0[1-9]. -> +390."},
	{"39", {NULL}, "3331234567", "+393331234567", "3xxxxxxxx. -> +393."},
	{"39", {NULL}, "0049", "+49", "00. -> +."},
	{"36", {NULL}, "0612345", "+3612345", "06[1-9]. -> +36."},
	{"7", {NULL}, "84951234567", "+74951234567", "8[3-9]xxxxxxxxx -> +7."},
	/* where 00 leads to somebody else, or nowhere */
	{"61", {NULL}, "00114930123", "+4930123", "0011. -> +."},
	{"61", {NULL}, "0298765432", "+61298765432", "0[1-9]. -> +61."},
	{"61", {NULL}, "004930123", "004930123", NULL},
	{"81", {NULL}, "0104930123", "+4930123", "010. -> +."},
	{"81", {NULL}, "0312345678", "+81312345678", "0[1-9]. -> +81."},
	{"82", {NULL}, "0024930123", "+4930123", "002. -> +."},
	{"82", {NULL}, "0212345678", "+82212345678", "0[1-9]. -> +82."},
	{"65", {NULL}, "0014930123", "+4930123", "001. -> +."},
	{"65", {NULL}, "61234567", "+6561234567", "[3689]xxxxxxx -> +65."},
	{"852", {NULL}, "0014930123", "+4930123", "001. -> +."},
	{"852", {NULL}, "21234567", "+85221234567", "[2-9]xxxxxxx -> +852."},
	{"886", {NULL}, "0024930123", "+4930123", "002. -> +."},
	{"66", {NULL}, "0014930123", "+4930123", "001. -> +."},
	{"62", {NULL}, "0074930123", "+4930123", "007. -> +."},
	{"234", {NULL}, "0094930123", "+4930123", "009. -> +."},
	{"254", {NULL}, "0004930123", "+4930123", "000. -> +."},
	{"375", {NULL}, "80171234567", "+375171234567", "80. -> +375."},
	{"55", {NULL}, "01112345678", "+551112345678", "0[1-9]xxxxxxxxx -> +55."},
	{"55", {NULL}, "00214930123", "00214930123", NULL}, /* 21 is a carrier */
	{"34", {NULL}, "912345678", "+34912345678", "[6-9]xxxxxxxx -> +34."},
	{"34", {NULL}, "091", "091", NULL},
	/* no rule changes these */
	{"49", {"1. -> 9."}, "112", "112", NULL},
	{"49", {"1. -> 9."}, "110", "110", NULL},
	{"49", {"1. -> 9."}, "111", "911", "1. -> 9."},
	{"61", {"00. -> +."}, "000", "000", NULL},
	{NULL, {"1. -> 2.", "9. -> 2."}, "999", "999", NULL},
};

static const struct {
	const char *typed, *number; /* NULL: it is none */
} typed[] = {
	{"0171 234-5", "01712345"},
	{" +49 (0) 30.12/3 ", "+4930123"},
	{"(030) 12", "03012"},
	{"(0)30", "030"},
	{"030.12", "03012"},
	{"+1.212.555", "+1212555"},
	{"112", "112"},
	{"*21*0171#", "*21*0171#"},
	{"#31#0171", "#31#0171"},
	{"*8", "*8"},
	{"", NULL},
	{"+", NULL},
	{"-", NULL},
	{"#2", NULL},
	{"*#", NULL},
	{"1+2", NULL},
	{"++1", NULL},
	{"bob", NULL},
	{"12a", NULL},
	{"192.0.2.7", NULL},
	{"0.0.0.0", NULL},
	{"192.0.2", NULL}, /* somebody has forgotten a part of an address */
	{"127.1", NULL},
	{"0171@h", NULL},
	{"12:34", NULL},
	{"0123456789012345678901234567890123456789012345678901234567890123",
		"0123456789012345678901234567890123456789012345678901234567890123"},
	{"01234567890123456789012345678901234567890123456789012345678901234", NULL},
};
/* clang-format on */

static struct dialplan *make(const char *code, const char *const *list, size_t count)
{
	struct dialplan *plan;
	struct fault why;

	assert_int_equal(dialplan_new(&plan), 0);
	if (code) /* before or behind the rules: it is the same */
		assert_int_equal(dialplan_set_country(plan, slice_of(code), &why, NULL), 0);
	for (size_t i = 0; i < count && list[i]; i++)
		assert_int_equal(dialplan_add(plan, slice_of(list[i]), &why, NULL), 0);
	return plan;
}

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct dialplan *plan = make(NULL, NULL, 0);
		struct fault why = {""};
		size_t at = SIZE_MAX;
		int err = dialplan_add(plan, slice_of(rules[i].rule), &why, &at);

		if (err != (rules[i].words ? -EINVAL : 0))
			fail_msg("%s: %d", rules[i].rule, err);
		if (err && (at != rules[i].at || !strstr(why.words, rules[i].words)))
			fail_msg("%s: at %zu: %s", rules[i].rule, at, why.words);
		dialplan_free(plan);
	}
}

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct dialplan *plan = make(numbers[i].code, numbers[i].rules, 3);
		char room[DIALPLAN_RULE_MAX + DIALPLAN_NUMBER_MAX];
		struct text made = TEXT_IN(room);
		const char *rule = dialplan_apply(&made, plan, slice_of(numbers[i].number));

		if (strcmp(room, numbers[i].made) != 0 || !rule != !numbers[i].rule ||
			(rule && strcmp(rule, numbers[i].rule) != 0))
			fail_msg("%s: %s by %s", numbers[i].number, room, rule ? rule : "none");
		dialplan_free(plan);
	}
}

static void test_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		char room[DIALPLAN_NUMBER_MAX + 1];
		struct text number = TEXT_IN(room);
		bool is = dialplan_read(&number, slice_of(typed[i].typed));

		if (is != (typed[i].number != NULL) || (is && strcmp(room, typed[i].number) != 0))
			fail_msg("%s: %d %s", typed[i].typed, is, room);
	}
}

static void test_countries(void **state)
{
	static const char *const wrong[] = {"", "0", "049", "+49", "4999", "x", "4 9"};
	struct dialplan *plan = make(NULL, NULL, 0);
	struct fault why;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			dialplan_set_country(plan, slice_of(wrong[i]), &why, NULL), -EINVAL);
	dialplan_free(plan);
}

static bool calls_help(const struct dialplan *plan, const char *number)
{
	return dialplan_is_emergency(plan, slice_of(number));
}

static void test_emergencies(void **state)
{
	struct dialplan *plan = make("49", NULL, 0);
	struct fault why;
	size_t at;

	(void)state;
	assert_true(calls_help(plan, "112") && calls_help(plan, "911") && calls_help(plan, "110"));
	assert_false(calls_help(plan, "999") || calls_help(plan, "1120") || calls_help(plan, ""));
	assert_true(calls_help(NULL, "112") && calls_help(NULL, "999"));
	assert_int_equal(dialplan_add_emergency(plan, slice_of("115, 19 222"), &why, &at), 0);
	assert_true(calls_help(plan, "115") && calls_help(plan, "19222"));
	assert_int_equal(dialplan_add_emergency(plan, slice_of("115,,1"), &why, &at), -EINVAL);
	assert_int_equal(at, 4);
	assert_int_equal(dialplan_add_emergency(plan, slice_of("police"), &why, &at), -EINVAL);
	for (size_t i = 0; i < 32; i++)
		(void)dialplan_add_emergency(plan, slice_of("1"), &why, &at);
	assert_int_equal(dialplan_add_emergency(plan, slice_of("1"), &why, &at), -EINVAL);
	dialplan_free(plan);
}

static void test_limits(void **state)
{
	struct dialplan *plan;
	char longest[DIALPLAN_RULE_MAX + 2];
	struct fault why;
	size_t at;

	(void)state;
	no_memory = true;
	assert_int_equal(dialplan_new(&plan), -ENOMEM);
	no_memory = false;
	plan = make(NULL, NULL, 0);
	memset(longest, '0', sizeof(longest));
	memcpy(longest + 50, "->", 2);
	longest[DIALPLAN_RULE_MAX + 1] = '\0';
	assert_int_equal(dialplan_add(plan, slice_of(longest), &why, &at), -EINVAL);
	longest[DIALPLAN_RULE_MAX] = '\0';
	for (size_t i = 0; i < DIALPLAN_RULES_MAX; i++)
		assert_int_equal(dialplan_add(plan, slice_of(longest), &why, &at), 0);
	assert_int_equal(dialplan_add(plan, slice_of(longest), &why, &at), -EINVAL);
	assert_int_equal(dialplan_set_country(plan, slice_of("49"), &why, &at), -EINVAL);
	dialplan_free(plan);
	dialplan_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_emergencies),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("ua/dialplan", tests, NULL, NULL);
}
