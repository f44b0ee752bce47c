/*
 * Telling a registrar where an account is to be reached (RFC 3261, section 10), and keeping it
 * told: refreshed before it expires, tried again after a failure by the back-off of RFC 5626,
 * section 4.5, withdrawn at the end. The account owns it. On the agent's thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/sip/auth.h"
#include "core/sip/flow.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct registration;
struct sip_stack;
struct ua_account;

enum registration_kind {
	REGISTRATION_OK,     /* each time that the registrar confirms it */
	REGISTRATION_FAILED, /* it could not be had; with retry_s it goes on trying */
	REGISTRATION_LOST,   /* the same, after it was had */
	REGISTRATION_GONE,   /* it was withdrawn, as well as that could be done */
};

struct registration_news {
	enum registration_kind kind;
	uint16_t code;       /* of the response; 0: there was none */
	struct slice reason; /* the registrar's */
	const char *words;   /* ours, or NULL if code and reason say it all */
	uint32_t expires_s;  /* of OK */
	struct slice contact;
	uint32_t retry_s; /* of FAILED and LOST: in how many; 0: not until it is asked for */
};

struct registration_config {
	struct loop *loop;
	struct sip_stack *stack;
	const struct ua_account *account; /* kept alive by the caller */
	struct sip_auth *auth;
	/* Whatever it is goes by kind: there has to be something to send from. */
	void (*need)(void *arg, enum sip_transport_kind kind);
	/* The last thing that it does in each event; whoever is told may ask it for anything. */
	void (*told)(void *arg, const struct registration_news *news);
	void *arg;
};

/* Copies config. -ENOMEM. */
int registration_new(struct registration **out, const struct registration_config *config);

/* Registers now, or in so long; harmless while it is at it. told tells, never before this returns.
 */
void registration_start(struct registration *registration);
void registration_start_in(struct registration *registration, uint64_t delay_ns);

/*
 * Withdraws what stands, and tries no more. told says GONE, maybe before this returns, at the
 * latest after REGISTRATION_LEAVE_NS.
 */
#define REGISTRATION_LEAVE_NS (2 * NS_PER_S)
void registration_stop(struct registration *registration);

/*
 * The addresses or the routes of this host have changed. If the registrar would now be reached from
 * another address it is told in delay_ns that we are there, and no more at the old one (RFC 3261,
 * section 10.2.2). network: it is another network, so that who could not be reached may be, and is
 * not waited for any longer than that. told tells, never before this returns. Returns whether
 * delay_ns was needed: all the others have to be registered at the same time.
 */
bool registration_reroute(struct registration *registration, bool network, uint64_t delay_ns);

/* Whether it stands, as far as is known; whether anything goes on. */
bool registration_stands(const struct registration *registration);
bool registration_is_off(const struct registration *registration);

/*
 * Appends the URI of our Contact for a request or a response of the account's that goes by flow;
 * anonymous: which does not say whose it is. False, with nothing appended: there is nothing better
 * than our own address.
 */
bool registration_print_contact(struct text *out, const struct registration *registration,
	const struct sip_flow *flow, bool anonymous);

/*
 * Where the way by which it stands is one of flows, that comes first, with its connection (RFC
 * 5626, section 4.3).
 */
void registration_prefer(
	const struct registration *registration, struct sip_flow *flows, size_t count);

/* The Route lines that its proxies want of requests (RFC 3608), or empty. */
struct slice registration_routes(const struct registration *registration);

/* The URI of the first of them, or NULL. */
const char *registration_hop(const struct registration *registration);

/* Appends the Route line of the account's proxy, if it has one. */
void registration_print_proxy(struct text *out, const struct registration *registration);

/* Says nothing to anybody. NULL is allowed. */
void registration_free(struct registration *registration);
