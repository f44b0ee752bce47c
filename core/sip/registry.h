/*
 * What the files of this room share and nobody above sees: the stack's registry of everything that
 * lives. Tables find, lists give the order in which to walk; both hold what others own. On the
 * stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/table.h"
#include "core/base/text.h"
#include "core/sip/config.h"
#include "core/sip/flow.h"

struct sip_invite;
struct sip_secure;

enum {
	SIP_AVOID_MAX = 32,
	SIP_TOKEN_SIZE = 24,
	SIP_ALIAS_SIZE = 32,
};

/* A place that has failed lately, see core/sip/avoid.h. */
struct sip_avoided {
	enum sip_transport_kind kind;
	struct addr addr;
	uint64_t until_ns; /* 0: there is none */
};

struct sip_stack {
	struct sip_stack_config config; /* its strings are ours */
	struct loop *loop;
	/* Hands a message that came by flow to whom it belongs, and takes it over. */
	void (*receive)(struct sip_stack *stack, const struct sip_flow *flow, struct sip_msg *msg);
	/* Whether a transaction or a dialog may yet need the connection of flow. */
	bool (*uses)(const struct sip_stack *stack, const struct sip_flow *flow);
	uint32_t hash_seed;
	uint64_t serial;      /* of the newest client transaction */
	uint64_t connections; /* how many there have been: the newest one's id */
	size_t server_count;  /* server transactions */
	size_t open_count;    /* those without a final response */
	size_t answer_bytes;  /* of the responses that they keep */
	struct list answered; /* those whose request is not needed any more */
	struct timer sweep;

	struct sip_secure *secure; /* NULL: nothing has gone by TLS or WebSocket */
	char alias[SIP_ALIAS_SIZE];

	struct list transports;
	struct list clients;  /* client transactions, oldest first */
	struct list servers;  /* server transactions */
	struct list requests; /* each sip_request */
	struct list callers;  /* what answers the 2xx of an INVITE of ours */
	struct list invites;
	struct list keeps;  /* ways that are kept open */
	struct list leaves; /* of far ends that keep theirs to us open */

	struct table client_table; /* by branch */
	struct table server_table; /* by branch, or by Call-ID if there is no proper one */
	struct table merge_table;  /* server transactions of requests outside dialogs, by Call-ID */
	struct table invite_table; /* by Call-ID and local tag */

	struct list kept; /* what the name service has said, the oldest first */
	size_t kept_count;
	struct sip_avoided avoided[SIP_AVOID_MAX]; /* once all are taken, the oldest goes */

	/* Where messages are printed. Nothing stays in it while an event function runs. */
	char scratch[SIP_MESSAGE_MAX];
};

/* An empty text in the stack's scratch room. */
struct text sip_stack_scratch(struct sip_stack *stack);

/* A hash for the stack's tables; b may be empty. */
uint32_t sip_stack_hash(const struct sip_stack *stack, struct slice a, struct slice b);

/* The name by which it speaks of itself where nobody can connect to it: "a5b2.invalid". */
const char *sip_stack_alias(struct sip_stack *stack);

/* A new tag, Call-ID part or branch part: 16 characters or more from 64 random bits. */
const char *sip_token(char out[static SIP_TOKEN_SIZE], struct loop *loop);
