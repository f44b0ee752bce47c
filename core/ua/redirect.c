#include "core/ua/redirect.h"

#include "core/base/text.h"
#include "core/sip/uri.h"

#include <errno.h>
#include <stdlib.h>

enum {
	URI_SIZE = 1024, /* longer ones are not called */
	Q_FULL = 1000,   /* q=1, in thousandths */
	Q_DIGITS = 3,
};

/* A Contact that may be called. */
struct contact {
	struct sip_name_addr addr;
	unsigned q;
};

int redirect_init(struct redirect *redirect, struct slice first)
{
	redirect->targets[0] = slice_copy(first);
	if (!redirect->targets[0])
		return -ENOMEM;

	redirect->count = 1;
	return 0;
}

void redirect_free(struct redirect *redirect)
{
	for (size_t i = 0; i < redirect->count; i++)
		free(redirect->targets[i]);
	*redirect = (struct redirect){0};
}

/* In thousandths, of "0.7"; a Contact without one, or with a broken one, counts in full (section
 * 20.10 leaves the order of those to us). */
static unsigned q_of(const struct sip_name_addr *contact)
{
	struct slice value, whole;
	uint64_t unit, part = 0;

	if (!sip_param(&value, contact->params, "q"))
		return Q_FULL;
	(void)slice_cut(&whole, &value, '.');
	if (slice_number(&unit, whole, 1) || value.len > Q_DIGITS ||
		(value.len > 0 && slice_number(&part, value, Q_FULL - 1)))
		return Q_FULL;
	for (size_t i = value.len; i < Q_DIGITS; i++)
		part *= 10;
	return unit == 1 ? Q_FULL : (unsigned)part;
}

/* Who asked for sips: is not sent elsewhere without it (section 26.2.2). */
static bool is_safe(const struct redirect *redirect, const struct sip_uri *uri)
{
	if (uri->scheme == SIP_SCHEME_SIPS)
		return true;
	return uri->scheme == SIP_SCHEME_SIP &&
	       !slice_starts_nocase(slice_of(redirect->targets[0]), "sips:");
}

/* A request by another method is none that we can make. */
static bool can_call(const struct redirect *redirect, const struct sip_name_addr *contact)
{
	return !contact->wildcard && is_safe(redirect, &contact->uri) &&
	       contact->uri_text.len < URI_SIZE && !sip_param(NULL, contact->uri.params, "method");
}

static bool is_known(const struct redirect *redirect, const struct sip_uri *uri)
{
	struct sip_uri other;

	for (size_t i = 0; i < redirect->count; i++)
		if (sip_uri_parse(&other, slice_of(redirect->targets[i]), NULL) == 0 &&
			sip_uri_equal(&other, uri))
			return true;
	return false;
}

/* Behind those that are as good. */
static size_t sort_in(
	struct contact list[static REDIRECT_TARGETS_MAX], size_t count, const struct contact *one)
{
	size_t at = count;

	while (at > 0 && list[at - 1].q < one->q)
		at--;
	if (at == REDIRECT_TARGETS_MAX)
		return count;

	if (count == REDIRECT_TARGETS_MAX)
		count--;
	memmove(&list[at + 1], &list[at], (count - at) * sizeof(list[0]));
	list[at] = *one;
	return count + 1;
}

static size_t read_contacts(struct contact list[static REDIRECT_TARGETS_MAX],
	const struct redirect *redirect, const struct sip_msg *response)
{
	struct sip_cursor cursor = {0};
	struct slice value;
	size_t count = 0;

	while (sip_msg_next(&value, &cursor, response, SIP_CONTACT)) {
		struct contact one;

		if (sip_name_addr_parse(&one.addr, value) != 0 || !can_call(redirect, &one.addr))
			continue;
		one.q = q_of(&one.addr);
		count = sort_in(list, count, &one);
	}
	return count;
}

/* Without its headers, which would be ours to judge (section 19.1.5). -ENOMEM. */
static int insert(struct redirect *redirect, size_t at, const struct sip_uri *uri)
{
	char room[URI_SIZE];
	struct text text = TEXT_IN(room);
	char *copy;

	sip_uri_print(&text, uri);
	copy = slice_copy(text_slice(&text));
	if (!copy)
		return -ENOMEM;

	memmove(&redirect->targets[at + 1], &redirect->targets[at],
		(redirect->count - at) * sizeof(redirect->targets[0]));
	redirect->targets[at] = copy;
	redirect->count++;
	return 0;
}

int redirect_follow(struct redirect *redirect, const struct sip_msg *response)
{
	struct contact list[REDIRECT_TARGETS_MAX];
	size_t count, taken = 0;

	if (redirect->hops == REDIRECT_HOPS_MAX)
		return 0;

	redirect->hops++;
	count = read_contacts(list, redirect, response);
	for (size_t i = 0; i < count && redirect->count <= REDIRECT_TARGETS_MAX; i++) {
		if (is_known(redirect, &list[i].addr.uri))
			continue;
		if (insert(redirect, redirect->at + 1 + taken, &list[i].addr.uri))
			return -ENOMEM;
		taken++;
	}
	return (int)taken;
}

bool redirect_next(struct redirect *redirect)
{
	if (redirect->at + 1 >= redirect->count)
		return false;

	redirect->at++;
	return true;
}

struct slice redirect_target(const struct redirect *redirect)
{
	return slice_of(redirect->targets[redirect->at]);
}
