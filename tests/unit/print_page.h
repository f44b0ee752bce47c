/*
 * What the tests of cmd/readers/print share: events as they come, and what a printer makes of them.
 */
#pragma once

#include "cmd/readers/print.h"
#include "core/base/text.h"

/* What came out: lines as they were, live lines as "[...]\n". */
struct print_page {
	char room[16384];
	struct text text;
};

/* A printer's config.line and config.show_live; arg is a page. */
void print_page_line(void *arg, struct slice line);
void print_page_live(void *arg, struct slice line);

/* Prints count events and compares all that comes. */
void print_page_expect(const struct printer_config *how, const struct ua_event *events,
	size_t count, const char *expected);

/* UTF-8 without colours and without a live line; it tells where the phone listens. */
extern const struct printer_config print_plain;

#define EXPECT(how, events, expected)                                                              \
	print_page_expect((how), (events), sizeof(events) / sizeof((events)[0]), (expected))

#define TEXT(literal)                                                                              \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
#define IP(a, b, c, d, at)                                                                         \
	{                                                                                          \
		.family = ADDR_IPV4, .port = (at), .ip = {(a), (b), (c), (d) }                     \
	}
#define BOB .call = 1, .peer = TEXT("sip:bob@example.org")

#define CALLING                                                                                    \
	{                                                                                          \
		.kind = UA_CALL_OUTGOING, BOB,                                                     \
		.way = {.transport = "udp",                                                        \
			.address = IP(192, 0, 2, 7, 5060) }                                        \
	}
#define RINGING                                                                                    \
	{                                                                                          \
		.kind = UA_CALL_RINGING, BOB, .display = TEXT("Bob Example"), .provisional = {     \
			180,                                                                       \
			TEXT("Ringing")                                                            \
		}                                                                                  \
	}
#define ANSWERED                                                                                   \
	{                                                                                          \
		.kind = UA_CALL_ANSWERED, BOB, .media = {                                          \
			"opus",                                                                    \
			48000,                                                                     \
			111,                                                                       \
			IP(198, 51, 100, 4, 40212),                                                \
			NULL,                                                                      \
			NULL                                                                       \
		}                                                                                  \
	}
#define MEDIA                                                                                      \
	{                                                                                          \
		.kind = UA_CALL_MEDIA, BOB, .media = {                                             \
			"opus",                                                                    \
			48000,                                                                     \
			111,                                                                       \
			IP(198, 51, 100, 4, 40212),                                                \
			NULL,                                                                      \
			NULL                                                                       \
		}                                                                                  \
	}
#define STATS                                                                                      \
	{                                                                                          \
		.sent = 7550, .received = 7548, .lost = 2, .late = 3, .jitter_ms = 1.26,           \
		.rtt_ms = 20.44, .buffer_ms = 24.4, .concealed_pct = 0.06, .mos = 4.37             \
	}
#define ENDED(...)                                                                                 \
	{                                                                                          \
		.kind = UA_CALL_ENDED, BOB, .ended = {.outgoing = true, __VA_ARGS__ }              \
	}
#define METER(seconds, near, far)                                                                  \
	{                                                                                          \
		.kind = UA_CALL_METER, BOB, .stats = {                                             \
			.now = STATS,                                                              \
			.duration_s = (seconds),                                                   \
			.near_dbfs = (near),                                                       \
			.far_dbfs = (far)                                                          \
		}                                                                                  \
	}

#define HELD(by_them)                                                                              \
	{                                                                                          \
		.kind = UA_CALL_HELD, BOB, .hold = { by_them }                                     \
	}
#define RESUMED(by_them)                                                                           \
	{                                                                                          \
		.kind = UA_CALL_RESUMED, BOB, .hold = { by_them }                                  \
	}
#define REDIRECTED                                                                                 \
	{                                                                                          \
		.kind = UA_CALL_REDIRECTED, BOB, .redirected = {                                   \
			302,                                                                       \
			TEXT("Moved Temporarily"),                                                 \
			targets,                                                                   \
			2                                                                          \
		}                                                                                  \
	}

#define ALICE .call = 1, .peer = TEXT("sip:alice@192.0.2.9")
#define DAVE .call = 2, .peer = TEXT("sip:dave@example.net")
