#include "core/base/table.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

int table_init(struct table *table)
{
	*table = (struct table){.size = FIRST_SIZE};
	table->buckets = calloc(table->size, sizeof(struct table_node *));
	return table->buckets ? 0 : -ENOMEM;
}

void table_close(struct table *table)
{
	free(table->buckets);
	*table = (struct table){0};
}

/* Where the pointer to the first node of that hash stands, or would stand: a bucket's end. */
static struct table_node **place(const struct table *table, uint64_t hash)
{
	struct table_node **at = &table->buckets[hash & (table->size - 1)];

	while (*at && (*at)->hash != hash)
		at = &(*at)->next;
	return at;
}

/* After the last of the same hash. */
static void append(struct table *table, struct table_node *node)
{
	struct table_node **at = place(table, node->hash);

	while (*at && (*at)->hash == node->hash)
		at = &(*at)->next;
	node->next = *at;
	*at = node;
}

/* Without memory it stays as small as it is, and slower. */
static void grow(struct table *table)
{
	struct table larger = {.size = table->size * 2};

	larger.buckets = calloc(larger.size, sizeof(struct table_node *));
	if (!larger.buckets)
		return;

	for (size_t i = 0; i < table->size; i++) {
		struct table_node *next;

		for (struct table_node *node = table->buckets[i]; node; node = next) {
			next = node->next;
			append(&larger, node);
		}
	}
	free(table->buckets);
	table->buckets = larger.buckets;
	table->size = larger.size;
}

void table_add(struct table *table, struct table_node *node, uint64_t hash)
{
	if (table->count >= table->size)
		grow(table);
	node->hash = hash;
	append(table, node);
	table->count++;
}

void table_remove(struct table *table, struct table_node *node)
{
	struct table_node **at = place(table, node->hash);

	while (*at && *at != node)
		at = &(*at)->next;
	assert(*at == node);
	*at = node->next;
	node->next = NULL;
	table->count--;
}

struct table_node *table_find(const struct table *table, uint64_t hash)
{
	return *place(table, hash);
}

struct table_node *table_find_next(const struct table_node *node)
{
	return node->next && node->next->hash == node->hash ? node->next : NULL;
}

/* FNV-1a, with the low bits, which choose the bucket, stirred at the end. */
uint32_t table_hash(uint32_t seed, struct slice bytes)
{
	uint32_t hash = seed ^ UINT32_C(2166136261);

	for (size_t i = 0; i < bytes.len; i++) {
		hash ^= bytes.data[i];
		hash *= UINT32_C(16777619);
	}
	return hash ^ hash >> 15;
}
