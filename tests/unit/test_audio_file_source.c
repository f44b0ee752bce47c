/* audio/file_source: any format, rate and channels come out as they should, at whatever pace the
 * disk has. */
#include "audio/file_source.h"
#include "tests/unit/fake_loop.h"
#include "tests/unit/nobody.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum {
	LOUD = 10000,
	FRAME = 160,
	PATH_SIZE = 200,
};

static char folder[] = "/tmp/file_source.XXXXXX";
static char path[PATH_SIZE];
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

static int16_t tone(uint32_t rate, size_t i)
{
	return (int16_t)lround(LOUD * sin(2 * M_PI * 500 * (double)i / rate));
}

/* A file of count frames; channel c has the tone c + 1 times as quiet, so that all count. */
static void make_file(int format, uint32_t rate, unsigned channels, size_t count)
{
	SF_INFO info = {.samplerate = (int)rate, .channels = (int)channels, .format = format};
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);

	assert_non_null(file);
	sf_command(file, SFC_SET_SCALE_INT_FLOAT_WRITE, NULL, SF_TRUE);
	for (size_t i = 0; i < count; i++) {
		int16_t frame[8];

		for (unsigned c = 0; c < channels; c++)
			frame[c] = (int16_t)(tone(rate, i) / (int)(c + 1));
		assert_int_equal(sf_writef_short(file, frame, 1), 1);
	}
	sf_close(file);
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	if (!dir) /* no such thing on this system: nothing is compared */
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_formats(void **state)
{
	static const struct {
		int format;
		uint32_t rate;
		unsigned channels;
		uint32_t out_rate;
		double part; /* of the tone that is left in the mean of the channels */
		double off;  /* by how much a sample may be, */
		size_t ends; /* but for so many at both ends */
	} rows[] = {
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 8000, 1, 150, 500},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 48000, 1, 150, 500},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 8000, 0.75, 150, 500},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_24, 48000, 4, 48000, 0.5208, 150, 500},
		{SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22050, 1, 16000, 1, 150, 500},
		{SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 8000, 2, 8000, 0.75, 150, 500},
		{SF_FORMAT_AU | SF_FORMAT_PCM_16, 11025, 1, 8000, 1, 150, 500},
		{SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, 48000, 1, 150, 500},
		{SF_FORMAT_W64 | SF_FORMAT_ALAW, 8000, 1, 16000, 1, 800, 500},
		{SF_FORMAT_CAF | SF_FORMAT_ULAW, 8000, 1, 8000, 1, 800, 500},
		{SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, 8000, 1, 800, 500},
		{SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, 16000, 1, 800, 2000},
		{SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 16000, 1, 8000, 1, 800, 2000},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		size_t total = rows[r].out_rate * 5 / 2;
		size_t got, all = 0;
		struct fake_loop fake;
		struct source *source;
		int16_t out[FRAME];

		make_file(rows[r].format, rows[r].rate, rows[r].channels, rows[r].rate * 5 / 2);
		fake_loop_init(&fake);
		assert_int_equal(
			file_source_open(&source, &fake.loop, path, rows[r].out_rate, NULL), 0);
		while ((got = source_read(source, out, FRAME)) > 0) {
			for (size_t i = 0; i < got; i++) {
				double want = rows[r].part * tone(rows[r].out_rate, all + i);

				if (all + i > rows[r].ends && all + i + rows[r].ends < total &&
					fabs(out[i] - want) > rows[r].off)
					fail_msg("row %zu, sample %zu: %d, not %f", r, all + i,
						out[i], want);
			}
			all += got;
			fake_loop_settle(&fake);
		}
		if (all != total)
			fail_msg("row %zu: %zu samples, not %zu", r, all, total);
		assert_int_equal(source_read(source, out, FRAME), 0); /* it stays ended */
		assert_int_equal(source_missed(source), 0);
		source_free(source);
		fake_loop_end(&fake);
	}
}

/* The last block is full, and what the filter held back comes on top of it. */
static void test_full_last_block(void **state)
{
	struct fake_loop fake;
	struct source *source;
	int16_t out[FRAME];
	size_t got, all = 0;

	(void)state;
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 2 * 8192 - 1);
	fake_loop_init(&fake);
	assert_int_equal(file_source_open(&source, &fake.loop, path, 48000, NULL), 0);
	while ((got = source_read(source, out, FRAME)) > 0) {
		all += got;
		fake_loop_settle(&fake);
	}
	assert_int_equal(all, 6 * (2 * 8192 - 1));
	source_free(source);
}

/* A disk that stands still is heard as silence, is counted, and nothing is skipped after. */
static void test_slow_disk(void **state)
{
	struct fake_loop fake;
	struct source *source;
	int16_t out[FRAME];
	size_t heard = 0;

	(void)state;
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 24000);
	fake_loop_init(&fake);
	assert_int_equal(file_source_open(&source, &fake.loop, path, 8000, NULL), 0);
	for (size_t i = 0; i < 60; i++) {
		assert_int_equal(source_read(source, out, FRAME), FRAME);
		heard += FRAME;
	}
	assert_int_equal(out[FRAME - 1], 0);
	heard -= source_missed(source);
	assert_true(heard >= 8000 && heard < 9600);
	assert_int_equal(fake.work_count, 1); /* asked for once */
	fake_loop_settle(&fake);
	assert_int_equal(source_read(source, out, FRAME), FRAME);
	for (size_t i = 0; i < FRAME; i++)
		assert_int_equal(out[i], tone(8000, heard + i));
	source_free(source);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
}

/* Work that cannot be had now is asked for again. */
static void test_no_work(void **state)
{
	struct fake_loop fake;
	struct source *source;
	int16_t out[8000];
	size_t got;

	(void)state;
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 16000);
	fake_loop_init(&fake);
	fake.work_err = -ENOMEM;
	assert_int_equal(file_source_open(&source, &fake.loop, path, 8000, NULL), 0);
	assert_int_equal(source_read(source, out, 8000), 8000);
	assert_int_equal(source_read(source, out, 8000), 8000);
	assert_true(source_missed(source) > 0);
	fake.work_err = 0;
	assert_int_equal(source_read(source, out, 1), 1);
	fake_loop_settle(&fake);
	got = source_read(source, out, 8000);
	assert_int_equal(got, 8000 - (16000 - source_missed(source) + 1 - 8000));
	source_free(source);
	fake_loop_end(&fake);
}

/* It may go while its work runs, and is gone with it. */
static void test_free_while_working(void **state)
{
	size_t before = open_files();
	struct fake_loop fake;
	struct source *source;
	int16_t one;

	(void)state;
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 24000);
	fake_loop_init(&fake);
	assert_int_equal(file_source_open(&source, &fake.loop, path, 8000, NULL), 0);
	assert_int_equal(
		fake.work_count, 0); /* it may be opened on a thread that is not the loop's */
	assert_int_equal(source_read(source, &one, 1), 1);
	assert_int_equal(fake.work_count, 1);
	source_free(source);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
	assert_int_equal(open_files(), before);
}

static void make_bytes(const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void expect_fault(const char *file, int err, const char *words)
{
	struct source *source = NULL;
	struct fake_loop fake;
	struct fault why = {0};

	fake_loop_init(&fake);
	if (file_source_check(file, &why) != err || !strstr(why.words, words))
		fail_msg("check: %d, not %d: %s", file_source_check(file, &why), err, why.words);
	why = (struct fault){0};
	if (file_source_open(&source, &fake.loop, file, 8000, &why) != err)
		fail_msg("open: not %d: %s", err, why.words);
	assert_non_null(strstr(why.words, words));
	assert_null(source);
	fake_loop_end(&fake);
}

static void test_faults(void **state)
{
	char other[PATH_SIZE + 10];
	size_t before = open_files();
	uid_t before_nobody;

	(void)state;
	unlink(path);
	expect_fault(path, -ENOENT, "a.wav: no such file");
	expect_fault(folder, -EISDIR, ": is a directory");
	snprintf(other, sizeof(other), "%s/x", path);
	make_bytes("", 0);
	expect_fault(path, -ENODATA, "a.wav: it holds no audio");
	expect_fault(other, -ENOTDIR, "no directory");
	make_bytes("Dear diary, today it rained.", 28);
	expect_fault(path, -EPROTO, "a.wav: not an audio file that libsndfile can read (");
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 0);
	expect_fault(path, -ENODATA, "a.wav: it holds no audio");
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 500, 1, 100);
	expect_fault(path, -EPROTO,
		"1 channels at 500 Hz are beyond us; 1 to 64 at 1000 to 768000 Hz are not");
	expect_fault("/dev/null", -ENOTSUP, "/dev/null: not a regular file");
	snprintf(other, sizeof(other), "%s/\x1b]0;.wav", folder);
	expect_fault(other, -ENOENT, "/\\x1b]0;.wav: no such file");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_fault(path, -ENOTSUP, "not a regular file"); /* and no waiting for a writer */
	unlink(path);
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 100);
	assert_int_equal(file_source_check(path, NULL), 0);
	chmod(path, 0);
	before_nobody = nobody_begin();
	expect_fault(path, -EACCES, "permission denied");
	nobody_end(before_nobody);
	assert_int_equal(open_files(), before);
}

/* Floats beyond full scale are cut, and what is no number is silence. */
static void test_wild_floats(void **state)
{
	static const float wild[] = {2.0f, -2.0f, NAN, INFINITY, 0.5f};
	static const int16_t want[] = {32767, -32768, 0, 32767, 16384};
	SF_INFO info = {0, 8000, 1, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0, 0};
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	struct fake_loop fake;
	struct source *source;
	int16_t out[8];

	(void)state;
	assert_non_null(file);
	assert_int_equal(sf_write_float(file, wild, 5), 5);
	sf_close(file);
	fake_loop_init(&fake);
	assert_int_equal(file_source_open(&source, &fake.loop, path, 8000, NULL), 0);
	assert_int_equal(fake.work_count, 0); /* all was read */
	assert_int_equal(source_read(source, out, 8), 5);
	assert_memory_equal(out, want, sizeof(want));
	source_free(source);
}

static void test_no_memory(void **state)
{
	struct source *source = NULL;
	size_t before = open_files();
	size_t allowed = 0;
	struct fake_loop fake;
	int err;

	(void)state;
	make_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 100);
	fake_loop_init(&fake);
	do {
		struct fault why = {0};

		allocations_left = allowed++;
		err = file_source_open(&source, &fake.loop, path, 8000, &why);
		allocations_left = SIZE_MAX;

		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(source != NULL, err == 0);
		assert_true(err == 0 || strstr(why.words, "too little memory"));
	} while (err);

	assert_int_equal(allowed, 7); /* itself, the resampler, four rooms */
	source_free(source);
	assert_int_equal(open_files(), before);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0755)) /* for whoever steps aside too */
		return -1;
	snprintf(path, sizeof(path), "%s/a.wav", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_full_last_block),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_no_work),
		cmocka_unit_test(test_free_while_working),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_wild_floats),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/file_source", tests, set_up, tear_down);
}
