/*
 * A priority queue of nodes that live inside what they order, so that nothing is allocated: a
 * pairing heap. The owner of the heap is whoever holds it; all on its thread.
 */
#pragma once

#include <stdbool.h>

/* All zero when it is in no heap. */
struct heap_node {
	struct heap_node *child; /* the first; none comes out before this one */
	struct heap_node *next;  /* the next sibling, in no order */
	struct heap_node *prev;  /* the sibling before, or for a first child the parent */
	bool queued;             /* it is in a heap */
};

struct heap {
	struct heap_node *root; /* NULL: empty */
	/* Whether a comes out before b. It must be a strict order. */
	bool (*before)(const struct heap_node *a, const struct heap_node *b);
};

/* Adds node, which is in no heap. */
void heap_push(struct heap *heap, struct heap_node *node);

/* The node before all others, still in the heap, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

/* Takes node, which is in heap, out of it. */
void heap_remove(struct heap *heap, struct heap_node *node);
