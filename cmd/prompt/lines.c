#include "cmd/prompt/lines.h"

#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define LATER_NS (100 * NS_PER_MS)

struct lines {
	struct loop *loop;
	int fd;
	struct lines_events events;
	void *arg;
	struct loop_watch *watch; /* NULL: of a file, or nothing is to be read now */
	struct timer again;       /* a file always has something */
	bool handed;              /* a line that is not dealt with */
	bool over;                /* nothing more can be read, */
	bool ended;               /* and that was told */
	bool skips;               /* what is left of a line that was too long */
	size_t len;
	size_t max;
	char room[]; /* of max bytes, and as many for the line that is handed out; each with a NUL
		      */
};

static void proceed(void *arg);

/* What stands before the newline, or all where nothing follows. False: it is not whole yet. */
static bool cut_line(struct lines *self, size_t *len, size_t *gone)
{
	const char *newline = memchr(self->room, '\n', self->len);

	if (newline) {
		*len = (size_t)(newline - self->room);
		*gone = *len + 1;
		return true;
	}
	*len = *gone = self->len;
	return self->len == self->max || (self->over && self->len > 0);
}

static void hand_out(struct lines *self, size_t len, size_t gone)
{
	bool was_skipping = self->skips;
	char *line = self->room + self->max + 1;

	for (size_t i = 0; i < len; i++)
		line[i] = self->room[i] == '\0' ? ' ' : self->room[i];
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';

	self->skips = gone == self->max && self->room[gone - 1] != '\n';
	self->len -= gone;
	memmove(self->room, self->room + gone, self->len);
	if (was_skipping)
		return;
	self->handed = true;
	self->events.line(self->arg, line);
}

static void read_some(struct lines *self)
{
	ssize_t got = read(self->fd, self->room + self->len, self->max - self->len);

	if (got > 0)
		self->len += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		self->over = true;
}

static void await(struct lines *self)
{
	int err;

	if (self->watch)
		return;

	err = loop_uv_watch(&self->watch, self->loop, self->fd, proceed, self);
	if (!err)
		return;
	self->watch = NULL;
	/* of a file there is nothing to wait for; of what else can fail, there may be more later */
	timer_start_in(&self->again, err == -EPERM ? 0 : LATER_NS);
}

/* While a line is dealt with, what follows may wait where it is. */
static void rest(struct lines *self)
{
	loop_uv_unwatch(self->watch);
	self->watch = NULL;
}

static bool is_ready(const struct lines *self)
{
	struct pollfd about = {.fd = self->fd, .events = POLLIN};

	return poll(&about, 1, 0) != 0;
}

static void proceed(void *arg)
{
	struct lines *self = arg;
	size_t len, gone;

	if (self->handed || self->ended)
		return;
	if (!self->over && !memchr(self->room, '\n', self->len) && is_ready(self))
		read_some(self);

	while (!self->handed && cut_line(self, &len, &gone))
		hand_out(self, len, gone);
	if (self->handed || self->over)
		rest(self);
	if (self->handed)
		return;
	if (self->over) {
		self->ended = true;
		self->events.end(self->arg);
	} else {
		await(self);
	}
}

int lines_new(struct lines **out, struct loop *loop, int fd, size_t max,
	const struct lines_events *events, void *arg)
{
	struct lines *self = calloc(1, sizeof(*self) + 2 * (max + 1));

	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->fd = fd;
	self->max = max;
	self->events = *events;
	self->arg = arg;
	timer_init(&self->again, loop, proceed, self);
	timer_start_in(&self->again, 0);
	*out = self;
	return 0;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;

	rest(lines);
	timer_stop(&lines->again);
	free(lines);
}

void lines_next(struct lines *lines)
{
	lines->handed = false;
	timer_start_in(&lines->again, 0);
}
