/* The half of expect that listens: to tones, silence and loudness. */
#include "cmd/commands/expect_private.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

#include <math.h>

#define TONE_REACH_HZ 0.5

static const double silent_dbfs = -50; /* below that, a person hears nothing */

/* Listens for the tone in the call at hand, once that has sound. */
static void listen(struct waiting *waiting)
{
	struct command_run *run = waiting->run;
	struct desk_call *call = handset_current(run->handset);
	double hz = expect_hz(waiting->expectation);

	if (waiting->listens || !call)
		return;

	run->call = call->number;
	waiting->listens = agent_listen_in(run->handset->agent, run->call, &hz, 1) == 0;
}

void stop_listening(struct waiting *waiting)
{
	struct command_run *run = waiting->run;

	if (waiting->listens) /* or the call is over, and with it that */
		(void)agent_listen_in(run->handset->agent, run->call, NULL, 0);
	waiting->listens = false;
}

static bool is_tone(const struct waiting *waiting, const struct ua_event *event)
{
	return event && event->kind == UA_CALL_TONE && event->tone.on &&
	       is_mine(waiting->run, event) &&
	       fabs(event->tone.hz - expect_hz(waiting->expectation)) < TONE_REACH_HZ;
}

/* What was heard at all, for who waits for something else. */
static void take_meter(struct waiting *waiting, const struct ua_event *event)
{
	double level = event->stats.far_dbfs;
	uint64_t now_ns = desk_now(waiting->run->desk);

	if (level >= silent_dbfs || !waiting->heard)
		waiting->quiet_ns = now_ns;
	if (!waiting->heard || level > waiting->loudest)
		waiting->loudest = level;
	waiting->last = level;
	waiting->heard = true;
}

static enum command_state fail(struct waiting *waiting, const char *what)
{
	if (!waiting->heard)
		return command_fail(waiting->run, VERDICT_EXPECTATION,
			"heard nothing at all in %.1f s", waited_s(waiting));
	return command_fail(waiting->run, VERDICT_EXPECTATION, "heard %sup to %.1f dBFS in %.1f s",
		what, waiting->loudest, waited_s(waiting));
}

static enum command_state look_at_tone(
	struct waiting *waiting, const struct ua_event *event, bool over)
{
	bool wanted = !expect_is_no(waiting->expectation);

	listen(waiting);
	if (is_tone(waiting, event))
		return wanted ? COMMAND_DONE
			      : command_fail(waiting->run, VERDICT_EXPECTATION,
					"heard %g Hz at %.1f dBFS after %.1f s", event->tone.hz,
					event->tone.level_dbfs, waited_s(waiting));
	if (!over)
		return COMMAND_WAITING;
	return wanted ? fail(waiting, "no such tone, others ") : COMMAND_DONE;
}

static enum command_state look_at_silence(
	struct waiting *waiting, const struct ua_event *event, bool over)
{
	uint64_t quiet_ns = desk_now(waiting->run->desk) - waiting->quiet_ns;

	(void)event;
	if (waiting->heard && quiet_ns >= expect_lasts(waiting->expectation))
		return COMMAND_DONE;
	return over ? fail(waiting, "") : COMMAND_WAITING;
}

static enum command_state look_at_level(
	struct waiting *waiting, const struct ua_event *event, bool over)
{
	bool is_meter = event && event->kind == UA_CALL_METER;

	if (is_meter && waiting->heard && expect_level_fits(waiting->expectation, waiting->last))
		return COMMAND_DONE;
	return over ? fail(waiting, "") : COMMAND_WAITING;
}

static bool is_of_phone(const struct waiting *waiting, const struct ua_event *event)
{
	const char *name = event->phone ? event->phone : "";

	return strcmp(name, waiting->run->handset->name) == 0;
}

enum command_state look_at_sound(struct waiting *waiting, const struct ua_event *event, bool over)
{
	static enum command_state (*const looks[])(
		struct waiting * waiting, const struct ua_event *event, bool over) = {
		[EXPECT_TONE] = look_at_tone,
		[EXPECT_SILENCE] = look_at_silence,
		[EXPECT_LEVEL] = look_at_level,
	};

	if (event && !is_of_phone(waiting, event))
		return COMMAND_WAITING;
	if (event && event->kind == UA_CALL_METER)
		take_meter(waiting, event);
	return looks[expect_what(waiting->expectation)](waiting, event, over);
}
