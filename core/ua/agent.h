/*
 * A phone: one SIP user agent with its calls. It runs on its loop's thread and tells what happens
 * by events; its media runs on another loop. Whoever makes it keeps both loops and all that config
 * points to alive until it is freed.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/sip/flow.h"
#include "core/ua/config.h"

#include <stdbool.h>

struct agent;

/* What to do when the agent has nothing left to end. */
typedef void agent_closed(void *arg);

/* Copies config itself, not what it points to. -ENOMEM. */
int agent_new(struct agent **out, const struct ua_config *config);

/*
 * Calls that begin from now on are as config tells, but for its loops, event and arg, which stay;
 * what the old one points to is still of use to calls that go on. Of policy, all takes effect at
 * once.
 */
void agent_configure(struct agent *agent, const struct ua_config *config);

/* With all calls ended (agent_close()), or none ever made, and no account started. NULL is allowed.
 */
void agent_free(struct agent *agent);

/*
 * Listens for SIP by kind; the event UA_LISTENING tells where. With fallback, a free port is taken
 * if that one is in use. Fails as loop_udp_open() does, with words in why.
 */
int agent_listen(struct agent *agent, enum sip_transport_kind kind, const struct addr *local,
	bool fallback, struct fault *why);

/*
 * The same by UDP and TCP on one port: local's, or, if that is 0 or taken by either, a free one.
 * Without TCP, which costs only long messages, it goes on.
 */
int agent_listen_both(struct agent *agent, const struct addr *local, struct fault *why);

/*
 * Calls target, in any form that people type: "sip:bob@host:5080", "bob@host", "<sip:...>", and,
 * where there is an account, "bob", who is one of its domain; the first account calls. The
 * call's number goes to out. -EINVAL if it cannot be parsed: why has the words and at the place in
 * target, in bytes. -ESHUTDOWN: the agent closes. Everything after that is told by events.
 */
int agent_call(
	unsigned *out, struct agent *agent, const char *target, struct fault *why, size_t *at);

/* Checks a target without calling it; returns as agent_call() does, of an agent with an account or
 * without one. Any thread. */
int agent_check_target(const char *target, bool account, struct fault *why, size_t *at);

/*
 * What a target becomes, as agent_call() would call it: its URI to out, and the rule of the account
 * that made it of a number to rule, or NULL; both good as long as the account is. Errors as above.
 */
int agent_dial(struct text *out, const char **rule, struct agent *agent, const char *typed,
	struct fault *why, size_t *at);

/* Whether target is a telephone number, which an account has to dial. Any thread. */
bool agent_is_number(struct slice target);

/* What came of a ping; good during the call only. Text is raw, as in events. */
struct agent_pong {
	uint16_t code; /* of the response; 0: there was none, and words say why */
	struct slice reason;
	double rtt_ms;         /* from the sending to the response, connecting included */
	struct addr address;   /* where it went last; ADDR_NONE: nowhere */
	const char *transport; /* "udp", "tcp" */
	struct slice user_agent;
	struct slice allow; /* "INVITE, ACK, BYE": one list, or empty */
	const char *words;  /* NULL: there was a response */
};
typedef void agent_pinged(void *arg, const struct agent_pong *pong);

/*
 * Asks target, in any form as agent_call() has it, what it can do (OPTIONS, RFC 3261, section 11);
 * each address that it leads to is tried in turn. done is called once, never before this returns:
 * with the response, whatever its code; or when nothing came, which takes 4 s an address and 32 s
 * the last; or when the agent closes; but not after agent_ping_cancel(). Errors as agent_call(),
 * and -ESHUTDOWN: the agent closes.
 */
int agent_ping(struct agent *agent, const char *target, agent_pinged *done, void *arg,
	struct fault *why, size_t *at);

/* Forgets all that were asked for with arg; harmless if there are none. */
void agent_ping_cancel(struct agent *agent, const void *arg);

/* Hangs up, cancels or refuses. -ENOENT if there is no such call. */
int agent_hangup(struct agent *agent, unsigned call);

/*
 * Answers an incoming call that rings, or is about to: within UA_CALL_INCOMING, too;
 * UA_CALL_ANSWERED or UA_CALL_ENDED tells what became of that. -ENOENT: there is no such call;
 * -EALREADY: it waits for no answer.
 */
int agent_answer(struct agent *agent, unsigned call);

/* Refuses such a call with code, 300..699, else -ERANGE. Other errors as agent_answer(). */
int agent_reject(struct agent *agent, unsigned call, uint16_t code);

/*
 * Asks the far end to be quiet, or to go on; UA_CALL_HELD and UA_CALL_RESUMED tell when it is so.
 * -EALREADY: it is so, and nothing else is under way: that is not told again. -ENOENT: there is no
 * such call; -ENOTCONN: it is not answered.
 */
int agent_hold(struct agent *agent, unsigned call);
int agent_resume(struct agent *agent, unsigned call);

/*
 * Asks the far end to talk by codec, one of the agent's, and by no other, from now on (RFC 3264,
 * section 8.3): UA_CALL_MEDIA tells when it is so, UA_ERROR if it is refused. -ENOENT: there is no
 * such call; -ENOTCONN: it is not answered; -EINVAL: it is none of the agent's; -EALREADY: they
 * talk by it.
 */
int agent_codec(struct agent *agent, unsigned call, const struct codec *codec);

/*
 * Sends silence, or the microphone again; UA_CALL_MUTED tells. Harmless if it is so already. At any
 * time of a call. -ENOENT: there is no such call; -ENOTCONN: it is ending; -ENOMEM.
 */
int agent_mute(struct agent *agent, unsigned call, bool muted);

/*
 * How much louder (> 0) or quieter what is sent and what is played is made, in dB: GAIN_MIN_DB to
 * GAIN_MAX_DB (audio/gain.h), else -ERANGE. Other errors as agent_mute().
 */
int agent_volume(struct agent *agent, unsigned call, double mic_db, double speaker_db);

/*
 * Sends source, as audio/open.h spells it, in the place of the microphone, which comes back when it
 * ends; NULL: now. UA_CALL_PLAYED tells once for each that it is over: that all of it was sent
 * (what is sent is heard a little later), that the call or another one has ended it, or, in words,
 * why it could not be played. One that another follows is told within this. -ENOENT: there is no
 * such call; -ENOTCONN: it has no sound yet, or no more; -ENOMEM.
 */
int agent_play(struct agent *agent, unsigned call, const char *source);

/*
 * Records the call, both sides, from now on, as ua_config.record does from its start, into the file
 * that pattern names; NULL: no more, however it began. UA_CALL_RECORDING tells when it is so, or,
 * in words, why the file could not be made. Errors as agent_play(); -EALREADY: it is recorded
 * already, or is not; -EINVAL, -ENAMETOOLONG: the pattern makes no name. Words in why.
 */
int agent_record(struct agent *agent, unsigned call, const char *pattern, struct fault *why);

/*
 * Listens for these tones in what the far end sends, for no others, and changes nothing; count 0:
 * no more. UA_CALL_TONE tells of each that lasts 100 ms or longer, and again when it is over, but
 * not where the call ends first. -ENOENT: there is no such call; -EINVAL: more than EAR_TONES_MAX,
 * or not EAR_HZ_MIN..EAR_HZ_MAX (audio/ear.h); -ENOTCONN: it has no sound yet, or no more; -ENOMEM.
 */
int agent_listen_in(struct agent *agent, unsigned call, const double *tones_hz, size_t count);

/*
 * Another account; the password stays the caller's, who keeps it until the agent is freed. The
 * events UA_REGISTRATION_* tell how its registration goes. -EINVAL, with words in why, if it cannot
 * be; -ENOMEM.
 */
int agent_add_account(struct agent *agent, const struct ua_account *account, struct fault *why);

/*
 * Registers the account of that name, now, and goes on trying; NULL: the first. UA_REGISTRATION_OK
 * or _FAILED tells. -ENOENT: there is none.
 */
int agent_register(struct agent *agent, const char *name);

/* Withdraws it, and tries no more; UA_REGISTRATION_LOST tells, at once or within 2 s. -ENOENT;
 * -EALREADY: it does not stand, and is not tried. */
int agent_unregister(struct agent *agent, const char *name);

struct agent_account {
	struct list *place;                /* in the agent; NULL: before the first */
	const struct ua_account *settings; /* with all that was left open */
	bool registered;
	bool trying; /* to be, or to stay so */
};

/* Goes on to the next account, from all zero to the first. Whether there is one. */
bool agent_account_next(struct agent_account *at, const struct agent *agent);

/* How many calls there are, ringing ones included. */
unsigned agent_calls(const struct agent *agent);

/*
 * Ends all calls, takes no more, and calls closed once when the last has ended: at once or later.
 */
void agent_close(struct agent *agent, agent_closed *closed, void *arg);
