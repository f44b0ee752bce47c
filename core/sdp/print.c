#include "core/sdp/session.h"

#include <assert.h>
#include <inttypes.h>

static const char *const directions[] = {
	[SDP_INACTIVE] = "inactive",
	[SDP_SENDONLY] = "sendonly",
	[SDP_RECVONLY] = "recvonly",
	[SDP_SENDRECV] = "sendrecv",
};

/* RFC 8866, section 5. The time of a session that SIP sets up: RFC 3264, section 5. */
static void put_head(struct text *out, const struct sdp_description *description)
{
	const char *type = description->addr->family == ADDR_IPV6 ? "IP6" : "IP4";
	struct addr addr = *description->addr;
	char host[ADDR_TEXT_SIZE];

	assert(addr.family != ADDR_NONE);

	addr.scope = 0; /* of our own host, and no part of the grammar */
	addr_print(host, &addr);
	text_printf(out,
		"v=0\r\n"
		"o=- %" PRIu64 " %" PRIu64 " IN %s %s\r\n"
		"s=-\r\n"
		"c=IN %s %s\r\n"
		"t=0 0\r\n",
		description->session_id, description->version, type, host, type, host);
}

static void put_media_line(struct text *out, const struct sdp_described_media *media)
{
	text_puts(out, "m=");
	text_put(out, media->kind);
	text_printf(out, " %u ", (unsigned int)media->port);
	text_put(out, media->proto);
	if (media->format_count == 0) {
		text_putc(out, ' ');
		text_put(
			out, media->refused_format.len > 0 ? media->refused_format : slice_of("0"));
	} else {
		for (size_t i = 0; i < media->format_count; i++)
			text_printf(out, " %u", (unsigned int)media->formats[i].payload_type);
	}
	text_puts(out, "\r\n");
}

/* RFC 8866, section 6.6: one channel is not told. */
static void put_format(struct text *out, const struct sdp_described_format *format)
{
	const struct sdp_codec *codec = format->codec;
	unsigned int payload_type = format->payload_type;

	text_printf(out, "a=rtpmap:%u %s/%" PRIu32, payload_type, codec->name, codec->clock_rate);
	if (codec->channels > 1)
		text_printf(out, "/%u", (unsigned int)codec->channels);
	text_puts(out, "\r\n");
	if (codec->fmtp)
		text_printf(out, "a=fmtp:%u %s\r\n", payload_type, codec->fmtp);
}

static void put_attributes(struct text *out, const struct sdp_described_media *media)
{
	for (size_t i = 0; i < media->format_count; i++)
		put_format(out, &media->formats[i]);
	text_printf(out, "a=ptime:%" PRIu32 "\r\n", media->ptime_ms);
	if (media->rtcp_port != 0 && media->rtcp_port != media->port + 1) /* RFC 3605 */
		text_printf(out, "a=rtcp:%u\r\n", (unsigned int)media->rtcp_port);
	if (media->rtcp_mux)
		text_puts(out, "a=rtcp-mux\r\n");
	text_printf(out, "a=%s\r\n", directions[media->direction]);
}

int sdp_print(struct text *out, const struct sdp_description *description)
{
	assert(description->media_count <= SDP_MEDIA_MAX);

	put_head(out, description);
	for (size_t i = 0; i < description->media_count; i++) {
		const struct sdp_described_media *media = &description->media[i];

		assert(media->port == 0 || media->format_count > 0);
		put_media_line(out, media);
		if (media->format_count > 0)
			put_attributes(out, media);
	}
	return out->cut ? -ENOBUFS : 0;
}
