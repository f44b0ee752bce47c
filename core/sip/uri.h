/*
 * A SIP, SIPS or tel URI (RFC 3261, section 19.1; RFC 3966): text to parts and back. The parts
 * borrow the text that was parsed. Plain values: any thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum sip_scheme {
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL,
	SIP_SCHEME_OTHER, /* kept as text: only scheme, scheme_name and opaque are set */
};

struct sip_uri {
	enum sip_scheme scheme;
	struct slice scheme_name;
	struct slice user;     /* escapes as they stand; of tel: the number; may be empty */
	struct slice password; /* without the colon */
	struct slice host;     /* IPv6 without its brackets */
	bool host_is_ipv6;
	uint16_t port;        /* 0: none given */
	struct slice params;  /* ";transport=tcp;lr", or empty */
	struct slice headers; /* "subject=x&y=z" without the question mark, or empty */
	struct slice opaque;  /* what follows the scheme, whole */
	bool local;           /* somebody here has written it, and no far end: set by who knows */
};

/* Where and why a text is no URI, for a caret under the place. */
struct sip_syntax {
	size_t at;        /* bytes from the start of the text */
	const char *what; /* "a host cannot hold a space"; static */
};

/*
 * Reads a whole URI without angle brackets. Returns -EPROTO, with out untouched and, if syntax is
 * not NULL, the place and the reason there.
 */
int sip_uri_parse(struct sip_uri *out, struct slice text, struct sip_syntax *syntax);

/*
 * Finds a parameter of ";a=b;c" without regard to case. value is empty for one without a value; it
 * may be NULL. Returns whether it is there. It serves URI and header parameters alike; a value in
 * quotes keeps them.
 */
bool sip_param(struct slice *value, struct slice params, const char *name);

/* Prints it as it was read, without headers. */
void sip_uri_print(struct text *out, const struct sip_uri *uri);

/* Whether both name the same resource by the rules of section 19.1.4. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
