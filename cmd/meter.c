#include "cmd/meter.h"

#include "cmd/columns.h"
#include "cmd/words.h"

enum {
	NAME_COLUMNS = 15,
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

void meter_put(struct text *out, const struct meter *meter, const struct ua_event *event,
	struct slice name, bool utf8)
{
	const struct ua_stats *stats = &event->stats.now;
	char room[FIELD_SIZE * 4];
	struct text shown = TEXT_IN(room);
	char field[FIELD_SIZE];
	struct text text = TEXT_IN(field);

	put_time(out, event->stats.duration_s);
	text_puts(out, "you ");
	put_level(out, meter->near, utf8);

	text_put_escaped(&shown, name);
	text_put(out, columns_cut(text_slice(&shown), NAME_COLUMNS));
	text_putc(out, ' ');
	put_level(out, meter->far, utf8);

	/* padded behind the unit, so that neither the numbers nor what follows moves */
	text_printf(&text, "loss %.1f %%", loss(stats));
	text_printf(out, "%-12s ", field);
	text = TEXT_IN(field);
	text_printf(&text, "buffer %.0f ms", stats->buffer_ms);
	text_printf(out, "%-14s ", field);
	if (stats->mos > 0)
		text_printf(out, "mos %.1f", stats->mos);
	else
		text_puts(out, "mos -");
}
