#include "audio/sound_read.h"

#include "audio/file_input.h"
#include "audio/resample.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CHUNK = 4096 }; /* frames */

struct reader {
	struct file_input input;
	struct resampler *resampler;
	float *frames;
	int16_t *mono;
	int16_t *out;
	size_t room;
	size_t count;
};

static int16_t mix(const float *frame, size_t channels)
{
	float sum = 0;

	if (channels == 2)
		return file_input_sample(frame[1]);
	for (size_t i = 0; i < channels; i++)
		sum += frame[i];
	return file_input_sample(sum / (float)channels);
}

/* Reads what there is, resampled. */
static void read_all(struct reader *self)
{
	size_t channels = (size_t)self->input.info.channels;
	sf_count_t got;

	while ((got = sf_readf_float(self->input.file, self->frames, CHUNK)) > 0) {
		if (self->room - self->count < resampler_room(self->resampler, (size_t)got) +
						       resampler_room(self->resampler, 0))
			return; /* it is longer than anybody listens */
		for (size_t i = 0; i < (size_t)got; i++)
			self->mono[i] = mix(self->frames + i * channels, channels);
		self->count += resampler_process(
			self->resampler, self->out + self->count, self->mono, (size_t)got);
	}
	self->count += resampler_flush(self->resampler, self->out + self->count);
}

static int make(struct reader *self, uint32_t rate)
{
	const SF_INFO *info = &self->input.info;
	uint64_t wanted = (uint64_t)info->frames * rate / (uint32_t)info->samplerate + 1;
	uint64_t most = (uint64_t)SOUND_READ_MAX_S * rate;
	int err;

	err = resampler_new(&self->resampler, (uint32_t)info->samplerate, rate, RESAMPLE_QUALITY);
	if (err)
		return err;

	self->room = (size_t)(wanted < most ? wanted : most) +
		     resampler_room(self->resampler, CHUNK) + resampler_room(self->resampler, 0);
	self->frames = calloc(CHUNK * (size_t)info->channels, sizeof(*self->frames));
	self->mono = calloc(CHUNK, sizeof(*self->mono));
	self->out = calloc(self->room, sizeof(*self->out));
	return self->frames && self->mono && self->out ? 0 : -ENOMEM;
}

int sound_read(int16_t **samples, size_t *count, const char *path, uint32_t rate, struct fault *why)
{
	struct reader self = {.room = 0};
	int err;

	err = file_input_open(&self.input, path, why);
	if (err)
		return err;

	err = make(&self, rate);
	if (!err)
		read_all(&self);
	else
		fault_set(why, err, "too little memory for a sound");
	*samples = err ? NULL : self.out;
	*count = self.count;
	if (err)
		free(self.out);
	free(self.frames);
	free(self.mono);
	resampler_free(self.resampler);
	file_input_close(&self.input);
	return err;
}
