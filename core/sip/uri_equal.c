#include "core/base/addr.h"
#include "core/sip/grammar.h"
#include "core/sip/uri.h"

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

	if (sip_scan_at_escape(scan)) {
		unit.byte = (uint8_t)(hex_value(scan->p[1]) << 4 | hex_value(scan->p[2]));
		unit.escaped = true;
		scan->p += SIP_ESCAPE_SIZE;
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
