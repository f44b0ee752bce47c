#include "core/net/impair.h"

#include "core/base/loop.h"
#include "core/base/random.h"

#include <errno.h>
#include <stdlib.h>

enum {
	FIRST_ROOM = 16, /* arrivals that are remembered before more memory is needed */
	FRACTION_BITS = 24,
};

#define BIT_NS UINT64_C(8000000000) /* of a byte, at one bit a second */

/*
 * When those arrive that nobody has overtaken so far and somebody still may. Each new one throws
 * out all that arrive after it, so they stand in order, and one end is enough to look at.
 */
struct arrivals {
	uint64_t *at_ns; /* a ring of room places, a power of two */
	size_t room;
	size_t first;
	size_t count;
	uint64_t own[FIRST_ROOM];
};

struct impair {
	struct impair_config config;
	struct impair_counts counts;
	struct random random;
	bool bad; /* in a burst */
	uint64_t last_ns;
	struct arrivals arrivals;

	/* The narrowest place is busy up to free_ns and rest / rate_bps nanoseconds more. */
	uint64_t free_ns;
	uint64_t rest;
};

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static uint64_t multiply_capped(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* a * fraction / 2^FRACTION_BITS */
static uint64_t scale(uint64_t a, uint64_t fraction)
{
	const uint64_t mask = (UINT64_C(1) << FRACTION_BITS) - 1;
	uint64_t whole = multiply_capped(a, fraction >> FRACTION_BITS);
	uint64_t part = fraction & mask;

	part = (a >> FRACTION_BITS) * part + ((a & mask) * part >> FRACTION_BITS);
	return add_capped(whole, part);
}

/*
 * From here to draw_normal(): numbers with FRACTION_BITS behind the point. Whole numbers alone give
 * the same fates with each compiler and each mathematical library.
 */

/* -log2(u / 2^64), u > 0, a bit at a time: squaring doubles the logarithm. */
static uint64_t minus_log2(uint64_t u)
{
	unsigned zeros = (unsigned)__builtin_clzll(u);
	uint64_t mantissa = u << zeros >> 32; /* 1 <= mantissa / 2^31 < 2 */
	uint64_t log = 0;

	for (int i = 0; i < FRACTION_BITS; i++) {
		uint64_t square = mantissa * mantissa;
		unsigned carry = (unsigned)(square >> 63);

		mantissa = square >> (31 + carry);
		log = log << 1 | carry;
	}
	return ((uint64_t)(zeros + 1) << FRACTION_BITS) - log;
}

/* Of mean 1. */
static uint64_t draw_exponential(struct random *random)
{
	const uint64_t ln2 = 2977044472; /* by 2^32 */
	uint64_t u = random_next(random);

	return minus_log2(u > 0 ? u : 1) * ln2 >> 32;
}

/*
 * The absolute value, of standard deviation 1, from two of the exponential kind: the first is
 * taken with the chance that makes the one density the other (von Neumann's way of rejection).
 */
static uint64_t draw_normal(struct random *random)
{
	const uint64_t one = UINT64_C(1) << FRACTION_BITS;
	uint64_t x, off;

	do {
		x = draw_exponential(random);
		off = x > one ? x - one : one - x;
	} while (draw_exponential(random) < off * off >> (FRACTION_BITS + 1));
	return x;
}

static uint64_t draw_jitter(struct impair *impair)
{
	uint64_t jitter_ns = impair->config.jitter_ns;

	if (jitter_ns == 0)
		return 0;

	switch (impair->config.spread) {
	case IMPAIR_NORMAL:
		return scale(jitter_ns, draw_normal(&impair->random));
	case IMPAIR_EXPONENTIAL:
		return scale(jitter_ns, draw_exponential(&impair->random));
	case IMPAIR_UNIFORM:
		break;
	}
	return random_below(&impair->random, add_capped(jitter_ns, 1));
}

/* Whether this one is lost; then the state changes for the next. */
static bool lose(struct impair *impair)
{
	const struct impair_config *config = &impair->config;
	bool bad = impair->bad;
	bool lost = random_chance(&impair->random, bad ? config->burst_loss : config->loss);

	if (random_chance(&impair->random, bad ? config->burst_ends : config->burst_begins))
		impair->bad = !bad;
	if (lost) {
		impair->counts.lost++;
		impair->counts.lost_in_bursts += bad;
	}
	return lost;
}

/*
 * Lets len bytes through the narrowest place, one after the other, exactly: what a division leaves
 * is kept for the next. Returns false if there is no room for them to wait.
 */
static bool squeeze(uint64_t *wait_ns, struct impair *impair, size_t len, uint64_t now_ns)
{
	uint64_t rate = impair->config.rate_bps;
	uint64_t size = multiply_capped(len, BIT_NS);
	uint64_t queue = multiply_capped(impair->config.queue_bytes, BIT_NS);
	uint64_t before;

	*wait_ns = 0;
	if (rate == 0)
		return true;

	if (impair->free_ns < now_ns) {
		impair->free_ns = now_ns;
		impair->rest = 0;
	}
	before = add_capped(multiply_capped(impair->free_ns - now_ns, rate), impair->rest);
	if (before > 0 && add_capped(before, size) > queue)
		return false;

	size = add_capped(size, impair->rest);
	impair->free_ns = add_capped(impair->free_ns, size / rate);
	impair->rest = size % rate;
	*wait_ns = add_capped(impair->free_ns - now_ns, impair->rest > 0);
	return true;
}

/* Without memory, the one that arrives first is forgotten: it is the least likely to be overtaken.
 */
static void make_room(struct arrivals *arrivals)
{
	size_t room = arrivals->room * 2;
	uint64_t *more = calloc(room, sizeof(*more));

	if (!more) {
		arrivals->first++;
		arrivals->count--;
		return;
	}
	for (size_t i = 0; i < arrivals->count; i++)
		more[i] = arrivals->at_ns[(arrivals->first + i) & (arrivals->room - 1)];
	if (arrivals->at_ns != arrivals->own)
		free(arrivals->at_ns);
	arrivals->at_ns = more;
	arrivals->room = room;
	arrivals->first = 0;
}

/* Returns how many that were sent before arrive after the one that arrives at at_ns. */
static size_t overtake(struct arrivals *arrivals, uint64_t at_ns, uint64_t now_ns)
{
	size_t mask = arrivals->room - 1;
	size_t overtaken = 0;

	while (arrivals->count > 0 && arrivals->at_ns[arrivals->first & mask] <= now_ns) {
		arrivals->first++;
		arrivals->count--;
	}
	while (arrivals->count > 0 &&
		arrivals->at_ns[(arrivals->first + arrivals->count - 1) & mask] > at_ns) {
		arrivals->count--;
		overtaken++;
	}
	if (arrivals->count == arrivals->room)
		make_room(arrivals);
	arrivals->at_ns[(arrivals->first + arrivals->count) & (arrivals->room - 1)] = at_ns;
	arrivals->count++;
	return overtaken;
}

/* When a copy arrives that could set out at ready_ns. */
static uint64_t arrive(struct impair *impair, uint64_t ready_ns)
{
	uint64_t at_ns =
		add_capped(ready_ns, add_capped(impair->config.delay_ns, draw_jitter(impair)));

	if (random_chance(&impair->random, impair->config.strays))
		return add_capped(at_ns, impair->config.stray_ns);
	if (!impair->config.reorders && at_ns < impair->last_ns)
		at_ns = impair->last_ns;
	if (at_ns > impair->last_ns)
		impair->last_ns = at_ns;
	return at_ns;
}

static void corrupt(struct impair_fate *out, struct impair *impair, size_t len)
{
	if (len == 0 || !random_chance(&impair->random, impair->config.corrupts))
		return;

	out->corrupts = true;
	out->corrupt_at = (size_t)random_below(&impair->random, len);
	out->corrupt_with = (uint8_t)(1 + random_below(&impair->random, UINT8_MAX));
	impair->counts.corrupted++;
}

/* It passes, from ready_ns on. */
static void pass(struct impair_fate *out, struct impair *impair, uint64_t now_ns, uint64_t ready_ns)
{
	uint64_t first_ns = UINT64_MAX;

	out->copies = 1;
	if (random_chance(&impair->random, impair->config.duplicates)) {
		out->copies = IMPAIR_COPIES_MAX;
		impair->counts.duplicated++;
	}
	for (size_t i = 0; i < out->copies; i++) {
		uint64_t at_ns = arrive(impair, ready_ns);

		out->delay_ns[i] = at_ns - now_ns;
		if (at_ns < first_ns)
			first_ns = at_ns;
	}
	impair->counts.passed++;
	impair->counts.overtaken += overtake(&impair->arrivals, first_ns, now_ns);
}

void impair_decide(struct impair_fate *out, struct impair *impair, size_t len, uint64_t now_ns)
{
	uint64_t wait_ns;

	*out = (struct impair_fate){0};
	impair->counts.asked++;
	if (impair->config.cut) {
		impair->counts.cut++;
		return;
	}
	if (lose(impair))
		return;
	if (!squeeze(&wait_ns, impair, len, now_ns)) {
		impair->counts.overflowed++;
		return;
	}
	pass(out, impair, now_ns, add_capped(now_ns, wait_ns));
	corrupt(out, impair, len);
}

int impair_new(struct impair **out, const struct impair_config *config, uint64_t seed)
{
	struct impair *impair;

	impair = calloc(1, sizeof(*impair));
	if (!impair)
		return -ENOMEM;

	impair->config = *config;
	random_init(&impair->random, seed);
	impair->arrivals.at_ns = impair->arrivals.own;
	impair->arrivals.room = FIRST_ROOM;
	*out = impair;
	return 0;
}

void impair_free(struct impair *impair)
{
	if (!impair)
		return;

	if (impair->arrivals.at_ns != impair->arrivals.own)
		free(impair->arrivals.at_ns);
	free(impair);
}

void impair_change(struct impair *impair, const struct impair_config *config)
{
	if (impair->config.rate_bps != config->rate_bps && impair->rest > 0) {
		impair->free_ns++; /* what is left was counted in parts of the old rate */
		impair->rest = 0;
	}
	if (config->burst_begins == 0 && config->burst_ends == 0)
		impair->bad = false;
	impair->config = *config;
}

void impair_counts(struct impair_counts *out, const struct impair *impair)
{
	*out = impair->counts;
}
