/* core/ua/target: what people type, and the words and the place for what is wrong with it. */
#include "core/ua/dialplan.h"
#include "core/ua/target.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* clang-format off */
static const struct {
	const char *typed;
	const char *uri;   /* NULL: to be refused */
	size_t at;         /* where */
	const char *words; /* a part of the words */
} rows[] = {
	{"bob@example.org",                    "sip:bob@example.org",                0, NULL},
	{"bob@example.org:5080",               "sip:bob@example.org:5080",           0, NULL},
	{"sip:bob@example.org;transport=udp",  "sip:bob@example.org;transport=udp",  0, NULL},
	{"SIP:bob@example.org",                "SIP:bob@example.org",                0, NULL},
	{"<sip:bob@example.org>",              "sip:bob@example.org",                0, NULL},
	{"<bob@example.org>",                  "sip:bob@example.org",                0, NULL},
	{"192.0.2.7",                          "sip:192.0.2.7",                      0, NULL},
	{"127.0.0.1:5070",                     "sip:127.0.0.1:5070",                 0, NULL},
	{"x@[::1]:5070",                       "sip:x@[::1]:5070",                   0, NULL},
	{"[2001:db8::1]",                      "sip:[2001:db8::1]",                  0, NULL},
	{"\"A <B\" <sip:x@h>",                 "sip:x@h",                            0, NULL},
	{"\"A \\\"<B\" <x@h>",                 "sip:x@h",                            0, NULL},
	{"Bob Example <sip:x@h;a=b>",          "sip:x@h;a=b",                        0, NULL},
	{"mailto@example.org",                 "sip:mailto@example.org",             0, NULL},
	{"localhost",                          "sip:localhost",                      0, NULL},
	{"sip:192.0.2.7",                      "sip:192.0.2.7",                      0, NULL},
	{"",                                   NULL, 0,  "empty"},
	{"  ",                                 NULL, 0,  "empty"},
	{"bob",                                NULL, 3,  "NAME@HOST"},
	{"<bob>",                              NULL, 4,  "NAME@HOST"},
	{"<sip:bob@example.org",               NULL, 20, "not closed"},
	{"bob@exam ple.org",                   NULL, 8,  "cannot hold a space"},
	{"sip:bob@exam ple.org",               NULL, 12, "cannot hold a space"},
	{"<bob@exam ple.org>",                 NULL, 9,  "cannot hold a space"},
	{"bob@example.org:99999",              NULL, 16, "port"},
	{"\"A B\" sip:x@h",                    NULL, 13, "brackets"},
	{"\"A B\" <sip:x@exam ple>",           NULL, 17, "cannot hold a space"},
	{"\"A B\" <sip:x@h",                   NULL, 14, "not closed"},
	{"<sip:x@h>;tag=1",                    NULL, 9,  "behind the bracket"},
	{"sip:x@h?subject=hi",                 NULL, 7,  "use --header"},
	{"<x@h;a?b=c>",                        NULL, 6,  "use --header"},
	{"sip:x@h;method=BYE",                 NULL, 7,  "method"},
	{"http://foo",                         NULL, 0,  "not a SIP address: http"},
	{"<https://foo/>",                     NULL, 1,  "not a SIP address: https"},
	{"mailto:x@y.org",                     NULL, 0,  "not a SIP address: mailto"},
	{"sip://foo",                          NULL, 4,  "host"},
	{"sip:x@127.0.0.1:5099 y",             NULL, 20, "a port cannot hold a space"},
	{"x@h;transport=TCP",                  "sip:x@h;transport=TCP",              0, NULL},
	{"sip:x@h;transport=sctp",             NULL, 18, "transport=sctp is asked for"},
	{"<x@h;a;transport=sctp;b>",           NULL, 17, "transport=sctp is asked for"},
	{"<x@h;a;transport=ws;b>",             "sip:x@h;a;transport=ws;b",            0, NULL},
	{"ws://pbx.example.org",               "sip:pbx.example.org;transport=ws",    0, NULL},
	{"WSS://x@[::1]:8089/",                "sip:x@[::1]:8089;transport=wss",      0, NULL},
	{"wss://pbx:8089/ws",                  "sip:pbx:8089;transport=wss;ws-path=/ws", 0, NULL},
	{"<wss://h/a/b?c=d;e%20>",             "sip:h;transport=wss;ws-path=/a/b%3Fc%3Dd%3Be%20", 0, NULL},
	{"ws://",                              NULL, 5,  "host"},
	{"ws://exam ple/ws",                   NULL, 9,  "cannot hold a space"},
	{"<wss://h?a=b>",                      NULL, 8,  "use --header"},
	{"<x@h;a;transport=tls;b>",            "sip:x@h;a;transport=tls;b",           0, NULL},
	{"x@h;transport=udpx",                 NULL, 14, "transport=udpx is asked for"},
	{"x@h;transport",                      NULL, 3,  "transport= is udp, tcp, tls, ws or wss"},
	{"x@h;transport=",                     NULL, 3,  "transport= is udp, tcp, tls, ws or wss"},
	{"sips:bob@example.org",               "sips:bob@example.org",                0, NULL},
	{"sips:bob@h;transport=tcp",           "sips:bob@h;transport=tcp",            0, NULL},
	{"sips:bob@h;transport=udp",           NULL, 21, "transport=udp cannot carry that"},
	{"tel:+4930123456",                    NULL, 0,  "NUMBER@HOST"},
	{"<tel:+4930123456>",                  NULL, 1,  "--account"},
	{"0171 234-5",                         NULL, 0,  "a number needs an account"},
	{"tel:x",                              NULL, 4,  "begins with a digit"},
};

/* At home, example.org:5080, in Germany. */
static const struct {
	const char *typed;
	const char *uri;   /* NULL: to be refused */
	size_t at;         /* where */
	const char *words; /* a part of the words; or the rule */
} home_rows[] = {
	{"bob",                      "sip:bob@example.org:5080", 0, NULL},
	{"bob@h",                    "sip:bob@h", 0, NULL},
	{"100",                      "sip:100@example.org:5080", 0, NULL},
	{"0171 234-5",               "sip:+491712345@example.org:5080;user=phone", 0, "0. -> +49."},
	{"<0171 234-5>",             "sip:+491712345@example.org:5080;user=phone", 0, "0. -> +49."},
	{"Bob <0171>",               "sip:+49171@example.org:5080;user=phone", 0, "0. -> +49."},
	{"+49 (30) 12",              "sip:+493012@example.org:5080;user=phone", 0, NULL},
	{"*21*0#",                   "sip:*21*0%23@example.org:5080", 0, NULL},
	{"192.0.2.7",                "sip:192.0.2.7", 0, NULL},
	{"0171@h",                   "sip:0171@h", 0, NULL},
	{"sip:0171@h",               "sip:0171@h", 0, NULL},
	{"tel:+49-30-(12).3",        "sip:+4930123@example.org:5080;user=phone", 0, NULL},
	{"TEL:+4930",                "sip:+4930@example.org:5080;user=phone", 0, NULL},
	{"<tel:0171>",               "sip:+49171@example.org:5080;user=phone", 0, "0. -> +49."},
	{"tel:112",                  "sip:112@example.org:5080;user=phone", 0, NULL},
	{"tel:70-42;phone-context=Example.COM",
		"sip:7042;phone-context=example.com@example.org:5080;user=phone", 0, NULL},
	{"tel:0-42;phone-context=+1-914-555",
		"sip:042;phone-context=+1914555@example.org:5080;user=phone", 0, NULL},
	{"tel:+1;X=Y;ext=1-2;ISUB=A-b;phone-context=+1;a",
		"sip:+1;isub=a-b;a;ext=12;phone-context=+1;x=y@example.org:5080;user=phone", 0, NULL},
	{"tel:*9#",                  "sip:*9%23@example.org:5080;user=phone", 0, NULL},
	{"tel:",                     NULL, 4, "begins with a digit"},
	{"tel:--",                   NULL, 4, "a number without digits"},
	{"tel:+-",                   NULL, 4, "a number without digits"},
	{"<tel:+1 2>",               NULL, 7, "cannot hold a space"},
	{"tel:+1?a=b",               NULL, 6, "cannot hold this character"},
	{"tel:+1;a=;b=;c=;d=;e=;f=;g=;h=;i=;j=;k=;l=;m=;n=;o=;p=;q=", NULL, 0, "too many parameters"},
	{"tel:01234567890123456789012345678901234567890123456789012345678901234", NULL, 0, "too long"},
	{"01234567890123456789012345678901234567890123456789012345678901234@", NULL, 66, ""},
	{"",                         NULL, 0, "empty"},
};
/* clang-format on */

static void test_home(void **state)
{
	struct target_home home = {.domain = slice_of("example.org:5080")};
	struct dialplan *plan;
	struct fault why;

	(void)state;
	assert_int_equal(dialplan_new(&plan), 0);
	assert_int_equal(dialplan_set_country(plan, slice_of("49"), &why, NULL), 0);
	home.dial = plan;
	for (size_t i = 0; i < sizeof(home_rows) / sizeof(home_rows[0]); i++) {
		const char *words = home_rows[i].words;
		struct target target;
		size_t at = 0;
		int err = target_parse_in(&target, slice_of(home_rows[i].typed), &home, &why, &at);

		if (err != (home_rows[i].uri ? 0 : -EINVAL))
			fail_msg("%s: got %d", home_rows[i].typed, err);
		if (err && (at != home_rows[i].at || !strstr(why.words, words)))
			fail_msg("%s: at %zu: %s", home_rows[i].typed, at, why.words);
		if (!err && (strcmp(target.text, home_rows[i].uri) != 0 || !target.rule != !words ||
				    (words && strcmp(target.rule, words) != 0)))
			fail_msg("%s: %s by %s", home_rows[i].typed, target.text,
				target.rule ? target.rule : "none");
	}
	dialplan_free(plan);
}

static void test_which_number(void **state)
{
	static const char *const of[][2] = {
		{"sip:112@h", "112"},
		{"sip:112;phone-context=+49@h;user=phone", "112"},
		{"sip:+112@h", "+112"},
		{"sip:a112@h", ""},
		{"sip:h", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct target target;

		assert_int_equal(target_parse(&target, slice_of(of[i][0]), NULL, NULL), 0);
		assert_true(slice_is(target_number(&target), of[i][1]));
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target target;
		struct fault why;
		size_t at = 0;
		int err = target_parse(&target, slice_of(rows[i].typed), &why, &at);

		if (err != (rows[i].uri ? 0 : -EINVAL))
			fail_msg("%s: got %d", rows[i].typed, err);
		if (rows[i].uri) {
			assert_string_equal(target.text, rows[i].uri);
			continue;
		}
		if (at != rows[i].at || !strstr(why.words, rows[i].words))
			fail_msg("%s: at %zu: %s", rows[i].typed, at, why.words);
	}
}

/* One byte more than there is room for, and nobody has to want the reason. */
static void test_length(void **state)
{
	char typed[TARGET_MAX + 2];
	struct target target;

	(void)state;
	memset(typed, 'a', sizeof(typed));
	memcpy(typed + TARGET_MAX - 4, "@b.c", 4);
	assert_int_equal(
		target_parse(&target, (struct slice){(uint8_t *)typed, TARGET_MAX}, NULL, NULL), 0);
	assert_int_equal(strlen(target.text), TARGET_MAX + 4);

	memset(typed, 'a', sizeof(typed));
	memcpy(typed + TARGET_MAX - 3, "@b.c", 4);
	assert_int_equal(
		target_parse(&target, (struct slice){(uint8_t *)typed, TARGET_MAX + 1}, NULL, NULL),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_which_number),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests_name("ua/target", tests, NULL, NULL);
}
