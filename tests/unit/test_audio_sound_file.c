/* audio/sound_file: each format holds what was written, at any time, and what is said of paths that
 * cannot be written. */
#include "audio/sound_file.h"

#include "tests/unit/nobody.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum {
	RATE = 16000,
	BLOCK = RATE / 2,
	BLOCKS = 20,
	PATH_SIZE = 200,
};

static char folder[] = "/tmp/sound_file.XXXXXX";
static size_t allocations_left = SIZE_MAX;
static bool disk_is_endless;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
sf_count_t __wrap_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count);
sf_count_t __real_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count);

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

sf_count_t __wrap_sf_writef_short(SNDFILE *file, const short *samples, sf_count_t count)
{
	return disk_is_endless ? count : __real_sf_writef_short(file, samples, count);
}

/* late_ms: how much may still be on its way to the disk. Vorbis' page of 4 kB is the longest. */
static const struct row {
	const char *name;
	int format;
	bool exact;
	unsigned late_ms;
} rows[] = {
	{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, true, 0},
	{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, true, 600},
	{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, false, 4000},
	{"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, false, 700},
	{"A.WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_16, true, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A tone that sweeps, with something of a voice's loudness. */
static int16_t sample(size_t i)
{
	double t = (double)i / RATE;

	return (int16_t)lrint(9000 * sin(6.28 * (300 + 40 * sin(3 * t)) * t) * (1 + sin(9 * t)));
}

static size_t fill(int16_t *out, size_t from, unsigned channels)
{
	for (size_t i = 0; i < BLOCK; i++)
		for (unsigned c = 0; c < channels; c++)
			out[i * channels + c] = (int16_t)(c == 0 ? sample(from + i) : 0);
	return BLOCK;
}

static struct sound_file *create(const char *path, uint32_t rate, unsigned channels)
{
	struct sound_file *file = NULL;
	struct fault why = {0};

	if (sound_file_create(&file, path, rate, channels, false, &why))
		fail_msg("%s: %s", path, why.words);
	return file;
}

/* Reads what row's file has by now, and checks it against what was written; returns its length. */
static size_t heard(const struct row *row, unsigned channels)
{
	static int16_t out[2 * (BLOCKS + 1) * BLOCK];
	SF_INFO info = {0};
	SNDFILE *file = sf_open(row->name, SFM_READ, &info);
	double likeness = 0, power = 0, ours = 0;
	size_t len;

	if (!file)
		fail_msg("%s: %s", row->name, sf_strerror(NULL));
	assert_int_equal(info.channels, channels);
	assert_int_equal(info.samplerate, RATE);
	assert_int_equal(info.format, row->format);
	len = (size_t)sf_readf_short(file, out, (BLOCKS + 1) * BLOCK);
	sf_close(file);
	for (size_t i = 0; i < len; i++) {
		double is = out[i * channels];
		double was = sample(i);

		if (row->exact)
			assert_int_equal(out[i * channels], sample(i));
		if (channels == 2)
			assert_in_range(out[i * 2 + 1] + 600, 0, 1200);
		likeness += is * was;
		power += is * is;
		ours += was * was;
	}
	if (len > 0 && likeness < 0.9 * sqrt(power * ours))
		fail_msg("%s: %zu samples sound otherwise", row->name, len);
	return len;
}

/* Killed at any moment, the program leaves what had got to the disk: it is as another reads it. */
static void test_it_plays_at_any_time(void **state)
{
	int16_t samples[2 * BLOCK];

	(void)state;
	for (size_t n = 0; n < 2 * ROWS; n++) {
		const struct row *row = &rows[n / 2];
		unsigned channels = n % 2 + 1;
		struct sound_file *file = create(row->name, RATE, channels);
		size_t late = (size_t)row->late_ms * RATE / 1000;
		size_t len = 0;

		for (size_t i = 0; i < BLOCKS; i++) {
			size_t written = 0;

			fill(samples, i * BLOCK, channels);
			assert_int_equal(sound_file_write(file, samples, BLOCK, &written), 0);
			assert_int_equal(written, BLOCK);
			if ((i + 1) * BLOCK < late + BLOCK)
				continue;
			len = heard(row, channels);
			if (len + late < (i + 1) * BLOCK)
				fail_msg("%s: %zu of %zu", row->name, len, (i + 1) * BLOCK);
		}
		assert_int_equal(sound_file_close(file), 0);
		len = heard(row, channels);
		assert_int_equal(len, BLOCKS * BLOCK);
		unlink(row->name);
	}
}

/* The size of the samples as the header tells it, bytes: what a strict player goes by. */
static size_t header_size(const char *path)
{
	uint8_t head[44] = {0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
	fclose(file);
	assert_memory_equal(head + 36, "data", 4);
	return head[40] | (size_t)head[41] << 8 | (size_t)head[42] << 16 | (size_t)head[43] << 24;
}

static void test_header_of_wav(void **state)
{
	struct sound_file *file = create("a.wav", RATE, 1);
	int16_t samples[BLOCK];
	size_t written;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(header_size("a.wav"), i * BLOCK * sizeof(int16_t));
		fill(samples, i * BLOCK, 1);
		assert_int_equal(sound_file_write(file, samples, BLOCK, &written), 0);
	}
	assert_int_equal(sound_file_close(file), 0);
	assert_int_equal(header_size("a.wav"), sizeof(int16_t) * 3 * BLOCK);
	unlink("a.wav");
}

/* Before the first block. Without a page of sound, an Ogg file is none yet. */
static void test_empty(void **state)
{
	(void)state;
	for (size_t n = 0; n < ROWS; n++) {
		struct sound_file *file = create(rows[n].name, RATE, 1);

		if (rows[n].exact)
			assert_int_equal(heard(&rows[n], 1), 0);
		assert_int_equal(sound_file_close(file), 0);
		if (rows[n].exact)
			assert_int_equal(heard(&rows[n], 1), 0);
		unlink(rows[n].name);
	}
}

/* What fitted plays, and the error is told, at the latest by the end. */
static void test_full_disk(void **state)
{
	struct rlimit before, small;
	int16_t samples[BLOCK];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){16000, before.rlim_max};
	for (size_t n = 0; n < ROWS; n++) {
		struct sound_file *file = create(rows[n].name, RATE, 1);
		size_t written = BLOCK, all = 0;
		int err = 0;

		setrlimit(RLIMIT_FSIZE, &small);
		for (size_t i = 0; i < 100 && !err; i++) {
			fill(samples, i * BLOCK, 1);
			err = sound_file_write(file, samples, BLOCK, &written);
			assert_true(written == BLOCK || err);
			all += written;
		}
		setrlimit(RLIMIT_FSIZE, &before);
		if (err != -EFBIG)
			fail_msg("%s: %d after %zu samples", rows[n].name, err, all);
		(void)sound_file_close(file);
		assert_in_range(heard(&rows[n], 1), 1, all);
		unlink(rows[n].name);
	}
}

/* The 32-bit sizes of a WAV file are its end, after 6 h at 48 kHz in stereo; others go on. */
static void test_largest_file(void **state)
{
	static int16_t samples[2 * 24000];
	uint64_t room = (UINT32_MAX - 4096u) / 4;

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct sound_file *file = create(rows[n].name, 48000, 2);
		uint64_t all = 0;
		size_t written;
		int err = 0;

		disk_is_endless = true;
		while (!err && all < room + 24000) {
			err = sound_file_write(file, samples, 24000, &written);
			all += written;
		}
		disk_is_endless = false;
		assert_int_equal(err, n == 0 ? -EFBIG : 0);
		if (n == 0)
			assert_int_equal(all, room);
		sound_file_close(file);
		unlink(rows[n].name);
	}
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

/* clang-format off */
static const struct fault_row {
	const char *path;
	int err;
	const char *words;
} fault_rows[] = {
	{"x.mp3",     -EINVAL,  "x.mp3: its name has to end in .wav, .flac, .ogg or .opus"},
	{"x",         -EINVAL,  "x: its name has to end in .wav, .flac, .ogg or .opus"},
	{"x.",        -EINVAL,  "x.: its name has to end in .wav"},
	{".wav/x",    -ENOTDIR, ".wav/x: a part of the path is no directory"},
	{"d.wav/x",   -EINVAL,  "d.wav/x: its name has to end in .wav"},
	{"wav",       -EINVAL,  "wav: its name has to end in .wav"},
	{"x.wave",    -EINVAL,  "x.wave: its end is none of ours; did you mean .wav?"},
	{"x.flak",    -EINVAL,  "did you mean .flac?"},
	{"x.oga",     -EINVAL,  "did you mean .ogg?"},
	{"x.ops",     -EINVAL,  "did you mean .opus?"},
	{"",          -ENOENT,  ": no such folder"},
	{"no/x.wav",  -ENOENT,  "no/x.wav: no such folder"},
	{".",         -EISDIR,  ".: is a directory"},
	{"d.wav",     -EISDIR,  "d.wav: is a directory"},
	{"no/",       -EISDIR,  "no/: is a directory"},
	{"fifo",      -ENOTSUP, "fifo: not a regular file"},
	{"/dev/full", -ENOTSUP, "/dev/full: not a regular file"},
};
/* clang-format on */

static void test_faults(void **state)
{
	size_t before = open_files();

	(void)state;
	assert_int_equal(mkdir("d.wav", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fclose(fopen(".wav", "w"));
	for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]); i++) {
		const struct fault_row *row = &fault_rows[i];
		struct sound_file *file = NULL;
		struct fault why = {0};
		int err = sound_file_check(row->path, &why);

		if (err != row->err || !strstr(why.words, row->words))
			fail_msg("'%s': %d %s", row->path, err, why.words);
		why.words[0] = '\0';
		err = sound_file_create(&file, row->path, RATE, 1, false, &why);
		if (err != row->err || !strstr(why.words, row->words))
			fail_msg("'%s': %d %s", row->path, err, why.words);
		assert_null(file);
	}
	assert_int_equal(open_files(), before);
	unlink(".wav");
	unlink("fifo");
	rmdir("d.wav");
}

static void test_what_is_there(void **state)
{
	struct sound_file *file = NULL;
	struct fault why = {0};
	uid_t before_nobody;
	struct stat about;

	(void)state;
	assert_int_equal(symlink("fifo", "pipe.wav"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(sound_file_create(&file, "pipe.wav", RATE, 1, false, &why), -ENXIO);
	unlink("fifo"); /* and there was no waiting for a reader */
	unlink("pipe.wav");

	sound_file_close(create("a.wav", RATE, 1));
	assert_int_equal(stat("a.wav", &about), 0);
	assert_int_equal(sound_file_create(&file, "a.wav", RATE, 1, true, &why), -EEXIST);
	assert_string_equal(
		why.words, "a.wav: it exists already, and is not overwritten; choose another name");
	assert_int_equal(stat("a.wav", &about), 0);
	assert_int_equal(about.st_size, 44);

	chmod("a.wav", 0400);
	before_nobody = nobody_begin();
	assert_int_equal(sound_file_check("a.wav", &why), -EACCES);
	assert_int_equal(sound_file_create(&file, "a.wav", RATE, 1, false, &why), -EACCES);
	nobody_end(before_nobody);
	unlink("a.wav");
	assert_null(file);
}

static void test_rates(void **state)
{
	static const uint32_t odd[] = {11025, 22050, 32000, 44100};
	struct sound_file *file = NULL;
	struct fault why = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(
			sound_file_create(&file, "a.opus", odd[i], 1, true, &why), -ENOTSUP);
		assert_non_null(strstr(why.words, "a.opus: Opus has no "));
		assert_int_not_equal(access("a.opus", F_OK), 0);
		for (size_t n = 0; n < 3; n++) {
			assert_int_equal(sound_file_close(create(rows[n].name, odd[i], 2)), 0);
			unlink(rows[n].name);
		}
	}
}

static void test_no_memory(void **state)
{
	size_t before = open_files();
	struct sound_file *file = NULL;
	struct fault why;

	(void)state;
	allocations_left = 0;
	assert_int_equal(sound_file_create(&file, "a.wav", RATE, 1, true, &why), -ENOMEM);
	assert_int_equal(sound_file_check("a.wav", &why), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(file);
	assert_int_not_equal(access("a.wav", F_OK), 0); /* nothing is left behind */
	assert_int_equal(open_files(), before);
}

/* A disk that is full from the first byte on. */
static void test_no_room_at_all(void **state)
{
	size_t before_files = open_files();
	struct rlimit before, none;
	struct sound_file *file = NULL;
	struct fault why = {0};

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(sound_file_create(&file, "a.wav", RATE, 1, true, &why), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_not_equal(access("a.wav", F_OK), 0);
	assert_int_equal(open_files(), before_files);
}

static int set_up(void **state)
{
	(void)state;
	/* for whoever steps aside too */
	return !mkdtemp(folder) || chmod(folder, 0755) || chdir(folder);
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_plays_at_any_time),
		cmocka_unit_test(test_header_of_wav),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_largest_file),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_what_is_there),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_room_at_all),
	};

	return cmocka_run_group_tests_name("audio/sound_file", tests, set_up, tear_down);
}
