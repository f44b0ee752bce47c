/* Follows the sound of each side of each call: RTP, and when RTCP comes. */
#include "tests/sim/checks_private.h"

#define SECOND_NS UINT64_C(1000000000)

enum {
	HEADER_SIZE = 12,
	LATCH_PACKETS = 3,
	SUMS = 4096,      /* packets that may be on their way */
	STANDSTILL = 10,  /* ticks; after more of them the clock goes on from the present */
	BACK_MAX = 100,   /* RFC 3550, appendix A.1 */
	AHEAD_MAX = 3000, /* likewise */
};

struct packet {
	uint8_t type;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
};

static char name_of(const struct stream *stream)
{
	return (char)('a' + stream->party->agent->index);
}

static struct stream *find(const struct checks *checks, const struct addr *at)
{
	uint32_t hash = (uint32_t)checks_hash_addr(at);

	for (struct table_node *node = table_find(&checks->streams, hash); node;
		node = table_find_next(node)) {
		struct stream *stream = container_of(node, struct stream, node);

		if (addr_equal(&stream->at, at))
			return stream;
	}
	return NULL;
}

/* Ports are used again; the newest description counts. */
void checks_describe(
	struct checks *checks, struct call *call, struct party *party, const struct sound *sound)
{
	struct stream *stream = find(checks, &sound->rtp);

	if (stream && stream->party == party)
		return; /* it goes on */
	if (stream)
		table_remove(&checks->streams, &stream->node);
	stream = checks_alloc(checks, sizeof(*stream));
	if (!stream)
		return;
	stream->at = sound->rtp;
	stream->call = call;
	stream->party = party;
	party->stream = stream;
	table_add(&checks->streams, &stream->node, (uint32_t)checks_hash_addr(&stream->at));
}

/* RFC 5761, section 4. */
static bool is_rtcp(struct slice bytes)
{
	return bytes.len > 1 && bytes.data[1] >= 192 && bytes.data[1] <= 223;
}

static bool read_packet(struct packet *out, struct slice bytes)
{
	if (bytes.len < HEADER_SIZE || bytes.data[0] >> 6 != 2)
		return false;
	*out = (struct packet){
		.type = bytes.data[1] & 0x7f,
		.seq = be16_get(bytes.data + 2),
		.timestamp = be32_get(bytes.data + 4),
		.ssrc = be32_get(bytes.data + 8),
	};
	return true;
}

/* ---- what is sent */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t checks_end_of(const struct party *party)
{
	uint64_t end_ns = party->bye_ns;

	if (party->bye)
		end_ns = least(end_ns, party->bye->first_ns);
	if (party->side)
		end_ns = least(end_ns, least(party->side->hangup_ns, party->side->ended_ns));
	return end_ns;
}

/* The goodbye of RTCP is among what the media thread sends before it hears of the end. */
static void check_when(struct checks *checks, const struct stream *stream, bool rtcp)
{
	const struct party *party = stream->party;
	uint64_t end_ns = checks_end_of(party);

	if (party->answer_ns == NEVER)
		checks_fail(checks, RTP_BEFORE, "phone %c", name_of(stream));
	else if (end_ns != NEVER && checks->now_ns > end_ns + checks->config.post_late_ns)
		checks_fail(checks, RTP_AFTER, "phone %c, %g ms after it", name_of(stream),
			(double)(checks->now_ns - end_ns) / 1e6);
	else if (!rtcp && !party->sends &&
		 stream->began && /* which may be the first thing it does */
		 checks->now_ns > party->turned_ns + checks->config.post_late_ns)
		checks_fail(checks, HOLD_QUIET, "phone %c, %g ms after it was agreed on",
			name_of(stream), (double)(checks->now_ns - party->turned_ns) / 1e6);
}

/* 0: none. */
static uint32_t clock_of(const struct sound *sound, uint8_t type)
{
	for (unsigned i = 0; sound && i < sound->count && sound->ptime_ms > 0; i++)
		if (sound->types[i] == type)
			return sound->clocks[i];
	return 0;
}

/* The media thread is told a little later that it has changed, maybe after the first packet. */
static const struct sound *agreed(
	struct checks *checks, const struct stream *stream, uint8_t type, uint32_t *clock)
{
	const struct party *party = stream->party;

	*clock = clock_of(party->theirs, type);
	if (*clock > 0)
		return party->theirs;
	*clock = clock_of(party->before, type);
	if (*clock > 0 && (!stream->began ||
				  checks->now_ns <= party->theirs_ns + checks->config.post_late_ns))
		return party->before;
	checks_fail(checks, RTP_TYPE, "phone %c sends payload type %u", name_of(stream), type);
	return NULL;
}

static void check_way(struct checks *checks, const struct stream *stream, const struct addr *to)
{
	const struct sound *sound = stream->party->theirs;

	if (!sound || addr_equal(to, &sound->rtp) || addr_equal(to, &stream->latched))
		return;
	checks_fail(checks, RTP_LATCH, "phone %c sends to %u.%u.%u.%u:%u", name_of(stream),
		to->ip[0], to->ip[1], to->ip[2], to->ip[3], to->port);
}

/* Ticks are counted from the first one, so that no lateness adds up. */
static void check_row(struct checks *checks, struct stream *stream, const struct packet *packet,
	uint32_t step, uint64_t tick_ns)
{
	uint64_t late_ns = 2 * checks->config.timer_late_ns;
	uint32_t ahead = packet->timestamp - stream->timestamp;
	bool paused = stream->party->turned && stream->party->turned_ns >= stream->last_ns;
	uint64_t ticks = ahead / step;
	uint64_t due_ns;

	if (packet->ssrc != stream->ssrc || packet->seq != (uint16_t)(stream->seq + 1)) {
		checks_fail(checks, RTP_ROW, "phone %c: SSRC %08x after %08x, number %u after %u",
			name_of(stream), packet->ssrc, stream->ssrc, packet->seq, stream->seq);
		return;
	}
	due_ns = stream->first_ns + (stream->ticks + ticks) * tick_ns;
	stream->ticks += ticks;
	if (ahead % step != 0 || ticks == 0 || (ticks > 1 && ticks < STANDSTILL && !paused))
		checks_fail(checks, RTP_CLOCK, "phone %c: timestamp %u after %u", name_of(stream),
			packet->timestamp, stream->timestamp);
	else if (checks->now_ns < due_ns || checks->now_ns > due_ns + late_ns)
		checks_fail(checks, RTP_CLOCK, "phone %c: a packet due at %llu ns comes %g ms %s",
			name_of(stream), (unsigned long long)due_ns,
			checks->now_ns < due_ns ? (double)(due_ns - checks->now_ns) / 1e6
						: (double)(checks->now_ns - due_ns) / 1e6,
			checks->now_ns < due_ns ? "early" : "late");
}

static void remember(struct checks *checks, struct stream *stream, const struct packet *packet,
	struct slice bytes)
{
	if (!stream->sums)
		stream->sums = checks_alloc(checks, SUMS * sizeof(*stream->sums));
	if (stream->sums)
		stream->sums[packet->seq % SUMS] = checks_hash(bytes);
	if (!stream->began)
		stream->first_ns = checks->now_ns;
	stream->began = true;
	stream->ssrc = packet->ssrc;
	stream->seq = packet->seq;
	stream->timestamp = packet->timestamp;
	stream->last_ns = checks->now_ns;
	stream->sent++;
}

static void send_packet(struct checks *checks, struct stream *stream, const struct packet *packet,
	const struct addr *to, struct slice bytes)
{
	const struct sound *sound;
	uint32_t clock;

	sound = agreed(checks, stream, packet->type, &clock);
	if (!sound)
		return;
	check_way(checks, stream, to);
	if (stream->began)
		check_row(checks, stream, packet, clock / 1000 * sound->ptime_ms,
			sound->ptime_ms * UINT64_C(1000000));
	remember(checks, stream, packet, bytes);
}

void checks_rtp_sent(struct checks *checks, struct agent *agent, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	bool rtcp = is_rtcp(bytes), keeps_alive;
	struct addr at = *from;
	struct stream *stream;
	struct packet packet;

	if (rtcp)
		at.port = (uint16_t)(at.port & ~1u); /* RTCP has the odd port of the pair */
	stream = find(checks, &at);
	if (!stream) {
		/* who has moved may have described it in a message that nothing is asked of */
		if (checks->damaged == 0 && agent->moves == 0)
			checks_fail(checks, RTP_STREAM, "phone %c sends from port %u",
				'a' + (int)agent->index, from->port);
		return;
	}
	if (stream->call->damaged || stream->call->broken)
		return;
	keeps_alive = bytes.len == 0; /* RFC 6263, section 4.1 */
	check_when(checks, stream, rtcp || keeps_alive);
	if (rtcp || keeps_alive)
		return;
	if (!read_packet(&packet, bytes))
		checks_fail(
			checks, FORM, "phone %c: no RTP of %zu bytes", name_of(stream), bytes.len);
	else
		send_packet(checks, stream, &packet, to, bytes);
}

/* ---- what comes */

static void count(struct checks *checks, struct stream *stream, const struct packet *packet)
{
	uint16_t ahead;
	uint64_t at;

	if (!stream->seen)
		stream->seen = checks_alloc(checks, (UINT16_MAX + 1) / 8);
	if (!stream->seen)
		return;
	if (!stream->heard) {
		stream->heard = true;
		stream->far_ssrc = packet->ssrc;
		stream->base = packet->seq;
	}
	if (packet->ssrc != stream->far_ssrc)
		stream->confused = true;

	ahead = (uint16_t)(packet->seq - (uint16_t)(stream->base + stream->highest));
	if (ahead < AHEAD_MAX)
		stream->highest += ahead;
	else if ((uint16_t)-ahead > BACK_MAX)
		stream->confused = true; /* out of all order */
	if (stream->highest > UINT16_MAX / 2)
		stream->confused = true; /* too long for one bit a number */
	at = packet->seq;
	if (stream->seen[at / 8] & 1u << at % 8)
		return;
	stream->seen[at / 8] |= (uint8_t)(1u << at % 8);
	stream->distinct++;
}

static bool is_damaged(const struct checks *checks, const struct addr *from,
	const struct packet *packet, struct slice bytes)
{
	const struct stream *sender = find(checks, from);

	return sender && (!sender->sums || sender->sums[packet->seq % SUMS] != checks_hash(bytes));
}

/* Three in a row of one source from one address that is not the one described. */
static bool is_strange(struct stream *stream, const struct addr *from, const struct packet *packet)
{
	const struct sound *sound = stream->party->theirs;
	bool goes_on = stream->row > 0 && addr_equal(from, &stream->row_at) &&
		       packet->ssrc == stream->row_ssrc &&
		       packet->seq == (uint16_t)(stream->row_seq + 1);

	if (!sound || addr_equal(from, &sound->rtp)) {
		stream->settled = stream->latched.family == ADDR_NONE || stream->settled;
		return false;
	}
	if (addr_equal(from, &stream->latched))
		return false;
	if (stream->settled)
		return true;
	stream->row = goes_on ? stream->row + 1 : 1;
	stream->row_at = *from;
	stream->row_ssrc = packet->ssrc;
	stream->row_seq = packet->seq;
	if (stream->row < LATCH_PACKETS)
		return true;
	stream->latched = *from;
	stream->settled = true;
	return false;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Until until_ns it was quiet. Who asks for silence waits for it. */
static void check_deaf(struct checks *checks, const struct party *party, uint64_t until_ns)
{
	uint64_t deaf_ns = party->agent->deaf_after_ns;
	uint64_t from_ns = most(party->heard_sound_ns, party->answer_ns);

	if (!checks_is_caller(party)) /* whose BYE waited for that */
		from_ns = most(from_ns, party->acked_ns);
	if (deaf_ns == 0 || !party->receives || party->held || !checks_stands(party) ||
		(party->user_ns != NEVER && party->user_ns >= from_ns) ||
		(party->change && party->change->final_ns >= from_ns))
		return;
	if (until_ns > from_ns + deaf_ns + SECOND_NS + checks_slack(checks))
		checks_fail(checks, DEAF, "phone %c goes on for %g s",
			'a' + (int)party->agent->index, (double)(until_ns - from_ns) / 1e9);
}

/* What comes while it is not to, or at about the time when that changes, may be counted or not. */
static bool is_unwanted(const struct checks *checks, const struct party *party)
{
	return !party->receives ||
	       (party->turned && checks->now_ns <= party->turned_ns + checks->config.post_late_ns);
}

static void note_arrival(struct checks *checks, const struct addr *to, struct slice bytes)
{
	struct agent *agent = checks_agent(checks, to);

	if (agent && addr_same_host(&agent->addr, to) && !is_rtcp(bytes))
		agent->rtp_ns = checks->now_ns;
}

void checks_rtp_arrived(
	struct checks *checks, const struct addr *from, const struct addr *to, struct slice bytes)
{
	struct addr at = *to;
	struct stream *stream;
	struct packet packet;

	note_arrival(checks, to, bytes);
	at.port = (uint16_t)(at.port & ~1u);
	stream = find(checks, &at);
	if (!stream)
		return;
	if (checks_end_of(stream->party) == NEVER && !stream->call->damaged &&
		!stream->call->broken)
		check_deaf(checks, stream->party, checks->now_ns);
	if (!stream->party->bye)
		stream->party->heard_sound_ns = checks->now_ns;
	if (is_rtcp(bytes) || !read_packet(&packet, bytes))
		return;
	stream->confused |= is_unwanted(checks, stream->party);
	if (is_damaged(checks, from, &packet, bytes)) {
		stream->confused = true;
		return;
	}
	if (!is_strange(stream, from, &packet))
		count(checks, stream, &packet);
}

/* ---- when all is over */

/* Who has something to send has done so in its last second. */
static void check_end(struct checks *checks, const struct party *party, uint64_t end_ns)
{
	const struct stream *stream = party->stream;
	uint64_t from_ns = most(party->answer_ns, party->turned_ns);

	if (!checks_is_caller(party)) /* whose BYE waited for that */
		from_ns = most(from_ns, party->acked_ns);
	if (stream && stream->began)
		from_ns = most(from_ns, stream->last_ns);
	if (stream && party->sends && end_ns > from_ns + SECOND_NS)
		checks_fail(checks, RTP_GOES_ON, "phone %c sent nothing for %g s",
			'a' + (int)party->agent->index, (double)(end_ns - from_ns) / 1e9);
}

void checks_sound_quiet(struct checks *checks, const struct side *side, const struct party *party)
{
	uint64_t end_ns = checks_end_of(party);

	if (!side->answered || end_ns == NEVER || !checks_stands(party))
		return;
	if (checks->config.sound)
		check_end(checks, party, end_ns);
	check_deaf(checks, party, end_ns);
}
