/*
 * core/sip/auth, in requests and calls: whose challenges are answered, how often, and what goes to
 * nobody. The far end is one of plain bytes at 192.0.2.3, which is the account's server where the
 * test says so.
 */
#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/sip/auth.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

static size_t allowed = SIZE_MAX; /* allocations until one fails */

void *__wrap_calloc(size_t count, size_t size)
{
	if (allowed == SIZE_MAX || allowed-- > 0)
		return __real_calloc(count, size);
	allowed = SIZE_MAX;
	return NULL;
}

#define MD5(realm, nonce) "Digest realm=\"" realm "\",nonce=\"" nonce "\",qop=\"auth\""
#define PROXY(realm, nonce) "Proxy-Authenticate: " MD5(realm, nonce) "\r\n"
#define WWW(realm, nonce) "WWW-Authenticate: " MD5(realm, nonce) "\r\n"

/* With a line of its own, a is the account, c the far end. */
struct stage {
	struct pair pair;
	struct world_peer c;
	struct secret *password;
	struct sip_auth *auth;
	struct phone server; /* for phone_call() to know where that is */
};

static void open_with(struct stage *stage, bool trusted, const char *realm, bool allow_md5)
{
	struct sip_auth_config config = {
		.user = slice_of("alice"),
		.realm = slice_of(realm),
		.allow_md5 = allow_md5,
	};
	struct sip_flow flow = {.remote = world_addr("192.0.2.3:5060")};

	pair_open(&stage->pair);
	world_peer_open(&stage->c, stage->pair.c, "192.0.2.3:5060");
	assert_int_equal(secret_new(&stage->password, slice_of("secret")), 0);
	config.loop = stage->pair.a.loop;
	config.password = stage->password;
	assert_int_equal(sip_auth_new(&stage->auth, &config), 0);
	if (trusted)
		sip_auth_trust(stage->auth, &flow);
	stage->pair.a.auth = stage->auth;
	stage->server = (struct phone){.addr = flow.remote};
}

static void open_trusted(struct stage *stage)
{
	open_with(stage, true, "", true);
}

static void close_stage(struct stage *stage)
{
	world_peer_close(&stage->c);
	pair_close(&stage->pair);
	sip_auth_free(stage->auth);
	secret_free(stage->password);
}

static void run(struct stage *stage)
{
	pair_run_ms(&stage->pair, 20);
}

static void call(struct stage *stage)
{
	assert_int_equal(phone_call(&stage->pair.a, &stage->server), 0);
	run(stage);
}

/* A header of what c got last: the whole line, or "". */
static const char *line_of(const struct stage *stage, const char *name)
{
	static char lines[8][1024];
	static size_t at;
	char *room = lines[at++ % 8];
	char start[64];
	const char *found;

	snprintf(start, sizeof(start), "\r\n%s: ", name);
	found = strstr(stage->c.last, start);
	room[0] = '\0';
	if (found)
		snprintf(room, sizeof(lines[0]), "%.*s", (int)strcspn(found + 2, "\r"), found + 2);
	return room;
}

/* c answers what it got last. */
static void respond(struct stage *stage, const char *status, const char *headers)
{
	const char *to = line_of(stage, "To");

	world_peer_send(&stage->c, "192.0.2.1:5060",
		"SIP/2.0 %s\r\n%s\r\n%s\r\n%s%s\r\n%s\r\n%s\r\n%sContent-Length: 0\r\n\r\n", status,
		line_of(stage, "Via"), line_of(stage, "From"), to,
		strstr(to, ";tag=") ? "" : ";tag=c", line_of(stage, "Call-ID"),
		line_of(stage, "CSeq"), headers);
	run(stage);
}

/* How many requests of that name went to c, and how many of them had credentials. */
static void expect(const struct stage *stage, const char *name, size_t count, size_t answered)
{
	const struct pair *pair = &stage->pair;
	size_t found = 0;

	assert_int_equal(pair_count(pair, name), count);
	for (size_t i = 0; i < count; i++)
		found += strstr(pair_sent(pair, name, i)->text, "uthorization: Digest ") != NULL;
	assert_int_equal(found, answered);
}

static void expect_in(const struct stage *stage, const char *words)
{
	if (!strstr(stage->c.last, words))
		fail_msg("no \"%s\" in\n%s", words, stage->c.last);
}

/* RFC 3261, section 22: INVITE again, as the next in its Call-ID; ACK has what it had; BYE has it
 * without being asked, with the next count. */
static void test_call(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 1 INVITE");
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 2 INVITE");
	expect_in(&stage, "\r\nProxy-Authorization: Digest username=\"alice\", realm=\"sip.test\"");
	expect_in(&stage, "uri=\"sip:b@192.0.2.3:5060\"");
	expect_in(&stage, "nc=00000001");
	expect(&stage, "ACK", 1, 0);
	respond(&stage, "180 Ringing", "Contact: <sip:c@192.0.2.3>\r\n");
	respond(&stage, "200 OK", "Contact: <sip:c@192.0.2.3>\r\n");
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 2 ACK");
	expect_in(&stage, "nc=00000001");
	phone_hangup(&stage.pair.a);
	run(&stage);
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 3 BYE");
	expect_in(&stage, "nc=00000002");
	respond(&stage, "200 OK", "");
	assert_string_equal(stage.pair.a.log, "180 answered() ended(local 0 0) ");
	close_stage(&stage);
}

/* Server and proxy at once, each with its own; a third challenge to what was answered is the end.
 */
static void test_both(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	respond(&stage, "401 No", WWW("sip.test", "n2"));
	expect_in(&stage, "\r\nProxy-Authorization: Digest ");
	expect_in(&stage, "\r\nAuthorization: Digest ");
	expect(&stage, "INVITE", 3, 2);
	respond(&stage, "401 No", WWW("sip.test", "n3"));
	expect(&stage, "INVITE", 3, 2);
	assert_string_equal(stage.pair.a.log, "ended(rejected 401 0) ");
	assert_string_equal(sip_auth_words(stage.auth),
		"the password, or the name that goes with it, is wrong");
	close_stage(&stage);
}

/* What ends the call after one challenge, two challenges, ...: nothing is tried for ever. */
static void test_tries(void **state)
{
	static const struct {
		const char *challenges[5];
		size_t invites, answered;
	} rows[] = {
		{{PROXY("r", "1"), PROXY("r", "2")}, 2, 1},
		{{"Proxy-Authenticate: " MD5("r", "1") ",stale=true\r\n", PROXY("r", "2")}, 2, 1},
		{{PROXY("r", "1"), "Proxy-Authenticate: " MD5("r", "2") ",stale=true\r\n",
			 PROXY("r", "3")},
			3, 2},
		{{PROXY("r", "1"), "Proxy-Authenticate: " MD5("r", "2") ",stale=true\r\n",
			 "Proxy-Authenticate: " MD5("r", "3") ",stale=true\r\n"},
			3, 2},
		{{""}, 1, 0},
		{{"Proxy-Authenticate: Basic realm=\"r\"\r\n"}, 1, 0},
		{{"Proxy-Authenticate: Digest realm=\"r\"\r\n"}, 1, 0},
		{{WWW("r", "1")}, 1, 0}, /* not what a 407 has */
		{{"Proxy-Authenticate: " MD5("r", "1") ",algorithm=AKAv1-MD5\r\n"}, 1, 0},
		{{"Proxy-Authenticate: Basic realm=\"r\"\r\n" PROXY("r", "1"), PROXY("r", "1")}, 2,
			1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;

		open_trusted(&stage);
		call(&stage);
		for (size_t j = 0; rows[i].challenges[j]; j++)
			respond(&stage, "407 No", rows[i].challenges[j]);
		if (strcmp(stage.pair.a.log, "ended(rejected 407 0) ") != 0)
			fail_msg("row %zu: %s", i, stage.pair.a.log);
		expect(&stage, "INVITE", rows[i].invites, rows[i].answered);
		close_stage(&stage);
	}
}

/* RFC 8760, section 2.4: the topmost that we know and may use. */
static void test_algorithms(void **state)
{
	static const struct {
		const char *challenges;
		bool md5;
		const char *chosen; /* NULL: none */
	} rows[] = {
		{PROXY("r", "1"), true, "nonce=\"1\""},
		{PROXY("r", "1"), false, NULL},
		{"Proxy-Authenticate: " MD5("r", "1") ",algorithm=SHA-256\r\n" PROXY("r", "2"),
			true, "nonce=\"1\""},
		{PROXY("r", "1") "Proxy-Authenticate: " MD5("r", "2") ",algorithm=SHA-256\r\n",
			true, "nonce=\"1\""},
		{PROXY("r", "1") "Proxy-Authenticate: " MD5("r", "2") ",algorithm=SHA-256\r\n",
			false, "nonce=\"2\""},
		{"Proxy-Authenticate: " MD5("r", "1") ", " MD5("r", "2") ",algorithm=SHA-256\r\n",
			false, "nonce=\"2\""},
		{"Proxy-Authenticate: " MD5("r", "1") ",algorithm=X\r\nProxy-Authenticate: " MD5(
			 "r", "2") ",algorithm=SHA-512-256\r\n",
			true, "nonce=\"2\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;

		open_with(&stage, true, "", rows[i].md5);
		call(&stage);
		respond(&stage, "407 No", rows[i].challenges);
		expect(&stage, "INVITE", rows[i].chosen ? 2 : 1, rows[i].chosen ? 1 : 0);
		if (rows[i].chosen)
			expect_in(&stage, rows[i].chosen);
		else
			assert_string_equal(sip_auth_words(stage.auth),
				"the server knows only MD5, which allow_md5 = no forbids");
		if (rows[i].chosen)
			respond(&stage, "486 Busy", "");
		close_stage(&stage);
	}
}

/* Another next hop than the account names, or another realm: nothing. */
static void test_strangers(void **state)
{
	struct stage stage;

	(void)state;
	open_with(&stage, false, "", true);
	call(&stage);
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	expect(&stage, "INVITE", 1, 0);
	assert_string_equal(stage.pair.a.log, "ended(rejected 407 0) ");
	close_stage(&stage);

	open_with(&stage, true, "sip.test", true);
	call(&stage);
	respond(&stage, "401 No", WWW("evil.test", "n1"));
	expect(&stage, "INVITE", 1, 0);
	assert_string_equal(sip_auth_words(stage.auth),
		"the password was asked for by \"evil.test\", and is for \"sip.test\" only");
	close_stage(&stage);
}

/* What a hop has asked for once goes to no other. */
static void test_elsewhere(void **state)
{
	struct stage stage;
	struct sip_flow other = {.remote = world_addr("192.0.2.3:5062")};

	(void)state;
	open_with(&stage, false, "", true);
	sip_auth_trust(stage.auth, &other);
	assert_true(sip_auth_trusts(stage.auth, &other));
	call(&stage);
	respond(&stage, "401 No", WWW("sip.test", "n1"));
	expect(&stage, "INVITE", 1, 0);
	close_stage(&stage);
}

/*
 * The digest leak: who is called, beyond the account's proxy, challenges our BYE in its name. What
 * answers the proxy's own nonce goes along all the same, and is of no use to him.
 */
static void test_leak(void **state)
{
	static const char far[] = "Contact: <sip:evil@192.0.2.66>\r\n"
				  "Record-Route: <sip:192.0.2.3;lr>\r\n";
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	respond(&stage, "200 OK", far);
	phone_hangup(&stage.pair.a);
	run(&stage);
	expect_in(&stage, "nonce=\"n1\"");
	respond(&stage, "407 No", PROXY("sip.test", "evil"));
	expect(&stage, "BYE", 1, 1);
	assert_string_equal(stage.pair.a.log, "answered() ended(local 0 0) ");
	close_stage(&stage);
}

/* Nor is he the first to say what realm the account is of. */
static void test_first_word(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	respond(&stage, "200 OK",
		"Contact: <sip:evil@192.0.2.66>\r\nRecord-Route: <sip:192.0.2.3;lr>\r\n");
	assert_int_equal(phone_change(&stage.pair.a), 0);
	run(&stage);
	respond(&stage, "407 No", PROXY("evil.test", "n1"));
	expect(&stage, "INVITE", 2, 0);
	assert_string_equal(stage.pair.a.log, "answered() unchanged(407) ");
	phone_hangup(&stage.pair.a);
	run(&stage);
	respond(&stage, "200 OK", "");
	close_stage(&stage);
}

/* The server itself, which is the far end of a call through it, may ask anything. */
static void test_server(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	respond(&stage, "200 OK", "Contact: <sip:192.0.2.3>\r\n");
	assert_int_equal(phone_change(&stage.pair.a), 0);
	run(&stage);
	respond(&stage, "401 No", WWW("sip.test", "n1"));
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 3 INVITE");
	respond(&stage, "200 OK", "Contact: <sip:192.0.2.3>\r\n");
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 3 ACK");
	expect_in(&stage, "Authorization: Digest ");
	phone_hangup(&stage.pair.a);
	run(&stage);
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 4 BYE");
	respond(&stage, "401 No", "WWW-Authenticate: " MD5("sip.test", "n2") ",stale=true\r\n");
	assert_string_equal(line_of(&stage, "CSeq"), "CSeq: 5 BYE");
	expect_in(&stage, "nonce=\"n2\"");
	respond(&stage, "200 OK", "");
	assert_string_equal(stage.pair.a.log, "answered() changed() ended(local 0 0) ");
	close_stage(&stage);
}

/* In a call that came by the proxy, whoever asks is the caller. */
static void test_called(void **state)
{
	struct stage stage;

	(void)state;
	open_with(&stage, true, "sip.test", true);
	stage.pair.a.accept = true;
	world_peer_send(&stage.c, "192.0.2.1:5060",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK1\r\n"
		"Record-Route: <sip:192.0.2.3;lr>\r\nMax-Forwards: 70\r\n"
		"From: <sip:evil@192.0.2.66>;tag=e\r\nTo: <sip:a@192.0.2.1>\r\nCall-ID: x\r\n"
		"CSeq: 7 INVITE\r\nContact: <sip:evil@192.0.2.66>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\noffer");
	run(&stage);
	world_peer_send(&stage.c, "192.0.2.1:5060",
		"ACK sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK2\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:evil@192.0.2.66>;tag=e\r\n%s\r\nCall-ID: x\r\n"
		"CSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n",
		line_of(&stage, "To"));
	run(&stage);
	assert_int_equal(phone_change(&stage.pair.a), 0);
	run(&stage);
	respond(&stage, "407 No", PROXY("sip.test", "evil"));
	expect(&stage, "INVITE", 2, 0); /* theirs, and ours */
	assert_non_null(strstr(stage.pair.a.log, "unchanged(407) "));
	phone_hangup(&stage.pair.a);
	run(&stage);
	respond(&stage, "401 No", WWW("sip.test", "evil"));
	expect(&stage, "BYE", 1, 0);
	close_stage(&stage);
}

/* Who has given up answers no challenge; CANCEL has no credentials. */
static void test_cancel(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	call(&stage);
	phone_hangup(&stage.pair.a);
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	expect(&stage, "INVITE", 1, 0);
	assert_string_equal(stage.pair.a.log, "ended(local 407 0) ");
	close_stage(&stage);

	open_trusted(&stage);
	call(&stage);
	respond(&stage, "100 Trying", "");
	respond(&stage, "407 No", PROXY("sip.test", "n1"));
	phone_hangup(&stage.pair.a); /* nothing has come back to the second one */
	run(&stage);
	expect(&stage, "CANCEL", 0, 0);
	respond(&stage, "180 Ringing", "");
	expect(&stage, "CANCEL", 1, 0);
	respond(&stage, "200 OK", "");
	pair_run_ms(&stage.pair, 40000);
	close_stage(&stage);
}

/* Whatever allocation fails, the call ends and nothing stays behind. */
static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 40; i++) {
		struct stage stage;

		open_trusted(&stage);
		call(&stage);
		allowed = i;
		respond(&stage, "407 No", PROXY("sip.test", "n1"));
		allowed = SIZE_MAX;
		phone_hangup(&stage.pair.a);
		pair_run_ms(&stage.pair, 70000);
		close_stage(&stage);
	}
	for (size_t i = 0; i < 3; i++) {
		struct sip_auth_config config = {.user = slice_of("a"), .realm = slice_of("r")};
		struct sip_auth *auth;

		allowed = i;
		assert_int_equal(sip_auth_new(&auth, &config), -ENOMEM);
		allowed = SIZE_MAX;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_leak),
		cmocka_unit_test(test_first_word),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_called),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
