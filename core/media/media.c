#include "core/media/media.h"

#include "audio/open.h"
#include "audio/path.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	CNAME_SIZE = 24,       /* RFC 7022, section 4.2: 96 random bits as text */
	RECORDING_SIZE = 4096, /* bytes of a path */
};

enum media_state {
	MEDIA_BOUND,   /* the sockets are there, nothing runs */
	MEDIA_OPENING, /* files are being opened on another thread */
	MEDIA_RUNNING, /* the media thread has the stream */
	MEDIA_LEAVING, /* to be closed as soon as the files are open */
	MEDIA_CLOSING, /* the media thread closes the stream, or there is none */
};

/* Which states follow each. */
static const unsigned next_states[] = {
	[MEDIA_BOUND] = 1U << MEDIA_OPENING | 1U << MEDIA_CLOSING,
	[MEDIA_OPENING] = 1U << MEDIA_RUNNING | 1U << MEDIA_BOUND | 1U << MEDIA_LEAVING,
	[MEDIA_RUNNING] = 1U << MEDIA_CLOSING,
	[MEDIA_LEAVING] = 1U << MEDIA_CLOSING,
	[MEDIA_CLOSING] = 0,
};

struct media {
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices;
	const char *mic;
	const char *speaker;
	char *recording;
	uint64_t report_ns;
	uint64_t silence_ns;
	struct media_volume volume;
	const struct media_events *events;
	void *arg;
	struct stream_params params; /* as last agreed on; its remote_fmtp is this: */
	char *agreed_fmtp;
	struct list changes; /* of struct change_post: kept while opening, in order */

	enum media_state state;
	struct media_transport *transport; /* until stream has it */

	/* Filled for opening, and touched by the other thread while it lasts. */
	struct work open;
	struct stream_config stream_config;
	char *remote_fmtp;
	char cname[CNAME_SIZE + 1];
	int open_err;
	struct fault open_fault;
	bool recorder_failed;
	struct fault recorder_fault;

	struct stream *stream; /* the media thread's while RUNNING */
	struct post start;
	int start_err; /* written by the media thread before not_started is posted, */
	struct post not_started;
	struct post close;
	struct stream_end end; /* and this before closed is */
	struct post closed;
};

/* A report on its way to the agent. */
struct report_post {
	struct post post;
	struct media *media;
	struct stream_report report;
};

/* A change on its way to the stream. */
struct change_post {
	struct post post;
	struct list link; /* while opening */
	struct media *media;
	struct stream_change *change; /* NULL: only the volume */
	struct media_volume volume;
};

/* What they send by, on its way to the agent. */
struct heard_post {
	struct post post;
	struct media *media;
	struct media_format format;
};

/* News of a source or sink on their way to the agent. */
struct news_post {
	struct post post;
	struct media *media;
	enum audio_news news;
	struct fault words;
};

/* Silence on its way to the agent. */
struct silent_post {
	struct post post;
	struct media *media;
	struct fault why;
};

static void change_state(struct media *media, enum media_state to)
{
	assert(next_states[media->state] & 1U << to);
	media->state = to;
}

static int name_recording(struct media *media, const struct media_config *config, struct fault *why)
{
	char room[RECORDING_SIZE];
	struct text path = TEXT_IN(room);
	int err;

	if (!config->recording)
		return 0;

	err = audio_record_name(&path, slice_of(config->recording), config->call,
		loop_wall(config->agent_loop), config->peer, why);
	if (err)
		return err;

	media->recording = slice_copy(text_slice(&path));
	return media->recording ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

int media_open(struct media **out, const struct media_config *config, const struct addr *host,
	const struct media_events *events, void *arg, struct fault *why)
{
	char at[ADDR_TEXT_SIZE];
	struct media *media;
	int err;

	media = calloc(1, sizeof(*media));
	if (!media)
		return fault_set(why, -ENOMEM, "out of memory");

	media->agent_loop = config->agent_loop;
	media->media_loop = config->media_loop;
	media->devices = config->devices;
	media->mic = config->mic;
	media->speaker = config->speaker;
	media->report_ns = config->report_ns;
	media->silence_ns = config->silence_ns;
	media->volume = config->volume;
	list_init(&media->changes);
	media->events = events;
	media->arg = arg;
	err = name_recording(media, config, why);
	if (err)
		goto out;

	err = media_transport_new(&media->transport, config->agent_loop, host);
	if (err) {
		fault_set(why, err, "no port for sound can be opened on %s: %s",
			addr_print(at, host), strerror(-err));
		goto out;
	}
	*out = media;
	return 0;
out:
	free(media->recording);
	free(media);
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

void media_leave(struct media *media)
{
	static const struct media_events nobody = {
		.notice = left_words, .trouble = left_words, .closed = left_closed};

	assert(media->state == MEDIA_LEAVING || media->state == MEDIA_CLOSING);
	media->events = &nobody;
}

/* Agent thread. Reports that were on their way when the call ended say nothing new. */
static void post_report(struct post *post)
{
	struct report_post *self = container_of(post, struct report_post, post);
	struct media *media = self->media;

	if (media->state == MEDIA_RUNNING)
		media->events->report(media->arg, &self->report);
	free(self);
}

/* Media thread. */
static void stream_reports(void *arg, const struct stream_report *report)
{
	struct media *media = arg;
	struct report_post *self;

	self = calloc(1, sizeof(*self));
	if (!self)
		return; /* the next one tells more anyway */

	self->post.run = post_report;
	self->media = media;
	self->report = *report;
	loop_post(media->agent_loop, &self->post);
}

/* Agent thread. */
static void post_silent(struct post *post)
{
	struct silent_post *self = container_of(post, struct silent_post, post);
	struct media *media = self->media;

	if (media->state == MEDIA_RUNNING)
		media->events->silent(media->arg, &self->why);
	free(self);
}

/* Media thread. */
static void stream_silent(void *arg, const struct fault *why)
{
	struct media *media = arg;
	struct silent_post *self;

	self = calloc(1, sizeof(*self));
	if (!self) {
		log_warning("out of memory: nobody is told that a far end is silent");
		return;
	}

	self->post.run = post_silent;
	self->media = media;
	self->why = *why;
	loop_post(media->agent_loop, &self->post);
}

/* Agent thread. */
static void post_heard(struct post *post)
{
	struct heard_post *self = container_of(post, struct heard_post, post);
	struct media *media = self->media;

	if (media->state == MEDIA_RUNNING)
		media->events->heard(media->arg, &self->format);
	free(self);
}

/* Media thread. */
static void stream_heard(void *arg, const struct media_format *format)
{
	struct media *media = arg;
	struct heard_post *self;

	self = calloc(1, sizeof(*self));
	if (!self) {
		log_warning("out of memory: nobody is told that the far end sends %s",
			format->codec->key);
		return;
	}

	self->post.run = post_heard;
	self->media = media;
	self->format = *format;
	loop_post(media->agent_loop, &self->post);
}

/* Agent thread. */
static void post_news(struct post *post)
{
	struct news_post *self = container_of(post, struct news_post, post);
	struct media *media = self->media;

	if (self->news == AUDIO_FAILED)
		media->events->trouble(media->arg, self->words.words);
	else
		media->events->notice(media->arg, self->words.words);
	free(self);
}

/* Media thread. */
static void audio_tells(void *arg, enum audio_news news, const char *words)
{
	struct media *media = arg;
	struct news_post *self;

	self = calloc(1, sizeof(*self));
	if (!self) {
		log_warning("out of memory: nobody is told that %s", words);
		return;
	}

	self->post.run = post_news;
	self->media = media;
	self->news = news;
	fault_set(&self->words, 0, "%s", words);
	loop_post(media->agent_loop, &self->post);
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
		audio_tells(media, AUDIO_NOTE, media->open_fault.words);
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

static int open_ends(struct media *media)
{
	struct stream_config *config = &media->stream_config;
	const struct audio_setup setup = {
		.loop = media->media_loop,
		.rate = config->rate,
		.pipe_rate = AUDIO_PIPE_RATE,
		.devices = media->devices,
		.tell = audio_tells,
		.arg = media,
	};
	int err;

	err = open_source(media, &setup);
	if (!err)
		err = open_sink(media, &setup);
	if (!err && media->recording) /* a call is worth more than its recording */
		media->recorder_failed =
			recorder_new(&config->recorder, media->media_loop, media->recording,
				config->rate, &media->recorder_fault) != 0;
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

/* Media thread. */
static void change_run(struct post *post)
{
	struct change_post *self = container_of(post, struct change_post, post);

	stream_change(self->media->stream, self->change);
	free(self);
}

/* Media thread. */
static void volume_run(struct post *post)
{
	struct change_post *self = container_of(post, struct change_post, post);

	stream_set_volume(self->media->stream, &self->volume);
	free(self);
}

static void post_changes(struct media *media)
{
	list_each(link, &media->changes)
	{
		struct change_post *self = container_of(link, struct change_post, link);

		list_remove(&self->link);
		loop_post(media->media_loop, &self->post);
	}
}

static void drop_changes(struct media *media)
{
	list_each(link, &media->changes)
	{
		struct change_post *self = container_of(link, struct change_post, link);

		list_remove(&self->link);
		stream_change_free(self->change);
		free(self);
	}
}

static void post_close(struct media *media)
{
	change_state(media, MEDIA_CLOSING);
	loop_post(media->media_loop, &media->close);
}

static void open_done(struct work *work)
{
	struct media *media = container_of(work, struct media, open);

	free(media->remote_fmtp);
	media->remote_fmtp = NULL;
	if (!media->open_err)
		media->transport = NULL; /* the stream's from here on */

	if (media->state == MEDIA_LEAVING) {
		drop_changes(media);
		post_close(media);
	} else if (media->open_err) {
		drop_changes(media);
		change_state(media, MEDIA_BOUND);
		media->events->failed(media->arg, media->open_err, media->open_fault.words);
	} else {
		change_state(media, MEDIA_RUNNING);
		loop_post(media->media_loop, &media->start);
		post_changes(media);
		if (media->recorder_failed)
			media->events->trouble(media->arg, media->recorder_fault.words);
	}
}

static struct stream_params stream_params_of(const struct media_params *params, const char *fmtp)
{
	return (struct stream_params){
		.codec = params->codec,
		.remote_fmtp = slice_of(fmtp),
		.send_payload_type = params->send_payload_type,
		.ptime_ms = params->ptime_ms,
		.heard = params->heard,
		.sends = params->sends,
		.receives = params->receives,
		.aim = {params->remote_rtp, params->remote_rtcp, params->rtcp_mux},
	};
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
		.volume = media->volume,
		.params = stream_params_of(params, media->remote_fmtp),
		.cname = media->cname,
		.report_ns = media->report_ns,
		.report = stream_reports,
		.silence_ns = media->silence_ns,
		.silent = stream_silent,
		.heard = stream_heard,
		.arg = media,
	};
	loop_random(media->agent_loop, &config->ssrc, sizeof(config->ssrc));
	loop_random(media->agent_loop, &config->first_seq, sizeof(config->first_seq));
	loop_random(media->agent_loop, &config->first_timestamp, sizeof(config->first_timestamp));
}

static void agree(struct media *media, const struct media_params *params, char *fmtp)
{
	free(media->agreed_fmtp);
	media->agreed_fmtp = fmtp;
	media->params = stream_params_of(params, fmtp);
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
	agree(media, params, agreed_fmtp);
	return 0;
out:
	free(agreed_fmtp);
	free(media->remote_fmtp);
	media->remote_fmtp = NULL;
	change_state(media, MEDIA_BOUND);
	return err;
}

bool media_params_equal(const struct media_params *a, const struct media_params *b)
{
	return a->codec == b->codec && slice_equal(a->remote_fmtp, b->remote_fmtp) &&
	       a->send_payload_type == b->send_payload_type &&
	       media_formats_equal(&a->heard, &b->heard) && a->ptime_ms == b->ptime_ms &&
	       a->sends == b->sends && a->receives == b->receives && a->rtcp_mux == b->rtcp_mux &&
	       addr_equal(&a->remote_rtp, &b->remote_rtp) &&
	       addr_equal(&a->remote_rtcp, &b->remote_rtcp);
}

/* A stream that is not there yet has them when it is. */
static void post_change(struct change_post *self)
{
	struct media *media = self->media;

	list_init(&self->link);
	if (media->state == MEDIA_OPENING)
		list_add(&media->changes, &self->link);
	else
		loop_post(media->media_loop, &self->post);
}

/* The encoder that is made reads fmtp, so it has to be the copy that stays. */
static int make_change(struct change_post **out, struct media *media,
	const struct media_params *params, const char *fmtp)
{
	const struct stream_params to = stream_params_of(params, fmtp);
	struct change_post *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	self->post.run = change_run;
	self->media = media;
	err = stream_change_new(&self->change, &media->params, &to, media->stream_config.rate);
	if (err) {
		free(self);
		return err;
	}
	*out = self;
	return 0;
}

int media_change(struct media *media, const struct media_params *params)
{
	struct change_post *self;
	char *fmtp;
	int err;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return 0; /* the sound has ended, or could not begin */

	fmtp = slice_copy(params->remote_fmtp);
	if (!fmtp)
		return -ENOMEM;
	err = make_change(&self, media, params, fmtp);
	if (err) {
		free(fmtp);
		return err;
	}

	agree(media, params, fmtp);
	post_change(self);
	return 0;
}

int media_set_volume(struct media *media, const struct media_volume *volume)
{
	struct change_post *self;

	media->volume = *volume;
	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return 0; /* it has that to begin with, or has ended */

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->post.run = volume_run;
	self->media = media;
	self->volume = *volume;
	post_change(self);
	return 0;
}

static void tell_trouble(struct media *media, int err, const char *path)
{
	struct fault fault;

	if (!err)
		return;
	path_fault(&fault, err, path);
	media->events->trouble(media->arg, fault.words);
}

/* Agent thread: the last that happens. */
static void closed_run(struct post *post)
{
	struct media *media = container_of(post, struct media, closed);
	struct slice path = slice_of(media->speaker);
	struct slice kind;

	slice_cut(&kind, &path, ':'); /* only a file can have had trouble */
	tell_trouble(media, media->end.ends.sink_err, (const char *)path.data);
	tell_trouble(media, media->end.ends.recorder_err, media->recording);
	media->events->closed(media->arg, &media->end.report,
		media->stream_config.recorder ? media->recording : NULL);
	media_transport_free(media->transport);
	free(media->agreed_fmtp);
	free(media->recording);
	free(media);
}

static void stream_closed(void *arg, const struct stream_end *end)
{
	struct media *media = arg;

	media->end = *end;
	loop_post(media->agent_loop, &media->closed);
}

/* Media thread: without a stream, only what was opened before something failed goes away. */
static void close_run(struct post *post)
{
	struct media *media = container_of(post, struct media, close);
	struct stream_config *config = &media->stream_config;

	if (media->stream) {
		stream_close(media->stream, stream_closed, media);
		return;
	}
	source_free(config->source);
	if (config->sink)
		sink_close(config->sink, NULL, NULL);
	if (config->recorder)
		recorder_close(config->recorder, NULL, NULL);
	media->end.report.rtt_ms = -1;
	loop_post(media->agent_loop, &media->closed);
}

void media_close(struct media *media)
{
	media->close.run = close_run;
	media->closed.run = closed_run;
	if (media->state == MEDIA_OPENING)
		change_state(media, MEDIA_LEAVING);
	else
		post_close(media);
}
