/* What the printer's files share: what was told of calls, and how a line of it is made. On the
 * agent's thread, as print.h. */
#pragma once

#include "cmd/readers/meter.h"
#include "cmd/readers/print.h"
#include "core/base/list.h"
#include "core/base/text.h"

enum {
	PRINTER_LINE_SIZE = 8192,
	PRINTER_SOUND_SIZE = 256,
	PRINTER_CODEC_SIZE = 16,
	PRINTER_LISTENING_SIZE = 512,
	PRINTER_FIRST_COLUMN = 10,
	PRINTER_REGISTERED_MAX = 32,
	PRINTER_NAME_SIZE = 128, /* of an account's that is told apart from others */
};

/* What has been told of a call that is not over. */
struct printer_told {
	struct list link;
	unsigned call;
	bool ringing;
	uint16_t progress; /* the last code */
	bool answered;
	bool numbered;                  /* it was told with its number */
	bool held;                      /* by us */
	char codec[PRINTER_CODEC_SIZE]; /* empty before there is sound */
	char sound[PRINTER_SOUND_SIZE]; /* codec and address as they were told last, or empty */
	struct meter meter;
};

struct printer {
	struct printer_config config;
	/* Accounts that were told to be; or empty. */
	char registered[PRINTER_REGISTERED_MAX][PRINTER_NAME_SIZE];
	struct list calls; /* of struct printer_told, in the order in which they came */
	char room[PRINTER_LISTENING_SIZE];
	struct text listening; /* where we listen, of a line that is not whole yet */
};

enum printer_tone { PRINTER_PLAIN, PRINTER_GOOD, PRINTER_BAD };

/* NULL if there is no memory: then the call is told with less thought. */
struct printer_told *printer_told_of(struct printer *self, unsigned call);

void printer_told_free(struct printer_told *told);

/* Whether it is the one call whose meters are shown: the newest that was answered, before those
 * that we hold. */
bool printer_shows(struct printer *self, const struct printer_told *told);

/* A line to be ended by printer_finish(), whose newline has its room kept. */
struct text printer_line_in(char room[static PRINTER_LINE_SIZE]);

/* Without the spaces that a first column with nothing behind it leaves. */
void printer_finish(struct printer *self, struct text *out);

/* The first column, with the call's number if it takes one to know which. */
void printer_start(struct printer *self, struct text *out, enum printer_tone tone, const char *word,
	const struct ua_event *event);

/* "486 Busy Here" */
void printer_put_code(struct text *out, uint16_t code, struct slice reason);

/* Of UA_CALL_ENDED; what was told of the call is forgotten. */
void printer_ended(struct printer *self, const struct ua_event *event, struct text *out);
