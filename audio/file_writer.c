#include "audio/file_writer.h"

#include "audio/path.h"
#include "audio/sound_file.h"
#include "core/base/list.h"
#include "core/base/loop.h"

#include <assert.h>
#include <stdlib.h>

struct block {
	struct list link;
	size_t len; /* samples a channel */
	int16_t samples[];
};

/*
 * There is at most one piece of work, and it takes along all blocks that are full. While working,
 * it owns what stands below "the work's", and the loop's thread everything else.
 */
struct file_writer {
	struct loop *loop;
	unsigned channels;
	size_t block_len;
	struct list full;      /* blocks, the oldest first */
	size_t blocks;         /* in full and taken */
	struct block *filling; /* or NULL */
	uint64_t dropped;
	bool working;
	bool closing;
	file_writer_done *done;
	void *arg;
	struct post finished; /* where there is no other way to call done later */

	struct work work;        /* the work's, from here on */
	struct sound_file *file; /* NULL: closed */
	struct list taken;
	bool last; /* nothing comes after taken */
	int err;   /* the first; nothing is written any more */
	uint64_t written;
	uint64_t lost; /* not yet in dropped */
};

static void write_block(struct file_writer *writer, const struct block *block)
{
	size_t written = 0;

	if (!writer->err)
		writer->err = sound_file_write(writer->file, block->samples, block->len, &written);
	writer->written += written;
	writer->lost += block->len - written;
}

static void close_file(struct file_writer *writer)
{
	int err;

	if (!writer->file)
		return;

	err = sound_file_close(writer->file);
	writer->file = NULL;
	if (!writer->err)
		writer->err = err;
}

static void work_run(struct work *work)
{
	struct file_writer *writer = container_of(work, struct file_writer, work);

	list_each(link, &writer->taken)
	{
		write_block(writer, container_of(link, struct block, link));
	}
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

static void destroy(struct file_writer *writer)
{
	close_file(writer);
	free_blocks(&writer->full);
	free_blocks(&writer->taken);
	free(writer->filling);
	free(writer);
}

static void count_lost(struct file_writer *writer)
{
	writer->dropped += writer->lost;
	writer->lost = 0;
}

static void finish(struct file_writer *writer)
{
	uint64_t dropped = writer->dropped;
	uint64_t written = writer->written;
	file_writer_done *done = writer->done;
	void *arg = writer->arg;
	int err = writer->err;

	if (!err && dropped > 0)
		err = -ENOBUFS;
	destroy(writer);
	if (done)
		done(arg, err, written, dropped);
}

static void take_all(struct file_writer *writer)
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
	struct file_writer *writer = container_of(post, struct file_writer, finished);

	work_run(&writer->work);
	count_lost(writer);
	finish(writer);
}

/* Should the work not be taken, the next block tries again, and the last are written right here. */
static void start_work(struct file_writer *writer)
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
	struct file_writer *writer = container_of(work, struct file_writer, work);

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

static void hand_over(struct file_writer *writer)
{
	list_add(&writer->full, &writer->filling->link);
	writer->blocks++;
	writer->filling = NULL;
}

/* The block to go on with, or NULL if there may be none. */
static struct block *block_to_fill(struct file_writer *writer)
{
	size_t samples = writer->block_len * writer->channels;

	if (writer->filling || writer->blocks == FILE_QUEUE_BLOCKS)
		return writer->filling;

	writer->filling = calloc(1, sizeof(struct block) + samples * sizeof(int16_t));
	return writer->filling;
}

void file_writer_write(struct file_writer *writer, const int16_t *samples, size_t count)
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

uint64_t file_writer_dropped(const struct file_writer *writer)
{
	return writer->dropped;
}

void file_writer_close(struct file_writer *writer, file_writer_done *done, void *arg)
{
	assert(!writer->closing);

	writer->closing = true;
	writer->done = done;
	writer->arg = arg;
	if (writer->filling)
		hand_over(writer);
	start_work(writer);
}

int file_writer_open(struct file_writer **out, struct loop *loop, const char *path, uint32_t rate,
	unsigned channels, bool exclusive, struct fault *why)
{
	struct file_writer *writer;
	int err;

	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return path_fault(why, -ENOMEM, path);

	writer->loop = loop;
	writer->channels = channels;
	writer->block_len = rate / 2;
	list_init(&writer->full);
	list_init(&writer->taken);
	writer->work = (struct work){work_run, work_done};
	writer->finished.run = finish_posted;
	err = sound_file_create(&writer->file, path, rate, channels, exclusive, why);
	if (err) {
		free(writer);
		return err;
	}
	*out = writer;
	return 0;
}
