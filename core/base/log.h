/*
 * The log: what a developer or an admin may want to know about the inside. Where the lines go, the
 * program decides once, at its start; library code never prints. Any thread.
 */
#pragma once

#include <stdbool.h>

enum log_level {
	LOG_ERROR,   /* we are broken */
	LOG_WARNING, /* something outside is, and we go on */
	LOG_INFO,    /* what happened, a line a step of a call */
	LOG_DEBUG,   /* each message and decision */
};

/* line: without a newline, good during the call only, harmless on a terminal. Called by any thread.
 */
typedef void log_sink(void *arg, enum log_level level, const char *line);

/* Lines up to level go to sink; none without one. Set before a second thread starts. */
void log_open(enum log_level level, log_sink *sink, void *arg);

/* Whether a line of that level would be seen, for those that are dear to make. */
bool log_wanted(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
