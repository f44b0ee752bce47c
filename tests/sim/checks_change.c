/* Follows what changes in a dialog: re-INVITEs, those that meet, what is described, and who is held
 * (RFC 3261, section 14; RFC 3264, section 8). */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

#define MS UINT64_C(1000000)

/* Section 14.1: who owns the Call-ID, and who does not. */
#define OWNER_MIN_NS (2100 * MS)
#define OWNER_MAX_NS (4000 * MS)
#define OTHER_MAX_NS (2000 * MS)

static char name_of(const struct party *party)
{
	return (char)('a' + party->agent->index);
}

static bool is_excused(const struct call *call)
{
	return call->damaged || call->broken;
}

/* ---- descriptions */

void checks_describes(struct checks *checks, struct party *party, const struct sound *sound)
{
	const struct sound *before = party->mine;
	bool differs = before && sound->content != before->content;

	party->mine = sound;
	checks_describe(checks, party->call, party, sound);
	if (!before || is_excused(party->call))
		return;
	if (sound->session != before->session || sound->version != before->version + differs)
		checks_fail(checks, SDP_VERSION, "phone %c: version %llu after %llu, %s",
			name_of(party), (unsigned long long)sound->version,
			(unsigned long long)before->version,
			sound->session != before->session ? "of another session"
			: differs                         ? "with changes"
							  : "without changes");
	if (sound->lines != before->lines)
		checks_fail(checks, SDP_LINES, "phone %c: %u lines after %u", name_of(party),
			sound->lines, before->lines);
}

static bool is_over(const struct party *party)
{
	const struct side *side = party->side;

	return !side || side->answered_ns == NEVER || side->ended_ns != NEVER ||
	       side->hangup_ns != NEVER || party->bye || party->bye_ns != NEVER;
}

bool checks_hold_is_told(const struct party *party)
{
	return is_over(party) || is_excused(party->call) ||
	       (party->side->told_local == party->holds && party->side->told_remote == party->held);
}

void checks_demand_told(struct checks *checks, struct party *party, const struct message *message)
{
	const struct due due = {
		.what = HOLD_TOLD, .party = party, .message = message, .subject = party};

	checks_demand(checks, &due, 0);
}

void checks_turn(struct checks *checks, struct party *party, const struct message *message,
	const struct sound *mine, const struct sound *theirs, bool offered)
{
	bool first = !party->theirs;
	bool sends, receives;

	if (!mine || !theirs)
		return;

	sends = mine->direction & SENDS && theirs->direction & RECEIVES;
	receives = mine->direction & RECEIVES && theirs->direction & SENDS;
	if (theirs != party->theirs) {
		party->before = party->theirs;
		party->theirs_ns = checks->now_ns;
	}
	party->theirs = theirs;
	party->held = !(theirs->direction & RECEIVES);
	/* who is held by another may answer it so that it does not tell whether it holds, too */
	if (offered || theirs->direction & SENDS)
		party->holds = !(mine->direction & RECEIVES);
	if (first || sends != party->sends || receives != party->receives) {
		party->turned = !first;
		party->turned_ns = checks->now_ns;
		if (!party->bye)
			party->heard_sound_ns = checks->now_ns;
	}
	party->sends = sends;
	party->receives = receives;
	if (!is_over(party) && !checks_hold_is_told(party))
		checks_demand_told(checks, party, message);
}

/* ---- re-INVITEs */

struct client *checks_invite_sent(const struct party *party, uint32_t cseq)
{
	for (struct client *client = party->change; client; client = client->before)
		if (client->request->cseq == cseq)
			return client;
	return party->invite && party->invite->request->cseq == cseq ? party->invite : NULL;
}

struct server *checks_invite_came(const struct party *party, uint32_t cseq)
{
	for (struct server *server = party->changed; server; server = server->before)
		if (server->request->cseq == cseq)
			return server;
	return party->called && party->called->request->cseq == cseq ? party->called : NULL;
}

/* Whether it is not known what has become of it. */
static bool is_vague(const struct checks *checks, const struct client *client)
{
	return client->unsure || client->optional ||
	       !checks_is_current(client->life, client->party) ||
	       (client->final_ns == NEVER && checks->now_ns >= client->first_ns + LIMIT_NS) ||
	       (client->tcp && client->elsewhere);
}

/* Section 14.2 */
static bool awaits_ack(const struct server *server)
{
	return !server->final || (server->final->status < 300 && server->acked_ns == NEVER);
}

/* The last re-INVITE of the far end that is not through; NULL: none. */
static const struct server *find_open(const struct checks *checks, const struct party *party)
{
	const struct server *server = party->changed;

	while (server &&
		(server->unsure || !checks_is_current(server->life, server->party) ||
			!awaits_ack(server) || checks->now_ns >= server->arrived_ns + LIMIT_NS))
		server = server->before;
	return server;
}

static void check_alone(
	struct checks *checks, const struct party *party, const struct client *client)
{
	const struct client *before = client->before;
	const struct server *open = find_open(checks, party);

	if (!checks_stands(party))
		checks_fail(
			checks, CHANGE_ALONE, "phone %c: its call does not stand", name_of(party));
	else if (party->bye)
		checks_fail(checks, CHANGE_ALONE, "phone %c has said BYE", name_of(party));
	else if (before && before->final_ns == NEVER && !is_vague(checks, before))
		checks_fail(checks, CHANGE_ALONE, "phone %c: \"%s\" has no answer", name_of(party),
			before->request->start);
	else if (open)
		checks_fail(checks, CHANGE_ALONE, "phone %c: \"%s\" is not through", name_of(party),
			open->request->start);
}

/* Whether, since then, its user or the far end wanted something else, which takes its time. */
static bool is_news(const struct party *party, uint64_t since_ns)
{
	const struct server *their = party->changed;

	if (party->user_ns != NEVER && party->user_ns >= since_ns)
		return true;
	if (!their || their->arrived_ns >= since_ns)
		return their != NULL;
	return !their->final || (their->final->status < 300 &&
					(their->acked_ns == NEVER || their->acked_ns >= since_ns));
}

/* Section 14.1 */
static void check_pause(
	struct checks *checks, const struct party *party, const struct client *before)
{
	bool owner = checks_is_caller(party);
	uint64_t since_ns = before->final_ns;
	uint64_t gap_ns = checks->now_ns - since_ns;
	uint64_t most_ns = (owner ? OWNER_MAX_NS : OTHER_MAX_NS) + checks_late(checks);

	if ((owner && gap_ns < OWNER_MIN_NS) || (gap_ns > most_ns && !is_news(party, since_ns)))
		checks_fail(checks, GLARE_PAUSE, "phone %c, which %s the Call-ID, waits %g ms",
			name_of(party), owner ? "owns" : "does not own", (double)gap_ns / 1e6);
}

void checks_change_sent(struct checks *checks, struct client *client)
{
	struct party *party = client->party;

	client->before = party->change;
	party->change = client;
	checks_meet(checks, HOLD_ASKED, party);
	if (client->request->sound)
		checks_describes(checks, party, client->request->sound);
	if (is_excused(client->call))
		return;
	check_alone(checks, party, client);
	if (client->before && client->before->status == 491 && !is_vague(checks, client->before))
		check_pause(checks, party, client->before);
}

void checks_change_answered(
	struct checks *checks, struct server *server, const struct message *message)
{
	struct party *party = server->party;
	const struct client *own = party->change;
	bool success = message->status < 300;

	server->stopped |= success && party->bye_ns != NEVER; /* it came with it */
	server->loose |= party->bye != NULL;
	if (success && message->sound) {
		checks_describes(checks, party, message->sound);
		checks_turn(checks, party, message, message->sound, server->request->sound, false);
	}
	if (is_excused(server->call) || server->unsure || (own && is_vague(checks, own)))
		return;
	if (message->status == 491 && (!own || own->final_ns != NEVER))
		checks_fail(
			checks, GLARE_REFUSED, "phone %c has nothing under way", name_of(party));
	if (success && own && own->final_ns == NEVER)
		checks_fail(checks, GLARE_REFUSED, "phone %c: \"%s\" is under way", name_of(party),
			own->request->start);
}

bool checks_change_failed(const struct checks *checks, const struct party *party)
{
	const struct client *own = party->change;
	const struct server *their = party->changed;

	if (own && own->final_ns == NEVER && checks->now_ns >= own->first_ns + LIMIT_NS)
		return true;
	if (own && own->status == 408)
		return true;
	return their && their->final && their->final->status < 300 && their->acked_ns == NEVER &&
	       checks->now_ns >= their->final_ns + LIMIT_NS;
}

/* ---- who holds whom */

/* Its user, or the far end, was there again before it could be asked for. */
bool checks_hold_is_moot(const struct due *due)
{
	const struct party *party = due->party;

	return is_over(party) || is_excused(party->call) || party->user_ns > due->at_ns ||
	       (party->changed && party->changed->arrived_ns >= due->at_ns);
}

/* With nothing in the way its re-INVITE goes at once. */
void checks_want_hold(struct checks *checks, struct side *side, bool hold)
{
	struct due due = {.what = HOLD_ASKED};
	const struct client *own;
	struct party *party;

	if (!side->call)
		return;
	party = &side->call->party[side->outgoing ? CALLER : CALLED];
	own = party->change;
	due.party = party;
	due.subject = party;
	due.message = party->invite ? party->invite->request : party->called->request;
	party->user_ns = checks->now_ns;
	if (is_over(party) || is_excused(side->call) || !checks_stands(party) ||
		party->holds == hold || find_open(checks, party))
		return;
	if (own && (own->final_ns == NEVER || own->status >= 300 || is_vague(checks, own)))
		return;
	checks_demand(checks, &due, checks_slack(checks));
}

/* Whether its last change was through when it ended. */
static bool is_settled(const struct party *party)
{
	const struct client *own = party->change;
	uint64_t end_ns = checks_end_of(party);

	return (!own || (own->final_ns != NEVER && own->final_ns < end_ns && !own->unsure)) &&
	       (party->turned_ns < end_ns);
}

void checks_agree_hold(struct checks *checks, const struct call *call)
{
	const struct party *a = &call->party[CALLER], *b = &call->party[CALLED];

	if (!a->side->answered || !b->side->answered || !is_settled(a) || !is_settled(b))
		return;
	if (a->side->told_local != b->side->told_remote ||
		b->side->told_local != a->side->told_remote)
		checks_fail(checks, HOLD_AGREED,
			"phone %c says that it %s and is%s held, phone %c that it %s and is%s",
			name_of(a), a->side->told_local ? "holds" : "does not hold",
			a->side->told_remote ? "" : " not", name_of(b),
			b->side->told_local ? "holds" : "does not",
			b->side->told_remote ? "" : " not");
}
