/*
 * Text of known length: reading it from a slice, and writing it into a buffer of fixed size that
 * remembers whether everything fitted, so that one look at the end is enough. Any thread.
 *
 * What reads a few bytes stands here whole: the parsers call it for each word of each message, and
 * the call would cost more than the work. Of a literal, the compiler then knows the length, too.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of a NUL-terminated string, without the NUL. */
static inline struct slice slice_of(const char *string)
{
	return (struct slice){(const uint8_t *)string, strlen(string)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	/* an empty slice may be NULL, which memcmp() must not be given */
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Without regard to the case of ASCII letters, whatever the locale. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* The same against a NUL-terminated string. */
static inline bool slice_is(struct slice text, const char *string)
{
	return slice_equal(text, slice_of(string));
}

static inline bool slice_is_nocase(struct slice text, const char *string)
{
	struct slice other = slice_of(string);

	/* mostly it is another word, of another length */
	return text.len == other.len && slice_equal_nocase(text, other);
}

static inline bool slice_starts_nocase(struct slice text, const char *prefix)
{
	struct slice start = slice_of(prefix);

	return text.len >= start.len &&
	       slice_equal_nocase((struct slice){text.data, start.len}, start);
}

/* Without the spaces and tabs at both ends. */
static inline struct slice slice_trim(struct slice text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* Where byte first stands in text; text.len if it does not. */
static inline size_t slice_find(struct slice text, char byte)
{
	/* memchr() must not be given NULL either */
	const uint8_t *at = text.len > 0 ? memchr(text.data, (uint8_t)byte, text.len) : NULL;

	return at ? (size_t)(at - text.data) : text.len;
}

/*
 * Cuts text at the first separator: what stands before it goes to out, what follows stays in text.
 * Without one, all goes to out. Returns whether there was one.
 */
static inline bool slice_cut(struct slice *out, struct slice *text, char separator)
{
	size_t at = slice_find(*text, separator);
	bool found = at < text->len;
	size_t gone = found ? at + 1 : at;

	*out = (struct slice){text->data, at};
	if (gone > 0) /* NULL + 0 is undefined, too */
		text->data += gone;
	text->len -= gone;
	return found;
}

/*
 * A decimal number of digits alone, at most max. -EPROTO for anything else, -ERANGE if it is
 * larger; out is untouched then.
 */
int slice_number(uint64_t *out, struct slice text, uint64_t max);

/* A NUL-terminated copy, for the caller to free(); NULL if there is no memory. */
char *slice_copy(struct slice text);

/* Where text is written. What it holds is always NUL-terminated; the NUL is not in len. */
struct text {
	char *data;
	size_t len;
	size_t size; /* of data, the NUL included; at least 1 */
	bool cut;    /* something did not fit: data holds the whole pieces before it */
};

/* Writes into the array room. */
#define TEXT_IN(room) text_in((room), sizeof(room))
struct text text_in(char *data, size_t size);

/* Each appends all or nothing, and nothing once something was cut. */
void text_put(struct text *text, struct slice bytes);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char byte);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* The same, but of what does not fit, the first whole characters of UTF-8 are kept. */
void text_vprintf_cut(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * Appends text from outside so that it can do no harm on a terminal, in a log or in a message:
 * printable ASCII and valid UTF-8 as they are; control characters, invalid bytes, line separators
 * and the marks that turn the direction of writing as \xNN, byte by byte. Of what does not fit,
 * the first whole characters are kept.
 */
void text_put_escaped(struct text *text, struct slice bytes);

/* Whether all of it is UTF-8 (RFC 3629); what is empty is. */
bool text_is_utf8(struct slice bytes);

/* What has been written so far. */
struct slice text_slice(const struct text *text);
