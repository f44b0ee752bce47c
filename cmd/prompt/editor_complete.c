/*
 * Completion, as readline asks for it. Words are written as the command line reads them: with
 * backslashes, where no quote is open.
 */
#include "cmd/prompt/editor_private.h"

#include "core/base/text.h"

#include <stdlib.h>

static const char spaces[] = " \t";
static const char spaces_and_colon[] = " \t:"; /* of what has a file's path in it */
static const char to_be_quoted[] = " \t\\\"'&";

/* Counts the backslashes before it: an odd one takes what follows as it is. */
static int is_quoted(char *line, int index)
{
	int count = 0;

	while (index - count > 0 && line[index - count - 1] == '\\')
		count++;
	return count % 2;
}

/* At its beginning a # is a comment, unless it is a call's: "#2". */
static bool is_marked(const char *at, bool first, char quote)
{
	if (quote == '\'')
		return false; /* there is no mark within those */
	if (quote == '"')
		return *at == '"' || *at == '\\';
	return strchr(to_be_quoted, *at) ||
	       (first && *at == '#' && !(at[1] >= '0' && at[1] <= '9'));
}

/* A copy of word as it is to be typed, behind the open quote, if any. */
static char *quoted(const char *word, char quote)
{
	char *room = malloc(2 * strlen(word) + 1);
	char *out = room;

	if (!room)
		return NULL;
	for (const char *at = word; *at != '\0'; at++) {
		if (is_marked(at, at == word, quote))
			*out++ = '\\';
		*out++ = *at;
	}
	*out = '\0';
	return room;
}

/* A copy of typed as the command line reads it, up to where it ends. */
static char *unquoted(const char *typed, char quote)
{
	char *room = malloc(strlen(typed) + 1);
	char *out = room;

	if (!room)
		return NULL;
	for (; *typed != '\0'; typed++) {
		if (*typed == '\\' && quote != '\'' && typed[1] != '\0')
			typed++;
		*out++ = *typed;
	}
	*out = '\0';
	return room;
}

/* qc: the quote that is open before it, and belongs to what is given back. */
static char *quote_file(char *name, int kind, char *qc)
{
	char quote = qc ? *qc : '\0';
	char *word = quoted(name, quote);
	char *whole;

	(void)kind;
	if (!word || quote == '\0')
		return word;
	whole = malloc(strlen(word) + 2);
	if (whole) {
		whole[0] = quote;
		memcpy(whole + 1, word, strlen(word) + 1);
	}
	free(word);
	return whole;
}

static char *unquote_file(char *name, int quote)
{
	return unquoted(name, (char)quote);
}

/* Where the word at the cursor begins with what a path follows, the path is a word of its own. */
static char *word_breaks(void)
{
	static const char before_path[] = "file:";
	const struct readline *readline = the_editor->readline;
	char *line = *readline->line;
	int at = *readline->point;

	while (at > 0 && (!strchr(spaces, line[at - 1]) || is_quoted(line, at - 1)))
		at--;
	if (*readline->point - at >= (int)strlen(before_path) &&
		strncmp(line + at, before_path, strlen(before_path)) == 0)
		return (char *)(uintptr_t)spaces_and_colon;
	return (char *)(uintptr_t)spaces;
}

void editor_offer(struct editor *editor, const char *word)
{
	size_t count = editor->offered_count;
	char **more = realloc(editor->offered, (count + 1) * sizeof(*more));

	if (!more)
		return; /* one less to choose from */
	editor->offered = more;
	more[count] = word[0] == '\0' ? NULL : strdup(word);
	if (more[count])
		editor->offered_count++;
}

void editor_forget_offers(struct editor *editor)
{
	for (size_t i = 0; i < editor->offered_count; i++)
		free(editor->offered[i]);
	free(editor->offered);
	editor->offered = NULL;
	editor->offered_count = 0;
	editor->next = 0;
}

/* The next that begins as the word at hand does, for readline to free. */
static char *next_match(const char *typed, int state)
{
	struct editor *self = the_editor;
	char quote = (char)*self->readline->open_quote;
	char *begin = unquoted(typed, quote);
	char *match = NULL;

	if (state == 0)
		self->next = 0;
	while (begin && !match && self->next < self->offered_count) {
		const char *word = self->offered[self->next++];

		if (strncmp(word, begin, strlen(begin)) == 0)
			match = quoted(word, quote);
	}
	free(begin);
	return match;
}

/* NULL: files are looked for, unless it is over. */
static char **attempt(const char *word, int start, int end)
{
	struct editor *self = the_editor;
	const struct readline *readline = self->readline;
	struct slice before = {(const uint8_t *)*readline->line, (size_t)start};
	char *line = slice_copy(before);
	char **matches = NULL;
	bool files = false;

	(void)end;
	if (line)
		files = self->config.complete(self->config.arg, line);
	if (before.len > 0 && before.data[before.len - 1] == ':')
		files = true; /* the word's first part said so */
	else if (self->offered_count > 0)
		matches = readline->completion_matches(word, next_match);
	*readline->attempt_over = !files;
	/* a word that goes on */
	if (matches && !matches[1] && matches[0][strlen(matches[0]) - 1] == ':')
		*readline->suppress_append = 1;
	editor_forget_offers(self);
	free(line);
	return matches;
}

/* As a person would write it: of a path, what follows its last slash. To be freed. */
static char *shown(const char *match)
{
	const char *slash = strrchr(match, '/');

	if (!*the_editor->readline->are_files)
		return unquoted(match, (char)*the_editor->readline->open_quote);
	return strdup(slash && slash[1] != '\0' ? slash + 1 : match);
}

/* The first is what they have in common. */
static void show_matches(char **matches, int count, int longest)
{
	struct editor *self = the_editor;
	char **words = calloc((size_t)count, sizeof(*words));
	size_t kept = 0;

	(void)longest;
	if (!words)
		return;
	for (int i = 1; i <= count; i++)
		if ((words[kept] = shown(matches[i])))
			kept++;
	self->config.alternatives(self->config.arg, (const char *const *)words, kept);
	while (kept > 0)
		free(words[--kept]);
	free(words);
}

void editor_set_up_completion(struct editor *editor)
{
	const struct readline *readline = editor->readline;

	*readline->attempt = attempt;
	*readline->word_breaks = word_breaks;
	*readline->quotes = "\"'";
	*readline->is_quoted = is_quoted;
	*readline->file_quoted = to_be_quoted;
	*readline->quote_file = quote_file;
	*readline->unquote_file = unquote_file;
	*readline->display_matches = show_matches;
}
