/* core/sip/reason: values of Reason, the one that tells most, the words for its cause. */
#include "core/base/text.h"
#include "core/sip/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD                                                                                       \
	"BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\n"                   \
	"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n"

static const struct row {
	const char *value;
	enum sip_reason_protocol protocol;
	const char *name; /* NULL: refused */
	int cause;        /* -1: none */
	const char *text, *words, *shown;
} rows[] = {
	{"Q.850;cause=16;text=\"Terminated\"", SIP_REASON_Q850, "Q.850", 16, "Terminated",
		"normal call clearing", "Terminated"},
	{"q.850 ; Cause = 17", SIP_REASON_Q850, "q.850", 17, "", "user busy", "user busy"},
	{"Q.850;cause=1", SIP_REASON_Q850, "Q.850", 1, "", "unallocated number",
		"unallocated number"},
	{"Q.850;cause=127", SIP_REASON_Q850, "Q.850", 127, "", "interworking, unspecified",
		"interworking, unspecified"},
	{"Q.850;cause=0", SIP_REASON_Q850, "Q.850", 0, "", NULL, "Q.850 cause 0"},
	{"Q.850;cause=999", SIP_REASON_Q850, "Q.850", 999, "", NULL, "Q.850 cause 999"},
	{"Q.850", SIP_REASON_Q850, "Q.850", -1, "", NULL, "Q.850"},
	{"SIP;cause=200;text=\"Call completed elsewhere\"", SIP_REASON_SIP, "SIP", 200,
		"Call completed elsewhere", "OK", "Call completed elsewhere"},
	{"sip;cause=487", SIP_REASON_SIP, "sip", 487, "", "Request Terminated",
		"Request Terminated"},
	{"SIP;cause=99", SIP_REASON_SIP, "SIP", 99, "", NULL, "SIP cause 99"},
	{"SIP;cause=700", SIP_REASON_SIP, "SIP", 700, "", NULL, "SIP cause 700"},
	{"SIP;text=\"\"", SIP_REASON_SIP, "SIP", -1, "", NULL, "SIP"},
	{"ITU;cause=16", SIP_REASON_OTHER, "ITU", 16, "", NULL, "ITU cause 16"},
	{"Q.850;text=\"a \\\"b\\\" \\\\ ;,c\";cause=31;x=y", SIP_REASON_Q850, "Q.850", 31,
		"a \\\"b\\\" \\\\ ;,c", "normal, unspecified", "a \"b\" \\ ;,c"},
	{"Q.850;text=\"\x1b[2J\xc3\xbc\"", SIP_REASON_Q850, "Q.850", -1, "\x1b[2J\xc3\xbc", NULL,
		"\\x1b[2J\xc3\xbc"},
	{"SIP;text=bare", SIP_REASON_SIP, "SIP", -1, "bare", NULL, "bare"},
	{"SIP;text", SIP_REASON_SIP, "SIP", -1, "", NULL, "SIP"},
	{" SIP ;; cause=486 ;", SIP_REASON_SIP, "SIP", 486, "", "Busy Here", "Busy Here"},

	{"", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{";cause=16", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850 cause=16", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=x", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=-1", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=1000", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=18446744073709551633", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"Q.850;cause=16;cause=16", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"SIP;text=\"a\";text=\"b\"", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"SIP;text=\"open", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
	{"SIP;text=\"a\"b", SIP_REASON_OTHER, NULL, 0, NULL, NULL, NULL},
};

static void check(const struct row *row, const struct sip_reason_value *value)
{
	const char *words = sip_reason_words(value);
	char shown[100];
	struct text out = TEXT_IN(shown);

	sip_reason_print(&out, value);
	assert_int_equal(value->protocol, row->protocol);
	assert_int_equal(value->has_cause ? value->cause : -1, row->cause);
	if (!slice_is(value->protocol_name, row->name) || !slice_is(value->text, row->text) ||
		!words != !row->words || (words && strcmp(words, row->words) != 0) ||
		strcmp(shown, row->shown) != 0)
		fail_msg("%s: %.*s, '%.*s', %s, %s", row->value, (int)value->protocol_name.len,
			(const char *)value->protocol_name.data, (int)value->text.len,
			(const char *)value->text.data, words ? words : "-", shown);
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sip_reason_value value = {.cause = 7};
		int err = sip_reason_parse(&value, slice_of(rows[i].value));

		if (err != (rows[i].name ? 0 : -EPROTO))
			fail_msg("%s: %d", rows[i].value, err);
		if (err)
			assert_int_equal(value.cause, 7);
		else
			check(&rows[i], &value);
	}
}

/* Text of any length is shown as far as there is room for it. */
static void test_long_text(void **state)
{
	struct sip_reason_value value;
	char room[600] = "SIP;text=\"", shown[1000];
	struct text out = TEXT_IN(shown);

	(void)state;
	memset(room + 10, 'x', 500);
	room[510] = '"';
	assert_int_equal(sip_reason_parse(&value, slice_of(room)), 0);
	sip_reason_print(&out, &value);
	assert_int_equal(out.len, 255);
	assert_int_equal(strspn(shown, "x"), 255);
}

static void test_best(void **state)
{
	static const struct {
		const char *lines;
		int cause; /* -1: none found; -2: one without cause */
	} sets[] = {
		{"", -1},
		{"Reason:\r\n", -1},
		{"Reason: ;x\r\n", -1},
		{"Reason: SIP;cause=486\r\n", 486},
		{"Reason: SIP;cause=480, Q.850;cause=18\r\n", 18},
		{"Reason: Q.850;cause=18\r\nreason: SIP;cause=480\r\n", 18},
		{"Reason: Q.850;cause=17\r\nReason: Q.850;cause=18\r\n", 17},
		{"Reason: X;cause=5, SIP;cause=487;text=\"a, b\"\r\n", 487},
		{"Reason: Q.850, SIP;cause=480\r\n", 480},
		{"Reason: Q.850;cause=bad, X;cause=5\r\n", 5},
		{"Reason: X, Q.850\r\n", -2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct sip_reason_value value = {.has_cause = true, .cause = 7};
		char room[500];
		struct text text = TEXT_IN(room);
		struct sip_msg *msg = NULL;
		bool is;

		text_printf(&text, HEAD "%s\r\n", sets[i].lines);
		assert_int_equal(sip_msg_parse(&msg, text_slice(&text)), 0);
		is = sip_reason_find(&value, msg);
		if (is != (sets[i].cause != -1) || value.has_cause != (sets[i].cause != -2) ||
			(value.has_cause && value.cause != (is ? sets[i].cause : 7)))
			fail_msg("%s: %d, %u", sets[i].lines, is, value.cause);
		sip_msg_free(msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_best),
	};

	return cmocka_run_group_tests_name("sip/reason", tests, NULL, NULL);
}
