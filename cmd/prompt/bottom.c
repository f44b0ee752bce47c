#include "cmd/prompt/bottom.h"

#include "cmd/columns.h"
#include "core/base/text.h"

#include <stdlib.h>

enum {
	ESCAPED_MAX = 4, /* bytes that one byte is shown as at most: "\xNN" */
	MOVE_SIZE = 64,
};

#define CLEAR_LINE "\x1b[K"
#define CLEAR_BELOW "\x1b[J"
#define SAVE_CURSOR                                                                                \
	"\x1b"                                                                                     \
	"7"
#define RESTORE_CURSOR                                                                             \
	"\x1b"                                                                                     \
	"8"

void bottom_init(struct bottom *bottom, void (*put)(void *arg, struct slice bytes), void *arg)
{
	*bottom = (struct bottom){.put = put, .arg = arg};
}

void bottom_free(struct bottom *bottom)
{
	free(bottom->typed);
	bottom->typed = NULL;
}

char *bottom_shown(size_t *len, const char *prompt, struct slice line)
{
	size_t size = strlen(prompt) + ESCAPED_MAX * line.len + 1;
	char *room = calloc(1, size);
	struct text text;

	if (!room)
		return NULL;

	text = text_in(room, size);
	text_puts(&text, prompt);
	text_put_escaped(&text, line);
	*len = text.len;
	return room;
}

int bottom_type(struct bottom *bottom, const char *prompt, struct slice line, size_t point)
{
	struct slice before = {line.data, point < line.len ? point : line.len};
	size_t len, at;
	char *head = bottom_shown(&at, prompt, before);
	char *whole = bottom_shown(&len, prompt, line);

	free(head); /* its length was wanted */
	if (!head || !whole) {
		free(whole);
		return -ENOMEM;
	}
	free(bottom->typed);
	bottom->types = true;
	bottom->typed = whole;
	bottom->typed_len = len;
	bottom->point = at < len ? at : len;
	return 0;
}

void bottom_untype(struct bottom *bottom)
{
	bottom_free(bottom);
	bottom->types = false;
	bottom->typed_len = 0;
	bottom->point = 0;
}

void bottom_live(struct bottom *bottom, struct slice line)
{
	bottom->live_len = line.len < BOTTOM_LIVE_SIZE ? line.len : BOTTOM_LIVE_SIZE;
	if (bottom->live_len > 0)
		memcpy(bottom->live, line.data, bottom->live_len);
}

bool bottom_is_empty(const struct bottom *bottom)
{
	return !bottom->types && bottom->live_len == 0;
}

static void put(struct bottom *self, const char *bytes)
{
	self->put(self->arg, slice_of(bytes));
}

static void move(struct bottom *self, size_t by, char direction)
{
	char room[MOVE_SIZE];
	struct text text = TEXT_IN(room);

	if (by == 0)
		return;
	text_printf(&text, "\x1b[%zu%c", by, direction);
	self->put(self->arg, text_slice(&text));
}

static size_t width_of(const struct bottom_screen *screen)
{
	return screen->columns > 1 ? screen->columns - 1 : 1;
}

/* How many rows a row takes that the screen has broken. */
static size_t broken(size_t columns, const struct bottom_screen *screen)
{
	return columns > screen->columns ? (columns - 1) / screen->columns : 0;
}

/* From the cursor to the first row of what was drawn. */
static size_t rows_above(const struct bottom *self, const struct bottom_screen *screen)
{
	size_t above = self->cursor_column / screen->columns;

	if (self->rows == 0) /* the live line alone, with the cursor at its end */
		return broken(self->live_columns, screen);
	for (size_t i = 0; i < self->cursor_row; i++)
		above += 1 + broken(self->widths[i], screen);
	return above;
}

static void put_spaces(struct bottom *self, size_t count)
{
	while (count-- > 0)
		put(self, " ");
}

static void erase_dumb(struct bottom *self)
{
	put(self, "\r");
	put_spaces(self, self->widths[0]);
	put(self, "\r");
}

/* Whether the screen has broken a row that was drawn. */
static bool is_broken(const struct bottom *self, const struct bottom_screen *screen)
{
	for (size_t i = 0; i < self->rows; i++)
		if (broken(self->widths[i], screen) > 0)
			return true;
	return broken(self->live_columns, screen) > 0;
}

/* Row by row, for some terminals keep what is cleared by the screen. */
static void clear_rows(struct bottom *self, size_t count)
{
	put(self, CLEAR_LINE);
	for (size_t i = 1; i < count; i++) {
		move(self, 1, 'B');
		put(self, CLEAR_LINE);
	}
	move(self, count - 1, 'A');
}

static void erase_rows(struct bottom *self, const struct bottom_screen *screen)
{
	move(self, rows_above(self, screen), 'A');
	put(self, "\r");
	if (is_broken(self, screen))
		put(self, CLEAR_BELOW);
	else
		clear_rows(self, self->rows > 0 ? self->rows + self->has_live : 1);
}

void bottom_erase(struct bottom *bottom, const struct bottom_screen *screen)
{
	if (!bottom->drawn)
		return;

	if (screen->dumb)
		erase_dumb(bottom);
	else
		erase_rows(bottom, screen);
	bottom->drawn = false;
	bottom->rows = 0;
	bottom->widths[0] = 0;
	bottom->live_columns = 0;
}

/* Where what is typed breaks into rows, and where the cursor is among them. */
struct layout {
	size_t rows;
	size_t cursor; /* row */
	size_t shown;  /* rows */
	bool has_live;
};

/* Takes the next row off the front of rest, which may be empty. */
static struct slice take_row(struct slice *rest, size_t width)
{
	struct slice row = columns_cut(*rest, width);

	if (row.len == 0 && rest->len > 0) /* a wide character, and one column */
		row.len = rest->len;
	(void)slice_take(&row, rest, row.len);
	return row;
}

static void lay_out(
	struct layout *out, const struct bottom *self, const struct bottom_screen *screen)
{
	struct slice rest = {(const uint8_t *)self->typed, self->typed_len};
	size_t room = screen->rows > 3 ? screen->rows / 2 : 1; /* the lines are to be seen, too */

	if (room > BOTTOM_ROWS_MAX)
		room = BOTTOM_ROWS_MAX;

	*out = (struct layout){0};
	do {
		struct slice row = take_row(&rest, width_of(screen));
		size_t begin = (size_t)(row.data - (const uint8_t *)self->typed);

		if (begin <= self->point)
			out->cursor = out->rows;
		out->rows++;
	} while (rest.len > 0);

	out->has_live = self->live_len > 0 && screen->rows > 1;
	out->shown = out->rows < room ? out->rows : room;
}

/* The window of rows moves no further than the cursor makes it. */
static size_t scroll(size_t first, const struct layout *layout)
{
	if (layout->cursor < first)
		first = layout->cursor;
	if (layout->cursor >= first + layout->shown)
		first = layout->cursor - layout->shown + 1;
	if (first + layout->shown > layout->rows)
		first = layout->rows - layout->shown;
	return first;
}

/* The rows that are shown, the cursor behind the last of them; head: of the cursor's row, what is
 * before it. */
static void put_rows(struct bottom *self, const struct bottom_screen *screen,
	const struct layout *layout, struct slice *head)
{
	struct slice rest = {(const uint8_t *)self->typed, self->typed_len};

	for (size_t i = 0; i < self->first + layout->shown; i++) {
		struct slice row = take_row(&rest, width_of(screen));

		if (i == layout->cursor)
			*head = (struct slice){row.data,
				self->point - (size_t)(row.data - (const uint8_t *)self->typed)};
		if (i < self->first)
			continue;
		if (i > self->first)
			put(self, "\r\n");
		self->put(self->arg, row);
		put(self, CLEAR_LINE);
		self->widths[i - self->first] = columns_count(row);
	}
}

static void put_live(struct bottom *self, const struct bottom_screen *screen)
{
	struct slice line = {(const uint8_t *)self->live, self->live_len};

	line = columns_cut(line, width_of(screen));
	self->put(self->arg, line);
	self->live_columns = columns_count(line);
}

static void draw_typed(struct bottom *self, const struct bottom_screen *screen)
{
	struct layout layout;
	struct slice head = {0};

	lay_out(&layout, self, screen);
	self->first = scroll(self->first, &layout);
	if (self->drawn) {
		move(self, rows_above(self, screen), 'A');
		put(self, "\r");
	}
	put_rows(self, screen, &layout, &head);
	self->has_live = layout.has_live;
	if (layout.has_live) {
		put(self, "\r\n");
		put_live(self, screen);
	}
	put(self, CLEAR_BELOW);

	self->rows = layout.shown;
	self->cursor_row = layout.cursor - self->first;
	self->cursor_column = columns_count(head);
	move(self, self->rows - 1 - self->cursor_row + self->has_live, 'A');
	put(self, "\r");
	/* by its text, as a terminal may have other ideas of how wide that is */
	self->put(self->arg, head);
}

/* The part of one row that the cursor is in. */
static void draw_dumb(struct bottom *self, const struct bottom_screen *screen)
{
	struct slice row, rest = {(const uint8_t *)self->typed, self->typed_len};
	size_t old = self->widths[0];
	size_t point = self->point;

	row = take_row(&rest, width_of(screen));
	while (point > row.len || (point == row.len && rest.len > 0)) {
		point -= row.len;
		row = take_row(&rest, width_of(screen));
	}
	put(self, "\r");
	self->put(self->arg, row);
	self->widths[0] = columns_count(row);
	self->rows = 1;
	put_spaces(self, old > self->widths[0] ? old - self->widths[0] : 0);
	put(self, "\r");
	self->put(self->arg, (struct slice){row.data, point});
}

void bottom_draw(struct bottom *bottom, const struct bottom_screen *screen)
{
	if (bottom_is_empty(bottom)) {
		bottom_erase(bottom, screen);
		return;
	}
	if (bottom->types && screen->dumb) {
		draw_dumb(bottom, screen);
	} else if (bottom->types) {
		draw_typed(bottom, screen);
	} else {
		bottom->drawn = true; /* whatever stands in the row goes */
		bottom_erase(bottom, screen);
		put_live(bottom, screen);
	}
	bottom->drawn = true;
}

/* The cursor does not even seem to move. */
void bottom_draw_live(struct bottom *bottom, const struct bottom_screen *screen)
{
	if (!bottom->drawn || !bottom->types || !bottom->has_live || bottom->live_len == 0) {
		bottom_draw(bottom, screen);
		return;
	}
	put(bottom, SAVE_CURSOR);
	move(bottom, bottom->rows - bottom->cursor_row, 'B');
	put(bottom, "\r");
	put_live(bottom, screen);
	put(bottom, CLEAR_LINE RESTORE_CURSOR);
}
