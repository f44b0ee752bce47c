/*
 * Words side by side, as many in a row as the screen is wide: what a completion could become.
 * Any thread.
 */
#pragma once

#include <stddef.h>

enum { CHOICES_MAX = 200 }; /* that are shown; of more, their number is */

/* Lines with newlines, harmless on a terminal, in the order of words down each column; to be freed.
 * NULL if there is no memory. */
char *choices_print(const char *const *words, size_t count, size_t columns);
