/* core/sip: calls over TCP, whose bytes the world cuts as it likes, and whose connections go. */
#include "core/base/text.h"
#include "core/sip/invite.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* A phone on a host of its own. */
struct side {
	struct sip_stack *stack;
	struct sip_invite *invite;
	const char *in_ack; /* its answer, to go in the ACK */
	size_t sent[2];     /* by UDP and by TCP */
	char got[8192];     /* all that came, as text */
	char log[256];
};

static void note(struct side *side, const char *word)
{
	snprintf(side->log + strlen(side->log), sizeof(side->log) - strlen(side->log), "%s ", word);
}

static void on_provisional(void *arg, const struct sip_msg *response)
{
	(void)response;
	note(arg, "rings");
}

static void on_answered(void *arg, const struct sip_msg *response)
{
	struct side *side = arg;

	(void)response;
	note(side, "answered");
	if (side->in_ack)
		assert_int_equal(
			sip_invite_answer(side->invite, "application/sdp", slice_of(side->in_ack)),
			0);
}

static void on_confirmed(void *arg, const struct sip_msg *ack)
{
	(void)ack;
	note(arg, "confirmed");
}

static void on_ended(void *arg, const struct sip_invite_end *end)
{
	struct side *side = arg;
	char word[32];

	snprintf(word, sizeof(word), "ended(%d)", end->cause);
	note(side, word);
	sip_invite_free(side->invite);
	side->invite = NULL;
}

static const struct sip_invite_events invite_events = {.provisional = on_provisional,
	.answered = on_answered,
	.confirmed = on_confirmed,
	.ended = on_ended};

static void on_request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	const struct sip_contact contact = {.user = slice_of("b")};
	struct side *side = arg;

	if (sip_invite_take(
		    &side->invite, side->stack, server, msg, &contact, &invite_events, side))
		fail();
	assert_int_equal(sip_invite_ring(side->invite, 180), 0);
}

static void on_trace(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	struct side *side = arg;

	(void)local;
	(void)remote;
	if (sent)
		side->sent[kind == SIP_TCP]++;
	else
		snprintf(side->got + strlen(side->got), sizeof(side->got) - strlen(side->got),
			"%.*s", (int)bytes.len, (const char *)bytes.data);
}

static void open_side(struct side *side, struct loop *loop, const char *at, bool tcp)
{
	static const struct sip_stack_events events = {.request = on_request, .trace = on_trace};
	struct sip_stack_config config = {.loop = loop,
		.user_agent = "test",
		.allow = "INVITE, ACK, BYE, CANCEL, OPTIONS",
		.accept = "application/sdp",
		.events = &events,
		.arg = side};
	struct addr local;

	*side = (struct side){0};
	assert_int_equal(addr_parse_port(&local, slice_of(at)), 0);
	assert_int_equal(sip_stack_new(&side->stack, &config), 0);
	assert_int_equal(sip_stack_listen(NULL, side->stack, SIP_UDP, &local), 0);
	if (tcp)
		assert_int_equal(sip_stack_listen(NULL, side->stack, SIP_TCP, &local), 0);
}

static void close_side(struct side *side)
{
	sip_invite_free(side->invite);
	sip_stack_free(side->stack);
}

/* offer: of that many bytes; 0: none. */
static void call(struct side *side, enum sip_transport_kind kind, const char *to, size_t offer)
{
	static char body[2048];
	struct sip_flow flow;
	struct addr remote;
	char target[128];

	memset(body, 'o', sizeof(body));
	assert_int_equal(addr_parse_port(&remote, slice_of(to)), 0);
	assert_int_equal(sip_stack_flow(&flow, side->stack, kind, &remote), 0);
	snprintf(target, sizeof(target), "sip:b@%s%s", to, kind == SIP_TCP ? ";transport=tcp" : "");
	assert_int_equal(sip_invite_call(&side->invite, side->stack,
				 &(struct sip_invite_config){.flow = &flow,
					 .target = slice_of(target),
					 .from_uri = slice_of("sip:a@192.0.2.1"),
					 .contact.user = slice_of("a"),
					 .content_type = "application/sdp",
					 .body = {(const uint8_t *)body, offer}},
				 &invite_events, side),
		0);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void run_ms(struct play *play, uint64_t ms)
{
	play_run(play, ms * NS_PER_MS);
}

static void accept_call(struct side *side)
{
	assert_int_equal(sip_invite_accept(side->invite, "application/sdp", slice_of("answer")), 0);
}

/* Each seed cuts the bytes elsewhere. */
static void test_whole_call(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct play play;
		struct side a, b;

		play_open(&play, seed);
		open_side(&a, play.loops[0][0], "192.0.2.1:5060", true);
		open_side(&b, play.loops[1][0], "192.0.2.2:5060", true);
		call(&a, SIP_TCP, "192.0.2.2:5060", 1000);
		run_ms(&play, 300);
		accept_call(&b);
		run_ms(&play, 300);
		assert_string_equal(b.log, "confirmed ");
		sip_invite_hangup(a.invite, (struct slice){0});
		run_ms(&play, 300);
		assert_string_equal(a.log, "rings answered ended(0) ");
		assert_string_equal(b.log, "confirmed ended(1) ");
		assert_int_equal(a.sent[0] + b.sent[0], 0);
		assert_int_equal(a.sent[1], 3); /* INVITE, ACK, BYE, each once */
		assert_int_equal(b.sent[1], 3);
		assert_int_equal(
			count_of(b.got, "Contact: <sip:a@192.0.2.1:5060;transport=tcp>"), 1);
		assert_int_equal(
			count_of(a.got, "Contact: <sip:b@192.0.2.2:5060;transport=tcp>"), 2);
		close_side(&a);
		close_side(&b);
		run_ms(&play, 200000);
		play_close(&play);
	}
}

/* Section 18.1.1: an ACK that is too long goes by TCP; who takes none, gets it by UDP later. */
static void test_long_ack(void **state)
{
	static char answer[1500];

	(void)state;
	memset(answer, 'x', sizeof(answer) - 1);
	for (int tcp = 0; tcp < 2; tcp++) {
		struct play play;
		struct side a, b;

		play_open(&play, 1);
		open_side(&a, play.loops[0][0], "192.0.2.1:5060", true);
		open_side(&b, play.loops[1][0], "192.0.2.2:5060", tcp);
		a.in_ack = answer;
		call(&a, SIP_UDP, "192.0.2.2:5060", 0);
		run_ms(&play, 100);
		accept_call(&b);
		run_ms(&play, 400);
		assert_string_equal(b.log, tcp ? "confirmed " : "");
		run_ms(&play, 1000);
		assert_string_equal(b.log, "confirmed ");
		assert_int_equal(a.sent[0], tcp ? 1 : 2); /* INVITE, ACK */
		assert_int_equal(a.sent[1], 1);           /* or was to be */
		close_side(&a);
		close_side(&b);
		run_ms(&play, 200000);
		play_close(&play);
	}
}

/* The same with an ACK that just fits, which goes by UDP at once. */
static void test_short_ack(void **state)
{
	static char answer[700];
	struct play play;
	struct side a, b;

	(void)state;
	memset(answer, 'x', sizeof(answer) - 1);
	play_open(&play, 1);
	open_side(&a, play.loops[0][0], "192.0.2.1:5060", true);
	open_side(&b, play.loops[1][0], "192.0.2.2:5060", true);
	a.in_ack = answer;
	call(&a, SIP_UDP, "192.0.2.2:5060", 0);
	run_ms(&play, 100);
	accept_call(&b);
	run_ms(&play, 100);
	assert_string_equal(b.log, "confirmed ");
	assert_int_equal(a.sent[1], 0);
	close_side(&a);
	close_side(&b);
	run_ms(&play, 200000);
	play_close(&play);
}

/* What the far end of plain bytes says to the last request that it got. */
static void reply(struct sim *sim, const char *method, uint16_t status)
{
	char room[4096];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg;
	const char *last = NULL;

	for (const char *at = sim->raw.got; (at = strstr(at, method)); at++)
		if (at == sim->raw.got || at[-1] == '\n' || at[-1] == 'r')
			last = at;
	assert_non_null(last);
	assert_int_equal(sip_msg_parse(&msg, slice_of(last)), 0);
	sip_print_status_line(&text, status, NULL);
	sip_print_copies(&text, msg, SIP_VIA);
	sip_print_copies(&text, msg, SIP_FROM);
	sip_print_header_text(&text, SIP_TO, "<sip:b@192.0.2.3>;tag=raw");
	sip_print_copies(&text, msg, SIP_CALL_ID);
	sip_print_copies(&text, msg, SIP_CSEQ);
	text_puts(&text, "Contact: <sip:c@192.0.2.3:5070;transport=tcp>\r\n");
	sip_print_body(&text, NULL, (struct slice){0});
	sip_msg_free(msg);
	assert_int_equal(tcp_send(sim->raw.tcp, text_slice(&text)), 0);
	sim_run_ms(sim, 500);
}

static void hang_up(struct sim *sim)
{
	tcp_free(sim->raw.tcp);
	sim->raw.tcp = NULL;
	sim_run_ms(sim, 500);
}

/* A call goes on over a new connection, whenever the old one is lost. */
static void test_lost(void **state)
{
	struct sim sim;
	struct side a;

	(void)state;
	for (unsigned lost = 0; lost < 16; lost++) { /* a bit each stage */
		size_t connections = 1, invites = 1, byes = 1;

		sim_open(&sim, true);
		sim_listen(&sim, "192.0.2.3:5070");
		open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
		call(&a, SIP_TCP, "192.0.2.3:5070", 10);
		sim_run_ms(&sim, 500);
		if (lost & 1) {
			hang_up(&sim);
			connections++, invites++;
		}
		reply(&sim, "INVITE ", 180);
		if ((lost & 3) == 2) { /* it goes again only once */
			hang_up(&sim);
			connections++, invites++;
		}
		reply(&sim, "INVITE ", 200);
		assert_string_equal(a.log, "rings answered ");
		assert_int_equal(count_of(sim.raw.got, "ACK sip:"), 1);
		if (lost & 4)
			hang_up(&sim);
		sip_invite_hangup(a.invite, (struct slice){0});
		sim_run_ms(&sim, 500);
		connections += lost & 4 ? 1 : 0;
		if (lost & 8) {
			hang_up(&sim);
			connections++, byes++;
		}
		reply(&sim, "BYE ", 200);
		assert_string_equal(a.log, "rings answered ended(0) ");
		assert_int_equal(sim.raw.accepted, connections);
		assert_int_equal(count_of(sim.raw.got, "INVITE sip:"), invites);
		assert_int_equal(count_of(sim.raw.got, "BYE sip:"), byes);
		close_side(&a);
		sim_close(&sim);
	}
}

/* As long as there is a call, its connection stands; when there is none, it goes in time. */
static void test_idle(void **state)
{
	struct sim sim;
	struct side a;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
	call(&a, SIP_TCP, "192.0.2.3:5070", 10);
	sim_run_ms(&sim, 500);
	reply(&sim, "INVITE ", 200);
	sim_run_ms(&sim, 3600000);
	assert_int_equal(sim.raw.closed, 0);
	sip_invite_hangup(a.invite, (struct slice){0});
	sim_run_ms(&sim, 500);
	reply(&sim, "BYE ", 200);
	sim_run_ms(&sim, 299000);
	assert_int_equal(sim.raw.closed, 0);
	sim_run_ms(&sim, 2000);
	assert_int_equal(sim.raw.closed, 1);
	assert_int_equal(sim.raw.accepted, 1);
	close_side(&a);
	sim_close(&sim);
}

/* The call of the far end keeps the connection that it came by, wherever its Contact is. */
static void test_idle_called(void **state)
{
	static const char invite[] =
		"INVITE sip:b@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKnat\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@x>;tag=c\r\nTo: <sip:b@x>\r\nCall-ID: nat\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:c@10.0.0.1:5060;transport=tcp>\r\nContent-Length: 0\r\n\r\n";
	struct sim sim;
	struct side a;

	(void)state;
	for (int called = 0; called < 2; called++) {
		char ack[512];

		sim_open(&sim, true);
		open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
		sim_connect(&sim, "192.0.2.1:5062");
		assert_int_equal(tcp_send(sim.raw.tcp, slice_of(called ? invite : "\r\n")), 0);
		sim_run_ms(&sim, 500);
		if (called) {
			accept_call(&a);
			snprintf(ack, sizeof(ack),
				"ACK sip:b@192.0.2.1 SIP/2.0\r\n"
				"Via: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKack\r\n"
				"Max-Forwards: 70\r\nFrom: <sip:c@x>;tag=c\r\n"
				"To: <sip:b@x>;tag=%.*s\r\nCall-ID: nat\r\nCSeq: 1 ACK\r\n"
				"Content-Length: 0\r\n\r\n",
				(int)sip_invite_tag(a.invite).len,
				(const char *)sip_invite_tag(a.invite).data);
			assert_int_equal(tcp_send(sim.raw.tcp, slice_of(ack)), 0);
			sim_run_ms(&sim, 500);
			assert_string_equal(a.log, "confirmed ");
		}
		sim_run_ms(&sim, 700000);
		assert_int_equal(sim.raw.closed, !called);
		if (called) { /* a message that is not ended ends it all the same */
			assert_int_equal(tcp_send(sim.raw.tcp, slice_of("BYE")), 0);
			sim_run_ms(&sim, 31000);
			assert_int_equal(sim.raw.closed, 1);
		}
		close_side(&a);
		sim_close(&sim);
	}
}

/* RFC 5626: the BYE to who is behind a NAT goes by the connection that its call came by, whatever
 * its Contact says; and once that is gone, where its Contact says. */
static void test_back_by_the_connection(void **state)
{
	/* clang-format off */
	static const struct {
		const char *via, *contact, *more;
		bool gone; /* the connection, before the BYE */
		bool back; /* it comes back by that; else it goes to the Contact, which is b */
	} rows[] = {
		{"10.0.0.1:5060", "sip:c@10.0.0.1:5060;transport=tcp", "", false, true},
		{"10.0.0.1:5060", "sip:c@10.0.0.1:5060", "", false, true}, /* it means UDP */
		{"10.0.0.1:5060", "sip:c@192.0.2.2:5060;transport=tcp", "", false, true},
		{"192.0.2.3:5060", "sip:c@192.0.2.2:5060;transport=tcp", "", false, false}, /* no NAT */
		{"10.0.0.1:5060", "sip:c@192.0.2.2:5060;transport=tcp", "", true, false},
		{"10.0.0.1:5060", "sip:c@192.0.2.2:5060;transport=tcp", /* a proxy that stays out */
			"Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKfirst\r\n", false, false},
		{"10.0.0.1:5060", "sip:c@10.0.0.1:5060;transport=tcp", /* and one that does not */
			"Record-Route: <sip:192.0.2.2;lr;transport=tcp>\r\n", false, false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim sim;
		struct side a;
		size_t others;
		char text[1024];

		sim_open(&sim, true);
		open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
		sim_connect(&sim, "192.0.2.1:5062");
		snprintf(text, sizeof(text),
			"INVITE sip:b@192.0.2.1 SIP/2.0\r\n"
			"Via: SIP/2.0/TCP %s;branch=z9hG4bKnat\r\n%sMax-Forwards: 70\r\n"
			"From: <sip:c@x>;tag=c\r\nTo: <sip:b@x>\r\nCall-ID: nat\r\n"
			"CSeq: 1 INVITE\r\nContact: <%s>\r\nContent-Length: 0\r\n\r\n",
			rows[i].via, rows[i].more, rows[i].contact);
		assert_int_equal(tcp_send(sim.raw.tcp, slice_of(text)), 0);
		sim_run_ms(&sim, 500);
		accept_call(&a);
		snprintf(text, sizeof(text),
			"ACK sip:b@192.0.2.1 SIP/2.0\r\n"
			"Via: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKack\r\n"
			"Max-Forwards: 70\r\nFrom: <sip:c@x>;tag=c\r\nTo: <sip:b@x>;tag=%.*s\r\n"
			"Call-ID: nat\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
			(int)sip_invite_tag(a.invite).len,
			(const char *)sip_invite_tag(a.invite).data);
		assert_int_equal(tcp_send(sim.raw.tcp, slice_of(text)), 0);
		sim_run_ms(&sim, 500);
		if (rows[i].gone)
			hang_up(&sim);
		others = sim.b.received[1];
		sip_invite_hangup(a.invite, (struct slice){0});
		sim_run_ms(&sim, 500);
		if (count_of(sim.raw.got, "BYE sip:c@") != rows[i].back ||
			sim.b.received[1] - others != !rows[i].back)
			fail_msg("row %zu: %zu back, %zu there", i, count_of(sim.raw.got, "BYE "),
				sim.b.received[1] - others);
		close_side(&a);
		sim_close(&sim);
	}
}

/* A request goes again by another connection only once. */
static void test_lost_twice(void **state)
{
	struct sim sim;
	struct side a;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
	call(&a, SIP_TCP, "192.0.2.3:5070", 10);
	sim_run_ms(&sim, 500);
	hang_up(&sim);
	assert_string_equal(a.log, "");
	hang_up(&sim);
	assert_int_equal(sim.raw.accepted, 2);
	assert_int_equal(count_of(a.log, "ended("), 1);
	close_side(&a);
	sim_close(&sim);
}

/* Timers D and K are none over TCP: what is refused leaves nothing behind. */
static void test_refused(void **state)
{
	struct sim sim;
	struct side a;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
	call(&a, SIP_TCP, "192.0.2.3:5070", 10);
	sim_run_ms(&sim, 500);
	reply(&sim, "INVITE ", 486);
	assert_int_equal(count_of(sim.raw.got, "ACK sip:"), 1);
	assert_int_equal(count_of(a.log, "ended("), 1);
	assert_true(list_empty(&a.stack->clients));
	close_side(&a);
	sim_close(&sim);
}

/* Whoever was heard by TCP, taken for its size, has the request: it does not go by UDP as well. */
static void test_hundred_binds(void **state)
{
	struct sim sim;
	struct side a;

	(void)state;
	for (uint16_t status = 100; status <= 180; status += 80) {
		sim_open(&sim, true);
		sim_listen(&sim, "192.0.2.3:5070");
		open_side(&a, sim.play->loops[0][0], "192.0.2.1:5062", true);
		call(&a, SIP_UDP, "192.0.2.3:5070", 1500);
		sim_run_ms(&sim, 500);
		reply(&sim, "INVITE ", status);
		hang_up(&sim);
		hang_up(&sim);
		assert_int_equal(sim.raw.accepted, 2);
		assert_int_equal(a.sent[0], 0);
		assert_int_equal(count_of(a.log, "ended("), 1); /* nobody is there by UDP */
		close_side(&a);
		sim_close(&sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_call),
		cmocka_unit_test(test_long_ack),
		cmocka_unit_test(test_short_ack),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_called),
		cmocka_unit_test(test_back_by_the_connection),
		cmocka_unit_test(test_lost_twice),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hundred_binds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
