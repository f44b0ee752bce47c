/* cmd/prompt/bottom: on a small screen of its own, by seed: whatever is typed, told and shown
 * below, each line stands there once and whole, and so does what is typed, with the cursor in its
 * place. */
#include "cmd/prompt/bottom.h"

#include "cmd/columns.h"
#include "core/base/random.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ROWS_MAX = 4096, /* with those that have scrolled off */
	COLUMNS_MAX = 64,
	CELL = 8, /* bytes of a character */
	TEXT_SIZE = 1 << 18,
	TYPED_SIZE = 1024,
	SEEDS = 40,
	STEPS = 200,
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

/* A terminal: what is in each row, the oldest first, and where the cursor is. */
struct screen {
	struct bottom_screen size;
	char cells[ROWS_MAX][COLUMNS_MAX][CELL];
	size_t top; /* row that is the screen's first */
	size_t row; /* from there */
	size_t column;
	size_t saved_row, saved_column;
	char escape[16];
	size_t escape_len;
};

static void screen_scroll(struct screen *screen)
{
	if (screen->row + 1 < screen->size.rows)
		screen->row++;
	else
		screen->top++;
	assert_true(screen->top + screen->size.rows < ROWS_MAX);
}

static void screen_clear(struct screen *screen, size_t row, size_t from)
{
	for (size_t i = from; i < COLUMNS_MAX; i++)
		screen->cells[screen->top + row][i][0] = '\0';
}

static void screen_obey(struct screen *screen)
{
	char final = screen->escape[screen->escape_len - 1];
	size_t by = strtoul(screen->escape + 2, NULL, 10);

	if (final == '7') {
		screen->saved_row = screen->row;
		screen->saved_column = screen->column;
	} else if (final == '8') {
		screen->row = screen->saved_row;
		screen->column = screen->saved_column;
	} else if (final == 'A') {
		screen->row = by < screen->row ? screen->row - by : 0;
	} else if (final == 'B') {
		screen->row += by;
		assert_true(screen->row < screen->size.rows);
	} else if (final == 'K' || final == 'J') {
		screen_clear(screen, screen->row, screen->column);
		for (size_t i = screen->row + 1; final == 'J' && i < screen->size.rows; i++)
			screen_clear(screen, i, 0);
	} else {
		fail_msg("a sequence that ends in %c", final);
	}
	screen->escape_len = 0;
}

static void screen_escape(struct screen *screen, char byte)
{
	assert_true(screen->escape_len < sizeof(screen->escape) - 1);
	screen->escape[screen->escape_len++] = byte;
	screen->escape[screen->escape_len] = '\0';
	if (screen->escape_len > 1 && byte != '[' &&
		!(byte >= '0' && byte <= '9' && screen->escape[1] == '['))
		screen_obey(screen);
}

/* A character that reaches the last column would be a trap on some terminals. */
static void screen_show(struct screen *screen, struct slice character)
{
	size_t wide = columns_count(character);

	assert_true(screen->column + wide < screen->size.columns || screen->size.columns < 4);
	for (size_t i = 0; i < wide; i++)
		screen->cells[screen->top + screen->row][screen->column + i][0] = '\0';
	memcpy(screen->cells[screen->top + screen->row][screen->column], character.data,
		character.len);
	screen->cells[screen->top + screen->row][screen->column][character.len] = '\0';
	screen->column += wide;
}

static void screen_put(void *arg, struct slice bytes)
{
	struct screen *screen = arg;
	struct slice character = {0};

	while (bytes.len > 0) {
		uint8_t byte = bytes.data[0];
		size_t len = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

		assert_int_equal(slice_take(&character, &bytes, len), 0);
		if (screen->escape_len > 0 || byte == 0x1b) {
			assert_false(screen->size.dumb);
			screen_escape(screen, (char)byte);
		} else if (byte == '\r') {
			screen->column = 0;
		} else if (byte == '\n') {
			screen_scroll(screen);
		} else {
			screen_show(screen, character);
		}
	}
}

/* All rows down to the last that has something, without the spaces at their ends. */
static void screen_text(struct text *out, const struct screen *screen)
{
	size_t kept = 0;

	for (size_t row = 0; row < screen->top + screen->size.rows; row++) {
		size_t begin = out->len;

		for (size_t i = 0; i < screen->size.columns; i++) {
			const char *cell = screen->cells[row][i];

			text_puts(out, cell);
			if (cell[0] == '\0' &&
				(i == 0 || columns_count(slice_of(screen->cells[row][i - 1])) != 2))
				text_putc(out, ' ');
		}
		while (out->len > begin && out->data[out->len - 1] == ' ')
			out->len--;
		text_putc(out, '\n');
		kept = out->len > begin + 1 ? out->len : kept;
	}
	out->len = kept;
	out->data[kept] = '\0';
}

/* What a person does and sees. */
struct play {
	struct screen screen;
	struct bottom bottom;
	struct random random;
	char told_room[TEXT_SIZE];
	struct text told;
	char typed[TYPED_SIZE];
	size_t len, point;
	char live[128];
	unsigned lines;
};

static const char *const keys[] = {"a", "b", " ", "\xc3\xa9", "\xe6\x97\xa5", "xyz", "0123456789"};

static void draw(struct play *play)
{
	assert_int_equal(
		bottom_type(&play->bottom, "> ",
			(struct slice){(const uint8_t *)play->typed, play->len}, play->point),
		0);
	bottom_draw(&play->bottom, &play->screen.size);
}

static void type_key(struct play *play)
{
	const char *key = keys[random_below(&play->random, sizeof(keys) / sizeof(keys[0]))];
	size_t len = strlen(key);

	if (play->len + len >= TYPED_SIZE)
		return;
	memmove(play->typed + play->point + len, play->typed + play->point,
		play->len - play->point);
	memcpy(play->typed + play->point, key, len);
	play->len += len;
	play->point += len;
	draw(play);
}

static bool is_middle(const struct play *play, size_t at)
{
	return at < play->len && ((uint8_t)play->typed[at] & 0xc0) == 0x80;
}

static void move_cursor(struct play *play)
{
	play->point = random_below(&play->random, play->len + 1);
	while (is_middle(play, play->point))
		play->point--;
	draw(play);
}

static void cut_end(struct play *play)
{
	play->len = play->point;
	draw(play);
}

static void tell(struct play *play)
{
	char line[COLUMNS_MAX];
	struct text text = TEXT_IN(line);

	text_printf(&text, "line %u", play->lines++);
	text_printf(&play->told, "%s\n", line);
	bottom_erase(&play->bottom, &play->screen.size);
	assert_int_equal(play->screen.column, 0);
	text_puts(&text, "\r\n");
	screen_put(&play->screen, text_slice(&text));
	bottom_draw(&play->bottom, &play->screen.size);
}

static void change_live(struct play *play)
{
	struct text text = TEXT_IN(play->live);

	play->live[0] = '\0';
	if (random_chance(&play->random, 800000))
		text_printf(&text, "live %u of a line that is too long for some",
			(unsigned)random_below(&play->random, 1000000));
	bottom_live(&play->bottom, slice_of(play->live));
	bottom_draw_live(&play->bottom, &play->screen.size);
}

/* Rows as they have to be, without the spaces at their ends. */
static void put_row(struct text *out, struct slice row)
{
	while (row.len > 0 && row.data[row.len - 1] == ' ')
		row.len--;
	text_put(out, row);
	text_putc(out, '\n');
}

static void expect(struct play *play, uint64_t seed, unsigned step)
{
	static char want_room[TEXT_SIZE], have_room[TEXT_SIZE];
	struct text want = TEXT_IN(want_room), have = TEXT_IN(have_room);
	char line[TYPED_SIZE + 2] = "> ";
	struct slice rest = {(const uint8_t *)line, play->len + 2}, row, head = {0};
	size_t rows = 0, cursor = 0, width = play->screen.size.columns - 1;

	memcpy(line + 2, play->typed, play->len);
	text_put(&want, text_slice(&play->told));
	do {
		size_t at = (size_t)(rest.data - (const uint8_t *)line);

		row = columns_cut(rest, width);
		if (at <= play->point + 2) {
			cursor = rows;
			head = (struct slice){rest.data, play->point + 2 - at};
		}
		(void)slice_take(&row, &rest, row.len);
		if (rows >= play->bottom.first && rows < play->bottom.first + play->bottom.rows)
			put_row(&want, row);
		rows++;
	} while (rest.len > 0);
	if (play->live[0] != '\0')
		put_row(&want, columns_cut(slice_of(play->live), width));

	while (want.len > 1 && want_room[want.len - 2] == '\n')
		want_room[--want.len] = '\0'; /* spaces alone cannot be told from nothing */
	screen_text(&have, &play->screen);
	if (strcmp(want_room, have_room) != 0)
		fail_msg("seed %u, step %u: there is\n%s\nand not\n%s", (unsigned)seed, step,
			have_room, want_room);
	assert_true(cursor >= play->bottom.first);
	assert_true(cursor < play->bottom.first + play->bottom.rows);
	assert_int_equal(play->screen.column, columns_count(head));
	assert_true(play->bottom.rows <= play->screen.size.rows / 2 || play->bottom.rows == 1);
}

static void test_plays(void **state)
{
	static void (*const steps[])(struct play * play) = {type_key, type_key, type_key, type_key,
		tell, tell, change_live, move_cursor, cut_end};
	static struct play play;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		memset(&play, 0, sizeof(play));
		random_init(&play.random, seed);
		play.screen.size.rows = 3 + random_below(&play.random, 12);
		play.screen.size.columns = 12 + random_below(&play.random, 40);
		play.told = TEXT_IN(play.told_room);
		bottom_init(&play.bottom, screen_put, &play.screen);
		draw(&play);
		for (unsigned step = 0; step < STEPS; step++) {
			size_t which = random_below(&play.random, sizeof(steps) / sizeof(steps[0]));

			/* a line is cut more often than it fills the screen many times */
			if (steps[which] != cut_end || random_chance(&play.random, 100000))
				steps[which](&play);
			expect(&play, seed, step);
		}
		bottom_erase(&play.bottom, &play.screen.size);
		bottom_untype(&play.bottom);
		bottom_live(&play.bottom, slice_of(""));
		assert_true(bottom_is_empty(&play.bottom));
		bottom_draw(&play.bottom, &play.screen.size);
		bottom_free(&play.bottom);
	}
}

/* One row, the part that the cursor is in, without any sequence. */
static void test_dumb(void **state)
{
	static const struct {
		const char *typed;
		size_t point;
		const char *row;
		size_t column;
	} rows[] = {
		{"", 0, ">", 2},
		{"abc", 3, "> abc", 5},
		{"abcdefg", 7, "> abcdefg", 9},
		{"abcdefgh", 8, "h", 1},
		{"abcdefgh", 7, "h", 0},
		{"abcdefgh", 6, "> abcdefg", 8},
		{"a", 0, "> a", 2},
	};
	static struct screen screen;
	struct bottom bottom;
	static char room[TEXT_SIZE];

	(void)state;
	screen = (struct screen){.size = {.rows = 5, .columns = 10, .dumb = true}};
	bottom_init(&bottom, screen_put, &screen);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text text = TEXT_IN(room);
		char want[32];

		assert_int_equal(
			bottom_type(&bottom, "> ", slice_of(rows[i].typed), rows[i].point), 0);
		bottom_draw(&bottom, &screen.size);
		screen_text(&text, &screen);
		snprintf(want, sizeof(want), "%s\n", rows[i].row);
		if (strcmp(room, want) != 0 || screen.column != rows[i].column)
			fail_msg("row %zu: %s at %zu", i, room, screen.column);
	}
	bottom_erase(&bottom, &screen.size);
	bottom_free(&bottom);
}

static const struct {
	size_t from, to;
	const char *typed, *live, *bytes;
} narrower[] = {
	/* one row above the cursor, and none */
	{20, 10, "", "0123456789abcdef", "\r\x1b[J"},
	{20, 10, "0123456789", "live", "\x1b[1A\r\x1b[J"},
	{20, 10, "0123456789abcdefghij", "", "\x1b[2A\r\x1b[J"},
	{20, 40, "0123456789abcdefghij", "", "\x1b[1A\r\x1b[K\x1b[1B\x1b[K\x1b[1A"},
	{20, 20, "", "live", "\r\x1b[K\x1b[1B\x1b[K\x1b[1A"},
};

static void put_bytes(void *arg, struct slice bytes)
{
	text_put(arg, bytes);
}

static void test_erasing_what_the_screen_has_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(narrower) / sizeof(narrower[0]); i++) {
		struct bottom_screen screen = {.rows = 24, .columns = narrower[i].from};
		char room[1024];
		struct text text = TEXT_IN(room);
		struct bottom bottom;

		bottom_init(&bottom, put_bytes, &text);
		assert_int_equal(bottom_type(&bottom, "> ", slice_of(narrower[i].typed),
					 strlen(narrower[i].typed)),
			0);
		bottom_live(&bottom, slice_of(narrower[i].live));
		bottom_draw(&bottom, &screen);
		text = TEXT_IN(room);
		screen.columns = narrower[i].to;
		bottom_erase(&bottom, &screen);
		if (strcmp(room, narrower[i].bytes) != 0)
			fail_msg("row %zu: %s", i, room + 1);
		bottom_free(&bottom);
	}
}

static void test_what_is_typed_is_harmless(void **state)
{
	static const char typed[] = "a\x1b[2J\n\xff\xe2\x80\xae";
	struct bottom bottom;

	(void)state;
	bottom_init(&bottom, put_bytes, NULL);
	assert_int_equal(bottom_type(&bottom, "> ", slice_of(typed), 2), 0);
	assert_string_equal(bottom.typed, "> a\\x1b[2J\\x0a\\xff\\xe2\\x80\\xae");
	assert_int_equal(bottom.point, strlen("> a\\x1b"));
	bottom_free(&bottom);
}

static void test_no_memory(void **state)
{
	struct bottom bottom;

	(void)state;
	bottom_init(&bottom, put_bytes, NULL);
	assert_int_equal(bottom_type(&bottom, "> ", slice_of("kept"), 4), 0);
	for (size_t i = 0; i < 2; i++) {
		allocations_left = i;
		assert_int_equal(bottom_type(&bottom, "> ", slice_of("more"), 4), -ENOMEM);
		assert_string_equal(bottom.typed, "> kept");
	}
	allocations_left = SIZE_MAX;
	bottom_free(&bottom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plays),
		cmocka_unit_test(test_dumb),
		cmocka_unit_test(test_erasing_what_the_screen_has_broken),
		cmocka_unit_test(test_what_is_typed_is_harmless),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/prompt/bottom", tests, NULL, NULL);
}
