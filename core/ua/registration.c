#include "core/sip/transport.h"
#include "core/ua/grant.h"
#include "core/ua/register_lines.h"
#include "core/ua/registration_private.h"
#include "core/ua/way.h"

#include <assert.h>
#include <stdlib.h>

enum {
	LINES_SIZE = 4096,
	URI_SIZE = 1024,
	MARGIN_S = 40, /* before the end: a REGISTER that nobody answers takes 32 */
	BASE_S = 30,   /* RFC 5626, section 4.5 */
	BACKOFF_MAX_S = 1800,
	REVIVE_S = 1, /* until a way that has been good for long is sought again */
};

static void become(struct registration *self, enum registration_state next)
{
	static const unsigned allowed[] = {
		[REG_OFF] = 1u << REG_WAITING,
		[REG_LOCATING] =
			1u << REG_ASKING | 1u << REG_WAITING | 1u << REG_LEAVING | 1u << REG_OFF,
		[REG_ASKING] = 1u << REG_LOCATING | 1u << REG_STANDING | 1u << REG_WAITING |
			       1u << REG_LEAVING | 1u << REG_OFF,
		[REG_STANDING] = 1u << REG_LOCATING | 1u << REG_WAITING | 1u << REG_LEAVING,
		[REG_WAITING] =
			1u << REG_LOCATING | 1u << REG_WAITING | 1u << REG_LEAVING | 1u << REG_OFF,
		[REG_LEAVING] = 1u << REG_WAITING | 1u << REG_OFF,
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

void registration_drop_former(struct registration *self)
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
void registration_fail(struct registration *self, struct registration_news *news, uint64_t after_s)
{
	bool asked = news->code == 401 || news->code == 407;

	self->failures++;
	self->unheard = news->code == 0;
	news->kind = self->stands ? REGISTRATION_LOST : REGISTRATION_FAILED;
	stand_no_more(self);
	self->extended = false;
	forget_redirect(self);
	if (asked && !self->proven) {
		become(self, REG_OFF);
	} else {
		news->retry_s = backoff_s(self, self->failures);
		if (news->retry_s < after_s)
			news->retry_s = (uint32_t)after_s;
		become(self, REG_WAITING);
		timer_start_in(&self->due, news->retry_s * NS_PER_S);
	}
	tell(self, news);
}

static void fail_in_words(struct registration *self, const char *words)
{
	registration_fail(self, &(struct registration_news){.words = words}, 0);
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

void registration_drop_request(struct registration *self)
{
	sip_request_free(self->request);
	self->request = NULL;
}

static void begin(struct registration *self);

/* RFC 3263, section 4.3. */
bool registration_ask_next(struct registration *self)
{
	registration_drop_request(self);
	while (self->flow_at + 1 < self->flow_count) {
		self->flow_at++;
		if (registration_ask(self, self->wish_s) == 0)
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

void registration_succeed(struct registration *self, const struct sip_msg *response)
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
	registration_drop_former(self);
	stand(self, &grant);
	self->proven = true;
	self->failures = 0;
	self->extended = false;
	become(self, REG_STANDING);
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

	if (self->state != REG_STANDING)
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
	become(self, REG_WAITING);
	timer_start_in(&self->due, news.retry_s * NS_PER_S);
	tell(self, &news);
}

/* RFC 5626, section 8: the mapping is another, and what the registrar knows leads nowhere. */
static void way_moved(void *arg, const struct addr *mapped)
{
	struct registration *self = arg;

	if (self->state != REG_STANDING || !reach_see(&self->reach, mapped))
		return;
	if (reach_differs(&self->reach))
		reach_rewrite(&self->reach, self->outbound);
	begin(self);
}

static void ended(void *arg, int err, const struct fault *why)
{
	struct registration *self = arg;

	(void)why; /* of what is located: nothing */
	if (!registration_ask_next(self))
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
	registration_drop_request(self);
	become(self, REG_OFF);
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

static const struct sip_request_events ask_events = {registration_answered, ended, again};
static const struct sip_request_events leave_events = {leave_answered, leave_ended, again};

/* By the flow at hand; expires_s 0 withdraws. */
int registration_ask(struct registration *self, uint32_t expires_s)
{
	char room[LINES_SIZE], target[URI_SIZE];
	struct text lines = TEXT_IN(room), uri = TEXT_IN(target);
	struct register_lines what;
	struct sip_request_config request = {
		.method = SIP_REGISTER,
		.keeps = true,
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
	become(self, REG_ASKING);
	err = registration_ask(self, self->wish_s);
	if (err && !registration_ask_next(self))
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

void registration_seek(struct registration *self)
{
	become(self, REG_LOCATING);
	self->moved_once = false;
	locate(self);
}

/* Each try finds anew where the registrar is, and by which address of ours we reach it. */
static void begin(struct registration *self)
{
	forget_redirect(self);
	registration_seek(self);
}

static void on_due(void *arg)
{
	struct registration *self = arg;

	if (self->state == REG_LEAVING)
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
	if (self->state == REG_LOCATING || self->state == REG_ASKING)
		return;
	registration_drop_request(self);
	lifeline_forget(&self->lifeline);
	become(self, REG_WAITING);
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
	registration_drop_request(self);
	self->unheard = false; /* it has its turn, which nothing moves */
	become(self, REG_WAITING);
	timer_start_in(&self->due, delay_ns);
}

/* Until its turn comes, what is withdrawn is withdrawn from where we are. */
bool registration_reroute(struct registration *self, bool network, uint64_t delay_ns)
{
	struct sip_flow flow;

	if (self->state == REG_WAITING && self->unheard && network) {
		self->failures = 0;
		start_anew(self, delay_ns);
		return true;
	}
	if (self->state == REG_LEAVING || (!self->stands && self->state != REG_ASKING))
		return false;
	flow = *flow_of(self);
	if (!sip_flow_reroute(&flow))
		return false;
	keep_former(self);
	self->flows[self->flow_at] = flow;
	if (self->state == REG_WAITING)
		return false;
	start_anew(self, delay_ns);
	return true;
}

void registration_stop(struct registration *self)
{
	if (self->state == REG_LEAVING || self->state == REG_OFF)
		return;

	sip_locate_cancel(self->locate);
	self->locate = NULL;
	registration_drop_request(self);
	if (!self->stands) {
		gone(self);
		return;
	}
	become(self, REG_LEAVING);
	if (registration_ask(self, 0))
		gone(self);
	else
		timer_start_in(&self->due, REGISTRATION_LEAVE_NS);
}

bool registration_is_off(const struct registration *self)
{
	return self->state == REG_OFF;
}

void registration_free(struct registration *self)
{
	if (!self)
		return;

	timer_stop(&self->due);
	sip_locate_cancel(self->locate);
	registration_drop_request(self);
	free(self->moved);
	registration_drop_former(self);
	service_route_drop(&self->route);
	lifeline_stop(&self->lifeline);
	free(self->gruus[false]);
	free(self->gruus[true]);
	free(self);
}
