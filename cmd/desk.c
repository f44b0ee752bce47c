#include "cmd/desk.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>

/* An event that is being shown. Events come within events. */
struct showing {
	struct showing *outer;
	struct list *next; /* whom it is shown to next */
};

struct desk {
	struct desk_config config;
	struct list handsets;
	struct list watchers;
	struct showing *showing; /* the innermost */
	struct inbox *inbox;
	struct list kept;
	struct call_log *log;
	agent_closed *on_closed; /* NULL: not closing */
	void *closed_arg;
};

/* A string of desk_keep(). */
struct kept {
	struct list link;
	size_t len;
	char text[]; /* with a NUL behind it; or a list, which it is aligned for */
};

int desk_new(struct desk **out, const struct desk_config *config)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return -ENOMEM;

	desk->config = *config;
	list_init(&desk->handsets);
	list_init(&desk->watchers);
	list_init(&desk->kept);
	*out = desk;
	return 0;
}

static void drop_call(struct desk_call *call)
{
	list_remove(&call->link);
	free(call->peer);
	free(call->display);
	free(call->call_id);
	free(call);
}

static void free_handset(struct handset *handset)
{
	agent_free(handset->agent);
	ladder_free(handset->ladder);
	list_each(link, &handset->calls) drop_call(container_of(link, struct desk_call, link));
	list_remove(&handset->link);
	free(handset);
}

static void free_kept(struct kept *kept)
{
	list_remove(&kept->link);
	free(kept);
}

void desk_free(struct desk *desk)
{
	if (!desk)
		return;

	list_each(link, &desk->handsets) free_handset(container_of(link, struct handset, link));
	list_each(link, &desk->kept) free_kept(container_of(link, struct kept, link));
	assert(list_empty(&desk->watchers));
	free(desk);
}

void desk_watch(struct desk *desk, struct desk_watcher *watcher)
{
	list_add(&desk->watchers, &watcher->link);
}

void desk_unwatch(struct desk *desk, struct desk_watcher *watcher)
{
	for (struct showing *at = desk->showing; at; at = at->outer)
		if (at->next == &watcher->link)
			at->next = watcher->link.next;
	list_remove(&watcher->link);
}

/* The next who looks on, or NULL. Any of them may leave meanwhile. */
static struct desk_watcher *next_watcher(struct desk *desk, struct showing *showing)
{
	struct list *link = showing->next;

	if (link == &desk->watchers)
		return NULL;

	showing->next = link->next;
	return container_of(link, struct desk_watcher, link);
}

static void show(struct desk *desk, const struct ua_event *event)
{
	struct showing showing = {desk->showing, desk->watchers.next};
	struct desk_watcher *watcher;

	desk->showing = &showing;
	while ((watcher = next_watcher(desk, &showing)))
		if (watcher->event)
			watcher->event(watcher->arg, event);
	desk->showing = showing.outer;
}

static void on_message(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	struct handset *handset = arg;
	struct desk *desk = handset->desk;
	struct showing showing = {desk->showing, desk->watchers.next};
	struct desk_watcher *watcher;

	desk->showing = &showing;
	while ((watcher = next_watcher(desk, &showing)))
		if (watcher->message)
			watcher->message(watcher->arg, handset, sent, kind, local, remote, bytes);
	desk->showing = showing.outer;
	if (handset->ladder)
		ladder_message(handset->ladder, desk_wall(desk), sent, local, remote, bytes);
}

/* A copy in the place of what was there; without memory, that stays. */
static void keep(char **out, struct slice text)
{
	char *copy = slice_copy(text);

	if (!copy)
		return;

	free(*out);
	*out = copy;
}

/* NULL: no memory; it rings all the same, but is in no list. */
static struct desk_call *add_call(struct handset *handset, unsigned number)
{
	struct desk_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;

	call->handset = handset;
	call->number = number;
	call->began_ns = desk_wall(handset->desk);
	call->peer = slice_copy(slice_of(""));
	call->display = slice_copy(slice_of(""));
	call->call_id = slice_copy(slice_of(""));
	list_add(&handset->calls, &call->link);
	if (call->peer && call->display && call->call_id)
		return call;
	drop_call(call);
	return NULL;
}

void desk_call_begun(struct handset *handset, unsigned number, struct slice target)
{
	struct desk_call *call = handset_call(handset, number);

	if (!call)
		call = add_call(handset, number);
	if (!call)
		return;

	call->outgoing = true;
	if (call->peer[0] == '\0')
		keep(&call->peer, target);
}

static void begin_call(struct handset *handset, const struct ua_event *event)
{
	struct desk_call *call = handset_call(handset, event->call);

	if (!call)
		call = add_call(handset, event->call);
	if (!call)
		return;

	call->outgoing = event->kind == UA_CALL_OUTGOING;
	call->state = call->outgoing ? DESK_CALLING : DESK_INCOMING;
	call->began_ns = event->wall_ns;
	keep(&call->peer, event->peer);
	keep(&call->display, event->display);
	keep(&call->call_id, event->call_id);
}

static void take_media(struct desk_call *call, const struct ua_event *event)
{
	struct text codec = TEXT_IN(call->codec);

	text_puts(&codec, event->media.codec);
	call->rate_hz = event->media.rate_hz;
}

static void take_answer(struct desk_call *call, const struct ua_event *event)
{
	call->state = DESK_TALKING;
	call->answered_ns = event->wall_ns;
	take_media(call, event);
}

static void take_ringing(struct desk_call *call, const struct ua_event *event)
{
	(void)event;
	if (call->state == DESK_CALLING)
		call->state = DESK_RINGING;
}

static void take_hold(struct desk_call *call, const struct ua_event *event)
{
	*(event->hold.remote ? &call->on_hold : &call->held) = event->kind == UA_CALL_HELD;
}

static void take_mute(struct desk_call *call, const struct ua_event *event)
{
	call->muted = event->mute.muted;
}

static void take_stats(struct desk_call *call, const struct ua_event *event)
{
	call->has_stats = true;
	call->stats = event->stats.now;
}

static void take_end(struct desk_call *call, const struct ua_event *event)
{
	(void)event;
	drop_call(call);
}

/* What an event changes of the call that it is about. */
static void take_event(struct handset *handset, const struct ua_event *event)
{
	static void (*const takers[UA_EVENT_KINDS])(
		struct desk_call * call, const struct ua_event *event) = {
		[UA_CALL_RINGING] = take_ringing,
		[UA_CALL_ANSWERED] = take_answer,
		[UA_CALL_MEDIA] = take_media,
		[UA_CALL_HELD] = take_hold,
		[UA_CALL_RESUMED] = take_hold,
		[UA_CALL_MUTED] = take_mute,
		[UA_CALL_STATS] = take_stats,
		[UA_CALL_METER] = take_stats,
		[UA_CALL_ENDED] = take_end,
	};
	struct desk_call *call;

	if (event->kind == UA_CALL_OUTGOING || event->kind == UA_CALL_INCOMING)
		begin_call(handset, event);
	if (event->kind == UA_LISTENING && handset->udp.family == ADDR_NONE)
		handset->udp = event->listening.address;
	call = handset_call(handset, event->call);
	if (!call)
		return;

	if (event->call_id.len > 0 && call->call_id[0] == '\0')
		keep(&call->call_id, event->call_id);
	if (takers[event->kind])
		takers[event->kind](call, event);
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct handset *handset = arg;
	struct ua_event named = *event;

	named.phone = handset->name[0] != '\0' ? handset->name : NULL;
	take_event(handset, &named);
	show(handset->desk, &named);
	if (handset->ladder)
		ladder_event(handset->ladder, &named);
}

void desk_tell(struct desk *desk, struct handset *handset, struct ua_event *event)
{
	event->wall_ns = desk_wall(desk);
	event->phone = handset && handset->name[0] != '\0' ? handset->name : NULL;
	show(desk, event);
}

int desk_add(
	struct handset **out, struct desk *desk, const char *name, const struct ua_config *config)
{
	struct handset *handset;
	struct text text;
	int err;

	assert(!desk->on_closed);

	handset = calloc(1, sizeof(*handset));
	if (!handset)
		return -ENOMEM;

	if (desk->config.ladder && ladder_new(&handset->ladder, desk->config.ladder)) {
		free(handset);
		return -ENOMEM;
	}
	handset->desk = desk;
	text = TEXT_IN(handset->name);
	text_puts(&text, name);
	list_init(&handset->calls);
	handset->config = *config;
	handset->config.event = on_event;
	handset->config.trace = on_message;
	handset->config.arg = handset;
	err = agent_new(&handset->agent, &handset->config);
	if (err) {
		ladder_free(handset->ladder);
		free(handset);
		return err;
	}
	list_add(&desk->handsets, &handset->link);
	*out = handset;
	return 0;
}

struct handset *desk_next(struct desk *desk, struct handset *after)
{
	struct list *link = after ? after->link.next : desk->handsets.next;

	return link == &desk->handsets ? NULL : container_of(link, struct handset, link);
}

struct handset *desk_first(struct desk *desk)
{
	return desk_next(desk, NULL);
}

struct handset *desk_find(struct desk *desk, struct slice name)
{
	struct handset *handset = desk_first(desk);

	while (handset && !slice_is(name, handset->name))
		handset = desk_next(desk, handset);
	return handset;
}

struct desk_call *handset_call(struct handset *handset, unsigned number)
{
	list_each(link, &handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		if (call->number == number)
			return call;
	}
	return NULL;
}

int desk_call_dial(struct desk_call *call, char digit)
{
	size_t len = strlen(call->digits);

	if (len == DESK_DIGITS_MAX)
		return -ENOSPC;

	call->digits[len] = digit;
	return 0;
}

struct desk_call *handset_current(struct handset *handset)
{
	struct desk_call *newest = NULL, *talks = NULL;

	list_each(link, &handset->calls)
	{
		newest = container_of(link, struct desk_call, link);
		if (newest->state == DESK_TALKING && !newest->held)
			talks = newest;
	}
	return talks ? talks : newest;
}

struct desk_call *handset_incoming(struct handset *handset)
{
	list_each(link, &handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		if (call->state == DESK_INCOMING)
			return call;
	}
	return NULL;
}

unsigned desk_calls(const struct desk *desk)
{
	unsigned count = 0;

	list_each(link, &desk->handsets) count +=
		agent_calls(container_of(link, struct handset, link)->agent);
	return count;
}

static void check_closed(struct desk *desk)
{
	list_each(link, &desk->handsets) if (!container_of(link, struct handset, link)->closed)
	{
		return;
	}
	desk->on_closed(desk->closed_arg);
}

static void on_closed(void *arg)
{
	struct handset *handset = arg;

	handset->closed = true;
	check_closed(handset->desk);
}

/* The last of several that close at once tells: none counts before all were asked. */
void desk_close(struct desk *desk, agent_closed *closed, void *arg)
{
	assert(!desk->on_closed);

	desk->on_closed = closed;
	desk->closed_arg = arg;
	if (list_empty(&desk->handsets))
		check_closed(desk);
	list_each(link, &desk->handsets)
	{
		struct handset *handset = container_of(link, struct handset, link);

		agent_close(handset->agent, on_closed, handset);
	}
}

const char *desk_contact(const struct desk *desk, struct slice name)
{
	const struct contact *contact = contacts_find(desk->config.contacts, name);

	return contact ? contact->target : NULL;
}

const struct contacts *desk_contacts(const struct desk *desk)
{
	return desk->config.contacts;
}

static struct kept *find_kept(struct desk *desk, struct slice text)
{
	list_each(link, &desk->kept)
	{
		struct kept *kept = container_of(link, struct kept, link);

		if (slice_equal((struct slice){(const uint8_t *)kept->text, kept->len}, text))
			return kept;
	}
	return NULL;
}

const char *desk_keep(struct desk *desk, struct slice text)
{
	struct kept *kept = find_kept(desk, text);

	if (kept)
		return kept->text;
	kept = calloc(1, sizeof(*kept) + text.len + 1);
	if (!kept)
		return NULL;

	kept->len = text.len;
	if (text.len > 0)
		memcpy(kept->text, text.data, text.len);
	list_add(&desk->kept, &kept->link);
	return kept->text;
}

void desk_set_log(struct desk *desk, struct call_log *log)
{
	desk->log = log;
}

struct call_log *desk_log(const struct desk *desk)
{
	return desk->log;
}

void desk_quit(struct desk *desk)
{
	desk->config.quit(desk->config.arg);
}

void desk_configure(struct handset *handset)
{
	agent_configure(handset->agent, &handset->config);
}

struct inbox *desk_inbox(struct desk *desk)
{
	return desk->inbox;
}

void desk_put_inbox(struct desk *desk, struct inbox *inbox)
{
	desk->inbox = inbox;
}

uint64_t desk_now(struct desk *desk)
{
	return loop_now(desk->config.loop);
}

uint64_t desk_wall(struct desk *desk)
{
	return loop_wall(desk->config.loop);
}

struct loop *desk_loop(struct desk *desk)
{
	return desk->config.loop;
}
