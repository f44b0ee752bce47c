#include "cmd/readers/json.h"

#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum {
	VERSION = 1,
	ESCAPED_SIZE = 4, /* of one byte, at most */
	DIGITS = 12,      /* that a real is printed with: none that only binary knows */
	TIME_SIZE = 64,
};

/* An object that is being filled; what fails for want of memory is remembered. */
struct object {
	json_t *json;
	bool failed;
};

/* None, if there is no string: an event of which only the kind is known has all members, too. */
static struct slice bytes_of(const char *string)
{
	return slice_of(string ? string : "");
}

static void put(struct object *to, const char *name, json_t *value)
{
	if (!value || json_object_set_new(to->json, name, value))
		to->failed = true;
}

/* Text of ours, or null. */
static void put_string(struct object *to, const char *name, const char *string)
{
	put(to, name, string ? json_string(string) : json_null());
}

/* Room for text of that many bytes, to be freed; NULL: there is none, and so no object. */
static char *make_room(struct text *out, struct object *to, size_t len)
{
	char *room = calloc(1, len + 1);

	if (room)
		*out = text_in(room, len + 1);
	to->failed |= !room;
	return room;
}

/* Text from outside: escaped as everywhere, so that it is UTF-8 and no control character is in it.
 */
static void put_text(struct object *to, const char *name, struct slice bytes)
{
	struct text text;
	char *room = make_room(&text, to, bytes.len * ESCAPED_SIZE);

	if (!room)
		return;
	text_put_escaped(&text, bytes);
	put(to, name, json_stringn(text.data, text.len));
	free(room);
}

/* The same; null if there is none. */
static void put_text_or_null(struct object *to, const char *name, struct slice bytes)
{
	if (bytes.len > 0)
		put_text(to, name, bytes);
	else
		put(to, name, json_null());
}

/* Lines as an array. */
static void put_lines(struct object *to, const char *name, struct slice lines)
{
	json_t *array = json_array();
	struct slice line;

	while (array && lines.len > 0) {
		struct object one = {.json = json_object()};

		(void)slice_cut(&line, &lines, '\n');
		if (one.json)
			put_text(&one, name, line);
		if (!one.json || one.failed ||
			json_array_append(array, json_object_get(one.json, name)))
			to->failed = true;
		json_decref(one.json);
	}
	put(to, name, array);
}

/* A URI without its password; null if there is none. */
static void put_uri(struct object *to, const char *name, struct slice uri)
{
	struct slice password = words_password(uri);
	char *copy;
	size_t before;

	if (password.len == 0) {
		put_text_or_null(to, name, uri);
		return;
	}
	copy = calloc(1, uri.len);
	if (!copy) {
		to->failed = true;
		return;
	}
	before = (size_t)(password.data - uri.data);
	memcpy(copy, uri.data, before);
	memcpy(copy + before, password.data + password.len, uri.len - before - password.len);
	put_text(to, name, (struct slice){(const uint8_t *)copy, uri.len - password.len});
	free(copy);
}

static void put_whole(struct object *to, const char *name, int64_t value)
{
	put(to, name, json_integer(value));
}

/* To a thousandth. */
static void put_real(struct object *to, const char *name, double value)
{
	if (isfinite(value))
		put(to, name, json_real(round(value * 1000) / 1000));
	else
		put(to, name, json_null());
}

static void put_address(struct object *to, const char *name, const struct addr *addr)
{
	char room[ADDR_TEXT_SIZE];

	put_string(to, name, addr->family == ADDR_NONE ? NULL : addr_print_port(room, addr));
}

/* In two fields. */
static void put_host_and_port(struct object *to, const struct addr *addr)
{
	char room[ADDR_TEXT_SIZE];
	bool known = addr->family != ADDR_NONE;

	put_string(to, "address", known ? addr_print(room, addr) : NULL);
	put(to, "port", known ? json_integer(addr->port) : json_null());
}

static void put_listening(struct object *to, const struct ua_event *event)
{
	put_string(to, "transport", event->listening.transport);
	put_host_and_port(to, &event->listening.address);
}

static void put_registration(struct object *to, const struct ua_event *event)
{
	bool has_code = event->registration.code > 0;

	put(to, "code", has_code ? json_integer(event->registration.code) : json_null());
	if (has_code)
		put_text(to, "reason", event->registration.reason);
	else
		put_string(to, "reason", NULL);
	put_string(to, "words", event->registration.words);
	if (event->kind == UA_REGISTRATION_OK) {
		put_whole(to, "expires", event->registration.expires_s);
		put_text(to, "contact", event->registration.contact);
	} else {
		put(to, "retry_s",
			event->registration.retry_s > 0 ? json_integer(event->registration.retry_s)
							: json_null());
	}
}

static void put_way(struct object *to, const struct ua_event *event)
{
	put_string(to, "transport", event->way.transport);
	put_host_and_port(to, &event->way.address);
	put_text_or_null(to, "display", event->display);
}

static void put_incoming(struct object *to, const struct ua_event *event)
{
	put_way(to, event);
	put_uri(to, "asserted", event->asserted);
	put_uri(to, "from", event->way.from);
	put(to, "anonymous", json_boolean(event->way.anonymous));
}

/* Who is there, as a server says which we believe. */
static void put_connected(struct object *to, const struct ua_event *event)
{
	put_text_or_null(to, "display", event->display);
	put_uri(to, "asserted", event->asserted);
}

static void put_provisional(struct object *to, const struct ua_event *event)
{
	put_whole(to, "code", event->provisional.code);
	put_text(to, "reason", event->provisional.reason);
	put_connected(to, event);
}

static void put_media(struct object *to, const struct ua_event *event)
{
	put_string(to, "codec", event->media.codec);
	put_whole(to, "rate", event->media.rate_hz);
	put_whole(to, "payload_type", event->media.payload_type);
	put_address(to, "address", &event->media.remote);
	put_string(to, "srtp", event->media.srtp);
	put_string(to, "received", event->media.received);
}

static void put_answered(struct object *to, const struct ua_event *event)
{
	put_media(to, event);
	put_connected(to, event);
}

static void put_figures(struct object *to, const struct ua_stats *stats)
{
	put_whole(to, "sent", (int64_t)stats->sent);
	put_whole(to, "received", (int64_t)stats->received);
	put_whole(to, "lost", stats->lost);
	put_whole(to, "late", (int64_t)stats->late);
	put_real(to, "jitter_ms", stats->jitter_ms);
	put_real(to, "rtt_ms", stats->rtt_ms < 0 ? (double)NAN : stats->rtt_ms);
	put_real(to, "buffer_ms", stats->buffer_ms);
	put_real(to, "concealed_pct", stats->concealed_pct);
	put_real(to, "mos", stats->mos);
}

static void put_mute(struct object *to, const struct ua_event *event)
{
	put(to, "muted", json_boolean(event->mute.muted));
}

/* Text of ours that may hold a name from outside, or null. */
static void put_words(struct object *to, const char *name, const char *words)
{
	put_text_or_null(to, name, bytes_of(words));
}

static void put_played(struct object *to, const struct ua_event *event)
{
	put_text(to, "source", bytes_of(event->played.source));
	put(to, "complete", json_boolean(event->played.complete));
	put_words(to, "words", event->played.words);
}

static void put_recording(struct object *to, const struct ua_event *event)
{
	put_text(to, "path", bytes_of(event->recording.path));
	put(to, "on", json_boolean(event->recording.on));
	put_words(to, "words", event->recording.words);
}

static void put_tone(struct object *to, const struct ua_event *event)
{
	put_real(to, "hz", event->tone.hz);
	put_real(to, "level_dbfs", event->tone.level_dbfs);
	put_whole(to, "ms", event->tone.ms);
	put(to, "on", json_boolean(event->tone.on));
}

static void put_hold(struct object *to, const struct ua_event *event)
{
	put_string(to, "by", event->hold.remote ? "remote" : "local");
}

/* A URI of many, as put_uri() has it. */
static void add_uri(struct object *to, json_t *array, struct slice uri)
{
	struct object one = {.json = json_object()};

	if (!one.json) {
		to->failed = true;
		return;
	}
	put_uri(&one, "targets", uri);
	if (one.failed || json_array_append(array, json_object_get(one.json, "targets")))
		to->failed = true;
	json_decref(one.json);
}

static void put_redirected(struct object *to, const struct ua_event *event)
{
	json_t *targets = json_array();

	put_whole(to, "code", event->redirected.code);
	put_text(to, "reason", event->redirected.reason);
	for (size_t i = 0; targets && i < event->redirected.count; i++)
		add_uri(to, targets, event->redirected.targets[i]);
	put(to, "targets", targets);
}

static void put_stats(struct object *to, const struct ua_event *event)
{
	put_figures(to, &event->stats.now);
	put_real(to, "duration_s", event->stats.duration_s);
	put(to, "final", json_boolean(event->stats.final));
}

static void put_ended(struct object *to, const struct ua_event *event)
{
	put_string(to, "cause", ua_cause_name(event->ended.cause));
	put_whole(to, "code", event->ended.code);
	put_text(to, "reason", event->ended.reason);
	put_words(to, "words", event->ended.words);
	put_string(to, "direction", event->ended.outgoing ? "outgoing" : "incoming");
	put(to, "answered", json_boolean(event->ended.answered));
	put_real(to, "duration_s", event->ended.duration_s);
	put_figures(to, &event->ended.stats);
	put_words(to, "recording", event->ended.recording);
}

static void put_notice(struct object *to, const struct ua_event *event)
{
	put_text(to, "words", bytes_of(event->notice.words));
}

static void put_error(struct object *to, const struct ua_event *event)
{
	put_text(to, "words", bytes_of(event->error.words));
}

/* Whoever looks on is not to learn what was typed for a server. */
static void put_typed(struct object *to, const char *name, const char *line)
{
	struct text text;
	char *room = make_room(&text, to, strlen(line));

	if (!room)
		return;
	words_put_typed(&text, slice_of(line));
	put_text(to, name, text_slice(&text));
	free(room);
}

static void put_command(struct object *to, const struct ua_event *event)
{
	put_typed(to, "command", event->command.line);
	put(to, "ok", json_boolean(event->command.ok));
	put_whole(to, "code", event->command.exit);
	if (event->command.words)
		put_text(to, "words", bytes_of(event->command.words));
	else
		put_string(to, "words", NULL);
	put_lines(to, "output", event->command.output);
	put(to, "at",
		event->command.at == SIZE_MAX ? json_null()
					      : json_integer((json_int_t)event->command.at));
}

static void put_addresses(
	struct object *to, const char *name, const struct addr *addresses, size_t count)
{
	json_t *array = json_array();
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; array && i < count; i++)
		if (json_array_append_new(array, json_string(addr_print(text, &addresses[i]))))
			to->failed = true;
	put(to, name, array);
}

static void put_network(struct object *to, const struct ua_event *event)
{
	put_addresses(to, "addresses", event->network.addresses, event->network.count);
	put_addresses(to, "added", event->network.added, event->network.added_count);
	put_addresses(to, "removed", event->network.removed, event->network.removed_count);
}

static void (*const fields[])(struct object *to, const struct ua_event *event) = {
	[UA_LISTENING] = put_listening,
	[UA_REGISTRATION_OK] = put_registration,
	[UA_REGISTRATION_FAILED] = put_registration,
	[UA_REGISTRATION_LOST] = put_registration,
	[UA_NETWORK_CHANGED] = put_network,
	[UA_CALL_OUTGOING] = put_way,
	[UA_CALL_INCOMING] = put_incoming,
	[UA_CALL_RINGING] = put_provisional,
	[UA_CALL_PROGRESS] = put_provisional,
	[UA_CALL_ANSWERED] = put_answered,
	[UA_CALL_MEDIA] = put_media,
	[UA_CALL_HELD] = put_hold,
	[UA_CALL_RESUMED] = put_hold,
	[UA_CALL_MUTED] = put_mute,
	[UA_CALL_PLAYED] = put_played,
	[UA_CALL_RECORDING] = put_recording,
	[UA_CALL_TONE] = put_tone,
	[UA_CALL_REDIRECTED] = put_redirected,
	[UA_CALL_STATS] = put_stats,
	[UA_CALL_METER] = NULL, /* for a live line only */
	[UA_CALL_ENDED] = put_ended,
	[UA_NOTICE] = put_notice,
	[UA_ERROR] = put_error,
	[UA_COMMAND_DONE] = put_command,
};

static_assert(sizeof(fields) / sizeof(fields[0]) == UA_EVENT_KINDS, "each event has its row");

/* "2026-11-20T23:00:00.000412Z" */
static void put_time(struct object *to, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	char room[TIME_SIZE];
	struct text text = TEXT_IN(room);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts)) { /* only of a year that an int cannot hold */
		put(to, "ts", json_null());
		return;
	}
	text_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", parts.tm_year + 1900,
		parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		(unsigned)(wall_ns % NS_PER_S / NS_PER_US));
	put_string(to, "ts", room);
}

static void put_envelope(struct object *to, const struct ua_event *event)
{
	put_whole(to, "v", VERSION);
	put_time(to, event->wall_ns);
	put_string(to, "event", ua_event_name(event->kind));
	put_string(to, "phone", event->phone);
	put_string(to, "account", event->account);
	put(to, "call", event->call > 0 ? json_integer(event->call) : json_null());
	put_text_or_null(to, "call_id", event->call_id);
	put_uri(to, "peer", event->peer);
}

bool json_tells(enum ua_event_kind kind)
{
	return fields[kind] != NULL;
}

/* id: NULL, or its own. NULL if there is no memory. */
static json_t *make(const struct ua_event *event, json_t *id)
{
	struct object object = {.json = json_object()};

	if (!object.json)
		return NULL;

	put_envelope(&object, event);
	fields[event->kind](&object, event);
	if (id)
		put(&object, "id", json_incref(id));
	if (!object.failed)
		return object.json;

	json_decref(object.json);
	return NULL;
}

json_t *json_make(const struct ua_event *event)
{
	return make(event, NULL);
}

static char *print(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS));
}

int json_print_id(char **out, const struct ua_event *event, struct json_t *id)
{
	json_t *json;

	*out = NULL;
	if (!json_tells(event->kind))
		return 0;

	json = make(event, id);
	if (!json)
		return -ENOMEM;

	*out = print(json);
	json_decref(json);
	return *out ? 0 : -ENOMEM;
}

int json_print(char **out, const struct ua_event *event)
{
	return json_print_id(out, event, NULL);
}

static int show(const json_t *value, const char *name, json_member *member, void *arg)
{
	char *text;
	int err;

	if (json_is_string(value))
		return member(arg, name, json_string_value(value));
	if (json_is_null(value))
		return member(arg, name, "");

	text = print(value);
	err = text ? member(arg, name, text) : -ENOMEM;
	free(text);
	return err;
}

int json_each(const struct ua_event *event, json_member *member, void *arg)
{
	json_t *json, *value;
	const char *name;
	int err = 0;

	if (!json_tells(event->kind))
		return 0;

	json = make(event, NULL);
	if (!json)
		return -ENOMEM;

	json_object_foreach(json, name, value)
	{
		err = show(value, name, member, arg);
		if (err)
			break;
	}
	json_decref(json);
	return err;
}
