#include "cmd/queue.h"

#include "cmd/check.h"
#include "cmd/command_line.h"
#include "cmd/desk.h"
#include "cmd/readers/verdict.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/ua/agent.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

enum {
	SAY_SIZE = 1024,         /* of one line of output */
	OUTPUT_MAX = 256 * 1024, /* of one command's */
};

/* A line that waits for its turn. */
struct line {
	struct list link;
	struct handset *handset;
	const void *mark;
	char text[];
};

/* A command that runs. */
struct run {
	struct command_run run;
	struct list link;
	struct queue *queue;
	enum command_state state;
	bool behind;
	bool counted; /* as one of queue->behind */
	bool waited;  /* the queue waits for it */
	struct timer limit;
	const void *mark;
	char *line;
	char *room; /* of its words */
	char *output;
	size_t output_len;
};

struct queue {
	struct queue_config config;
	struct desk_watcher watcher;
	struct handset *handset;
	struct list lines; /* that have not been begun */
	size_t line_count;
	struct list runs;
	struct run *waited; /* NULL: nobody waits */
	size_t behind;      /* runs that were begun with & */
	unsigned busy;      /* nothing is begun or ended meanwhile, and the queue stays */
	bool dead;
	bool owes; /* that it is idle again, once it is */
	bool posted;
	struct post post; /* to tell that it is idle, and to go */
};

static struct run *run_of(struct command_run *run)
{
	return container_of(run, struct run, run);
}

static void free_run(struct run *run)
{
	timer_stop(&run->limit);
	if (run->state == COMMAND_WAITING && run->run.command->drop)
		run->run.command->drop(&run->run);
	if (run->counted)
		run->queue->behind--;
	list_remove(&run->link);
	free(run->line);
	free(run->room);
	free(run->output);
	free(run);
}

static void free_line(struct line *line)
{
	list_remove(&line->link);
	free(line);
}

void queue_forget(struct queue *queue)
{
	list_each(link, &queue->lines) free_line(container_of(link, struct line, link));
	queue->line_count = 0;
}

/* With nobody in it any more. */
static void go(struct queue *queue)
{
	if (queue->busy > 0 || queue->posted)
		return;

	list_each(link, &queue->runs) free_run(container_of(link, struct run, link));
	free(queue);
}

static void tell(struct queue *queue, struct run *run)
{
	bool ok = run->state == COMMAND_DONE;
	struct queue_result result = {
		.line = run->line,
		.ok = ok,
		.exit = ok ? VERDICT_DONE : run->run.exit,
		.call = run->run.call,
		.words = ok ? NULL : run->run.why.words,
		.told = !ok && run->run.told,
		.at = ok ? SIZE_MAX : run->run.at,
		.output = {(const uint8_t *)run->output, run->output_len},
		.behind = run->behind || !queue->config.waits,
		.mark = run->mark,
	};
	struct ua_event event = {
		.kind = UA_COMMAND_DONE,
		.call = run->run.call,
		.command = {run->line, ok, (uint8_t)result.exit, result.words, result.output,
			result.at, run->mark},
	};

	if (run->run.command || !ok) /* not of an empty line */
		desk_tell(queue->config.desk, run->run.handset, &event);
	if (!queue->dead && queue->config.events->done)
		queue->config.events->done(queue->config.arg, &result);
}

/* A run has ended, and all who wait are told. */
static void end(struct queue *queue, struct run *run)
{
	assert(run->state != COMMAND_WAITING);

	timer_stop(&run->limit);
	if (queue->waited == run)
		queue->waited = NULL;
	if (!queue->dead)
		tell(queue, run);
	free_run(run);
}

/* Ends those that have come to their end; each may change which there are. */
static void sweep(struct queue *queue)
{
	struct list *link = queue->runs.next;

	while (link != &queue->runs) {
		struct run *run = container_of(link, struct run, link);

		link = link->next;
		if (run->state == COMMAND_WAITING)
			continue;
		end(queue, run);
		link = queue->runs.next;
	}
}

/* Not from within an event: a phone is in the middle of something then. */
static void post_soon(struct queue *queue)
{
	if (queue->posted)
		return;

	queue->posted = true;
	loop_post(desk_loop(queue->config.desk), &queue->post);
}

static void begin_next(struct queue *queue);

/* Ends what has ended and begins what can be begun, unless that goes on already. */
static void advance(struct queue *queue)
{
	if (queue->busy > 0)
		return;

	queue->busy++;
	sweep(queue);
	while (!queue->dead && !queue->waited && !list_empty(&queue->lines)) {
		begin_next(queue);
		sweep(queue);
	}
	queue->busy--;
	if (queue->dead)
		go(queue);
	else if (queue->owes && queue_is_idle(queue))
		post_soon(queue);
}

/* What has come to its end ends, what waits goes on, and who waits for the end of all is told. */
static void run_post(struct post *post)
{
	struct queue *queue = container_of(post, struct queue, post);

	queue->posted = false;
	if (!queue->dead && queue->owes && queue_is_idle(queue)) {
		queue->owes = false;
		queue->busy++;
		if (queue->config.events->idle)
			queue->config.events->idle(queue->config.arg);
		queue->busy--;
	}
	advance(queue);
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct queue *queue = arg;

	if (event->kind == UA_COMMAND_DONE)
		return;

	queue->busy++;
	list_each(link, &queue->runs)
	{
		struct run *run = container_of(link, struct run, link);
		const struct command *command = run->run.command;

		if (run->state == COMMAND_WAITING && command->event)
			run->state = command->event(&run->run, event);
		if (run->state != COMMAND_WAITING)
			post_soon(queue);
	}
	queue->busy--;
}

static void on_limit(void *arg)
{
	struct run *run = arg;

	run->state = command_fail(&run->run, VERDICT_NO_ANSWER, "%s has not ended within %g s",
		run->run.command->name, (double)run->run.command->limit_ns / NS_PER_S);
	if (run->run.command->drop)
		run->run.command->drop(&run->run);
	advance(run->queue);
}

void command_finish(struct command_run *run, enum command_state state)
{
	struct queue *queue = run_of(run)->queue;

	assert(state != COMMAND_WAITING);

	run_of(run)->state = state;
	advance(queue);
}

bool command_use_keys(struct command_run *run)
{
	const struct queue_config *config = &run_of(run)->queue->config;

	if (!config->events->dial)
		return false;
	config->events->dial(config->arg, run->handset, run->call);
	return true;
}

static void run_command(struct run *run)
{
	const struct command *command = run->run.command;

	run->state = command->run(&run->run);
	if (run->state != COMMAND_WAITING)
		return;

	run->waited = run->queue->config.waits && !run->behind;
	if (run->waited)
		run->queue->waited = run;
	if (command->limit_ns > 0)
		timer_start_in(&run->limit, command->limit_ns);
}

/* A single word that is no command may be whom to call, also behind; so may be a number. */
static bool is_target(
	const struct queue *queue, const char *line, const struct command_word *words, size_t count)
{
	struct slice word = words[0].text;
	struct slice all = {(const uint8_t *)line + words[0].at, 0};

	count -= command_is_behind(words, count);
	if (!queue->config.bare_targets || count == 0 || command_find(word))
		return false;
	all.len = words[count - 1].end - words[0].at;
	if (agent_is_number(all))
		return true;
	if (count != 1)
		return false;
	return slice_find(word, '@') < word.len || slice_find(word, ':') < word.len ||
	       desk_contact(queue->config.desk, word);
}

/* One more that nobody waits for, if it may be: each keeps memory to its end. */
static bool go_behind(struct run *run)
{
	if (run->queue->behind == QUEUE_BEHIND_MAX) {
		run->state = command_fail(&run->run, VERDICT_LOCAL,
			"%d commands with & are under way, and no more can be", QUEUE_BEHIND_MAX);
		return false;
	}
	run->counted = true;
	run->queue->behind++;
	return true;
}

static void parse(struct run *run)
{
	struct command_word words[COMMAND_WORDS_MAX];
	size_t count = 0;
	int err;

	run->run.at = SIZE_MAX;
	err = command_cut(words, &count, run->room, run->line, &run->run.why, &run->run.at);
	if (!err && count == 0)
		return;
	if (!err && is_target(run->queue, run->line, words, count))
		run->run.command = command_find(slice_of("call"));
	if (!err)
		err = command_parse(&run->run, &run->behind, run->line, words, count, &run->run.why,
			&run->run.at);
	if (err) {
		run->run.exit = VERDICT_USAGE;
		run->state = COMMAND_FAILED;
		return;
	}
	run->run.at = SIZE_MAX;
	if (run->behind && !go_behind(run))
		return;
	run_command(run);
}

/* NULL if there is no memory. */
static struct run *new_run(struct queue *queue, const struct line *line)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;

	list_init(&run->link);
	run->queue = queue;
	run->mark = line->mark;
	run->run.desk = queue->config.desk;
	run->run.handset = line->handset ? line->handset : desk_first(queue->config.desk);
	run->line = slice_copy(slice_of(line->text));
	run->room = slice_copy(slice_of(line->text));
	timer_init(&run->limit, desk_loop(queue->config.desk), on_limit, run);
	if (!run->line || !run->room) {
		free_run(run);
		return NULL;
	}
	return run;
}

static void begin_next(struct queue *queue)
{
	struct line *line = container_of(queue->lines.next, struct line, link);
	struct run *run = new_run(queue, line);
	struct queue_result result = {.line = line->text,
		.exit = VERDICT_LOCAL,
		.words = "out of memory",
		.at = SIZE_MAX,
		.mark = line->mark};

	list_remove(&line->link);
	queue->line_count--;
	if (run) {
		list_add(&queue->runs, &run->link);
		parse(run);
	} else if (queue->config.events->done) {
		queue->config.events->done(queue->config.arg, &result);
	}
	free(line);
}

int queue_new(struct queue **out, const struct queue_config *config)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;

	queue->config = *config;
	queue->post.run = run_post;
	list_init(&queue->lines);
	list_init(&queue->runs);
	queue->watcher = (struct desk_watcher){.event = on_event, .arg = queue};
	desk_watch(config->desk, &queue->watcher);
	*out = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;

	queue->dead = true;
	queue_forget(queue);
	desk_unwatch(queue->config.desk, &queue->watcher);
	go(queue);
}

void queue_use(struct queue *queue, struct handset *handset)
{
	queue->handset = handset;
}

int queue_put(struct queue *queue, const char *line)
{
	return queue_put_marked(queue, line, NULL);
}

int queue_put_marked(struct queue *queue, const char *text, const void *mark)
{
	size_t len = strlen(text);
	struct line *line;

	if (len > QUEUE_LINE_MAX)
		return -E2BIG;
	if (queue->line_count == QUEUE_LINES_MAX)
		return -ENOSPC;

	line = calloc(1, sizeof(*line) + len + 1);
	if (!line)
		return -ENOMEM;

	memcpy(line->text, text, len);
	line->handset = queue->handset;
	line->mark = mark;
	list_add(&queue->lines, &line->link);
	queue->line_count++;
	queue->owes = true;
	advance(queue);
	return 0;
}

bool queue_is_idle(const struct queue *queue)
{
	return list_empty(&queue->lines) && !queue->waited;
}

void queue_print_failure(struct text *out, const struct queue_result *result)
{
	if (result->ok || result->told)
		return;

	text_puts(out, "sipcall: ");
	text_put_escaped(out, slice_of(result->words));
	text_putc(out, '\n');
	if (result->at != SIZE_MAX)
		check_put_caret(out, slice_of(result->line), result->at);
}

/* Whole lines only; a command that shows more than anybody reads is cut. */
static void append(struct run *run, struct slice line)
{
	char *output;

	if (run->output_len + line.len + 1 > OUTPUT_MAX)
		return;
	output = realloc(run->output, run->output_len + line.len + 1);
	if (!output)
		return;

	memcpy(output + run->output_len, line.data, line.len);
	run->output = output;
	run->output_len += line.len;
	run->output[run->output_len++] = '\n';
}

void command_say(struct command_run *run, const char *format, ...)
{
	char room[SAY_SIZE];
	struct text text = TEXT_IN(room);
	va_list args;

	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	append(run_of(run), text_slice(&text));
}

static void set_words(struct command_run *run, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void set_words(struct command_run *run, const char *format, va_list args)
{
	struct text text = TEXT_IN(run->why.words);

	text_vprintf_cut(&text, format, args);
}

enum command_state command_fail(struct command_run *run, int exit, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_words(run, format, args);
	va_end(args);
	run->exit = exit;
	return COMMAND_FAILED;
}

/* Where the offset'th byte of an argument stands in the line: behind an opening quote; what is
 * quoted further on is not reckoned with. */
static size_t place_in_word(const char *word, size_t offset)
{
	bool quoted = word[0] == '"' || word[0] == '\'';
	size_t place = offset + (quoted && offset > 0 ? 1 : 0);

	return place <= strlen(word) ? place : 0;
}

enum command_state command_fail_at(
	struct command_run *run, size_t arg, size_t offset, const char *format, ...)
{
	const struct command_value *value = &run->values[arg];
	va_list args;

	va_start(args, format);
	set_words(run, format, args);
	va_end(args);
	run->exit = VERDICT_USAGE;
	run->at = value->at + place_in_word(run->line + value->at, offset);
	return COMMAND_FAILED;
}
