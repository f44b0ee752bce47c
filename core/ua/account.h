/*
 * Somebody whom a server knows: an address, a registration, credentials, and the way that calls
 * take. The agent owns it, and frees it after its stack. On the agent's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/list.h"
#include "core/ua/config.h"
#include "core/ua/registration.h"

struct account;

struct account_config {
	struct loop *loop;
	struct sip_stack *stack;
	void (*need)(void *arg, enum sip_transport_kind kind);
	/* What becomes of its registration; whoever is told may do anything but free it. */
	void (*told)(void *arg, struct account *account, const struct registration_news *news);
	void *arg;
};

enum { ACCOUNT_EXPIRES_S = 3600 };

/* Copies all texts, but not the password. -EINVAL with words in why; -ENOMEM. */
int account_new(struct account **out, const struct account_config *config,
	const struct ua_account *account, struct fault *why);

/* As it was told, with all that was left open. */
const struct ua_account *account_settings(const struct account *account);
struct sip_auth *account_auth(const struct account *account);
struct registration *account_registration(const struct account *account);

/* Ends what still goes on, without a word; before the stack is freed. NULL is allowed. */
void account_silence(struct account *account);

/* NULL is allowed. */
void account_free(struct account *account);

/* Its place in the agent's list. */
struct list *account_link(struct account *account);
struct account *account_of(struct list *link);
