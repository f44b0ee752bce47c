/* core/media/media: two ends in a simulated world, whose sound changes while it runs. */
#include "tests/unit/media_line.h"

#include "core/base/text.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static void test_codec_and_ptime(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	uint32_t timestamp;

	line_start(line, 1000);
	for (unsigned i = 0; i < 2; i++) {
		line->ends[i].params.ptime_ms = 40;
		end_turn(&line->ends[i], 8, 8);
	}
	line_run_ms(line, 100);
	assert_int_equal(a->packet.payload_type, 8);
	timestamp = a->packet.timestamp;
	line_run_ms(line, 2000);
	assert_in_range((a->packet.timestamp - timestamp) / (2 * FRAME), 49, 51);
	assert_int_equal(a->jumps, 0);
	assert_int_equal(a->marked, 1);
	line_close_end(line, b);
	assert_int_equal(b->last.lost, 0);
	assert_true(b->last.far_dbfs > -40); /* the tone, by the new codec */
}

/*
 * RFC 3264, section 8.3.2: each hears the other all the time, whoever changes first, and however
 * long the other takes; of what is played nothing is made up.
 */
static void test_old_type_is_understood(void **state)
{
	static const struct {
		uint8_t codec, payload_type;
	} turns[] = {{8, 8}, {8, 96}, {0, 97}, {0, 0}};
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];

	line_start(line, 1000);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		end_turn(a, turns[i].codec, turns[i].payload_type);
		line_run_ms(line,
			3000); /* b sends the old, and is sent the new, which it does not know */
		assert_int_equal(b->packet.payload_type, i ? turns[i - 1].payload_type : 0);
		assert_true(a->report.far_dbfs > -40);
		assert_true(a->report.concealed_pct < 1);
		end_turn(b, turns[i].codec, turns[i].payload_type);
		line_run_ms(line, 3000);
		assert_int_equal(b->packet.payload_type, turns[i].payload_type);
		assert_true(a->report.far_dbfs > -40);
		assert_true(b->report.far_dbfs > -40);
		assert_true(a->report.concealed_pct < 1);
	}
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
}

/* What was made up before a change of the codec still counts behind it. */
static void test_counts_carry_over(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	double concealed_pct;

	line_start(line, 2000);
	line_close_end(line, b); /* a stop: its last words are made up */
	line_run_ms(line, 1000);
	concealed_pct = a->report.concealed_pct;
	assert_true(concealed_pct > 2);
	end_turn(a, 8, 8);
	line_run_ms(line, 1500);
	assert_true(a->report.concealed_pct > concealed_pct - 0.01);
	assert_true(a->report.buffer_ms > 0);
	assert_true(a->report.mos > 0);
}

/*
 * To a codec of another rate and clock, and back: who turns first hears the other all the time.
 * What is sent is another source with each clock (RFC 7160, section 4.1), and goodbye is said to
 * the one before.
 */
static void test_another_rate(void **state)
{
	static const struct {
		const char *codec;
		uint8_t payload_type;
	} turns[] = {{"opus", 96}, {"pcmu", 0}, {"opus", 97}, {"pcma", 8}};
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	unsigned names = 0;

	line_start(line, 1000);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		const struct codec *codec = codec_find(slice_of(turns[i].codec));
		uint32_t ssrc = a->packet.ssrc;
		uint32_t timestamp;

		end_turn_to(a, codec, turns[i].payload_type);
		line_run_ms(line, 1000);
		end_turn_to(b, codec, turns[i].payload_type);
		line_run_ms(line, 100);
		timestamp = a->packet.timestamp;
		line_run_ms(line, 2000);
		assert_int_equal(a->packet.payload_type, turns[i].payload_type);
		assert_in_range(
			(a->packet.timestamp - timestamp) / (codec->clock_rate / 100), 199, 201);
		assert_int_equal(a->bye_of, ssrc);
		assert_true(a->packet.ssrc != ssrc);
		assert_int_equal(a->jumps, ++names);
		assert_true(a->report.far_dbfs > -20 && b->report.far_dbfs > -20);
		assert_true(a->report.near_dbfs > -20);
		assert_true(a->report.concealed_pct < 1);
		assert_true(a->report.jitter_ms < 1);
	}
	assert_int_equal(a->heard_told + b->heard_told, 0);
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_int_equal(a->last.late, 0);
}

/*
 * Several were agreed on, and the far end changes among them without a word: it is heard, and told
 * once each time.
 */
static void test_far_end_chooses(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	const struct codec *opus = codec_find(slice_of("opus"));

	a->params.heard.list[a->params.heard.count++] = (struct media_format){opus, 96};
	line_start(line, 2000);
	assert_int_equal(a->heard_told, 0);
	end_turn_to(b, opus, 96);
	line_run_ms(line, 2000);
	assert_int_equal(a->heard_told, 1);
	assert_ptr_equal(a->heard.codec, opus);
	assert_int_equal(a->heard.payload_type, 96);
	assert_true(a->report.far_dbfs > -20);
	end_turn(b, 0, 0);
	line_run_ms(line, 2000);
	assert_int_equal(a->heard_told, 2);
	assert_ptr_equal(a->heard.codec, codec_find_payload_type(0));
	assert_true(a->report.concealed_pct < 1);
	assert_int_equal(a->packet.payload_type, 0); /* what we send is as it was */
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
}

/* Of what is sent and of what is played, each for itself; the levels are those that come of it. */
static void test_volume(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	double full;

	line_start(line, 2500);
	full = a->report.near_dbfs;
	assert_true(full > -20);
	end_set_volume(a, -6, 0, false);
	end_set_volume(b, 0, -12, false);
	line_run_ms(line, 2500);
	assert_true(fabs(a->report.near_dbfs - full + 6) < 0.5);
	assert_true(fabs(a->report.far_dbfs - full) < 0.5);
	assert_true(fabs(b->report.far_dbfs - full + 18) < 0.5);
	end_set_volume(a, 0, 0, true);
	line_run_ms(line, 2500);
	assert_true(a->report.near_dbfs == -96);
	assert_true(b->report.far_dbfs < -60);
	assert_int_equal(a->jumps, 0); /* silence is sent all the same */
	end_set_volume(a, 0, 0, false);
	end_set_volume(b, 0, 0, false);
	line_run_ms(line, 2500);
	assert_true(fabs(b->report.far_dbfs - full) < 0.5);
}

/* Before there is a stream, and while it is being made. */
static void test_volume_beforehand(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	end_set_volume(a, 0, 0, true);
	end_start(a);
	line_run_ms(line, 1500);
	assert_true(a->report.near_dbfs == -96);
	end_start(&line->ends[1]);
	end_set_volume(&line->ends[1], 0, 0, true);
	line_run_ms(line, 2500);
	assert_true(line->ends[1].report.near_dbfs == -96);
	allocations_left = 0;
	assert_int_equal(media_set_volume(a->media, &(struct media_volume){0}), -ENOMEM);
	allocations_left = SIZE_MAX;
	line_close_end(line, a);
	end_set_volume(&line->ends[1], 0, 0, false); /* and while it runs alone */
}

/* Before its files are open, twice: the last counts. */
static void test_while_opening(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	end_start(&line->ends[1]);
	end_start(a);
	a->params.sends = false;
	end_change(a);
	a->params.sends = true;
	a->params.send_payload_type = 99;
	end_change(a);
	line_run_ms(line, 500);
	assert_int_equal(a->packet.payload_type, 99);
	a->params.sends = false;
	end_change(a);
	line_run_ms(line, 100);
	a->rtp = 0;
	line_run_ms(line, 500);
	assert_int_equal(a->rtp, 0);
}

/* Changes that were never applied go with it: the sanitizers look. */
static void test_closed_while_opening(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	end_start(a);
	a->params.send_payload_type = 99;
	end_change(a);
	media_close(a->media);
	end_change(a);
	line_run_ms(line, 100);
	assert_true(a->closed);
	assert_int_equal(a->rtp, 0);
}

/* Each allocation in turn; what fails changes nothing. */
static void test_change_out_of_memory(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct media_params params;
	size_t left = 0;
	int err;

	line_start(line, 100);
	params = a->params;
	params.codec = codec_find_payload_type(8);
	do {
		allocations_left = left++;
		err = media_change(a->media, &params);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_true(left > 4);
}

static void test_params_equal(void **state)
{
	struct line *line = *state;
	const struct media_params *a = &line->ends[0].params;
	struct media_params others[11];

	for (size_t i = 0; i < 11; i++)
		others[i] = *a;
	assert_true(media_params_equal(a, &others[10]));
	others[0].codec = codec_find_payload_type(8);
	others[1].remote_fmtp = (struct slice){(const uint8_t *)"x", 1};
	others[2].send_payload_type++;
	others[3].heard.list[0].payload_type++;
	others[4].ptime_ms++;
	others[5].sends = false;
	others[6].receives = false;
	others[7].remote_rtp.port++;
	others[8].remote_rtcp.port++;
	others[9].rtcp_mux = true;
	for (size_t i = 0; i < 10; i++)
		if (media_params_equal(a, &others[i]))
			fail_msg("%zu", i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, line_set_up, line_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_codec_and_ptime),
		TEST(test_old_type_is_understood),
		TEST(test_counts_carry_over),
		TEST(test_another_rate),
		TEST(test_far_end_chooses),
		TEST(test_volume),
		TEST(test_volume_beforehand),
		TEST(test_while_opening),
		TEST(test_closed_while_opening),
		TEST(test_change_out_of_memory),
		TEST(test_params_equal),
	};

	return cmocka_run_group_tests_name("media/media, changes", tests, NULL, NULL);
}
