/*
 * What was typed in earlier runs, to be called back: a file with a line each, the newest last, for
 * its owner's eyes only. Runs may share it: each adds what it has, at its end. On one thread, which
 * waits for the disk.
 */
#pragma once

#include "core/base/fault.h"

#include <stdbool.h>

enum { RECALL_MAX = 1000 }; /* lines that are kept */

struct recall;

/*
 * Reads the file, which need not be there, and hands line each line in its order. path is copied.
 * -ENOMEM; where the file cannot be read there are no lines, and that is for recall_save() to tell.
 */
int recall_new(struct recall **out, const char *path, void (*line)(void *arg, const char *line),
	void *arg);

/* NULL is allowed. */
void recall_free(struct recall *recall);

/* Whether a line may be kept: it does not begin with a space, and has no secret in it, as far as
 * one can tell: a password in a URI, or a word that says that one follows. */
bool recall_may_keep(const char *line);

/* Adds a line of this run. With no memory for it, it is left out. */
void recall_add(struct recall *recall, const char *line);

/* Writes what the file has now and what was added, the last RECALL_MAX of it, in one step. Returns
 * 0 or an error code with words. */
int recall_save(struct recall *recall, struct fault *why);
