#include "core/sip/flow.h"

#include "core/sip/registry.h"
#include "core/sip/transport.h"

#include <errno.h>

/* What is bound to the very address from which we would send goes before what is bound to any. */
int sip_stack_flow(struct sip_flow *out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *remote)
{
	struct sip_transport *best = NULL;
	struct addr route;
	int err = loop_route(&route, stack->loop, remote);

	list_each(link, &stack->transports)
	{
		struct sip_transport *transport = container_of(link, struct sip_transport, link);

		if (transport->carrier->kind != kind || transport->local.family != remote->family)
			continue;
		if (!best || (!err && addr_same_host(&transport->local, &route) &&
				     !addr_same_host(&best->local, &route)))
			best = transport;
	}
	if (!best)
		return -EAFNOSUPPORT;
	if (err)
		return err;
	return sip_transport_flow(out, best, remote);
}
