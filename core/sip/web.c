#include "core/sip/web.h"

#include "core/sip/grammar.h"

void sip_web_put_path(struct text *out, struct slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		uint8_t byte = path.data[i];

		/* what is escaped already stays so */
		if ((sip_is(byte, SIP_C_PARAM) && byte != '=') || byte == '%')
			text_putc(out, (char)byte);
		else
			text_printf(out, "%%%02X", byte);
	}
}

/* What HTTP tells apart from itself escaped; the rest means the same either way. */
static bool read_escape(char *out, struct slice text)
{
	static const char *const escapes[] = {"%3F?", "%3D=", "%26&", "%3B;", "%2C,", "%40@"};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (slice_starts_nocase(text,
			    (const char[]){escapes[i][0], escapes[i][1], escapes[i][2], '\0'})) {
			*out = escapes[i][3];
			return true;
		}
	return false;
}

void sip_web_put_name(struct text *out, const struct sip_uri *uri)
{
	struct slice path;

	text_put(out, uri->host);
	if (!uri->local || !sip_param(&path, uri->params, SIP_WEB_PATH) || path.len == 0 ||
		path.data[0] != '/')
		return;
	while (path.len > 0) {
		struct slice skipped;
		char byte = (char)path.data[0];
		bool escaped = read_escape(&byte, path);

		text_putc(out, byte);
		(void)slice_take(&skipped, &path, escaped ? 3 : 1);
	}
}
