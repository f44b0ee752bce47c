#include "core/ua/event.h"

#include <assert.h>

static const char *const event_names[UA_EVENT_KINDS] = {
	[UA_LISTENING] = "listening",
	[UA_REGISTRATION_OK] = "registration.ok",
	[UA_REGISTRATION_FAILED] = "registration.failed",
	[UA_REGISTRATION_LOST] = "registration.lost",
	[UA_NETWORK_CHANGED] = "network.changed",
	[UA_CALL_OUTGOING] = "call.outgoing",
	[UA_CALL_INCOMING] = "call.incoming",
	[UA_CALL_RINGING] = "call.ringing",
	[UA_CALL_PROGRESS] = "call.progress",
	[UA_CALL_ANSWERED] = "call.answered",
	[UA_CALL_MEDIA] = "call.media",
	[UA_CALL_HELD] = "call.held",
	[UA_CALL_RESUMED] = "call.resumed",
	[UA_CALL_MUTED] = "call.muted",
	[UA_CALL_PLAYED] = "call.played",
	[UA_CALL_RECORDING] = "call.recording",
	[UA_CALL_TONE] = "call.tone",
	[UA_CALL_REDIRECTED] = "call.redirected",
	[UA_CALL_STATS] = "call.stats",
	[UA_CALL_METER] = "call.meter",
	[UA_CALL_ENDED] = "call.ended",
	[UA_NOTICE] = "notice",
	[UA_ERROR] = "error",
	[UA_COMMAND_DONE] = "command.done",
};

static const char *const cause_names[UA_CAUSES] = {
	[UA_CAUSE_LOCAL] = "local",
	[UA_CAUSE_REMOTE] = "remote",
	[UA_CAUSE_REJECTED] = "rejected",
	[UA_CAUSE_TIMEOUT] = "timeout",
	[UA_CAUSE_UNREACHABLE] = "unreachable",
	[UA_CAUSE_MEDIA] = "media",
	[UA_CAUSE_ERROR] = "error",
};

const char *ua_event_name(enum ua_event_kind kind)
{
	assert(kind < UA_EVENT_KINDS);
	return event_names[kind];
}

const char *ua_cause_name(enum ua_cause cause)
{
	assert(cause < UA_CAUSES);
	return cause_names[cause];
}
