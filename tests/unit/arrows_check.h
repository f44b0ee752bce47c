/*
 * Who includes whom in the house: the arrows between the rooms (CONTRIBUTING.md), circles, and
 * headers with which a room would reach past its loop. It reads sources as text; one thread.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum { ARROWS_TOPS = 4 };

/* The folders below a root that are read. Each must be there. */
extern const char *const arrows_tops[ARROWS_TOPS];

/*
 * Returns how many violations there are; each is printed to out as file:line. file_count is how
 * many sources and headers were read. What cannot be read ends the program with 2.
 */
size_t arrows_check(const char *root, FILE *out, size_t *file_count);

/* A text to free(). */
char *arrows_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints what failed, and why by errno, and ends the program with 2. */
void arrows_give_up(const char *what) __attribute__((noreturn));
