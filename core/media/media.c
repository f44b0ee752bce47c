#include "core/media/media_private.h"

#include "audio/open.h"
#include "audio/path.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	/* What a device plays is taken from the jitter buffer as late as that is good for: the less
	 * at a time, the less it has to wait there. */
	DEVICE_STEP_MS = 5,
	RECORDING_SIZE = 4096, /* bytes of a path */
};

/* How long opening may take before that is told, and how long the end of a call waits for it. */
static const uint64_t opening_ns = 3 * NS_PER_S;
static const uint64_t leaving_ns = 2 * NS_PER_S;

/* Which states follow each. */
static const unsigned next_states[] = {
	[MEDIA_BOUND] = 1U << MEDIA_OPENING | 1U << MEDIA_CLOSING,
	[MEDIA_OPENING] = 1U << MEDIA_RUNNING | 1U << MEDIA_BOUND | 1U << MEDIA_LEAVING,
	[MEDIA_RUNNING] = 1U << MEDIA_CLOSING,
	[MEDIA_LEAVING] = 1U << MEDIA_CLOSING,
	[MEDIA_CLOSING] = 0,
};

static void change_state(struct media *media, enum media_state to)
{
	assert(next_states[media->state] & 1U << to);
	media->state = to;
}

static void on_opening(void *arg);

int media_name_recording(
	char **out, const struct media *media, const char *pattern, struct fault *why)
{
	char room[RECORDING_SIZE];
	struct text path = TEXT_IN(room);
	int err;

	err = audio_record_name(&path, slice_of(pattern), media->call, loop_wall(media->agent_loop),
		slice_of(media->peer), why);
	if (err)
		return err;

	*out = slice_copy(text_slice(&path));
	return *out ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

static void media_free(struct media *media)
{
	media_transport_free(media->transport);
	media_transport_free(media->next);
	free(media->agreed_fmtp);
	free(media->recording);
	free(media->taped);
	free(media->peer);
	free(media);
}

int media_bind(struct media_transport **out, const struct media *media, const struct addr *host,
	struct fault *why)
{
	char at[ADDR_TEXT_SIZE];
	int err = media_transport_new(out, media->agent_loop, host);

	if (err)
		return fault_set(why, err, "no port for sound can be opened on %s: %s",
			addr_print(at, host), strerror(-err));
	media_transport_mark(*out, media->dscp);
	media_transport_tap(*out, media->tap);
	return 0;
}

int media_open(struct media **out, const struct media_config *config, const struct addr *host,
	const struct media_events *events, void *arg, struct fault *why)
{
	struct media *media;
	int err;

	media = calloc(1, sizeof(*media));
	if (!media)
		return fault_set(why, -ENOMEM, "out of memory");

	media->agent_loop = config->agent_loop;
	media->media_loop = config->media_loop;
	timer_init(&media->opening, media->agent_loop, on_opening, media);
	media->devices = config->devices;
	media->mic = config->mic;
	media->speaker = config->speaker;
	media->pipe_rate = config->pipe_rate > 0 ? config->pipe_rate : AUDIO_PIPE_RATE;
	media->report_ns = config->report_ns;
	media->silence_ns = config->silence_ns;
	media->volume = config->volume;
	media->dscp = config->dscp;
	media->tap = config->tap;
	media->call = config->call;
	list_init(&media->notes);
	media->events = events;
	media->arg = arg;
	media->peer = slice_copy(config->peer);
	if (!media->peer) {
		err = fault_set(why, -ENOMEM, "out of memory");
		goto out;
	}
	if (config->recording) {
		err = media_name_recording(&media->recording, media, config->recording, why);
		if (err)
			goto out;
		media->records = true;
	}

	err = media_bind(&media->transport, media, host, why);
	if (err)
		goto out;
	*out = media;
	return 0;
out:
	media_free(media);
	return err;
}

void media_local(struct addr *out, const struct media *media)
{
	assert(media->transport);
	media_transport_local(out, media->transport);
}

static void left_words(void *arg, const char *words)
{
	(void)arg;
	log_warning("after a call: %s", words);
}

static void left_closed(void *arg, const struct stream_report *last, const char *recording)
{
	(void)arg;
	(void)last;
	(void)recording;
}

static void left_played(void *arg, const char *source, bool complete, const char *words)
{
	(void)arg;
	(void)source;
	(void)complete;
	(void)words;
}

static void left_recorded(void *arg, const char *path, bool on, const char *words)
{
	(void)arg;
	(void)path;
	(void)on;
	(void)words;
}

/* The others come of a stream that runs. */
void media_leave(struct media *media)
{
	static const struct media_events nobody = {.notice = left_words,
		.trouble = left_words,
		.played = left_played,
		.recorded = left_recorded,
		.closed = left_closed};

	assert(media->state == MEDIA_LEAVING || media->state == MEDIA_CLOSING);
	media->events = &nobody;
}

/*
 * Whether the call goes on with nothing in place of spec: what is the default may be missing. Where
 * there is no device at all, that is no news of one call.
 */
static bool can_do_without(struct media *media, const char *spec, int err, const char *instead)
{
	if (!audio_is_default(slice_of(spec)))
		return false;

	if (err != -ENODEV && err != -ENOENT)
		media_tell_news(media, AUDIO_NOTE, media->open_fault.words);
	log_info("%s; instead there is %s", media->open_fault.words, instead);
	return true;
}

static int open_source(struct media *media, const struct audio_setup *setup)
{
	static const char silence[] = "silence";
	struct source **out = &media->stream_config.source;
	struct fault *why = &media->open_fault;
	int err;

	if (audio_source_is_loop(slice_of(media->mic)))
		return 0;

	err = audio_source_open(out, setup, slice_of(media->mic), why);
	if (err && can_do_without(media, media->mic, err, silence))
		err = audio_source_open(out, setup, slice_of(silence), why);
	return err;
}

static int open_sink(struct media *media, const struct audio_setup *setup)
{
	static const char null[] = "null";
	struct sink **out = &media->stream_config.sink;
	struct fault *why = &media->open_fault;
	int err;

	err = audio_sink_open(out, setup, slice_of(media->speaker), why);
	if (err && can_do_without(media, media->speaker, err, null))
		err = audio_sink_open(out, setup, slice_of(null), why);
	return err;
}

/* So that the words name the library that is missing. */
static int load_codecs(const struct stream_params *params, struct fault *why)
{
	int err = codec_load(params->codec, why);

	for (size_t i = 0; !err && i < params->heard.count; i++)
		err = codec_load(params->heard.list[i].codec, why);
	return err;
}

struct audio_setup media_setup(struct media *media)
{
	return (struct audio_setup){
		.loop = media->media_loop,
		.rate = media->stream_config.rate,
		.pipe_rate = media->pipe_rate,
		.devices = media->devices,
		.tell = media_tell_news,
		.arg = media,
	};
}

static int open_ends(struct media *media)
{
	struct stream_config *config = &media->stream_config;
	const struct audio_setup setup = media_setup(media);
	int err;

	err = open_source(media, &setup);
	if (!err)
		err = open_sink(media, &setup);
	if (!err && media->recording) /* a call is worth more than its recording */
		media->recorder_failed =
			recorder_new(&config->recorder, media->media_loop, media->recording,
				config->rate, &media->recorder_fault) != 0;
	if (!err)
		err = load_codecs(&config->params, &media->open_fault);
	if (!err) {
		err = stream_new(&media->stream, config);
		if (err)
			fault_set(&media->open_fault, err, "the codec %s cannot be started",
				config->params.codec->key);
	}
	return err;
}

/* A thread of the I/O pool: the disk may be slow, and nobody is to wait for it. */
static void open_run(struct work *work)
{
	struct media *media = container_of(work, struct media, open);

	media->open_err = open_ends(media);
}

/* Agent thread. */
static void not_started_run(struct post *post)
{
	struct media *media = container_of(post, struct media, not_started);
	struct fault fault;

	fault_set(&fault, media->start_err, "the sound cannot be started: %s",
		strerror(-media->start_err));
	if (media->state == MEDIA_RUNNING)
		media->events->failed(media->arg, media->start_err, fault.words);
}

/* Media thread. */
static void start_run(struct post *post)
{
	struct media *media = container_of(post, struct media, start);

	media->start_err = stream_start(media->stream);
	if (media->start_err)
		loop_post(media->agent_loop, &media->not_started);
}

static void post_close(struct media *media)
{
	change_state(media, MEDIA_CLOSING);
	loop_post(media->media_loop, &media->close);
}

/* Nothing has run, and whoever closed it hears no more of it: it goes once it can. */
static void give_up(struct media *media)
{
	const struct media_events *events = media->events;

	media_leave(media);
	media->end.report.rtt_ms = -1;
	events->closed(media->arg, &media->end.report, NULL);
}

/* A disk or a sound system that does not answer is not waited for in silence, nor for ever. */
static void on_opening(void *arg)
{
	struct media *media = arg;

	if (media->state == MEDIA_LEAVING)
		give_up(media);
	else
		media->events->notice(media->arg,
			media->recording ? "no sound yet: microphone, loudspeaker and recording "
					   "are being opened, which takes long"
					 : "no sound yet: microphone and loudspeaker are being "
					   "opened, which takes long");
}

static void open_done(struct work *work)
{
	struct media *media = container_of(work, struct media, open);

	timer_stop(&media->opening);
	free(media->remote_fmtp);
	media->remote_fmtp = NULL;
	if (!media->open_err)
		media->transport = NULL; /* the stream's from here on */
	if (media->stream_config.recorder)
		media->recorded = true;
	else if (media->recording && !media->taping && !media->taped)
		media->records = false; /* it could not be begun, and no other was */

	if (media->state == MEDIA_LEAVING) {
		media_drop_notes(media);
		post_close(media);
	} else if (media->open_err) {
		media_drop_notes(media);
		change_state(media, MEDIA_BOUND);
		media->events->failed(media->arg, media->open_err, media->open_fault.words);
	} else {
		change_state(media, MEDIA_RUNNING);
		loop_post(media->media_loop, &media->start);
		media_send_notes(media);
		if (media->recorder_failed)
			media->events->trouble(media->arg, media->recorder_fault.words);
	}
}

static enum ends_mic microphone_of(const struct media *media)
{
	if (!media->early)
		return ENDS_MIC_OPEN;
	return audio_source_ends(slice_of(media->mic)) ? ENDS_MIC_WAITS : ENDS_MIC_SHUT;
}

static void fill_config(struct media *media, const struct media_params *params)
{
	struct stream_config *config = &media->stream_config;
	uint8_t secret[CNAME_SIZE / 2];

	loop_random(media->agent_loop, secret, sizeof(secret));
	for (size_t i = 0; i < sizeof(secret); i++) {
		media->cname[2 * i] = "0123456789abcdef"[secret[i] >> 4];
		media->cname[2 * i + 1] = "0123456789abcdef"[secret[i] & 15];
	}
	*config = (struct stream_config){
		.loop = media->media_loop,
		.transport = media->transport,
		.rate = params->codec->sample_rate,
		.step_ms = audio_sink_is_device(slice_of(media->speaker)) ? DEVICE_STEP_MS : 0,
		.volume = media->volume,
		.microphone = microphone_of(media),
		.params = media_stream_params(params, media->remote_fmtp),
		.cname = media->cname,
		.report_ns = media->report_ns,
		.report = media_tell_report,
		.silence_ns = media->silence_ns,
		.silent = media_tell_silent,
		.heard = media_tell_heard,
		.source_ended = media_tell_source_ended,
		.arg = media,
	};
	loop_random(media->agent_loop, &config->ssrc, sizeof(config->ssrc));
	loop_random(media->agent_loop, &config->first_seq, sizeof(config->first_seq));
	loop_random(media->agent_loop, &config->first_timestamp, sizeof(config->first_timestamp));
}

int media_start(struct media *media, const struct media_params *params)
{
	char *agreed_fmtp;
	int err;

	change_state(media, MEDIA_OPENING);
	media->remote_fmtp = slice_copy(params->remote_fmtp);
	agreed_fmtp = slice_copy(params->remote_fmtp);
	if (!media->remote_fmtp || !agreed_fmtp) {
		err = -ENOMEM;
		goto out;
	}

	fill_config(media, params);
	media->start.run = start_run;
	media->not_started.run = not_started_run;
	media->open = (struct work){open_run, open_done};
	err = loop_work(media->agent_loop, &media->open);
	if (err)
		goto out;
	timer_start_in(&media->opening, opening_ns);
	media_agree(media, params, agreed_fmtp);
	return 0;
out:
	free(agreed_fmtp);
	free(media->remote_fmtp);
	media->remote_fmtp = NULL;
	change_state(media, MEDIA_BOUND);
	return err;
}

static void tell_trouble(struct media *media, int err, const char *path)
{
	struct fault fault;

	if (!err)
		return;
	path_fault(&fault, err, path);
	media->events->trouble(media->arg, fault.words);
}

/* What was recorded to the end of the call; of what was so from its start, that is no news. */
static void end_recording(struct media *media, const char *path)
{
	if (!media->records)
		return;

	media->records = false;
	tell_trouble(media, media->end.ends.recorder_err, path);
	if (media->taped)
		media->events->recorded(media->arg, path, false, NULL);
}

/* Agent thread: the last that happens. */
static void finish(struct media *media)
{
	const char *recorded = media->taped ? media->taped : media->recording;
	struct slice path = slice_of(media->speaker);
	struct slice kind;

	slice_cut(&kind, &path, ':'); /* only a file can have had trouble */
	tell_trouble(media, media->end.ends.sink_err, (const char *)path.data);
	end_recording(media, recorded);
	media->events->closed(media->arg, &media->end.report, media->recorded ? recorded : NULL);
	media_free(media);
}

static void closed_run(struct post *post)
{
	struct media *media = container_of(post, struct media, closed);

	media->ended = true;
	if (media->parts == 0)
		finish(media);
}

void media_part_gone(struct media *media)
{
	media->parts--;
	if (media->ended && media->parts == 0)
		finish(media);
}

static void stream_closed(void *arg, const struct stream_end *end)
{
	struct media *media = arg;

	media->end = *end;
	loop_post(media->agent_loop, &media->closed);
}

/* Media thread. */
static void end_closed(void *arg)
{
	struct media *media = arg;

	if (--media->closing == 0)
		loop_post(media->agent_loop, &media->closed);
}

static void sink_closed(void *arg, int err)
{
	(void)err;
	end_closed(arg);
}

/* Media thread: without a stream, only what was opened before something failed goes away. */
static void close_run(struct post *post)
{
	struct media *media = container_of(post, struct media, close);
	struct stream_config *config = &media->stream_config;

	if (media->stream) {
		media_stop_clip(media);
		stream_close(media->stream, stream_closed, media);
		return;
	}
	media->end.report.rtt_ms = -1;
	media->closing = config->sink ? 2 : 1;
	if (source_close(config->source, end_closed, media))
		media->closing++;
	if (config->sink)
		sink_close(config->sink, sink_closed, media);
	if (config->recorder)
		recorder_close(config->recorder, NULL, NULL);
	end_closed(media);
}

void media_close(struct media *media)
{
	media_stop_learning(media);
	media->close.run = close_run;
	media->closed.run = closed_run;
	if (media->state != MEDIA_OPENING) {
		post_close(media);
		return;
	}
	change_state(media, MEDIA_LEAVING);
	timer_start_in(&media->opening, leaving_ns);
}
