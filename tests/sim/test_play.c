/* Plays: text that says what it means and comes back as it was; chance that repeats; shrinking. */
#include "tests/sim/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static char room[PLAY_TEXT_SIZE], again[PLAY_TEXT_SIZE];
static struct play play, other;

static struct slice print(char *data, const struct play *from)
{
	struct text text = text_in(data, PLAY_TEXT_SIZE);

	play_print(&text, from);
	assert_false(text.cut);
	return text_slice(&text);
}

/* All that can be written, as it is printed. */
static const char everything[] =
	"seed 18446744073709551615\n"
	"media\n"
	"world timers 1ms posts 200us work 2s way 500ns\n"
	"net loss 3% burst-begins 0.5% burst-ends 20% burst-loss 99.9999% delay 40ms jitter 30ms "
	"normal reorders duplicates 0.0001% corrupts 100% rate 64000 queue 3000\n"
	"phone a answers after 200ms lasts 3s gives-up 10s at-most 2 refuses 486 deaf-after "
	"1500ms anywhere wordy mic tone:440\n"
	"phone b rings pcma udp-only\n"
	"at 0s a calls b\n"
	"at 0s a calls b by-name\n"
	"at 0s a calls b over-tcp\n"
	"at 0s a calls b by-name over-tcp\n"
	"at 1s a hangs-up\n"
	"at 1s a hangs-up newest\n"
	"at 1001ms b hangs-up all\n"
	"at 1001ms b holds\n"
	"at 1001ms b resumes all\n"
	"at 1001ms b turns newest\n"
	"at 1001ms b picks-up\n"
	"at 2s a crashes\n"
	"at 2s b vanishes\n"
	"at 3s a restarts\n"
	"at 4s a moves\n"
	"at 4s a unplugs\n"
	"at 4s a hears\n"
	"at 4s a hears-a-stranger\n"
	"at 5s a loses b\n"
	"at 5s a finds b\n"
	"at 6s net loss 10% exponential\n"
	"at 7s net\n";

static void test_all_that_can_be_written(void **state)
{
	struct fault why;

	(void)state;
	assert_int_equal(play_parse(&play, slice_of(everything), "x", &why), 0);
	print(room, &play);
	assert_string_equal(room, everything);
	assert_true(play.media);
	assert_int_equal(play.world.seed, UINT64_MAX);
	assert_int_equal(play.world.way_ns, 500);
	assert_int_equal(play.net.loss, 30000);
	assert_int_equal(play.net.burst_loss, 999999);
	assert_int_equal(play.net.duplicates, 1);
	assert_int_equal(play.net.spread, IMPAIR_NORMAL);
	assert_int_equal(play.phone_count, 2);
	assert_int_equal(play.phones[0].gives_up_ns, 10 * NS_PER_S);
	assert_string_equal(play.phones[0].mic, "tone:440");
	assert_false(play.phones[1].answers);
	assert_true(play.phones[0].wordy && !play.phones[0].udp_only);
	assert_true(play.phones[1].udp_only && !play.phones[1].wordy);
	assert_int_equal(play.phones[0].deaf_after_ns, 1500 * NS_PER_MS);
	assert_int_equal(play.step_count, 22);
	assert_true(play.steps[1].by_name && !play.steps[0].by_name);
	assert_true(play.steps[2].over_tcp && !play.steps[1].over_tcp);
	assert_int_equal(play.steps[6].at_ns, 1001 * NS_PER_MS);
	assert_int_equal(play.steps[6].which, PLAY_ALL);
	assert_int_equal(play.steps[7].verb, PLAY_HOLDS);
	assert_int_equal(play.steps[8].which, PLAY_ALL);
	assert_int_equal(play.steps[9].verb, PLAY_TURNS);
	assert_int_equal(play.steps[10].verb, PLAY_PICKS_UP);
	assert_int_equal(play.steps[20].net.loss, 100000);
}

static void test_comments_and_spaces(void **state)
{
	struct fault why;

	(void)state;
	assert_int_equal(
		play_parse(&play, slice_of("# a play\n\n  phone   a  # the only one\nseed 0x#\n"),
			"x", &why),
		-EPROTO);
	assert_int_equal(
		play_parse(&play, slice_of("# a play\n\n  phone   a  # the only one\nseed 5#\n"),
			"x", &why),
		0);
	assert_int_equal(play.world.seed, 5);
}

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{"", "x:1: there is no phone"},
		{"seed", "x:1: no seed"},
		{"seed -1", "x:1: no seed: -1"},
		{"seed 18446744073709551616", "x:1: no seed: 18446744073709551616"},
		{"seed 1 2", "x:1: too much: 2"},
		{"\nspeed 1", "x:2: no such line: speed"},
		{"Seed 1", "x:1: no such line: Seed"},
		{"media on", "x:1: too much: on"},
		{"world lag 1ms", "x:1: no such setting: lag"},
		{"world way", "x:1: a value is missing: way"},
		{"world way 5", "x:1: no such value: 5"},
		{"world way ms", "x:1: no such value: ms"},
		{"world way 5m", "x:1: no such value: 5m"},
		{"world way 99999999999s", "x:1: no such value: 99999999999s"},
		{"net loss 3", "x:1: no such value: 3"},
		{"net loss %", "x:1: no such value: %"},
		{"net loss 101%", "x:1: no such value: 101%"},
		{"net loss 100.0001%", "x:1: no such value: 100.0001%"},
		{"net loss 1.%", "x:1: no such value: 1.%"},
		{"net loss 0.00001%", "x:1: no such value: 0.00001%"},
		{"net cut", "x:1: no such setting: cut"},
		{"phone b", "x:1: phones are called a, b, c, in this order: b"},
		{"phone a\nphone a", "x:2: phones are called a, b, c, in this order: a"},
		{"phone a mic tone:4400000000000", "x:1: no such value: tone:4400000000000"},
		{"phone a refuses 200", "x:1: no such value: 200"},
		{"phone a refuses 700", "x:1: no such value: 700"},
		{"phone a\nat 1s b calls a", "x:2: no such phone: b"},
		{"phone a\nat 1s a calls", "x:2: no such phone"},
		{"phone a\nat 1s a calls a", "x:2: nobody does that to itself"},
		{"phone a\nat 1s a sings", "x:2: no such verb: sings"},
		{"phone a\nat 1s a net", "x:2: no such verb: net"},
		{"phone a\nat 1s a", "x:2: no such verb"},
		{"phone a\nat now a moves", "x:2: no such time: now"},
		{"phone a\nat 1s a moves all", "x:2: too much: all"},
		{"phone a\nphone b\nat 1s a calls b over-tcp by-name", "x:3: too much: by-name"},
		{"phone a\nat 1s a holds twice", "x:2: too much: twice"},
		{"phone a deaf-after", "x:1: a value is missing: deaf-after"},
		{"phone a\nat 1s a hangs-up oldest", "x:2: too much: oldest"},
		{"phone a\nat 1s a moves\nat 999ms a moves",
			"x:3: it is before the step above: 999ms"},
		{"phone a\nat 1s a moves\nphone b", "x:3: phones come before steps"},
	};
	struct fault why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(play_parse(&play, slice_of(cases[i].text), "x", &why), -EPROTO);
		assert_string_equal(why.words, cases[i].words);
	}
}

static void test_there_is_room_for_so_many_and_no_more(void **state)
{
	struct text text = TEXT_IN(room);
	struct fault why;

	(void)state;
	for (unsigned i = 0; i < PLAY_PHONES_MAX; i++)
		text_printf(&text, "phone %c\n", play_name(i));
	for (unsigned i = 0; i < PLAY_STEPS_MAX; i++)
		text_puts(&text, "at 1s a moves\n");
	assert_int_equal(play_parse(&play, text_slice(&text), "x", &why), 0);
	text_puts(&text, "at 1s a moves\n");
	assert_int_equal(play_parse(&play, text_slice(&text), "x", &why), -EPROTO);
	assert_non_null(strstr(why.words, "too many steps"));

	text = TEXT_IN(room);
	for (unsigned i = 0; i <= PLAY_PHONES_MAX; i++)
		text_printf(&text, "phone %c\n", play_name(i));
	assert_int_equal(play_parse(&play, text_slice(&text), "x", &why), -EPROTO);
	assert_non_null(strstr(why.words, "too many phones"));
}

static void test_no_file(void **state)
{
	struct fault why;

	(void)state;
	assert_int_equal(play_load(&play, "tests/sim/plays/no.play", &why), -ENOENT);
	assert_string_equal(
		why.words, "cannot open tests/sim/plays/no.play: No such file or directory");
}

static void test_chance_repeats_and_comes_back_from_text(void **state)
{
	struct fault why;

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct slice text;

		play_random(&play, seed, seed % 3 == 0);
		assert_int_equal(play.world.seed, seed);
		assert_in_range(play.phone_count, 2, PLAY_PHONES_MAX);
		text = print(room, &play);

		play_random(&other, seed, seed % 3 == 0);
		print(again, &other);
		assert_string_equal(room, again);

		assert_int_equal(play_parse(&other, text, "x", &why), 0);
		print(again, &other);
		assert_string_equal(room, again);

		play_random(&other, seed + 1, seed % 3 == 0);
		print(again, &other);
		assert_string_not_equal(strchr(room, '\n'), strchr(again, '\n'));
	}
}

/* Each kind of step and of phone comes up, so that nothing is only thought to be tried. */
static void test_chance_brings_everything(void **state)
{
	unsigned verbs[PLAY_NET + 1] = {0};
	unsigned refusing = 0, limited = 0, absent = 0, by_name = 0, lossy = 0, good = 0;
	unsigned over_tcp = 0, all_tcp = 0, wordy = 0, udp_only = 0, deaf = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		unsigned calls = 0, streams = 0;

		play_random(&play, seed, seed % 2 == 1); /* strangers come with sound */
		for (unsigned i = 0; i < play.step_count; i++) {
			verbs[play.steps[i].verb]++;
			by_name += play.steps[i].by_name;
			over_tcp += play.steps[i].over_tcp;
			calls += play.steps[i].verb == PLAY_CALLS;
			streams += play.steps[i].over_tcp;
		}
		all_tcp += calls > 0 && streams == calls;
		for (unsigned i = 0; i < play.phone_count; i++) {
			refusing += play.phones[i].refuses > 0;
			limited += play.phones[i].at_most > 0;
			wordy += play.phones[i].wordy;
			udp_only += play.phones[i].udp_only;
			deaf += play.phones[i].deaf_after_ns > 0;
			absent += play.phones[i].after_ns >= 60 * NS_PER_S;
		}
		lossy += play.net.loss > IMPAIR_ALWAYS / 5;
		good += play.net.loss == 0 && play.net.duplicates == 0;
	}
	for (size_t i = 0; i <= PLAY_NET; i++)
		assert_true(i == PLAY_HEARS ||
			    verbs[i] > 10); /* what must be heard, nobody can guess */
	assert_true(refusing > 10 && limited > 10 && absent > 10 && by_name > 10);
	assert_true(lossy > 10 && good > 10);
	assert_true(over_tcp > 10 && all_tcp > 10 && wordy > 10 && udp_only > 10 && deaf > 10);
}

/* It fails while b calls someone, once something is lost, and someone refuses by more than 500. */
static bool fails(void *arg, const struct play *tried)
{
	unsigned *tries = arg;
	bool calls = false, refuses = false;

	++*tries;
	for (unsigned i = 0; i < tried->step_count; i++)
		calls |= tried->steps[i].verb == PLAY_CALLS && tried->steps[i].who == 1 &&
			 tried->steps[i].at_ns >= NS_PER_S;
	for (unsigned i = 0; i < tried->phone_count; i++)
		refuses |= tried->phones[i].refuses > 500;
	return calls && refuses && tried->net.loss > 0;
}

static void test_what_does_not_matter_goes(void **state)
{
	unsigned shrunk = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		unsigned asked = 0;
		int tries;

		play_random(&play, seed, false);
		if (!fails(&asked, &play))
			continue;
		asked = 0;
		tries = shrink_play(&play, 5000, fails, &asked);
		assert_int_equal(tries, asked);
		assert_true(fails(&asked, &play));
		assert_int_equal(play.step_count, 1);
		assert_true(play.phone_count <=
			    4); /* a, who keeps b its name; b; whom it calls; who refuses */
		assert_int_equal(play.net.duplicates + play.net.jitter_ns + play.net.delay_ns, 0);
		assert_int_equal(play.world.timer_late_ns + play.world.post_late_ns, 0);
		assert_int_equal(play.steps[0].at_ns % NS_PER_S, 0);
		shrunk++;
	}
	assert_true(shrunk > 3);
}

static void test_shrinking_stops_when_told(void **state)
{
	unsigned asked = 0;

	(void)state;
	play_random(&play, 1, false);
	assert_int_equal(shrink_play(&play, 7, fails, &asked), 7);
	assert_int_equal(asked, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_can_be_written),
		cmocka_unit_test(test_comments_and_spaces),
		cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(test_there_is_room_for_so_many_and_no_more),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_chance_repeats_and_comes_back_from_text),
		cmocka_unit_test(test_chance_brings_everything),
		cmocka_unit_test(test_what_does_not_matter_goes),
		cmocka_unit_test(test_shrinking_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
