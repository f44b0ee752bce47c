/*
 * The negotiation of what two phones say to each other and how (RFC 3264): one stream of audio.
 *
 * It knows no codec but by the names in a list that the caller gives, in the caller's order. It
 * keeps nothing: an offer is made from a struct sdp_local, and the answer to it is judged by the
 * same one. Any thread; in a running phone it is the agent thread.
 *
 * A codec keeps its payload type as long as the session lasts (RFC 3264, section 8.3.2): whoever
 * offers again puts the agreed numbers in place of SDP_PT_DYNAMIC.
 */
#pragma once

#include "core/sdp/session.h"

enum {
	SDP_PTIME_MIN_MS = 10,
	SDP_PTIME_MAX_MS = 60,
	SDP_PTIME_DEFAULT_MS = 20, /* RFC 3551, section 4.2 */
};

/* An m= line of the session, as far as one that is refused repeats it. */
struct sdp_line {
	struct slice kind;
	struct slice proto;
	struct slice format; /* one of them; may be empty */
};

/* What we want and can do; borrows the codecs and the lines. */
struct sdp_local {
	uint64_t session_id; /* the same for the whole session */
	uint64_t version;    /* one more for each description that differs from the one before */
	struct addr rtp; /* where we receive: an IP address that means something to them, a port */
	uint16_t rtcp_port;           /* 0 means the port after that of rtp */
	bool rtcp_mux;                /* RTP and RTCP on one port, if they want that too */
	enum sdp_direction direction; /* what we would do: SDP_SENDONLY holds them */
	uint32_t ptime_ms;            /* SDP_PTIME_MIN_MS..SDP_PTIME_MAX_MS, or 0 for the default */
	bool prefer_own;              /* in an answer, our order of the codecs and not theirs */
	const struct sdp_codec *codecs; /* the best first; at least one that is not auxiliary */
	size_t codec_count;             /* 1..SDP_CODECS_MAX */

	/* What the session has already (RFC 3264, section 8); 0 lines: it is new. */
	const struct sdp_line *lines;
	size_t line_count; /* 0..SDP_MEDIA_MAX */
	size_t line;       /* which of them is our audio, below line_count; else 0 */
};

struct sdp_agreed {
	int id;                       /* of the struct sdp_codec */
	uint8_t payload_type;         /* to send with */
	uint8_t receive_payload_type; /* they send with */
	struct slice fmtp;            /* how they want to receive it; borrows their description */
};

struct sdp_result {
	size_t media; /* which of their m= lines it is, from 0 */
	struct addr
		rtp; /* where to send; 0.0.0.0 or :: while they hold, the direction then says so */
	struct addr rtcp; /* ADDR_NONE if there is nowhere to send it */
	bool rtcp_mux;
	enum sdp_direction direction; /* what we may do */
	bool held;                    /* they want us to be quiet, whatever we want */
	uint32_t ptime_ms;    /* to send: SDP_PTIME_MIN_MS..SDP_PTIME_MAX_MS, any number of them */
	uint32_t maxptime_ms; /* 5..1000; 0 if they do not say. ptime_ms keeps to it, down to 10 */
	size_t codec_count;   /* at least 1 */
	struct sdp_agreed
		codecs[SDP_CODECS_MAX]; /* the first is the voice to send, auxiliary last */
};

/*
 * Appends our offer to out: all lines that the session has in their places, those that are not our
 * audio refused. Returns -ENOBUFS if it does not fit; out then holds a part of it.
 */
int sdp_offer(struct text *out, const struct sdp_local *local);

/* What of a line of theirs stays in the session; borrows what media borrows. */
void sdp_line_of(struct sdp_line *out, const struct sdp_media *media);

/* The payload types that sdp_offer() gives to the codecs, each in the place of its codec. */
void sdp_numbers(uint8_t numbers[static SDP_CODECS_MAX], const struct sdp_local *local);

/*
 * Appends our answer to offer to out and fills result: the line that is our audio already, or else
 * the first audio line that we can do is taken, all others are refused. RTP/AVPF is taken as
 * RTP/AVP, and answered by its name: its feedback is allowed, and never required (RFC 4585, section
 * 3.1). Returns, with why's words (it may be NULL), and result untouched:
 * -ENOTSUP: there is none that we can do; -EPROTO: it lacks what it must have; out is then as it
 * was. -ENOBUFS: it does not fit; out then holds a part of it.
 */
int sdp_answer(struct text *out, struct sdp_result *result, const struct sdp_session *offer,
	const struct sdp_local *local, struct fault *why);

/*
 * Fills result from answer, which is theirs to sdp_offer() of offered. Returns, with why's words
 * (it may be NULL), and result untouched. Lines that they left out count as refused, and ours is
 * then their first of audio; those that we did not offer are ignored. -ENOTSUP: they refuse the
 * audio, or want something that we cannot do; -EPROTO: it is no answer to that offer, or lacks what
 * it must have.
 */
int sdp_apply_answer(struct sdp_result *result, const struct sdp_session *answer,
	const struct sdp_local *offered, struct fault *why);

/*
 * Appends what we can do, without a stream to go with it (RFC 3264, section 9): an offer whose port
 * is 0, whatever that of local->rtp is. -ENOBUFS as above.
 */
int sdp_capabilities(struct text *out, const struct sdp_local *local);

/* Words for a refusal of our offer: what we offered, and if theirs is not NULL, what they can do.
 */
void sdp_explain(
	struct fault *out, const struct sdp_session *theirs, const struct sdp_local *offered);
