#include "core/sip/digest.h"

#include "core/base/library.h"
#include "core/sip/grammar.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>

enum {
	HASH_SIZE = 32, /* the longest */
	HEX_SIZE = 2 * HASH_SIZE + 1,
	COUNT_SIZE = 9, /* of nc, 8 digits */
};

/* Not linked: who has no account does not wait for it. */
struct openssl {
	EVP_MD_CTX *(*ctx_new)(void);
	void (*ctx_free)(EVP_MD_CTX *ctx);
	EVP_MD *(*fetch)(OSSL_LIB_CTX *library, const char *name, const char *properties);
	void (*md_free)(EVP_MD *md);
	int (*init)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine);
	int (*update)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
	int (*final)(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *len);
};

static struct openssl openssl;

static int load_openssl(struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"EVP_MD_CTX_new", offsetof(struct openssl, ctx_new)},
		{"EVP_MD_CTX_free", offsetof(struct openssl, ctx_free)},
		{"EVP_MD_fetch", offsetof(struct openssl, fetch)},
		{"EVP_MD_free", offsetof(struct openssl, md_free)},
		{"EVP_DigestInit_ex", offsetof(struct openssl, init)},
		{"EVP_DigestUpdate", offsetof(struct openssl, update)},
		{"EVP_DigestFinal_ex", offsetof(struct openssl, final)},
	};

	return library_load(
		&openssl, "libcrypto.so.3", symbols, sizeof(symbols) / sizeof(symbols[0]), why);
}

/* What OpenSSL and a challenge call them. */
static const struct {
	const char *openssl, *name, *session;
} hashes[SIP_DIGEST_HASHES] = {
	[SIP_DIGEST_MD5] = {"MD5", "MD5", "MD5-sess"},
	[SIP_DIGEST_SHA256] = {"SHA256", "SHA-256", "SHA-256-sess"},
	[SIP_DIGEST_SHA512_256] = {"SHA512-256", "SHA-512-256", "SHA-512-256-sess"},
};

static void read_algorithm(struct sip_challenge *challenge, struct slice name)
{
	challenge->algorithm = name;
	challenge->hash = SIP_DIGEST_UNKNOWN;
	for (unsigned i = 0; i < SIP_DIGEST_HASHES; i++) {
		challenge->session = slice_is_nocase(name, hashes[i].session);
		if (challenge->session || slice_is_nocase(name, hashes[i].name)) {
			challenge->hash = (enum sip_digest_hash)i;
			return;
		}
	}
}

static void read_qop(struct sip_challenge *challenge, struct slice list)
{
	struct slice value;
	bool more;

	do {
		more = slice_cut(&value, &list, ',');
		value = slice_trim(value);
		if (slice_is_nocase(value, "auth"))
			challenge->qop |= SIP_QOP_AUTH;
		else if (slice_is_nocase(value, "auth-int"))
			challenge->qop |= SIP_QOP_AUTH_INT;
		else if (value.len > 0)
			challenge->qop |= SIP_QOP_OTHER;
	} while (more);
}

static void read_stale(struct sip_challenge *challenge, struct slice value)
{
	challenge->stale = slice_is_nocase(value, "true");
}

static void read_userhash(struct sip_challenge *challenge, struct slice value)
{
	challenge->userhash = slice_is_nocase(value, "true");
}

static void read_realm(struct sip_challenge *challenge, struct slice value)
{
	challenge->realm = value;
}

static void read_nonce(struct sip_challenge *challenge, struct slice value)
{
	challenge->nonce = value;
}

static void read_opaque(struct sip_challenge *challenge, struct slice value)
{
	challenge->opaque = value;
}

/* RFC 7616, section 3.3. The others (domain, charset) change nothing for us. */
static const struct parameter {
	const char *name;
	void (*read)(struct sip_challenge *challenge, struct slice value);
} parameters[] = {
	{"realm", read_realm},
	{"nonce", read_nonce},
	{"opaque", read_opaque},
	{"algorithm", read_algorithm},
	{"qop", read_qop},
	{"stale", read_stale},
	{"userhash", read_userhash},
};

enum { PARAMETERS = sizeof(parameters) / sizeof(parameters[0]) };

/* Each may stand there once; seen has a bit for each row. */
static int read_parameter(
	struct sip_challenge *challenge, unsigned *seen, struct slice name, struct slice value)
{
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (!slice_is_nocase(name, parameters[i].name))
			continue;
		if (*seen & 1u << i)
			return -EPROTO;
		*seen |= 1u << i;
		parameters[i].read(challenge, value);
	}
	return 0;
}

static void skip_commas(struct sip_scan *scan)
{
	while (scan->p < scan->end && (*scan->p == ',' || sip_is_space(*scan->p)))
		scan->p++;
}

/* A quoted string or a word; out is never NULL. */
static int take_value(struct slice *out, struct sip_scan *scan)
{
	if (sip_scan_at(scan, '"'))
		return sip_scan_quoted(out, scan);

	*out = sip_scan_run(scan, SIP_C_VALUE);
	return out->len > 0 ? 0 : -EPROTO;
}

/*
 * Takes "name=value" with the comma behind it. -ENOENT, with scan where it was, if the next thing
 * is the name of a scheme: that one has no equals sign, and so begins another challenge.
 */
static int take_parameter(struct slice *name, struct slice *value, struct sip_scan *scan)
{
	const uint8_t *from;
	int err;

	skip_commas(scan);
	from = scan->p;
	*name = sip_scan_run(scan, SIP_C_TOKEN);
	if (name->len == 0)
		return scan->p == scan->end ? -ENOENT : -EPROTO;
	sip_scan_space(scan);
	if (!sip_scan_at(scan, '=')) {
		scan->p = from;
		return -ENOENT;
	}
	scan->p++;
	sip_scan_space(scan);
	err = take_value(value, scan);
	sip_scan_space(scan);
	return !err && scan->p < scan->end && *scan->p != ',' ? -EPROTO : err;
}

static int take_parameters(struct sip_challenge *challenge, struct sip_scan *scan)
{
	struct slice name, value;
	unsigned seen = 0;
	int err;

	while ((err = take_parameter(&name, &value, scan)) == 0) {
		err = read_parameter(challenge, &seen, name, value);
		if (err)
			return err;
	}
	if (err != -ENOENT)
		return err;
	return challenge->realm.data && challenge->nonce.len > 0 ? 0 : -EPROTO;
}

/* What another scheme has to say (RFC 7235, section 2.1): parameters, or a word of base64. */
static void skip_parameters(struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	struct slice name, value;
	int err;

	while ((err = take_parameter(&name, &value, scan)) == 0)
		;
	if (err == -ENOENT && scan->p > from)
		return;
	scan->p = from;
	(void)sip_scan_list(&value, scan);
}

int sip_challenge_next(struct sip_challenge *out, struct slice *value)
{
	struct sip_scan scan = sip_scan_of(*value, NULL);
	struct sip_challenge challenge = {.stale = false};
	struct slice scheme;
	int err = 0;

	skip_commas(&scan);
	if (scan.p == scan.end)
		return -ENOENT;
	scheme = sip_scan_run(&scan, SIP_C_TOKEN);
	challenge.digest = SIP_IS_WORD(scheme, "digest");
	if (scheme.len == 0 || (scan.p < scan.end && !sip_is_space(*scan.p) &&
				       (challenge.digest || *scan.p != ',')))
		return -EPROTO;

	sip_scan_space(&scan);
	if (challenge.digest)
		err = take_parameters(&challenge, &scan);
	else
		skip_parameters(&scan);
	if (err)
		return err;

	*out = challenge;
	*value = sip_scan_rest(&scan);
	return 0;
}

bool sip_challenge_is_known(const struct sip_challenge *challenge)
{
	return challenge->digest && challenge->hash != SIP_DIGEST_UNKNOWN &&
	       (challenge->qop == 0 || challenge->qop & (SIP_QOP_AUTH | SIP_QOP_AUTH_INT));
}

/* A hash that is being computed. */
struct hasher {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
	bool failed; /* OpenSSL has no memory */
};

static int hasher_open(struct hasher *hasher, enum sip_digest_hash hash, struct fault *why)
{
	int err = load_openssl(why);

	*hasher = (struct hasher){.failed = false};
	if (err)
		return err;

	hasher->ctx = openssl.ctx_new();
	hasher->md = openssl.fetch(NULL, hashes[hash].openssl, NULL);
	if (hasher->ctx && hasher->md)
		return 0;
	return fault_set(why, -ENOSYS, "OpenSSL cannot compute %s here", hashes[hash].name);
}

/* What it was fed is wiped by OpenSSL. */
static void hasher_close(struct hasher *hasher)
{
	if (hasher->ctx)
		openssl.ctx_free(hasher->ctx);
	if (hasher->md)
		openssl.md_free(hasher->md);
}

/* The hash of the parts with a colon between each two, in small hexadecimal digits. */
static void hash_parts(
	char out[static HEX_SIZE], struct hasher *hasher, const struct slice *parts, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	hasher->failed |= openssl.init(hasher->ctx, hasher->md, NULL) != 1;
	for (size_t i = 0; i < count && !hasher->failed; i++) {
		if (i > 0)
			hasher->failed |= openssl.update(hasher->ctx, ":", 1) != 1;
		hasher->failed |=
			openssl.update(hasher->ctx, parts[i].len > 0 ? parts[i].data : NULL,
				parts[i].len) != 1;
	}
	if (!hasher->failed)
		hasher->failed = openssl.final(hasher->ctx, hash, &len) != 1;
	assert(len <= HASH_SIZE);
	for (unsigned i = 0; i < len; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * len] = '\0';
	explicit_bzero(hash, sizeof(hash));
}

#define HASH_PARTS(out, hasher, ...)                                                               \
	hash_parts((out), (hasher), (const struct slice[]){__VA_ARGS__},                           \
		sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

/* The word of RFC 7616, section 3.4; NULL: as RFC 2069 had it. Only one of both is ever needed. */
static const char *choose_qop(const struct sip_challenge *challenge)
{
	if (challenge->qop & SIP_QOP_AUTH)
		return "auth";
	return challenge->qop ? "auth-int" : NULL;
}

/* RFC 7616, section 3.4.2: A1, hashed. */
static void hash_secret(char out[static HEX_SIZE], struct hasher *hasher,
	const struct sip_challenge *challenge, const struct sip_claim *claim)
{
	HASH_PARTS(out, hasher, claim->user, challenge->realm, claim->password);
	if (challenge->session) {
		char first[HEX_SIZE];

		memcpy(first, out, HEX_SIZE);
		HASH_PARTS(out, hasher, slice_of(first), challenge->nonce, claim->cnonce);
		explicit_bzero(first, sizeof(first));
	}
}

/* Sections 3.4.1 to 3.4.3. */
static void respond(char out[static HEX_SIZE], struct hasher *hasher,
	const struct sip_challenge *challenge, const struct sip_claim *claim, const char *qop,
	const char *count)
{
	char secret[HEX_SIZE], request[HEX_SIZE], body[HEX_SIZE];

	hash_secret(secret, hasher, challenge, claim);
	if (qop && strcmp(qop, "auth-int") == 0) {
		HASH_PARTS(body, hasher, claim->body);
		HASH_PARTS(request, hasher, claim->method, claim->uri, slice_of(body));
	} else {
		HASH_PARTS(request, hasher, claim->method, claim->uri);
	}
	if (qop)
		HASH_PARTS(out, hasher, slice_of(secret), challenge->nonce, slice_of(count),
			claim->cnonce, slice_of(qop), slice_of(request));
	else
		HASH_PARTS(out, hasher, slice_of(secret), challenge->nonce, slice_of(request));
	explicit_bzero(secret, sizeof(secret));
}

static void print_pair(struct text *out, const char *name, struct slice value)
{
	text_printf(out, "%s=\"", name);
	text_put(out, value);
	text_putc(out, '"');
}

static void print_user(struct text *out, struct hasher *hasher,
	const struct sip_challenge *challenge, const struct sip_claim *claim)
{
	char hash[HEX_SIZE];

	text_puts(out, "username=\"");
	if (challenge->userhash) { /* section 3.4.4 */
		HASH_PARTS(hash, hasher, claim->user, challenge->realm);
		text_puts(out, hash);
	} else {
		for (size_t i = 0; i < claim->user.len; i++) {
			if (claim->user.data[i] == '"' || claim->user.data[i] == '\\')
				text_putc(out, '\\');
			text_putc(out, (char)claim->user.data[i]);
		}
	}
	text_putc(out, '"');
}

int sip_digest_print(struct text *out, const struct sip_challenge *challenge,
	const struct sip_claim *claim, struct fault *why)
{
	const char *qop = choose_qop(challenge);
	char count[COUNT_SIZE], response[HEX_SIZE];
	struct text text = TEXT_IN(count);
	struct hasher hasher;
	int err;

	assert(sip_challenge_is_known(challenge));

	err = hasher_open(&hasher, challenge->hash, why);
	if (err)
		goto out;
	text_printf(&text, "%08lx", (unsigned long)claim->count);
	respond(response, &hasher, challenge, claim, qop, count);
	text_puts(out, "Digest ");
	print_user(out, &hasher, challenge, claim);
	text_puts(out, ", ");
	print_pair(out, "realm", challenge->realm);
	text_puts(out, ", ");
	print_pair(out, "nonce", challenge->nonce);
	text_puts(out, ", ");
	print_pair(out, "uri", claim->uri);
	text_puts(out, ", ");
	print_pair(out, "response", slice_of(response));
	if (challenge->algorithm.len > 0)
		text_printf(out, ", algorithm=%.*s", (int)challenge->algorithm.len,
			(const char *)challenge->algorithm.data);
	if (qop || challenge->session) {
		text_puts(out, ", ");
		print_pair(out, "cnonce", claim->cnonce);
	}
	if (qop)
		text_printf(out, ", qop=%s, nc=%s", qop, count);
	if (challenge->opaque.data) {
		text_puts(out, ", ");
		print_pair(out, "opaque", challenge->opaque);
	}
	if (challenge->userhash)
		text_puts(out, ", userhash=true");
	if (hasher.failed)
		err = fault_set(why, -ENOMEM, "out of memory");
out:
	hasher_close(&hasher);
	return err;
}
