/* What an expectation is made of: what the files of cmd/script/expect share, and with nobody else.
 */
#pragma once

#include "cmd/script/expect.h"

#include <regex.h>

enum { EXPECT_CONDITIONS_MAX = 8 };

enum expect_op {
	EXPECT_EQUAL,
	EXPECT_NOT_EQUAL,
	EXPECT_LESS,
	EXPECT_AT_MOST,
	EXPECT_MORE,
	EXPECT_AT_LEAST,
	EXPECT_LIKE
};

/* "code == 486" */
struct expect_condition {
	const char *field;
	enum expect_op op;
	const char *value;
	bool is_number;
	double number;
	regex_t regex; /* of EXPECT_LIKE */
};

struct expectation {
	enum expect_what what;
	bool no; /* it is not to come */
	enum ua_event_kind kind;
	double hz;         /* of TONE */
	uint64_t lasts_ns; /* of SILENCE */
	uint64_t limit_ns;
	struct expect_condition conditions[EXPECT_CONDITIONS_MAX];
	size_t count;
	char *room;    /* of the words */
	char *strings; /* the same with a NUL behind each */
};

/* Whether op asks for more or less, which only numbers are. */
static inline bool expect_is_ordered(enum expect_op op)
{
	return op == EXPECT_LESS || op == EXPECT_AT_MOST || op == EXPECT_MORE ||
	       op == EXPECT_AT_LEAST;
}
