/*
 * A prompt with nothing behind it but events by seed: what the tests of the terminal type into.
 *
 *     prompt_stage [SEED [EVENTS [US]]]
 *
 * EVENTS lines, one each US microseconds on average, from another thread, as the agent's come; a
 * live line ten times a second. What is handed out is shown: "got[LINE]". These lines do more:
 *
 *     quit, ring, hush, dial, live, dead (no live line), flood (many lines at once),
 *     term (a SIGTERM to itself)
 *     say WORDS    what a caller would be called, shown as the program shows it
 */
#include "cmd/prompt/prompt.h"
#include "cmd/terminal.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_SIZE = 16384, FLOOD = 300 };

struct stage {
	struct loop *main_loop;
	struct loop *agent_loop;
	struct loop_thread *agent;
	struct terminal *terminal;
	struct prompt *prompt;
	struct post start;
	struct timer event;
	struct timer meter;
	struct random random;
	unsigned events;
	unsigned told;
	unsigned beat;
	uint64_t every_ns;
	bool live;
};

/* A line that is on its way to the agent's thread. */
struct order {
	struct post post;
	struct stage *stage;
	char line[];
};

static void tell(struct stage *stage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct stage *stage, const char *format, ...)
{
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);
	va_list args;

	va_start(args, format);
	text_vprintf(&text, format, args);
	va_end(args);
	text_putc(&text, '\n');
	terminal_put(stage->terminal, TERMINAL_OUT, text_slice(&text));
}

static void on_event(void *arg)
{
	struct stage *stage = arg;
	int padding = (int)random_below(&stage->random, 90);

	if (stage->told++ >= stage->events)
		return;
	tell(stage, "event %u %.*s", stage->told, padding,
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"
		"abcdefghijklmnopqrstuvwxyz");
	timer_start_in(&stage->event, 1 + random_below(&stage->random, 2 * stage->every_ns));
}

static void on_meter(void *arg)
{
	struct stage *stage = arg;
	char room[256];
	struct text text = TEXT_IN(room);

	text_printf(&text, " #1 bob  %u   you %s   bob %s   loss 0.1 %%   buffer 28 ms   mos 4.3",
		stage->beat++, "▁▂▅▃▁▁", "▂▅▇▅▂▁");
	if (stage->live)
		terminal_live(stage->terminal, text_slice(&text));
	timer_start_in(&stage->meter, 100 * NS_PER_MS);
}

static void on_start(struct post *post)
{
	struct stage *stage = container_of(post, struct stage, start);

	timer_start_in(&stage->event, stage->every_ns);
	timer_start_in(&stage->meter, 0);
}

static void say(struct stage *stage, struct slice words)
{
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	text_put_escaped(&text, words);
	tell(stage, "incoming  \"%s\"", room);
}

static void obey(struct stage *stage, const char *line)
{
	struct slice rest = slice_of(line), word;

	slice_cut(&word, &rest, ' ');
	say(stage, slice_is(word, "say") ? rest : slice_of(line));
	if (slice_is(word, "quit"))
		terminal_end(stage->terminal);
	if (slice_is(word, "ring") || slice_is(word, "hush"))
		prompt_ringing(stage->prompt, slice_is(word, "ring"));
	if (slice_is(word, "term"))
		kill(getpid(), SIGTERM);
	if (slice_is(word, "dial"))
		prompt_dial(stage->prompt, true);
	if (slice_is(word, "live") || slice_is(word, "dead"))
		stage->live = slice_is(word, "live");
	if (slice_is(word, "dead"))
		terminal_live(stage->terminal, slice_of(""));
	for (int i = 0; slice_is(word, "flood") && i < FLOOD; i++)
		tell(stage, "flood %d", i);
}

static void run_order(struct post *post)
{
	struct order *order = container_of(post, struct order, post);
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	text_put_escaped(&text, slice_of(order->line));
	tell(order->stage, "got[%s]", room);
	obey(order->stage, order->line);
	prompt_next(order->stage->prompt);
	free(order);
}

static void on_line(void *arg, const char *line)
{
	struct stage *stage = arg;
	struct order *order = calloc(1, sizeof(*order) + strlen(line) + 1);

	if (!order)
		abort();
	order->stage = stage;
	order->post.run = run_order;
	memcpy(order->line, line, strlen(line) + 1);
	loop_post(stage->agent_loop, &order->post);
}

static void on_end(void *arg)
{
	struct stage *stage = arg;

	tell(stage, "the end");
	terminal_end(stage->terminal);
}

static void on_gone(void *arg)
{
	(void)arg;
	_exit(3);
}

static void on_interrupted(void *arg)
{
	tell(arg, "nothing typed");
}

static void on_digit(void *arg, char digit)
{
	tell(arg, "digit %c", digit);
}

static void on_signal(void *arg, int number)
{
	struct stage *stage = arg;

	if (number == SIGINT) {
		prompt_interrupt(stage->prompt);
		return;
	}
	prompt_abandon(stage->prompt);
	_exit(128 + number);
}

static unsigned number_of(char *argv[], int i, int argc, unsigned otherwise)
{
	return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : otherwise;
}

static void offer(struct prompt *prompt)
{
	static const char *const calls[] = {"#1", "#12"};
	static const char *const contacts[] = {"bob", "Bob Example", "carol", "c\x1b[2Jd"};
	static const char *const mics[] = {"device:Headset", "device:Web Cam"};

	prompt_offer(prompt, COMPLETE_CALLS, calls, sizeof(calls) / sizeof(calls[0]));
	prompt_offer(prompt, COMPLETE_CONTACTS, contacts, sizeof(contacts) / sizeof(contacts[0]));
	prompt_offer(prompt, COMPLETE_MICS, mics, sizeof(mics) / sizeof(mics[0]));
}

int main(int argc, char *argv[])
{
	static const struct prompt_events events = {
		on_line, on_end, on_gone, on_interrupted, on_digit};
	struct stage stage = {.live = true};
	const struct prompt_config config = {
		.history = getenv("HISTORY"), .events = &events, .arg = &stage};
	struct fault why;

	random_init(&stage.random, number_of(argv, 1, argc, 1));
	stage.events = number_of(argv, 2, argc, 0);
	stage.every_ns = number_of(argv, 3, argc, 10000) * NS_PER_US;
	if (loop_uv_new(&stage.main_loop) || loop_uv_new(&stage.agent_loop) ||
		terminal_new(&stage.terminal, stage.main_loop, STDOUT_FILENO) ||
		loop_uv_signal(stage.agent_loop, SIGINT, on_signal, &stage) ||
		loop_uv_signal(stage.agent_loop, SIGTERM, on_signal, &stage))
		return 2;
	if (prompt_new(&stage.prompt, stage.terminal, &config, &why)) {
		fprintf(stderr, "%s\n", why.words);
		return 2;
	}
	offer(stage.prompt);
	timer_init(&stage.event, stage.agent_loop, on_event, &stage);
	timer_init(&stage.meter, stage.agent_loop, on_meter, &stage);
	stage.start.run = on_start;
	if (loop_thread_start(&stage.agent, stage.agent_loop, "agent"))
		return 2;

	loop_post(stage.agent_loop, &stage.start);
	terminal_run(stage.terminal);
	loop_thread_stop(stage.agent);
	prompt_free(stage.prompt);
	terminal_free(stage.terminal);
	loop_uv_free(stage.agent_loop);
	loop_uv_free(stage.main_loop);
	return 0;
}
