/*
 * What the files of core/media/media share among each other, and with nobody else: media.c has how
 * its stream begins and ends, media_change.c what changes while it runs, media_play.c and
 * media_record.c what joins and leaves it, media_tell.c what it tells the agent.
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

struct media_clip;
struct media_taping;

/* On its way to the stream, inside what it is about. */
struct media_note {
	struct post post; /* to the media thread */
	struct list link; /* while opening */
	struct media *media;
	void (*drop)(struct media_note *note); /* agent thread: there is no stream for it */
};

struct media {
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices;
	unsigned call;
	char *peer;
	const char *mic;
	const char *speaker;
	uint32_t pipe_rate;
	uint64_t report_ns;
	uint64_t silence_ns;
	struct media_volume volume;
	unsigned dscp;
	const struct media_tap *tap;
	const struct media_events *events;
	void *arg;
	struct stream_params params; /* as last agreed on; its remote_fmtp is this: */
	char *agreed_fmtp;
	struct list notes; /* kept while opening, in order */

	char *recording;             /* path of what is recorded from the start, or NULL */
	char *taped;                 /* path of what was begun since, the last, or NULL */
	bool records;                /* into the last of these, or is about to */
	bool recorded;               /* there is such a file */
	struct media_taping *taping; /* that is being opened, or NULL */
	struct media_clip *clip;     /* that is played or is about to be, or NULL */
	bool early;                  /* it is not answered yet */
	unsigned parts; /* clips and tapings, as long as any thread has to do with them */
	bool ended;     /* all but these is over */

	enum media_state state;
	struct media_transport *transport; /* until stream has it */
	struct media_transport *next;      /* bound by media_rebind(), or NULL */
	struct reflexive *reflexive;       /* asks how one of these is seen, or NULL */
	media_learned *learned;
	void *learned_arg;

	/* Filled for opening, and touched by the other thread while it lasts. */
	struct work open;
	struct timer opening; /* the agent thread's: a while that it should not take */
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
void media_tell_tone(void *arg, const struct ear_tone *tone);

/* The same of a source or sink, even where it is being opened or closed: any thread. */
void media_tell_news(void *arg, enum audio_news news, const char *words);

/* Agent thread, from here on: what the stream is made of that media_start() got. */
struct stream_params media_stream_params(const struct media_params *params, const char *fmtp);

/* Sockets on host, which nobody reads yet. Words in why. */
int media_bind(struct media_transport **out, const struct media *media, const struct addr *host,
	struct fault *why);

/* Nobody is told how the ports are seen. */
void media_stop_learning(struct media *media);

/* What is agreed on now; fmtp, which params has too, is the media's. */
void media_agree(struct media *media, const struct media_params *params, char *fmtp);

/* Posts it to the media thread, now or once there is a stream; else drops it. */
void media_send(struct media_note *note);

/* What came while files were opened goes to the stream now; or nowhere. */
void media_send_notes(struct media *media);
void media_drop_notes(struct media *media);

/* The path that a pattern makes, for the caller to free. Words in why. */
int media_name_recording(
	char **out, const struct media *media, const char *pattern, struct fault *why);

/* What a source or sink of it is opened with. */
struct audio_setup media_setup(struct media *media);

/* One of the parts is gone; with the last, so may be the media. */
void media_part_gone(struct media *media);

/* Media thread: what is being played is over, for the stream is. */
void media_stop_clip(struct media *media);
