/* core/base/addr: what is an address and what is not, printing, and which are the same. */
#include "core/base/addr.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST "fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

/* clang-format off */
static const struct row {
	const char *text;
	const char *ip;      /* as printed; NULL: refused */
	const char *host;
	bool alone;          /* addr_parse() takes it, too */
	uint16_t port;
	uint32_t scope;
} rows[] = {
	{"192.0.2.1",            "192.0.2.1",       "192.0.2.1",         true,  0,     0},
	{"0.0.0.0",              "0.0.0.0",         "0.0.0.0",           true,  0,     0},
	{"255.255.255.255",      "255.255.255.255", "255.255.255.255",   true,  0,     0},
	{"192.0.2.1:5060",       "192.0.2.1",       "192.0.2.1",         false, 5060,  0},
	{"192.0.2.1:0",          "192.0.2.1",       "192.0.2.1",         false, 0,     0},
	{"192.0.2.1:65535",      "192.0.2.1",       "192.0.2.1",         false, 65535, 0},
	{"::",                   "::",              "[::]",              true,  0,     0},
	{"::1",                  "::1",             "[::1]",             true,  0,     0},
	{"[::1]",                "::1",             "[::1]",             true,  0,     0},
	{"[::1]:5060",           "::1",             "[::1]",             false, 5060,  0},
	{"2001::1:5060",         "2001::1:5060",    "[2001::1:5060]",    true,  0,     0},
	{"2001:DB8:0:0::A",      "2001:db8::a",     "[2001:db8::a]",     true,  0,     0},
	{"::ffff:192.0.2.1",     "::ffff:192.0.2.1", "[::ffff:192.0.2.1]", true, 0,    0},
	{"0000:0000:0000:0000:0000:ffff:192.000.002.001", NULL, NULL, false, 0, 0}, /* zeros lead */
	{"0000:0000:0000:0000:0000:ffff:255.255.255.255", "::ffff:255.255.255.255",
	                         "[::ffff:255.255.255.255]", true, 0, 0},
	{"fe80::1",              "fe80::1",         "[fe80::1]",         true,  0,     0},
	{"fe80::1%2",            "fe80::1%2",       "[fe80::1%2]",       true,  0,     2},
	{"[fe80::1%2]",          "fe80::1%2",       "[fe80::1%2]",       true,  0,     2},
	{"[fe80::1%2]:7",        "fe80::1%2",       "[fe80::1%2]",       false, 7,     2},
	{"febf::1%4294967295",   "febf::1%4294967295", "[febf::1%4294967295]", true, 0, UINT32_MAX},
	{LONGEST "%4294967295",  LONGEST "%4294967295", "[" LONGEST "%4294967295]", true,
	                                                                         0, UINT32_MAX},
	{"[" LONGEST "%4294967295]:65535", LONGEST "%4294967295", "[" LONGEST "%4294967295]", false,
	                                                                     65535, UINT32_MAX},
	{.text = ""}, {.text = " "}, {.text = "bob"}, {.text = "example.com"}, {.text = "1"},
	{.text = "192.0.2"}, {.text = "192.0.2.1.5"}, {.text = "192.0.2.256"}, {.text = "192.0.2.-1"},
	{.text = "192.0.2.01"}, {.text = "0x7f.0.0.1"}, {.text = " 192.0.2.1"}, {.text = "192.0.2.1 "},
	{.text = "[192.0.2.1]"}, {.text = "[192.0.2.1]:5060"}, {.text = "192.0.2.1%2"},
	{.text = "192.0.2.1:"}, {.text = "192.0.2.1:65536"}, {.text = "192.0.2.1:5060x"},
	{.text = "192.0.2.1:-1"}, {.text = "192.0.2.1:1:2"}, {.text = ":5060"}, {.text = ":"},
	{.text = "192.0.2.1:99999999999999999999"}, {.text = "[]"}, {.text = "["}, {.text = "]"},
	{.text = "[]:5060"}, {.text = "[::1"}, {.text = "::1]"}, {.text = "[::1]:"},
	{.text = "[::1]5060"}, {.text = "[::1]x:5060"}, {.text = "[[::1]]"}, {.text = "[:5060"},
	{.text = ":::"}, {.text = "1:2:3:4:5:6:7"}, {.text = "1:2:3:4:5:6:7:8:9"}, {.text = "::12345"},
	{.text = "fe80::1%"}, {.text = "fe80::1%eth0"}, {.text = "fe80::1%4294967296"},
	{.text = "%2"}, {.text = "fec0::1%2"}, {.text = "fe70::1%2"}, {.text = "2001:db8::1%2"},
	{.text = "0000:0000:0000:0000:0000:0000:255.255.255.2555"}, /* one too long */
	{.text = "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}, /* longer than any */
};
/* clang-format on */

typedef int parser(struct addr *out, struct slice text);

/* From bytes without a NUL, no longer than they are. */
static int parse(parser *with, struct addr *out, const char *text, size_t len)
{
	uint8_t *bytes = malloc(len);
	int err;

	assert_true(bytes || len == 0);
	if (len > 0)
		memcpy(bytes, text, len);
	err = with(out, (struct slice){bytes, len});
	free(bytes);
	return err;
}

static void check(const struct row *row, parser *with, bool good)
{
	struct addr addr = {.port = 777, .scope = 777};
	char text[ADDR_TEXT_SIZE];
	char with_port[ADDR_TEXT_SIZE];
	int err = parse(with, &addr, row->text, strlen(row->text));

	if (err != (good ? 0 : -EPROTO))
		fail_msg("'%s': got %d", row->text, err);
	if (err) {
		assert_int_equal(addr.family, ADDR_NONE);
		assert_int_equal(addr.port, 777);
		assert_int_equal(addr.scope, 777);
		return;
	}
	assert_int_equal(addr.family, strchr(row->ip, ':') ? ADDR_IPV6 : ADDR_IPV4);
	assert_int_equal(addr.port, row->port);
	assert_int_equal(addr.scope, row->scope);
	assert_string_equal(addr_print(text, &addr), row->ip);
	assert_string_equal(addr_print_host(text, &addr), row->host);
	snprintf(with_port, sizeof(with_port), "%s:%u", row->host, (unsigned int)row->port);
	assert_string_equal(addr_print_port(text, &addr), with_port);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check(&rows[i], addr_parse, rows[i].ip && rows[i].alone);
		check(&rows[i], addr_parse_port, rows[i].ip);
	}
}

/* The system's functions take a NUL for the end; a far end could hide something behind it. */
static void test_hidden_behind_a_nul(void **state)
{
	static const char ipv4[] = "192.0.2.1\0.example.com";
	static const char ipv6[] = "::1\0x";
	struct addr addr;

	(void)state;
	assert_int_equal(parse(addr_parse, &addr, ipv4, sizeof(ipv4) - 1), -EPROTO);
	assert_int_equal(parse(addr_parse_port, &addr, ipv4, sizeof(ipv4) - 1), -EPROTO);
	assert_int_equal(parse(addr_parse, &addr, ipv6, sizeof(ipv6) - 1), -EPROTO);
}

static void test_no_bytes(void **state)
{
	struct addr addr;

	(void)state;
	assert_int_equal(addr_parse(&addr, (struct slice){0}), -EPROTO);
	assert_int_equal(addr_parse_port(&addr, (struct slice){0}), -EPROTO);
}

static void test_print_none(void **state)
{
	struct addr none = {0};
	char text[ADDR_TEXT_SIZE];

	(void)state;
	assert_string_equal(addr_print(text, &none), "none");
}

static struct addr read_addr(const char *text)
{
	struct addr addr;

	if (addr_parse_port(&addr, slice_of(text)))
		fail_msg("'%s' is no address", text);
	return addr;
}

static void test_network_byte_order(void **state)
{
	struct addr ipv4 = read_addr("192.0.2.1");
	struct addr ipv6 = read_addr("2001:db8::1");

	(void)state;
	assert_memory_equal(ipv4.ip, "\xc0\0\2\1", 4);
	assert_memory_equal(ipv6.ip, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

/* clang-format off */
static const struct {
	const char *a;
	const char *b;
	bool same_host;
	bool equal;
} pairs[] = {
	{"192.0.2.1:1",    "192.0.2.1:1",    true,  true},
	{"192.0.2.1:1",    "192.0.2.1:2",    true,  false},
	{"192.0.2.1:1",    "192.0.2.2:1",    false, false},
	{"192.0.2.1:1",    "193.0.2.1:1",    false, false},
	{"[::1]:1",        "[::1]:1",        true,  true},
	{"[::1]:1",        "[::1]:2",        true,  false},
	{"[::1]:1",        "[::2]:1",        false, false},
	{"[2001::]:1",     "[2002::]:1",     false, false},
	{"[fe80::1%1]:1",  "[fe80::1%1]:1",  true,  true},
	{"[fe80::1%1]:1",  "[fe80::1%2]:1",  false, false},
	{"0.0.0.0:1",      "[::]:1",         false, false},
	{"192.0.2.1:1",    "[::ffff:192.0.2.1]:1", false, false},
};

static const struct {
	const char *text;
	bool any;
	bool loopback;
} kinds[] = {
	{"0.0.0.0",         true,  false},
	{"::",              true,  false},
	{"0.0.0.1",         false, false},
	{"1.0.0.0",         false, false},
	{"127.0.0.1",       false, true},
	{"127.255.255.255", false, true},
	{"126.255.255.255", false, false},
	{"128.0.0.1",       false, false},
	{"::1",             false, true},
	{"::2",             false, false},
	{"7f00::1",         false, false},
	{"100::1",          false, false},
	{"192.0.2.1:5060",  false, false},
	{"0.0.0.0:5060",    true,  false},
	{"[::1]:5060",      false, true},
};
/* clang-format on */

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct addr a = read_addr(pairs[i].a);
		struct addr b = read_addr(pairs[i].b);

		if (addr_same_host(&a, &b) != pairs[i].same_host ||
			addr_same_host(&b, &a) != pairs[i].same_host)
			fail_msg("same_host: %s, %s", pairs[i].a, pairs[i].b);
		if (addr_equal(&a, &b) != pairs[i].equal || addr_equal(&b, &a) != pairs[i].equal)
			fail_msg("equal: %s, %s", pairs[i].a, pairs[i].b);
	}
}

/* Only the first four bytes of IPv4 say anything. */
static void test_unused_bytes(void **state)
{
	struct addr a = read_addr("0.0.0.0:1");
	struct addr b = a;

	(void)state;
	b.ip[4] = 1;
	b.ip[15] = 1;
	assert_true(addr_equal(&a, &b));
	assert_true(addr_is_any(&b));
}

static void test_kinds(void **state)
{
	struct addr none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct addr addr = read_addr(kinds[i].text);

		if (addr_is_any(&addr) != kinds[i].any)
			fail_msg("any: %s", kinds[i].text);
		if (addr_is_loopback(&addr) != kinds[i].loopback)
			fail_msg("loopback: %s", kinds[i].text);
	}
	assert_false(addr_is_any(&none));
	assert_false(addr_is_loopback(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_hidden_behind_a_nul),
		cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_print_none),
		cmocka_unit_test(test_network_byte_order),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_unused_bytes),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
