/* core/base/heap: it gives out what a sorted array would, whatever is pushed and removed when. */
#include "core/base/heap.h"

#include "core/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ITEMS = 64,
	STEPS = 4000,
	SEEDS = 8,
	DEEP = 20000,
};

struct item {
	struct heap_node node;
	uint32_t key;
	uint32_t order; /* among equal keys */
};

static bool item_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct item *x = container_of(a, const struct item, node);
	const struct item *y = container_of(b, const struct item, node);

	return x->key != y->key ? x->key < y->key : x->order < y->order;
}

static struct heap empty(void)
{
	return (struct heap){.before = item_before};
}

static struct item *first(const struct heap *heap)
{
	struct heap_node *node = heap_first(heap);

	return node ? container_of(node, struct item, node) : NULL;
}

static struct item *take_first(struct heap *heap)
{
	struct item *item = first(heap);

	assert_non_null(item);
	heap_remove(heap, &item->node);
	return item;
}

static uint32_t draw(uint32_t *seed) /* the same on each machine */
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void test_empty(void **state)
{
	struct heap heap = empty();
	struct item item = {0};

	(void)state;
	assert_null(heap_first(&heap));
	heap_push(&heap, &item.node);
	assert_true(item.node.queued);
	assert_ptr_equal(heap_first(&heap), &item.node);
	assert_ptr_equal(heap_first(&heap), &item.node); /* still in it */
	heap_remove(&heap, &item.node);
	assert_false(item.node.queued);
	assert_null(heap_first(&heap));
}

/* The model: the queued item that is before all others, found by looking at each. */
static struct item *model_first(struct item *items)
{
	struct item *best = NULL;

	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].node.queued && (!best || item_before(&items[i].node, &best->node)))
			best = &items[i];
	return best;
}

static void run_seed(uint32_t seed)
{
	struct item items[ITEMS] = {0};
	struct heap heap = empty();
	bool queued[ITEMS] = {0};

	for (uint32_t step = 0; step < STEPS; step++) {
		size_t i = draw(&seed) % ITEMS;

		if (queued[i]) {
			heap_remove(&heap, &items[i].node); /* from wherever it is */
		} else {
			items[i].key = draw(&seed) % 16; /* many equal ones */
			items[i].order = step;
			heap_push(&heap, &items[i].node);
		}
		queued[i] = !queued[i];
		assert_int_equal(items[i].node.queued, queued[i]);

		if (step % 16 == 0 && first(&heap)) {
			struct item *item = take_first(&heap);

			assert_true(queued[item - items]);
			queued[item - items] = false;
		}
		assert_ptr_equal(first(&heap), model_first(items));
	}

	for (struct item *item; (item = model_first(items));)
		assert_ptr_equal(take_first(&heap), item);
	assert_null(heap_first(&heap));
}

static void test_random_against_model(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
}

static void test_ties_by_order(void **state)
{
	struct item items[ITEMS] = {0};
	struct heap heap = empty();

	(void)state;
	for (uint32_t i = 0; i < ITEMS; i++) {
		uint32_t shuffled =
			i * 37 % ITEMS; /* each once, as 37 is odd and ITEMS a power of 2 */

		items[shuffled].order = shuffled;
		heap_push(&heap, &items[shuffled].node);
	}
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_int_equal(take_first(&heap)->order, i);
}

static void test_pushed_again_with_another_key(void **state)
{
	struct item items[3] = {{.key = 1}, {.key = 2}, {.key = 3}};
	struct heap heap = empty();

	(void)state;
	for (size_t i = 0; i < 3; i++)
		heap_push(&heap, &items[i].node);
	heap_remove(&heap, &items[0].node);
	items[0].key = 9;
	heap_push(&heap, &items[0].node);

	assert_ptr_equal(take_first(&heap), &items[1]);
	assert_ptr_equal(take_first(&heap), &items[2]);
	assert_ptr_equal(take_first(&heap), &items[0]);
	assert_null(heap_first(&heap));
}

/* Chains as long as the heap is large, which recursion would not survive; up, and down. */
static void test_deep(void **state)
{
	struct item *items = calloc(DEEP, sizeof(*items));

	(void)state;
	assert_non_null(items);
	for (uint32_t down = 0; down < 2; down++) {
		struct heap heap = empty();

		for (uint32_t i = 0; i < DEEP; i++) {
			items[i].key = down ? DEEP - i : i;
			heap_push(&heap, &items[i].node);
		}
		for (uint32_t i = 0; i < DEEP; i++)
			assert_int_equal(take_first(&heap)->key, down ? i + 1 : i);
		assert_null(heap_first(&heap));
	}
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_ties_by_order),
		cmocka_unit_test(test_pushed_again_with_another_key),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests_name("base/heap", tests, NULL, NULL);
}
