/*
 * What a command does that may take long (a disk, a sound library), on another thread, while the
 * phone goes on. Inside an object of the command's that begins with it and that it allocates; it is
 * freed once both the work and the command are over.
 */
#pragma once

#include "cmd/command.h"
#include "core/base/loop.h"

struct slow {
	struct work work;
	struct command_run *run; /* NULL: it was dropped meanwhile */
	/* On another thread: touches nothing but its own object. */
	void (*toil)(struct slow *slow);
	/* On the agents' thread, if the command still waits. */
	enum command_state (*done)(struct slow *slow, struct command_run *run);
	/* Before it is freed, however it ended; or NULL. */
	void (*clear)(struct slow *slow);
};

/* Begins, with toil, done and clear set; slow is the command's only until this returns. */
enum command_state slow_begin(struct slow *slow, struct command_run *run);

/* The drop function of such commands. */
void slow_drop(struct command_run *run);
