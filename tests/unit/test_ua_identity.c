/*
 * core/ua/identity, and calls by it: who is believed to call or to have answered, and who learns
 * of us. The account's server is one of plain bytes at 192.0.2.3, a stranger sits beside the far
 * end.
 */
#include "core/base/secret.h"
#include "core/ua/identity.h"
#include "tests/unit/ua_pair.h"
#include "tests/unit/ua_peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define HEAD                                                                                       \
	"INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK1\r\n"     \
	"Max-Forwards: 70\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"        \
	"Contact: <sip:c@192.0.2.3>\r\nContent-Length: 0\r\n"
#define FROM "From: \"Mallory\" <sip:m@h>;tag=1\r\n"
#define PAI "P-Asserted-Identity: "

static struct sip_msg *parse(const char *more)
{
	struct sip_msg *msg;
	char room[2048];

	snprintf(room, sizeof(room), "%s%s\r\n", HEAD, more);
	assert_int_equal(sip_msg_parse(&msg, slice_of(room)), 0);
	return msg;
}

/* clang-format off */
static const struct {
	const char *headers;
	const char *uri; /* NULL: nobody is named */
	const char *display;
} asserted[] = {
	{"", NULL, NULL},
	{PAI "<sip:c@h>\r\n", "sip:c@h", ""},
	{PAI "sip:c@h\r\n", "sip:c@h", ""},
	{"p-asserted-identity: Carol <sips:c@h>\r\n", "sips:c@h", "Carol"},
	{PAI "\"C > \\\"D\\\", E\" <sip:c@h;user=phone>, <tel:+1>\r\n",
		"sip:c@h;user=phone", "C > \\\"D\\\", E"},
	{PAI "<tel:+49-30>\r\n", "tel:+49-30", ""},
	{PAI "<tel:+1>, \"Carol\" <sip:c@h>\r\n", "sip:c@h", "Carol"},
	{PAI "<tel:+1>\r\n" PAI "<sip:c@h>\r\n", "sip:c@h", ""},
	{PAI "<sip:c@h>, <sip:d@h>, <sip:e@h>\r\n", "sip:c@h", ""},
	{PAI "<tel:+1>, <tel:+2>\r\n", "tel:+1", ""},
	{PAI "broken <, <sip:d@h>\r\n", NULL, NULL},
	{PAI "<mailto:c@h>\r\n", NULL, NULL},
	{PAI "<mailto:c@h>, <tel:12>\r\n", "tel:12", ""},
	{PAI "*\r\n", NULL, NULL},
	{PAI "\r\n", NULL, NULL},
	{"P-Preferred-Identity: <sip:c@h>\r\n", NULL, NULL},
};

static const struct {
	const char *headers;
	bool withheld;
} withheld[] = {
	{FROM, false},
	{"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\n", true},
	{"From: <sip:x@ANONYMOUS.invalid>;tag=1\r\n", true},
	{"From: <sip:x@a.anonymous.invalid>;tag=1\r\n", true},
	{"From: <sip:x@notanonymous.invalid>;tag=1\r\n", false},
	{"From: <sip:x@invalid>;tag=1\r\n", false},
	{"From: anonymous <sip:x@h>;tag=1\r\n", true},
	{"From: \"Anonymous Coward\" <sip:x@h>;tag=1\r\n", false},
	{"From: <sip:anonymous@h>;tag=1\r\n", false},
	{"From: <tel:+1>;tag=1\r\n", false},
	{FROM "Privacy: id\r\n", true},
	{FROM "Privacy: header;ID; critical\r\n", true},
	{FROM "Privacy: user\r\n", true},
	{FROM "Privacy: none\r\n", false},
	{FROM "Privacy: header;session\r\n", false},
	{FROM "Privacy: idle\r\n", false},
	{FROM "Privacy:\r\n", false},
};

static const struct {
	const char *typed;
	const char *made; /* NULL: refused */
	const char *words;
} own[] = {
	{"alice@example.org", "<sip:alice@example.org>", NULL},
	{"sip:alice@example.org", "<sip:alice@example.org>", NULL},
	{"<sips:alice@example.org:5071>", "<sips:alice@example.org:5071>", NULL},
	{"\"A \\\"B\\\"\" <sip:a@b>", "\"A \\\"B\\\"\" <sip:a@b>", NULL},
	{"Alice <sip:a@b>", "\"Alice\" <sip:a@b>", NULL},
	{"tel:+49-30-1", "<tel:+49-30-1>", NULL},
	{"", NULL, "empty"},
	{"alice", NULL, "NAME@HOST"},
	{"example.org", NULL, "a user is needed"},
	{"<sip:a@b>;x=y", NULL, "an address alone"},
	{"<sip:a@b?x=y>", NULL, "an address alone"},
	{"sip:a@b?x=y", NULL, "a header cannot be given"},
	{"mailto:a@b", NULL, "not a SIP address"},
	{"<sip:a@b>, <tel:+1>", NULL, "behind the bracket"},
	{"*", NULL, "NAME@HOST"},
};
/* clang-format on */

static void test_asserted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(asserted) / sizeof(asserted[0]); i++) {
		char room[1024];
		struct sip_name_addr name;
		struct sip_msg *msg;

		snprintf(room, sizeof(room), "%s%s", FROM, asserted[i].headers);
		msg = parse(room);
		if (identity_asserted(&name, msg) != (asserted[i].uri != NULL) ||
			(asserted[i].uri && (!slice_is(name.uri_text, asserted[i].uri) ||
						    !slice_is(name.display, asserted[i].display))))
			fail_msg("%s", asserted[i].headers);
		sip_msg_free(msg);
	}
}

static void test_withheld(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(withheld) / sizeof(withheld[0]); i++) {
		struct sip_msg *msg = parse(withheld[i].headers);

		if (identity_is_withheld(msg) != withheld[i].withheld)
			fail_msg("%s", withheld[i].headers);
		sip_msg_free(msg);
	}
}

static void test_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		char room[IDENTITY_SIZE];
		struct text text = TEXT_IN(room);
		struct fault why;
		int err = identity_read(&text, slice_of(own[i].typed), &why);

		if (err != (own[i].made ? 0 : -EINVAL))
			fail_msg("%s: %d", own[i].typed, err);
		if (own[i].made)
			assert_string_equal(room, own[i].made);
		else if (!strstr(why.words, own[i].words))
			fail_msg("%s: %s", own[i].typed, why.words);
	}
}

struct stage {
	struct pair pair;
	struct world_host *host;
	struct peer server;   /* 192.0.2.3:5060 */
	struct peer stranger; /* 192.0.2.2:5070, where the far end is, too */
	struct secret *password;
	char said[1024]; /* of the events of the near end */
};

static void on_event(void *arg, const struct ua_event *event)
{
	struct stage *stage = arg;
	size_t len = strlen(stage->said);

	if (event->kind != UA_CALL_INCOMING && event->kind != UA_CALL_RINGING &&
		event->kind != UA_CALL_ANSWERED && event->kind != UA_CALL_ENDED)
		return;
	snprintf(stage->said + len, sizeof(stage->said) - len, "%s(%.*s|%.*s|%.*s%s) ",
		ua_event_name(event->kind) + strlen("call."), (int)event->peer.len,
		(const char *)event->peer.data, (int)event->display.len,
		(const char *)event->display.data, (int)event->asserted.len,
		(const char *)event->asserted.data,
		event->kind == UA_CALL_INCOMING && event->way.anonymous ? " anonymous" : "");
}

static void expect_said(struct stage *stage, const char *said)
{
	assert_string_equal(stage->said, said);
	stage->said[0] = '\0';
}

static void open_stage(struct stage *stage, const struct ua_account *account,
	enum ua_anonymous anonymous, struct ua_policy policy)
{
	struct ua_account made = *account;
	struct fault why;

	memset(stage, 0, sizeof(*stage));
	pair_init(&stage->pair, policy, (struct ua_policy){.ring = true});
	stage->pair.near.config.event = on_event;
	stage->pair.near.config.arg = stage;
	stage->pair.near.config.user = "tester";
	stage->pair.near.config.anonymous = anonymous;
	pair_start(&stage->pair);
	stage->said[0] = '\0';
	assert_int_equal(world_host_new(&stage->host, stage->pair.world, &nowhere), 0);
	peer_open(&stage->server, stage->host, &nowhere, 5060);
	peer_open(&stage->stranger, stage->pair.there, &there, 5070);
	if (!made.aor)
		return;
	assert_int_equal(secret_new(&stage->password, slice_of("secret")), 0);
	made.password = stage->password;
	made.registrar = "192.0.2.3";
	assert_int_equal(agent_add_account(stage->pair.near.agent, &made, &why), 0);
}

/* Neither server says any more what is waited for. */
static void close_stage(struct stage *stage)
{
	peer_close(&stage->server);
	peer_close(&stage->stranger);
	pair_close(&stage->pair);
	secret_free(stage->password);
}

static void answer_with(struct stage *stage, const struct peer *by, const struct peer *to,
	const char *status, const char *headers, const char *body)
{
	peer_answer(by, to, status, headers, body);
	run_ms(&stage->pair, 20);
}

static void answer(struct stage *stage, const struct peer *by, const struct peer *to,
	const char *status, const char *headers)
{
	answer_with(stage, by, to, status, headers, "");
}

static void expect_lines(const struct peer *peer, const char *privacy, const char *preferred)
{
	assert_string_equal(peer_line(peer, "Privacy"), privacy);
	assert_string_equal(peer_line(peer, "P-Preferred-Identity"), preferred);
}

static const struct ua_account alice = {.aor = "alice@sip.test", .display = "Alice A"};
static const struct ua_account vouched = {
	.aor = "alice@sip.test", .identity = "\"A\" <sip:office@sip.test>"};
static const struct ua_account hidden = {.aor = "alice@sip.test", .anonymous = true};
static const struct ua_account nobody = {.aor = NULL};

/* What an INVITE says of us: to the account's server, and to whom else it calls. */
static void test_who_we_are(void **state)
{
	static const struct {
		const struct ua_account *account;
		enum ua_anonymous anonymous;
		const char *from, *privacy, *preferred; /* the last: to the server alone */
	} rows[] = {
		{&alice, UA_ANONYMOUS_ACCOUNT, "From: \"Alice A\" <sip:alice@sip.test>;tag=", "",
			""},
		{&vouched, UA_ANONYMOUS_ACCOUNT, "From: <sip:alice@sip.test>;tag=", "",
			"P-Preferred-Identity: \"A\" <sip:office@sip.test>"},
		{&alice, UA_ANONYMOUS_ON,
			"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id",
			"P-Preferred-Identity: <sip:alice@sip.test>"},
		{&vouched, UA_ANONYMOUS_ON,
			"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id",
			"P-Preferred-Identity: \"A\" <sip:office@sip.test>"},
		{&hidden, UA_ANONYMOUS_ACCOUNT,
			"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id",
			"P-Preferred-Identity: <sip:alice@sip.test>"},
		{&hidden, UA_ANONYMOUS_OFF, "From: <sip:alice@sip.test>;tag=", "", ""},
		{&nobody, UA_ANONYMOUS_ON,
			"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=", "Privacy: id",
			""},
		{&nobody, UA_ANONYMOUS_ACCOUNT, "From: <sip:tester@192.0.2.1>;tag=", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool anonymous = rows[i].privacy[0] != '\0';
		struct stage stage;

		open_stage(&stage, rows[i].account, rows[i].anonymous, (struct ua_policy){0});
		pair_call(&stage.pair, "sip:bob@192.0.2.2:5070"); /* not by the server */
		run_ms(&stage.pair, 20);
		assert_memory_equal(
			peer_line(&stage.stranger, "From"), rows[i].from, strlen(rows[i].from));
		expect_lines(&stage.stranger, rows[i].privacy, "");
		if (anonymous) {
			assert_null(strstr(stage.stranger.last, "alice"));
			assert_null(strstr(stage.stranger.last, "office"));
			assert_null(strstr(stage.stranger.last, "tester"));
			assert_null(strchr(peer_line(&stage.stranger, "Call-ID"), '@'));
			assert_string_equal(peer_line(&stage.stranger, "Contact"),
				"Contact: <sip:192.0.2.1:5060>");
		}
		answer(&stage, &stage.stranger, &stage.stranger, "486 No", "");
		if (rows[i].account->aor) {
			pair_call(&stage.pair, "bob");
			run_ms(&stage.pair, 20);
			assert_memory_equal(peer_line(&stage.server, "From"), rows[i].from,
				strlen(rows[i].from));
			expect_lines(&stage.server, rows[i].privacy, rows[i].preferred);
			answer(&stage, &stage.server, &stage.server, "486 No", "");
		}
		close_stage(&stage);
	}
}

/* The server sends the call elsewhere: it is no hop of the account any more. */
static void test_redirected(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, &vouched, UA_ANONYMOUS_ON, (struct ua_policy){0});
	pair_call(&stage.pair, "bob");
	run_ms(&stage.pair, 20);
	answer(&stage, &stage.server, &stage.server, "180 Ringing",
		PAI "Bob <sip:bob2@sip.test>\r\n");
	expect_said(&stage, "ringing(sip:bob@sip.test|Bob|sip:bob2@sip.test) ");
	answer(&stage, &stage.server, &stage.server, "302 Moved",
		"Contact: <sip:carol@192.0.2.2:5070>\r\n");
	run_ms(&stage.pair, 100);
	assert_memory_equal(stage.stranger.last, "INVITE sip:carol@", 17);
	expect_lines(&stage.stranger, "Privacy: id", "");
	assert_null(strstr(stage.stranger.last, "alice"));
	assert_null(strstr(stage.stranger.last, "office"));
	answer(&stage, &stage.stranger, &stage.stranger, "180 Ringing", PAI "<sip:police@h>\r\n");
	expect_said(&stage, "ringing(sip:bob@sip.test||) ");
	answer(&stage, &stage.stranger, &stage.stranger, "486 No", "");
	close_stage(&stage);
}

/* Whoever the call has gone through has read our Via, and where the server expects answers. */
static void test_round_the_server(void **state)
{
	static const char challenge[] =
		"WWW-Authenticate: Digest realm=\"sip.test\",nonce=\"n\",algorithm=SHA-256\r\n";
	struct ua_account account = alice;
	struct stage stage;

	(void)state;
	account.realm = "sip.test";
	open_stage(&stage, &account, UA_ANONYMOUS_ACCOUNT, (struct ua_policy){0});
	pair_call(&stage.pair, "bob");
	run_ms(&stage.pair, 20);
	answer(&stage, &stage.stranger, &stage.server, "180 Ringing", PAI "<sip:police@h>\r\n");
	expect_said(&stage, "ringing(sip:bob@sip.test||) ");
	answer(&stage, &stage.server, &stage.server, "486 No", "");
	close_stage(&stage);

	open_stage(&stage, &account, UA_ANONYMOUS_ACCOUNT, (struct ua_policy){0});
	pair_call(&stage.pair, "bob");
	run_ms(&stage.pair, 20);
	answer(&stage, &stage.stranger, &stage.server, "401 No", challenge);
	assert_null(strstr(stage.server.last, "uthorization: "));
	close_stage(&stage);

	open_stage(&stage, &account, UA_ANONYMOUS_ACCOUNT, (struct ua_policy){0});
	pair_call(&stage.pair, "bob");
	run_ms(&stage.pair, 20);
	answer(&stage, &stage.server, &stage.server, "401 No", challenge);
	assert_non_null(strstr(stage.server.last, "uthorization: "));
	answer(&stage, &stage.server, &stage.server, "486 No", "");
	close_stage(&stage);
}

/* What is asked for goes with INVITE; ACK and BYE reach who is called, and have a name in it. */
static void test_credentials_have_a_name(void **state)
{
	static const char challenge[] =
		"Proxy-Authenticate: Digest realm=\"sip.test\",nonce=\"n\",algorithm=SHA-256\r\n";
	static const struct {
		const struct ua_account *account;
		bool carries;
	} rows[] = {{&alice, true}, {&hidden, false}};
	const char *sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.3\r\n"
			  "t=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;

		open_stage(&stage, rows[i].account, UA_ANONYMOUS_ACCOUNT, (struct ua_policy){0});
		pair_call(&stage.pair, "bob");
		run_ms(&stage.pair, 20);
		answer(&stage, &stage.server, &stage.server, "407 No", challenge);
		assert_non_null(strstr(stage.server.last, "Authorization: "));
		answer_with(&stage, &stage.server, &stage.server, "200 OK",
			"Content-Type: application/sdp\r\n", sdp);
		assert_memory_equal(stage.server.last, "ACK ", 4);
		assert_int_equal(
			strstr(stage.server.last, "Authorization: ") != NULL, rows[i].carries);
		assert_int_equal(agent_hangup(stage.pair.near.agent, 1), 0);
		run_ms(&stage.pair, 20);
		assert_memory_equal(stage.server.last, "BYE ", 4);
		assert_int_equal(
			strstr(stage.server.last, "Authorization: ") != NULL, rows[i].carries);
		answer(&stage, &stage.server, &stage.server, "200 OK", "");
		close_stage(&stage);
	}
}

/* An INVITE for the account, from either. */
static void call_in_by(struct stage *stage, const struct peer *by, const char *headers)
{
	static unsigned count;
	struct addr near = here;
	char room[2048];
	int len;

	near.port = 5060;
	count++;
	len = snprintf(room, sizeof(room),
		"INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
		"To: <sip:alice@sip.test>\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:c@192.0.2.3>\r\n%sContent-Length: 0\r\n\r\n",
		count, count, headers);
	assert_int_equal(udp_send(by->udp, &near, (struct slice){(uint8_t *)room, (size_t)len}), 0);
	run_ms(&stage->pair, 20);
}

static void expect_status(const struct peer *peer, const char *status)
{
	assert_memory_equal(peer->last, status, strlen(status));
}

/* A 486 to all, as nobody is there: each is told all the same. */
static void test_who_calls(void **state)
{
	static const struct {
		const char *headers, *by_server, *by_stranger;
	} rows[] = {
		{FROM, "incoming(sip:m@h|Mallory|) ", "incoming(sip:m@h|Mallory|) "},
		{FROM PAI "\"Ca\\\\rol\" <sip:c@sip.test>, <tel:+1>\r\n",
			"incoming(sip:c@sip.test|Ca\\rol|sip:c@sip.test) ",
			"incoming(sip:m@h|Mallory|) "},
		{FROM PAI "<tel:+1>\r\n", "incoming(tel:+1||tel:+1) ",
			"incoming(sip:m@h|Mallory|) "},
		{"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\nPrivacy: "
		 "id\r\n" PAI "\"Carol\" <sip:c@sip.test>\r\n",
			"incoming(sip:c@sip.test|Carol|sip:c@sip.test anonymous) ",
			"incoming(sip:anonymous@anonymous.invalid|Anonymous| anonymous) "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const ended[] = {rows[i].by_server, rows[i].by_stranger};
		struct stage stage;

		open_stage(&stage, &alice, UA_ANONYMOUS_ACCOUNT, (struct ua_policy){0});
		pair_call(&stage.pair, "bob"); /* so that the server is known */
		run_ms(&stage.pair, 20);
		answer(&stage, &stage.server, &stage.server, "486 No", "");
		stage.said[0] = '\0';
		for (size_t j = 0; j < 2; j++) {
			const struct peer *by = j == 0 ? &stage.server : &stage.stranger;

			call_in_by(&stage, by, rows[i].headers);
			expect_status(by, "SIP/2.0 486 ");
			assert_memory_equal(stage.said, ended[j], strlen(ended[j]));
			stage.said[0] = '\0';
		}
		close_stage(&stage);
	}
}

static void test_rejects_the_anonymous(void **state)
{
	static const char anonymous[] = "From: <sip:anonymous@anonymous.invalid>;tag=1\r\n";
	struct stage stage;

	(void)state;
	open_stage(&stage, &nobody, UA_ANONYMOUS_ACCOUNT,
		(struct ua_policy){.ring = true, .reject_anonymous = true});
	call_in_by(&stage, &stage.stranger, anonymous);
	expect_status(&stage.stranger, "SIP/2.0 433 Anonymity Disallowed\r\n");
	call_in_by(&stage, &stage.stranger, FROM);
	expect_status(&stage.stranger, "SIP/2.0 180 ");
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asserted),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_who_we_are),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_round_the_server),
		cmocka_unit_test(test_credentials_have_a_name),
		cmocka_unit_test(test_who_calls),
		cmocka_unit_test(test_rejects_the_anonymous),
	};

	return cmocka_run_group_tests_name("ua/identity", tests, NULL, NULL);
}
