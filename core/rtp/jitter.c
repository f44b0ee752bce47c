#include "core/rtp/jitter.h"

#include "core/base/list.h"
#include "core/rtp/delay.h"

#include <assert.h>
#include <stdlib.h>

#define NS_PER_US INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* All in nanoseconds. */
#define PAUSE_AFTER (200 * NS_PER_MS)   /* of nothing: no more comes, or it is a stop */
#define JUMP (2 * NS_PER_S)             /* in transit: the sender's clock was set anew */
#define SPARE_LEAST (1 * NS_PER_MS)     /* with less over the target the delay is to grow, */
#define SPARE_MOST (5 * NS_PER_MS)      /* with more to shrink */
#define SHRINK_AFTER (1000 * NS_PER_MS) /* of that: the network may not be done with its worst */
#define STRETCH_AGAIN (50 * NS_PER_MS)  /* where it might be heard */

enum {
	SEQ_JUMP = 1000,
	GRACE_PART =
		4, /* of a packet: the least wait before a start, for our own tick's lateness */
};

enum phase {
	PHASE_STOPPED, /* nothing is being played: what comes first waits for the target */
	PHASE_PLAYING,
	PHASE_DRY, /* the packets have run out in mid-stream */
};

/* A packet with its payload; seq and ts count on where the packet's own start again at 0. */
struct entry {
	struct list link;
	int64_t seq;
	int64_t ts;
	struct jitter_packet packet;
	uint8_t payload[];
};

/*
 * Let the place of play be the timestamp that is due next. At a time t that place has the delay
 *     t - place - base:
 * what a packet with that timestamp may be late, over the quickest, and still be played. Playing
 * keeps it; filling up without moving the place (CONCEAL while dry, NOISE) lengthens it; moving the
 * place without filling up (leaving out a gap or a packet) shortens it. Nothing else changes the
 * delay.
 */
struct jitter {
	struct jitter_config config;
	struct list packets; /* of struct entry, by seq */
	size_t count;
	size_t bytes;
	struct entry *suspect; /* held back, or NULL */
	struct delay delay;
	enum phase phase;
	bool any; /* the next three are good */
	uint32_t ssrc;
	int64_t last_seq; /* of the packet that came last, as is the timestamp */
	int64_t last_ts;
	int64_t last_transit_ns;
	bool started; /* the place of play is good */
	int64_t next_seq;
	int64_t next_ts;
	uint32_t duration; /* of the packet last put */
	uint32_t grown;    /* ticks by which the gap at hand was lengthened */
	uint64_t dry_since_ns;
	uint32_t dry_ticks;          /* made up since then, until something is played */
	uint64_t enough_ns;          /* when the delay last was no more than is needed */
	uint64_t stretch_from_ns;    /* no wish for a stretch before */
	enum jitter_action pending;  /* decided and not done; ENOUGH: none */
	struct entry *pending_entry; /* of PLAY: taken out of packets */
	bool pending_moves;          /* of CONCEAL: whether it moves the place of play */
	uint64_t pending_ns;         /* when it is to be heard */
	uint32_t held;               /* ticks, by which that is later than it is taken */
	uint64_t wait_ns;            /* sum over the packets played */
	struct jitter_stats stats;
};

/* What jitter_next() is asked. */
struct ask {
	uint64_t now_ns;
	uint64_t play_ns; /* when what is decided on will be heard */
	uint32_t ready;   /* ticks, */
	uint32_t wanted;  /* likewise */
};

static void enter(struct jitter *jitter, enum phase phase)
{
	static const bool allowed[][PHASE_DRY + 1] = {
		[PHASE_STOPPED] = {[PHASE_PLAYING] = true},
		[PHASE_PLAYING] = {[PHASE_PLAYING] = true, [PHASE_DRY] = true},
		[PHASE_DRY] = {[PHASE_PLAYING] = true, [PHASE_STOPPED] = true},
	};

	assert(allowed[jitter->phase][phase]);
	jitter->phase = phase;
}

int jitter_new(struct jitter **out, const struct jitter_config *config)
{
	struct jitter *jitter;

	assert(config->clock_rate > 0);
	assert(config->min_ms <= config->max_ms && config->max_ms <= JITTER_DELAY_MAX_MS);

	jitter = calloc(1, sizeof(*jitter));
	if (!jitter)
		return -ENOMEM;

	jitter->config = *config;
	list_init(&jitter->packets);
	delay_reset(&jitter->delay);
	*out = jitter;
	return 0;
}

static struct entry *first_entry(const struct jitter *jitter)
{
	if (list_empty(&jitter->packets))
		return NULL;
	return container_of(jitter->packets.next, struct entry, link);
}

static void take_out(struct jitter *jitter, struct entry *entry)
{
	list_remove(&entry->link);
	jitter->count--;
	jitter->bytes -= entry->packet.payload.len;
}

static void drop_all(struct jitter *jitter)
{
	list_each(link, &jitter->packets)
	{
		struct entry *entry = container_of(link, struct entry, link);

		take_out(jitter, entry);
		free(entry);
	}
	free(jitter->suspect);
	jitter->suspect = NULL;
}

void jitter_free(struct jitter *jitter)
{
	if (!jitter)
		return;

	drop_all(jitter);
	free(jitter->pending_entry);
	free(jitter);
}

void jitter_reset(struct jitter *jitter)
{
	assert(jitter->pending == JITTER_ENOUGH);
	jitter->stats.dropped += jitter->count + (jitter->suspect ? 1 : 0);
	drop_all(jitter);
	delay_reset(&jitter->delay);
	jitter->phase = PHASE_STOPPED;
	jitter->any = false;
	jitter->started = false;
	jitter->grown = 0;
}

/* In two steps, because the product of the whole would overflow after days. */
static int64_t ticks_to_ns(const struct jitter *jitter, int64_t ticks)
{
	int64_t rate = jitter->config.clock_rate;

	return ticks / rate * NS_PER_S + ticks % rate * NS_PER_S / rate;
}

/* Likewise; short of less than a microsecond. */
static int64_t ns_to_ticks(const struct jitter *jitter, int64_t ns)
{
	return ns / NS_PER_US * jitter->config.clock_rate / US_PER_S;
}

static int64_t target_ns(const struct jitter *jitter)
{
	uint32_t ms = jitter->delay.target_ms;

	if (ms < jitter->config.min_ms)
		ms = jitter->config.min_ms;
	if (ms > jitter->config.max_ms)
		ms = jitter->config.max_ms;
	return ms * NS_PER_MS;
}

/* See struct jitter. */
static int64_t delay_at(const struct jitter *jitter, uint64_t play_ns, int64_t ts)
{
	return (int64_t)(play_ns - (uint64_t)ticks_to_ns(jitter, ts)) - jitter->delay.base_ns;
}

static int64_t transit_of(const struct jitter *jitter, const struct entry *entry)
{
	return (int64_t)(entry->packet.arrival_ns - (uint64_t)ticks_to_ns(jitter, entry->ts));
}

/* Counts seq and timestamp on from the packet that came last, whichever way round is the nearer. */
static void extend(const struct jitter *jitter, struct entry *entry)
{
	uint16_t seq = entry->packet.seq;
	uint32_t timestamp = entry->packet.timestamp;

	entry->seq = seq;
	entry->ts = timestamp;
	if (jitter->any) {
		entry->seq = jitter->last_seq + (int16_t)(seq - (uint16_t)jitter->last_seq);
		entry->ts = jitter->last_ts + (int32_t)(timestamp - (uint32_t)jitter->last_ts);
	}
}

static struct entry *make_entry(
	const struct rtp_packet *packet, uint64_t arrival_ns, uint32_t duration)
{
	struct entry *entry = calloc(1, sizeof(*entry) + packet->payload.len);

	if (!entry)
		return NULL;

	list_init(&entry->link);
	if (packet->payload.len > 0)
		memcpy(entry->payload, packet->payload.data, packet->payload.len);
	entry->packet = (struct jitter_packet){
		.payload_type = packet->payload_type,
		.marker = packet->marker,
		.seq = packet->seq,
		.timestamp = packet->timestamp,
		.duration = duration,
		.arrival_ns = arrival_ns,
		.payload = {entry->payload, packet->payload.len},
	};
	return entry;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static bool fits(const struct jitter *jitter, const struct entry *entry)
{
	return !jitter->any ||
	       (distance(entry->seq, jitter->last_seq) < SEQ_JUMP &&
		       distance(transit_of(jitter, entry), jitter->last_transit_ns) < JUMP);
}

/* Whether b was sent after a, by the same clock. */
static bool agree(const struct jitter *jitter, const struct entry *a, const struct entry *b)
{
	int32_t ticks = (int32_t)(b->packet.timestamp - a->packet.timestamp);
	int64_t sent_ns = ticks_to_ns(jitter, ticks);
	int64_t came_ns = (int64_t)(b->packet.arrival_ns - a->packet.arrival_ns);

	return (uint16_t)(b->packet.seq - a->packet.seq) == 1 && distance(sent_ns, came_ns) < JUMP;
}

/* Puts entry into its place by seq, from the end, where nearly all belong. */
static int insert(struct jitter *jitter, struct entry *entry)
{
	struct list *after = jitter->packets.prev;

	for (; after != &jitter->packets; after = after->prev) {
		const struct entry *other = container_of(after, struct entry, link);

		if (other->seq == entry->seq) {
			jitter->stats.duplicates++;
			return -EALREADY;
		}
		if (other->seq < entry->seq)
			break;
	}
	if (jitter->started && (entry->seq < jitter->next_seq ||
				       entry->ts + entry->packet.duration <= jitter->next_ts)) {
		jitter->stats.late++;
		return -ETIME;
	}
	if (jitter->count == JITTER_PACKETS_MAX ||
		entry->packet.payload.len > JITTER_BYTES_MAX - jitter->bytes) {
		jitter->stats.overflow++;
		return -ENOBUFS;
	}

	list_add(after->next, &entry->link); /* as the last before the one behind it */
	jitter->count++;
	jitter->bytes += entry->packet.payload.len;
	return 0;
}

/* Takes in a packet that belongs to the stream. It is the buffer's if the result is 0. */
static int admit(struct jitter *jitter, struct entry *entry)
{
	extend(jitter, entry);
	jitter->any = true;
	jitter->last_seq = entry->seq;
	jitter->last_ts = entry->ts;
	jitter->last_transit_ns = transit_of(jitter, entry);
	jitter->duration = entry->packet.duration;
	delay_add(&jitter->delay, entry->packet.arrival_ns, jitter->last_transit_ns);
	return insert(jitter, entry);
}

/* A packet that does not fit: the second in a row that agree is the sender's new start. */
static int suspect(struct jitter *jitter, struct entry *entry)
{
	struct entry *before = jitter->suspect;

	jitter->suspect = NULL;
	if (!before || !agree(jitter, before, entry)) {
		jitter->stats.dropped += before ? 1 : 0;
		free(before);
		jitter->suspect = entry;
		return 0;
	}

	jitter_reset(jitter);
	jitter->stats.restarts++;
	if (admit(jitter, before))
		free(before);
	return admit(jitter, entry);
}

int jitter_put(struct jitter *jitter, const struct rtp_packet *packet, uint64_t arrival_ns,
	uint32_t duration)
{
	struct entry *entry;
	int err;

	assert(jitter->pending == JITTER_ENOUGH);
	if (duration == 0 || duration > jitter->config.clock_rate)
		return -EPROTO;

	entry = make_entry(packet, arrival_ns, duration);
	if (!entry)
		return -ENOMEM;

	if (jitter->any && packet->ssrc != jitter->ssrc) {
		jitter_reset(jitter);
		jitter->stats.restarts++;
	}
	jitter->ssrc = packet->ssrc;
	extend(jitter, entry);
	err = fits(jitter, entry) ? admit(jitter, entry) : suspect(jitter, entry);
	if (err)
		free(entry);
	return err;
}

/* entry, the first, leaves the buffer to be played or left out; those before it are lost. */
static void leave(struct jitter *jitter, struct entry *entry)
{
	if (jitter->started && entry->seq > jitter->next_seq)
		jitter->stats.lost += (uint64_t)(entry->seq - jitter->next_seq);
	jitter->next_seq = entry->seq + 1;
	take_out(jitter, entry);
}

static void drop_first(struct jitter *jitter)
{
	struct entry *entry = first_entry(jitter);

	leave(jitter, entry);
	jitter->next_ts = entry->ts + entry->packet.duration;
	free(entry);
	jitter->stats.dropped++;
}

/* What the place of play has overtaken, since a packet lasted longer than the sender's next. */
static void drop_overtaken(struct jitter *jitter)
{
	struct entry *entry;

	while ((entry = first_entry(jitter)) && jitter->started &&
		entry->ts + entry->packet.duration <= jitter->next_ts) {
		take_out(jitter, entry);
		free(entry);
		jitter->stats.late++;
	}
}

/* Leaves out packets where the delay is over all bounds. One is always left. */
static void shed(struct jitter *jitter, uint64_t play_ns)
{
	int64_t bound_ns = jitter->config.max_ms * NS_PER_MS;

	while (jitter->count > 1) {
		const struct entry *entry = first_entry(jitter);
		int64_t length_ns = ticks_to_ns(jitter, entry->packet.duration);

		if (delay_at(jitter, play_ns, entry->ts) <= bound_ns + 2 * length_ns)
			return;
		drop_first(jitter);
	}
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b > 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * A packet has to be there when its samples are asked for: at the tick, not when they are heard,
 * which is up to a tick later. Where packets and ticks are of different lengths, each lies
 * elsewhere in its tick, and the last to come is that which lies at the very end, a common divisor
 * before the next tick. That one, too, may be as late as the target.
 */
static int64_t lead_ticks(const struct ask *ask, int64_t duration)
{
	return ask->wanted - common_divisor(ask->wanted, duration);
}

/*
 * The least number of ticks that may be decoded, from now on, when entry is, so that what follows
 * may be spare_ns later than the target. As a sample is asked for no sooner than the tick that it
 * belongs to, only whole common divisors count.
 */
static int64_t least_ready(const struct jitter *jitter, const struct ask *ask,
	const struct entry *entry, int64_t spare_ns)
{
	int64_t duration = entry->packet.duration;
	int64_t divisor = common_divisor(ask->wanted, duration);
	int64_t lacking_ns =
		target_ns(jitter) + spare_ns - delay_at(jitter, ask->now_ns, entry->ts);
	int64_t least = ns_to_ticks(jitter, lacking_ns) + duration + lead_ticks(ask, duration);

	return least > 0 ? (least + divisor - 1) / divisor * divisor : 0;
}

/* Whether there has been more than is needed for long. */
static bool is_excess(struct jitter *jitter, const struct ask *ask, bool now)
{
	if (!now)
		jitter->enough_ns = ask->play_ns;
	return (int64_t)(ask->play_ns - jitter->enough_ns) >= SHRINK_AFTER;
}

/* Ticks to add to or leave out of a packet that is to be played; at most its own. */
static int32_t wish(struct jitter *jitter, const struct ask *ask, const struct entry *entry)
{
	int64_t duration = entry->packet.duration;
	int64_t ready = ask->ready + duration;
	int64_t least = least_ready(jitter, ask, entry, SPARE_LEAST);
	int64_t most = least_ready(jitter, ask, entry, SPARE_MOST);
	bool excess = is_excess(jitter, ask, ready > most);

	if (ask->play_ns < jitter->stretch_from_ns)
		return 0;
	if (ready < least)
		return (int32_t)(least - ready < duration ? least - ready : duration);
	if (excess)
		return -(int32_t)(ready - most < duration ? ready - most : duration);
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The sender was silent (RFC 3551, section 4.1), which could not be known when it was made up. */
static void see_silence(struct jitter_stats *stats, uint64_t made_up, uint64_t gap)
{
	uint64_t silent = least(made_up, gap);

	stats->concealed_ticks -= silent;
	stats->noise_ticks += silent;
}

/* What is missing was played as silence once it looked like a stop, and was a loss all the same. */
static void see_outage(struct jitter_stats *stats, uint64_t made_up, uint64_t missing)
{
	if (missing > made_up)
		stats->concealed_ticks += missing - made_up;
}

/* Entry shows what it was that nothing came: a silence, if nothing is missing but time. */
static void see_gap(struct jitter *jitter, const struct entry *entry)
{
	int64_t gap = entry->ts - jitter->next_ts;
	int64_t missing = entry->seq - jitter->next_seq;
	uint64_t made_up = jitter->dry_ticks;

	jitter->dry_ticks = 0;
	if (!jitter->started || gap <= 0)
		return;

	if (missing == 0)
		see_silence(&jitter->stats, made_up, (uint64_t)gap);
	else if (missing > 0 && jitter->phase == PHASE_STOPPED)
		see_outage(&jitter->stats, made_up,
			least((uint64_t)missing * entry->packet.duration, (uint64_t)gap));
}

static struct jitter_decision play(
	struct jitter *jitter, const struct ask *ask, struct entry *entry)
{
	int64_t delay_ns = delay_at(jitter, ask->play_ns, entry->ts);
	int64_t wait_ns = (int64_t)(ask->play_ns - entry->packet.arrival_ns);

	jitter->stats.played++;
	jitter->stats.delay_ms = (double)delay_ns / NS_PER_MS;
	jitter->wait_ns += wait_ns > 0 ? (uint64_t)wait_ns : 0;

	see_gap(jitter, entry);
	enter(jitter, PHASE_PLAYING);
	leave(jitter, entry);
	jitter->pending_entry = entry;
	jitter->started = true;
	jitter->next_ts = entry->ts;
	jitter->grown = 0;
	return (struct jitter_decision){
		.action = JITTER_PLAY,
		.packet = &entry->packet,
		.duration = entry->packet.duration,
		.stretch = wish(jitter, ask, entry),
	};
}

static struct jitter_decision fill(
	struct jitter *jitter, enum jitter_action action, int64_t ticks, bool moves)
{
	jitter->pending_moves = moves;
	return (struct jitter_decision){.action = action, .duration = (uint32_t)ticks};
}

/* Nothing is there. The place of play waits for what comes, until it looks like a stop. */
static struct jitter_decision run_dry(struct jitter *jitter, const struct ask *ask)
{
	uint32_t missing = ask->wanted - ask->ready;

	if (jitter->phase == PHASE_PLAYING) {
		enter(jitter, PHASE_DRY);
		jitter->dry_since_ns = ask->play_ns;
	}
	if (jitter->phase == PHASE_DRY && ask->play_ns - jitter->dry_since_ns >= PAUSE_AFTER)
		enter(jitter, PHASE_STOPPED);
	if (jitter->phase == PHASE_STOPPED)
		return (struct jitter_decision){.action = JITTER_NOTHING};

	return fill(jitter, JITTER_CONCEAL, missing < jitter->duration ? missing : jitter->duration,
		false);
}

/* Whether entry has waited long enough for others to be as late as the target. */
static bool is_due(const struct jitter *jitter, const struct ask *ask, const struct entry *entry)
{
	uint32_t duration = entry->packet.duration;
	int64_t lead_ns = ticks_to_ns(jitter, lead_ticks(ask, duration));
	int64_t grace_ns = ticks_to_ns(jitter, duration) / GRACE_PART;
	int64_t wait_ns = target_ns(jitter) > grace_ns ? target_ns(jitter) : grace_ns;

	return delay_at(jitter, ask->now_ns, entry->ts) >= wait_ns + lead_ns;
}

/* After a stop, or before anything. */
static struct jitter_decision start(
	struct jitter *jitter, const struct ask *ask, struct entry *entry)
{
	if (!is_due(jitter, ask, entry))
		return (struct jitter_decision){.action = JITTER_NOTHING};

	jitter->enough_ns = ask->play_ns;
	return play(jitter, ask, entry);
}

/* What is missing before entry is lost or late; packets behind it are here. */
static struct jitter_decision bridge_loss(
	struct jitter *jitter, const struct ask *ask, struct entry *entry, int64_t gap)
{
	int64_t length = entry->packet.duration;
	struct jitter_decision decision;

	/* too little delay: here, where something is made up anyway, it may become more */
	if (delay_at(jitter, ask->play_ns, jitter->next_ts) < target_ns(jitter) &&
		jitter->grown < length) {
		jitter->grown += entry->packet.duration;
		return fill(jitter, JITTER_CONCEAL, length, false);
	}

	decision = fill(jitter, JITTER_CONCEAL, gap < length ? gap : length, true);
	if (gap <= length) {
		decision.action = JITTER_FEC;
		decision.packet = &entry->packet;
	}
	return decision;
}

static struct jitter_decision decide(struct jitter *jitter, const struct ask *ask)
{
	uint32_t missing = ask->wanted - ask->ready;
	struct entry *entry;
	int64_t gap;

	drop_overtaken(jitter);
	shed(jitter, ask->play_ns);
	entry = first_entry(jitter);
	if (!entry)
		return run_dry(jitter, ask);
	if (jitter->phase == PHASE_STOPPED)
		return start(jitter, ask, entry);

	gap = entry->ts - jitter->next_ts;
	if (gap <= 0 || is_due(jitter, ask, entry))
		return play(jitter, ask, entry);
	if (entry->seq == jitter->next_seq)
		return fill(jitter, JITTER_NOISE,
			missing < jitter->duration ? missing : jitter->duration, false);
	return bridge_loss(jitter, ask, entry, gap);
}

void jitter_hold(struct jitter *jitter, uint32_t ticks)
{
	jitter->held = ticks;
}

void jitter_next(struct jitter_decision *out, struct jitter *jitter, uint64_t now_ns,
	uint32_t samples_ready, uint32_t wanted)
{
	int64_t ahead_ns = ticks_to_ns(jitter, (int64_t)samples_ready + jitter->held);
	struct ask ask = {now_ns, now_ns + (uint64_t)ahead_ns, samples_ready, wanted};

	assert(jitter->pending == JITTER_ENOUGH);
	if (samples_ready >= wanted) {
		*out = (struct jitter_decision){.action = JITTER_ENOUGH};
		return;
	}

	*out = decide(jitter, &ask);
	if (out->action != JITTER_NOTHING)
		jitter->pending = out->action;
	jitter->pending_ns = ask.play_ns;
}

/* How far the place of play moves. A packet that was replaced by a concealment is done with, too.
 */
static void move_on(struct jitter *jitter, const struct jitter_done *done)
{
	int64_t unstretched = (int64_t)done->ticks - done->stretched;
	bool moves = jitter->pending == JITTER_PLAY || jitter->pending == JITTER_FEC ||
		     (jitter->pending == JITTER_CONCEAL && jitter->pending_moves);

	if (moves && unstretched > 0)
		jitter->next_ts += unstretched;
}

static void count(struct jitter_stats *stats, const struct jitter_done *done)
{
	switch (done->action) {
	case JITTER_PLAY:
		stats->played_ticks += done->ticks;
		break;
	case JITTER_FEC:
		stats->fec_ticks += done->ticks;
		break;
	case JITTER_CONCEAL:
		stats->concealed_ticks += done->ticks;
		break;
	case JITTER_NOISE:
		stats->noise_ticks += done->ticks;
		break;
	case JITTER_ENOUGH:
	case JITTER_NOTHING:
		assert(false);
	}
}

void jitter_done(struct jitter *jitter, const struct jitter_done *done)
{
	assert(jitter->pending != JITTER_ENOUGH);

	count(&jitter->stats, done);
	if (jitter->phase == PHASE_DRY && done->action == JITTER_CONCEAL)
		jitter->dry_ticks += done->ticks;
	move_on(jitter, done);
	if (done->stretched != 0 && !done->quiet)
		jitter->stretch_from_ns = jitter->pending_ns + STRETCH_AGAIN;
	free(jitter->pending_entry);
	jitter->pending_entry = NULL;
	jitter->pending = JITTER_ENOUGH;
}

void jitter_stats(struct jitter_stats *out, const struct jitter *jitter)
{
	*out = jitter->stats;
	out->target_ms = (uint32_t)(target_ns(jitter) / NS_PER_MS);
	if (jitter->stats.played > 0)
		out->buffer_ms = (double)jitter->wait_ns / (double)jitter->stats.played / NS_PER_MS;
}
