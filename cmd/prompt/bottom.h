/*
 * What stands at the bottom of the screen, below the lines: what is being typed, and the live line
 * below that. It is erased before a line is written and drawn anew behind it, so that it never
 * mixes with one. All movement is relative to where the cursor was left, as nobody knows in which
 * row that is. Here are the bytes only; whoever owns it writes them. On its owner's thread.
 *
 * A row is a column short of the screen: a character in the last one would wrap on some terminals.
 * A screen that has become narrower is taken to have broken the rows that were too long for it.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	BOTTOM_ROWS_MAX = 64,     /* that are shown of what is typed */
	BOTTOM_LIVE_SIZE = 1024,  /* bytes of the live line */
	BOTTOM_PROMPT_SIZE = 256, /* bytes of the prompt */
};

/* The screen as it is now. */
struct bottom_screen {
	size_t rows;
	size_t columns;
	bool dumb; /* its cursor knows its own row only: one row, and no live line */
};

struct bottom {
	/* What is to be shown: UTF-8 without control characters. */
	bool types;
	char *typed; /* with the prompt before it */
	size_t typed_len;
	size_t point; /* of the cursor, in bytes of typed */
	char live[BOTTOM_LIVE_SIZE];
	size_t live_len;

	/* What was drawn. */
	bool drawn;
	size_t first;                   /* row of what is typed that is shown first */
	size_t rows;                    /* shown of it, in their order: */
	size_t widths[BOTTOM_ROWS_MAX]; /* the columns of each */
	size_t cursor_row;              /* of those shown */
	size_t cursor_column;
	bool has_live; /* the live line is below them */
	size_t live_columns;

	/* Where the bytes go. */
	void (*put)(void *arg, struct slice bytes);
	void *arg;
};

void bottom_init(struct bottom *bottom, void (*put)(void *arg, struct slice bytes), void *arg);

/* What it holds; nothing is erased. */
void bottom_free(struct bottom *bottom);

/*
 * What is typed: raw bytes, which are shown so that they can do no harm, behind the prompt; point
 * is the cursor's place in line. -ENOMEM, and what was typed before stays. To be drawn.
 */
int bottom_type(struct bottom *bottom, const char *prompt, struct slice line, size_t point);

/* Nothing is typed. To be erased before, or drawn. */
void bottom_untype(struct bottom *bottom);

/* The live line, cut at BOTTOM_LIVE_SIZE; empty: there is none. To be drawn. */
void bottom_live(struct bottom *bottom, struct slice line);

/* Whether there is anything to be drawn. */
bool bottom_is_empty(const struct bottom *bottom);

/* Takes away what was drawn: the cursor is at the beginning of an empty row then. */
void bottom_erase(struct bottom *bottom, const struct bottom_screen *screen);

/* Draws all of it, over what was drawn before. */
void bottom_draw(struct bottom *bottom, const struct bottom_screen *screen);

/* Draws the live line alone, where nothing else has changed. */
void bottom_draw_live(struct bottom *bottom, const struct bottom_screen *screen);

/* Appends the bytes of a line from outside or from the keyboard as they are shown; to be freed.
 * NULL if there is no memory. */
char *bottom_shown(size_t *len, const char *prompt, struct slice line);
