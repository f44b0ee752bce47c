/* core/net: what is asked for to make a connection a WebSocket, and which answers do. */
#include "core/net/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h> /* after the headers that it needs */

/* RFC 6455, section 1.3: its key, and what is made of that. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const struct upgrade sample = {
	.host = "server.example.com",
	.port = 80,
	.path = "/chat",
	.protocol = "sip",
	.nonce = "the sample nonce",
};

static void test_the_question(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		bool secure;
		const char *shown;
	} rows[] = {
		{"server.example.com", 80, false, "server.example.com"},
		{"server.example.com", 443, false, "server.example.com:443"},
		{"server.example.com", 443, true, "server.example.com"},
		{"server.example.com", 80, true, "server.example.com:80"},
		{"192.0.2.1", 8080, false, "192.0.2.1:8080"},
		{"2001:db8::1", 80, false, "[2001:db8::1]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct upgrade upgrade = sample;
		char room[512], wanted[512];
		struct text text = TEXT_IN(room);

		upgrade.host = rows[i].host;
		upgrade.port = rows[i].port;
		upgrade.secure = rows[i].secure;
		upgrade_print(&text, &upgrade);
		assert_int_equal(upgrade_find_end(text_slice(&text)), text.len);
		text = TEXT_IN(wanted);
		text_printf(&text,
			"GET /chat HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
			"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n",
			rows[i].shown);
		assert_string_equal(room, wanted);
	}
}

#define YES "HTTP/1.1 101 Switching Protocols\r\n"
#define CHANGES "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define OURS "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define SIP "Sec-WebSocket-Protocol: sip\r\n"

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		const char *words; /* NULL: it is good */
	} rows[] = {
		{YES CHANGES OURS SIP "\r\n", NULL},
		{"HTTP/1.1 101\r\n" CHANGES OURS SIP "\r\n", NULL},
		{"http/1.0 101 x\r\n" CHANGES OURS SIP "\r\n", NULL},
		{YES "UPGRADE:WebSocket\r\nconnection: keep-alive,  upgrade \r\n" OURS SIP "\r\n",
			NULL},
		{YES "Server: x\r\nno header\r\n: \r\n" CHANGES SIP OURS "\r\n", NULL},
		{YES CHANGES OURS SIP "Sec-WebSocket-Extensions: \r\n\r\n", NULL},

		{"", "it speaks no HTTP there"},
		{"\r\n\r\n", "it speaks no HTTP there"},
		{"SIP/2.0 400 Bad Request\r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/1.1\r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/1.1 \r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/1.1 10 x\r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/1.1 1010 x\r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/1.1 1x1 x\r\n\r\n", "it speaks no HTTP there"},
		{"HTTP/2 101 x\r\n" CHANGES OURS SIP "\r\n", "it speaks no HTTP there"},

		{"HTTP/1.1 404 Not Found\r\n\r\n",
			"no WebSocket at /chat of server.example.com: it answers 404 Not Found; "
			"if it is at another path, write that behind the host: ws://HOST/PATH"},
		{"HTTP/1.1 403 \r\n\r\n", "it answers 403"},
		{"HTTP/1.1 200 \x1b[31m\r\n\r\n", "it answers 200 \\x1b[31m"},
		{"HTTP/1.1 301 Moved\r\nLocation: https://x.example/\r\n\r\n",
			"it is said to be at https://x.example/"},
		{"HTTP/1.1 302 Found\r\n\r\n", "it answers 302 Found"},

		{YES "Connection: Upgrade\r\n" OURS SIP "\r\n", "changes over"},
		{YES "Upgrade: websocket\r\n" OURS SIP "\r\n", "changes over"},
		{YES "Upgrade: websockets\r\nConnection: Upgrade\r\n" OURS SIP "\r\n",
			"changes over"},
		{YES "Upgrade: websocket\r\nConnection: Upgraded\r\n" OURS SIP "\r\n",
			"changes over"},
		{YES CHANGES SIP "\r\n", "another question"},
		{YES CHANGES "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" SIP "\r\n",
			"another question"},
		{YES CHANGES "Sec-WebSocket-Accept: " KEY "\r\n" SIP "\r\n", "another question"},
		{YES CHANGES OURS OURS SIP "\r\n", "a thing twice"},
		{YES CHANGES OURS SIP SIP "\r\n", "a thing twice"},
		{YES CHANGES OURS SIP "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
			"an extension"},
		{YES CHANGES OURS "\r\n", "server.example.com has a WebSocket, but none for sip "
					  "(Sec-WebSocket-Protocol)"},
		{YES CHANGES OURS "Sec-WebSocket-Protocol: chat\r\n\r\n", "none for sip"},
		{YES CHANGES OURS "Sec-WebSocket-Protocol: sip, chat\r\n\r\n", "none for sip"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fault why = {0};
		int err = upgrade_judge(slice_of(rows[i].answer), &sample, &why);

		if (err != (rows[i].words ? -EPROTO : 0) ||
			(rows[i].words && !strstr(why.words, rows[i].words)))
			fail_msg("%s: %d %s", rows[i].answer, err, why.words);
	}
}

/* What a proxy may say on the way, which is no answer yet. */
static void test_what_comes_before(void **state)
{
	static const char *const rows[] = {"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", "HTTP/1.1 199\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fault why = {""};

		assert_int_equal(upgrade_judge(slice_of(rows[i]), &sample, &why), -EAGAIN);
		assert_string_equal(why.words, "");
	}
}

static void test_the_end_is_an_empty_line(void **state)
{
	static const struct {
		const char *bytes;
		size_t end;
	} rows[] = {
		{"", 0},
		{"\r\n\r", 0},
		{"\r\n\r\n", 4},
		{"a\r\n\r\nb", 5},
		{"a\n\nb", 0},
		{"a\r\nb\r\n\r\n\r\n\r\n", 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(upgrade_find_end(slice_of(rows[i].bytes)), rows[i].end);
}

static int load(void **state)
{
	struct fault why;

	(void)state;
	return upgrade_load(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_question),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_comes_before),
		cmocka_unit_test(test_the_end_is_an_empty_line),
	};

	return cmocka_run_group_tests_name("net/upgrade", tests, load, NULL);
}
