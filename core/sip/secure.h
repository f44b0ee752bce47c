/*
 * What a stack keeps for TLS and WebSocket, once something of it goes by these: whom it believes
 * and who it is, the names of those whom it calls, and why it could not. On the stack's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/loop.h"
#include "core/sip/flow.h"

struct sip_secure;
struct tls;

/* Makes sure that there can be TLS. What tls_new() returns, with its words. */
int sip_secure_need(struct sip_stack *stack, struct fault *why);

/* That there can be connections by kind: as sip_secure_need() or websocket_need(), with words. */
int sip_secure_need_for(struct sip_stack *stack, enum sip_transport_kind kind, struct fault *why);

/*
 * Makes sure that requests can go by kind, TLS or WebSocket, to addresses of that family: where
 * nobody listens for it (sip_stack_listen()), by a transport that nobody can connect to. As
 * sip_secure_need_for(), or -ENOMEM.
 */
int sip_secure_open(struct sip_stack *stack, enum sip_transport_kind kind, enum addr_family family,
	struct fault *why);

/* NULL is allowed. */
void sip_secure_free(struct sip_secure *secure);

/* Of a stack that has it; and whether it has a certificate by which others can connect to it. */
struct tls *sip_secure_tls(const struct sip_stack *stack);
bool sip_secure_serves(const struct sip_stack *stack);

/*
 * A number for the name that a far end is called by, and that its certificate has to bear: for
 * flow->host. Behind it a WebSocket's path may stand: "pbx.example.org/ws". The same name has the
 * same one, as long as it is known. 0: no memory.
 */
uint32_t sip_secure_host(struct sip_stack *stack, struct slice name);

/* NULL: there is none of that number any more; 1,024 others have been called since. */
const char *sip_secure_name(const struct sip_stack *stack, uint32_t host);

/*
 * Whether a connection to whom is called by host's name leads to whom other's names: they are the
 * same, or other says no path, and any will do.
 */
bool sip_secure_leads(const struct sip_stack *stack, uint32_t host, uint32_t other);

/* Keeps in mind why the newest connection did not come about, or ended; empty: for nothing that
 * needs words. */
void sip_secure_note(struct sip_stack *stack, const struct sip_flow *flow, const char *words);
