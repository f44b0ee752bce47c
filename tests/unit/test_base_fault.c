/* core/base/fault: the words, what is cut, and the code handed through. */
#include "core/base/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

static void test_words(void **state)
{
	struct fault fault = {"what was there before, which is longer"};

	(void)state;
	assert_int_equal(fault_set(&fault, -ENOENT, "cannot open %s: %d", "x.wav", 7), -ENOENT);
	assert_string_equal(fault.words, "cannot open x.wav: 7");
	assert_int_equal(fault_set(&fault, 0, "%s", ""), 0);
	assert_string_equal(fault.words, "");
}

static void test_nobody_asks(void **state)
{
	(void)state;
	assert_int_equal(fault_set(NULL, -EPROTO, "%s", "words"), -EPROTO);
}

/* What is given is not escaped: a backslash of the caller's escapes stays what it is. */
static void test_not_escaped(void **state)
{
	struct fault fault;

	(void)state;
	fault_set(&fault, -EPROTO, "%s", "\\x1b \xc3\xa4 \x7f");
	assert_string_equal(fault.words, "\\x1b \xc3\xa4 \x7f");
}

static void test_cut(void **state)
{
	struct {
		struct fault fault;
		char guard[4];
	} room;
	char asked[FAULT_SIZE + 9];

	(void)state;
	for (size_t len = FAULT_SIZE - 3; len <= FAULT_SIZE + 3; len++) {
		size_t kept = len < FAULT_SIZE - 1 ? len : FAULT_SIZE - 1;

		memset(&room, '#', sizeof(room));
		memset(asked, 'a', len);
		asked[len] = '\0';
		assert_int_equal(fault_set(&room.fault, -EIO, "%s", asked), -EIO);
		assert_int_equal(strlen(room.fault.words), kept);
		assert_memory_equal(room.fault.words, asked, kept);
		assert_memory_equal(room.guard, "####", 4);
	}
}

/* A character in two would be shown as broken bytes. */
static void test_cut_between_characters(void **state)
{
	char asked[FAULT_SIZE + 9];
	struct fault fault;

	(void)state;
	memset(asked, 'a', FAULT_SIZE - 2);
	strcpy(asked + FAULT_SIZE - 2, "\xc3\xa4");
	fault_set(&fault, -EIO, "%s", asked);
	assert_int_equal(strlen(fault.words), FAULT_SIZE - 2);
	assert_int_equal(fault.words[FAULT_SIZE - 3], 'a');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nobody_asks),
		cmocka_unit_test(test_not_escaped),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_between_characters),
	};

	return cmocka_run_group_tests_name("base/fault", tests, NULL, NULL);
}
