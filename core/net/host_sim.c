/* Hosts of the simulated world, and the ways between them. */
#include "core/net/loop_sim_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { HALF_BITS = 32 }; /* of a key; so many hosts are never made */

/* Chance has a stream for each host, and for each way one that no host's number is the number of.
 */
#define WAY_STREAMS (UINT64_C(1) << 63)

struct way {
	struct table_node node;
	struct list link;
	struct impair *impair;
};

static uint64_t addr_key(const struct addr *addr)
{
	uint64_t key = addr->family;

	for (size_t i = 0; i < sizeof(addr->ip); i += 4)
		key = random_derive(key, be32_get(addr->ip + i));
	return key;
}

struct world_host *host_sim_find(const struct world *world, const struct addr *to)
{
	struct table_node *node = table_find(&world->hosts_by_addr, addr_key(to));

	for (; node; node = table_find_next(node)) {
		struct world_host *host = container_of(node, struct world_host, by_addr);

		if (addr_same_host(&host->addr, to))
			return host;
	}
	return NULL;
}

bool host_sim_owns(const struct world_host *host, const struct addr *to)
{
	return addr_is_loopback(to) || addr_same_host(&host->addr, to);
}

static void settle(struct world_host *host, const struct addr *addr)
{
	assert(addr->family != ADDR_NONE && !addr_is_any(addr) && !addr_is_loopback(addr));
	assert(!host_sim_find(host->world, addr)); /* two hosts never share one */
	host->addr = *addr;
	host->addr.port = 0;
	table_add(&host->world->hosts_by_addr, &host->by_addr, addr_key(addr));
}

int world_host_new(struct world_host **out, struct world *world, const struct addr *addr)
{
	struct world_host *host;

	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;

	host->world = world;
	host->number = world->host_count++;
	list_init(&host->held);
	list_init(&host->watches);
	settle(host, addr);
	list_add(&world->hosts, &host->link);
	*out = host;
	return 0;
}

void world_host_unplug(struct world_host *host)
{
	if (host->unplugged)
		return;

	table_remove(&host->world->hosts_by_addr, &host->by_addr);
	host->unplugged = true;
	host->addr = (struct addr){.family = ADDR_NONE};
	network_sim_changed(host);
}

void world_host_move(struct world_host *host, const struct addr *addr)
{
	if (!host->unplugged)
		table_remove(&host->world->hosts_by_addr, &host->by_addr);
	host->unplugged = false;
	settle(host, addr);
	network_sim_changed(host);
}

void world_host_down(struct world_host *host)
{
	host->down = true;
}

void world_host_up(struct world_host *host)
{
	host->down = false;
	while (!list_empty(&host->held)) {
		struct sim_event *event = container_of(host->held.next, struct sim_event, held);

		list_remove(&event->held);
		sim_event_start(host->world, event, event->due_ns);
	}
}

int world_way(struct impair **out, struct world_host *from, struct world_host *to)
{
	struct world *world = from->world;
	uint64_t key = from->number << HALF_BITS | to->number;
	uint64_t hash = random_derive(0, key); /* one to one */
	struct table_node *node = table_find(&world->ways, hash);
	struct way *way;
	int err;

	assert(from != to); /* within a host nothing is impaired */
	if (node) {
		*out = container_of(node, struct way, node)->impair;
		return 0;
	}
	way = calloc(1, sizeof(*way));
	if (!way)
		return -ENOMEM;

	err = impair_new(
		&way->impair, &world->impair, random_derive(world->config.seed, WAY_STREAMS | key));
	if (err) {
		free(way);
		return err;
	}
	table_add(&world->ways, &way->node, hash);
	list_add(&world->all_ways, &way->link);
	*out = way->impair;
	return 0;
}

void world_impair(struct world *world, const struct impair_config *config)
{
	world->impair = *config;
	list_each(link, &world->all_ways)
		impair_change(container_of(link, struct way, link)->impair, config);
}

static void add_counts(struct impair_counts *sum, const struct impair_counts *more)
{
	sum->asked += more->asked;
	sum->passed += more->passed;
	sum->lost += more->lost;
	sum->lost_in_bursts += more->lost_in_bursts;
	sum->cut += more->cut;
	sum->overflowed += more->overflowed;
	sum->duplicated += more->duplicated;
	sum->corrupted += more->corrupted;
	sum->overtaken += more->overtaken;
}

void world_counts(struct impair_counts *out, const struct world *world)
{
	*out = (struct impair_counts){0};
	list_each(link, &world->all_ways)
	{
		struct impair_counts counts;

		impair_counts(&counts, container_of(link, struct way, link)->impair);
		add_counts(out, &counts);
	}
}

int host_sim_init(struct world *world)
{
	int err;

	list_init(&world->hosts);
	list_init(&world->all_ways);
	list_init(&world->connections);
	list_init(&world->listeners);
	list_init(&world->all_names);
	err = table_init(&world->hosts_by_addr);
	if (!err)
		err = table_init(&world->sockets);
	if (!err)
		err = table_init(&world->ways);
	if (!err)
		err = table_init(&world->names);
	return err;
}

void host_sim_close(struct world *world)
{
	list_each(link, &world->all_ways)
	{
		struct way *way = container_of(link, struct way, link);

		impair_free(way->impair);
		free(way);
	}
	list_each(link, &world->hosts) free(container_of(link, struct world_host, link));
	table_close(&world->hosts_by_addr);
	table_close(&world->sockets);
	table_close(&world->ways);
	table_close(&world->names);
}
