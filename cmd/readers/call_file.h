/*
 * The file of the calls that were, $XDG_STATE_HOME/sipcall/calls, for its owner's eyes only: a line
 * each (cmd/readers/call_entry.h), the newest last. Programs may share it: each looks at what is
 * there when it adds to it. The disk may make all of this wait: on a thread that may.
 */
#pragma once

#include "core/base/fault.h"

#include <stddef.h>

/* Adds lines; the oldest go. Returns a negative error code, with words. */
int call_file_add(char *const lines[], size_t count, struct fault *why);

/* Hands line each line, in its order. No file: no lines. Returns as above. */
int call_file_read(void (*line)(void *arg, const char *line), void *arg, struct fault *why);
