/*
 * What the phones of a desk have told and nobody has expected yet, for the command expect. It looks
 * on from when it is made; whoever makes it owns it, and frees it before the desk. On the agents'
 * thread.
 */
#pragma once

#include "cmd/desk.h"

#include <stdbool.h>

struct inbox;
struct json_t; /* of jansson */

enum { INBOX_EVENTS_MAX = 1000 }; /* of one phone; then the oldest is forgotten */

/* The desk's from then on (desk_inbox()). -ENOMEM. */
int inbox_new(struct inbox **out, struct desk *desk);

/* NULL is allowed. */
void inbox_free(struct inbox *inbox);

/* An event that waits. */
struct inbox_event {
	struct list link;
	const struct handset *handset;
	struct json_t *json; /* as json_make() has it */
};

/* The next of a phone, the oldest first: NULL before the first and after the last. */
struct inbox_event *inbox_next(
	struct inbox *inbox, const struct handset *handset, struct inbox_event *after);

/* Takes an event out with all that its phone has told before it. */
void inbox_take(struct inbox *inbox, struct inbox_event *event);
