/*
 * What is on the desk: the phones of one run (mostly one; a script may have many), their calls as
 * their events tell of them, and who looks on. On the agents' thread, as all that is said here.
 */
#pragma once

#include "cmd/readers/ladder.h"
#include "cmd/settings/contacts.h"
#include "core/base/list.h"
#include "core/ua/agent.h"

struct call_log;
struct desk;
struct inbox;

enum { DESK_NAME_SIZE = 32, DESK_CODEC_SIZE = 16, DESK_DIGITS_MAX = 32 };

enum desk_call_state {
	DESK_CALLING,  /* ours, nothing has come back */
	DESK_RINGING,  /* ours, it rings there */
	DESK_INCOMING, /* theirs, not answered */
	DESK_TALKING,
};

/* A call that has not ended. */
struct desk_call {
	struct list link;
	struct handset *handset;
	unsigned number;
	enum desk_call_state state;
	bool outgoing;
	bool held;    /* by us */
	bool on_hold; /* by them */
	bool muted;
	char *peer;
	char *display;
	char *call_id;               /* empty before it is known */
	uint64_t began_ns;           /* wall time */
	uint64_t answered_ns;        /* wall time; 0: not yet */
	char codec[DESK_CODEC_SIZE]; /* empty before there is sound */
	uint32_t rate_hz;
	char digits[DESK_DIGITS_MAX + 1]; /* that were dialled in it */
	bool has_stats;
	struct ua_stats stats; /* the last that were told */
};

/* A phone. Its members are for reading. */
struct handset {
	struct list link;
	struct desk *desk;
	char name[DESK_NAME_SIZE]; /* empty: the only one */
	struct agent *agent;
	struct ua_config config; /* as it was made, or as desk_configure() has changed it */
	struct list calls;       /* of struct desk_call, oldest first */
	struct ladder *ladder;   /* NULL: none is kept */
	struct addr udp; /* where it listens, once that was told; family ADDR_NONE: nowhere */
	bool closed;
};

/* Who looks on, inside whoever does. */
struct desk_watcher {
	struct list link;
	ua_event_fn *event; /* with event->phone set where a phone has a name; or NULL */
	/* Each SIP message, as sip_stack_events has it; or NULL. */
	void (*message)(void *arg, struct handset *handset, bool sent, enum sip_transport_kind kind,
		const struct addr *local, const struct addr *remote, struct slice bytes);
	void *arg;
};

struct desk_config {
	struct loop *loop;
	/* What each phone keeps of its calls; NULL: nothing. */
	const struct ladder_config *ladder;
	const struct contacts *contacts; /* kept alive by the caller; NULL: nobody */
	/* Somebody has asked for the end of the program. Nothing of the desk goes from within. */
	void (*quit)(void *arg);
	void *arg;
};

/* -ENOMEM. */
int desk_new(struct desk **out, const struct desk_config *config);

/* With all phones closed, and nobody looking on. NULL is allowed. */
void desk_free(struct desk *desk);

/*
 * Another phone; config's event and arg are the desk's to set, and what config points to is kept
 * alive by the caller. name: empty for the only one. What agent_new() returns.
 */
int desk_add(
	struct handset **out, struct desk *desk, const char *name, const struct ua_config *config);

/* The phone of that name, or NULL. The first one. */
struct handset *desk_find(struct desk *desk, struct slice name);
struct handset *desk_first(struct desk *desk);

/* Each phone in turn: NULL first and after the last. */
struct handset *desk_next(struct desk *desk, struct handset *after);

/* Has watcher see all events from now on; those who came first see each first. Until
 * desk_unwatch(), which may be called from within an event. */
void desk_watch(struct desk *desk, struct desk_watcher *watcher);
void desk_unwatch(struct desk *desk, struct desk_watcher *watcher);

/* Shows an event that is of no agent to all who look on; sets its time. handset: NULL, of none. */
void desk_tell(struct desk *desk, struct handset *handset, struct ua_event *event);

/* The call of that number, or NULL. */
struct desk_call *handset_call(struct handset *handset, unsigned number);

/* A call of ours has been begun that no event has told of yet: others may name it from now on. */
void desk_call_begun(struct handset *handset, unsigned number, struct slice target);

/* The call that a command without a number is for: the newest that talks and is not held by us,
 * else the newest; or NULL. */
struct desk_call *handset_current(struct handset *handset);

/* The call that has waited longest for an answer of ours, or NULL. */
struct desk_call *handset_incoming(struct handset *handset);

/* Keeps a digit with a call, behind those before. -ENOSPC: there are DESK_DIGITS_MAX. */
int desk_call_dial(struct desk_call *call, char digit);

/* How many calls there are on all phones. */
unsigned desk_calls(const struct desk *desk);

/*
 * Ends all calls of all phones, and calls closed once when all have ended: at once or later. No
 * phone is added after that.
 */
void desk_close(struct desk *desk, agent_closed *closed, void *arg);

/* What a person's name for somebody stands for: a URI, or NULL. Good as long as the desk. */
const char *desk_contact(const struct desk *desk, struct slice name);
const struct contacts *desk_contacts(const struct desk *desk);

/* A copy that lives as long as the desk, for what configurations point to: calls that go on may use
 * what later ones do not. What is the same is kept once. NULL: no memory. */
const char *desk_keep(struct desk *desk, struct slice text);

/* What remembers the calls that were; NULL: nothing does. */
void desk_set_log(struct desk *desk, struct call_log *log);
struct call_log *desk_log(const struct desk *desk);

/* Asks for the end of the program. */
void desk_quit(struct desk *desk);

/* Changes what a phone's later calls are like: handset->config is changed by the caller before. */
void desk_configure(struct handset *handset);

/* What has been told and not expected yet; NULL: nobody keeps it. */
struct inbox *desk_inbox(struct desk *desk);
void desk_put_inbox(struct desk *desk, struct inbox *inbox);

uint64_t desk_now(struct desk *desk);  /* loop_now() */
uint64_t desk_wall(struct desk *desk); /* loop_wall() */
struct loop *desk_loop(struct desk *desk);
