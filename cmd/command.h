/*
 * The commands of the phone: one table, from which the prompt, -e, scripts and the control socket
 * run, complete and explain them. A command is one file in cmd/commands and one row here.
 *
 * A command runs on the agent's thread, at once; one whose end comes later says so and is then
 * shown each event until it knows. The queue (cmd/queue.h) owns what runs.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/ua/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMAND_ARGS_MAX = 4, COMMAND_EXAMPLES = 2 };

struct command_run;
struct desk;
struct handset;

/* How help is arranged. */
enum command_group {
	COMMAND_CALLS,
	COMMAND_AUDIO,
	COMMAND_PEOPLE,
	COMMAND_LOOKING,
	COMMAND_SCRIPTS,
	COMMAND_LEAVING,
	COMMAND_GROUPS,
};

/* What stands in an argument's place: how it is read, and how it is completed. */
enum command_kind {
	ARG_WORD,     /* as it is */
	ARG_TARGET,   /* whom to call: a URI or a contact's name */
	ARG_CALL,     /* "2" or "#2": a call's number */
	ARG_CODE,     /* 300 to 699 */
	ARG_COUNT,    /* 1 to 1000000 */
	ARG_DURATION, /* "5", "1.5s", "200ms", "2m" */
	ARG_DECIBELS, /* "+3", "-6.5" */
	ARG_CODEC,
	ARG_SOURCE, /* as --mic */
	ARG_FILE,
	ARG_SWITCH, /* "on", "off" */
	ARG_COMMAND,
	ARG_SETTING,
	ARG_REST, /* all that is left of the line, as it is */
};

struct command_arg {
	const char *name; /* "TARGET"; empty: an earlier one, in another place; NULL: no more */
	enum command_kind kind;
	bool optional;
};

enum command_state {
	COMMAND_DONE,
	COMMAND_FAILED,  /* command_fail() has said why */
	COMMAND_WAITING, /* for an event, or for command_finish() */
};

struct command {
	const char *name;
	const char *alias; /* a shorter name, or NULL */
	enum command_group group;
	/* In their order. One that is optional and whose kind does not fit the word is passed by:
	 * "answer 2", "reject 486", "reject #2 486". */
	struct command_arg args[COMMAND_ARGS_MAX];
	const char *help;                       /* a line of at most 48 columns */
	const char *about;                      /* lines: what it does, and what can go wrong */
	const char *examples[COMMAND_EXAMPLES]; /* whole lines that can be typed */
	enum command_state (*run)(struct command_run *run);
	/* Of one that waits: shown each event. */
	enum command_state (*event)(struct command_run *run, const struct ua_event *event);
	/* Of one that waits and keeps something (run->data): it is over, however. */
	void (*drop)(struct command_run *run);
	/* What the kinds of its arguments cannot tell: whether their values make sense. -EINVAL
	 * with words in why, and at is the place in the line; or NULL. Any thread. */
	int (*check)(const struct command_run *run, struct fault *why, size_t *at);
	uint64_t limit_ns; /* of one that waits: then it has failed; 0: none of its own */
};

/* An argument as it was read. */
struct command_value {
	bool given;
	size_t at;         /* where it begins in the line, in bytes */
	struct slice text; /* without quotes */
	unsigned number;   /* of CALL, CODE, COUNT; of SWITCH, 0 and 1 */
	double real;       /* of DECIBELS */
	uint64_t ns;       /* of DURATION */
};

/* One command that runs. The queue's; a command reads it, and writes what is said below. */
struct command_run {
	const struct command *command;
	const char *line; /* as it was typed */
	struct command_value values[COMMAND_ARGS_MAX];
	struct desk *desk;
	struct handset *handset; /* the phone that it is for */

	/* The command's. */
	unsigned call; /* that it waits for */
	void *data;

	/* By command_fail(). */
	int exit; /* enum verdict_code */
	size_t at;
	struct fault why;
	bool told; /* the command's: the events of a call tell the same to whoever reads them */
};

/* The table. NULL behind the last. */
const struct command *command_at(size_t i);

/* By name or alias, or by the only name that begins so. NULL if there is none. */
const struct command *command_find(struct slice name);

/* The nearest name, for "did you mean"; or NULL. */
const char *command_nearest(struct slice name);

/* Appends a line of what the command shows; text from outside has to be escaped by the caller. */
void command_say(struct command_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* It has failed: exit (enum verdict_code) and words tell. Returns COMMAND_FAILED. */
enum command_state command_fail(struct command_run *run, int exit, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of an argument: a caret is shown at it, offset bytes behind its beginning. */
enum command_state command_fail_at(struct command_run *run, size_t arg, size_t offset,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The keys of who typed are digits for call run->call from now on. False: there are no keys. */
bool command_use_keys(struct command_run *run);

/* Of one that waits: it is over, not from within its own functions. state: not WAITING. */
void command_finish(struct command_run *run, enum command_state state);
