#include "core/sip/uri.h"
#include "core/base/addr.h"
#include "core/sip/grammar.h"

enum {
	HOST_MAX = 255,  /* RFC 1035, section 2.3.4 */
	PARTS_MAX = 64,  /* parameters, and headers, of a URI: comparing takes the square of it */
	ESCAPE_SIZE = 3, /* "%41" */
};

/* Tells at which byte and why it is no URI. */
static int refuse(const struct sip_scan *scan, const uint8_t *at, const char *what)
{
	if (scan->syntax)
		*scan->syntax = (struct sip_syntax){(size_t)(at - scan->start), what};
	return -EPROTO;
}

/* Refuses the byte at hand in a part that has words of its own for a space. */
static int refuse_byte(const struct sip_scan *scan, const char *space, const char *other)
{
	return refuse(scan, scan->p, sip_scan_at(scan, ' ') ? space : other);
}

static bool is_escape(const struct sip_scan *scan)
{
	return scan->end - scan->p >= ESCAPE_SIZE && sip_is(scan->p[1], SIP_C_HEX) &&
	       sip_is(scan->p[2], SIP_C_HEX);
}

/* Takes bytes of the classes and escapes, maybe none. */
static int take_escaped(struct slice *out, struct sip_scan *scan, unsigned classes)
{
	const uint8_t *from = scan->p;

	for (;;) {
		sip_scan_run(scan, classes);
		if (!sip_scan_at(scan, '%'))
			break;
		if (!is_escape(scan))
			return refuse(scan, scan->p, "a % is followed by two hexadecimal digits");
		scan->p += ESCAPE_SIZE;
	}
	*out = (struct slice){from, (size_t)(scan->p - from)};
	return 0;
}

/* "user@" or "user:password@", if there is an "@" at all. */
static int take_userinfo(struct sip_uri *uri, struct sip_scan *scan)
{
	struct slice rest = sip_scan_rest(scan);
	int err;

	if (!memchr(rest.data, '@', rest.len))
		return 0;

	err = take_escaped(&uri->user, scan, SIP_C_USER);
	if (err)
		return err;
	if (uri->user.len == 0 && (sip_scan_at(scan, '@') || sip_scan_at(scan, ':')))
		return refuse(scan, scan->p, "nothing stands before the @");

	if (sip_scan_at(scan, ':')) {
		scan->p++;
		err = take_escaped(&uri->password, scan, SIP_C_PASSWORD);
		if (err)
			return err;
		if (!sip_scan_at(scan, '@'))
			return refuse_byte(scan, "a password cannot hold a space",
				"a password cannot hold this character unless as %XX");
	}
	if (!sip_scan_at(scan, '@'))
		return refuse_byte(scan, "a user cannot hold a space",
			"a user cannot hold this character unless as %XX");
	scan->p++;
	return 0;
}

static int take_ipv6(struct slice *host, struct sip_scan *scan)
{
	const uint8_t *open = scan->p;
	const uint8_t *from = open + 1;
	const uint8_t *close = memchr(open, ']', (size_t)(scan->end - open));
	struct addr addr;

	if (!close)
		return refuse(scan, open, "the bracket of the IPv6 address is not closed");

	*host = (struct slice){from, (size_t)(close - from)};
	/* a zone ("%2") says something on its own host only, and has no place in a URI */
	if (memchr(from, '%', host->len) || addr_parse(&addr, *host) || addr.family != ADDR_IPV6)
		return refuse(scan, from, "what stands in the brackets is no IPv6 address");
	scan->p = close + 1;
	return 0;
}

/* Checks the label of a host name that ends here. */
static int check_label(const struct sip_scan *scan, struct slice label)
{
	if (label.len == 0)
		return refuse(scan, scan->p, "a host cannot begin with a dot or hold two in a row");
	if (label.data[0] == '-')
		return refuse(scan, label.data, "no part of a host name begins with a hyphen");
	if (label.data[label.len - 1] == '-')
		return refuse(scan, scan->p - 1, "no part of a host name ends with a hyphen");
	return 0;
}

/*
 * Takes four numbers from 0 to 255 without leading zeros, if that is all that stands there;
 * addr_parse() says the same, but slowly.
 */
static bool take_ipv4(struct slice *host, struct sip_scan *scan)
{
	const uint8_t *p = scan->p;

	for (int dots = 0;; dots++) {
		const uint8_t *digits = p;
		unsigned value = 0;

		for (; p < scan->end && sip_is(*p, SIP_C_DIGIT) && p - digits < 3; p++)
			value = value * 10 + *p - '0';
		if (p == digits || value > UINT8_MAX || (*digits == '0' && p - digits > 1))
			return false;
		if (dots == 3)
			break;
		if (p == scan->end || *p++ != '.')
			return false;
	}
	if (p < scan->end && (sip_is(*p, SIP_C_LABEL) || *p == '.'))
		return false;
	*host = (struct slice){scan->p, (size_t)(p - scan->p)};
	scan->p = p;
	return true;
}

/* Whether the last label of a host is a number, as only IPv4 has it (that of a name has a letter).
 */
static bool is_numeric(struct slice host)
{
	size_t len;

	if (host.len > 0 && host.data[host.len - 1] == '.')
		host.len--;
	len = host.len;
	while (len > 0 && sip_is(host.data[len - 1], SIP_C_DIGIT))
		len--;
	return len < host.len && (len == 0 || host.data[len - 1] == '.');
}

/* A name, which may end with a dot, or IPv4. */
static int take_name(struct slice *host, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	struct slice label;
	int err;

	if (take_ipv4(host, scan))
		return 0;
	do {
		label.data = scan->p;
		while (scan->p < scan->end && sip_is(*scan->p, SIP_C_LABEL))
			scan->p++; /* labels are short */
		label.len = (size_t)(scan->p - label.data);
		if (label.len == 0 && !sip_scan_at(scan, '.'))
			break;
		err = check_label(scan, label);
		if (err)
			return err;
	} while (sip_scan_at(scan, '.') && scan->p++);

	*host = (struct slice){from, (size_t)(scan->p - from)};
	if (host->len > HOST_MAX)
		return refuse(scan, from, "a host name has no more than 255 characters");
	if (is_numeric(*host))
		return refuse(scan, from, "an IPv4 address is four numbers from 0 to 255");
	return 0;
}

static int take_port(uint16_t *port, struct sip_scan *scan)
{
	static const char what[] = "a port is a number from 1 to 65535";
	struct slice digits = sip_scan_run(scan, SIP_C_DIGIT);
	uint64_t value;

	if (slice_number(&value, digits, UINT16_MAX) || value == 0)
		return refuse(scan, digits.data, what);
	*port = (uint16_t)value;
	return 0;
}

/* Section 25.1: hostport, and in a Via sent-by, which allows white space around the colon. */
int sip_scan_host(
	struct slice *host, bool *is_ipv6, uint16_t *port, struct sip_scan *scan, bool spaced)
{
	struct sip_scan colon;
	int err;

	*is_ipv6 = sip_scan_at(scan, '[');
	err = *is_ipv6 ? take_ipv6(host, scan) : take_name(host, scan);
	if (err)
		return err;

	colon = *scan;
	if (spaced)
		sip_scan_space(&colon);
	if (host->len == 0 || !sip_scan_at(&colon, ':'))
		return 0;

	colon.p++;
	if (spaced)
		sip_scan_space(&colon);
	*scan = colon;
	return take_port(port, scan);
}

/* Whether what a person wrote as a host and a port is an IPv6 address without brackets. */
static bool is_bare_ipv6(const uint8_t *from, const uint8_t *end)
{
	const uint8_t *p = from;
	struct addr addr;

	while (p < end && (sip_is(*p, SIP_C_HEX) || *p == ':' || *p == '.'))
		p++;
	return addr_parse(&addr, (struct slice){from, (size_t)(p - from)}) == 0 &&
	       addr.family == ADDR_IPV6;
}

static int take_hostport(struct sip_uri *uri, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	int err;

	err = sip_scan_host(&uri->host, &uri->host_is_ipv6, &uri->port, scan, false);
	if ((err || uri->host.len == 0) && is_bare_ipv6(from, scan->end))
		return refuse(scan, from, "an IPv6 address stands in brackets, as in [::1]");
	if (err)
		return err;
	if (uri->host.len == 0 && (scan->p == scan->end || memchr(":;?", *scan->p, 3)))
		return refuse(scan, from, "the host is missing");
	if (scan->p < scan->end && *scan->p != ';' && *scan->p != '?') {
		if (uri->port)
			return refuse_byte(scan, "a port cannot hold a space",
				"a port is a number from 1 to 65535");
		return refuse_byte(
			scan, "a host cannot hold a space", "a host cannot hold this character");
	}
	return 0;
}

/* ";a=b;c": what follows it is "?" or the end. Empty parameters are let in. */
static int take_params(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	struct slice one;
	size_t count = 0;
	int err;

	while (sip_scan_at(scan, ';')) {
		scan->p++;
		err = take_escaped(&one, scan, SIP_C_PARAM);
		if (err)
			return err;
		if (one.len > 0 && one.data[0] == '=')
			return refuse(scan, one.data, "a parameter has a name before the =");
		if (++count > PARTS_MAX)
			return refuse(scan, one.data, "no more than 64 parameters are read");
	}
	*out = (struct slice){from, (size_t)(scan->p - from)};
	if (scan->p < scan->end && *scan->p != '?')
		return refuse_byte(scan, "a parameter cannot hold a space",
			"a parameter cannot hold this character unless as %XX");
	return 0;
}

static int take_header(struct sip_scan *scan)
{
	struct slice name, value;
	int err;

	err = take_escaped(&name, scan, SIP_C_FIELD);
	if (err)
		return err;
	if (name.len == 0 || !sip_scan_at(scan, '='))
		return refuse(scan, scan->p, "a header in a URI is written as name=value");

	do { /* an "=" in a value should be escaped, but is not always */
		scan->p++;
		err = take_escaped(&value, scan, SIP_C_FIELD);
	} while (!err && sip_scan_at(scan, '='));
	return err;
}

/* "?a=b&c=d", up to the end. */
static int take_headers(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p + 1;
	size_t count = 0;
	int err;

	if (scan->p == scan->end)
		return 0;

	do {
		scan->p++;
		err = take_header(scan);
		if (err)
			return err;
		if (++count > PARTS_MAX)
			return refuse(scan, from, "no more than 64 headers are read");
	} while (sip_scan_at(scan, '&'));

	if (scan->p < scan->end)
		return refuse_byte(scan, "a header in a URI cannot hold a space",
			"a header in a URI cannot hold this character unless as %XX");
	*out = (struct slice){from, (size_t)(scan->p - from)};
	return 0;
}

static int read_sip(struct sip_uri *uri, struct sip_scan *scan)
{
	int err;

	err = take_userinfo(uri, scan);
	if (!err)
		err = take_hostport(uri, scan);
	if (!err)
		err = take_params(&uri->params, scan);
	if (!err)
		err = take_headers(&uri->headers, scan);
	return err;
}

/* RFC 3966, section 3. A local number should have a phone-context, but hardly anybody gives one. */
static int read_tel(struct sip_uri *uri, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	int err;

	if (sip_scan_at(scan, '+'))
		scan->p++;
	if (sip_scan_run(scan, SIP_C_PHONE).len == 0)
		return refuse_byte(scan, "a telephone number cannot hold a space",
			"a telephone number begins with a digit, or with + and a digit");
	uri->user = (struct slice){from, (size_t)(scan->p - from)};
	if (scan->p < scan->end && *scan->p != ';')
		return refuse_byte(scan, "a telephone number cannot hold a space",
			"a telephone number cannot hold this character");

	err = take_params(&uri->params, scan);
	if (!err && scan->p < scan->end)
		return refuse(scan, scan->p, "a telephone number has no headers");
	return err;
}

static int read_other(struct sip_scan *scan)
{
	if (scan->p == scan->end)
		return refuse(scan, scan->p, "nothing follows the scheme");
	sip_scan_run(scan, SIP_C_OPAQUE);
	if (scan->p < scan->end)
		return refuse_byte(
			scan, "a URI cannot hold a space", "a URI cannot hold this character");
	return 0;
}

static enum sip_scheme find_scheme(struct slice name)
{
	if (SIP_IS_WORD(name, "sip"))
		return SIP_SCHEME_SIP;
	if (SIP_IS_WORD(name, "sips"))
		return SIP_SCHEME_SIPS;
	if (SIP_IS_WORD(name, "tel"))
		return SIP_SCHEME_TEL;
	return SIP_SCHEME_OTHER;
}

static bool is_scheme_byte(uint8_t byte)
{
	return (sip_is(byte, SIP_C_LABEL) && byte != '_') || byte == '+' || byte == '.';
}

/* RFC 3261, section 25.1: a letter, then letters, digits, "+", "-" and ".". */
static int take_scheme(struct sip_uri *uri, struct sip_scan *scan)
{
	static const char what[] = "a URI begins with a scheme, such as sip:";

	while (scan->p < scan->end && is_scheme_byte(*scan->p))
		scan->p++;
	if (!sip_scan_at(scan, ':') || *scan->start < 'A')
		return refuse(scan, scan->start, what);

	uri->scheme_name = (struct slice){scan->start, (size_t)(scan->p - scan->start)};
	uri->scheme = find_scheme(uri->scheme_name);
	scan->p++;
	uri->opaque = sip_scan_rest(scan);
	return 0;
}

int sip_uri_parse(struct sip_uri *out, struct slice text, struct sip_syntax *syntax)
{
	struct sip_scan scan = sip_scan_of(text, syntax);
	struct sip_uri uri = {0};
	int err;

	err = take_scheme(&uri, &scan);
	if (err)
		return err;

	switch (uri.scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		err = read_sip(&uri, &scan);
		break;
	case SIP_SCHEME_TEL:
		err = read_tel(&uri, &scan);
		break;
	default:
		err = read_other(&scan);
	}
	if (!err)
		*out = uri;
	return err;
}

/* One byte of a URI, written as itself or as an escape. */
struct unit {
	uint8_t byte;
	bool escaped;
};

static uint8_t hex_value(uint8_t digit)
{
	return digit <= '9' ? (uint8_t)(digit - '0') : (uint8_t)((digit | 0x20) - 'a' + 10);
}

static struct unit take_unit(struct sip_scan *scan)
{
	struct unit unit = {.byte = *scan->p};

	if (unit.byte == '%' && is_escape(scan)) {
		unit.byte = (uint8_t)(hex_value(scan->p[1]) << 4 | hex_value(scan->p[2]));
		unit.escaped = true;
		scan->p += ESCAPE_SIZE;
	} else {
		scan->p++;
	}
	return unit;
}

/* Section 19.1.4: an escape is what it stands for, but for what is reserved. */
static bool same_unit(struct unit a, struct unit b, bool nocase)
{
	static const uint8_t reserved[] = ";/?:@&=+$,%";

	if (nocase ? sip_lower(a.byte) != sip_lower(b.byte) : a.byte != b.byte)
		return false;
	return a.escaped == b.escaped || !memchr(reserved, a.byte, sizeof(reserved) - 1);
}

static bool same(struct slice a, struct slice b, bool nocase)
{
	struct sip_scan left = sip_scan_of(a, NULL);
	struct sip_scan right = sip_scan_of(b, NULL);

	while (left.p < left.end && right.p < right.end)
		if (!same_unit(take_unit(&left), take_unit(&right), nocase))
			return false;
	return left.p == left.end && right.p == right.end;
}

static bool find_param(struct sip_pair *out, struct slice params, struct slice name)
{
	struct sip_scan scan = sip_scan_of(params, NULL);

	while (sip_scan_pair(out, &scan) == 0)
		if (same(out->name, name, true))
			return true;
	return false;
}

bool sip_param(struct slice *value, struct slice params, const char *name)
{
	struct sip_pair pair;
	bool found = find_param(&pair, params, slice_of(name));

	if (found && value)
		*value = pair.value;
	return found;
}

/* Parameters that both URIs have or neither; transport is one by the examples only. */
static bool is_never_ignored(struct slice name)
{
	static const char *const names[] = {"user", "ttl", "method", "maddr", "transport"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (same(name, slice_of(names[i]), true))
			return true;
	return false;
}

/* Whether no parameter of a speaks against b. Of those that stand twice, the first counts. */
static bool params_agree(struct slice a, struct slice b, bool all_count)
{
	struct sip_scan scan = sip_scan_of(a, NULL);
	struct sip_pair one, mine, other;

	while (sip_scan_pair(&one, &scan) == 0) {
		if (!find_param(&mine, a, one.name))
			return false;
		if (find_param(&other, b, mine.name)) {
			if (!same(mine.value, other.value, true))
				return false;
		} else if (all_count || is_never_ignored(mine.name)) {
			return false;
		}
	}
	return true;
}

static bool same_params(struct slice a, struct slice b, bool all_count)
{
	return params_agree(a, b, all_count) && params_agree(b, a, all_count);
}

static bool has_header(struct slice headers, struct slice name, struct slice value)
{
	struct slice one, other;

	while (headers.len > 0) {
		slice_cut(&one, &headers, '&');
		slice_cut(&other, &one, '=');
		if (same(other, name, true) && same(one, value, true))
			return true;
	}
	return false;
}

static bool has_headers(struct slice all, struct slice wanted)
{
	struct slice one, name;

	while (wanted.len > 0) {
		slice_cut(&one, &wanted, '&');
		slice_cut(&name, &one, '=');
		if (!has_header(all, name, one))
			return false;
	}
	return true;
}

static bool same_host(const struct sip_uri *a, const struct sip_uri *b)
{
	struct addr left, right;

	if (!a->host_is_ipv6 || !b->host_is_ipv6)
		return a->host_is_ipv6 == b->host_is_ipv6 && slice_equal_nocase(a->host, b->host);
	/* an IPv6 address has many spellings (RFC 5952, section 2) */
	return addr_parse(&left, a->host) == 0 && addr_parse(&right, b->host) == 0 &&
	       addr_same_host(&left, &right);
}

static bool same_sip(const struct sip_uri *a, const struct sip_uri *b)
{
	if (!same(a->user, b->user, false) || !same(a->password, b->password, false) ||
		!a->password.data != !b->password.data)
		return false;
	return a->port == b->port && same_host(a, b) && same_params(a->params, b->params, false) &&
	       has_headers(a->headers, b->headers) && has_headers(b->headers, a->headers);
}

static void skip_separators(struct slice *number)
{
	while (number->len > 0 && memchr("-.()", number->data[0], 4)) {
		number->data++;
		number->len--;
	}
}

/* RFC 3966, section 4: visual separators do not count, all parameters do. */
static bool same_tel(const struct sip_uri *a, const struct sip_uri *b)
{
	struct slice left = a->user;
	struct slice right = b->user;

	for (;;) {
		skip_separators(&left);
		skip_separators(&right);
		if (left.len == 0 || right.len == 0)
			break;
		if (sip_lower(*left.data++) != sip_lower(*right.data++))
			return false;
		left.len--;
		right.len--;
	}
	return left.len == right.len && same_params(a->params, b->params, true);
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == SIP_SCHEME_TEL)
		return same_tel(a, b);
	if (a->scheme == SIP_SCHEME_OTHER)
		return slice_equal_nocase(a->scheme_name, b->scheme_name) &&
		       slice_equal(a->opaque, b->opaque);
	return same_sip(a, b);
}
