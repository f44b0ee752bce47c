/*
 * The near end of a stream: where its sound comes from and goes to, what records both, and what
 * listens, all at one rate; how loud it is made, and how loud it then is. It belongs to its stream,
 * on the media thread.
 */
#pragma once

#include "audio/ear.h"
#include "audio/recorder.h"
#include "audio/sink.h"
#include "audio/source.h"
#include "core/media/volume.h"

#include <stdbool.h>

struct ends_result {
	int sink_err; /* why a file is not whole: 0, or an error of audio/sound_file.h */
	int recorder_err;
};

typedef void ends_done(void *arg, const struct ends_result *result);

/* What is sent for a while in the place of the source; inside whoever owns it. */
struct ends_clip {
	struct source *source; /* NULL: what is heard is sent back */
	/* All of it was taken: it is its owner's again. From within ends_take(). */
	void (*over)(struct ends_clip *clip);
};

/* Whether the source is sent where there is no clip. */
enum ends_mic {
	ENDS_MIC_OPEN,
	ENDS_MIC_SHUT,  /* it is read on, in time, and nobody hears it */
	ENDS_MIC_WAITS, /* it is not even read: it begins when it is opened */
};

/* What of the near end is sent at all. */
enum ends_gate {
	ENDS_NOTHING, /* what there would be is taken all the same, in time */
	ENDS_CLIPS,   /* and nothing of the source */
	ENDS_ALL,
};

/* Made by ends_init(). */
struct ends {
	struct source *source; /* NULL: what is heard is sent back */
	enum ends_mic microphone;
	bool source_ended;
	struct ends_clip *clip; /* or NULL */
	struct sink *sink;
	struct recorder *recorder; /* or NULL */
	struct ear *ear;           /* to what is played; or NULL */
	struct gain mic;
	struct gain speaker;
	double near_dbfs; /* the loudest moment since ends_forget_levels(): of what is sent, */
	double far_dbfs;  /* and of what is played */

	ends_done *done;
	void *arg;
	unsigned closing; /* files and commands not yet finished */
	struct ends_result result;
};

/* source, sink and recorder, at rate, are from here on the ends'. The microphone is open. */
void ends_init(struct ends *ends, struct source *source, struct sink *sink,
	struct recorder *recorder, uint32_t rate, const struct media_volume *volume);

/* From the next samples on. */
void ends_set_microphone(struct ends *ends, enum ends_mic microphone);
void ends_set_volume(struct ends *ends, const struct media_volume *volume);

/*
 * Has clip, which may be NULL, in the place of what there was, which it returns: that is its
 * owner's again. The same of the recorder and the ear.
 */
struct ends_clip *ends_turn_clip(struct ends *ends, struct ends_clip *clip);
struct recorder *ends_turn_recorder(struct ends *ends, struct recorder *recorder);
struct ear *ends_turn_ear(struct ends *ends, struct ear *ear);

/* Fills near with what is to be sent, while far is to be played: silence for what gate keeps back.
 */
void ends_take(
	struct ends *ends, int16_t *near, const int16_t *far, size_t count, enum ends_gate gate);

/* Hears and records far as it came, makes it as loud as it is to be, and plays it. */
void ends_play(struct ends *ends, int16_t *far, size_t count);

void ends_forget_levels(struct ends *ends);

/* Without a clip. Lets files and commands come to their end; done is then called once, never before
 * this returns.
 */
void ends_close(struct ends *ends, ends_done *done, void *arg);
