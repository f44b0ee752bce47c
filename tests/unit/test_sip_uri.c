/* core/sip/uri: what is read and what is refused, where and why; what is equal; printing. */
#include "core/sip/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONG = 5000 };

/* Parts that are left out are empty. */
static const struct good {
	const char *text;
	enum sip_scheme scheme;
	const char *user, *password, *host;
	uint16_t port;
	const char *params, *headers;
	bool ipv6;
} goods[] = {
	{"sip:host", SIP_SCHEME_SIP, .host = "host"},
	{"sip:bob@example.org", SIP_SCHEME_SIP, "bob", .host = "example.org"},
	{"SIP:bob@example.org", SIP_SCHEME_SIP, "bob", .host = "example.org"},
	{"SiPs:bob@example.org", SIP_SCHEME_SIPS, "bob", .host = "example.org"},
	{"sip:bob@h:1", SIP_SCHEME_SIP, "bob", .host = "h", .port = 1},
	{"sip:bob@h:65535", SIP_SCHEME_SIP, "bob", .host = "h", .port = 65535},
	{"sip:bob@h:005060", SIP_SCHEME_SIP, "bob", .host = "h", .port = 5060},
	{"sip:bob:secret@h", SIP_SCHEME_SIP, "bob", "secret", .host = "h"},
	{"sip:bob:&=+$,@h", SIP_SCHEME_SIP, "bob", "&=+$,", .host = "h"},
	{"sip:192.0.2.255", SIP_SCHEME_SIP, .host = "192.0.2.255"},
	{"sip:a@0.0.0.0:5080", SIP_SCHEME_SIP, "a", .host = "0.0.0.0", .port = 5080},
	{"sip:[::1]", SIP_SCHEME_SIP, .host = "::1", .ipv6 = true},
	{"sip:a@[2001:db8::9:1]:5070", SIP_SCHEME_SIP, "a", .host = "2001:db8::9:1", .port = 5070,
		.ipv6 = true},
	{"sip:[2001:db8::10:5070]", SIP_SCHEME_SIP, .host = "2001:db8::10:5070", .ipv6 = true},
	{"sip:[::ffff:192.0.2.1];lr", SIP_SCHEME_SIP, .host = "::ffff:192.0.2.1", .params = ";lr",
		.ipv6 = true},
	{"sip:h;transport=tcp;lr", SIP_SCHEME_SIP, .host = "h", .params = ";transport=tcp;lr"},
	{"sip:h;maddr=[::1]", SIP_SCHEME_SIP, .host = "h", .params = ";maddr=[::1]"},
	{"sip:h;ob=x==;#|^{}`", SIP_SCHEME_SIP, .host = "h", .params = ";ob=x==;#|^{}`"},
	{"sip:h;;lr;", SIP_SCHEME_SIP, .host = "h", .params = ";;lr;"},
	{"sip:h:1;lr?a=b", SIP_SCHEME_SIP, .host = "h", .port = 1, .params = ";lr",
		.headers = "a=b"},
	{"sip:h?subject=x%20y&z=", SIP_SCHEME_SIP, .host = "h", .headers = "subject=x%20y&z="},
	{"sip:h?Replaces=a;to-tag=b", SIP_SCHEME_SIP, .host = "h",
		.headers = "Replaces=a;to-tag=b"},
	{"sip:a@h?to=sip:b@c", SIP_SCHEME_SIP, "a", .host = "h", .headers = "to=sip:b@c"},
	{"sip:%61%2f%2F@h", SIP_SCHEME_SIP, "%61%2f%2F", .host = "h"},
	{"sip:null-%00-null@h", SIP_SCHEME_SIP, "null-%00-null", .host = "h"},
	{"sip:-_.!~*'()&=+$,;?/@h", SIP_SCHEME_SIP, "-_.!~*'()&=+$,;?/", .host = "h"},
	{"sip:u;par=v%40w@h", SIP_SCHEME_SIP, "u;par=v%40w", .host = "h"},
	{"sip:*67#@h", SIP_SCHEME_SIP, "*67#", .host = "h"},
	{"sip:+1-555;ext=2@h;user=phone", SIP_SCHEME_SIP, "+1-555;ext=2", .host = "h",
		.params = ";user=phone"},
	{"sip:my_box.3cx", SIP_SCHEME_SIP, .host = "my_box.3cx"},
	{"sip:3cx", SIP_SCHEME_SIP, .host = "3cx"},
	{"sip:1.2.3.4.x", SIP_SCHEME_SIP, .host = "1.2.3.4.x"},
	{"sip:example.org.", SIP_SCHEME_SIP, .host = "example.org."},
	{"sip:a-b.x--y", SIP_SCHEME_SIP, .host = "a-b.x--y"},
	{"tel:100", SIP_SCHEME_TEL, .user = "100"},
	{"tel:+1-201-555-0123", SIP_SCHEME_TEL, .user = "+1-201-555-0123"},
	{"TEL:*21#;phone-context=+1", SIP_SCHEME_TEL, "*21#", .params = ";phone-context=+1"},
	{"tel:(0)30.1aF", SIP_SCHEME_TEL, .user = "(0)30.1aF"},
	{"mailto:x@y", .scheme = SIP_SCHEME_OTHER},
	{"http://www.example.org/?a#b", .scheme = SIP_SCHEME_OTHER},
	{"x-a+b.1:y", .scheme = SIP_SCHEME_OTHER},
	{"sipx:bob", .scheme = SIP_SCHEME_OTHER},
};

#define SCHEME "a URI begins with a scheme, such as sip:"
#define NO_HOST "the host is missing"
#define PORT "a port is a number from 1 to 65535"
#define ESCAPE "a % is followed by two hexadecimal digits"
#define HOST_BYTE "a host cannot hold this character"
#define IPV4 "an IPv4 address is four numbers from 0 to 255"
#define IPV6 "what stands in the brackets is no IPv6 address"
#define BARE_IPV6 "an IPv6 address stands in brackets, as in [::1]"
#define USER_BYTE "a user cannot hold this character unless as %XX"
#define PARAM_BYTE "a parameter cannot hold this character unless as %XX"
#define DOTS "a host cannot begin with a dot or hold two in a row"
#define HEADER "a header in a URI is written as name=value"

static const struct bad {
	const char *text;
	size_t at;
	const char *what;
} bads[] = {
	{"", 0, SCHEME},
	{"bob", 0, SCHEME},
	{":bob", 0, SCHEME},
	{"1sip:bob", 0, SCHEME},
	{"bob@example.org", 0, SCHEME},
	{"<sip:bob@h>", 0, SCHEME},
	{" sip:bob@h", 0, SCHEME},
	{"s_p:bob@h", 0, SCHEME},
	{"sip:", 4, NO_HOST},
	{"sip:bob@", 8, NO_HOST},
	{"sip:bob@:5060", 8, NO_HOST},
	{"sip:bob@;lr", 8, NO_HOST},
	{"sip:?a=b", 4, NO_HOST},
	{"sip:@h", 4, "nothing stands before the @"},
	{"sip::pw@h", 4, "nothing stands before the @"},
	{"sip:bob@exam ple.org", 12, "a host cannot hold a space"},
	{"sip:bob@h ", 9, "a host cannot hold a space"},
	{"sip:bob@ h", 8, "a host cannot hold a space"},
	{"sip:bob@h/x", 9, HOST_BYTE},
	{"sip:bob@h@i", 9, HOST_BYTE},
	{"sip:bob@h\xc3\xbc", 9, HOST_BYTE},
	{"sip:bob@%41", 8, HOST_BYTE},
	{"sip:bob@[::1]x", 13, HOST_BYTE},
	{"sip:bob@.h", 8, DOTS},
	{"sip:bob@a..h", 10, DOTS},
	{"sip:-h", 4, "no part of a host name begins with a hyphen"},
	{"sip:a.h-.b", 7, "no part of a host name ends with a hyphen"},
	{"sip:h-", 5, "no part of a host name ends with a hyphen"},
	{"sip:h:", 6, PORT},
	{"sip:h:0", 6, PORT},
	{"sip:h:65536", 6, PORT},
	{"sip:h:4294972356", 6, PORT},
	{"sip:h:99999999999999999999999", 6, PORT},
	{"sip:h:-1", 6, PORT},
	{"sip:h:50a", 8, PORT},
	{"sip:h:50 ", 8, "a port cannot hold a space"},
	{"sip:bob:pass", 8, PORT},
	{"sip:a@192.0.2.256", 6, IPV4},
	{"sip:a@192.0.2", 6, IPV4},
	{"sip:a@1.2.3.4.5", 6, IPV4},
	{"sip:a@1.2.3.04", 6, IPV4},
	{"sip:a@1.2.3.1000", 6, IPV4},
	{"sip:a@1.2.3.4294967297", 6, IPV4},
	{"sip:a@x.1", 6, IPV4},
	{"sip:12345", 4, IPV4},
	{"sip:a@[::1", 6, "the bracket of the IPv6 address is not closed"},
	{"sip:a@[]", 7, IPV6},
	{"sip:a@[::1::2]", 7, IPV6},
	{"sip:a@[192.0.2.1]", 7, IPV6},
	{"sip:a@[fe80::1%2]", 7, IPV6},
	{"sip:a@[::g]", 7, IPV6},
	{"sip:a@::1", 6, BARE_IPV6},
	{"sip:2001:db8::1", 4, BARE_IPV6},
	{"sip:a@fe80::1;lr", 6, BARE_IPV6},
	{"sip:b ob@h", 5, "a user cannot hold a space"},
	{"sip:b\"ob@h", 5, USER_BYTE},
	{"sip:b\xc3\xa4r@h", 5, USER_BYTE},
	{"sip:b[@h", 5, USER_BYTE},
	{"sip:%4@h", 4, ESCAPE},
	{"sip:a%zz@h", 5, ESCAPE},
	{"sip:a%4g@h", 5, ESCAPE},
	{"sip:a:%@h", 6, ESCAPE},
	{"sip:a:b c@h", 7, "a password cannot hold a space"},
	{"sip:a:b:c@h", 7, "a password cannot hold this character unless as %XX"},
	{"sip:a:b;c@h", 7, "a password cannot hold this character unless as %XX"},
	{"sip:h;a b", 7, "a parameter cannot hold a space"},
	{"sip:h;a<", 7, PARAM_BYTE},
	{"sip:h;a\"", 7, PARAM_BYTE},
	{"sip:h;a,b", 7, PARAM_BYTE},
	{"sip:h;lr\r\nX: y", 8, PARAM_BYTE},
	{"sip:h;=b", 6, "a parameter has a name before the ="},
	{"sip:h;a%", 7, ESCAPE},
	{"sip:h;a%1", 7, ESCAPE},
	{"sip:h?", 6, HEADER},
	{"sip:h?a", 7, HEADER},
	{"sip:h?=b", 6, HEADER},
	{"sip:h?a=b&", 10, HEADER},
	{"sip:h?a=b&c", 11, HEADER},
	{"sip:h?a=b c", 9, "a header in a URI cannot hold a space"},
	{"sip:h?a=b<", 9, "a header in a URI cannot hold this character unless as %XX"},
	{"sip:h?a=%1", 8, ESCAPE},
	{"tel:", 4, "a telephone number begins with a digit, or with + and a digit"},
	{"tel:+", 5, "a telephone number begins with a digit, or with + and a digit"},
	{"tel:x", 4, "a telephone number begins with a digit, or with + and a digit"},
	{"tel:1 2", 5, "a telephone number cannot hold a space"},
	{"tel:1x", 5, "a telephone number cannot hold this character"},
	{"tel:1;a?b=c", 7, "a telephone number has no headers"},
	{"mailto:", 7, "nothing follows the scheme"},
	{"mailto:a b", 8, "a URI cannot hold a space"},
	{"mailto:a>", 8, "a URI cannot hold this character"},
};

/* A copy with no byte after it, so that AddressSanitizer sees one read too many. */
static struct slice tight(const char *text)
{
	size_t len = strlen(text);
	uint8_t *copy = malloc(len);

	assert_true(copy || len == 0);
	if (len > 0)
		memcpy(copy, text, len);
	return (struct slice){copy, len};
}

static void check(const struct good *row, const char *part, struct slice got, const char *wanted)
{
	if (!slice_is(got, wanted ? wanted : ""))
		fail_msg("%s: %s is '%.*s'", row->text, part, (int)got.len, (const char *)got.data);
}

static void check_parts(const struct good *row, const struct sip_uri *uri)
{
	check(row, "user", uri->user, row->user);
	check(row, "password", uri->password, row->password);
	check(row, "host", uri->host, row->host);
	check(row, "params", uri->params, row->params);
	check(row, "headers", uri->headers, row->headers);
	check(row, "opaque", uri->opaque, strchr(row->text, ':') + 1);
	assert_int_equal(uri->scheme_name.len, strchr(row->text, ':') - row->text);
	if (uri->scheme != row->scheme || uri->port != row->port || uri->host_is_ipv6 != row->ipv6)
		fail_msg("%s: scheme %d, port %u, ipv6 %d", row->text, uri->scheme, uri->port,
			uri->host_is_ipv6);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct slice text = tight(goods[i].text);
		struct sip_syntax syntax = {99, "untouched"};
		struct sip_uri uri;

		if (sip_uri_parse(&uri, text, &syntax))
			fail_msg("%s: at %zu, %s", goods[i].text, syntax.at, syntax.what);
		check_parts(&goods[i], &uri);
		free((void *)text.data);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct slice text = tight(bads[i].text);
		struct sip_syntax syntax = {99, "untouched"};
		struct sip_uri uri = {.port = 7};
		int err = sip_uri_parse(&uri, text, &syntax);

		if (err != -EPROTO || syntax.at != bads[i].at ||
			strcmp(syntax.what, bads[i].what) != 0)
			fail_msg("%s: %d at %zu, %s", bads[i].text, err, syntax.at, syntax.what);
		assert_int_equal(uri.port, 7);
		assert_int_equal(sip_uri_parse(&uri, text, NULL), -EPROTO);
		free((void *)text.data);
	}
}

/* Each byte value at each place: as it may be, it is never read past, and a zero is never taken. */
static void test_any_byte(void **state)
{
	static const char text[] = "sip:a:b@h.i:1;c=d?e=f";

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (unsigned byte = 0; byte < 256; byte++) {
			struct slice copy = tight(text);
			struct sip_uri uri;
			int err;

			((uint8_t *)copy.data)[at] = (uint8_t)byte;
			err = sip_uri_parse(&uri, copy, NULL);
			assert_true(err == 0 || err == -EPROTO);
			if (byte <= ' ' || byte >= 0x7f || strchr("<>\"\\", (int)byte))
				assert_int_equal(err, -EPROTO);
			free((void *)copy.data);
		}
}

static struct slice repeated(char *room, const char *start, const char *piece, size_t count)
{
	struct text text = text_in(room, LONG);

	text_puts(&text, start);
	for (size_t i = 0; i < count; i++)
		text_puts(&text, piece);
	return text_slice(&text);
}

static void test_caps(void **state)
{
	struct sip_syntax syntax;
	struct sip_uri uri;
	char room[LONG];

	(void)state;
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "sip:h", ";a", 64), NULL), 0);
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "sip:h", ";a", 65), &syntax), -EPROTO);
	assert_int_equal(syntax.at, 5 + 64 * 2 + 1);
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "sip:h?a=b", "&a=b", 63), NULL), 0);
	assert_int_equal(
		sip_uri_parse(&uri, repeated(room, "sip:h?a=b", "&a=b", 64), &syntax), -EPROTO);
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "sip:", "a", 255), NULL), 0);
	assert_int_equal(uri.host.len, 255);
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "sip:", "a", 256), &syntax), -EPROTO);
	assert_int_equal(syntax.at, 4);
	assert_string_equal(syntax.what, "a host name has no more than 255 characters");
	assert_int_equal(sip_uri_parse(&uri, repeated(room, "mailto:", "a", 4000), NULL), 0);
}

static void test_param(void **state)
{
	static const struct {
		const char *params, *name, *value; /* NULL: is not there */
	} rows[] = {
		{"", "a", NULL},
		{";a=b", "a", "b"},
		{";A=b", "a", "b"},
		{";a=b", "A", "b"},
		{";a=b", "b", NULL},
		{";ab=c", "a", NULL},
		{";a=b;c=d", "c", "d"},
		{";lr", "lr", ""},
		{";lr=", "lr", ""},
		{";x;lr;y", "lr", ""},
		{";;a=1", "a", "1"},
		{";a=1;a=2", "a", "1"},
		{";x=\"a;b=c\";b=d", "b", "d"},
		{";x=\"a\\\";b=c\";b=d", "b", "d"},
		{";x=\"y z\"", "x", "\"y z\""},
		{" ; a = b ; c", "a", "b"},
		{" ; a = b ; c", "c", ""},
		{";x=\"unclosed;b=c", "b", NULL},
		{";%6C%72", "lr", ""},
		{";a=b=c", "a", "b=c"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice params = tight(rows[i].params);
		struct slice value = slice_of("untouched");
		const char *wanted = rows[i].value ? rows[i].value : "untouched";

		if (sip_param(&value, params, rows[i].name) != (rows[i].value != NULL) ||
			!slice_is(value, wanted))
			fail_msg("%s: %s is '%.*s'", rows[i].params, rows[i].name, (int)value.len,
				(const char *)value.data);
		assert_int_equal(sip_param(NULL, params, rows[i].name), rows[i].value != NULL);
		free((void *)params.data);
	}
}

static void test_print(void **state)
{
	static const char *const same[] = {"sip:h", "SIP:bob:pw@h:5;a=b;c", "sip:bob:@h",
		"sips:[::1]:5061;lr", "tel:+1-2;ext=3", "mailto:x@y?z", "sip:a@1.2.3.4"};
	static const struct sip_uri made = {.scheme = SIP_SCHEME_SIPS,
		.user = {(const uint8_t *)"a", 1},
		.host = {(const uint8_t *)"::1", 3},
		.host_is_ipv6 = true,
		.port = 5061};
	struct sip_uri uri;
	char room[80];
	struct text out;

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		out = TEXT_IN(room);
		assert_int_equal(sip_uri_parse(&uri, slice_of(same[i]), NULL), 0);
		sip_uri_print(&out, &uri);
		assert_string_equal(out.data, same[i]);
	}
	out = TEXT_IN(room);
	assert_int_equal(sip_uri_parse(&uri, slice_of("sip:bob@h;lr?a=b"), NULL), 0);
	sip_uri_print(&out, &uri);
	assert_string_equal(out.data, "sip:bob@h;lr");

	out = TEXT_IN(room);
	sip_uri_print(&out, &made);
	assert_string_equal(out.data, "sips:a@[::1]:5061");
}

static const struct pair {
	const char *a, *b;
	bool equal;
} pairs[] = {
	/* the examples of RFC 3261, section 19.1.4 */
	{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
	{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
	{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
	{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
	{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
	{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
	{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
	{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
	{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
	{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
	{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
	{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
	{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},

	{"sip:bob@h", "sip:bob@h", true},
	{"sip:bob@h", "SIP:bob@H", true},
	{"sip:bob@h", "sips:bob@h", false},
	{"sip:bob@h", "sip:Bob@h", false},
	{"sip:bob@h", "sip:bo@h", false},
	{"sip:bob@h", "sip:bobb@h", false},
	{"sip:bob@h", "sip:h", false},
	{"sip:b%6fb@h", "sip:%62ob@h", true},
	{"sip:b%6fb@h", "sip:b%6Fb@h", true},
	{"sip:b%3Bc@h", "sip:b;c@h", false},
	{"sip:b%3Bc@h", "sip:b%3bc@h", true},
	{"sip:b%2541@h", "sip:b%41@h", false},
	{"sip:b:p@h", "sip:b:p@h", true},
	{"sip:b:p@h", "sip:b:P@h", false},
	{"sip:b:p@h", "sip:b@h", false},
	{"sip:b:@h", "sip:b@h", false},
	{"sip:b@h", "sip:b@h:5060", false},
	{"sip:b@h:5060", "sip:b@h:5060", true},
	{"sip:b@h", "sip:b@i", false},
	{"sip:b@[::1]", "sip:b@[0:0:0:0:0:0:0:1]", true},
	{"sip:b@[2001:DB8::1]", "sip:b@[2001:db8:0::1]", true},
	{"sip:b@[::1]", "sip:b@[::2]", false},
	{"sip:b@[::1]", "sip:b@h", false},
	{"sip:b@h;a=1", "sip:b@h", true},
	{"sip:b@h", "sip:b@h;a=1", true},
	{"sip:b@h;a=1", "sip:b@h;b=2", true},
	{"sip:b@h;a=1", "sip:b@h;a=2", false},
	{"sip:b@h;a=1", "sip:b@h;a", false},
	{"sip:b@h;a=x;b=y", "sip:b@h;B=Y;A=X", true},
	{"sip:b@h;a=1;a=2", "sip:b@h;a=1;a=2", true},
	{"sip:b@h;a=1;a=2", "sip:b@h;a=1", true},
	{"sip:b@h;a=1;a=2", "sip:b@h;a=2", false},
	{"sip:b@h;transport=udp", "sip:b@h", false},
	{"sip:b@h", "sip:b@h;transport=udp", false},
	{"sip:b@h;transport=udp", "sip:b@h;Transport=UDP", true},
	{"sip:b@h;user=ip", "sip:b@h", false},
	{"sip:b@h;ttl=1", "sip:b@h", false},
	{"sip:b@h", "sip:b@h;method=INVITE", false},
	{"sip:b@h;maddr=192.0.2.1", "sip:b@h", false},
	{"sip:h;transport=tcp;method=REGISTER?to=sip:b%40h",
		"sip:h;method=REGISTER;transport=tcp?to=sip:b%40h", true},
	{"sip:h?a=1&b=2", "sip:h?b=2&a=1", true},
	{"sip:h?a=1", "sip:h?A=1", true},
	{"sip:h?a=1", "sip:h?a=2", false},
	{"sip:h?a=1", "sip:h", false},
	{"sip:h", "sip:h?a=1", false},
	{"sip:h?a=1", "sip:h?a=1&b=2", false},
	{"tel:+1-555-0100", "tel:+1(555)0100", true},
	{"tel:+15550100", "tel:15550100", false},
	{"tel:1555", "tel:15550", false},
	{"tel:1a", "tel:1A-", true},
	{"tel:1;ext=2", "tel:1", false},
	{"tel:1;ext=2;isub=3", "tel:1;isub=3;ext=2", true},
	{"tel:1;EXT=2", "tel:1;ext=2", true},
	{"tel:863;phone-context=+1-914-555", "tel:863;phone-context=+1-914-556", false},
	{"tel:863;phone-context=A.example", "tel:863;phone-context=a.EXAMPLE", true},
	{"tel:+1", "tel:1", false},
	{"tel:1", "sip:1@h", false},
	{"mailto:a@b", "MAILTO:a@b", true},
	{"mailto:a@b", "mailto:A@b", false},
	{"mailto:a@b", "mailtp:a@b", false},
};

static void test_equal(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct sip_uri a, b;

		assert_int_equal(sip_uri_parse(&a, slice_of(pairs[i].a), NULL), 0);
		assert_int_equal(sip_uri_parse(&b, slice_of(pairs[i].b), NULL), 0);
		if (sip_uri_equal(&a, &b) != pairs[i].equal ||
			sip_uri_equal(&b, &a) != pairs[i].equal)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_param),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests_name("sip/uri", tests, NULL, NULL);
}
