/*
 * core/sip/uri: any bytes. A refusal points into them with a reason; what was read prints again to
 * the same, equals itself, and its parameters are found.
 */
#include "core/sip/msg.h"
#include "core/sip/uri.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[2 * SIP_MESSAGE_MAX];

/* Whether part is empty or lies in whole. */
static void check_part(struct slice part, struct slice whole)
{
	assert(part.len == 0 ||
		(part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_parts(const struct sip_uri *uri, struct slice text)
{
	check_part(uri->user, text);
	check_part(uri->password, text);
	check_part(uri->host, text);
	check_part(uri->params, text);
	check_part(uri->headers, text);
	assert(uri->scheme_name.len + 1 + uri->opaque.len == text.len);
	assert(uri->scheme > SIP_SCHEME_SIPS || uri->host.len > 0);
}

static void check_print(struct sip_uri *uri)
{
	struct text out = TEXT_IN(room);
	struct sip_uri again;
	int err;

	uri->headers = (struct slice){0}; /* they are not printed */
	sip_uri_print(&out, uri);
	assert(!out.cut);
	err = sip_uri_parse(&again, text_slice(&out), NULL);
	assert(err == 0);
	assert(slice_equal(again.user, uri->user) && slice_equal(again.password, uri->password));
	assert(slice_equal(again.host, uri->host) && again.port == uri->port);
	assert(slice_equal(again.params, uri->params));
	assert(sip_uri_equal(uri, &again) && sip_uri_equal(&again, uri));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {data, size};
	struct sip_syntax syntax = {SIZE_MAX, NULL};
	struct slice value = {0};
	struct sip_uri uri;

	if (size > SIP_MESSAGE_MAX)
		return 0;
	if (sip_param(&value, text, "a"))
		check_part(value, text);
	if (sip_uri_parse(&uri, text, &syntax)) {
		assert(syntax.at <= size && syntax.what);
		return 0;
	}

	check_parts(&uri, text);
	assert(sip_uri_equal(&uri, &uri));
	check_print(&uri);
	return 0;
}
