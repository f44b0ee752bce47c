#include "audio/sound_file.h"

#include "audio/path.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

#include <assert.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

/* The sizes in a WAV file have 32 bits; the header takes some of that. */
#define WAV_DATA_MAX (UINT32_MAX - UINT64_C(4096))

/* How much of an Ogg Opus stream is in memory at most, before it gets to the disk. Vorbis has no
 * such bound: it fills a page of 4 kB or 255 packets, which is a few seconds. */
#define OPUS_LATENCY_MS 500.0

static const uint32_t opus_rates[] = {8000, 12000, 16000, 24000, 48000, 0};

/* When libsndfile is told to write the header. In an Ogg file it would append another one. */
enum header {
	HEADER_UNTOLD, /* it comes with the first samples */
	HEADER_FIRST,
	HEADER_ALWAYS, /* for it has sizes in it */
};

static const struct format {
	const char *ending; /* with its point */
	const char *name;
	int sndfile;
	enum header header;
	uint64_t data_max;     /* bytes */
	const uint32_t *rates; /* Hz, the last 0; NULL: any */
} formats[] = {
	{".wav", "WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_16, HEADER_ALWAYS, WAV_DATA_MAX, NULL},
	{".flac", "FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, HEADER_FIRST, UINT64_MAX, NULL},
	{".ogg", "Ogg Vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, HEADER_UNTOLD, UINT64_MAX, NULL},
	{".opus", "Opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, HEADER_UNTOLD, UINT64_MAX, opus_rates},
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

struct sound_file {
	const struct format *format;
	int fd;
	int err; /* the first that the system gave */
	SNDFILE *file;
	uint64_t room; /* samples a channel */
};

/* What stands after the last point of the file's own name, with that; or nothing. */
static struct slice ending_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *point = strrchr(name, '.');

	return slice_of(point ? point : "");
}

static const struct format *format_of(const char *path)
{
	struct slice ending = ending_of(path);

	for (size_t i = 0; i < FORMATS; i++)
		if (slice_is_nocase(ending, formats[i].ending))
			return &formats[i];
	return NULL;
}

static const char *ending_at(const void *arg, size_t i)
{
	(void)arg;
	return formats[i].ending;
}

static int fault_ending(struct fault *why, const char *path)
{
	struct slice ending = ending_of(path);
	const char *near = NULL;
	char room[FAULT_SIZE / 2];
	struct text words = TEXT_IN(room);

	if (ending.len > 1)
		near = nearest_name(ending, FORMATS, ending_at, NULL);
	if (near)
		text_printf(&words, "its end is none of ours; did you mean %s?", near);
	else
		text_puts(&words, "its name has to end in .wav, .flac, .ogg or .opus");
	return path_fault_words(why, -EINVAL, path, words.data);
}

/* A pipe would keep us waiting until somebody reads it, and a header cannot be mended in one. */
static int refuse(mode_t mode, const char *path, struct fault *why)
{
	if (S_ISDIR(mode))
		return path_fault(why, -EISDIR, path);
	if (!S_ISREG(mode))
		return path_fault_words(why, -ENOTSUP, path, "not a regular file");
	return 0;
}

static int fault_create(struct fault *why, int err, const char *path)
{
	if (err == -ENOENT)
		return path_fault_words(why, err, path, "no such folder");
	return path_fault(why, err, path);
}

/* Of a path where nothing is yet. */
static int check_folder(const char *path, struct fault *why)
{
	char *copy;
	int err;

	copy = slice_copy(slice_of(path));
	if (!copy)
		return path_fault(why, -ENOMEM, path);

	err = access(dirname(copy), W_OK | X_OK) ? -errno : 0;
	free(copy);
	return err ? fault_create(why, err, path) : 0;
}

int sound_file_check(const char *path, struct fault *why)
{
	struct stat about;
	bool there = stat(path, &about) == 0;
	int err;

	if (!there && errno != ENOENT)
		return path_fault(why, -errno, path);
	if (path[0] == '\0')
		return fault_create(why, -ENOENT, path);
	if (!there && path[strlen(path) - 1] == '/')
		return path_fault(why, -EISDIR, path);

	err = there ? refuse(about.st_mode, path, why) : 0;
	if (!err && !format_of(path))
		err = fault_ending(why, path);
	if (err)
		return err;
	if (!there)
		return check_folder(path, why);
	return access(path, W_OK) ? path_fault(why, -errno, path) : 0;
}

static int create(int *out, const char *path, bool exclusive, struct fault *why)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (exclusive ? O_EXCL : 0);
	struct stat about;
	int fd, err = 0;

	fd = open(path, flags, 0666);
	if (fd < 0)
		return fault_create(why, -errno, path);

	if (fstat(fd, &about))
		err = path_fault(why, -errno, path);
	if (!err)
		err = refuse(about.st_mode, path, why);
	if (!err && ftruncate(fd, 0))
		err = path_fault(why, -errno, path);
	if (err) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

static int check_rate(
	const struct format *format, uint32_t rate, const char *path, struct fault *why)
{
	const uint32_t *has = format->rates;
	char room[FAULT_SIZE / 2];
	struct text words = TEXT_IN(room);

	while (has && *has && *has != rate)
		has++;
	if (!has || *has)
		return 0;

	text_printf(&words, "%s has no %u Hz", format->name, rate);
	return path_fault_words(why, -ENOTSUP, path, words.data);
}

/*
 * libsndfile writes through us: of what it compresses it does not tell that a write has failed, and
 * not why.
 */
static sf_count_t file_seek(sf_count_t offset, int whence, void *arg)
{
	const struct sound_file *file = arg;

	return lseek(file->fd, offset, whence);
}

static sf_count_t file_tell(void *arg)
{
	return file_seek(0, SEEK_CUR, arg);
}

static sf_count_t file_length(void *arg)
{
	const struct sound_file *file = arg;
	struct stat about;

	return fstat(file->fd, &about) ? -1 : about.st_size;
}

static sf_count_t file_read(void *bytes, sf_count_t count, void *arg)
{
	(void)bytes;
	(void)count;
	(void)arg;
	return 0; /* it is only written */
}

/* After an error nothing is appended any more, for it would stand in the wrong place; but a header
 * is still mended. */
static sf_count_t file_write(const void *bytes, sf_count_t count, void *arg)
{
	struct sound_file *file = arg;
	sf_count_t done = 0;

	if (file->err && file_tell(file) >= file_length(file))
		return 0;
	while (done < count) {
		ssize_t wrote =
			write(file->fd, (const uint8_t *)bytes + done, (size_t)(count - done));

		if (wrote < 0 && errno != EINTR) {
			file->err = file->err ? file->err : -errno;
			break;
		}
		done += wrote > 0 ? wrote : 0;
	}
	return done;
}

static int open_sndfile(struct sound_file *file, uint32_t rate, unsigned channels)
{
	static SF_VIRTUAL_IO ways = {file_length, file_seek, file_read, file_write, file_tell};
	SF_INFO info = {
		.samplerate = (int)rate,
		.channels = (int)channels,
		.format = file->format->sndfile,
	};
	double latency_ms = OPUS_LATENCY_MS;

	file->file = sf_open_virtual(&ways, SFM_WRITE, &info, file);
	if (!file->file)
		return file->err ? file->err : -ENOMEM; /* what else is left to be wrong */

	if (file->format->header != HEADER_UNTOLD)
		sf_command(file->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	/* means nothing to the other formats */
	sf_command(file->file, SFC_SET_OGG_PAGE_LATENCY_MS, &latency_ms, sizeof(latency_ms));
	return file->err;
}

int sound_file_create(struct sound_file **out, const char *path, uint32_t rate, unsigned channels,
	bool exclusive, struct fault *why)
{
	const struct format *format = format_of(path);
	struct sound_file *file;
	int err;

	assert(channels == 1 || channels == 2);
	assert(rate >= 8000 && rate <= 48000);

	if (!format) {
		err = sound_file_check(path, why);
		return err ? err : fault_ending(why, path);
	}
	err = check_rate(format, rate, path, why);
	if (err)
		return err;

	file = calloc(1, sizeof(*file));
	if (!file)
		return path_fault(why, -ENOMEM, path);

	file->format = format;
	file->room = format->data_max / (channels * sizeof(int16_t));
	err = create(&file->fd, path, exclusive, why);
	if (err) {
		free(file);
		return err;
	}
	err = open_sndfile(file, rate, channels);
	if (err) {
		(void)sound_file_close(file);
		if (exclusive) /* then it is ours, and empty */
			unlink(path);
		return path_fault(why, err, path);
	}
	*out = file;
	return 0;
}

int sound_file_write(struct sound_file *file, const int16_t *samples, size_t count, size_t *written)
{
	size_t want = count < file->room ? count : (size_t)file->room;
	sf_count_t got;

	got = sf_writef_short(file->file, samples, (sf_count_t)want);
	*written = got > 0 ? (size_t)got : 0;
	file->room -= *written;
	/* The sizes in the header. In the other formats there are none, and this would write
	 * another header into the midst of the sound. */
	if (file->format->data_max < UINT64_MAX)
		sf_command(file->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	if (file->err)
		return file->err;
	if (*written < want)
		return -EIO;
	return want < count ? -EFBIG : 0;
}

int sound_file_close(struct sound_file *file)
{
	int err;

	if (file->file)
		sf_close(file->file); /* which writes what the encoder still has */
	err = file->err;
	if (close(file->fd) && !err)
		err = -errno; /* a network's disk may only now say that it is full */
	free(file);
	return err;
}
