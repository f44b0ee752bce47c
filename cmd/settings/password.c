#include "cmd/settings/password.h"

#include "cmd/whole.h"
#include "core/base/secret.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	CTRL_C = 3,
	CTRL_D = 4,
	BACKSPACE = 8,
	CTRL_U = 21,
	DELETE = 127,
	PROMPT_SIZE = 512,
};

static int start(pid_t *pid, int *fd, const char *command)
{
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	int err;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	err = posix_spawn_file_actions_init(&actions);
	if (!err) {
		err = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		if (!err)
			err = posix_spawn(
				pid, argv[0], &actions, NULL, (char *const *)argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(ends[1]);
	if (err)
		close(ends[0]);
	*fd = ends[0];
	return -err;
}

/* How it ended, as wait(2) has it. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	return status;
}

/* What is wrong with what it printed, or how it ended; -EINVAL, or 0. */
static int check_printed(struct slice line, int err, bool full, int status, struct fault *why)
{
	if (err) /* a part of a password is none */
		return fault_set(why, -EINVAL, "cannot be read: %s", strerror(-err));
	if (full) /* and who goes on printing dies of that */
		return fault_set(why, -EINVAL, "prints more than %d bytes", SECRET_MAX);
	if (WIFSIGNALED(status))
		return fault_set(why, -EINVAL, "ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	if (status != 0)
		return fault_set(why, -EINVAL, "failed with exit code %d", WEXITSTATUS(status));
	if (line.len == 0)
		return fault_set(why, -EINVAL, "prints nothing");
	return 0;
}

int password_run(struct secret **out, const char *command, struct fault *why)
{
	uint8_t room[SECRET_MAX + 2];
	struct buf bytes = {room, 0, sizeof(room)};
	struct slice rest, line;
	struct fault wrong;
	int fd, err;
	pid_t pid;

	err = start(&pid, &fd, command);
	if (err)
		return fault_set(why, -EINVAL, "password_command: %s", strerror(-err));

	err = whole_read(&bytes, fd);
	close(fd);
	rest = (struct slice){bytes.data, bytes.len};
	slice_cut(&line, &rest, '\n');
	if (check_printed(line, err, bytes.len == bytes.size, wait_for(pid), &wrong))
		err = fault_set(why, -EINVAL, "password_command %s", wrong.words);
	else if (secret_new(out, line))
		err = fault_set(why, -ENOMEM, "out of memory");
	explicit_bzero(room, sizeof(room));
	return err;
}

/* A key that was typed: 1 at the end, 0 if there will be more, or -EINTR. */
static int take_key(struct buf *typed, uint8_t key)
{
	if (key == '\r' || key == '\n' || (key == CTRL_D && typed->len == 0))
		return 1;
	if (key == CTRL_C)
		return -EINTR;
	if (key == CTRL_U)
		typed->len = 0;
	else if (key == BACKSPACE || key == DELETE)
		typed->len -= typed->len > 0;
	else if (key >= ' ' && typed->len < typed->size)
		typed->data[typed->len++] = key;
	return 0;
}

static void write_all(int fd, struct slice text)
{
	while (text.len > 0) {
		ssize_t put = write(fd, text.data, text.len);

		if (put < 0 && errno != EINTR)
			return;
		if (put > 0) {
			text.data += put;
			text.len -= (size_t)put;
		}
	}
}

/* Ctrl-C is a key here: a signal would leave the terminal without its echo. */
static int read_keys(struct buf *typed, int tty, struct slice prompt)
{
	struct termios before, hidden;
	uint8_t key = 0;
	int end = 0;

	if (tcgetattr(tty, &before))
		return -errno;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	hidden.c_cc[VMIN] = 1;
	hidden.c_cc[VTIME] = 0;
	if (tcsetattr(tty, TCSAFLUSH, &hidden))
		return -errno;
	write_all(tty, prompt); /* not before what is typed is hidden */
	while (end == 0) {
		ssize_t got = read(tty, &key, 1);

		if (got == 1)
			end = take_key(typed, key);
		else if (got == 0 || errno != EINTR)
			end = 1; /* the terminal is gone */
	}
	explicit_bzero(&key, sizeof(key));
	tcsetattr(tty, TCSAFLUSH, &before);
	return end < 0 ? end : 0;
}

int password_ask(struct secret **out, const char *account, struct fault *why)
{
	int tty = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	uint8_t room[SECRET_MAX];
	struct buf typed = {room, 0, sizeof(room)};
	char prompt[PROMPT_SIZE];
	struct text text = TEXT_IN(prompt);
	int err;

	*out = NULL;
	if (tty < 0)
		return 0;

	text_puts(&text, "password of ");
	text_put_escaped(&text, slice_of(account));
	text_puts(&text, ": ");
	err = read_keys(&typed, tty, text_slice(&text));
	write_all(tty, slice_of("\n"));
	close(tty);
	if (!err && typed.len > 0)
		err = secret_new(out, (struct slice){typed.data, typed.len});
	explicit_bzero(room, sizeof(room));
	return err ? fault_set(why, err, "no password of %s", account) : 0;
}
