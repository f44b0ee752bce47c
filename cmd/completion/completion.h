/*
 * What makes a shell complete the arguments of sipcall: a program of the build, which puts the
 * tables that the program itself reads by into what stands in template.bash, template.zsh and
 * template.fish. One thread; what is written goes to standard output.
 */
#pragma once

#include "cmd/command.h"
#include "cmd/settings/options_private.h"

#include <stdbool.h>
#include <stddef.h>

enum { VALUE_WORD_SIZE = 100 };

/* What can stand where an option takes a value; told by the name that help has for it. */
struct value {
	const char *name;
	/* Writes the word number i to out, and false behind the last. One that ends in a colon goes
	 * on. NULL: there are none to be known. */
	bool (*word)(char out[static VALUE_WORD_SIZE], size_t i);
	bool list;  /* several, with commas between */
	bool files; /* any file; behind the word "file:" it is so without */
};

/* NULL if the name is not known. */
const struct value *value_find(const char *name);

/* The table. NULL behind the last. */
const struct value *value_at(size_t i);

/* The word number i that can stand behind the name of command, before any other. */
bool value_of_command(char out[static VALUE_WORD_SIZE], const struct command *command, size_t i);

/* The tables, for each. */
void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

/* Writes words between single quotes, as all three read them. */
void completion_quote(const char *words);
