#include "audio/recorder.h"

#include "audio/path.h"
#include "core/base/loop.h"

#include <stdlib.h>

enum side {
	NEAR, /* left */
	FAR,  /* right */
	SIDES,
};

struct recorder {
	struct file_writer *writer;
	size_t skew;        /* samples */
	size_t len[SIDES];  /* that wait in frames for the other side */
	bool padded[SIDES]; /* with silence, or without a start, since it last gave something */
	int16_t frames[];   /* 2 * skew, left and right alternating */
};

int recorder_new(struct recorder **out, struct loop *loop, const char *path, uint32_t rate,
	struct fault *why)
{
	size_t skew = rate / 1000 * RECORDER_SKEW_MS;
	struct recorder *recorder;
	int err;

	recorder = calloc(1, sizeof(*recorder) + 2 * skew * SIDES * sizeof(int16_t));
	if (!recorder)
		return path_fault(why, -ENOMEM, path);

	recorder->skew = skew;
	recorder->padded[NEAR] = true;
	recorder->padded[FAR] = true;
	err = file_writer_open(&recorder->writer, loop, path, rate, SIDES, true, why);
	if (err) {
		free(recorder);
		return err;
	}
	*out = recorder;
	return 0;
}

/* Appends count samples to one side, or silence for NULL. */
static void append(struct recorder *recorder, enum side side, const int16_t *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = recorder->len[side] + i;

		recorder->frames[at * SIDES + side] = samples ? samples[i] : 0;
	}
	recorder->len[side] += count;
}

/* Hands on what both sides have. */
static void emit(struct recorder *recorder)
{
	size_t near = recorder->len[NEAR];
	size_t far = recorder->len[FAR];
	size_t both = near < far ? near : far;
	size_t most = near < far ? far : near;

	if (both == 0)
		return;

	file_writer_write(recorder->writer, recorder->frames, both);
	memmove(recorder->frames, recorder->frames + both * SIDES,
		(most - both) * SIDES * sizeof(recorder->frames[0]));
	recorder->len[NEAR] -= both;
	recorder->len[FAR] -= both;
}

/* A side that starts, or had stopped, goes on now, next to what the other has just given, and not
 * where it left off: else it would stay behind by as much for good. */
static void catch_up(struct recorder *recorder, enum side side, size_t count)
{
	size_t ahead = recorder->len[side == NEAR ? FAR : NEAR];
	size_t gap = ahead - recorder->len[side];

	if (recorder->padded[side] && ahead > recorder->len[side] && gap > count)
		append(recorder, side, NULL, gap - count);
	recorder->padded[side] = false;
}

static void put(struct recorder *recorder, enum side side, const int16_t *samples, size_t count)
{
	enum side other = side == NEAR ? FAR : NEAR;

	if (count == 0)
		return;

	catch_up(recorder, side, count);
	while (count > 0) {
		size_t part = count < recorder->skew ? count : recorder->skew;
		size_t ahead;

		append(recorder, side, samples, part);
		samples += part;
		count -= part;
		emit(recorder);
		ahead = recorder->len[side] - recorder->len[other];
		if (recorder->len[side] > recorder->len[other] && ahead > recorder->skew) {
			append(recorder, other, NULL, ahead - recorder->skew);
			recorder->padded[other] = true;
			emit(recorder);
		}
	}
}

void recorder_near(struct recorder *recorder, const int16_t *samples, size_t count)
{
	put(recorder, NEAR, samples, count);
}

void recorder_far(struct recorder *recorder, const int16_t *samples, size_t count)
{
	put(recorder, FAR, samples, count);
}

void recorder_close(struct recorder *recorder, file_writer_done *done, void *arg)
{
	enum side behind = recorder->len[NEAR] < recorder->len[FAR] ? NEAR : FAR;
	enum side ahead = behind == NEAR ? FAR : NEAR;

	append(recorder, behind, NULL, recorder->len[ahead] - recorder->len[behind]);
	emit(recorder);
	file_writer_close(recorder->writer, done, arg);
	free(recorder);
}
