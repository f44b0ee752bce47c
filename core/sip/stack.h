/*
 * The SIP stack of one agent: its transports, its transactions and the calls that requests belong
 * to. It runs on its loop's thread. Whoever made it owns it, and frees every sip_invite and
 * sip_request first; transactions that are still alive go with the stack.
 */
#pragma once

#include "core/sip/config.h"
#include "core/sip/flow.h"

struct sip_stack;

/* Copies config's strings. -ENOMEM. */
int sip_stack_new(struct sip_stack **out, const struct sip_stack_config *config);

/* Sends nothing. NULL is allowed. Not from within an event function. */
void sip_stack_free(struct sip_stack *stack);

/*
 * Whether an INVITE that we refused has no ACK yet: the refusal may have been lost, and goes again
 * as long as the stack is there (section 17.2.1).
 */
bool sip_stack_owes(const struct sip_stack *stack);

/*
 * Listens on local; port 0 picks one. out, if not NULL, is what it is bound to. Returns what
 * loop_udp_open() or loop_tcp_listen() does, or -ENOMEM.
 */
int sip_stack_listen(struct addr *out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *local);

/*
 * Addresses of this host have gone: connections from them are over, and requests that wait for a
 * response go once more, at once, so that it comes to where we are now (RFC 3581, section 4).
 */
void sip_stack_reroute(struct sip_stack *stack);
