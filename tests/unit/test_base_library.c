/* core/base/library: what is found in a library, and what is said of what is not. */
#include "core/base/library.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

struct table {
	double (*cos)(double x);
	double (*fabs)(double x);
};

static const struct library_symbol symbols[] = {
	{"cos", offsetof(struct table, cos)},
	{"fabs", offsetof(struct table, fabs)},
};

static void test_functions_are_found_and_can_be_called(void **state)
{
	struct table table = {0};
	struct fault why;

	(void)state;
	assert_int_equal(library_load(&table, "libm.so.6", symbols, 2, &why), 0);
	assert_true(table.cos(0) == 1.0);
	assert_true(table.fabs(-2.5) == 2.5);
}

static void test_only_as_many_as_are_asked_for(void **state)
{
	struct table table = {0};

	(void)state;
	assert_int_equal(library_load(&table, "libm.so.6", symbols, 1, NULL), 0);
	assert_non_null(table.cos);
	assert_null(table.fabs);
}

static void test_a_table_that_is_filled_stays_as_it_is(void **state)
{
	struct table table = {0};

	(void)state;
	assert_int_equal(library_load(&table, "libm.so.6", symbols, 2, NULL), 0);
	assert_int_equal(library_load(&table, "libnobody.so.7", symbols, 2, NULL), 0);
	assert_true(table.fabs(-1) == 1.0);
}

static void test_a_library_that_is_not_there_is_named(void **state)
{
	struct table table = {0};
	struct fault why;

	(void)state;
	assert_int_equal(library_load(&table, "libnobody.so.7", symbols, 2, &why), -ENOENT);
	assert_string_equal(why.words, "the library libnobody.so.7 is not installed");
	assert_null(table.cos);
}

static void test_a_function_that_is_not_there_is_named_and_nothing_is_touched(void **state)
{
	static const struct library_symbol wanted[] = {
		{"cos", offsetof(struct table, cos)},
		{"cosecant_of_the_new", offsetof(struct table, fabs)},
	};
	struct table table = {0};
	struct fault why;

	(void)state;
	assert_int_equal(library_load(&table, "libm.so.6", wanted, 2, &why), -ENOSYS);
	assert_string_equal(
		why.words, "the library libm.so.6 is too old: it lacks cosecant_of_the_new");
	assert_null(table.cos);
	assert_null(table.fabs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found_and_can_be_called),
		cmocka_unit_test(test_only_as_many_as_are_asked_for),
		cmocka_unit_test(test_a_table_that_is_filled_stays_as_it_is),
		cmocka_unit_test(test_a_library_that_is_not_there_is_named),
		cmocka_unit_test(test_a_function_that_is_not_there_is_named_and_nothing_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
