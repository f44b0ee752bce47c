/* audio/wav_writer: what is written and when, what is dropped, and that each file plays at any
 * time. */
#include "audio/wav_writer.h"

#include "tests/unit/fake_loop.h"
#include "tests/unit/nobody.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum {
	RATE = 8000,
	BLOCK = RATE / 2,
	ROOM = 20 * BLOCK,
	PATH_SIZE = 200,
};

struct end {
	int calls;
	int err;
	uint64_t written, dropped;
};

static char folder[] = "/tmp/wav_writer.XXXXXX";
static char path[PATH_SIZE];
static size_t allocations_left = SIZE_MAX;
static bool disk_is_endless;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
sf_count_t __wrap_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count);
sf_count_t __real_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

sf_count_t __wrap_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count)
{
	return disk_is_endless ? count : __real_sf_writef_short(file, samples, count);
}

static int16_t sample(size_t i)
{
	return (int16_t)(i % 32749);
}

static void write_many(struct wav_writer *writer, size_t from, size_t count, size_t piece)
{
	int16_t samples[1000];

	for (size_t at = 0; at < count; at += piece) {
		size_t len = count - at < piece ? count - at : piece;

		for (size_t i = 0; i < len; i++)
			samples[i] = sample(from + at + i);
		wav_writer_write(writer, samples, len);
	}
}

static void note_end(void *arg, int err, uint64_t written, uint64_t dropped)
{
	struct end *end = arg;

	*end = (struct end){end->calls + 1, err, written, dropped};
}

/* Reads path as it is now; returns how many samples a channel it has. */
static size_t read_file(int16_t *out, size_t room, int channels)
{
	SF_INFO info = {0};
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	sf_count_t got;

	assert_non_null(file);
	assert_int_equal(info.channels, channels);
	assert_int_equal(info.samplerate, RATE);
	assert_int_equal(info.format, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
	got = sf_readf_short(file, out, (sf_count_t)room / channels);
	assert_int_equal(got, info.frames);
	sf_close(file);
	return (size_t)got;
}

static void test_all_is_written(void **state)
{
	static const size_t counts[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 77};
	static int16_t out[ROOM];

	(void)state;
	for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
		struct wav_writer *writer;
		struct fake_loop fake;
		struct end end = {0};

		fake_loop_init(&fake);
		assert_int_equal(
			wav_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
		write_many(writer, 0, counts[n], 160);
		wav_writer_close(writer, note_end, &end);
		assert_int_equal(end.calls, 0); /* never before wav_writer_close() returns */
		fake_loop_settle(&fake);
		assert_int_equal(end.calls, 1);
		assert_int_equal(end.err, 0);
		assert_int_equal(end.written, counts[n]);
		assert_int_equal(end.dropped, 0);
		assert_int_equal(read_file(out, ROOM, 1), counts[n]);
		for (size_t i = 0; i < counts[n]; i++)
			if (out[i] != sample(i))
				fail_msg("sample %zu of %zu: %d", i, counts[n], out[i]);
		fake_loop_end(&fake);
	}
}

static void test_stereo(void **state)
{
	static const int16_t samples[] = {1, -1, 2, -2, 3, -3};
	struct wav_writer *writer;
	struct fake_loop fake;
	struct end end = {0};
	int16_t out[8];

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 2, false, NULL), 0);
	wav_writer_write(writer, samples, 3);
	wav_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.written, 3);
	assert_int_equal(read_file(out, 8, 2), 3);
	assert_memory_equal(out, samples, sizeof(samples));
}

/* The size of the samples as the header tells it, bytes: what a strict player goes by. */
static size_t header_size(void)
{
	uint8_t head[44] = {0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
	fclose(file);
	assert_memory_equal(head + 36, "data", 4);
	return head[40] | (size_t)head[41] << 8 | (size_t)head[42] << 16 | (size_t)head[43] << 24;
}

/* Killed at any moment, it leaves all blocks that had got to the disk. */
static void test_file_plays_midway(void **state)
{
	static int16_t out[ROOM];
	struct wav_writer *writer;
	struct fake_loop fake;

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	assert_int_equal(read_file(out, ROOM, 1), 0);
	for (size_t block = 1; block <= 4; block++) {
		write_many(writer, (block - 1) * BLOCK, BLOCK, 100);
		fake_loop_settle(&fake);
		assert_int_equal(header_size(), block * BLOCK * sizeof(out[0]));
		assert_int_equal(read_file(out, ROOM, 1), block * BLOCK);
		assert_int_equal(out[block * BLOCK - 1], sample(block * BLOCK - 1));
	}
	wav_writer_close(writer, NULL, NULL);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
}

/* A disk that stands still: the queue fills, what comes then is dropped, and it goes on after. */
static void test_slow_disk(void **state)
{
	static int16_t out[ROOM];
	size_t kept = WAV_QUEUE_BLOCKS * BLOCK;
	struct wav_writer *writer;
	struct fake_loop fake;
	struct end end = {0};

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	write_many(writer, 0, kept, 100);
	assert_int_equal(wav_writer_dropped(writer), 0);
	assert_int_equal(fake.work_count, 1); /* one at a time, so that the order stays */
	write_many(writer, kept, 300, 100);
	assert_int_equal(wav_writer_dropped(writer), 300);
	fake_loop_settle(&fake);
	write_many(writer, kept, 10, 10);
	wav_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.err, -ENOBUFS);
	assert_int_equal(end.written, kept + 10);
	assert_int_equal(end.dropped, 300);
	assert_int_equal(read_file(out, ROOM, 1), kept + 10);
	for (size_t i = 0; i < kept + 10; i++)
		assert_int_equal(out[i], sample(i));
	fake_loop_end(&fake);
}

/* Work that cannot be had: the blocks wait for better times, or for the end. */
static void test_no_work(void **state)
{
	static int16_t out[ROOM];
	struct wav_writer *writer;
	struct fake_loop fake;

	(void)state;
	fake_loop_init(&fake);
	for (int better = 0; better < 2; better++) {
		struct end end = {0};

		fake.work_err = -ENOMEM;
		assert_int_equal(
			wav_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
		write_many(writer, 0, 2 * BLOCK, 100);
		fake.work_err = better ? 0 : -ENOMEM;
		write_many(writer, 2 * BLOCK, BLOCK + 1, 100);
		assert_int_equal(fake.work_count, better);
		wav_writer_close(writer, note_end, &end);
		assert_int_equal(end.calls, 0);
		fake_loop_settle(&fake);
		assert_int_equal(end.calls, 1);
		assert_int_equal(end.err, 0);
		assert_int_equal(end.written, 3 * BLOCK + 1);
		assert_int_equal(read_file(out, ROOM, 1), 3 * BLOCK + 1);
		for (size_t i = 0; i <= 3 * BLOCK; i++)
			assert_int_equal(out[i], sample(i));
		fake_loop_end(&fake);
	}
}

/* A full disk: what fitted plays, the rest is counted, the error is told. */
static void test_full_disk(void **state)
{
	static int16_t out[ROOM];
	struct rlimit before, small;
	uint64_t dropped;
	struct wav_writer *writer;
	struct fake_loop fake;
	struct end end = {0};

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){3 * BLOCK, before.rlim_max}; /* one block and a half */
	fake_loop_init(&fake);
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	write_many(writer, 0, BLOCK, 100);
	fake_loop_settle(&fake);
	write_many(writer, BLOCK, 2 * BLOCK, 100);
	fake_loop_settle(&fake);
	dropped = wav_writer_dropped(writer);
	assert_true(dropped > BLOCK);
	setrlimit(RLIMIT_FSIZE, &before);
	write_many(writer, 3 * BLOCK, 10, 10); /* nothing more: it would stand in the wrong place */
	wav_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.err, -EFBIG);
	assert_true(end.written >= BLOCK && end.written < 2 * BLOCK);
	assert_int_equal(end.dropped, dropped + 10);
	assert_int_equal(end.dropped, 3 * BLOCK + 10 - end.written);
	assert_int_equal(read_file(out, ROOM, 1), end.written);
	fake_loop_end(&fake);
}

/* The 32-bit sizes of a WAV file are its end, after 6 h at 48 kHz in stereo. */
static void test_largest_file(void **state)
{
	static int16_t samples[2 * 24000];
	uint64_t room = (UINT32_MAX - 4096u) / 4;
	struct wav_writer *writer;
	struct fake_loop fake;
	struct end end = {0};

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, 48000, 2, false, NULL), 0);
	disk_is_endless = true;
	for (uint64_t at = 0; at < room + 24000; at += 24000) {
		wav_writer_write(writer, samples, 24000);
		fake_loop_settle(&fake);
		if (at < room - 24000)
			assert_int_equal(wav_writer_dropped(writer), 0);
	}
	wav_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	disk_is_endless = false;
	assert_int_equal(end.err, -EFBIG);
	assert_int_equal(end.written, room);
	assert_true(end.dropped > 0);
}

static void expect_fault(const char *file, bool exclusive, int err, const char *words)
{
	struct wav_writer *writer = NULL;
	struct fake_loop fake;
	struct fault why = {0};

	fake_loop_init(&fake);
	if (wav_writer_open(&writer, &fake.loop, file, RATE, 1, exclusive, &why) != err)
		fail_msg("%s: not %d: %s", file, err, why.words);
	if (!strstr(why.words, words))
		fail_msg("%s: %s", file, why.words);
	assert_null(writer);
	fake_loop_end(&fake);
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

static void test_faults(void **state)
{
	size_t before = open_files();
	uid_t before_nobody;
	char other[PATH_SIZE + 10];
	struct fault why = {0};
	struct stat about;
	off_t size;

	(void)state;
	assert_int_equal(stat(path, &about), 0);
	size = about.st_size;
	expect_fault(path, true, -EEXIST, "a.wav: it exists already");
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, size);
	snprintf(other, sizeof(other), "%s/no/a.wav", folder);
	expect_fault(other, true, -ENOENT, "/no/a.wav: no such folder");
	expect_fault(folder, false, -EISDIR, ": is a directory");
	expect_fault("/dev/full", false, -ENOSPC, "/dev/full: the disk is full");
	snprintf(other, sizeof(other), "%s/fifo", folder);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_int_equal(wav_writer_check(other, &why), -ENOTSUP);
	expect_fault(other, false, -ENXIO, "fifo: "); /* and no waiting for a reader */
	unlink(other);
	chmod(path, 0400);
	before_nobody = nobody_begin();
	expect_fault(path, false, -EACCES, "permission denied");
	assert_int_equal(wav_writer_check(path, &why), -EACCES);
	nobody_end(before_nobody);
	chmod(path, 0600);
	assert_int_equal(open_files(), before);
}

static void test_no_memory(void **state)
{
	size_t before = open_files();
	struct wav_writer *writer = NULL;
	struct fake_loop fake;
	struct end end = {0};
	struct fault why;

	(void)state;
	fake_loop_init(&fake);
	unlink(path);
	allocations_left = 0;
	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 1, true, &why), -ENOMEM);
	assert_int_equal(wav_writer_check(path, &why), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(writer);
	assert_int_not_equal(access(path, F_OK), 0); /* nothing is left behind */

	assert_int_equal(wav_writer_open(&writer, &fake.loop, path, RATE, 1, true, &why), 0);
	allocations_left = 0;
	write_many(writer, 0, 100, 100);
	allocations_left = SIZE_MAX;
	write_many(writer, 0, 50, 50);
	wav_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.err, -ENOBUFS);
	assert_int_equal(end.written, 50);
	assert_int_equal(end.dropped, 100);
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
		cmocka_unit_test(test_all_is_written),
		cmocka_unit_test(test_stereo),
		cmocka_unit_test(test_file_plays_midway),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_no_work),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_largest_file),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/wav_writer", tests, set_up, tear_down);
}
