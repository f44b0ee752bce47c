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

struct stream_config {
	struct loop *loop;
	struct media_transport
		*transport;    /* everything from here to recorder becomes the stream's */
	struct source *source; /* NULL: what is heard is sent back */
	struct sink *sink;
	struct recorder *recorder; /* or NULL */

	const struct codec *codec;
	struct slice remote_fmtp;
	uint8_t send_payload_type;
	uint8_t receive_payload_type;
	uint32_t ptime_ms; /* one that codec_ptime() gave */
	bool sends;        /* the directions agreed on */
	bool receives;
	struct addr remote_rtp;
	struct addr remote_rtcp;

	uint32_t ssrc; /* these three by chance */
	uint16_t first_seq;
	uint32_t first_timestamp;
	const char *cname;

	uint64_t report_ns; /* how often report is called, on the loop's thread */
	stream_report_fn *report;
	void *arg;
};

/*
 * Returns -ENOMEM or what the codec says. What config hands over is the stream's only if this
 * returns 0. Nothing moves before stream_start().
 */
int stream_new(struct stream **out, const struct stream_config *config);

/* Sends the first packet at once and goes on. Returns what udp_start() does. */
int stream_start(struct stream *stream);

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
