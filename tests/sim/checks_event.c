/* Follows what each phone tells: an automaton a call, and what its words can mean. */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

#include <math.h>

#define PERIOD_NS (UINT64_C(5) * 1000000000)
#define CLOSING_NS UINT64_C(1000000000) /* files that are still being opened */
#define UNHEARD_NS UINT64_C(1100000000)
#define SECONDS(ns) ((double)(ns) / 1e9)

/* What is told, with the last statistics apart. */
enum word {
	W_OUTGOING,
	W_INCOMING,
	W_RINGING,
	W_PROGRESS,
	W_ANSWERED,
	W_MEDIA,
	W_STATS,
	W_METER,
	W_HELD,
	W_RESUMED,
	W_LAST_STATS,
	W_ENDED,
	W_ERROR,
	WORDS,
};

/* How far a call has come. */
enum stage {
	NOTHING,
	CALLING,
	COMING,
	PICKED_UP, /* and how it sounds is about to be told */
	TALKING,
	COUNTED,
	OVER,
	STAGES,
	WRONG = STAGES,
};

static const uint8_t next_stage[STAGES][WORDS] = {
	[NOTHING] = {[W_OUTGOING] = CALLING, [W_INCOMING] = COMING},
	[CALLING] = {[W_RINGING] = CALLING,
		[W_PROGRESS] = CALLING,
		[W_ANSWERED] = PICKED_UP,
		[W_ENDED] = OVER,
		[W_ERROR] = CALLING},
	[COMING] = {[W_ANSWERED] = PICKED_UP, [W_ENDED] = OVER, [W_ERROR] = COMING},
	[PICKED_UP] = {[W_MEDIA] = TALKING},
	[TALKING] = {[W_STATS] = TALKING,
		[W_METER] = TALKING,
		[W_MEDIA] = TALKING,
		[W_HELD] = TALKING,
		[W_RESUMED] = TALKING,
		[W_LAST_STATS] = COUNTED,
		[W_ERROR] = TALKING},
	[COUNTED] = {[W_ENDED] = OVER},
};

static char name_of(const struct side *side)
{
	return (char)('a' + side->agent->index);
}

static bool is_excused(const struct side *side)
{
	return side->strange || side->life != side->agent->life ||
	       (side->call && (side->call->damaged || side->call->broken));
}

static enum word word_of(const struct ua_event *event)
{
	static const uint8_t words[UA_EVENT_KINDS] = {
		[UA_CALL_OUTGOING] = W_OUTGOING,
		[UA_CALL_INCOMING] = W_INCOMING,
		[UA_CALL_RINGING] = W_RINGING,
		[UA_CALL_PROGRESS] = W_PROGRESS,
		[UA_CALL_ANSWERED] = W_ANSWERED,
		[UA_CALL_MEDIA] = W_MEDIA,
		[UA_CALL_STATS] = W_STATS,
		[UA_CALL_METER] = W_METER,
		[UA_CALL_HELD] = W_HELD,
		[UA_CALL_RESUMED] = W_RESUMED,
		[UA_CALL_ENDED] = W_ENDED,
		[UA_CALL_MUTED] = W_ERROR, /* as harmless, */
		[UA_CALL_PLAYED] = W_ERROR,
		[UA_CALL_RECORDING] = W_ERROR,
		[UA_CALL_TONE] = W_ERROR,
		[UA_NOTICE] = W_ERROR, /* likewise */
		[UA_ERROR] = W_ERROR,
	};

	if (event->kind == UA_CALL_STATS && event->stats.final)
		return W_LAST_STATS;
	return words[event->kind];
}

/* ---- beginnings */

static bool make_room(struct checks *checks, struct agent *agent, unsigned number)
{
	unsigned room = agent->side_room ? agent->side_room : 16;
	struct side **sides;

	while (room < number)
		room *= 2;
	if (room > agent->side_room) {
		sides = checks_alloc(checks, room * sizeof(struct side *));
		if (!sides)
			return false;
		if (agent->side_count > 0)
			memcpy(sides, agent->sides, agent->side_count * sizeof(struct side *));
		agent->sides = sides;
		agent->side_room = room;
	}
	for (; agent->side_count < number; agent->side_count++)
		agent->sides[agent->side_count] = NULL;
	return true;
}

static struct side *new_side(struct checks *checks, struct agent *agent, unsigned number)
{
	struct side *side;

	if (number > 4096) { /* more than any run has calls */
		checks_fail(checks, EVENT_FIELDS, "phone %c: call number %u",
			'a' + (int)agent->index, number);
		return NULL;
	}
	side = make_room(checks, agent, number) ? checks_alloc(checks, sizeof(*side)) : NULL;
	if (!side)
		return NULL;

	side->agent = agent;
	side->number = number;
	side->life = agent->life;
	side->begun_ns = checks->now_ns;
	side->hangup_ns = NEVER;
	side->answered_ns = NEVER;
	side->ended_ns = NEVER;
	side->stillborn = agent->hangup_ns == checks->now_ns;
	agent->sides[number - 1] = side;
	return side;
}

static struct call *find_call(const struct checks *checks, uint64_t key)
{
	for (struct table_node *node = table_find(&checks->calls, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct call *call = container_of(node, struct call, node);

		if (call->key == key)
			return call;
	}
	return NULL;
}

static void begin_outgoing(struct checks *checks, struct side *side, const struct ua_event *event)
{
	side->outgoing = true;
	side->agent->calling = side;
	checks_know(checks, &event->way.address);
}

/* It is told in the moment in which its INVITE comes, and no repetition of that is told again. */
static void begin_incoming(struct checks *checks, struct side *side, const struct ua_event *event)
{
	struct call *call = find_call(checks, checks_hash(event->call_id));
	struct party *party = call ? &call->party[CALLED] : NULL;

	if (!party || party->agent != side->agent || !party->called) {
		if (checks->damaged == 0)
			checks_fail(checks, EVENT_ORDER, "phone %c: call %u comes without INVITE",
				name_of(side), side->number);
		side->strange = true;
		return;
	}
	side->call = call;
	if (is_excused(side))
		return;
	if (party->called->arrived_ns != checks->now_ns || (party->side && !party->called->again))
		checks_fail(checks, RINGS_ONCE, "phone %c: calls %u and %u are the same INVITE",
			name_of(side), party->side ? party->side->number : 0, side->number);
	party->side = side;
}

/* ---- what is told on the way */

static void check_envelope(struct checks *checks, struct side *side, const struct ua_event *event)
{
	uint64_t peer = checks_hash(event->peer);
	uint64_t call_id = event->call_id.len > 0 ? checks_hash(event->call_id) : 0;

	if (side->peer != 0 && side->peer != peer)
		checks_fail(checks, EVENT_FIELDS, "phone %c: call %u has another peer",
			name_of(side), side->number);
	if (side->call_id != 0 && side->call_id != call_id)
		checks_fail(checks, EVENT_FIELDS, "phone %c: call %u has another Call-ID",
			name_of(side), side->number);
	if (call_id != 0 && side->call && side->call->key != call_id && !is_excused(side))
		checks_fail(checks, EVENT_FIELDS,
			"phone %c: call %u has another Call-ID than its INVITE", name_of(side),
			side->number);
	side->peer = peer;
	side->call_id = call_id;
}

static struct party *party_of(const struct side *side)
{
	return side->call ? &side->call->party[side->outgoing ? CALLER : CALLED] : NULL;
}

static void provisional(struct checks *checks, struct side *side, const struct ua_event *event)
{
	uint16_t code = event->provisional.code;
	bool fits = event->kind == UA_CALL_RINGING ? code == 180 : code > 100 && code < 200;
	const struct party *party = party_of(side);

	if (!fits || code == side->provisional)
		checks_fail(checks, EVENT_FIELDS, "phone %c: call %u tells %u after %u",
			name_of(side), side->number, code, side->provisional);
	side->provisional = code;
	if (!is_excused(side) && (!party || party->heard_ns == NEVER))
		checks_fail(checks, CAUSE_SHOWN, "phone %c: call %u rings, and nothing came",
			name_of(side), side->number);
}

/* The moment in which the 2xx is sent, or comes. */
static void answered(struct checks *checks, struct side *side, const struct ua_event *event)
{
	const struct party *party = party_of(side);

	(void)event;
	side->answered_ns = checks->now_ns;
	side->stats_ns = checks->now_ns;
	if (is_excused(side))
		return;
	if (!party || party->answer_ns != checks->now_ns)
		checks_fail(checks, ANSWER_HEARD, "phone %c: call %u is answered without a 2xx",
			name_of(side), side->number);
	else if (party->invite)
		checks_meet(checks, ANSWER_HEARD, party->invite);
}

static bool is_within(double value, double least, double most)
{
	return isfinite(value) && value >= least && value <= most;
}

static void check_stats(struct checks *checks, struct side *side, const struct ua_stats *stats)
{
	const struct ua_stats *before = &side->stats;

	if (stats->sent < before->sent || stats->received < before->received ||
		stats->late < before->late)
		checks_fail(checks, STATS_SANE, "phone %c: call %u counts backwards", name_of(side),
			side->number);
	if (!is_within(stats->jitter_ms, 0, 60000) || !is_within(stats->rtt_ms, -1, 60000) ||
		!is_within(stats->buffer_ms, 0, 60000) ||
		!is_within(stats->concealed_pct, 0, 100) ||
		(stats->mos != 0 && !is_within(stats->mos, 1, 4.5)) ||
		(stats->mos != 0 && stats->received == 0))
		checks_fail(checks, STATS_SANE,
			"phone %c: call %u: received %llu, jitter %g, rtt %g, buffer %g ms, "
			"concealed %g %%, MOS %g",
			name_of(side), side->number, (unsigned long long)stats->received,
			stats->jitter_ms, stats->rtt_ms, stats->buffer_ms, stats->concealed_pct,
			stats->mos);
	side->stats = *stats;
}

static void check_duration(struct checks *checks, struct side *side, double duration_s)
{
	double most_s = SECONDS(checks->now_ns - side->answered_ns) + 1e-6;

	if (!is_within(duration_s, side->stats_duration_s, most_s))
		checks_fail(checks, EVENT_FIELDS,
			"phone %c: call %u has lasted %g s, before %g s, and was answered %g s ago",
			name_of(side), side->number, duration_s, side->stats_duration_s, most_s);
	side->stats_duration_s = duration_s;
}

static void stats(struct checks *checks, struct side *side, const struct ua_event *event)
{
	check_stats(checks, side, &event->stats.now);
	check_duration(checks, side, event->stats.duration_s);
	if (event->kind != UA_CALL_STATS || event->stats.final)
		return;
	if (checks->now_ns < side->answered_ns + ++side->stats_count * PERIOD_NS)
		checks_fail(checks, EVENT_FIELDS, "phone %c: call %u tells statistics %u too early",
			name_of(side), side->number, side->stats_count);
}

/* Each is told once, in the moment in which it is agreed on. */
static void hold(struct checks *checks, struct side *side, const struct ua_event *event)
{
	bool held = event->kind == UA_CALL_HELD;
	bool *told = event->hold.remote ? &side->told_remote : &side->told_local;
	struct party *party = party_of(side);

	if (*told == held)
		checks_fail(checks, EVENT_ORDER, "phone %c: call %u: %s twice", name_of(side),
			side->number, ua_event_name(event->kind));
	*told = held;
	if (party && !is_excused(side))
		checks_demand_told(checks, party,
			party->invite ? party->invite->request : party->called->request);
}

/* What a re-INVITE asked for comes to nothing: the connection, maybe, by which it went is lost. */
static void refused(struct checks *checks, struct side *side, const struct ua_event *event)
{
	const struct party *party = party_of(side);
	struct client *change = party ? party->change : NULL;

	(void)checks;
	if (event->kind == UA_ERROR && event->error.wish != UA_WISH_NONE && change && change->tcp &&
		change->final_ns == NEVER)
		change->optional = true;
}

/* ---- ends */

static void unshown(struct checks *checks, const struct side *side, const char *why)
{
	checks_fail(checks, CAUSE_SHOWN, "phone %c: call %u ends by %s, %u: %s", name_of(side),
		side->number, ua_cause_name(side->cause), side->code, why);
}

/* The called has hung up before its ACK came, by which time there may have been sound again. */
static bool was_early(const struct party *party)
{
	return !checks_is_caller(party) && party->bye && party->bye->first_ns == party->acked_ns;
}

/* Why a call that was answered may be given up. */
static bool is_lost(const struct checks *checks, const struct side *side, const struct party *party)
{
	uint64_t deaf_ns = side->agent->deaf_after_ns;

	if (!side->outgoing && party->acked_ns == NEVER &&
		checks->now_ns >= party->answer_ns + LIMIT_NS)
		return true;
	if (deaf_ns > 0 && party->receives && !party->held &&
		(was_early(party) || checks->now_ns >= party->heard_sound_ns + deaf_ns))
		return true;
	return checks_change_failed(checks, party);
}

/* It knows nothing of the call any more, so it has hung up. */
static bool is_unknown_there(const struct party *party)
{
	return party->change && party->change->status == 481;
}

/* A connection that does not come about, or breaks. */
static bool is_cut_off(const struct party *party)
{
	return party->invite && party->invite->tcp &&
	       (party->invite->request->flying > 0 || party->call->flying > 0);
}

static void check_cause(struct checks *checks, const struct side *side, const struct party *party)
{
	/* what came while it waited for it to be allowed to CANCEL, came too late */
	bool heard = party->heard_ns != NEVER && party->heard_ns + UNHEARD_NS < side->ended_ns;

	switch (side->cause) {
	case UA_CAUSE_LOCAL:
		if (side->hangup_ns == NEVER && !side->answered && !side->stillborn)
			unshown(checks, side, "nobody hung up");
		return;
	case UA_CAUSE_REMOTE:
		if (party->bye_ns == NEVER && party->cancel_ns == NEVER && !is_unknown_there(party))
			unshown(checks, side, "neither BYE nor CANCEL came");
		return;
	case UA_CAUSE_REJECTED:
		if (side->answered || party->rejected_ns == NEVER ||
			party->rejected_code != side->code)
			unshown(checks, side, "there was no such response");
		return;
	case UA_CAUSE_TIMEOUT:
		if (!side->outgoing || side->answered || party->heard_ns == NEVER)
			unshown(checks, side, "it did not ring");
		return;
	case UA_CAUSE_UNREACHABLE:
		if (!side->outgoing || side->answered || (side->code == 408 && heard) ||
			(side->code == 503 && party->unwanted_ns == NEVER && !is_cut_off(party) &&
				!side->agent->moved))
			unshown(checks, side, "it was reached");
		return;
	case UA_CAUSE_MEDIA:
		if (party->answer_ns == NEVER || !is_lost(checks, side, party))
			unshown(checks, side, "nothing was wrong");
		return;
	default:
		unshown(checks, side, "nothing of ours fails here");
	}
}

static uint64_t begin_of_end(const struct side *side, const struct party *party)
{
	uint64_t begin = side->hangup_ns;

	if (party->bye && party->bye->first_ns < begin)
		begin = party->bye->first_ns;
	return begin;
}

/* Whose BYE came first hung up; the called that had no ACK may have wanted to, and had to wait. */
static void check_bye(struct checks *checks, const struct side *side, const struct party *party)
{
	bool waits = !side->outgoing && party->acked_ns >= party->bye_ns;

	if (!side->answered)
		return;
	if (party->bye_ns < begin_of_end(side, party) && !waits && side->cause != UA_CAUSE_REMOTE)
		unshown(checks, side, "BYE came before");
	if (party->bye_ns != NEVER && side->ended_ns > party->bye_ns + CLOSING_NS)
		checks_fail(checks, ENDS_IN_TIME, "phone %c: call %u ends %g s after BYE came",
			name_of(side), side->number, SECONDS(side->ended_ns - party->bye_ns));
	if (side->cause == UA_CAUSE_LOCAL && !waits && !party->bye && party->bye_ns == NEVER)
		checks_fail(checks, BYE_SENT, "phone %c: call %u", name_of(side), side->number);
}

/* What rang and was given up before its final response. */
static void check_cancel(struct checks *checks, const struct side *side, const struct party *party)
{
	const struct client *invite = party->invite;

	if (!invite || invite->unsure || side->answered || party->cancel || party->bye)
		return;
	if (invite->provisional_ns == NEVER || invite->final_ns != NEVER ||
		invite->provisional_ns + checks_slack(checks) >= side->ended_ns)
		return;
	checks_fail(checks, CANCEL_SENT, "phone %c: call %u", name_of(side), side->number);
}

static void check_final(struct checks *checks, const struct side *side, const struct party *party)
{
	const struct client *invite = party->invite;
	uint64_t limit_ns;

	if (!invite || invite->unsure || invite->final_ns != NEVER)
		return;
	if (side->cause != UA_CAUSE_LOCAL && side->cause != UA_CAUSE_TIMEOUT &&
		side->cause != UA_CAUSE_UNREACHABLE && party->bye_ns == NEVER)
		checks_fail(checks, INVITE_FINAL, "phone %c: call %u ends by %s without one",
			name_of(side), side->number, ua_cause_name(side->cause));
	limit_ns = invite->first_ns + LIMIT_NS;
	if (party->heard_ns == NEVER && side->hangup_ns > limit_ns &&
		checks->now_ns > limit_ns + checks_slack(checks) + CLOSING_NS)
		checks_fail(checks, INVITE_FINAL, "phone %c: call %u still waits after %g s",
			name_of(side), side->number, SECONDS(checks->now_ns - invite->first_ns));
}

static void check_sound(struct checks *checks, const struct side *side, const struct party *party)
{
	const struct ua_stats *told = &side->stats;
	const struct stream *stream = party->stream;
	int64_t lost;

	if (!side->answered || !stream)
		return;
	if (told->sent != stream->sent)
		checks_fail(checks, STATS_TRUE, "phone %c: call %u tells %llu packets sent of %llu",
			name_of(side), side->number, (unsigned long long)told->sent,
			(unsigned long long)stream->sent);
	if (stream->confused)
		return;
	lost = stream->heard ? (int64_t)stream->highest + 1 - (int64_t)stream->distinct : 0;
	/* what got lost next to a hold is not told from what was not sent */
	if (told->received != stream->distinct ||
		(party->turned ? told->lost > lost : told->lost != lost))
		checks_fail(checks, STATS_TRUE,
			"phone %c: call %u tells %llu packets received and %lld lost, of %llu and "
			"%lld",
			name_of(side), side->number, (unsigned long long)told->received,
			(long long)told->lost, (unsigned long long)stream->distinct,
			(long long)lost);
	if (checks->config.perfect && (told->lost != 0 || told->late != 0))
		checks_fail(checks, NOTHING_LOST, "phone %c: call %u tells %lld lost, %llu late",
			name_of(side), side->number, (long long)told->lost,
			(unsigned long long)told->late);
}

static void check_end(struct checks *checks, const struct side *side, const struct ua_event *event)
{
	bool was_answered = side->answered_ns != NEVER;
	bool fits =
		event->ended.answered == was_answered && event->ended.outgoing == side->outgoing &&
		(was_answered ? event->ended.duration_s == side->stats_duration_s
			      : event->ended.duration_s == 0) &&
		event->ended.stats.sent == side->stats.sent &&
		event->ended.stats.received == side->stats.received &&
		event->ended.stats.lost == side->stats.lost &&
		(was_answered || event->ended.cause != UA_CAUSE_REMOTE || event->ended.code == 487);

	if (!fits)
		checks_fail(checks, EVENT_FIELDS,
			"phone %c: call %u ends otherwise than it went: %s, code %u, %g s",
			name_of(side), side->number,
			event->ended.answered ? "answered" : "not answered", event->ended.code,
			event->ended.duration_s);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	if (a == NEVER || b == NEVER)
		return a == NEVER ? b : a;
	return a > b ? a : b;
}

static void check_bound(struct checks *checks, const struct side *side)
{
	uint64_t from = later(side->begun_ns, side->hangup_ns);

	for (int i = CALLER; side->call && i <= CALLED; i++)
		if (side->call->party[i].side)
			from = later(from, side->call->party[i].side->hangup_ns);
	if (checks->now_ns > from + checks->config.bound_ns)
		checks_fail(checks, ENDS_IN_TIME, "phone %c: call %u ends %g s after that",
			name_of(side), side->number, SECONDS(checks->now_ns - from));
}

static void ended(struct checks *checks, struct side *side, const struct ua_event *event)
{
	struct party *party = party_of(side);

	check_end(checks, side, event);
	side->ended_ns = checks->now_ns;
	side->cause = event->ended.cause;
	side->code = event->ended.code;
	side->answered = event->ended.answered;
	side->duration_s = event->ended.duration_s;
	check_bound(checks, side);
	if (!party || is_excused(side))
		return;
	check_cause(checks, side, party);
	check_bye(checks, side, party);
	check_cancel(checks, side, party);
	check_final(checks, side, party);
	check_sound(checks, side, party);
	checks_sound_quiet(checks, side, party);
	checks_agree(checks, side->call);
}

/* ---- each event */

typedef void teller(struct checks *checks, struct side *side, const struct ua_event *event);

static void move(struct checks *checks, struct side *side, const struct ua_event *event)
{
	static teller *const tellers[WORDS] = {
		[W_OUTGOING] = begin_outgoing,
		[W_INCOMING] = begin_incoming,
		[W_RINGING] = provisional,
		[W_PROGRESS] = provisional,
		[W_ANSWERED] = answered,
		[W_STATS] = stats,
		[W_METER] = stats,
		[W_HELD] = hold,
		[W_RESUMED] = hold,
		[W_LAST_STATS] = stats,
		[W_ENDED] = ended,
		[W_ERROR] = refused,
	};
	enum word word = word_of(event);
	unsigned next = next_stage[side->stage][word];

	if (next == NOTHING) {
		checks_fail(checks, EVENT_ORDER, "phone %c: call %u: %s in stage %u", name_of(side),
			side->number, ua_event_name(event->kind), side->stage);
		return;
	}
	side->stage = next;
	if (tellers[word])
		tellers[word](checks, side, event);
	check_envelope(checks, side, event);
}

/* At all its addresses, if there is none. */
static void listens(struct checks *checks, struct agent *agent, const struct addr *at)
{
	agent->addr.port = at->port;
	checks_know(checks, at);
	checks_know(checks, &agent->addr);
}

void checks_tell(struct checks *checks, struct agent *agent, const struct ua_event *event)
{
	struct side *side;

	if (event->wall_ns < agent->wall_ns)
		checks_fail(checks, EVENT_FIELDS, "phone %c: its clock goes back",
			'a' + (int)agent->index);
	agent->wall_ns = event->wall_ns;
	if (event->kind == UA_LISTENING)
		listens(checks, agent, &event->listening.address);
	if (event->call == 0)
		return;
	side = checks_side(agent, event->call);
	if (!side)
		side = new_side(checks, agent, event->call);
	if (side)
		move(checks, side, event);
}

void checks_side_quiet(struct checks *checks, struct side *side)
{
	if (side->ended_ns == NEVER)
		checks_fail(checks, ENDS, "phone %c: call %u goes on", name_of(side), side->number);
}
