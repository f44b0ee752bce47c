/* core/net/pipe and command: what comes and goes, who is asked to end and how, and that nobody
 * waits and nothing of others' is changed. */
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	LIMIT_S = 20, /* what gets stuck is to fail, not to hang */
	ROOM = 32000,
	HEARD_MAX = 200000,
	PATH_SIZE = 100,
};

#define LOOK_NS (2 * NS_PER_MS)

struct stage {
	struct loop *loop;
	struct pipe *pipe;
	struct timer look;
	uint8_t bytes[HEARD_MAX];
	struct buf heard;
	size_t piece; /* of a read */
	int err;      /* of the last */
	bool stop_at_end;
	bool stop_at_bytes;
	bool closed;
	struct pipe_report report;
};

static char folder[] = "/tmp/net_pipe.XXXXXX";
static size_t allocations_left = SIZE_MAX;
static bool slow_close; /* whoever is at the other end sees it before we go on */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

int __wrap_close(int fd);
int __real_close(int fd);

int __wrap_close(int fd)
{
	int result = __real_close(fd);

	if (slow_close)
		usleep(20000);
	return result;
}

static void on_look(void *arg)
{
	struct stage *stage = arg;
	struct buf out = {stage->heard.data + stage->heard.len, 0, stage->piece};

	stage->err = pipe_read(&out, stage->pipe);
	stage->heard.len += out.len;
	if ((stage->err && stage->stop_at_end) || (out.len > 0 && stage->stop_at_bytes))
		loop_uv_stop(stage->loop);
	else
		timer_start_in(&stage->look, LOOK_NS);
}

/* Reads until the end, or until anything has come. */
static void hear(struct stage *stage, bool all)
{
	stage->stop_at_end = true;
	stage->stop_at_bytes = !all;
	timer_start_in(&stage->look, 0);
	loop_uv_run(stage->loop);
	stage->heard.data[stage->heard.len] = '\0';
}

static void on_closed(void *arg, const struct pipe_report *report)
{
	struct stage *stage = arg;

	assert_false(stage->closed);
	stage->closed = true;
	stage->report = *report;
	loop_uv_stop(stage->loop);
}

static void finish(struct stage *stage)
{
	pipe_close(stage->pipe, on_closed, stage);
	assert_false(stage->closed);
	loop_uv_run(stage->loop);
	assert_true(stage->closed);
	stage->closed = false;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* there is no child, not even a zombie */
	assert_int_equal(errno, ECHILD);
	assert_false(loop_uv_busy(stage->loop));
}

static void run(struct stage *stage, enum pipe_way way, const char *line)
{
	stage->heard.len = 0;
	assert_int_equal(loop_pipe_command(&stage->pipe, stage->loop, way, line, ROOM), 0);
}

static void say(struct stage *stage, const char *words)
{
	assert_int_equal(pipe_write(stage->pipe, slice_of(words)), 0);
}

static void await_exit(struct stage *stage, struct pipe_exit *exit)
{
	while (!pipe_exited(exit, stage->pipe))
		usleep(1000); /* alarm() ends this */
}

static void test_what_a_command_says(void **state)
{
	struct stage *stage = *state;
	struct pipe_exit exit;

	run(stage, PIPE_IN, "printf hello; printf ' %s' world >&2; cat");
	hear(stage, true); /* the end comes, so its standard input is not ours */
	assert_string_equal(stage->heard.data, "hello");
	assert_int_equal(stage->err, -ENODATA);
	await_exit(stage, &exit);
	assert_int_equal(exit.code, 0);
	assert_int_equal(exit.signal, 0);
	finish(stage);
	assert_int_equal(stage->report.exit.code, 0);
	assert_int_equal(stage->report.err, 0);
}

static void test_nothing_yet(void **state)
{
	struct stage *stage = *state;
	struct pipe_exit exit;
	uint8_t bytes[4];
	struct buf out = {bytes, 0, sizeof(bytes)};

	run(stage, PIPE_IN, "sleep 100");
	assert_int_equal(pipe_read(&out, stage->pipe), 0);
	assert_int_equal(out.len, 0);
	assert_false(pipe_exited(&exit, stage->pipe));
	finish(stage);
}

static void test_how_it_ended(void **state)
{
	static const struct {
		const char *line;
		struct pipe_exit exit;
	} rows[] = {
		{"exit 3", {3, 0}},
		{"kill -9 $$", {0, SIGKILL}},
		{"/no/such/command", {127, 0}},
		{"kill -TERM $$", {0, SIGTERM}},
	};
	struct stage *stage = *state;
	struct pipe_exit exit;

	for (size_t n = 0; n < 4 * 3; n++) {
		enum pipe_way way = n % 2 ? PIPE_OUT : PIPE_IN;

		run(stage, way, rows[n / 3].line);
		if (n % 3 > 0) { /* seen while it is open, or only in the end */
			await_exit(stage, &exit);
			assert_memory_equal(&exit, &rows[n / 3].exit, sizeof(exit));
		} else if (way == PIPE_IN) {
			hear(stage, true);
			await_exit(stage, &exit);
		}
		finish(stage);
		assert_memory_equal(&stage->report.exit, &rows[n / 3].exit, sizeof(exit));
	}
}

static void read_file(char *out, size_t size, const char *path)
{
	FILE *file = fopen(path, "r");

	out[0] = '\0';
	if (!file)
		return;
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* One that reads gets all, and the time to finish what it does with it. */
static void test_what_a_command_hears(void **state)
{
	struct stage *stage = *state;
	char heard[PATH_SIZE];

	run(stage, PIPE_OUT, "cat > heard; sleep 0.3; echo ' and done' >> heard; exit 4");
	say(stage, "hello");
	say(stage, " world");
	finish(stage);
	read_file(heard, sizeof(heard), "heard");
	assert_string_equal(heard, "hello world and done\n");
	assert_int_equal(stage->report.exit.code, 4);
	assert_int_equal(stage->report.unsent, 0);
	unlink("heard");
}

static void test_it_is_asked_to_end(void **state)
{
	struct stage *stage = *state;
	char words[PATH_SIZE];

	for (int way = PIPE_IN; way <= PIPE_OUT; way++) {
		run(stage, (enum pipe_way)way,
			"trap 'echo asked > asked; exit 5' TERM; echo ready > ready; echo ready;"
			"while :; do sleep 0.01; done");
		while (access("ready", F_OK) != 0)
			usleep(1000);
		finish(stage);
		read_file(words, sizeof(words), "asked");
		assert_string_equal(words, "asked\n");
		assert_int_equal(stage->report.exit.code, 0); /* that was our wish */
		unlink("asked");
		unlink("ready");
	}
}

/* Nobody hears what it still says, but that is no failure of its own. */
static void test_who_is_cut_off_has_not_failed(void **state)
{
	struct stage *stage = *state;

	run(stage, PIPE_IN, "exec yes");
	hear(stage, false);
	slow_close = true;
	finish(stage);
	slow_close = false;
	assert_int_equal(stage->report.exit.signal, 0);
}

static void test_who_does_not_listen_is_killed(void **state)
{
	struct stage *stage = *state;
	uint64_t begin;

	run(stage, PIPE_IN, "trap '' TERM; echo ready; while :; do sleep 0.01; done");
	hear(stage, false);
	begin = loop_now(stage->loop);
	finish(stage);
	assert_true(loop_now(stage->loop) - begin >= 900 * NS_PER_MS);
	assert_int_equal(stage->report.exit.signal, 0);
}

/* Gone, or dead and waiting for its new parent to notice. */
static bool is_gone(int pid)
{
	char path[PATH_SIZE], line[PATH_SIZE], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(line, sizeof(line), path);
	state = strrchr(line, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

static void test_all_of_its_group_end(void **state)
{
	struct stage *stage = *state;
	int pid;

	run(stage, PIPE_IN, "sleep 100 & echo $!; wait");
	hear(stage, false);
	pid = atoi((const char *)stage->heard.data);
	assert_true(pid > 0);
	assert_int_not_equal(getpgid(pid), getpgid(0));
	finish(stage);
	while (!is_gone(pid))
		usleep(1000);
}

/* What it does not read waits for a second; the rest is not taken. */
static void test_who_does_not_read(void **state)
{
	static uint8_t bytes[1000];
	struct stage *stage = *state;
	size_t taken = 0;

	run(stage, PIPE_OUT, "exec sleep 100");
	while (pipe_write(stage->pipe, (struct slice){bytes, sizeof(bytes)}) == 0)
		taken += sizeof(bytes);
	assert_in_range(taken, ROOM, ROOM + ROOM / 2);
	assert_int_equal(pipe_write(stage->pipe, (struct slice){bytes, sizeof(bytes)}), -ENOBUFS);
	finish(stage);
	assert_int_equal(stage->report.err, -ETIMEDOUT);
	assert_in_range(stage->report.unsent, ROOM - sizeof(bytes), ROOM);
}

static void test_who_has_gone(void **state)
{
	struct stage *stage = *state;
	struct pipe_exit exit;
	int err = 0;

	run(stage, PIPE_OUT, "exec true");
	await_exit(stage, &exit);
	while (!err)
		err = pipe_write(stage->pipe, slice_of("x"));
	assert_int_equal(err, -EPIPE);
	assert_int_equal(pipe_write(stage->pipe, slice_of("x")), -EPIPE);
	finish(stage);
	assert_int_equal(stage->report.err, -EPIPE);
}

/* A set of signals as /proc shows it. */
static uint64_t mask_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 16);
}

/* Not what we ignore or block, and not what else is open. */
static void test_what_a_command_inherits(void **state)
{
	struct stage *stage = *state;
	int other = dup(STDERR_FILENO);
	sigset_t all, before;
	const char *heard = (const char *)stage->heard.data;
	char line[PATH_SIZE + 100];

	assert_true(other > STDERR_FILENO);
	snprintf(line, sizeof(line),
		"[ -e /proc/$$/fd/%d ] && echo open; exec grep -E 'Sig(Blk|Ign)' /proc/self/status",
		other);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* as on our threads */
	run(stage, PIPE_IN, line);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	hear(stage, true);
	assert_null(strstr(heard, "open"));
	assert_true(mask_after(heard, "SigBlk:") == 0);
	assert_false(mask_after(heard, "SigIgn:") >> (SIGPIPE - 1) & 1);
	finish(stage);
	close(other);
}

/* With fd in the place of standard input or output; returns what stood there. */
static int put_in_place(int fd, int standard)
{
	int kept = dup(standard);

	assert_true(kept >= 0);
	assert_int_equal(dup2(fd, standard), standard);
	return kept;
}

static void put_back(int kept, int standard)
{
	assert_int_equal(dup2(kept, standard), standard);
	close(kept);
}

static void test_standard_input(void **state)
{
	struct stage *stage = *state;
	int ends[2], kept, flags;

	assert_int_equal(pipe(ends), 0);
	kept = put_in_place(ends[0], STDIN_FILENO);
	flags = fcntl(ends[0], F_GETFL);
	stage->heard.len = 0;
	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_IN, ROOM), 0);
	assert_int_equal(write(ends[1], "hello", 5), 5);
	hear(stage, false);
	assert_string_equal(stage->heard.data, "hello");
	close(ends[1]);
	hear(stage, true);
	assert_int_equal(stage->heard.len, 5);
	assert_int_equal(stage->err, -ENODATA);
	finish(stage);
	assert_int_equal(fcntl(ends[0], F_GETFL), flags); /* open, and as it was */
	put_back(kept, STDIN_FILENO);
	close(ends[0]);
}

static void test_standard_output(void **state)
{
	static uint8_t bytes[1000];
	struct stage *stage = *state;
	int ends[2], kept, flags;
	size_t taken = 0;

	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
	kept = put_in_place(ends[1], STDOUT_FILENO);
	flags = fcntl(ends[1], F_GETFL);
	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_OUT, ROOM), 0);
	while (pipe_write(stage->pipe, (struct slice){bytes, sizeof(bytes)}) == 0)
		taken += sizeof(bytes);
	assert_true(taken >= ROOM);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), sizeof(bytes));
	finish(stage);
	assert_int_equal(stage->report.err, -ETIMEDOUT);
	assert_int_equal(fcntl(ends[1], F_GETFL), flags);
	put_back(kept, STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
}

static int make_file(size_t size)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(i % 251);

		assert_int_equal(write(fd, &byte, 1), 1);
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Read ahead by the loop's work; all of it comes, in order, whatever its size. */
static void test_standard_input_of_a_file(void **state)
{
	static const size_t sizes[] = {0, 1, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM + 7};
	struct stage *stage = *state;

	for (size_t n = 0; n < 2 * sizeof(sizes) / sizeof(sizes[0]); n++) {
		size_t size = sizes[n / 2];
		int fd = make_file(size);
		int kept = put_in_place(fd, STDIN_FILENO);

		stage->heard.len = 0;
		stage->piece = n % 2 ? 50000 : 640;
		assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_IN, ROOM), 0);
		hear(stage, true);
		assert_int_equal(stage->err, -ENODATA);
		assert_int_equal(stage->heard.len, size);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(stage->heard.data[i], i % 251);
		finish(stage);
		put_back(kept, STDIN_FILENO);
		close(fd);
	}
	stage->piece = 640;
}

/* Closed while the work is out, it goes by itself. */
static void test_it_is_left_while_it_reads(void **state)
{
	struct stage *stage = *state;
	int fd = make_file(3 * ROOM);
	int kept = put_in_place(fd, STDIN_FILENO);

	stage->heard.len = 0;
	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_IN, ROOM), 0);
	hear(stage, false); /* which begins to read ahead */
	pipe_close(stage->pipe, on_closed, stage);
	loop_uv_run(stage->loop);
	assert_true(stage->closed);
	stage->closed = false;
	put_back(kept, STDIN_FILENO);
	close(fd);
}

static void test_standard_output_into_a_file(void **state)
{
	struct stage *stage = *state;
	char heard[ROOM * 2];
	size_t taken = 0;
	int fd = make_file(0);
	int kept = put_in_place(fd, STDOUT_FILENO);

	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_OUT, ROOM), 0);
	for (; taken < ROOM; taken += 10) /* and nobody runs the loop: all has to wait */
		say(stage, "0123456789");
	finish(stage);
	put_back(kept, STDOUT_FILENO);
	close(fd);
	assert_int_equal(stage->report.err, 0);
	assert_int_equal(stage->report.unsent, 0);
	read_file(heard, sizeof(heard), "file");
	assert_int_equal(strlen(heard), taken);
	for (size_t i = 0; i < taken; i++)
		assert_int_equal(heard[i], '0' + i % 10);
}

static void test_a_full_disk(void **state)
{
	struct stage *stage = *state;
	int fd = open("/dev/full", O_WRONLY);
	int kept = put_in_place(fd, STDOUT_FILENO);

	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_OUT, ROOM), 0);
	assert_int_equal(pipe_write(stage->pipe, slice_of("x")), -ENOSPC);
	finish(stage);
	put_back(kept, STDOUT_FILENO);
	close(fd);
	assert_int_equal(stage->report.err, -ENOSPC);
}

static void test_standard_files_that_are_closed(void **state)
{
	struct stage *stage = *state;
	int fd = open("/dev/null", O_RDONLY);
	int kept = put_in_place(fd, STDOUT_FILENO);

	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_OUT, ROOM), -EBADF);
	close(STDOUT_FILENO);
	assert_int_equal(loop_pipe_standard(&stage->pipe, stage->loop, PIPE_OUT, ROOM), -EBADF);
	put_back(kept, STDOUT_FILENO);
	close(fd);
}

static void test_no_memory(void **state)
{
	struct stage *stage = *state;
	int fd = make_file(10);
	int kept = put_in_place(fd, STDIN_FILENO);

	for (size_t allowed = 0; allowed < 3; allowed++) {
		stage->pipe = NULL;
		allocations_left = allowed;
		assert_int_equal(
			loop_pipe_standard(&stage->pipe, stage->loop, PIPE_IN, ROOM), -ENOMEM);
		if (allowed < 2)
			assert_int_equal(loop_pipe_command(&stage->pipe, stage->loop, PIPE_OUT,
						 "exit 1", ROOM),
				-ENOMEM);
		allocations_left = SIZE_MAX;
		assert_null(stage->pipe);
	}
	put_back(kept, STDIN_FILENO);
	close(fd);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	alarm(LIMIT_S);
	assert_non_null(stage);
	assert_int_equal(loop_uv_new(&stage->loop), 0);
	timer_init(&stage->look, stage->loop, on_look, stage);
	stage->heard = (struct buf){stage->bytes, 0, sizeof(stage->bytes)};
	stage->piece = 640;
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	timer_stop(&stage->look);
	loop_uv_free(stage->loop);
	free(stage);
	alarm(0);
	return 0;
}

static int set_up_all(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the program does */
	return !mkdtemp(folder) || chdir(folder);
}

static int tear_down_all(void **state)
{
	(void)state;
	unlink("file");
	return chdir("/") || rmdir(folder);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_command_says),
		TEST(nothing_yet),
		TEST(how_it_ended),
		TEST(what_a_command_hears),
		TEST(it_is_asked_to_end),
		TEST(who_is_cut_off_has_not_failed),
		TEST(who_does_not_listen_is_killed),
		TEST(all_of_its_group_end),
		TEST(who_does_not_read),
		TEST(who_has_gone),
		TEST(what_a_command_inherits),
		TEST(standard_input),
		TEST(standard_output),
		TEST(standard_input_of_a_file),
		TEST(it_is_left_while_it_reads),
		TEST(standard_output_into_a_file),
		TEST(a_full_disk),
		TEST(standard_files_that_are_closed),
		TEST(no_memory),
	};
#undef TEST

	return cmocka_run_group_tests_name("core/net/pipe", tests, set_up_all, tear_down_all);
}
