/*
 * A script that runs: its lines in their order, on the phones of a desk, to the end or to the first
 * that fails. Then the report is written; hanging up is for whoever runs the desk. On the agents'
 * thread.
 */
#pragma once

#include "cmd/desk.h"
#include "cmd/script/script.h"
#include "cmd/settings/options.h"

struct accounts;
struct media_tap;
struct script_run;
struct terminal;

struct script_run_config {
	const struct script *script;
	const struct options *options;
	struct desk *desk; /* without phones */
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices; /* of sound; NULL: PortAudio's */
	const struct media_tap *tap;        /* see ua_config */
	const struct accounts *accounts;    /* that its phones may be; NULL: none */
	struct terminal *terminal;
	/* It is over, and the report is written: its exit code (enum verdict_code). Once. Not
	 * before script_run_new() has returned. */
	void (*over)(void *arg, int exit);
	void *arg;
};

/* Begins. What config points to is kept alive by the caller. -ENOMEM. */
int script_run_new(struct script_run **out, const struct script_run_config *config);

/* It is cut short, by what words say, with that exit code. Once it is over it does nothing, as
 * below. */
void script_run_break(struct script_run *run, int exit, const char *words);

/* As if its last line had been taken. */
void script_run_quit(struct script_run *run);

/* All calls have ended: shows how it went, and lets go of the desk. */
void script_run_end(struct script_run *run);

/* After the desk was freed. NULL is allowed. */
void script_run_free(struct script_run *run);
