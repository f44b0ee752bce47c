/*
 * A script as its file has it: lines, and which of them are repeated. What they mean is read by
 * cmd/script/script_step.h, line by line, as the values of variables are known only then. A plain
 * value that does not change: any thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>

enum {
	SCRIPT_BYTES_MAX = 1 << 20,
	SCRIPT_LINES_MAX = 20000,
	SCRIPT_DEPTH_MAX = 8, /* of a repeat in a repeat */
	SCRIPT_ROUNDS_MAX = 1000000,
};

/* What a line is, by its first words as they stand there. */
enum script_kind {
	SCRIPT_COMMAND, /* [PHONE] COMMAND ... */
	SCRIPT_SET,     /* NAME = VALUE */
	SCRIPT_PHONE,
	SCRIPT_NET,
	SCRIPT_REPEAT,
	SCRIPT_END,
};

struct script_line {
	unsigned number;  /* in the file, from 1 */
	const char *text; /* without the spaces before it */
	enum script_kind kind;
	size_t other;      /* index of the END of a REPEAT, and the other way round */
	const char *wrong; /* what cannot be, whatever the words mean; or NULL */
};

struct script {
	char *name; /* of its file, as people see it */
	char *bytes;
	struct script_line *lines; /* neither empty nor comments alone */
	size_t count;
	bool has_phones; /* some line makes one, */
	bool has_nets;   /* or says what a network does */
};

/* Cuts bytes, copied, into lines. -EFBIG with words; -ENOMEM. */
int script_new(struct script **out, const char *name, struct slice bytes, struct fault *why);

/* The same from a file; "-" is standard input. Also what open() and read() return. It waits for
 * the disk. */
int script_load(struct script **out, const char *path, struct fault *why);

/* NULL is allowed. */
void script_free(struct script *script);
