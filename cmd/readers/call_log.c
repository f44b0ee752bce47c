#include "cmd/readers/call_log.h"

#include "cmd/desk.h"
#include "cmd/readers/call_entry.h"
#include "cmd/readers/call_file.h"
#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <stdlib.h>

enum { LINES_MAX = 1000 }; /* that wait for a slow disk */

static const uint64_t patience_ns = NS_PER_S;

/* A call that has begun. */
struct begun {
	struct list link;
	const char *phone; /* of its events */
	unsigned call;
	uint64_t wall_ns;
};

/* Lines under way to the disk, whose the thread of the pool is. */
struct batch {
	struct work work;
	struct call_log *log; /* NULL: it has gone */
	size_t count;
	char *lines[LINES_MAX];
	int err;
	struct fault why;
};

struct call_log {
	struct desk *desk;
	struct desk_watcher watcher;
	struct list begun;
	struct batch *next;  /* being filled; NULL: nothing waits */
	struct batch *going; /* at work */
	bool told;
	void (*closed)(void *arg);
	void *arg;
	struct timer patience;
};

static void free_batch(struct batch *batch)
{
	for (size_t i = 0; batch && i < batch->count; i++)
		free(batch->lines[i]);
	free(batch);
}

static void run_batch(struct work *work)
{
	struct batch *batch = container_of(work, struct batch, work);

	batch->err = call_file_add(batch->lines, batch->count, &batch->why);
}

static void finish_close(void *arg)
{
	struct call_log *log = arg;
	void (*closed)(void *) = log->closed;

	timer_stop(&log->patience);
	log->closed = NULL;
	if (closed)
		closed(log->arg);
}

static void write_next(struct call_log *log);

static void batch_done(struct work *work)
{
	struct batch *batch = container_of(work, struct batch, work);
	struct call_log *log = batch->log;

	if (batch->err && log && !log->told) {
		log->told = true;
		log_info("%s", batch->why.words);
	}
	free_batch(batch);
	if (!log)
		return;

	log->going = NULL;
	write_next(log);
	if (!log->going)
		finish_close(log);
}

/* One batch at a time, so that lines stay in their order. */
static void write_next(struct call_log *log)
{
	if (log->going || !log->next)
		return;

	log->going = log->next;
	log->next = NULL;
	log->going->work = (struct work){run_batch, batch_done};
	if (loop_work(desk_loop(log->desk), &log->going->work)) {
		free_batch(log->going);
		log->going = NULL;
	}
}

static void add_line(struct call_log *log, char *line)
{
	if (!log->next)
		log->next = calloc(1, sizeof(*log->next));
	if (!log->next || log->next->count == LINES_MAX) {
		log_info("a call is not kept");
		free(line);
		return;
	}
	log->next->log = log;
	log->next->lines[log->next->count++] = line;
	write_next(log);
}

static void begin(struct call_log *log, const struct ua_event *event)
{
	struct begun *begun = calloc(1, sizeof(*begun));

	if (!begun)
		return; /* when it ends is told instead */

	begun->phone = event->phone;
	begun->call = event->call;
	begun->wall_ns = event->wall_ns;
	list_add(&log->begun, &begun->link);
}

static void drop_begun(struct begun *begun)
{
	list_remove(&begun->link);
	free(begun);
}

static uint64_t began(struct call_log *log, const struct ua_event *event)
{
	uint64_t wall_ns = event->wall_ns;

	list_each(link, &log->begun)
	{
		struct begun *begun = container_of(link, struct begun, link);

		if (begun->call == event->call && begun->phone == event->phone) {
			wall_ns = begun->wall_ns;
			drop_begun(begun);
		}
	}
	return wall_ns;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct call_log *log = arg;
	char *line;

	if (event->kind == UA_CALL_OUTGOING || event->kind == UA_CALL_INCOMING)
		begin(log, event);
	if (event->kind != UA_CALL_ENDED)
		return;
	if (call_entry_print(&line, event, began(log, event)))
		log_info("too little memory to keep a call");
	else
		add_line(log, line);
}

int call_log_new(struct call_log **out, struct desk *desk)
{
	struct call_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;

	log->desk = desk;
	list_init(&log->begun);
	timer_init(&log->patience, desk_loop(desk), finish_close, log);
	log->watcher = (struct desk_watcher){.event = on_event, .arg = log};
	desk_watch(desk, &log->watcher);
	desk_set_log(desk, log);
	*out = log;
	return 0;
}

void call_log_free(struct call_log *log)
{
	if (!log)
		return;

	desk_set_log(log->desk, NULL);
	desk_unwatch(log->desk, &log->watcher);
	timer_stop(&log->patience);
	list_each(link, &log->begun) drop_begun(container_of(link, struct begun, link));
	free_batch(log->next);
	if (log->going)
		log->going->log = NULL;
	free(log);
}

void call_log_close(struct call_log *log, void (*done)(void *arg), void *arg)
{
	if (!log || !log->going) {
		done(arg);
		return;
	}
	log->closed = done;
	log->arg = arg;
	timer_start_in(&log->patience, patience_ns);
}

static size_t copy_lines(char **to, const struct batch *batch)
{
	size_t count = 0;

	for (size_t i = 0; batch && i < batch->count; i++) {
		to[count] = slice_copy(slice_of(batch->lines[i]));
		count += to[count] != NULL;
	}
	return count;
}

char **call_log_waiting(size_t *count, const struct call_log *log)
{
	size_t most = (log->going ? log->going->count : 0) + (log->next ? log->next->count : 0);
	char **lines = most > 0 ? calloc(most, sizeof(*lines)) : NULL;

	*count = 0;
	if (!lines)
		return NULL;

	*count = copy_lines(lines, log->going);
	*count += copy_lines(lines + *count, log->next);
	return lines;
}
