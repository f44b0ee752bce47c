#include "core/sip/auth.h"

#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/secret.h"
#include "core/sip/digest.h"
#include "core/sip/print.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	HOPS_MAX = 16,
	CNONCE_SIZE = 20,
	SHOWN = 60, /* bytes of a realm that a message repeats */
};

/* A challenge that was answered, and is answered again without being asked. */
struct slot {
	char *text; /* where the challenge's texts stand; NULL: none */
	struct sip_challenge challenge;
	uint32_t count;
	char cnonce[CNONCE_SIZE];
};

/*
 * Registrar and calls have nonces of their own: what answers the registrar's, sent along with a
 * call, would go through to the far end, to be tried at leisure.
 */
enum { REGISTERING, CALLING, USES };

struct sip_auth {
	struct loop *loop;
	const struct secret *password;
	bool allow_md5;
	char *user;
	char *realm; /* as between quotes; NULL: not known yet */
	struct slot slots[USES][SIP_AUTH_KINDS];
	struct addr hops[HOPS_MAX];
	size_t hop_count, hop_next;
	struct fault words;
};

static const struct {
	enum sip_header_name asks;
	const char *answers;
} headers[SIP_AUTH_KINDS] = {
	[SIP_AUTH_WWW] = {SIP_WWW_AUTHENTICATE, "Authorization"},
	[SIP_AUTH_PROXY] = {SIP_PROXY_AUTHENTICATE, "Proxy-Authorization"},
};

int sip_auth_new(struct sip_auth **out, const struct sip_auth_config *config)
{
	struct sip_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return -ENOMEM;

	auth->loop = config->loop;
	auth->password = config->password;
	auth->allow_md5 = config->allow_md5;
	auth->user = slice_copy(config->user);
	if (config->realm.len > 0)
		auth->realm = slice_copy(config->realm);
	if (!auth->user || (config->realm.len > 0 && !auth->realm)) {
		sip_auth_free(auth);
		return -ENOMEM;
	}
	*out = auth;
	return 0;
}

void sip_auth_free(struct sip_auth *auth)
{
	if (!auth)
		return;

	for (size_t use = 0; use < USES; use++)
		for (size_t kind = 0; kind < SIP_AUTH_KINDS; kind++)
			free(auth->slots[use][kind].text);
	free(auth->user);
	free(auth->realm);
	free(auth);
}

/* The newest ones stay: names lead elsewhere in time. */
void sip_auth_trust(struct sip_auth *auth, const struct sip_flow *flow)
{
	if (sip_auth_trusts(auth, flow))
		return;

	auth->hops[auth->hop_next] = flow->remote;
	auth->hop_next = (auth->hop_next + 1) % HOPS_MAX;
	if (auth->hop_count < HOPS_MAX)
		auth->hop_count++;
}

bool sip_auth_trusts(const struct sip_auth *auth, const struct sip_flow *flow)
{
	for (size_t i = 0; auth && i < auth->hop_count; i++)
		if (addr_equal(&auth->hops[i], &flow->remote))
			return true;
	return false;
}

bool sip_auth_trusts_host(const struct sip_auth *auth, const struct sip_flow *flow)
{
	for (size_t i = 0; auth && i < auth->hop_count; i++)
		if (addr_same_host(&auth->hops[i], &flow->remote))
			return true;
	return false;
}

bool sip_auth_has_realm(const struct sip_auth *auth)
{
	return auth && auth->realm;
}

static struct slot *slots_of(struct sip_auth *auth, enum sip_method method)
{
	return auth->slots[method == SIP_REGISTER ? REGISTERING : CALLING];
}

static void forget(struct slot *slot)
{
	free(slot->text);
	*slot = (struct slot){.text = NULL};
}

static void print_slot(struct text *out, struct sip_auth *auth, struct slot *slot,
	const char *header, const struct sip_auth_request *request)
{
	const struct sip_claim claim = {
		.user = slice_of(auth->user),
		.password = secret_text(auth->password),
		.method = slice_of(sip_method_name(request->method)),
		.uri = request->uri,
		.body = request->body,
		.count = ++slot->count,
		.cnonce = slice_of(slot->cnonce),
	};
	struct text line = *out;

	text_printf(&line, "%s: ", header);
	if (sip_digest_print(&line, &slot->challenge, &claim, &auth->words)) {
		log_warning("sip: cannot answer for the account: %s", auth->words.words);
		return;
	}
	text_puts(&line, "\r\n");
	*out = line;
}

void sip_auth_print(struct text *out, struct sip_auth *auth, const struct sip_auth_request *request,
	struct sip_auth_course *course)
{
	struct slot *slots = slots_of(auth, request->method);

	for (size_t kind = 0; kind < SIP_AUTH_KINDS; kind++) {
		size_t before = out->len;

		if (slots[kind].text)
			print_slot(out, auth, &slots[kind], headers[kind].answers, request);
		course->carried[kind] = out->len > before;
	}
}

/* What a challenge lacks so that we answer it, in order of how far it got. */
enum lack { LACK_ALL, LACK_SCHEME, LACK_REALM, LACK_MD5, LACK_NOTHING };

static enum lack judge(const struct sip_auth *auth, const struct sip_challenge *challenge)
{
	if (!sip_challenge_is_known(challenge))
		return LACK_SCHEME;
	if (auth->realm && !slice_is(challenge->realm, auth->realm))
		return LACK_REALM;
	if (challenge->hash == SIP_DIGEST_MD5 && !auth->allow_md5)
		return LACK_MD5;
	return LACK_NOTHING;
}

/* The topmost that we can answer (RFC 8760, section 2.4); what cannot be read ends its line. */
static enum lack choose(struct sip_challenge *out, const struct sip_auth *auth,
	const struct sip_msg *response, enum sip_header_name id)
{
	enum lack best = LACK_ALL;

	for (size_t i = 0; i < response->header_count; i++) {
		struct slice rest = response->headers[i].value;
		struct sip_challenge challenge;

		while (response->headers[i].id == id &&
			sip_challenge_next(&challenge, &rest) == 0) {
			enum lack lack = judge(auth, &challenge);

			if (lack > best) {
				best = lack;
				*out = challenge;
			}
			if (best == LACK_NOTHING)
				return best;
		}
	}
	return best;
}

static struct slice put(struct text *text, struct slice bytes)
{
	struct slice copy = {(const uint8_t *)text->data + text->len, bytes.len};

	if (!bytes.data)
		return (struct slice){0};
	text_put(text, bytes);
	return copy;
}

/* -ENOMEM, with the slot as it was. */
static int keep(struct slot *slot, struct sip_auth *auth, const struct sip_challenge *challenge)
{
	size_t size = challenge->realm.len + challenge->nonce.len + challenge->opaque.len +
		      challenge->algorithm.len + 1;
	char *room = calloc(1, size);
	struct text text, cnonce;
	uint64_t chance;

	if (!room)
		return -ENOMEM;

	free(slot->text);
	text = text_in(room, size);
	*slot = (struct slot){.text = room, .challenge = *challenge};
	slot->challenge.realm = put(&text, challenge->realm);
	slot->challenge.nonce = put(&text, challenge->nonce);
	slot->challenge.opaque = put(&text, challenge->opaque);
	slot->challenge.algorithm = put(&text, challenge->algorithm);
	loop_random(auth->loop, &chance, sizeof(chance));
	cnonce = TEXT_IN(slot->cnonce);
	text_printf(&cnonce, "%016" PRIx64, chance);
	return 0;
}

/* Text from outside, cut and made harmless. */
static void show(struct text *out, struct slice text)
{
	if (text.len > SHOWN)
		text.len = SHOWN;
	text_put_escaped(out, text);
}

/* Words for why nothing is answered. */
static void explain(struct sip_auth *auth, enum lack lack, const struct sip_challenge *challenge)
{
	char room[4 * SHOWN + 1];
	struct text shown = TEXT_IN(room);

	switch (lack) {
	case LACK_ALL:
		fault_set(&auth->words, 0,
			"the server asks for a password in a way that cannot be read");
		return;
	case LACK_SCHEME:
		show(&shown, challenge->algorithm);
		fault_set(&auth->words, 0,
			"the server asks for a password in a way that we do not know%s%s",
			shown.len > 0 ? ": " : "", room);
		return;
	case LACK_REALM:
		show(&shown, challenge->realm);
		fault_set(&auth->words, 0,
			"the password was asked for by \"%s\", and is for \"%s\" only", room,
			auth->realm);
		return;
	case LACK_MD5:
		fault_set(
			&auth->words, 0, "the server knows only MD5, which allow_md5 = no forbids");
		return;
	case LACK_NOTHING:
		break;
	}
	auth->words.words[0] = '\0';
}

/* Whether this challenge is no answer to what we answered already: section 22.2. */
static bool may_answer(struct sip_auth_course *course, size_t kind, bool stale)
{
	if (stale && !course->renewed[kind]) {
		course->renewed[kind] = course->carried[kind];
		return true;
	}
	return !course->answered[kind];
}

/* The realm of the first challenge that is answered is the account's from then on. */
static bool bind_realm(struct sip_auth *auth, const struct sip_challenge *challenge)
{
	if (!auth->realm)
		auth->realm = slice_copy(challenge->realm);
	return auth->realm != NULL;
}

bool sip_auth_challenge(struct sip_auth *auth, const struct sip_msg *response,
	const struct sip_auth_request *request, struct sip_auth_course *course)
{
	size_t kind = response->status == 407 ? SIP_AUTH_PROXY : SIP_AUTH_WWW;
	struct slot *slot = &slots_of(auth, request->method)[kind];
	struct sip_challenge challenge = {.stale = false};
	enum lack lack = choose(&challenge, auth, response, headers[kind].asks);

	explain(auth, lack, &challenge);
	if (lack != LACK_NOTHING)
		return false;
	if (!auth->password) {
		fault_set(&auth->words, 0, "the server asks for a password, and there is none");
		return false;
	}
	if (!may_answer(course, kind, challenge.stale)) {
		forget(slot);
		fault_set(&auth->words, 0, "the password, or the name that goes with it, is wrong");
		return false;
	}
	if (!bind_realm(auth, &challenge) || keep(slot, auth, &challenge)) {
		fault_set(&auth->words, 0, "out of memory");
		return false;
	}
	course->answered[kind] = true;
	return true;
}

const char *sip_auth_words(const struct sip_auth *auth)
{
	return auth->words.words;
}
