/*
 * audio/device_source, audio/device_sink and audio/edge: sound through devices whose clocks are not
 * ours, for ten minutes; devices that come late, are pulled out, or stand still with the program.
 */
#include "audio/device_sink.h"
#include "audio/device_source.h"

#include "audio/elastic.h"
#include "tests/unit/made_device.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	TICK_MS = 20,
	RATE_MAX = 48000,
	TONE_HZ = 20,                 /* its period is longer than any delay here */
	PERIOD = PORT_RATE / TONE_HZ, /* samples, so a table of one will do */
	AMPLITUDE = 10000,
	SETTLED_MS = 2000,
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

/* A microphone's sound goes to a loudspeaker, tick by tick, as through a call of no delay. */
static struct way {
	struct fake_loop fake;
	struct made_devices made;
	struct made_device *mic, *speaker;
	struct source *source;
	struct sink *sink;
	uint64_t opened_ns;
	uint32_t rate;
	char log_room[1024];
	struct text log;
	bool closed;

	/* of what is heard */
	bool listening;
	bool swap; /* odd samples, so that a mean of two is none */
	int32_t last[2];
	int32_t roughest;         /* the largest second difference */
	unsigned quiet;           /* blocks without any sound */
	double least_ms, most_ms; /* delay */
	double sine, cosine;
	unsigned summed;
	double first_ms, before_ms;
	bool any;
} way;

/* Of one period, made once: there are a hundred million samples to come. */
static double sines[PERIOD], cosines[PERIOD];
static int16_t tone[PERIOD];

static int make_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < PERIOD; i++) {
		sines[i] = sin(2 * M_PI * (double)i / PERIOD);
		cosines[i] = cos(2 * M_PI * (double)i / PERIOD);
		tone[i] = (int16_t)lround(AMPLITUDE * sines[i]);
	}
	return 0;
}

static void tell(void *arg, enum audio_news news, const char *words)
{
	(void)arg;
	(void)news;
	text_printf(&way.log, "%s\n", words);
}

static void record_tone(void *arg, int16_t *out, size_t count, uint64_t at)
{
	(void)arg;
	for (size_t i = 0; i < count; i++)
		out[i] = tone[(at + i) % PERIOD];
}

/* How far what is played now, the device's sample number at, is behind what is recorded now: from
 * the two tones' phases. */
static void measure(uint64_t at)
{
	double period_ms = 1000.0 / TONE_HZ;
	double heard = atan2(way.cosine, way.sine) / (2 * M_PI); /* phase at sample 0, in turns */
	double since_s = (double)(way.fake.now_ns - way.opened_ns) / NS_PER_S;
	double mic_turns = since_s * (1 + way.mic->ppm / 1e6) * TONE_HZ;
	double heard_turns = heard + (double)(at % PORT_RATE) * TONE_HZ / PORT_RATE;
	double delay_ms = (mic_turns - heard_turns) * period_ms;

	delay_ms -= floor((delay_ms - way.before_ms) / period_ms + 0.5) * period_ms;
	if (!way.any)
		way.first_ms = way.least_ms = way.most_ms = delay_ms;
	way.any = true;
	way.before_ms = delay_ms;
	way.least_ms = fmin(way.least_ms, delay_ms);
	way.most_ms = fmax(way.most_ms, delay_ms);
}

static void hear(void *arg, const int16_t *samples, size_t count, uint64_t at)
{
	int32_t loudest = 0;

	(void)arg;
	if (!way.listening)
		return;

	for (size_t i = 0; i < count; i++) {
		int32_t bend = samples[i] - 2 * way.last[1] + way.last[0];

		if (way.summed > 2 && abs(bend) > way.roughest)
			way.roughest = abs(bend);
		loudest = abs(samples[i]) > loudest ? abs(samples[i]) : loudest;
		way.last[0] = way.last[1];
		way.last[1] = samples[i];
		way.sine += samples[i] * sines[(at + i) % PERIOD];
		way.cosine += samples[i] * cosines[(at + i) % PERIOD];
		way.summed++;
	}
	way.quiet += loudest < AMPLITUDE / 100;   /* where it crosses zero, it does so fast */
	if (way.summed % (PORT_RATE / 10) == 0) { /* each tenth of a second: two turns */
		measure(at);
		way.sine = way.cosine = 0;
	}
}

static void on_closed(void *arg, int err)
{
	(void)arg;
	assert_int_equal(err, 0);
	way.closed = true;
}

static void way_open(uint32_t rate, double mic_ppm, double speaker_ppm)
{
	struct audio_setup setup = {.rate = rate, .tell = tell};
	struct fault why;

	way = (struct way){.rate = rate};
	fake_loop_init(&way.fake);
	made_devices_init(&way.made, &way.fake);
	way.log = TEXT_IN(way.log_room);
	way.mic = &way.made.devices[0];
	way.speaker = &way.made.devices[1];
	way.mic->ppm = mic_ppm;
	way.mic->record = record_tone;
	way.speaker->ppm = speaker_ppm;
	way.speaker->played = hear;
	way.opened_ns = way.fake.now_ns;
	setup.loop = &way.fake.loop;
	setup.devices = &way.made.maker;
	assert_int_equal(
		device_source_open(&way.source, &setup, &way.made.maker, "built-in", &why), 0);
	assert_int_equal(device_sink_open(&way.sink, &setup, &way.made.maker, "usb", &why), 0);
}

static void way_close(void)
{
	source_free(way.source);
	sink_close(way.sink, on_closed, NULL);
	assert_false(way.closed);
	fake_loop_settle(&way.fake);
	assert_true(way.closed);
	fake_loop_end(&way.fake);
	made_devices_end(&way.made);
}

static void tick(void)
{
	int16_t samples[RATE_MAX / 1000 * TICK_MS];
	size_t count = way.rate / 1000 * TICK_MS;

	fake_loop_advance(&way.fake, TICK_MS * NS_PER_MS);
	assert_int_equal(source_read(way.source, samples, count), count);
	sink_write(way.sink, samples, count);
}

static void ticks(unsigned ms)
{
	for (unsigned i = 0; i < ms / TICK_MS; i++)
		tick();
}

static void listen(void)
{
	way.listening = true;
	way.roughest = 0;
	way.quiet = 0;
	way.summed = 0;
	way.any = false;
	way.sine = way.cosine = 0;
	way.before_ms = 45;
}

/* Of a sine: its amplitude times the square of the step of its phase; and what is rounded. */
static int32_t smooth(void)
{
	double step = 2 * M_PI * TONE_HZ / PORT_RATE;

	return (int32_t)(AMPLITUDE * step * step) + 6;
}

static void check(uint32_t rate, double mic_ppm, double speaker_ppm, unsigned seconds)
{
	uint64_t missed;

	way_open(rate, mic_ppm, speaker_ppm);
	ticks(SETTLED_MS);
	missed = source_missed(way.source);
	listen();
	ticks(seconds * 1000);
	if (way.roughest > smooth() || way.quiet > 0)
		fail_msg("%u Hz, %g and %g ppm: %d of %d, %u quiet", rate, mic_ppm, speaker_ppm,
			way.roughest, smooth(), way.quiet);
	if (fabs(way.least_ms - way.first_ms) > 10 || fabs(way.most_ms - way.first_ms) > 10)
		fail_msg("%u Hz, %g and %g ppm: %.1f ms at first, then %.1f to %.1f", rate, mic_ppm,
			speaker_ppm, way.first_ms, way.least_ms, way.most_ms);
	assert_int_equal(source_missed(way.source), missed);
	assert_string_equal(way.log.data, "");
	way_close();
}

static void test_clocks_that_differ_are_not_heard(void **state)
{
	(void)state;
	check(8000, 200, -200, 600);
	check(8000, -200, 200, 600);
	check(16000, 200, 200, 60);
	check(48000, -200, 0, 60);
}

/* The delay, once settled, is what both ends need and no more. */
static void test_little_lies_in_wait(void **state)
{
	(void)state;
	way_open(8000, 30, -30);
	ticks(SETTLED_MS);
	listen();
	ticks(60 * 1000);
	/* 20 of the tick; at each end 5 of a block, 1.5 in reserve and 2.5 in the filter */
	if (way.most_ms > 39)
		fail_msg("%.1f to %.1f ms", way.least_ms, way.most_ms);
	way_close();
}

/* What it did not ask for at first is not played late for ever, nor kept in hand from then on. */
static void test_a_device_that_rests_at_first_is_not_taken_for_uneven(void **state)
{
	(void)state;
	way_open(8000, 0, 0);
	way.speaker->rests_ns = 40 * NS_PER_MS;
	way.mic->rests_ns = 40 * NS_PER_MS;
	ticks(SETTLED_MS);
	listen();
	ticks(10 * 1000);
	if (way.most_ms > 39)
		fail_msg("%.1f to %.1f ms", way.least_ms, way.most_ms);
	assert_true(way.roughest <= smooth());
	assert_int_equal(way.quiet, 0);
	way_close();
}

static void test_a_device_that_comes_late_gets_more_in_hand(void **state)
{
	(void)state;
	way_open(8000, 0, 0);
	way.speaker->late_ns = 8 * NS_PER_MS;
	way.mic->late_ns = 8 * NS_PER_MS;
	ticks(10 * 1000);
	listen();
	ticks(60 * 1000);
	assert_true(way.roughest <= smooth());
	assert_int_equal(way.quiet, 0);
	way_close();
}

static void test_a_program_that_stood_still_does_not_lag_behind(void **state)
{
	(void)state;
	way_open(8000, 0, 0);
	ticks(SETTLED_MS);
	listen();
	ticks(1000);
	fake_loop_advance(&way.fake, 3 * NS_PER_S); /* the devices go on */
	way.listening = false;
	ticks(1000);
	way.before_ms = 45;
	listen();
	way.before_ms = 45;
	ticks(10 * 1000);
	if (way.most_ms > 60)
		fail_msg("%.1f ms", way.most_ms);
	assert_int_equal(way.quiet, 0);
	way_close();
}

static void note_click(void *arg, const int16_t *samples, size_t count, uint64_t at)
{
	bool *heard = arg;

	(void)at;
	for (size_t i = 0; i < count; i++)
		*heard |= abs(samples[i]) > AMPLITUDE / 2;
}

/* How long a click takes through the sink, ms; silence goes before it and comes after. */
static unsigned click_ms(void)
{
	static const int16_t silence[RATE_MAX / 1000 * TICK_MS];
	size_t count = way.rate / 1000 * TICK_MS;
	int16_t click[RATE_MAX / 1000 * TICK_MS];
	bool heard = false;
	unsigned ms = 0;

	for (size_t i = 0; i < count; i++)
		click[i] = AMPLITUDE;
	way.speaker->played = note_click;
	way.speaker->arg = &heard;
	for (; !heard && ms < 1000; ms++) {
		if (ms % TICK_MS == 0)
			sink_write(way.sink, ms == 0 ? click : silence, count);
		fake_loop_advance(&way.fake, NS_PER_MS);
	}
	fake_loop_advance(&way.fake, (TICK_MS - ms % TICK_MS) * NS_PER_MS);
	way.speaker->played = NULL;
	return ms;
}

static void write_silence(unsigned ms, bool in_time)
{
	static const int16_t silence[RATE_MAX / 1000 * TICK_MS];

	for (unsigned i = 0; i < ms / TICK_MS; i++) {
		sink_write(way.sink, silence, way.rate / 1000 * TICK_MS);
		if (in_time)
			fake_loop_advance(&way.fake, TICK_MS * NS_PER_MS);
	}
}

/* Nobody ticked for a while, the loudspeaker ran dry, and then all that was due comes at once. */
static void test_what_is_caught_up_on_is_not_played_late_for_ever(void **state)
{
	unsigned before_ms, after_ms;

	(void)state;
	way_open(8000, 0, 0);
	way.speaker->played = NULL;
	write_silence(3000, true);
	before_ms = click_ms();
	write_silence(1000, true);
	fake_loop_advance(&way.fake, 160 * NS_PER_MS);
	write_silence(160, false);
	write_silence(200, true);
	after_ms = click_ms();
	if (after_ms > before_ms + 10)
		fail_msg("%u ms, and then %u", before_ms, after_ms);
	write_silence(3000, true); /* nor is it bent for what has been left out */
	after_ms = click_ms();
	if (after_ms > before_ms + 10 || after_ms + 2 < before_ms)
		fail_msg("%u ms, and at last %u", before_ms, after_ms);
	way_close();
}

/* The ticks that were late are made up for at once, and all that was recorded is read. */
static void test_a_late_tick_loses_nothing_that_was_said(void **state)
{
	static const unsigned late_ms[] = {20, 80, 160, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(late_ms) / sizeof(late_ms[0]); i++) {
		int16_t samples[8 * TICK_MS];
		uint64_t missed;

		way_open(8000, 0, 0);
		ticks(SETTLED_MS);
		missed = source_missed(way.source);
		fake_loop_advance(&way.fake, late_ms[i] * NS_PER_MS);
		for (unsigned n = 0; n < late_ms[i] / TICK_MS; n++)
			(void)source_read(way.source, samples, 8 * TICK_MS);
		ticks(1000);
		assert_int_equal(source_missed(way.source), missed);
		way_close();
	}
}

static void test_it_goes_on_when_the_device_is_back(void **state)
{
	(void)state;
	way_open(8000, 100, 100);
	ticks(SETTLED_MS);
	made_device_pull(way.speaker);
	made_device_pull(way.mic);
	ticks(2000);
	assert_non_null(strstr(way.log.data, "the microphone built-in is gone"));
	assert_non_null(strstr(way.log.data, "the loudspeaker usb is gone"));
	assert_true(source_missed(way.source) > 8000);
	made_device_plug(way.speaker);
	made_device_plug(way.mic);
	ticks(5000);
	assert_non_null(strstr(way.log.data, "the microphone built-in is back"));
	assert_non_null(strstr(way.log.data, "the loudspeaker usb is back"));
	listen();
	ticks(10 * 1000);
	assert_int_equal(way.quiet, 0);
	assert_true(way.roughest <= smooth());
	way_close();
}

/* It is closed on another thread, and that may be faster than ours. */
static void test_a_device_that_cannot_keep_up_is_not_touched_any_more(void **state)
{
	(void)state;
	way_open(8000, 0, 0);
	way.fake.work_hastes = true;
	way.speaker->stumbles = true;
	way.mic->stumbles = true;
	ticks(6000);
	assert_int_equal(way.speaker->opened, 2);
	assert_int_equal(way.mic->opened, 2);
	way_close();
}

static void test_no_memory(void **state)
{
	struct audio_setup setup = {.rate = 8000};
	struct source *source = NULL;
	struct sink *sink = NULL;
	struct made_devices made;
	struct fake_loop fake;
	struct fault why;

	(void)state;
	fake_loop_init(&fake);
	made_devices_init(&made, &fake);
	setup.loop = &fake.loop;
	for (size_t allowed = 0; allowed < 6; allowed++) { /* itself, elastic, line, port, its ring,
							      the device */
		allocations_left = allowed;
		assert_int_equal(
			device_source_open(&source, &setup, &made.maker, "", &why), -ENOMEM);
		allocations_left = allowed;
		assert_int_equal(device_sink_open(&sink, &setup, &made.maker, "", &why), -ENOMEM);
		allocations_left = SIZE_MAX;
		assert_non_null(strstr(why.words, "too little memory"));
	}
	assert_null(source);
	assert_null(sink);
	made_devices_end(&made);
	fake_loop_end(&fake);
}

/* Samples in and out, for any bend: as many as the ratio says, and never waited for in vain. */
static void test_elastic_gives_what_it_says(void **state)
{
	static const struct {
		uint32_t in, out;
	} rates[] = {{48000, 8000}, {48000, 16000}, {48000, 48000}, {8000, 48000}};
	static const double bends[] = {0, 200, -200, ELASTIC_BEND_MAX_PPM, -ELASTIC_BEND_MAX_PPM};
	static int16_t in[ELASTIC_BLOCK_MAX], out[ELASTIC_BLOCK_MAX];

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		for (size_t b = 0; b < sizeof(bends) / sizeof(bends[0]); b++) {
			size_t want = rates[r].out / 50;
			struct elastic *elastic;
			double taken = 0, made = 0;

			assert_int_equal(elastic_new(&elastic, rates[r].in, rates[r].out, NULL), 0);
			elastic_bend(elastic, bends[b]);
			for (unsigned i = 0; i < 1000; i++) {
				size_t got = 0;

				for (unsigned times = 0; got < want; times++) {
					size_t needs = elastic_needs(elastic, want - got);

					assert_true(times < 3);
					needs = needs > 0 ? needs : 1;
					got += elastic_process(elastic, out, want - got, in, needs);
					taken += (double)needs;
				}
				made += (double)got;
			}
			taken /= 1 + bends[b] / 1e6; /* as they came out */
			if (fabs(taken - made * rates[r].in / rates[r].out) > 8)
				fail_msg("%u to %u, %g: %g became %g", rates[r].in, rates[r].out,
					bends[b], taken, made);
			elastic_free(elastic);
		}
	}
	elastic_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks_that_differ_are_not_heard),
		cmocka_unit_test(test_little_lies_in_wait),
		cmocka_unit_test(test_a_device_that_rests_at_first_is_not_taken_for_uneven),
		cmocka_unit_test(test_a_device_that_comes_late_gets_more_in_hand),
		cmocka_unit_test(test_a_device_that_cannot_keep_up_is_not_touched_any_more),
		cmocka_unit_test(test_a_program_that_stood_still_does_not_lag_behind),
		cmocka_unit_test(test_what_is_caught_up_on_is_not_played_late_for_ever),
		cmocka_unit_test(test_a_late_tick_loses_nothing_that_was_said),
		cmocka_unit_test(test_it_goes_on_when_the_device_is_back),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_elastic_gives_what_it_says),
	};

	return cmocka_run_group_tests_name("audio/device", tests, make_tables, NULL);
}
