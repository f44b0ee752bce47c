/*
 * How a run of commands went, point by point: for people, as TAP (version 13) and as JUnit's XML. A
 * point is a command or an expectation that has ended. One thread at a time.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct report;

struct report_config {
	const char *name; /* of the script, as people see it */
	const char *tap;  /* a path, "-" for standard output, or NULL: not wanted */
	const char *junit;
};

struct report_point {
	unsigned line;    /* of the script */
	const char *text; /* as it stands there */
	bool ok;
	const char *words; /* what was got instead; NULL if it is ok */
	struct slice more; /* whole lines that go with it, or empty */
	uint64_t ns;       /* how long it took */
};

/* Copies config. -ENOMEM. */
int report_new(struct report **out, const struct report_config *config);

/* NULL is allowed. */
void report_free(struct report *report);

/* Copies point; text and words are from outside. Without memory, the end tells. */
void report_add(struct report *report, const struct report_point *point);

/* The run was cut short: words say by what. */
void report_broken(struct report *report, const char *words);

size_t report_points(const struct report *report);
size_t report_failed(const struct report *report);

/*
 * Writes the files, whole or not at all: each beside its place and then moved there. What goes to
 * standard output is got from report_tap() and report_junit(). wall_ns: when it began; ns: how long
 * it took. Returns the error of the first that could not be written, with words in why.
 */
int report_write(struct report *report, uint64_t wall_ns, uint64_t ns, struct fault *why);

/* The whole text, for the caller to free(); NULL: no memory. */
char *report_tap(const struct report *report, size_t *len);
char *report_junit(const struct report *report, uint64_t wall_ns, uint64_t ns, size_t *len);
