#include "cmd/prompt/editor_private.h"

#include "core/base/text.h"

#include <assert.h>
#include <locale.h>
#include <stdlib.h>

enum { CTRL_L = 'L' & 0x1f, ESCAPE = 0x1b, ESCAPE_MS = 50, REMEMBERED = 1000 };

struct editor *the_editor;

static int give_key(FILE *in)
{
	struct editor *self = the_editor;
	int key = self->key;

	(void)in;
	self->key = -1;
	if (key < 0)
		key = self->config.next(self->config.arg);
	self->lost = self->lost || key < 0;
	self->last = key;
	return key < 0 ? EOF : key;
}

/* What follows an Escape may be a part of the same key, and a little late. */
static int is_waiting(void)
{
	struct editor *self = the_editor;

	return self->config.waiting(self->config.arg, self->last == ESCAPE ? ESCAPE_MS : 0);
}

static void note_change(void)
{
	the_editor->changed = true;
}

static int clear_screen(int count, int key)
{
	struct editor *self = the_editor;

	(void)count;
	(void)key;
	self->config.clear(self->config.arg);
	return 0;
}

/* What was pasted may be several; with no keyboard any more, what is half typed is no line. */
static void take_lines(char *lines)
{
	struct editor *self = the_editor;
	char *next = lines;

	if (self->lost) {
		free(lines);
		return;
	}
	if (!lines) {
		self->config.end(self->config.arg);
		return;
	}
	while (next) {
		char *line = strsep(&next, "\n");

		self->config.line(self->config.arg, line);
	}
	free(lines);
}

/* Characters of several bytes are edited as a whole, also where the locale is not installed. */
static void set_locale(bool utf8)
{
	if (!setlocale(LC_CTYPE, "") && utf8)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
}

static void set_up(struct editor *self)
{
	const struct readline *readline = self->readline;

	*readline->name = "sipcall"; /* in the user's settings, "$if sipcall" */
	*readline->outstream = self->nowhere;
	*readline->catch_signals = 0;
	*readline->catch_sigwinch = 0;
	*readline->change_environment = 0;
	*readline->getc_function = give_key;
	*readline->input_hook = is_waiting;
	*readline->prep_function = NULL; /* the terminal is its owner's */
	*readline->deprep_function = NULL;
	(void)readline->initialize();
	/* whoever has one of his own before that is taken not to have a terminal */
	*readline->redisplay_function = note_change;
	editor_set_up_completion(self);
	readline->using_history();
	readline->stifle_history(REMEMBERED);
	readline->install(self->config.prompt, take_lines);
	readline->bind_key(CTRL_L, clear_screen);
}

int editor_new(struct editor **out, const struct editor_config *config, struct fault *why)
{
	struct editor *self = calloc(1, sizeof(*self));
	int err;

	assert(!the_editor);
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a prompt");

	self->config = *config;
	self->key = -1;
	err = readline_load(&self->readline, why);
	if (err)
		goto out;
	self->nowhere = fopen("/dev/null", "we");
	if (!self->nowhere) {
		err = fault_set(why, -errno, "/dev/null: %s", strerror(errno));
		goto out;
	}

	the_editor = self;
	set_locale(config->utf8);
	set_up(self);
	*out = self;
	self = NULL; /* the caller's from here on */
out:
	free(self);
	return err;
}

void editor_free(struct editor *editor)
{
	if (!editor)
		return;

	editor->readline->remove();
	editor->readline->clear_history();
	*editor->readline->outstream = stdout;
	fclose(editor->nowhere);
	the_editor = NULL;
	free(editor);
}

bool editor_changed(struct editor *editor)
{
	bool changed = editor->changed;

	editor->changed = false;
	return changed;
}

const char *editor_prompt(const struct editor *editor)
{
	const char *prompt = *editor->readline->prompt;

	return prompt ? prompt : editor->config.prompt;
}

struct slice editor_line(const struct editor *editor)
{
	return slice_of(*editor->readline->line);
}

size_t editor_point(const struct editor *editor)
{
	return (size_t)*editor->readline->point;
}

bool editor_is_empty(const struct editor *editor)
{
	const unsigned long busy = RL_STATE_MOREINPUT | RL_STATE_ISEARCH | RL_STATE_NSEARCH |
				   RL_STATE_MULTIKEY | RL_STATE_NUMERICARG | RL_STATE_METANEXT |
				   RL_STATE_VIMOTION | RL_STATE_CHARSEARCH;

	return *editor->readline->end == 0 && (*editor->readline->state & busy) == 0;
}

void editor_key(struct editor *editor, int key)
{
	editor->key = key;
	editor->readline->read_char();
}

void editor_drop(struct editor *editor)
{
	editor->readline->clean_up();
	editor->readline->free_line_state();
	editor->readline->replace_line("", 1);
	*editor->readline->point = 0;
	editor->readline->using_history(); /* the next is the newest again */
	editor->changed = true;
}

bool editor_remember(struct editor *editor, const char *line)
{
	const struct readline *readline = editor->readline;
	const HIST_ENTRY *last =
		readline->history_get(*readline->history_base + *readline->history_length - 1);
	bool again = last && strcmp(last->line, line) == 0;

	if (!again)
		readline->add_history(line);
	readline->using_history(); /* the next is the newest again */
	return !again;
}

bool editor_wants_paste(const struct editor *editor)
{
	const char *value = editor->readline->variable("enable-bracketed-paste");

	return value && strcmp(value, "on") == 0;
}
