#include "cmd/script/expect_private.h"

#include "cmd/words.h"

#include <jansson.h>
#include <stdlib.h>

enum { DIGITS = 12 }; /* of a number, as the reader of events prints it */

void expect_free(struct expectation *expectation)
{
	if (!expectation)
		return;

	for (size_t i = 0; i < expectation->count; i++)
		if (expectation->conditions[i].op == EXPECT_LIKE)
			regfree(&expectation->conditions[i].regex);
	free(expectation->room);
	free(expectation->strings);
	free(expectation);
}

enum expect_what expect_what(const struct expectation *expectation)
{
	return expectation->what;
}

bool expect_is_no(const struct expectation *expectation)
{
	return expectation->no;
}

double expect_hz(const struct expectation *expectation)
{
	return expectation->hz;
}

uint64_t expect_lasts(const struct expectation *expectation)
{
	return expectation->lasts_ns;
}

const char *expect_event(const struct expectation *expectation)
{
	return ua_event_name(expectation->kind);
}

uint64_t expect_limit(const struct expectation *expectation)
{
	return expectation->limit_ns;
}

bool expect_is(const struct expectation *expectation, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));

	return name && strcmp(name, ua_event_name(expectation->kind)) == 0;
}

/* A value as it is shown and held against a regular expression, for the caller to free(). */
static char *text_of(const json_t *value)
{
	char *dump;

	if (json_is_string(value))
		return slice_copy(slice_of(json_string_value(value)));

	dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS));
	return dump;
}

static bool text_fits(const struct expect_condition *condition, const json_t *value)
{
	char *text = text_of(value);
	bool fits = false;

	if (text && condition->op == EXPECT_LIKE)
		fits = regexec(&condition->regex, text, 0, NULL, 0) == 0;
	else if (text)
		fits = (strcmp(text, condition->value) == 0) == (condition->op == EXPECT_EQUAL);
	free(text);
	return fits;
}

static bool number_fits(const struct expect_condition *condition, double number)
{
	double off = number - condition->number;

	switch (condition->op) {
	case EXPECT_LESS:
		return off < 0;
	case EXPECT_AT_MOST:
		return off <= 0;
	case EXPECT_MORE:
		return off > 0;
	case EXPECT_AT_LEAST:
		return off >= 0;
	case EXPECT_NOT_EQUAL:
		return off < 0 || off > 0;
	case EXPECT_EQUAL:
	case EXPECT_LIKE:
		break;
	}
	return !(off < 0 || off > 0);
}

bool expect_level_fits(const struct expectation *expectation, double dbfs)
{
	return number_fits(&expectation->conditions[0], dbfs);
}

static bool condition_fits(const struct expect_condition *condition, const json_t *event)
{
	const json_t *value = json_object_get(event, condition->field);

	if (condition->op != EXPECT_LIKE && condition->is_number && json_is_number(value))
		return number_fits(condition, json_number_value(value));
	if (expect_is_ordered(condition->op))
		return false; /* what is no number is neither more nor less than one */
	return text_fits(condition, value);
}

bool expect_fits(const struct expectation *expectation, const json_t *event)
{
	if (!expect_is(expectation, event))
		return false;
	for (size_t i = 0; i < expectation->count; i++)
		if (!condition_fits(&expectation->conditions[i], event))
			return false;
	return true;
}

void expect_put_got(struct text *out, const struct expectation *expectation, const json_t *event)
{
	const char *glue = " with";

	text_puts(out, json_string_value(json_object_get(event, "event")));
	for (size_t i = 0; i < expectation->count; i++) {
		const char *field = expectation->conditions[i].field;
		const json_t *value = json_object_get(event, field);
		char *text = text_of(value);
		bool quoted = json_is_string(value);

		text_printf(out, "%s %s %s", glue, field, quoted ? "\"" : "");
		words_put(out, slice_of(text ? text : ""));
		text_puts(out, quoted ? "\"" : "");
		glue = ",";
		free(text);
	}
}
