/*
 * What the command line and the configuration come to together. Before the threads run; what is
 * wrong is said on standard error.
 */
#pragma once

#include "cmd/settings/config.h"
#include "cmd/settings/options.h"

/*
 * Reads the configuration that options ask for, fills what the command line leaves open, and puts a
 * contact's address in the place of its name. options borrow from out, which config_free() frees.
 * Returns VERDICT_DONE, or the exit code, with out NULL.
 */
int settle(struct config **out, struct options *options);

/* For --check-config: reads it, tells all that is wrong with it, or what it holds. The exit code.
 */
int settle_check(const struct options *options);
