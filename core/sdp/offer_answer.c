#include "core/sdp/offer_answer.h"

#include "core/sdp/match.h"

#include <assert.h>
#include <inttypes.h>

enum {
	FIRST_DYNAMIC = 96, /* RFC 3551, section 6 */
	NAMES_MAX = 8,      /* of codecs in the words for a person */
	NAME_MAX = 32,
	NAMES_SIZE = 200,
};

static void check_local(const struct sdp_local *local)
{
	assert(local->rtp.family != ADDR_NONE && local->rtp.port != 0);
	assert(local->codec_count >= 1 && local->codec_count <= SDP_CODECS_MAX);
	assert(local->line_count <= SDP_MEDIA_MAX);
	assert(local->line == 0 || local->line < local->line_count);
	assert(local->ptime_ms == 0 ||
		(local->ptime_ms >= SDP_PTIME_MIN_MS && local->ptime_ms <= SDP_PTIME_MAX_MS));
}

static uint32_t local_ptime(const struct sdp_local *local)
{
	return local->ptime_ms ? local->ptime_ms : SDP_PTIME_DEFAULT_MS;
}

/* The same each time, so that the answer can be judged. */
void sdp_numbers(uint8_t numbers[static SDP_CODECS_MAX], const struct sdp_local *local)
{
	bool taken[SDP_PAYLOAD_TYPE_MAX + 1] = {0};
	size_t next = FIRST_DYNAMIC;

	for (size_t i = 0; i < local->codec_count; i++) {
		int fixed = local->codecs[i].payload_type;

		if (fixed == SDP_PT_DYNAMIC)
			continue;
		assert(fixed >= 0 && fixed <= SDP_PAYLOAD_TYPE_MAX && !taken[fixed]);
		taken[fixed] = true;
		numbers[i] = (uint8_t)fixed;
	}

	for (size_t i = 0; i < local->codec_count; i++) {
		if (local->codecs[i].payload_type != SDP_PT_DYNAMIC)
			continue;
		while (next <= SDP_PAYLOAD_TYPE_MAX && taken[next])
			next++;
		assert(next <= SDP_PAYLOAD_TYPE_MAX);
		numbers[i] = (uint8_t)next++;
	}
}

/* What is the same in an offer and in an answer. */
static struct sdp_described_media describe_audio(const struct sdp_local *local)
{
	return (struct sdp_described_media){
		.kind = slice_of("audio"),
		.proto = slice_of("RTP/AVP"),
		.port = local->rtp.port,
		.ptime_ms = local_ptime(local),
		.rtcp_port = local->rtcp_port,
		.rtcp_mux = local->rtcp_mux,
		.direction = local->direction,
	};
}

static struct sdp_described_media describe_refused(const struct sdp_line *line)
{
	return (struct sdp_described_media){
		.kind = line->kind,
		.proto = line->proto,
		.refused_format = line->format,
	};
}

static int print_media(struct text *out, const struct sdp_local *local,
	const struct sdp_described_media *media, size_t media_count)
{
	return sdp_print(out, &(struct sdp_description){
				      .session_id = local->session_id,
				      .version = local->version,
				      .addr = &local->rtp,
				      .media = media,
				      .media_count = media_count,
			      });
}

static int print_offer(struct text *out, const struct sdp_local *local)
{
	struct sdp_described_format formats[SDP_CODECS_MAX];
	struct sdp_described_media media[SDP_MEDIA_MAX];
	uint8_t numbers[SDP_CODECS_MAX];
	size_t ours = local->line;

	sdp_numbers(numbers, local);
	for (size_t i = 0; i < local->codec_count; i++)
		formats[i] = (struct sdp_described_format){numbers[i], &local->codecs[i]};

	for (size_t i = 0; i < local->line_count; i++)
		media[i] = describe_refused(&local->lines[i]);
	media[ours] = describe_audio(local);
	media[ours].formats = formats;
	media[ours].format_count = local->codec_count;
	return print_media(out, local, media, local->line_count ? local->line_count : 1);
}

int sdp_offer(struct text *out, const struct sdp_local *local)
{
	check_local(local);
	return print_offer(out, local);
}

int sdp_capabilities(struct text *out, const struct sdp_local *local)
{
	struct sdp_local nowhere = *local;

	assert(local->codec_count >= 1 && local->codec_count <= SDP_CODECS_MAX);

	nowhere.rtp.port = 0;
	nowhere.rtcp_port = 0;
	nowhere.line_count = 0;
	nowhere.line = 0;
	return print_offer(out, &nowhere);
}

/* Names are cut and escaped: they go to a person's terminal. */
static void put_lower(struct text *out, struct slice name)
{
	char room[NAME_MAX];
	size_t len = name.len < sizeof(room) ? name.len : sizeof(room);

	for (size_t i = 0; i < len; i++) {
		char byte = (char)name.data[i];

		room[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
	}
	text_put_escaped(out, (struct slice){(const uint8_t *)room, len});
}

/* The comma before a name, or dots in its place once there were enough. Returns whether to name. */
static bool begin_name(struct text *out, size_t *named)
{
	if (*named == NAMES_MAX)
		text_puts(out, ", ...");
	else if (*named > 0)
		text_puts(out, ", ");
	return (*named)++ < NAMES_MAX;
}

static void put_our_names(struct text *out, const struct sdp_local *local)
{
	size_t named = 0;

	for (size_t i = 0; i < local->codec_count && named <= NAMES_MAX; i++)
		if (!local->codecs[i].auxiliary && begin_name(out, &named))
			put_lower(out, slice_of(local->codecs[i].name));
}

/* Where the name alone would be one of ours, the numbers tell what is wrong with it. */
static void put_format_name(
	struct text *out, const struct sdp_format *format, const struct sdp_local *local)
{
	if (format->encoding.len == 0) {
		put_lower(out, format->word);
		return;
	}

	put_lower(out, format->encoding);
	for (size_t i = 0; i < local->codec_count; i++) {
		if (!slice_is_nocase(format->encoding, local->codecs[i].name))
			continue;
		text_printf(out, "/%" PRIu32, format->clock_rate);
		if (format->channels > 1)
			text_printf(out, "/%u", (unsigned int)format->channels);
		return;
	}
}

static void put_their_names(struct text *out, const struct sdp_media *media,
	const struct sdp_matches *matches, const struct sdp_local *local)
{
	size_t named = 0;

	for (size_t i = 0; i < media->format_count && named <= NAMES_MAX; i++) {
		bool auxiliary = false;

		for (size_t m = 0; m < matches->count; m++)
			auxiliary |= matches->list[m].format == &media->formats[i];
		if (!auxiliary && begin_name(out, &named))
			put_format_name(out, &media->formats[i], local);
	}
	if (named == 0)
		text_puts(out, "none");
}

static int no_codec(struct fault *why, const struct sdp_media *media,
	const struct sdp_matches *matches, const struct sdp_local *local, bool answering)
{
	char our_room[NAMES_SIZE], their_room[NAMES_SIZE];
	struct text ours = TEXT_IN(our_room);
	struct text theirs = TEXT_IN(their_room);

	put_our_names(&ours, local);
	put_their_names(&theirs, media, matches, local);
	return fault_set(why, -ENOTSUP, "they %s no codec of ours (we: %s; they: %s)",
		answering ? "offer" : "answer with", ours.data, theirs.data);
}

/* Fits a word or an address of theirs into words for a person. */
static const char *escaped(char room[static NAMES_SIZE], struct slice text)
{
	struct text out = text_in(room, NAMES_SIZE);

	text_put_escaped(
		&out, (struct slice){text.data, text.len < NAME_MAX ? text.len : NAME_MAX});
	return out.data;
}

/* One packet of ours must not go to many. */
static bool addr_is_group(const struct addr *addr)
{
	static const struct addr broadcast = {
		.family = ADDR_IPV4,
		.ip = {0xff, 0xff, 0xff, 0xff},
	};

	if (addr->family == ADDR_IPV6)
		return addr->ip[0] == 0xff;
	return addr->ip[0] >> 4 == 0xe || addr_same_host(addr, &broadcast);
}

/* Whether a stream with them is possible at all: RTP without encryption, to one IP address. */
static int check_transport(const struct sdp_media *media, struct fault *why)
{
	const struct sdp_connection *connection = &media->connection;
	char room[NAMES_SIZE];

	if (!slice_is_nocase(media->proto, "RTP/AVP") && !slice_is_nocase(media->proto, "RTP/AVPF"))
		return fault_set(why, -ENOTSUP, "they want the audio as %s, and we do RTP/AVP only",
			escaped(room, media->proto));
	if (connection->host.len == 0)
		return fault_set(why, -EPROTO,
			"their session description is broken: no c= line tells where the audio "
			"goes");
	if (connection->addr.family == ADDR_NONE)
		return fault_set(why, -ENOTSUP,
			"they want the audio sent to %s, which is no IP address that we can use",
			escaped(room, connection->host));
	if (addr_is_group(&connection->addr))
		return fault_set(why, -ENOTSUP,
			"they want the audio sent to %s, which is more than one receiver",
			escaped(room, connection->host));
	return 0;
}

/* RFC 3264, section 8.4: without an address there is nowhere to send, whatever else they say. */
static enum sdp_direction their_direction(const struct sdp_media *media)
{
	unsigned int direction = media->direction;

	if (addr_is_any(&media->connection.addr))
		direction &= ~(unsigned int)SDP_RECVONLY;
	return (enum sdp_direction)direction;
}

/* RFC 3264, section 6.1: we may do what both want, and where they send we receive. */
static enum sdp_direction common_direction(
	const struct sdp_local *local, const struct sdp_media *media)
{
	enum sdp_direction theirs = their_direction(media);
	unsigned int reversed = SDP_INACTIVE;

	if (theirs & SDP_SENDONLY)
		reversed |= SDP_RECVONLY;
	if (theirs & SDP_RECVONLY)
		reversed |= SDP_SENDONLY;
	return (enum sdp_direction)(local->direction & reversed);
}

/* ADDR_NONE if there is nowhere to send RTCP. */
static struct addr rtcp_addr(const struct sdp_media *media, bool rtcp_mux)
{
	static const struct addr none = {.family = ADDR_NONE};
	struct addr addr = media->connection.addr;
	uint32_t port = (uint32_t)media->port + 1; /* RFC 3550, section 11 */

	if (rtcp_mux) { /* RFC 5761, section 5.1.1 */
		port = media->port;
	} else if (media->rtcp_port != 0) { /* RFC 3605 */
		port = media->rtcp_port;
		if (media->rtcp_connection.host.len > 0)
			addr = media->rtcp_connection.addr;
	}
	if (addr.family == ADDR_NONE || addr_is_any(&addr) || addr_is_group(&addr) ||
		port > UINT16_MAX)
		return none;

	addr.port = (uint16_t)port;
	return addr;
}

/* RFC 8866, section 6.4: how much they want in a packet, as far as we care to. */
static uint32_t send_ptime(const struct sdp_local *local, const struct sdp_media *media)
{
	uint32_t ms = media->ptime_ms ? media->ptime_ms : local_ptime(local);

	if (media->maxptime_ms != 0 && ms > media->maxptime_ms)
		ms = media->maxptime_ms;
	if (ms < SDP_PTIME_MIN_MS)
		return SDP_PTIME_MIN_MS;
	return ms < SDP_PTIME_MAX_MS ? ms : SDP_PTIME_MAX_MS;
}

static void fill_result(struct sdp_result *result, const struct sdp_media *media,
	const struct sdp_matches *matches, const struct sdp_local *local, const uint8_t *numbers)
{
	*result = (struct sdp_result){
		.rtp = media->connection.addr,
		.rtcp_mux = local->rtcp_mux && media->rtcp_mux,
		.direction = common_direction(local, media),
		.held = !(their_direction(media) & SDP_RECVONLY),
		.ptime_ms = send_ptime(local, media),
		.maxptime_ms = media->maxptime_ms,
		.codec_count = matches->count,
	};
	result->rtp.port = media->port;
	result->rtcp = rtcp_addr(media, result->rtcp_mux);

	for (size_t i = 0; i < matches->count; i++) {
		const struct sdp_match *match = &matches->list[i];
		uint8_t payload_type = (uint8_t)match->format->payload_type;

		assert(match->format->payload_type != SDP_PT_NONE); /* it has no encoding */
		result->codecs[i] = (struct sdp_agreed){
			.id = local->codecs[match->codec].id,
			.payload_type = payload_type,
			.receive_payload_type = numbers ? numbers[match->codec] : payload_type,
			.fmtp = match->format->fmtp,
		};
	}
}

static int match_offer(struct sdp_matches *out, const struct sdp_media *media,
	const struct sdp_local *local, struct fault *why)
{
	int err;

	err = check_transport(media, why);
	if (err)
		return err;

	sdp_match_formats(out, media, local->codecs, local->codec_count, NULL);
	sdp_sort_matches(out, local->prefer_own);
	return sdp_has_voice(out) ? 0 : no_codec(why, media, out, local, true);
}

static bool is_audio(const struct sdp_media *media)
{
	return slice_is_nocase(media->kind, "audio");
}

/*
 * What is our audio stays that (RFC 3264, section 8), else it is the first audio line that we can
 * do; why has what is wrong with the first that we cannot.
 */
static int choose_media(size_t *out, struct sdp_matches *matches, const struct sdp_session *offer,
	const struct sdp_local *local, struct fault *why)
{
	struct fault first = {.words = "they offer no audio"};
	int first_err = 0;

	if (local->line < offer->media_count && is_audio(&offer->media[local->line]) &&
		offer->media[local->line].port != 0 &&
		match_offer(matches, &offer->media[local->line], local, NULL) == 0) {
		*out = local->line;
		return 0;
	}

	for (size_t i = 0; i < offer->media_count; i++) {
		const struct sdp_media *media = &offer->media[i];
		int err;

		if (!is_audio(media) || media->port == 0)
			continue;
		err = match_offer(matches, media, local, first_err ? NULL : &first);
		if (!err) {
			*out = i;
			return 0;
		}
		if (!first_err)
			first_err = err;
	}
	return fault_set(why, first_err ? first_err : -ENOTSUP, "%s", first.words);
}

void sdp_line_of(struct sdp_line *out, const struct sdp_media *media)
{
	*out = (struct sdp_line){.kind = media->kind, .proto = media->proto};
	if (media->format_count > 0)
		out->format = media->formats[0].word;
}

/* RFC 3264, section 6: each line of the offer has one in the answer, in its place. */
static int print_answer(struct text *out, const struct sdp_result *result,
	const struct sdp_matches *matches, const struct sdp_session *offer,
	const struct sdp_local *local)
{
	struct sdp_described_format formats[SDP_CODECS_MAX];
	struct sdp_described_media media[SDP_MEDIA_MAX] = {0};

	for (size_t i = 0; i < matches->count; i++)
		formats[i] = (struct sdp_described_format){
			.payload_type = result->codecs[i].payload_type,
			.codec = &local->codecs[matches->list[i].codec],
		};

	for (size_t i = 0; i < offer->media_count; i++) {
		if (i == result->media) {
			media[i] = describe_audio(local);
			media[i].formats = formats;
			media[i].format_count = matches->count;
			media[i].ptime_ms = result->ptime_ms;
			media[i].rtcp_mux = result->rtcp_mux;
			media[i].direction = result->direction;
		} else {
			struct sdp_line line;

			sdp_line_of(&line, &offer->media[i]);
			media[i] = describe_refused(&line);
		}
		media[i].proto = offer->media[i].proto;
	}
	return print_media(out, local, media, offer->media_count);
}

int sdp_answer(struct text *out, struct sdp_result *result, const struct sdp_session *offer,
	const struct sdp_local *local, struct fault *why)
{
	struct sdp_result found;
	struct sdp_matches matches;
	size_t media = 0;
	int err;

	check_local(local);
	err = choose_media(&media, &matches, offer, local, why);
	if (err)
		return err;

	fill_result(&found, &offer->media[media], &matches, local, NULL);
	found.media = media;
	err = print_answer(out, &found, &matches, offer, local);
	if (err)
		return fault_set(
			why, err, "our answer has no room for all the lines of their offer");

	*result = found;
	return 0;
}

/* Their line that answers our audio, NULL if there is none. */
static const struct sdp_media *answered_media(
	const struct sdp_session *answer, const struct sdp_local *offered)
{
	if (offered->line < answer->media_count && is_audio(&answer->media[offered->line]))
		return &answer->media[offered->line];
	for (size_t i = 0; answer->media_count < offered->line_count && i < answer->media_count;
		i++)
		if (is_audio(&answer->media[i]))
			return &answer->media[i];
	return NULL;
}

int sdp_apply_answer(struct sdp_result *result, const struct sdp_session *answer,
	const struct sdp_local *offered, struct fault *why)
{
	const struct sdp_media *media;
	uint8_t numbers[SDP_CODECS_MAX];
	struct sdp_matches matches;
	int err;

	check_local(offered);
	media = answered_media(answer, offered);
	if (!media)
		return fault_set(why, -EPROTO, "they answer our offer of audio without any");
	if (media->port == 0)
		return fault_set(why, -ENOTSUP, "they refuse the audio");
	err = check_transport(media, why);
	if (err)
		return err;

	sdp_numbers(numbers, offered);
	sdp_match_formats(&matches, media, offered->codecs, offered->codec_count, numbers);
	sdp_sort_matches(&matches, false);
	if (!sdp_has_voice(&matches))
		return no_codec(why, media, &matches, offered, false);

	fill_result(result, media, &matches, offered, numbers);
	result->media = (size_t)(media - answer->media);
	return 0;
}

void sdp_explain(
	struct fault *out, const struct sdp_session *theirs, const struct sdp_local *offered)
{
	struct sdp_matches matches;
	char room[NAMES_SIZE];
	struct text ours = TEXT_IN(room);

	for (size_t i = 0; theirs && i < theirs->media_count; i++) {
		const struct sdp_media *media = &theirs->media[i];

		if (!is_audio(media))
			continue;
		sdp_match_formats(&matches, media, offered->codecs, offered->codec_count, NULL);
		sdp_sort_matches(&matches, false);
		if (!sdp_has_voice(&matches)) {
			no_codec(out, media, &matches, offered, true);
			return;
		}
	}
	put_our_names(&ours, offered);
	fault_set(out, 0, "we offered %s", ours.data);
}
