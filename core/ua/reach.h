/*
 * By what address an account is to be reached: our own, or, behind a NAT, the one from which its
 * registrar sees us, which stands in the Via of each answer (RFC 3261, section 18.2.1; RFC 3581).
 * The registration owns it. A plain value, on the agent's thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/text.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"

#include <stdbool.h>

/* All zero: nothing is known. */
struct reach {
	bool fixed; /* the Contact has our own address, whatever the registrar sees */
	/* What follows is so for a way that begins here, and for no other. */
	struct sip_flow way;
	struct addr seen;   /* from where the last request came; ADDR_NONE: not known */
	struct addr public; /* what the Contact has in our own's place; ADDR_NONE: that itself */
	struct addr stale;  /* of a Contact that stands and is of no use any more; or ADDR_NONE */
};

/* A request is about to go by flow: what was learned of another way is forgotten. */
void reach_go(struct reach *reach, const struct sip_flow *flow);

/* Takes from an answer to it where the far end has seen us. */
void reach_learn(struct reach *reach, const struct sip_msg *response);

/*
 * Whether the Contact should have another address than it has. Of TCP and TLS the port of a
 * connection is no place to be called at, so that it does not matter as long as the host is ours.
 */
bool reach_differs(const struct reach *reach);

/* The Contact has that address from now on. replaced: the registrar will not keep the one before
 * beside it; else that is stale. */
void reach_rewrite(struct reach *reach, bool replaced);

/* Never mind: the Contact has our own address, and keeps it. */
void reach_fix(struct reach *reach);

/* The far end has told in another way where it sees us. False: nobody can be there. */
bool reach_see(struct reach *reach, const struct addr *seen);

/* Whether flow begins where it does of which all this was learned. */
bool reach_is_by(const struct reach *reach, const struct sip_flow *flow);

/* Whether a NAT is between us and the far end, for all that is known. */
bool reach_is_natted(const struct reach *reach);

/* The URI of our Contact by flow, without parameters; of the stale one, which there has to be. */
void reach_print(struct text *out, const struct reach *reach, const struct sip_flow *flow,
	struct slice user);
void reach_print_stale(struct text *out, const struct reach *reach, const struct sip_flow *flow,
	struct slice user);
