#include "core/ua/registration.h"

#include "core/base/loop.h"
#include "core/sip/locate.h"
#include "core/sip/request.h"
#include "core/sip/transport.h"
#include "core/ua/config.h"
#include "core/ua/grant.h"
#include "core/ua/lifeline.h"
#include "core/ua/reach.h"
#include "core/ua/register_lines.h"
#include "core/ua/service_route.h"
#include "core/ua/way.h"

#include <assert.h>
#include <stdlib.h>

enum {
	LINES_SIZE = 4096,
	URI_SIZE = 1024,
	MARGIN_S = 40, /* before the end: a REGISTER that nobody answers takes 32 */
	BASE_S = 30,   /* RFC 5626, section 4.5 */
	BACKOFF_MAX_S = 1800,
	RETRY_AFTER_MAX_S = 3600,
	REVIVE_S = 1, /* until a way that has been good for long is sought again */
	REDIRECTS_MAX = 5,
};

enum state {
	OFF,
	LOCATING,
	ASKING,   /* REGISTER is out */
	STANDING, /* until it has to be refreshed */
	WAITING,  /* to try again */
	LEAVING,  /* the withdrawal is out */
};

struct registration {
	struct registration_config config;
	enum state state;
	struct sip_locate *locate;
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t flow_at, flow_count;
	struct sip_request *request;
	struct sip_flow flow; /* by which it stands, if it does */
	struct reach reach;
	struct lifeline lifeline;
	char *gruus[2];   /* that lead to us, the second without saying who we are; or NULL */
	struct timer due; /* of the state */
	uint64_t call_id, tag;
	uint32_t cseq;
	uint32_t wish_s;    /* how long it is asked for */
	unsigned failures;  /* one after the other */
	unsigned redirects; /* of this try */
	bool stands;
	bool unheard;     /* WAITING: nothing came back, or could be sent */
	char *former;     /* our Contact before this host had another address, or NULL */
	bool outbound;    /* the registrar sends what is for us by self->flow (RFC 5626) */
	bool no_outbound; /* a proxy on the way cannot do that (439) */
	bool proven;      /* the password has been right once */
	bool extended;    /* wish_s has been made longer in this try (423) */
	bool moved_once;  /* the Contact has been rewritten in this try */
	char *moved;      /* where a 3xx has sent us in this try, or NULL */
	struct service_route route;
};

static void become(struct registration *self, enum state next)
{
	static const unsigned allowed[] = {
		[OFF] = 1u << WAITING,
		[LOCATING] = 1u << ASKING | 1u << WAITING | 1u << LEAVING | 1u << OFF,
		[ASKING] =
			1u << LOCATING | 1u << STANDING | 1u << WAITING | 1u << LEAVING | 1u << OFF,
		[STANDING] = 1u << LOCATING | 1u << WAITING | 1u << LEAVING,
		[WAITING] = 1u << LOCATING | 1u << WAITING | 1u << LEAVING | 1u << OFF,
		[LEAVING] = 1u << WAITING | 1u << OFF,
	};

	assert(allowed[self->state] & 1u << next);
	self->state = next;
	timer_stop(&self->due);
}

/* Where it goes: to the proxy, where a 3xx has said, or to the registrar. */
static const char *hop_of(const struct registration *self)
{
	const struct ua_account *account = self->config.account;

	if (self->moved)
		return self->moved;
	return account->proxy ? account->proxy : account->registrar;
}

static const struct sip_flow *flow_of(const struct registration *self)
{
	return &self->flows[self->flow_at];
}

static struct register_lines lines_of(const struct registration *self)
{
	return (struct register_lines){
		.account = self->config.account,
		.flow = flow_of(self),
		.reach = &self->reach,
		.former = self->former,
		.call_id = self->call_id,
		.tag = self->tag,
		.outbound = !self->no_outbound,
		.past_proxy = self->moved != NULL,
	};
}

void registration_print_proxy(struct text *out, const struct registration *self)
{
	register_lines_print_proxy(out, self->config.account);
}

static void tell(struct registration *self, const struct registration_news *news)
{
	self->config.told(self->config.arg, news);
}

/* RFC 5626, section 4.5: between half of it and all of it, twice as long after each failure. */
static uint32_t backoff_s(struct registration *self, unsigned failures)
{
	uint32_t upper = BASE_S;

	for (unsigned i = 0; i < failures && upper < BACKOFF_MAX_S; i++)
		upper *= 2;
	if (upper > BACKOFF_MAX_S)
		upper = BACKOFF_MAX_S;
	return upper / 2 + loop_random_below(self->config.loop, upper / 2 + 1);
}

static void keep_gruu(struct registration *self, bool anonymous, struct slice uri)
{
	free(self->gruus[anonymous]);
	self->gruus[anonymous] = uri.len > 0 ? slice_copy(uri) : NULL;
}

/* Of several changes in a row the registrar knows the first address. */
static void keep_former(struct registration *self)
{
	char room[URI_SIZE];
	struct text contact = TEXT_IN(room);

	if (self->former || !self->stands)
		return;
	reach_print(&contact, &self->reach, &self->reach.way, slice_of(self->config.account->user));
	if (!contact.cut) /* without memory the binding ends by itself */
		self->former = slice_copy(text_slice(&contact));
}

static void drop_former(struct registration *self)
{
	free(self->former);
	self->former = NULL;
}

static void stand_no_more(struct registration *self)
{
	self->stands = false;
	self->outbound = false;
	keep_gruu(self, false, (struct slice){0});
	keep_gruu(self, true, (struct slice){0});
	lifeline_stop(&self->lifeline);
}

static void forget_redirect(struct registration *self)
{
	self->redirects = 0;
	free(self->moved);
	self->moved = NULL;
}

/* A try is over. A password that never was right is not tried again: that locks accounts. */
static void fail(struct registration *self, struct registration_news *news, uint64_t after_s)
{
	bool asked = news->code == 401 || news->code == 407;

	self->failures++;
	self->unheard = news->code == 0;
	news->kind = self->stands ? REGISTRATION_LOST : REGISTRATION_FAILED;
	stand_no_more(self);
	self->extended = false;
	forget_redirect(self);
	if (asked && !self->proven) {
		become(self, OFF);
	} else {
		news->retry_s = backoff_s(self, self->failures);
		if (news->retry_s < after_s)
			news->retry_s = (uint32_t)after_s;
		become(self, WAITING);
		timer_start_in(&self->due, news->retry_s * NS_PER_S);
	}
	tell(self, news);
}

static void fail_in_words(struct registration *self, const char *words)
{
	fail(self, &(struct registration_news){.words = words}, 0);
}

static void fail_by(struct registration *self, int err)
{
	char at[ADDR_TEXT_SIZE];
	struct fault words;

	if (err == -ETIMEDOUT)
		fault_set(&words, err, "nothing came back from %s",
			addr_print_port(at, &flow_of(self)->remote));
	else
		way_fault(&words, flow_of(self), err);
	fail_in_words(self, words.words);
}

static void drop_request(struct registration *self)
{
	sip_request_free(self->request);
	self->request = NULL;
}

static void begin(struct registration *self);
static void seek(struct registration *self);
static int ask(struct registration *self, uint32_t expires_s);

/* RFC 3263, section 4.3. */
static bool ask_next(struct registration *self)
{
	drop_request(self);
	while (self->flow_at + 1 < self->flow_count) {
		self->flow_at++;
		if (ask(self, self->wish_s) == 0)
			return true;
	}
	return false;
}

/* Time for one try that nobody answers, and for the next, if there is that much. */
static uint32_t refresh_s(uint32_t expires_s)
{
	return expires_s > 4 * MARGIN_S ? expires_s - 2 * MARGIN_S : (expires_s + 1) / 2;
}

/* What it stands by from now on. */
static void stand(struct registration *self, const struct grant *grant)
{
	const struct lifeline_need need = {
		.grant = grant,
		.seen = self->reach.seen,
		.natted = reach_is_natted(&self->reach),
		.every_s = self->config.account->keep_alive_s,
	};

	self->reach.stale = (struct addr){0};
	self->stands = true;
	self->outbound = grant->outbound;
	keep_gruu(self, false, grant->gruu);
	keep_gruu(self, true, grant->temporary);
	lifeline_start(&self->lifeline, &self->flow, &need);
}

static void succeed(struct registration *self, const struct sip_msg *response)
{
	char room[URI_SIZE];
	struct text contact = TEXT_IN(room);
	const struct register_lines said = lines_of(self);
	struct grant_wish wish = {
		.instance = self->config.account->instance, .expires_s = self->wish_s};
	struct registration_news news = {
		.kind = REGISTRATION_OK,
		.code = response->status,
		.reason = response->reason,
	};
	struct grant grant;

	register_lines_print_contact(&contact, &said);
	wish.contact = news.contact = text_slice(&contact);
	grant_read(&grant, response, &wish);
	news.expires_s = grant.expires_s;
	if (news.expires_s == 0) {
		fail_in_words(self, "the registrar has taken it back at once");
		return;
	}
	service_route_keep(&self->route, response);
	drop_former(self);
	stand(self, &grant);
	self->proven = true;
	self->failures = 0;
	self->extended = false;
	become(self, STANDING);
	timer_start_in(&self->due, refresh_s(news.expires_s) * NS_PER_S);
	tell(self, &news);
}

/*
 * RFC 5626, section 4.2.1 and 4.5: the way is dead, and is sought again; at once, but for those
 * that never last: these by the back-off. While a REGISTER is out, that finds out for itself.
 */
static void way_died(void *arg, int err)
{
	struct registration *self = arg;
	char at[ADDR_TEXT_SIZE];
	struct fault words;
	struct registration_news news = {.kind = REGISTRATION_LOST, .words = words.words};

	if (self->state != STANDING)
		return;
	addr_print_port(at, &self->flow.remote);
	if (err == -ETIMEDOUT)
		fault_set(&words, err, "%s does not answer any more", at);
	else
		fault_set(&words, err, "the way to %s is lost: %s", at, strerror(-err));
	news.retry_s = self->lifeline.short_lived > 1
			       ? backoff_s(self, self->lifeline.short_lived - 1)
			       : REVIVE_S;
	stand_no_more(self);
	self->unheard = true;
	become(self, WAITING);
	timer_start_in(&self->due, news.retry_s * NS_PER_S);
	tell(self, &news);
}

/* RFC 5626, section 8: the mapping is another, and what the registrar knows leads nowhere. */
static void way_moved(void *arg, const struct addr *mapped)
{
	struct registration *self = arg;

	if (self->state != STANDING || !reach_see(&self->reach, mapped))
		return;
	if (reach_differs(&self->reach))
		reach_rewrite(&self->reach, self->outbound);
	begin(self);
}

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
	return ask(self, self->wish_s) == 0;
}

/* There are registrars that do not take two Contacts, or an address that is not ours. */
static bool ask_with_less(struct registration *self, uint16_t status)
{
	if (status / 100 != 4 || status == 408 || status == 423)
		return false;

	if (self->former)
		drop_former(self);
	else if (self->reach.stale.family != ADDR_NONE)
		reach_fix(&self->reach);
	else
		return false;
	return ask(self, self->wish_s) == 0;
}

/* RFC 5626, section 11.6: then without it, for good. */
static bool go_without_outbound(struct registration *self, uint16_t status)
{
	if (status != 439 || self->no_outbound)
		return false;

	self->no_outbound = true;
	return ask(self, self->wish_s) == 0;
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
	return ask(self, self->wish_s) == 0;
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
	seek(self);
	return true;
}

static void refused(struct registration *self, const struct sip_msg *response)
{
	bool asked = response->status == 401 || response->status == 407;
	const char *words = asked ? sip_auth_words(self->config.auth) : "";
	uint64_t after_s = 0;

	(void)sip_msg_retry_after(&after_s, response, RETRY_AFTER_MAX_S);
	fail(self,
		&(struct registration_news){
			.code = response->status,
			.reason = response->reason,
			.words = words[0] != '\0' ? words : NULL,
		},
		after_s);
}

static void answered(void *arg, const struct sip_msg *response)
{
	struct registration *self = arg;

	if (response->status < 200)
		return;
	self->flow = sip_request_flow(self->request);
	reach_learn(&self->reach, response);
	if (response->status == 503 && ask_next(self))
		return;
	drop_request(self);
	if (response->status < 300 && rewrite(self))
		return;
	if (response->status < 300)
		succeed(self, response);
	else if (!go_without_outbound(self, response->status) &&
		 !ask_with_less(self, response->status) && !extend(self, response) &&
		 !redirect(self, response))
		refused(self, response);
}

static void ended(void *arg, int err, const struct fault *why)
{
	struct registration *self = arg;

	(void)why; /* of what is located: nothing */
	if (!ask_next(self))
		fail_by(self, err);
}

static bool again(void *arg, uint32_t cseq)
{
	struct registration *self = arg;

	self->cseq = cseq;
	return true;
}

static void gone(struct registration *self)
{
	drop_request(self);
	become(self, OFF);
	stand_no_more(self);
	tell(self, &(struct registration_news){.kind = REGISTRATION_GONE});
}

static void leave_answered(void *arg, const struct sip_msg *response)
{
	if (response->status >= 200)
		gone(arg);
}

static void leave_ended(void *arg, int err, const struct fault *why)
{
	(void)err;
	(void)why;
	gone(arg);
}

static const struct sip_request_events ask_events = {answered, ended, again};
static const struct sip_request_events leave_events = {leave_answered, leave_ended, again};

/* By the flow at hand; expires_s 0 withdraws. */
static int ask(struct registration *self, uint32_t expires_s)
{
	char room[LINES_SIZE], target[URI_SIZE];
	struct text lines = TEXT_IN(room), uri = TEXT_IN(target);
	struct register_lines what;
	struct sip_request_config request = {
		.method = SIP_REGISTER,
		.flow = flow_of(self),
		.auth = self->config.auth,
	};

	if (!reach_is_by(&self->reach, flow_of(self)))
		keep_former(self); /* nobody may have told us yet that the address is another */
	reach_go(&self->reach, flow_of(self));
	what = lines_of(self);
	what.expires_s = expires_s;
	register_lines_print(&lines, &what);
	text_puts(&uri, self->moved ? self->moved : self->config.account->registrar);
	if (lines.cut || uri.cut)
		return -EMSGSIZE;
	request.cseq = ++self->cseq;
	request.uri = text_slice(&uri);
	request.headers = text_slice(&lines);
	return sip_request_send(&self->request, self->config.stack, &request,
		expires_s > 0 ? &ask_events : &leave_events, self);
}

/* What the account's own names lead to is trusted; what a 3xx has said is not. */
static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct registration *self = arg;

	self->locate = NULL;
	if (err) {
		fail_in_words(self, why->words);
		return;
	}
	self->flow_at = 0;
	self->flow_count = count < SIP_LOCATE_MAX ? count : SIP_LOCATE_MAX;
	memcpy(self->flows, flows, self->flow_count * sizeof(*flows));
	registration_prefer(self, self->flows, self->flow_count);
	for (size_t i = 0; i < self->flow_count && !self->moved; i++)
		sip_auth_trust(self->config.auth, &flows[i]);
	become(self, ASKING);
	err = ask(self, self->wish_s);
	if (err && !ask_next(self))
		fail_by(self, err);
}

static void locate(struct registration *self)
{
	struct sip_uri uri;
	int err;

	err = sip_uri_parse(&uri, slice_of(hop_of(self)), NULL);
	if (!err) {
		uri.local = !self->moved;
		self->config.need(self->config.arg, way_wanted(&uri));
		err = sip_locate(&self->locate, self->config.stack, &uri, located, self);
	}
	if (err)
		fail_in_words(self, "the registrar's address cannot be looked up");
}

static void seek(struct registration *self)
{
	become(self, LOCATING);
	self->moved_once = false;
	locate(self);
}

/* Each try finds anew where the registrar is, and by which address of ours we reach it. */
static void begin(struct registration *self)
{
	forget_redirect(self);
	seek(self);
}

static void on_due(void *arg)
{
	struct registration *self = arg;

	if (self->state == LEAVING)
		gone(self);
	else
		begin(self);
}

static const struct lifeline_events lifeline_events = {.dead = way_died, .moved = way_moved};

int registration_new(struct registration **out, const struct registration_config *config)
{
	struct registration *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->config = *config;
	self->wish_s = config->account->expires_s;
	self->reach.fixed = config->account->own_contact;
	loop_random(config->loop, &self->call_id, sizeof(self->call_id));
	loop_random(config->loop, &self->tag, sizeof(self->tag));
	timer_init(&self->due, config->loop, on_due, self);
	lifeline_init(&self->lifeline, config->loop, config->stack, &lifeline_events, self);
	*out = self;
	return 0;
}

/* By a timer, so that nothing is told within. */
void registration_start_in(struct registration *self, uint64_t delay_ns)
{
	if (self->state == LOCATING || self->state == ASKING)
		return;
	drop_request(self);
	lifeline_forget(&self->lifeline);
	become(self, WAITING);
	timer_start_in(&self->due, delay_ns);
}

void registration_start(struct registration *self)
{
	registration_start_in(self, 0);
}

static void start_anew(struct registration *self, uint64_t delay_ns)
{
	sip_locate_cancel(self->locate);
	self->locate = NULL;
	drop_request(self);
	self->unheard = false; /* it has its turn, which nothing moves */
	become(self, WAITING);
	timer_start_in(&self->due, delay_ns);
}

/* Until its turn comes, what is withdrawn is withdrawn from where we are. */
bool registration_reroute(struct registration *self, bool network, uint64_t delay_ns)
{
	struct sip_flow flow;

	if (self->state == WAITING && self->unheard && network) {
		self->failures = 0;
		start_anew(self, delay_ns);
		return true;
	}
	if (self->state == LEAVING || (!self->stands && self->state != ASKING))
		return false;
	flow = *flow_of(self);
	if (!sip_flow_reroute(&flow))
		return false;
	keep_former(self);
	self->flows[self->flow_at] = flow;
	if (self->state == WAITING)
		return false;
	start_anew(self, delay_ns);
	return true;
}

void registration_stop(struct registration *self)
{
	if (self->state == LEAVING || self->state == OFF)
		return;

	sip_locate_cancel(self->locate);
	self->locate = NULL;
	drop_request(self);
	if (!self->stands) {
		gone(self);
		return;
	}
	become(self, LEAVING);
	if (ask(self, 0))
		gone(self);
	else
		timer_start_in(&self->due, REGISTRATION_LEAVE_NS);
}

bool registration_stands(const struct registration *self)
{
	return self->stands;
}

bool registration_is_off(const struct registration *self)
{
	return self->state == OFF;
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

void registration_free(struct registration *self)
{
	if (!self)
		return;

	timer_stop(&self->due);
	sip_locate_cancel(self->locate);
	drop_request(self);
	free(self->moved);
	drop_former(self);
	service_route_drop(&self->route);
	lifeline_stop(&self->lifeline);
	free(self->gruus[false]);
	free(self->gruus[true]);
	free(self);
}
