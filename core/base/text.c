#include "core/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	UTF8_MAX = 4,     /* bytes of the longest character */
	ESCAPED_SIZE = 4, /* of \xNN */
};

/* Not tolower(), which depends on the locale. */
static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;

	for (size_t i = 0; i < a.len; i++)
		/* mostly they are written alike */
		if (a.data[i] != b.data[i] && lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

int slice_number(uint64_t *out, struct slice text, uint64_t max)
{
	uint64_t limit = max / 10; /* what a digit more may follow */
	uint64_t value = 0;
	bool large = false;

	if (text.len == 0)
		return -EPROTO;

	for (size_t i = 0; i < text.len; i++) { /* to the end: "99x" is no number of any size */
		unsigned digit = (unsigned)text.data[i] - '0';

		if (digit > 9)
			return -EPROTO;
		if (value > limit || (value == limit && digit > max % 10))
			large = true;
		else
			value = value * 10 + digit;
	}
	if (large)
		return -ERANGE;

	*out = value;
	return 0;
}

char *slice_copy(struct slice text)
{
	char *copy = calloc(text.len + 1, 1);

	if (copy && text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

struct text text_in(char *data, size_t size)
{
	assert(size > 0);
	data[0] = '\0';
	return (struct text){.data = data, .size = size};
}

/* What can still be written, the NUL not counted. */
static size_t room(const struct text *text)
{
	return text->cut ? 0 : text->size - text->len - 1;
}

void text_put(struct text *text, struct slice bytes)
{
	if (bytes.len == 0)
		return;
	if (bytes.len > room(text)) {
		text->cut = true;
		return;
	}
	memcpy(text->data + text->len, bytes.data, bytes.len);
	text->len += bytes.len;
	text->data[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_put(text, slice_of(string));
}

void text_putc(struct text *text, char byte)
{
	text_put(text, (struct slice){(const uint8_t *)&byte, 1});
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprintf(text, format, args);
	va_end(args);
}

/* Returns how many bytes were asked for; as many as there is room for stand behind data[len]. */
static __attribute__((format(printf, 2, 0))) size_t print(
	struct text *text, const char *format, va_list args)
{
	int wanted = vsnprintf(text->data + text->len, room(text) + 1, format, args);

	if (wanted < 0) { /* what cannot be printed does not fit */
		text->data[text->len] = '\0';
		return SIZE_MAX;
	}
	return (size_t)wanted;
}

void text_vprintf(struct text *text, const char *format, va_list args)
{
	size_t wanted;

	if (text->cut)
		return;

	wanted = print(text, format, args);
	if (wanted > room(text))
		text->cut = true;
	else
		text->len += wanted;
	text->data[text->len] = '\0';
}

static bool in_range(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max;
}

/* clang-format off */
/* What may stand in a character, by its first byte (RFC 3629, section 4). */
static const struct utf8_form {
	uint8_t first_min, first_max;
	uint8_t second_min, second_max; /* the third and fourth are 0x80 to 0xbf */
	size_t size;
} utf8_forms[] = {
	{0x00, 0x7f, 0x00, 0x00, 1},
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3}, /* nothing in more bytes than it needs */
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3}, /* no surrogates */
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4}, /* nothing above U+10FFFF */
};
/* clang-format on */

static const struct utf8_form *find_form(uint8_t first)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if (in_range(first, utf8_forms[i].first_min, utf8_forms[i].first_max))
			return &utf8_forms[i];
	return NULL;
}

/* The size of the character that text begins with; 0 if it begins with none that is whole. */
static size_t utf8_size(struct slice text)
{
	const struct utf8_form *form = find_form(text.data[0]);

	if (!form || text.len < form->size)
		return 0;
	if (form->size > 1 && !in_range(text.data[1], form->second_min, form->second_max))
		return 0;
	for (size_t i = 2; i < form->size; i++)
		if (!in_range(text.data[i], 0x80, 0xbf))
			return 0;
	return form->size;
}

/* The code point of a valid character. */
static uint32_t utf8_code(struct slice character)
{
	uint32_t code = character.data[0];

	if (character.len > 1)
		code &= 0x7fu >> character.len;
	for (size_t i = 1; i < character.len; i++)
		code = code << 6 | (character.data[i] & 0x3fu);
	return code;
}

/* Valid characters that are not shown as they are. */
static const struct {
	uint32_t min, max;
} harmful[] = {
	{0x00, 0x1f},     /* control characters */
	{0x7f, 0x9f},     /* delete, and the controls of ISO 6429, which terminals obey */
	{0x061c, 0x061c}, /* Arabic letter mark: direction */
	{0x200e, 0x200f}, /* left-to-right and right-to-left mark */
	{0x2028, 0x202e}, /* line and paragraph separator; embedding and override of direction */
	{0x2066, 0x206f}, /* isolates of direction, and what was deprecated beside them */
	{0xfeff, 0xfeff}, /* byte order mark */
	{0xfff9, 0xfffb}, /* interlinear annotation: hides text */
	{0xfffe, 0xffff}, /* no characters, and never to be: XML must not have them */
};

static bool is_harmful(struct slice character)
{
	uint32_t code = utf8_code(character);

	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
		if (in_range(code, harmful[i].min, harmful[i].max))
			return true;
	return false;
}

/* All bytes of a character, or nothing: half of one could not be read back. */
static void put_hex(struct text *text, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char escaped[UTF8_MAX * ESCAPED_SIZE];
	size_t len = 0;

	assert(bytes.len <= UTF8_MAX);
	for (size_t i = 0; i < bytes.len; i++) {
		escaped[len++] = '\\';
		escaped[len++] = 'x';
		escaped[len++] = digits[bytes.data[i] >> 4];
		escaped[len++] = digits[bytes.data[i] & 0xf];
	}
	text_put(text, (struct slice){(const uint8_t *)escaped, len});
}

void text_put_escaped(struct text *text, struct slice bytes)
{
	while (bytes.len > 0 && !text->cut) {
		size_t size = utf8_size(bytes);
		struct slice piece = {bytes.data, size > 0 ? size : 1};

		if (size == 0 || is_harmful(piece))
			put_hex(text, piece);
		else
			text_put(text, piece);
		bytes.data += piece.len;
		bytes.len -= piece.len;
	}
}

bool text_is_utf8(struct slice bytes)
{
	while (bytes.len > 0) {
		size_t size = utf8_size(bytes);

		if (size == 0)
			return false;
		bytes.data += size;
		bytes.len -= size;
	}
	return true;
}

/* How many bytes of the first len to keep so that no character is cut in two. */
static size_t whole_characters(const char *data, size_t len)
{
	for (size_t kept = 1; kept <= len && kept < UTF8_MAX; kept++) {
		struct slice last = {(const uint8_t *)data + len - kept, kept};

		if (!in_range(last.data[0], 0x80, 0xbf))
			return utf8_size(last) > 0 ? len : len - kept;
	}
	return len; /* a whole one of four bytes, or no UTF-8 at all */
}

void text_vprintf_cut(struct text *text, const char *format, va_list args)
{
	size_t wanted;

	if (text->cut)
		return;

	wanted = print(text, format, args);
	if (wanted <= room(text)) {
		text->len += wanted;
		return;
	}
	text->len += whole_characters(text->data + text->len, strlen(text->data + text->len));
	text->data[text->len] = '\0';
	text->cut = true;
}

struct slice text_slice(const struct text *text)
{
	return (struct slice){(const uint8_t *)text->data, text->len};
}
