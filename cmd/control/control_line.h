/*
 * A line that a client of the control socket sends: a command as it would be typed, or an object of
 * JSON that holds one and a mark to know its answer by. Any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"

struct json_t;

enum {
	CONTROL_LINE_MAX = 16384, /* bytes, without the newline */
	CONTROL_ID_MAX = 256,     /* of an "id", as it is printed */
};

struct control_line {
	char *command;
	struct json_t *id; /* NULL: none was given */
};

/*
 * Reads a line without its newline; a carriage return at its end is dropped. -EINVAL, with words;
 * -ENOMEM. out is empty then, but for an id that was understood.
 */
int control_line_read(struct control_line *out, struct slice line, struct fault *why);

/* Frees what it holds. */
void control_line_drop(struct control_line *line);
