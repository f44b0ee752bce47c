/*
 * The sound of one call, on the media thread: tick by tick it takes what has come from the network
 * out of the jitter buffer, decodes it, plays and records it, and takes the near end's next
 * samples, encodes and sends them.
 *
 * It is put together on any thread by stream_new() and belongs, from stream_start() on, to its
 * loop's thread alone.
 */
#pragma once

#include "audio/recorder.h"
#include "audio/sink.h"
#include "audio/source.h"
#include "codecs/codec.h"
#include "core/base/fault.h"
#include "core/base/loop.h"
#include "core/media/transport.h"

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
	double mos;       /* 0: nothing has been heard */
	double near_dbfs; /* the loudest moment since the last report */
	double far_dbfs;
	struct addr remote; /* where RTP goes to by now */
};

typedef void stream_report_fn(void *arg, const struct stream_report *report);
typedef void stream_silent_fn(void *arg, const struct fault *why);

/* What was agreed on, and may change. */
struct stream_params {
	const struct codec *codec;
	struct slice remote_fmtp; /* read while encoders are made, and not kept */
	uint8_t send_payload_type;
	uint8_t receive_payload_type;
	uint32_t ptime_ms; /* one that codec_ptime() gave */
	bool sends;        /* the directions */
	bool receives;
	struct media_aim aim;
};

struct stream_config {
	struct loop *loop;
	struct media_transport
		*transport;    /* everything from here to recorder becomes the stream's */
	struct source *source; /* NULL: what is heard is sent back */
	struct sink *sink;
	struct recorder *recorder; /* or NULL */

	struct stream_params params;

	uint32_t ssrc; /* these three by chance */
	uint16_t first_seq;
	uint32_t first_timestamp;
	const char *cname;

	uint64_t report_ns; /* how often report is called, on the loop's thread */
	stream_report_fn *report;
	uint64_t silence_ns; /* of nothing from the far end until silent is called; 0: never */
	stream_silent_fn *silent;
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
 * applied. from: the params that are changed. Returns -ENOMEM or what the codec says.
 */
struct stream_change;
int stream_change_new(struct stream_change **out, const struct stream_params *from,
	const struct stream_params *to);

/*
 * Goes on with other params and frees change. Clock and sample rate are as they were. Of a stream
 * that does not run, only change goes.
 */
void stream_change(struct stream *stream, struct stream_change *change);

/* NULL is allowed. For a change that is not applied. */
void stream_change_free(struct stream_change *change);

/* How it was when it stopped, and why a file is not whole: 0, or an error of audio/wav_writer.h. */
struct stream_end {
	struct stream_report report;
	int sink_err;
	int recorder_err;
};

/*
 * Says goodbye (RTCP BYE) if it was started, stops, and lets files be finished; done is then called
 * once, never before this returns, and the stream is gone.
 */
typedef void stream_done(void *arg, const struct stream_end *end);
void stream_close(struct stream *stream, stream_done *done, void *arg);
