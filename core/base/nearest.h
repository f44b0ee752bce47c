/*
 * The known name that a person most likely meant by a misspelt word, for "did you mean ...?". Any
 * thread.
 */
#pragma once

#include "core/base/bytes.h"

#include <stddef.h>

/* Longer names are not compared letter by letter. */
enum { NEAREST_NAME_MAX = 31 };

/* Name i of those that there are: NUL-terminated, of ASCII; NULL for one that is not to be told. */
typedef const char *nearest_at(const void *arg, size_t i);

/*
 * The one of count names that word comes nearest to, ASCII case aside: by at most two letters that
 * are put in, left out, changed or swapped with their neighbour, and those no more than half of
 * word; or else the only name that word is the beginning of. NULL if there is none. Of two that are
 * equally near, the first.
 */
const char *nearest_name(struct slice word, size_t count, nearest_at *name, const void *arg);
