/*
 * What comes of an answer to a REGISTER: done, over, or asked once more in the same try as the
 * answer wants it.
 */
#include "core/sip/transport.h"
#include "core/ua/grant.h"
#include "core/ua/registration_private.h"

#include <stdlib.h>

enum {
	RETRY_AFTER_MAX_S = 3600,
	REDIRECTS_MAX = 5,
};

/*
 * Behind a NAT our own address is of no use to them. Once in each try: a NAT that shows us by
 * another address each time is not to be followed for ever.
 */
static bool rewrite(struct registration *self)
{
	if (self->moved_once || !reach_differs(&self->reach))
		return false;

	self->moved_once = true;
	reach_rewrite(&self->reach, self->outbound);
	return registration_ask(self, self->wish_s) == 0;
}

/* There are registrars that do not take two Contacts, or an address that is not ours. */
static bool ask_with_less(struct registration *self, uint16_t status)
{
	if (status / 100 != 4 || status == 408 || status == 423)
		return false;

	if (self->former)
		registration_drop_former(self);
	else if (self->reach.stale.family != ADDR_NONE)
		reach_fix(&self->reach);
	else
		return false;
	return registration_ask(self, self->wish_s) == 0;
}

/* RFC 5626, section 11.6: then without it, for good. */
static bool go_without_outbound(struct registration *self, uint16_t status)
{
	if (status != 439 || self->no_outbound)
		return false;

	self->no_outbound = true;
	return registration_ask(self, self->wish_s) == 0;
}

/* 423, section 10.2.8: once in each try, and not for ever longer. */
static bool extend(struct registration *self, const struct sip_msg *response)
{
	const struct slice *min = sip_msg_header(response, SIP_MIN_EXPIRES);
	uint64_t seconds;

	if (response->status != 423 || self->extended || !min ||
		slice_number(&seconds, *min, GRANT_EXPIRES_MAX_S) || seconds <= self->wish_s)
		return false;

	self->extended = true;
	self->wish_s = (uint32_t)seconds;
	return registration_ask(self, self->wish_s) == 0;
}

/* 3xx, section 8.1.3.4: for this try only (section 21.3.3); credentials do not follow. */
static bool redirect(struct registration *self, const struct sip_msg *response)
{
	const struct slice *contact = sip_msg_header(response, SIP_CONTACT);
	struct sip_name_addr to;
	char *moved;

	if (response->status < 300 || response->status > 399 || !contact ||
		self->redirects == REDIRECTS_MAX || sip_name_addr_parse(&to, *contact) ||
		to.wildcard)
		return false;
	moved = slice_copy(to.uri_text);
	if (!moved)
		return false;

	self->redirects++;
	free(self->moved);
	self->moved = moved;
	registration_seek(self);
	return true;
}

static void refused(struct registration *self, const struct sip_msg *response)
{
	bool asked = response->status == 401 || response->status == 407;
	const char *words = asked ? sip_auth_words(self->config.auth) : "";
	uint64_t after_s = 0;

	(void)sip_msg_retry_after(&after_s, response, RETRY_AFTER_MAX_S);
	registration_fail(self,
		&(struct registration_news){
			.code = response->status,
			.reason = response->reason,
			.words = words[0] != '\0' ? words : NULL,
		},
		after_s);
}

void registration_answered(void *arg, const struct sip_msg *response)
{
	struct registration *self = arg;

	if (response->status < 200)
		return;
	self->flow = sip_request_flow(self->request);
	reach_learn(&self->reach, response);
	if (response->status == 503 && registration_ask_next(self))
		return;
	registration_drop_request(self);
	if (response->status < 300 && rewrite(self))
		return;
	if (response->status < 300)
		registration_succeed(self, response);
	else if (!go_without_outbound(self, response->status) &&
		 !ask_with_less(self, response->status) && !extend(self, response) &&
		 !redirect(self, response))
		refused(self, response);
}
