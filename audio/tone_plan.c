#include "audio/tone_plan.h"

#include "core/base/nearest.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>

enum {
	SHOWN = 60, /* bytes of what is no country */
	CODE_LEN = 2,
	RING_LOW_HZ = 800,
	RING_HIGH_HZ = 1000,
	RING_CHANGES = 20, /* a second, as the hammer of a bell that is rung at 20 or 25 Hz */
	RING_LOUDER_DB = 7,
};

struct tone_plan {
	const char *country;
	const char *name;
	struct tone_cadence tones[PLAN_RING]; /* INFORMATION may be empty: as CONGESTION */
};

#define ON(hz, on, off)                                                                            \
	{                                                                                          \
		{hz}, on, off, 1, 0, TONE_SUM                                                      \
	}
#define ON_2(hz_1, hz_2, on, off)                                                                  \
	{                                                                                          \
		{hz_1, hz_2}, on, off, 1, 0, TONE_SUM                                              \
	}
#define BEAT(hz_1, hz_2, on, off)                                                                  \
	{                                                                                          \
		{hz_1, hz_2}, on, off, 1, 0, TONE_BEAT                                             \
	}
#define TIMES(n, hz, on, off)                                                                      \
	{                                                                                          \
		{hz}, on, off, n, 0, TONE_SUM                                                      \
	}
#define SOFT(db, hz, on, off)                                                                      \
	{                                                                                          \
		{hz}, on, off, 1, db, TONE_SUM                                                     \
	}
#define TONE(...)                                                                                  \
	{                                                                                          \
		{__VA_ARGS__}, false, 0                                                            \
	}
#define ONCE(...)                                                                                  \
	{                                                                                          \
		{__VA_ARGS__}, true, 0                                                             \
	}

/* The special information tone as E.180 has it, and as many countries do. */
#define THREE TONE(ON(950, 330, 0), ON(1400, 330, 0), ON(1800, 330, 1000))
#define THREE_APART TONE(ON(950, 330, 30), ON(1400, 330, 30), ON(1800, 330, 1000))

/*
 * In milliseconds. From the ITU's list "Various tones used in national networks" (the annex of
 * 2003 to its Operational Bulletin 781, which followed Supplement 2 of 1994 to E.180); where that
 * has nothing, from the 1994 one, or as the row says. Of countries that list several exchanges,
 * the digital ones.
 */
/* clang-format off */
static const struct tone_plan plans[] = {
	{"at", "Austria", {
		[PLAN_RINGBACK] = TONE(ON(420, 1000, 5000)),
		[PLAN_BUSY] = TONE(ON(420, 400, 400)),
		[PLAN_CONGESTION] = TONE(ON(420, 200, 200)),
		[PLAN_INFORMATION] = TONE(ON(950, 330, 0), ON(1450, 330, 0), ON(1850, 330, 1000)),
		[PLAN_WAITING] = TONE(ON(420, 40, 1960)),
	}},
	{"au", "Australia", { /* ACIF S002:2001 */
		[PLAN_RINGBACK] = TONE(ON_2(413, 438, 400, 200), ON_2(413, 438, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(425, 375, 375)),
		[PLAN_CONGESTION] = TONE(ON(425, 375, 375), SOFT(10, 425, 375, 375)),
		[PLAN_INFORMATION] = TONE(ON(425, 2500, 500)),
		[PLAN_WAITING] = TONE(ON(425, 200, 200), ON(425, 200, 4400)),
	}},
	{"be", "Belgium", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 3000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 167, 167)),
		[PLAN_INFORMATION] = TONE(ON(900, 330, 0), ON(1400, 330, 0), ON(1800, 330, 1000)),
		[PLAN_WAITING] = TONE(ON(1400, 175, 175), ON(1400, 175, 3500)),
	}},
	{"bg", "Bulgaria", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 250, 250)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 150, 150), ON(425, 150, 4000)),
	}},
	{"br", "Brazil", { /* no information tone; congestion: the 1994 list's "unobtainable" */
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 250, 250)),
		[PLAN_CONGESTION] = TONE(ON(425, 750, 250), ON(425, 250, 250)),
		[PLAN_WAITING] = TONE(ON(425, 50, 1000)),
	}},
	{"ca", "Canada", {
		[PLAN_RINGBACK] = TONE(ON_2(440, 480, 2000, 4000)),
		[PLAN_BUSY] = TONE(ON_2(480, 620, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON_2(480, 620, 250, 250)),
		[PLAN_INFORMATION] = ONCE(ON(950, 330, 0), ON(1400, 330, 0), ON(1800, 330, 0)),
		[PLAN_WAITING] = TONE(ON(440, 300, 10000)),
	}},
	{"ch", "Switzerland", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 200), ON(425, 200, 4000)),
	}},
	{"cn", "China", {
		[PLAN_RINGBACK] = TONE(ON(450, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(450, 350, 350)),
		[PLAN_CONGESTION] = TONE(ON(450, 700, 700)),
		[PLAN_INFORMATION] = TONE(TIMES(3, 450, 100, 100), ON(450, 400, 400)),
		[PLAN_WAITING] = TONE(ON(450, 400, 4000)),
	}},
	{"cz", "Czechia", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 330, 330)),
		[PLAN_CONGESTION] = TONE(ON(425, 165, 165)),
		[PLAN_INFORMATION] = THREE_APART,
		[PLAN_WAITING] = TONE(ON(425, 330, 9000)),
	}},
	{"de", "Germany", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 480, 480)),
		[PLAN_CONGESTION] = TONE(ON(425, 240, 240)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 200), ON(425, 200, 5000)),
	}},
	{"dk", "Denmark", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = ONCE(ON(425, 200, 600), ON(425, 200, 3000), ON(425, 200, 200),
			ON(425, 200, 0)),
	}},
	{"es", "Spain", {
		[PLAN_RINGBACK] = TONE(ON(425, 1500, 3000)),
		[PLAN_BUSY] = TONE(ON(425, 200, 200)),
		[PLAN_CONGESTION] = TONE(TIMES(2, 425, 200, 200), ON(425, 200, 600)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 175, 175), ON(425, 175, 3500)),
	}},
	/* What the CEPT agreed on, and mobile telephones have (3GPP TS 22.001, F.2.3). */
	{"eu", "Europe", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 600), ON(425, 200, 3000)),
	}},
	{"fi", "Finland", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 300, 300)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 150, 150), ON(425, 150, 8000)),
	}},
	{"fr", "France", { /* congestion: in neither list; as fast as elsewhere */
		[PLAN_RINGBACK] = TONE(ON(440, 1500, 3500)),
		[PLAN_BUSY] = TONE(ON(440, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(440, 250, 250)),
		[PLAN_INFORMATION] = TONE(ON(950, 300, 30), ON(1400, 300, 30), ON(1800, 300, 1000)),
		[PLAN_WAITING] = TONE(ON(440, 300, 10000)),
	}},
	{"gb", "United Kingdom", { /* and BT SIN 350 */
		[PLAN_RINGBACK] = TONE(ON_2(400, 450, 400, 200), ON_2(400, 450, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(400, 375, 375)),
		[PLAN_CONGESTION] = TONE(ON(400, 400, 350), ON(400, 225, 525)),
		[PLAN_INFORMATION] = TONE(ON(950, 330, 15), ON(1400, 330, 15), ON(1800, 330, 1000)),
		[PLAN_WAITING] = TONE(ON(400, 100, 4000)),
	}},
	{"gr", "Greece", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 300, 300)),
		[PLAN_CONGESTION] = TONE(ON(425, 150, 150)),
		[PLAN_INFORMATION] = TONE(ON(950, 330, 0), ON(1450, 330, 0), ON(1800, 330, 1000)),
		[PLAN_WAITING] = TONE(ON(425, 300, 10000)),
	}},
	{"hk", "Hong Kong", { /* information: the list's "unobtainable", which never pauses */
		[PLAN_RINGBACK] = TONE(ON_2(440, 480, 400, 200), ON_2(440, 480, 400, 3000)),
		[PLAN_BUSY] = TONE(ON_2(480, 620, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON_2(480, 620, 250, 250)),
		[PLAN_INFORMATION] = ONCE(ON_2(480, 620, 3000, 0)),
		[PLAN_WAITING] = TONE(TIMES(2, 440, 500, 500), ON(440, 500, 8000)),
	}},
	{"hu", "Hungary", {
		[PLAN_RINGBACK] = TONE(ON(425, 1250, 3750)),
		[PLAN_BUSY] = TONE(ON(425, 300, 300)),
		[PLAN_CONGESTION] = TONE(ON(425, 300, 300)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 40, 1960)),
	}},
	{"ie", "Ireland", { /* congestion and call waiting: in neither list; as in Europe */
		[PLAN_RINGBACK] = TONE(ON_2(400, 450, 400, 200), ON_2(400, 450, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 600), ON(425, 200, 3000)),
	}},
	{"in", "India", { /* information: in neither list; E.180's */
		[PLAN_RINGBACK] = TONE(BEAT(400, 25, 400, 200), BEAT(400, 25, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(400, 750, 750)),
		[PLAN_CONGESTION] = TONE(ON(400, 250, 250)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(400, 200, 100), ON(400, 200, 7500)),
	}},
	{"it", "Italy", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 400, 100), ON(425, 250, 100), ON(425, 150, 14000)),
	}},
	{"jp", "Japan", { /* 384 and 416 Hz: what 400 Hz is that 16 Hz turns on and off */
		[PLAN_RINGBACK] = TONE(ON_2(384, 416, 1000, 2000)),
		[PLAN_BUSY] = TONE(ON(400, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(400, 500, 500)),
		[PLAN_INFORMATION] = TONE(ON(400, 100, 100)),
		[PLAN_WAITING] = TONE(ON_2(384, 416, 500, 4000), ON(400, 50, 450), ON(400, 50, 3450)),
	}},
	{"mx", "Mexico", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 250, 250)),
		[PLAN_CONGESTION] = TONE(ON(425, 250, 250)),
		[PLAN_INFORMATION] = THREE_APART,
		[PLAN_WAITING] = TONE(ON(425, 200, 600), ON(425, 200, 10000)),
	}},
	{"nl", "Netherlands", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 250, 250)),
		[PLAN_INFORMATION] = TONE(ON(950, 333, 0), ON(1400, 333, 0), ON(1800, 333, 1000)),
		[PLAN_WAITING] = TONE(ON(425, 500, 9500)),
	}},
	{"no", "Norway", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 600), ON(425, 200, 10000)),
	}},
	{"nz", "New Zealand", { /* and Telecom's PTC 102; information: its "unobtainable" */
		[PLAN_RINGBACK] = TONE(ON_2(400, 450, 400, 200), ON_2(400, 450, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(400, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(400, 250, 250)),
		[PLAN_INFORMATION] = TONE(TIMES(3, 400, 750, 100), ON(400, 750, 400)),
		[PLAN_WAITING] = ONCE(TIMES(3, 400, 200, 3000), ON(400, 200, 0)),
	}},
	{"pl", "Poland", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 500, 500)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 150, 150), ON(425, 150, 4000)),
	}},
	{"pt", "Portugal", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 5000)),
		[PLAN_BUSY] = TONE(ON(425, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(425, 200, 200)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 200), ON(425, 200, 5000)),
	}},
	{"ru", "Russia", { /* GOST 45.223-2001 */
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 4000)),
		[PLAN_BUSY] = TONE(ON(425, 350, 350)),
		[PLAN_CONGESTION] = TONE(ON(425, 175, 175)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE(ON(425, 200, 5000)),
	}},
	{"se", "Sweden", {
		[PLAN_RINGBACK] = TONE(ON(425, 1000, 5000)),
		[PLAN_BUSY] = TONE(ON(425, 250, 250)),
		[PLAN_CONGESTION] = TONE(ON(425, 250, 750)),
		[PLAN_INFORMATION] = TONE(ON(950, 332, 24), ON(1400, 332, 24), ON(1800, 332, 2024)),
		[PLAN_WAITING] = TONE(ON(425, 200, 500), ON(425, 200, 9100)),
	}},
	{"sg", "Singapore", { /* and IDA TS PSTN1 */
		[PLAN_RINGBACK] = TONE(BEAT(425, 24, 400, 200), BEAT(425, 24, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(425, 750, 750)),
		[PLAN_CONGESTION] = TONE(ON(425, 250, 250)),
		[PLAN_INFORMATION] = TONE(ON(425, 2500, 500)),
		[PLAN_WAITING] = TONE(BEAT(425, 24, 300, 200), BEAT(425, 24, 300, 3200)),
	}},
	{"tr", "Turkey", { /* information: the list's "unobtainable" */
		[PLAN_RINGBACK] = TONE(ON(450, 2000, 4000)),
		[PLAN_BUSY] = TONE(ON(450, 500, 500)),
		[PLAN_CONGESTION] = TONE(TIMES(3, 450, 200, 200), ON(450, 600, 200)),
		[PLAN_INFORMATION] = TONE(ON(450, 200, 200)),
		[PLAN_WAITING] = TONE(ON(450, 200, 600), ON(450, 200, 8000)),
	}},
	{"us", "United States", {
		[PLAN_RINGBACK] = TONE(ON_2(440, 480, 2000, 4000)),
		[PLAN_BUSY] = TONE(ON_2(480, 620, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON_2(480, 620, 250, 250)),
		[PLAN_INFORMATION] = ONCE(ON(950, 330, 0), ON(1400, 330, 0), ON(1800, 330, 0)),
		[PLAN_WAITING] = TONE(ON(440, 300, 10000)),
	}},
	{"za", "South Africa", {
		[PLAN_RINGBACK] = TONE(BEAT(400, 33, 400, 200), BEAT(400, 33, 400, 2000)),
		[PLAN_BUSY] = TONE(ON(400, 500, 500)),
		[PLAN_CONGESTION] = TONE(ON(400, 250, 250)),
		[PLAN_INFORMATION] = THREE,
		[PLAN_WAITING] = TONE({{400, 33}, 250, 250, 3, 0, TONE_BEAT}, BEAT(400, 33, 250, 7250)),
	}},
};
/* clang-format on */

enum { COUNT = sizeof(plans) / sizeof(plans[0]) };

const char *tone_plan_country(const struct tone_plan *plan)
{
	return plan->country;
}

const char *tone_plan_name(const struct tone_plan *plan)
{
	return plan->name;
}

const struct tone_plan *tone_plan_at(size_t i)
{
	assert(i < COUNT);
	return &plans[i];
}

size_t tone_plan_count(void)
{
	return COUNT;
}

static const struct tone_plan *find(struct slice country)
{
	for (size_t i = 0; i < COUNT; i++)
		if (slice_is_nocase(country, plans[i].country))
			return &plans[i];
	return NULL;
}

const struct tone_plan *tone_plan_default(void)
{
	return find(slice_of("eu"));
}

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return plans[i].name;
}

static int fault_unknown(struct fault *why, struct slice country)
{
	struct slice shown = {country.data, country.len < SHOWN ? country.len : SHOWN};
	const char *near = NULL;
	char room[FAULT_SIZE];
	struct text words = TEXT_IN(room);

	text_puts(&words, "no country ");
	text_put_escaped(&words, shown);
	text_puts(&words, shown.len < country.len ? "..." : "");
	if (country.len > CODE_LEN) /* any two codes are alike, but names are not */
		near = nearest_name(country, COUNT, name_at, NULL);
	for (size_t i = 0; i < COUNT && near; i++)
		if (plans[i].name == near)
			text_printf(&words, "; did you mean %s?", plans[i].country);
	text_puts(&words, near ? "" : "; there are");
	for (size_t i = 0; i < COUNT && !near; i++)
		text_printf(&words, " %s", plans[i].country);
	return fault_set(why, -EINVAL, "%s", words.data);
}

int tone_plan_parse(const struct tone_plan **out, struct slice country, struct fault *why)
{
	const struct tone_plan *plan = find(country);

	if (!plan)
		return fault_unknown(why, country);

	*out = plan;
	return 0;
}

const struct tone_plan *tone_plan_of_locale(struct slice locale)
{
	const struct tone_plan *plan = NULL;
	struct slice language, country;

	if (slice_cut(&language, &locale, '_') && locale.len >= CODE_LEN) {
		country = (struct slice){locale.data, CODE_LEN};
		if (locale.len == CODE_LEN || locale.data[CODE_LEN] == '.' ||
			locale.data[CODE_LEN] == '@')
			plan = find(country);
	}
	return plan ? plan : tone_plan_default();
}

/* A telephone rings as its ring-back sounds: its bursts and pauses, at another pitch. */
static void make_ring(struct tone_cadence *out, const struct tone_cadence *ringback)
{
	*out = *ringback;
	out->louder_db = RING_LOUDER_DB;
	for (size_t i = 0; i < TONE_BURSTS_MAX && out->bursts[i].on_ms > 0; i++) {
		struct tone_burst *burst = &out->bursts[i];

		burst->hz[0] = RING_LOW_HZ;
		burst->hz[1] = RING_HIGH_HZ;
		burst->hz[2] = RING_CHANGES;
		burst->blend = TONE_WARBLE;
	}
}

void tone_plan_cadence(struct tone_cadence *out, const struct tone_plan *plan, enum plan_tone tone)
{
	if (tone == PLAN_RING) {
		make_ring(out, &plan->tones[PLAN_RINGBACK]);
		return;
	}
	*out = plan->tones[tone];
	if (out->bursts[0].on_ms == 0) {
		assert(tone == PLAN_INFORMATION);
		*out = plan->tones[PLAN_CONGESTION];
	}
}
