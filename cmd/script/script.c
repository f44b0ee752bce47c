#include "cmd/script/script.h"

#include "cmd/script/script_scope.h"
#include "cmd/whole.h"
#include "cmd/words.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN_SIZE = 300 };

/* The first word of text, which is moved behind it. */
static struct slice cut_word(struct slice *text)
{
	struct slice rest = slice_trim(*text);
	struct slice word = rest;

	word.len = 0;
	while (word.len < rest.len && rest.data[word.len] != ' ' && rest.data[word.len] != '\t')
		word.len++;
	(void)slice_take(&word, &rest, word.len);
	*text = rest;
	return word;
}

static enum script_kind kind_of(const char *line)
{
	static const struct {
		const char *name;
		enum script_kind kind;
	} words[] = {
		{"phone", SCRIPT_PHONE},
		{"net", SCRIPT_NET},
		{"repeat", SCRIPT_REPEAT},
		{"end", SCRIPT_END},
	};
	struct slice rest = slice_of(line);
	struct slice first = cut_word(&rest);

	if (slice_is(cut_word(&rest), "="))
		return SCRIPT_SET;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_is(first, words[i].name))
			return words[i].kind;
	return SCRIPT_COMMAND;
}

/* The repeats that are open while lines are read. */
struct blocks {
	size_t open[SCRIPT_DEPTH_MAX];
	size_t depth;
	size_t too_deep; /* that were begun beyond these */
};

static const char *open_block(struct blocks *blocks, size_t i)
{
	if (blocks->depth == SCRIPT_DEPTH_MAX) {
		blocks->too_deep++;
		return "more than 8 repeats in each other";
	}
	blocks->open[blocks->depth++] = i;
	return NULL;
}

static const char *close_block(struct blocks *blocks, struct script *script, size_t i)
{
	size_t begin;

	if (blocks->too_deep > 0) {
		blocks->too_deep--;
		return NULL;
	}
	if (blocks->depth == 0)
		return "there is no repeat that it could be the end of";

	begin = blocks->open[--blocks->depth];
	script->lines[begin].other = i;
	script->lines[i].other = begin;
	return NULL;
}

static void add_line(
	struct script *script, struct blocks *blocks, unsigned number, char *text, size_t len)
{
	size_t i = script->count++;
	struct script_line *line = &script->lines[i];

	*line = (struct script_line){.number = number, .text = text, .other = i};
	if (strlen(text) < len) {
		line->wrong = "a byte 0; a script is text";
		return;
	}
	if (len > SCRIPT_LINE_MAX) {
		text[0] = '\0';
		line->wrong = "longer than 4096 bytes";
		return;
	}
	line->kind = kind_of(text);
	if (line->kind == SCRIPT_REPEAT)
		line->wrong = open_block(blocks, i);
	if (line->kind == SCRIPT_END)
		line->wrong = close_block(blocks, script, i);
	if (line->kind == SCRIPT_PHONE)
		script->has_phones = true;
	if (line->kind == SCRIPT_NET)
		script->has_nets = true;
	if (line->kind == SCRIPT_PHONE && blocks->depth > 0)
		line->wrong = "a phone is there once, and not within a repeat";
}

static bool is_comment(const char *text)
{
	return text[0] == '#' && !(text[1] >= '0' && text[1] <= '9');
}

/* Cuts script->bytes, of which len are text. */
static void cut_lines(struct script *script, size_t len)
{
	struct slice rest = {(const uint8_t *)script->bytes, len};
	struct blocks blocks = {0};
	struct slice line;

	if (slice_starts_nocase(rest, "\xef\xbb\xbf")) /* as some editors begin UTF-8 */
		(void)slice_take(&line, &rest, 3);
	for (unsigned number = 1; rest.len > 0; number++) {
		char *text;

		(void)slice_cut(&line, &rest, '\n');
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		text = script->bytes + (line.data - (const uint8_t *)script->bytes);
		text[line.len] = '\0';
		for (; line.len > 0 && (*text == ' ' || *text == '\t'); text++)
			line.len--;
		if (line.len > 0 && !is_comment(text))
			add_line(script, &blocks, number, text, line.len);
	}
	while (blocks.depth > 0)
		script->lines[blocks.open[--blocks.depth]].wrong = "a repeat without its end";
}

static int refuse(const char *name, struct fault *why, int err, const char *what)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(name));
	return fault_set(why, err, "%s: %s", shown, what);
}

static size_t count_lines(struct slice bytes)
{
	size_t count = 1;
	struct slice line;

	while (slice_cut(&line, &bytes, '\n'))
		count++;
	return count;
}

int script_new(struct script **out, const char *name, struct slice bytes, struct fault *why)
{
	size_t lines = count_lines(bytes);
	struct script *script;

	if (bytes.len > SCRIPT_BYTES_MAX)
		return refuse(name, why, -EFBIG, "more than a megabyte is no script");
	if (lines > SCRIPT_LINES_MAX)
		return refuse(name, why, -EFBIG, "more than 20000 lines are no script");

	script = calloc(1, sizeof(*script));
	if (!script)
		return fault_set(why, -ENOMEM, "too little memory for a script");

	script->name = slice_copy(slice_of(name));
	script->bytes = calloc(1, bytes.len + 1);
	script->lines = calloc(lines, sizeof(*script->lines));
	if (!script->name || !script->bytes || !script->lines) {
		script_free(script);
		return fault_set(why, -ENOMEM, "too little memory for a script");
	}
	if (bytes.len > 0)
		memcpy(script->bytes, bytes.data, bytes.len);
	cut_lines(script, bytes.len);
	*out = script;
	return 0;
}

int script_load(struct script **out, const char *path, struct fault *why)
{
	bool standard = strcmp(path, "-") == 0;
	struct buf bytes = {.size = SCRIPT_BYTES_MAX + 1}; /* what is too much shows */
	int fd = STDIN_FILENO;
	int err;

	bytes.data = calloc(1, bytes.size);
	if (!bytes.data)
		return fault_set(why, -ENOMEM, "too little memory for a script");

	if (!standard)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : whole_read(&bytes, fd);
	if (err)
		(void)refuse(path, why, err, strerror(-err));
	else
		err = script_new(out, standard ? "standard input" : path,
			(struct slice){bytes.data, bytes.len}, why);
	if (!standard && fd >= 0)
		close(fd);
	free(bytes.data);
	return err;
}

void script_free(struct script *script)
{
	if (!script)
		return;

	free(script->name);
	free(script->bytes);
	free(script->lines);
	free(script);
}
