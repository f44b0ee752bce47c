#include "core/ua/register_lines.h"

#include "core/sip/print.h"
#include "core/ua/config.h"
#include "core/ua/reach.h"

#include <inttypes.h>

enum { CONTACT_SIZE = 1024 };

/* People leave it out, and strict routers are gone. */
static bool is_loose(const char *proxy)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, slice_of(proxy), NULL) == 0 && sip_param(NULL, uri.params, "lr");
}

void register_lines_print_proxy(struct text *out, const struct ua_account *account)
{
	const char *proxy = account->proxy;

	if (proxy)
		sip_print_header_text(
			out, SIP_ROUTE, "<%s%s>", proxy, is_loose(proxy) ? "" : ";lr");
}

void register_lines_print_contact(struct text *out, const struct register_lines *lines)
{
	reach_print(out, lines->reach, lines->flow, slice_of(lines->account->user));
}

/* RFC 5626, section 4.2.1: which of the account's phones it is, and which of its ways. */
static void print_instance(struct text *out, const struct register_lines *lines)
{
	const char *instance = lines->account->instance;

	if (instance && lines->outbound)
		text_puts(out, ";reg-id=1");
	if (instance)
		text_printf(out, ";+sip.instance=\"<%s>\"", instance);
}

/* Section 10.2.2: what we have said before of another address is taken back with the same request,
 * so that there is no moment with neither. */
static void print_gone(struct text *out, const struct register_lines *lines, const char *now)
{
	char room[CONTACT_SIZE];
	struct text stale = TEXT_IN(room);

	if (lines->reach->stale.family != ADDR_NONE) {
		reach_print_stale(
			&stale, lines->reach, lines->flow, slice_of(lines->account->user));
		sip_print_header_text(out, SIP_CONTACT, "<%s>;expires=0", room);
	}
	if (lines->former && strcmp(lines->former, now) != 0)
		sip_print_header_text(out, SIP_CONTACT, "<%s>;expires=0", lines->former);
	out->cut |= stale.cut;
}

static void print_contacts(struct text *out, const struct register_lines *lines)
{
	char room[CONTACT_SIZE], instance[CONTACT_SIZE];
	struct text uri = TEXT_IN(room), params = TEXT_IN(instance);

	register_lines_print_contact(&uri, lines);
	print_instance(&params, lines);
	sip_print_header_text(out, SIP_CONTACT, "<%s>%s", room, instance);
	print_gone(out, lines, room);
	out->cut |= uri.cut || params.cut;
}

void register_lines_print(struct text *out, const struct register_lines *lines)
{
	const struct ua_account *account = lines->account;
	char host[ADDR_TEXT_SIZE];

	if (!lines->past_proxy)
		register_lines_print_proxy(out, account);
	sip_print_header_text(out, SIP_FROM, "<%s>;tag=%016" PRIx64, account->aor, lines->tag);
	sip_print_header_text(out, SIP_TO, "<%s>", account->aor);
	sip_print_header_text(out, SIP_CALL_ID, "%016" PRIx64 "@%s", lines->call_id,
		addr_print_host(host, &lines->flow->local));
	print_contacts(out, lines);
	sip_print_header_text(out, SIP_EXPIRES, "%lu", (unsigned long)lines->expires_s);
	sip_print_header_text(out, SIP_SUPPORTED, "path%s%s",
		account->instance && lines->outbound ? ", outbound" : "",
		account->instance && account->gruu ? ", gruu" : "");
}
