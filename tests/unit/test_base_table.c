/* core/base/table: what is put in is found, in order, while it grows; and without memory. */
#include "core/base/list.h"
#include "core/base/table.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { NODES = 1000 };

static bool no_memory;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

static struct table_node nodes[NODES];

/* Few hashes, so that each has several nodes; and some that share a bucket. */
static uint32_t hash_of(size_t i)
{
	return (uint32_t)(i % 100) * 64;
}

static void expect_from(const struct table *table, size_t first)
{
	for (size_t hash = 0; hash < 100; hash++) {
		struct table_node *node = table_find(table, (uint32_t)hash * 64);

		for (size_t i = hash; i < NODES; i += 100) {
			if (i < first)
				continue;
			assert_ptr_equal(node, &nodes[i]); /* in the order of adding */
			node = table_find_next(node);
		}
		assert_null(node);
	}
	assert_null(table_find(table, 1));
	assert_int_equal(table->count, NODES - first);
}

static void fill(struct table *table)
{
	for (size_t i = 0; i < NODES; i++)
		table_add(table, &nodes[i], hash_of(i));
}

static void test_order(void **state)
{
	struct table table;

	(void)state;
	assert_int_equal(table_init(&table), 0);
	assert_null(table_find(&table, 0));
	fill(&table);
	assert_true(table.size >= NODES / 2);
	expect_from(&table, 0);
	for (size_t i = 0; i < NODES; i++) {
		table_remove(&table, &nodes[i]);
		if (i % 50 == 0)
			expect_from(&table, i + 1);
	}
	assert_int_equal(table.count, 0);
	table_close(&table);
}

static void test_no_memory(void **state)
{
	struct table table;

	(void)state;
	no_memory = true;
	assert_int_equal(table_init(&table), -ENOMEM);
	table_close(&table);
	no_memory = false;
	assert_int_equal(table_init(&table), 0);
	no_memory = true;
	fill(&table);
	no_memory = false;
	assert_int_equal(table.size, 64);
	expect_from(&table, 0);
	table_close(&table);
}

static void test_hash(void **state)
{
	uint32_t ab = table_hash(1, slice_of("ab"));

	(void)state;
	assert_int_equal(ab, table_hash(1, slice_of("ab")));
	assert_int_not_equal(ab, table_hash(2, slice_of("ab")));
	assert_int_not_equal(ab, table_hash(1, slice_of("ba")));
	assert_int_not_equal(ab, table_hash(1, slice_of("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
