/*
 * What a line of a script asks for, with the values that its variables have by then. Pure
 * functions, but that they look whether the files of sounds are there: any thread.
 */
#pragma once

#include "cmd/script/script.h"
#include "cmd/script/script_net.h"
#include "cmd/script/script_scope.h"
#include "cmd/settings/options.h"

/* What is read; of its members those that its kind has. Large: not for the stack. */
struct step {
	enum script_kind kind;
	struct slice name;      /* of a variable, or of a phone; empty: of none in particular */
	struct slice value;     /* of SET */
	struct options options; /* of PHONE; they borrow from the step */
	struct net_change net;
	unsigned count;      /* of REPEAT */
	const char *command; /* of COMMAND: the line without the phone */
	bool behind;         /* nobody waits for it */
	bool expects;        /* it is an expectation, of whatever it be */
	bool expects_end;    /* it expects that a call ends */
	struct expanded line;
	char room[SCRIPT_LINE_MAX + 1];                        /* of its words */
	char strings[SCRIPT_LINE_MAX + COMMAND_WORDS_MAX + 1]; /* the same, each with a NUL */
};

/*
 * Reads line. defaults: what a phone is like whose line does not say otherwise. -EINVAL with words
 * in why and at the place in the line.
 */
int step_read(struct step *out, const struct scope *scope, const struct options *defaults,
	const struct script_line *line, struct fault *why, size_t *at);

/* Whether a phone that is as options tell can hear and play so, in a script. -EINVAL, or what is
 * wrong with a file, with words in why. */
int step_check_sound(const struct options *options, struct fault *why);
