/*
 * The line that lives while a call does: how long, how loud, how well. Its columns stand still.
 * Plain values, for one thread at a time.
 */
#pragma once

#include "core/base/text.h"
#include "core/ua/event.h"

#include <stdbool.h>

enum { METER_LEVELS = 6 };

/* The last levels of both sides, the oldest first, 0..8; 0 before the first. */
struct meter {
	uint8_t near[METER_LEVELS];
	uint8_t far[METER_LEVELS];
};

void meter_init(struct meter *meter);

/* Levels in dBFS, -100..0. */
void meter_add(struct meter *meter, double near_dbfs, double far_dbfs);

/* Whose line it is, and how it is shown. */
struct meter_look {
	struct slice name; /* the far end's, raw */
	const char *codec; /* empty: none yet */
	bool utf8;
	size_t columns;
};

/*
 * Appends the line without newline, at most columns wide: where there is less room the codec is
 * left out, then the name is shortened, then whole fields are left out. event: a UA_CALL_METER.
 */
void meter_put(struct text *out, const struct meter *meter, const struct ua_event *event,
	const struct meter_look *look);
