#include "core/base/nearest.h"

#include "core/base/text.h"

#include <stdbool.h>

enum {
	CHANGES_MAX = 2,
	WORD_MAX = NEAREST_NAME_MAX + CHANGES_MAX, /* longer words are near nothing */
	BEGINNING_MIN = 2,                         /* one letter is no beginning of a name */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(uint8_t a, uint8_t b)
{
	return slice_equal_nocase((struct slice){&a, 1}, (struct slice){&b, 1});
}

/*
 * How many changes make one of the other: the optimal string alignment distance. Row i holds the
 * distances of the first i bytes of a to each beginning of b; a swap looks two rows back.
 */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][NEAREST_NAME_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;

	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *before = rows[(i + 2) % 3];
		const size_t *two_before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t changed = before[j - 1] + !same(a.data[i - 1], b.data[j - 1]);

			row[j] = least(changed, least(before[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a.data[i - 1], b.data[j - 2]) &&
				same(a.data[i - 2], b.data[j - 1]))
				row[j] = least(row[j], two_before[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

static const char *by_changes(struct slice word, size_t count, nearest_at *name, const void *arg)
{
	size_t limit = least(CHANGES_MAX, word.len / 2);
	size_t best_changes = limit + 1;
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *candidate = name(arg, i);
		size_t changes;

		if (!candidate || strlen(candidate) > NEAREST_NAME_MAX)
			continue;
		changes = distance(word, slice_of(candidate));
		if (changes < best_changes) {
			best = candidate;
			best_changes = changes;
		}
	}
	return best;
}

static const char *by_beginning(struct slice word, size_t count, nearest_at *name, const void *arg)
{
	const char *only = NULL;

	if (word.len < BEGINNING_MIN)
		return NULL;

	for (size_t i = 0; i < count; i++) {
		const char *candidate = name(arg, i);
		struct slice start;

		if (!candidate || strlen(candidate) < word.len)
			continue;
		start = (struct slice){(const uint8_t *)candidate, word.len};
		if (!slice_equal_nocase(start, word))
			continue;
		if (only)
			return NULL;
		only = candidate;
	}
	return only;
}

const char *nearest_name(struct slice word, size_t count, nearest_at *name, const void *arg)
{
	const char *near;

	if (word.len > WORD_MAX)
		return NULL;

	near = by_changes(word, count, name, arg);
	return near ? near : by_beginning(word, count, name, arg);
}
