/*
 * What the files of cmd/phone share, and with nobody else: phone.c makes it and ends it,
 * phone_start.c is what it begins with.
 */
#pragma once

#include "cmd/control/daemon.h"
#include "cmd/desk.h"
#include "cmd/phone.h"
#include "cmd/readers/verdict.h"
#include "cmd/settings/accounts.h"
#include "cmd/settings/setup.h"

struct phone {
	const struct options *options;
	const struct config *config;
	const struct script *script; /* NULL: none is run */
	struct loops *loops;
	struct loop *agent_loop; /* its own, as the next */
	struct loop *media_loop;
	struct terminal *terminal;
	struct typing *typing;
	struct prompt *prompt; /* NULL: this run has none */
	struct daemon daemon;
	struct post ready; /* to the main thread, behind all that it shall still print */

	/* From here on the agent thread's, until it has been stopped. */
	struct setup setup;
	struct accounts accounts;
	struct desk *desk;
	struct readers *readers;
	struct desk_watcher watcher;
	struct control *control;
	struct call_log *log; /* NULL: this run's calls are not remembered */
	struct inbox *inbox;  /* of errands */
	struct errands *errands;
	bool errands_over;
	struct console *console;
	struct script_run *script_run;
	struct verdict verdict;
	unsigned target; /* the call that options->target has asked for; 0: none */
	unsigned ended;
	unsigned signals;
	int last_signal;
	uint64_t last_signal_ns;
	unsigned live; /* calls that have begun and not ended */
	bool closing;
	struct look *look; /* whether there are sound devices */
	struct post start;
	struct post close;
	struct post finish;
	struct timer linger;
	struct timer patience;
	uint64_t written;
	unsigned ticks;
};

/* Begins what the options ask for; the post is start. On the agents' thread, as all here. */
void phone_start(struct post *post);

/* Once: everything that is left is hung up, then it is over. */
void phone_close(struct phone *self);

/* It is over, by what words say, with that exit code. */
void phone_fail(struct phone *self, int code, const char *words);
