/* What is played into a call, recorded of it and listened for in it, for a while. */
#include "core/ua/call_private.h"

#include <errno.h>

void call_played(void *arg, const char *source, bool complete, const char *words)
{
	struct ua_event event = {.kind = UA_CALL_PLAYED, .played = {source, complete, words}};

	call_emit(arg, &event);
}

void call_recorded(void *arg, const char *path, bool on, const char *words)
{
	struct ua_event event = {.kind = UA_CALL_RECORDING, .recording = {path, on, words}};

	call_emit(arg, &event);
}

void call_heard_tone(void *arg, const struct ear_tone *tone)
{
	struct ua_event event = {
		.kind = UA_CALL_TONE,
		.tone = {tone->hz, tone->level_dbfs, tone->ms, tone->on},
	};

	call_emit(arg, &event);
}

static bool has_sound(const struct call *call)
{
	return call->media && call->sounds;
}

int call_play(struct call *call, const char *source)
{
	return has_sound(call) ? media_play(call->media, source) : -ENOTCONN;
}

int call_record(struct call *call, const char *pattern, struct fault *why)
{
	if (!has_sound(call))
		return fault_set(why, -ENOTCONN, "call %u has no sound", call->number);
	return media_record(call->media, pattern, why);
}

int call_listen_in(struct call *call, const double *tones_hz, size_t count)
{
	if (count > 0 && !ear_may(tones_hz, count))
		return -EINVAL;
	return has_sound(call) ? media_listen(call->media, tones_hz, count) : -ENOTCONN;
}
