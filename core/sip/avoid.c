#include "core/sip/avoid.h"

#include "core/sip/registry.h"
#include "core/sip/transport.h"

static struct sip_avoided *find(struct sip_stack *stack, const struct sip_flow *flow)
{
	for (size_t i = 0; i < SIP_AVOID_MAX; i++) {
		struct sip_avoided *avoided = &stack->avoided[i];

		if (avoided->until_ns > 0 && avoided->kind == flow->transport->carrier->kind &&
			addr_equal(&avoided->addr, &flow->remote))
			return avoided;
	}
	return NULL;
}

/* A free one, or the one that is free next. */
static struct sip_avoided *take(struct sip_stack *stack)
{
	struct sip_avoided *first = &stack->avoided[0];

	for (size_t i = 1; i < SIP_AVOID_MAX; i++)
		if (stack->avoided[i].until_ns < first->until_ns)
			first = &stack->avoided[i];
	return first;
}

static void avoid(struct sip_stack *stack, const struct sip_flow *flow, uint64_t seconds)
{
	struct sip_avoided *avoided = find(stack, flow);

	if (!avoided)
		avoided = take(stack);
	*avoided = (struct sip_avoided){.kind = flow->transport->carrier->kind,
		.addr = flow->remote,
		.until_ns = loop_now(stack->loop) + seconds * NS_PER_S};
}

void sip_avoid(struct sip_stack *stack, const struct sip_flow *flow)
{
	avoid(stack, flow, SIP_AVOID_S);
}

void sip_avoid_busy(
	struct sip_stack *stack, const struct sip_flow *flow, const struct sip_msg *response)
{
	uint64_t seconds;

	if (!sip_msg_retry_after(&seconds, response, SIP_AVOID_MOST_S))
		seconds = SIP_AVOID_BUSY_S;
	avoid(stack, flow, seconds);
}

void sip_avoid_no_more(struct sip_stack *stack, const struct sip_flow *flow)
{
	struct sip_avoided *avoided = find(stack, flow);

	if (avoided)
		avoided->until_ns = 0;
}

static bool is_avoided(struct sip_stack *stack, const struct sip_flow *flow)
{
	const struct sip_avoided *avoided = find(stack, flow);

	return avoided && avoided->until_ns > loop_now(stack->loop);
}

void sip_avoid_sort(struct sip_stack *stack, struct sip_flow *flows, size_t count)
{
	size_t good = 0;

	for (size_t i = 0; i < count; i++) {
		struct sip_flow flow = flows[i];

		if (is_avoided(stack, &flow))
			continue;
		memmove(&flows[good + 1], &flows[good], (i - good) * sizeof(flow));
		flows[good++] = flow;
	}
}
