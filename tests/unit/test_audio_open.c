/* audio/open: how sources and sinks are written, and what is said of what is not one. */
#include "audio/open.h"

#include "core/base/text.h"
#include "tests/unit/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

static char folder[] = "/tmp/audio_open.XXXXXX";

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_malloc(size);
}

struct row {
	const char *spec;
	int err;
	const char *words;
};

/* clang-format off */
static const struct row source_rows[] = {
	{"silence",          0,       NULL},
	{"loop",             0,       NULL},
	{"tone:440",         0,       NULL},
	{"tone:20",          0,       NULL},
	{"tone:23999",       0,       NULL},
	{"file:speech.wav",  0,       NULL},
	{"tone:19",          -EINVAL, "a tone has from 20 to 23999 Hz, as in tone:440"},
	{"tone:24000",       -EINVAL, "a tone has from 20 to 23999 Hz"},
	{"tone:440Hz",       -EINVAL, "a tone has from 20 to 23999 Hz"},
	{"tone:-440",        -EINVAL, "a tone has from 20 to 23999 Hz"},
	{"tone:99999999999999999999", -EINVAL, "a tone has from 20 to 23999 Hz"},
	{"exec",             -EINVAL, "source exec needs a command: exec:CMD"},
	{"exec:",            -EINVAL, "source exec needs a command: exec:CMD"},
	{"stdin:",           -EINVAL, "source stdin takes nothing after it"},
	{"stdout",           -EINVAL, "no source stdout; there are"},
	{"tone",             -EINVAL, "source tone needs a frequency: tone:HZ"},
	{"tone:",            -EINVAL, "source tone needs a frequency: tone:HZ"},
	{"file",             -EINVAL, "source file needs a path: file:PATH"},
	{"file:",            -EINVAL, "source file needs a path: file:PATH"},
	{"device:",          -EINVAL, "source device needs a name: device:NAME"},
	{"defualt",          -EINVAL, "no source defualt; did you mean default?"},
	{"silence:",         -EINVAL, "source silence takes nothing after it"},
	{"loop:1",           -EINVAL, "source loop takes nothing after it"},
	{"",                 -EINVAL, "a source has no name"},
	{":x",               -EINVAL, "a source has no name"},
	{"flie:speech.wav",  -EINVAL, "no source flie; did you mean file:?"},
	{"silense",          -EINVAL, "no source silense; did you mean silence?"},
	{"Loop",             -EINVAL, "no source Loop; did you mean loop?"},
	{"tome:440",         -EINVAL, "no source tome; did you mean tone:?"},
	{"null",             -EINVAL, "no source null; there are default, device:NAME, file:PATH, tone:HZ"},
	{"speech.wav",       -EINVAL, "no source speech.wav; for a file write file:speech.wav"},
	{"a/speech",         -EINVAL, "no source a/speech; for a file write file:a/speech"},
	{"x\x1b[2J:",        -EINVAL, "no source x\\x1b[2J; there are"},
	{"file:nobody.wav",  -ENOENT, "nobody.wav: no such file"},
	{"file:empty.wav",   -ENODATA, "empty.wav: it holds no audio"},
	{"file:text.wav",    -EPROTO, "text.wav: not an audio file that libsndfile can read ("},
	{"file:.",           -EISDIR, ".: is a directory"},
};

static const struct row sink_rows[] = {
	{"null",             0,       NULL},
	{"file:new.wav",     0,       NULL},
	{"file:./new.wav",   0,       NULL},
	{"file:speech.wav",  0,       NULL},
	{"exec:",            -EINVAL, "sink exec needs a command: exec:CMD"},
	{"stdin",            -EINVAL, "no sink stdin; there are"},
	{"stdot",            -EINVAL, "no sink stdot; did you mean stdout?"},
	{"null:",            -EINVAL, "sink null takes nothing after it"},
	{"file:",            -EINVAL, "sink file needs a path: file:PATH"},
	{"nul",              -EINVAL, "no sink nul; did you mean null?"},
	{"default:",         -EINVAL, "sink default takes nothing after it"},
	{"device",           -EINVAL, "sink device needs a name: device:NAME"},
	{"device:",          -EINVAL, "sink device needs a name: device:NAME"},
	{"devise:x",         -EINVAL, "no sink devise; did you mean device:?"},
	{"silence",          -EINVAL, "no sink silence; there are default, device:NAME, file:PATH, null, "
		"stdout, exec:CMD"},
	{"",                 -EINVAL, "a sink has no name"},
	{"file:no/new.wav",  -ENOENT, "no/new.wav: no such folder"},
	{"file:no/",         -EISDIR, "no/: is a directory"},
	{"file:.",           -EISDIR, ".: is a directory"},
	{"file:fifo",        -ENOTSUP, "fifo: not a regular file"},
	{"file:text.wav/x",  -ENOTDIR, "no directory"},
};
/* clang-format on */

static void check_rows(
	const struct row *rows, size_t count, int (*check)(struct slice spec, struct fault *why))
{
	for (size_t i = 0; i < count; i++) {
		struct fault why = {0};
		int err = check(slice_of(rows[i].spec), &why);

		if (err != rows[i].err)
			fail_msg("'%s': %d %s", rows[i].spec, err, why.words);
		if (err && !strstr(why.words, rows[i].words))
			fail_msg("'%s': %s", rows[i].spec, why.words);
		assert_int_equal(check(slice_of(rows[i].spec), NULL), err);
	}
}

static void test_check(void **state)
{
	(void)state;
	check_rows(source_rows, sizeof(source_rows) / sizeof(source_rows[0]), audio_source_check);
	check_rows(sink_rows, sizeof(sink_rows) / sizeof(sink_rows[0]), audio_sink_check);
	assert_int_not_equal(access("new.wav", F_OK), 0); /* a check makes nothing */
}

/* What passes the check opens, what does not fails alike. */
static void test_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(source_rows) / sizeof(source_rows[0]); i++) {
		struct slice spec = slice_of(source_rows[i].spec);
		struct source *source = NULL;
		struct fake_loop fake;
		struct fault why;
		int err;

		assert_int_equal(
			audio_source_is_loop(spec), strcmp(source_rows[i].spec, "loop") == 0);
		if (audio_source_is_loop(spec))
			continue;

		fake_loop_init(&fake);
		err = audio_source_open(&source,
			&(struct audio_setup){.loop = &fake.loop, .rate = 48000}, spec, &why);
		if (err != source_rows[i].err || (source != NULL) != (err == 0))
			fail_msg("'%s': %d", source_rows[i].spec, err);
		if (err && !strstr(why.words, source_rows[i].words))
			fail_msg("'%s': %s", source_rows[i].spec, why.words);
		source_free(source);
		fake_loop_settle(&fake);
		fake_loop_end(&fake);
	}
}

static void test_tone_of_rate(void **state)
{
	struct source *source = NULL;
	struct fault why;
	int16_t out[8];

	(void)state;
	assert_int_equal(
		audio_source_open(&source, &(struct audio_setup){.loop = NULL, .rate = 8000},
			slice_of("tone:4000"), &why),
		-EINVAL);
	assert_string_equal(why.words, "tone:4000: at 8000 Hz there are no tones above 3999 Hz");
	assert_int_equal(
		audio_source_open(&source, &(struct audio_setup){.loop = NULL, .rate = 8000},
			slice_of("tone:2000"), &why),
		0);
	assert_int_equal(source_read(source, out, 8), 8);
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], 10362);
	assert_int_equal(out[2], 0);
	assert_int_equal(out[3], -10362);
	source_free(source);
}

static void test_devices_are_told_from_files(void **state)
{
	(void)state;
	assert_true(audio_sink_is_device(slice_of("default")));
	assert_true(audio_sink_is_device(slice_of("device:usb")));
	assert_false(audio_sink_is_device(slice_of("file:device")));
	assert_false(audio_sink_is_device(slice_of("null")));
	assert_true(audio_is_default(slice_of("default")));
	assert_false(audio_is_default(slice_of("device:default")));
}

static void note_done(void *arg, int err)
{
	*(int *)arg = err;
}

static void test_sinks(void **state)
{
	static const int16_t samples[300] = {1, 2, 3};
	struct fake_loop fake;
	struct sink *sink = NULL;
	SF_INFO info = {0};
	SNDFILE *file;
	int done = 7;

	(void)state;
	fake_loop_init(&fake);
	for (int round = 0; round < 2; round++) { /* the second overwrites the first */
		assert_int_equal(audio_sink_open(&sink,
					 &(struct audio_setup){.loop = &fake.loop, .rate = 16000},
					 slice_of("file:new.wav"), NULL),
			0);
		sink_write(sink, samples, 300);
		sink_close(sink, note_done, &done);
		assert_int_equal(done, 7 * (1 - round));
		fake_loop_settle(&fake);
		assert_int_equal(done, 0);
	}
	file = sf_open("new.wav", SFM_READ, &info);
	assert_non_null(file);
	assert_int_equal(info.frames, 300);
	assert_int_equal(info.samplerate, 16000);
	assert_int_equal(info.channels, 1);
	sf_close(file);
	unlink("new.wav");

	assert_int_equal(
		audio_sink_open(&sink, &(struct audio_setup){.loop = &fake.loop, .rate = 8000},
			slice_of("null"), NULL),
		0);
	sink_close(sink, NULL, NULL);
	fake_loop_settle(&fake);
	sink = NULL;
	for (size_t i = 0; i < sizeof(sink_rows) / sizeof(sink_rows[0]); i++)
		if (sink_rows[i].err && strcmp(sink_rows[i].spec, "file:fifo") != 0) {
			assert_int_equal(
				audio_sink_open(&sink,
					&(struct audio_setup){.loop = &fake.loop, .rate = 8000},
					slice_of(sink_rows[i].spec), NULL),
				sink_rows[i].err);
			assert_null(sink);
		}
	fake_loop_end(&fake);
}

static void test_traits(void **state)
{
	static const struct {
		const char *spec;
		bool ends, pipe;
	} traits[] = {
		{"file:speech.wav", true, false},
		{"stdin", true, true},
		{"exec:x", true, true},
		{"stdout", false, true},
		{"tone:440", false, false},
		{"loop", false, false},
		{"default", false, false},
		{"stdin:x", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
		struct slice spec = slice_of(traits[i].spec);

		assert_int_equal(audio_source_ends(spec), traits[i].ends);
		assert_int_equal(audio_is_pipe(spec), traits[i].pipe);
	}
}

/* Each opens what it says, with the whole line that was given. */
static void test_pipes(void **state)
{
	struct fake_loop fake;
	struct source *source;
	struct sink *sink;
	struct audio_setup setup = {.loop = &fake.loop, .rate = 8000, .pipe_rate = 16000};
	struct fault why;

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(audio_source_check(slice_of("exec:a: b | c"), NULL), 0);
	assert_int_equal(audio_sink_check(slice_of("exec:a: b | c"), NULL), 0);
	assert_int_equal(audio_source_open(&source, &setup, slice_of("stdin"), &why), -EMFILE);
	assert_string_equal(why.words, "standard input cannot be opened: Too many open files");
	assert_int_equal(audio_sink_open(&sink, &setup, slice_of("stdout"), &why), -EMFILE);
	assert_string_equal(why.words, "standard output cannot be opened: Too many open files");
	assert_int_equal(audio_source_open(&source, &setup, slice_of("exec:a: b"), &why), -EMFILE);
	assert_string_equal(why.words, "the command \"a: b\" cannot be run: Too many open files");
	assert_int_equal(audio_sink_open(&sink, &setup, slice_of("exec:a: b"), &why), -EMFILE);
	assert_string_equal(why.words, "the command \"a: b\" cannot be run: Too many open files");
	fake_loop_end(&fake);
}

static void test_nul(void **state)
{
	static const uint8_t spec[] = "file:speech.wav\0x";
	static const uint8_t command[] = "exec:x\0x";
	struct fault why;

	(void)state;
	assert_int_equal(
		audio_source_check((struct slice){command, sizeof(command) - 1}, &why), -EINVAL);
	assert_string_equal(why.words, "a command cannot hold a NUL");
	assert_int_equal(audio_source_check((struct slice){spec, sizeof(spec) - 1}, &why), -EINVAL);
	assert_int_equal(audio_sink_check((struct slice){spec, sizeof(spec) - 1}, &why), -EINVAL);
}

static void test_no_memory(void **state)
{
	static const char *const specs[] = {"file:speech.wav", "tone:440", "silence"};
	static const char *const sink_specs[] = {"file:new.wav", "null"};
	struct fake_loop fake;
	struct source *source = NULL;
	struct sink *sink = NULL;

	(void)state;
	fake_loop_init(&fake);
	for (size_t i = 0; i < 5; i++) {
		struct fault why = {0};
		int err;

		allocations_left = 0;
		if (i < 3)
			err = audio_source_open(&source,
				&(struct audio_setup){.loop = &fake.loop, .rate = 8000},
				slice_of(specs[i]), &why);
		else
			err = audio_sink_open(&sink,
				&(struct audio_setup){.loop = &fake.loop, .rate = 8000},
				slice_of(sink_specs[i - 3]), &why);
		allocations_left = SIZE_MAX;
		assert_int_equal(err, -ENOMEM);
		assert_non_null(strstr(why.words, "too little memory"));
	}
	for (size_t allowed = 1; allowed < 3; allowed++) { /* the sink, its writer */
		allocations_left = allowed;
		assert_int_equal(audio_sink_open(&sink,
					 &(struct audio_setup){.loop = &fake.loop, .rate = 8000},
					 slice_of("file:new.wav"), NULL),
			-ENOMEM);
		allocations_left = SIZE_MAX;
	}
	assert_null(source);
	assert_null(sink);
	fake_loop_end(&fake);
}

static int set_up(void **state)
{
	static const int16_t samples[100];
	SF_INFO info = {0, 16000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 0, 0};
	SNDFILE *sound;
	FILE *file;

	(void)state;
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	sound = sf_open("speech.wav", SFM_WRITE, &info);
	sf_write_short(sound, samples, 100);
	sf_close(sound);
	fclose(fopen("empty.wav", "w"));
	file = fopen("text.wav", "w");
	fputs("This is a letter and not a sound.", file);
	fclose(file);
	return mkfifo("fifo", 0600);
}

static int tear_down(void **state)
{
	(void)state;
	unlink("speech.wav");
	unlink("empty.wav");
	unlink("text.wav");
	unlink("fifo");
	return chdir("/") || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_tone_of_rate),
		cmocka_unit_test(test_devices_are_told_from_files),
		cmocka_unit_test(test_sinks),
		cmocka_unit_test(test_traits),
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/open", tests, set_up, tear_down);
}
