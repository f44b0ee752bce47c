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

struct dialplan;
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
	ACCOUNT_TRANSPORT,
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
	bool own_contact;
	bool no_outbound;
	bool no_gruu;
	uint32_t keep_alive_s; /* as that of ua_account */
	bool anonymous;
	struct dialplan *dial; /* NULL: nothing is said of it */
	unsigned given;        /* a bit for each key */
	size_t wrong_at;       /* of the value that was read last; SIZE_MAX: all of it */
};

/* -ENOMEM. */
int config_account_new(struct config_account **out, struct slice name, size_t line);

void config_account_free(struct config_account *account);

/*
 * -EINVAL with words in why, and at, the byte of value that is to blame, SIZE_MAX: all of it;
 * -EEXIST: it was given before; -ENOENT: there is no such key; -ENOMEM.
 */
int config_account_set(struct config_account *account, const char *key, struct slice value,
	struct fault *why, size_t *at);

/* Whether all is there. -EINVAL with words. */
int config_account_check(const struct config_account *account, struct fault *why);

/* The i-th key, or NULL. */
const char *config_account_key(const void *arg, size_t i);
enum { CONFIG_ACCOUNT_KEYS = ACCOUNT_TEXTS + 12 };
