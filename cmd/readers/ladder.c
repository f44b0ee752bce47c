#include "cmd/readers/ladder.h"

#include "cmd/readers/ladder_private.h"
#include "cmd/readers/print.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const double rate_window_s = 1;     /* that packets are counted in */
static const double rate_change = 0.25;    /* of it, that is told */
static const double rate_change_min = 5.5; /* packets/s; less is how they happen to come */

struct ladder {
	struct ladder_config config;
	struct list calls; /* of struct ladder_call, the oldest first */
	size_t count;
	const struct ladder_call *shown; /* whose rows come out, with */
	size_t shown_fars;               /* so many columns */
	size_t shown_columns;
	bool begun;
};

int ladder_new(struct ladder **out, const struct ladder_config *config)
{
	struct ladder *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->config = *config;
	list_init(&self->calls);
	*out = self;
	return 0;
}

static void forget_first(struct ladder_call *call)
{
	struct list *first = call->entries.next;

	list_remove(first);
	free(container_of(first, struct ladder_entry, link));
	call->entry_count--;
}

static void forget(struct ladder *self, struct ladder_call *call)
{
	if (self->shown == call)
		self->shown = NULL;
	while (!list_empty(&call->entries))
		forget_first(call);
	list_remove(&call->link);
	free(call);
	self->count--;
}

void ladder_free(struct ladder *ladder)
{
	if (!ladder)
		return;

	while (!list_empty(&ladder->calls))
		forget(ladder, container_of(ladder->calls.next, struct ladder_call, link));
	free(ladder);
}

static bool is_live(const struct ladder_call *call)
{
	return call->call > 0 && !call->ended;
}

/* The oldest that is over or was no call; the oldest of all if there is none. */
static void make_room(struct ladder *self)
{
	struct ladder_call *oldest = container_of(self->calls.next, struct ladder_call, link);

	list_each(link, &self->calls)
	{
		struct ladder_call *call = container_of(link, struct ladder_call, link);

		if (!is_live(call)) {
			oldest = call;
			break;
		}
	}
	forget(self, oldest);
}

static struct ladder_call *find_by_id(struct ladder *self, struct slice id)
{
	for (struct list *link = self->calls.prev; link != &self->calls; link = link->prev) {
		struct ladder_call *call = container_of(link, struct ladder_call, link);

		if (slice_equal((struct slice){call->id, call->id_len}, id))
			return call;
	}
	return NULL;
}

/* 0: the latest. */
static struct ladder_call *find_by_number(struct ladder *self, unsigned number)
{
	for (struct list *link = self->calls.prev; link != &self->calls; link = link->prev) {
		struct ladder_call *call = container_of(link, struct ladder_call, link);

		if (number == 0 ? call->invited : call->call == number)
			return call;
	}
	return NULL;
}

/* NULL if there is no memory. */
static struct ladder_call *add_call(
	struct ladder *self, struct slice id, uint64_t wall_ns, const struct addr *local)
{
	struct ladder_call *call;

	if (self->count == LADDER_CALLS)
		make_room(self);
	call = calloc(1, sizeof(*call) + id.len);
	if (!call)
		return NULL;

	call->first_ns = wall_ns;
	call->local = *local;
	list_init(&call->entries);
	memcpy(call->id, id.data, id.len);
	call->id_len = id.len;
	list_add(&self->calls, &call->link);
	self->count++;
	return call;
}

static struct ladder_look look_of(const struct ladder *self)
{
	const struct ladder_config *config = &self->config;

	return (struct ladder_look){config->utf8,
		config->columns ? config->columns(config->arg) : (size_t)PRINTER_COLUMNS};
}

static void show(
	struct ladder *self, const struct ladder_call *call, const struct ladder_entry *entry)
{
	static const uint8_t newline[] = {'\n'};
	const struct ladder_config *config = &self->config;
	struct ladder_look look;

	if (!config->line)
		return;

	look = look_of(self);
	if (self->shown != call || self->shown_fars != call->far_count ||
		self->shown_columns != look.columns) {
		if (self->begun)
			config->line(config->arg, (struct slice){newline, sizeof(newline)});
		ladder_draw_head(&look, call, config->line, config->arg);
	}
	ladder_draw_entry(&look, call, entry, config->line, config->arg);
	self->shown = call;
	self->shown_fars = call->far_count;
	self->shown_columns = look.columns;
	self->begun = true;
}

static void keep(struct ladder *self, struct ladder_call *call, struct ladder_entry *entry)
{
	if (call->entry_count == LADDER_ENTRIES) {
		forget_first(call);
		call->forgotten++;
	}
	list_add(&call->entries, &entry->link);
	call->entry_count++;
	show(self, call, entry);
}

void ladder_message(struct ladder *ladder, uint64_t wall_ns, bool sent, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	struct ladder_entry *entry = NULL;
	struct ladder_call *call;
	struct sip_msg *msg;

	if (sip_msg_parse(&msg, bytes))
		return;

	call = msg->call_id.len > 0 ? find_by_id(ladder, msg->call_id) : NULL;
	if (!call && msg->call_id.len > 0)
		call = add_call(ladder, msg->call_id, wall_ns, local);
	if (call)
		entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->wall_ns = wall_ns;
		ladder_read(entry, call, msg, sent, remote);
		keep(ladder, call, entry);
	}
	sip_msg_free(msg);
}

/* Whom the sound is with: who has answered, else who came last. */
static size_t far_of_sound(const struct ladder_call *call)
{
	size_t at = 0;

	while (at + 1 < call->far_count && !call->fars[at].stands)
		at++;
	return at;
}

static void add_sound(struct ladder *self, struct ladder_call *call, uint64_t wall_ns,
	const struct ladder_sound *sound)
{
	struct ladder_entry *entry = calloc(1, sizeof(*entry));
	struct text label, note;

	if (!entry)
		return;

	label = TEXT_IN(entry->label);
	note = TEXT_IN(entry->note);
	entry->kind = LADDER_SOUND;
	entry->wall_ns = wall_ns;
	entry->sent = sound == &call->sent;
	entry->far = far_of_sound(call);
	text_printf(&label, "%s %s %.0f/s", call->encrypted ? "SRTP" : "RTP", sound->codec,
		sound->rate);
	text_puts(&note, entry->sent ? call->media : "");
	keep(self, call, entry);
}

/* Another codec is counted from here on. */
static void set_codec(struct ladder_sound *sound, const char *codec)
{
	struct text text;

	if (strcmp(sound->codec, codec) == 0)
		return;

	text = TEXT_IN(sound->codec);
	text_puts(&text, codec);
	sound->shown = false;
}

static void take_media(struct ladder_call *call, const struct ua_media *media)
{
	char room[ADDR_TEXT_SIZE];
	struct text text = TEXT_IN(call->media);

	call->encrypted = media->srtp != NULL;
	if (!media->codec)
		return;
	set_codec(&call->sent, media->codec);
	set_codec(&call->received, media->received ? media->received : media->codec);
	if (media->remote.family != ADDR_NONE)
		text_puts(&text, addr_print_port(room, &media->remote));
}

/* Tells of a direction once it flows, and when it flows otherwise. last: what there is has to do.
 */
static void take_count(struct ladder *self, struct ladder_call *call, struct ladder_sound *sound,
	uint64_t packets, const struct ua_event *event)
{
	double passed = event->stats.duration_s - sound->since_s;
	bool last = event->kind == UA_CALL_STATS && event->stats.final;
	double rate;

	if (!(passed >= rate_window_s || (last && !sound->shown && passed > 0)) ||
		sound->codec[0] == '\0')
		return;

	rate = (double)(packets > sound->packets ? packets - sound->packets : 0) / passed;
	sound->packets = packets;
	sound->since_s = event->stats.duration_s;
	if (sound->shown ? fabs(rate - sound->rate) <
				   fmax(rate_change * sound->rate, rate_change_min)
			 : packets == 0)
		return;
	sound->rate = rate;
	sound->shown = true;
	add_sound(self, call, event->wall_ns, sound);
}

static void take_stats(struct ladder *self, struct ladder_call *call, const struct ua_event *event)
{
	take_count(self, call, &call->sent, event->stats.now.sent, event);
	take_count(self, call, &call->received, event->stats.now.received, event);
}

void ladder_event(void *arg, const struct ua_event *event)
{
	struct ladder *self = arg;
	struct ladder_call *call;

	if (event->call == 0)
		return;
	call = find_by_id(self, event->call_id);
	if (!call)
		return;

	call->call = event->call;
	switch (event->kind) {
	case UA_CALL_ANSWERED:
	case UA_CALL_MEDIA:
		take_media(call, &event->media);
		break;
	case UA_CALL_STATS:
	case UA_CALL_METER:
		take_stats(self, call, event);
		break;
	case UA_CALL_ENDED:
		call->ended = true;
		break;
	default:
		break;
	}
}

int ladder_print(struct ladder *ladder, unsigned call, ladder_line *line, void *arg)
{
	const struct ladder_call *found = find_by_number(ladder, call);
	const struct ladder_look look = look_of(ladder);
	char room[LADDER_LINE_SIZE];
	struct text text = TEXT_IN(room);

	if (!found)
		return -ENOENT;

	ladder_draw_head(&look, found, line, arg);
	if (found->forgotten > 0) {
		text_printf(&text, "    %u earlier rows are not kept\n", found->forgotten);
		line(arg, text_slice(&text));
	}
	list_each(link, &found->entries)
	{
		ladder_draw_entry(
			&look, found, container_of(link, struct ladder_entry, link), line, arg);
	}
	return 0;
}

/* Where the last count messages of a call begin. */
static struct list *last_of(struct ladder_call *call, unsigned count)
{
	struct list *from = &call->entries;

	for (struct list *link = call->entries.prev; link != &call->entries && count > 0;
		link = link->prev) {
		if (container_of(link, struct ladder_entry, link)->kind == LADDER_MESSAGE)
			count--;
		from = link;
	}
	return from;
}

int ladder_last(struct ladder *ladder, unsigned call, unsigned count, ladder_line *line, void *arg)
{
	struct ladder_call *found = find_by_number(ladder, call);

	if (!found)
		return -ENOENT;

	for (struct list *link = last_of(found, count); link != &found->entries;
		link = link->next) {
		const struct ladder_entry *entry = container_of(link, struct ladder_entry, link);

		if (entry->kind == LADDER_MESSAGE)
			ladder_draw_short(found, entry, line, arg);
	}
	return 0;
}
