/* audio/pipe_source and pipe_sink: what becomes of samples between a call's rate and a pipe's, and
 * what is told of the other program. The pipe is the test's. */
#include "audio/pipe_end.h"
#include "audio/pipe_sink.h"
#include "audio/pipe_source.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "tests/unit/fake_loop.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	PIPE_RATE = 16000,
	ROOM = 400000,
	WORDS_SIZE = 1000,
};

/* The other end. */
struct far {
	struct fake_loop fake;
	struct pipe pipe;
	struct audio_setup setup;
	uint8_t bytes[ROOM];
	size_t len, at; /* what it says, or has heard */
	size_t most;    /* bytes that a read gives at most */
	int err;        /* of a read after at, or of a write */
	bool exited;
	struct pipe_exit exit;
	struct pipe_report report;
	pipe_done *done;
	void *arg;
	struct post closed;
	char words[WORDS_SIZE]; /* what was told: N for a note, F for a failure, and the words */
	unsigned ended;
};

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

static int far_read(struct buf *out, struct pipe *pipe)
{
	struct far *far = container_of(pipe, struct far, pipe);
	size_t room = out->size - out->len;
	size_t left = far->len - far->at;
	size_t count = room < left ? room : left;

	count = count < far->most ? count : far->most;
	assert_int_equal(buf_put(out, (struct slice){far->bytes + far->at, count}), 0);
	far->at += count;
	return left == 0 ? far->err : 0;
}

static int far_write(struct pipe *pipe, struct slice bytes)
{
	struct far *far = container_of(pipe, struct far, pipe);

	if (far->err)
		return far->err;
	assert_int_equal(bytes.len % 2, 0);
	assert_true(far->len + bytes.len <= ROOM);
	if (bytes.len > 0)
		memcpy(far->bytes + far->len, bytes.data, bytes.len);
	far->len += bytes.len;
	return 0;
}

static bool far_exited(struct pipe_exit *out, struct pipe *pipe)
{
	struct far *far = container_of(pipe, struct far, pipe);

	*out = far->exit;
	return far->exited;
}

static void run_closed(struct post *post)
{
	struct far *far = container_of(post, struct far, closed);

	far->done(far->arg, &far->report);
}

static void far_close(struct pipe *pipe, pipe_done *done, void *arg)
{
	struct far *far = container_of(pipe, struct far, pipe);

	far->done = done;
	far->arg = arg;
	far->closed.run = run_closed;
	loop_post(&far->fake.loop, &far->closed);
}

static const struct pipe_ops far_ops = {far_read, far_write, far_exited, far_close};

static void on_tell(void *arg, enum audio_news news, const char *words)
{
	struct far *far = arg;
	struct text text = text_in(far->words, sizeof(far->words));

	text.len = strlen(far->words);
	text_printf(&text, "%c %s\n", news == AUDIO_NOTE ? 'N' : 'F', words);
}

static void source_ended(void *arg)
{
	((struct far *)arg)->ended++;
}

static void sink_ended(void *arg, int err)
{
	assert_int_equal(err, 0);
	((struct far *)arg)->ended++;
}

static struct source *open_source(struct far *far, const char *command)
{
	struct source *source = NULL;

	far->fake.pipe = &far->pipe;
	assert_int_equal(pipe_source_open(&source, &far->setup, command, NULL), 0);
	assert_int_equal(far->fake.pipe_way, PIPE_IN);
	assert_ptr_equal(far->fake.pipe_line, command);
	return source;
}

static struct sink *open_sink(struct far *far, const char *command)
{
	struct sink *sink = NULL;

	far->fake.pipe = &far->pipe;
	assert_int_equal(pipe_sink_open(&sink, &far->setup, command, NULL), 0);
	assert_int_equal(far->fake.pipe_way, PIPE_OUT);
	assert_ptr_equal(far->fake.pipe_line, command);
	return sink;
}

static void close_source(struct far *far, struct source *source)
{
	assert_true(source_close(source, source_ended, far));
	assert_int_equal(far->ended, 0);
	fake_loop_settle(&far->fake);
	assert_int_equal(far->ended, 1);
	far->ended = 0;
}

static void close_sink(struct far *far, struct sink *sink)
{
	sink_close(sink, sink_ended, far);
	assert_int_equal(far->ended, 0);
	fake_loop_settle(&far->fake);
	assert_int_equal(far->ended, 1);
	far->ended = 0;
}

static int16_t tone(uint32_t rate, size_t i)
{
	return (int16_t)lrint(10000 * sin(2 * M_PI * 440 * (double)i / rate));
}

static void say_tone(struct far *far, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint16_t sample = (uint16_t)tone(PIPE_RATE, i);

		far->bytes[far->len++] = (uint8_t)sample;
		far->bytes[far->len++] = (uint8_t)(sample >> 8);
	}
}

/* All of it, in step, at each rate of a call, however the bytes are cut. */
static void test_all_is_heard(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 44100, 48000};
	static const size_t cuts[] = {1, 3, 640, 65536};
	struct far *far = *state;

	for (size_t n = 0; n < 16; n++) {
		uint32_t rate = rates[n / 4];
		size_t frame = rate / 50, all = 0, got;
		int16_t out[960];
		struct source *source;

		far->at = far->len = 0;
		far->most = cuts[n % 4];
		far->err = -ENODATA;
		far->setup.rate = rate;
		say_tone(far, PIPE_RATE + 77);
		far->bytes[far->len++] = 1; /* half a sample is none */
		source = open_source(far, NULL);
		while ((got = source_read(source, out, frame)) > 0) {
			for (size_t i = 0; i < got; i++, all++)
				if (all > 100 && all < rate - 100)
					assert_in_range(out[i] - tone(rate, all) + 100, 0, 200);
			if (got < frame)
				break;
		}
		assert_int_equal(
			all, ((PIPE_RATE + 77) * (uint64_t)rate + PIPE_RATE - 1) / PIPE_RATE);
		assert_int_equal(source_read(source, out, frame), 0);
		assert_int_equal(source_missed(source), 0);
		close_source(far, source);
	}
	assert_string_equal(far->words, "");
}

/* Nothing there yet is silence, and it goes on where it left off. */
static void test_what_is_late_is_silence(void **state)
{
	struct far *far = *state;
	struct source *source;
	int16_t out[320];

	far->setup.rate = PIPE_RATE;
	source = open_source(far, "x");
	assert_int_equal(source_read(source, out, 320), 320);
	assert_int_equal(source_missed(source), 320);
	say_tone(far, 500);
	assert_int_equal(source_read(source, out, 320), 320);
	for (size_t i = 0; i < 320; i++)
		assert_int_equal(out[i], tone(PIPE_RATE, i));
	assert_int_equal(source_read(source, out, 320), 320);
	assert_int_equal(source_missed(source), 320 + 140);
	for (size_t i = 0; i < 320; i++)
		assert_int_equal(out[i], i < 180 ? tone(PIPE_RATE, 320 + i) : 0);
	assert_string_equal(far->words, "");
	close_source(far, source);
}

/* No more is taken than is played: a sound that waits in us would only be late. */
static void test_nothing_is_taken_before_its_time(void **state)
{
	struct far *far = *state;
	struct source *source;
	int16_t out[960];

	say_tone(far, PIPE_RATE);
	source = open_source(far, NULL);
	for (size_t i = 1; i <= 10; i++) {
		assert_int_equal(source_read(source, out, 960), 960);
		assert_in_range(far->at / 2, 320 * i, 320 * (i + 2)); /* and the filter's delay */
	}
	source_free(source);
	fake_loop_settle(&far->fake);
}

static void test_all_is_written(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 44100, 48000};
	struct far *far = *state;

	for (size_t n = 0; n < 4; n++) {
		uint32_t rate = rates[n];
		size_t frame = rate / 50, all;
		int16_t samples[2048];
		struct sink *sink;

		far->len = 0;
		far->setup.rate = rate;
		sink = open_sink(far, n % 2 ? "x" : NULL);
		for (all = 0; all < rate; all += frame) {
			frame = rate - all < frame ? rate - all : frame;
			for (size_t i = 0; i < frame; i++)
				samples[i] = tone(rate, all + i);
			sink_write(sink, samples, frame);
		}
		close_sink(far, sink);
		assert_int_equal(far->len, PIPE_RATE * sizeof(int16_t));
		for (size_t i = 100; i < PIPE_RATE - 100; i++) {
			int16_t heard = (int16_t)(far->bytes[2 * i] | far->bytes[2 * i + 1] << 8);

			assert_in_range(heard - tone(PIPE_RATE, i) + 100, 0, 200);
		}
	}
	assert_string_equal(far->words, "");
}

/* Dropped samples are counted, and told once, with those that were left in the end. */
static void test_slow_reader(void **state)
{
	static const int16_t samples[960];
	struct far *far = *state;
	struct sink *sink = open_sink(far, NULL);

	sink_write(sink, samples, 960);
	far->err = -ENOBUFS;
	for (size_t i = 0; i < 50; i++)
		sink_write(sink, samples, 960);
	assert_string_equal(far->words, "");
	far->err = 0;
	sink_write(sink, samples, 960);
	far->report.err = -ETIMEDOUT;
	far->report.unsent = PIPE_RATE * sizeof(int16_t) / 2;
	close_sink(far, sink);
	assert_string_equal(
		far->words, "F standard output was too slow: 1.50 s of sound were dropped\n");
}

static void test_reader_that_leaves(void **state)
{
	static const int16_t samples[960];
	struct far *far = *state;

	for (size_t n = 0; n < 4; n++) {
		static const struct {
			const char *command;
			struct pipe_exit exit;
			const char *words;
		} rows[] = {
			{NULL, {0, 0},
				"N standard output is not read any more, and what comes is not "
				"heard\n"},
			{"head -c 9", {0, 0},
				"N the command \"head -c 9\" is not read any more, and what comes "
				"is "
				"not heard\n"},
			{"x", {3, 0}, "F the command \"x\" ended with exit code 3\n"},
			{"x", {0, 15},
				"F the command \"x\" was killed by signal 15 (Terminated)\n"},
		};
		struct sink *sink = open_sink(far, rows[n].command);

		far->words[0] = '\0';
		sink_write(sink, samples, 960);
		far->err = -EPIPE;
		far->exited = false;
		far->exit = rows[n].exit;
		sink_write(sink, samples, 960);
		if (rows[n].command) /* how it ended comes a little later */
			assert_string_equal(far->words, "");
		far->exited = rows[n].command != NULL;
		for (size_t i = 0; i < 3; i++)
			sink_write(sink, samples, 960);
		assert_string_equal(far->words, rows[n].words);
		far->report = (struct pipe_report){far->exit, -EPIPE, 100};
		close_sink(far, sink);
		assert_string_equal(far->words, rows[n].words); /* once */
		far->err = 0;
	}
}

/* A disk behind it that is full, seen by the write itself or by the last that was to be done. */
static void test_full_disk(void **state)
{
	static const int16_t samples[960];
	struct far *far = *state;

	for (size_t late = 0; late < 2; late++) {
		struct sink *sink = open_sink(far, NULL);

		far->words[0] = '\0';
		far->err = late ? 0 : -ENOSPC;
		sink_write(sink, samples, 960);
		sink_write(sink, samples, 960);
		far->report = (struct pipe_report){{0, 0}, -ENOSPC, 1000};
		close_sink(far, sink);
		assert_string_equal(far->words,
			"F standard output cannot be written: No space left on device\n");
	}
}

static void test_commands_that_fail(void **state)
{
	static const struct {
		struct pipe_exit exit;
		const char *words;
	} rows[] = {
		{{0, 0}, ""},
		{{1, 0}, "F the command \"say\\x1b[2J\" ended with exit code 1\n"},
		{{126, 0}, "F the command \"say\\x1b[2J\" ended with exit code 126: it cannot be "
			   "run\n"},
		{{127, 0},
			"F the command \"say\\x1b[2J\" ended with exit code 127: there is no such "
			"command\n"},
		{{0, 9}, "F the command \"say\\x1b[2J\" was killed by signal 9 (Killed)\n"},
	};
	struct far *far = *state;

	for (size_t n = 0; n < 2 * sizeof(rows) / sizeof(rows[0]); n++) {
		struct source *source = open_source(far, "say\x1b[2J");
		int16_t out[960];

		far->words[0] = '\0';
		far->err = -ENODATA;
		far->exit = rows[n / 2].exit;
		far->report.exit = far->exit;
		far->exited = n % 2;
		assert_int_equal(source_read(source, out, 960), 0);
		assert_string_equal(far->words, n % 2 ? rows[n / 2].words : "");
		close_source(far, source); /* at the latest then */
		assert_string_equal(far->words, rows[n / 2].words);
	}
}

static void test_input_that_cannot_be_read(void **state)
{
	struct far *far = *state;
	struct source *source = open_source(far, NULL);
	int16_t out[960];

	far->err = -EISDIR;
	assert_int_equal(source_read(source, out, 960), 0);
	assert_int_equal(source_read(source, out, 960), 0);
	assert_string_equal(far->words, "F standard input cannot be read: Is a directory\n");
	close_source(far, source);
}

static void test_long_commands(void **state)
{
	static const char line[] =
		"0123456789 123456789 123456789 123456789 123456789 123456789 123456789";
	struct far *far = *state;
	struct source *source = open_source(far, line);

	far->report.exit.code = 1;
	close_source(far, source);
	assert_string_equal(far->words,
		"F the command \"0123456789 123456789 123456789 123456789 123456789 "
		"123456789...\" ended with exit code 1\n");
}

static void test_faults(void **state)
{
	struct far *far = *state;
	struct source *source = NULL;
	struct sink *sink = NULL;
	struct fault why;

	assert_int_equal(pipe_source_open(&source, &far->setup, "x", &why), -EMFILE);
	assert_string_equal(why.words, "the command \"x\" cannot be run: Too many open files");
	assert_int_equal(pipe_sink_open(&sink, &far->setup, NULL, &why), -EMFILE);
	assert_string_equal(why.words, "standard output cannot be opened: Too many open files");
	assert_null(source);
	assert_null(sink);
}

static void test_no_memory(void **state)
{
	struct far *far = *state;
	struct source *source = NULL;
	struct sink *sink = NULL;
	struct fault why;

	far->fake.pipe = &far->pipe;
	for (size_t allowed = 0; allowed < 3; allowed++) {
		allocations_left = allowed;
		assert_int_equal(pipe_source_open(&source, &far->setup, NULL, &why), -ENOMEM);
		assert_string_equal(why.words, "too little memory for a pipe");
		allocations_left = allowed;
		assert_int_equal(pipe_sink_open(&sink, &far->setup, NULL, &why), -ENOMEM);
		assert_string_equal(why.words, "too little memory for a pipe");
		allocations_left = SIZE_MAX;
	}
	assert_null(source);
	assert_null(sink);
	assert_ptr_equal(far->fake.pipe, &far->pipe); /* and nothing was opened */
}

static int set_up(void **state)
{
	struct far *far = calloc(1, sizeof(*far));

	assert_non_null(far);
	fake_loop_init(&far->fake);
	far->pipe.ops = &far_ops;
	far->most = ROOM;
	far->setup = (struct audio_setup){
		.loop = &far->fake.loop,
		.rate = 48000,
		.pipe_rate = PIPE_RATE,
		.tell = on_tell,
		.arg = far,
	};
	*state = far;
	return 0;
}

static int tear_down(void **state)
{
	struct far *far = *state;

	fake_loop_end(&far->fake);
	free(far);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(all_is_heard),
		TEST(what_is_late_is_silence),
		TEST(nothing_is_taken_before_its_time),
		TEST(all_is_written),
		TEST(slow_reader),
		TEST(reader_that_leaves),
		TEST(full_disk),
		TEST(commands_that_fail),
		TEST(input_that_cannot_be_read),
		TEST(long_commands),
		TEST(faults),
		TEST(no_memory),
	};
#undef TEST

	return cmocka_run_group_tests_name("audio/pipe", tests, NULL, NULL);
}
