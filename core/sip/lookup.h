/*
 * A question to the name service whose answer the stack keeps for as long as it holds (RFC 1035,
 * section 3.2.1): who sends many requests to one place asks once. On the stack's thread.
 */
#pragma once

#include "core/base/loop.h"

struct sip_stack;

/* Part of what wants to know; whoever started it stops it. */
struct sip_lookup {
	struct sip_stack *stack;
	enum dns_type type;
	char name[DNS_NAME_SIZE];
	int err;                 /* why nobody could be asked */
	struct resolve *resolve; /* NULL: nobody is asked */
	struct timer soon;       /* tells what is known already */
	resolve_done *done;
	void *arg;
};

enum {
	SIP_LOOKUP_KEPT_MAX = 64,  /* answers of a stack */
	SIP_LOOKUP_NOTHING_S = 30, /* for how long it is believed that a domain has no servers */
};

/* done is called as by loop_resolve(). name is copied; one that is too long does not exist. */
void sip_lookup_start(struct sip_lookup *lookup, struct sip_stack *stack, enum dns_type type,
	const char *name, resolve_done *done, void *arg);

/* done will not be called. Harmless after it was, and where all is zero. */
void sip_lookup_stop(struct sip_lookup *lookup);

/* For the stack: forgets all answers. */
void sip_lookup_forget_all(struct sip_stack *stack);
