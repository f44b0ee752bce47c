/*
 * Somebody whom a server knows: an address, a registration, credentials, and the way that calls
 * take. The agent owns it, and frees it after its stack. On the agent's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/list.h"
#include "core/base/table.h"
#include "core/sip/uri.h"
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

/* Where names alone are: the host of its address, with the port if it has one. */
struct slice account_domain(const struct account *account);

/*
 * The way of a request for target: the URI of the next hop that is to be located, which is the
 * account's own (sip_auth_trust()); NULL: target itself, and no credentials go there. Good as long
 * as the registration stays as it is.
 */
const char *account_hop(const struct account *account, const struct sip_uri *target);

/* The Route lines that go with that. */
void account_print_routes(struct text *out, const struct account *account);

/* Those of an agent, which it owns. */
struct account_list {
	struct list all; /* in the order in which they came; account_of() */
	struct table by_user;
};

/* -ENOMEM. */
int account_list_init(struct account_list *list);

void account_list_add(struct account_list *list, struct account *account);

/* Frees them all. */
void account_list_close(struct account_list *list);

/* The URI to which a call came by flow is one of these accounts, or NULL. */
struct account *account_find(
	const struct account_list *list, const struct sip_uri *uri, const struct sip_flow *flow);

/* Whether requests of account, or of nobody (NULL), do not tell who sends them; by default it says
 * so itself. */
bool account_is_anonymous(const struct account *account, enum ua_anonymous anonymous);

/* The one that calls, or NULL. */
struct account *account_first(const struct account_list *list);

/* Ends what still goes on, without a word; before the stack is freed. NULL is allowed. */
void account_silence(struct account *account);

/* NULL is allowed. */
void account_free(struct account *account);

/* By its place in the list of all. */
struct account *account_of(struct list *link);
