#include "cmd/control/remote.h"

#include "cmd/command_line.h"
#include "cmd/control/remote_text.h"
#include "cmd/prompt/typing.h"
#include "cmd/queue.h"
#include "cmd/readers/verdict.h"
#include "cmd/say.h"
#include "cmd/settings/options.h"
#include "cmd/terminal.h"
#include "cmd/words.h"
#include "core/base/list.h"
#include "core/net/loop_uv.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINE_MAX_SIZE = 4 << 20, /* of what the phone says */
	LINE_FIRST_SIZE = 4096,
	OUTPUT_SIZE = 300 * 1024, /* of a command, with room for more than it may have */
	EVENT_SIZE = 4096,
	SHOWN_SIZE = 200,
	ASKED_MAX = 64, /* commands under way, before more of standard input is read */
	READ_SIZE = 4096,
};

/* A phone reads what is said to it at once, whatever it does; one that does not is stopped. */
static const uint64_t patience_ns = 2 * NS_PER_S;

/* A command whose end has not been told. */
struct asked {
	struct list link;
	unsigned id;
	bool behind; /* it ends in "&": it is not waited for */
	bool quits;  /* the phone goes by it */
	char line[];
};

struct remote {
	const struct options *options;
	struct loop *loop;
	struct terminal *terminal;
	struct tcp *tcp;
	bool stands;
	bool quits; /* the phone was told to go */
	bool over;
	int exit;

	struct buf line; /* what has come of one */
	struct list asked;
	size_t asked_count;
	unsigned last_id;
	unsigned probe; /* the id of what an answer is due to; 0: of nothing */
	struct timer patience;
	char last_error[FAULT_SIZE]; /* of the phone, about no call; empty: none */

	size_t next; /* of the commands */

	struct typing *typing; /* NULL: there are no keys, and lines are read as they come: */

	/* Standard input. */
	struct work reading;
	bool is_reading;
	bool at_end;
	ssize_t got;
	char room[READ_SIZE];
	char typed[QUEUE_LINE_MAX + 1];
	size_t typed_len;
	bool too_long;
};

static void finish(struct remote *self, int exit)
{
	if (self->over)
		return;

	self->over = true;
	self->exit = exit;
	timer_stop(&self->patience);
	terminal_end(self->terminal);
}

static void fail(struct remote *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct remote *self, const char *format, ...)
{
	char room[FAULT_SIZE], path[SHOWN_SIZE];
	struct text words = TEXT_IN(room), shown = TEXT_IN(path);
	va_list args;

	if (self->over)
		return;

	words_put(&shown, slice_of(self->options->remote));
	text_printf(&words, "--remote: %s: ", path);
	va_start(args, format);
	text_vprintf_cut(&words, format, args);
	va_end(args);
	say_line(self->terminal, room);
	finish(self, VERDICT_LOCAL);
}

/* As the phone will read it. */
static void look_at(struct asked *asked)
{
	struct command_word words[COMMAND_WORDS_MAX];
	char *room = slice_copy(slice_of(asked->line));
	const struct command *command;
	struct fault why;
	size_t count = 0, at;

	if (room && command_cut(words, &count, room, asked->line, &why, &at) == 0 && count > 0) {
		command = command_find(words[0].text);
		asked->quits = command && strcmp(command->name, "quit") == 0;
		asked->behind = command_is_behind(words, count);
	}
	free(room);
}

static int send_json(struct remote *self, const char *line, const char *more, unsigned id)
{
	json_t *object = json_pack("{s:s+, s:I}", "command", line, more, "id", (json_int_t)id);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int err = -ENOMEM;

	if (text) {
		err = tcp_send(self->tcp, slice_of(text));
		if (!err)
			err = tcp_send(self->tcp, slice_of("\n"));
	}
	free(text);
	json_decref(object);
	return err;
}

/* Whether there is a command that has to end before the next. */
static bool is_waiting(const struct remote *self)
{
	list_each(link, &self->asked) if (!container_of(link, struct asked, link)->behind)
	{
		return true;
	}
	return false;
}

static void on_silence(void *arg)
{
	fail(arg, "the phone does not answer within %u s; is it stopped?",
		(unsigned)(patience_ns / NS_PER_S));
}

/* Whether anybody is there: a line without a command is done at once, where none is waited for. */
static void probe(struct remote *self)
{
	if (self->probe > 0)
		return;

	self->probe = ++self->last_id;
	if (send_json(self, "", "", self->probe)) {
		fail(self, "out of memory");
		return;
	}
	timer_start_in(&self->patience, patience_ns);
}

/* Whoever types waits for nothing: what rings can be hung up. */
static int send_asked(struct remote *self, const struct asked *asked)
{
	bool typed = self->typing || (self->options->command_count == 0 && isatty(STDIN_FILENO));

	return send_json(self, asked->line, typed && !asked->behind ? " &" : "", asked->id);
}

static void send_command(struct remote *self, const char *line)
{
	size_t len = strlen(line);
	struct asked *asked = calloc(1, sizeof(*asked) + len + 1);
	int err = -ENOMEM;

	if (!is_waiting(self))
		probe(self);
	if (asked) {
		memcpy(asked->line, line, len);
		asked->id = ++self->last_id;
		look_at(asked);
		list_add(&self->asked, &asked->link);
		self->asked_count++;
		err = send_asked(self, asked);
	}
	if (err == -ENOMEM) /* jansson's word for what is no UTF-8, too */
		fail(self, "this command is no UTF-8: %s", line);
	else if (err)
		fail(self, "%s", strerror(-err));
}

static void drop_asked(struct remote *self, struct asked *asked)
{
	list_remove(&asked->link);
	self->asked_count--;
	free(asked);
}

/* -e: each after the end of the one before, as one that fails is the last. */
static void next_command(struct remote *self)
{
	const struct options *options = self->options;

	while (!self->over && !is_waiting(self)) {
		if (self->next == options->command_count) {
			finish(self, VERDICT_DONE);
			return;
		}
		send_command(self, options->commands[self->next++]);
	}
}

static void read_more(struct remote *self);

static void go_on(struct remote *self)
{
	if (self->over || !self->stands)
		return;
	if (self->options->command_count > 0)
		next_command(self);
	else if (!self->typing)
		read_more(self);
}

/* One of spaces asks for nothing. */
static bool is_blank(const char *line)
{
	return line[strspn(line, " \t\r")] == '\0';
}

static void end_typed(struct remote *self)
{
	self->typed[self->typed_len] = '\0';
	if (self->too_long)
		fail(self, "a command has at most %d bytes", QUEUE_LINE_MAX);
	else if (strlen(self->typed) < self->typed_len)
		fail(self, "a command cannot hold a NUL");
	else if (!is_blank(self->typed))
		send_command(self, self->typed);
	self->typed_len = 0;
}

static void take_typed(struct remote *self, char byte)
{
	if (byte == '\n')
		end_typed(self);
	else if (self->typed_len == QUEUE_LINE_MAX)
		self->too_long = true;
	else
		self->typed[self->typed_len++] = byte;
}

/* On a thread of the pool, which nobody waits for at the end. */
static void run_reading(struct work *work)
{
	struct remote *self = container_of(work, struct remote, reading);

	do
		self->got = read(STDIN_FILENO, self->room, sizeof(self->room));
	while (self->got < 0 && errno == EINTR);
}

static void reading_done(struct work *work)
{
	struct remote *self = container_of(work, struct remote, reading);

	self->is_reading = false;
	for (ssize_t i = 0; i < self->got && !self->over; i++)
		take_typed(self, self->room[i]);
	if (self->got <= 0 && !self->over)
		end_typed(self);
	self->at_end = self->got <= 0;
	go_on(self);
}

/* Without commands: lines of standard input, until its end and that of all of them. */
static void read_more(struct remote *self)
{
	if (self->at_end && self->asked_count == 0)
		finish(self, self->exit);
	if (self->over || self->at_end || self->is_reading || self->asked_count >= ASKED_MAX)
		return;

	self->is_reading = true;
	self->reading = (struct work){run_reading, reading_done};
	if (loop_work(self->loop, &self->reading))
		fail(self, "out of memory");
}

static void print_result(struct remote *self, const char *line, const struct remote_result *result,
	struct slice output)
{
	struct queue_result local = {.line = line,
		.ok = result->ok,
		.exit = result->exit,
		.words = result->words,
		.at = result->at};
	char room[QUEUE_FAILURE_SIZE];
	struct text text = TEXT_IN(room);

	if (local.at != SIZE_MAX && local.at > strlen(line))
		local.at = SIZE_MAX;
	if (output.len > 0)
		terminal_put(self->terminal, TERMINAL_OUT, output);
	queue_print_failure(&text, &local);
	if (text.len > 0)
		terminal_put(self->terminal, TERMINAL_ERR, text_slice(&text));
}

/* One of ours has ended. */
static void take_result(struct remote *self, const json_t *event, struct asked *asked)
{
	char *room = calloc(1, OUTPUT_SIZE);
	struct remote_result result;
	struct text output;

	if (!room) {
		fail(self, "out of memory");
		return;
	}
	output = text_in(room, OUTPUT_SIZE);
	remote_result(&result, &output, event);
	if (!self->options->json)
		print_result(self, asked->line, &result, text_slice(&output));
	free(room);
	self->quits |= result.ok && asked->quits;
	drop_asked(self, asked);
	if (!result.ok && self->options->command_count > 0)
		finish(self, result.exit);
	else if (!result.ok && self->exit == VERDICT_DONE && !isatty(STDIN_FILENO))
		self->exit = result.exit;
}

static void show_event(struct remote *self, const json_t *event)
{
	char room[EVENT_SIZE];
	struct text text = TEXT_IN(room);

	if (self->options->json || self->options->quiet || self->options->command_count > 0)
		return;
	remote_put_event(&text, event);
	if (text.len > 0)
		terminal_put(self->terminal, TERMINAL_OUT, text_slice(&text));
}

static void take_event(struct remote *self, const json_t *event)
{
	struct text error = TEXT_IN(self->last_error);
	unsigned id = remote_id(event);

	if (remote_error(event))
		text_put_escaped(&error, slice_of(remote_error(event)));
	if (id == 0) {
		show_event(self, event);
		return;
	}
	list_each(link, &self->asked) if (container_of(link, struct asked, link)->id == id)
	{
		take_result(self, event, container_of(link, struct asked, link));
		go_on(self);
		return;
	}
}

static void take_line(struct remote *self)
{
	struct slice line = {self->line.data, self->line.len};
	json_t *event = remote_read((struct slice){line.data, line.len - 1});

	self->line.len = 0;
	if (!event) {
		fail(self, "what listens there is no phone");
		return;
	}
	if (self->probe > 0 && remote_id(event) == self->probe) {
		timer_stop(&self->patience);
		self->probe = 0;
	} else {
		if (self->options->json)
			terminal_put(self->terminal, TERMINAL_OUT, line);
		take_event(self, event);
	}
	json_decref(event);
}

/* Room for a line that grows. */
static int make_room(struct buf *buf, size_t more)
{
	size_t size = buf->size > 0 ? buf->size : LINE_FIRST_SIZE;
	uint8_t *data;

	while (size < buf->len + more)
		size *= 2;
	if (size > LINE_MAX_SIZE)
		return -E2BIG;
	if (size == buf->size)
		return 0;

	data = realloc(buf->data, size);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->size = size;
	return 0;
}

static void on_received(void *arg, struct slice bytes)
{
	struct remote *self = arg;

	while (bytes.len > 0 && !self->over) {
		size_t end = slice_find(bytes, '\n');
		bool whole = end < bytes.len;
		struct slice piece;

		(void)slice_take(&piece, &bytes, whole ? end + 1 : end);
		if (make_room(&self->line, piece.len)) {
			fail(self, "what the phone says is too long");
			return;
		}
		(void)buf_put(&self->line, piece);
		if (whole)
			take_line(self);
	}
}

static void on_connected(void *arg)
{
	struct remote *self = arg;

	self->stands = true;
	probe(self);
	go_on(self);
}

static void on_line(void *arg, const char *line)
{
	struct remote *self = arg;

	if (!self->over && !is_blank(line))
		send_command(self, line);
}

/* What was asked for goes on there. */
static void on_end(void *arg)
{
	struct remote *self = arg;

	finish(self, self->exit);
}

static void on_gone(void *arg)
{
	finish(arg, VERDICT_SIGNAL + SIGHUP);
}

static void on_interrupted(void *arg)
{
	struct remote *self = arg;

	if (!self->over)
		say_line(self->terminal, "Ctrl-D leaves, and that phone goes on; quit ends it");
}

static void on_signal(void *arg, int number)
{
	struct remote *self = arg;

	if (number == SIGINT)
		prompt_interrupt(typing_prompt(self->typing));
	else
		finish(self, VERDICT_SIGNAL + number);
}

/* Where somebody types, by keys: the terminal is given back whatever ends us. */
static int open_keys(struct remote *self, struct fault *why)
{
	static const struct typing_events events = {
		.line = on_line, .end = on_end, .gone = on_gone, .interrupted = on_interrupted};
	const struct typing_config config = {.terminal = self->terminal,
		.agent_loop = self->loop,
		.events = &events,
		.arg = self};
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	int err;

	if (self->options->command_count > 0 || self->options->json || !isatty(STDIN_FILENO) ||
		!terminal_is_screen(self->terminal))
		return 0;

	err = typing_new(&self->typing, &config, why);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && !err; i++)
		err = loop_uv_signal(self->loop, signals[i], on_signal, self);
	return err;
}

static bool is_socket(const char *path)
{
	struct stat what;

	return stat(path, &what) != 0 || S_ISSOCK(what.st_mode);
}

static void on_closed(void *arg, int err)
{
	struct remote *self = arg;

	if (self->quits)
		finish(self, self->exit);
	else if (self->stands && self->last_error[0] != '\0')
		fail(self, "%s", self->last_error);
	else if (self->stands)
		fail(self, "the phone has gone");
	else if (!is_socket(self->options->remote))
		fail(self, "this is no socket");
	else if (err == -ENOENT || err == -ECONNREFUSED)
		fail(self, "no phone listens there; one that runs with --control=PATH does");
	else if (err == -EACCES || err == -EPERM)
		fail(self, "only the owner of that phone may use it");
	else
		fail(self, "%s", strerror(-err));
}

static int open_all(struct remote *self, struct fault *why)
{
	static const struct tcp_events events = {on_connected, on_received, on_closed};
	int err;

	err = loop_uv_new(&self->loop);
	if (!err)
		timer_init(&self->patience, self->loop, on_silence, self);
	if (!err)
		err = terminal_new(&self->terminal, self->loop, STDOUT_FILENO);
	if (!err)
		err = open_keys(self, why);
	if (!err)
		err = loop_local_connect(
			&self->tcp, self->loop, self->options->remote, &events, self);
	return err;
}

static void close_all(struct remote *self)
{
	list_each(link, &self->asked) drop_asked(self, container_of(link, struct asked, link));
	tcp_free(self->tcp);
	typing_free(self->typing);
	terminal_free(self->terminal);
	loop_uv_free(self->loop);
	free(self->line.data);
	free(self);
}

int remote_run(int *exit_code, const struct options *options, struct fault *why)
{
	struct remote *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fault_set(why, -ENOMEM, "--remote: out of memory");

	signal(SIGPIPE, SIG_IGN); /* a phone that goes is told of, not died of */
	self->options = options;
	list_init(&self->asked);
	why->words[0] = '\0';
	err = open_all(self, why);
	if (err) {
		if (why->words[0] == '\0')
			fault_set(why, err, "--remote: cannot connect: %s", strerror(-err));
		close_all(self);
		return err;
	}
	terminal_run(self->terminal);
	if (terminal_has_failed(self->terminal) && self->exit == VERDICT_DONE)
		self->exit = VERDICT_LOCAL;
	*exit_code = self->exit;
	typing_free(self->typing); /* the terminal is as it was, whatever else hangs */
	self->typing = NULL;
	if (loop_uv_busy(self->loop)) /* standard input may never come to its end */
		_exit(self->exit);
	close_all(self);
	return 0;
}
