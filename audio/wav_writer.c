#include "audio/wav_writer.h"

#include "audio/path.h"
#include "core/base/list.h"
#include "core/base/loop.h"

#include <assert.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

/* The sizes in a WAV file have 32 bits; the header takes some of that. */
static const uint64_t DATA_MAX = UINT32_MAX - 4096;

struct block {
	struct list link;
	size_t len; /* samples a channel */
	int16_t samples[];
};

/*
 * There is at most one piece of work, and it takes along all blocks that are full. While working,
 * it owns what stands below "the work's", and the loop's thread everything else.
 */
struct wav_writer {
	struct loop *loop;
	unsigned channels;
	size_t block_len;
	struct list full;      /* blocks, the oldest first */
	size_t blocks;         /* in full and taken */
	struct block *filling; /* or NULL */
	uint64_t dropped;
	bool working;
	bool closing;
	wav_writer_done *done;
	void *arg;
	struct post finished; /* where there is no other way to call done later */

	struct work work; /* the work's, from here on */
	int fd;
	SNDFILE *file;
	struct list taken;
	bool last; /* nothing comes after taken */
	int err;   /* the first; nothing is written any more */
	uint64_t room;
	uint64_t written;
	uint64_t lost; /* not yet in dropped */
};

static void write_block(struct wav_writer *writer, const struct block *block)
{
	size_t want = block->len < writer->room ? block->len : (size_t)writer->room;
	sf_count_t got = 0;

	if (!writer->err) {
		errno = 0;
		got = sf_writef_short(writer->file, block->samples, (sf_count_t)want);
		got = got > 0 ? got : 0;
		if ((size_t)got < want)
			writer->err = errno ? -errno : -EIO;
		else if (want < block->len)
			writer->err = -EFBIG;
	}
	writer->room -= (uint64_t)got;
	writer->written += (uint64_t)got;
	writer->lost += block->len - (uint64_t)got;
}

static void close_file(struct wav_writer *writer)
{
	if (writer->file)
		sf_close(writer->file);
	if (writer->fd >= 0 && close(writer->fd) && !writer->err)
		writer->err = -errno; /* a network's disk may only now say that it is full */
	writer->file = NULL;
	writer->fd = -1;
}

static void work_run(struct work *work)
{
	struct wav_writer *writer = container_of(work, struct wav_writer, work);

	list_each(link, &writer->taken)
	{
		write_block(writer, container_of(link, struct block, link));
	}
	if (!list_empty(&writer->taken))
		sf_command(writer->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	if (writer->last)
		close_file(writer);
}

static void free_blocks(struct list *blocks)
{
	list_each(link, blocks)
	{
		free(container_of(link, struct block, link));
	}
	list_init(blocks);
}

static void destroy(struct wav_writer *writer)
{
	close_file(writer);
	free_blocks(&writer->full);
	free_blocks(&writer->taken);
	free(writer->filling);
	free(writer);
}

static void count_lost(struct wav_writer *writer)
{
	writer->dropped += writer->lost;
	writer->lost = 0;
}

static void finish(struct wav_writer *writer)
{
	uint64_t dropped = writer->dropped;
	uint64_t written = writer->written;
	wav_writer_done *done = writer->done;
	void *arg = writer->arg;
	int err = writer->err;

	if (!err && dropped > 0)
		err = -ENOBUFS;
	destroy(writer);
	if (done)
		done(arg, err, written, dropped);
}

static void take_all(struct wav_writer *writer)
{
	list_each(link, &writer->full)
	{
		list_remove(link);
		list_add(&writer->taken, link);
	}
	writer->last = writer->closing;
}

static void finish_posted(struct post *post)
{
	struct wav_writer *writer = container_of(post, struct wav_writer, finished);

	work_run(&writer->work);
	count_lost(writer);
	finish(writer);
}

/* Should the work not be taken, the next block tries again, and the last are written right here. */
static void start_work(struct wav_writer *writer)
{
	if (writer->working)
		return;

	take_all(writer);
	if (loop_work(writer->loop, &writer->work) == 0)
		writer->working = true;
	else if (writer->closing)
		loop_post(writer->loop, &writer->finished);
}

static void work_done(struct work *work)
{
	struct wav_writer *writer = container_of(work, struct wav_writer, work);

	writer->working = false;
	count_lost(writer);
	list_each(link, &writer->taken)
	{
		writer->blocks--;
	}
	free_blocks(&writer->taken);
	if (writer->last)
		finish(writer);
	else if (writer->closing || !list_empty(&writer->full))
		start_work(writer);
}

static void hand_over(struct wav_writer *writer)
{
	list_add(&writer->full, &writer->filling->link);
	writer->blocks++;
	writer->filling = NULL;
}

/* The block to go on with, or NULL if there may be none. */
static struct block *block_to_fill(struct wav_writer *writer)
{
	size_t samples = writer->block_len * writer->channels;

	if (writer->filling || writer->blocks == WAV_QUEUE_BLOCKS)
		return writer->filling;

	writer->filling = calloc(1, sizeof(struct block) + samples * sizeof(int16_t));
	return writer->filling;
}

void wav_writer_write(struct wav_writer *writer, const int16_t *samples, size_t count)
{
	assert(!writer->closing);

	while (count > 0) {
		struct block *block = block_to_fill(writer);
		size_t room, moved;

		if (!block) {
			writer->dropped += count;
			start_work(writer);
			return;
		}
		room = writer->block_len - block->len;
		moved = count < room ? count : room;
		memcpy(block->samples + block->len * writer->channels, samples,
			moved * writer->channels * sizeof(*samples));
		block->len += moved;
		samples += moved * writer->channels;
		count -= moved;
		if (block->len == writer->block_len) {
			hand_over(writer);
			start_work(writer);
		}
	}
}

uint64_t wav_writer_dropped(const struct wav_writer *writer)
{
	return writer->dropped;
}

void wav_writer_close(struct wav_writer *writer, wav_writer_done *done, void *arg)
{
	assert(!writer->closing);

	writer->closing = true;
	writer->done = done;
	writer->arg = arg;
	if (writer->filling)
		hand_over(writer);
	start_work(writer);
}

/* A pipe would keep us waiting until somebody reads it, and a header cannot be mended in one. */
static int refuse(mode_t mode, const char *path, struct fault *why)
{
	if (S_ISDIR(mode))
		return path_fault(why, -EISDIR, path);
	if (!S_ISREG(mode) && !S_ISCHR(mode))
		return path_fault_words(why, -ENOTSUP, path, "not a regular file");
	return 0;
}

static int fault_create(struct fault *why, int err, const char *path)
{
	if (err == -ENOENT)
		return path_fault_words(why, err, path, "no such folder");
	return path_fault(why, err, path);
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
	if (!err && S_ISREG(about.st_mode) && ftruncate(fd, 0))
		err = path_fault(why, -errno, path);
	if (err) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int wav_writer_check(const char *path, struct fault *why)
{
	struct stat about;
	char *copy;
	int err;

	if (stat(path, &about) == 0) {
		err = refuse(about.st_mode, path, why);
		if (!err && access(path, W_OK))
			err = path_fault(why, -errno, path);
		return err;
	}
	if (errno != ENOENT)
		return path_fault(why, -errno, path);
	if (path[0] == '\0')
		return fault_create(why, -ENOENT, path);
	if (path[strlen(path) - 1] == '/')
		return path_fault(why, -EISDIR, path);

	copy = calloc(1, strlen(path) + 1);
	if (!copy)
		return path_fault(why, -ENOMEM, path);
	memcpy(copy, path, strlen(path));
	err = access(dirname(copy), W_OK | X_OK) ? -errno : 0;
	free(copy);
	return err ? fault_create(why, err, path) : 0;
}

static int open_file(struct wav_writer *writer, const char *path, uint32_t rate, bool exclusive,
	struct fault *why)
{
	SF_INFO info = {
		.samplerate = (int)rate,
		.channels = (int)writer->channels,
		.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16,
	};
	int err;

	err = create(&writer->fd, path, exclusive, why);
	if (err)
		return err;

	errno = 0;
	writer->file = sf_open_fd(writer->fd, SFM_WRITE, &info, SF_FALSE);
	if (!writer->file) {
		err = errno ? -errno : -EIO;
		if (exclusive) /* then it is ours, and empty */
			unlink(path);
		return path_fault(why, err, path);
	}
	return 0;
}

int wav_writer_open(struct wav_writer **out, struct loop *loop, const char *path, uint32_t rate,
	unsigned channels, bool exclusive, struct fault *why)
{
	struct wav_writer *writer;
	int err;

	assert(channels == 1 || channels == 2);
	assert(rate >= 8000 && rate <= 48000);

	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return path_fault(why, -ENOMEM, path);

	writer->loop = loop;
	writer->channels = channels;
	writer->block_len = rate / 2;
	writer->room = DATA_MAX / (channels * sizeof(int16_t));
	list_init(&writer->full);
	list_init(&writer->taken);
	writer->work = (struct work){work_run, work_done};
	writer->finished.run = finish_posted;
	writer->fd = -1;
	err = open_file(writer, path, rate, exclusive, why);
	if (err) {
		destroy(writer);
		return err;
	}
	*out = writer;
	return 0;
}
