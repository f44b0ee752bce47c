/* Recordings that begin or end in the middle of a call. */
#include "core/media/media_private.h"

#include "audio/path.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Begins or ends a recording. It goes from the agent to the I/O pool, where the file is created if
 * it begins, by the agent to the media thread, which then records or not, and back to the agent.
 */
struct media_taping {
	struct media_note note;
	struct work open;
	bool ends;
	char *path;
	struct recorder *recorder; /* to record with, or NULL */
	int err;                   /* of creating the file, or of closing it */
	struct fault why;
	struct media_taping *end; /* that waits until this one has begun, or NULL */
	struct post gone;         /* to the agent */
};

static void taping_free(struct media_taping *taping)
{
	if (!taping)
		return;

	free(taping->path);
	free(taping);
}

/* Agent thread. */
static void gone_run(struct post *post)
{
	struct media_taping *taping = container_of(post, struct media_taping, gone);
	struct media *media = taping->note.media;
	struct fault fault;

	if (taping->ends) {
		if (taping->err) {
			path_fault(&fault, taping->err, taping->path);
			media->events->trouble(media->arg, fault.words);
		}
		media->events->recorded(media->arg, taping->path, false, NULL);
	}
	taping_free(taping);
	media_part_gone(media);
}

/* Media thread, from here on. */
static void recorder_closed(void *arg, int err, uint64_t written, uint64_t dropped)
{
	struct media_taping *taping = arg;

	(void)written;
	(void)dropped;
	taping->err = err;
	loop_post(taping->note.media->agent_loop, &taping->gone);
}

static void release(struct media_taping *taping, struct recorder *recorder)
{
	if (recorder)
		recorder_close(recorder, recorder_closed, taping);
	else
		loop_post(taping->note.media->agent_loop, &taping->gone);
}

static void taping_run(struct post *post)
{
	struct media_taping *taping = container_of(post, struct media_taping, note.post);

	release(taping, stream_turn_recorder(taping->note.media->stream, taping->recorder));
}

static void drop_run(struct post *post)
{
	struct media_taping *taping = container_of(post, struct media_taping, note.post);

	release(taping, taping->recorder);
}

/* Agent thread, from here on: a file that was created is closed, with nothing in it. */
static void taping_drop(struct media_note *note)
{
	note->post.run = drop_run;
	loop_post(note->media->media_loop, &note->post);
}

/* A thread of the I/O pool. */
static void open_run(struct work *work)
{
	struct media_taping *taping = container_of(work, struct media_taping, open);
	struct media *media = taping->note.media;

	taping->err = recorder_new(&taping->recorder, media->media_loop, taping->path,
		media->stream_config.rate, &taping->why);
}

static void begin(struct media *media, struct media_taping *taping)
{
	free(media->taped);
	media->taped = taping->path;
	taping->path = NULL;
	media->recorded = true;
	media_send(&taping->note);
	if (taping->end)
		media_send(&taping->end->note);
	media->events->recorded(media->arg, media->taped, true, NULL);
}

/* Whoever asked for the end meanwhile hears of this one's, and of no other. */
static void fail(struct media *media, struct media_taping *taping)
{
	if (taping->end) {
		taping_free(taping->end);
		media->parts--;
	}
	media->records = false;
	media->events->recorded(media->arg, taping->path, false, taping->why.words);
	taping_free(taping);
	media_part_gone(media);
}

static void open_done(struct work *work)
{
	struct media_taping *taping = container_of(work, struct media_taping, open);
	struct media *media = taping->note.media;

	media->taping = NULL;
	if (taping->err)
		fail(media, taping);
	else
		begin(media, taping);
}

/* Takes path over, but not where it returns NULL, for want of memory. */
static struct media_taping *taping_new(struct media *media, char *path)
{
	struct media_taping *taping = path ? calloc(1, sizeof(*taping)) : NULL;

	if (!taping)
		return NULL;

	taping->note = (struct media_note){{.run = taping_run}, {0}, media, taping_drop};
	taping->open = (struct work){open_run, open_done};
	taping->gone.run = gone_run;
	taping->path = path;
	return taping;
}

static const char *path_now(const struct media *media)
{
	if (media->taping)
		return media->taping->path;
	return media->taped ? media->taped : media->recording;
}

static int end_recording(struct media *media, struct fault *why)
{
	struct media_taping *taping;
	char *path;

	if (!media->records)
		return fault_set(why, -EALREADY, "nothing is being recorded");

	path = slice_copy(slice_of(path_now(media)));
	taping = taping_new(media, path);
	if (!taping) {
		free(path);
		return fault_set(why, -ENOMEM, "out of memory");
	}
	taping->ends = true;
	media->parts++;
	media->records = false;
	if (media->taping)
		media->taping->end = taping;
	else
		media_send(&taping->note);
	return 0;
}

static int fault_twice(const struct media *media, struct fault *why)
{
	char room[FAULT_SIZE / 2];
	struct text shown = TEXT_IN(room);

	text_put_escaped(&shown, slice_of(path_now(media)));
	return fault_set(why, -EALREADY, "it is already being recorded: %s", room);
}

/* One whose file is being created is ended when that is done, and no other begins before. */
int media_record(struct media *media, const char *pattern, struct fault *why)
{
	struct media_taping *taping;
	char *path = NULL;
	int err;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return fault_set(why, -ENOTCONN, "there is no sound to be recorded");
	if (!pattern)
		return end_recording(media, why);
	if (media->records || media->taping)
		return fault_twice(media, why);
	err = media_name_recording(&path, media, pattern, why);
	if (err)
		return err;

	taping = taping_new(media, path);
	err = taping ? loop_work(media->agent_loop, &taping->open) : -ENOMEM;
	if (err) {
		free(path);
		free(taping);
		return fault_set(why, err, "out of memory");
	}
	media->parts++;
	media->records = true;
	media->taping = taping;
	return 0;
}
