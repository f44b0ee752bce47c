/*
 * An [account NAME] of the configuration: somebody whom a server knows. Plain values that the
 * configuration owns; what it says of passwords is kept apart and wiped (core/base/secret.h).
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/list.h"
#include "core/base/table.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct secret;

enum config_account_text {
	ACCOUNT_ADDRESS, /* all that but the first may be NULL */
	ACCOUNT_DISPLAY,
	ACCOUNT_REGISTRAR,
	ACCOUNT_PROXY,
	ACCOUNT_AUTH_USER,
	ACCOUNT_REALM,
	ACCOUNT_PASSWORD_COMMAND,
	ACCOUNT_IDENTITY,
	ACCOUNT_TEXTS,
};

struct config_account {
	struct list link;
	struct table_node by_name;
	size_t line; /* of the section */
	char *name;
	char *texts[ACCOUNT_TEXTS];
	struct secret *password; /* NULL: there is none */
	uint32_t expires_s;      /* 0: not said */
	bool no_register;
	bool no_md5;
	bool anonymous;
	unsigned given; /* a bit for each key */
};

/* -ENOMEM. */
int config_account_new(struct config_account **out, struct slice name, size_t line);

void config_account_free(struct config_account *account);

/* -EINVAL with words in why; -EEXIST: it was given before; -ENOENT: there is no such key; -ENOMEM.
 */
int config_account_set(
	struct config_account *account, const char *key, struct slice value, struct fault *why);

/* Whether all is there. -EINVAL with words. */
int config_account_check(const struct config_account *account, struct fault *why);

/* The i-th key, or NULL. */
const char *config_account_key(const void *arg, size_t i);
enum { CONFIG_ACCOUNT_KEYS = ACCOUNT_TEXTS + 5 };
