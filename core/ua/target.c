#include "core/ua/target.h"

#include "core/sip/locate_flow.h"
#include "core/sip/web.h"
#include "core/ua/dialplan.h"

#include <errno.h>

/* The prefix of what was typed without a scheme. */
#define SCHEME "sip:"

enum {
	SHOWN = 40,      /* bytes of a scheme that a message repeats */
	PARAMS_MAX = 16, /* of a number */
};

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

/* "wss://pbx.example.org:8089/ws", as servers with a WebSocket tell it: what stands around the
 * host.
 */
struct web {
	const char *transport; /* NULL: it is something else */
	struct slice path;
};

/* text is left with the host. */
static void unwrap_web(struct web *out, struct slice *text, size_t *skipped)
{
	static const struct {
		const char *prefix, *transport;
	} kinds[] = {{"ws://", "ws"}, {"wss://", "wss"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct slice prefix;
		size_t len;

		if (!slice_starts_nocase(*text, kinds[i].prefix))
			continue;
		(void)slice_take(&prefix, text, strlen(kinds[i].prefix));
		*skipped += prefix.len;
		len = slice_find(*text, '/');
		out->transport = kinds[i].transport;
		out->path = (struct slice){text->data + len, text->len - len};
		text->len = len;
		return;
	}
}

static void put_web(struct text *out, const struct web *web)
{
	if (!web->transport)
		return;
	text_printf(out, ";transport=%s", web->transport);
	if (web->path.len <= 1) /* "/" is what is taken without one */
		return;
	text_puts(out, ";" SIP_WEB_PATH "=");
	sip_web_put_path(out, web->path);
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

#define NO_ACCOUNT "a number needs an account that dials it (--account), or a host: sip:NUMBER@HOST"

/* Section 19.1.6: as the telephone subscriber that it is; # has to be escaped in a user. */
static void put_user(struct text *out, struct slice number)
{
	for (size_t i = 0; i < number.len; i++)
		if (number.data[i] == '#')
			text_puts(out, "%23");
		else
			text_putc(out, (char)number.data[i]);
}

/*
 * What number is at home, with what comes behind it in the user. A number of the whole world is
 * told to be one (user=phone); others are names that only the server knows.
 */
static int dial(struct target *out, struct slice number, struct slice params, bool phone,
	const struct target_home *home, struct fault *why, size_t *at)
{
	struct text text = TEXT_IN(out->text);
	char room[DIALPLAN_RULE_MAX + DIALPLAN_NUMBER_MAX];
	struct text dialled = TEXT_IN(room);

	if (params.len > 0) /* it says itself where it is one */
		text_put(&dialled, number);
	else
		out->rule = dialplan_apply(&dialled, home->dial, number);
	text_puts(&text, SCHEME);
	put_user(&text, text_slice(&dialled));
	text_put(&text, params);
	text_putc(&text, '@');
	text_put(&text, home->domain);
	if (phone || room[0] == '+')
		text_puts(&text, ";user=phone");
	if (text.cut || dialled.cut)
		return refuse(why, at, 0, "the number is too long");
	if (sip_uri_parse(&out->uri, text_slice(&text), NULL))
		return refuse(why, at, 0, "the number cannot be dialled");
	return 0;
}

/* RFC 3966, section 5.1.1: what parts the digits is for people. */
static void put_digits(struct text *out, struct slice number)
{
	for (size_t i = 0; i < number.len; i++)
		if (!strchr("-.()", number.data[i]))
			text_putc(out, (char)number.data[i]);
}

/* In small letters: all that a number has is the same in capitals. */
static void put_small(struct text *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool capital = text.data[i] >= 'A' && text.data[i] <= 'Z';

		text_putc(out, (char)(capital ? text.data[i] | 0x20 : text.data[i]));
	}
}

static struct slice name_of(struct slice param)
{
	return (struct slice){param.data, slice_find(param, '=')};
}

/* What parts the digits goes where the value is digits. */
static void put_param(struct text *out, struct slice param)
{
	struct slice rest = param, name, value;
	bool valued = slice_cut(&name, &rest, '=');
	char room[TARGET_MAX];
	struct text digits = TEXT_IN(room);

	value = rest;
	if (slice_is_nocase(name, "ext") ||
		(slice_is_nocase(name, "phone-context") && value.len > 0 && value.data[0] == '+')) {
		put_digits(&digits, value);
		value = text_slice(&digits);
	}
	text_putc(out, ';');
	put_small(out, name);
	if (valued)
		text_putc(out, '=');
	put_small(out, value);
}

/* Section 19.1.6: isub, then the others by their names. */
static int compare(struct slice a, struct slice b)
{
	bool a_first = slice_is_nocase(a, "isub"), b_first = slice_is_nocase(b, "isub");
	char rooms[2][TARGET_MAX];
	struct text texts[] = {TEXT_IN(rooms[0]), TEXT_IN(rooms[1])};

	if (a_first != b_first)
		return a_first ? -1 : 1;
	put_small(&texts[0], a);
	put_small(&texts[1], b);
	return strcmp(rooms[0], rooms[1]);
}

static size_t count_params(struct slice params)
{
	size_t count = 0;
	struct slice one;

	while (params.len > 0) {
		(void)slice_cut(&one, &params, ';');
		count += one.len > 0;
	}
	return count;
}

static void put_params(struct text *out, struct slice params)
{
	struct slice sorted[PARAMS_MAX], one;
	size_t count = 0;

	while (params.len > 0) {
		size_t at = count;

		(void)slice_cut(&one, &params, ';');
		if (one.len == 0)
			continue;
		while (at > 0 && compare(name_of(one), name_of(sorted[at - 1])) < 0) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = one;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		put_param(out, sorted[i]);
}

/* "tel:+49-171-2345", "tel:7042;phone-context=example.org" */
static int dial_tel(struct target *out, struct slice typed, const struct target_home *home,
	struct fault *why, size_t *at)
{
	char digits[TARGET_MAX], params[TARGET_MAX];
	struct text number = TEXT_IN(digits), behind = TEXT_IN(params);
	struct sip_syntax syntax;
	struct sip_uri uri;

	if (sip_uri_parse(&uri, typed, &syntax) != 0)
		return refuse(why, at, syntax.at, syntax.what);
	if (!home)
		return refuse(why, at, 0, NO_ACCOUNT);
	put_digits(&number, uri.user);
	if (count_params(uri.params) > PARAMS_MAX)
		return refuse(why, at, 0, "the number has too many parameters");
	put_params(&behind, uri.params);
	if (number.cut || behind.cut || number.len > DIALPLAN_NUMBER_MAX)
		return refuse(why, at, 0, "the number is too long");
	if (number.len == (number.len > 0 && digits[0] == '+'))
		return refuse(why, at, sizeof("tel:") - 1, "a number without digits calls nobody");
	return dial(out, text_slice(&number), text_slice(&behind), true, home, why, at);
}

/* Better said of what was typed than when the call is placed. */
static int check_transport(const struct target *target, size_t added, struct fault *why, size_t *at)
{
	const uint8_t *text = (const uint8_t *)target->text + added;
	enum sip_transport_kind kind;
	struct slice transport;

	if (locate_transport(&kind, &target->uri) == 0)
		return 0;
	sip_param(&transport, target->uri.params, "transport");
	if (transport.len == 0)
		return refuse(why, at, (size_t)(target->uri.params.data - text),
			"transport= is udp, tcp, tls, ws or wss");
	refuse(why, at, (size_t)(transport.data - text), "");
	if (target->uri.scheme == SIP_SCHEME_SIPS)
		return fault_set(why, -EINVAL,
			"sips: goes by TLS, and transport=%.*s cannot carry that",
			(int)(transport.len < SHOWN ? transport.len : SHOWN),
			(const char *)transport.data);
	return fault_set(why, -EINVAL,
		"transport=%.*s is asked for, and we speak UDP, TCP, TLS and WebSocket only",
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
	return target_parse_in(out, typed, NULL, why, at);
}

/* What is no number of any kind. */
static int parse_address(struct target *out, struct slice rest, const struct web *web,
	size_t skipped, const struct target_home *home, struct fault *why, size_t *at)
{
	struct text text = TEXT_IN(out->text);
	struct sip_syntax syntax;
	size_t added = 0;
	bool bare = false;
	int err;

	if (!has_scheme(rest)) {
		bare = !web->transport && is_bare_name(rest);
		if (bare && !home)
			return refuse(why, at, skipped + rest.len,
				"a name alone says nothing of where: write NAME@HOST");
		text_puts(&text, SCHEME);
		added = text.len;
	}
	text_put(&text, rest);
	put_web(&text, web);
	if (bare) {
		text_putc(&text, '@');
		text_put(&text, home->domain);
	}
	if (text.cut)
		return refuse(why, at, 0, "the address is too long");

	if (sip_uri_parse(&out->uri, text_slice(&text), &syntax) != 0) {
		size_t where = syntax.at > added ? syntax.at - added : 0;

		return refuse(why, at, skipped + where, syntax.what);
	}
	err = check_transport(out, added, why, at);
	if (!err)
		err = check_request(out, added, why, at);
	if (err && at)
		*at += skipped;
	return err;
}

/* 0: it is none. 1: it is dialled. -EINVAL. */
static int parse_number(struct target *out, struct slice rest, size_t skipped,
	const struct target_home *home, struct fault *why, size_t *at)
{
	char room[DIALPLAN_NUMBER_MAX + 1];
	struct text number = TEXT_IN(room);
	int err;

	if (slice_starts_nocase(rest, "tel:"))
		err = dial_tel(out, rest, home, why, at);
	else if (!dialplan_read(&number, rest))
		return 0;
	else if (!home)
		err = refuse(why, at, 0, NO_ACCOUNT);
	else
		err = dial(out, text_slice(&number), (struct slice){0}, false, home, why, at);
	if (err && at)
		*at += skipped;
	return err ? err : 1;
}

int target_parse_in(struct target *out, struct slice typed, const struct target_home *home,
	struct fault *why, size_t *at)
{
	struct slice rest = typed;
	struct slice other;
	struct web web = {0};
	size_t skipped = 0;
	int err;

	out->rule = NULL;
	if (slice_trim(typed).len == 0)
		return refuse(why, at, 0, "the address is empty");
	if (typed.len > TARGET_MAX)
		return refuse(why, at, TARGET_MAX, "the address is too long");

	err = unwrap(&rest, &skipped, why, at);
	if (err)
		return err;
	unwrap_web(&web, &rest, &skipped);
	other = other_scheme(rest);
	if (other.len > 0) {
		if (at)
			*at = skipped;
		return fault_set(why, -EINVAL, "not a SIP address: %.*s",
			(int)(other.len < SHOWN ? other.len : SHOWN), (const char *)other.data);
	}
	err = web.transport ? 0 : parse_number(out, rest, skipped, home, why, at);
	if (err)
		return err > 0 ? 0 : err;
	return parse_address(out, rest, &web, skipped, home, why, at);
}

struct slice target_number(const struct target *target)
{
	struct slice number = target->uri.user;

	number.len = slice_find(number, ';');
	for (size_t i = 0; i < number.len; i++)
		if (!strchr("0123456789+", number.data[i]) || number.data[i] == '\0')
			return (struct slice){0};
	return number;
}
