/* cmd/control/remote_text: what a phone says by its control socket, read by who uses it. */
#include "cmd/control/remote_text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 1000 };

/* clang-format off */
static const struct {
	const char *line;
	const char *shown; /* NULL: it is no event */
} events[] = {
	{"{\"event\":\"listening\",\"call\":null,\"peer\":null,\"transport\":\"udp\","
		"\"address\":\"::1\",\"port\":5060}", "listening       udp  ::1  port 5060\n"},
	{"{\"event\":\"call.incoming\",\"call\":2,\"peer\":\"sip:bob@x\",\"display\":\"B \\u001b\"}",
		"call.incoming   #2  bob@x  B \\x1b\n"},
	{"{\"event\":\"call.incoming\",\"call\":2,\"peer\":\"sip:bob:pw@x\",\"display\":null}",
		"call.incoming   #2  bob@x\n"},
	{"{\"event\":\"call.ringing\",\"call\":1,\"peer\":\"sip:a@b\",\"code\":180,\"reason\":\"\"}",
		"call.ringing    #1  a@b  code 180\n"},
	{"{\"event\":\"call.muted\",\"call\":1,\"peer\":\"tel:1\",\"muted\":false}",
		"call.muted      #1  tel:1  off\n"},
	{"{\"event\":\"call.ended\",\"call\":1,\"peer\":\"sip:a@b\",\"cause\":\"remote\",\"code\":0,"
		"\"words\":null,\"duration_s\":61.25,\"mos\":4.4,\"sent\":7}",
		"call.ended      #1  a@b  remote  duration_s 61.25  mos 4.4\n"},
	{"{\"event\":\"error\",\"words\":\"a\xe2\x80\xae\"}", "error           a\\xe2\\x80\\xae\n"},
	{"{\"event\":\"of.a.later.day\",\"call\":3,\"x\":1}", "of.a.later.day  #3\n"},
	{"{\"event\":\"\\u001b\"}", "\\x1b          \n"},
	{"{\"event\":\"call.stats\",\"call\":1,\"peer\":\"sip:a@b\"}", ""},
	{"{\"event\":\"command.done\",\"command\":\"calls\"}", ""},
	{"{\"event\":\"call.ended\",\"call\":\"x\",\"peer\":7,\"cause\":[],\"mos\":\"\"}",
		"call.ended    \n"},
	{"{\"event\":7}", NULL},
	{"{\"even\":\"a\"}", NULL},
	{"[\"event\"]", NULL},
	{"220 mail ready", NULL},
	{"", NULL},
	{"{\"event\":\"a\\u0000b\"}", NULL},
};

static const struct {
	const char *line;
	unsigned id;
	struct remote_result result;
	const char *output;
} ends[] = {
	{"{\"event\":\"command.done\",\"ok\":true,\"code\":0,\"words\":null,\"at\":null,"
		"\"output\":[\"a\",\"\\u001b\"],\"id\":7}",
		7, {true, 0, NULL, SIZE_MAX}, "a\n\\x1b\n"},
	{"{\"event\":\"command.done\",\"ok\":false,\"code\":5,\"words\":\"486\",\"at\":3,"
		"\"output\":[],\"id\":4294967295}", UINT32_MAX, {false, 5, "486", 3}, ""},
	{"{\"event\":\"command.done\",\"ok\":false,\"code\":0}",
		0, {false, 9, "it failed", SIZE_MAX}, ""},
	{"{\"event\":\"command.done\",\"code\":256,\"words\":1,\"at\":-1,\"output\":[1,{}],\"id\":0}",
		0, {false, 9, "it failed", SIZE_MAX}, ""},
	{"{\"event\":\"command.done\",\"ok\":true,\"id\":4294967296}",
		0, {true, 0, NULL, SIZE_MAX}, ""},
	{"{\"event\":\"command.done\",\"ok\":true,\"id\":\"7\"}", 0, {true, 0, NULL, SIZE_MAX}, ""},
	{"{\"event\":\"call.ended\",\"ok\":true,\"id\":7}", 0, {true, 0, NULL, SIZE_MAX}, ""},
};
/* clang-format on */

static void test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		json_t *event = remote_read(slice_of(events[i].line));
		char room[ROOM];
		struct text text = TEXT_IN(room);

		if (!events[i].shown) {
			assert_null(event);
			continue;
		}
		assert_non_null(event);
		remote_put_event(&text, event);
		assert_string_equal(room, events[i].shown);
		json_decref(event);
	}
}

static void test_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		json_t *event = remote_read(slice_of(ends[i].line));
		struct remote_result result;
		char room[ROOM];
		struct text text = TEXT_IN(room);

		assert_non_null(event);
		assert_int_equal(remote_id(event), ends[i].id);
		remote_result(&result, &text, event);
		assert_int_equal(result.ok, ends[i].result.ok);
		assert_int_equal(result.exit, ends[i].result.exit);
		assert_true(result.at == ends[i].result.at);
		if (ends[i].result.words)
			assert_string_equal(result.words, ends[i].result.words);
		else
			assert_null(result.words);
		assert_string_equal(room, ends[i].output);
		json_decref(event);
	}
}

/* Only what is about no call is for whoever is connected. */
static void test_errors(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"{\"event\":\"error\",\"call\":null,\"words\":\"full\"}", "full"},
		{"{\"event\":\"error\",\"call\":1,\"words\":\"full\"}", NULL},
		{"{\"event\":\"error\"}", NULL},
		{"{\"event\":\"notice\",\"words\":\"full\"}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *event = remote_read(slice_of(rows[i].line));

		assert_non_null(event);
		if (rows[i].words)
			assert_string_equal(remote_error(event), rows[i].words);
		else
			assert_null(remote_error(event));
		json_decref(event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
