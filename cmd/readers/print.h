/*
 * The event stream for people: short lines, words before codes, the same first column everywhere,
 * nothing twice. A reader; it runs on the agent's thread and hands finished lines to its owner.
 */
#pragma once

#include "core/ua/event.h"

#include <stdbool.h>

struct printer;

enum { PRINTER_COLUMNS = 79 }; /* where nobody knows better */

struct printer_config {
	bool quiet;   /* only what fails */
	bool verbose; /* all figures at the end, and, where there is no live line, once a meter */
	bool color;
	bool utf8;      /* bars of blocks */
	bool live;      /* meters go to the live line */
	bool listening; /* tell where we listen */
	bool keys;      /* a key answers what rings: say which */
	bool numbered;  /* many calls may come: each is told with its number */
	/* How wide a line may be that is cut to measure; NULL: PRINTER_COLUMNS. */
	size_t (*columns)(void *arg);
	/* A line with its newline, harmless on a terminal; good during the call only. */
	void (*line)(void *arg, struct slice line);
	/* The live line, without newline; empty: none. */
	void (*show_live)(void *arg, struct slice line);
	void *arg;
};

/* Copies config. -ENOMEM. */
int printer_new(struct printer **out, const struct printer_config *config);

/* NULL is allowed. */
void printer_free(struct printer *printer);

/* The reader, a ua_event_fn: arg is the printer. */
void printer_event(void *arg, const struct ua_event *event);
