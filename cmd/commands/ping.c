/* Asks another phone for a sign of life. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "cmd/words.h"
#include "core/base/loop.h"

#include <stdlib.h>

enum { LINE_SIZE = 512 };

static const uint64_t patience_ns = 5 * NS_PER_S; /* where nobody says how long */

struct ping {
	struct command_run *run;
	struct timer limit;
};

static void drop(struct command_run *run)
{
	struct ping *ping = run->data;

	if (!ping)
		return;

	agent_ping_cancel(run->handset->agent, ping);
	timer_stop(&ping->limit);
	run->data = NULL;
	free(ping);
}

/* "200 OK in 12.3 ms from udp 192.0.2.7:5060   Kamailio" */
static void say_pong(struct command_run *run, const struct agent_pong *pong)
{
	char line[LINE_SIZE], at[ADDR_TEXT_SIZE];
	struct text text = TEXT_IN(line);

	text_printf(&text, "%u ", pong->code);
	words_put(&text, pong->reason);
	text_printf(&text, " in %.1f ms from %s %s", pong->rtt_ms, pong->transport,
		addr_print_port(at, &pong->address));
	if (pong->user_agent.len > 0) {
		text_puts(&text, "   ");
		words_put(&text, pong->user_agent);
	}
	command_say(run, "%s", line);
}

/* Whatever it answers, it is alive. */
static void on_pong(void *arg, const struct agent_pong *pong)
{
	struct command_run *run = ((struct ping *)arg)->run;
	enum command_state state = COMMAND_DONE;

	if (pong->code > 0)
		say_pong(run, pong);
	else
		state = command_fail(run, VERDICT_UNREACHABLE, "%s", pong->words);
	drop(run);
	command_finish(run, state);
}

static void on_limit(void *arg)
{
	struct command_run *run = ((struct ping *)arg)->run;
	const struct command_value *limit = &run->values[1];
	enum command_state state;

	state = command_fail(run, VERDICT_UNREACHABLE, "no response within %g s",
		(double)(limit->given ? limit->ns : patience_ns) / NS_PER_S);
	drop(run);
	command_finish(run, state);
}

static enum command_state ask(struct command_run *run, const char *target, bool typed)
{
	struct fault why;
	size_t at = 0;
	int err;

	err = agent_ping(run->handset->agent, target, on_pong, run->data, &why, &at);
	if (!err)
		return COMMAND_WAITING;

	drop(run);
	if (err == -EINVAL)
		return command_fail_at(run, 0, typed ? at : 0, "%s", why.words);
	return command_fail(run, VERDICT_LOCAL, "%s", why.words);
}

static enum command_state run_ping(struct command_run *run)
{
	const char *contact = desk_contact(run->desk, run->values[0].text);
	char *target = contact ? NULL : slice_copy(run->values[0].text);
	struct ping *ping = calloc(1, sizeof(*ping));
	enum command_state state;

	if (!ping || (!contact && !target)) {
		free(ping);
		free(target);
		return command_fail(run, VERDICT_LOCAL, "out of memory");
	}

	ping->run = run;
	run->data = ping;
	timer_init(&ping->limit, desk_loop(run->desk), on_limit, ping);
	timer_start_in(&ping->limit, run->values[1].given ? run->values[1].ns : patience_ns);
	state = ask(run, contact ? contact : target, target);
	free(target);
	return state;
}

const struct command command_ping = {
	.name = "ping",
	.group = COMMAND_LOOKING,
	.args = {{"TARGET", ARG_TARGET, false}, {"TIME", ARG_DURATION, true}},
	.help = "ask another phone whether it is there",
	.about = "Any response is a good one: what it is, how fast it came, and from whom. It\n"
		 "fails if none comes within TIME (5 s).",
	.examples = {"ping bob@example.org", "ping sip:192.0.2.7 500ms"},
	.run = run_ping,
	.drop = drop,
};
