#include "cmd/words.h"

#include "cmd/columns.h"

enum {
	PIECE_COLUMNS = 120,
	PIECE_SIZE = 384, /* so that a struct fault has room for it and for words of ours */
	USUAL_PORT = 5060,
	HOUR = 3600,
};

void words_put(struct text *out, struct slice bytes)
{
	char room[PIECE_SIZE];
	struct text piece = TEXT_IN(room);
	struct slice shown;

	text_put_escaped(&piece, bytes);
	shown = columns_cut(text_slice(&piece), PIECE_COLUMNS);
	text_put(out, shown);
	if (piece.cut || shown.len < piece.len)
		text_puts(out, "...");
}

void words_put_duration(struct text *out, double duration_s)
{
	unsigned seconds = (unsigned)duration_s;
	unsigned minutes = seconds / 60;

	if (seconds >= HOUR)
		text_printf(out, "%u:%02u:%02u", minutes / 60, minutes % 60, seconds % 60);
	else
		text_printf(out, "%u:%02u", minutes, seconds % 60);
}

struct slice words_uri(struct slice uri)
{
	struct slice scheme;

	if (slice_starts_nocase(uri, "sip:"))
		(void)slice_cut(&scheme, &uri, ':');
	return uri;
}

/* RFC 3261, section 25.1: userinfo = ( user / telephone-subscriber ) [ ":" password ] "@" */
struct slice words_password(struct slice uri)
{
	struct slice none = {uri.data, 0};
	struct slice rest = uri;
	struct slice part;

	if (!slice_starts_nocase(uri, "sip:") && !slice_starts_nocase(uri, "sips:"))
		return none;

	(void)slice_cut(&part, &rest, ':');
	rest.len = slice_find(rest, '@');
	if (rest.data + rest.len == uri.data + uri.len)
		return none;
	(void)slice_take(&part, &rest, slice_find(rest, ':'));
	return rest;
}

void words_put_uri(struct text *out, struct slice uri)
{
	struct slice password = words_password(uri);
	struct slice before = uri;
	struct slice after = {password.data + password.len, 0};

	if (password.len > 0) {
		before.len = (size_t)(password.data - uri.data);
		after.len = uri.len - before.len - password.len;
	}
	words_put(out, words_uri(before));
	words_put(out, after);
}

/* Of "host:port;params"; the brackets of IPv6 stay. */
static struct slice host_of(struct slice rest)
{
	size_t bracket = slice_find(rest, ']');

	if (rest.len > 0 && rest.data[0] == '[' && bracket < rest.len)
		rest.len = bracket + 1;
	else
		rest.len = slice_find(rest, ':');
	rest.len = slice_find(rest, ';');
	return rest;
}

struct slice words_name(struct slice uri)
{
	struct slice rest = uri;
	struct slice name;

	if (slice_starts_nocase(uri, "tel:")) {
		(void)slice_cut(&name, &rest, ':');
		rest.len = slice_find(rest, ';');
		return rest;
	}
	if (slice_starts_nocase(uri, "sip:") || slice_starts_nocase(uri, "sips:"))
		(void)slice_cut(&name, &rest, ':');
	else if (slice_find(uri, '@') == uri.len)
		return uri;
	if (slice_find(rest, '@') == rest.len)
		return host_of(rest);

	(void)slice_cut(&name, &rest, '@');
	name.len = slice_find(name, ':'); /* a password follows */
	return name.len > 0 ? name : host_of(rest);
}

bool words_is_anonymous(struct slice uri)
{
	struct slice host = uri, user;

	return slice_cut(&user, &host, '@') && slice_is_nocase(host, "anonymous.invalid");
}

bool words_uri_shows(struct slice uri, const struct addr *addr)
{
	char room[ADDR_TEXT_SIZE];
	struct slice host = slice_of(addr_print_host(room, addr));
	struct slice rest = words_uri(uri);
	struct slice part;
	uint64_t port = USUAL_PORT;

	if (slice_find(rest, '@') < rest.len)
		(void)slice_cut(&part, &rest, '@');
	rest.len = slice_find(rest, ';');
	if (slice_take(&part, &rest, host.len) || !slice_equal_nocase(part, host))
		return false;
	if (rest.len > 0 && rest.data[0] != ':')
		return false;
	if (rest.len > 0) {
		(void)slice_cut(&part, &rest, ':');
		if (slice_number(&port, rest, UINT16_MAX))
			return false;
	}
	return port == addr->port;
}

/* Behind an opening quote and the scheme (RFC 3261, section 25.1: userinfo). */
static struct slice userinfo_on(struct slice word)
{
	static const char *const schemes[] = {"sip:", "sips:"};
	struct slice part;

	while (word.len > 0 && strchr("<\"'", word.data[0]))
		(void)slice_take(&part, &word, 1);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (slice_starts_nocase(word, schemes[i])) {
			(void)slice_take(&part, &word, strlen(schemes[i]));
			break;
		}
	return word;
}

struct slice words_typed_password(struct slice word)
{
	struct slice rest = userinfo_on(word);
	size_t at = slice_find(rest, '@');
	size_t colon;

	if (at == rest.len)
		return (struct slice){0};

	rest.len = at;
	colon = slice_find(rest, ':');
	return (struct slice){rest.data + colon, rest.len - colon};
}

void words_put_typed(struct text *out, struct slice line)
{
	for (bool more = true; more;) {
		struct slice word, password;

		more = slice_cut(&word, &line, ' ');
		password = words_typed_password(word);
		if (password.len > 0) {
			size_t before = (size_t)(password.data - word.data);

			text_put(out, (struct slice){word.data, before});
			text_put(out, (struct slice){password.data + password.len,
					      word.len - before - password.len});
		} else {
			text_put(out, word);
		}
		if (more)
			text_putc(out, ' ');
	}
}
