/*
 * The accounts of a run: those of the command line and the configuration, with their passwords.
 * Whoever makes them keeps them as long as a phone has them. Made before the threads start.
 */
#pragma once

#include "cmd/settings/config.h"
#include "cmd/settings/instance.h"
#include "cmd/settings/options.h"
#include "core/base/fault.h"
#include "core/ua/config.h"

struct accounts_one {
	struct ua_account settings;
	struct secret *secret; /* the password, if it is not the configuration's; or NULL */
	const char *command;   /* that prints it, or NULL */
	bool no_outbound;
};

struct accounts {
	struct accounts_one *all; /* the first is that of outgoing calls */
	size_t count;
	struct instance instance; /* of all that register */
	struct secret *variable;  /* what SIPCALL_PASSWORD had, or NULL */
};

/*
 * Reads passwords, too: SIPCALL_PASSWORD is taken out of the environment. What options say of an
 * and config say of an account is borrowed. -EINVAL, -EINTR (a person has had enough), -ENOMEM,
 * with words in why, and nothing is kept.
 */
int accounts_make(struct accounts *out, const struct options *options, const struct config *config,
	struct fault *why);

/*
 * Of a script's, that of a phone with these options; no program is run for it and nobody is asked.
 * -ENOENT: it wants none; -EINVAL with words in why.
 */
int accounts_pick(struct ua_account *out, const struct accounts *accounts,
	const struct options *options, struct fault *why);

/* Wipes the passwords, and gives the instance back. Only after accounts_make(). */
void accounts_wipe(struct accounts *accounts);
