/*
 * What one account answers to challenges (RFC 3261, section 22), and to whom. The account owns it,
 * and frees it after the stack whose requests it was handed to. On the stack's thread.
 *
 * A hash of a password can be tried offline against every word of a list, so it goes only where the
 * account says: to next hops that the account has named (sip_auth_trust()), for the one realm that
 * is known. A challenge that somebody else puts before a request of ours gets nothing.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"

struct loop;
struct secret;
struct sip_auth;

struct sip_auth_config {
	struct loop *loop;
	struct slice user;
	const struct secret *password; /* stays the caller's, who keeps it; NULL: there is none */
	struct slice realm;            /* empty: the first that a trusted hop names */
	bool allow_md5;
};

/* Copies the texts. -ENOMEM. */
int sip_auth_new(struct sip_auth **out, const struct sip_auth_config *config);

/* NULL is allowed. */
void sip_auth_free(struct sip_auth *auth);

/* The account names this next hop: its registrar or proxy, as it was located. */
void sip_auth_trust(struct sip_auth *auth, const struct sip_flow *flow);

/* Whether what goes by flow goes to such a hop. auth may be NULL. */
bool sip_auth_trusts(const struct sip_auth *auth, const struct sip_flow *flow);

/* The same for a connection that such a host has made to us, from whatever port. */
bool sip_auth_trusts_host(const struct sip_auth *auth, const struct sip_flow *flow);

/* Whether it is known for which realm the password is. auth may be NULL. */
bool sip_auth_has_realm(const struct sip_auth *auth);

/* A request that is to be answered for. */
struct sip_auth_request {
	enum sip_method method;
	struct slice uri;
	struct slice body;
};

enum { SIP_AUTH_WWW, SIP_AUTH_PROXY, SIP_AUTH_KINDS }; /* 401 and 407 */

/* What one request has gone through so far; all zero at first. */
struct sip_auth_course {
	bool carried[SIP_AUTH_KINDS];  /* the last time that it went, there were such credentials */
	bool answered[SIP_AUTH_KINDS]; /* they answer a challenge to this very request */
	bool renewed[SIP_AUTH_KINDS];  /* because the nonce was stale */
};

/*
 * Appends the lines Authorization and Proxy-Authorization, by what is known, each time with the
 * next count of its nonce; nothing if nothing is. The flow has to be trusted.
 */
void sip_auth_print(struct text *out, struct sip_auth *auth, const struct sip_auth_request *request,
	struct sip_auth_course *course);

/*
 * Takes a 401 or 407 that has come from a trusted hop. Returns whether it can be answered, by
 * sending the request again: at most once for each challenge, and once more if only the nonce was
 * too old. If it cannot, sip_auth_words() says why.
 */
bool sip_auth_challenge(struct sip_auth *auth, const struct sip_msg *response,
	const struct sip_auth_request *request, struct sip_auth_course *course);

/* Why the last challenge got no answer. */
const char *sip_auth_words(const struct sip_auth *auth);
