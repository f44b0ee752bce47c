#include "tests/unit/registrar_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

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

void stage_make_registration(struct stage *stage)
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

void stage_open(struct stage *stage, const char *registrar, const char *proxy)
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
	stage_make_registration(stage);
}

void stage_close(struct stage *stage)
{
	registration_free(stage->registration);
	world_peer_close(&stage->c);
	world_peer_close(&stage->d);
	pair_close(&stage->pair);
	sip_auth_free(stage->auth);
}

void stage_run_s(struct stage *stage, double seconds)
{
	pair_run_ms(&stage->pair, (uint64_t)(seconds * 1000));
}

void stage_begin(struct stage *stage)
{
	registration_start(stage->registration);
	stage_run_s(stage, 0.02);
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

void stage_respond_as(
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
	stage_run_s(stage, 0.02);
}

void stage_respond(struct stage *stage, const char *status, const char *headers)
{
	stage_respond_as(stage, &stage->c, status, headers);
}

void stage_expect_log(struct stage *stage, const char *log)
{
	assert_string_equal(stage->log, log);
	stage->log[0] = '\0';
}

void stage_open_outbound(struct stage *stage)
{
	stage_open(stage, "sip:192.0.2.3", NULL);
	stage->account.instance = INSTANCE;
	stage->account.gruu = true;
	stage_begin(stage);
}

void stage_answer_stun(struct stage *stage, const char *mapped, uint8_t wrong)
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
	stage_run_s(stage, 0.02);
}
