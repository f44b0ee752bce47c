/*
 * Digest challenges and their answers (RFC 7616, with RFC 8760 and RFC 3261, section 22.4): text to
 * parts, and parts to the text that answers. Whom to answer is auth.h's. The hashes are OpenSSL's,
 * whose library is loaded by the first answer. Nothing is kept: any thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order of RFC 7616, section 6.1. */
enum sip_digest_hash {
	SIP_DIGEST_MD5,
	SIP_DIGEST_SHA256,
	SIP_DIGEST_SHA512_256,
	SIP_DIGEST_HASHES,
	SIP_DIGEST_UNKNOWN = SIP_DIGEST_HASHES,
};

/* What may be protected; 0: none is named (RFC 2069). */
enum { SIP_QOP_AUTH = 1, SIP_QOP_AUTH_INT = 2, SIP_QOP_OTHER = 4 };

/* Its texts borrow the header that was read: what stands between quotes, escapes as they are. */
struct sip_challenge {
	bool digest; /* else it is of another scheme, and nothing else is set */
	struct slice realm;
	struct slice nonce;
	struct slice opaque;    /* data NULL: none */
	struct slice algorithm; /* as it is written; empty: none, which is MD5 */
	enum sip_digest_hash hash;
	bool session; /* "-sess" */
	unsigned qop;
	bool stale;
	bool userhash;
};

/*
 * Takes the next challenge off the front of a WWW-Authenticate or Proxy-Authenticate, which may
 * have several. -ENOENT: there is none left. -EPROTO: what is left cannot be understood.
 */
int sip_challenge_next(struct sip_challenge *out, struct slice *value);

/* Whether we can answer it, if we may. */
bool sip_challenge_is_known(const struct sip_challenge *challenge);

/* Who claims what. */
struct sip_claim {
	struct slice user, password; /* plain text */
	struct slice method, uri;    /* of the request */
	struct slice body;
	uint32_t count;      /* how often the nonce was used, this time included */
	struct slice cnonce; /* by chance; the same as long as the nonce is, for "-sess" */
};

/*
 * Appends the value of the header that answers: "Digest username=...". The challenge has to be
 * known. -ENOENT, -ENOSYS, with words in why: there is no library to compute it; -ENOMEM.
 */
int sip_digest_print(struct text *out, const struct sip_challenge *challenge,
	const struct sip_claim *claim, struct fault *why);
