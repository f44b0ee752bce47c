/*
 * The line that is being typed, by readline: keys go in, lines come out. Nothing is read and
 * nothing is written here: what the line looks like is told to its owner, who draws it. readline
 * has one line for the whole process, so there is one editor at a time; on its owner's thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct editor;

struct editor_config {
	const char *prompt; /* lives as long as the editor */
	bool utf8;          /* what the terminal shows */
	/* A key behind the one at hand, for what takes several; negative: there is none any more.
	 * It may wait. */
	int (*next)(void *arg);
	/* Whether there is one within wait_ms that belongs to the same line. */
	bool (*waiting)(void *arg, int wait_ms);
	/* A line is whole. From within editor_key(). */
	void (*line)(void *arg, const char *line);
	/* Ctrl-D, or what is bound in its place, on an empty line. */
	void (*end)(void *arg);
	/* Calls editor_offer() with each word that could stand behind before, what is typed up to
	 * where the word at hand begins; true: files could stand there. */
	bool (*complete)(void *arg, const char *before);
	/* Words, the alternatives of a completion, are to be shown. */
	void (*alternatives)(void *arg, const char *const *words, size_t count);
	/* The screen is to be cleared, as by Ctrl-L. */
	void (*clear)(void *arg);
	void *arg;
};

/*
 * Loads readline, with the user's own settings of it. With no other thread running yet, as it sets
 * the locale. config is copied. -ENOENT, -ENOSYS, -ENOMEM, with words.
 */
int editor_new(struct editor **out, const struct editor_config *config, struct fault *why);

/* NULL is allowed. */
void editor_free(struct editor *editor);

/* Whether what is shown may have changed since the last call. */
bool editor_changed(struct editor *editor);

/* The prompt as it is now (a search has one of its own), the line, and the cursor in it. */
const char *editor_prompt(const struct editor *editor);
struct slice editor_line(const struct editor *editor);
size_t editor_point(const struct editor *editor);

/* Nothing is typed, and no key is waited for that would belong to one before. */
bool editor_is_empty(const struct editor *editor);

void editor_key(struct editor *editor, int key);

/* From within complete(): a word, of which those are taken that begin as the one at hand does. */
void editor_offer(struct editor *editor, const char *word);

/* What is typed is forgotten, with all that was begun. */
void editor_drop(struct editor *editor);

/* A line that can be called back, after those before it. False: it was the last one already. */
bool editor_remember(struct editor *editor, const char *line);

/* Whether pasted text is to be asked of the terminal as such. */
bool editor_wants_paste(const struct editor *editor);
