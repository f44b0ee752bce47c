/*
 * What the files of core/media/stream share among each other, and with nobody else: stream.c has
 * how the sound moves, stream_tell.c what whoever has the stream is told of it. On its loop's
 * thread.
 */
#pragma once

#include "core/media/playout.h"
#include "core/media/stream.h"
#include "core/media/talker.h"
#include "core/rtp/session.h"

enum stream_state {
	STREAM_NEW,
	STREAM_RUNNING,
	STREAM_CLOSING, /* nothing moves; files are being finished */
};

struct stream {
	enum stream_state state;
	struct stream_config config;
	struct ends ends;
	struct talker *talker;
	struct playout *playout;
	struct rtp_session *session;

	struct timer tick;
	struct timer rtcp;
	struct timer report;
	struct timer silence;
	struct media_transport *former; /* by which we sent before, or NULL */
	struct timer former_over;
	uint64_t heard_ns; /* when the far end was last heard, or began to be awaited */
	uint64_t tick_ns;  /* when the present one was due */
	uint64_t report_ns;
	uint32_t timestamp;        /* of what is taken next, from 0, */
	uint32_t begun;            /* and of the packet that it is part of */
	bool talking;              /* the last packet was sent with the tick before this one */
	const struct codec *heard; /* as was told last, or as we send */
	unsigned heard_otherwise;  /* packets in a row, by another */

	stream_done *done;
	void *done_arg;
	struct stream_end end;

	size_t frame;      /* samples a packet, */
	size_t taken;      /* and of the one at hand */
	int16_t samples[]; /* twice the longest frame: far, near */
};

/* How it goes by now. */
void stream_fill_report(struct stream_report *out, const struct stream *stream);

/* The far end was heard, or is to be awaited from now on. */
void stream_await(struct stream *stream);

/* Of the timers of the same names; arg: the stream. */
void stream_run_report(void *arg);
void stream_run_silence(void *arg);
