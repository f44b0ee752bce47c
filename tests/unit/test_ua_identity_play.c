/*
 * Calls by accounts of all kinds, some of them anonymous, in the simulated world, by seed: a server
 * and strangers answer them in any order, by refusals, challenges, redirections and 200, and say
 * who is there. Whatever they do, who we are and what answers for the password goes to the server
 * alone, and nobody is believed but the server.
 */
#include "core/base/random.h"
#include "core/base/secret.h"
#include "tests/unit/ua_pair.h"
#include "tests/unit/ua_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { SEEDS = 300, STEPS = 12 };

struct play {
	struct pair pair;
	struct random random;
	uint64_t seed;
	struct world_host *host;
	struct peer server; /* 192.0.2.3:5060 */
	struct peer far;    /* 192.0.2.2:5070 */
	struct secret *password;
	bool anonymous;
	unsigned invites; /* to the server, and to others */
	unsigned others;
	unsigned preferred, authorized, vouched; /* how often that happened at all */
};

static bool has(struct slice bytes, const char *words)
{
	return memmem(bytes.data, bytes.len, words, strlen(words));
}

static void fail_at(const struct play *play, const char *what, struct slice bytes)
{
	fail_msg("seed %llu: %s:\n%.*s", (unsigned long long)play->seed, what, (int)bytes.len,
		(const char *)bytes.data);
}

/* Each datagram of ours. */
static void watch(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	static const char *const names[] = {"alice", "office", "tester"};
	struct play *play = arg;
	bool to_server = addr_same_host(to, &nowhere) && to->port == 5060;

	(void)now_ns;
	if (what != WORLD_SENT || !addr_same_host(from, &here) || !has(bytes, "SIP/2.0"))
		return;
	play->preferred += has(bytes, "\r\nP-Preferred-Identity: ");
	play->authorized += has(bytes, "uthorization: Digest ");
	if (has(bytes, "nonce=\"f\""))
		fail_at(play, "somebody else's challenge is answered", bytes);
	/* without User-Agent, it is the ACK of a refusal, which ends at the server */
	if (play->anonymous && has(bytes, "uthorization: ") && !has(bytes, " INVITE\r\n") &&
		has(bytes, "\r\nUser-Agent: "))
		fail_at(play, "credentials go along with what reaches who is called", bytes);
	if (to_server) {
		play->invites += has(bytes, "INVITE sip:");
		return;
	}
	play->others++;
	if (has(bytes, "\r\nP-Preferred-Identity: "))
		fail_at(play, "as whom to vouch for us is told to others", bytes);
	if (has(bytes, "uthorization: "))
		fail_at(play, "credentials go to others", bytes);
	for (size_t i = 0; play->anonymous && i < sizeof(names) / sizeof(names[0]); i++)
		if (has(bytes, names[i]))
			fail_at(play, "an anonymous call has a name", bytes);
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct play *play = arg;

	if (event->asserted.len == 0)
		return;
	play->vouched++;
	if (!slice_is(event->asserted, "sip:known@sip.test"))
		fail_at(play, "somebody else is believed", event->asserted);
}

static uint64_t pick(struct play *play, uint64_t bound)
{
	return random_below(&play->random, bound);
}

static void open_play(struct play *play, uint64_t seed)
{
	struct ua_account account = {.aor = "alice@sip.test", .registrar = "192.0.2.3"};
	struct fault why;
	bool known;

	*play = (struct play){.seed = seed};
	random_init(&play->random, seed);
	pair_init(&play->pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	play->pair.config.seed = seed;
	play->pair.near.config.event = on_event;
	play->pair.near.config.arg = play;
	play->pair.near.config.user = "tester";
	play->anonymous = pick(play, 2) == 0;
	known = pick(play, 8) > 0;
	if (play->anonymous && (!known || pick(play, 2) == 0))
		play->pair.near.config.anonymous = UA_ANONYMOUS_ON;
	else
		account.anonymous = play->anonymous;
	pair_start(&play->pair);
	world_watch(play->pair.world, watch, play);
	assert_int_equal(world_host_new(&play->host, play->pair.world, &nowhere), 0);
	peer_open(&play->server, play->host, &nowhere, 5060);
	peer_open(&play->far, play->pair.there, &there, 5070);
	assert_int_equal(secret_new(&play->password, slice_of("secret")), 0);
	account.password = play->password;
	account.allow_md5 = true;
	account.realm = pick(play, 2) == 0 ? "sip.test" : NULL;
	account.display = pick(play, 2) == 0 ? "alice" : NULL;
	account.identity = pick(play, 2) == 0 ? "<sip:office@sip.test>" : NULL;
	if (known)
		assert_int_equal(agent_add_account(play->pair.near.agent, &account, &why), 0);
}

static void close_play(struct play *play)
{
	peer_close(&play->server);
	peer_close(&play->far);
	pair_close(&play->pair);
	secret_free(play->password);
}

/* The nonce tells whose it is. */
static void text_put_challenge(struct text *out, const char *lines, char nonce)
{
	const char *sign = strchr(lines, '%');

	if (sign)
		text_printf(out, "%.*s%c%s", (int)(sign - lines), lines, nonce, sign + 2);
	else
		text_puts(out, lines);
}

/* One of them answers what the server or the far end has got last. */
static void answer(struct play *play)
{
	static const struct {
		const char *status, *headers;
		bool sound;
	} rows[] = {
		{"180 Ringing", "", false},
		{"183 Progress", "", false},
		{"401 No", "WWW-Authenticate: Digest realm=\"sip.test\",nonce=\"%c\"\r\n", false},
		{"407 No", "Proxy-Authenticate: Digest realm=\"sip.test\",nonce=\"%c\"\r\n", false},
		{"407 No", "Proxy-Authenticate: Digest realm=\"elsewhere\",nonce=\"%c\"\r\n",
			false},
		{"302 There", "Contact: <sip:carol@192.0.2.2:5070>\r\n", false},
		{"302 There", "Contact: <sip:carol@sip.test>\r\n", false},
		{"200 OK", "Content-Type: application/sdp\r\n", true},
		{"486 No", "", false},
		{"503 No", "", false},
	};
	static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.3\r\n"
				  "t=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
	const struct peer *by = pick(play, 3) == 0 ? &play->far : &play->server;
	const struct peer *to = pick(play, 3) == 0 ? &play->far : &play->server;
	size_t row = pick(play, sizeof(rows) / sizeof(rows[0]));
	char headers[512];
	struct text text = TEXT_IN(headers);

	if (to->count == 0 || strstr(peer_line(to, "CSeq"), "ACK"))
		return;
	text_put_challenge(&text, rows[row].headers, by == &play->server ? 's' : 'f');
	text_printf(&text, "P-Asserted-Identity: <sip:%s>\r\n",
		by == &play->server ? "known@sip.test" : "forged@example.com");
	peer_answer(by, to, rows[row].status, headers, rows[row].sound ? sdp : "");
}

static void call(struct play *play)
{
	static const char *const targets[] = {
		"sip:bob@sip.test", "sip:bob@192.0.2.2:5070", "sip:bob@192.0.2.3"};

	pair_call(&play->pair, targets[pick(play, 3)]);
}

static void run_play(struct play *play, uint64_t seed)
{
	open_play(play, seed);
	call(play);
	for (size_t i = 0; i < STEPS; i++) {
		run_ms(&play->pair, (unsigned)(5 + pick(play, 40)));
		if (pick(play, 10) == 0)
			(void)agent_hangup(play->pair.near.agent, 1);
		else if (pick(play, 8) == 0)
			call(play);
		else
			answer(play);
	}
	close_play(play);
}

/* Also that the plays are of use: each of these happens often. */
static void test_plays(void **state)
{
	unsigned invites = 0, others = 0, preferred = 0, authorized = 0, vouched = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct play play;

		run_play(&play, seed);
		invites += play.invites;
		others += play.others;
		preferred += play.preferred;
		authorized += play.authorized;
		vouched += play.vouched;
	}
	assert_true(invites > SEEDS / 2 && others > SEEDS);
	assert_true(preferred > SEEDS / 4 && authorized > SEEDS / 20 && vouched > SEEDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plays)};

	return cmocka_run_group_tests_name("ua/identity, played", tests, NULL, NULL);
}
