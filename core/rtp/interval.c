#include "core/rtp/interval.h"

#include <assert.h>

#define NS_PER_S 1e9

/* Section 6.2: RTCP's part of the session, and the senders' part of that. */
#define RTCP_PART 0.05
#define SENDERS_PART 0.25

#define LEAST_S 5.0                  /* section 6.2: between two reports */
#define COMPENSATION (2.71828 - 1.5) /* for what reconsideration would lengthen it */

enum {
	HEADERS_SIZE = 28, /* of IPv4 and UDP: section 6.2 counts them */
	/* The first report of ours is about so long: SR with a block, and a CNAME of 24 bytes. */
	FIRST_SIZE = HEADERS_SIZE + 28 + 24 + 36,
	SIZE_WEIGHT = 16, /* section 6.3.3: a gain of 1/16 */
	ABSENT_AFTER = 5, /* section 6.3.5: intervals that a silent member is kept */
};

/*
 * Section 6.3.1: where few of the members send, these share a quarter, so that their CNAMEs are
 * soon known to all, and the others the rest; else all share alike.
 */
double interval_share(struct interval_members of, double bandwidth, double size)
{
	unsigned sharers = of.members;

	assert(of.members > 0 && of.senders <= of.members && bandwidth > 0);

	if (of.senders <= of.members * SENDERS_PART) {
		sharers = of.we_send ? of.senders : of.members - of.senders;
		bandwidth *= of.we_send ? SENDERS_PART : 1 - SENDERS_PART;
	}
	return sharers * size / bandwidth;
}

static unsigned members(const struct interval *interval)
{
	return interval->far ? 2 : 1;
}

/* The calculated interval before any chance; least_s: what it may not be under. */
static double calculated_s(const struct interval *interval, bool we_send, double least_s)
{
	struct interval_members of = {
		.members = members(interval),
		.senders = (interval->far_sends ? 1u : 0u) + (we_send ? 1u : 0u),
		.we_send = we_send,
	};
	double share_s = interval_share(of, interval->bandwidth, interval->average_size);

	return share_s > least_s ? share_s : least_s;
}

/* Spread over 0.5 to 1.5 of itself; the first may come in half the time (section 6.2). */
static uint64_t drawn_ns(const struct interval *interval, bool we_send, uint32_t random)
{
	double least_s = interval->reported ? LEAST_S : LEAST_S / 2;
	double spread = 0.5 + random / 4294967296.0;

	return (uint64_t)(calculated_s(interval, we_send, least_s) * spread / COMPENSATION *
			  NS_PER_S);
}

void interval_begin(struct interval *interval, uint32_t bandwidth, uint64_t now_ns)
{
	*interval = (struct interval){
		.average_size = FIRST_SIZE,
		.last_ns = now_ns,
		.before_ns = now_ns,
		.next_ns = now_ns,
		.reckoned = 1,
	};
	interval_set_bandwidth(interval, bandwidth);
}

void interval_set_bandwidth(struct interval *interval, uint32_t bandwidth)
{
	assert(bandwidth > 0);
	interval->bandwidth = RTCP_PART * bandwidth;
}

void interval_heard_rtp(struct interval *interval, uint64_t now_ns)
{
	interval->far = interval->far_sends = true;
	interval->far_ns = interval->far_rtp_ns = now_ns;
}

void interval_heard_rtcp(struct interval *interval, uint64_t now_ns)
{
	interval->far = true;
	interval->far_ns = now_ns;
}

static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/*
 * Section 6.3.4, reverse reconsideration: as the members become fewer, the time to the next report
 * and that from the last shrink alike. Only the far end can leave, so two become one.
 */
void interval_left(struct interval *interval, uint64_t now_ns)
{
	interval->far = interval->far_sends = false;
	if (members(interval) >= interval->reckoned)
		return;

	interval->next_ns = now_ns + since(now_ns, interval->next_ns) / interval->reckoned;
	interval->last_ns = now_ns - since(interval->last_ns, now_ns) / interval->reckoned;
	interval->reckoned = members(interval);
}

void interval_measure(struct interval *interval, size_t size)
{
	double whole = (double)size + HEADERS_SIZE;

	interval->average_size += (whole - interval->average_size) / SIZE_WEIGHT;
}

void interval_sent(struct interval *interval, uint64_t now_ns)
{
	interval->before_ns = interval->last_ns;
	interval->last_ns = now_ns;
	interval->reported = true;
}

void interval_plan(struct interval *interval, bool we_send, uint32_t random)
{
	interval->next_ns = interval->last_ns + drawn_ns(interval, we_send, random);
	interval->reckoned = members(interval);
}

/*
 * Section 6.3.5: who has sent no RTP in the last two intervals is no sender, and who has been
 * silent for five, as a receiver without chance has them, no member.
 */
static void look_round(struct interval *interval, uint64_t now_ns)
{
	double absent_s = ABSENT_AFTER * calculated_s(interval, false, LEAST_S);

	if (interval->far_rtp_ns < interval->before_ns)
		interval->far_sends = false;
	if (interval->far && (double)since(interval->far_ns, now_ns) > absent_s * NS_PER_S)
		interval_left(interval, now_ns);
}

bool interval_due(struct interval *interval, uint64_t now_ns, bool we_send, uint32_t random)
{
	look_round(interval, now_ns);
	interval_plan(interval, we_send, random);
	return interval->next_ns <= now_ns;
}
