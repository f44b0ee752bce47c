/*
 * What happens in a phone, told as one stream of events. Text, JSON, the exit code and whatever
 * else looks on are readers of it and decide nothing. Events come on the agent's thread; all that
 * one points to is good during the call only. Text that came from the far end is raw: whoever shows
 * it escapes it.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum ua_event_kind {
	UA_LISTENING,
	UA_REGISTRATION_OK, /* each time that the registrar confirms it */
	UA_REGISTRATION_FAILED,
	UA_REGISTRATION_LOST, /* it stood, and does not any more; or it was given up */
	UA_NETWORK_CHANGED,   /* this host has other addresses, or another way to others */
	UA_CALL_OUTGOING,
	UA_CALL_INCOMING,
	UA_CALL_RINGING,
	UA_CALL_PROGRESS,
	UA_CALL_ANSWERED,
	UA_CALL_MEDIA,
	UA_CALL_HELD,
	UA_CALL_RESUMED,
	UA_CALL_MUTED,
	UA_CALL_PLAYED,     /* what agent_play() began is over */
	UA_CALL_RECORDING,  /* what agent_record() began goes on, or is over */
	UA_CALL_TONE,       /* one that agent_listen_in() asked for is heard, or is over */
	UA_CALL_REDIRECTED, /* a 3xx is followed */
	UA_CALL_STATS,      /* every 5 s and at the end */
	UA_CALL_METER,      /* as often as was asked for; for a live line, in no machine's output */
	UA_CALL_ENDED,
	UA_NOTICE,       /* something goes on in another way; words tell */
	UA_ERROR,        /* something fails while the phone goes on; words tell */
	UA_COMMAND_DONE, /* what somebody typed has come to its end */
	UA_EVENT_KINDS,
};

/* "call.ended"; the names are relied on from outside and never change. */
const char *ua_event_name(enum ua_event_kind kind);

enum ua_cause {
	UA_CAUSE_LOCAL,       /* we ended it */
	UA_CAUSE_REMOTE,      /* the far end hung up, or gave up calling us */
	UA_CAUSE_REJECTED,    /* by a final response; code tells which, theirs or ours */
	UA_CAUSE_TIMEOUT,     /* it rang and nobody answered in time */
	UA_CAUSE_UNREACHABLE, /* DNS, transport, ICMP, or no response at all */
	UA_CAUSE_MEDIA,       /* no common or no working media, or it was lost */
	UA_CAUSE_ERROR,       /* ours: a file, a port, memory */
	UA_CAUSES,
};

const char *ua_cause_name(enum ua_cause cause);

/* How the sound fared so far. Sides: sent by us, received from them. */
struct ua_stats {
	uint64_t sent; /* packets */
	uint64_t received;
	int64_t lost;  /* of theirs on the way; negative if packets came twice */
	uint64_t late; /* came, but after their turn */
	double jitter_ms;
	double rtt_ms;        /* negative: not known */
	double buffer_ms;     /* from a packet's arrival to its first sample played, mean */
	double concealed_pct; /* of what was played */
	double mos;           /* 1..4.5, what we hear, by ITU-T G.107; 0: nothing was heard */
};

struct ua_media {
	const char *codec; /* "opus" */
	uint32_t rate_hz;  /* of the sound */
	uint8_t payload_type;
	struct addr remote;
	const char *srtp;     /* NULL: not encrypted */
	const char *received; /* the codec that they send by; NULL: the same, as far as is known */
};

/* What of a call was asked of the far end. */
enum ua_wish {
	UA_WISH_NONE,
	UA_WISH_HOLD,
	UA_WISH_RESUME,
	UA_WISH_CODEC,
};

struct ua_event {
	enum ua_event_kind kind;
	uint64_t wall_ns;
	const char *phone;    /* NULL: the only one */
	const char *account;  /* NULL: none */
	unsigned call;        /* its number, from 1; 0: about no call */
	struct slice call_id; /* Call-ID, when there is one */
	struct slice peer;    /* their URI as text */
	struct slice display; /* their display name, or empty */
	/* Their URI, if the server of the account vouches for it (RFC 3325); else empty. */
	struct slice asserted;

	union {
		struct {
			const char *transport; /* "udp", "tcp" */
			struct addr address;
			bool fallback; /* the usual port was taken */
			bool more;     /* another follows at once that belongs to it */
		} listening;
		struct {
			uint16_t code; /* of the response; 0: none */
			struct slice reason;
			const char *words;    /* ours, or NULL if code and reason say it all */
			uint32_t expires_s;   /* of OK */
			struct slice contact; /* of OK: our URI */
			uint32_t retry_s;     /* until it is tried again; 0: it is not */
			bool wanted;          /* of LOST: we have withdrawn it */
		} registration;
		struct {
			const struct addr *addresses; /* of this host, now */
			size_t count;
			const struct addr *added; /* of them, those that are new */
			size_t added_count;
			const struct addr *removed; /* and those that it had */
			size_t removed_count;
		} network;
		struct {
			const char *transport;
			struct addr address; /* ADDR_NONE while the host is not found */
			struct slice from;   /* of INCOMING: whom they say that they are */
			bool anonymous;      /* and they do not want that to be known */
		} way;                       /* of OUTGOING and INCOMING */
		struct {
			uint16_t code;
			struct slice reason;
		} provisional;         /* of RINGING and PROGRESS */
		struct ua_media media; /* of ANSWERED and MEDIA */
		struct {
			bool remote; /* the far end wants it so; else we do */
		} hold;              /* of HELD and RESUMED */
		struct {
			bool muted; /* they hear nothing of us; or something again */
		} mute;
		struct {
			const char *source; /* as it was asked for */
			bool complete;      /* all of it was sent */
			const char *words;  /* why it could not be played, or NULL */
		} played;
		struct {
			const char *path;
			bool on;           /* from now on; else the file is whole */
			const char *words; /* off: why there was none, or NULL */
		} recording;
		struct {
			double hz;
			double level_dbfs; /* of the tone alone, where it was loudest, -60..0 */
			uint32_t ms;       /* for how long it has been there, to 20 ms */
			bool on;           /* it goes on; else it is over */
		} tone;
		struct {
			uint16_t code;
			struct slice reason;
			const struct slice
				*targets; /* URIs, in the order in which they are tried */
			size_t count;     /* at least 1 */
		} redirected;
		struct {
			struct ua_stats now;
			double duration_s; /* since the answer */
			double near_dbfs;  /* level of what we send and hear, -100..0; of METER */
			double far_dbfs;
			bool final; /* the call is over */
		} stats;            /* of STATS and METER */
		struct {
			enum ua_cause cause;
			uint16_t code; /* SIP status that tells it best; 200 after an answered call
					*/
			struct slice reason; /* the far end's words, or the standard's */
			const char *words;   /* ours for a person, or NULL if code and reason say it
						all */
			bool outgoing;
			bool answered;
			double duration_s;     /* since the answer; 0 if there was none */
			struct ua_stats stats; /* all zero if no media ran */
			const char *recording; /* path, or NULL */
		} ended;
		struct {
			const char *words;
		} notice;
		struct {
			const char *words;
			bool ours; /* a file of ours is not what it should be; the call may be */
			enum ua_wish wish; /* what was asked for and comes to nothing */
			const char *codec; /* of UA_WISH_CODEC: by its key */
		} error;
		struct {
			const char *line; /* as it was typed */
			bool ok;
			uint8_t exit;        /* an exit code; 0 if it is ok */
			const char *words;   /* why it is not; NULL if it is */
			struct slice output; /* whole lines, or nothing */
			size_t at;           /* the byte of line that is to blame; SIZE_MAX: none */
			const void *mark;    /* its own for who gave it one; else NULL */
		} command;
	};
};

/* A reader. */
typedef void ua_event_fn(void *arg, const struct ua_event *event);
