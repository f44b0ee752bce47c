#include "core/ua/lifeline.h"

#include "core/base/loop.h"
#include "core/sip/transport.h"
#include "core/ua/grant.h"

enum { UNANSWERED_MAX = 2 };

#define STABLE_NS (120 * NS_PER_S) /* what dies sooner would have us register for ever */

void lifeline_init(struct lifeline *lifeline, struct loop *loop, struct sip_stack *stack,
	const struct lifeline_events *events, void *arg)
{
	*lifeline = (struct lifeline){.loop = loop, .stack = stack, .events = events, .arg = arg};
}

void lifeline_stop(struct lifeline *lifeline)
{
	sip_keep_free(lifeline->keep);
	lifeline->keep = NULL;
}

/*
 * STUN and Via need not agree: a router on the way may rewrite one of them. What counts is that the
 * address is neither what the registrar has seen nor what STUN has said before.
 */
static void alive(void *arg, const struct addr *mapped)
{
	struct lifeline *lifeline = arg;
	bool known;

	lifeline->answered = true;
	lifeline->unanswered = 0;
	if (!mapped)
		return;
	known = addr_equal(mapped, &lifeline->seen) || addr_equal(mapped, &lifeline->mapped);
	lifeline->mapped = *mapped;
	if (!known)
		lifeline->events->moved(lifeline->arg, mapped);
}

/* Who has agreed to answer and never does, twice in a row, is not asked any more: he would be
 * registered with once a minute. */
static void dead(void *arg, int err)
{
	struct lifeline *lifeline = arg;
	uint64_t lived_ns = loop_now(lifeline->loop) - lifeline->since_ns;

	lifeline_stop(lifeline);
	if (err == -ETIMEDOUT && !lifeline->answered)
		lifeline->unanswered++;
	lifeline->short_lived = lived_ns < STABLE_NS ? lifeline->short_lived + 1 : 0;
	lifeline->since_ns = 0;
	lifeline->events->dead(lifeline->arg, err);
}

/* How it is to be kept; false: not at all. */
static bool choose(enum sip_keep_how *out, const struct lifeline *lifeline,
	const struct sip_flow *flow, const struct lifeline_need *need)
{
	bool alone = need->grant->outbound || need->natted || sip_flow_is_one_way(flow);
	bool asked = need->grant->answers && lifeline->unanswered < UNANSWERED_MAX;

	*out = SIP_KEEP_HELD;
	if (need->every_s == LIFELINE_NEVER)
		return alone && sip_flow_is_reliable(flow);
	if (asked)
		*out = SIP_KEEP_ASKED;
	else if (need->natted || need->every_s != LIFELINE_AUTO)
		*out = SIP_KEEP_TOLD;
	else
		return alone;
	return true;
}

/* The user's wish, unless the registrar wants more of it. */
static uint32_t pause_s(const struct lifeline_need *need)
{
	uint32_t granted_s = need->grant->keep_s;

	if (need->every_s == LIFELINE_AUTO || need->every_s == LIFELINE_NEVER)
		return granted_s;
	return granted_s > 0 && granted_s < need->every_s ? granted_s : need->every_s;
}

static bool is_same(const struct sip_flow *a, const struct sip_flow *b)
{
	return a->transport == b->transport && a->connection == b->connection &&
	       addr_equal(&a->remote, &b->remote);
}

void lifeline_start(
	struct lifeline *lifeline, const struct sip_flow *flow, const struct lifeline_need *need)
{
	static const struct sip_keep_events events = {.alive = alive, .dead = dead};
	struct sip_keep_config config = {.flow = flow, .every_s = pause_s(need)};

	lifeline_stop(lifeline);
	lifeline->seen = need->seen;
	if (lifeline->since_ns == 0 || !is_same(&lifeline->flow, flow)) {
		lifeline->since_ns = loop_now(lifeline->loop);
		lifeline->answered = false;
	}
	lifeline->flow = *flow;
	if (choose(&config.how, lifeline, flow, need))
		(void)sip_keep_new(&lifeline->keep, lifeline->stack, &config, &events, lifeline);
}

void lifeline_forget(struct lifeline *lifeline)
{
	lifeline->unanswered = 0;
	lifeline->short_lived = 0;
}
