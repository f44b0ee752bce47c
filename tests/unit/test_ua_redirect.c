/* core/ua/redirect: which Contacts are tried, in which order, and how many. */
#include "core/ua/redirect.h"

#include "core/base/text.h"
#include "tests/unit/scarce.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 4096 };

/* A 302 with those header lines. */
static struct sip_msg *response_with(const char *contacts)
{
	char room[ROOM];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg;

	text_printf(&text,
		"SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: "
		"<sip:a@a>;tag=1\r\n"
		"To: <sip:b@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n%sContent-Length: "
		"0\r\n\r\n",
		contacts);
	assert_false(text.cut);
	assert_int_equal(sip_msg_parse(&msg, text_slice(&text)), 0);
	return msg;
}

static int follow(struct redirect *redirect, const char *contacts)
{
	struct sip_msg *msg = response_with(contacts);
	int count = redirect_follow(redirect, msg);

	sip_msg_free(msg);
	return count;
}

static struct redirect begin(void)
{
	struct redirect redirect = {0};

	assert_int_equal(redirect_init(&redirect, slice_of("sip:bob@host")), 0);
	return redirect;
}

/* What is still to be tried, parted by spaces. */
static void expect_rest(struct redirect *redirect, const char *expected)
{
	char room[ROOM];
	struct text text = TEXT_IN(room);

	while (redirect_next(redirect)) {
		text_puts(&text, text.len > 0 ? " " : "");
		text_put(&text, redirect_target(redirect));
	}
	assert_string_equal(room, expected);
	redirect_free(redirect);
}

static void test_contacts(void **state)
{
	static const struct {
		const char *contacts, *rest;
	} rows[] = {
		{"Contact: <sip:a@h>\r\n", "sip:a@h"},
		{"Contact: sip:a@h;q=0.1\r\n", "sip:a@h"},
		{"", ""},
		/* by q, equal ones as they came (section 8.1.3.4) */
		{"Contact: <sip:a@h>;q=0.1, <sip:b@h>;q=0.9\r\nContact: <sip:c@h>;q=0.5\r\n",
			"sip:b@h sip:c@h sip:a@h"},
		{"Contact: <sip:a@h>;q=0.5, <sip:b@h>;q=0.50, <sip:c@h>;q=0.500\r\n",
			"sip:a@h sip:b@h sip:c@h"},
		{"Contact: <sip:a@h>;q=0, <sip:b@h>;q=0.001, <sip:c@h>;q=1.0, <sip:d@h>\r\n",
			"sip:c@h sip:d@h sip:b@h sip:a@h"},
		/* a broken one counts in full */
		{"Contact: <sip:a@h>;q=0.9, <sip:b@h>;q=5, <sip:c@h>;q=0.1234, <sip:d@h>;q=x\r\n",
			"sip:b@h sip:c@h sip:d@h sip:a@h"},
		/* what this phone cannot call */
		{"Contact: <mailto:a@h>, <tel:+49>, <sip:b@h;method=SUBSCRIBE>\r\n", ""},
		{"Contact: *\r\n", ""},
		/* headers are not ours to send */
		{"Contact: <sip:a@h?Subject=x>\r\n", "sip:a@h"},
		{"Contact: <sips:a@h>\r\n", "sips:a@h"},
		{"Contact: <sip:a@h:5070;transport=tcp>\r\n", "sip:a@h:5070;transport=tcp"},
		/* nobody twice, and not who was called first (section 19.1.4) */
		{"Contact: <sip:a@h>, <sip:a@H>, <SIP:a@h>, <sip:bob@HOST>\r\n", "sip:a@h"},
		{"Contact: <sip:a@h>, <sip:A@h>\r\n", "sip:a@h sip:A@h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct redirect redirect = begin();

		(void)follow(&redirect, rows[i].contacts);
		expect_rest(&redirect, rows[i].rest);
	}
}

/* Who was sent on is followed before those who wait. */
/* RFC 3261, section 26.2.2: whoever asked for it is not sent where there is no TLS. */
static void test_what_is_safe_stays_so(void **state)
{
	struct redirect redirect = {0};

	(void)state;
	assert_int_equal(redirect_init(&redirect, slice_of("sips:bob@host")), 0);
	assert_int_equal(
		follow(&redirect, "Contact: <sip:a@h;transport=tls>, <sips:b@h>;q=0.1\r\n"), 1);
	expect_rest(&redirect, "sips:b@h");
}

static void test_further_redirection(void **state)
{
	struct redirect redirect = begin();

	(void)state;
	assert_int_equal(follow(&redirect, "Contact: <sip:a@h>, <sip:d@h>;q=0.2\r\n"), 2);
	assert_true(redirect_next(&redirect));
	assert_int_equal(follow(&redirect, "Contact: <sip:c@h>;q=0.1, <sip:b@h>;q=0.2\r\n"), 2);
	expect_rest(&redirect, "sip:b@h sip:c@h sip:d@h");
}

static void test_five_redirections(void **state)
{
	struct redirect redirect = begin();
	char room[64];

	(void)state;
	for (unsigned i = 0; i < REDIRECT_HOPS_MAX; i++) {
		struct text text = TEXT_IN(room);

		text_printf(&text, "Contact: <sip:u%u@h>\r\n", i);
		assert_int_equal(follow(&redirect, room), 1);
		assert_true(redirect_next(&redirect));
	}
	assert_int_equal(follow(&redirect, "Contact: <sip:x@h>\r\n"), 0);
	assert_false(redirect_next(&redirect));
	redirect_free(&redirect);
}

static void test_ten_targets(void **state)
{
	struct redirect redirect = begin();
	char room[1024];
	struct text text = TEXT_IN(room);

	(void)state;
	for (unsigned i = 0; i < 14; i++)
		text_printf(&text, "Contact: <sip:u%u@h>;q=0.%02u\r\n", i, i + 10);
	assert_int_equal(follow(&redirect, room), REDIRECT_TARGETS_MAX);
	assert_true(redirect_next(&redirect));
	assert_int_equal(follow(&redirect, "Contact: <sip:x@h>\r\n"), 0);
	/* the best ten */
	expect_rest(&redirect, "sip:u12@h sip:u11@h sip:u10@h sip:u9@h sip:u8@h sip:u7@h sip:u6@h "
			       "sip:u5@h sip:u4@h");
}

static void test_no_memory(void **state)
{
	struct redirect redirect = {0};
	struct sip_msg *msg = response_with("Contact: <sip:a@h>, <sip:b@h>\r\n");

	(void)state;
	allocations_left = 0;
	assert_int_equal(redirect_init(&redirect, slice_of("sip:bob@host")), -ENOMEM);
	allocations_left = 1;
	assert_int_equal(redirect_init(&redirect, slice_of("sip:bob@host")), 0);
	assert_int_equal(redirect_follow(&redirect, msg), -ENOMEM);
	allocations_left = SIZE_MAX;
	sip_msg_free(msg);
	assert_false(redirect_next(&redirect));
	redirect_free(&redirect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contacts),
		cmocka_unit_test(test_what_is_safe_stays_so),
		cmocka_unit_test(test_further_redirection),
		cmocka_unit_test(test_five_redirections),
		cmocka_unit_test(test_ten_targets),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("ua/redirect", tests, NULL, NULL);
}
