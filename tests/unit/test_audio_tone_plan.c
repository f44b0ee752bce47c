/* audio/tone_plan: each country's tones are sound and tell different things; who is who. */
#include "audio/tone_plan.h"

#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct tone_plan *plan_of(const char *country)
{
	const struct tone_plan *plan = NULL;
	struct fault why;

	if (tone_plan_parse(&plan, slice_of(country), &why))
		fail_msg("%s", why.words);
	return plan;
}

static struct tone_cadence cadence_of(const char *country, enum plan_tone tone)
{
	struct tone_cadence cadence;

	tone_plan_cadence(&cadence, plan_of(country), tone);
	return cadence;
}

static void test_countries(void **state)
{
	static const char *const wanted[] = {"at", "au", "be", "br", "ca", "ch", "cn", "cz", "de",
		"dk", "es", "fi", "fr", "gb", "ie", "in", "it", "jp", "nl", "no", "nz", "pl", "pt",
		"se", "us"};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_string_equal(tone_plan_country(plan_of(wanted[i])), wanted[i]);
	for (size_t i = 0; i < tone_plan_count(); i++) {
		const char *country = tone_plan_country(tone_plan_at(i));

		assert_int_equal(strlen(country), 2);
		assert_true(islower(country[0]) && islower(country[1]));
		assert_true(strlen(tone_plan_name(tone_plan_at(i))) > 3);
		if (i > 0)
			assert_true(strcmp(tone_plan_country(tone_plan_at(i - 1)), country) < 0);
	}
	assert_ptr_equal(plan_of("DE"), plan_of("de"));
	assert_ptr_equal(plan_of("eu"), tone_plan_default());
}

/* A burst that can be heard as what it is to be: E.180 knows none shorter or longer. */
static bool is_sane(const struct tone_burst *burst, enum plan_tone tone)
{
	uint16_t lowest = burst->blend == TONE_BEAT ? burst->hz[1] : 300;

	if (burst->on_ms < (tone == PLAN_WAITING ? 40 : 100) || burst->on_ms > 3000 ||
		burst->off_ms > 15000)
		return false;
	if (tone != PLAN_RINGBACK && tone != PLAN_RING && tone != PLAN_WAITING &&
		burst->off_ms > 2500)
		return false;
	return burst->hz[0] >= 350 && burst->hz[0] <= 1900 &&
	       (burst->hz[1] == 0 || (burst->hz[1] >= lowest && burst->hz[1] <= 1900));
}

static unsigned length_ms(const struct tone_cadence *cadence)
{
	unsigned ms = 0;

	for (size_t i = 0; i < TONE_BURSTS_MAX && cadence->bursts[i].on_ms > 0; i++) {
		const struct tone_burst *burst = &cadence->bursts[i];

		assert_true(burst->times > 0);
		ms += burst->times * (unsigned)(burst->on_ms + burst->off_ms);
	}
	return ms;
}

static void check(const struct tone_plan *plan, enum plan_tone tone)
{
	struct tone_cadence cadence;
	struct source *source;

	tone_plan_cadence(&cadence, plan, tone);
	for (size_t i = 0; i < TONE_BURSTS_MAX && cadence.bursts[i].on_ms > 0; i++)
		if (!is_sane(&cadence.bursts[i], tone))
			fail_msg("%s, tone %d, burst %zu", tone_plan_country(plan), tone, i);
	if (length_ms(&cadence) < 200 || length_ms(&cadence) > 16000)
		fail_msg("%s, tone %d: %u ms", tone_plan_country(plan), tone, length_ms(&cadence));
	assert_int_equal(tone_cadence_new(&source, &cadence, 8000), 0);
	source_free(source);
}

static void test_sanity(void **state)
{
	(void)state;
	for (size_t i = 0; i < tone_plan_count(); i++) {
		const struct tone_plan *plan = tone_plan_at(i);
		struct tone_cadence ringback, busy;

		for (int tone = 0; tone < PLAN_TONES; tone++)
			check(plan, (enum plan_tone)tone);
		tone_plan_cadence(&ringback, plan, PLAN_RINGBACK);
		tone_plan_cadence(&busy, plan, PLAN_BUSY);
		/* nobody takes the one for the other */
		assert_in_range(length_ms(&ringback), 3000, 6000);
		assert_in_range(length_ms(&busy), 300, 1500);
		assert_false(ringback.ends || busy.ends);
	}
}

struct value {
	const char *country;
	enum plan_tone tone;
	uint16_t hz[2];
	uint16_t on_ms, off_ms; /* of the first burst */
	unsigned length_ms;     /* of all */
};

/* Read from the lists once more. */
static const struct value values[] = {
	{"de", PLAN_RINGBACK, {425}, 1000, 4000, 5000},
	{"de", PLAN_BUSY, {425}, 480, 480, 960},
	{"de", PLAN_CONGESTION, {425}, 240, 240, 480},
	{"de", PLAN_INFORMATION, {950}, 330, 0, 1990},
	{"gb", PLAN_RINGBACK, {400, 450}, 400, 200, 3000},
	{"gb", PLAN_BUSY, {400}, 375, 375, 750},
	{"gb", PLAN_CONGESTION, {400}, 400, 350, 1500},
	{"us", PLAN_RINGBACK, {440, 480}, 2000, 4000, 6000},
	{"us", PLAN_BUSY, {480, 620}, 500, 500, 1000},
	{"us", PLAN_CONGESTION, {480, 620}, 250, 250, 500},
	{"fr", PLAN_RINGBACK, {440}, 1500, 3500, 5000},
	{"es", PLAN_CONGESTION, {425}, 200, 200, 1600},
	{"jp", PLAN_RINGBACK, {384, 416}, 1000, 2000, 3000},
	{"nz", PLAN_INFORMATION, {400}, 750, 100, 3700},
	{"tr", PLAN_CONGESTION, {450}, 200, 200, 2000},
	{"br", PLAN_INFORMATION, {425}, 750, 250, 1500}, /* none of its own: as congestion */
	{"se", PLAN_CONGESTION, {425}, 250, 750, 1000},
	{"eu", PLAN_BUSY, {425}, 500, 500, 1000},
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct tone_cadence cadence = cadence_of(values[i].country, values[i].tone);
		const struct tone_burst *burst = &cadence.bursts[0];

		if (burst->hz[0] != values[i].hz[0] || burst->hz[1] != values[i].hz[1] ||
			burst->on_ms != values[i].on_ms || burst->off_ms != values[i].off_ms ||
			length_ms(&cadence) != values[i].length_ms)
			fail_msg("row %zu", i);
	}
}

/* A telephone rings in the rhythm of its country, louder, and not at the pitch of a network. */
static void test_ring(void **state)
{
	struct tone_cadence ring = cadence_of("gb", PLAN_RING);

	(void)state;
	assert_int_equal(length_ms(&ring), 3000);
	assert_int_equal(ring.bursts[1].on_ms, 400);
	assert_int_equal(ring.bursts[1].off_ms, 2000);
	assert_int_equal(ring.bursts[1].blend, TONE_WARBLE);
	assert_true(ring.louder_db > 0);
	assert_int_equal(ring.bursts[2].on_ms, 0);
}

static void test_locales(void **state)
{
	static const struct {
		const char *locale, *country;
	} rows[] = {
		{"de_DE.UTF-8", "de"},
		{"de_CH", "ch"},
		{"fr_BE@euro", "be"},
		{"en_US.ISO-8859-1@x", "us"},
		{"", "eu"},
		{"C", "eu"},
		{"C.UTF-8", "eu"},
		{"POSIX", "eu"},
		{"de", "eu"},
		{"de_", "eu"},
		{"de_D", "eu"},
		{"de_DEU", "eu"},
		{"de_XX.UTF-8", "eu"},
		{"es_419", "eu"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tone_plan *plan = tone_plan_of_locale(slice_of(rows[i].locale));

		if (strcmp(tone_plan_country(plan), rows[i].country) != 0)
			fail_msg("%s: %s", rows[i].locale, tone_plan_country(plan));
	}
}

static void test_unknown(void **state)
{
	static const char list[] = "; there are at au be bg br ca ch cn cz de dk es eu fi fr gb gr "
				   "hk hu ie in it jp mx nl no nz pl pt ru se sg tr us za";
	static const struct {
		const char *country, *words;
	} rows[] = {
		{"xx", "no country xx"},
		{"uk", "no country uk"},
		{"", "no country "},
		{"\x1b", "no country \\x1b"},
		{"germany", "no country germany; did you mean de?"},
		{"Gremany", "no country Gremany; did you mean de?"},
		{"united k", "no country united k; did you mean gb?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tone_plan *plan = NULL;
		char expected[FAULT_SIZE];
		struct text text = TEXT_IN(expected);
		struct fault why;

		text_puts(&text, rows[i].words);
		text_puts(&text, strchr(rows[i].words, ';') ? "" : list);
		assert_int_equal(tone_plan_parse(&plan, slice_of(rows[i].country), &why), -EINVAL);
		assert_string_equal(why.words, expected);
		assert_null(plan);
	}
}

static void test_huge(void **state)
{
	static char huge[100000];
	const struct tone_plan *plan;
	struct fault why;

	(void)state;
	memset(huge, '\x1b', sizeof(huge) - 1);
	assert_int_equal(tone_plan_parse(&plan, slice_of(huge), &why), -EINVAL);
	assert_non_null(strstr(why.words, "\\x1b...; there are at"));
	assert_non_null(strstr(why.words, " za"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_sanity),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_locales),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests_name("audio/tone_plan", tests, NULL, NULL);
}
