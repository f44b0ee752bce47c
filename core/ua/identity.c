#include "core/ua/identity.h"

#include "core/ua/target.h"

#include <errno.h>

static bool is_number(const struct sip_name_addr *one)
{
	return one->uri.scheme == SIP_SCHEME_TEL;
}

static bool is_sip(const struct sip_name_addr *one)
{
	return one->uri.scheme == SIP_SCHEME_SIP || one->uri.scheme == SIP_SCHEME_SIPS;
}

/*
 * RFC 3325, section 9.1: one value, or a SIP URI and a number, of which the first says more; what
 * is there beyond that is ignored (RFC 5876, section 4.5).
 */
bool identity_asserted(struct sip_name_addr *out, const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	struct sip_name_addr one;
	bool found = false;
	struct slice value;

	while (sip_msg_next(&value, &cursor, msg, SIP_P_ASSERTED_IDENTITY)) {
		if (sip_name_addr_parse(&one, value) || one.wildcard)
			continue;
		if (is_sip(&one)) {
			*out = one;
			return true;
		}
		if (is_number(&one) && !found) {
			*out = one;
			found = true;
		}
	}
	return found;
}

static bool is_anonymous_host(struct slice host)
{
	static const char domain[] = "anonymous.invalid";
	size_t len = sizeof(domain) - 1;
	struct slice end;

	if (host.len < len)
		return false;
	end = (struct slice){host.data + host.len - len, len};
	return slice_is_nocase(end, domain) && (host.len == len || end.data[-1] == '.');
}

/* RFC 3323, section 4.2: values parted by semicolons. */
static bool asks_for_privacy(const struct sip_msg *request)
{
	const struct slice *header = sip_msg_header_named(request, "Privacy");
	struct slice rest = header ? *header : (struct slice){0};
	struct slice value;

	while (rest.len > 0) {
		(void)slice_cut(&value, &rest, ';');
		value = slice_trim(value);
		if (slice_is_nocase(value, "id") || slice_is_nocase(value, "user"))
			return true;
	}
	return false;
}

/*
 * That no server vouches for him is no sign of it, nor is it a sign against it that one does: what
 * counts is what he says himself.
 */
bool identity_is_withheld(const struct sip_msg *request)
{
	return is_anonymous_host(request->from.uri.host) ||
	       slice_is_nocase(request->from.display, IDENTITY_ANONYMOUS_NAME) ||
	       asks_for_privacy(request);
}

static int print_value(struct text *out, const struct sip_name_addr *name)
{
	if (name->display.len > 0) {
		text_putc(out, '"');
		text_put(out, name->display); /* its escapes are as they have to be */
		text_puts(out, "\" ");
	}
	text_putc(out, '<');
	text_put(out, name->uri_text);
	text_putc(out, '>');
	return out->cut ? -ENAMETOOLONG : 0;
}

int identity_read(struct text *out, struct slice typed, struct fault *why)
{
	struct sip_name_addr name;
	struct target target;

	if (sip_name_addr_parse(&name, typed) || name.wildcard ||
		!(is_sip(&name) || is_number(&name))) {
		if (target_parse(&target, typed, why, NULL))
			return -EINVAL;
		name = (struct sip_name_addr){.uri = target.uri, .uri_text = slice_of(target.text)};
	}
	if (name.params.len > 0 || name.uri.headers.len > 0)
		return fault_set(why, -EINVAL, "an address alone, like sip:alice@example.org");
	if (is_sip(&name) && name.uri.user.len == 0)
		return fault_set(why, -EINVAL, "a user is needed, like alice@example.org");
	if (print_value(out, &name))
		return fault_set(why, -EINVAL, "it is too long");
	return 0;
}
