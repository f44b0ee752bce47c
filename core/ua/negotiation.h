/*
 * What one call's two ends agree on to say and how: our codecs put into SDP, and what SDP agreed on
 * put into what a stream needs. It belongs to its call, on the agent's thread.
 */
#pragma once

#include "core/base/loop.h"
#include "core/media/media.h"
#include "core/sdp/offer_answer.h"

enum { NEGOTIATION_CODECS_MAX = 16 };

/* One of the far end's, with the text that it borrows. */
struct negotiation_theirs {
	char *text;
	struct sdp_session *session;
};

struct negotiation {
	const struct codec *const *codecs;
	size_t count;
	struct sdp_codec described[NEGOTIATION_CODECS_MAX]; /* in the place of its codec */
	struct sdp_codec kept[NEGOTIATION_CODECS_MAX]; /* once settled: what a change may have */
	size_t kept_count;
	size_t numbered; /* of them, the first: those that have a payload type */
	bool alone;      /* offers have one codec, this: */
	struct sdp_codec one;
	struct sdp_local local;
	struct negotiation_theirs theirs;  /* what was agreed on last */
	struct negotiation_theirs settled; /* what lines borrow */
	struct sdp_line lines[SDP_MEDIA_MAX];
	char *sent; /* our last description; NULL if there was none */
	bool hold, held;

	/* What was agreed on last, for negotiation_settle(). */
	bool agreed;
	bool offered_by_them;
	size_t line;
	size_t current;                      /* the codec */
	int numbers[NEGOTIATION_CODECS_MAX]; /* of each codec, or SDP_PT_DYNAMIC */
};

#define SDP_CONTENT_TYPE "application/sdp"

/*
 * For count codecs, 1..NEGOTIATION_CODECS_MAX, the best first, which are kept alive by the caller.
 * rtp may be ADDR_NONE until an offer or an answer is made.
 */
void negotiation_init(struct negotiation *negotiation, struct loop *loop,
	const struct codec *const *codecs, size_t count);

void negotiation_free(struct negotiation *negotiation);

/* Where RTCP is received from the next offers and answers on: at that port of RTP's host; 0: at the
 * one after RTP's. */
void negotiation_rtcp(struct negotiation *negotiation, uint16_t port);

/*
 * Whether the next offers and answers ask the far end to be quiet (RFC 3264, section 8.4). What it
 * asks for itself is kept apart, and comes out of both.
 */
void negotiation_hold(struct negotiation *negotiation, bool hold);

/*
 * The next offers have codec alone, so that it is what is talked by (RFC 3264, section 8.3); NULL:
 * all that we have. Once settled. -EINVAL: it is none of ours; -ENOSPC: no payload type is left.
 */
int negotiation_only(struct negotiation *negotiation, const struct codec *codec);

/* Whether the far end, by its last offer or answer, wants us to be quiet. */
bool negotiation_is_held(const struct negotiation *negotiation);

/*
 * What was agreed on last is now the session's (an answer in a final response, or in its ACK); what
 * is offered and answered from here on changes that: its m-lines stay in place, its payload types
 * keep their meaning, and its codec goes first.
 */
void negotiation_settle(struct negotiation *negotiation);

/*
 * Appends our offer to receive at rtp. What differs from the description sent before has the next
 * version (RFC 3264, section 8). -ENOBUFS, -ENOMEM.
 */
int negotiation_offer(struct text *out, struct negotiation *negotiation, const struct addr *rtp);

/*
 * What our last offer lets them send from when they have it, beside what was agreed on: they need
 * not wait for us to have their answer (RFC 3264, sections 5.1 and 8.3.2). formats are those that
 * were agreed on before; what has no room among them is left out.
 */
void negotiation_expect(struct media_formats *formats, const struct negotiation *negotiation);

/*
 * Takes their offer and appends our answer, with one voice codec, to receive at rtp. It may be
 * called again with another: the last one counts. An error changes nothing. params is
 * filled; its slices are good until the next call or negotiation_free(). Errors with words in why:
 * -ENOTSUP: no common codec or nothing that we can do; -EPROTO: broken; -ENOMEM.
 */
int negotiation_answer(struct text *out, struct media_params *params,
	struct negotiation *negotiation, struct slice offer, const struct addr *rtp,
	struct fault *why);

/*
 * Takes their answer to our last offer, or another answer to it, of which the last counts; params
 * and errors as above.
 */
int negotiation_apply(struct media_params *params, struct negotiation *negotiation,
	struct slice answer, struct fault *why);

/* Appends what we can do, for a refusal (RFC 3261, section 21.4.26; RFC 3264, section 9). */
int negotiation_capabilities(
	struct text *out, struct negotiation *negotiation, const struct addr *host);

/* Words for a refusal that carries what they can do, if it does; else what we offered. */
void negotiation_explain(
	struct fault *out, struct negotiation *negotiation, struct slice capabilities);
