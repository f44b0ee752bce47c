/* What happens in a play, a line each, with its time from the play's beginning. One thread. */
#pragma once

#include "core/ua/event.h"
#include "tests/sim/play.h"

#include <stdio.h>

/* A SIP message by its first line, with its CSeq; sound by its header. */
void trace_wire(FILE *out, enum world_wire what, uint64_t at_ns, const struct addr *from,
	const struct addr *to, struct slice bytes);

void trace_event(FILE *out, uint64_t at_ns, char phone, const struct ua_event *event);

void trace_step(FILE *out, const struct play_step *step);
