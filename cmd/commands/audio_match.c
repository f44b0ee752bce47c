/* Holds what was heard against what was sent. */
#include "audio/likeness.h"
#include "audio/sound_read.h"
#include "cmd/command_line.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <stdlib.h>

static const char file_scheme[] = "file:";

static const uint64_t usual_limit_ns = 5 * NS_PER_S; /* a file is whole a while after the call */
static const uint64_t pause_ns = 100 * NS_PER_MS;    /* between two looks */

/* Inside: what is read is touched by the work alone while that is out. */
struct match {
	struct work work;
	struct command_run *run; /* NULL: it was dropped meanwhile */
	struct timer timer;
	uint64_t end_ns;
	bool more; /* not less: the comparison */
	double needed;
	char *sent;
	char *heard;
	struct likeness likeness;
	struct fault why;
	int err;
	bool working;
};

static void free_match(struct match *match)
{
	timer_stop(&match->timer);
	free(match->sent);
	free(match->heard);
	free(match);
}

static void drop_match(struct command_run *run)
{
	struct match *match = run->data;

	run->data = NULL;
	if (!match)
		return;

	match->run = NULL;
	timer_stop(&match->timer);
	if (!match->working)
		free_match(match);
}

/* A thread of the I/O pool. */
static void compare(struct work *work)
{
	struct match *match = container_of(work, struct match, work);
	int16_t *sent = NULL, *heard = NULL;
	size_t sent_count, heard_count;

	match->err = sound_read(&sent, &sent_count, match->sent, LIKENESS_SENT_RATE, &match->why);
	if (!match->err)
		match->err = sound_read(
			&heard, &heard_count, match->heard, LIKENESS_HEARD_RATE, &match->why);
	if (!match->err && likeness_measure(&match->likeness, sent, sent_count, heard, heard_count))
		match->err = fault_set(&match->why, -ENOMEM, "too little memory for a sound");
	free(sent);
	free(heard);
}

static bool is_met(const struct match *match)
{
	double figure = match->likeness.figure;

	if (match->err)
		return false;
	return match->more ? figure > match->needed : figure < match->needed;
}

static enum command_state fail(struct match *match)
{
	const struct likeness *likeness = &match->likeness;

	if (match->err)
		return command_fail(match->run, VERDICT_EXPECTATION, "%s", match->why.words);
	if (likeness->voiced == 0)
		return command_fail(
			match->run, VERDICT_EXPECTATION, "there is no speech in %s", match->sent);
	return command_fail(match->run, VERDICT_EXPECTATION,
		"got %.2f, of %zu of %zu windows with speech", likeness->figure, likeness->windows,
		likeness->voiced);
}

static void finish(struct match *match, enum command_state state)
{
	struct command_run *run = match->run;

	run->data = NULL;
	free_match(match);
	command_finish(run, state);
}

static void compared(struct work *work)
{
	struct match *match = container_of(work, struct match, work);

	match->working = false;
	if (!match->run)
		free_match(match);
	else if (is_met(match))
		finish(match, COMMAND_DONE);
	else if (desk_now(match->run->desk) >= match->end_ns)
		finish(match, fail(match));
	else
		timer_start_in(&match->timer, pause_ns);
}

static int begin(struct match *match)
{
	int err;

	match->work = (struct work){compare, compared};
	err = loop_work(desk_loop(match->run->desk), &match->work);
	match->working = err == 0;
	return err;
}

static void on_time(void *arg)
{
	struct match *match = arg;

	if (begin(match))
		finish(match,
			command_fail(match->run, VERDICT_LOCAL, "too little memory for a sound"));
}

/* What stands behind the file. */
struct rest {
	bool more;
	double needed;
	struct slice heard; /* empty: what the phone plays to */
	uint64_t limit_ns;
};

/* "> 0.9", "of heard.wav", "within 3s" */
static int read_words(struct rest *out, const struct command_word *words, size_t count,
	struct fault *why, size_t *at)
{
	struct command_value value = {0};
	char room[16];
	struct text text = TEXT_IN(room);
	char *end;

	*at = count > 0 ? words[0].at : 0;
	if (count < 2 || !(slice_is(words[0].text, ">") || slice_is(words[0].text, "<")))
		return fault_set(why, -EINVAL, "how like? Like > 0.9");

	out->more = slice_is(words[0].text, ">");
	text_put(&text, words[1].text);
	out->needed = strtod(room, &end);
	*at = words[1].at;
	if (text.cut || text.len == 0 || *end != '\0' || !(out->needed >= 0 && out->needed <= 1))
		return fault_set(why, -EINVAL, "a likeness is from 0 to 1");

	for (size_t i = 2; i < count; i += 2) {
		*at = words[i].at;
		if (i + 1 < count && slice_is(words[i].text, "of"))
			out->heard = words[i + 1].text;
		else if (i + 1 < count && slice_is(words[i].text, "within")) {
			*at = words[i + 1].at;
			if (command_read(&value, ARG_DURATION, words[i + 1].text, why))
				return -EINVAL;
			out->limit_ns = value.ns;
		} else
			return fault_set(why, -EINVAL, "only of FILE and within TIME may follow");
	}
	return 0;
}

/* room: for the words, as long as the line is. */
static int read_rest(
	struct rest *out, char *room, const struct command_run *run, struct fault *why, size_t *at)
{
	struct command_word words[COMMAND_WORDS_MAX];
	const struct command_value *value = &run->values[1];
	char *line = slice_copy(value->text);
	size_t count;
	int err;

	*out = (struct rest){.limit_ns = usual_limit_ns};
	*at = 0;
	if (!line)
		return fault_set(why, -ENOMEM, "too little memory");

	err = command_cut(words, &count, room, line, why, at);
	if (!err)
		err = read_words(out, words, count, why, at);
	*at += value->at;
	free(line);
	return err;
}

static int check_match(const struct command_run *run, struct fault *why, size_t *at)
{
	char *room = calloc(1, run->values[1].text.len + 1);
	struct rest rest;
	int err;

	if (!room)
		return fault_set(why, -ENOMEM, "too little memory");

	err = read_rest(&rest, room, run, why, at);
	free(room);
	return err;
}

/* What the phone plays to, if that is a file. */
static struct slice played_to(const struct command_run *run)
{
	struct slice speaker = slice_of(run->handset->config.speaker);
	struct slice scheme;

	if (!slice_starts_nocase(speaker, file_scheme))
		return (struct slice){0};
	(void)slice_take(&scheme, &speaker, sizeof(file_scheme) - 1);
	return speaker;
}

static struct match *make(struct command_run *run, const struct rest *rest)
{
	struct match *match = calloc(1, sizeof(*match));

	if (!match)
		return NULL;

	match->run = run;
	match->more = rest->more;
	match->needed = rest->needed;
	match->end_ns = desk_now(run->desk) + rest->limit_ns;
	match->sent = slice_copy(run->values[0].text);
	match->heard = slice_copy(rest->heard.len > 0 ? rest->heard : played_to(run));
	timer_init(&match->timer, desk_loop(run->desk), on_time, match);
	if (match->sent && match->heard)
		return match;
	free_match(match);
	return NULL;
}

static enum command_state run_match(struct command_run *run)
{
	char *room = calloc(1, run->values[1].text.len + 1);
	struct match *match;
	struct rest rest;
	struct fault why;
	size_t at = 0;
	int err;

	if (!room)
		return command_fail(run, VERDICT_LOCAL, "too little memory");

	err = read_rest(&rest, room, run, &why, &at);
	match = err ? NULL : make(run, &rest);
	free(room);
	if (err) {
		run->at = at;
		return command_fail(run, VERDICT_USAGE, "%s", why.words);
	}
	if (!match)
		return command_fail(run, VERDICT_LOCAL, "too little memory");
	if (match->heard[0] == '\0') {
		free_match(match);
		return command_fail(run, VERDICT_USAGE,
			"what was heard? The phone's speaker is no file; say of FILE");
	}
	run->data = match;
	if (begin(match)) {
		drop_match(run);
		return command_fail(run, VERDICT_LOCAL, "too little memory for a sound");
	}
	return COMMAND_WAITING;
}

const struct command command_audio_match = {
	.name = "audio-match",
	.group = COMMAND_SCRIPTS,
	.args = {{"FILE", ARG_FILE, false}, {"LIKENESS", ARG_REST, false}},
	.help = "hold what was heard against a file",
	.about = "FILE > LIKENESS [of HEARD] [within TIME]. How like the speech in FILE it is: 1 "
		 "is\n"
		 "the same, another voice stays below 0.4. HEARD is what the phone's speaker\n"
		 "wrote, or another file; of a recording the far end counts. It is tried until it\n"
		 "is so, for 5 seconds or TIME, as files are whole a while after a call.",
	.examples = {"audio-match hello.wav > 0.9", "audio-match hello.wav < 0.4 of call.wav"},
	.run = run_match,
	.drop = drop_match,
	.check = check_match,
};
