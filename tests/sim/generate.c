/* Plays by chance: what a telephone network goes through on a bad day, in half a minute. */
#include "core/base/random.h"
#include "tests/sim/play.h"

#include <assert.h>
#include <stdio.h>

enum {
	CALLS_MIN = 20,
	CALLS_MAX = 50,
	MEDIA_CALLS = 3,
};

#define SPAN_NS (30 * NS_PER_S)
#define MEDIA_SPAN_NS (4 * NS_PER_S)

/* One draw an expression: what C leaves open about their order must not matter. */
static unsigned below(struct random *chance, unsigned bound)
{
	return (unsigned)random_below(chance, bound);
}

static bool percent(struct random *chance, unsigned share)
{
	return below(chance, 100) < share;
}

/* A time up to most_ns, in units that read well. */
static uint64_t some_time(struct random *chance, uint64_t most_ns)
{
	uint64_t unit = most_ns >= NS_PER_S ? NS_PER_MS : 10 * NS_PER_US;

	return random_below(chance, most_ns / unit + 1) * unit;
}

static uint32_t some_share(struct random *chance, unsigned most_percent)
{
	return below(chance, most_percent * 10 + 1) * (IMPAIR_ALWAYS / 1000);
}

static struct play_step *add(struct play *play, uint64_t at_ns, unsigned who, enum play_verb verb)
{
	struct play_step *step = &play->steps[play->step_count];

	assert(play->step_count < PLAY_STEPS_MAX);
	play->step_count++;
	*step = (struct play_step){.at_ns = at_ns, .who = who, .verb = verb};
	return step;
}

static struct impair_config some_net(struct random *chance, bool media)
{
	struct impair_config net = {0};

	if (percent(chance, 80))
		net.loss = some_share(chance, media ? 10 : 30);
	if (percent(chance, 50))
		net.duplicates = some_share(chance, 10);
	if (percent(chance, 50))
		net.delay_ns = some_time(chance, 200 * NS_PER_MS);
	if (percent(chance, 60)) {
		net.jitter_ns = some_time(chance, (media ? 50 : 400) * NS_PER_MS);
		net.spread = (enum impair_spread)below(chance, 3);
		net.reorders = percent(chance, 60);
	}
	if (percent(chance, 15)) {
		net.burst_begins = some_share(chance, 5);
		net.burst_ends = some_share(chance, 50) + IMPAIR_ALWAYS / 20;
		net.burst_loss = some_share(chance, 100);
	}
	if (percent(chance, 10))
		net.corrupts = some_share(chance, 5);
	return net;
}

static struct impair_config good_net(struct random *chance)
{
	struct impair_config net = {.delay_ns = some_time(chance, 50 * NS_PER_MS)};

	if (percent(chance, 50))
		net.jitter_ns = some_time(chance, 20 * NS_PER_MS);
	return net;
}

static void make_phone(struct play_phone *phone, struct random *chance, bool media)
{
	static const uint16_t codes[] = {302, 404, 480, 486, 488, 500, 503, 600, 603};
	static const char *const mics[] = {"tone:440", "silence", "loop"};

	*phone = (struct play_phone){0};
	if (media || percent(chance, 75)) {
		phone->answers = true;
		if (percent(chance, 75))
			phone->after_ns = some_time(chance, 2 * NS_PER_S);
		else if (!media && percent(chance, 25))
			phone->after_ns = 60 * NS_PER_S; /* nobody is there */
	} else if (percent(chance, 60)) {
		phone->refuses = codes[below(chance, sizeof(codes) / sizeof(codes[0]))];
	}
	if (percent(chance, 60))
		phone->lasts_ns = some_time(chance, (media ? 4 : 2) * NS_PER_S) + 10 * NS_PER_MS;
	if (percent(chance, 50))
		phone->gives_up_ns = some_time(chance, 5 * NS_PER_S) + 10 * NS_PER_MS;
	if (percent(chance, 20))
		phone->at_most = 1 + below(chance, 3);
	phone->anywhere = percent(chance, 30);
	phone->udp_only = percent(chance, 10);
	phone->wordy = !phone->udp_only && percent(chance, 10);
	if (media && percent(chance, 20))
		phone->deaf_after_ns = some_time(chance, 3 * NS_PER_S) + 500 * NS_PER_MS;
	if (media)
		snprintf(phone->mic, sizeof(phone->mic), "%s", mics[below(chance, 3)]);
}

static unsigned other(struct random *chance, const struct play *play, unsigned than)
{
	unsigned whom = below(chance, play->phone_count - 1);

	return whom < than ? whom : whom + 1;
}

static void make_hold(struct play *play, struct random *chance, uint64_t at_ns, unsigned who)
{
	struct play_step *step = add(play, at_ns, who, PLAY_HOLDS);

	step->which = percent(chance, 70) ? PLAY_NEWEST : PLAY_OLDEST;
	if (percent(chance, 30))
		step->verb = PLAY_RESUMES;
}

/* One of the two holds and resumes, or both, at once or nearly so. */
static void make_holds(
	struct play *play, struct random *chance, uint64_t at_ns, unsigned who, unsigned whom)
{
	for (unsigned i = below(chance, 3) + 1; i > 0; i--) {
		bool both = percent(chance, 40);
		bool caller = percent(chance, 50);

		at_ns += some_time(chance, NS_PER_S);
		if (both || caller)
			make_hold(play, chance, at_ns, who);
		if (both && percent(chance, 50))
			at_ns += some_time(chance, 100 * NS_PER_MS);
		if (both || !caller)
			make_hold(play, chance, at_ns, whom);
	}
}

/* Who hangs up, if anybody: one of the two, or both at once. */
static void make_end(
	struct play *play, struct random *chance, uint64_t at_ns, unsigned who, unsigned whom)
{
	bool both = percent(chance, 30);
	bool caller = percent(chance, 50);

	if (percent(chance, 50))
		return;
	if (both || caller)
		add(play, at_ns, who, PLAY_HANGS_UP)->which = PLAY_NEWEST;
	if (both || !caller)
		add(play, at_ns, whom, PLAY_HANGS_UP)->which =
			percent(chance, 50) ? PLAY_NEWEST : PLAY_OLDEST;
}

/* tcp: how many of a hundred calls ask for it. */
static void make_call(
	struct play *play, struct random *chance, uint64_t span_ns, unsigned tcp, unsigned holds)
{
	uint64_t at_ns = some_time(chance, span_ns);
	unsigned who = below(chance, play->phone_count);
	unsigned whom = other(chance, play, who);
	struct play_step *step = add(play, at_ns, who, PLAY_CALLS);

	step->whom = whom;
	step->by_name = percent(chance, 10);
	step->over_tcp = percent(chance, tcp);
	if (percent(chance, holds))
		make_holds(play, chance, at_ns, who, whom);
	make_end(play, chance, at_ns + some_time(chance, 3 * NS_PER_S), who, whom);
}

static void make_crash(struct play *play, struct random *chance, uint64_t span_ns)
{
	uint64_t at_ns = some_time(chance, span_ns);
	unsigned who = below(chance, play->phone_count);

	add(play, at_ns, who, percent(chance, 50) ? PLAY_CRASHES : PLAY_VANISHES);
	if (percent(chance, 80))
		add(play, at_ns + some_time(chance, 8 * NS_PER_S), who, PLAY_RESTARTS);
}

static void make_partition(struct play *play, struct random *chance, uint64_t span_ns)
{
	uint64_t begins_ns = some_time(chance, span_ns);
	uint64_t ends_ns = begins_ns + some_time(chance, 10 * NS_PER_S);
	unsigned who = below(chance, play->phone_count);
	unsigned whom = other(chance, play, who);

	add(play, begins_ns, who, PLAY_LOSES)->whom = whom;
	add(play, ends_ns, who, PLAY_FINDS)->whom = whom;
	if (percent(chance, 50))
		return;
	add(play, begins_ns, whom, PLAY_LOSES)->whom = who;
	add(play, ends_ns, whom, PLAY_FINDS)->whom = who;
}

/* From one address to another at once, or after a while without any. */
static void make_move(struct play *play, struct random *chance, uint64_t span_ns)
{
	uint64_t at_ns = some_time(chance, span_ns);
	unsigned who = below(chance, play->phone_count);

	if (percent(chance, 60)) {
		add(play, at_ns, who, PLAY_UNPLUGS);
		at_ns += some_time(chance, 8 * NS_PER_S);
	}
	add(play, at_ns, who, PLAY_MOVES);
}

static void make_trouble(struct play *play, struct random *chance, uint64_t span_ns)
{
	uint64_t at_ns;

	for (unsigned i = 0; i < 3; i++)
		if (percent(chance, 25))
			make_crash(play, chance, span_ns);
	for (unsigned i = 0; i < 3; i++)
		if (percent(chance, 25))
			make_partition(play, chance, span_ns);
	if (percent(chance, 15))
		make_move(play, chance, span_ns);
	for (unsigned i = play->media ? below(chance, 6) : 0; i > 0; i--) {
		at_ns = some_time(chance, span_ns);
		add(play, at_ns, below(chance, play->phone_count), PLAY_STRAYED);
	}
	if (percent(chance, 20)) {
		at_ns = some_time(chance, span_ns);
		add(play, at_ns, 0, PLAY_NET)->net = some_net(chance, play->media);
	}
}

static void make_turns(struct play *play, struct random *chance, uint64_t span_ns)
{
	for (unsigned i = 0; i < play->phone_count; i++)
		play->phones[i].pcma = percent(chance, 80);
	for (unsigned i = below(chance, 8) + 1; i > 0; i--) {
		uint64_t at_ns = some_time(chance, span_ns + 2 * NS_PER_S);
		unsigned who = below(chance, play->phone_count);

		add(play, at_ns, who, PLAY_TURNS)->which = PLAY_ALL;
	}
}

/* Those who would find nobody busy but themselves. */
static void make_pick_ups(struct play *play, struct random *chance, uint64_t span_ns)
{
	for (unsigned i = 0; i < play->phone_count; i++) {
		if (play->phones[i].answers || play->phones[i].refuses > 0)
			continue;
		play->phones[i].rings = true;
		for (unsigned n = below(chance, 8) + 1; n > 0; n--) {
			uint64_t at_ns = some_time(chance, span_ns);

			add(play, at_ns, i, PLAY_PICKS_UP)->which =
				(enum play_which)below(chance, PLAY_ALL + 1);
		}
	}
}

/* What a user at the keyboard does beside; by a chance of its own, so that all else is as it was.
 */
static void make_whims(struct play *play, uint64_t seed, uint64_t span_ns)
{
	struct random chance;

	random_init(&chance, random_derive(seed, 1));
	if (!percent(&chance, 25))
		return;
	if (play->media)
		make_turns(play, &chance, span_ns);
	else
		make_pick_ups(play, &chance, span_ns);
}

/* By their times; those of the same time stay as they are. */
static void sort(struct play *play)
{
	for (unsigned i = 1; i < play->step_count; i++) {
		struct play_step step = play->steps[i];
		unsigned at = i;

		for (; at > 0 && play->steps[at - 1].at_ns > step.at_ns; at--)
			play->steps[at] = play->steps[at - 1];
		play->steps[at] = step;
	}
}

void play_random(struct play *out, uint64_t seed, bool media)
{
	struct random chance;
	uint64_t span_ns = media ? MEDIA_SPAN_NS : SPAN_NS;
	unsigned calls = MEDIA_CALLS;
	unsigned tcp = 0, holds = 0;
	bool good;

	random_init(&chance, seed);
	good = percent(&chance, 20);
	if (percent(&chance, 50))
		tcp = percent(&chance, 40) ? 100 : 30;
	if (percent(&chance, 60))
		holds = media ? 80 : 30;
	*out = (struct play){.media = media, .world = {.seed = seed, .way_ns = 100 * NS_PER_US}};
	out->phone_count = 2 + below(&chance, media ? 2 : 4);
	out->world.timer_late_ns = some_time(&chance, 3 * NS_PER_MS);
	out->world.post_late_ns = some_time(&chance, NS_PER_MS);
	out->world.work_late_ns = some_time(&chance, 30 * NS_PER_MS);
	out->net = good ? good_net(&chance) : some_net(&chance, media);
	for (unsigned i = 0; i < out->phone_count; i++)
		make_phone(&out->phones[i], &chance, media);

	if (!media)
		calls = CALLS_MIN + below(&chance, CALLS_MAX - CALLS_MIN + 1);
	for (unsigned i = 0; i < calls; i++)
		make_call(out, &chance, span_ns, tcp, holds);
	if (!good)
		make_trouble(out, &chance, span_ns);
	make_whims(out, seed, span_ns);
	for (unsigned i = 0; i < out->phone_count; i++)
		add(out, span_ns + 4 * NS_PER_S, i, PLAY_HANGS_UP)->which = PLAY_ALL;
	sort(out);
}
