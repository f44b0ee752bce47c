/*
 * Shared libraries that only some runs need, loaded when one does: who never opens a sound device
 * does not wait for its library, and a machine without it can say so. A library stays loaded until
 * the program ends, as its threads and handlers may. Any thread, and several at once.
 */
#pragma once

#include "core/base/fault.h"

#include <stddef.h>

/* A function that is wanted, and the place for its pointer in the caller's table. */
struct library_symbol {
	const char *name;
	size_t at; /* offsetof() of a function pointer */
};

/*
 * Loads file ("libportaudio.so.2") and fills the pointers of table, which was all NULL; one that is
 * filled already stays as it is. Returns -ENOENT, with words in why and table as it was, if there
 * is no such file, or -ENOSYS if it lacks a function.
 */
int library_load(void *table, const char *file, const struct library_symbol *symbols, size_t count,
	struct fault *why);
