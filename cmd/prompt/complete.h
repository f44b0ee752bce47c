/*
 * What could stand where a word is being typed: by the command table, and by what the phone has
 * said there is (calls, contacts, devices). On the terminal's thread, which never asks the phone
 * itself: it is handed lists of words instead.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum complete_list {
	COMPLETE_CALLS,    /* "#1" */
	COMPLETE_CONTACTS, /* names, and whoever else may be called */
	COMPLETE_MICS,     /* "device:Headset" */
	COMPLETE_SPEAKERS,
	COMPLETE_LISTS,
};

/* Zero at first. */
struct complete {
	char *words[COMPLETE_LISTS]; /* each ended by a NUL */
	size_t lens[COMPLETE_LISTS]; /* with all the NULs */
};

/* What it holds. */
void complete_free(struct complete *complete);

/* A list takes the place of the one before. words: from malloc(), and not the caller's any more. */
void complete_set(struct complete *complete, enum complete_list list, char *words, size_t len);

/* What else could stand there. */
struct complete_more {
	bool files;   /* a file's path */
	bool devices; /* the names of COMPLETE_MICS or COMPLETE_SPEAKERS */
};

/*
 * Calls offer with each word that could stand behind before, the line up to where the word begins;
 * whoever asked knows how that word begins.
 */
void complete_each(struct complete_more *more, const struct complete *complete, const char *before,
	void (*offer)(void *arg, const char *word), void *arg);
