#include "cmd/prompt/keys.h"

#include "core/net/loop_uv.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct keys {
	struct loop *loop;
	int fd;
	void (*ready)(void *arg);
	void *arg;
	struct loop_watch *watch;
	struct termios found; /* its settings, to be put back; written while it is not taken */
	atomic_bool taken;
	bool has_ahead; /* what was read to be looked at: */
	int ahead;
};

int keys_new(struct keys **out, struct loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
	struct keys *self;

	if (!isatty(fd))
		return -ENOTTY;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->fd = fd;
	self->ready = ready;
	self->arg = arg;
	atomic_init(&self->taken, false);
	*out = self;
	return 0;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;

	keys_let_go(keys);
	free(keys);
}

/* Who touches it from the background is stopped by the system. Where it controls nobody, there is
 * no background. */
static bool is_ours(const struct keys *self)
{
	pid_t group = tcgetpgrp(self->fd);

	return group < 0 || group == getpgrp();
}

/* Each key at once and unseen; Ctrl-Z and Ctrl-\ still send their signals, and Ctrl-S stops. */
static struct termios settings_for(const struct termios *found)
{
	struct termios settings = *found;

	settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	settings.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | ISTRIP);
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	settings.c_cc[VLNEXT] = _POSIX_VDISABLE; /* it is for whoever edits the line */
	settings.c_cc[VINTR] = _POSIX_VDISABLE;  /* a signal would overtake what is typed next */
	return settings;
}

bool keys_take(struct keys *keys)
{
	struct termios settings;

	if (!is_ours(keys))
		return false;
	if (!keys_taken(keys) && tcgetattr(keys->fd, &keys->found) != 0)
		return false;

	settings = settings_for(&keys->found);
	if (tcsetattr(keys->fd, TCSANOW, &settings) != 0)
		return false;
	atomic_store(&keys->taken, true);
	if (!keys->watch &&
		loop_uv_watch(&keys->watch, keys->loop, keys->fd, keys->ready, keys->arg))
		keys->watch = NULL;
	if (!keys->watch)
		keys_let_go(keys);
	return keys->watch != NULL;
}

void keys_let_go(struct keys *keys)
{
	loop_uv_unwatch(keys->watch);
	keys->watch = NULL;
	if (atomic_exchange(&keys->taken, false) && is_ours(keys))
		(void)tcsetattr(keys->fd, TCSANOW, &keys->found);
}

/* The settings may be put back twice. */
void keys_abandon(struct keys *keys)
{
	if (atomic_load(&keys->taken) && is_ours(keys))
		(void)tcsetattr(keys->fd, TCSANOW, &keys->found);
}

bool keys_taken(const struct keys *keys)
{
	return atomic_load(&keys->taken);
}

static bool is_ready(const struct keys *self, int wait_ms)
{
	struct pollfd about = {.fd = self->fd, .events = POLLIN};

	return poll(&about, 1, wait_ms) > 0;
}

bool keys_waiting(const struct keys *keys)
{
	return keys->has_ahead || is_ready(keys, 0);
}

static int read_key(struct keys *keys)
{
	unsigned char key;
	ssize_t got;

	do {
		struct pollfd about = {.fd = keys->fd, .events = POLLIN};

		if (!is_ours(keys))
			return -EAGAIN;
		(void)poll(&about, 1, -1); /* others may have made it non-blocking */
		got = read(keys->fd, &key, 1);
	} while (got < 0 && (errno == EAGAIN || errno == EINTR));
	return got == 1 ? key : -EIO;
}

int keys_read(struct keys *keys)
{
	if (!keys->has_ahead)
		return read_key(keys);

	keys->has_ahead = false;
	return keys->ahead;
}

int keys_peek(struct keys *keys, int wait_ms)
{
	if (!keys->has_ahead) {
		if (!is_ready(keys, wait_ms))
			return -EAGAIN;
		keys->ahead = read_key(keys);
		keys->has_ahead = true;
	}
	return keys->ahead;
}

bool keys_is_interrupt(const struct keys *keys, int key)
{
	return keys->found.c_cc[VINTR] != _POSIX_VDISABLE && key == keys->found.c_cc[VINTR];
}
