#include "audio/file_input.h"

#include "audio/path.h"
#include "audio/resample.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_input_close(struct file_input *input)
{
	if (input->file)
		sf_close(input->file);
	if (input->fd >= 0)
		close(input->fd);
	*input = (struct file_input){.fd = -1};
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
		info->channels, info->samplerate, FILE_INPUT_CHANNELS_MAX, RESAMPLE_RATE_MIN,
		RESAMPLE_RATE_MAX);
	return path_fault_words(why, -EPROTO, path, words);
}

int file_input_open(struct file_input *out, const char *path, struct fault *why)
{
	struct file_input input = {.fd = -1};
	int err;

	err = open_regular(&input.fd, path, why);
	if (err)
		return err;

	input.file = sf_open_fd(input.fd, SFM_READ, &input.info, SF_FALSE);
	if (!input.file)
		err = fault_format(why, path, sf_strerror(NULL));
	else if (input.info.frames <= 0)
		err = path_fault_words(why, -ENODATA, path, "it holds no audio");
	else if (input.info.channels < 1 || input.info.channels > FILE_INPUT_CHANNELS_MAX ||
		 input.info.samplerate < RESAMPLE_RATE_MIN ||
		 input.info.samplerate > RESAMPLE_RATE_MAX)
		err = fault_out_of_bounds(why, path, &input.info);
	if (err) {
		file_input_close(&input);
		return err;
	}

	*out = input;
	return 0;
}

int16_t file_input_sample(float value)
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
