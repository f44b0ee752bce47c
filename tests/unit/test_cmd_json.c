/* cmd/readers/json: each event as machines read it: names, types and order of fields, hostile
 * bytes. */
#include "cmd/readers/json.h"

#include "core/base/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */
#include <jansson.h>

#define TEXT(literal)                                                                              \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
#define IP(a, b, c, d, at)                                                                         \
	{                                                                                          \
		.family = ADDR_IPV4, .port = (at), .ip = {(a), (b), (c), (d) }                     \
	}
#define WALL .wall_ns = 1795215600000412999 /* 2026-11-20 23:00:00.000412999 */
#define CALL WALL, .call = 1, .call_id = TEXT("3f9c@192.0.2.7"), .peer = TEXT("sip:bob@example.org")
#define HEAD(name)                                                                                 \
	"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"" name                        \
	"\",\"phone\":null,\"account\":null,\"call\":1,\"call_id\":\"3f9c@192.0.2.7\","            \
	"\"peer\":\"sip:bob@example.org\","
#define FIGURES                                                                                    \
	"\"sent\":7550,\"received\":7548,\"lost\":2,\"late\":3,\"jitter_ms\":1.263,"               \
	"\"rtt_ms\":20.4,\"buffer_ms\":24.0,\"concealed_pct\":0.1,\"mos\":4.4"
#define STATS                                                                                      \
	{                                                                                          \
		.sent = 7550, .received = 7548, .lost = 2, .late = 3, .jitter_ms = 1.26349,        \
		.rtt_ms = 20.4, .buffer_ms = 24, .concealed_pct = 0.1, .mos = 4.4                  \
	}

/* The second without its password. */
static const struct slice targets[] = {
	TEXT("sip:carol@example.org"), TEXT("sip:dave:secret@example.net")};

static const struct addr addresses[] = {
	IP(192, 0, 2, 7, 0),
	{.family = ADDR_IPV6, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}},
	IP(192, 0, 2, 8, 0),
};

/* clang-format off */
static const struct {
	struct ua_event event;
	const char *json; /* NULL: machines are not told */
} rows[] = {
	{{.kind = UA_LISTENING, WALL, .phone = "a",
		.listening = {.transport = "udp", .address = IP(127, 0, 0, 1, 5060), .fallback = true}},
		"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"listening\","
		"\"phone\":\"a\",\"account\":null,\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"transport\":\"udp\",\"address\":\"127.0.0.1\",\"port\":5060}"},
	{{.kind = UA_LISTENING, .account = "work",
		.listening = {.transport = "udp", .address = {.family = ADDR_IPV6, .ip = {[15] = 1}}}},
		"{\"v\":1,\"ts\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"listening\","
		"\"phone\":null,\"account\":\"work\",\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"transport\":\"udp\",\"address\":\"::1\",\"port\":0}"},
	{{.kind = UA_REGISTRATION_OK, WALL, .account = "work",
		.registration = {.code = 200, .reason = TEXT("OK"), .expires_s = 3600,
			.contact = TEXT("sip:a@192.0.2.1:5060")}},
		"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"registration.ok\","
		"\"phone\":null,\"account\":\"work\",\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"code\":200,\"reason\":\"OK\",\"words\":null,\"expires\":3600,"
		"\"contact\":\"sip:a@192.0.2.1:5060\"}"},
	{{.kind = UA_REGISTRATION_FAILED, WALL, .account = "work",
		.registration = {.code = 403, .reason = TEXT("No\x1b"), .retry_s = 48}},
		"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"registration.failed\","
		"\"phone\":null,\"account\":\"work\",\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"code\":403,\"reason\":\"No\\\\x1b\",\"words\":null,\"retry_s\":48}"},
	{{.kind = UA_REGISTRATION_LOST, WALL, .account = "work",
		.registration = {.words = "nobody there"}},
		"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"registration.lost\","
		"\"phone\":null,\"account\":\"work\",\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"code\":null,\"reason\":null,\"words\":\"nobody there\",\"retry_s\":null}"},
	{{.kind = UA_NETWORK_CHANGED, WALL,
		.network = {.addresses = addresses, .count = 2, .added = addresses + 1, .added_count = 1,
			.removed = addresses + 2, .removed_count = 1}},
		"{\"v\":1,\"ts\":\"2026-11-20T23:00:00.000412Z\",\"event\":\"network.changed\","
		"\"phone\":null,\"account\":null,\"call\":null,\"call_id\":null,\"peer\":null,"
		"\"addresses\":[\"192.0.2.7\",\"2001:db8::7\"],\"added\":[\"2001:db8::7\"],"
		"\"removed\":[\"192.0.2.8\"]}"},
	{{.kind = UA_CALL_OUTGOING, CALL, .way = {.transport = "udp", .address = {0}}},
		HEAD("call.outgoing")
		"\"transport\":\"udp\",\"address\":null,\"port\":null,\"display\":null}"},
	{{.kind = UA_CALL_OUTGOING, WALL, .call = 1, .call_id = TEXT("3f9c@192.0.2.7"),
		.peer = TEXT("sip:bob:secret@example.org"), .way = {.transport = "udp", .address = {0}}},
		HEAD("call.outgoing")
		"\"transport\":\"udp\",\"address\":null,\"port\":null,\"display\":null}"},
	{{.kind = UA_CALL_INCOMING, CALL, .display = TEXT("Bob"),
		.way = {.transport = "udp", .address = IP(192, 0, 2, 7, 5070)}},
		HEAD("call.incoming")
		"\"transport\":\"udp\",\"address\":\"192.0.2.7\",\"port\":5070,\"display\":\"Bob\","
		"\"asserted\":null,\"from\":null,\"anonymous\":false}"},
	{{.kind = UA_CALL_INCOMING, CALL, .asserted = TEXT("sip:c:pw@h"),
		.way = {"udp", IP(192, 0, 2, 7, 5070), TEXT("sip:anonymous\xff@h"), true}},
		HEAD("call.incoming")
		"\"transport\":\"udp\",\"address\":\"192.0.2.7\",\"port\":5070,\"display\":null,"
		"\"asserted\":\"sip:c@h\",\"from\":\"sip:anonymous\\\\xff@h\",\"anonymous\":true}"},
	{{.kind = UA_CALL_RINGING, CALL, .provisional = {180, TEXT("Ringing")}},
		HEAD("call.ringing") "\"code\":180,\"reason\":\"Ringing\",\"display\":null,"
		"\"asserted\":null}"},
	{{.kind = UA_CALL_PROGRESS, CALL, .provisional = {183, TEXT("")}},
		HEAD("call.progress") "\"code\":183,\"reason\":\"\",\"display\":null,"
		"\"asserted\":null}"},
	{{.kind = UA_CALL_ANSWERED, CALL, .display = TEXT("Bob"), .asserted = TEXT("tel:+1"),
		.media = {"opus", 48000, 111, IP(198, 51, 100, 4, 40212), NULL, NULL}},
		HEAD("call.answered") "\"codec\":\"opus\",\"rate\":48000,\"payload_type\":111,"
		"\"address\":\"198.51.100.4:40212\",\"srtp\":null,\"received\":null,"
		"\"display\":\"Bob\",\"asserted\":\"tel:+1\"}"},
	{{.kind = UA_CALL_MEDIA, CALL,
		.media = {"pcmu", 8000, 0, {.family = ADDR_IPV6, .port = 4000, .ip = {[15] = 1}},
			"aes-256-gcm", "opus"}},
		HEAD("call.media") "\"codec\":\"pcmu\",\"rate\":8000,\"payload_type\":0,"
		"\"address\":\"[::1]:4000\",\"srtp\":\"aes-256-gcm\",\"received\":\"opus\"}"},
	{{.kind = UA_CALL_HELD, CALL, .hold = {.remote = true}},
		HEAD("call.held") "\"by\":\"remote\"}"},
	{{.kind = UA_CALL_RESUMED, CALL, .hold = {.remote = false}},
		HEAD("call.resumed") "\"by\":\"local\"}"},
	{{.kind = UA_CALL_MUTED, CALL, .mute = {true}}, HEAD("call.muted") "\"muted\":true}"},
	{{.kind = UA_CALL_MUTED, CALL, .mute = {false}}, HEAD("call.muted") "\"muted\":false}"},
	{{.kind = UA_CALL_PLAYED, CALL, .played = {"file:a\xff.wav", true, NULL}},
		HEAD("call.played") "\"source\":\"file:a\\\\xff.wav\",\"complete\":true,\"words\":null}"},
	{{.kind = UA_CALL_PLAYED, CALL, .played = {"file:a", false, "a\xff: no such file"}},
		HEAD("call.played") "\"source\":\"file:a\",\"complete\":false,"
		"\"words\":\"a\\\\xff: no such file\"}"},
	{{.kind = UA_CALL_RECORDING, CALL, .recording = {"a\xff.wav", true, NULL}},
		HEAD("call.recording") "\"path\":\"a\\\\xff.wav\",\"on\":true,\"words\":null}"},
	{{.kind = UA_CALL_RECORDING, CALL, .recording = {"a", false, "a: it exists"}},
		HEAD("call.recording") "\"path\":\"a\",\"on\":false,\"words\":\"a: it exists\"}"},
	{{.kind = UA_CALL_TONE, CALL, .tone = {440, -13.0104, 120, true}},
		HEAD("call.tone") "\"hz\":440.0,\"level_dbfs\":-13.01,\"ms\":120,\"on\":true}"},
	{{.kind = UA_CALL_REDIRECTED, CALL,
		.redirected = {302, TEXT("Moved Temporarily"), targets, 2}},
		HEAD("call.redirected") "\"code\":302,\"reason\":\"Moved Temporarily\","
		"\"targets\":[\"sip:carol@example.org\",\"sip:dave@example.net\"]}"},
	{{.kind = UA_CALL_STATS, CALL,
		.stats = {.now = STATS, .duration_s = 5.0004, .final = false}},
		HEAD("call.stats") FIGURES ",\"duration_s\":5.0,\"final\":false}"},
	{{.kind = UA_CALL_METER, CALL, .stats = {.now = STATS}}, NULL},
	{{.kind = UA_CALL_ENDED, CALL,
		.ended = {.cause = UA_CAUSE_REMOTE, .code = 200, .reason = TEXT("Normal call clearing"),
			.outgoing = true, .answered = true, .duration_s = 151.24, .stats = STATS,
			.recording = "a.wav"}},
		HEAD("call.ended") "\"cause\":\"remote\",\"code\":200,"
		"\"reason\":\"Normal call clearing\",\"words\":null,\"direction\":\"outgoing\","
		"\"answered\":true,\"duration_s\":151.24," FIGURES ",\"recording\":\"a.wav\"}"},
	{{.kind = UA_CALL_ENDED, CALL,
		.ended = {.cause = UA_CAUSE_UNREACHABLE, .words = "nothing \x1b there",
			.stats = {.lost = -1, .rtt_ms = -1, .mos = (double)NAN}}},
		HEAD("call.ended") "\"cause\":\"unreachable\",\"code\":0,\"reason\":\"\","
		"\"words\":\"nothing \\\\x1b there\",\"direction\":\"incoming\","
		"\"answered\":false,\"duration_s\":0.0,\"sent\":0,\"received\":0,\"lost\":-1,"
		"\"late\":0,\"jitter_ms\":0.0,\"rtt_ms\":null,\"buffer_ms\":0.0,"
		"\"concealed_pct\":0.0,\"mos\":null,\"recording\":null}"},
	{{.kind = UA_NOTICE, CALL, .notice = {"a\xff is gone"}},
		HEAD("notice") "\"words\":\"a\\\\xff is gone\"}"},
	{{.kind = UA_ERROR, CALL, .error = {.words = "a\xff.wav"}},
		HEAD("error") "\"words\":\"a\\\\xff.wav\"}"},
	{{.kind = UA_COMMAND_DONE, CALL,
		 .command = {.line = "call sip:b:secret@h sips:c@h:5061", .ok = true, .at = SIZE_MAX}},
		HEAD("command.done") "\"command\":\"call sip:b@h sips:c@h:5061\",\"ok\":true,"
		"\"code\":0,\"words\":null,\"output\":[],\"at\":null}"},
	{{.kind = UA_COMMAND_DONE, CALL,
		.command = {"play a\xff", false, 9, "a\xff is gone", {0}, 5, NULL}},
		HEAD("command.done") "\"command\":\"play a\\\\xff\",\"ok\":false,\"code\":9,"
		"\"words\":\"a\\\\xff is gone\",\"output\":[],\"at\":5}"},
	{{.kind = UA_COMMAND_DONE, CALL,
		.command = {"calls", true, 0, NULL, {(const uint8_t *)"one\nt\xffo\n", 8},
			SIZE_MAX, NULL}},
		HEAD("command.done") "\"command\":\"calls\",\"ok\":true,\"code\":0,"
		"\"words\":null,\"output\":[\"one\",\"t\\\\xffo\"],\"at\":null}"},
};
/* clang-format on */

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

/* What jansson is given. */
static void *counted_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return malloc(size);
}

static void test_table(void **state)
{
	bool seen[UA_EVENT_KINDS] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line;

		assert_int_equal(json_print(&line, &rows[i].event), 0);
		if (rows[i].json)
			assert_string_equal(line, rows[i].json);
		else
			assert_null(line);
		seen[rows[i].event.kind] = true;
		free(line);
	}
	for (size_t i = 0; i < UA_EVENT_KINDS; i++)
		assert_true(seen[i]);
}

/* Whatever bytes come, it is one line of valid JSON, and what is readable comes back as it was. */
static void test_hostile(void **state)
{
	static const char raw[] =
		"\"}\r\n{\"v\":2\\ \x00\x1b]0;x\x07\x7f\xc3\xb6\xff\xed\xa0\x80\xe2\x80\xa8";
	struct ua_event event = {.kind = UA_CALL_INCOMING, .call = 4294967295u};
	struct slice bytes = {(const uint8_t *)raw, sizeof(raw) - 1};
	json_t *object;
	char *line;

	(void)state;
	event.peer = event.call_id = event.display = bytes;
	assert_int_equal(json_print(&line, &event), 0);
	assert_null(strpbrk(line, "\r\n\x1b\x07\x7f"));
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "display")),
		"\"}\\x0d\\x0a{\"v\":2\\ \\x00\\x1b]0;x\\x07\\x7f\xc3\xb6\\xff\\xed\\xa0\\x80"
		"\\xe2\\x80\\xa8");
	assert_int_equal(json_integer_value(json_object_get(object, "v")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "call")), 4294967295u);
	json_decref(object);
	free(line);
}

static void test_long(void **state)
{
	static char name[70000];
	struct ua_event event = {.kind = UA_CALL_INCOMING, .call = 1};
	json_t *object;
	char *line;

	(void)state;
	memset(name, '\x1b', sizeof(name));
	event.display = (struct slice){(const uint8_t *)name, sizeof(name)};
	assert_int_equal(json_print(&line, &event), 0);
	object = json_loads(line, 0, NULL);
	assert_int_equal(json_string_length(json_object_get(object, "display")), 4 * sizeof(name));
	json_decref(object);
	free(line);
}

/* Each allocation, jansson's too, fails in turn: a whole line or none, and nothing leaks. */
static void test_no_memory(void **state)
{
	size_t allowed = 0, row = 0;
	char *line;
	int err;

	(void)state;
	while (rows[row].event.kind != UA_CALL_ENDED) /* which has most fields */
		row++;
	do {
		line = NULL;
		allocations_left = allowed++;
		json_set_alloc_funcs(counted_malloc, free);
		err = json_print(&line, &rows[row].event);
		allocations_left = SIZE_MAX;
		json_set_alloc_funcs(malloc, free);

		assert_true(err == 0 || err == -ENOMEM);
		if (err)
			assert_null(line);
		else
			assert_string_equal(line, rows[row].json);
		free(line);
	} while (err);
	assert_true(allowed > 40);
}

static int add(void *arg, const char *name, const char *value)
{
	struct text *out = arg;

	text_printf(out, "%s=%s\n", name, value);
	return out->cut ? -ENOSPC : 0;
}

/* Member by member it is the same as in one. */
static void test_each(void **state)
{
	static const struct ua_event event = {
		.kind = UA_CALL_REDIRECTED, CALL, .redirected = {302, TEXT("Moved\n"), targets, 2}};
	static const struct ua_event meter = {.kind = UA_CALL_METER, CALL};
	char room[1000], little[10];
	struct text text = TEXT_IN(room);

	(void)state;
	assert_int_equal(json_each(&event, add, &text), 0);
	assert_string_equal(room,
		"v=1\nts=2026-11-20T23:00:00.000412Z\nevent=call.redirected\nphone=\naccount=\n"
		"call=1\ncall_id=3f9c@192.0.2.7\npeer=sip:bob@example.org\ncode=302\n"
		"reason=Moved\\x0a\n"
		"targets=[\"sip:carol@example.org\",\"sip:dave@example.net\"]\n");

	text = TEXT_IN(little);
	assert_int_equal(json_each(&event, add, &text), -ENOSPC); /* and no further */
	assert_string_equal(little, "v=1\n");
	text = TEXT_IN(room);
	assert_int_equal(json_each(&meter, add, &text), 0);
	assert_int_equal(text.len, 0);
	assert_true(json_tells(UA_CALL_ENDED) && !json_tells(UA_CALL_METER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/json", tests, NULL, NULL);
}
