/*
 * The event stream for machines: one JSON object a line, names and fields as they always were. A
 * reader. Any thread.
 */
#pragma once

#include "core/ua/event.h"

/*
 * The object of one event, NUL-terminated, without a newline, for the caller to free(). out is NULL
 * for an event that machines are not told of. -ENOMEM.
 */
int json_print(char **out, const struct ua_event *event);
