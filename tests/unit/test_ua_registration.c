/*
 * core/ua/registration: what a registrar of plain bytes at 192.0.2.3 gets and says, and when it is
 * asked again.
 */
#include "core/base/text.h"
#include "core/ua/config.h"
#include "core/ua/lifeline.h"
#include "core/ua/registration.h"
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

struct stage {
	struct pair pair;
	struct world_peer c, d; /* 192.0.2.3:5060 and :5070 */
	struct ua_account account;
	struct sip_auth *auth;
	struct registration *registration;
	char log[1024];
	uint32_t retry_s; /* of the last failure */
	bool stop;        /* within the next event */
	bool start;
	bool anonymous;   /* as who calls */
	const char *seen; /* what the Via of answers has in the place of ";rport"; or NULL */
};

static void need(void *arg, enum sip_transport_kind kind)
{
	(void)arg;
	(void)kind;
}

static void note(struct stage *stage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct stage *stage, const char *format, ...)
{
	size_t len = strlen(stage->log);
	va_list args;

	va_start(args, format);
	vsnprintf(stage->log + len, sizeof(stage->log) - len, format, args);
	va_end(args);
}

static void told(void *arg, const struct registration_news *news)
{
	static const char *const kinds[] = {"ok", "failed", "lost", "gone"};
	struct stage *stage = arg;

	note(stage, "%s", kinds[news->kind]);
	if (news->kind == REGISTRATION_OK)
		note(stage, "(%u %.*s)", news->expires_s, (int)news->contact.len,
			(const char *)news->contact.data);
	else if (news->kind != REGISTRATION_GONE)
		note(stage, "(%u%s%s)", news->code, news->words ? " " : "",
			news->words ? news->words : "");
	note(stage, " ");
	stage->retry_s = news->retry_s;
	if (stage->stop) {
		stage->stop = false;
		registration_stop(stage->registration);
	}
	if (stage->start) {
		stage->start = false;
		registration_start(stage->registration);
	}
}

static void make_registration(struct stage *stage)
{
	const struct registration_config config = {
		.loop = stage->pair.a.loop,
		.stack = stage->pair.a.stack,
		.account = &stage->account,
		.auth = stage->auth,
		.need = need,
		.told = told,
		.arg = stage,
	};

	assert_int_equal(registration_new(&stage->registration, &config), 0);
}

static void open_stage(struct stage *stage, const char *registrar, const char *proxy)
{
	struct sip_auth_config auth = {.user = slice_of("alice")};

	*stage = (struct stage){.retry_s = 0};
	pair_open(&stage->pair);
	world_peer_open(&stage->c, stage->pair.c, "192.0.2.3:5060");
	world_peer_open(&stage->d, stage->pair.c, "192.0.2.3:5070");
	stage->account = (struct ua_account){.name = "work",
		.aor = "sip:alice@sip.test",
		.user = "alice",
		.registrar = registrar,
		.proxy = proxy,
		.expires_s = 600};
	auth.loop = stage->pair.a.loop;
	assert_int_equal(sip_auth_new(&stage->auth, &auth), 0);
	make_registration(stage);
}

static void close_stage(struct stage *stage)
{
	registration_free(stage->registration);
	world_peer_close(&stage->c);
	world_peer_close(&stage->d);
	pair_close(&stage->pair);
	sip_auth_free(stage->auth);
}

static void run_s(struct stage *stage, double seconds)
{
	pair_run_ms(&stage->pair, (uint64_t)(seconds * 1000));
}

static void begin(struct stage *stage)
{
	registration_start(stage->registration);
	run_s(stage, 0.02);
}

/* The Via of an answer says where the request came from (RFC 3581). */
static void put_seen(char *line, size_t size, const char *seen)
{
	char *at = strstr(line, ";rport"), rest[256];

	if (!seen)
		return;
	assert_non_null(at);
	snprintf(rest, sizeof(rest), "%s", at + strlen(";rport"));
	snprintf(at, size - (size_t)(at - line), "%s%s", seen, rest);
}

static void respond_as(
	struct stage *stage, struct world_peer *peer, const char *status, const char *headers)
{
	char copied[2048] = "";
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char start[32];
		const char *line;

		snprintf(start, sizeof(start), "\r\n%s: ", names[i]);
		line = strstr(peer->last, start);
		assert_non_null(line);
		snprintf(copied + strlen(copied), sizeof(copied) - strlen(copied), "%.*s%s\r\n",
			(int)strcspn(line + 2, "\r"), line + 2,
			strcmp(names[i], "To") == 0 ? ";tag=r" : "");
		if (i == 0)
			put_seen(copied, sizeof(copied), stage->seen);
	}
	world_peer_send(peer, "192.0.2.1:5060", "SIP/2.0 %s\r\n%s%sContent-Length: 0\r\n\r\n",
		status, copied, headers);
	run_s(stage, 0.02);
}

static void respond(struct stage *stage, const char *status, const char *headers)
{
	respond_as(stage, &stage->c, status, headers);
}

static void expect_log(struct stage *stage, const char *log)
{
	assert_string_equal(stage->log, log);
	stage->log[0] = '\0';
}

#define OURS "<sip:alice@192.0.2.1:5060>"
#define OK_LOG(seconds) "ok(" seconds " sip:alice@192.0.2.1:5060) "

static void test_register(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	assert_match(stage.c.last,
		"REGISTER sip:192.0.2.3 SIP/2.0\r\nVia: *\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@sip.test>;tag=*\r\nTo: <sip:alice@sip.test>\r\nCall-ID: *\r\n"
		"Contact: " OURS "\r\nExpires: 600\r\nSupported: path\r\nCSeq: 1 REGISTER\r\n"
		"User-Agent: test\r\nContent-Length: 0\r\n\r\n");
	respond(&stage, "200 OK",
		"Contact: <sip:alice@192.0.2.9>;expires=7, " OURS ";expires=300\r\n");
	expect_log(&stage, OK_LOG("300"));
	assert_true(registration_stands(stage.registration));
	run_s(&stage, 219);
	assert_int_equal(stage.c.count, 1);
	run_s(&stage, 1.3); /* it is refreshed in time for two tries */
	assert_int_equal(stage.c.count, 2);
	assert_non_null(strstr(stage.c.last, "CSeq: 2 REGISTER"));
	respond(&stage, "200 OK", "Expires: 60\r\n");
	expect_log(&stage, OK_LOG("60"));
	run_s(&stage, 30.3);
	assert_int_equal(stage.c.count, 3);
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_stop(stage.registration);
	run_s(&stage, 0.02);
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	expect_log(&stage, "");
	respond(&stage, "200 OK", "");
	expect_log(&stage, "gone ");
	assert_true(registration_is_off(stage.registration));
	close_stage(&stage);
}

/* Its name leads to another address meanwhile: it is looked up each time. */
static void test_registrar_moves(void **state)
{
	struct world_peer other;
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:sip.test:5060", NULL);
	stage.pair.world.name = "sip.test";
	stage.pair.world.name_addr[0] = world_addr("192.0.2.3:0");
	stage.pair.world.name_addr_count = 1;
	begin(&stage);
	respond(&stage, "200 OK", "Expires: 60\r\n");
	expect_log(&stage, OK_LOG("60"));

	world_peer_open(&other, world_host(&stage.pair.world, "192.0.2.8"), "192.0.2.8:5060");
	stage.pair.world.name_addr[0] = world_addr("192.0.2.8:0");
	run_s(&stage, 31);
	assert_int_equal(stage.c.count, 1);
	assert_non_null(strstr(other.last, "CSeq: 2 REGISTER"));
	respond_as(&stage, &other, "200 OK", "Expires: 60\r\n");
	expect_log(&stage, OK_LOG("60"));
	world_peer_close(&other);
	close_stage(&stage);
}

/* What a registrar says, in turn, and what comes of it. */
static void test_answers(void **state)
{
	static const struct {
		const char *status[4], *headers[4], *log;
		size_t asked;
		bool off; /* it is not tried again */
	} rows[] = {
		{{"403 Forbidden"}, {""}, "failed(403) ", 1, false},
		{{"401 No"}, {""},
			"failed(401 the server asks for a password in a way that cannot be read) ",
			1, true},
		{{"401 No"}, {"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n"},
			"failed(401 the server knows only MD5, which allow_md5 = no forbids) ", 1,
			true},
		{{"503 No"}, {"Retry-After: 900\r\n"}, "failed(503) ", 1, false},
		{{"423 Brief", "200 OK"}, {"Min-Expires: 1800\r\n", ""}, OK_LOG("1800"), 2, false},
		{{"423 Brief", "423 Brief"}, {"Min-Expires: 1800\r\n", "Min-Expires: 3600\r\n"},
			"failed(423) ", 2, false},
		{{"423 Brief"}, {"Min-Expires: 600\r\n"}, "failed(423) ", 1, false},
		{{"423 Brief"}, {"Min-Expires: x\r\n"}, "failed(423) ", 1, false},
		{{"423 Brief"}, {""}, "failed(423) ", 1, false},
		{{"200 OK"}, {"Contact: " OURS ";expires=0\r\n"},
			"failed(0 the registrar has taken it back at once) ", 1, false},
		{{"302 There"}, {""}, "failed(302) ", 1, false},
		{{"302 There"}, {"Contact: *\r\n"}, "failed(302) ", 1, false},
		{{"100 Trying", "200 OK"}, {"", "Contact: " OURS ";expires=99999\r\n"},
			OK_LOG("600"), 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;

		open_stage(&stage, "sip:192.0.2.3", NULL);
		begin(&stage);
		for (size_t j = 0; rows[i].status[j]; j++)
			respond(&stage, rows[i].status[j], rows[i].headers[j]);
		if (strcmp(stage.log, rows[i].log) != 0)
			fail_msg("row %zu: %s", i, stage.log);
		assert_int_equal(stage.c.count, rows[i].asked);
		assert_int_equal(registration_is_off(stage.registration), rows[i].off);
		if (strstr(rows[i].headers[0], "Retry-After"))
			assert_int_equal(stage.retry_s, 900);
		close_stage(&stage);
	}
}

/* RFC 5626, section 4.5: longer each time, but never longer than half an hour; at once well again.
 */
static void test_back_off(void **state)
{
	uint32_t upper = 60;
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	respond(&stage, "200 OK", "");
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	for (size_t i = 0; i < 12; i++) {
		size_t asked = stage.c.count;

		stage.log[0] = '\0';
		respond(&stage, "500 No", "");
		expect_log(&stage, i == 0 ? "lost(500) " : "failed(500) ");
		assert_in_range(stage.retry_s, upper / 2, upper);
		run_s(&stage, stage.retry_s - 1);
		assert_int_equal(stage.c.count, asked);
		run_s(&stage, 1.3);
		assert_int_equal(stage.c.count, asked + 1);
		upper = upper < 900 ? 2 * upper : 1800;
	}
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "500 No", "");
	assert_in_range(stage.retry_s, 30, 60);
	close_stage(&stage);
}

/* A registrar that is not there, or does not answer. */
static void test_silence(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	run_s(&stage, 33);
	expect_log(&stage, "failed(0 nothing came back from 192.0.2.3:5060) ");
	close_stage(&stage);

	open_stage(&stage, "sip:192.0.2.3:9", NULL);
	begin(&stage);
	run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	close_stage(&stage);

	open_stage(&stage, "sip:nowhere.test", NULL);
	begin(&stage);
	run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	close_stage(&stage);
}

/* Section 8.1.3.4: elsewhere, for this once; from there no credentials are given. */
static void test_redirect(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	assert_int_equal(stage.d.count, 1);
	assert_int_equal(strncmp(stage.d.last, "REGISTER sip:192.0.2.3:5070 ", 28), 0);
	respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	for (size_t i = 0; i < 4; i++)
		respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	expect_log(&stage, "failed(302) ");
	assert_int_equal(stage.d.count, 5);
	run_s(&stage, stage.retry_s + 0.3);
	assert_int_equal(stage.c.count, 2);
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	close_stage(&stage);
}

/* Section 21.3.3: the next time it is the registrar itself that is asked; but what stands elsewhere
 * is withdrawn there. */
static void test_redirect_is_for_once(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	respond_as(&stage, &stage.d, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	run_s(&stage, 520.2);
	assert_int_equal(stage.c.count, 2);
	assert_int_equal(stage.d.count, 1);
	respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	respond_as(&stage, &stage.d, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_stop(stage.registration);
	run_s(&stage, 0.02);
	assert_non_null(strstr(stage.d.last, "\r\nExpires: 0\r\n"));
	assert_int_equal(strncmp(stage.d.last, "REGISTER sip:192.0.2.3:5070 ", 28), 0);
	close_stage(&stage);
}

/* RFC 3608, and a proxy of ours. */
static void test_routes(void **state)
{
	struct stage stage;
	char room[256];
	struct text text = TEXT_IN(room);

	(void)state;
	open_stage(&stage, "sip:sip.test", "sip:192.0.2.3:5070");
	begin(&stage);
	assert_int_equal(stage.c.count, 0);
	assert_non_null(strstr(stage.d.last, "\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"));
	respond_as(&stage, &stage.d, "200 OK",
		"Service-Route: <sip:p1;lr>, <sip:p2;lr>\r\nService-Route: <sip:p3;lr>\r\n");
	assert_true(slice_is(registration_routes(stage.registration),
		"Route: <sip:p1;lr>, <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n"));
	assert_string_equal(registration_hop(stage.registration), "sip:p1;lr");
	registration_print_proxy(&text, stage.registration);
	assert_string_equal(room, "Route: <sip:192.0.2.3:5070;lr>\r\n");
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond_as(&stage, &stage.d, "200 OK", "Service-Route: p1\r\n");
	assert_null(registration_hop(stage.registration));
	assert_int_equal(registration_routes(stage.registration).len, 0);
	close_stage(&stage);
}

static void open_trusted(struct stage *stage)
{
	open_stage(stage, "sip:192.0.2.3", NULL);
	begin(stage);
}

/* Answers the last STUN request, or, wrong by, another one, with that address. */
static void answer_stun(struct stage *stage, const char *mapped, uint8_t wrong)
{
	const struct addr addr = world_addr(mapped), to = stage->c.from;
	uint8_t room[32] = {1, 1, 0, 12};

	memcpy(room + 4, stage->c.stun + 4, 16);
	memcpy(room + 20, "\0\x20\0\x8\0\1", 6);
	be16_put(room + 26, (uint16_t)(addr.port ^ 0x2112));
	for (size_t i = 0; i < 4; i++)
		room[28 + i] = addr.ip[i] ^ room[4 + i];
	room[19] ^= wrong;
	assert_int_equal(udp_send(stage->c.udp, &to, (struct slice){room, sizeof(room)}), 0);
	run_s(stage, 0.02);
}

/* Our Contact in calls by a flow to that place. */
static const char *contact_to(char room[static 128], struct stage *stage, const char *remote)
{
	const struct addr at = world_addr(remote);
	struct text text = text_in(room, 128);
	struct sip_flow flow;

	assert_int_equal(sip_stack_flow(&flow, stage->pair.a.stack, SIP_UDP, &at), 0);
	return registration_print_contact(&text, stage->registration, &flow, stage->anonymous)
		       ? room
		       : "-";
}

#define PUBLIC "sip:alice@203.0.113.5:6000"
#define AT_NAT ";received=203.0.113.5;rport=6000"

/* Behind a NAT: what the registrar sees takes the place of what we know. */
static void test_behind_nat(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	open_trusted(&stage);
	stage.seen = AT_NAT;
	respond(&stage, "401 No", "");
	expect_log(
		&stage, "failed(401 the server asks for a password in a way that cannot be read) ");
	begin(&stage);
	respond(&stage, "200 OK", "");
	expect_log(&stage, ""); /* it is not of use yet */
	assert_int_equal(stage.c.count, 3);
	assert_non_null(strstr(stage.c.last, "CSeq: 3 REGISTER"));
	assert_non_null(strstr(
		stage.c.last, "\r\nContact: <" PUBLIC ">\r\nContact: " OURS ";expires=0\r\n"));
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
	respond(&stage, "200 OK", "Contact: " OURS ";expires=7, <" PUBLIC ">;expires=300\r\n");
	expect_log(&stage, "ok(300 " PUBLIC ") ");
	assert_int_equal(stage.c.count, 3);
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), PUBLIC);
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-"); /* not our server */

	run_s(&stage, 220.3); /* refreshed as it stands */
	assert_int_equal(stage.c.count, 4);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">\r\n"));
	stage.seen = ";received=203.0.113.5;rport=6001"; /* the NAT has forgotten us */
	respond(&stage, "200 OK", "");
	assert_non_null(strstr(stage.c.last, "\r\nContact: <sip:alice@203.0.113.5:6001>\r\n"
					     "Contact: <" PUBLIC ">;expires=0\r\n"));
	stage.seen = ";received=203.0.113.5;rport=6002"; /* it does so each time */
	respond(&stage, "200 OK", "");
	expect_log(&stage, "ok(600 sip:alice@203.0.113.5:6001) ");
	assert_int_equal(stage.c.count, 5);
	registration_stop(stage.registration);
	run_s(&stage, 0.02);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <sip:alice@203.0.113.5:6001>\r\n"));
	respond(&stage, "200 OK", "");
	expect_log(&stage, "gone ");
	close_stage(&stage);
}

/* What is no reason to say anything else, each in a new registration. */
static void test_no_nat(void **state)
{
	static const struct {
		const char *seen;
		bool own; /* as the account has it */
	} rows[] = {
		{NULL, false},
		{";received=192.0.2.1;rport=5060", false},
		{";received=192.0.2.1;rport", false},
		{";rport=5060", false},
		{";received=2001:db8::1;rport=5060", false},
		{";received=nonsense;rport=5060", false},
		{";received=0.0.0.0;rport=5060", false},
		{AT_NAT, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;
		char room[128];

		open_stage(&stage, "sip:192.0.2.3", NULL);
		registration_free(stage.registration);
		stage.account.own_contact = rows[i].own;
		make_registration(&stage);
		begin(&stage);
		stage.seen = rows[i].seen;
		respond(&stage, "200 OK", "");
		expect_log(&stage, OK_LOG("600"));
		assert_int_equal(stage.c.count, 1);
		assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
		close_stage(&stage);
	}
}

/* A registrar that wants no second Contact has us as before, and is not asked again. */
static void test_rewriting_is_refused(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	stage.seen = AT_NAT;
	respond(&stage, "200 OK", "");
	respond(&stage, "400 One at a time", "");
	assert_non_null(strstr(stage.c.last, "\r\nContact: " OURS "\r\n"));
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	assert_int_equal(stage.c.count, 4);
	close_stage(&stage);
}

#define INSTANCE "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
#define GRUU "sip:alice@sip.test;gr=" INSTANCE

static void open_outbound(struct stage *stage)
{
	open_stage(stage, "sip:192.0.2.3", NULL);
	stage->account.instance = INSTANCE;
	stage->account.gruu = true;
	begin(stage);
}

/* RFC 5626, section 4.2, and RFC 5627. */
static void test_outbound(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	open_outbound(&stage);
	assert_non_null(strstr(stage.c.last,
		"\r\nContact: " OURS ";reg-id=1;+sip.instance=\"<" INSTANCE ">\"\r\n"));
	assert_non_null(strstr(stage.c.last, "\r\nSupported: path, outbound, gruu\r\n"));
	assert_non_null(strstr(stage.c.last, ";rport;keep\r\n"));
	respond(&stage, "200 OK", "Require: outbound\r\n");
	expect_log(&stage, OK_LOG("600"));
	assert_string_equal(
		contact_to(room, &stage, "192.0.2.3:5060"), "sip:alice@192.0.2.1:5060;ob");
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-");

	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "200 OK",
		"Contact: <sip:alice@192.0.2.8>;+sip.instance=\"<urn:uuid:other>\""
		";pub-gruu=\"sip:wrong\";expires=9, "
		"<sip:proxy.test>;reg-id=1;+sip.instance=\"<URN:UUID:F81D4FAE-7DEC-11D0-A765-"
		"00A0C91E6BF6>\";pub-gruu=\"" GRUU "\";temp-gruu=\"sip:t@sip.test;gr\""
		";expires=450\r\n");
	expect_log(&stage, OK_LOG("450"));
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), GRUU);
	stage.anonymous = true;
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "sip:t@sip.test;gr");
	stage.anonymous = false;
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-");

	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "200 OK", /* it grants nothing any more */
		"Contact: " OURS ";+sip.instance=\"<urn:uuid:other>\";pub-gruu=\"sip:wrong\"\r\n");
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
	close_stage(&stage);
}

/* The registrar replaces what has the same instance and reg-id: nothing has to be taken back. */
static void test_outbound_behind_nat(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	open_outbound(&stage);
	respond(&stage, "200 OK", "Require: outbound\r\n");
	stage.seen = AT_NAT;
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "200 OK", "Require: outbound\r\n");
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">;reg-id=1;+sip.instance=\""
					     "<" INSTANCE ">\"\r\n"));
	respond(&stage, "200 OK", "Require: outbound\r\n");
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), PUBLIC ";ob");
	stage.anonymous = true;
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "sip:203.0.113.5:6000;ob");
	close_stage(&stage);
}

/* RFC 5626, section 11.6: 439, once. */
static void test_no_outbound_there(void **state)
{
	struct stage stage;

	(void)state;
	open_outbound(&stage);
	respond(&stage, "439 First Hop Lacks Outbound Support", "");
	assert_non_null(
		strstr(stage.c.last, "\r\nContact: " OURS ";+sip.instance=\"<" INSTANCE ">\"\r\n"));
	assert_non_null(strstr(stage.c.last, "\r\nSupported: path, gruu\r\n"));
	respond(&stage, "439 Again", "");
	expect_log(&stage, "failed(439) ");
	close_stage(&stage);
}

/* How often something comes that keeps the way open, in 2.5 minutes, and what. */
static void test_keep_alive(void **state)
{
	static const struct {
		const char *seen, *headers;
		uint32_t every_s;
		bool stun;
		size_t least, most;
	} rows[] = {
		{NULL, "", 0, false, 0, 0},
		{";rport;keep", "", 0, false, 0, 0}, /* an echo is no consent */
		{";rport=5060;keep=30", "", 0, true, 4, 6},
		{";rport=5060;keep=0", "", 0, true, 5, 7},
		{";rport=5060;keep=x", "", 0, false, 0, 0},
		{NULL, "Require: outbound\r\n", 0, true, 5, 7},
		{NULL, "Flow-Timer: 60\r\n", 0, true, 2, 3},
		{NULL, "Require: outbound\r\nFlow-Timer: 60\r\n", 0, true, 2, 3},
		{NULL, "Require: outbound\r\nFlow-Timer: 60\r\n", 20, true, 7, 9},
		{NULL, "Require: outbound\r\nFlow-Timer: 20\r\n", 60, true, 7, 9},
		{NULL, "Require: outbound\r\n", LIFELINE_NEVER, true, 0, 0},
		{AT_NAT, "", 0, false, 5, 7},
		{AT_NAT, "", 50, false, 3, 4},
		{AT_NAT, "", LIFELINE_NEVER, false, 0, 0},
		{NULL, "", 50, false, 3, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;
		size_t count = 0;

		open_stage(&stage, "sip:192.0.2.3", NULL);
		stage.account.instance = INSTANCE;
		stage.account.expires_s = 3600;
		stage.account.keep_alive_s = rows[i].every_s;
		registration_free(stage.registration);
		make_registration(&stage);
		begin(&stage);
		stage.seen = rows[i].seen;
		respond(&stage, "200 OK", rows[i].headers);
		if (stage.c.count > 1)
			respond(&stage, "200 OK", rows[i].headers);
		for (unsigned step = 0; step < 700; step++) {
			size_t before = stage.c.stuns;

			run_s(&stage, 0.2);
			if (stage.c.stuns > before)
				answer_stun(&stage, "192.0.2.1:5060", 0);
		}
		count = rows[i].stun ? stage.c.stuns : stage.c.empty;
		if (count < rows[i].least || count > rows[i].most)
			fail_msg("row %zu: %zu", i, count);
		assert_int_equal(rows[i].stun ? stage.c.empty : stage.c.stuns, 0);
		assert_true(registration_stands(stage.registration));
		close_stage(&stage);
	}
}

static void open_kept(struct stage *stage)
{
	open_outbound(stage);
	respond(stage, "200 OK", "Require: outbound\r\n");
	expect_log(stage, OK_LOG("600"));
}

/* Waits for the next STUN request, half a minute at most. */
static void await_stun(struct stage *stage)
{
	size_t before = stage->c.stuns;

	for (unsigned i = 0; i < 300 && stage->c.stuns == before; i++)
		run_s(stage, 0.1);
	assert_int_equal(stage->c.stuns, before + 1);
}

/* RFC 5626, section 4.4.2, and RFC 8489, section 6.2.1: asked seven times in 31.5 s, given up 8 s
 * after the last; then sought again. */
static void test_way_dies(void **state)
{
	struct stage stage;
	size_t asked;

	(void)state;
	open_kept(&stage);
	for (unsigned i = 0; i < 6; i++) {
		await_stun(&stage);
		answer_stun(&stage, "192.0.2.1:5060", 0);
	}
	await_stun(&stage);
	asked = stage.c.stuns;
	run_s(&stage, 31.6);
	assert_int_equal(stage.c.stuns, asked + 6);
	assert_true(registration_stands(stage.registration));
	run_s(&stage, 6);
	expect_log(&stage, "");
	run_s(&stage, 2);
	expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_int_equal(stage.retry_s, 1);
	assert_int_equal(stage.c.count, 1);
	run_s(&stage, 1.1);
	assert_int_equal(stage.c.count, 2);
	respond(&stage, "200 OK", "Require: outbound\r\n");
	expect_log(&stage, OK_LOG("600"));

	/* one that does not last is forgiven once */
	await_stun(&stage);
	answer_stun(&stage, "192.0.2.1:5060", 0);
	await_stun(&stage);
	run_s(&stage, 40);
	expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_int_equal(stage.retry_s, 1);
	run_s(&stage, 0.6);
	assert_int_equal(stage.c.count, 3);
	respond(&stage, "200 OK", "Require: outbound\r\n");
	expect_log(&stage, OK_LOG("600"));
	await_stun(&stage);
	run_s(&stage, 40);
	expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_in_range(stage.retry_s, 30, 60);
	run_s(&stage, stage.retry_s - 0.3);
	assert_int_equal(stage.c.count, 4);
	respond(&stage, "200 OK", "Require: outbound\r\n");
	await_stun(&stage);
	run_s(&stage, 40);
	assert_in_range(stage.retry_s, 60, 120);
	run_s(&stage, stage.retry_s - 0.3);
	expect_log(&stage, OK_LOG("600") "lost(0 192.0.2.3:5060 does not answer any more) ");
	respond(&stage, "200 OK", "Require: outbound\r\n");
	expect_log(&stage, OK_LOG("600"));

	/* and who has agreed and never answers is not asked any more, but told */
	run_s(&stage, 200);
	expect_log(&stage, "");
	assert_true(registration_stands(stage.registration));
	close_stage(&stage);
}

/* The STUN answer shows another address: registered anew at once, without a word of a loss. */
static void test_way_moves(void **state)
{
	struct stage stage;

	(void)state;
	open_kept(&stage);
	await_stun(&stage);
	answer_stun(&stage, "192.0.2.1:5060", 0);
	await_stun(&stage);
	answer_stun(&stage, "203.0.113.5:6000", 1); /* not to what was asked */
	run_s(&stage, 1);
	answer_stun(&stage, "203.0.113.5:6000", 0);
	assert_int_equal(stage.c.count, 2);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">;reg-id"));
	stage.seen = AT_NAT;
	respond(&stage, "200 OK", "Require: outbound\r\n");
	expect_log(&stage, "ok(600 " PUBLIC ") ");

	/* what STUN says for ever and the registrar does not see, is no news */
	for (unsigned i = 0; i < 4; i++) {
		await_stun(&stage);
		answer_stun(&stage, "203.0.113.5:7000", 0);
		if (stage.c.count == 3 && i == 0)
			respond(&stage, "200 OK", "Require: outbound\r\n");
		if (stage.c.count == 4 && i == 0)
			respond(&stage, "200 OK", "Require: outbound\r\n");
	}
	assert_int_equal(stage.c.count, 4);
	assert_true(registration_stands(stage.registration));
	close_stage(&stage);
}

/* What no packet comes from is no place to be called at. */
static void test_way_moves_nowhere(void **state)
{
	static const char *const rows[] = {"0.0.0.0:6000", "203.0.113.5:0"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_kept(&stage);
		await_stun(&stage);
		answer_stun(&stage, rows[i], 0);
		assert_int_equal(stage.c.count, 1);
		assert_true(registration_stands(stage.registration));
		close_stage(&stage);
	}
}

/* ICMP tells that nobody is there: not for longer than the next that keeps the way open. */
static void test_way_is_closed(void **state)
{
	struct stage stage;

	(void)state;
	open_kept(&stage);
	world_peer_close(&stage.c);
	run_s(&stage, 30);
	assert_non_null(strstr(stage.log, "lost(0 the way to 192.0.2.3:5060 is lost: "));
	world_peer_open(&stage.c, stage.pair.c, "192.0.2.3:5060");
	stage.log[0] = '\0';
	run_s(&stage, 65);
	assert_true(stage.c.count > 0);
	respond(&stage, "200 OK", "");
	assert_true(registration_stands(stage.registration));
	close_stage(&stage);
}

/* Stopped and started in each state, and from within an event. */
static void test_stop(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	registration_stop(stage.registration);
	expect_log(&stage, "");
	begin(&stage);
	registration_start(stage.registration); /* it is at it */
	registration_stop(stage.registration);
	expect_log(&stage, "gone ");
	begin(&stage);
	stage.stop = true;
	respond(&stage, "200 OK", "");
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	registration_stop(stage.registration);
	run_s(&stage, 3); /* nobody confirms it */
	expect_log(&stage, OK_LOG("600") "gone ");
	begin(&stage);
	respond(&stage, "200 OK", "");
	registration_stop(stage.registration);
	begin(&stage); /* while it leaves */
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600") OK_LOG("600"));
	registration_stop(stage.registration);
	stage.start = true;
	run_s(&stage, 0.02);
	respond(&stage, "200 OK", "");
	expect_log(&stage, "gone ");
	respond(&stage, "500 No", "");
	expect_log(&stage, "failed(500) ");
	registration_stop(stage.registration);
	expect_log(&stage, "gone ");
	run_s(&stage, 100);
	expect_log(&stage, "");
	close_stage(&stage);
}

static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct stage stage;

		open_stage(&stage, "sip:192.0.2.3", NULL);
		allowed = i;
		registration_start(stage.registration);
		run_s(&stage, 1);
		if (stage.c.count > 0)
			respond(&stage, "200 OK", "Service-Route: <sip:p;lr>\r\n");
		allowed = SIZE_MAX;
		run_s(&stage, 100);
		registration_stop(stage.registration);
		run_s(&stage, 3);
		close_stage(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_registrar_moves),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_redirect_is_for_once),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_behind_nat),
		cmocka_unit_test(test_no_nat),
		cmocka_unit_test(test_rewriting_is_refused),
		cmocka_unit_test(test_outbound),
		cmocka_unit_test(test_outbound_behind_nat),
		cmocka_unit_test(test_no_outbound_there),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_way_dies),
		cmocka_unit_test(test_way_moves),
		cmocka_unit_test(test_way_moves_nowhere),
		cmocka_unit_test(test_way_is_closed),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
