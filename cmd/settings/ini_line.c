#include "cmd/settings/ini_line.h"

#include "cmd/words.h"
#include "core/base/library.h"

enum {
	LINES = 2, /* that inih is given: the one at hand, and one that tells the section */
	LINE_SIZE = INI_NAME_SIZE + 8,
	SHOWN_SIZE = 400,
};

int ini_load(struct ini *ini, struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"ini_parse_stream", offsetof(struct ini, ini_parse_stream)}};

	return library_load(ini, "libinih.so.1", symbols, 1, why);
}

/* What inih reads, and what it finds. */
struct question {
	char lines[LINES][LINE_SIZE];
	size_t at;
	struct ini_line *out;
};

static char *next_line(char *room, int size, void *stream)
{
	struct question *question = stream;
	struct text text = text_in(room, (size_t)size);

	if (question->at == LINES)
		return NULL;

	text_puts(&text, question->lines[question->at++]);
	return room;
}

/* inih names sections only with what stands in them. */
static int found(void *user, const char *section, const char *name, const char *value)
{
	struct question *question = user;
	struct ini_line *out = question->out;
	bool last = question->at == LINES;
	struct text text;

	(void)value;
	if (last && *section == '\0')
		return 1;

	out->kind = last ? INI_SECTION : INI_ENTRY;
	text = TEXT_IN(out->name);
	text_puts(&text, last ? section : name);
	return 1;
}

/*
 * How much of a line inih is shown: up to the separator, for of a value it cuts off what stands
 * behind " ;" and behind 200 bytes, and says neither. A command of the shell may have both. 0: it
 * is not worth showing.
 */
static size_t head_of(struct slice line)
{
	size_t equals = slice_find(line, '=');
	size_t colon = slice_find(line, ':');
	size_t end = equals < colon ? equals : colon;

	if (line.data[0] == '[')
		return slice_find(line, ']') + 1 == line.len ? line.len : 0;
	return end < line.len ? end + 1 : 0;
}

static int no_sense(struct slice line, struct fault *why)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, line);
	if (line.data[0] == '[')
		return fault_set(why, -EINVAL, "a section is written [NAME]; %s is none", shown);
	return fault_set(why, -EINVAL, "neither NAME = VALUE nor [SECTION]: %s", shown);
}

int ini_line_read(struct ini_line *out, const struct ini *ini, struct slice line, struct fault *why)
{
	struct question question = {.lines = {[1] = "x="}, .out = out};
	struct text text = TEXT_IN(question.lines[0]);
	size_t head;

	*out = (struct ini_line){0};
	line = slice_trim(line);
	if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
		return 0;

	head = head_of(line);
	if (head > INI_NAME_SIZE)
		return fault_set(why, -EINVAL, "a name has at most %d bytes", INI_NAME_SIZE - 1);
	text_put(&text, (struct slice){line.data, head});
	if (head == 0 || ini->ini_parse_stream(next_line, &question, found, &question) != 0 ||
		out->kind == INI_NOTHING)
		return no_sense(line, why);

	if (out->kind == INI_ENTRY)
		out->value = slice_trim((struct slice){line.data + head, line.len - head});
	return 0;
}
