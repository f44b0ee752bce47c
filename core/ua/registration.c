#include "core/ua/registration.h"

#include "core/base/loop.h"
#include "core/sip/locate.h"
#include "core/sip/print.h"
#include "core/sip/request.h"
#include "core/sip/transport.h"
#include "core/ua/config.h"
#include "core/ua/way.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	LINES_SIZE = 4096,
	URI_SIZE = 1024,
	EXPIRES_MAX_S = 24 * 3600, /* what a registrar may make of our wish */
	MARGIN_S = 40,             /* before the end: a REGISTER that nobody answers takes 32 */
	BASE_S = 30,               /* RFC 5626, section 4.5 */
	BACKOFF_MAX_S = 1800,
	RETRY_AFTER_MAX_S = 3600,
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
	struct timer due; /* of the state */
	uint64_t next_ns; /* before then it is not made anew for a lost connection */
	uint64_t call_id, tag;
	uint32_t cseq;
	uint32_t wish_s;    /* how long it is asked for */
	unsigned failures;  /* one after the other */
	unsigned redirects; /* of this try */
	bool stands;
	bool unheard;  /* WAITING: nothing came back, or could be sent */
	char *former;  /* our Contact before this host had another address, or NULL */
	bool proven;   /* the password has been right once */
	bool extended; /* wish_s has been made longer in this try (423) */
	char *moved;   /* where a 3xx has sent us, or NULL */
	char *routes;  /* lines, or NULL */
	char *hop;     /* the URI of the first of them */
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

/* People leave it out, and strict routers are gone. */
static bool is_loose(const char *proxy)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, slice_of(proxy), NULL) == 0 && sip_param(NULL, uri.params, "lr");
}

/* Without parameters, so that it is found again in the answer. */
static void print_contact(struct text *out, const struct registration *self)
{
	sip_flow_print_uri(out, flow_of(self), slice_of(self->config.account->user));
}

void registration_print_proxy(struct text *out, const struct registration *self)
{
	const char *proxy = self->config.account->proxy;

	if (proxy)
		sip_print_header_text(
			out, SIP_ROUTE, "<%s%s>", proxy, is_loose(proxy) ? "" : ";lr");
}

static void print_lines(struct text *out, const struct registration *self, uint32_t expires_s)
{
	const struct ua_account *account = self->config.account;
	char room[URI_SIZE], host[ADDR_TEXT_SIZE];
	struct text contact = TEXT_IN(room);

	print_contact(&contact, self);
	out->cut |= contact.cut;
	if (!self->moved)
		registration_print_proxy(out, self);
	sip_print_header_text(out, SIP_FROM, "<%s>;tag=%016" PRIx64, account->aor, self->tag);
	sip_print_header_text(out, SIP_TO, "<%s>", account->aor);
	sip_print_header_text(out, SIP_CALL_ID, "%016" PRIx64 "@%s", self->call_id,
		addr_print_host(host, &flow_of(self)->local));
	sip_print_header_text(out, SIP_CONTACT, "<%s>", room);
	if (self->former && strcmp(self->former, room) != 0)
		sip_print_header_text(out, SIP_CONTACT, "<%s>;expires=0", self->former);
	sip_print_header_text(out, SIP_EXPIRES, "%lu", (unsigned long)expires_s);
	sip_print_header_text(out, SIP_SUPPORTED, "path");
}

static void tell(struct registration *self, const struct registration_news *news)
{
	self->config.told(self->config.arg, news);
}

/* RFC 5626, section 4.5: between half of it and all of it, twice as long after each failure. */
static uint32_t backoff_s(struct registration *self)
{
	uint32_t upper = BASE_S;

	for (unsigned i = 0; i < self->failures && upper < BACKOFF_MAX_S; i++)
		upper *= 2;
	if (upper > BACKOFF_MAX_S)
		upper = BACKOFF_MAX_S;
	return upper / 2 + loop_random_below(self->config.loop, upper / 2 + 1);
}

/* A try is over. A password that never was right is not tried again: that locks accounts. */
static void fail(struct registration *self, struct registration_news *news, uint64_t after_s)
{
	bool asked = news->code == 401 || news->code == 407;

	self->failures++;
	self->unheard = news->code == 0;
	news->kind = self->stands ? REGISTRATION_LOST : REGISTRATION_FAILED;
	self->stands = false;
	self->extended = false;
	self->redirects = 0;
	free(self->moved);
	self->moved = NULL;
	if (asked && !self->proven) {
		become(self, OFF);
	} else {
		news->retry_s = backoff_s(self);
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

/* The seconds that the registrar gives us: section 10.2.4. */
static uint32_t granted_s(const struct registration *self, const struct sip_msg *response)
{
	const struct slice *expires = sip_msg_header(response, SIP_EXPIRES);
	struct sip_cursor cursor = {0};
	char room[URI_SIZE];
	struct text text = TEXT_IN(room);
	struct sip_uri ours;
	struct slice value;
	uint64_t seconds = self->wish_s;

	print_contact(&text, self);
	if (expires)
		(void)slice_number(&seconds, *expires, EXPIRES_MAX_S);
	if (sip_uri_parse(&ours, text_slice(&text), NULL))
		return (uint32_t)seconds;
	while (sip_msg_next(&value, &cursor, response, SIP_CONTACT)) {
		struct sip_name_addr contact;
		struct slice given;

		if (sip_name_addr_parse(&contact, value) == 0 && !contact.wildcard &&
			sip_uri_equal(&contact.uri, &ours) &&
			sip_param(&given, contact.params, "expires") &&
			slice_number(&seconds, given, EXPIRES_MAX_S) == 0)
			break;
	}
	return (uint32_t)seconds;
}

/* Time for one try that nobody answers, and for the next, if there is that much. */
static uint32_t refresh_s(uint32_t expires_s)
{
	return expires_s > 4 * MARGIN_S ? expires_s - 2 * MARGIN_S : (expires_s + 1) / 2;
}

static void drop_routes(struct registration *self)
{
	free(self->routes);
	free(self->hop);
	self->routes = NULL;
	self->hop = NULL;
}

/* The URI of the first Route line, in the brackets that it has (RFC 3608, section 5); NULL if there
 * is none that can be used. */
static char *first_route(const struct registration *self)
{
	struct slice rest = slice_of(self->routes), before, uri;
	struct sip_uri parsed;

	slice_cut(&before, &rest, '<');
	if (!slice_cut(&uri, &rest, '>') || sip_uri_parse(&parsed, uri, NULL))
		return NULL;
	return slice_copy(uri);
}

/* RFC 3608, section 5. */
static void keep_routes(struct registration *self, const struct sip_msg *response)
{
	char room[LINES_SIZE];
	struct text lines = TEXT_IN(room);

	for (size_t i = 0; i < response->header_count; i++)
		if (slice_is_nocase(response->headers[i].name, "Service-Route"))
			sip_print_header(&lines, SIP_ROUTE, response->headers[i].value);
	drop_routes(self);
	self->routes = lines.len > 0 && !lines.cut ? slice_copy(text_slice(&lines)) : NULL;
	if (self->routes)
		self->hop = first_route(self);
	if (!self->hop)
		drop_routes(self);
}

static void succeed(struct registration *self, const struct sip_msg *response)
{
	char room[URI_SIZE];
	struct text contact = TEXT_IN(room);
	struct registration_news news = {
		.kind = REGISTRATION_OK,
		.code = response->status,
		.reason = response->reason,
		.expires_s = granted_s(self, response),
	};

	print_contact(&contact, self);
	news.contact = text_slice(&contact);
	if (news.expires_s == 0) {
		fail_in_words(self, "the registrar has taken it back at once");
		return;
	}
	keep_routes(self, response);
	free(self->former);
	self->former = NULL;
	self->stands = true;
	self->proven = true;
	self->failures = 0;
	self->redirects = 0;
	self->extended = false;
	become(self, STANDING);
	timer_start_in(&self->due, refresh_s(news.expires_s) * NS_PER_S);
	tell(self, &news);
}

/* 423, section 10.2.8: once in each try, and not for ever longer. */
static bool extend(struct registration *self, const struct sip_msg *response)
{
	const struct slice *min = sip_msg_header(response, SIP_MIN_EXPIRES);
	uint64_t seconds;

	if (response->status != 423 || self->extended || !min ||
		slice_number(&seconds, *min, EXPIRES_MAX_S) || seconds <= self->wish_s)
		return false;

	self->extended = true;
	self->wish_s = (uint32_t)seconds;
	return ask(self, self->wish_s) == 0;
}

/* 3xx, section 8.1.3.4: for this try only; credentials do not follow. */
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
	begin(self);
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
	if (response->status == 503 && ask_next(self))
		return;
	drop_request(self);
	if (response->status < 300)
		succeed(self, response);
	else if (!extend(self, response) && !redirect(self, response))
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
	self->stands = false;
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
	struct sip_request_config request = {
		.method = SIP_REGISTER,
		.flow = flow_of(self),
		.auth = self->config.auth,
	};

	print_lines(&lines, self, expires_s);
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

/* Each try finds anew where the registrar is, and by which address of ours we reach it. */
static void begin(struct registration *self)
{
	become(self, LOCATING);
	locate(self);
}

static void on_due(void *arg)
{
	struct registration *self = arg;

	if (self->state == LEAVING)
		gone(self);
	else
		begin(self);
}

int registration_new(struct registration **out, const struct registration_config *config)
{
	struct registration *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->config = *config;
	self->wish_s = config->account->expires_s;
	loop_random(config->loop, &self->call_id, sizeof(self->call_id));
	loop_random(config->loop, &self->tag, sizeof(self->tag));
	timer_init(&self->due, config->loop, on_due, self);
	*out = self;
	return 0;
}

/* By a timer, so that nothing is told within. */
void registration_start_in(struct registration *self, uint64_t delay_ns)
{
	if (self->state == LOCATING || self->state == ASKING)
		return;
	drop_request(self);
	become(self, WAITING);
	timer_start_in(&self->due, delay_ns);
}

void registration_start(struct registration *self)
{
	registration_start_in(self, 0);
}

/* Of several changes in a row the registrar knows the first address. */
static void keep_former(struct registration *self)
{
	char room[URI_SIZE];
	struct text contact = TEXT_IN(room);

	if (self->former || !self->stands)
		return;
	print_contact(&contact, self);
	if (!contact.cut) /* without memory the binding ends by itself */
		self->former = slice_copy(text_slice(&contact));
}

static void start_anew(struct registration *self)
{
	sip_locate_cancel(self->locate);
	self->locate = NULL;
	drop_request(self);
	if (self->state != WAITING)
		become(self, WAITING);
	timer_start_in(&self->due, 0);
}

void registration_reroute(struct registration *self, bool network)
{
	struct sip_flow flow;

	if (self->state == WAITING && self->unheard && network) {
		self->failures = 0;
		timer_start_in(&self->due, 0);
		return;
	}
	if (self->state != STANDING && self->state != ASKING)
		return;
	flow = *flow_of(self);
	if (!sip_flow_reroute(&flow))
		return;
	keep_former(self);
	start_anew(self);
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

/* Where others can connect to us, they do. */
bool registration_keeps(const struct registration *self, const struct sip_flow *flow)
{
	const struct sip_flow *ours = flow_of(self);

	return self->stands && ours->transport == flow->transport && flow->transport->calls_only &&
	       addr_equal(&ours->remote, &flow->remote);
}

void registration_lost(struct registration *self, uint64_t delay_ns)
{
	uint64_t soonest_ns = loop_now(self->config.loop) + delay_ns;
	uint64_t at_ns = self->next_ns > soonest_ns ? self->next_ns : soonest_ns;

	if (self->state != STANDING)
		return;
	self->next_ns = at_ns + REGISTRATION_PAUSE_NS;
	become(self, WAITING);
	timer_start(&self->due, at_ns);
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
	return self->hop;
}

struct slice registration_routes(const struct registration *self)
{
	return self->routes ? slice_of(self->routes) : (struct slice){0};
}

void registration_free(struct registration *self)
{
	if (!self)
		return;

	timer_stop(&self->due);
	sip_locate_cancel(self->locate);
	drop_request(self);
	free(self->moved);
	free(self->former);
	drop_routes(self);
	free(self);
}
