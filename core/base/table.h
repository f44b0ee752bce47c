/*
 * A hash table of nodes that live inside what they find, so that adding cannot fail. Nodes of one
 * hash stay in the order in which they were added, so that nothing depends on addresses. Whoever
 * holds the table owns it; all on its thread.
 */
#pragma once

#include "core/base/bytes.h"

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets;
	size_t size; /* a power of two */
	size_t count;
};

/* -ENOMEM. */
int table_init(struct table *table);

/* Forgets the nodes, which are their owners'. */
void table_close(struct table *table);

/* Adds node, which is in no table. It grows the table when there is memory for that. */
void table_add(struct table *table, struct table_node *node, uint64_t hash);

/* Takes node, which is in table, out of it. */
void table_remove(struct table *table, struct table_node *node);

/* The first node of that hash, and the next of the same; NULL: no more. They may be strangers. */
struct table_node *table_find(const struct table *table, uint64_t hash);
struct table_node *table_find_next(const struct table_node *node);

/* A hash of bytes that follow on those of seed. Who does not know the seed cannot aim collisions.
 */
uint32_t table_hash(uint32_t seed, struct slice bytes);
