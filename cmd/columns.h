/*
 * How wide text is on a terminal: what has to be known to put a caret under a place, to cut a line
 * at the edge and to keep columns still. Text is valid UTF-8 without control characters, as
 * text_put_escaped() leaves it. Any thread.
 */
#pragma once

#include "core/base/text.h"

#include <stddef.h>

/* Combining marks are no column, the wide characters of East Asia and pictures are two. */
size_t columns_count(struct slice text);

/* The longest beginning of text, in whole characters, that is at most columns wide. */
struct slice columns_cut(struct slice text, size_t columns);

/* Appends text, and spaces up to that many columns: what follows stands below what follows in other
 * lines. */
void columns_pad(struct text *out, struct slice text, size_t columns);
