#include "cmd/prompt/console.h"

#include "cmd/desk.h"
#include "cmd/prompt/prompt.h"
#include "cmd/readers/verdict.h"

#include <errno.h>
#include <stdlib.h>

enum { CALLS_MAX = 32, NUMBER_SIZE = 16 };

struct console {
	struct console_config config;
	struct queue *queue;
	struct desk_watcher watcher;
	struct handset *dialled; /* the phone, */
	unsigned call;           /* and its call, that digits are for; 0: none */
};

/* The calls that a word may name, and whether one of them rings here. */
static void offer_calls(struct console *console)
{
	struct handset *handset = desk_first(console->config.desk);
	char room[CALLS_MAX][NUMBER_SIZE];
	const char *words[CALLS_MAX];
	size_t count = 0;

	list_each(link, &handset->calls)
	{
		const struct desk_call *call = container_of(link, struct desk_call, link);
		struct text text;

		if (count == CALLS_MAX)
			break;
		text = text_in(room[count], NUMBER_SIZE);
		text_printf(&text, "#%u", call->number);
		words[count] = room[count];
		count++;
	}
	prompt_offer(console->config.prompt, COMPLETE_CALLS, words, count);
	prompt_ringing(console->config.prompt, handset_incoming(handset));
}

static void offer_contacts(struct console *console)
{
	const struct contacts *contacts = desk_contacts(console->config.desk);
	size_t count = contacts_count(contacts);
	const char **names = calloc(count + 1, sizeof(*names));

	if (!names)
		return; /* they can be typed all the same */

	for (size_t i = 0; i < count; i++)
		names[i] = contacts_at(contacts, i)->name;
	prompt_offer(console->config.prompt, COMPLETE_CONTACTS, names, count);
	free(names);
}

/* The phone of an event is told by its name alone. */
static bool is_dialled(const struct console *console, const struct ua_event *event)
{
	return console->call > 0 && event->call == console->call &&
	       strcmp(console->dialled->name, event->phone ? event->phone : "") == 0;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct console *console = arg;

	if (event->kind == UA_CALL_ENDED && is_dialled(console, event)) {
		console->call = 0;
		prompt_dial(console->config.prompt, false);
	}
	if (event->kind == UA_CALL_OUTGOING || event->kind == UA_CALL_INCOMING ||
		event->kind == UA_CALL_ANSWERED || event->kind == UA_CALL_ENDED)
		offer_calls(console);
}

static void on_done(void *arg, const struct queue_result *result)
{
	struct console *console = arg;

	console->config.ended(console->config.arg, result);
}

static void on_idle(void *arg)
{
	struct console *console = arg;

	prompt_next(console->config.prompt);
}

static void on_dial(void *arg, struct handset *handset, unsigned call)
{
	struct console *console = arg;

	console->dialled = handset;
	console->call = call;
	prompt_dial(console->config.prompt, true);
}

int console_new(struct console **out, const struct console_config *config)
{
	static const struct queue_events events = {.done = on_done, .idle = on_idle};
	static const struct queue_events with_keys = {on_done, on_idle, on_dial};
	struct queue_config queue = {
		.desk = config->desk,
		.waits = !prompt_has_keys(config->prompt), /* of a pipe, a line after the other */
		.bare_targets = true,
		.events = prompt_has_keys(config->prompt) ? &with_keys : &events,
	};
	struct console *console = calloc(1, sizeof(*console));
	int err;

	if (!console)
		return -ENOMEM;

	console->config = *config;
	queue.arg = console;
	err = queue_new(&console->queue, &queue);
	if (err) {
		free(console);
		return err;
	}
	console->watcher = (struct desk_watcher){.event = on_event, .arg = console};
	desk_watch(config->desk, &console->watcher);
	offer_contacts(console);
	*out = console;
	return 0;
}

void console_free(struct console *console)
{
	if (!console)
		return;

	desk_unwatch(console->config.desk, &console->watcher);
	queue_free(console->queue);
	free(console);
}

void console_line(struct console *console, const char *line)
{
	int err = queue_put(console->queue, line);
	struct queue_result result = {
		.line = line,
		.exit = VERDICT_LOCAL,
		.at = SIZE_MAX,
		.words = err == -E2BIG ? "a line of more than 4 kB" : "too many lines wait",
	};

	if (err) {
		on_done(console, &result);
		on_idle(console);
	}
}

void console_digit(struct console *console, char digit)
{
	struct desk_call *call;
	struct ua_event full = {.kind = UA_NOTICE};

	call = console->call > 0 ? handset_call(console->dialled, console->call) : NULL;
	if (!call || desk_call_dial(call, digit) == 0)
		return;

	prompt_dial(console->config.prompt, false);
	full.call = call->number;
	full.notice.words = "this call has as many digits as are kept";
	desk_tell(console->config.desk, console->dialled, &full);
}

void console_advise(struct text *out, const struct console *console)
{
	if (desk_calls(console->config.desk) > 0)
		text_puts(out, "hangup ends the call; quit, or Ctrl-D, ends all and leaves");
	else
		text_puts(out, "quit, or Ctrl-D, leaves");
}
