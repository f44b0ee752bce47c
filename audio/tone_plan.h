/*
 * What a telephone sounds like in which country, by the lists of the ITU. Plain values that never
 * change: any thread.
 */
#pragma once

#include "audio/tone_cadence.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stddef.h>

enum plan_tone {
	PLAN_RINGBACK,    /* it rings at the far end */
	PLAN_BUSY,        /* the far end is */
	PLAN_CONGESTION,  /* the call failed on its way; "reorder" in America */
	PLAN_INFORMATION, /* whoever was called cannot be reached there */
	PLAN_WAITING,     /* another call comes while this one is up */
	PLAN_RING,        /* the telephone itself, to whom a call comes */
	PLAN_TONES,
};

struct tone_plan;

/* The code of the country, lower case (ISO 3166-1), and its name in English. */
const char *tone_plan_country(const struct tone_plan *plan);
const char *tone_plan_name(const struct tone_plan *plan);

/* One for each country that is known, by their codes' order, and how many. */
const struct tone_plan *tone_plan_at(size_t i);
size_t tone_plan_count(void);

/* The one of Europe, which is also "eu": where no country is known. */
const struct tone_plan *tone_plan_default(void);

/*
 * The plan of the country with that code, in either case. -EINVAL, with words in why that name the
 * nearest or all.
 */
int tone_plan_parse(const struct tone_plan **out, struct slice country, struct fault *why);

/*
 * The plan of a locale's country ("de_CH.UTF-8": ch), the default one if it has none that is known.
 */
const struct tone_plan *tone_plan_of_locale(struct slice locale);

void tone_plan_cadence(struct tone_cadence *out, const struct tone_plan *plan, enum plan_tone tone);
