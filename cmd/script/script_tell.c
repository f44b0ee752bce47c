/* What a script that runs has to say: failures, the report, and how it went in all. */
#include "cmd/script/script_run_private.h"

#include "cmd/columns.h"
#include "cmd/readers/verdict.h"
#include "cmd/terminal.h"
#include "cmd/words.h"

#include <stdlib.h>

enum {
	SHOWN_SIZE = 2048,
	FAILURE_SIZE = 8192,
	SUMMARY_SIZE = 32768,
};

uint64_t script_run_now(const struct script_run *run)
{
	return desk_now(run->config.desk);
}

static bool is_standard(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* Standard output is a person's unless a program reads it. */
void script_run_show(void *arg, struct slice lines)
{
	const struct script_run *run = arg;
	const struct options *options = run->config.options;
	bool taken = options->json || is_standard(options->tap) || is_standard(options->junit);

	terminal_put(run->config.terminal, taken ? TERMINAL_ERR : TERMINAL_OUT, lines);
}

/* A thread of the I/O pool, while nothing else is done. */
static void write_report(struct work *work)
{
	struct script_run *run = container_of(work, struct script_run, work);

	run->err = report_write(run->report, run->begin_wall_ns, run->ns, &run->why);
}

static void show_words(struct script_run *run, const char *words)
{
	char room[SHOWN_SIZE];
	struct text text = TEXT_IN(room);

	text_printf(&text, "sipcall: %s\n", words);
	script_run_show(run, text_slice(&text));
}

static void show_sheet(struct script_run *run, char *text, size_t len)
{
	if (text)
		terminal_put(run->config.terminal, TERMINAL_OUT,
			(struct slice){(const uint8_t *)text, len});
	else
		show_words(run, "too little memory for the report");
	if (!text && run->exit == VERDICT_DONE)
		run->exit = VERDICT_LOCAL;
	free(text);
}

/* What standard output is to have of the report. */
static void show_report(struct script_run *run)
{
	const struct options *options = run->config.options;
	size_t len = 0;
	char *text;

	if (is_standard(options->tap)) {
		text = report_tap(run->report, &len);
		show_sheet(run, text, len);
	}
	if (is_standard(options->junit)) {
		text = report_junit(run->report, run->begin_wall_ns, run->ns, &len);
		show_sheet(run, text, len);
	}
}

static void finish(struct script_run *run)
{
	show_report(run);
	run->config.over(run->config.arg, run->exit);
}

static void report_written(struct work *work)
{
	struct script_run *run = container_of(work, struct script_run, work);

	if (run->err)
		show_words(run, run->why.words);
	if (run->err && run->exit == VERDICT_DONE)
		run->exit = VERDICT_LOCAL;
	finish(run);
}

void script_run_over(struct script_run *run, int exit)
{
	if (run->over)
		return;

	run->over = true;
	run->met = exit == VERDICT_DONE;
	run->exit = exit;
	run->ns = script_run_now(run) - run->begin_ns;
	queue_forget(run->queue);
	run->work = (struct work){write_report, report_written};
	if (loop_work(run->config.agent_loop, &run->work)) {
		write_report(&run->work);
		report_written(&run->work);
	}
}

/* "ivr.sipcall:7", and as many columns of nothing. */
static size_t put_place(struct text *out, const struct script_run *run, unsigned line)
{
	size_t before = out->len;

	words_put(out, slice_of(run->config.script->name));
	text_printf(out, ":%u   ", line);
	return columns_count(
		(struct slice){(const uint8_t *)out->data + before, out->len - before});
}

/* What failed, what came instead, and what SIP said before. */
static void show_failure(struct script_run *run, const struct script_line *line, const char *words,
	struct slice messages)
{
	char room[FAILURE_SIZE];
	struct text text = TEXT_IN(room);
	size_t columns = put_place(&text, run, line->number);

	words_put(&text, slice_of(line->text));
	text_printf(&text, "\n%*s%s\n", (int)columns, "", words);
	text_put(&text, messages);
	script_run_show(run, text_slice(&text));
}

void script_run_fail(struct script_run *run, const struct script_line *line,
	const struct script_phone *phone, const char *words, uint64_t ns)
{
	char room[SHOWN_SIZE];
	struct text messages = TEXT_IN(room);
	struct report_point point = {
		.line = line->number, .text = line->text, .words = words, .ns = ns};

	if (phone)
		script_phone_put_last(&messages, phone);
	point.more = text_slice(&messages);
	report_add(run->report, &point);
	show_failure(run, line, words, point.more);
	script_run_over(run, VERDICT_EXPECTATION);
}

void script_run_pass(struct script_run *run, const struct begun *begun)
{
	const struct report_point point = {.line = begun->line->number,
		.text = begun->line->text,
		.ok = true,
		.ns = script_run_now(run) - begun->begin_ns};

	report_add(run->report, &point);
}

void script_run_spoil(struct script_run *run, int exit, const char *words)
{
	show_words(run, words);
	report_broken(run->report, words);
	script_run_over(run, exit);
}

/* A mistake that only the values of variables make. */
void script_run_mistake(
	struct script_run *run, const struct script_line *line, size_t at, const char *words)
{
	char room[SHOWN_SIZE];
	struct text text = TEXT_IN(room);

	script_put_mistake(&text, run->config.script, line, at, words);
	script_run_show(run, text_slice(&text));
	report_broken(run->report, words);
	script_run_over(run, VERDICT_USAGE);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* "1 of 4 expectations failed   ivr.sipcall   4.1 s" */
static void put_summary(struct text *out, const struct script_run *run)
{
	size_t count = report_points(run->report), failed = report_failed(run->report);

	if (failed > 0)
		text_printf(out, "%zu of %zu expectation%s failed", failed, count, plural(count));
	else if (run->met)
		text_printf(out, "%zu expectation%s met", count, plural(count));
	else
		text_printf(out, "broken off after %zu expectation%s", count, plural(count));
	text_puts(out, "   ");
	words_put(out, slice_of(run->config.script->name));
	text_printf(out, "   %.1f s\n", (double)run->ns / NS_PER_S);
}

void script_run_show_summary(struct script_run *run)
{
	char room[SUMMARY_SIZE];
	struct text text = TEXT_IN(room);

	for (size_t i = 0; i < run->phone_count; i++)
		script_phone_put_net(&text, run->phones[i]);
	put_summary(&text, run);
	script_run_show(run, text_slice(&text));
}
