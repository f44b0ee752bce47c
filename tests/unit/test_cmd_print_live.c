/* cmd/readers/print: the live line, of one call and of several, and where there is little room. */
#include "tests/unit/print_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static void test_live(void **state)
{
	static const struct printer_config live = {.live = true, .utf8 = true};
	static const struct ua_event events[] = {
		METER(0, -10, -10), /* of a call that we know nothing of */
		CALLING,
		METER(0, 0, -60),
		ANSWERED,
		METER(14.9, -20, -40),
		ENDED(.cause = UA_CAUSE_LOCAL, .answered = true),
		METER(15, 0, 0),
	};

	(void)state;
	EXPECT(&live, events,
		"calling   bob@example.org  udp 192.0.2.7:5060\n"
		"answered  opus 48 kHz  198.51.100.4:40212\n"
		"[   0:14   you     █▆   bob     ▁▃   loss 0.0 %   buffer 24 ms   mos 4.4   opus]\n"
		"[]\n"
		"ended     by us after 0:00\n");
}

/* Of several calls one has the line: the newest that was answered. */
static void test_live_of_several(void **state)
{
	static const struct printer_config live = {.live = true};
	static const struct ua_event events[] = {
		{.kind = UA_CALL_INCOMING, ALICE},
		{.kind = UA_CALL_INCOMING, DAVE},
		{.kind = UA_CALL_ANSWERED, DAVE},
		{.kind = UA_CALL_METER, ALICE, .stats = {.near_dbfs = -9}},
		{.kind = UA_CALL_METER, DAVE, .stats = {.near_dbfs = 0, .far_dbfs = -100}},
		{.kind = UA_CALL_ENDED, ALICE, .ended = {.cause = UA_CAUSE_REMOTE}},
		{.kind = UA_CALL_METER,
			DAVE,
			.stats = {.now = {.received = 1, .lost = 9, .buffer_ms = 120},
				.near_dbfs = -55,
				.far_dbfs = -31}},
	};

	(void)state;
	EXPECT(&live, events,
		"incoming  alice@192.0.2.9\n"
		"incoming  #2 dave@example.net\n"
		"answered  #2\n"
		"[#2    0:00   you ######   dave          loss 0.0 %   buffer 0 ms    mos -]\n"
		"missed    #1 alice gave up\n"
		"[#2    0:00   you          dave ###      loss 90.0 %  buffer 120 ms  mos -]\n");
}

/* Before those that we hold; of those, the newest again. */
static void test_live_of_held(void **state)
{
	static const struct printer_config live = {.live = true};
	static const struct ua_event events[] = {
		{.kind = UA_CALL_INCOMING, ALICE},
		{.kind = UA_CALL_INCOMING, DAVE},
		{.kind = UA_CALL_ANSWERED, ALICE},
		{.kind = UA_CALL_ANSWERED, DAVE},
		{.kind = UA_CALL_METER, ALICE}, /* is not shown */
		{.kind = UA_CALL_METER, DAVE},
		{.kind = UA_CALL_HELD, DAVE, .hold = {.remote = true}},
		{.kind = UA_CALL_METER, ALICE},
		{.kind = UA_CALL_HELD, DAVE},
		{.kind = UA_CALL_METER, ALICE},
		{.kind = UA_CALL_HELD, ALICE},
		{.kind = UA_CALL_METER, DAVE},
	};

	(void)state;
	EXPECT(&live, events,
		"incoming  alice@192.0.2.9\n"
		"incoming  #2 dave@example.net\n"
		"answered  #1\n"
		"answered  #2\n"
		"[#2    0:00   you ######   dave ######   loss 0.0 %   buffer 0 ms    mos -]\n"
		"held      #2 by dave\n"
		"held      #2 by us\n"
		"[#1    0:00   you ######   alice ######   loss 0.0 %   buffer 0 ms    mos -]\n"
		"held      #1 by us\n"
		"[#2    0:00   you ######   dave ######   loss 0.0 %   buffer 0 ms    mos -]\n");
}

static size_t narrow;

static size_t narrow_columns(void *arg)
{
	(void)arg;
	return narrow;
}

/* Whole fields go, the least wanted first, and the name before them. */
static void test_narrow(void **state)
{
	static const struct {
		size_t columns;
		bool utf8;
		const char *line;
	} rows[] = {
		{83, true,
			"[   0:14   you      ▆   bob-the-builde…      ▃   loss 0.0 %   buffer 24 ms"
			"   mos 4.4]\n"},
		{79, true,
			"[   0:14   you      ▆   bob-the-bu…      ▃   loss 0.0 %   buffer 24 ms   "
			"mos 4.4]\n"},
		{79, false,
			"[   0:14   you #####    bob-the-... ##       loss 0.0 %   buffer 24 ms   "
			"mos 4.4]\n"},
		{73, true,
			"[   0:14   you      ▆   bob-the-builde…      ▃   loss 0.0 %   mos 4.4]\n"},
		{59, true, "[   0:14   you      ▆   bob-t…      ▃   loss 0.0 %   mos 4.4]\n"},
		{46, true, "[   0:14   bob-t…      ▃   loss 0.0 %   mos 4.4]\n"},
		{30, true, "[   0:14   loss 0.0 %   mos 4.4]\n"},
		{29, true, "[loss 0.0 %   mos 4.4]\n"},
		{19, true, "[mos 4.4]\n"},
		{6, true, "[]\n"},
	};
	static const struct ua_event events[] = {
		{.kind = UA_CALL_ANSWERED, .call = 1},
		{.kind = UA_CALL_METER,
			.call = 1,
			.peer = TEXT("sip:bob-the-builders@h"),
			.stats = {.now = STATS,
				.duration_s = 14,
				.near_dbfs = -20,
				.far_dbfs = -40}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct printer_config config = {
			.live = true, .utf8 = rows[i].utf8, .columns = narrow_columns};
		char expected[256];

		narrow = rows[i].columns;
		snprintf(expected, sizeof(expected), "answered\n%s", rows[i].line);
		print_page_expect(&config, events, 2, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_live_of_several),
		cmocka_unit_test(test_live_of_held),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests_name("cmd/readers/print, the live line", tests, NULL, NULL);
}
