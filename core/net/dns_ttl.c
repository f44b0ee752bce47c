#include "core/net/dns_ttl.h"

#include <stdbool.h>

enum {
	HEADER_SIZE = 12,
	QUESTION_SIZE = 4, /* behind its name */
	RECORD_SIZE = 10,  /* likewise, with the length of its data */
	POINTER = 0xc0,
	TTL_SIGN = 0x80,
};

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Skips bytes of rest. Returns where they were, NULL if there are not as many. */
static const uint8_t *skip(struct slice *rest, size_t count)
{
	const uint8_t *at = rest->data;

	if (rest->len < count)
		return NULL;
	rest->data += count;
	rest->len -= count;
	return at;
}

/* A pointer ends it, and is not followed: nothing here can go in circles (RFC 9267, section 2). */
static bool skip_name(struct slice *rest)
{
	const uint8_t *label;

	while ((label = skip(rest, 1)))
		if (*label == 0)
			return true;
		else if ((*label & POINTER) == POINTER)
			return skip(rest, 1);
		else if ((*label & POINTER) != 0 || !skip(rest, *label))
			return false;
	return false;
}

uint32_t dns_ttl_s(struct slice message)
{
	const uint8_t *header = skip(&message, HEADER_SIZE);
	uint32_t least = UINT32_MAX;
	unsigned questions, answers;

	if (!header)
		return 0;
	questions = get16(header + 4);
	answers = get16(header + 6);
	for (unsigned i = 0; i < questions; i++)
		if (!skip_name(&message) || !skip(&message, QUESTION_SIZE))
			return 0;
	for (unsigned i = 0; i < answers; i++) {
		const uint8_t *record = skip_name(&message) ? skip(&message, RECORD_SIZE) : NULL;
		uint32_t ttl;

		if (!record || !skip(&message, get16(record + 8)))
			return 0;
		ttl = record[4] & TTL_SIGN ? 0 : get32(record + 4); /* RFC 2181, section 8 */
		if (ttl < least)
			least = ttl;
	}
	return answers > 0 ? least : 0;
}
