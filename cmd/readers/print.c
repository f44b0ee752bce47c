#include "cmd/readers/print_private.h"

#include "cmd/columns.h"
#include "cmd/words.h"

#include <assert.h>
#include <stdlib.h>

static const char *const tone_codes[] = {
	[PRINTER_PLAIN] = "\x1b[1m",
	[PRINTER_GOOD] = "\x1b[32m",
	[PRINTER_BAD] = "\x1b[31m",
};

int printer_new(struct printer **out, const struct printer_config *config)
{
	struct printer *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->config = *config;
	list_init(&self->calls);
	self->listening = TEXT_IN(self->room);
	*out = self;
	return 0;
}

void printer_told_free(struct printer_told *told)
{
	list_remove(&told->link);
	free(told);
}

void printer_free(struct printer *printer)
{
	if (!printer)
		return;

	list_each(link, &printer->calls)
		printer_told_free(container_of(link, struct printer_told, link));
	free(printer);
}

static struct printer_told *find(struct printer *self, unsigned call)
{
	list_each(link, &self->calls)
	{
		struct printer_told *told = container_of(link, struct printer_told, link);

		if (told->call == call)
			return told;
	}
	return NULL;
}

struct printer_told *printer_told_of(struct printer *self, unsigned call)
{
	struct printer_told *told = find(self, call);

	if (told || call == 0)
		return told;

	told = calloc(1, sizeof(*told));
	if (!told)
		return NULL;
	told->call = call;
	meter_init(&told->meter);
	list_add(&self->calls, &told->link);
	return told;
}

static bool several(const struct printer *self)
{
	return !list_empty(&self->calls) && self->calls.next != self->calls.prev;
}

/* A number that was told stays. */
static bool wants_number(struct printer *self, unsigned call)
{
	struct printer_told *told = find(self, call);
	bool wanted = self->config.numbered || several(self) || (told && told->numbered);

	if (told)
		told->numbered = wanted;
	return wanted;
}

void printer_start(struct printer *self, struct text *out, enum printer_tone tone, const char *word,
	const struct ua_event *event)
{
	const char *color = self->config.color ? tone_codes[tone] : "";

	text_printf(out, "%s%s%s%*s", color, word, self->config.color ? "\x1b[0m" : "",
		(int)(strlen(word) < PRINTER_FIRST_COLUMN ? PRINTER_FIRST_COLUMN - strlen(word)
							  : 1),
		"");
	if (event->call > 0 && wants_number(self, event->call))
		text_printf(out, "#%u ", event->call);
}

struct text printer_line_in(char room[static PRINTER_LINE_SIZE])
{
	return text_in(room, PRINTER_LINE_SIZE - 1);
}

void printer_finish(struct printer *self, struct text *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	out->size = PRINTER_LINE_SIZE;
	out->cut = false;
	text_putc(out, '\n');
	self->config.line(self->config.arg, text_slice(out));
}

static char *find_registered(struct printer *self, const char *account)
{
	for (size_t i = 0; i < PRINTER_REGISTERED_MAX; i++)
		if (strncmp(self->registered[i], account, PRINTER_NAME_SIZE - 1) == 0)
			return self->registered[i];
	return NULL;
}

static bool is_registered(struct printer *self, const char *account)
{
	return find_registered(self, account) != NULL;
}

/* Of more accounts than there is room for, each refresh is told. */
static void set_registered(struct printer *self, const char *account, bool registered)
{
	char *place = find_registered(self, registered ? "" : account);
	struct text text;

	if (!place)
		return;
	text = text_in(place, PRINTER_NAME_SIZE);
	if (registered)
		text_printf(&text, "%.*s", PRINTER_NAME_SIZE - 1, account);
}

static void print_listening(struct printer *self, const struct ua_event *event, struct text *out)
{
	char address[ADDR_TEXT_SIZE];

	if (self->config.quiet || !self->config.listening)
		return;

	text_printf(&self->listening, "%s%s %s", self->listening.len > 0 ? ", " : "",
		event->listening.transport, addr_print_port(address, &event->listening.address));
	if (event->listening.more)
		return;

	printer_start(self, out, PRINTER_PLAIN, "listening", event);
	text_printf(out, "%s%s", self->room,
		event->listening.fallback ? "   as the usual port (5060) is taken" : "");
	printer_finish(self, out);
	self->listening = TEXT_IN(self->room);
}

/* Once, and again after a failure: that it was refreshed is nothing new. */
static void print_registered(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet || is_registered(self, event->account))
		return;

	set_registered(self, event->account, true);
	printer_start(self, out, PRINTER_GOOD, "registered", event);
	text_put_escaped(out, slice_of(event->account));
	printer_finish(self, out);
}

static void put_addresses(struct text *out, const struct addr *addresses, size_t count)
{
	char address[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s%s", i > 0 ? ", " : "", addr_print(address, &addresses[i]));
}

/* "network   192.0.2.7 is gone, there is 198.51.100.3" */
static void print_network(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet)
		return;

	printer_start(self, out, PRINTER_PLAIN, "network", event);
	put_addresses(out, event->network.removed, event->network.removed_count);
	if (event->network.removed_count > 0)
		text_printf(out, " %s gone", event->network.removed_count > 1 ? "are" : "is");
	if (event->network.removed_count > 0 && event->network.added_count > 0)
		text_puts(out, ", ");
	if (event->network.added_count > 0)
		text_puts(out, "there is ");
	put_addresses(out, event->network.added, event->network.added_count);
	if (event->network.count == 0)
		text_puts(out, ", no other is there");
	else if (event->network.removed_count + event->network.added_count == 0)
		text_puts(out, "another way leads out");
	printer_finish(self, out);
}

/* "error     alice@example.org is not registered: 403 Forbidden; next try in 48 s" */
static void print_unregistered(struct printer *self, const struct ua_event *event, struct text *out)
{
	uint16_t code = event->registration.code;

	set_registered(self, event->account, false);
	if (event->registration.wanted && self->config.quiet)
		return;
	printer_start(self, out, event->registration.wanted ? PRINTER_PLAIN : PRINTER_BAD,
		event->registration.wanted ? "note" : "error", event);
	text_put_escaped(out, slice_of(event->account));
	text_printf(out, " is not registered%s", event->registration.wanted ? " any more" : "");
	if (code > 0) {
		text_printf(out, ": %u ", code);
		text_put_escaped(out, event->registration.reason);
	}
	if (event->registration.words) {
		text_puts(out, ": ");
		text_put_escaped(out, slice_of(event->registration.words));
	}
	if (event->registration.retry_s > 0)
		text_printf(out, "; next try in %lu s", (unsigned long)event->registration.retry_s);
	printer_finish(self, out);
}

static void print_outgoing(struct printer *self, const struct ua_event *event, struct text *out)
{
	const struct addr *addr = &event->way.address;
	char address[ADDR_TEXT_SIZE];

	(void)printer_told_of(self, event->call);
	if (self->config.quiet)
		return;

	printer_start(self, out, PRINTER_PLAIN, "calling", event);
	words_put_uri(out, event->peer);
	text_printf(out, "  %s", event->way.transport);
	if (addr->family != ADDR_NONE && !words_uri_shows(event->peer, addr))
		text_printf(out, " %s", addr_print_port(address, addr));
	printer_finish(self, out);
}

/* Who does not say who he is, is nobody; where a server says it for him, he is told all the same.
 */
static void put_caller(struct text *out, const struct ua_event *event)
{
	bool nameless = event->way.anonymous && event->asserted.len == 0;

	if (nameless && words_is_anonymous(event->peer)) {
		text_puts(out, "anonymous");
		return;
	}
	if (event->display.len > 0) {
		text_putc(out, '"');
		words_put(out, event->display);
		text_puts(out, "\" <");
		text_puts(out, words_uri(event->peer).len < event->peer.len ? "sip:" : "");
		words_put_uri(out, event->peer);
		text_putc(out, '>');
	} else {
		words_put_uri(out, event->peer);
	}
	if (event->way.anonymous)
		text_puts(out, "   wants to be anonymous");
}

static void print_incoming(struct printer *self, const struct ua_event *event, struct text *out)
{
	(void)printer_told_of(self, event->call);
	if (self->config.quiet)
		return;

	printer_start(self, out, PRINTER_PLAIN, "incoming", event);
	put_caller(out, event);
	if (self->config.keys)
		text_puts(out, "   a answers, r rejects");
	printer_finish(self, out);
}

static void print_ringing(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = printer_told_of(self, event->call);

	if (self->config.quiet || (told && told->ringing))
		return;
	if (told)
		told->ringing = true;

	printer_start(self, out, PRINTER_PLAIN, "ringing", event);
	if (event->display.len > 0)
		words_put(out, event->display);
	else if (!slice_equal(event->asserted, event->peer)) /* it has gone to another */
		words_put_uri(out, event->asserted);
	printer_finish(self, out);
}

void printer_put_code(struct text *out, uint16_t code, struct slice reason)
{
	text_printf(out, "%u ", code);
	words_put(out, reason);
}

static void print_progress(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = printer_told_of(self, event->call);

	if (self->config.quiet || (told && told->progress == event->provisional.code))
		return;
	if (told)
		told->progress = event->provisional.code;

	printer_start(self, out, PRINTER_PLAIN, "progress", event);
	printer_put_code(out, event->provisional.code, event->provisional.reason);
	printer_finish(self, out);
}

/* "opus 48 kHz, encrypted (...), pcmu comes back  198.51.100.4:40212" */
static void put_sound(struct text *out, const struct ua_media *media)
{
	char address[ADDR_TEXT_SIZE];

	if (!media->codec)
		return;

	text_printf(out, "%s %g kHz", media->codec, media->rate_hz / 1000.0);
	if (media->srtp)
		text_printf(out, ", encrypted (%s)", media->srtp);
	if (media->received)
		text_printf(out, ", %s comes back", media->received);
	if (media->remote.family != ADDR_NONE)
		text_printf(out, "  %s", addr_print_port(address, &media->remote));
}

/* Whether media tells something new; remembers it. */
static bool is_news(struct printer_told *told, const char *sound)
{
	struct text text;

	if (!told)
		return true;
	if (strcmp(told->sound, sound) == 0)
		return false;

	text = TEXT_IN(told->sound);
	text_puts(&text, sound);
	return true;
}

static void print_sound(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = printer_told_of(self, event->call);
	bool answered = event->kind == UA_CALL_ANSWERED;
	char room[PRINTER_SOUND_SIZE];
	struct text sound = TEXT_IN(room);
	bool news;

	put_sound(&sound, &event->media);
	news = is_news(told, room);
	if (told && answered)
		told->answered = true;
	if (told && event->media.codec) {
		struct text codec = TEXT_IN(told->codec);

		text_puts(&codec, event->media.codec);
	}
	if (self->config.quiet || (!answered && !news))
		return;

	printer_start(self, out, answered ? PRINTER_GOOD : PRINTER_PLAIN,
		answered ? "answered" : "media", event);
	text_puts(out, news ? room : "");
	printer_finish(self, out);
}

/* Who asks for quiet, and who ends it. */
static void print_hold(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = find(self, event->call);

	if (told && !event->hold.remote)
		told->held = event->kind == UA_CALL_HELD;
	if (self->config.quiet)
		return;

	printer_start(
		self, out, PRINTER_PLAIN, event->kind == UA_CALL_HELD ? "held" : "resumed", event);
	text_puts(out, "by ");
	if (event->hold.remote)
		words_put(out, words_name(event->peer));
	else
		text_puts(out, "us");
	printer_finish(self, out);
}

static void print_mute(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet)
		return;

	printer_start(self, out, PRINTER_PLAIN, event->mute.muted ? "muted" : "unmuted", event);
	text_puts(out, event->mute.muted ? "they hear nothing of us" : "they hear us again");
	printer_finish(self, out);
}

/* Whoever stops it, or asks for what cannot be played, knows. */
static void print_played(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet || !event->played.complete)
		return;

	printer_start(self, out, PRINTER_PLAIN, "played", event);
	text_put_escaped(out, slice_of(event->played.source));
	printer_finish(self, out);
}

static void print_taping(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet || event->recording.words)
		return;

	printer_start(
		self, out, PRINTER_PLAIN, event->recording.on ? "recording" : "recorded", event);
	text_put_escaped(out, slice_of(event->recording.path));
	printer_finish(self, out);
}

/* Its end says how long it was; its beginning would only say the same before. */
static void print_tone(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet || event->tone.on)
		return;

	printer_start(self, out, PRINTER_PLAIN, "tone", event);
	text_printf(out, "%g Hz for %.2f s, %.0f dB", event->tone.hz, event->tone.ms / 1000.0,
		event->tone.level_dbfs);
	printer_finish(self, out);
}

static void print_redirected(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet)
		return;

	printer_start(self, out, PRINTER_PLAIN, "redirected", event);
	printer_put_code(out, event->redirected.code, event->redirected.reason);
	for (size_t i = 0; i < event->redirected.count; i++) {
		text_puts(out, i == 0 ? ": to " : ", then ");
		words_put_uri(out, event->redirected.targets[i]);
	}
	printer_finish(self, out);
}

bool printer_shows(struct printer *self, const struct printer_told *told)
{
	const struct printer_told *shown = NULL;

	list_each(link, &self->calls)
	{
		const struct printer_told *other = container_of(link, struct printer_told, link);

		if (other->answered && (!shown || shown->held || !other->held))
			shown = other;
	}
	return told == shown;
}

static void print_meter(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = find(self, event->call);
	struct meter_look look = {
		.name = words_name(event->peer),
		.utf8 = self->config.utf8,
		.columns = self->config.columns ? self->config.columns(self->config.arg)
						: (size_t)PRINTER_COLUMNS,
	};
	size_t used;

	if (!told || self->config.quiet)
		return;

	meter_add(&told->meter, event->stats.near_dbfs, event->stats.far_dbfs);
	if (wants_number(self, event->call))
		text_printf(out, "#%u ", event->call);
	used = columns_count(text_slice(out));
	look.codec = told->codec;
	look.columns = look.columns > used ? look.columns - used : 0;
	meter_put(out, &told->meter, event, &look);
	if (self->config.live && printer_shows(self, told))
		self->config.show_live(self->config.arg, text_slice(out));
	else if (!self->config.live && self->config.verbose)
		printer_finish(self, out);
}

static void print_notice(struct printer *self, const struct ua_event *event, struct text *out)
{
	if (self->config.quiet)
		return;
	printer_start(self, out, PRINTER_PLAIN, "note", event);
	text_put_escaped(out, slice_of(event->notice.words));
	printer_finish(self, out);
}

static void print_error(struct printer *self, const struct ua_event *event, struct text *out)
{
	printer_start(self, out, PRINTER_BAD, "error", event);
	text_put_escaped(out, slice_of(event->error.words));
	printer_finish(self, out);
}

static void (*const printers[])(
	struct printer *self, const struct ua_event *event, struct text *out) = {
	[UA_LISTENING] = print_listening,
	[UA_REGISTRATION_OK] = print_registered,
	[UA_REGISTRATION_FAILED] = print_unregistered,
	[UA_REGISTRATION_LOST] = print_unregistered,
	[UA_NETWORK_CHANGED] = print_network,
	[UA_CALL_OUTGOING] = print_outgoing,
	[UA_CALL_INCOMING] = print_incoming,
	[UA_CALL_RINGING] = print_ringing,
	[UA_CALL_PROGRESS] = print_progress,
	[UA_CALL_ANSWERED] = print_sound,
	[UA_CALL_MEDIA] = print_sound,
	[UA_CALL_HELD] = print_hold,
	[UA_CALL_RESUMED] = print_hold,
	[UA_CALL_MUTED] = print_mute,
	[UA_CALL_PLAYED] = print_played,
	[UA_CALL_RECORDING] = print_taping,
	[UA_CALL_TONE] = print_tone,
	[UA_CALL_REDIRECTED] = print_redirected,
	[UA_CALL_STATS] = NULL, /* the meter tells more, the end the rest */
	[UA_CALL_METER] = print_meter,
	[UA_CALL_ENDED] = printer_ended,
	[UA_NOTICE] = print_notice,
	[UA_ERROR] = print_error,
	[UA_COMMAND_DONE] = NULL, /* who typed it is told by whoever took it */
};

static_assert(sizeof(printers) / sizeof(printers[0]) == UA_EVENT_KINDS, "each event has its row");

void printer_event(void *arg, const struct ua_event *event)
{
	struct printer *self = arg;
	char room[PRINTER_LINE_SIZE];
	struct text out = printer_line_in(room);

	if (printers[event->kind])
		printers[event->kind](self, event, &out);
}
