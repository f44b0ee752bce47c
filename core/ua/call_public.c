/*
 * How the far end sees the sockets of a call's sound, where that may be otherwise than we do: a
 * STUN server tells before they are described.
 */
#include "core/ua/call_private.h"

/* RFC 1918, RFC 6598, RFC 3927; RFC 4193 and RFC 4291, section 2.5.6: what the public knows no way
 * to. */
static bool is_private(const struct addr *addr)
{
	static const struct {
		enum addr_family family;
		uint8_t ip[2], mask[2];
	} ranges[] = {
		{ADDR_IPV4, {10, 0}, {0xff, 0}},
		{ADDR_IPV4, {172, 16}, {0xff, 0xf0}},
		{ADDR_IPV4, {192, 168}, {0xff, 0xff}},
		{ADDR_IPV4, {100, 64}, {0xff, 0xc0}},
		{ADDR_IPV4, {169, 254}, {0xff, 0xff}},
		{ADDR_IPV6, {0xfc, 0}, {0xfe, 0}},
		{ADDR_IPV6, {0xfe, 0x80}, {0xff, 0xc0}},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (addr->family == ranges[i].family &&
			(addr->ip[0] & ranges[i].mask[0]) == ranges[i].ip[0] &&
			(addr->ip[1] & ranges[i].mask[1]) == ranges[i].ip[1])
			return true;
	return false;
}

/*
 * The address that our packets leave from is that of the route to the next hop of the call, and the
 * sockets are bound to it. A hop that is this host, or has a private address, is reached by that
 * route without the NAT that leads to the public: it can use the address of our own, and maybe no
 * other, for not every NAT sends back what comes to its outside from within.
 */
static bool needs_public(const struct call *call)
{
	const struct addr *hop = &call->flow.remote;

	return call->list->config->stun && !addr_is_loopback(hop) && !is_private(hop) &&
	       !addr_same_host(hop, &call->flow.local);
}

/* It may be silent, or refuse, or tell what nobody can send to. */
static void tell_unknown(struct call *call)
{
	struct fault words;
	struct ua_event event = {.kind = UA_NOTICE, .notice = {words.words}};

	fault_set(&words, 0,
		"the STUN server %s has no good answer; the call goes on with this machine's "
		"address",
		call->list->config->stun);
	call_emit(call, &event);
}

static void go_on(struct call *call)
{
	void (*next)(struct call * call) = call->learned;

	call->learned = NULL;
	if (call->state != CALL_ENDING && call->state != CALL_FINISHED)
		next(call);
}

/* A NAT may give RTCP any port (RFC 3605), but hardly another address. */
static void learned(void *arg, const struct addr *rtp, const struct addr *rtcp)
{
	struct call *call = arg;

	if (rtp->family == ADDR_NONE) {
		tell_unknown(call); /* whoever is told may hang up */
	} else {
		call->rtp = *rtp;
		if (addr_same_host(rtp, rtcp))
			negotiation_rtcp(&call->negotiation, rtcp->port);
	}
	go_on(call);
}

void call_learn(struct call *call, void (*next)(struct call *call))
{
	call->learned = next;
	negotiation_rtcp(&call->negotiation, 0);
	if (!needs_public(call) ||
		media_learn(call->media, call->list->config->stun, learned, call) != 0)
		go_on(call);
}
