#include "audio/file_source.h"

#include "audio/path.h"
#include "audio/resample.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

enum {
	CHANNELS_MAX = 64,
	CHUNK = 1024, /* frames read at once, so that their room is small */
};

/* An open file, on the loop's thread while it is opened and the work's from then on. */
struct input {
	int fd;
	SNDFILE *file;
	SF_INFO info;
};

/* About a second of what is heard. */
struct block {
	int16_t *samples;
	size_t len;
	bool last;
};

/*
 * Two blocks: one is played, the other is filled by the work meanwhile. While working, the work
 * owns input, resampler, frames, mono and filling, and the loop's thread everything else.
 */
struct file_source {
	struct source source;
	struct loop *loop;
	struct work work;
	struct input input;
	struct resampler *resampler;
	float *frames; /* CHUNK, of all channels */
	int16_t *mono; /* CHUNK */
	size_t chunks; /* of a block */
	struct block playing, filling;
	size_t at; /* in playing */
	bool working;
	bool ready;  /* filling is full and nobody has looked yet */
	bool orphan; /* it was freed while working */
};

static void input_close(struct input *input)
{
	if (input->file)
		sf_close(input->file);
	if (input->fd >= 0)
		close(input->fd);
	*input = (struct input){.fd = -1};
}

/* A pipe or a device could keep us waiting, so only what is a file is opened at all. */
static int open_regular(int *out, const char *path, struct fault *why)
{
	struct stat about;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return path_fault(why, -errno, path);

	if (fstat(fd, &about)) {
		int err = -errno;

		close(fd);
		return path_fault(why, err, path);
	}
	if (!S_ISREG(about.st_mode)) {
		close(fd);
		if (S_ISDIR(about.st_mode))
			return path_fault(why, -EISDIR, path);
		return path_fault_words(why, -ENOTSUP, path, "not a regular file");
	}
	if (about.st_size == 0) {
		close(fd);
		return path_fault_words(why, -ENODATA, path, "it holds no audio");
	}
	*out = fd;
	return 0;
}

static int fault_format(struct fault *why, const char *path, const char *reason)
{
	char words[FAULT_SIZE / 2];
	size_t len = strcspn(reason, "\n");

	while (len > 0 && (reason[len - 1] == '.' || reason[len - 1] == ' '))
		len--;
	snprintf(words, sizeof(words), "not an audio file that libsndfile can read (%.*s)",
		(int)len, reason);
	return path_fault_words(why, -EPROTO, path, words);
}

static int fault_out_of_bounds(struct fault *why, const char *path, const SF_INFO *info)
{
	char words[FAULT_SIZE / 2];

	snprintf(words, sizeof(words),
		"%d channels at %d Hz are beyond us; 1 to %d at %d to %d Hz are not",
		info->channels, info->samplerate, CHANNELS_MAX, RESAMPLE_RATE_MIN,
		RESAMPLE_RATE_MAX);
	return path_fault_words(why, -EPROTO, path, words);
}

static int input_open(struct input *out, const char *path, struct fault *why)
{
	struct input input = {.fd = -1};
	int err;

	err = open_regular(&input.fd, path, why);
	if (err)
		return err;

	input.file = sf_open_fd(input.fd, SFM_READ, &input.info, SF_FALSE);
	if (!input.file)
		err = fault_format(why, path, sf_strerror(NULL));
	else if (input.info.frames <= 0)
		err = path_fault_words(why, -ENODATA, path, "it holds no audio");
	else if (input.info.channels < 1 || input.info.channels > CHANNELS_MAX ||
		 input.info.samplerate < RESAMPLE_RATE_MIN ||
		 input.info.samplerate > RESAMPLE_RATE_MAX)
		err = fault_out_of_bounds(why, path, &input.info);
	if (err) {
		input_close(&input);
		return err;
	}

	*out = input;
	return 0;
}

int file_source_check(const char *path, struct fault *why)
{
	struct input input;
	int err;

	err = input_open(&input, path, why);
	if (err)
		return err;

	input_close(&input);
	return 0;
}

static int16_t sample_of(float value)
{
	float scaled = value * 32768.0f;

	if (isnan(scaled)) /* which a file of floats may hold */
		return 0;
	if (scaled >= INT16_MAX)
		return INT16_MAX;
	if (scaled <= INT16_MIN)
		return INT16_MIN;
	return (int16_t)lrintf(scaled);
}

/* All channels as one, each as loud as the others. Returns how many frames there still were. */
static size_t read_mono(struct file_source *self)
{
	size_t channels = (size_t)self->input.info.channels;
	sf_count_t got = sf_readf_float(self->input.file, self->frames, CHUNK);
	size_t count = got > 0 ? (size_t)got : 0;

	for (size_t i = 0; i < count; i++) {
		float sum = 0;

		for (size_t c = 0; c < channels; c++)
			sum += self->frames[i * channels + c];
		self->mono[i] = sample_of(sum / (float)channels);
	}
	return count;
}

/* Fills the block that is not played. On the work's thread, but for the first. */
static void fill(struct file_source *self)
{
	struct block *block = &self->filling;

	block->len = 0;
	for (size_t i = 0; i < self->chunks && !block->last; i++) {
		size_t count = read_mono(self);

		block->len += resampler_process(
			self->resampler, block->samples + block->len, self->mono, count);
		if (count < CHUNK) {
			block->last = true;
			block->len += resampler_flush(self->resampler, block->samples + block->len);
		}
	}
}

static void work_run(struct work *work)
{
	fill(container_of(work, struct file_source, work));
}

static void destroy(struct file_source *self)
{
	resampler_free(self->resampler);
	input_close(&self->input);
	free(self->frames);
	free(self->mono);
	free(self->playing.samples);
	free(self->filling.samples);
	free(self);
}

static void work_done(struct work *work)
{
	struct file_source *self = container_of(work, struct file_source, work);

	self->working = false;
	self->ready = true;
	if (self->orphan)
		destroy(self);
}

/* Should it fail, the next read tries again. */
static void read_ahead(struct file_source *self)
{
	int err;

	if (self->working || self->ready || self->playing.last)
		return;

	self->working = true;
	err = loop_work(self->loop, &self->work);
	if (err) {
		self->working = false;
		log_warning("reading ahead of a file that is played: %s", strerror(-err));
	}
}

static void swap(struct file_source *self)
{
	struct block played = self->playing;

	self->playing = self->filling;
	self->filling = played;
	self->at = 0;
	self->ready = false;
}

static size_t file_read(struct source *source, int16_t *out, size_t count)
{
	struct file_source *self = container_of(source, struct file_source, source);
	size_t given = 0;

	while (given < count) {
		size_t left = self->playing.len - self->at;
		size_t moved = count - given < left ? count - given : left;

		memcpy(out + given, self->playing.samples + self->at, moved * sizeof(*out));
		self->at += moved;
		given += moved;
		if (given == count || self->playing.last)
			break;
		if (!self->ready) {
			memset(out + given, 0, (count - given) * sizeof(*out));
			source->missed += count - given;
			given = count;
			break;
		}
		swap(self);
	}
	read_ahead(self);
	return given;
}

static void file_free(struct source *source)
{
	struct file_source *self = container_of(source, struct file_source, source);

	if (self->working)
		self->orphan = true;
	else
		destroy(self);
}

static const struct source_ops file_ops = {file_read, file_free, NULL};

static int make_rooms(struct file_source *self, uint32_t rate)
{
	uint32_t in_rate = (uint32_t)self->input.info.samplerate;
	size_t room;
	int err;

	err = resampler_new(&self->resampler, in_rate, rate, RESAMPLE_QUALITY);
	if (err)
		return err;

	/* And what the filter held back of the block before: 40 samples of the lower rate. */
	self->chunks = (in_rate + CHUNK - 1) / CHUNK;
	room = resampler_room(self->resampler, self->chunks * CHUNK) + rate / 8;
	self->frames = calloc((size_t)self->input.info.channels * CHUNK, sizeof(*self->frames));
	self->mono = calloc(CHUNK, sizeof(*self->mono));
	self->playing.samples = calloc(room, sizeof(*self->playing.samples));
	self->filling.samples = calloc(room, sizeof(*self->filling.samples));
	if (!self->frames || !self->mono || !self->playing.samples || !self->filling.samples)
		return -ENOMEM;
	return 0;
}

int file_source_open(
	struct source **out, struct loop *loop, const char *path, uint32_t rate, struct fault *why)
{
	struct file_source *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return path_fault(why, -ENOMEM, path);

	self->source.ops = &file_ops;
	self->loop = loop;
	self->work = (struct work){work_run, work_done};
	err = input_open(&self->input, path, why);
	if (err) {
		self->input.fd = -1;
		goto out;
	}
	err = make_rooms(self, rate);
	if (err) {
		path_fault(why, err, path);
		goto out;
	}

	fill(self);
	swap(self); /* the first read goes on, on the loop's own thread, with a second in hand */
	*out = &self->source;
	self = NULL;
out:
	if (self)
		destroy(self);
	return err;
}
