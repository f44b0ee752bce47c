/* core/media/playout: what goes in as packets comes out as samples, and what is missing is made up.
 */
#include "core/media/playout.h"

#include "audio/level.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	TICK_MS = 20,
	FRAME_MAX = 48 * TICK_MS,
	WARM_UP = 10, /* ticks until the buffer has settled */
	PAYLOAD = 400,
};

/* A talker, a network that may lose, and a listener. */
struct call {
	const struct codec *codec;
	struct encoder *encoder;
	struct playout *playout;
	uint64_t now_ns;
	double phase;
	double loud;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	uint8_t payload_type;
	size_t frame;    /* of the talker */
	size_t listened; /* and of the listener, at */
	uint32_t rate;
	struct media_formats agreed; /* the listener's */
	int16_t heard[FRAME_MAX];
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

/* "pcmu=0,opus=96"; without a number it is 0. */
static struct media_formats formats_of(const char *list)
{
	struct media_formats formats = {0};
	struct slice rest = slice_of(list), one;
	bool more;

	do {
		struct slice key;
		uint64_t payload_type = 0;

		more = slice_cut(&one, &rest, ',');
		if (slice_cut(&key, &one, '='))
			assert_int_equal(slice_number(&payload_type, one, 127), 0);
		formats.list[formats.count++] = (struct media_format){
			.codec = codec_find(key), .payload_type = (uint8_t)payload_type};
		assert_non_null(formats.list[formats.count - 1].codec);
	} while (more);
	return formats;
}

/* The talker speaks the first of those in list, which the listener understands. */
static void open_at(struct call *call, const char *list, uint32_t rate)
{
	const struct codec_settings settings = {
		.ptime_ms = TICK_MS, .remote_fmtp = slice_of("useinbandfec=1")};

	*call = (struct call){
		.now_ns = NS_PER_S, .loud = 10000, .ssrc = 1, .agreed = formats_of(list)};
	call->codec = call->agreed.list[0].codec;
	call->payload_type = call->agreed.list[0].payload_type;
	call->frame = codec_frame(call->codec, TICK_MS);
	call->rate = rate ? rate : call->codec->sample_rate;
	call->listened = call->rate / 1000 * TICK_MS;
	assert_int_equal(codec_encoder_new(&call->encoder, call->codec, &settings), 0);
	assert_int_equal(playout_new(&call->playout, &call->agreed, call->rate), 0);
}

static void open_call(struct call *call, const char *key)
{
	open_at(call, key, 0);
}

static void close_call(struct call *call)
{
	codec_encoder_free(call->encoder);
	playout_free(call->playout);
}

/* 20 ms of a tone of 440 Hz. */
static void talk(struct call *call, bool lost)
{
	uint8_t bytes[CODEC_PAYLOAD_MAX];
	struct buf payload = {bytes, 0, sizeof(bytes)};
	struct rtp_packet packet = {.payload_type = call->payload_type,
		.seq = call->seq++,
		.timestamp = call->timestamp,
		.ssrc = call->ssrc};
	int16_t samples[FRAME_MAX];

	for (size_t i = 0; i < call->frame; i++) {
		samples[i] = (int16_t)(call->loud * sin(call->phase));
		call->phase += 2 * 3.14159265358979 * 440 / call->codec->sample_rate;
	}
	assert_int_equal(codec_encode(call->encoder, &payload, samples, call->frame), 0);
	packet.payload = (struct slice){payload.data, payload.len};
	call->timestamp += call->codec->clock_rate / 1000 * TICK_MS;
	if (!lost)
		playout_packet(call->playout, &packet, call->now_ns);
}

/* One tick; how loud it was. */
static double listen(struct call *call)
{
	memset(call->heard, 0x55, sizeof(call->heard));
	playout_read(call->playout, call->heard, call->listened, call->now_ns);
	call->now_ns += TICK_MS * NS_PER_MS;
	return audio_level(call->heard, call->listened).mean_db;
}

static void test_tone_is_heard(void **state)
{
	static const char *const codecs[] = {"opus", "pcmu", "pcma"};

	(void)state;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct playout_stats stats;
		struct call call;

		open_call(&call, codecs[i]);
		for (int tick = 0; tick < 100; tick++) {
			double level;

			talk(&call, false);
			level = listen(&call);
			if (tick > WARM_UP && (level < -15 || level > -12))
				fail_msg("%s, tick %d: %.1f dB", codecs[i], tick, level);
		}
		playout_stats(&stats, call.playout);
		assert_true(stats.concealed_pct == 0);
		assert_int_equal(stats.late, 0);
		assert_true(stats.buffer_ms <= 2 * TICK_MS);
		close_call(&call);
	}
}

/* Every tenth packet is lost: something like the tone is there all the same, and it is counted. */
static void test_losses_are_made_up(void **state)
{
	static const char *const codecs[] = {"opus", "pcmu"};

	(void)state;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct playout_stats stats;
		struct call call;

		open_call(&call, codecs[i]);
		for (int tick = 0; tick < 400; tick++) {
			double level;

			talk(&call, tick % 10 == 9);
			level = listen(&call);
			if (tick > WARM_UP && level < -30)
				fail_msg("%s, tick %d: %.1f dB", codecs[i], tick, level);
		}
		playout_stats(&stats, call.playout);
		/* Opus may have restored some from what follows */
		assert_true(stats.concealed_pct < 12);
		assert_true(stats.concealed_pct > (codecs[i][0] == 'p' ? 8 : -1));
		close_call(&call);
	}
}

/* The largest second difference of what was heard, and the two samples before it. */
static long sharpest(const struct call *call, int16_t before[2])
{
	long most = 0;

	for (size_t i = 0; i < call->listened; i++) {
		long bend = labs((long)before[0] - 2L * before[1] + call->heard[i]);

		most = bend > most ? bend : most;
		before[0] = before[1];
		before[1] = call->heard[i];
	}
	return most;
}

/* Ticks after the last word until nothing but what is made up is heard. */
static int left_to_hear(struct call *call)
{
	int ticks = 0;

	while (ticks < 50 && listen(call) > -15 + 20 * log10(call->loud / 10000))
		ticks++;
	return ticks;
}

/*
 * The network holds up 160 ms of packets. They are heard all the same, and later; when it has been
 * steady for a while, the delay is what it was before, without a click on the way.
 */
static void test_delay_comes_back(void **state)
{
	static const struct row {
		const char *codec;
		uint32_t rate;
		double loud;
		int ticks; /* after the stall */
		int more;  /* ticks of delay, at least and at most */
		int most;
	} rows[] = {
		{"pcmu", 0, 10000, 100, 6, 9},
		{"pcmu", 0, 10000, 212, 1, 4}, /* by a period now and then, */
		{"pcmu", 0, 100, 244, 0, 2},   /* where nobody hears it, in each tick */
		{"pcmu", 0, 10000, 400, 0, 1},
		{"pcmu", 48000, 10000, 400, 0, 1},
		{"g722", 0, 10000, 400, 0, 1},
		{"opus", 0, 10000, 400, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int16_t before[2] = {0};
		long clean = 0, later = 0;
		struct call call;
		int usual, ticks;

		open_at(&call, rows[i].codec, rows[i].rate);
		call.loud = rows[i].loud;
		for (int tick = 0; tick < 100; tick++) {
			talk(&call, false);
			listen(&call);
		}
		usual = left_to_hear(&call);
		close_call(&call);

		open_at(&call, rows[i].codec, rows[i].rate);
		call.loud = rows[i].loud;
		for (int tick = 0; tick < 100 + rows[i].ticks; tick++) {
			long bend;

			if (tick == 100) {
				for (int held = 0; held < 8; held++)
					listen(&call);
				for (int held = 0; held < 8; held++)
					talk(&call, false);
			}
			talk(&call, false);
			listen(&call);
			bend = sharpest(&call, before);
			if (tick > WARM_UP && tick < 100 && bend > clean)
				clean = bend;
			if (tick > 100 + WARM_UP && bend > later)
				later = bend;
		}
		if (later > clean * 3 / 2)
			fail_msg("%s: a bend of %ld, not %ld", rows[i].codec, later, clean);
		ticks = left_to_hear(&call) - usual;
		if (ticks < rows[i].more || ticks > rows[i].most)
			fail_msg("%s, %d ticks after: a delay of %d more", rows[i].codec,
				rows[i].ticks, ticks);
		close_call(&call);
	}
}

static void test_silence_when_nothing_comes(void **state)
{
	struct call call;

	(void)state;
	open_call(&call, "pcmu");
	for (int tick = 0; tick < 10; tick++)
		assert_true(listen(&call) == AUDIO_QUIET);
	for (int tick = 0; tick < 50; tick++) {
		talk(&call, false);
		listen(&call);
	}
	for (int tick = 0; tick < 50; tick++)
		listen(&call);
	assert_true(listen(&call) == AUDIO_QUIET);
	close_call(&call);
}

/* A far end may put more or less into a packet than we play at a time. */
static void test_unequal_packets(void **state)
{
	uint8_t bytes[PAYLOAD];
	struct call call;
	uint64_t sent_ms = 0;

	(void)state;
	memset(bytes, 0x10, sizeof(bytes)); /* a loud and constant sample */
	open_call(&call, "pcmu");
	for (int tick = 0; tick < 200; tick++) {
		for (; sent_ms < (uint64_t)(tick + 1) * TICK_MS; sent_ms += 50) {
			struct rtp_packet packet = {.seq = call.seq++,
				.timestamp = call.timestamp,
				.ssrc = 1,
				.payload = {bytes, sizeof(bytes)}};

			playout_packet(call.playout, &packet, call.now_ns);
			call.timestamp += sizeof(bytes);
		}
		listen(&call);
		if (tick > 2 * WARM_UP && call.heard[0] != call.heard[call.frame - 1])
			fail_msg("tick %d: %d and %d", tick, call.heard[0],
				call.heard[call.frame - 1]);
	}
	close_call(&call);
}

/* Bytes that are no payload of the codec are dropped before they can do harm. */
static void test_nonsense(void **state)
{
	static const uint8_t bytes[] = {0xff, 0xff, 0xff};
	struct rtp_packet packet = {.payload = {bytes, sizeof(bytes)}};
	struct rtp_packet empty = {.seq = 1};
	struct call call;

	(void)state;
	open_call(&call, "opus");
	playout_packet(call.playout, &packet, call.now_ns);
	playout_packet(call.playout, &empty, call.now_ns);
	assert_true(listen(&call) == AUDIO_QUIET);
	close_call(&call);
}

/* The talker goes on by another codec or type; what was put in before stays. */
static void turn(struct call *call, const char *key, uint8_t payload_type)
{
	const struct codec_settings settings = {.ptime_ms = TICK_MS};

	if (key) {
		codec_encoder_free(call->encoder);
		call->codec = codec_find(slice_of(key));
		call->frame = codec_frame(call->codec, TICK_MS);
		assert_int_equal(codec_encoder_new(&call->encoder, call->codec, &settings), 0);
	}
	call->payload_type = payload_type;
}

/* The listener is told that it is one of those in list, now; how many voices are left over. */
static size_t told_of(struct call *call, const char *list)
{
	const struct media_formats formats = formats_of(list);
	struct voice_set set;
	size_t left = 0;

	assert_int_equal(voice_set_make(&set, &formats, &call->agreed, call->rate), 0);
	call->agreed = formats;
	playout_turn(call->playout, &set);
	for (size_t i = 0; i < set.formats.count; i++)
		left += set.voices[i] != NULL;
	voice_set_free(&set);
	return left;
}

static double talked(struct call *call, int ticks)
{
	double least = 0;

	for (int tick = 0; tick < ticks; tick++) {
		double level;

		talk(call, false);
		level = listen(call);
		if (level < least)
			least = level;
	}
	return least;
}

static double concealed(const struct call *call)
{
	struct playout_stats stats;

	playout_stats(&stats, call->playout);
	return stats.concealed_pct;
}

/* Without a gap, whoever learns of it first. */
static void test_turns(void **state)
{
	struct call call;

	(void)state;
	open_call(&call, "pcmu");
	talked(&call, WARM_UP);
	turn(&call, "pcma", 8);
	assert_int_equal(told_of(&call, "pcma=8"), 0);
	assert_true(talked(&call, 100) > -15);
	assert_int_equal(told_of(&call, "pcma=8"), 0); /* nothing new */
	turn(&call, NULL, 96);
	/* the first goes, the other has two types now */
	assert_int_equal(told_of(&call, "pcma=96"), 1);
	assert_true(talked(&call, 100) > -15);
	turn(&call, NULL, 97);
	assert_int_equal(told_of(&call, "pcma=97"), 0);
	assert_true(talked(&call, 100) > -15);
	turn(&call, "pcmu", 0);
	/* that of both types stays for those on their way */
	assert_int_equal(told_of(&call, "pcmu=0"), 0);
	assert_true(talked(&call, 100) > -15);
	assert_true(concealed(&call) == 0);
	close_call(&call);
}

/*
 * From one of those agreed on to another and back, by other clocks and rates, at any rate of ours,
 * with SSRC and timestamps as a sender may have them: the tone goes on all the time, evenly.
 */
static void test_switches(void **state)
{
	static const struct {
		const char *first, *second;
		uint32_t rate;
		uint32_t ssrc;      /* of the second */
		uint32_t timestamp; /* from which it counts; 0: on */
	} rows[] = {
		{"pcmu", "pcma", 0, 1, 0},
		{"pcmu", "opus", 0, 1, 0},
		{"pcmu", "opus", 0, 1, 4000000000},
		{"pcmu", "opus", 0, 2, 77},
		{"opus", "pcmu", 0, 1, 0},
		{"opus", "pcmu", 0, 2, 4294967000},
		{"opus", "pcma", 16000, 2, 1000},
		{"pcmu", "pcma", 48000, 1, 0},
		{"pcmu", "opus", 44100, 2, 1000},
		{"pcmu", "g722", 0, 1, 0},
		{"g722", "pcmu", 0, 1, 0},
		{"g722", "pcma", 48000, 1, 0},
		{"opus", "g722", 0, 2, 99},
		{"gsm", "g722", 0, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct playout_stats stats;
		char list[40];
		struct text text = TEXT_IN(list);
		struct call call;

		text_printf(&text, "%s=1,%s=2", rows[i].first, rows[i].second);
		open_at(&call, list, rows[i].rate);
		talked(&call, WARM_UP);
		for (int turns = 0; turns < 6; turns++) {
			bool second = turns % 2 == 0;
			double least;

			turn(&call, second ? rows[i].second : rows[i].first, second ? 2 : 1);
			if (rows[i].ssrc != 1)
				call.ssrc++;
			call.timestamp += rows[i].timestamp;
			least = talked(&call, 49);
			if (least < -17) /* a codec that looks ahead begins with silence */
				fail_msg("row %zu, turn %d: %.1f dB", i, turns, least);
		}
		playout_stats(&stats, call.playout);
		if (stats.concealed_pct > 0 || stats.late > 0)
			fail_msg("row %zu: %g %%, %u late", i, stats.concealed_pct,
				(unsigned)stats.late);
		assert_true(stats.buffer_ms <= 2 * TICK_MS);
		close_call(&call);
	}
}

/*
 * Whatever is asked for, at rates that do not divide, while packets are lost and voices change:
 * just that is filled, each time.
 */
static void test_any_count(void **state)
{
	static const char *const lists[] = {"opus=1,pcmu=2", "pcmu=1,opus=2"};
	static const uint32_t rates[] = {8000, 44100, 48000};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		uint64_t heard = 0, talked_ms = 0;
		struct call call;

		open_at(&call, lists[i % 2], rates[i / 2]);
		for (uint32_t n = 0; n < 5000; n++) {
			uint64_t begin_ns = call.now_ns;
			size_t count = 1 + (size_t)n * 7919 % call.listened;

			for (; talked_ms * call.rate < heard * 1000; talked_ms += TICK_MS) {
				if (talked_ms / TICK_MS % 25 == 0)
					turn(&call,
						call.payload_type == 1
							? call.agreed.list[1].codec->key
							: call.agreed.list[0].codec->key,
						call.payload_type == 1 ? 2 : 1);
				talk(&call, talked_ms / TICK_MS % 7 == 3);
			}
			playout_read(call.playout, call.heard, count, call.now_ns);
			heard += count;
			call.now_ns = begin_ns + count * NS_PER_S / call.rate;
		}
		assert_true(concealed(&call) > 0 && concealed(&call) < 40);
		close_call(&call);
	}
}

/* The old type, for as long as the new has not come, and a second more. */
static void test_old_type(void **state)
{
	struct encoder *old;
	struct call call;

	(void)state;
	open_call(&call, "pcmu");
	talked(&call, WARM_UP);
	call.payload_type = 8;
	call.codec = codec_find(slice_of("pcma"));
	told_of(&call, "pcma=8");
	call.payload_type = 0;
	assert_true(talked(&call, 500) > -15);

	old = call.encoder;
	call.encoder = NULL;
	turn(&call, "pcma", 8);
	talked(&call, 1); /* one of the new: now or never */
	codec_encoder_free(call.encoder);
	call.encoder = old;
	call.payload_type = 0;
	assert_true(talked(&call, 49) > -15);
	assert_true(concealed(&call) == 0);
	talked(&call, 50);
	assert_true(listen(&call) == AUDIO_QUIET);
	close_call(&call);
}

/* Two turns while packets wait: what they are is not known any more, and something is made up. */
static void test_two_turns_at_once(void **state)
{
	struct call call;

	(void)state;
	open_call(&call, "pcmu");
	talked(&call, WARM_UP);
	for (int i = 0; i < 5; i++)
		talk(&call, false);
	turn(&call, "pcma", 8);
	assert_int_equal(told_of(&call, "pcma=8"), 0);
	turn(&call, "pcmu", 96);
	assert_int_equal(told_of(&call, "pcmu=96"), 1);
	for (int i = 0; i < 5; i++)
		listen(&call);
	assert_true(concealed(&call) > 20);
	talked(&call, 30);
	assert_true(talked(&call, 10) > -15);
	close_call(&call);
}

/* Packets of types that were never agreed on. */
static void test_strange_types(void **state)
{
	struct call call;

	(void)state;
	open_call(&call, "pcmu");
	call.payload_type = 8;
	talked(&call, WARM_UP);
	assert_true(listen(&call) == AUDIO_QUIET);
	close_call(&call);
}

/* Each allocation fails in turn; that what came before it is freed, LeakSanitizer sees. */
static void test_no_memory(void **state)
{
	static const char *const lists[] = {"opus", "pcmu", "pcmu=0,opus=96,pcma=8"};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct media_formats formats = formats_of(lists[i]);
		struct playout *playout = NULL;
		size_t allowed = 0;
		int err;

		do {
			allocations_left = allowed++;
			err = playout_new(&playout, &formats, 8000);
			allocations_left = SIZE_MAX;
			assert_true(err == 0 || err == -ENOMEM);
		} while (err);
		assert_true(allowed > 3);
		playout_free(playout);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone_is_heard),
		cmocka_unit_test(test_losses_are_made_up),
		cmocka_unit_test(test_delay_comes_back),
		cmocka_unit_test(test_silence_when_nothing_comes),
		cmocka_unit_test(test_unequal_packets),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_any_count),
		cmocka_unit_test(test_old_type),
		cmocka_unit_test(test_two_turns_at_once),
		cmocka_unit_test(test_strange_types),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("media/playout", tests, NULL, NULL);
}
