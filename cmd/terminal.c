#include "cmd/terminal.h"

#include "cmd/prompt/bottom.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 500, /* with a terminal that takes nothing */
	CHUNK = 4096,      /* of one write(), so that a slow reader is seen to read */
	WIDTH_DEFAULT = 80,
	HEIGHT_DEFAULT = 24,
	READER_MS = 5000, /* that nobody reads what is waited for with */
};

struct terminal {
	struct loop *loop;
	int out_fd;
	struct post end;
	bool live;
	bool color;
	bool utf8;

	/* The main thread's. */
	bool gone[TERMINAL_STREAMS];      /* nobody reads it any more, or it takes nothing */
	bool on_screen[TERMINAL_STREAMS]; /* it is the terminal that the bottom is on */
	struct bottom bottom;
	struct bottom_screen screen; /* as it was when the bottom was drawn */
	bool hidden;                 /* nothing is drawn */
	bool was_live;               /* a live line was shown, */
	bool was_typed;              /* and there were keys for us */
	size_t waiting_len;
	uint8_t waiting[CHUNK]; /* of TERMINAL_OUT, to go in one write() */

	bool patient; /* of the one other thread that puts something */

	/* Each thread's. Relaxed: nothing else depends on them. */
	atomic_size_t queued;
	atomic_size_t dropped;
	atomic_size_t live_queued;
	atomic_uint_least64_t written;
	atomic_bool failed;
	atomic_bool abandoned;
};

/* What waits to be written. */
struct piece {
	struct post post;
	struct terminal *terminal;
	enum terminal_stream stream;
	bool live;
	bool fresh; /* a fresh line is all that is wanted */
	size_t len;
	uint8_t bytes[];
};

static int fd_of(const struct terminal *self, enum terminal_stream stream)
{
	return stream == TERMINAL_OUT ? self->out_fd : STDERR_FILENO;
}

static void write_all(struct terminal *self, enum terminal_stream stream, struct slice bytes);

/* Told at once, and once: what was asked for does not arrive. Who has read enough knows. */
static void lose(struct terminal *self, enum terminal_stream stream, int error)
{
	char room[160];
	struct text text = TEXT_IN(room);

	self->gone[stream] = true;
	if (stream != TERMINAL_OUT || error == EPIPE)
		return;

	atomic_store_explicit(&self->failed, true, memory_order_relaxed);
	text_printf(&text, "sipcall: cannot write to standard %s: %s\n",
		self->out_fd == STDOUT_FILENO ? "output" : "error",
		error == EBADF ? "it is closed" : strerror(error));
	write_all(self, TERMINAL_ERR, text_slice(&text));
}

/* Whether it was written, or has to be tried again; false: the stream is gone. */
static bool write_some(struct terminal *self, int fd, struct slice *bytes)
{
	size_t len = bytes->len < CHUNK ? bytes->len : CHUNK;
	ssize_t wrote = write(fd, bytes->data, len);
	struct slice done;

	if (wrote >= 0) {
		(void)slice_take(&done, bytes, (size_t)wrote);
		atomic_fetch_add_explicit(&self->written, done.len, memory_order_relaxed);
		return true;
	}
	if (errno == EAGAIN) { /* whoever shares it with us made it so */
		struct pollfd ready = {.fd = fd, .events = POLLOUT};

		poll(&ready, 1, -1);
		return true;
	}
	return errno == EINTR;
}

static void write_all(struct terminal *self, enum terminal_stream stream, struct slice bytes)
{
	while (bytes.len > 0 && !self->gone[stream] && !atomic_load(&self->abandoned))
		if (!write_some(self, fd_of(self, stream), &bytes))
			lose(self, stream, errno);
}

static void flush_waiting(struct terminal *self)
{
	struct slice bytes = {self->waiting, self->waiting_len};

	self->waiting_len = 0;
	write_all(self, TERMINAL_OUT, bytes);
}

/* What is erased and drawn anew in one write() does not flicker. */
static void put_waiting(void *arg, struct slice bytes)
{
	struct terminal *self = arg;

	if (bytes.len > CHUNK - self->waiting_len)
		flush_waiting(self);
	if (bytes.len > CHUNK) {
		write_all(self, TERMINAL_OUT, bytes);
		return;
	}
	if (bytes.len > 0)
		memcpy(self->waiting + self->waiting_len, bytes.data, bytes.len);
	self->waiting_len += bytes.len;
}

static struct bottom_screen screen_of(const struct terminal *self)
{
	struct winsize size = {0};

	(void)ioctl(self->out_fd, TIOCGWINSZ, &size);
	return (struct bottom_screen){
		.rows = size.ws_row > 0 ? size.ws_row : HEIGHT_DEFAULT,
		.columns = size.ws_col > 0 ? size.ws_col : WIDTH_DEFAULT,
		.dumb = !self->live,
	};
}

/* A character in the last column would wrap on some terminals. */
size_t terminal_columns(const struct terminal *terminal)
{
	return screen_of(terminal).columns - 1;
}

static void erase(struct terminal *self)
{
	struct bottom_screen screen = screen_of(self);

	bottom_erase(&self->bottom, &screen);
}

static void draw(struct terminal *self)
{
	if (self->hidden)
		return;

	self->screen = screen_of(self);
	bottom_draw(&self->bottom, &self->screen);
	flush_waiting(self);
}

static void draw_live(struct terminal *self)
{
	struct bottom_screen screen = screen_of(self);

	if (self->hidden)
		return;
	if (screen.rows != self->screen.rows || screen.columns != self->screen.columns) {
		draw(self);
		return;
	}
	bottom_draw_live(&self->bottom, &screen);
	flush_waiting(self);
}

static void set_live(struct terminal *self, struct slice line)
{
	bottom_live(&self->bottom, line);
	self->was_live = self->was_live || line.len > 0;
	draw_live(self);
}

static void write_lines(struct terminal *self, enum terminal_stream stream, struct slice lines)
{
	if (!self->on_screen[stream] || bottom_is_empty(&self->bottom)) {
		write_all(self, stream, lines);
		return;
	}
	erase(self);
	if (stream != TERMINAL_OUT) {
		flush_waiting(self);
		write_all(self, stream, lines);
	} else {
		put_waiting(self, lines);
	}
	draw(self);
	flush_waiting(self);
}

static void tell_dropped(struct terminal *self)
{
	size_t dropped = atomic_exchange_explicit(&self->dropped, 0, memory_order_relaxed);
	char room[128];
	struct text text = TEXT_IN(room);

	if (dropped == 0)
		return;

	text_printf(&text, "sipcall: %zu piece%s of output dropped, as nobody read it in time\n",
		dropped, dropped == 1 ? "" : "s");
	write_lines(self, TERMINAL_ERR, text_slice(&text));
}

static size_t cost(size_t len)
{
	return sizeof(struct piece) + len;
}

static void run_piece(struct post *post)
{
	struct piece *piece = container_of(post, struct piece, post);
	struct terminal *self = piece->terminal;
	struct slice bytes = {piece->bytes, piece->len};

	if (piece->live)
		set_live(self, bytes);
	else if (!piece->fresh || bottom_is_empty(&self->bottom)) /* it is drawn over the mark */
		write_lines(self, piece->stream, bytes);
	atomic_fetch_sub_explicit(&self->queued, cost(piece->len), memory_order_relaxed);
	if (piece->live)
		atomic_fetch_sub_explicit(&self->live_queued, 1, memory_order_relaxed);
	free(piece);
	tell_dropped(self);
}

/* NULL if there is no room. */
static struct piece *piece_new(struct terminal *self, struct slice bytes)
{
	size_t before =
		atomic_fetch_add_explicit(&self->queued, cost(bytes.len), memory_order_relaxed);
	struct piece *piece = NULL;

	if (bytes.len <= TERMINAL_QUEUE_MAX && before <= TERMINAL_QUEUE_MAX - bytes.len)
		piece = calloc(1, sizeof(*piece) + bytes.len);
	if (!piece) {
		atomic_fetch_sub_explicit(&self->queued, cost(bytes.len), memory_order_relaxed);
		return NULL;
	}
	piece->post.run = run_piece;
	piece->terminal = self;
	piece->len = bytes.len;
	if (bytes.len > 0)
		memcpy(piece->bytes, bytes.data, bytes.len);
	return piece;
}

void terminal_be_patient(struct terminal *terminal)
{
	terminal->patient = true;
}

/* Until half of the room is free, or nobody has read for READER_MS. */
static void wait_for_room(struct terminal *self)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	uint64_t written = terminal_written(self);

	for (unsigned ms = 0; ms < READER_MS; ms++) {
		if (atomic_load_explicit(&self->queued, memory_order_relaxed) <
			TERMINAL_QUEUE_MAX / 2)
			return;
		nanosleep(&pause, NULL);
		if (terminal_written(self) != written)
			ms = 0;
		written = terminal_written(self);
	}
	self->patient = false;
}

void terminal_put(struct terminal *terminal, enum terminal_stream stream, struct slice bytes)
{
	struct piece *piece;

	if (terminal->patient)
		wait_for_room(terminal);
	piece = piece_new(terminal, bytes);

	if (!piece) {
		atomic_fetch_add_explicit(&terminal->dropped, 1, memory_order_relaxed);
		return;
	}
	piece->stream = stream;
	loop_post(terminal->loop, &piece->post);
}

/* One that is not drawn yet is enough: the next tells more. But taking it away is never left out.
 */
void terminal_live(struct terminal *terminal, struct slice line)
{
	struct piece *piece;

	if (!terminal->live)
		return;
	if (line.len > 0 && atomic_load_explicit(&terminal->live_queued, memory_order_relaxed) > 0)
		return;

	piece = piece_new(terminal, line);
	if (!piece)
		return;
	piece->live = true;
	atomic_fetch_add_explicit(&terminal->live_queued, 1, memory_order_relaxed);
	loop_post(terminal->loop, &piece->post);
}

void terminal_interrupted(struct terminal *terminal)
{
	struct piece *piece;

	if (!isatty(STDERR_FILENO))
		return;

	piece = piece_new(terminal, slice_of("\n"));
	if (!piece)
		return;
	piece->stream = TERMINAL_ERR;
	piece->fresh = true;
	loop_post(terminal->loop, &piece->post);
}

/* Set and not empty (no-color.org). */
static bool env_set(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] != '\0';
}

static bool cursor_moves(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* The variable that decides the characters, as POSIX orders them; not the installed locales, of
 * which a container has none. */
bool terminal_env_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	size_t i = 0;
	struct slice charset;

	while (i < sizeof(names) / sizeof(names[0]) && !env_set(names[i]))
		i++;
	if (i == sizeof(names) / sizeof(names[0]))
		return false;

	charset = slice_of(getenv(names[i]));
	(void)slice_take(&(struct slice){0}, &charset, slice_find(charset, '.'));
	return slice_starts_nocase(charset, ".utf-8") || slice_starts_nocase(charset, ".utf8");
}

static void stop_loop(struct post *post)
{
	loop_uv_stop(container_of(post, struct terminal, end)->loop);
}

int terminal_new(struct terminal **out, struct loop *loop, int out_fd)
{
	struct terminal *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->end.run = stop_loop;
	self->out_fd = out_fd;
	self->live = cursor_moves(out_fd);
	self->color = self->live && !env_set("NO_COLOR");
	self->utf8 = terminal_env_utf8();
	self->on_screen[TERMINAL_OUT] = isatty(out_fd);
	self->on_screen[TERMINAL_ERR] = isatty(STDERR_FILENO);
	bottom_init(&self->bottom, put_waiting, self);
	atomic_init(&self->queued, 0);
	atomic_init(&self->dropped, 0);
	atomic_init(&self->live_queued, 0);
	atomic_init(&self->written, 0);
	atomic_init(&self->failed, false);
	atomic_init(&self->abandoned, false);
	*out = self;
	return 0;
}

/* Keys that were pressed while a line lived and nobody took them were not for the shell. In the
 * background, where taking them away would stop us, they were not for us. */
static void drop_keys(const struct terminal *self)
{
	struct stat in, out;

	if (!self->was_live || self->was_typed || !isatty(STDIN_FILENO) ||
		tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	if (fstat(STDIN_FILENO, &in) == 0 && fstat(self->out_fd, &out) == 0 &&
		in.st_rdev == out.st_rdev)
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
}

void terminal_free(struct terminal *terminal)
{
	if (!terminal)
		return;

	terminal_end(terminal); /* posts run in their order, so this runs all before it */
	terminal_run(terminal);
	set_live(terminal, (struct slice){(const uint8_t *)"", 0});
	tell_dropped(terminal);
	drop_keys(terminal);
	bottom_free(&terminal->bottom);
	free(terminal);
}

struct loop *terminal_loop(const struct terminal *terminal)
{
	return terminal->loop;
}

bool terminal_is_screen(const struct terminal *terminal)
{
	return terminal->on_screen[TERMINAL_OUT];
}

void terminal_type(struct terminal *terminal, const char *prompt, struct slice line, size_t point)
{
	terminal->was_typed = true;
	/* with no memory for it, it is shown a key later */
	(void)bottom_type(&terminal->bottom, prompt, line, point);
	draw(terminal);
}

void terminal_untype(struct terminal *terminal)
{
	erase(terminal);
	bottom_untype(&terminal->bottom);
	draw(terminal);
	flush_waiting(terminal);
}

void terminal_write(struct terminal *terminal, struct slice lines)
{
	write_lines(terminal, TERMINAL_OUT, lines);
}

void terminal_enter(
	struct terminal *terminal, const char *prompt, struct slice line, const char *mark)
{
	size_t len;
	char *shown = bottom_shown(&len, prompt, line);

	erase(terminal);
	if (shown)
		put_waiting(terminal, (struct slice){(const uint8_t *)shown, len});
	if (mark)
		put_waiting(terminal, slice_of(mark));
	put_waiting(terminal, slice_of("\n"));
	free(shown);
	terminal_type(terminal, prompt, (struct slice){0}, 0);
}

void terminal_steer(struct terminal *terminal, const char *sequence)
{
	if (terminal->live)
		write_all(terminal, TERMINAL_OUT, slice_of(sequence));
}

void terminal_hide(struct terminal *terminal)
{
	erase(terminal);
	flush_waiting(terminal);
	terminal->hidden = true;
}

void terminal_show(struct terminal *terminal)
{
	terminal->hidden = false;
	draw(terminal);
}

void terminal_redraw(struct terminal *terminal)
{
	draw(terminal);
}

void terminal_clear(struct terminal *terminal)
{
	erase(terminal);
	if (terminal->live)
		put_waiting(terminal, slice_of("\x1b[H\x1b[2J"));
	draw(terminal);
}

void terminal_run(struct terminal *terminal)
{
	loop_uv_run(terminal->loop);
}

void terminal_end(struct terminal *terminal)
{
	loop_post(terminal->loop, &terminal->end);
}

bool terminal_is_live(const struct terminal *terminal)
{
	return terminal->live;
}

bool terminal_has_color(const struct terminal *terminal)
{
	return terminal->color;
}

bool terminal_has_utf8(const struct terminal *terminal)
{
	return terminal->utf8;
}

bool terminal_has_failed(const struct terminal *terminal)
{
	return atomic_load_explicit(&terminal->failed, memory_order_relaxed);
}

uint64_t terminal_written(const struct terminal *terminal)
{
	return atomic_load_explicit(&terminal->written, memory_order_relaxed);
}

/* The keyboard's settings are somebody else's to put back. */
void terminal_abandon(struct terminal *terminal)
{
	static const char sequence[] = "\r\x1b[J\x1b[?2004l";
	struct pollfd ready = {.fd = terminal->out_fd, .events = POLLOUT};

	atomic_store(&terminal->abandoned, true);
	if (!terminal->live || poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return;
	if (write(terminal->out_fd, sequence, sizeof(sequence) - 1) < 0)
		return; /* then it is for whoever comes next */
}

bool terminal_takes(const struct terminal *terminal)
{
	struct pollfd ready = {.fd = terminal->out_fd, .events = POLLOUT};

	return poll(&ready, 1, PATIENCE_MS) > 0;
}

void terminal_last_words(const char *line)
{
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct slice words = slice_of(line);

	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return;
	if (write(STDERR_FILENO, words.data, words.len) < 0)
		return; /* nobody is left to be told */
}
