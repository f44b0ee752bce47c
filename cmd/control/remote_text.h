/*
 * What a phone says by its control socket, read again: the end of a command, and an event as a line
 * for a person. Text in it has been made harmless by the phone, and is so again here, for who knows
 * who has sent it. Any thread.
 */
#pragma once

#include "core/base/text.h"

#include <stdbool.h>

struct json_t;

/* NULL: the line is no object that has an event. For json_decref(). */
struct json_t *remote_read(struct slice line);

/* The number that we gave a command whose end this is; 0: it is no command of ours. */
unsigned remote_id(const struct json_t *event);

/* The words of an error that is about no call: the phone's to whoever is connected. Else NULL. */
const char *remote_error(const struct json_t *event);

/* The end of a command. */
struct remote_result {
	bool ok;
	int exit;
	const char *words; /* NULL if it is ok; the event's */
	size_t at;         /* SIZE_MAX: nowhere */
};

/* Its lines are appended to output as far as there is room. */
void remote_result(struct remote_result *out, struct text *output, const struct json_t *event);

/* Appends an event as one line with its newline; nothing if it is of no interest to a person. */
void remote_put_event(struct text *out, const struct json_t *event);
