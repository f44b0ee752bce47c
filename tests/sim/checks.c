#include "tests/sim/checks.h"

#include "core/base/text.h"
#include "tests/sim/checks_private.h"

#include <stdio.h>
#include <stdlib.h>

#define OURS "our own design, section "

static const struct {
	const char *name;
	const char *section;
} invariants[INVARIANTS] = {
	[ROOM_FOR_CHECKS] = {"the checks have memory", OURS "7"},

	[EVENT_ORDER] = {"events come in a legal order", OURS "2"},
	[EVENT_FIELDS] = {"events tell what can be", OURS "6"},
	[STATS_SANE] = {"statistics only grow, within their ranges", OURS "6"},
	[STATS_TRUE] = {"statistics count what was on the wire", "RFC 3550, section 6.4.1"},
	[ENDS] = {"every call ends", OURS "7"},
	[ENDS_IN_TIME] = {"every call ends in time", "RFC 3261, section 17, table 4"},
	[AGREE_ANSWERED] = {"both sides agree whether it was answered",
		"RFC 3261, section 13.2.2.4"},
	[AGREE_WHO] = {"both sides agree who ended it", "RFC 3261, section 15"},
	[CAUSE_SHOWN] = {"the cause of an end was to be seen", "RFC 3261, section 15.1"},
	[ANSWER_HEARD] = {"an answer answers the call", "RFC 3261, section 13.2.2.4"},
	[NOTHING_LOST] = {"a perfect network loses nothing", OURS "7"},

	[RINGS_ONCE] = {"an INVITE that is repeated rings once", "RFC 3261, section 17.2.3"},
	[INVITE_FINAL] = {"every INVITE has a final response or times out",
		"RFC 3261, section 17.1.1.2"},
	[INVITE_TRYING] = {"an INVITE hears something within 200 ms", "RFC 3261, section 17.2.1"},
	[REQUEST_ANSWERED] = {"every request is answered at once", "RFC 3261, section 17.2"},
	[ACK_EACH_2XX] = {"every 2xx has its ACK", "RFC 3261, section 13.2.2.4"},
	[ACK_OTHERS] = {"every other final response has its ACK", "RFC 3261, section 17.1.1.3"},
	[ACK_DUE] = {"an ACK is for a final response that came", "RFC 3261, section 17.1.1.3"},
	[BYE_SENT] = {"who hangs up says BYE", "RFC 3261, section 15.1.1"},
	[BYE_EARLY] = {"BYE waits for the dialog and the ACK", "RFC 3261, section 15"},
	[BYE_UNACKED] = {"an answer without ACK ends in BYE", "RFC 3261, section 13.3.1.4"},
	[CANCEL_EARLY] = {"CANCEL comes between a provisional and the final response",
		"RFC 3261, section 9.1"},
	[CANCEL_SENT] = {"who gives up what rings says CANCEL", "RFC 3261, section 9.1"},
	[CSEQ_ORDER] = {"CSeq grows in a dialog, and ACK and CANCEL have INVITE's",
		"RFC 3261, section 12.2.1.1"},
	[TAGS_CONSTANT] = {"the tags of a dialog do not change", "RFC 3261, section 12.2.1.1"},
	[DIALOG_KNOWN] = {"only its own dialog's requests are obeyed", "RFC 3261, section 12.2.2"},
	[RESPONSE_ECHO] = {"a response repeats what the request had", "RFC 3261, section 8.2.6.2"},
	[RESPONSE_TAG] = {"every response but 100 has the same tag in To",
		"RFC 3261, section 8.2.6.2"},
	[ONE_FINAL] = {"a request has one final response", "RFC 3261, section 17.2"},
	[FORM] = {"every message is whole", "RFC 3261, section 8.1.1"},
	[FORWARDS] = {"every request has Max-Forwards", "RFC 3261, section 8.1.1.6"},
	[COOKIE] = {"every branch begins with z9hG4bK", "RFC 3261, section 8.1.1.7"},
	[BRANCH_UNIQUE] = {"every request has a branch of its own", "RFC 3261, section 8.1.1.7"},
	[LENGTH] = {"Content-Length is the length of the body", "RFC 3261, section 20.14"},

	[AGAIN_SAME] = {"what is sent again is the same, byte by byte",
		"RFC 3261, section 17.1.1.2"},
	[AGAIN_EARLY] = {"nothing is sent again too early", "RFC 3261, section 17, table 4"},
	[AGAIN_LATE] = {"nothing is sent again too late", "RFC 3261, section 17, table 4"},
	[AGAIN_MISSING] = {"what has no answer is sent again", "RFC 3261, section 17, table 4"},
	[AGAIN_NEEDLESS] = {"what has its answer is not sent again", "RFC 3261, section 17"},

	[VIA_TRANSPORT] = {"Via names the transport that is used", "RFC 3261, section 18.1.1"},
	[STREAM_WHOLE] = {"what goes by TCP is whole messages", "RFC 3261, section 18.3"},
	[STREAM_AGAIN] = {"what goes by TCP is not repeated", "RFC 3261, section 17.1.1.2"},
	[STREAM_REUSED] = {"a connection that stands is used again", "RFC 3261, section 18"},
	[DATAGRAM_LONG] = {"a long request goes by TCP, if that is not refused",
		"RFC 3261, section 18.1.1"},
	[CHANGE_ALONE] = {"there is one INVITE at a time in a dialog", "RFC 3261, section 14.1"},
	[GLARE_REFUSED] = {"re-INVITEs that cross are refused, and no others",
		"RFC 3261, section 14.2"},
	[GLARE_PAUSE] = {"who was refused by 491 tries again in its time",
		"RFC 3261, section 14.1"},
	[SDP_VERSION] = {"the version of a description counts its changes", "RFC 3264, section 8"},
	[SDP_LINES] = {"a description keeps its m-lines", "RFC 3264, section 8"},
	[HOLD_TOLD] = {"it is told who is on hold as it was agreed on", OURS "6"},
	[HOLD_ASKED] = {"who wants to hold, or no more, asks for it", "RFC 3264, section 8.4"},
	[HOLD_AGREED] = {"both sides agree who is on hold", "RFC 3264, section 8.4"},
	[HOLD_QUIET] = {"who is on hold is quiet", "RFC 3264, section 8.4"},
	[RTP_GOES_ON] = {"who is to send sound does so to the end", "RFC 3264, section 5.1"},
	[DEAF] = {"a call ends by want of sound when it is time", OURS "6"},

	[ADDRESS_KNOWN] = {"nothing is sent where nobody has asked for it", "RFC 3261, section 18"},
	[RTP_BEFORE] = {"no sound before the answer", "RFC 3264, section 5.1"},
	[RTP_AFTER] = {"no sound after the end", "RFC 3261, section 15.1.1"},
	[RTP_STREAM] = {"sound comes from where it was described", "RFC 4961, section 3"},
	[RTP_ROW] = {"packets of sound count up by one, from one source", "RFC 3550, section 5.1"},
	[RTP_CLOCK] = {"packets of sound come with their clock", "RFC 3550, section 5.1"},
	[RTP_TYPE] = {"sound is in a format that was agreed on", "RFC 3264, section 6.1"},
	[HEARS] = {"sound comes where and when the play says so", OURS "2"},
	[RTP_LATCH] = {"sound follows its sender only after three packets", OURS "3"},

	[QUIET_LEFT] = {"at quiet nothing is left in the world", OURS "7"},
	[QUIET_BYTES] = {"at quiet no byte is left allocated", OURS "7"},
};

/* ---- memory: chunks that are freed together */

enum { CHUNK_SIZE = 65536 };

struct chunk {
	struct chunk *next;
	size_t used;
	_Alignas(max_align_t) char room[CHUNK_SIZE];
};

void *checks_alloc(struct checks *checks, size_t size)
{
	size_t step = _Alignof(max_align_t);
	struct chunk *chunk = checks->chunks;
	void *block;

	size = (size + step - 1) / step * step;
	if (!chunk || CHUNK_SIZE - chunk->used < size) {
		chunk = size <= CHUNK_SIZE ? malloc(sizeof(*chunk)) : NULL;
		if (!chunk) {
			checks_fail(checks, ROOM_FOR_CHECKS, "%zu bytes", size);
			return NULL;
		}
		chunk->next = checks->chunks;
		chunk->used = 0;
		checks->chunks = chunk;
	}
	block = chunk->room + chunk->used;
	chunk->used += size;
	return memset(block, 0, size);
}

int checks_new(struct checks **out, const struct checks_config *config)
{
	struct checks *checks = calloc(1, sizeof(*checks));
	int err = 0;

	if (!checks)
		return -ENOMEM;

	struct table *tables[] = {&checks->messages, &checks->calls, &checks->clients,
		&checks->servers, &checks->branches, &checks->streams, &checks->known,
		&checks->pipes};

	checks->config = *config;
	checks->config.addrs = NULL;
	checks->config.deaf_after_ns = NULL;
	checks->next_due_ns = NEVER;
	list_init(&checks->all_calls);
	list_init(&checks->all_clients);
	list_init(&checks->all_servers);
	list_init(&checks->all_pipes);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		err = err ? err : table_init(tables[i]);
	checks->agents = checks_alloc(checks, config->agents * sizeof(*checks->agents) + 1);
	if (err || !checks->agents) {
		checks_free(checks);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < config->agents; i++)
		checks->agents[i] = (struct agent){
			.index = i,
			.addr = config->addrs[i],
			.deaf_after_ns = config->deaf_after_ns ? config->deaf_after_ns[i] : 0,
			.rtp_ns = NEVER,
			.hangup_ns = NEVER,
		};
	*out = checks;
	return 0;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;

	for (struct chunk *chunk = checks->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	table_close(&checks->messages);
	table_close(&checks->calls);
	table_close(&checks->clients);
	table_close(&checks->servers);
	table_close(&checks->branches);
	table_close(&checks->streams);
	table_close(&checks->known);
	table_close(&checks->pipes);
	free(checks);
}

/* ---- what is wrong */

void checks_fail(struct checks *checks, enum invariant what, const char *words, ...)
{
	struct checks_failure *failure = &checks->failure;
	va_list args;

	if (checks->failed)
		return;

	checks->failed = true;
	failure->name = invariants[what].name;
	failure->section = invariants[what].section;
	failure->at_ns = checks->now_ns;
	va_start(args, words);
	vsnprintf(failure->words, sizeof(failure->words), words, args);
	va_end(args);
}

const struct checks_failure *checks_failure(const struct checks *checks)
{
	return checks->failed ? &checks->failure : NULL;
}

uint64_t checks_slack(const struct checks *checks)
{
	return 6 * (checks->config.post_late_ns + checks->config.timer_late_ns) + 20000000;
}

/* ---- what is to happen at once */

void checks_demand(struct checks *checks, const struct due *due, uint64_t late_ns)
{
	struct due *new;

	if (checks->due_count == DUE_MAX) {
		checks_fail(checks, ROOM_FOR_CHECKS, "%u demands at once", DUE_MAX);
		return;
	}
	new = &checks->due[checks->due_count++];
	*new = *due;
	new->at_ns = checks->now_ns;
	new->deadline_ns = checks->now_ns + late_ns;
	if (new->deadline_ns < checks->next_due_ns)
		checks->next_due_ns = new->deadline_ns;
}

static void drop_due(struct checks *checks, unsigned i)
{
	checks->due[i] = checks->due[--checks->due_count];
}

/* INVITE_TRYING and HOLD_ASKED may be met at any time until their deadlines. */
bool checks_meet(struct checks *checks, enum invariant what, const void *subject)
{
	for (unsigned i = 0; i < checks->due_count; i++) {
		const struct due *due = &checks->due[i];

		if (due->what != what || due->subject != subject)
			continue;
		if (due->at_ns != checks->now_ns && what != INVITE_TRYING && what != HOLD_ASKED)
			continue;
		drop_due(checks, i);
		return true;
	}
	return false;
}

const struct due *checks_due(
	const struct checks *checks, enum invariant what, const struct party *party)
{
	for (unsigned i = 0; i < checks->due_count; i++)
		if (checks->due[i].what == what && checks->due[i].party == party)
			return &checks->due[i];
	return NULL;
}

/* Who has given up meets an answer with BYE. */
static bool is_excused(const struct due *due)
{
	const struct party *party = due->party;

	if (party->call->damaged)
		return true;
	if (due->what == HOLD_TOLD)
		return checks_hold_is_told(party);
	if (due->what == HOLD_ASKED)
		return checks_hold_is_moot(due);
	return due->what == ANSWER_HEARD && party->bye && party->bye->first_ns == due->at_ns;
}

static void miss(struct checks *checks, const struct due *due)
{
	checks_fail(checks, due->what, "phone %c did nothing about \"%s\" of %llu ns",
		'a' + (int)due->party->agent->index, due->message->start,
		(unsigned long long)due->at_ns);
}

/* Time goes on. */
static bool go_on(struct checks *checks, uint64_t now_ns)
{
	if (now_ns > checks->next_due_ns && !checks->failed) {
		checks->next_due_ns = NEVER;
		for (unsigned i = 0; i < checks->due_count;) {
			struct due due = checks->due[i];

			if (due.deadline_ns < now_ns) {
				drop_due(checks, i);
				if (!is_excused(&due))
					miss(checks, &due);
				continue;
			}
			if (due.deadline_ns < checks->next_due_ns)
				checks->next_due_ns = due.deadline_ns;
			i++;
		}
	}
	checks->now_ns = now_ns;
	return !checks->failed;
}

/* ---- the ways in */

static bool is_at(const struct agent *agent, const struct addr *addr)
{
	bool found = addr_same_host(&agent->addr, addr);

	for (unsigned i = 0; i < agent->moves && !found; i++)
		found = addr_same_host(&agent->former[i], addr);
	return found;
}

struct agent *checks_agent(const struct checks *checks, const struct addr *addr)
{
	for (unsigned i = 0; i < checks->config.agents; i++)
		if (is_at(&checks->agents[i], addr))
			return &checks->agents[i];
	return NULL;
}

struct side *checks_side(const struct agent *agent, unsigned number)
{
	return number > 0 && number <= agent->side_count ? agent->sides[number - 1] : NULL;
}

void checks_event(
	struct checks *checks, unsigned agent, const struct ua_event *event, uint64_t now_ns)
{
	if (go_on(checks, now_ns))
		checks_tell(checks, &checks->agents[agent], event);
}

void checks_hangup(struct checks *checks, unsigned index, unsigned call, uint64_t now_ns)
{
	struct agent *agent = &checks->agents[index];

	if (!go_on(checks, now_ns))
		return;
	for (unsigned i = 1; i <= agent->side_count; i++) {
		struct side *side = checks_side(agent, i);

		if (side && (call == 0 || call == i) && side->hangup_ns == NEVER &&
			side->ended_ns == NEVER)
			side->hangup_ns = now_ns;
	}
	agent->hangup_ns = now_ns; /* also of calls that have told nothing yet */
}

void checks_hold(struct checks *checks, unsigned index, unsigned call, bool hold, uint64_t now_ns)
{
	struct agent *agent = &checks->agents[index];

	if (!go_on(checks, now_ns))
		return;
	for (unsigned i = 1; i <= agent->side_count; i++) {
		struct side *side = checks_side(agent, i);

		if (side && (call == 0 || call == i))
			checks_want_hold(checks, side, hold);
	}
}

/* A packet comes each 20 ms; what waits for its turn, and is late, may be as many. */
#define HEARS_NS (300 * UINT64_C(1000000))

/* Nothing is asked any more of what the agent is in. */
static void give_up_on(struct checks *checks, struct agent *agent)
{
	list_each(link, &checks->all_calls)
	{
		struct call *call = container_of(link, struct call, link);

		if (call->party[CALLER].agent == agent || call->party[CALLED].agent == agent)
			call->broken = true;
	}
	for (unsigned i = 0; i < checks->due_count;) {
		if (checks->due[i].party->agent == agent)
			drop_due(checks, i);
		else
			i++;
	}
	agent->life++;
}

void checks_crash(struct checks *checks, unsigned index, uint64_t now_ns)
{
	struct agent *agent = &checks->agents[index];

	if (!go_on(checks, now_ns))
		return;
	give_up_on(checks, agent);
	agent->crashes++;
	agent->side_count = 0;
	agent->calling = NULL;
	agent->moved = false;
}

void checks_move(struct checks *checks, unsigned index, const struct addr *addr, uint64_t now_ns)
{
	struct agent *agent = &checks->agents[index];

	if (!go_on(checks, now_ns))
		return;
	give_up_on(checks, agent);
	if (agent->moves < MOVES_MAX)
		agent->former[agent->moves++] = agent->addr;
	agent->addr.family = addr->family;
	memcpy(agent->addr.ip, addr->ip, sizeof(addr->ip));
	checks_know(checks, &agent->addr);
	agent->moved = true;
	agent->moved_ns = now_ns;
}

void checks_hears(struct checks *checks, unsigned index, uint64_t now_ns)
{
	const struct agent *agent = &checks->agents[index];

	if (go_on(checks, now_ns) && (agent->rtp_ns == NEVER || now_ns > agent->rtp_ns + HEARS_NS))
		checks_fail(checks, HEARS, "phone %c hears nothing", 'a' + (int)index);
}

/* What keeps the way of a call open (RFC 6223): STUN, known by its cookie, or empty lines; one byte
 * of either may be damaged. No message of SIP is that short. */
static bool keeps_open(struct slice bytes)
{
	static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};

	if (bytes.len == 4)
		return true;
	return bytes.len >= 20 && bytes.len <= 44 &&
	       (bytes.data[0] < 4 || memcmp(bytes.data + 4, cookie, sizeof(cookie)) == 0);
}

static bool is_sip(struct slice bytes)
{
	return bytes.len > 0 && bytes.data[0] < 0x80;
}

static void sent(
	struct checks *checks, const struct addr *from, const struct addr *to, struct slice bytes)
{
	struct agent *agent = checks_agent(checks, from);

	if (!agent)
		return; /* one who is none of the phones */
	checks_know(checks, from);
	if (is_sip(bytes))
		checks_sip_sent(checks, agent, &(struct way){*from, *to, false}, bytes);
	else
		checks_rtp_sent(checks, agent, from, to, bytes);
}

static void arrived(
	struct checks *checks, const struct addr *from, const struct addr *to, struct slice bytes)
{
	if (is_sip(bytes))
		checks_sip_arrived(checks, &(struct way){*from, *to, false}, bytes);
	else
		checks_rtp_arrived(checks, from, to, bytes);
}

void checks_wire(struct checks *checks, enum world_wire what, uint64_t now_ns,
	const struct addr *from, const struct addr *to, struct slice bytes)
{
	if (!go_on(checks, now_ns))
		return;
	if (keeps_open(bytes) && what != WORLD_STREAM_SENT && what != WORLD_STREAM_ARRIVED)
		return;
	if (what == WORLD_SENT)
		sent(checks, from, to, bytes);
	else if (what == WORLD_ARRIVED)
		arrived(checks, from, to, bytes);
	else if (what == WORLD_STREAM_SENT)
		checks_stream_sent(checks, &(struct way){*from, *to, true}, bytes);
	else if (what == WORLD_STREAM_ARRIVED)
		checks_stream_arrived(checks, &(struct way){*from, *to, true}, bytes);
	else if (is_sip(bytes))
		checks_sip_lost(checks, from, to, bytes, what == WORLD_UNWANTED);
}

static void check_left(struct checks *checks, const struct world_left *left, size_t bytes)
{
	const struct {
		const char *name;
		size_t count;
	} kinds[] = {
		{"loops", left->loops},
		{"sockets", left->sockets},
		{"timers", left->timers},
		{"posts", left->posts},
		{"pieces of work", left->work},
		{"connections", left->connections},
		{"questions", left->questions},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].count > 0)
			checks_fail(checks, QUIET_LEFT, "%zu %s", kinds[i].count, kinds[i].name);
	if (bytes > 0)
		checks_fail(checks, QUIET_BYTES, "%zu bytes", bytes);
}

void checks_quiet(
	struct checks *checks, const struct world_left *left, size_t bytes, uint64_t now_ns)
{
	if (!go_on(checks, now_ns))
		return;
	checks->quiet = true;
	for (unsigned i = 0; i < checks->config.agents; i++)
		for (unsigned j = 1; j <= checks->agents[i].side_count; j++)
			if (checks_side(&checks->agents[i], j))
				checks_side_quiet(checks, checks_side(&checks->agents[i], j));
	list_each(link, &checks->all_clients)
		checks_client_settle(checks, container_of(link, struct client, link), now_ns);
	list_each(link, &checks->all_servers)
		checks_server_settle(checks, container_of(link, struct server, link), now_ns);
	list_each(link, &checks->all_calls)
		checks_call_quiet(checks, container_of(link, struct call, link));
	check_left(checks, left, bytes);
}
