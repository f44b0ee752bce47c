#include "cmd/control/control.h"

#include "cmd/control/control_line.h"
#include "cmd/desk.h"
#include "cmd/queue.h"
#include "cmd/readers/json.h"
#include "cmd/readers/verdict.h"
#include "cmd/words.h"
#include "core/base/log.h"

#include <jansson.h>
#include <stdlib.h>

enum { SHOWN_SIZE = 200 };

/* A command that has an id and has not ended. Its address is the mark of its line. */
struct asked {
	struct list link;
	json_t *id;
};

struct client {
	struct list link;
	struct control *control;
	struct tcp *tcp;
	struct queue *queue;
	struct list asked;
	bool busy; /* its lines are being read: it stays meanwhile */
	bool gone;
	bool skipping; /* what is left of a line that was too long */
	size_t len;
	uint8_t line[CONTROL_LINE_MAX];
};

struct control {
	struct desk *desk;
	struct tcp_listener *listener;
	struct desk_watcher watcher;
	struct list clients;
	size_t count;
};

static void drop_asked(struct asked *asked)
{
	list_remove(&asked->link);
	json_decref(asked->id);
	free(asked);
}

/* It is gone for everybody at once, and from memory once nothing of it is at work. */
static void drop(struct client *client)
{
	if (client->gone)
		return;

	client->gone = true;
	client->control->count--;
	list_remove(&client->link);
	queue_free(client->queue);
	tcp_free(client->tcp);
	list_each(link, &client->asked) drop_asked(container_of(link, struct asked, link));
	if (!client->busy)
		free(client);
}

/* Who does not read is dropped: what waits for it would have no end. */
static void send_line(struct client *client, const char *line)
{
	static const struct slice newline = {(const uint8_t *)"\n", 1};
	int err;

	err = tcp_send(client->tcp, slice_of(line));
	if (!err)
		err = tcp_send(client->tcp, newline);
	if (!err)
		return;

	log_warning("control: a client is dropped: %s",
		err == -ENOBUFS ? "it does not read" : strerror(-err));
	drop(client);
}

static void send_event(struct client *client, const struct ua_event *event, json_t *id)
{
	char *line;

	if (json_print_id(&line, event, id))
		log_warning("control: too little memory for an event");
	if (!line)
		return;

	send_line(client, line);
	free(line);
}

/* The client's own command that event tells the end of, or NULL. */
static struct asked *find_asked(struct client *client, const struct ua_event *event)
{
	if (event->kind != UA_COMMAND_DONE || !event->command.mark)
		return NULL;
	list_each(link, &client->asked) if (link == event->command.mark)
	{
		return container_of(link, struct asked, link);
	}
	return NULL;
}

static void tell_answer(struct client *client, const struct ua_event *event, struct asked *asked)
{
	json_t *id = json_incref(asked->id);

	drop_asked(asked);
	send_event(client, event, id);
	json_decref(id);
}

/* Printed once for all. */
static void on_event(void *arg, const struct ua_event *event)
{
	struct control *control = arg;
	char *line;

	if (list_empty(&control->clients))
		return;
	if (json_print(&line, event))
		log_warning("control: too little memory for an event");
	if (!line)
		return;

	list_each(link, &control->clients)
	{
		struct client *client = container_of(link, struct client, link);
		struct asked *asked = find_asked(client, event);

		if (asked)
			tell_answer(client, event, asked);
		else
			send_line(client, line);
	}
	free(line);
}

/* To this client alone: a line of its that was never begun. asked: NULL, without an id. */
static void tell_end(
	struct client *client, struct asked *asked, const char *line, int exit, const char *words)
{
	struct ua_event event = {
		.kind = UA_COMMAND_DONE,
		.wall_ns = desk_wall(client->control->desk),
		.command = {.line = line,
			.ok = exit == VERDICT_DONE,
			.exit = (uint8_t)exit,
			.words = words,
			.at = SIZE_MAX},
	};

	if (asked)
		tell_answer(client, &event, asked);
	else
		send_event(client, &event, NULL);
}

/* Of what has an event of its own, nothing is asked any more. */
static void on_done(void *arg, const struct queue_result *result)
{
	struct client *client = arg;

	list_each(link, &client->asked) if (link == result->mark)
	{
		tell_end(client, container_of(link, struct asked, link), result->line, result->exit,
			result->words);
		return;
	}
}

static const char *words_of(int err)
{
	if (err == -ENOSPC)
		return "too many commands wait for their turn";
	if (err == -E2BIG)
		return "the command is too long";
	return strerror(-err);
}

static int ask(struct asked **out, struct client *client, json_t *id)
{
	*out = NULL;
	if (!id)
		return 0;

	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;

	(*out)->id = json_incref(id);
	list_add(&client->asked, &(*out)->link);
	return 0;
}

static void take_line(struct client *client, struct slice text)
{
	struct control_line line;
	struct asked *asked = NULL;
	struct fault why = {""};
	int err;

	err = control_line_read(&line, text, &why);
	if (err && ask(&asked, client, line.id) == 0) {
		tell_end(client, asked, "", err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL,
			why.words);
	} else if (!err) {
		err = ask(&asked, client, line.id);
		if (!err)
			err = queue_put_marked(
				client->queue, line.command, asked ? &asked->link : NULL);
		if (err)
			tell_end(client, asked, line.command, VERDICT_LOCAL, words_of(err));
	}
	control_line_drop(&line);
}

static void keep_rest(struct client *client, struct slice rest)
{
	struct fault why;

	if (client->skipping || rest.len == 0)
		return;
	if (rest.len > sizeof(client->line) - client->len) {
		fault_set(&why, -EINVAL, "a line has at most %d bytes", CONTROL_LINE_MAX);
		client->skipping = true;
		client->len = 0;
		tell_end(client, NULL, "", VERDICT_USAGE, why.words);
		return;
	}
	memcpy(client->line + client->len, rest.data, rest.len);
	client->len += rest.len;
}

/* The end of a line has come. */
static void end_line(struct client *client, struct slice end)
{
	struct slice whole = end;

	if (client->len > 0) {
		keep_rest(client, end);
		whole = (struct slice){client->line, client->len};
	}
	client->len = 0;
	if (!client->skipping)
		take_line(client, whole);
	client->skipping = false;
}

static void on_received(void *arg, struct slice bytes)
{
	struct client *client = arg;
	struct slice piece;

	client->busy = true;
	while (bytes.len > 0 && !client->gone) {
		if (slice_cut(&piece, &bytes, '\n'))
			end_line(client, piece);
		else
			keep_rest(client, piece);
	}
	client->busy = false;
	if (client->gone)
		free(client);
}

static void on_closed(void *arg, int err)
{
	struct client *client = arg;

	log_debug("control: a client has gone%s%s", err ? ": " : "", err ? strerror(-err) : "");
	drop(client);
}

static int add_client(struct control *control, struct tcp *tcp)
{
	static const struct tcp_events events = {.received = on_received, .closed = on_closed};
	static const struct queue_events queue_events = {.done = on_done};
	struct queue_config config = {
		.desk = control->desk, .waits = true, .events = &queue_events};
	struct client *client = calloc(1, sizeof(*client));
	int err;

	if (!client)
		return -ENOMEM;

	config.arg = client;
	err = queue_new(&client->queue, &config);
	if (err) {
		free(client);
		return err;
	}
	client->control = control;
	client->tcp = tcp;
	list_init(&client->asked);
	list_add(&control->clients, &client->link);
	control->count++;
	tcp_start(tcp, &events, client);
	return 0;
}

/* Says why, before it is let go. */
static void turn_away(struct control *control, struct tcp *tcp, const char *words)
{
	static const struct tcp_events none = {0};
	struct ua_event event = {
		.kind = UA_ERROR, .wall_ns = desk_wall(control->desk), .error = {.words = words}};
	char *line;

	log_warning("control: a client is turned away: %s", words);
	tcp_start(tcp, &none, NULL);
	if (json_print(&line, &event) == 0) {
		(void)tcp_send(tcp, slice_of(line));
		(void)tcp_send(tcp, slice_of("\n"));
		free(line);
	}
	tcp_free(tcp);
}

static void on_accepted(void *arg, struct tcp *tcp)
{
	struct control *control = arg;

	if (control->count == CONTROL_CLIENTS_MAX)
		turn_away(control, tcp, "as many clients as there can be are there already");
	else if (add_client(control, tcp))
		turn_away(control, tcp, "out of memory");
}

static int explain(int err, const char *path, struct fault *why)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(path));
	if (err == -EADDRINUSE)
		return fault_set(why, err,
			"--control: another program listens at %s; give it another path, or use "
			"it: --remote=%s",
			shown, shown);
	if (err == -EEXIST)
		return fault_set(why, err,
			"--control: %s is there and is no socket of ours; it stays as it is",
			shown);
	return fault_set(why, err, "--control: cannot listen at %s: %s", shown, strerror(-err));
}

int control_new(struct control **out, struct desk *desk, const char *path, struct fault *why)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return fault_set(why, -ENOMEM, "--control: out of memory");

	control->desk = desk;
	list_init(&control->clients);
	err = loop_local_listen(&control->listener, desk_loop(desk), path, on_accepted, control);
	if (err) {
		free(control);
		return explain(err, path, why);
	}
	control->watcher = (struct desk_watcher){.event = on_event, .arg = control};
	desk_watch(desk, &control->watcher);
	*out = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;

	desk_unwatch(control->desk, &control->watcher);
	tcp_listener_free(control->listener);
	list_each(link, &control->clients) drop(container_of(link, struct client, link));
	free(control);
}
