/*
 * Pipes of the real loop. Of what others share with us, nothing is changed: it may block, so it is
 * asked first whether it would. A disk does not say so, and is read and written as the loop's work.
 */
#include "core/net/command.h"
#include "core/net/loop_uv_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_NS NS_PER_S /* with each thing that is waited for at the end */
#define LOOK_NS (10 * NS_PER_MS)

enum {
	/* What a pipe is sure to take at once when it takes any (POSIX, write()). */
	PIECE = PIPE_BUF,
	/* Of room, what the pipe of a command holds, and so how late its sound is at most. */
	ROOM_PARTS = 4,
};

enum pipe_state {
	STATE_OPEN,
	STATE_FLUSHING,   /* what waits is still to be written */
	STATE_ENDING,     /* its input has ended, and so may the command */
	STATE_TERMINATED, /* it was asked to */
	STATE_KILLED,
	STATE_CLOSED,
};

/* Which states follow each. */
static const unsigned next_states[] = {
	[STATE_OPEN] = 1U << STATE_FLUSHING | 1U << STATE_TERMINATED | 1U << STATE_CLOSED,
	[STATE_FLUSHING] = 1U << STATE_ENDING | 1U << STATE_CLOSED,
	[STATE_ENDING] = 1U << STATE_TERMINATED | 1U << STATE_CLOSED,
	[STATE_TERMINATED] = 1U << STATE_KILLED | 1U << STATE_CLOSED,
	[STATE_KILLED] = 1U << STATE_CLOSED,
	[STATE_CLOSED] = 0,
};

/* While working, the work owns away and away_err, and the loop's thread everything else. */
struct pipe_uv {
	struct pipe pipe;
	struct loop *loop;
	enum pipe_way way;
	enum pipe_state state;
	int fd;
	bool ours; /* fd is to be closed */
	struct command command;
	bool exited; /* by itself: */
	struct pipe_exit exit;

	struct buf queue; /* what was read ahead, or waits to be written; */
	size_t at;        /* from here on */
	int err;          /* nothing more is read or written; -ENODATA: it has ended */

	bool slow; /* a disk */
	struct work work;
	bool working;
	bool ready;  /* away was filled and nobody has looked yet */
	bool orphan; /* it was closed while working */
	struct buf away;
	int away_err;

	struct timer step; /* of closing */
	uint64_t limit_ns; /* of the state */
	pipe_done *done;
	void *arg;
};

static struct pipe_uv *pipe_of(struct pipe *pipe)
{
	return container_of(pipe, struct pipe_uv, pipe);
}

static struct loop_uv *loop_of(const struct pipe_uv *self)
{
	return container_of(self->loop, struct loop_uv, loop);
}

static void change_state(struct pipe_uv *self, enum pipe_state to)
{
	assert(next_states[self->state] & 1U << to);
	self->state = to;
	self->limit_ns = loop_now(self->loop) + PATIENCE_NS;
}

static void release(struct pipe_uv *self)
{
	if (self->ours && self->fd >= 0)
		close(self->fd);
	self->fd = -1;
}

static void destroy(struct pipe_uv *self)
{
	release(self);
	free(self->queue.data);
	free(self->away.data);
	free(self);
}

/* Something has come, or there is room; or it is over, which is for a read or a write to say. */
static bool is_ready(const struct pipe_uv *self)
{
	struct pollfd about = {.fd = self->fd, .events = self->way == PIPE_IN ? POLLIN : POLLOUT};

	return poll(&about, 1, 0) > 0 && about.revents != 0;
}

static bool may_try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Whether it came to something. */
static bool read_some(struct buf *out, const struct pipe_uv *self, int *err)
{
	ssize_t got = read(self->fd, out->data + out->len, out->size - out->len);

	if (got > 0)
		out->len += (size_t)got;
	else if (got == 0)
		*err = -ENODATA;
	else if (!may_try_again())
		*err = -errno;
	return got > 0;
}

/* Of a disk, on the work's thread. */
static void fill(struct pipe_uv *self)
{
	self->away.len = 0;
	while (self->away.len < self->away.size && !self->away_err)
		(void)read_some(&self->away, self, &self->away_err);
}

static void drain(struct pipe_uv *self)
{
	size_t done = 0;

	while (done < self->away.len && !self->away_err) {
		ssize_t wrote = write(self->fd, self->away.data + done, self->away.len - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote < 0 && !may_try_again())
			self->away_err = -errno;
	}
	memmove(self->away.data, self->away.data + done, self->away.len - done);
	self->away.len -= done;
}

static void run_work(struct work *work)
{
	struct pipe_uv *self = container_of(work, struct pipe_uv, work);

	if (self->way == PIPE_IN)
		fill(self);
	else
		drain(self);
}

/* Should it fail, the next read or write tries again. */
static void start_work(struct pipe_uv *self)
{
	self->working = loop_work(self->loop, &self->work) == 0;
}

static void swap(struct pipe_uv *self)
{
	struct buf queue = self->queue;

	self->queue = self->away;
	self->away = queue;
	self->at = 0;
}

static void read_ahead(struct pipe_uv *self)
{
	if (!self->working && !self->ready && !self->away_err)
		start_work(self);
}

static void write_behind(struct pipe_uv *self)
{
	if (self->working || self->err || self->queue.len == 0)
		return;

	swap(self);
	start_work(self);
	if (!self->working)
		swap(self);
}

static void run_step(void *arg);

static void work_done(struct work *work)
{
	struct pipe_uv *self = container_of(work, struct pipe_uv, work);

	self->working = false;
	if (self->orphan) {
		destroy(self);
		return;
	}
	if (self->way == PIPE_IN) {
		self->ready = true;
		return;
	}
	self->err = self->away_err;
	if (self->state == STATE_OPEN)
		write_behind(self);
	else
		run_step(self);
}

static void take_queued(struct buf *out, struct pipe_uv *self)
{
	size_t left = self->queue.len - self->at;
	size_t room = out->size - out->len;
	size_t count = left < room ? left : room;

	if (count == 0)
		return;
	(void)buf_put(out, (struct slice){self->queue.data + self->at, count});
	self->at += count;
}

static int read_slow(struct buf *out, struct pipe_uv *self)
{
	size_t before = out->len;

	take_queued(out, self);
	if (out->len < out->size && self->ready) {
		swap(self);
		self->ready = false;
		take_queued(out, self);
	}
	read_ahead(self);
	return out->len == before && !self->working && !self->ready ? self->away_err : 0;
}

static int op_read(struct buf *out, struct pipe *pipe)
{
	struct pipe_uv *self = pipe_of(pipe);
	size_t before = out->len;

	assert(self->way == PIPE_IN && self->state == STATE_OPEN);

	if (self->slow)
		return read_slow(out, self);
	while (!self->err && out->len < out->size && is_ready(self))
		if (!read_some(out, self, &self->err))
			break;
	return out->len == before ? self->err : 0;
}

/* Writes what can go without waiting. */
static void flush(struct pipe_uv *self)
{
	while (!self->err && self->at < self->queue.len && is_ready(self)) {
		size_t left = self->queue.len - self->at;
		ssize_t wrote =
			write(self->fd, self->queue.data + self->at, left < PIECE ? left : PIECE);

		if (wrote > 0)
			self->at += (size_t)wrote;
		else if (wrote == 0 || may_try_again())
			break;
		else
			self->err = -errno;
	}
	if (self->at > 0)
		memmove(self->queue.data, self->queue.data + self->at, self->queue.len - self->at);
	self->queue.len -= self->at;
	self->at = 0;
}

static int op_write(struct pipe *pipe, struct slice bytes)
{
	struct pipe_uv *self = pipe_of(pipe);
	int err;

	assert(self->way == PIPE_OUT && self->state == STATE_OPEN);

	if (!self->slow)
		flush(self);
	if (self->err)
		return self->err;

	err = buf_put(&self->queue, bytes);
	if (self->slow)
		write_behind(self);
	else
		flush(self);
	return err ? err : self->err;
}

static bool op_exited(struct pipe_exit *out, struct pipe *pipe)
{
	struct pipe_uv *self = pipe_of(pipe);

	if (command_ended(&self->command, &self->exit))
		self->exited = true;
	*out = self->exit;
	return self->exited;
}

static void finish(struct pipe_uv *self)
{
	struct pipe_report report = {.exit = self->exit};
	pipe_done *done = self->done;
	void *arg = self->arg;

	if (self->way == PIPE_OUT) {
		report.unsent = self->queue.len + self->away.len;
		report.err = self->err || report.unsent == 0 ? self->err : -ETIMEDOUT;
	}
	change_state(self, STATE_CLOSED);
	loop_of(self)->away--;
	if (self->working)
		self->orphan = true; /* a disk that hangs while it is read */
	else
		destroy(self);
	if (done)
		done(arg, &report);
}

/* Its input is over, or what it says is not wanted. Who then dies of SIGPIPE has not failed, so it
 * is looked at before. */
static void leave_command(struct pipe_uv *self, enum pipe_state next)
{
	(void)op_exited(&self->exit, &self->pipe);
	if (self->command.pid != 0 && next == STATE_TERMINATED)
		command_signal(&self->command, SIGTERM);
	release(self);
	if (self->command.pid == 0) {
		finish(self);
		return;
	}
	change_state(self, next);
	timer_start_in(&self->step, LOOK_NS);
}

static bool is_late(const struct pipe_uv *self)
{
	return loop_now(self->loop) >= self->limit_ns;
}

static void step_open(struct pipe_uv *self)
{
	if (self->way == PIPE_OUT) {
		change_state(self, STATE_FLUSHING);
		run_step(self);
	} else {
		leave_command(self, STATE_TERMINATED);
	}
}

/* A disk is waited for, by whoever has the patience. */
static void step_flushing(struct pipe_uv *self)
{
	if (self->slow && (self->working || (self->queue.len > 0 && !self->err))) {
		write_behind(self);
		if (!self->working)
			timer_start_in(&self->step, LOOK_NS);
		return;
	}
	if (!self->slow)
		flush(self);
	if (!self->slow && !self->err && self->queue.len > 0 && !is_late(self))
		timer_start_in(&self->step, LOOK_NS);
	else
		leave_command(self, STATE_ENDING);
}

/* Whether it ends in time; else it goes on to the next state with a signal. */
static void await_end(struct pipe_uv *self, enum pipe_state next, int number)
{
	struct pipe_exit exit;

	if (command_ended(&self->command, &exit)) {
		if (self->state == STATE_ENDING)
			self->exit = exit;
		finish(self);
		return;
	}
	if (self->state != STATE_KILLED && is_late(self)) {
		command_signal(&self->command, number);
		change_state(self, next);
	}
	timer_start_in(&self->step, LOOK_NS);
}

static void step_ending(struct pipe_uv *self)
{
	await_end(self, STATE_TERMINATED, SIGTERM);
}

static void step_ended_by_us(struct pipe_uv *self)
{
	await_end(self, STATE_KILLED, SIGKILL);
}

static void run_step(void *arg)
{
	static void (*const steps[])(struct pipe_uv * self) = {
		[STATE_OPEN] = step_open,
		[STATE_FLUSHING] = step_flushing,
		[STATE_ENDING] = step_ending,
		[STATE_TERMINATED] = step_ended_by_us,
		[STATE_KILLED] = step_ended_by_us,
	};
	struct pipe_uv *self = arg;

	steps[self->state](self);
}

static void op_close(struct pipe *pipe, pipe_done *done, void *arg)
{
	struct pipe_uv *self = pipe_of(pipe);

	assert(self->state == STATE_OPEN && !self->done);

	self->done = done;
	self->arg = arg;
	loop_of(self)->away++;
	timer_init(&self->step, self->loop, run_step, self);
	timer_start_in(&self->step, 0);
}

static const struct pipe_ops ops = {op_read, op_write, op_exited, op_close};

static int pipe_new(
	struct pipe_uv **out, struct loop *loop, enum pipe_way way, size_t room, bool slow)
{
	struct pipe_uv *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->pipe.ops = &ops;
	self->loop = loop;
	self->way = way;
	self->fd = -1;
	self->slow = slow;
	self->work = (struct work){run_work, work_done};
	if (slow || way == PIPE_OUT)
		self->queue = (struct buf){calloc(1, room), 0, room};
	if (slow)
		self->away = (struct buf){calloc(1, room), 0, room};
	if (self->queue.size > 0 && (!self->queue.data || (slow && !self->away.data))) {
		destroy(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

/* main() puts something in the place of a standard file that is closed: it goes the wrong way. */
static int check_way(int fd, enum pipe_way way)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if ((flags & O_ACCMODE) == (way == PIPE_IN ? O_WRONLY : O_RDONLY))
		return -EBADF;
	return 0;
}

int pipe_uv_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room)
{
	int fd = way == PIPE_IN ? STDIN_FILENO : STDOUT_FILENO;
	struct pipe_uv *self;
	struct stat about;
	int err;

	err = check_way(fd, way);
	if (err)
		return err;
	if (fstat(fd, &about) != 0)
		return -errno;

	err = pipe_new(&self, loop, way, room, S_ISREG(about.st_mode) || S_ISBLK(about.st_mode));
	if (err)
		return err;

	self->fd = fd;
	if (self->slow && way == PIPE_IN) {
		fill(self);
		self->ready = true;
	}
	*out = &self->pipe;
	return 0;
}

int pipe_uv_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room)
{
	struct pipe_uv *self;
	int err;

	err = pipe_new(&self, loop, way, room, false);
	if (err)
		return err;

	err = command_start(&self->command, &self->fd, way, line, room / ROOM_PARTS);
	if (err) {
		self->fd = -1;
		destroy(self);
		return err;
	}
	self->ours = true;
	*out = &self->pipe;
	return 0;
}
