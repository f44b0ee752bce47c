/*
 * core/sip/digest: any bytes as a WWW-Authenticate. Each challenge points into them and takes some
 * of them; one that we know is answered, and what it says stands in the answer as it was.
 */
#include "core/sip/digest.h"
#include "core/sip/msg.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[2 * SIP_MESSAGE_MAX];

static void check_part(struct slice part, struct slice whole)
{
	assert(part.len == 0 ||
		(part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_answer(const struct sip_challenge *challenge)
{
	const struct sip_claim claim = {slice_of("a\"\\"), slice_of("secret"), slice_of("INVITE"),
		slice_of("sip:b@c"), slice_of("v=0"), 1, slice_of("c")};
	struct text out = TEXT_IN(room);

	if (!sip_challenge_is_known(challenge))
		return;
	assert(sip_digest_print(&out, challenge, &claim, NULL) == 0 && !out.cut);
	if (challenge->nonce.len > 0)
		assert(memmem(out.data, out.len, challenge->nonce.data, challenge->nonce.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {data, size};
	struct slice rest = text;
	struct sip_challenge challenge;
	size_t before = size + 1;

	if (size > SIP_MESSAGE_MAX / 2)
		return 0;
	while (rest.len < before) {
		before = rest.len;
		if (sip_challenge_next(&challenge, &rest))
			return 0;
		check_part(challenge.realm, text);
		check_part(challenge.nonce, text);
		check_part(challenge.opaque, text);
		check_part(challenge.algorithm, text);
		assert(!challenge.digest || challenge.nonce.len > 0);
		check_answer(&challenge);
	}
	assert(0 && "a challenge takes no bytes");
	return 0;
}
