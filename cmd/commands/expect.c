/*
 * Waits for an event, or makes sure that none comes. What a phone has told since the last one that
 * was expected of it counts, too. Sounds: expect_sound.c.
 */
#include "cmd/commands/expect_private.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "cmd/script/inbox.h"

#include <jansson.h>
#include <stdlib.h>

enum {
	GOT_SIZE = 400,
	NAMES_MAX = 5, /* of other events that came, the last ones */
};

static void drop_waiting(struct command_run *run)
{
	struct waiting *waiting = run->data;

	if (!waiting)
		return;

	timer_stop(&waiting->timer);
	stop_listening(waiting);
	expect_free(waiting->expectation);
	free(waiting);
	run->data = NULL;
}

double waited_s(const struct waiting *waiting)
{
	return (double)(desk_now(waiting->run->desk) - waiting->begin_ns) / NS_PER_S;
}

/* The oldest event that is as it should be, or NULL. */
static struct inbox_event *find(const struct waiting *waiting)
{
	struct inbox_event *event = NULL;

	do
		event = inbox_next(waiting->inbox, waiting->run->handset, event);
	while (event && !expect_fits(waiting->expectation, event->json));
	return event;
}

/* The last event of the right name, or NULL; count: of all that have come. */
static struct inbox_event *find_near(size_t *count, const struct waiting *waiting)
{
	struct inbox_event *near = NULL;
	struct inbox_event *event = NULL;

	*count = 0;
	while ((event = inbox_next(waiting->inbox, waiting->run->handset, event))) {
		(*count)++;
		if (expect_is(waiting->expectation, event->json))
			near = event;
	}
	return near;
}

/* "call.outgoing, call.ended": the last of count, each once where it comes several times. */
static void put_names(struct text *out, const struct waiting *waiting, size_t count)
{
	struct inbox_event *event = NULL;
	const char *before = NULL;
	size_t i = 0;

	while ((event = inbox_next(waiting->inbox, waiting->run->handset, event))) {
		const char *name = json_string_value(json_object_get(event->json, "event"));

		if (i++ + NAMES_MAX < count || (before && strcmp(name, before) == 0))
			continue;
		text_printf(out, "%s%s", before ? ", " : "", name);
		before = name;
	}
}

static enum command_state fail_late(const struct waiting *waiting)
{
	const char *name = expect_event(waiting->expectation);
	char room[GOT_SIZE];
	struct text text = TEXT_IN(room);
	size_t count;
	struct inbox_event *near = find_near(&count, waiting);

	if (near)
		expect_put_got(&text, waiting->expectation, near->json);
	else
		put_names(&text, waiting, count);
	return command_fail(waiting->run, VERDICT_EXPECTATION, "got %s in %.1f s%s%s",
		count > 0 ? room : "nothing", waited_s(waiting), near || count == 0 ? "" : ", no ",
		near || count == 0 ? "" : name);
}

static enum command_state fail_found(const struct waiting *waiting, const struct inbox_event *event)
{
	char room[GOT_SIZE];
	struct text text = TEXT_IN(room);

	expect_put_got(&text, waiting->expectation, event->json);
	return command_fail(
		waiting->run, VERDICT_EXPECTATION, "got %s after %.1f s", room, waited_s(waiting));
}

/* Looks at what is there. */
static enum command_state look_at_events(struct waiting *waiting, bool over)
{
	bool wants = !expect_is_no(waiting->expectation);
	struct inbox_event *event = find(waiting);
	enum command_state state;

	if (!event && !over)
		return COMMAND_WAITING;

	if (event)
		state = wants ? COMMAND_DONE : fail_found(waiting, event);
	else
		state = wants ? fail_late(waiting) : COMMAND_DONE;
	if (event && wants) {
		waiting->run->call =
			(unsigned)json_integer_value(json_object_get(event->json, "call"));
		inbox_take(waiting->inbox, event);
	}
	return state;
}

/* Looks at an event, or NULL. over: nothing more is waited for. */
static enum command_state look(struct command_run *run, const struct ua_event *event, bool over)
{
	struct waiting *waiting = run->data;
	enum command_state state;

	if (expect_what(waiting->expectation) == EXPECT_EVENT)
		state = look_at_events(waiting, over); /* the event is in the inbox */
	else
		state = look_at_sound(waiting, event, over);
	if (state != COMMAND_WAITING)
		drop_waiting(run);
	return state;
}

static void on_time(void *arg)
{
	struct waiting *waiting = arg;
	struct command_run *run = waiting->run;

	command_finish(run, look(run, NULL, true));
}

static int check_expect(const struct command_run *run, struct fault *why, size_t *at)
{
	struct expectation *expectation;
	int err;

	err = expect_read(&expectation, run->values[0].text, why, at);
	*at += run->values[0].at;
	if (!err)
		expect_free(expectation);
	return err;
}

static enum command_state run_expect(struct command_run *run)
{
	struct inbox *inbox = desk_inbox(run->desk);
	struct waiting *waiting;
	struct fault why;
	size_t at;
	int err;

	if (!inbox)
		return command_fail(run, VERDICT_USAGE, "expect is for scripts and -e");

	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return command_fail(run, VERDICT_LOCAL, "too little memory");

	err = expect_read(&waiting->expectation, run->values[0].text, &why, &at);
	if (err) {
		free(waiting);
		return err == -EINVAL ? command_fail_at(run, 0, at, "%s", why.words)
				      : command_fail(run, VERDICT_LOCAL, "%s", why.words);
	}
	waiting->run = run;
	waiting->inbox = inbox;
	waiting->begin_ns = desk_now(run->desk);
	timer_init(&waiting->timer, desk_loop(run->desk), on_time, waiting);
	timer_start_in(&waiting->timer, expect_limit(waiting->expectation));
	run->data = waiting;
	return look(run, NULL, false);
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	return look(run, event, false);
}

const struct command command_expect = {
	.name = "expect",
	.group = COMMAND_SCRIPTS,
	.args = {{"EVENT", ARG_REST, false}},
	.help = "wait for an event, or fail",
	.about =
		"EVENT [FIELD OP VALUE]... [within TIME], or no EVENT ... within TIME. Events and\n"
		"fields are those of --json; OP is == != < <= > >= or ~, a regular expression.\n"
		"What has come since the last event that was expected counts, too.",
	.examples = {"expect call.answered codec == opus", "expect ended code == 486 within 5s"},
	.run = run_expect,
	.event = see_event,
	.drop = drop_waiting,
	.check = check_expect,
};
