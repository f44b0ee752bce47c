/*
 * --daemon: goes into the background, without a terminal. Whoever started us waits until we are
 * ready or have failed, and learns that by the exit code. Main thread.
 */
#pragma once

struct daemon {
	int pipe; /* to who waits for us to be ready; -1: nobody */
};

/*
 * Before there is any other thread or a loop. Returns in the background only: 0, in a session of
 * its own, without standard input, and with a standard output that is a file or nothing. A negative
 * error code where it is in the foreground still.
 */
int daemon_begin(struct daemon *out);

/* All is as it was asked for: who waits goes, and from here on standard error is a file or nothing.
 * Harmless without daemon_begin(), if pipe is -1. */
void daemon_ready(struct daemon *daemon);
