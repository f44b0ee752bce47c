/*
 * One run of the program: the three threads (this one is the terminal's), the agent, its readers,
 * signals, and when all of it is over.
 */
#pragma once

#include "cmd/settings/config.h"
#include "cmd/settings/options.h"
#include "core/base/fault.h"

struct script;

/*
 * Calls or waits, until there is nothing left to do; on the main thread. options have passed
 * check_options(); config has the hooks; script:
 * what it is about with OPTIONS_SCRIPT, else NULL. The exit code goes to exit_code. Returns an
 * error, with words in why, if it could not even start.
 */
int phone_run(int *exit_code, const struct options *options, const struct config *config,
	const struct script *script, struct fault *why);
