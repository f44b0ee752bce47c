#include "cmd/readers/verdict.h"

#include "cmd/ending.h"

#include <signal.h>

/* How a call that we placed ended, and what that is worth; the first row that fits counts. */
static const struct row {
	struct ending how;
	int exit; /* enum verdict_code */
} table[] = {
	{{UA_CAUSE_LOCAL, YES, ANY_CODE}, VERDICT_DONE},
	{{UA_CAUSE_LOCAL, NO, ANY_CODE}, VERDICT_NO_ANSWER}, /* unless a signal came: see there */
	{{UA_CAUSE_REMOTE, YES, ANY_CODE}, VERDICT_DONE},
	{{UA_CAUSE_REMOTE, NO, ANY_CODE}, VERDICT_REJECTED},
	{{UA_CAUSE_TIMEOUT, EITHER, ANY_CODE}, VERDICT_NO_ANSWER},
	{{UA_CAUSE_UNREACHABLE, EITHER, ANY_CODE}, VERDICT_UNREACHABLE},
	{{UA_CAUSE_MEDIA, EITHER, ANY_CODE}, VERDICT_MEDIA},
	{{UA_CAUSE_ERROR, EITHER, ANY_CODE}, VERDICT_LOCAL},
	{{UA_CAUSE_REJECTED, EITHER, 401}, VERDICT_AUTH},
	{{UA_CAUSE_REJECTED, EITHER, 407}, VERDICT_AUTH},
	{{UA_CAUSE_REJECTED, EITHER, 408}, VERDICT_NO_ANSWER},
	{{UA_CAUSE_REJECTED, EITHER, 480}, VERDICT_NO_ANSWER},
	{{UA_CAUSE_REJECTED, EITHER, 486}, VERDICT_BUSY},
	{{UA_CAUSE_REJECTED, EITHER, 600}, VERDICT_BUSY},
	{{UA_CAUSE_REJECTED, EITHER, 603}, VERDICT_BUSY},
	{{UA_CAUSE_REJECTED, EITHER, 488}, VERDICT_MEDIA},
	{{UA_CAUSE_REJECTED, EITHER, 606}, VERDICT_MEDIA},
	{{UA_CAUSE_REJECTED, EITHER, 503}, VERDICT_UNREACHABLE},
	{{UA_CAUSE_REJECTED, EITHER, ANY_CODE}, VERDICT_REJECTED},
};

static const struct verdict_meaning meanings[] = {
	{VERDICT_DONE, "done as asked: a call was answered, and ended by either side"},
	{VERDICT_EXPECTATION, "something that was expected did not come"},
	{VERDICT_USAGE, "wrong usage or settings, or a target that is none"},
	{VERDICT_UNREACHABLE,
		"not reached: no such host, nothing listens, no response at all, 503"},
	{VERDICT_REJECTED, "rejected by another 3xx to 6xx"},
	{VERDICT_BUSY, "busy or declined: 486, 600, 603"},
	{VERDICT_NO_ANSWER, "nobody answered: 408, 480, or --timeout was over"},
	{VERDICT_AUTH, "a password is missing or wrong: 401, 407, or 403 to register"},
	{VERDICT_MEDIA, "no common or no working sound: 488, 606, or lost during the call"},
	{VERDICT_LOCAL, "a device, file or port here cannot be had, or output cannot be written"},
	{VERDICT_SIGNAL + SIGHUP, "the terminal went away (SIGHUP)"},
	{VERDICT_SIGNAL + SIGINT, "Ctrl-C before the answer, or a second one (SIGINT)"},
	{VERDICT_SIGNAL + SIGTERM, "told to end (SIGTERM)"},
};

const struct verdict_meaning *verdict_meaning_at(size_t i)
{
	return i < sizeof(meanings) / sizeof(meanings[0]) ? &meanings[i] : NULL;
}

int verdict_of(const struct ua_event *event)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (ending_fits(&table[i].how, event))
			return table[i].exit;
	return VERDICT_LOCAL; /* a cause without a row */
}

int verdict_of_registration(const struct ua_event *event)
{
	static const struct {
		uint16_t code;
		int exit;
	} codes[] = {
		{401, VERDICT_AUTH},
		{403, VERDICT_AUTH},
		{407, VERDICT_AUTH},
		{0, VERDICT_UNREACHABLE},
		{503, VERDICT_UNREACHABLE},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == event->registration.code)
			return codes[i].exit;
	return VERDICT_REJECTED;
}

/* Ctrl-C is a way to hang up like any other; before the answer, there is nothing to hang up. */
static bool by_signal(const struct verdict *verdict, const struct ua_event *event)
{
	return verdict->signal && event->ended.cause == UA_CAUSE_LOCAL && !event->ended.answered;
}

void verdict_event(struct verdict *verdict, const struct ua_event *event)
{
	if (event->kind == UA_ERROR && event->error.ours)
		verdict->trouble = true;
	if (event->kind != UA_CALL_ENDED || !event->ended.outgoing || verdict->failed ||
		verdict->code != VERDICT_DONE)
		return;

	verdict->code =
		by_signal(verdict, event) ? VERDICT_SIGNAL + verdict->signal : verdict_of(event);
}

void verdict_signal(struct verdict *verdict, int number)
{
	if (!verdict->signal)
		verdict->signal = number;
}

void verdict_fail(struct verdict *verdict, int code)
{
	if (verdict->failed)
		return;

	verdict->failed = true;
	verdict->code = code;
}

void verdict_trouble(struct verdict *verdict)
{
	verdict->trouble = true;
}

int verdict_exit(const struct verdict *verdict)
{
	if (verdict->signal && verdict->signal != SIGINT)
		return VERDICT_SIGNAL + verdict->signal;
	if (verdict->code == VERDICT_DONE && verdict->trouble)
		return VERDICT_LOCAL; /* what was asked for was not all done */
	return verdict->code;
}
