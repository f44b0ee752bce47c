#include "core/sip/srv.h"

typedef bool before_fn(const struct dns_record *a, const struct dns_record *b);

/* Puts records[from] in the place of records[to], to <= from; those between move up. */
static void move(struct dns_record *records, size_t from, size_t to)
{
	struct dns_record record = records[from];

	memmove(&records[to + 1], &records[to], (from - to) * sizeof(record));
	records[to] = record;
}

/* Those that are equal keep their order. */
static void sort(struct dns_record *records, size_t count, before_fn *before)
{
	for (size_t i = 1; i < count; i++) {
		size_t to = i;

		while (to > 0 && before(&records[i], &records[to - 1]))
			to--;
		move(records, i, to);
	}
}

static bool naptr_before(const struct dns_record *a, const struct dns_record *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight < b->weight;
}

void sip_naptr_order(struct dns_record *records, size_t count)
{
	sort(records, count, naptr_before);
}

/* Weight 0 goes before all others, for a very small chance. */
static bool srv_before(const struct dns_record *a, const struct dns_record *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight == 0 && b->weight > 0;
}

/* The first of those left of one priority: chance falls on one of the sum's parts. */
static size_t pick(const struct dns_record *records, size_t count, struct loop *loop)
{
	uint32_t sum = 0, chosen, so_far = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += records[i].weight;
	chosen = loop_random_below(loop, sum + 1);
	for (i = 0; i + 1 < count; i++) {
		so_far += records[i].weight;
		if (so_far >= chosen)
			break;
	}
	return i;
}

void sip_srv_order(struct dns_record *records, size_t count, struct loop *loop)
{
	sort(records, count, srv_before);
	for (size_t i = 0; i < count; i++) {
		size_t end = i + 1;

		while (end < count && records[end].priority == records[i].priority)
			end++;
		move(records, i + pick(&records[i], end - i, loop), i);
	}
}
