#include "core/ua/target.h"

#include <errno.h>

/* The prefix of what was typed without a scheme. */
#define SCHEME "sip:"

static int refuse(struct fault *why, size_t *at, size_t where, const char *what)
{
	if (at)
		*at = where;
	return fault_set(why, -EINVAL, "%s", what);
}

/* "<sip:...>" without its brackets; skipped counts what was left out before it. */
static int unwrap(struct slice *text, size_t *skipped, struct fault *why, size_t *at)
{
	if (text->len == 0 || text->data[0] != '<')
		return 0;
	if (text->data[text->len - 1] != '>')
		return refuse(why, at, text->len, "the bracket is not closed");

	text->data++;
	text->len -= 2;
	*skipped = 1;
	return 0;
}

static bool has_scheme(struct slice text)
{
	return slice_starts_nocase(text, "sip:") || slice_starts_nocase(text, "sips:") ||
	       slice_starts_nocase(text, "tel:");
}

/* A word alone is a name that only an address book or an account could make whole. */
static bool is_bare_name(struct slice text)
{
	return slice_find(text, '@') == text.len && slice_find(text, '.') == text.len &&
	       slice_find(text, ':') == text.len && !slice_is_nocase(text, "localhost");
}

static int check_scheme(const struct sip_uri *uri, struct fault *why, size_t *at)
{
	if (uri->scheme == SIP_SCHEME_SIPS)
		return refuse(why, at, 0,
			"sips: asks for encrypted signalling, which this build does not have");
	if (uri->scheme == SIP_SCHEME_TEL)
		return refuse(why, at, 0,
			"a telephone number needs somebody to dial it: write sip:NUMBER@HOST");
	return 0;
}

int target_parse(struct target *out, struct slice typed, struct fault *why, size_t *at)
{
	struct text text = TEXT_IN(out->text);
	struct slice rest = typed;
	struct sip_syntax syntax;
	size_t skipped = 0, added = 0;
	int err;

	if (typed.len == 0)
		return refuse(why, at, 0, "the address is empty");
	if (typed.len > TARGET_MAX)
		return refuse(why, at, TARGET_MAX, "the address is too long");

	err = unwrap(&rest, &skipped, why, at);
	if (err)
		return err;
	if (!has_scheme(rest)) {
		if (is_bare_name(rest))
			return refuse(why, at, skipped + rest.len,
				"a name alone says nothing of where: write NAME@HOST");
		text_puts(&text, SCHEME);
		added = text.len;
	}
	text_put(&text, rest);

	if (sip_uri_parse(&out->uri, text_slice(&text), &syntax) != 0) {
		size_t where = syntax.at > added ? syntax.at - added : 0;

		return refuse(why, at, skipped + where, syntax.what);
	}
	return check_scheme(&out->uri, why, at);
}
