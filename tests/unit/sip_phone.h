/*
 * A SIP user agent for tests: a stack, at most one call, and a log of what its events said, as
 * words. What it does by itself is set in its fields. Two of them and a third host of plain bytes
 * make a pair.
 */
#pragma once

#include "core/sip/invite.h"
#include "core/sip/stack.h"
#include "tests/unit/sip_world.h"

enum phone_event {
	PHONE_PROVISIONAL,
	PHONE_ANSWERED,
	PHONE_CONFIRMED,
	PHONE_CHANGE,
	PHONE_CHANGED,
	PHONE_UNCHANGED,
	PHONE_RETRY,
	PHONE_ENDED,
	PHONE_EVENTS
};

enum phone_action { PHONE_NOTHING, PHONE_HANGUP, PHONE_FREE, PHONE_HANGUP_AND_FREE, PHONE_OFFER };

struct phone {
	struct loop *loop;
	struct sip_stack *stack;
	struct addr addr;
	struct sip_invite *invite;
	enum phone_action action[PHONE_EVENTS]; /* what to do inside an event function */
	uint16_t ring;                          /* when called */
	bool accept;                            /* at once */
	bool forget;                            /* frees the call at once */
	bool unkept;                            /* its calls' ways are not kept open */
	bool late;                              /* calls without an offer */
	struct sip_auth *auth;                  /* of its calls, or NULL */
	const char *routes;                     /* lines of its INVITE, or NULL */
	const char *in_ack;                     /* its answer in the ACK; NULL: none */
	uint16_t refuse;                        /* a change of the far end; 0: takes it */
	const char *change_lines;               /* headers of the response to that */
	bool persist;                           /* offers its change again on retry */
	bool untaken;                           /* leaves INVITE to the test, in server */
	uint16_t reply;                         /* to other requests; 0: never */
	struct sip_server *server;
	char log[1024];
	struct sip_invite_end end; /* without msg and reason */
	size_t incoming;           /* calls */
	size_t ended;
};

/* Returns 0, or what the stack's makers return; there is no phone then. */
int phone_open(struct phone *phone, struct loop *loop, const char *address_and_port);
void phone_close(struct phone *phone);

int phone_call(struct phone *phone, const struct phone *to);
void phone_accept(struct phone *phone);
void phone_hangup(struct phone *phone);

/* Offers another session; what sip_invite_change() returns. */
int phone_change(struct phone *phone);

/* From here on it takes UPDATE, too. */
void phone_allow_update(struct phone *phone);

/* Whether nothing lives in its stack any more. */
bool phone_is_idle(const struct phone *phone);

struct pair {
	struct world world;
	struct phone a, b;
	struct loop *c; /* a third host, 192.0.2.3 */

	/* What the network does to the datagrams of that beginning and content; NULL: any. */
	const char *start, *content;
	size_t skip;        /* lets that many through first */
	size_t drop, twice; /* how many of the next ones */
	uint64_t delay_ns;  /* of all */
};

/* a is 192.0.2.1:5060, b 192.0.2.2:5060. */
void pair_open(struct pair *pair);

/* Ends everything, and fails if something was left over after a while. */
void pair_close(struct pair *pair);

/* a calls b, b answers, ACK arrives. Forgets what was sent for that. */
void pair_talk(struct pair *pair);

/* a calls b, whatever b does. */
void pair_call(struct pair *pair);

void pair_run_ms(struct pair *pair, uint64_t ms);

/* Fails unless the logs of a and b are these. */
void pair_expect_logs(const struct pair *pair, const char *a, const char *b);

/* Fails unless these are the names of all datagrams sent, in order: "INVITE 180 200 ACK". */
void pair_expect_sent(const struct pair *pair, const char *names);

/* How many datagrams were sent that begin so. */
size_t pair_count(const struct pair *pair, const char *start);

/* The n-th that begins so and was sent; fails if there is none. */
const struct world_sent *pair_sent(const struct pair *pair, const char *start, size_t n);

/* Fails if text does not match pattern, in which * stands for anything on one line. */
void assert_match(const char *text, const char *pattern);
