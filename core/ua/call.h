/*
 * One call from its beginning to its end: SIP, what was agreed on, and sound, brought together. The
 * agent owns it; it tells what happens by the agent's events and goes by itself after
 * UA_CALL_ENDED.
 */
#pragma once

#include "core/base/list.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"
#include "core/sip/server.h"
#include "core/ua/config.h"
#include "core/ua/target.h"

struct account_list;
struct call;

/* The calls of one agent, which owns the list, and what they all work with. */
struct call_list {
	const struct ua_config *config;
	struct sip_stack *stack;
	const struct account_list *accounts;
	struct list calls; /* of struct call, oldest first */
	unsigned count;
	unsigned live; /* of them, those that are not ending */
	unsigned last_number;
	void (*gone)(struct call_list *list); /* one has left */
	/* One is to be called by kind: there has to be something to send from. */
	void (*need)(struct call_list *list, enum sip_transport_kind kind);
};

/* Calls target, and tells by events how that goes. -ENOMEM. */
int call_out(struct call **out, struct call_list *list, const struct target *target);

/* Takes the INVITE msg, whose transaction is server, and does with it what the policy says. */
void call_in(struct call_list *list, struct sip_server *server, const struct sip_msg *msg);

/* Hangs up, gives up or refuses, whatever its state; harmless when it is ending. */
void call_hangup(struct call *call);

/* As agent_answer() and agent_reject(). -EALREADY, -ERANGE. */
int call_answer(struct call *call);
int call_reject(struct call *call, uint16_t code);

/* As agent_hold() and agent_resume(). -ENOTCONN, -EALREADY. */
int call_hold(struct call *call, bool hold);

/* As agent_codec(). -ENOTCONN, -EINVAL, -EALREADY. */
int call_turn(struct call *call, const struct codec *codec);

/* As agent_mute() and agent_volume(). -ENOTCONN, -ERANGE, -ENOMEM. */
int call_mute(struct call *call, bool muted);
int call_volume(struct call *call, double mic_db, double speaker_db);

/* As agent_play() and those that follow it. */
int call_play(struct call *call, const char *source);
int call_record(struct call *call, const char *pattern, struct fault *why);
int call_listen_in(struct call *call, const double *tones_hz, size_t count);

/* The addresses or the routes of this host have changed. */
void call_reroute(struct call *call);

unsigned call_number(const struct call *call);

/* The call whose link of the list that is. */
struct call *call_of(struct list *link);
