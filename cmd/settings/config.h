/*
 * The configuration file: settings, which are options that a person does not want to type each
 * time, commands that run on events (cmd/readers/hooks.h), and contacts. One table has its
 * sections, one its settings. It is read before the threads start, and nobody changes it after
 * that: any thread.
 */
#pragma once

#include "cmd/settings/contacts.h"
#include "cmd/settings/options.h"
#include "core/ua/event.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	CONFIG_SIZE_MAX = 1 << 24, /* bytes of the file: tens of thousands of accounts */
	CONFIG_LINES_MAX = 1 << 18,
	CONFIG_LINE_MAX = 4096, /* bytes */
	CONFIG_HOOKS = UA_EVENT_KINDS + 1,
	CONFIG_ANY_EVENT = UA_EVENT_KINDS, /* the hook of each event */
	CONFIG_KEY_SIZE = 32,
};

struct config;
struct config_account;

/* Who is told of mistakes: a line, "FILE:LINE: words", without a newline; where the place is known,
 * two more below it, which begin with spaces and show it. */
struct config_reader {
	void (*tell)(void *arg, const char *line);
	void *arg;
	bool all; /* also what may be different in the next run: whether files and devices are there
		   */
};

/*
 * Reads the file at path; NULL: at its usual place, where it need not be. -EINVAL: what was told is
 * wrong with it; -ENOMEM.
 */
int config_read(struct config **out, const char *path, const struct config_reader *reader);

/* Reads text, which came from name. Errors as above. */
int config_parse(struct config **out, const char *name, struct slice text,
	const struct config_reader *reader);

/* NULL is allowed. */
void config_free(struct config *config);

/*
 * Gives options what the file says and the command line does not, as far as it has an effect on
 * what they ask for. options borrow from config.
 */
void config_apply(const struct config *config, struct options *options);

/* The [account NAME] behind before, in the order of the file; NULL: the first. NULL behind the
 * last.
 */
const struct config_account *config_account_next(
	const struct config *config, const struct config_account *before);
size_t config_accounts(const struct config *config);

/* A password stands there, and others than its owner may read the file. */
bool config_is_exposed(const struct config *config);

const struct contacts *config_contacts(const struct config *config);

/* The command for an event, by its kind or CONFIG_ANY_EVENT; NULL: none. */
const char *config_hook(const struct config *config, size_t kind);

/* The key of that hook, "on_call_ended"; NULL: there is none. */
const char *config_hook_key(char room[static CONFIG_KEY_SIZE], size_t kind);

/* Where it was read from, and what was found there. */
const char *config_name(const struct config *config);
bool config_is_there(const struct config *config);
size_t config_settings(const struct config *config); /* hooks included */
