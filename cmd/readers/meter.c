#include "cmd/readers/meter.h"

#include "cmd/columns.h"
#include "cmd/words.h"

enum {
	NAME_COLUMNS = 15,
	NAME_COLUMNS_MIN = 6, /* where room is scarce */
	NAME_SIZE = 256,
	TIME_COLUMNS = 10,
	LOSS_COLUMNS = 12,
	BUFFER_COLUMNS = 14,
	STEPS = 8,      /* heights of a bar */
	FLOOR_DB = -60, /* what is softer is silence */
	FIELD_SIZE = 32,
	GAP = 3,
};

void meter_init(struct meter *meter)
{
	*meter = (struct meter){0};
}

/* 1..STEPS */
static uint8_t level_of(double dbfs)
{
	double step = (dbfs - FLOOR_DB) * STEPS / -FLOOR_DB;

	if (!(step > 0)) /* nor a number that is none */
		return 1;
	return step >= STEPS ? STEPS : (uint8_t)(1 + step);
}

static void push(uint8_t levels[static METER_LEVELS], uint8_t level)
{
	memmove(levels, levels + 1, METER_LEVELS - 1);
	levels[METER_LEVELS - 1] = level;
}

void meter_add(struct meter *meter, double near_dbfs, double far_dbfs)
{
	push(meter->near, level_of(near_dbfs));
	push(meter->far, level_of(far_dbfs));
}

static void put_spaces(struct text *out, size_t count)
{
	text_printf(out, "%*s", (int)count, "");
}

/* The last levels side by side, the newest at the right. */
static void put_blocks(struct text *out, const uint8_t levels[static METER_LEVELS])
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

	for (size_t i = 0; i < METER_LEVELS; i++)
		text_puts(out, blocks[levels[i]]);
}

/* Where there are no blocks: the newest level as a bar that lies down. */
static void put_hashes(struct text *out, const uint8_t levels[static METER_LEVELS])
{
	unsigned above = levels[METER_LEVELS - 1] > 0 ? levels[METER_LEVELS - 1] - 1u : 0;
	size_t hashes = (above * METER_LEVELS + STEPS - 2) / (STEPS - 1);

	for (size_t i = 0; i < METER_LEVELS; i++)
		text_putc(out, i < hashes ? '#' : ' ');
}

static void put_level(struct text *out, const uint8_t levels[static METER_LEVELS], bool utf8)
{
	if (utf8)
		put_blocks(out, levels);
	else
		put_hashes(out, levels);
	put_spaces(out, GAP);
}

static void put_time(struct text *out, double duration_s)
{
	char room[FIELD_SIZE];
	struct text time = TEXT_IN(room);

	words_put_duration(&time, duration_s);
	text_printf(out, "%7s", room);
	put_spaces(out, GAP);
}

/* Of all that they sent, in percent. */
static double loss(const struct ua_stats *stats)
{
	if (stats->lost <= 0)
		return 0;
	return 100.0 * (double)stats->lost / ((double)stats->lost + (double)stats->received);
}

/* The fields in their order on the line. */
enum field { TIME, NEAR, FAR, LOSS, BUFFER, MOS, CODEC, FIELDS };

/* Which are shown, and how wide the name of the far end is. */
struct layout {
	bool has[FIELDS];
	size_t name;
	size_t codec;
};

static size_t width(const struct layout *layout)
{
	const size_t widths[FIELDS] = {
		[TIME] = TIME_COLUMNS,
		[NEAR] = sizeof("you ") - 1 + METER_LEVELS + GAP,
		[FAR] = layout->name + 1 + METER_LEVELS + GAP,
		[LOSS] = LOSS_COLUMNS + 1,
		[BUFFER] = BUFFER_COLUMNS + 1,
		[MOS] = sizeof("mos 4.4") - 1,
		[CODEC] = layout->codec > 0 ? GAP + layout->codec : 0,
	};
	size_t sum = 0;

	for (size_t i = 0; i < FIELDS; i++)
		sum += layout->has[i] ? widths[i] : 0;
	return sum;
}

/* By what has room, and by nothing that changes during a call. */
static struct layout lay_out(size_t name, size_t codec, size_t columns)
{
	static const enum field dispensable[] = {BUFFER, NEAR, FAR, TIME, LOSS, MOS};
	struct layout layout = {{true, true, true, true, true, true, true}, name, codec};

	layout.name = name < NAME_COLUMNS ? name : NAME_COLUMNS;
	layout.has[CODEC] = width(&layout) <= columns;
	while (width(&layout) > columns && layout.name > NAME_COLUMNS_MIN)
		layout.name--;
	for (size_t i = 0;
		i < sizeof(dispensable) / sizeof(dispensable[0]) && width(&layout) > columns; i++)
		layout.has[dispensable[i]] = false;
	while (layout.name < name && layout.name < NAME_COLUMNS && width(&layout) < columns)
		layout.name++; /* there is room again */
	return layout;
}

/* name: escaped. Exactly columns wide, but for a wide character that is left out. */
static void put_name(struct text *out, struct slice name, size_t columns, bool utf8)
{
	const char *mark = utf8 ? "…" : "...";
	size_t mark_columns = columns_count(slice_of(mark));
	struct slice shown = name;

	if (columns_count(name) > columns)
		shown = columns_cut(name, columns - mark_columns);
	text_put(out, shown);
	if (shown.len < name.len)
		text_puts(out, mark);
}

/* Padded behind the unit, so that neither the numbers nor what follows moves. */
static void put_padded(struct text *out, const char *field, int columns)
{
	text_printf(out, "%-*s ", columns, field);
}

static void put_quality(struct text *out, const struct layout *layout, const struct ua_stats *stats)
{
	char room[FIELD_SIZE];
	struct text field = TEXT_IN(room);

	text_printf(&field, "loss %.1f %%", loss(stats));
	if (layout->has[LOSS])
		put_padded(out, room, LOSS_COLUMNS);
	field = TEXT_IN(room);
	text_printf(&field, "buffer %.0f ms", stats->buffer_ms);
	if (layout->has[BUFFER])
		put_padded(out, room, BUFFER_COLUMNS);
	if (layout->has[MOS] && stats->mos > 0)
		text_printf(out, "mos %.1f", stats->mos);
	else if (layout->has[MOS])
		text_puts(out, layout->has[CODEC] && layout->codec > 0 ? "mos -  " : "mos -");
}

void meter_put(struct text *out, const struct meter *meter, const struct ua_event *event,
	const struct meter_look *look)
{
	char room[NAME_SIZE];
	struct text shown = TEXT_IN(room);
	struct layout layout;

	text_put_escaped(&shown, look->name);
	layout = lay_out(columns_count(text_slice(&shown)), strlen(look->codec), look->columns);

	if (layout.has[TIME])
		put_time(out, event->stats.duration_s);
	if (layout.has[NEAR]) {
		text_puts(out, "you ");
		put_level(out, meter->near, look->utf8);
	}
	if (layout.has[FAR]) {
		put_name(out, text_slice(&shown), layout.name, look->utf8);
		text_putc(out, ' ');
		put_level(out, meter->far, look->utf8);
	}
	put_quality(out, &layout, &event->stats.now);
	if (layout.has[CODEC] && layout.codec > 0)
		text_printf(out, "%*s%s", GAP, "", look->codec);
}
