#include "core/sip/uri.h"
#include "core/base/addr.h"
#include "core/sip/grammar.h"

enum {
	HOST_MAX = 255, /* RFC 1035, section 2.3.4 */
	PARTS_MAX = 64, /* parameters, and headers, of a URI: comparing takes the square of it */
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

/* Takes bytes of the classes and escapes, maybe none. */
static int take_escaped(struct slice *out, struct sip_scan *scan, unsigned classes)
{
	const uint8_t *from = scan->p;

	for (;;) {
		sip_scan_run(scan, classes);
		if (!sip_scan_at(scan, '%'))
			break;
		if (!sip_scan_at_escape(scan))
			return refuse(scan, scan->p, "a % is followed by two hexadecimal digits");
		scan->p += SIP_ESCAPE_SIZE;
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

		for (; p < scan->end && *p >= '0' && *p <= '9'; p++) {
			value = value * 10 + *p - '0';
			if (value > UINT8_MAX)
				return false;
		}
		if (p == digits || (*digits == '0' && p - digits > 1))
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
		const uint8_t *p = scan->p;

		label.data = p;
		while (p < scan->end && sip_is(*p, SIP_C_LABEL))
			p++; /* labels are short */
		scan->p = p;
		label.len = (size_t)(p - label.data);
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
	const uint8_t *from = scan->p;
	const uint8_t *p = from;
	unsigned value = 0;

	for (; p < scan->end && *p >= '0' && *p <= '9'; p++)
		if (value <= UINT16_MAX) /* else it is too large, whatever follows */
			value = value * 10 + *p - '0';
	scan->p = p;
	if (value == 0 || value > UINT16_MAX)
		return refuse(scan, from, what);
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
	static const char usual[] = "sip:"; /* nearly all do */

	if (scan->end - scan->p >= 4 && memcmp(scan->p, usual, 4) == 0) {
		uri->scheme = SIP_SCHEME_SIP;
		scan->p += 3;
	} else {
		while (scan->p < scan->end && is_scheme_byte(*scan->p))
			scan->p++;
		if (!sip_scan_at(scan, ':') || *scan->start < 'A')
			return refuse(scan, scan->start, what);
		uri->scheme =
			find_scheme((struct slice){scan->start, (size_t)(scan->p - scan->start)});
	}
	uri->scheme_name = (struct slice){scan->start, (size_t)(scan->p - scan->start)};
	scan->p++;
	uri->opaque = sip_scan_rest(scan);
	return 0;
}

int sip_uri_fill(struct sip_uri *out, struct slice text, struct sip_syntax *syntax)
{
	struct sip_scan scan = sip_scan_of(text, syntax);
	int err;

	err = take_scheme(out, &scan);
	if (err)
		return err;

	switch (out->scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		return read_sip(out, &scan);
	case SIP_SCHEME_TEL:
		return read_tel(out, &scan);
	default:
		return read_other(&scan);
	}
}

int sip_uri_parse(struct sip_uri *out, struct slice text, struct sip_syntax *syntax)
{
	struct sip_uri uri = {0};
	int err;

	err = sip_uri_fill(&uri, text, syntax);
	if (!err)
		*out = uri;
	return err;
}
