/* What the files of the editor share among each other, and with nobody else. */
#pragma once

#include "cmd/prompt/editor.h"
#include "cmd/prompt/readline.h"

struct editor {
	struct editor_config config;
	const struct readline *readline;
	FILE *nowhere; /* what readline would write */
	int key;       /* to be read next; -1: none */
	int last;      /* that was read */
	bool changed;
	bool lost; /* there was no key behind the one at hand */

	/* Of the completion at hand. */
	char **offered;
	size_t offered_count;
	size_t next; /* to be looked at */
};

/* readline's functions take no argument. */
extern struct editor *the_editor;

/* Tells readline how words are completed, and where they begin and end. */
void editor_set_up_completion(struct editor *editor);

/* What is kept of the last one. */
void editor_forget_offers(struct editor *editor);
