/* How a call has ended, for tables that tell what follows from it. Plain values: any thread. */
#pragma once

#include "core/ua/event.h"

enum ending_answered { NO, YES, EITHER };

enum { ANY_CODE = 0 };

/* What a row asks for. */
struct ending {
	enum ua_cause cause;
	enum ending_answered answered;
	uint16_t code;
};

/* event: a UA_CALL_ENDED. */
static inline bool ending_fits(const struct ending *ending, const struct ua_event *event)
{
	return ending->cause == event->ended.cause &&
	       (ending->answered == EITHER || (ending->answered == YES) == event->ended.answered) &&
	       (ending->code == ANY_CODE || ending->code == event->ended.code);
}
