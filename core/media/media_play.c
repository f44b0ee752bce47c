/* What is sent for a while in the place of the microphone. */
#include "core/media/media_private.h"

#include "audio/open.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

/*
 * It goes from the agent to the I/O pool, which opens its source, by the agent to the media thread,
 * which plays it, and back to the agent, who frees it. One without a name ends what is played.
 */
struct media_clip {
	struct media_note note;
	struct work open;
	struct ends_clip ends;
	char *name; /* of its source, or NULL */
	bool early; /* nobody has asked for it in the call: it is told only if it cannot be played
		     */
	int err;    /* it could not be opened: why */
	struct fault why;
	struct post over; /* to the agent: all of it was sent, */
	struct post gone; /* and nothing of it is left */
};

/* Agent thread. Only once, for it is the one at hand until then. */
static void tell(struct media_clip *clip, bool complete, const char *words)
{
	struct media *media = clip->note.media;

	if (media->clip != clip)
		return;

	media->clip = NULL;
	if (!clip->early)
		media->events->played(media->arg, clip->name, complete, words);
	else if (words)
		media->events->trouble(media->arg, words);
}

/* Agent thread. */
static void over_run(struct post *post)
{
	tell(container_of(post, struct media_clip, over), true, NULL);
}

/* Agent thread. What was not told before has ended with the call. */
static void gone_run(struct post *post)
{
	struct media_clip *clip = container_of(post, struct media_clip, gone);
	struct media *media = clip->note.media;

	tell(clip, false, NULL);
	free(clip->name);
	free(clip);
	media_part_gone(media);
}

/* Media thread, from here on. */
static void source_closed(void *arg)
{
	struct media_clip *clip = arg;

	loop_post(clip->note.media->agent_loop, &clip->gone);
}

static void release(struct media_clip *clip)
{
	if (!source_close(clip->ends.source, source_closed, clip))
		source_closed(clip);
}

static void clip_over(struct ends_clip *ends)
{
	struct media_clip *clip = container_of(ends, struct media_clip, ends);

	loop_post(clip->note.media->agent_loop, &clip->over);
	release(clip);
}

static void turn(struct media *media, struct ends_clip *next)
{
	struct ends_clip *before = stream_turn_clip(media->stream, next);

	if (before)
		release(container_of(before, struct media_clip, ends));
}

void media_stop_clip(struct media *media)
{
	turn(media, NULL);
}

/* One that could not be opened ends what it was to follow. */
static void clip_run(struct post *post)
{
	struct media_clip *clip = container_of(post, struct media_clip, note.post);
	bool plays = clip->name && !clip->err;

	turn(clip->note.media, plays ? &clip->ends : NULL);
	if (!plays)
		release(clip);
}

static void drop_run(struct post *post)
{
	release(container_of(post, struct media_clip, note.post));
}

/* Agent thread, from here on. A source may be closed by the media thread only. */
static void clip_drop(struct media_note *note)
{
	note->post.run = drop_run;
	loop_post(note->media->media_loop, &note->post);
}

/* A thread of the I/O pool. */
static void open_run(struct work *work)
{
	struct media_clip *clip = container_of(work, struct media_clip, open);
	const struct audio_setup setup = media_setup(clip->note.media);

	clip->err = audio_source_open(&clip->ends.source, &setup, slice_of(clip->name), &clip->why);
}

/* Another may have been asked for meanwhile. */
static void open_done(struct work *work)
{
	struct media_clip *clip = container_of(work, struct media_clip, open);

	if (clip->note.media->clip != clip) {
		clip_drop(&clip->note);
		return;
	}
	media_send(&clip->note);
	if (clip->err)
		tell(clip, false, clip->why.words);
}

static struct media_clip *clip_new(struct media *media, const char *name)
{
	struct media_clip *clip = calloc(1, sizeof(*clip));

	if (!clip)
		return NULL;

	clip->note = (struct media_note){{.run = clip_run}, {0}, media, clip_drop};
	clip->open = (struct work){open_run, open_done};
	clip->ends.over = clip_over;
	clip->over.run = over_run;
	clip->gone.run = gone_run;
	clip->name = name ? slice_copy(slice_of(name)) : NULL;
	if (!name || clip->name)
		return clip;

	free(clip);
	return NULL;
}

/* Whoever is told of the last one may ask for another, which then follows this one. */
static int play(struct media *media, const char *source, bool early)
{
	struct media_clip *before = media->clip;
	struct media_clip *clip;
	int err = 0;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return -ENOTCONN;
	clip = clip_new(media, source);
	if (!clip)
		return -ENOMEM;
	clip->early = early;

	if (source && !audio_source_is_loop(slice_of(source)))
		err = loop_work(media->agent_loop, &clip->open);
	else
		media_send(&clip->note);
	if (err) {
		free(clip->name);
		free(clip);
		return err;
	}
	media->parts++;
	media->clip = source ? clip : NULL;
	if (before && !before->early)
		media->events->played(media->arg, before->name, false, NULL);
	return 0;
}

int media_play(struct media *media, const char *source)
{
	return play(media, source, false);
}

int media_start_early(struct media *media, const struct media_params *params, const char *source)
{
	int err;

	media->early = true;
	err = media_start(media, params);
	return err ? err : play(media, source, true);
}

/* Media thread. */
static void answer_run(struct post *post)
{
	struct media_note *note = container_of(post, struct media_note, post);

	stream_set_microphone(note->media->stream, ENDS_MIC_OPEN);
	free(note);
}

/* Agent thread. */
static void answer_drop(struct media_note *note)
{
	free(note);
}

/* What somebody has begun to play meanwhile goes on. */
int media_answer(struct media *media)
{
	struct media_note *note;
	int err = 0;

	if (!media->early || (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING))
		return 0;
	note = calloc(1, sizeof(*note));
	if (!note)
		return -ENOMEM;

	if (media->clip && media->clip->early)
		err = media_play(media, NULL);
	if (err) {
		free(note);
		return err;
	}
	*note = (struct media_note){{.run = answer_run}, {0}, media, answer_drop};
	media->early = false;
	media_send(note);
	return 0;
}
