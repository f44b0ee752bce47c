/*
 * The name of a local socket in the file system: how it comes there for its owner alone, whose it
 * is when it is there already, and how it goes. A disk may make all of it wait. Any thread; a name
 * belongs to one thread at a time.
 */
#pragma once

#include <sys/types.h>

/* A name that was bound. */
struct local_name {
	char *path;
	dev_t device;
	ino_t inode;
};

/*
 * Makes a stream socket that listens at path, with mode 0600 from the first moment on, and puts it
 * to fd, which does not block and is the caller's. A socket that nobody listens at any more is
 * replaced. -EADDRINUSE: somebody listens there, or is just about to; -EEXIST: something else is
 * there, and stays; -ENAMETOOLONG; -ENOMEM; -EACCES, -ENOENT, ... as the system has it.
 */
int local_listen(int *fd, struct local_name *name, const char *path, int backlog);

/* Takes the name away, unless it is another's by now, and frees what there is of it. */
void local_remove(struct local_name *name);

/* Whether path is longer than the address of a socket can be. */
int local_check(const char *path);
