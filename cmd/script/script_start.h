/*
 * From the name of a script to one that can be run, or to words about all that is wrong with it.
 * Main thread, before the others start; it reads from the disk.
 */
#pragma once

#include "cmd/script/script.h"
#include "cmd/settings/options.h"

/*
 * Loads and checks the script of options. Returns 0, or the exit code, with what is wrong on
 * standard error; out is NULL then, and with --check, which is answered on standard output.
 */
int script_start(struct script **out, const struct options *options);
