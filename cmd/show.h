/*
 * What the program says before there is a call, or instead of one: what it was asked for, and what
 * is wrong with how it was asked. Before the threads run and after they have ended.
 */
#pragma once

#include "cmd/settings/config.h"
#include "core/base/bytes.h"

/* Lines for standard error, as they are. */
void show_lines(struct slice lines);

/* "sipcall: words" on standard error. Returns code. */
int show_complaint(int code, const char *words);

/* Each answers on standard output, and returns the exit code. */
int show_help(void (*help)(struct text *out)); /* one of cmd/settings/options.h */
int show_version(void);
int show_codecs(void);
int show_devices(void);
int show_config(const struct config *config);

/* That a script is right: its name, and how many lines it has. */
int show_checked(const char *name, size_t lines);
