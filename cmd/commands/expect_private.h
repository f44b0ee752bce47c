/* What the two halves of the command expect share, and with nobody else. */
#pragma once

#include "cmd/command.h"
#include "cmd/script/expect.h"
#include "core/base/loop.h"

struct inbox;

struct waiting {
	struct command_run *run;
	struct expectation *expectation;
	struct inbox *inbox;
	struct timer timer;
	uint64_t begin_ns;

	/* Of a sound. */
	bool listens;      /* for a tone, in run->call */
	bool heard;        /* a meter has told something */
	double loudest;    /* dBFS, of all that was heard */
	double last;       /* and of the last tenth of a second */
	uint64_t quiet_ns; /* since when it is silent */
};

double waited_s(const struct waiting *waiting);

/* Looks at an event, or NULL, for a sound that is expected; over: nothing more is waited for. */
enum command_state look_at_sound(struct waiting *waiting, const struct ua_event *event, bool over);

/* No tone is listened for any more. */
void stop_listening(struct waiting *waiting);
