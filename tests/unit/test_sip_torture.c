/*
 * The torture messages of tests/data/torture, one for each section of RFC 4475 and RFC 5118: what
 * the parser makes of each, what a stack answers it with, and what is special about some.
 */
#include "core/base/text.h"
#include "core/sip/body.h"
#include "core/sip/msg.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FOLDER "tests/data/torture/"

enum { MESSAGES = 60 };

/* One line of VERDICTS. */
struct row {
	char name[40], section[20], parse[20], udp[20];
};

static struct slice read_bytes(uint8_t room[static SIP_MESSAGE_MAX], const char *name)
{
	char path[200];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), FOLDER "%s.sip", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there", path);
	len = fread(room, 1, SIP_MESSAGE_MAX, file);
	fclose(file);
	return (struct slice){room, len};
}

static struct sip_msg *read_message(int *err, const char *name)
{
	static uint8_t bytes[SIP_MESSAGE_MAX];
	struct sip_msg *msg = NULL;

	*err = sip_msg_parse(&msg, read_bytes(bytes, name));
	return msg;
}

/* Calls look for each line of the table; returns how many there are. */
static size_t for_each(void (*look)(const struct row *row, void *arg), void *arg)
{
	FILE *file = fopen(FOLDER "VERDICTS", "r");
	char line[300];
	size_t count = 0;
	struct row row;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%39s %19s %19s %19s", row.name, row.section,
					 row.parse, row.udp),
			4);
		look(&row, arg);
		count++;
	}
	fclose(file);
	return count;
}

static void look_at_parser(const struct row *row, void *arg)
{
	char got[20] = "dropped";
	struct sip_msg *msg;
	int err;

	(void)arg;
	msg = read_message(&err, row->name);
	if (msg && msg->fault_status)
		snprintf(got, sizeof(got), "%u", msg->fault_status);
	else if (msg)
		snprintf(got, sizeof(got), "%s", msg->request ? "good" : "response");
	if (strcmp(got, row->parse) != 0 || (!msg && err != -EPROTO))
		fail_msg("%s (%s): %s, %d, %s", row->name, row->section, got, err,
			msg && msg->fault_reason ? msg->fault_reason : "");
	sip_msg_free(msg);
}

static void test_parser(void **state)
{
	(void)state;
	assert_int_equal(for_each(look_at_parser, NULL), MESSAGES);
}

/* A stack whose user answers with 200 what is good, and a far end. */
struct bench {
	struct pair pair;
	struct world_peer peer;
};

static void open_bench(struct bench *bench)
{
	pair_open(&bench->pair);
	world_peer_open(&bench->peer, bench->pair.c, "192.0.2.3:5070");
	bench->pair.a.untaken = true;
	bench->pair.a.reply = 0;
}

static void close_bench(struct bench *bench)
{
	if (bench->pair.a.server) /* what comes of a call is not our subject */
		sip_server_respond(bench->pair.a.server, &(struct sip_response){.status = 404});
	world_peer_close(&bench->peer);
	pair_close(&bench->pair);
}

static void send_to_stack(struct bench *bench, struct slice bytes)
{
	struct addr to = world_addr("192.0.2.1:5060");

	assert_int_equal(udp_send(bench->peer.udp, &to, bytes), 0);
	world_run(&bench->pair.world, 10 * NS_PER_MS);
}

static void look_at_stack(const struct row *row, void *arg)
{
	static struct bench bench;
	static uint8_t bytes[SIP_MESSAGE_MAX];
	char got[20] = "-";

	(void)arg;
	open_bench(&bench);
	send_to_stack(&bench, read_bytes(bytes, row->name));
	if (bench.pair.a.server)
		strcpy(got, "200");
	else if (bench.peer.count > 0)
		snprintf(got, sizeof(got), "%.3s", bench.peer.last + strlen("SIP/2.0 "));
	if (strcmp(got, row->udp) != 0 || bench.peer.count > 1)
		fail_msg("%s (%s): %s", row->name, row->section, got);
	close_bench(&bench);
}

static void test_stack(void **state)
{
	(void)state;
	assert_int_equal(for_each(look_at_stack, NULL), MESSAGES);
}

/* The parts that a message is about, as text; NULL: not looked at. */
static const struct special {
	const char *name;
	const char *user, *host; /* of the Request-URI */
	const char *to_display, *to_user;
	const char *via_host, *received;
	int port; /* of the Request-URI */
} specials[] = {
	{"winding", "bruno", "torino.example", "", "bruno", "192.0.2.30", "", 0},
	{"any-method", "0to9-_.!~*'()&=+$,;?/", NULL, NULL, NULL, NULL, NULL, 5062},
	{"escapes", "sip%3Abruno%40home.example", "torino.example", NULL, "%62runo", NULL, NULL, 0},
	{"escaped-zero", NULL, NULL, NULL, "zero-%00-zero", NULL, NULL, 0},
	{"semicolon-user", "bruno;desk=2%40home", "torino.example", NULL, NULL, NULL, NULL, 0},
	{"ipv6", "", "2001:db8::10", NULL, NULL, "2001:db8::9:1", "", 0},
	{"ipv6-port-inside", "", "2001:db8::10:5070", NULL, NULL, NULL, NULL, 0},
	{"ipv6-port", "", "2001:db8::10", NULL, NULL, NULL, NULL, 5070},
	{"ipv6-received", "", NULL, NULL, NULL, "2001:db8::9:1", "2001:db8::9:255", 0},
	{"ipv6-received-bare", "", NULL, NULL, NULL, "2001:db8::9:1", "2001:db8::9:255", 0},
	{"ipv6-three-colons", NULL, NULL, NULL, NULL, NULL, "2001:db8:::192.0.2.1", 0},
	{"ipv4-mapped", "bruno", "::ffff:192.0.2.10", NULL, NULL, "::ffff:192.0.2.30", "", 0},
};

static void check_part(const char *name, struct slice got, const char *wanted)
{
	if (wanted && !slice_is(got, wanted))
		fail_msg(
			"%s: '%.*s', not '%s'", name, (int)got.len, (const char *)got.data, wanted);
}

static void test_specials(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(specials); i++) {
		const struct special *row = &specials[i];
		struct sip_msg *msg;
		int err;

		msg = read_message(&err, row->name);
		assert_int_equal(err, 0);
		check_part(row->name, msg->uri.host, row->host);
		check_part(row->name, msg->to.display, row->to_display);
		check_part(row->name, msg->to.uri.user, row->to_user);
		check_part(row->name, msg->via.host, row->via_host);
		check_part(row->name, msg->via.received, row->received);
		check_part(row->name, msg->uri.user, row->user);
		assert_int_equal(msg->uri.port, row->port);
		sip_msg_free(msg);
	}
}

static void test_contacts(void **state)
{
	static const struct {
		const char *name, *uri, *params;
	} rows[] = {
		{"winding", "sip:anna@192.0.2.30:5062", ";first = 1 ;    second-one  ; q = 0.7"},
		{"escaped-zero", "sip:%00@192.0.2.30:5062", ""},
		{"contact-parameter", "sip:+19725552222@192.0.2.30", ";x-unknown"},
		{"uri-parameter", "sip:+19725552222@192.0.2.30;x-unknown", ""},
		{"headers-in-contact", "sip:anna@192.0.2.30?Route=%3Csip:relay.example%3Blr%3E",
			""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sip_cursor cursor = {0};
		struct sip_name_addr contact;
		struct slice value;
		struct sip_msg *msg;
		int err;

		msg = read_message(&err, rows[i].name);
		assert_true(sip_msg_next(&value, &cursor, msg, SIP_CONTACT));
		assert_int_equal(sip_name_addr_parse(&contact, value), 0);
		check_part(rows[i].name, contact.uri_text, rows[i].uri);
		check_part(rows[i].name, contact.params, rows[i].params);
		sip_msg_free(msg);
	}
}

static void test_bodies(void **state)
{
	struct sip_msg *msg;
	struct slice body;
	int err;

	(void)state;
	msg = read_message(&err, "multipart");
	assert_true(sip_body_find(&body, msg, "text/plain"));
	check_part("text", body, "Ciao");
	assert_true(sip_body_find(&body, msg, "application/octet-stream"));
	assert_int_equal(body.len, 256);
	for (size_t i = 0; i < body.len; i++)
		assert_int_equal(body.data[i], i);
	assert_false(sip_body_find(&body, msg, "application/sdp"));
	sip_msg_free(msg);

	msg = read_message(&err, "two-in-one");
	assert_int_equal(msg->body.len, 0); /* the second request is not its body */
	sip_msg_free(msg);
	msg = read_message(&err, "winding");
	assert_true(sip_body_find(&body, msg, "application/sdp"));
	sip_msg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parser),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_specials),
		cmocka_unit_test(test_contacts),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests_name("sip/torture", tests, NULL, NULL);
}
