/* The calls that were. */
#include "cmd/columns.h"
#include "cmd/commands/slow.h"
#include "cmd/commands/table.h"
#include "cmd/prompt/recall.h"
#include "cmd/readers/call_entry.h"
#include "cmd/readers/call_file.h"
#include "cmd/readers/call_log.h"
#include "cmd/readers/verdict.h"
#include "cmd/words.h"

#include <stdlib.h>
#include <time.h>

enum { USUAL = 20, LINE_SIZE = 1024, NAME_SIZE = 512, TIME_SIZE = 32, NAME_COLUMNS = 28 };

struct history {
	struct slow slow;
	size_t wanted;
	char **lines; /* the last ones, a ring */
	size_t count; /* of all that there were */
	char **waiting;
	size_t waiting_count;
	int err;
	struct fault why;
};

/* Those that are on their way to the file are in it, or not: each once. */
static void forget_waiting(struct history *history, const char *line)
{
	for (size_t i = 0; i < history->waiting_count; i++)
		if (history->waiting[i] && strcmp(history->waiting[i], line) == 0) {
			free(history->waiting[i]);
			history->waiting[i] = NULL;
			return;
		}
}

static void keep(struct history *history, const char *line)
{
	char **place = &history->lines[history->count % history->wanted];
	struct call_entry entry;

	if (call_entry_read(&entry, line))
		return; /* somebody has written there who should not */

	call_entry_drop(&entry);
	free(*place);
	*place = slice_copy(slice_of(line));
	history->count++;
}

static void take_line(void *arg, const char *line)
{
	forget_waiting(arg, line);
	keep(arg, line);
}

static void read_all(struct slow *slow)
{
	struct history *history = container_of(slow, struct history, slow);

	history->err = call_file_read(take_line, history, &history->why);
	for (size_t i = 0; i < history->waiting_count; i++)
		if (history->waiting[i])
			keep(history, history->waiting[i]);
}

static void put_name(struct text *out, const struct call_entry *entry)
{
	if (entry->display[0] != '\0')
		text_printf(out, "\"%s\" ", entry->display);
	text_puts(out, entry->peer);
}

static void put_time(struct text *out, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	char room[TIME_SIZE] = "";
	struct tm parts;

	if (localtime_r(&seconds, &parts))
		(void)strftime(room, sizeof(room), "%Y-%m-%d %H:%M", &parts);
	text_puts(out, room);
}

/* "2026-11-20 23:00  made     bob@example.org               2:31" */
static void say_entry(struct command_run *run, const struct call_entry *entry)
{
	char line[LINE_SIZE], name[NAME_SIZE], escaped[NAME_SIZE];
	struct text text = TEXT_IN(line), peer = TEXT_IN(name), shown = TEXT_IN(escaped);

	put_time(&text, entry->began_ns);
	text_printf(&text, "  %-8s ", call_way_name(entry->way));
	put_name(&peer, entry);
	text_put_escaped(&shown, text_slice(&peer)); /* the file may be anybody's work */
	columns_pad(&text, text_slice(&shown), NAME_COLUMNS);
	text_puts(&text, "  ");
	if (entry->answered)
		words_put_duration(&text, entry->duration_s);
	else
		text_put_escaped(&text, slice_of(entry->reason));
	command_say(run, "%s", line);
}

static void say_all(struct command_run *run, const struct history *history)
{
	size_t first = history->count > history->wanted ? history->count - history->wanted : 0;
	struct call_entry entry;

	for (size_t i = first; i < history->count; i++) {
		const char *line = history->lines[i % history->wanted];

		if (!line || call_entry_read(&entry, line))
			continue;
		say_entry(run, &entry);
		call_entry_drop(&entry);
	}
	if (history->count == 0)
		command_say(run, "no calls yet");
}

static void clear(struct slow *slow)
{
	struct history *history = container_of(slow, struct history, slow);

	for (size_t i = 0; history->lines && i < history->wanted; i++)
		free(history->lines[i]);
	for (size_t i = 0; i < history->waiting_count; i++)
		free(history->waiting[i]);
	free(history->lines);
	free(history->waiting);
}

static enum command_state show(struct slow *slow, struct command_run *run)
{
	struct history *history = container_of(slow, struct history, slow);

	if (history->err)
		return command_fail(run, VERDICT_LOCAL, "%s", history->why.words);
	say_all(run, history);
	return COMMAND_DONE;
}

static enum command_state run_history(struct command_run *run)
{
	struct history *history = calloc(1, sizeof(*history));
	const struct call_log *log = desk_log(run->desk);

	if (!history)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	history->wanted = run->values[0].given ? run->values[0].number : USUAL;
	if (history->wanted > RECALL_MAX) /* there are no more */
		history->wanted = RECALL_MAX;
	history->lines = calloc(history->wanted, sizeof(*history->lines));
	if (!history->lines) {
		free(history);
		return command_fail(run, VERDICT_LOCAL, "out of memory");
	}
	if (log)
		history->waiting = call_log_waiting(&history->waiting_count, log);
	history->slow.toil = read_all;
	history->slow.done = show;
	history->slow.clear = clear;
	return slow_begin(&history->slow, run);
}

const struct command command_history = {
	.name = "history",
	.group = COMMAND_PEOPLE,
	.args = {{"N", ARG_COUNT, true}},
	.help = "the last N calls (20)",
	.about = "The newest last: when, made, taken, missed or refused, with whom, and how long\n"
		 "it lasted or why it did not.",
	.examples = {"history", "history 5"},
	.run = run_history,
	.drop = slow_drop,
};
