/* cmd/readers/print: events in, the exact lines out, for calls of all fates. */
#include "tests/unit/print_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static const struct slice targets[] = {
	TEXT("sip:carol:secret@example.org"), TEXT("sip:da\x1bve@example.net")};

static void test_hold(void **state)
{
	static const struct ua_event events[] = {
		HELD(true), RESUMED(true), HELD(false), RESUMED(false)};

	(void)state;
	EXPECT(&print_plain, events,
		"held      by bob\n"
		"resumed   by bob\n"
		"held      by us\n"
		"resumed   by us\n");
}

static void test_played_and_recorded(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_CALL_PLAYED, BOB, .played = {"file:a\x1b.wav", true, NULL}},
		{.kind = UA_CALL_PLAYED, BOB, .played = {"tone:440", false, NULL}},
		{.kind = UA_CALL_PLAYED, BOB, .played = {"file:a", false, "a: no such file"}},
		{.kind = UA_CALL_RECORDING, BOB, .recording = {"a\x1b.wav", true, NULL}},
		{.kind = UA_CALL_RECORDING, BOB, .recording = {"a\x1b.wav", false, NULL}},
		{.kind = UA_CALL_RECORDING, BOB, .recording = {"a", false, "a: it exists"}},
		{.kind = UA_CALL_TONE, BOB, .tone = {440.5, -13.01, 100, true}},
		{.kind = UA_CALL_TONE, BOB, .tone = {440.5, -13.01, 1240, false}},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"played    file:a\\x1b.wav\n"
		"recording a\\x1b.wav\n"
		"recorded  a\\x1b.wav\n"
		"tone      440.5 Hz for 1.24 s, -13 dB\n");
}

static void test_redirected(void **state)
{
	static const struct ua_event events[] = {REDIRECTED};

	(void)state;
	EXPECT(&print_plain, events,
		"redirected 302 Moved Temporarily: to carol@example.org, then "
		"da\\x1bve@example.net\n");
}

static void test_network(void **state)
{
	static const struct printer_config quiet = {.quiet = true};
	static const struct addr addresses[] = {IP(192, 0, 2, 7, 0), IP(192, 0, 2, 8, 0)};
	static const struct ua_event events[] = {
		{.kind = UA_NETWORK_CHANGED,
			.network = {.addresses = addresses,
				.count = 1,
				.added = addresses,
				.added_count = 1,
				.removed = addresses + 1,
				.removed_count = 1}},
		{.kind = UA_NETWORK_CHANGED, .network = {.removed = addresses, .removed_count = 2}},
		{.kind = UA_NETWORK_CHANGED,
			.network = {.addresses = addresses,
				.count = 2,
				.added = addresses,
				.added_count = 2}},
		{.kind = UA_NETWORK_CHANGED,
			.network = {.addresses = addresses,
				.count = 1,
				.removed = addresses + 1,
				.removed_count = 1}},
		{.kind = UA_NETWORK_CHANGED, .network = {.addresses = addresses, .count = 1}},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"network   192.0.2.8 is gone, there is 192.0.2.7\n"
		"network   192.0.2.7, 192.0.2.8 are gone, no other is there\n"
		"network   there is 192.0.2.7, 192.0.2.8\n"
		"network   192.0.2.8 is gone\n"
		"network   another way leads out\n");
	EXPECT(&quiet, events, "");
}

/* One line for what belongs together, and none before it is whole. */
static void test_listening_by_both(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_LISTENING,
			.listening = {.transport = "udp",
				.address = IP(0, 0, 0, 0, 5060),
				.more = true}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "tcp", .address = IP(0, 0, 0, 0, 5060)}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "udp",
				.address = IP(0, 0, 0, 0, 40000),
				.fallback = true,
				.more = true}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "tcp",
				.address = IP(0, 0, 0, 0, 40000),
				.fallback = true}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "tcp", .address = IP(127, 0, 0, 1, 5070)}},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"listening udp 0.0.0.0:5060, tcp 0.0.0.0:5060\n"
		"listening udp 0.0.0.0:40000, tcp 0.0.0.0:40000   as the usual port (5060) is "
		"taken\n"
		"listening tcp 127.0.0.1:5070\n");
}

static void test_call(void **state)
{
	static const struct ua_event events[] = {
		CALLING,
		RINGING,
		RINGING, /* a second 180 is no news */
		ANSWERED,
		MEDIA, /* nor is what the answer has told */
		{.kind = UA_CALL_STATS, BOB, .stats = {.now = STATS}},
		ENDED(.cause = UA_CAUSE_REMOTE, .code = 200, .answered = true, .duration_s = 151.9,
			.stats = STATS),
	};

	(void)state;
	EXPECT(&print_plain, events,
		"calling   bob@example.org  udp 192.0.2.7:5060\n"
		"ringing   Bob Example\n"
		"answered  opus 48 kHz  198.51.100.4:40212\n"
		"ended     by bob after 2:31   lost 2 of 7550   mos 4.4\n");
}

static void test_early_media(void **state)
{
	static const struct ua_event events[] = {
		CALLING,
		{.kind = UA_CALL_PROGRESS, BOB, .provisional = {183, TEXT("Session Progress")}},
		{.kind = UA_CALL_PROGRESS, BOB, .provisional = {183, TEXT("Session Progress")}},
		MEDIA,
		{.kind = UA_CALL_PROGRESS, BOB, .provisional = {182, TEXT("Queued")}},
		{.kind = UA_CALL_RINGING, BOB, .provisional = {180, TEXT("Ringing")}},
		ANSWERED,
		{.kind = UA_CALL_MEDIA,
			BOB,
			.media = {"pcmu", 8000, 0, IP(198, 51, 100, 4, 40212), "aes-256-gcm",
				NULL}},
		{.kind = UA_CALL_MEDIA, BOB, .media = {"g7", 11025, 0, {0}, NULL, NULL}},
		{.kind = UA_CALL_MEDIA, BOB, .media = {"g7", 11025, 0, {0}, NULL, "opus"}},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"calling   bob@example.org  udp 192.0.2.7:5060\n"
		"progress  183 Session Progress\n"
		"media     opus 48 kHz  198.51.100.4:40212\n"
		"progress  182 Queued\n"
		"ringing\n"
		"answered\n"
		"media     pcmu 8 kHz, encrypted (aes-256-gcm)  198.51.100.4:40212\n"
		"media     g7 11.025 kHz\n"
		"media     g7 11.025 kHz, opus comes back\n");
}

/* The address is told only where the URI does not show it. */
static void test_calling(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.1:5099"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5099)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:127.0.0.1"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("SIP:x@127.0.0.1;transport=udp"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.1:5099"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.1"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5061)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.11"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:127.0.0.1@example.org"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@[::1]:5070"),
			.way = {.transport = "udp",
				.address = {.family = ADDR_IPV6, .port = 5070, .ip = {[15] = 1}}}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.1x:5060"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060)}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sips:x@example.org"),
			.way = {.transport = "tls", .address = {0}}},
		{.kind = UA_CALL_OUTGOING,
			.peer = TEXT("sip:x@127.0.0.1:99999"),
			.way = {.transport = "udp", .address = IP(127, 0, 0, 1, 34463)}},
	};

	(void)state;
	EXPECT(&print_plain, events,
		"calling   x@127.0.0.1:5099  udp\n"
		"calling   127.0.0.1  udp\n"
		"calling   x@127.0.0.1;transport=udp  udp\n"
		"calling   x@127.0.0.1:5099  udp 127.0.0.1:5060\n"
		"calling   x@127.0.0.1  udp 127.0.0.1:5061\n"
		"calling   x@127.0.0.11  udp 127.0.0.1:5060\n"
		"calling   127.0.0.1@example.org  udp 127.0.0.1:5060\n"
		"calling   x@[::1]:5070  udp\n"
		"calling   x@127.0.0.1x:5060  udp 127.0.0.1:5060\n"
		"calling   sips:x@example.org  tls\n"
		"calling   x@127.0.0.1:99999  udp 127.0.0.1:34463\n");
}

/* One call each, ended in its way. */
static const struct fate {
	struct ua_event event;
	const char *line;
	bool failure; /* told even if quiet */
} fates[] = {
	{ENDED(.cause = UA_CAUSE_LOCAL, .code = 200, .answered = true, .duration_s = 5.4,
		 .stats = {.sent = 250, .received = 250, .mos = 4.4}),
		"ended     by us after 0:05   lost 0 of 250   mos 4.4\n", false},
	{ENDED(.cause = UA_CAUSE_LOCAL, .answered = true, .duration_s = 3725,
		 .stats = {.sent = 250}),
		"ended     by us after 1:02:05   nothing was heard\n", false},
	{ENDED(.cause = UA_CAUSE_LOCAL, .answered = true, .words = "the BYE was not answered"),
		"ended     by us after 0:00   (the BYE was not answered)\n", false},
	{ENDED(.cause = UA_CAUSE_REMOTE, .answered = true, .duration_s = 59.99,
		 .stats = {.received = 10, .lost = -3}),
		"ended     by bob after 0:59   lost 0 of 10\n", false},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 486, .reason = TEXT("Busy Here")),
		"busy      486 Busy Here\n", true},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 600, .reason = TEXT("Busy Everywhere")),
		"busy      600 Busy Everywhere\n", true},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 603, .reason = TEXT("Decline")),
		"declined  603 Decline\n", true},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 480, .reason = TEXT("Temporarily Unavailable")),
		"failed    480 Temporarily Unavailable\n", true},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 404, .reason = TEXT("Not\x1b[31mFound\r\n")),
		"failed    404 Not\\x1b[31mFound\\x0d\\x0a\n", true},
	{ENDED(.cause = UA_CAUSE_REJECTED, .code = 488, .reason = TEXT("Not Acceptable Here"),
		 .words = "they offer no codec of ours (we: gsm; they: opus)"),
		"failed    488 Not Acceptable Here: they offer no codec of ours "
		"(we: gsm; they: opus)\n",
		true},
	{ENDED(.cause = UA_CAUSE_MEDIA, .code = 200, .answered = true, .duration_s = 61,
		 .words = "nothing came for 30 s", .stats = STATS),
		"failed    nothing came for 30 s   after 1:01   lost 2 of 7550   mos 4.4\n", true},
	{ENDED(.cause = UA_CAUSE_UNREACHABLE, .code = 503, .reason = TEXT("Service Unavailable"),
		 .words = "nothing listens on 127.0.0.1:5099 (port unreachable)"),
		"failed    nothing listens on 127.0.0.1:5099 (port unreachable)\n", true},
	{ENDED(.cause = UA_CAUSE_MEDIA, .code = 408, .reason = TEXT("Request Timeout"),
		 .words = "bob never acknowledged our answer"),
		"failed    bob never acknowledged our answer\n", true},
	{ENDED(.cause = UA_CAUSE_UNREACHABLE), "failed    unreachable\n", true},
	{ENDED(.cause = UA_CAUSE_TIMEOUT, .code = 487, .words = "no answer in 180 s"),
		"failed    no answer in 180 s\n", true},
	{ENDED(.cause = UA_CAUSE_ERROR, .words = "no free \x1bport"),
		"failed    no free \\x1bport\n", true},
	{ENDED(.cause = UA_CAUSE_REMOTE, .code = 487, .reason = TEXT("Request Terminated")),
		"failed    487 Request Terminated\n", true},
	{ENDED(.cause = UA_CAUSE_LOCAL, .code = 487, .reason = TEXT("Request Terminated")),
		"cancelled\n", false},
	{{.kind = UA_CALL_ENDED,
		 BOB,
		 .ended = {.cause = UA_CAUSE_REJECTED, .code = 486, .reason = TEXT("Busy Here")}},
		"declined  486 Busy Here\n", false},
	{{.kind = UA_CALL_ENDED, BOB, .ended = {.cause = UA_CAUSE_REMOTE, .code = 487}},
		"missed    bob gave up\n", false},
	{{.kind = UA_CALL_ENDED,
		 BOB,
		 .ended = {.cause = UA_CAUSE_REMOTE, .code = 487, .words = "answered elsewhere"}},
		"missed    bob gave up   (answered elsewhere)\n", false},
	{ENDED(.cause = UA_CAUSE_REMOTE, .answered = true, .words = "Q.850 17: user\x1b busy"),
		"ended     by bob after 0:00   (Q.850 17: user\\x1b busy)\n", false},
	{{.kind = UA_NOTICE, .notice = {.words = "the loudspeaker a\x1b is gone"}},
		"note      the loudspeaker a\\x1b is gone\n", false},
	{{.kind = UA_ERROR, .error = {.words = "cannot write a\x1b.wav"}},
		"error     cannot write a\\x1b.wav\n", true},
};

static void test_fates(void **state)
{
	static const struct printer_config quiet = {.quiet = true, .listening = true};

	(void)state;
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
		print_page_expect(&print_plain, &fates[i].event, 1, fates[i].line);
		print_page_expect(
			&quiet, &fates[i].event, 1, fates[i].failure ? fates[i].line : "");
	}
}

static void test_quiet(void **state)
{
	static const struct printer_config quiet = {.quiet = true, .live = true, .listening = true};
	static const struct ua_event events[] = {
		{.kind = UA_LISTENING,
			.listening = {.transport = "udp",
				.address = IP(0, 0, 0, 0, 5060),
				.more = true}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "tcp", .address = IP(0, 0, 0, 0, 5060)}},
		HELD(true),
		REDIRECTED,
		{.kind = UA_CALL_PLAYED, BOB, .played = {"tone:440", true, NULL}},
		{.kind = UA_CALL_RECORDING, BOB, .recording = {"a.wav", true, NULL}},
		{.kind = UA_CALL_TONE, BOB, .tone = {440, -13, 1240, false}},
		{.kind = UA_CALL_INCOMING, .call = 2, .peer = TEXT("sip:eve@example.org")},
		CALLING,
		RINGING,
		{.kind = UA_CALL_PROGRESS, BOB, .provisional = {183, TEXT("Session Progress")}},
		MEDIA,
		ANSWERED,
		METER(1, -20, -20),
	};

	(void)state;
	EXPECT(&quiet, events, "");
}

static void test_who_ended(void **state)
{
	static const struct {
		struct slice peer;
		const char *name;
	} rows[] = {
		{TEXT("sip:al%20ice@example.org;x=y"), "al%20ice"},
		{TEXT("sips:alice@example.org"), "alice"},
		{TEXT("sip:alice:pw@example.org"), "alice"},
		{TEXT("sip:127.0.0.1:5070"), "127.0.0.1"},
		{TEXT("sips:example.org;x=y:z"), "example.org"},
		{TEXT("sip:[::1]:5070;x"), "[::1]"},
		{TEXT("sip:[::1"), "["},
		{TEXT("sip:@127.0.0.1:1"), "127.0.0.1"},
		{TEXT("alice@example.org"), "alice"},
		{TEXT("tel:+49123"), "+49123"},
		{TEXT("tel:12;phone-context=h"), "12"},
		{TEXT("sip:a\x1b\xff@b"), "a\\x1b\\xff"},
		{TEXT(""), ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ua_event event = {.kind = UA_CALL_ENDED, .call = 1, .peer = rows[i].peer};
		char expected[128];

		event.ended.cause = UA_CAUSE_REMOTE;
		event.ended.answered = true;
		snprintf(expected, sizeof(expected), "ended     by %s after 0:00\n", rows[i].name);
		print_page_expect(&print_plain, &event, 1, expected);
	}
}

static void test_waiting(void **state)
{
	static const struct ua_event events[] = {
		{.kind = UA_LISTENING,
			.listening = {.transport = "udp", .address = IP(0, 0, 0, 0, 5060)}},
		{.kind = UA_LISTENING,
			.listening = {.transport = "udp",
				.address = IP(0, 0, 0, 0, 40123),
				.fallback = true}},
		{.kind = UA_CALL_INCOMING,
			ALICE,
			.display = TEXT("Alice"),
			.way = {.transport = "udp", .address = IP(192, 0, 2, 9, 5060)}},
		{.kind = UA_CALL_ANSWERED,
			ALICE,
			.media = {"pcmu", 8000, 0, IP(192, 0, 2, 9, 4000), NULL, NULL}},
		{.kind = UA_CALL_INCOMING, DAVE},
		{.kind = UA_CALL_ENDED,
			ALICE,
			.ended = {.cause = UA_CAUSE_REMOTE, .answered = true, .duration_s = 9}},
		{.kind = UA_CALL_ENDED, DAVE, .ended = {.cause = UA_CAUSE_REMOTE}},
		{.kind = UA_ERROR, .call = 2, .error = {.words = "late words"}},
	};
	static const struct printer_config silent = {.listening = false};
	static const struct printer_config many = {.listening = true, .numbered = true};

	(void)state;
	EXPECT(&print_plain, events,
		"listening udp 0.0.0.0:5060\n"
		"listening udp 0.0.0.0:40123   as the usual port (5060) is taken\n"
		"incoming  \"Alice\" <sip:alice@192.0.2.9>\n"
		"answered  pcmu 8 kHz  192.0.2.9:4000\n"
		"incoming  #2 dave@example.net\n"
		"ended     #1 by alice after 0:09\n"
		"missed    #2 dave gave up\n"
		"error     late words\n");
	EXPECT(&many, events,
		"listening udp 0.0.0.0:5060\n"
		"listening udp 0.0.0.0:40123   as the usual port (5060) is taken\n"
		"incoming  #1 \"Alice\" <sip:alice@192.0.2.9>\n"
		"answered  #1 pcmu 8 kHz  192.0.2.9:4000\n"
		"incoming  #2 dave@example.net\n"
		"ended     #1 by alice after 0:09\n"
		"missed    #2 dave gave up\n"
		"error     #2 late words\n");
	print_page_expect(&silent, events, 2, "");
}

static void test_color(void **state)
{
	static const struct printer_config colored = {.color = true};
	static const struct ua_event events[] = {
		CALLING,
		ANSWERED,
		ENDED(.cause = UA_CAUSE_REJECTED, .code = 486, .reason = TEXT("Busy Here")),
	};

	(void)state;
	EXPECT(&colored, events,
		"\x1b[1mcalling\x1b[0m   bob@example.org  udp 192.0.2.7:5060\n"
		"\x1b[32manswered\x1b[0m  opus 48 kHz  198.51.100.4:40212\n"
		"\x1b[31mbusy\x1b[0m      486 Busy Here\n");
}

static void test_verbose(void **state)
{
	static const struct printer_config verbose = {.verbose = true, .utf8 = true};
	static const struct ua_event events[] = {
		ANSWERED,
		METER(1.2, -100, -25),
		ENDED(.cause = UA_CAUSE_REMOTE, .answered = true, .duration_s = 2, .stats = STATS,
			.recording = "a\x1b.wav"),
		{.kind = UA_CALL_ENDED,
			DAVE,
			.ended = {.cause = UA_CAUSE_REMOTE,
				.answered = true,
				.stats = {.sent = 1, .rtt_ms = -1}}},
		ENDED(.cause = UA_CAUSE_REJECTED, .code = 486, .reason = TEXT("Busy Here")),
	};

	(void)state;
	EXPECT(&verbose, events,
		"answered  opus 48 kHz  198.51.100.4:40212\n"
		"   0:01   you      ▁   bob      ▅   loss 0.0 %   buffer 24 ms   mos 4.4   opus\n"
		"ended     by bob after 0:02   lost 2 of 7550   mos 4.4\n"
		"          opus 48 kHz   sent 7550   received 7548\n"
		"          lost 2   late 3   concealed 0.1 %\n"
		"          jitter 1.3 ms   round trip 20.4 ms   buffer 24 ms   mos 4.37\n"
		"          recorded a\\x1b.wav\n"
		"ended     by dave after 0:00   nothing was heard\n"
		"          sent 1   received 0\n"
		"          lost 0   late 0   concealed 0.0 %\n"
		"          jitter 0.0 ms   buffer 0 ms   mos 0.00\n"
		"busy      486 Busy Here\n");
}

/* Each allocation fails in turn: what can be told without memory is told. */
static void test_no_memory(void **state)
{
	static const struct ua_event events[] = {CALLING, RINGING, ANSWERED, METER(1, 0, 0),
		ENDED(.cause = UA_CAUSE_LOCAL, .answered = true)};
	struct printer_config config = {.verbose = true};
	struct printer *printer;
	struct print_page out;

	(void)state;
	config.line = print_page_line;
	config.show_live = print_page_live;
	config.arg = &out;
	allocations_left = 0;
	assert_int_equal(printer_new(&printer, &config), -ENOMEM);

	allocations_left = 1;
	assert_int_equal(printer_new(&printer, &config), 0);
	out.text = TEXT_IN(out.room);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		printer_event(printer, &events[i]);
	allocations_left = SIZE_MAX;
	printer_free(printer);
	printer_free(NULL);
	assert_string_equal(out.room, "calling   bob@example.org  udp 192.0.2.7:5060\n"
				      "ringing   Bob Example\n"
				      "answered  opus 48 kHz  198.51.100.4:40212\n"
				      "ended     by us after 0:00\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_played_and_recorded),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_listening_by_both),
		cmocka_unit_test(test_early_media),
		cmocka_unit_test(test_calling),
		cmocka_unit_test(test_fates),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_who_ended),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_verbose),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/print", tests, NULL, NULL);
}
