/*
 * Transactions (RFC 3261, section 17, with the Accepted states of RFC 6026): a request, its
 * retransmissions, its responses. They belong to the stack and end by themselves; whoever uses one
 * holds a pointer only until its last event. On the stack's thread.
 *
 * An event is the last thing that a transaction does with a message or a timer, so that an event
 * function may do anything here, too.
 */
#pragma once

#include "core/base/loop.h"
#include "core/sip/msg.h"
#include "core/sip/server.h"

/* Section 17, table 4. */
#define SIP_T1_NS (500 * NS_PER_MS)
#define SIP_T2_NS (4 * NS_PER_S)
#define SIP_T4_NS (5 * NS_PER_S)
#define SIP_64T1_NS (64 * SIP_T1_NS)
#define SIP_PATIENCE_NS (8 * SIP_T1_NS) /* one try after the fourth of Timers A and E */
#define SIP_TRYING_NS (200 * NS_PER_MS) /* section 17.2.1 */

/* What a branch of RFC 3261 begins with (section 8.1.1.7). */
#define SIP_BRANCH_COOKIE "z9hG4bK"

struct sip_client; /* a client transaction (section 17.1) */

struct sip_client_events {
	/*
	 * A response. A final one is the last event, but for a 2xx to INVITE: after that come the
	 * 2xx that are repeated or of other forks, and then ended.
	 */
	void (*response)(void *arg, const struct sip_msg *response);
	/* The last event: -ETIMEDOUT, or why it could not be sent; 0 after a 2xx to INVITE. */
	void (*ended)(void *arg, int err);
};

/*
 * Sends the request that bytes are, with a Via of ours, and keeps a copy. -ENOMEM, -EINVAL if we
 * would not understand it ourselves, or what udp_send() returns; there is no transaction then.
 * events may be NULL.
 */
int sip_client_new(struct sip_client **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct slice bytes, const struct sip_client_events *events, void *arg);

/* What of a request is needed as long as responses may make dialogs of it. */
struct sip_sent {
	struct slice uri;  /* Request-URI */
	struct slice from; /* value of From */
	struct slice call_id;
	uint32_t cseq;
};

/* Of the request that it sent; good until the transaction has its next response, or ends. */
struct sip_sent sip_client_sent(const struct sip_client *client);

/*
 * Sends CANCEL for an INVITE that has had a provisional response (section 9.1); nothing if it has
 * had a final one. headers: whole lines to go with it, or empty. -ENOMEM, -EMSGSIZE, or what
 * udp_send() returns.
 */
int sip_client_cancel(struct sip_client *invite, struct slice headers);

/* By which way it went. */
struct sip_flow sip_client_flow(const struct sip_client *client);

/* No event comes any more; a request that has no final response is forgotten. NULL is allowed. */
void sip_client_release(struct sip_client *client);

/* For the stack: a response that came; an ICMP error; the end. */
void sip_client_receive(struct sip_stack *stack, const struct sip_msg *response);
void sip_client_unreachable(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *to, int err, struct slice sent);

/* For the stack: addresses of this host have gone, see sip_stack_reroute(). */
void sip_client_reroute(struct sip_stack *stack);

/*
 * For a transport: a connection is over. What waits for a response on it goes again by another one,
 * once, if it had stood; otherwise it ends with err.
 */
void sip_client_lost(struct sip_stack *stack, uint64_t connection, bool stood, int err);

/* Whether a request waits for its response on that connection; whether one waits to be answered. */
bool sip_client_uses(const struct sip_stack *stack, uint64_t connection);
bool sip_server_uses(const struct sip_stack *stack, uint64_t connection);
void sip_client_free_all(struct sip_stack *stack);

struct sip_server_events {
	/* A CANCEL for this INVITE, which is not answered, has come and been answered 200. */
	void (*cancelled)(void *arg, const struct sip_msg *cancel);
	/* The last event: its time is over. */
	void (*gone)(void *arg);
};

/* The server transaction that msg belongs to, as a request of that method (section 17.2.3). */
struct sip_server *sip_server_find(
	const struct sip_stack *stack, const struct sip_msg *msg, enum sip_method method);

/*
 * How many server transactions there may be, how many of them unanswered, and how many bytes of
 * responses they may keep, which a sender swells by what is copied from his requests: what comes on
 * top is answered 503 without one, so that a flood takes no more memory than that.
 */
enum { SIP_SERVERS_MAX = 1 << 18, SIP_SERVERS_OPEN_MAX = 1 << 14, SIP_SERVERS_BYTES_MAX = 1 << 28 };

bool sip_server_is_full(const struct sip_stack *stack);

/* Answers 503, and remembers nothing. */
void sip_server_refuse(struct sip_stack *stack, const struct sip_flow *flow, struct sip_msg *msg);

/* Whether msg has come already by another way (section 8.2.2.2); server is msg's own. */
bool sip_server_is_merged(const struct sip_server *server);

/* Makes one for a new request and takes msg over, but not on error. -ENOMEM. */
int sip_server_new(struct sip_server **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct sip_msg *msg);

/* The request; good until sip_server_respond() was given a final response and the event returned.
 */
const struct sip_msg *sip_server_request(const struct sip_server *server);

/* The tag that responses get if the request has none in To. */
const char *sip_server_tag(const struct sip_server *server);

struct sip_stack *sip_server_stack(const struct sip_server *server);

/* The responses to a CANCEL have the tag of those to its INVITE (section 9.2). */
void sip_server_share_tag(struct sip_server *cancel, const struct sip_server *invite);

/* Who wants its events; NULL: nobody any more. */
void sip_server_watch(struct sip_server *server, const struct sip_server_events *events, void *arg);

/* As sip_server_respond(), but an error leaves everything as it was, and nothing is sent. */
int sip_server_try(struct sip_server *server, const struct sip_response *response);

/* Sends the last response again: a 2xx to INVITE, until its ACK comes (section 13.3.1.4). */
void sip_server_repeat(struct sip_server *server);

/* Whether its final response was sent. */
bool sip_server_is_answered(const struct sip_server *server);

/* Forgets it without a response. Its request is still good until the event at hand returns. */
void sip_server_discard(struct sip_server *server);

/* For the stack: the request again; an ACK, and whether it was for us; a CANCEL; the end. */
void sip_server_again(struct sip_server *server, const struct sip_flow *flow);

/* For the stack, before that: it came by flow this time, with that topmost Via. */
void sip_server_follow(
	struct sip_server *server, const struct sip_flow *flow, const struct sip_via *via);
bool sip_server_ack(struct sip_server *server);
void sip_server_cancel(struct sip_server *server, const struct sip_msg *cancel);
void sip_server_init(struct sip_stack *stack);
void sip_server_free_all(struct sip_stack *stack);

/* Whether one waits for the ACK to a final response that is no 2xx. */
bool sip_server_waits_for_ack(const struct sip_stack *stack);
