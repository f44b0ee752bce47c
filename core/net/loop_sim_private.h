/*
 * What the files of the simulated world share among each other, and with nobody else. One thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/random.h"
#include "core/base/table.h"
#include "core/net/loop_sim.h"

struct sim_loop;

/* What is to happen. It lives inside what it happens to. */
struct sim_event {
	struct heap_node node;
	struct list held; /* by its host, while that is down */
	uint64_t due_ns;
	uint64_t serial;
	struct sim_loop *loop; /* on which it happens; NULL: on none, between the hosts */
	void (*run)(struct sim_event *event);
};

struct world {
	struct world_config config;
	struct heap events;
	uint64_t now_ns;
	uint64_t serial;
	struct random play; /* for whoever writes it */
	struct sim_loop *running;
	bool busy; /* an event runs */
	bool stopped;

	struct list hosts;
	uint64_t host_count; /* that were ever made */
	struct table hosts_by_addr;
	struct list unarmed; /* loops whose timers have changed */

	struct list connections; /* the oldest first */
	struct list listeners;
	uint64_t tcp_ports; /* that were picked */

	struct table sockets; /* by host, family and port */
	struct table ways;    /* by both hosts */
	struct list all_ways; /* the oldest first */
	struct impair_config impair;
	struct table names;
	struct list all_names;
	bool names_silent;
	uint64_t asked; /* questions that were answered */

	world_tap *tap;
	void *tap_arg;
	struct world_left left;
};

struct world_host {
	struct world *world;
	struct list link;
	struct table_node by_addr;
	uint64_t number;
	struct addr addr;    /* port 0 */
	uint64_t loop_count; /* that were ever made */
	bool down;
	bool unplugged;      /* it has no address but its loopback */
	struct list held;    /* events that wait until it is up */
	struct list watches; /* of its network */
};

/* The posts of one loop to one other, in their order. */
struct sim_channel {
	struct sim_event event; /* of the first post */
	struct list from_link;
	struct list to_link;
	struct sim_loop *from; /* NULL: nobody's, or one that is gone */
	struct post *first;
	struct post **last;
	uint64_t until_ns; /* none of them may take longer */
};

struct sim_loop {
	struct loop loop;
	struct world *world;
	struct world_host *host;
	struct random random; /* for loop_random() */
	struct random chance; /* for how late it is */

	struct heap timers;
	uint64_t timer_order;
	struct sim_event wake; /* of the first timer */
	uint64_t armed_ns;     /* when the timer is due for which wake is set; UINT64_MAX: none */
	struct list unarmed;

	struct sim_channel outside; /* of posts that no loop has made */
	bool crowded;               /* outside also has posts of loops, for want of memory */
	struct list posts_from;
	struct list posts_to;

	struct list works;
	struct list questions;
	size_t sockets;
};

static inline struct sim_loop *sim_loop_of(struct loop *loop)
{
	return container_of(loop, struct sim_loop, loop);
}

static inline uint64_t sim_add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* From 0 to most_ns, as that loop's chance has it. */
uint64_t sim_late(struct sim_loop *loop, uint64_t most_ns);

void sim_event_init(
	struct sim_event *event, struct sim_loop *loop, void (*run)(struct sim_event *event));

/* event neither is started nor held. */
void sim_event_start(struct world *world, struct sim_event *event, uint64_t due_ns);

/* Does nothing if it was not started. */
void sim_event_stop(struct world *world, struct sim_event *event);

/* The network. */
int udp_sim_open(struct udp **out, struct loop *loop, const struct addr *local);
int udp_sim_route(struct addr *out, struct loop *loop, const struct addr *to);

size_t network_sim_addresses(struct addr *out, size_t max, struct loop *loop);
int network_sim_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg);

/* The addresses of host have changed. */
void network_sim_changed(struct world_host *host);

/* Frees the datagram that the event, which was taken out of the heap, was to deliver. */
void udp_sim_drop(struct sim_event *event);

int tcp_sim_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg);
int tcp_sim_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg);

/* Frees the connections that nobody holds and whose last bytes are on their way. */
void tcp_sim_close(struct world *world);

/* Names. */
int resolve_sim(struct resolve **out, struct loop *loop, enum dns_type type, const char *host,
	resolve_done *done, void *arg);
void resolve_sim_cancel(struct resolve *resolve);
void resolve_sim_forget_all(struct sim_loop *loop);
void resolve_sim_close(struct world *world);

/* Hosts and the ways between them; to.port is not looked at. */
struct world_host *host_sim_find(const struct world *world, const struct addr *to);
/* Whether to is that host, as the host itself sees it. */
bool host_sim_owns(const struct world_host *host, const struct addr *to);
int host_sim_init(struct world *world);
void host_sim_close(struct world *world);
