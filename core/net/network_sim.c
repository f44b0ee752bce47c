/* The network of a simulated host, as its loops are told of it. */
#include "core/net/loop_sim_private.h"
#include "core/net/settle.h"

#include <errno.h>
#include <stdlib.h>

struct watch_sim {
	struct network_watch watch;
	struct list link; /* of its host */
	struct settle settle;
};

size_t network_sim_addresses(struct addr *out, size_t max, struct loop *loop)
{
	const struct world_host *host = sim_loop_of(loop)->host;

	if (max == 0 || host->unplugged || host->down)
		return 0;
	*out = host->addr;
	return 1;
}

static void end(struct network_watch *watch)
{
	struct watch_sim *self = container_of(watch, struct watch_sim, watch);

	settle_stop(&self->settle);
	list_remove(&self->link);
	free(self);
}

int network_sim_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	struct watch_sim *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->watch.end = end;
	settle_init(&self->settle, loop, changed, arg);
	list_add(&sim_loop_of(loop)->host->watches, &self->link);
	*out = &self->watch;
	return 0;
}

void network_sim_changed(struct world_host *host)
{
	list_each(link, &host->watches)
		settle_heed(&container_of(link, struct watch_sim, link)->settle);
}
