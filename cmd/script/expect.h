/*
 * What a script expects to happen: an event with fields that are as they should be, or a sound.
 * Reading it and holding events against it; cmd/commands/expect.c waits. Whoever reads one owns it.
 * One thread at a time.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/ua/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expectation;
struct json_t; /* of jansson */

enum expect_what {
	EXPECT_EVENT,
	EXPECT_TONE, /* is heard */
	EXPECT_SILENCE,
	EXPECT_LEVEL,
};

/*
 * Reads text, what stands behind "expect": "call.ended code == 486 within 5s", "rx.tone 440".
 * -EINVAL with words in why and at the place in text; -ENOMEM.
 */
int expect_read(struct expectation **out, struct slice text, struct fault *why, size_t *at);

/* Whether text, which can be read so, expects an event of that kind to come. */
bool expect_is_of(struct slice text, enum ua_event_kind kind);

/* NULL is allowed. */
void expect_free(struct expectation *expectation);

enum expect_what expect_what(const struct expectation *expectation);

/* Whether it is not to come within the limit. */
bool expect_is_no(const struct expectation *expectation);

/* Of TONE. */
double expect_hz(const struct expectation *expectation);

/* Of SILENCE: how long it is to last, ns. */
uint64_t expect_lasts(const struct expectation *expectation);

/* Of LEVEL. */
bool expect_level_fits(const struct expectation *expectation, double dbfs);

/* Of EVENT: its name. */
const char *expect_event(const struct expectation *expectation);

/* How long to wait. */
uint64_t expect_limit(const struct expectation *expectation);

/* Whether event, as json_make() has it, is of that name. */
bool expect_is(const struct expectation *expectation, const struct json_t *event);

/* Whether its fields are as they should be, too. */
bool expect_fits(const struct expectation *expectation, const struct json_t *event);

/* Appends the name of event and those of its fields that were asked for: "call.ended with code 200,
 * cause "local"". */
void expect_put_got(
	struct text *out, const struct expectation *expectation, const struct json_t *event);
