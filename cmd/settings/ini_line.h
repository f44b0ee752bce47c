/*
 * One line of a file in the INI form, as inih understands it, which is loaded when there is a file.
 * Plain values: any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"

#include <ini.h>

/* inih. */
struct ini {
	int (*ini_parse_stream)(ini_reader reader, void *stream, ini_handler handler, void *user);
};

enum { INI_NAME_SIZE = 128 };

enum ini_kind {
	INI_NOTHING, /* empty, or a comment */
	INI_SECTION,
	INI_ENTRY,
};

struct ini_line {
	enum ini_kind kind;
	char name[INI_NAME_SIZE]; /* of the section or the entry */
	struct slice value;       /* of the entry, trimmed; within what was read */
};

/* ini was all zero. Errors as library_load(). */
int ini_load(struct ini *ini, struct fault *why);

/* line: without its newline, with no NUL in it. -EINVAL with words: it is none of these. */
int ini_line_read(
	struct ini_line *out, const struct ini *ini, struct slice line, struct fault *why);
