#include "core/ua/policy.h"

/*
 * What was sent is heard later than BYE would be: it waits in the far end's jitter buffer, and a
 * codec holds a part of it back until the next frame. A third of a second is more than that.
 */
#define HEARD_NS UINT64_C(330000000)

struct policy_decision policy_incoming(
	const struct ua_policy *policy, const struct policy_state *state)
{
	if (state->closing)
		return (struct policy_decision){.refuse_code = 480};
	if (policy->max_calls > 0 && state->live >= policy->max_calls)
		return (struct policy_decision){.refuse_code = 486};
	if (policy->refuse_code != 0)
		return (struct policy_decision){.refuse_code = policy->refuse_code};
	if (policy->reject_anonymous && state->anonymous) /* RFC 5079, section 5 */
		return (struct policy_decision){.refuse_code = 433};
	if (policy->answer)
		return (struct policy_decision){.answer_after_ns = policy->answer_after_ns};
	if (policy->ring)
		return (struct policy_decision){.answer_after_ns = UINT64_MAX};
	/* one call is up, and nobody is there to choose */
	return (struct policy_decision){.refuse_code = 486};
}

uint64_t policy_source_ended(const struct ua_policy *policy)
{
	return policy->hangup_at_eof ? HEARD_NS : UINT64_MAX;
}
