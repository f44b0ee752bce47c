/*
 * The sound of one call, on the media thread: tick by tick it takes what has come from the network
 * out of the jitter buffer, decodes it, plays and records it, and takes the near end's next
 * samples, encodes and sends them. The near end has one rate as long as it lasts, whatever codecs
 * come and go (core/media/playout.h and talker.h).
 *
 * It is put together on any thread by stream_new() and belongs, from stream_start() on, to its
 * loop's thread alone.
 */
#pragma once

#include "codecs/codec.h"
#include "core/base/fault.h"
#include "core/base/loop.h"
#include "core/media/ends.h"
#include "core/media/transport.h"
#include "core/media/voices.h"

#include <stdbool.h>

struct stream;

/* How it goes, since the start. */
struct stream_report {
	uint64_t sent; /* packets */
	uint64_t received;
	int64_t lost;
	uint64_t late;
	double jitter_ms;
	double rtt_ms; /* negative: not known */
	double buffer_ms;
	double concealed_pct;
	double mos;         /* 0: nothing has been heard */
	double near_dbfs;   /* the loudest moment since the last report: of what is sent, */
	double far_dbfs;    /* and of what is played */
	struct addr remote; /* where RTP goes to by now */
};

typedef void stream_report_fn(void *arg, const struct stream_report *report);
typedef void stream_silent_fn(void *arg, const struct fault *why);
typedef void stream_heard_fn(void *arg, const struct media_format *format);
typedef void stream_ended_fn(void *arg);

/* What was agreed on, and may change. */
struct stream_params {
	const struct codec *codec;
	struct slice remote_fmtp; /* read while encoders are made, and not kept */
	uint8_t send_payload_type;
	uint32_t ptime_ms;          /* one that codec_ptime() gave */
	struct media_formats heard; /* what they may send */
	bool sends;                 /* the directions */
	bool receives;
	bool holds; /* nothing of the microphone is sent */
	struct media_aim aim;
};

struct stream_config {
	struct loop *loop;
	struct media_transport
		*transport;    /* everything from here to recorder becomes the stream's */
	struct source *source; /* NULL: what is heard is sent back */
	struct sink *sink;
	struct recorder *recorder; /* or NULL */
	uint32_t rate;             /* Hz, of these three */
	uint32_t step_ms; /* of sound at a time, a part of every ptime; 0: a packet's worth */
	struct media_volume volume;
	enum ends_mic microphone; /* to begin with */

	struct stream_params params;

	uint32_t ssrc; /* these three by chance */
	uint16_t first_seq;
	uint32_t first_timestamp;
	const char *cname;

	uint64_t report_ns; /* how often report is called, on the loop's thread */
	stream_report_fn *report;
	uint64_t silence_ns; /* of nothing from the far end until silent is called; 0: never */
	stream_silent_fn *silent;
	stream_heard_fn *heard; /* they send by another codec than before, or than we; or NULL */
	stream_ended_fn *source_ended; /* once: all that it had has been sent */
	void *arg;
};

/*
 * Returns -ENOMEM or what the codec says. What config hands over is the stream's only if this
 * returns 0. Nothing moves before stream_start().
 */
int stream_new(struct stream **out, const struct stream_config *config);

/* Sends the first packet at once and goes on. Returns what udp_start() does. */
int stream_start(struct stream *stream);

/*
 * A change that is on its way to a stream, made on any thread, so that nothing can fail where it is
 * applied. from: the params that are changed; rate: as in the config. Returns -ENOMEM or what the
 * codec says.
 */
struct stream_change;
int stream_change_new(struct stream_change **out, const struct stream_params *from,
	const struct stream_params *to, uint32_t rate);

/* Goes on with other params and frees change. Of a stream that does not run, only change goes. */
void stream_change(struct stream *stream, struct stream_change *change);

/* NULL is allowed. For a change that is not applied. */
void stream_change_free(struct stream_change *change);

/*
 * Sends and receives by transport, which is then the stream's; what comes by the one before is
 * heard for former_ns more. Returns what udp_start() does, or -ENOTCONN: it does not run; then
 * nothing changes, and transport is still its owner's.
 */
int stream_turn_transport(
	struct stream *stream, struct media_transport *transport, uint64_t former_ns);

/* From the next samples on. */
void stream_set_volume(struct stream *stream, const struct media_volume *volume);

/* As ends_set_microphone(), from the next samples on. */
void stream_set_microphone(struct stream *stream, enum ends_mic microphone);

/* As ends_turn_clip() and the others, from the next samples on. */
struct ends_clip *stream_turn_clip(struct stream *stream, struct ends_clip *clip);
struct recorder *stream_turn_recorder(struct stream *stream, struct recorder *recorder);
struct ear *stream_turn_ear(struct stream *stream, struct ear *ear);

/* How it was when it stopped, and whether what was written is whole. */
struct stream_end {
	struct stream_report report;
	struct ends_result ends;
};

/*
 * Without a clip. Says goodbye (RTCP BYE) if it was started, stops, and lets files and commands
 * come to their end; done is then called once, never before this returns, and the stream is gone.
 */
typedef void stream_done(void *arg, const struct stream_end *end);
void stream_close(struct stream *stream, stream_done *done, void *arg);
