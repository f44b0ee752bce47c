/*
 * A call's sound as the agent sees it: sockets that it binds for the offer, then a stream that runs
 * on the media thread, reached by posts alone. All functions and events are on the agent's thread.
 */
#pragma once

#include "codecs/codec.h"
#include "core/base/fault.h"
#include "core/base/loop.h"
#include "core/media/stream.h"
#include "core/media/tap.h"

struct media;

struct media_config {
	struct loop *agent_loop;
	struct loop *media_loop;
	const struct device_maker *devices; /* of sound; NULL: PortAudio's */
	const char *mic;       /* as audio/open.h spells it; kept alive by the caller */
	const char *speaker;   /* likewise */
	uint32_t pipe_rate;    /* Hz; 0: AUDIO_PIPE_RATE */
	const char *recording; /* pattern, as audio_record_name() reads it; NULL: none */
	unsigned call;         /* for the pattern: the call's number, */
	struct slice peer;     /* and whom it is with */
	uint64_t report_ns;
	uint64_t silence_ns; /* without RTP and RTCP until silent is told; 0: never */
	struct media_volume volume;
	unsigned dscp;               /* of what is sent, 0..63 (RFC 2474) */
	const struct media_tap *tap; /* kept alive by the caller; NULL: nobody looks on */
};

struct media_events {
	void (*report)(void *arg, const struct stream_report *report);
	/* The sound could not be started; media_close() is still due. */
	void (*failed)(void *arg, int err, const char *words);
	/* Though we are to receive, nothing has come for silence_ns, nor was anything changed: told
	 * each time that it has lasted so long. why: that the far end said goodbye by RTCP, what
	 * the network said of what we sent, or no words. */
	void (*silent)(void *arg, const struct fault *why);
	/* They send by another codec than before, or than we do. */
	void (*heard)(void *arg, const struct media_format *format);
	/* What is sent has come to its end, and all of it was sent; silence follows. */
	void (*source_ended)(void *arg);
	/* What is told by a source or sink (audio/setup.h): that the sound goes on in another way,
	 */
	void (*notice)(void *arg, const char *words);
	/* or that a file, or what comes from a command, is not what it should be. The sound goes
	 * on. */
	void (*trouble)(void *arg, const char *words);
	/*
	 * What media_play() began is over: complete: all of it was sent; words: why it could not be
	 * played, or NULL. Once for each.
	 */
	void (*played)(void *arg, const char *source, bool complete, const char *words);
	/* What media_record() began: on: into path from now on; else it is whole, or was never
	 * begun: why in words, or NULL. */
	void (*recorded)(void *arg, const char *path, bool on, const char *words);
	/* A tone that media_listen() asked for has begun in what they send, or is over. */
	void (*tone)(void *arg, const struct ear_tone *tone);
	/* After media_close(), the last of all: all zero if nothing ran. recording: the path of the
	 * file that was made, or NULL. The media is gone. */
	void (*closed)(void *arg, const struct stream_report *last, const char *recording);
};

/* What was agreed on. remote_fmtp is copied. */
struct media_params {
	const struct codec *codec;
	struct slice remote_fmtp;
	uint8_t send_payload_type;
	uint32_t ptime_ms;
	struct media_formats heard; /* what they may send */
	bool sends;
	bool receives;
	bool holds; /* we have put them on hold: nothing of the microphone is sent */
	struct addr remote_rtp;
	struct addr remote_rtcp;
	bool rtcp_mux; /* RTCP goes and comes with RTP (RFC 5761) */
};

/*
 * Binds ports on host. Returns, with words in why, -ENOMEM, what loop_udp_open() does, or what is
 * wrong with the pattern.
 */
int media_open(struct media **out, const struct media_config *config, const struct addr *host,
	const struct media_events *events, void *arg, struct fault *why);

/* Where it receives RTP; RTCP is the port after. Before media_start(). */
void media_local(struct addr *out, const struct media *media);

/* Opens what is heard and played, at the sample rate of the codec, and runs. Once. -ENOMEM, or it
 * goes on with events. */
int media_start(struct media *media, const struct media_params *params);

/*
 * The same before a call that came is answered: source is sent, as media_play() has it, and nothing
 * of the microphone, which a source that ends only begins with media_answer(). Of source, played
 * tells nothing; what is wrong with it is told as trouble.
 */
int media_start_early(struct media *media, const struct media_params *params, const char *source);

/* It is answered: the microphone takes the place of what was sent early, if anything was. -ENOMEM.
 */
int media_answer(struct media *media);

/* Whether both would sound alike and go to the same place. */
bool media_params_equal(const struct media_params *a, const struct media_params *b);

/*
 * Goes on with other params, once started: another address, direction, payload type, or codec. What
 * is the same goes on without a gap. Returns -ENOMEM or what the codec says.
 */
int media_change(struct media *media, const struct media_params *params);

/*
 * Binds new ports on host, an address of this host that is reached by now, and tells the one of RTP
 * in local. Before media_close(). Returns what media_open() does.
 */
int media_rebind(
	struct addr *local, struct media *media, const struct addr *host, struct fault *why);

/*
 * Has what is sent go from the ports that media_rebind() has bound last; what still comes to the
 * old ones is heard for MEDIA_FORMER_NS. -ENOMEM.
 */
#define MEDIA_FORMER_NS (2 * NS_PER_S)
int media_turn(struct media *media);

/*
 * Asks a STUN server, as core/nat/reflexive.h spells it, how the ports are seen from outside that
 * are bound and not in use: those of media_rebind(), or, before media_start(), of media_open().
 * learned is called once, never before this returns and within a second, unless media_rebind() or
 * media_close() comes before: with where RTP and RTCP are reached, or ADDR_NONE. -EBUSY: there are
 * no such ports; or what reflexive_ask() returns.
 */
typedef void media_learned(void *arg, const struct addr *rtp, const struct addr *rtcp);
int media_learn(struct media *media, const char *server, media_learned *learned, void *arg);

/* How loud it is, at any time until media_close(). -ENOMEM. */
int media_set_volume(struct media *media, const struct media_volume *volume);

/*
 * Sends source, as audio/open.h spells it, in the place of the microphone, which comes back when it
 * ends; NULL: at once. What was being played is over; played tells within this. A source that
 * cannot be opened changes nothing but that. -ENOTCONN: it does not run; -ENOMEM.
 */
int media_play(struct media *media, const char *source);

/*
 * Records into the file that pattern names, as media_config.recording; NULL: no more. Returns, with
 * words in why, -EALREADY if it does already, or does not; -ENOTCONN: it does not run; what is
 * wrong with the pattern; -ENOMEM.
 */
int media_record(struct media *media, const char *pattern, struct fault *why);

/*
 * Listens for these tones in what they send, as ear_may() allows them, and for no others; none:
 * no more. -ENOTCONN: it does not run; -ENOMEM.
 */
int media_listen(struct media *media, const double *hz, size_t count);

/* Ends it; closed comes later, never before this returns, and within 2 s where it is still being
 * opened: what then opens goes by itself. Once. */
void media_close(struct media *media);

/*
 * After media_close(): no event comes any more, for an owner who has waited long enough for a disk.
 * It goes by itself.
 */
void media_leave(struct media *media);
