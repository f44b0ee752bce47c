/*
 * What can be seen to be wrong with a script before it is run: all of it, line by line, with each
 * repeat once. It looks whether files are there. One thread.
 */
#pragma once

#include "cmd/script/script_step.h"

/* Makes what a script begins with: the variables of --var. -ENOMEM. */
int script_scope(struct scope **out, const struct options *options);

/* What its phones are like where it does not say otherwise: they use no device, so that a script
 * does everywhere what it does here. */
void script_defaults(
	struct options *out, const struct script *script, const struct options *options);

/*
 * Tells a phone's address to the lines that follow: ${NAME.uri}, ${NAME.address}, ${NAME.port}.
 * -ENOMEM.
 */
int script_set_address(struct scope *scope, const char *name, const struct addr *address);

/*
 * How often what stands in a repeat of count is taken in all, within others that are taken outer
 * times, to rounds. -EINVAL, with words in why: more than SCRIPT_ROUNDS_MAX.
 */
int script_rounds(unsigned *rounds, unsigned outer, unsigned count, struct fault *why);

/* Why step cannot be taken here although it can be read: words, or NULL. */
const char *script_misplaced(
	const struct script *script, const struct scope *scope, const struct step *step);

/* Appends "FILE:LINE: words", and the line with a caret. */
void script_put_mistake(struct text *out, const struct script *script,
	const struct script_line *line, size_t at, const char *words);

/* Hands each mistake, whole lines, to tell. Returns how many there are, or -ENOMEM. */
int script_check(const struct script *script, const struct options *options,
	void (*tell)(void *arg, struct slice lines), void *arg);
