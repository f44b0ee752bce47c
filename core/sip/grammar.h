/*
 * What the files of the message layer share among themselves: character classes, a place in a text,
 * and the pieces of grammar that URIs and headers have in common (RFC 3261, section 25.1). Nothing
 * here is for other rooms. Nothing is kept, so any thread may call.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/sip/uri.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Classes that a byte belongs to. What real peers send beyond the grammar is let in where harmless.
 */
enum {
	SIP_C_TOKEN = 0x001,
	SIP_C_USER = 0x002, /* of a URI, "%" left out in this and the next four */
	SIP_C_PASSWORD = 0x004,
	SIP_C_PARAM = 0x008, /* name, "=" and value */
	SIP_C_FIELD = 0x010, /* name or value of a header in a URI */
	SIP_C_OPAQUE = 0x020,
	SIP_C_LABEL = 0x040, /* of a host name */
	SIP_C_HEX = 0x080,
	SIP_C_DIGIT = 0x100,
	SIP_C_PHONE = 0x200, /* digits and visual separators (RFC 3966) */
	SIP_C_VALUE = 0x400, /* of a parameter of a header */
	SIP_C_NAME = 0x2000, /* its name */
	SIP_C_PLAIN = 0x800, /* in a list, begins nothing that may hide a comma, and is none */
	SIP_C_SPACE = 0x1000,
};

extern const uint16_t sip_class[256];

static inline bool sip_is(uint8_t byte, unsigned classes)
{
	return (sip_class[byte] & classes) != 0;
}

static inline bool sip_is_space(uint8_t byte)
{
	return sip_is(byte, SIP_C_SPACE);
}

/* The end of the run of bytes of the classes that begins at p; p <= end. */
const uint8_t *sip_skip(const uint8_t *p, const uint8_t *end, unsigned classes);

/* Whether text is word, which has small letters alone, without regard to the case of text. */
static inline bool sip_is_word(struct slice text, const char *word, size_t word_len)
{
	if (text.len != word_len)
		return false;

	for (size_t i = 0; i < word_len; i++)
		if ((text.data[i] | 0x20) != word[i])
			return false;
	return true;
}

#define SIP_IS_WORD(text, literal) sip_is_word((text), (literal), sizeof(literal) - 1)

/* Without white space at both ends; for the many places where there is hardly ever any. */
static inline struct slice sip_trim(struct slice text)
{
	while (text.len > 0 && sip_is_space(text.data[text.len - 1]))
		text.len--;
	while (text.len > 0 && sip_is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	return text;
}

static inline uint8_t sip_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* A place in a text that is being read. */
struct sip_scan {
	const uint8_t *p; /* p <= end */
	const uint8_t *end;
	const uint8_t *start;
	struct sip_syntax *syntax; /* may be NULL */
};

static inline struct sip_scan sip_scan_of(struct slice text, struct sip_syntax *syntax)
{
	/* an empty slice may be NULL, and NULL + 0 is not defined */
	const uint8_t *start = text.len > 0 ? text.data : (const uint8_t *)"";

	return (struct sip_scan){start, start + text.len, start, syntax};
}

static inline bool sip_scan_at(const struct sip_scan *scan, uint8_t byte)
{
	return scan->p < scan->end && *scan->p == byte;
}

static inline void sip_scan_space(struct sip_scan *scan)
{
	while (scan->p < scan->end && sip_is_space(*scan->p))
		scan->p++;
}

/* Takes the longest run of bytes of the classes, maybe none. */
static inline struct slice sip_scan_run(struct sip_scan *scan, unsigned classes)
{
	const uint8_t *from = scan->p;

	scan->p = sip_skip(from, scan->end, classes);
	return (struct slice){from, (size_t)(scan->p - from)};
}

enum { SIP_ESCAPE_SIZE = 3 }; /* "%41" */

/* Whether an escape stands there. */
static inline bool sip_scan_at_escape(const struct sip_scan *scan)
{
	return scan->end - scan->p >= SIP_ESCAPE_SIZE && *scan->p == '%' &&
	       sip_is(scan->p[1], SIP_C_HEX) && sip_is(scan->p[2], SIP_C_HEX);
}

/* What is left. */
static inline struct slice sip_scan_rest(const struct sip_scan *scan)
{
	return (struct slice){scan->p, (size_t)(scan->end - scan->p)};
}

/* Takes a host and a colon with a port, if there is one, white space around it allowed if spaced.
 */
int sip_scan_host(
	struct slice *host, bool *is_ipv6, uint16_t *port, struct sip_scan *scan, bool spaced);

/*
 * As sip_uri_parse(), but into out, which has to be zeroed; of what is no URI, some parts stand
 * there then. Spares those who build a larger thing anyway a second zeroing, and a copy.
 */
int sip_uri_fill(struct sip_uri *out, struct slice text, struct sip_syntax *syntax);

/*
 * Takes a quoted string, from the quote at hand to the closing one; out is what stands between.
 * -EPROTO if it is not closed.
 */
int sip_scan_quoted(struct slice *out, struct sip_scan *scan);

/* One parameter of ";a=b;c". */
struct sip_pair {
	struct slice name;
	struct slice value; /* empty: none; in quotes: with them */
};

/*
 * Takes the next parameter; empty ones (";;") are passed over. -ENOENT when there are no more,
 * -EPROTO if something else than a parameter stands there.
 */
int sip_scan_pair(struct sip_pair *out, struct sip_scan *scan);

/* As the next one, for what is left if it has a comma somewhere. */
bool sip_scan_commas(struct slice *out, struct sip_scan *scan);

/*
 * Takes the next value of a list off at commas outside of quotes, angle brackets and comments,
 * trimmed. Empty values are taken too. Returns whether a comma followed.
 */
static inline bool sip_scan_list(struct slice *out, struct sip_scan *scan)
{
	struct slice rest = sip_scan_rest(scan);

	if (memchr(rest.data, ',', rest.len))
		return sip_scan_commas(out, scan);
	scan->p = scan->end; /* the usual case: one value, and nothing that could hide a comma */
	*out = sip_trim(rest);
	return false;
}
