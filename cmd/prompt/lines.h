/*
 * Lines of an input that nobody types key by key: a file, a pipe, what a program writes. One is
 * handed out after the other, and each only when the one before is dealt with, so that whoever
 * writes faster waits. On the loop's thread.
 */
#pragma once

#include <stddef.h>

struct lines;
struct loop;

struct lines_events {
	/* A line without its newline; of a NUL in it, a space is left. */
	void (*line)(void *arg, const char *line);
	/* After the last. Nothing comes any more. */
	void (*end)(void *arg);
};

/*
 * fd stays open, and as it is. Of a longer line than max bytes, what is longer is left out. The
 * first comes without being asked for, never before this returns. -ENOMEM, -EMFILE.
 */
int lines_new(struct lines **out, struct loop *loop, int fd, size_t max,
	const struct lines_events *events, void *arg);

/* Not from within an event. NULL is allowed. */
void lines_free(struct lines *lines);

/* The last line is dealt with. Not from within its event. */
void lines_next(struct lines *lines);
