/*
 * What the files of a call share among each other, and with nobody else: call.c has its life,
 * call_out.c and call_in.c how it begins from either side, call_move.c where else it is tried,
 * call_media.c its sound, call_play.c what is played, recorded and listened for beside,
 * call_change.c what changes while it lasts, call_network.c what it does when this host's address
 * does, call_public.c how its sound is seen from outside, call_end.c how its end reads.
 */
#pragma once

#include "core/media/media.h"
#include "core/sip/invite.h"
#include "core/sip/locate.h"
#include "core/ua/account.h"
#include "core/ua/call.h"
#include "core/ua/negotiation.h"
#include "core/ua/redirect.h"

enum call_state {
	CALL_LOCATING, /* outgoing: the far end's address is being looked up */
	CALL_CALLING,  /* outgoing: INVITE is out */
	CALL_MOVING,   /* outgoing: in vain; the next way is due once the sockets are closed */
	CALL_INCOMING, /* not answered yet */
	CALL_AGREEING, /* incoming: answered by an offer of ours; theirs to it comes with ACK */
	CALL_TALKING,
	CALL_ENDING,   /* SIP or media has not finished yet */
	CALL_FINISHED, /* all that is left is to tell so */
};

/* Why and how it ended; the first reason counts. */
struct call_end {
	enum ua_cause cause;
	uint16_t code;
	char *reason; /* NULL: the standard's for code */
	struct fault words;
};

/* What is under way of an offer and its answer, once the first ones are through. */
enum call_change {
	CHANGE_NONE,
	CHANGE_OFFERED,  /* our re-INVITE is out */
	CHANGE_ANSWERED, /* our offer went in the 200 to theirs; its answer comes with ACK */
	CHANGE_WAITING,  /* ours has to wait until SIP says that it may go */
};

/* Who asks whom to be quiet. */
struct call_hold {
	enum call_change change;
	uint32_t cseq; /* of the re-INVITE to which ours went in the 200 */
	bool wanted;   /* of the far end, as was asked for last */
	bool offered;  /* what our offer under way asks */
	bool agreed;   /* what holds */
	bool remote;   /* the far end asks it of us */
};

/* The codec that is asked for by name; NULL: none is, whatever was agreed on will do. */
struct call_turn {
	const struct codec *wanted;  /* as was asked for last */
	const struct codec *offered; /* what our offer under way has alone */
};

/* That we are to be reached elsewhere from now on, which they do not know yet. */
struct call_address {
	bool wanted;
	bool offered; /* our offer under way says so */
};

/* What stays the same when a call is redirected (RFC 3261, section 8.1.3.4). */
struct call_first {
	char *call_id; /* NULL: nothing yet */
	char *tag;
	uint32_t cseq; /* of the last INVITE */
};

struct call {
	struct list link;
	struct call_list *list;
	unsigned number;
	bool outgoing;
	struct account *account; /* the agent's, or NULL */
	bool by_account;         /* outgoing: flows lead to a hop of its own */
	enum call_state state;

	char *peer;
	char *display;
	char *asserted; /* their URI, as the server of our account says; or NULL */
	char *call_id;  /* empty before SIP has begun */
	uint16_t last_provisional;

	struct sip_locate *locate;
	struct sip_flow flows[SIP_LOCATE_MAX]; /* outgoing: all that may be tried */
	size_t flow_count;
	size_t flow_at;
	bool told; /* outgoing: UA_CALL_OUTGOING was emitted */
	struct sip_flow flow;
	struct redirect redirect; /* outgoing: the URIs that it is or was tried at */
	struct call_first first;
	uint64_t ring_due_ns;               /* outgoing: when it is given up; 0: never */
	struct sip_invite *invite;          /* NULL: not begun, or over */
	struct media *media;                /* NULL: likewise */
	struct addr rtp;                    /* where it receives, as the far end sees it */
	void (*learned)(struct call *call); /* what follows once that is known, or NULL */
	char *offer;                        /* of theirs, until it is met */
	struct negotiation negotiation;
	struct media_params params;   /* what was agreed on; codec NULL before */
	char *remote_fmtp;            /* params', once it sounds */
	bool sounds;                  /* media was started */
	bool source_ended;            /* all that it had was sent */
	struct ua_media media_told;   /* by the last UA_CALL_MEDIA, if it sounds */
	const struct codec *received; /* they send by, where we do not; else NULL */
	struct media_volume volume;
	struct call_hold hold;
	struct call_turn turn;
	struct call_address address;
	char *recording;                 /* path, or NULL */
	struct policy_decision decision; /* incoming: what becomes of it */
	char *description;               /* what we answer them with, next or last */
	char *warning;                   /* or why not: lines of that response, or NULL */

	struct timer limit; /* of what the present state waits for */
	bool answered;
	uint64_t answered_ns; /* when, if it was */
	double talked_s;      /* from the answer to the end */
	uint64_t stats_ns;    /* when UA_CALL_STATS is due next */
	struct stream_report last;
	struct call_end end;
	struct post finish;
};

/* An empty call in list. NULL if there is no memory. */
struct call *call_new(
	struct call_list *list, enum call_state state, struct slice peer, struct slice display);

void call_change_state(struct call *call, enum call_state to);

/* A copy of text in *out, in the place of what was there. -ENOMEM, and that stays. */
int call_keep(char **out, struct slice text);

/*
 * Takes over whom a message is from, if it came from the account's own server and that says so
 * (RFC 3325, section 9.1): as peer, too, where we are called. Returns whether it does. Without
 * memory all stays as it was.
 */
bool call_take_identity(struct call *call, const struct sip_msg *msg);

/* A display name as people write it; in place. */
void call_drop_escapes(char *display);

/* Hands event to the readers with what is known of the call. */
void call_emit(struct call *call, struct ua_event *event);

/* Opens the sockets of its sound on the address by which the far end sees us. Words in why. */
int call_open_media(struct call *call, struct fault *why);

/*
 * Finds out how the far end sees the sockets of its sound, as well as that can be done, and has
 * next go on from there unless the call has ended: at once where there is nothing to find out.
 */
void call_learn(struct call *call, void (*next)(struct call *call));

/* Tells once that it is called, and where if that is known. */
void call_tell_outgoing(struct call *call);

/* Looks up where the URI leads that is to be tried now. */
void call_locate(struct call *call);

/* Sends the INVITE to the address at hand. */
void call_invite(struct call *call);

/* Keeps what a further INVITE of this call has in common with the last. -ENOMEM. */
int call_keep_first(struct call *call);

/*
 * Whether, where this address was in vain or leads elsewhere, another is tried; if so, the end of
 * the INVITE is not that of the call.
 */
bool call_move(struct call *call, const struct sip_invite_end *end);

/* The sockets of the last try are closed: calls the next address. */
void call_move_on(struct call *call);

/*
 * Whether, where a URI could not be found, the next is tried. State LOCATING.
 */
bool call_move_past(struct call *call);

/* It is answered, and what was agreed on is heard. params may be those of the call. */
void call_talk(struct call *call, const struct media_params *params);

/* Starts the sound, or has it go on with other params, and tells. What media_change() returns. */
int call_sound(struct call *call, const struct media_params *params);

/* Starts the sound of a call that came before it is answered, with source in the place of the
 * microphone, and tells. What media_start_early() returns. */
int call_sound_early(struct call *call, const char *source);

/* Has the sound understand what our last offer lets them send. */
void call_expect(struct call *call);

/* From the answer until now, or until the end. */
double call_duration_s(const struct call *call);

struct ua_stats call_stats(const struct stream_report *report);
void call_emit_stats(struct call *call, enum ua_event_kind kind, bool final);

/* Tells of what fails while the call goes on. arg: the call. */
void call_trouble(void *arg, const char *words);

/* What is told of what was played, recorded and heard, as media_events has it. arg: the call. */
void call_played(void *arg, const char *source, bool complete, const char *words);
void call_recorded(void *arg, const char *path, bool on, const char *words);
void call_heard_tone(void *arg, const struct ear_tone *tone);

/* The description of a session in msg, or nothing. */
struct slice call_body(const struct sip_msg *msg);

/* Offers what is wanted of the far end, where it is not so yet and nothing is in the way. */
void call_push(struct call *call);

/* Gives up the INVITE that is out, for its responses go where we are no more, and calls the same
 * address once more. State CALLING. */
void call_anew(struct call *call);

/* Tells who is on hold, where that is news. */
void call_tell_hold(struct call *call);

/*
 * Ends it for this reason, unless it is ending already. words, if not NULL, may be words of the
 * call itself.
 */
void call_finish(struct call *call, enum ua_cause cause, uint16_t code, struct slice reason,
	const struct fault *words);

/* Ends it because something here failed. */
void call_fail(struct call *call, int err, const char *what);

/* Refuses an incoming call by response and ends it; words for our own reader, or NULL. */
void call_refuse(struct call *call, const struct sip_response *response, const struct fault *words);

/* Answers an incoming call. */
void call_accept(struct call *call);

/* Tells the end, once nothing of it goes on any more. */
void call_settle(struct call *call);

/* Why the far end ends or refuses it, where that tells something; words has what is known so far.
 */
void call_words_refused(struct fault *words, const struct sip_msg *response);
void call_words_ended(struct fault *words, const struct sip_msg *request);

/* What happens to its INVITE, and later in its dialog; both sides share these. */
void call_confirmed(void *arg, const struct sip_msg *ack);
void call_changing(void *arg, const struct sip_msg *request, struct sip_response *response);
void call_changed(void *arg, const struct sip_msg *response);
void call_unchanged(void *arg, const struct sip_msg *response);
void call_retry(void *arg);
void call_change_confirmed(struct call *call, const struct sip_msg *ack);
void call_invite_ended(void *arg, const struct sip_invite_end *end);
