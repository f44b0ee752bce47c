#include "core/ua/account.h"

#include "core/sip/auth.h"
#include "core/sip/uri.h"
#include "core/ua/identity.h"
#include "core/ua/target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { TEXTS_MAX = 12 };

struct account {
	struct list link;
	struct table_node by_user;
	struct account_config config;
	struct ua_account settings;
	char *texts[TEXTS_MAX]; /* what settings points to */
	size_t text_count;
	struct sip_uri aor; /* points into them, as domain does */
	const char *domain;
	struct sip_auth *auth;
	struct registration *registration;
};

/* A copy that goes with the account; NULL without memory. */
static const char *keep_slice(struct account *self, struct slice text)
{
	char *copy = slice_copy(text);

	assert(self->text_count < TEXTS_MAX);
	if (copy)
		self->texts[self->text_count++] = copy;
	return copy;
}

/* The same; NULL of NULL, too. */
static const char *keep(struct account *self, const char *text)
{
	return text ? keep_slice(self, slice_of(text)) : NULL;
}

/* The URI of a server: a host will do. It goes by the account's transport if it names none. */
static int read_server(const char **out, struct account *self, const char *typed, const char *what,
	struct fault *why)
{
	char room[TARGET_MAX];
	struct text text = TEXT_IN(room);
	struct target target;
	struct fault wrong;
	int err = target_parse(&target, slice_of(typed), &wrong, NULL);

	if (!err && self->settings.transport && !sip_param(NULL, target.uri.params, "transport")) {
		text_printf(&text, "%s;transport=%s", target.text, self->settings.transport);
		err = target_parse(&target, text_slice(&text), &wrong, NULL);
	}
	if (err || text.cut)
		return fault_set(why, -EINVAL, "%s of account %s: %s", what, self->settings.name,
			err ? wrong.words : "it is too long");
	*out = keep(self, target.text);
	return *out ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

/* The registrar of an address is its host (RFC 3261, section 10.2). */
static int find_registrar(struct account *self, const struct sip_uri *aor, struct fault *why)
{
	struct sip_uri host = {
		.scheme = aor->scheme,
		.scheme_name = aor->scheme_name,
		.host = aor->host,
		.host_is_ipv6 = aor->host_is_ipv6,
		.port = aor->port,
		.params = aor->params,
	};
	char room[TARGET_MAX + 16]; /* for what is less than an address */
	struct text text = TEXT_IN(room);

	sip_uri_print(&text, &host);
	return read_server(&self->settings.registrar, self, room, "the registrar", why);
}

static int read_aor(struct account *self, const char *typed, struct target *aor, struct fault *why)
{
	char room[TARGET_MAX + 16];
	struct text domain = TEXT_IN(room);
	struct fault wrong;

	if (target_parse(aor, slice_of(typed), &wrong, NULL))
		return fault_set(why, -EINVAL, "account %s: %s", self->settings.name, wrong.words);
	if (aor->uri.user.len == 0)
		return fault_set(why, -EINVAL,
			"account %s: an address like alice@example.org is needed",
			self->settings.name);
	text_put(&domain, aor->uri.host);
	if (aor->uri.host_is_ipv6) {
		domain = TEXT_IN(room);
		text_printf(&domain, "[%.*s]", (int)aor->uri.host.len,
			(const char *)aor->uri.host.data);
	}
	if (aor->uri.port > 0)
		text_printf(&domain, ":%u", aor->uri.port);
	self->settings.aor = keep(self, aor->text);
	self->settings.user = keep_slice(self, aor->uri.user);
	self->domain = keep(self, room);
	if (!self->settings.aor || !self->settings.user || !self->domain)
		return fault_set(why, -ENOMEM, "out of memory");
	return sip_uri_parse(&self->aor, slice_of(self->settings.aor), NULL);
}

static int read_own_identity(struct account *self, const char *typed, struct fault *why)
{
	char room[IDENTITY_SIZE];
	struct text text = TEXT_IN(room);
	struct fault wrong;

	if (identity_read(&text, slice_of(typed), &wrong))
		return fault_set(why, -EINVAL, "account %s: %s", self->settings.name, wrong.words);
	self->settings.identity = keep(self, room);
	return self->settings.identity ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

/* Those that are as they were given. -ENOMEM. */
static int keep_texts(struct account *self)
{
	struct ua_account *settings = &self->settings;
	const char **const texts[] = {&settings->name, &settings->display, &settings->realm,
		&settings->transport, &settings->instance};
	bool kept = true;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *given = *texts[i];

		*texts[i] = keep(self, given);
		kept = kept && (!given || *texts[i]);
	}
	return kept ? 0 : -ENOMEM;
}

static int read_settings(struct account *self, const struct ua_account *settings, struct fault *why)
{
	struct target aor;
	int err;

	self->settings = *settings;
	if (!settings->name)
		self->settings.name = settings->aor;
	if (settings->expires_s == 0)
		self->settings.expires_s = ACCOUNT_EXPIRES_S;
	err = keep_texts(self);
	if (err)
		return fault_set(why, err, "out of memory");
	err = read_aor(self, settings->aor, &aor, why);
	if (err)
		return err;
	err = settings->registrar ? read_server(&self->settings.registrar, self,
					    settings->registrar, "the registrar", why)
				  : find_registrar(self, &aor.uri, why);
	if (!err && settings->proxy)
		err = read_server(&self->settings.proxy, self, settings->proxy, "the proxy", why);
	if (!err && settings->identity)
		err = read_own_identity(self, settings->identity, why);
	if (err || !settings->auth_user) {
		self->settings.auth_user = self->settings.user;
		return err;
	}
	self->settings.auth_user = keep(self, settings->auth_user);
	return self->settings.auth_user ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

static void need(void *arg, enum sip_transport_kind kind)
{
	struct account *self = arg;

	self->config.need(self->config.arg, kind);
}

static void told(void *arg, const struct registration_news *news)
{
	struct account *self = arg;

	self->config.told(self->config.arg, self, news);
}

static int make_parts(struct account *self)
{
	const struct sip_auth_config auth = {
		.loop = self->config.loop,
		.user = slice_of(self->settings.auth_user),
		.password = self->settings.password,
		.realm = slice_of(self->settings.realm ? self->settings.realm : ""),
		.allow_md5 = self->settings.allow_md5,
	};
	struct registration_config registration = {
		.loop = self->config.loop,
		.stack = self->config.stack,
		.account = &self->settings,
		.need = need,
		.told = told,
		.arg = self,
	};
	int err;

	err = sip_auth_new(&self->auth, &auth);
	if (err)
		return err;
	registration.auth = self->auth;
	return registration_new(&self->registration, &registration);
}

int account_new(struct account **out, const struct account_config *config,
	const struct ua_account *account, struct fault *why)
{
	struct account *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fault_set(why, -ENOMEM, "out of memory");

	list_init(&self->link);
	self->config = *config;
	err = read_settings(self, account, why);
	if (err)
		goto out;
	err = make_parts(self);
	if (err) {
		fault_set(why, err, "out of memory");
		goto out;
	}
	*out = self;
	self = NULL;
out:
	account_free(self);
	return err;
}

const struct ua_account *account_settings(const struct account *self)
{
	return &self->settings;
}

struct sip_auth *account_auth(const struct account *self)
{
	return self->auth;
}

struct registration *account_registration(const struct account *self)
{
	return self->registration;
}

struct slice account_domain(const struct account *self)
{
	return slice_of(self->domain);
}

/*
 * Section 8.1.2, and RFC 3608, section 5: a proxy of ours; the first of the registrar's routes; and
 * of our own domain, where we register.
 */
const char *account_hop(const struct account *self, const struct sip_uri *target)
{
	const struct sip_uri *aor = &self->aor;

	if (self->settings.proxy)
		return self->settings.proxy;
	if (registration_hop(self->registration))
		return registration_hop(self->registration);
	if (target->port == aor->port && slice_equal_nocase(target->host, aor->host))
		return self->settings.registrar;
	return NULL;
}

void account_print_routes(struct text *out, const struct account *self)
{
	registration_print_proxy(out, self->registration);
	text_put(out, registration_routes(self->registration));
}

int account_list_init(struct account_list *list)
{
	list_init(&list->all);
	return table_init(&list->by_user);
}

/* The users are ours: nobody aims at collisions. */
static uint32_t hash_user(struct slice user)
{
	return table_hash(0, user);
}

void account_list_add(struct account_list *list, struct account *account)
{
	list_add(&list->all, &account->link);
	table_add(&list->by_user, &account->by_user, hash_user(slice_of(account->settings.user)));
}

void account_list_close(struct account_list *list)
{
	list_each(link, &list->all) account_free(account_of(link));
	table_close(&list->by_user);
}

/* By the user of our Contact; of several with that name, whose server it came from. */
struct account *account_find(
	const struct account_list *list, const struct sip_uri *uri, const struct sip_flow *flow)
{
	struct account *found = NULL;

	for (struct table_node *node = table_find(&list->by_user, hash_user(uri->user)); node;
		node = table_find_next(node)) {
		struct account *self = container_of(node, struct account, by_user);

		if (!slice_equal(uri->user, slice_of(self->settings.user)))
			continue;
		if (sip_auth_trusts(self->auth, flow))
			return self;
		if (!found)
			found = self;
	}
	return found;
}

bool account_is_anonymous(const struct account *self, enum ua_anonymous anonymous)
{
	if (anonymous == UA_ANONYMOUS_ACCOUNT)
		return self && self->settings.anonymous;
	return anonymous == UA_ANONYMOUS_ON;
}

struct account *account_first(const struct account_list *list)
{
	return list_empty(&list->all) ? NULL : account_of(list->all.next);
}

void account_silence(struct account *self)
{
	if (!self)
		return;

	registration_free(self->registration);
	self->registration = NULL;
}

void account_free(struct account *self)
{
	if (!self)
		return;

	list_remove(&self->link);
	account_silence(self);
	sip_auth_free(self->auth);
	for (size_t i = 0; i < self->text_count; i++)
		free(self->texts[i]);
	free(self);
}

struct account *account_of(struct list *link)
{
	return container_of(link, struct account, link);
}
