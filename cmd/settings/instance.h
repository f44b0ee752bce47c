/*
 * Which phone this is, for servers: a URN that stays the same from one run to the next (RFC 5626,
 * section 4.1), so that a phone that comes back takes the place of itself. It is kept in the state
 * directory. Programs that run at the same time are several phones, and get a URN each.
 */
#pragma once

#include <stddef.h>

enum { INSTANCE_SIZE = 46 }; /* "urn:uuid:", a UUID and a NUL */

struct instance {
	char urn[INSTANCE_SIZE]; /* empty: none */
	int fd;                  /* holds the claim to it; -1: none */
};

/*
 * Claims the first that no other program has, or makes one. Without a place to keep it there is
 * none: -EAGAIN, if they are all taken; or what the file system says.
 */
int instance_claim(struct instance *out);

/* It is free for others. */
void instance_release(struct instance *instance);
