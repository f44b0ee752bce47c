#include "core/net/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child has in place of ours. Nothing but the pipe is left to it: the descriptors that we
 * open are closed by exec, and those that we were given, or that a library opened, here. */
static int fill_actions(posix_spawn_file_actions_t *actions, int in, int out)
{
	int err;

	if (in < 0)
		err = posix_spawn_file_actions_addopen(
			actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		err = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(
			actions, out < 0 ? STDERR_FILENO : out, STDOUT_FILENO);
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
#endif
	return err;
}

/* Our threads block signals, and the program ignores some: none of that is for the command. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, ignored;
	int err;

	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	err = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!err)
		err = posix_spawnattr_setpgroup(attributes, 0);
	if (!err)
		err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &ignored);
	return err;
}

/* in, out: what it reads and writes; -1: nothing, and our standard error. */
static int spawn(pid_t *pid, int in, int out, const char *line, char *const env[])
{
	static char shell[] = "sh", option[] = "-c";
	char *argv[] = {shell, option, (char *)(uintptr_t)line, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	err = posix_spawnattr_init(&attributes);
	if (err) {
		posix_spawn_file_actions_destroy(&actions);
		return -err;
	}

	err = fill_actions(&actions, in, out);
	if (!err)
		err = fill_attributes(&attributes);
	if (!err)
		err = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

int command_start(struct command *out, int *fd, enum pipe_way way, const char *line, size_t room)
{
	int ends[2], ours, theirs;
	int err;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;

	ours = way == PIPE_IN ? ends[0] : ends[1];
	theirs = way == PIPE_IN ? ends[1] : ends[0];
	(void)fcntl(ours, F_SETPIPE_SZ, (int)room); /* else it holds 64 KiB, which is late */
	err = fcntl(ours, F_SETFL, O_NONBLOCK) != 0 ? -errno : 0;
	if (!err)
		err = spawn(&out->pid, way == PIPE_IN ? -1 : theirs, way == PIPE_IN ? theirs : -1,
			line, environ);
	close(theirs);
	if (err) {
		close(ours);
		return err;
	}
	*fd = ours;
	return 0;
}

int command_run(struct command *out, const char *line, char *const env[])
{
	return spawn(&out->pid, -1, -1, line, env);
}

/* Where our parent has had SIGCHLD ignored, the system reaps, and nobody can tell how it ended. */
bool command_ended(struct command *command, struct pipe_exit *exit)
{
	pid_t got;
	int status;

	if (command->pid == 0)
		return false;

	got = waitpid(command->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return false;

	*exit = (struct pipe_exit){0};
	if (got > 0 && WIFEXITED(status))
		exit->code = WEXITSTATUS(status);
	else if (got > 0 && WIFSIGNALED(status))
		exit->signal = WTERMSIG(status);
	command->pid = 0;
	return true;
}

void command_signal(const struct command *command, int number)
{
	(void)kill(-command->pid, number); /* who has just ended cannot be told */
}
