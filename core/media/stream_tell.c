/* What a stream tells of itself: how it goes, now and then, and that nothing comes any more. */
#include "core/media/stream_private.h"

#include "core/rtp/quality.h"

#include <errno.h>

void stream_fill_report(struct stream_report *out, const struct stream *stream)
{
	struct quality_input quality;
	struct playout_stats heard;
	struct rtp_stats rtp;

	rtp_session_stats(&rtp, stream->session);
	playout_stats(&heard, stream->playout);
	*out = (struct stream_report){
		.sent = rtp.packets_sent,
		.received = rtp.packets_received,
		.lost = rtp.lost,
		.late = heard.late,
		.jitter_ms = rtp.jitter_ms,
		.rtt_ms = rtp.rtt_ns ? (double)rtp.rtt_ns / NS_PER_MS : -1,
		.buffer_ms = heard.buffer_ms,
		.concealed_pct = heard.concealed_pct,
		.near_dbfs = stream->ends.near_dbfs,
		.far_dbfs = stream->ends.far_dbfs,
		.remote = *media_transport_remote(stream->config.transport),
	};
	if (!heard.anything)
		return;

	quality = (struct quality_input){
		.delay_ms = (double)rtp.rtt_ns / NS_PER_MS / 2 + heard.buffer_ms +
			    stream->config.params.ptime_ms,
		.loss_percent = heard.concealed_pct,
		.codec_ie = stream->heard->ie,
		.codec_bpl = stream->heard->bpl,
	};
	out->mos = quality_mos(quality_r(&quality));
}

void stream_run_report(void *arg)
{
	struct stream *stream = arg;
	struct stream_report report;

	stream_fill_report(&report, stream);
	ends_forget_levels(&stream->ends);
	stream->report_ns += stream->config.report_ns;
	timer_start(&stream->report, stream->report_ns);
	stream->config.report(stream->config.arg, &report);
}

static bool heeds_silence(const struct stream *stream)
{
	return stream->config.silence_ns > 0 && stream->config.params.receives;
}

void stream_await(struct stream *stream)
{
	stream->heard_ns = loop_now(stream->config.loop);
	if (!heeds_silence(stream))
		timer_stop(&stream->silence);
	else if (!timer_running(&stream->silence))
		timer_start(&stream->silence, stream->heard_ns + stream->config.silence_ns);
}

static void tell_silence(struct stream *stream)
{
	struct fault why = {""};
	char at[ADDR_TEXT_SIZE];
	struct rtp_stats rtp;
	struct addr to;
	int err;

	rtp_session_stats(&rtp, stream->session);
	err = media_transport_trouble(&to, stream->config.transport);
	if (rtp.bye) /* who has gone need not listen any more, either */
		fault_set(&why, -ENOTCONN, "its sound has said goodbye (RTCP BYE)");
	else if (err == -ECONNREFUSED)
		fault_set(&why, err, "nothing listens on %s (port unreachable)",
			addr_print_port(at, &to));
	else if (err)
		fault_set(&why, err, "%s cannot be reached: %s", addr_print_port(at, &to),
			strerror(-err));
	stream->config.silent(stream->config.arg, &why);
}

/* What came since it was started has only been noted: that is cheaper, packet by packet. */
void stream_run_silence(void *arg)
{
	struct stream *stream = arg;
	uint64_t due_ns = stream->heard_ns + stream->config.silence_ns;

	if (loop_now(stream->config.loop) < due_ns) {
		timer_start(&stream->silence, due_ns);
		return;
	}
	stream_await(stream);
	tell_silence(stream);
}
