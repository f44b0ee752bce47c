/* A SIP message as a row of the ladder: what it says in a word or two, and whom it is with. */
#include "cmd/columns.h"
#include "cmd/readers/ladder_private.h"
#include "cmd/words.h"
#include "core/sdp/session.h"
#include "core/sip/body.h"

enum {
	REASON_COLUMNS = 20,
	METHOD_COLUMNS = 16,
	WORD_COLUMNS = 12, /* of a codec's name */
};

static const uint64_t fnv_basis = 14695981039346656037u;
static const uint64_t fnv_prime = 1099511628211u;

/* FNV-1a; never 0. What is the same by chance only shares a column. */
static uint64_t hash_of(struct slice bytes)
{
	uint64_t hash = fnv_basis;

	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.data[i]) * fnv_prime;
	return hash == 0 ? 1 : hash;
}

static uint64_t hash_or_none(struct slice bytes)
{
	return bytes.len > 0 ? hash_of(bytes) : 0;
}

/* Text from outside, cut. */
static void put_cut(struct text *out, struct slice bytes, size_t columns)
{
	char room[LADDER_LABEL_SIZE];
	struct text piece = TEXT_IN(room);

	text_put_escaped(&piece, bytes);
	text_put(out, columns_cut(text_slice(&piece), columns));
}

static void put_name(char room[static LADDER_NAME_SIZE], struct slice uri, const struct addr *addr)
{
	struct text text = text_in(room, LADDER_NAME_SIZE);
	struct slice name = words_name(uri);
	char host[ADDR_TEXT_SIZE];

	if (name.len == 0)
		name = slice_of(addr_print_host(host, addr));
	text_put_escaped(&text, name);
}

/* The far end's part of a message: the dialog's remote URI and tag. */
static const struct sip_name_addr *far_end(const struct sip_msg *msg, bool sent)
{
	return msg->request == sent ? &msg->to : &msg->from;
}

static const struct sip_name_addr *near_end(const struct sip_msg *msg, bool sent)
{
	return msg->request == sent ? &msg->from : &msg->to;
}

/* The URI of the first Contact, or empty. */
static struct slice contact_of(const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	struct sip_name_addr contact;
	struct slice value;

	if (!sip_msg_next(&value, &cursor, msg, SIP_CONTACT) ||
		sip_name_addr_parse(&contact, value))
		return (struct slice){0};
	return contact.uri_text;
}

/* A fork answers by another tag from the same place: then its Contact tells who it is. */
static size_t add_far(
	struct ladder_call *call, const struct sip_msg *msg, bool sent, const struct addr *remote)
{
	struct slice contact = contact_of(msg);
	struct slice uri = far_end(msg, sent)->uri_text;
	struct ladder_far *far;

	if (call->far_count == LADDER_FARS)
		return LADDER_FARS - 1;

	far = &call->fars[call->far_count];
	*far = (struct ladder_far){.addr = *remote};
	if (!sent)
		far->tag = hash_or_none(far_end(msg, sent)->tag);
	if (sent && msg->request)
		far->target = hash_of(msg->uri_text);
	if (sent && msg->request && call->far_count > 0)
		uri = msg->uri_text; /* of a redirection */
	else if (!sent && !msg->request && contact.len > 0)
		uri = contact;
	put_name(far->name, uri, remote);
	return call->far_count++;
}

static size_t find_by_tag(const struct ladder_call *call, uint64_t tag)
{
	size_t at = 0;

	while (at < call->far_count && (tag == 0 || call->fars[at].tag != tag))
		at++;
	return at;
}

/* The newest that is there; free: that no dialog has taken. */
static size_t find_by_addr(const struct ladder_call *call, const struct addr *addr, bool free)
{
	for (size_t at = call->far_count; at > 0; at--) {
		const struct ladder_far *far = &call->fars[at - 1];

		if (addr_equal(&far->addr, addr) && !(free && far->tag != 0))
			return at - 1;
	}
	return call->far_count;
}

/* An INVITE that begins a dialog, with another URI than the one before: we were sent elsewhere. */
static bool goes_elsewhere(
	const struct ladder_call *call, size_t at, const struct sip_msg *msg, bool sent)
{
	return sent && msg->request && msg->method == SIP_INVITE && msg->to.tag.len == 0 &&
	       call->fars[at].target != hash_of(msg->uri_text);
}

static size_t find_far(
	struct ladder_call *call, const struct sip_msg *msg, bool sent, const struct addr *remote)
{
	uint64_t tag = hash_or_none(far_end(msg, sent)->tag);
	size_t at = find_by_tag(call, tag);

	if (at < call->far_count)
		return at;
	at = find_by_addr(call, remote, true);
	if (at == call->far_count && (sent || tag == 0))
		at = find_by_addr(call, remote, false);
	if (at == call->far_count || goes_elsewhere(call, at, msg, sent))
		return add_far(call, msg, sent, remote);

	if (!sent && tag != 0)
		call->fars[at].tag = tag;
	return at;
}

/* What a final response to an INVITE makes of the dialog: a tag that was refused with may be
 * followed by another of the same far end. */
static void settle(struct ladder_far *far, const struct sip_msg *msg)
{
	if (msg->request || msg->cseq_method != SIP_INVITE || msg->status < 200)
		return;

	if (msg->status < 300)
		far->stands = true;
	else if (!far->stands)
		far->tag = 0;
}

static void put_label(struct text *out, const struct sip_msg *msg)
{
	if (msg->request) {
		put_cut(out, msg->method_name, METHOD_COLUMNS);
		return;
	}
	text_printf(out, "%u ", msg->status);
	put_cut(out, msg->reason, REASON_COLUMNS);
	if (msg->cseq_method == SIP_INVITE)
		return;
	text_puts(out, " (");
	put_cut(out, msg->cseq_method_name, METHOD_COLUMNS);
	text_puts(out, ")");
}

/* In small letters: what we call a codec. */
static void put_codec(struct text *out, struct slice encoding)
{
	char room[LADDER_CODEC_SIZE];
	struct text word = TEXT_IN(room);

	put_cut(&word, encoding, WORD_COLUMNS);
	for (size_t i = 0; i < word.len; i++)
		if (room[i] >= 'A' && room[i] <= 'Z')
			room[i] = (char)(room[i] - 'A' + 'a');
	text_put(out, text_slice(&word));
}

/* Noise and keys go along with a voice and are none. */
static bool is_voice(const struct sdp_format *format)
{
	return format->encoding.len > 0 && !slice_is_nocase(format->encoding, "telephone-event") &&
	       !slice_is_nocase(format->encoding, "CN");
}

static void put_media(struct text *out, const struct sdp_media *media)
{
	static const char *const ways[] = {
		[SDP_INACTIVE] = "inactive",
		[SDP_SENDONLY] = "sendonly",
		[SDP_RECVONLY] = "recvonly",
	};

	if (media->port == 0) {
		text_puts(out, "no sound");
		return;
	}
	if (media->direction != SDP_SENDRECV)
		text_puts(out, ways[media->direction]);
	for (size_t i = 0; i < media->format_count; i++) {
		const struct sdp_format *format = &media->formats[i];

		if (!is_voice(format) ||
			(i > 0 && slice_equal_nocase(format->encoding, format[-1].encoding)))
			continue; /* one that is there at several rates is told once */
		text_puts(out, out->len > 0 ? " " : "");
		put_codec(out, format->encoding);
	}
}

/* The codecs of an offer or an answer; where a redirection leads to. */
static void put_note(struct text *out, const struct sip_msg *msg)
{
	struct sdp_session *sdp;
	struct slice body;

	if (sip_body_find(&body, msg, "application/sdp") && sdp_parse(&sdp, body, NULL) == 0) {
		for (size_t i = 0; i < sdp->media_count && out->len == 0; i++)
			if (slice_is_nocase(sdp->media[i].kind, "audio"))
				put_media(out, &sdp->media[i]);
		sdp_free(sdp);
	} else if (!msg->request && msg->status / 100 == 3) {
		text_puts(out, "to ");
		words_put_uri(out, contact_of(msg));
	}
}

static bool came_before(const struct ladder_call *call, uint64_t hash, bool sent)
{
	list_each(link, &call->entries)
	{
		const struct ladder_entry *entry = container_of(link, struct ladder_entry, link);

		if (entry->hash == hash && entry->sent == sent)
			return true;
	}
	return false;
}

void ladder_read(struct ladder_entry *out, struct ladder_call *call, const struct sip_msg *msg,
	bool sent, const struct addr *remote)
{
	struct text label = TEXT_IN(out->label);
	struct text target = TEXT_IN(out->target);
	struct text note = TEXT_IN(out->note);

	out->kind = LADDER_MESSAGE;
	out->sent = sent;
	out->hash = hash_of(msg->raw);
	put_label(&label, msg);
	if (msg->request)
		words_put_uri(&target, msg->uri_text);
	if (came_before(call, out->hash, sent))
		text_puts(&note, "again");
	else
		put_note(&note, msg);

	if (call->us[0] == '\0')
		put_name(call->us, near_end(msg, sent)->uri_text, &call->local);
	if (msg->request && msg->method == SIP_INVITE)
		call->invited = true;
	out->far = find_far(call, msg, sent, remote);
	settle(&call->fars[out->far], msg);
}
