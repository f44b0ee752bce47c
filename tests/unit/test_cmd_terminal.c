/* cmd/terminal: what reaches the descriptors and in which order, what a reader that is slow, gone
 * or a terminal makes of it, and what the environment says. */
#include "cmd/terminal.h"

#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ROOM = 4 << 20,
	AGAIN = 20,
	LINE = 1000, /* bytes of one piece where many are put */
	TIME_LIMIT_S = 20,
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

/* Standard output and error, led elsewhere while a terminal is tested; no assert in between. */
struct stage {
	int saved[TERMINAL_STREAMS];
	struct loop *loop;
	struct terminal *terminal;
};

static void stage_enter(struct stage *stage, int out, int err)
{
	fflush(NULL);
	stage->saved[TERMINAL_OUT] = dup(STDOUT_FILENO);
	stage->saved[TERMINAL_ERR] = dup(STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (loop_uv_new(&stage->loop) || terminal_new(&stage->terminal, stage->loop, STDOUT_FILENO))
		abort();
}

static void stage_leave(struct stage *stage)
{
	terminal_free(stage->terminal);
	loop_uv_free(stage->loop);
	dup2(stage->saved[TERMINAL_OUT], STDOUT_FILENO);
	dup2(stage->saved[TERMINAL_ERR], STDERR_FILENO);
	close(stage->saved[TERMINAL_OUT]);
	close(stage->saved[TERMINAL_ERR]);
}

static void put(struct stage *stage, enum terminal_stream stream, const char *words)
{
	terminal_put(stage->terminal, stream, slice_of(words));
}

static void run(struct stage *stage)
{
	terminal_end(stage->terminal);
	terminal_run(stage->terminal);
}

/* All that can be read from fd until its end, NUL-terminated, to be freed. */
static char *read_all(int fd)
{
	char *room = malloc(ROOM);
	size_t len = 0;
	ssize_t got;

	while ((got = read(fd, room + len, ROOM - 1 - len)) > 0)
		len += (size_t)got;
	room[len] = '\0';
	return room;
}

static void test_order(void **state)
{
	struct stage stage;
	uint64_t written;
	int ends[2];
	char *got;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	stage_enter(&stage, ends[1], ends[1]);
	put(&stage, TERMINAL_OUT, "one\n");
	put(&stage, TERMINAL_ERR, "two\n");
	put(&stage, TERMINAL_OUT, "");
	terminal_live(stage.terminal, slice_of("no terminal, no live line"));
	put(&stage, TERMINAL_OUT, "three\n");
	run(&stage);
	written = terminal_written(stage.terminal);
	put(&stage, TERMINAL_ERR, "after the end\n"); /* by a thread that was still busy */
	stage_leave(&stage);
	close(ends[1]);

	got = read_all(ends[0]);
	assert_string_equal(got, "one\ntwo\nthree\nafter the end\n");
	assert_int_equal(written, strlen("one\ntwo\nthree\n"));
	free(got);
	close(ends[0]);
}

struct reader {
	int fd;
	char *got;
};

static void *read_in_thread(void *arg)
{
	struct reader *reader = arg;

	reader->got = read_all(reader->fd);
	return NULL;
}

/* Nobody writes while a thread puts more than the queue holds: the rest is dropped, and told. */
static void test_bounded(void **state)
{
	const size_t puts = 2 * TERMINAL_QUEUE_MAX / LINE;
	struct reader out_reader, err_reader;
	pthread_t out_thread, err_thread;
	static char line[LINE + 1];
	int out[2], err[2];
	struct stage stage;
	size_t shown = 0, dropped = 0;

	(void)state;
	alarm(TIME_LIMIT_S);
	memset(line, 'x', LINE - 1);
	line[LINE - 1] = '\n';
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);

	stage_enter(&stage, out[1], err[1]);
	for (size_t i = 0; i < puts; i++)
		put(&stage, TERMINAL_OUT, line);
	out_reader.fd = out[0];
	err_reader.fd = err[0];
	pthread_create(&out_thread, NULL, read_in_thread, &out_reader);
	pthread_create(&err_thread, NULL, read_in_thread, &err_reader);
	run(&stage);
	for (size_t i = 0; i < AGAIN; i++)
		put(&stage, TERMINAL_OUT, line); /* there is room again */
	stage_leave(&stage);
	close(out[1]);
	close(err[1]);
	pthread_join(out_thread, NULL);
	pthread_join(err_thread, NULL);

	shown = strlen(out_reader.got) / LINE;
	assert_int_equal(
		sscanf(err_reader.got, "sipcall: %zu pieces of output dropped", &dropped), 1);
	assert_null(strchr(strchr(err_reader.got, '\n') + 1, '\n')); /* told once */
	assert_int_equal(shown + dropped, puts + AGAIN);
	assert_in_range((shown - AGAIN) * LINE, TERMINAL_QUEUE_MAX * 8 / 10, TERMINAL_QUEUE_MAX);
	assert_in_range(dropped, 1, puts - 1);
	free(out_reader.got);
	free(err_reader.got);
	close(out[0]);
	close(err[0]);
	alarm(0);
}

/* One piece that is larger than all of the queue, and one for which there is no memory. */
static void test_impossible_pieces(void **state)
{
	static uint8_t large[TERMINAL_QUEUE_MAX + 1];
	struct stage stage;
	int ends[2];
	char *got;

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(pipe(ends), 0);
	stage_enter(&stage, ends[1], ends[1]);
	terminal_put(stage.terminal, TERMINAL_OUT, (struct slice){large, sizeof(large)});
	put(&stage, TERMINAL_OUT, "one\n");
	run(&stage);
	allocations_left = 0;
	put(&stage, TERMINAL_OUT, "two\n");
	put(&stage, TERMINAL_OUT, "three\n");
	allocations_left = SIZE_MAX;
	put(&stage, TERMINAL_OUT, "four\n");
	stage_leave(&stage);
	close(ends[1]);

	got = read_all(ends[0]);
	assert_string_equal(got,
		"one\nsipcall: 1 piece of output dropped, as nobody read it in time\n"
		"four\nsipcall: 2 pieces of output dropped, as nobody read it in time\n");
	free(got);
	close(ends[0]);
}

static void test_no_memory(void **state)
{
	struct terminal *terminal = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(terminal_new(&terminal, NULL, STDOUT_FILENO), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(terminal);
	terminal_free(NULL);
}

/* Who reads standard output is gone; standard error is not. */
static void test_reader_gone(void **state)
{
	int out[2], err[2];
	struct stage stage;
	char *got;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	close(out[0]);
	stage_enter(&stage, out[1], err[1]);
	put(&stage, TERMINAL_OUT, "lost\n");
	put(&stage, TERMINAL_ERR, "kept\n");
	put(&stage, TERMINAL_OUT, "lost\n");
	run(&stage);
	stage_leave(&stage);
	close(out[1]);
	close(err[1]);

	got = read_all(err[0]);
	assert_string_equal(got, "kept\n");
	free(got);
	close(err[0]);
}

/* Somebody who shares the pipe made it one that does not wait: we wait all the same. */
static void test_nonblocking(void **state)
{
	const size_t puts = 300; /* more than a pipe holds */
	static char line[LINE + 1];
	struct reader reader;
	struct stage stage;
	pthread_t thread;
	int ends[2];

	(void)state;
	alarm(TIME_LIMIT_S);
	memset(line, 'y', LINE);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
	stage_enter(&stage, ends[1], ends[1]);
	for (size_t i = 0; i < puts; i++)
		put(&stage, TERMINAL_OUT, line);
	reader.fd = ends[0];
	pthread_create(&thread, NULL, read_in_thread, &reader);
	run(&stage);
	stage_leave(&stage);
	close(ends[1]);
	pthread_join(thread, NULL);
	assert_int_equal(strlen(reader.got), puts * LINE);
	free(reader.got);
	close(ends[0]);
	alarm(0);
}

/* A pseudo-terminal, raw, so wide. Returns the side of the screen. */
static int open_screen(int *slave, unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	struct termios raw;
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(*slave >= 0);
	assert_int_equal(tcgetattr(*slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(*slave, TCSANOW, &raw), 0);
	assert_int_equal(ioctl(*slave, TIOCSWINSZ, &size), 0);
	return master;
}

#define CLEAR "\r\x1b[K"

static void test_live_line(void **state)
{
	struct stage stage;
	int screen, slave;
	bool live, color;
	char *got;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	screen = open_screen(&slave, 10);
	stage_enter(&stage, slave, slave);
	live = terminal_is_live(stage.terminal);
	color = terminal_has_color(stage.terminal);
	terminal_live(stage.terminal, slice_of("")); /* there is none to be taken away */
	put(&stage, TERMINAL_OUT, "one\n");
	run(&stage);
	terminal_live(stage.terminal, slice_of("0:01"));
	terminal_live(stage.terminal, slice_of("not drawn before the last was"));
	run(&stage);
	terminal_live(stage.terminal, slice_of("12345678\xc3\xb6XYZ"));
	put(&stage, TERMINAL_ERR, "two\n");
	terminal_live(stage.terminal, slice_of(""));
	put(&stage, TERMINAL_OUT, "three\n");
	run(&stage);
	terminal_live(stage.terminal, slice_of("left"));
	stage_leave(&stage);
	close(slave);

	got = read_all(screen);
	assert_true(live && color);
	assert_string_equal(got, "one\n" CLEAR "0:01" CLEAR "12345678\xc3\xb6" CLEAR "two\n" CLEAR
				 "12345678\xc3\xb6" CLEAR "three\n" CLEAR "left" CLEAR);
	free(got);
	close(screen);
}

/* Standard error goes elsewhere, where no cursor is moved. */
static void test_live_line_and_log(void **state)
{
	int screen, slave, ends[2];
	struct stage stage;
	char *got;

	(void)state;
	setenv("TERM", "xterm", 1);
	screen = open_screen(&slave, 80);
	assert_int_equal(pipe(ends), 0);
	stage_enter(&stage, slave, ends[1]);
	terminal_live(stage.terminal, slice_of("live"));
	put(&stage, TERMINAL_ERR, "log\n");
	run(&stage);
	stage_leave(&stage);
	close(slave);
	close(ends[1]);

	got = read_all(screen);
	assert_string_equal(got, CLEAR "live" CLEAR);
	free(got);
	got = read_all(ends[0]);
	assert_string_equal(got, "log\n");
	free(got);
	close(screen);
	close(ends[0]);
}

static const struct {
	const char *term, *no_color;
	bool live, color;
} screens[] = {
	{"xterm", NULL, true, true},
	{"xterm", "", true, true},
	{"xterm", "1", true, false},
	{"dumb", NULL, false, false},
	{"", NULL, false, false},
	{NULL, NULL, false, false},
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		struct stage stage;
		int screen, slave;
		bool live, color;

		set("TERM", screens[i].term);
		set("NO_COLOR", screens[i].no_color);
		screen = open_screen(&slave, 80);
		stage_enter(&stage, slave, slave);
		live = terminal_is_live(stage.terminal);
		color = terminal_has_color(stage.terminal);
		stage_leave(&stage);
		close(slave);
		close(screen);
		if (live != screens[i].live || color != screens[i].color)
			fail_msg("row %zu: live %d, color %d", i, live, color);
	}
}

static const struct {
	const char *all, *ctype, *lang;
	bool utf8;
} locales[] = {
	{NULL, NULL, "C.UTF-8", true},
	{NULL, NULL, "de_DE.utf8@euro", true},
	{NULL, NULL, "de_DE.ISO-8859-1", false},
	{NULL, NULL, "C", false},
	{NULL, NULL, "UTF-8", false},
	{NULL, NULL, NULL, false},
	{NULL, "en_US.UTF-8", "C", true},
	{"C", "en_US.UTF-8", "en_US.UTF-8", false},
	{"", "", "en_US.UTF-8", true},
};

static void test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(locales) / sizeof(locales[0]); i++) {
		struct stage stage;
		bool utf8;

		set("LC_ALL", locales[i].all);
		set("LC_CTYPE", locales[i].ctype);
		set("LANG", locales[i].lang);
		stage_enter(&stage, STDOUT_FILENO, STDERR_FILENO);
		utf8 = terminal_has_utf8(stage.terminal);
		stage_leave(&stage);
		if (utf8 != locales[i].utf8)
			fail_msg("row %zu: %d", i, utf8);
	}
}

/* Words before _exit(): past the queue, and not at all where they would wait. */
static void test_last_words(void **state)
{
	struct stage stage;
	int ends[2];
	char *got;

	(void)state;
	alarm(TIME_LIMIT_S);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	stage_enter(&stage, STDOUT_FILENO, ends[1]);
	terminal_last_words("good bye\n");
	while (write(ends[1], "full", 4) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	terminal_last_words("nobody hears\n");
	stage_leave(&stage);
	close(ends[1]);

	got = read_all(ends[0]);
	assert_memory_equal(got, "good bye\nfull", 13);
	assert_null(strstr(got, "nobody"));
	free(got);
	close(ends[0]);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_impossible_pieces),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_nonblocking),
		cmocka_unit_test(test_live_line),
		cmocka_unit_test(test_live_line_and_log),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_last_words),
	};

	return cmocka_run_group_tests_name("cmd/terminal", tests, NULL, NULL);
}
