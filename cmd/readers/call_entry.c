#include "cmd/readers/call_entry.h"

#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { TIME_SIZE = 64, PEER_SIZE = 512, DISPLAY_SIZE = 256, REASON_SIZE = 256, DIGITS = 6 };

#define DURATION_MAX 4e9 /* s: what words_put_duration() has room for */

static const char time_form[] = "%Y-%m-%dT%H:%M:%SZ";

/* As they stand in the file. */
static const char *const ways[CALL_WAYS] = {
	[CALL_MADE] = "made",
	[CALL_TAKEN] = "taken",
	[CALL_MISSED] = "missed",
	[CALL_REFUSED] = "refused",
};

const char *call_way_name(enum call_way way)
{
	return ways[way];
}

static enum call_way way_of(const struct ua_event *event)
{
	if (event->ended.outgoing)
		return CALL_MADE;
	if (event->ended.answered)
		return CALL_TAKEN;
	if (event->ended.cause == UA_CAUSE_REJECTED || event->ended.cause == UA_CAUSE_LOCAL)
		return CALL_REFUSED;
	return CALL_MISSED;
}

static void put_reason(struct text *out, const struct ua_event *event)
{
	if (event->ended.answered || way_of(event) == CALL_MISSED)
		return;
	if (event->ended.cause == UA_CAUSE_LOCAL && event->ended.outgoing) {
		text_puts(out, "given up");
	} else if (event->ended.words) {
		words_put(out, slice_of(event->ended.words));
	} else if (event->ended.code > 0) {
		text_printf(out, "%u ", event->ended.code);
		words_put(out, event->ended.reason);
	} else {
		text_puts(out, ua_cause_name(event->ended.cause));
	}
}

int call_entry_print(char **out, const struct ua_event *event, uint64_t began_ns)
{
	char when[TIME_SIZE] = "", peer[PEER_SIZE], display[DISPLAY_SIZE], reason[REASON_SIZE];
	struct text peer_text = TEXT_IN(peer), display_text = TEXT_IN(display);
	struct text reason_text = TEXT_IN(reason);
	time_t seconds = (time_t)(began_ns / NS_PER_S);
	struct tm parts;
	json_t *json;

	if (gmtime_r(&seconds, &parts))
		(void)strftime(when, sizeof(when), time_form, &parts);
	words_put_uri(&peer_text, event->peer);
	words_put(&display_text, event->display);
	put_reason(&reason_text, event);
	json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:f, s:s}", "ts", when, "way",
		ways[way_of(event)], "peer", peer, "display", display, "answered",
		(int)event->ended.answered, "duration_s", event->ended.duration_s, "reason",
		reason);
	*out = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
	json_decref(json);
	return *out ? 0 : -ENOMEM;
}

static int read_time(uint64_t *out, const char *text)
{
	struct tm parts = {0};
	const char *end = strptime(text, time_form, &parts);
	time_t seconds;

	if (!end || *end != '\0')
		return -EPROTO;
	seconds = timegm(&parts);
	if (seconds < 0)
		return -EPROTO;

	*out = (uint64_t)seconds * NS_PER_S;
	return 0;
}

static int read_way(enum call_way *out, const char *text)
{
	for (size_t i = 0; i < CALL_WAYS; i++)
		if (strcmp(text, ways[i]) == 0) {
			*out = (enum call_way)i;
			return 0;
		}
	return -EPROTO;
}

static int copy(struct call_entry *out, const char *peer, const char *display, const char *reason)
{
	out->peer = slice_copy(slice_of(peer));
	out->display = slice_copy(slice_of(display));
	out->reason = slice_copy(slice_of(reason));
	if (out->peer && out->display && out->reason)
		return 0;

	call_entry_drop(out);
	return -ENOMEM;
}

static int read_json(struct call_entry *out, json_t *json)
{
	const char *when, *way, *peer, *display, *reason;
	int answered;
	int err;

	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:b, s:F, s:s}", "ts", &when, "way", &way,
		    "peer", &peer, "display", &display, "answered", &answered, "duration_s",
		    &out->duration_s, "reason", &reason) != 0)
		return -EPROTO;

	out->answered = answered;
	err = read_time(&out->began_ns, when);
	if (!err)
		err = read_way(&out->way, way);
	if (!err && !(out->duration_s >= 0 && out->duration_s <= DURATION_MAX))
		err = -EPROTO;
	return err ? err : copy(out, peer, display, reason);
}

int call_entry_read(struct call_entry *out, const char *line)
{
	json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	int err;

	*out = (struct call_entry){0};
	if (!json)
		return -EPROTO;

	err = read_json(out, json);
	json_decref(json);
	return err;
}

void call_entry_drop(struct call_entry *entry)
{
	free(entry->peer);
	free(entry->display);
	free(entry->reason);
	*entry = (struct call_entry){0};
}
