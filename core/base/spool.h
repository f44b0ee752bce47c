/*
 * Records of bytes on their way from one thread to another, which may be slow: one thread writes
 * and one reads; neither waits for the other, locks or makes a system call, and the writer does not
 * allocate. The records of a spool that is full are dropped and counted. A spool comes to its
 * second thread, and goes from one to the next, by something that orders memory (loop_post(),
 * loop_work()). Whoever made it owns it.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>

struct spool;

enum { SPOOL_RECORD_MORE = 4 }; /* bytes that a record takes besides its own */

/*
 * capacity: bytes, a power of two of at most 2 GiB; any other number is the caller's mistake and is
 * asserted. -ENOMEM.
 */
int spool_new(struct spool **out, size_t capacity);

/* With the records still in it. NULL is allowed. */
void spool_free(struct spool *spool);

/* Writer only. Appends one record that is made of two pieces. False, and counted, if it does not
 * fit. */
bool spool_put(struct spool *spool, struct slice head, struct slice body);

/*
 * Reader only. How many bytes wait, with what each record takes besides. What the other thread
 * did before it put them is seen then.
 */
size_t spool_filled(const struct spool *spool);

/* Reader only. Appends the oldest record to out. -ENODATA if there is none, -ENOBUFS, with nothing
 * taken, if out has no room for it. */
int spool_take(struct buf *out, struct spool *spool);

/* Records that did not fit, since spool_new(). Any thread. */
size_t spool_dropped(const struct spool *spool);
