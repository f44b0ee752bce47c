/*
 * What the files of the checks share, and with nobody else: checks.c has the table of invariants
 * and the ways in, checks_text.c reads messages, checks_wire.c follows transactions, checks_call.c
 * the dialogs that they make, checks_change.c what changes in these, checks_stream.c what goes by
 * TCP, checks_sound.c RTP, checks_event.c what phones tell.
 *
 * Messages are read here by plain search for lines, not by core/sip, so that a mistake there cannot
 * hide itself. Names (Call-ID, branch, tag, a whole message) are compared by 64-bit hashes. All of
 * it belongs to struct checks, in chunks that are freed at once. One thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/table.h"
#include "tests/sim/checks.h"

/* RFC 3261, section 17, table 4; not the constants of core/sip, which may be wrong. */
#define T1_NS (UINT64_C(500) * 1000000)
#define T2_NS (UINT64_C(4000) * 1000000)
#define T4_NS (UINT64_C(5000) * 1000000)
#define LIMIT_NS (64 * T1_NS)
#define TRYING_NS (UINT64_C(200) * 1000000)

#define NEVER UINT64_MAX

/* The rows of the table in checks.c. */
enum invariant {
	ROOM_FOR_CHECKS,
	EVENT_ORDER,
	EVENT_FIELDS,
	STATS_SANE,
	STATS_TRUE,
	ENDS,
	ENDS_IN_TIME,
	AGREE_ANSWERED,
	AGREE_WHO,
	CAUSE_SHOWN,
	ANSWER_HEARD,
	NOTHING_LOST,
	RINGS_ONCE,
	INVITE_FINAL,
	INVITE_TRYING,
	REQUEST_ANSWERED,
	ACK_EACH_2XX,
	ACK_OTHERS,
	ACK_DUE,
	BYE_SENT,
	BYE_EARLY,
	BYE_UNACKED,
	CANCEL_EARLY,
	CANCEL_SENT,
	CSEQ_ORDER,
	TAGS_CONSTANT,
	DIALOG_KNOWN,
	RESPONSE_ECHO,
	RESPONSE_TAG,
	ONE_FINAL,
	FORM,
	FORWARDS,
	COOKIE,
	BRANCH_UNIQUE,
	LENGTH,
	AGAIN_SAME,
	AGAIN_EARLY,
	AGAIN_LATE,
	AGAIN_MISSING,
	AGAIN_NEEDLESS,
	VIA_TRANSPORT,
	STREAM_WHOLE,
	STREAM_AGAIN,
	STREAM_REUSED,
	DATAGRAM_LONG,
	ADDRESS_KNOWN,
	CHANGE_ALONE,
	GLARE_REFUSED,
	GLARE_PAUSE,
	SDP_VERSION,
	SDP_LINES,
	HOLD_TOLD,
	HOLD_ASKED,
	HOLD_AGREED,
	HOLD_QUIET,
	RTP_GOES_ON,
	DEAF,
	RTP_BEFORE,
	RTP_AFTER,
	RTP_STREAM,
	RTP_ROW,
	RTP_CLOCK,
	RTP_TYPE,
	RTP_LATCH,
	HEARS,
	QUIET_LEFT,
	QUIET_BYTES,
	INVARIANTS,
};

enum {
	TYPES_MAX = 8, /* payload types of a description */
	START_SIZE = 40,
	DUE_MAX = 512,
	MOVES_MAX = 32,
};

enum method { INVITE, ACK, BYE, CANCEL, OTHER };

/* What a direction lets its describer do. */
enum { SENDS = 1, RECEIVES = 2 };

/* Where a description wants its RTP, and in which clocks. */
struct sound {
	uint64_t session; /* of o=, all but the version */
	uint64_t version;
	uint64_t content; /* all but o= */
	unsigned lines;
	unsigned direction;
	struct addr rtp;
	unsigned count;
	uint8_t types[TYPES_MAX];
	uint32_t clocks[TYPES_MAX];
	uint32_t ptime_ms;
};

/* One message, however often it is sent. Hashes of 0: there is none. */
struct message {
	struct table_node node;
	uint64_t key; /* of all bytes */
	bool readable;
	bool damaged; /* nobody sent it: it came so */
	bool request;
	enum method method; /* of CSeq */
	uint16_t status;
	uint32_t cseq;
	uint64_t call_id;
	uint64_t branch;
	uint64_t from_tag;
	uint64_t to_tag;
	bool has_cookie;
	bool via_tcp;
	bool has_forwards;
	bool method_matches; /* that of CSeq is the request line's */
	int64_t length;      /* Content-Length, -1: none */
	size_t size;
	size_t body;
	unsigned flying;     /* how often it was sent by TCP and has not arrived */
	struct sound *sound; /* NULL: none */
	char start[START_SIZE];
};

struct agent;
struct call;
struct client;
struct server;
struct stream;

/* A call as one phone tells of it. */
struct side {
	struct agent *agent;
	unsigned number;
	unsigned life; /* of the agent */
	unsigned stage;
	bool outgoing;
	struct call *call; /* NULL: nothing of it was on the wire */
	uint64_t call_id;
	uint64_t peer;
	uint64_t begun_ns;
	uint64_t hangup_ns;
	bool stillborn; /* it was told only as its user hung up */
	bool strange;   /* its INVITE was damaged past recognition */
	uint64_t answered_ns;
	uint64_t ended_ns;
	bool told_local;  /* that it holds, */
	bool told_remote; /* is held */
	uint64_t stats_ns;
	unsigned stats_count;
	struct ua_stats stats;
	double stats_duration_s;
	enum ua_cause cause;
	uint16_t code;
	bool answered;
	double duration_s;
	uint16_t provisional;
};

/* What one side of a call has sent and got on the wire. */
struct party {
	struct call *call;
	struct agent *agent; /* NULL: not there yet */
	struct side *side;
	uint64_t tag;        /* its own */
	uint64_t remote_tag; /* of the dialog: from INVITE, or the first 2xx */
	uint32_t cseq;       /* the last of its own, 0: none */
	struct client *invite;
	struct client *bye;
	struct client *cancel;
	struct client *last;    /* of its requests, but for ACK and CANCEL */
	struct server *called;  /* of the INVITE that came */
	struct client *change;  /* the last re-INVITE of its own */
	struct server *changed; /* that came */
	uint64_t heard_ns;      /* a response to its INVITE came */
	uint64_t answer_ns;     /* the first 2xx: sent or come */
	uint64_t rejected_ns;   /* another final response: sent or come */
	uint16_t rejected_code;
	uint64_t acked_ns;    /* the ACK to its 2xx came */
	uint64_t bye_ns;      /* came */
	uint64_t cancel_ns;   /* came */
	uint64_t unwanted_ns; /* what it sent found nobody */
	struct stream *stream;
	const struct sound *theirs; /* what the far end wants, */
	const struct sound *before; /* and wanted until then: */
	uint64_t theirs_ns;
	const struct sound *mine; /* what it has described last */

	/* As offer and answer have it. */
	bool holds;
	bool held;
	bool sends;
	bool receives;
	bool turned; /* it was not always so */
	uint64_t turned_ns;
	uint64_t user_ns;        /* when its user last wanted to hold, or no more */
	uint64_t heard_sound_ns; /* or began to wait for it */
};

enum { CALLER, CALLED };

struct call {
	struct table_node node;
	struct list link;
	uint64_t key;    /* Call-ID */
	bool lost;       /* a message of it was, or found nobody */
	unsigned flying; /* messages by TCP that have not arrived */
	bool damaged;    /* or came changed */
	bool broken;     /* a side crashed or moved */
	bool agreed;
	struct party party[2];
};

/* A client transaction; also an ACK, which has no timers. */
struct client {
	struct table_node node;
	struct list link;
	uint64_t key;
	struct call *call;
	struct party *party;
	struct addr from;
	struct addr to;
	unsigned life;
	bool tcp;
	bool elsewhere;            /* by TCP again, as the connection was lost */
	struct client *before;     /* of a re-INVITE: the one before it */
	const struct message *ack; /* to its 2xx */
	enum method method;
	const struct message *request;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t gap_ns; /* from last_ns to the next; 0: no timers */
	bool stopped;    /* none is to come */
	bool optional;   /* it may have been given up */
	bool unsure;     /* damaged responses came */
	uint64_t provisional_ns;
	uint64_t final_ns;
	uint16_t status;
};

/* A server transaction. */
struct server {
	struct table_node node;
	struct list link;
	uint64_t key;
	struct call *call;
	struct party *party;
	unsigned life;
	enum method method;
	const struct message *request;
	bool unsure; /* damaged requests came */
	uint64_t arrived_ns;
	uint64_t copy_ns; /* the last copy of it that came, NEVER: answered */
	uint64_t said_ns; /* when it last sent a provisional response */
	const struct message *last;
	uint64_t tag;
	const struct message *final;
	uint64_t final_ns;
	uint64_t again_ns; /* the last final by the timer */
	uint64_t gap_ns;   /* 0: no timers */
	bool stopped;
	uint64_t acked_ns;
	bool again; /* of a Call-ID that has had its INVITE */
	bool tcp;
	bool loose;            /* its party has hung up */
	struct server *before; /* of a re-INVITE: the one before it */
};

/* Whose a branch is. */
struct branch {
	struct table_node node;
	uint64_t key;
	const struct message *first;
};

/* Both ways of the sound of one side of a call, by the address that its description gave. */
struct stream {
	struct table_node node;
	struct addr at;
	struct call *call;
	struct party *party;

	bool began; /* to send */
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t ticks; /* from first_ns to last_ns */
	uint64_t sent;
	uint64_t *sums; /* of the last packets, by sequence number */

	bool heard;
	bool confused; /* what came was not all one stream, or damaged */
	uint32_t far_ssrc;
	uint16_t base;
	uint64_t highest;  /* ahead of base */
	uint64_t distinct; /* packets that came */
	uint8_t *seen;     /* a bit for each sequence number */

	bool settled;       /* packets came from where they were described */
	struct addr row_at; /* packets in a row that came from elsewhere */
	uint32_t row_ssrc;
	uint16_t row_seq;
	unsigned row;
	struct addr latched; /* where it may send, too */
};

/* One direction of a TCP connection. */
struct lane {
	struct table_node node;
	struct list link;
	uint64_t key;
	struct addr from, to;
	uint64_t used_ns;
	bool stands; /* something has arrived by it */
	size_t len, room;
	uint8_t *bytes;   /* of a message that is not whole */
	unsigned crashes; /* of its sender before it began */
};

struct known {
	struct table_node node;
	struct addr addr;
};

/* What has to happen at once, or at the latest at deadline_ns. */
struct due {
	enum invariant what;
	uint64_t at_ns;
	uint64_t deadline_ns;
	struct party *party;
	const struct message *message;
	const void *subject; /* client or server */
};

struct agent {
	unsigned index;
	struct addr addr;
	unsigned crashes;
	unsigned moves;
	struct addr former[MOVES_MAX]; /* connections outlive an address for a while */
	uint64_t deaf_after_ns;
	unsigned life;
	bool moved;
	uint64_t moved_ns;  /* when, if moves > 0 */
	uint64_t rtp_ns;    /* when sound came to the address that it has, last */
	uint64_t hangup_ns; /* the last time that its user hung up something */
	uint64_t wall_ns;
	unsigned side_count;
	unsigned side_room;
	struct side **sides;  /* by number - 1 */
	struct side *calling; /* the last that began to call */
};

struct checks {
	struct checks_config config;
	struct agent *agents;
	struct chunk *chunks;
	bool failed;
	struct checks_failure failure;
	uint64_t now_ns;
	unsigned damaged; /* datagrams that came changed */
	bool quiet;
	struct table messages;
	struct table calls;
	struct table clients;
	struct table servers;
	struct table branches;
	struct table streams;
	struct table known;
	struct table pipes;
	struct list all_calls;
	struct list all_clients;
	struct list all_servers;
	struct list all_pipes;
	unsigned due_count;
	uint64_t next_due_ns;
	struct due due[DUE_MAX];
};

/* checks.c */

/* The first failure is kept. words are those of printf(). */
void checks_fail(struct checks *checks, enum invariant what, const char *words, ...)
	__attribute__((format(printf, 3, 4)));

/* Zeroed, and freed with checks; NULL makes a failure. */
void *checks_alloc(struct checks *checks, size_t size);

/* Has to be met at this moment, or, by late_ns, a little later. */
void checks_demand(struct checks *checks, const struct due *due, uint64_t late_ns);

/* Meets one demand of this moment. Returns whether there was one. */
bool checks_meet(struct checks *checks, enum invariant what, const void *subject);

/* One that party has to meet, or NULL. */
const struct due *checks_due(
	const struct checks *checks, enum invariant what, const struct party *party);

struct agent *checks_agent(const struct checks *checks, const struct addr *addr);
struct side *checks_side(const struct agent *agent, unsigned number);

/* How late what goes over both loops of a phone may be. */
uint64_t checks_slack(const struct checks *checks);

static inline uint64_t checks_mix(uint64_t a, uint64_t b)
{
	a = (a ^ (b << 31 | b >> 33)) * UINT64_C(0x9e3779b97f4a7c15);
	return a ^ a >> 29;
}

/* checks_text.c */

uint64_t checks_hash(struct slice bytes);
uint64_t checks_hash_addr(const struct addr *addr);

/* What bytes say; sound is allocated. */
void checks_read(struct message *out, struct checks *checks, struct slice bytes);

/* How late what is sent again may be. */
static inline uint64_t checks_late(const struct checks *checks)
{
	return checks->config.timer_late_ns + checks->config.post_late_ns;
}

static inline char checks_name(const struct agent *agent)
{
	return (char)('a' + agent->index);
}

/* Whether what is of that life of a phone is not of one that a crash has ended. */
static inline bool checks_is_current(unsigned life, const struct party *party)
{
	return party->agent->life == life;
}

/* Of a transaction of agent. */
static inline uint64_t checks_key(const struct agent *agent, uint64_t branch, enum method method)
{
	return checks_mix(branch, (uint64_t)method << 8 | agent->index);
}

/* checks_wire.c */

/* How a message goes or comes. */
struct way {
	struct addr from;
	struct addr to;
	bool tcp;
};

void checks_sip_sent(
	struct checks *checks, struct agent *agent, const struct way *way, struct slice bytes);
void checks_sip_arrived(struct checks *checks, const struct way *way, struct slice bytes);
void checks_sip_lost(struct checks *checks, const struct addr *from, const struct addr *to,
	struct slice bytes, bool unwanted);
void checks_know(struct checks *checks, const struct addr *addr);

/* ACK and CANCEL are their INVITE's shadows; nothing else shares a branch. */
void checks_branch(struct checks *checks, const struct agent *agent, const struct message *message);

/* checks_client.c */

struct client *checks_find_client(const struct checks *checks, const struct agent *agent,
	uint64_t branch, enum method method);
void checks_send_request(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message);
void checks_send_ack(struct checks *checks, struct agent *agent, const struct message *message);
void checks_receive_response(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message, bool damaged);
void checks_client_settle(struct checks *checks, struct client *client, uint64_t now_ns);

/* By ICMP that does not tell what it is about, for bytes get damaged, so that it is about all. */
void checks_refuse_all(struct checks *checks, const struct agent *agent, const struct addr *to);

/* What is sent again: the next was due at due_ns; is what was sent before. */
void checks_time(struct checks *checks, const struct agent *agent, const struct message *message,
	uint64_t due_ns);
void checks_same(struct checks *checks, const struct agent *agent, const struct message *before,
	const struct message *message);

/* checks_server.c */

struct server *checks_find_server(const struct checks *checks, const struct agent *agent,
	uint64_t branch, enum method method);
void checks_send_response(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message);
void checks_receive_request(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message, bool damaged);
void checks_receive_ack(
	struct checks *checks, struct agent *agent, const struct message *message, bool damaged);
void checks_server_settle(struct checks *checks, struct server *server, uint64_t now_ns);

/* checks_call.c: what a message means for the dialog that it belongs to */

struct call *checks_call_of(struct checks *checks, const struct message *message, bool make);
/* The phone has another life. */
void checks_forget(struct party *party);

void checks_request_sent(struct checks *checks, struct client *client);
void checks_response_sent(
	struct checks *checks, struct server *server, const struct message *message, bool first);
void checks_request_came(struct checks *checks, struct server *server, bool damaged);
void checks_response_came(
	struct checks *checks, struct client *client, const struct message *message);
void checks_ack_sent(struct checks *checks, struct agent *agent, struct call *call,
	const struct message *message);
void checks_ack_came(struct checks *checks, struct agent *agent, struct call *call,
	const struct message *message);
/* Both are over, or all is quiet. */
void checks_agree(struct checks *checks, struct call *call);
void checks_call_quiet(struct checks *checks, struct call *call);

/* Whether its INVITE has had its final response, and that its ACK. */
bool checks_stands(const struct party *party);

static inline bool checks_is_caller(const struct party *party)
{
	return party == &party->call->party[CALLER];
}

/* checks_change.c */

/* Whether a request of method INVITE is of a dialog that there is. */
static inline bool checks_is_change(const struct message *message)
{
	return message->method == INVITE && message->to_tag != 0;
}

/* A description goes out: what it has to have in common with the one before. */
void checks_describes(struct checks *checks, struct party *party, const struct sound *sound);

/* An offer of party, or, if theirs came first, an answer of it, is through. */
void checks_turn(struct checks *checks, struct party *party, const struct message *message,
	const struct sound *mine, const struct sound *theirs, bool offered);

void checks_change_sent(struct checks *checks, struct client *client);
void checks_change_answered(
	struct checks *checks, struct server *server, const struct message *message);

/* The INVITE that a phone has sent, or got, with that CSeq number; NULL: none. */
struct client *checks_invite_sent(const struct party *party, uint32_t cseq);
struct server *checks_invite_came(const struct party *party, uint32_t cseq);

void checks_want_hold(struct checks *checks, struct side *side, bool hold);
bool checks_hold_is_told(const struct party *party);
bool checks_hold_is_moot(const struct due *due);
void checks_demand_told(struct checks *checks, struct party *party, const struct message *message);
void checks_agree_hold(struct checks *checks, const struct call *call);

/* Whether the session was lost: a re-INVITE of party, or its answer to one, was in vain. */
bool checks_change_failed(const struct checks *checks, const struct party *party);

/* checks_stream.c: by TCP */
void checks_stream_sent(struct checks *checks, const struct way *way, struct slice bytes);
void checks_stream_arrived(struct checks *checks, const struct way *way, struct slice bytes);

/* checks_sound.c */

/* From when on it has nothing to say any more. */
uint64_t checks_end_of(const struct party *party);

void checks_describe(
	struct checks *checks, struct call *call, struct party *party, const struct sound *sound);
void checks_rtp_sent(struct checks *checks, struct agent *agent, const struct addr *from,
	const struct addr *to, struct slice bytes);
void checks_rtp_arrived(
	struct checks *checks, const struct addr *from, const struct addr *to, struct slice bytes);

/* checks_event.c */

void checks_sound_quiet(struct checks *checks, const struct side *side, const struct party *party);

void checks_tell(struct checks *checks, struct agent *agent, const struct ua_event *event);
void checks_side_quiet(struct checks *checks, struct side *side);
