/*
 * Histories of two phones, a and b, written by hand to be shown to the checks of tests/sim: a line
 *a step, at so many milliseconds.
 *
 *	120 a< 200            a gets the 200 to INVITE; a> sends it, a- loses it on the way
 *	120 a! answered       a tells
 *	1000 a@               a's user hangs up
 *	1000 a% hold=1        or wants to hold, or with hold=0 no more
 *	2000 a#               a crashes
 *
 * Messages are named in a table in sim_history.c. Fields may stand behind: cseq=2 to=zz. A line
 * that is none fails the test. By TCP, what is lost on the way stays there.
 */
#pragma once

#include "tests/sim/checks.h"

struct history {
	struct checks *checks;
	bool tcp;
	uint64_t last_ns; /* of the last line */
};

/* Lines with a newline each. */
void history_play(struct history *history, const char *text);
