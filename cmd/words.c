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
