#include "core/base/heap.h"

#include <assert.h>
#include <stddef.h>

/*
 * A tree in which no node comes out before its parent. Push and the look at the first take constant
 * time; removing takes logarithmic time, spread over many (Fredman, Sedgewick, Sleator, Tarjan: The
 * Pairing Heap, 1986). Nothing recurses: the depth is nobody's promise.
 */

/* Makes one tree of two; each may be NULL. The root that is returned has no siblings. */
static struct heap_node *meld(
	const struct heap *heap, struct heap_node *first, struct heap_node *second)
{
	struct heap_node *top = first;
	struct heap_node *under = second;

	if (!first)
		return second;
	if (!second)
		return first;

	if (heap->before(second, first)) {
		top = second;
		under = first;
	}
	under->next = top->child;
	if (under->next)
		under->next->prev = under;
	under->prev = top;
	top->child = under;
	return top;
}

/* Cuts the first tree off a list of siblings; NULL from an empty one. */
static struct heap_node *pop(struct heap_node **list)
{
	struct heap_node *tree = *list;

	if (tree) {
		*list = tree->next;
		tree->next = NULL;
		tree->prev = NULL;
	}
	return tree;
}

/* Makes one tree of a list of siblings: melds them in pairs, then the pairs, the last one first. */
static struct heap_node *meld_all(const struct heap *heap, struct heap_node *list)
{
	struct heap_node *pairs = NULL;
	struct heap_node *tree;
	struct heap_node *all = NULL;

	while ((tree = pop(&list))) {
		tree = meld(heap, tree, pop(&list));
		tree->next = pairs;
		pairs = tree;
	}
	while ((tree = pop(&pairs)))
		all = meld(heap, all, tree);
	return all;
}

void heap_push(struct heap *heap, struct heap_node *node)
{
	assert(!node->queued);
	*node = (struct heap_node){.queued = true};
	heap->root = meld(heap, heap->root, node);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->root;
}

/* Takes node, which is not the root, out of the list of its siblings; its children stay its own. */
static void detach(struct heap_node *node)
{
	if (node->prev->child == node)
		node->prev->child = node->next;
	else
		node->prev->next = node->next;
	if (node->next)
		node->next->prev = node->prev;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	struct heap_node *below;

	assert(node->queued);
	if (node == heap->root) {
		heap->root = meld_all(heap, node->child);
	} else {
		detach(node);
		below = meld_all(heap, node->child);
		heap->root = meld(heap, heap->root, below);
	}
	*node = (struct heap_node){0};
}
