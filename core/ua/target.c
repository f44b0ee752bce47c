#include "core/ua/target.h"

#include "core/sip/locate.h"

#include <errno.h>

/* The prefix of what was typed without a scheme. */
#define SCHEME "sip:"

enum { SHOWN = 40 }; /* bytes of a scheme that a message repeats */

static int refuse(struct fault *why, size_t *at, size_t where, const char *what)
{
	if (at)
		*at = where;
	return fault_set(why, -EINVAL, "%s", what);
}

/* Where the bracket of a name-addr opens, behind a display name in quotes or without; text.len if
 * there is none (RFC 3261, section 25.1). */
static size_t find_bracket(struct slice text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		if (quoted && text.data[i] == '\\')
			i++;
		else if (text.data[i] == '"')
			quoted = !quoted;
		else if (text.data[i] == '<' && !quoted)
			return i;
	}
	return text.len;
}

/* "Bob <sip:...>": what is in the brackets; skipped counts what was left out before it. */
static int unwrap(struct slice *text, size_t *skipped, struct fault *why, size_t *at)
{
	size_t open = find_bracket(*text);
	struct slice inside;

	if (open == text->len && text->len > 0 && text->data[0] == '"')
		return refuse(why, at, text->len,
			"behind a name in quotes the address stands in brackets: <sip:bob@host>");
	if (open == text->len)
		return 0;

	inside = (struct slice){text->data + open + 1, text->len - open - 1};
	inside.len = slice_find(inside, '>');
	*skipped = open + 1;
	if (*skipped + inside.len == text->len)
		return refuse(why, at, text->len, "the bracket is not closed");
	if (*skipped + inside.len + 1 < text->len)
		return refuse(
			why, at, *skipped + inside.len + 1, "nothing can stand behind the bracket");
	*text = inside;
	return 0;
}

static bool has_scheme(struct slice text)
{
	return slice_starts_nocase(text, "sip:") || slice_starts_nocase(text, "sips:") ||
	       slice_starts_nocase(text, "tel:");
}

/* The scheme of a URI that is of another kind than ours; empty if there is none. A user and a
 * password look alike, so only what can be nothing else counts. */
static struct slice other_scheme(struct slice text)
{
	static const char *const others[] = {
		"mailto", "xmpp", "callto", "skype", "im", "pres", "h323", "iax", "iax2"};
	size_t colon = slice_find(text, ':');
	struct slice name = {text.data, colon};
	struct slice rest = {text.data + colon, text.len - colon};

	for (size_t i = 0; colon < text.len && i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_is_nocase(name, others[i]))
			return name;
	if (has_scheme(text) || !slice_starts_nocase(rest, "://"))
		return (struct slice){text.data, 0};
	for (size_t i = 0; i < name.len; i++) {
		uint8_t byte = name.data[i] | 0x20;

		if ((byte < 'a' || byte > 'z') && !(name.data[i] >= '0' && name.data[i] <= '9'))
			return (struct slice){text.data, 0};
	}
	return name;
}

/* A word alone is a name that only an address book or an account could make whole. */
static bool is_bare_name(struct slice text)
{
	return slice_find(text, '@') == text.len && slice_find(text, '.') == text.len &&
	       slice_find(text, ':') == text.len && !slice_is_nocase(text, "localhost");
}

static int check_scheme(const struct sip_uri *uri, struct fault *why, size_t *at)
{
	if (uri->scheme == SIP_SCHEME_TEL)
		return refuse(why, at, 0,
			"a telephone number needs somebody to dial it: write sip:NUMBER@HOST");
	return 0;
}

/* Better said of what was typed than when the call is placed. */
static int check_transport(const struct target *target, size_t added, struct fault *why, size_t *at)
{
	const uint8_t *text = (const uint8_t *)target->text + added;
	enum sip_transport_kind kind;
	struct slice transport;

	if (sip_locate_transport(&kind, &target->uri) == 0)
		return 0;
	sip_param(&transport, target->uri.params, "transport");
	if (transport.len == 0)
		return refuse(why, at, (size_t)(target->uri.params.data - text),
			"transport= is udp, tcp or tls");
	refuse(why, at, (size_t)(transport.data - text), "");
	if (target->uri.scheme == SIP_SCHEME_SIPS)
		return fault_set(why, -EINVAL,
			"sips: goes by TLS, and transport=%.*s cannot carry that",
			(int)(transport.len < SHOWN ? transport.len : SHOWN),
			(const char *)transport.data);
	return fault_set(why, -EINVAL,
		"transport=%.*s is asked for, and we speak UDP, TCP and TLS only",
		(int)(transport.len < SHOWN ? transport.len : SHOWN), (const char *)transport.data);
}

/* RFC 3261, section 19.1.1: what an address in a link or a Refer-To may say of the request. */
static int check_request(const struct target *target, size_t added, struct fault *why, size_t *at)
{
	const struct sip_uri *uri = &target->uri;
	const uint8_t *text = (const uint8_t *)target->text + added;

	if (uri->headers.len > 0)
		return refuse(why, at, (size_t)(uri->headers.data - 1 - text),
			"a header cannot be given in the address; use --header");
	if (sip_param(NULL, uri->params, "method"))
		return refuse(why, at, (size_t)(uri->params.data - text),
			"a method cannot be given in the address; a call is an INVITE");
	return 0;
}

int target_parse(struct target *out, struct slice typed, struct fault *why, size_t *at)
{
	return target_parse_in(out, typed, (struct slice){0}, why, at);
}

int target_parse_in(
	struct target *out, struct slice typed, struct slice domain, struct fault *why, size_t *at)
{
	struct text text = TEXT_IN(out->text);
	struct slice rest = typed;
	struct slice other;
	struct sip_syntax syntax;
	size_t skipped = 0, added = 0;
	bool bare = false;
	int err;

	if (slice_trim(typed).len == 0)
		return refuse(why, at, 0, "the address is empty");
	if (typed.len > TARGET_MAX)
		return refuse(why, at, TARGET_MAX, "the address is too long");

	err = unwrap(&rest, &skipped, why, at);
	if (err)
		return err;
	other = other_scheme(rest);
	if (other.len > 0) {
		if (at)
			*at = skipped;
		return fault_set(why, -EINVAL, "not a SIP address: %.*s",
			(int)(other.len < SHOWN ? other.len : SHOWN), (const char *)other.data);
	}
	if (!has_scheme(rest)) {
		bare = is_bare_name(rest);
		if (bare && domain.len == 0)
			return refuse(why, at, skipped + rest.len,
				"a name alone says nothing of where: write NAME@HOST");
		text_puts(&text, SCHEME);
		added = text.len;
	}
	text_put(&text, rest);
	if (bare) {
		text_putc(&text, '@');
		text_put(&text, domain);
		if (text.cut)
			return refuse(why, at, 0, "the address is too long");
	}

	if (sip_uri_parse(&out->uri, text_slice(&text), &syntax) != 0) {
		size_t where = syntax.at > added ? syntax.at - added : 0;

		return refuse(why, at, skipped + where, syntax.what);
	}
	err = check_scheme(&out->uri, why, at);
	if (!err)
		err = check_transport(out, added, why, at);
	if (!err)
		err = check_request(out, added, why, at);
	if (err && at)
		*at += skipped;
	return err;
}
