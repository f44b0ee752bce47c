/*
 * A file of packets as Wireshark reads them, by libpcap, which is loaded when the first is made. It
 * holds whole packets only: what a full disk takes half of is taken back. It belongs to one thread
 * at a time, which it makes wait.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct capture_file;

/* One that exists is not overwritten: -EEXIST. Else -ENOMEM, what open() says, or what
 * library_load() does; words in why. */
int capture_file_create(struct capture_file **out, const char *path, struct fault *why);

/* Adds a packet that begins with its IP header. Once something could not be written, nothing is any
 * more. */
void capture_file_put(struct capture_file *file, uint64_t wall_ns, struct slice packet);

/* Hands what was put to the system. */
void capture_file_flush(struct capture_file *file);

/* How it went. */
struct capture_result {
	uint64_t count; /* packets that were put */
	uint64_t lost;  /* of these, not in the file */
	int err;        /* why it stopped taking packets: -ENOSPC, -EFBIG, ...; or 0 */
};

/* Flushes and closes it. out may be NULL, and so may file. */
void capture_file_close(struct capture_result *out, struct capture_file *file);
