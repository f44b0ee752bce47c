#include "core/ua/grant.h"

#include "core/sip/keep.h"
#include "core/sip/uri.h"

enum { KEEP_MAX_S = 24 * 3600 };

/* The value of a parameter that stands in quotes. */
static bool quoted(struct slice *out, struct slice params, const char *name)
{
	struct slice value;

	if (!sip_param(&value, params, name) || value.len < 2 || value.data[0] != '"' ||
		value.data[value.len - 1] != '"')
		return false;
	*out = (struct slice){value.data + 1, value.len - 2};
	return true;
}

/* RFC 5626, section 4.1: a URN in angle brackets. Those of UUIDs know no case. */
static bool is_instance(struct slice params, const char *instance)
{
	struct slice urn;

	if (!instance || !quoted(&urn, params, "+sip.instance") || urn.len < 2 ||
		urn.data[0] != '<' || urn.data[urn.len - 1] != '>')
		return false;
	return slice_is_nocase((struct slice){urn.data + 1, urn.len - 2}, instance);
}

/* RFC 5626, section 6: of what is by outbound, it is instance and reg-id that make the binding. */
static bool is_ours(const struct sip_name_addr *contact, const struct sip_uri *ours,
	const struct grant_wish *wish)
{
	if (contact->wildcard)
		return false;
	return sip_uri_equal(&contact->uri, ours) ||
	       (sip_param(NULL, contact->params, "reg-id") &&
		       is_instance(contact->params, wish->instance));
}

static void read_uri(struct slice *out, struct slice params, const char *name)
{
	struct sip_uri uri;
	struct slice text;

	if (quoted(&text, params, name) && sip_uri_parse(&uri, text, NULL) == 0)
		*out = text;
}

/* RFC 5627, section 5.3. */
static void read_gruu(struct grant *out, struct slice params, const struct grant_wish *wish)
{
	if (!is_instance(params, wish->instance))
		return;
	read_uri(&out->gruu, params, "pub-gruu");
	read_uri(&out->temporary, params, "temp-gruu");
}

/* RFC 3261, section 10.2.4. */
static void read_contacts(
	struct grant *out, const struct sip_msg *response, const struct grant_wish *wish)
{
	struct sip_cursor cursor = {0};
	struct sip_uri ours;
	struct slice value;
	uint64_t seconds;

	if (sip_uri_parse(&ours, wish->contact, NULL))
		return;
	while (sip_msg_next(&value, &cursor, response, SIP_CONTACT)) {
		struct sip_name_addr contact;
		struct slice given;

		if (sip_name_addr_parse(&contact, value) || !is_ours(&contact, &ours, wish))
			continue;
		read_gruu(out, contact.params, wish);
		if (sip_param(&given, contact.params, "expires") &&
			slice_number(&seconds, given, GRANT_EXPIRES_MAX_S) == 0) {
			out->expires_s = (uint32_t)seconds;
			break;
		}
	}
}

/* Flow-Timer (RFC 5626, section 4.4), or keep with a value in our Via (RFC 6223, section 4.2): an
 * echo of ours alone is no consent, and 0 leaves it to us how often. */
static void read_keep(struct grant *out, const struct sip_msg *response)
{
	const struct slice *flow_timer = sip_msg_header_named(response, "Flow-Timer");
	uint64_t seconds;

	out->answers = sip_keep_agreed(&out->keep_s, &response->via) || out->outbound;
	if (!flow_timer || slice_number(&seconds, *flow_timer, KEEP_MAX_S) != 0)
		return;
	out->answers = true;
	out->keep_s = (uint32_t)seconds;
}

void grant_read(struct grant *out, const struct sip_msg *response, const struct grant_wish *wish)
{
	const struct slice *expires = sip_msg_header(response, SIP_EXPIRES);
	uint64_t seconds = wish->expires_s;

	if (expires)
		(void)slice_number(&seconds, *expires, GRANT_EXPIRES_MAX_S);
	*out = (struct grant){.expires_s = (uint32_t)seconds};
	out->outbound = wish->instance && sip_msg_has_token(response, SIP_REQUIRE, "outbound");
	read_contacts(out, response, wish);
	read_keep(out, response);
}
