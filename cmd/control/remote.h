/*
 * --remote: gives commands to a phone that runs, by its control socket, and shows what comes of
 * them. There is no phone in this process, and all is on the main thread.
 */
#pragma once

#include "core/base/fault.h"

struct options;

/*
 * Runs until the commands of options (or, without any, the lines of standard input) have ended, one
 * of them has failed, or the phone has gone. exit_code is what that is worth. Returns a negative
 * error code, with words, if it cannot even begin.
 */
int remote_run(int *exit_code, const struct options *options, struct fault *why);
