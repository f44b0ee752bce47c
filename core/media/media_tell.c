/* What a stream tells, on its way from the media thread to the agent's. */
#include "core/media/media_private.h"

#include "core/base/log.h"

#include <stdlib.h>

struct told {
	struct post post;
	struct media *media;
	union {
		struct stream_report report;
		struct media_format format;
		struct ear_tone tone;
		struct {
			enum audio_news kind;
			struct fault words;
		} news; /* and of silence, only the words */
	};
};

/* To be filled and posted; NULL without memory. */
static struct told *told_new(struct media *media, void (*run)(struct post *post))
{
	struct told *told = calloc(1, sizeof(*told));

	if (!told)
		return NULL;

	told->post.run = run;
	told->media = media;
	return told;
}

static void post(struct told *told)
{
	loop_post(told->media->agent_loop, &told->post);
}

/* Agent thread. What was on its way when the call ended says nothing new. */
static void run_report(struct post *post)
{
	struct told *told = container_of(post, struct told, post);
	struct media *media = told->media;

	if (media->state == MEDIA_RUNNING)
		media->events->report(media->arg, &told->report);
	free(told);
}

void media_tell_report(void *arg, const struct stream_report *report)
{
	struct told *told = told_new(arg, run_report);

	if (!told)
		return; /* the next one tells more anyway */

	told->report = *report;
	post(told);
}

/* Agent thread. */
static void run_silent(struct post *post)
{
	struct told *told = container_of(post, struct told, post);
	struct media *media = told->media;

	if (media->state == MEDIA_RUNNING)
		media->events->silent(media->arg, &told->news.words);
	free(told);
}

void media_tell_silent(void *arg, const struct fault *why)
{
	struct told *told = told_new(arg, run_silent);

	if (!told) {
		log_warning("out of memory: nobody is told that a far end is silent");
		return;
	}
	told->news.words = *why;
	post(told);
}

/* Agent thread. */
static void run_heard(struct post *post)
{
	struct told *told = container_of(post, struct told, post);
	struct media *media = told->media;

	if (media->state == MEDIA_RUNNING)
		media->events->heard(media->arg, &told->format);
	free(told);
}

void media_tell_heard(void *arg, const struct media_format *format)
{
	struct told *told = told_new(arg, run_heard);

	if (!told) {
		log_warning("out of memory: nobody is told that a far end sends %s",
			format->codec->key);
		return;
	}
	told->format = *format;
	post(told);
}

/* Agent thread. */
static void run_tone(struct post *post)
{
	struct told *told = container_of(post, struct told, post);
	struct media *media = told->media;

	if (media->state == MEDIA_RUNNING)
		media->events->tone(media->arg, &told->tone);
	free(told);
}

void media_tell_tone(void *arg, const struct ear_tone *tone)
{
	struct told *told = told_new(arg, run_tone);

	if (!told) {
		log_warning("out of memory: nobody is told of a tone of %g Hz", tone->hz);
		return;
	}
	told->tone = *tone;
	post(told);
}

/* Agent thread. */
static void run_source_ended(struct post *post)
{
	struct media *media = container_of(post, struct media, source_ended);

	if (media->state == MEDIA_RUNNING)
		media->events->source_ended(media->arg);
}

/* Once, so it needs no memory, and is told in any case. */
void media_tell_source_ended(void *arg)
{
	struct media *media = arg;

	media->source_ended.run = run_source_ended;
	loop_post(media->agent_loop, &media->source_ended);
}

/* Agent thread. The end of a file is news even after the call. */
static void run_news(struct post *post)
{
	struct told *told = container_of(post, struct told, post);
	struct media *media = told->media;

	if (told->news.kind == AUDIO_FAILED)
		media->events->trouble(media->arg, told->news.words.words);
	else
		media->events->notice(media->arg, told->news.words.words);
	free(told);
}

void media_tell_news(void *arg, enum audio_news news, const char *words)
{
	struct told *told = told_new(arg, run_news);

	if (!told) {
		log_warning("out of memory: nobody is told that %s", words);
		return;
	}
	told->news.kind = news;
	fault_set(&told->news.words, 0, "%s", words);
	post(told);
}
