#include "core/sip/print.h"
#include "core/sip/grammar.h"
#include "core/sip/msg_private.h"

#include <assert.h>

static void print_scheme(struct text *out, const struct sip_uri *uri)
{
	static const char *const names[] = {
		[SIP_SCHEME_SIP] = "sip",
		[SIP_SCHEME_SIPS] = "sips",
		[SIP_SCHEME_TEL] = "tel",
		[SIP_SCHEME_OTHER] = "",
	};

	if (uri->scheme_name.len > 0)
		text_put(out, uri->scheme_name);
	else
		text_puts(out, names[uri->scheme]); /* it was made, not read */
	text_putc(out, ':');
}

static void print_host(struct text *out, const struct sip_uri *uri)
{
	if (uri->host_is_ipv6)
		text_putc(out, '[');
	text_put(out, uri->host);
	if (uri->host_is_ipv6)
		text_putc(out, ']');
	if (uri->port)
		text_printf(out, ":%u", uri->port);
}

void sip_uri_print(struct text *out, const struct sip_uri *uri)
{
	print_scheme(out, uri);
	if (uri->scheme == SIP_SCHEME_OTHER) {
		text_put(out, uri->opaque);
		return;
	}

	text_put(out, uri->user);
	if (uri->password.data) { /* an empty one is one too */
		text_putc(out, ':');
		text_put(out, uri->password);
	}
	if (uri->scheme != SIP_SCHEME_TEL) {
		if (uri->user.len > 0)
			text_putc(out, '@');
		print_host(out, uri);
	}
	text_put(out, uri->params);
}

void sip_print_request_line(struct text *out, enum sip_method method, struct slice uri)
{
	assert(method < SIP_METHOD_OTHER);

	text_puts(out, sip_method_name(method));
	text_putc(out, ' ');
	text_put(out, uri);
	text_puts(out, " SIP/2.0\r\n");
}

void sip_print_status_line(struct text *out, uint16_t status, const char *reason)
{
	text_printf(out, "SIP/2.0 %03u %s\r\n", status, reason ? reason : sip_reason(status));
}

static void print_name(struct text *out, enum sip_header_name id)
{
	text_puts(out, sip_header_canonical(id));
	text_puts(out, ": ");
}

void sip_print_header(struct text *out, enum sip_header_name id, struct slice value)
{
	print_name(out, id);
	text_put(out, value);
	text_puts(out, "\r\n");
}

void sip_print_header_text(struct text *out, enum sip_header_name id, const char *format, ...)
{
	va_list args;

	print_name(out, id);
	va_start(args, format);
	text_vprintf(out, format, args);
	va_end(args);
	text_puts(out, "\r\n");
}

/* Those from the given place in the index on. */
static void print_copies_from(
	struct text *out, const struct sip_msg *msg, enum sip_header_name id, size_t from)
{
	for (size_t i = from; i < msg->header_count; i++)
		if (msg->headers[i].id == id)
			sip_print_header(out, id, msg->headers[i].value);
}

void sip_print_copies(struct text *out, const struct sip_msg *msg, enum sip_header_name id)
{
	print_copies_from(out, msg, id, 0);
}

/*
 * RFC 3261, section 18.2.1, wants received if the host is a name or another address; RFC 3581,
 * section 4, wants it with rport even if it is the same.
 */
static bool needs_received(const struct sip_via *via, const struct addr *source)
{
	struct addr sent_by;

	return via->has_rport || addr_parse(&sent_by, via->host) ||
	       !addr_same_host(&sent_by, source);
}

/* Whatever a peer claimed of itself as received and rport gives way to what was seen. */
static void print_via_params(
	struct text *out, const struct sip_via *via, const struct addr *source, bool keeps)
{
	struct sip_scan scan = sip_scan_of(via->params, NULL);
	struct sip_pair pair;

	while (sip_scan_pair(&pair, &scan) == 0) {
		if (slice_is_nocase(pair.name, "received") || slice_is_nocase(pair.name, "rport"))
			continue;
		text_putc(out, ';');
		text_put(out, pair.name);
		if (pair.value.len > 0) {
			text_putc(out, '=');
			text_put(out, pair.value);
		} else if (keeps && slice_is_nocase(pair.name, "keep")) {
			text_puts(out, "=0"); /* as often as he thinks */
		}
	}
	if (via->has_rport)
		text_printf(out, ";rport=%u", source->port);
}

static void print_topmost(struct text *out, struct slice value, const struct sip_via *via,
	const struct addr *source, bool keeps)
{
	struct addr host = *source; /* a zone means nothing to the far end */
	char ip[ADDR_TEXT_SIZE];

	value.len -= via->params.len; /* they are its end */
	host.scope = 0;

	print_name(out, SIP_VIA);
	text_put(out, slice_trim(value));
	print_via_params(out, via, source, keeps);
	if (needs_received(via, &host))
		text_printf(out, ";received=%s", addr_print(ip, &host));
	text_puts(out, "\r\n");
}

void sip_print_vias_of_response(
	struct text *out, const struct sip_msg *request, const struct addr *source, bool keeps)
{
	struct sip_cursor cursor = {0};
	struct slice value, rest;

	if (!sip_msg_next(&value, &cursor, request, SIP_VIA))
		return; /* cannot be: what has no Via is not parsed */

	print_topmost(out, value, &request->via, source, keeps);
	rest = request->headers[cursor.header].value;
	rest.data += cursor.offset;
	rest.len -= cursor.offset;
	rest = slice_trim(rest);
	if (rest.len > 0)
		sip_print_header(out, SIP_VIA, rest);
	print_copies_from(out, request, SIP_VIA, cursor.header + 1);
}

void sip_print_body(struct text *out, const char *content_type, struct slice body)
{
	if (body.len > 0)
		sip_print_header(out, SIP_CONTENT_TYPE, slice_of(content_type));
	sip_print_header_text(out, SIP_CONTENT_LENGTH, "%zu", body.len);
	text_puts(out, "\r\n");
	text_put(out, body);
}

/* Control characters, which have no place in a name and some of which no escape, become spaces. */
void sip_print_quoted(struct text *out, struct slice name)
{
	text_putc(out, '"');
	for (size_t i = 0; i < name.len; i++) {
		uint8_t byte = name.data[i];

		if (byte == '"' || byte == '\\')
			text_putc(out, '\\');
		text_putc(out, byte < ' ' || byte == 0x7f ? ' ' : (char)byte);
	}
	text_putc(out, '"');
}

static bool has_control(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
			return true;
	return false;
}

static int refuse(const char **what, const char *why)
{
	*what = why;
	return -EINVAL;
}

int sip_header_check(struct slice line, const char **what)
{
	struct sip_scan scan = sip_scan_of(line, NULL);
	struct slice name = sip_scan_run(&scan, SIP_C_TOKEN);

	sip_scan_space(&scan);
	if (name.len == 0 || !sip_scan_at(&scan, ':'))
		return refuse(what, "a header is written as Name: value");
	if (has_control(sip_scan_rest(&scan)))
		return refuse(what, "a header cannot hold a control character or a line end");
	if (sip_header_is_ours(name))
		return refuse(what, "sipcall writes this header itself");
	return 0;
}
