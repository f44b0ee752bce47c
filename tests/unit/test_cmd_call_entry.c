/* cmd/readers/call_entry: how a call is remembered, and what of a file's lines is none. */
#include "cmd/readers/call_entry.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define BEGAN (UINT64_C(1795215600) * NS_PER_S) /* 2026-11-20 23:00:00 */
#define HEAD "{\"ts\":\"2026-11-20T23:00:00Z\","

static size_t allocations = SIZE_MAX;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations == 0)
		return NULL;
	if (allocations != SIZE_MAX)
		allocations--;
	return __real_calloc(count, size);
}

/* How a call ended, and what is kept of it. */
struct row {
	bool outgoing, answered;
	enum ua_cause cause;
	uint16_t code;
	const char *reason, *words, *peer, *display;
	double duration_s;
	const char *line;
};

/* clang-format off */
static const struct row rows[] = {
	{true, true, UA_CAUSE_REMOTE, 200, "OK", NULL, "sip:bob:secret@x", "", 61.25, HEAD
		"\"way\":\"made\",\"peer\":\"bob@x\",\"display\":\"\",\"answered\":true,"
		"\"duration_s\":61.25,\"reason\":\"\"}"},
	{true, false, UA_CAUSE_REJECTED, 486, "Busy\x1b", NULL, "sips:bob@x", "", 0, HEAD
		"\"way\":\"made\",\"peer\":\"sips:bob@x\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"486 Busy\\\\x1b\"}"},
	{true, false, UA_CAUSE_UNREACHABLE, 503, "", "nobody \xff there", "tel:1", "", 0, HEAD
		"\"way\":\"made\",\"peer\":\"tel:1\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"nobody \\\\xff there\"}"},
	{true, false, UA_CAUSE_LOCAL, 487, "Request Terminated", NULL, "sip:x", "", 0, HEAD
		"\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"given up\"}"},
	{true, false, UA_CAUSE_TIMEOUT, 0, "", NULL, "sip:x", "", 0, HEAD
		"\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"timeout\"}"},
	{false, true, UA_CAUSE_LOCAL, 0, "", NULL, "sip:a@b", "A \"\xe2\x98\x83\" \xe2\x80\xae", 1, HEAD
		"\"way\":\"taken\",\"peer\":\"a@b\","
		"\"display\":\"A \\\"\xe2\x98\x83\\\" \\\\xe2\\\\x80\\\\xae\","
		"\"answered\":true,\"duration_s\":1.0,\"reason\":\"\"}"},
	{false, false, UA_CAUSE_REMOTE, 487, "Request Terminated", NULL, "sip:a@b", "A", 0, HEAD
		"\"way\":\"missed\",\"peer\":\"a@b\",\"display\":\"A\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"\"}"},
	{false, false, UA_CAUSE_TIMEOUT, 480, "", "nobody", "sip:a@b", "A", 0, HEAD
		"\"way\":\"missed\",\"peer\":\"a@b\",\"display\":\"A\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"\"}"},
	{false, false, UA_CAUSE_REJECTED, 603, "Decline", NULL, "sip:a@b", "", 0, HEAD
		"\"way\":\"refused\",\"peer\":\"a@b\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"603 Decline\"}"},
};

static const char *const bad[] = {
	"", "x", "{}", "[]", "null", HEAD "\"way\":\"made\"}",
	"{\"ts\":\"yesterday\",\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"\"}",
	"{\"ts\":\"2026-11-20T23:00:00Z!\",\"way\":\"made\",\"peer\":\"x\",\"display\":\"\","
		"\"answered\":false,\"duration_s\":0.0,\"reason\":\"\"}",
	"{\"ts\":\"1926-11-20T23:00:00Z\",\"way\":\"made\",\"peer\":\"x\",\"display\":\"\","
		"\"answered\":false,\"duration_s\":0.0,\"reason\":\"\"}",
	HEAD "\"way\":\"lost\",\"peer\":\"x\",\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"\"}",
	HEAD "\"way\":\"made\",\"peer\":7,\"display\":\"\",\"answered\":false,"
		"\"duration_s\":0.0,\"reason\":\"\"}",
	HEAD "\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":0,"
		"\"duration_s\":0.0,\"reason\":\"\"}",
	HEAD "\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":true,"
		"\"duration_s\":-1,\"reason\":\"\"}",
	HEAD "\"way\":\"made\",\"peer\":\"x\",\"display\":\"\",\"answered\":true,"
		"\"duration_s\":1e300,\"reason\":\"\"}",
};
/* clang-format on */

static struct ua_event event_of(const struct row *row)
{
	return (struct ua_event){
		.kind = UA_CALL_ENDED,
		.peer = slice_of(row->peer),
		.display = slice_of(row->display),
		.ended = {.cause = row->cause,
			.code = row->code,
			.reason = slice_of(row->reason),
			.words = row->words,
			.outgoing = row->outgoing,
			.answered = row->answered,
			.duration_s = row->duration_s},
	};
}

/* What is written is what is kept, and can be read again. */
static void test_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ua_event event = event_of(&rows[i]);
		struct call_entry entry;
		char *line;

		assert_int_equal(call_entry_print(&line, &event, BEGAN + 999), 0);
		assert_string_equal(line, rows[i].line);
		assert_int_equal(call_entry_read(&entry, line), 0);
		assert_true(entry.began_ns == BEGAN);
		assert_non_null(strstr(line, call_way_name(entry.way)));
		assert_int_equal(entry.answered, rows[i].answered);
		assert_true(entry.duration_s == rows[i].duration_s);
		call_entry_drop(&entry);
		call_entry_drop(&entry); /* harmless */
		free(line);
	}
}

static void test_bad_lines(void **state)
{
	struct call_entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(call_entry_read(&entry, bad[i]), -EPROTO);
}

/* A name that is longer than a line is cut; a line stays one. */
static void test_huge(void **state)
{
	static char name[100000];
	struct row row = rows[6];
	struct ua_event event;
	struct call_entry entry;
	char *line;

	(void)state;
	memset(name, '\n', sizeof(name) - 1);
	row.display = row.reason = name;
	memcpy(name, "sip:", 4);
	row.peer = name;
	event = event_of(&row);
	assert_int_equal(call_entry_print(&line, &event, BEGAN), 0);
	assert_true(strlen(line) < 4000);
	assert_null(strchr(line, '\n'));
	assert_int_equal(call_entry_read(&entry, line), 0);
	call_entry_drop(&entry);
	free(line);
}

static void test_memory(void **state)
{
	struct call_entry entry;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		allocations = i;
		assert_int_equal(call_entry_read(&entry, rows[0].line), -ENOMEM);
		assert_null(entry.peer);
	}
	allocations = SIZE_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
