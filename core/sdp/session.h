/*
 * Session descriptions (SDP, RFC 8866): reading those of the far end, and writing ours.
 *
 * A parsed description is one allocation, owned by whoever called sdp_parse(). Its slices borrow
 * the text that was parsed, which has to live as long as it does. What we describe ourselves is a
 * struct sdp_description: a plain value that borrows everything, good for one sdp_print().
 *
 * Each part of a description has a cap, and what is over it is refused, not cut off. Nothing here
 * is shared: any thread; in a running phone it is the agent thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SDP_SIZE_MAX = 65536,      /* bytes of a description that is read */
	SDP_MEDIA_MAX = 16,        /* m= lines */
	SDP_FORMATS_MAX = 64,      /* of one m= line; as many rtpmap attributes */
	SDP_ATTRIBUTES_MAX = 1024, /* a= lines, of all levels together */
	SDP_WORD_MAX = 64,         /* bytes of a word of an m= line */
	SDP_PAYLOAD_TYPE_MAX = 127,
	SDP_CODECS_MAX = 32,  /* of ours: there are not more dynamic payload types */
	SDP_PT_NONE = -1,     /* a format that is no RTP payload type */
	SDP_PT_DYNAMIC = -1,  /* a codec that has no payload type of its own */
	SDP_TEXT_SIZE = 8192, /* room for each offer and answer of a phone with a dozen codecs */
};

/* As the one sees it who describes. The bits may be tested and combined. */
enum sdp_direction {
	SDP_INACTIVE = 0,
	SDP_SENDONLY = 1,
	SDP_RECVONLY = 2,
	SDP_SENDRECV = SDP_SENDONLY | SDP_RECVONLY,
};

struct sdp_attribute {
	struct slice name;
	struct slice value; /* behind the colon; empty if there is none */
};

struct sdp_attributes {
	const struct sdp_attribute *list; /* in their order, those too that nobody knows */
	size_t count;
};

/* A c= line, or the address of an rtcp attribute. */
struct sdp_connection {
	struct slice host; /* without a TTL; empty if there is no such line */
	struct addr addr;  /* port 0; ADDR_NONE if host is no IP address, or not of its kind */
};

struct sdp_format {
	struct slice word;     /* as it stands in the m= line */
	int payload_type;      /* 0..SDP_PAYLOAD_TYPE_MAX, or SDP_PT_NONE */
	bool mapped;           /* an rtpmap told the next three; else RFC 3551 did, or nobody */
	struct slice encoding; /* empty if unknown, and if it is no payload type */
	uint32_t clock_rate;   /* Hz, as they say it: compare it, never compute with it */
	uint8_t channels;      /* 1 if they do not say */
	struct slice fmtp;     /* parameters, see sdp_fmtp_get(); empty if there are none */
};

struct sdp_media {
	struct slice kind; /* "audio", "video", ... */
	uint16_t port;     /* 0: refused, or not wanted */
	uint16_t port_count;
	struct slice proto;                    /* "RTP/AVP", ... */
	struct slice bandwidth;                /* the first b= line */
	struct sdp_connection connection;      /* that of the session if it has none */
	enum sdp_direction direction;          /* likewise */
	uint32_t ptime_ms;                     /* 5..200; 0 if they do not say, or nonsense */
	uint32_t maxptime_ms;                  /* 5..1000; 0 likewise */
	uint16_t rtcp_port;                    /* RFC 3605; 0 if they do not say */
	struct sdp_connection rtcp_connection; /* empty if the rtcp attribute has none */
	bool rtcp_mux;                         /* RFC 5761 */
	struct sdp_attributes attributes;
	const struct sdp_format *formats; /* each once */
	size_t format_count;              /* 0..SDP_FORMATS_MAX */
};

struct sdp_origin {
	struct slice user; /* may be empty, and hold spaces */
	struct slice session_id;
	struct slice version; /* another one says that the description has changed */
	struct slice net_type;
	struct slice addr_type;
	struct slice host;
};

struct sdp_session {
	struct sdp_origin origin;
	struct slice name;      /* s= */
	struct slice time;      /* the first t= line */
	struct slice bandwidth; /* the first b= line */
	struct sdp_connection connection;
	enum sdp_direction direction;
	struct sdp_attributes attributes;
	const struct sdp_media *media;
	size_t media_count; /* 0..SDP_MEDIA_MAX */
};

/*
 * Reads a description into *out, for sdp_free(). Lines may end in LF alone, s= and t= may be
 * missing, empty lines may follow, and lines, attributes and rtpmaps that nobody understands change
 * nothing. Returns -EPROTO (broken, or over a cap) or -ENOMEM; then why has the words (it may be
 * NULL) and *out is untouched.
 */
int sdp_parse(struct sdp_session **out, struct slice text, struct fault *why);

/* NULL is allowed. The text that was parsed stays the caller's. */
void sdp_free(struct sdp_session *session);

/*
 * The value of the first attribute of that name, whatever its case. Returns whether there is one;
 * if not, value is untouched.
 */
bool sdp_attribute_get(struct slice *value, struct sdp_attributes attributes, const char *name);

/*
 * The value of the first parameter of that name, whatever its case, in format parameters like
 * "a=b; c=d". One without a value has an empty one. Returns whether there is one; if not, value is
 * untouched.
 */
bool sdp_fmtp_get(struct slice *value, struct slice fmtp, const char *name);

/* A codec that we can do. The strings are the caller's, trusted, and printed as they are. */
struct sdp_codec {
	const char *name; /* as in an rtpmap: "opus" */
	uint32_t
		clock_rate; /* of the RTP time stamps, Hz: 8000 for G722, RFC 3551, section 4.5.2 */
	uint8_t channels;   /* as in an rtpmap: 2 for opus; 0 means 1 */
	int payload_type;   /* a number, which is then kept, or SDP_PT_DYNAMIC */
	bool auxiliary;     /* goes along with a voice and is none: telephone-event, CN */
	const char *fmtp;   /* what we tell about how we want to receive it; NULL if nothing */
	int id;             /* the caller's; comes back in struct sdp_agreed */
};

struct sdp_described_format {
	uint8_t payload_type;
	const struct sdp_codec *codec;
};

struct sdp_described_media {
	struct slice kind;
	struct slice proto;
	uint16_t port; /* 0: refused, or what could be done without being done (RFC 3264, section 9)
			*/
	const struct sdp_described_format *formats;
	size_t format_count; /* at least 1, if port is not 0; with 0 nothing but refused_format is
				printed of the rest */
	struct slice refused_format; /* one, because a line without any is none; may be empty */
	uint32_t ptime_ms;
	uint16_t rtcp_port; /* printed if it is neither 0 nor port + 1 */
	bool rtcp_mux;
	enum sdp_direction direction;
};

struct sdp_description {
	uint64_t session_id;
	uint64_t version;
	const struct addr *addr; /* an IP address; its port does not matter */
	const struct sdp_described_media *media;
	size_t media_count;
};

/* Appends it to out. Returns -ENOBUFS if it does not fit; out then holds a part of it. */
int sdp_print(struct text *out, const struct sdp_description *description);
