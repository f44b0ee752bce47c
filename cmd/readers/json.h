/*
 * The event stream for machines: one JSON object a line, names and fields as they always were. A
 * reader. Any thread.
 */
#pragma once

#include "core/ua/event.h"

/* Whether machines are told of such events. */
bool json_tells(enum ua_event_kind kind);

struct json_t; /* of jansson */

/* The object of one event that machines are told of, for json_decref(); of one that is nothing but
 * its kind, too. NULL if there is no memory. */
struct json_t *json_make(const struct ua_event *event);

/*
 * The object of one event, NUL-terminated, without a newline, for the caller to free(). out is NULL
 * for an event that machines are not told of. -ENOMEM.
 */
int json_print(char **out, const struct ua_event *event);

/* The same with a last member "id", jansson's; NULL: without. */
struct json_t;
int json_print_id(char **out, const struct ua_event *event, struct json_t *id);

/*
 * Calls member for each member of the object that json_print() would print, in its order, with its
 * value as text: a string as it is, null as nothing, all else as JSON. Nothing if machines are not
 * told. -ENOMEM, or what member returned, which then is the last.
 */
typedef int json_member(void *arg, const char *name, const char *value);

int json_each(const struct ua_event *event, json_member *member, void *arg);
