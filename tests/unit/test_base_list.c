/* core/base/list: order, removal from each place, and removal of the link at hand. */
#include "core/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ITEMS = 3 };

struct item {
	char before; /* so that link is not where item begins */
	struct list link;
	char name;
};

static void fill(struct list *head, struct item items[static ITEMS])
{
	list_init(head);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = (struct item){.name = (char)('a' + i)};
		list_add(head, &items[i].link);
	}
}

/* Both ways round must say the same. */
static void check(struct list *head, const char *names)
{
	struct list *back = head->prev;
	char seen[ITEMS + 1] = "";
	size_t count = 0;
	size_t i = 0;

	list_each(link, head)
	{
		assert_true(count < ITEMS);
		seen[count++] = container_of(link, struct item, link)->name;
	}
	assert_string_equal(seen, names);
	assert_int_equal(list_empty(head), count == 0);
	for (; back != head; back = back->prev)
		assert_int_equal(container_of(back, struct item, link)->name, names[count - ++i]);
	assert_int_equal(i, count);
}

static void test_empty(void **state)
{
	struct list head;

	(void)state;
	list_init(&head);
	check(&head, "");
	list_remove(&head);
	check(&head, "");
}

static void test_remove_each(void **state)
{
	static const char *const left[ITEMS] = {"bc", "ac", "ab"};

	(void)state;
	for (size_t i = 0; i < ITEMS; i++) {
		struct item items[ITEMS];
		struct list head;

		fill(&head, items);
		check(&head, "abc");
		list_remove(&items[i].link);
		check(&head, left[i]);
		list_remove(&items[i].link); /* once more does nothing */
		check(&head, left[i]);
		assert_true(list_empty(&items[i].link));
	}
}

static void test_add_again(void **state)
{
	struct item items[ITEMS];
	struct list head;

	(void)state;
	fill(&head, items);
	list_remove(&items[0].link);
	list_add(&head, &items[0].link);
	check(&head, "bca");
}

static void test_remove_all(void **state)
{
	struct item items[ITEMS];
	struct list head;

	(void)state;
	fill(&head, items);
	for (size_t i = 0; i < ITEMS; i++)
		list_remove(&items[i].link);
	check(&head, "");
}

/* AddressSanitizer sees whether the link is looked at after it is gone. */
static void test_free_at_hand(void **state)
{
	struct list head;
	size_t seen = 0;

	(void)state;
	list_init(&head);
	for (int i = 0; i < ITEMS; i++) {
		struct item *item = calloc(1, sizeof(*item));

		assert_non_null(item);
		list_add(&head, &item->link);
	}
	list_each(link, &head)
	{
		struct item *item = container_of(link, struct item, link);

		list_remove(&item->link);
		free(item);
		seen++;
	}
	assert_int_equal(seen, ITEMS);
	check(&head, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_remove_each),
		cmocka_unit_test(test_add_again),
		cmocka_unit_test(test_remove_all),
		cmocka_unit_test(test_free_at_hand),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
