#include "cmd/prompt/choices.h"

#include "cmd/columns.h"
#include "core/base/text.h"

#include <stdlib.h>

enum {
	GAP = 2,
	ESCAPED_MAX = 4, /* bytes that one byte is shown as at most: "\xNN" */
	MORE_SIZE = 64,
};

static size_t columns_of(char *room, size_t size, const char *word)
{
	struct text text = text_in(room, size);

	text_put_escaped(&text, slice_of(word));
	return columns_count(text_slice(&text));
}

/* How wide the widest is, and how long the longest could be. */
static void measure(size_t *columns, size_t *size, const char *const *words, size_t count)
{
	*columns = 0;
	*size = 1;
	for (size_t i = 0; i < count; i++)
		if (ESCAPED_MAX * strlen(words[i]) + 1 > *size)
			*size = ESCAPED_MAX * strlen(words[i]) + 1;
	for (size_t i = 0; i < count; i++) {
		char *room = malloc(*size);
		size_t wide = room ? columns_of(room, *size, words[i]) : 0;

		*columns = wide > *columns ? wide : *columns;
		free(room);
	}
}

static void put_row(struct text *out, char *room, size_t size, const char *const *words,
	size_t count, size_t rows, size_t wide)
{
	for (size_t i = 0; i < count; i += rows) {
		size_t used = columns_of(room, size, words[i]);

		text_puts(out, room);
		if (i + rows < count)
			text_printf(out, "%*s", (int)(wide + GAP - used), "");
	}
	text_putc(out, '\n');
}

char *choices_print(const char *const *words, size_t count, size_t columns)
{
	size_t shown = count < CHOICES_MAX ? count : CHOICES_MAX;
	size_t wide, word_size, across, rows, size;
	struct text out;
	char *lines, *room;

	measure(&wide, &word_size, words, shown);
	across = columns / (wide + GAP) > 0 ? columns / (wide + GAP) : 1;
	rows = (shown + across - 1) / across;
	size = shown * (word_size + wide + GAP) + rows + MORE_SIZE;
	lines = malloc(size);
	room = malloc(word_size);
	if (!lines || !room) {
		free(lines);
		free(room);
		return NULL;
	}

	out = text_in(lines, size);
	for (size_t row = 0; row < rows; row++)
		put_row(&out, room, word_size, words + row, shown - row, rows, wide);
	if (count > shown)
		text_printf(&out, "and %zu more\n", count - shown);
	free(room);
	return lines;
}
