/*
 * A phone of a script: its configuration, its place on the desk, and what its network does. Whoever
 * makes one owns it. On the agents' thread.
 */
#pragma once

#include "cmd/desk.h"
#include "cmd/script/script_step.h"
#include "cmd/settings/accounts.h"

struct script_phone;

struct script_phone_config {
	struct desk *desk;
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices; /* of sound; NULL: PortAudio's */
	const struct media_tap *tap;        /* see ua_config */
	const struct accounts *accounts;    /* that it may be; NULL: none */
	bool has_net;  /* its network may do something: see script_phone_impair() */
	uint64_t seed; /* of that */
	/* Lines that tell what goes wrong here, and what happens at all if verbose; or NULL. */
	void (*show)(void *arg, struct slice lines);
	bool verbose;
	void *arg;
};

/*
 * Puts a phone on the desk and has it listen. step: a PHONE, or NULL for the only one, which is as
 * defaults say; it becomes the phone's, also on error. Fails as desk_add() and agent_listen() do,
 * with words in why.
 */
int script_phone_new(struct script_phone **out, const struct script_phone_config *config,
	struct step *step, const struct options *defaults, struct fault *why);

/* What its network does from now on, if it has one. -ENOMEM. */
int script_phone_impair(struct script_phone *phone, const struct net_change *change);

/* Appends what its network has done, a line for each way in which it was to do something; with all
 * its calls over. */
void script_phone_put_net(struct text *out, const struct script_phone *phone);

/* Before the desk goes: it looks on no more. */
void script_phone_detach(struct script_phone *phone);

/* After the desk, with no other thread left. NULL is allowed. */
void script_phone_free(struct script_phone *phone);

struct handset *script_phone_handset(const struct script_phone *phone);

/* Where it listens first. */
const struct addr *script_phone_address(const struct script_phone *phone);

/* Appends what SIP has said lately, a line a message, as it stands under a failure. */
void script_phone_put_last(struct text *out, const struct script_phone *phone);
