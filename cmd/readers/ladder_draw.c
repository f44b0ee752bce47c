/* How the rows of the ladder look: pure text, from a call and a width. */
#include "cmd/columns.h"
#include "cmd/readers/ladder_private.h"
#include "core/base/loop.h"

enum {
	INDENT = 4,
	TIME_COLUMNS = 9,
	NOTE_COLUMNS = 18, /* that are kept for the margin where there is room */
	NOTE_COLUMNS_MIN = 6,
	SPAN_MAX = 28, /* between two columns */
	SPAN_GOOD = 16,
	SPAN_MIN = 10,
	AROUND_LABEL = 3, /* two spaces and the line's head */
	SHORT_NAME_COLUMNS = 15,
	SHORT_COLUMNS = 34,
};

/* The pieces of lines. */
struct pieces {
	const char *lane;
	const char *line[2]; /* by enum ladder_kind, as below */
	const char *cross[2];
	const char *left;
	const char *right;
};

static const struct pieces ascii = {"|", {"-", "="}, {"+", "+"}, "<", ">"};
static const struct pieces unicode = {"│", {"─", "═"}, {"┼", "╪"}, "◀", "▶"};

/* Where the columns stand. */
struct grid {
	size_t fars; /* that have a column each; the last one has what does not fit */
	size_t span;
};

static size_t at_least(size_t value, size_t least)
{
	return value > least ? value : least;
}

static size_t at_most(size_t value, size_t most)
{
	return value < most ? value : most;
}

static size_t minus(size_t from, size_t what)
{
	return from > what ? from - what : 0;
}

static struct grid grid_of(const struct ladder_look *look, const struct ladder_call *call)
{
	size_t used = INDENT + 1 + TIME_COLUMNS;
	size_t fit = minus(look->columns, used) / (SPAN_MIN + 1);
	size_t fars = at_most(at_least(call->far_count, 1), at_least(fit, 1));
	size_t wanted = minus(minus(look->columns, used + NOTE_COLUMNS) / fars, 1);
	size_t scarce = minus(minus(look->columns, used + NOTE_COLUMNS_MIN) / fars, 1);
	size_t span = at_least(wanted, at_most(scarce, SPAN_GOOD));

	return (struct grid){fars, at_most(at_least(span, SPAN_MIN), SPAN_MAX)};
}

static void put_times(struct text *out, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		text_puts(out, piece);
}

/* The text, cut, and spaces up to that many columns. */
static void put_padded(struct text *out, const char *string, size_t columns)
{
	struct slice shown = columns_cut(slice_of(string), columns);

	text_put(out, shown);
	put_times(out, " ", minus(columns, columns_count(shown)));
}

/* Ends a line at the edge, without spaces before it. */
static void finish(struct text *out, size_t columns, ladder_line *line, void *arg)
{
	struct slice shown = columns_cut(text_slice(out), columns);

	while (shown.len > 0 && shown.data[shown.len - 1] == ' ')
		shown.len--;
	out->data[shown.len] = '\n';
	line(arg, (struct slice){shown.data, shown.len + 1});
}

/* Words above the columns, each in the middle of its own as far as there is room. */
static void put_titles(
	struct text *out, const struct grid *grid, const char *const words[static LADDER_FARS + 1])
{
	size_t at = 0;

	for (size_t i = 0; i <= grid->fars; i++) {
		size_t middle = INDENT + i * (grid->span + 1);
		struct slice word = columns_cut(slice_of(words[i]), grid->span);
		size_t width = columns_count(word);
		size_t start = at_least(minus(middle, width / 2), at);

		put_times(out, " ", start - at);
		text_put(out, word);
		text_putc(out, ' ');
		at = start + width + 1;
	}
	put_times(out, " ", minus(INDENT + grid->fars * (grid->span + 1) + 1, at));
}

void ladder_draw_head(const struct ladder_look *look, const struct ladder_call *call,
	ladder_line *line, void *arg)
{
	struct grid grid = grid_of(look, call);
	char addrs[LADDER_FARS + 1][ADDR_TEXT_SIZE];
	const char *words[LADDER_FARS + 1] = {call->us, "", "", "", ""};
	char room[LADDER_LINE_SIZE];
	struct text out = TEXT_IN(room);

	for (size_t i = 0; i < grid.fars; i++)
		words[i + 1] = call->fars[i].name;
	put_titles(&out, &grid, words);
	if (call->call > 0)
		text_printf(&out, "  #%u", call->call);
	finish(&out, look->columns, line, arg);

	words[0] = addr_print_port(addrs[0], &call->local);
	for (size_t i = 0; i < grid.fars; i++)
		words[i + 1] = addr_print_port(addrs[i + 1], &call->fars[i].addr);
	out = TEXT_IN(room);
	put_titles(&out, &grid, words);
	finish(&out, look->columns, line, arg);
}

/* The line between two columns with the label on it: near its start, or, of sound, in the middle.
 */
static void put_span(struct text *out, const struct pieces *pieces,
	const struct ladder_entry *entry, const struct grid *grid, bool head)
{
	const char *line = pieces->line[entry->kind];
	struct slice label = columns_cut(slice_of(entry->label), grid->span - AROUND_LABEL);
	size_t rest = grid->span - columns_count(label) - 2 - (head ? 1 : 0);
	size_t before = entry->kind == LADDER_SOUND ? rest / 2 : entry->sent ? 0 : rest;

	if (head && !entry->sent)
		text_puts(out, pieces->left);
	put_times(out, line, before);
	text_putc(out, ' ');
	text_put(out, label);
	text_putc(out, ' ');
	put_times(out, line, rest - before);
	if (head && entry->sent)
		text_puts(out, pieces->right);
}

/* A stretch of the line that has no label. */
static void put_plain(struct text *out, const struct pieces *pieces,
	const struct ladder_entry *entry, const struct grid *grid, bool head)
{
	if (head && !entry->sent)
		text_puts(out, pieces->left);
	put_times(out, pieces->line[entry->kind], grid->span - (head ? 1 : 0));
	if (head && entry->sent)
		text_puts(out, pieces->right);
}

static void put_row(struct text *out, const struct pieces *pieces, const struct ladder_entry *entry,
	const struct grid *grid)
{
	size_t to = at_most(entry->far, grid->fars - 1); /* the last stretch of the line */

	put_times(out, " ", INDENT);
	text_puts(out, pieces->lane);
	for (size_t i = 0; i < grid->fars; i++) {
		bool head = entry->sent ? i == to : i == 0;

		if (i > to)
			put_times(out, " ", grid->span);
		else if (i == (entry->sent ? 0 : to))
			put_span(out, pieces, entry, grid, head);
		else
			put_plain(out, pieces, entry, grid, head);
		text_puts(out, i < to ? pieces->cross[entry->kind] : pieces->lane);
	}
}

static double seconds_of(const struct ladder_call *call, const struct ladder_entry *entry)
{
	/* the clock of the wall may go back */
	uint64_t since = entry->wall_ns > call->first_ns ? entry->wall_ns - call->first_ns : 0;

	return (double)since / (double)NS_PER_S;
}

void ladder_draw_entry(const struct ladder_look *look, const struct ladder_call *call,
	const struct ladder_entry *entry, ladder_line *line, void *arg)
{
	const struct grid grid = grid_of(look, call);
	char room[LADDER_LINE_SIZE];
	struct text out = TEXT_IN(room);

	put_row(&out, look->utf8 ? &unicode : &ascii, entry, &grid);
	text_printf(&out, "%*.3f  %s", TIME_COLUMNS, seconds_of(call, entry), entry->note);
	finish(&out, look->columns, line, arg);
}

void ladder_draw_short(const struct ladder_call *call, const struct ladder_entry *entry,
	ladder_line *line, void *arg)
{
	const char *far = call->fars[entry->far].name;
	const char *from = entry->sent ? call->us : far;
	const char *to = entry->sent ? far : call->us;
	char room[LADDER_LINE_SIZE];
	char what[2 * LADDER_LABEL_SIZE];
	struct text out = TEXT_IN(room);
	struct text words = TEXT_IN(what);

	text_puts(&out, "    ");
	text_put(&out, columns_cut(slice_of(from), SHORT_NAME_COLUMNS));
	text_puts(&out, " > ");
	text_put(&out, columns_cut(slice_of(to), SHORT_NAME_COLUMNS));
	text_puts(&out, "  ");
	text_printf(&words, "%s %s", entry->label, entry->target);
	put_padded(&out, what, SHORT_COLUMNS);
	text_printf(&out, " +%.3f", seconds_of(call, entry));
	finish(&out, LADDER_LINE_SIZE, line, arg);
}
