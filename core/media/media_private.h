/*
 * What the files of core/media/media share among each other, and with nobody else: media.c has how
 * its stream begins and ends, media_change.c what changes while it runs, media_tell.c what it tells
 * the agent.
 */
#pragma once

#include "audio/setup.h"
#include "core/base/list.h"
#include "core/media/media.h"

enum { CNAME_SIZE = 24 }; /* RFC 7022, section 4.2: 96 random bits as text */

enum media_state {
	MEDIA_BOUND,   /* the sockets are there, nothing runs */
	MEDIA_OPENING, /* files are being opened on another thread */
	MEDIA_RUNNING, /* the media thread has the stream */
	MEDIA_LEAVING, /* to be closed as soon as the files are open */
	MEDIA_CLOSING, /* the media thread closes the stream, or there is none */
};

struct media {
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices;
	const char *mic;
	const char *speaker;
	uint32_t pipe_rate;
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
	struct post source_ended;
	struct post close;
	unsigned closing; /* the media thread's: what has not come to its end without a stream */
	struct stream_end end; /* and this before closed is */
	struct post closed;
};

/*
 * Media thread: what happens in a stream is posted to the agent, who tells it by media->events if
 * the stream still runs then. arg: the media.
 */
void media_tell_report(void *arg, const struct stream_report *report);
void media_tell_silent(void *arg, const struct fault *why);
void media_tell_heard(void *arg, const struct media_format *format);
void media_tell_source_ended(void *arg);

/* The same of a source or sink, even where it is being opened or closed: any thread. */
void media_tell_news(void *arg, enum audio_news news, const char *words);

/* Agent thread, from here on: what the stream is made of that media_start() got. */
struct stream_params media_stream_params(const struct media_params *params, const char *fmtp);

/* What is agreed on now; fmtp, which params has too, is the media's. */
void media_agree(struct media *media, const struct media_params *params, char *fmtp);

/* The changes that came while files were opened go to the stream now; or nowhere. */
void media_post_changes(struct media *media);
void media_drop_changes(struct media *media);
