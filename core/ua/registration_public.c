/* What the requests of an account take from its registration. */
#include "core/sip/transport.h"
#include "core/ua/register_lines.h"
#include "core/ua/registration_private.h"

bool registration_stands(const struct registration *self)
{
	return self->stands;
}

void registration_print_proxy(struct text *out, const struct registration *self)
{
	register_lines_print_proxy(out, self->config.account);
}

const char *registration_hop(const struct registration *self)
{
	return self->route.hop;
}

/* It may have called us by a connection of its own. */
static bool is_of_our_server(const struct registration *self, const struct sip_flow *flow)
{
	const struct sip_auth *auth = self->config.auth;

	return sip_auth_trusts(auth, flow) ||
	       (sip_flow_is_reliable(flow) && sip_auth_trusts_host(auth, flow));
}

/* RFC 5627, section 4.3: a GRUU is good anywhere; RFC 5626, section 4.3: ob has the proxy send what
 * belongs to the call by the way that it came. */
bool registration_print_contact(struct text *out, const struct registration *self,
	const struct sip_flow *flow, bool anonymous)
{
	bool differs = self->outbound || self->reach.public.family != ADDR_NONE;
	const char *gruu = self->gruus[anonymous];
	struct slice user = slice_of(anonymous ? "" : self->config.account->user);

	if (!self->stands || !is_of_our_server(self, flow))
		return false;
	if (gruu && (!flow->sips || slice_starts_nocase(slice_of(gruu), "sips:"))) {
		text_puts(out, gruu);
		return true;
	}
	if (!differs || !reach_is_by(&self->reach, flow))
		return false;
	reach_print(out, &self->reach, flow, user);
	text_puts(out, self->outbound ? ";ob" : "");
	return true;
}

void registration_prefer(const struct registration *self, struct sip_flow *flows, size_t count)
{
	const struct sip_flow *stands = &self->flow;

	for (size_t i = 0; i < count && self->stands; i++) {
		const struct sip_flow other = flows[i];

		if (other.transport != stands->transport || other.host != stands->host ||
			!addr_equal(&other.remote, &stands->remote))
			continue;
		memmove(flows + 1, flows, i * sizeof(*flows));
		flows[0] = other;
		flows[0].connection = stands->connection;
		flows[0].others = count > 1;
		flows[i].others = i + 1 < count;
		return;
	}
}

struct slice registration_routes(const struct registration *self)
{
	return self->route.lines ? slice_of(self->route.lines) : (struct slice){0};
}
