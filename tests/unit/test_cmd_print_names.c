/* cmd/readers/print: names and words from outside that would like to be something else. */
#include "tests/unit/print_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	PIECE_BYTES = 382, /* of one text from outside, at most */
	LINE_BYTES = 8190, /* of a line, its newline not counted */
};

/* Names that would like to be something else (RFC 3261 allows nearly all of them). */
static void test_hostile(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_CALL_INCOMING,
			.call = 1,
			.peer = TEXT("sip:x@y\r\nended     by you"),
			.display = TEXT("\x1b]0;title\x07\x9b"
					"31m\xe2\x80\xae %s%n \xff")},
		{.kind = UA_CALL_RINGING, .call = 1, .display = TEXT("J\xc3\xb6rg \xe5\xbc\xa0\n")},
	};
	static char name[100000];
	struct ua_event longest = {.kind = UA_CALL_RINGING, .call = 1};
	char expected[4000] = "ringing   ";

	(void)state;
	EXPECT(&print_plain, events,
		"incoming  \"\\x1b]0;title\\x07\\x9b31m\\xe2\\x80\\xae %s%n \\xff\" "
		"<sip:x@y\\x0d\\x0aended     by you>\n"
		"ringing   J\xc3\xb6rg \xe5\xbc\xa0\\x0a\n");

	memset(name, 'x', sizeof(name));
	longest.display = (struct slice){(const uint8_t *)name, sizeof(name)};
	memset(expected + 10, 'x', 120);
	strcpy(expected + 130, "...\n");
	print_page_expect(&print_plain, &longest, 1, expected);

	for (size_t i = 0; i < sizeof(name); i++) /* marks without a column of their own */
		name[i] = "\xcc\x88"[i % 2];
	memcpy(expected + 10, name, PIECE_BYTES);
	strcpy(expected + 10 + PIECE_BYTES, "...\n");
	print_page_expect(&print_plain, &longest, 1, expected);
}

/* Even of a line that is too long the end is one. */
static void test_longest_line(void **state)
{
	static const struct printer_config verbose = {.verbose = true};
	static char path[10000], expected[10000] = "cancelled\n          recorded ";
	struct ua_event event = ENDED(.cause = UA_CAUSE_LOCAL, .recording = path);
	size_t start = strlen(expected);

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	memset(expected + start, 'x', LINE_BYTES - (start - 10));
	strcpy(expected + 10 + LINE_BYTES, "\n");
	print_page_expect(&verbose, &event, 1, expected);
}

/* Neither ours nor theirs is for the screen. */
static void test_password(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x:secret@192.0.2.7:5080"),
			.way = {.transport = "udp", .address = IP(192, 0, 2, 7, 5080)}},
		{.kind = UA_CALL_INCOMING, .peer = TEXT("sips:x:secret@h"), .display = TEXT("X")},
		{.kind = UA_CALL_INCOMING, .peer = TEXT("sip:x:secret@h"), .display = TEXT("X")},
		{.kind = UA_CALL_INCOMING, .peer = TEXT("sip:h:5060")},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"calling   x@192.0.2.7:5080  udp\n"
		"incoming  \"X\" <sips:x@h>\n"
		"incoming  \"X\" <sip:x@h>\n"
		"incoming  h:5060\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_password),
	};

	return cmocka_run_group_tests_name("cmd/readers/print, names", tests, NULL, NULL);
}
