/*
 * What the files of cmd/settings/config share among each other, and with nobody else.
 */
#pragma once

#include "cmd/settings/config.h"
#include "cmd/settings/config_account.h"
#include "core/base/list.h"
#include "core/base/table.h"

struct config {
	char *name;
	bool is_there;
	struct list values; /* of struct config_value */
	size_t count;       /* of them and the hooks */
	char *hooks[CONFIG_HOOKS];
	struct contacts *contacts;
	struct list accounts; /* of struct config_account */
	struct table by_name; /* the same */
	bool open;            /* others may read the file */
};

/* An option that is a setting as well. */
struct config_key {
	const char *key; /* the option's name with _ in place of -; of --stun: stun_server */
	/* What its reader leaves for later; NULL: nothing. all: see struct config_reader. */
	int (*check)(const char *value, bool all, struct fault *why);
	/* Whether it has an effect on what options ask for; NULL: always. */
	bool (*applies)(const struct options *options);
	bool repeats;
	bool path; /* or "file:" and a path: ~/ at its beginning is the person's home */
};

/* As it was read. */
struct config_value {
	struct list link;
	const struct config_key *setting;
	char *value;
};

/* Row i, or NULL behind the last. */
const struct config_key *config_key_at(size_t i);

/*
 * Whether value, of that setting, is what it may be. scratch: what the values before it came to;
 * value stays alive as long as it. -EINVAL with words, that begin with the key.
 */
int config_key_check(const struct config_key *setting, const char *value, bool all,
	struct options *scratch, struct fault *why);

/* A copy of value as the program uses it; NULL if there is no memory. */
char *config_key_copy(const struct config_key *setting, struct slice value);

/* The list of struct config_value that hold; see config_apply(). */
void config_values_apply(const struct list *values, struct options *options);

/* One of that name, with nothing in it. -ENOMEM. */
int config_new(struct config **out, const char *name);
