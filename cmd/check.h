/*
 * What can be seen to be wrong before anything is sent or listened to: a target that is none, files
 * that cannot be opened. Main thread, before the others start; it looks at the disk.
 */
#pragma once

#include "cmd/settings/options.h"
#include "core/base/text.h"

enum { CHECK_SIZE = 8192 }; /* room for what is told */

/* Returns 0, or the exit code, with whole lines that say why in out. */
int check_options(struct text *out, const struct options *options);

/* Appends target, or what stands around its byte at, and under that byte a caret. */
void check_put_caret(struct text *out, struct slice target, size_t at);
