/* A whole file, or all that a program writes, read at once. It waits: any thread that may. */
#pragma once

#include "core/base/bytes.h"

/*
 * Appends what fd still has, as far as out has room: whoever gives it a byte more than it takes
 * knows by a full one that it is too much. A negative error code of read(2).
 */
int whole_read(struct buf *out, int fd);
