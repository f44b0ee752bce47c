#include "cmd/control/daemon.h"

#include "cmd/readers/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file stays; who reads a pipe or a terminal would wait for us, or be written to unasked. */
static bool is_file(int fd)
{
	struct stat what;

	return fstat(fd, &what) == 0 && S_ISREG(what.st_mode);
}

static void close_standard(int fd, int flags)
{
	int nothing = open("/dev/null", flags | O_CLOEXEC);

	if (nothing < 0)
		return; /* not even that: it stays */

	dup2(nothing, fd);
	close(nothing);
}

/* Until the one in the background is ready, or gone. Does not return. */
static void wait_for(int pipe, pid_t pid)
{
	ssize_t got;
	char byte;
	int status;

	do
		got = read(pipe, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		_exit(VERDICT_DONE);

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : VERDICT_SIGNAL + WTERMSIG(status));
}

int daemon_begin(struct daemon *out)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid > 0) {
		close(ends[1]);
		wait_for(ends[0], pid);
	}
	close(ends[0]);
	out->pipe = ends[1];
	setsid(); /* a child leads no group, so it cannot fail */
	close_standard(STDIN_FILENO, O_RDONLY);
	if (!is_file(STDOUT_FILENO))
		close_standard(STDOUT_FILENO, O_WRONLY);
	return 0;
}

void daemon_ready(struct daemon *daemon)
{
	ssize_t wrote;

	if (daemon->pipe < 0)
		return;

	if (!is_file(STDERR_FILENO))
		close_standard(STDERR_FILENO, O_WRONLY);
	wrote = write(daemon->pipe, "", 1); /* who does not wait any more need not know */
	(void)wrote;
	close(daemon->pipe);
	daemon->pipe = -1;
}
