#include "cmd/script/inbox.h"

#include "cmd/readers/json.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <jansson.h>
#include <stdlib.h>

struct inbox {
	struct desk *desk;
	struct desk_watcher watcher;
	struct list events; /* the oldest first */
};

static void drop(struct inbox_event *event)
{
	list_remove(&event->link);
	json_decref(event->json);
	free(event);
}

static const struct handset *handset_of(struct desk *desk, const char *name)
{
	return desk_find(desk, slice_of(name ? name : ""));
}

/* Makes room for one more of that phone. */
static void forget_oldest(struct inbox *inbox, const struct handset *handset)
{
	struct inbox_event *first = inbox_next(inbox, handset, NULL);
	size_t count = 0;

	for (struct inbox_event *at = first; at; at = inbox_next(inbox, handset, at))
		count++;
	if (count >= INBOX_EVENTS_MAX)
		drop(first);
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct inbox *inbox = arg;
	struct inbox_event *kept;
	json_t *json;

	if (event->kind == UA_COMMAND_DONE || !json_tells(event->kind))
		return; /* what we did ourselves is nothing that happens to us */

	json = json_make(event);
	kept = calloc(1, sizeof(*kept));
	if (!kept || !json) {
		free(kept);
		json_decref(json);
		log_error("too little memory for an event; an expectation may fail");
		return;
	}
	kept->handset = handset_of(inbox->desk, event->phone);
	kept->json = json;
	forget_oldest(inbox, kept->handset);
	list_add(&inbox->events, &kept->link);
}

int inbox_new(struct inbox **out, struct desk *desk)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return -ENOMEM;

	inbox->desk = desk;
	list_init(&inbox->events);
	inbox->watcher = (struct desk_watcher){.event = on_event, .arg = inbox};
	desk_watch(desk, &inbox->watcher);
	desk_put_inbox(desk, inbox);
	*out = inbox;
	return 0;
}

void inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return;

	desk_put_inbox(inbox->desk, NULL);
	desk_unwatch(inbox->desk, &inbox->watcher);
	list_each(link, &inbox->events) drop(container_of(link, struct inbox_event, link));
	free(inbox);
}

struct inbox_event *inbox_next(
	struct inbox *inbox, const struct handset *handset, struct inbox_event *after)
{
	struct list *link = after ? after->link.next : inbox->events.next;

	for (; link != &inbox->events; link = link->next) {
		struct inbox_event *event = container_of(link, struct inbox_event, link);

		if (event->handset == handset)
			return event;
	}
	return NULL;
}

void inbox_take(struct inbox *inbox, struct inbox_event *event)
{
	const struct handset *handset = event->handset;
	struct inbox_event *first;

	do {
		first = inbox_next(inbox, handset, NULL);
		if (first == event)
			event = NULL;
		drop(first);
	} while (event);
}
