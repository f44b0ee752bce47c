/*
 * What the files of an agent share among each other: agent.c has its life, agent_listen.c where it
 * listens, agent_ping.c what it asks others, agent_accounts.c whom servers know it as,
 * agent_network.c what it does when the network is another.
 */
#pragma once

#include "core/sip/stack.h"
#include "core/ua/account.h"
#include "core/ua/agent.h"
#include "core/ua/call.h"

enum {
	AGENT_LISTENS_MAX = 32,
	AGENT_ADDRESSES_MAX = 16, /* of this host; of more, the others are not told of */
	AGENT_WAYS = 2,           /* IPv4 and IPv6 */
};

/* Where it listens. */
struct agent_place {
	enum sip_transport_kind kind;
	struct addr address; /* as bound */
};

/* What it knows of the network that it is on. */
struct agent_network {
	struct addr addresses[AGENT_ADDRESSES_MAX]; /* of this host */
	size_t count;
	struct addr ways[AGENT_WAYS]; /* where from what has no way of its own goes; or none */
};

struct agent {
	struct ua_config config;
	struct sip_stack *stack;
	struct call_list calls;
	struct list pings;
	struct account_list accounts;
	uint64_t next_start_ns; /* when it is the next account's turn to register */
	struct agent_place places[AGENT_LISTENS_MAX];
	size_t place_count;
	struct agent_network network;
	struct network_watch *network_watch; /* NULL: of changes nothing is told */
	bool closing;
	bool settling;        /* some accounts are being ended */
	struct list *leaving; /* of accounts.all, when closing: the first whose turn is to come */
	struct list *staying; /* and the first whose registration may not be over */
	struct timer next_leave;
	bool closed;
	uint64_t close_limit_ns;
	struct timer linger;
	agent_closed *on_closed;
	void *closed_arg;
};

/* A call is to go by kind: where we listen nowhere, or only by another, that is made good. */
void agent_need(struct agent *agent, enum sip_transport_kind kind);

/* Where the names and numbers of account are, in out; NULL: there is none. */
const struct target_home *agent_home(struct target_home *out, const struct account *account);

/* Something may have ended that the closing waits for. */
void agent_settle(struct agent *agent);

/* Withdraws all registrations, the first of them at once; whether one is not over. */
void agent_end_accounts(struct agent *agent);
bool agent_has_registrations(struct agent *agent);

/* Goes on with that. Of next_leave. */
void agent_leave(void *arg);

/* This host has other addresses or routes; network: it is on another network. */
void agent_reroute_accounts(struct agent *agent, bool network);

/* Tells those who wait for a ping that none will be answered any more. */
void agent_end_pings(struct agent *agent);

/* Has it heed changes of the network from here on, where its loop tells of any. -ENOMEM. */
int agent_watch_network(struct agent *agent);
void agent_unwatch_network(struct agent *agent);
