/* The calls that there are. */
#include "cmd/columns.h"
#include "cmd/commands/table.h"
#include "cmd/words.h"
#include "core/base/loop.h"

enum { LINE_SIZE = 512, NAME_COLUMNS = 28 };

static const char *const states[] = {
	[DESK_CALLING] = "calling",
	[DESK_RINGING] = "ringing",
	[DESK_INCOMING] = "incoming",
	[DESK_TALKING] = "answered",
};

static void say_call(struct command_run *run, const struct desk_call *call, bool current)
{
	char line[LINE_SIZE], name[LINE_SIZE / 2];
	struct text text = TEXT_IN(line), peer = TEXT_IN(name);
	uint64_t since = call->answered_ns > 0 ? call->answered_ns : call->began_ns;
	uint64_t now = desk_wall(run->desk);

	words_put_uri(&peer, slice_of(call->peer));
	text_printf(&text, "%s#%-3u ", current ? "*" : " ", call->number);
	columns_pad(&text, text_slice(&peer), NAME_COLUMNS);
	text_printf(&text, " %-9s ", states[call->state]);
	words_put_duration(&text, now > since ? (double)(now - since) / NS_PER_S : 0);
	if (call->codec[0] != '\0')
		text_printf(&text, "  %s %g kHz", call->codec, call->rate_hz / 1000.0);
	if (call->held)
		text_puts(&text, "  on hold");
	if (call->on_hold)
		text_puts(&text, "  held by them");
	if (call->muted)
		text_puts(&text, "  muted");
	if (call->digits[0] != '\0')
		text_printf(&text, "  digits %s", call->digits);
	command_say(run, "%s", line);
}

static enum command_state run_calls(struct command_run *run)
{
	const struct desk_call *current = handset_current(run->handset);

	if (list_empty(&run->handset->calls))
		command_say(run, "no calls");
	list_each(link, &run->handset->calls)
	{
		const struct desk_call *call = container_of(link, struct desk_call, link);

		say_call(run, call, call == current);
	}
	return COMMAND_DONE;
}

const struct command command_calls = {
	.name = "calls",
	.group = COMMAND_LOOKING,
	.help = "the calls that there are",
	.about = "With their numbers, which other commands take, and how long they last. A star\n"
		 "is at the one that commands without a number are for.",
	.examples = {"calls", NULL},
	.run = run_calls,
};
