/*
 * What a person dials, made into what the account's server is asked for: rules like "0. -> +49.",
 * of which the first that matches counts. Whoever makes one owns it; once made it does not change,
 * so that any thread may ask it.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"

#include <stdbool.h>

struct dialplan;

enum {
	DIALPLAN_NUMBER_MAX = 64, /* bytes of a number */
	DIALPLAN_RULES_MAX = 64,
	DIALPLAN_RULE_MAX = 128, /* bytes of a rule */
};

/* -ENOMEM. */
int dialplan_new(struct dialplan **out);

/* NULL is allowed. */
void dialplan_free(struct dialplan *plan);

/*
 * Appends a rule, "PATTERN -> REPLACEMENT". In PATTERN a digit, +, * and # stand for themselves, x
 * for any digit, [2-9] for one of these, and a dot at the end for one digit or more. In REPLACEMENT
 * the dot stands for all that was matched from the first x, bracket or dot of PATTERN on. -EINVAL
 * with words in why and the place, in bytes, in at; both may be NULL.
 */
int dialplan_add(struct dialplan *plan, struct slice rule, struct fault *why, size_t *at);

/*
 * Those who dial are in the country with that code, "49": behind all rules of dialplan_add() come
 * those by which numbers are dialled there, and its emergency numbers are known. Errors as above.
 */
int dialplan_set_country(struct dialplan *plan, struct slice code, struct fault *why, size_t *at);

/* Further emergency numbers, parted by commas. Errors as above. */
int dialplan_add_emergency(
	struct dialplan *plan, struct slice numbers, struct fault *why, size_t *at);

/*
 * Whether text is a number as people write it, "+49 (171) 234-5", and which that is, without what
 * parts its digits. out has room for DIALPLAN_NUMBER_MAX and a NUL.
 */
bool dialplan_read(struct text *out, struct slice text);

/*
 * Whether help is called by that number, which nothing is to change. Without a plan, or a country,
 * it is one of those that are known nearly everywhere.
 */
bool dialplan_is_emergency(const struct dialplan *plan, struct slice number);

/*
 * Appends what becomes of number: itself, if no rule matches or it is an emergency number. Returns
 * the rule, or NULL. plan may be NULL.
 */
const char *dialplan_apply(struct text *out, const struct dialplan *plan, struct slice number);
