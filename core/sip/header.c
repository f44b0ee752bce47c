#include "core/base/text.h"
#include "core/sip/grammar.h"
#include "core/sip/msg.h"

/* Section 25.1: a backslash takes the byte after it, whatever that is; it cannot be the last one.
 */
int sip_scan_quoted(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p + 1;

	for (const uint8_t *p = from; p < scan->end; p++) {
		if (*p == '"') {
			*out = (struct slice){from, (size_t)(p - from)};
			scan->p = p + 1;
			return 0;
		}
		if (*p == '\\')
			p++;
	}
	return -EPROTO;
}

static int take_value(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	struct slice ignored;
	int err;

	if (!sip_scan_at(scan, '"')) {
		*out = sip_scan_run(scan, SIP_C_VALUE);
		return 0;
	}

	err = sip_scan_quoted(&ignored, scan);
	if (err)
		return err;
	*out = (struct slice){from, (size_t)(scan->p - from)};
	return 0;
}

int sip_scan_pair(struct sip_pair *out, struct sip_scan *scan)
{
	int err;

	while (scan->p < scan->end && (*scan->p == ';' || sip_is_space(*scan->p)))
		scan->p++;
	if (scan->p == scan->end)
		return -ENOENT;

	*out = (struct sip_pair){.name = sip_scan_run(scan, SIP_C_NAME)};
	if (out->name.len == 0)
		return -EPROTO;

	sip_scan_space(scan);
	if (sip_scan_at(scan, '=')) {
		scan->p++;
		sip_scan_space(scan);
		err = take_value(&out->value, scan);
		if (err)
			return err;
		sip_scan_space(scan);
	}
	return scan->p == scan->end || *scan->p == ';' ? 0 : -EPROTO;
}

/* Takes a parameter that may stand there once. */
static int take_once(struct slice *out, struct slice value)
{
	if (out->data)
		return -EPROTO;
	/* one without a value is there, too */
	*out = value.data ? value : (struct slice){(const uint8_t *)"", 0};
	return 0;
}

/* RFC 5118, section 4.5: with brackets or without. */
static struct slice without_brackets(struct slice host)
{
	if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		return (struct slice){host.data + 1, host.len - 2};
	return host;
}

/* RFC 3581, section 3: empty in a request, the port in a response. */
static int read_rport(struct sip_via *via, struct slice value)
{
	uint64_t port = 0;

	if (via->has_rport || (value.len > 0 && slice_number(&port, value, UINT16_MAX)))
		return -EPROTO;

	via->has_rport = true;
	via->rport = (uint16_t)port;
	return 0;
}

static int read_via_param(struct sip_via *via, const struct sip_pair *pair)
{
	if (SIP_IS_WORD(pair->name, "branch"))
		return take_once(&via->branch, pair->value);
	if (SIP_IS_WORD(pair->name, "received"))
		return take_once(&via->received, without_brackets(pair->value));
	if (SIP_IS_WORD(pair->name, "rport"))
		return read_rport(via, pair->value);
	return 0;
}

/* What is left is parameters, or nothing. */
static int take_params(struct slice *out, struct sip_scan *scan)
{
	sip_scan_space(scan);
	*out = sip_scan_rest(scan);
	return out->len == 0 || *out->data == ';' ? 0 : -EPROTO;
}

static int read_via_params(struct sip_via *via)
{
	struct sip_scan scan = sip_scan_of(via->params, NULL);
	struct sip_pair pair;
	int err;

	for (;;) {
		err = sip_scan_pair(&pair, &scan);
		if (err)
			return err == -ENOENT ? 0 : err;
		err = read_via_param(via, &pair);
		if (err)
			return err;
	}
}

/* A token of sent-protocol, with white space and the slash after it. */
static int take_protocol(struct slice *out, struct sip_scan *scan, bool slash)
{
	*out = sip_scan_run(scan, SIP_C_TOKEN);
	if (out->len == 0)
		return -EPROTO;
	if (!slash)
		return 0;

	sip_scan_space(scan);
	if (!sip_scan_at(scan, '/'))
		return -EPROTO;
	scan->p++;
	sip_scan_space(scan);
	return 0;
}

/* Any version of SIP, or one that we do not speak could not be answered with 505. */
static int take_sent_protocol(struct slice *transport, struct sip_scan *scan)
{
	static const char usual[] = "SIP/2.0/"; /* as nearly everybody writes it */
	size_t len = sizeof(usual) - 1;
	struct slice name, version;
	int err;

	if ((size_t)(scan->end - scan->p) > len && memcmp(scan->p, usual, len) == 0) {
		scan->p += len;
		sip_scan_space(scan);
		return take_protocol(transport, scan, false);
	}
	err = take_protocol(&name, scan, true);
	if (!err)
		err = take_protocol(&version, scan, true);
	if (!err)
		err = take_protocol(transport, scan, false);
	if (!err && !SIP_IS_WORD(name, "sip"))
		err = -EPROTO;
	return err;
}

/* Section 20.42. */
int sip_via_parse(struct sip_via *out, struct slice value)
{
	struct sip_scan scan = sip_scan_of(sip_trim(value), NULL);
	struct sip_via via = {0};
	bool is_ipv6;
	int err;

	err = take_sent_protocol(&via.transport, &scan);
	if (err)
		return err;
	if (scan.p == scan.end || !sip_is_space(*scan.p))
		return -EPROTO;

	sip_scan_space(&scan);
	err = sip_scan_host(&via.host, &is_ipv6, &via.port, &scan, true);
	if (!err && via.host.len == 0)
		err = -EPROTO;
	if (!err)
		err = take_params(&via.params, &scan);
	if (!err)
		err = read_via_params(&via);
	if (!err)
		*out = via;
	return err;
}

static int read_tag(struct sip_name_addr *addr)
{
	struct sip_scan scan = sip_scan_of(addr->params, NULL);
	struct sip_pair pair;
	int err;

	if (addr->params.len == 0)
		return 0;
	for (;;) {
		err = sip_scan_pair(&pair, &scan);
		if (err)
			return err == -ENOENT ? 0 : err;
		if (SIP_IS_WORD(pair.name, "tag"))
			err = take_once(&addr->tag, pair.value);
		if (err)
			return err;
	}
}

/* The words of a display name need no quotes; peers put more than tokens into them. */
static bool is_display_byte(uint8_t byte)
{
	return sip_is(byte, SIP_C_VALUE) ? byte != ':' : sip_is_space(byte);
}

/* A display name, if there is one, up to "<"; none if the URI has no angle brackets. */
static int take_display(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *p = scan->p;
	int err;

	if (sip_scan_at(scan, '"')) {
		err = sip_scan_quoted(out, scan);
		sip_scan_space(scan);
		return !err && !sip_scan_at(scan, '<') ? -EPROTO : err;
	}

	while (p < scan->end && is_display_byte(*p))
		p++;
	if (p < scan->end && *p == '<') {
		*out = sip_trim((struct slice){scan->p, (size_t)(p - scan->p)});
		scan->p = p;
	}
	return 0;
}

static int take_bracketed(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p + 1;
	const uint8_t *close = memchr(from, '>', (size_t)(scan->end - from));

	if (!close)
		return -EPROTO;

	*out = (struct slice){from, (size_t)(close - from)};
	scan->p = close + 1;
	return 0;
}

/* Section 20: without brackets, what follows a semicolon is the header's, and "?" and "," may not
 * be. */
static int take_bare(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;

	while (scan->p < scan->end && *scan->p != ';' && !sip_is_space(*scan->p)) {
		if (*scan->p == '?' || *scan->p == ',')
			return -EPROTO;
		scan->p++;
	}
	*out = (struct slice){from, (size_t)(scan->p - from)};
	return 0;
}

int sip_name_addr_parse(struct sip_name_addr *out, struct slice value)
{
	struct sip_scan scan = sip_scan_of(sip_trim(value), NULL);
	struct sip_name_addr addr = {0};
	int err;

	if (sip_scan_at(&scan, '*') && scan.end - scan.p == 1) {
		addr.wildcard = true;
		*out = addr;
		return 0;
	}

	err = take_display(&addr.display, &scan);
	if (err)
		return err;
	err = sip_scan_at(&scan, '<') ? take_bracketed(&addr.uri_text, &scan)
				      : take_bare(&addr.uri_text, &scan);
	if (!err)
		err = sip_uri_fill(&addr.uri, addr.uri_text, NULL);
	if (!err)
		err = take_params(&addr.params, &scan);
	if (!err)
		err = read_tag(&addr);
	if (!err)
		*out = addr;
	return err;
}
