/* audio/file_writer: what is written and when, what is dropped, and that each file plays at any
 * time. */
#include "audio/file_writer.h"

#include "tests/unit/fake_loop.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

static char folder[] = "/tmp/file_writer.XXXXXX";
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

static int16_t sample(size_t i)
{
	return (int16_t)(i % 32749);
}

static void write_many(struct file_writer *writer, size_t from, size_t count, size_t piece)
{
	int16_t samples[1000];

	for (size_t at = 0; at < count; at += piece) {
		size_t len = count - at < piece ? count - at : piece;

		for (size_t i = 0; i < len; i++)
			samples[i] = sample(from + at + i);
		file_writer_write(writer, samples, len);
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
		struct file_writer *writer;
		struct fake_loop fake;
		struct end end = {0};

		fake_loop_init(&fake);
		assert_int_equal(
			file_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
		write_many(writer, 0, counts[n], 160);
		file_writer_close(writer, note_end, &end);
		assert_int_equal(end.calls, 0); /* never before file_writer_close() returns */
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
	struct file_writer *writer;
	struct fake_loop fake;
	struct end end = {0};
	int16_t out[8];

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 2, false, NULL), 0);
	file_writer_write(writer, samples, 3);
	file_writer_close(writer, note_end, &end);
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
	struct file_writer *writer;
	struct fake_loop fake;

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	assert_int_equal(read_file(out, ROOM, 1), 0);
	for (size_t block = 1; block <= 4; block++) {
		write_many(writer, (block - 1) * BLOCK, BLOCK, 100);
		fake_loop_settle(&fake);
		assert_int_equal(header_size(), block * BLOCK * sizeof(out[0]));
		assert_int_equal(read_file(out, ROOM, 1), block * BLOCK);
		assert_int_equal(out[block * BLOCK - 1], sample(block * BLOCK - 1));
	}
	file_writer_close(writer, NULL, NULL);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
}

/* A disk that stands still: the queue fills, what comes then is dropped, and it goes on after. */
static void test_slow_disk(void **state)
{
	static int16_t out[ROOM];
	size_t kept = FILE_QUEUE_BLOCKS * BLOCK;
	struct file_writer *writer;
	struct fake_loop fake;
	struct end end = {0};

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	write_many(writer, 0, kept, 100);
	assert_int_equal(file_writer_dropped(writer), 0);
	assert_int_equal(fake.work_count, 1); /* one at a time, so that the order stays */
	write_many(writer, kept, 300, 100);
	assert_int_equal(file_writer_dropped(writer), 300);
	fake_loop_settle(&fake);
	write_many(writer, kept, 10, 10);
	file_writer_close(writer, note_end, &end);
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
	struct file_writer *writer;
	struct fake_loop fake;

	(void)state;
	fake_loop_init(&fake);
	for (int better = 0; better < 2; better++) {
		struct end end = {0};

		fake.work_err = -ENOMEM;
		assert_int_equal(
			file_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
		write_many(writer, 0, 2 * BLOCK, 100);
		fake.work_err = better ? 0 : -ENOMEM;
		write_many(writer, 2 * BLOCK, BLOCK + 1, 100);
		assert_int_equal(fake.work_count, better);
		file_writer_close(writer, note_end, &end);
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
	struct file_writer *writer;
	struct fake_loop fake;
	struct end end = {0};

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){3 * BLOCK, before.rlim_max}; /* one block and a half */
	fake_loop_init(&fake);
	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 1, false, NULL), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	write_many(writer, 0, BLOCK, 100);
	fake_loop_settle(&fake);
	write_many(writer, BLOCK, 2 * BLOCK, 100);
	fake_loop_settle(&fake);
	dropped = file_writer_dropped(writer);
	assert_true(dropped > BLOCK);
	setrlimit(RLIMIT_FSIZE, &before);
	write_many(writer, 3 * BLOCK, 10, 10); /* nothing more: it would stand in the wrong place */
	file_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.err, -EFBIG);
	assert_true(end.written >= BLOCK && end.written < 2 * BLOCK);
	assert_int_equal(end.dropped, dropped + 10);
	assert_int_equal(end.dropped, 3 * BLOCK + 10 - end.written);
	assert_int_equal(read_file(out, ROOM, 1), end.written);
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

static void test_no_memory(void **state)
{
	size_t before = open_files();
	struct file_writer *writer = NULL;
	struct fake_loop fake;
	struct end end = {0};
	struct fault why;

	(void)state;
	fake_loop_init(&fake);
	unlink(path);
	allocations_left = 0;
	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 1, true, &why), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(writer);
	assert_int_not_equal(access(path, F_OK), 0); /* nothing is left behind */

	assert_int_equal(file_writer_open(&writer, &fake.loop, path, RATE, 1, true, &why), 0);
	allocations_left = 0;
	write_many(writer, 0, 100, 100);
	allocations_left = SIZE_MAX;
	write_many(writer, 0, 50, 50);
	file_writer_close(writer, note_end, &end);
	fake_loop_settle(&fake);
	assert_int_equal(end.err, -ENOBUFS);
	assert_int_equal(end.written, 50);
	assert_int_equal(end.dropped, 100);
	assert_int_equal(open_files(), before);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
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
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/file_writer", tests, set_up, tear_down);
}
