#include "cmd/columns.h"

/* Characters that are not one column wide, ascending, by Unicode's EastAsianWidth and categories;
 * whole blocks where all of a block that people write is alike. */
static const struct {
	uint32_t min, max;
	size_t columns;
} widths[] = {
	{0x0300, 0x036f, 0},   /* combining marks */
	{0x0483, 0x0489, 0},   /* of Cyrillic */
	{0x0591, 0x05bd, 0},   /* of Hebrew */
	{0x0610, 0x061a, 0},   /* of Arabic */
	{0x064b, 0x065f, 0},   /* of Arabic */
	{0x1100, 0x115f, 2},   /* Hangul Jamo */
	{0x1ab0, 0x1aff, 0},   /* combining marks */
	{0x1dc0, 0x1dff, 0},   /* combining marks */
	{0x200b, 0x200d, 0},   /* of zero width, joiners */
	{0x20d0, 0x20ff, 0},   /* combining marks for symbols */
	{0x2e80, 0x303e, 2},   /* CJK radicals and punctuation */
	{0x3041, 0xa4cf, 2},   /* kana, CJK, Yi */
	{0xa960, 0xa97f, 2},   /* Hangul Jamo */
	{0xac00, 0xd7a3, 2},   /* Hangul syllables */
	{0xf900, 0xfaff, 2},   /* CJK compatibility */
	{0xfe00, 0xfe0f, 0},   /* variation selectors */
	{0xfe20, 0xfe2f, 0},   /* combining half marks */
	{0xfe30, 0xfe6f, 2},   /* CJK forms */
	{0xff00, 0xff60, 2},   /* full-width forms */
	{0xffe0, 0xffe6, 2},   /* full-width signs */
	{0x1f300, 0x1f64f, 2}, /* pictures, faces */
	{0x1f680, 0x1f6ff, 2}, /* traffic */
	{0x1f900, 0x1faff, 2}, /* more pictures */
	{0x20000, 0x3fffd, 2}, /* CJK */
};

static size_t width(uint32_t code)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		if (code >= widths[i].min && code <= widths[i].max)
			return widths[i].columns;
	return 1;
}

/* Takes one character off the front of text, which is not empty. */
static uint32_t take(struct slice *text)
{
	uint32_t code = *text->data;
	size_t size = code < 0xc0 ? 1 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;
	struct slice character;

	if (slice_take(&character, text, size)) { /* not UTF-8: byte by byte */
		(void)slice_take(&character, text, 1);
		return code;
	}
	if (size > 1)
		code &= 0x7fu >> size;
	for (size_t i = 1; i < size; i++)
		code = code << 6 | (character.data[i] & 0x3fu);
	return code;
}

struct slice columns_cut(struct slice text, size_t columns)
{
	struct slice rest = text;
	size_t used = 0;

	while (rest.len > 0) {
		struct slice after = rest;

		used += width(take(&after));
		if (used > columns)
			break;
		rest = after;
	}
	return (struct slice){text.data, text.len - rest.len};
}

size_t columns_count(struct slice text)
{
	size_t columns = 0;

	while (text.len > 0)
		columns += width(take(&text));
	return columns;
}

void columns_pad(struct text *out, struct slice text, size_t columns)
{
	size_t used = columns_count(text);

	text_put(out, text);
	for (; used < columns; used++)
		text_putc(out, ' ');
}
