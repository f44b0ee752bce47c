/*
 * A SIP message as it stands on the wire (RFC 3261, section 7). It is one allocation: a copy of the
 * bytes and an index of the headers; every slice points into it. Whoever parsed it owns it and
 * frees it with sip_msg_free(). It does not change, so any one thread at a time may read it.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"
#include "core/sip/uri.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIP_MESSAGE_MAX = 65536, /* bytes */
	SIP_HEADERS_MAX = 128,
	SIP_PORT = 5060,
	SIPS_PORT = 5061, /* of TLS */
	SIP_WS_PORT = 80, /* RFC 7118, section 5.3 */
	SIP_WSS_PORT = 443,
};

enum sip_method {
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_REFER,
	SIP_PUBLISH,
	SIP_METHOD_OTHER,
};

/* The headers that we know by name; each also by its compact form. */
enum sip_header_name {
	SIP_ACCEPT,
	SIP_ALLOW,
	SIP_CALL_ID,
	SIP_CONTACT,
	SIP_CONTENT_ENCODING,
	SIP_CONTENT_LENGTH,
	SIP_CONTENT_TYPE,
	SIP_CSEQ,
	SIP_EXPIRES,
	SIP_FROM,
	SIP_MAX_FORWARDS,
	SIP_MIN_EXPIRES,
	SIP_P_ASSERTED_IDENTITY,
	SIP_PROXY_AUTHENTICATE,
	SIP_PROXY_AUTHORIZATION,
	SIP_REASON,
	SIP_RECORD_ROUTE,
	SIP_REQUIRE,
	SIP_RETRY_AFTER,
	SIP_ROUTE,
	SIP_SERVER,
	SIP_SUBJECT,
	SIP_SUPPORTED,
	SIP_TO,
	SIP_UNSUPPORTED,
	SIP_USER_AGENT,
	SIP_VIA,
	SIP_WARNING,
	SIP_WWW_AUTHENTICATE,
	SIP_HEADER_OTHER,
};

struct sip_header {
	enum sip_header_name id;
	uint8_t next;       /* of the same id: where in headers, and one; 0: none */
	struct slice name;  /* as it stands */
	struct slice value; /* trimmed, folded lines joined */
};

/* One value of Via (section 20.42). */
struct sip_via {
	struct slice transport; /* "UDP" */
	struct slice host;      /* IPv6 without its brackets */
	uint16_t port;          /* 0: none given */
	struct slice params;
	struct slice branch;   /* empty: none */
	struct slice received; /* empty: none */
	bool has_rport;        /* RFC 3581 */
	uint16_t rport;        /* 0: without a value */
};

/* One value of From, To, Contact, Route, Record-Route (section 20.10). */
struct sip_name_addr {
	struct slice display;  /* without its quotes, escapes as they stand; may be empty */
	struct slice uri_text; /* without angle brackets */
	struct sip_uri uri;
	struct slice params; /* of the header, not of the URI */
	struct slice tag;    /* empty: none */
	bool wildcard;       /* Contact: * */
};

struct sip_msg {
	bool request;
	enum sip_method method; /* of a request */
	struct slice method_name;
	struct slice uri_text; /* Request-URI */
	struct sip_uri uri;    /* valid if request and no fault */
	uint16_t status;       /* of a response, 100..699 */
	struct slice reason;

	/* Decoded for every message; those that are missing or broken make fault. */
	struct sip_via via; /* the topmost */
	struct sip_name_addr from;
	struct sip_name_addr to;
	struct slice call_id;
	uint32_t cseq;
	enum sip_method cseq_method;
	struct slice cseq_method_name;
	int max_forwards; /* -1: none */

	struct slice body;
	struct slice raw;   /* the whole message, folded lines joined */
	struct addr source; /* the stack has it from there; ADDR_NONE: it was made here */

	size_t header_count;
	const struct sip_header *headers;
	/* of each id: where in headers, and one; 0: none. Nearly every reader looks for some. */
	uint8_t first[SIP_HEADER_OTHER + 1];

	/*
	 * Why a request is to be refused, though enough of it was understood to answer: a status
	 * (400, 505, 513, ...) with a reason phrase. 0: it is good. A bad response is not parsed at
	 * all.
	 */
	uint16_t fault_status;
	const char *fault_reason;
};

/*
 * Reads one whole datagram. Bytes after the body that Content-Length tells are left out (section
 * 18.3). Returns -EPROTO if it cannot be understood or answered, -EMSGSIZE over the caps, -ENOMEM.
 */
int sip_msg_parse(struct sip_msg **out, struct slice datagram);

/* NULL is allowed. */
void sip_msg_free(struct sip_msg *msg);

/* The value of the first header of that name, or NULL. */
const struct slice *sip_msg_header(const struct sip_msg *msg, enum sip_header_name id);

/* The first header of any name, without regard to case; for those that have no id. */
const struct slice *sip_msg_header_named(const struct sip_msg *msg, const char *name);

/*
 * Runs through the values of a header that may be given as a list or several times (section 7.3.1):
 * commas inside quotes, brackets and comments do not part values. Of a header that is no list
 * (WWW-Authenticate, Subject, ...) each line is one value. Start with a cursor of {0}.
 */
struct sip_cursor {
	size_t header;
	size_t offset;
};

bool sip_msg_next(struct slice *value, struct sip_cursor *cursor, const struct sip_msg *msg,
	enum sip_header_name id);

/* Whether a list header (Require, Supported, Allow, ...) has that token. */
bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_name id, const char *token);

/* The seconds of Retry-After (section 20.33), at most max_s. Returns whether it has such. */
bool sip_msg_retry_after(uint64_t *out_s, const struct sip_msg *msg, uint64_t max_s);

/* Each reads one value. -EPROTO, with out untouched, if it is broken. */
int sip_via_parse(struct sip_via *out, struct slice value);
int sip_name_addr_parse(struct sip_name_addr *out, struct slice value);

/* "INVITE"; for SIP_METHOD_OTHER "". */
const char *sip_method_name(enum sip_method method);

/* Methods are case-sensitive (section 7.1). */
enum sip_method sip_method_find(struct slice name);

/* "Call-ID"; the canonical long form. */
const char *sip_header_canonical(enum sip_header_name id);

/* The id of a header, long or compact form, without regard to case. */
enum sip_header_name sip_header_find(struct slice name);

/* The phrase of section 21 for a status, or that of its class ("Client Error"). */
const char *sip_reason(uint16_t status);
