/* core/sip: what floods, dawdles, talks something else or is not there; and addresses of all kinds.
 */
#include "core/base/text.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define HEAD(method, branch)                                                                       \
	method " sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.3:5070;branch=z9hG4bK" branch \
	       "\r\nMax-Forwards: 70\r\nFrom: <sip:c@x>;tag=c\r\nTo: <sip:b@x>\r\nCall-ID: r\r\n"  \
	       "CSeq: 1 " method "\r\nContact: <sip:c@192.0.2.3>\r\nContent-Length: 0\r\n\r\n"

static void send_raw(struct sim *sim, const char *bytes, size_t len)
{
	assert_int_equal(tcp_send(sim->raw.tcp, (struct slice){(const uint8_t *)bytes, len}), 0);
	sim_run_ms(sim, 500);
}

static void read_tag(char out[static 32], const char *text)
{
	const char *at = strstr(text, "\r\nTo: ");

	assert_non_null(at);
	at = strstr(at, ";tag=");
	assert_non_null(at);
	snprintf(out, 32, "%.*s", (int)strcspn(at + 5, "\r"), at + 5);
}

/* At either cap there is 503, with a tag that a repetition gets, too; below it all is as ever. */
static void test_full(void **state)
{
	(void)state;
	for (int which = 0; which < 2; which++) {
		char tags[2][32];
		struct sim sim;
		size_t *count, cap, before;

		sim_open(&sim, true);
		count = which ? &sim.b.stack->server_count : &sim.b.stack->open_count;
		cap = which ? SIP_SERVERS_MAX : SIP_SERVERS_OPEN_MAX;
		before = *count;
		sim_connect(&sim, "192.0.2.2:5060");
		*count = cap;
		for (int i = 0; i < 2; i++) {
			sim.raw.got[0] = '\0';
			send_raw(&sim, HEAD("OPTIONS", "full"), strlen(HEAD("OPTIONS", "full")));
			assert_memory_equal(sim.raw.got, "SIP/2.0 503 ", 12);
			assert_non_null(strstr(sim.raw.got, "\r\nRetry-After: 10\r\n"));
			read_tag(tags[i], sim.raw.got);
		}
		assert_string_equal(tags[0], tags[1]);
		assert_null(sim.b.server);
		assert_int_equal(*count, cap);
		*count = cap - 1;
		sim.raw.got[0] = '\0';
		send_raw(&sim, HEAD("OPTIONS", "full"), strlen(HEAD("OPTIONS", "full")));
		assert_memory_equal(sim.raw.got, "SIP/2.0 200 ", 12);
		*count = before;
		sim.b.stack->server_count = 0;
		sim.b.stack->open_count = 0;
		sim_close(&sim);
	}
}

/* Section 9.2: CANCEL is answered with the tag that its INVITE has got. */
static void test_cancel_tag(void **state)
{
	char ringing[32], cancelled[32];
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, HEAD("INVITE", "c"), strlen(HEAD("INVITE", "c")));
	sim.raw.got[0] = '\0';
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 180});
	sim_run_ms(&sim, 500);
	read_tag(ringing, sim.raw.got);
	sim.raw.got[0] = '\0';
	send_raw(&sim, HEAD("CANCEL", "c"), strlen(HEAD("CANCEL", "c")));
	assert_memory_equal(sim.raw.got, "SIP/2.0 200 ", 12);
	read_tag(cancelled, sim.raw.got);
	assert_string_equal(cancelled, ringing);
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 487});
	sim_close(&sim);
}

/* What is no SIP gets no answer, and no more than 30 s or a broken line. */
static void test_strangers(void **state)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03random\n\0\0\0";
	static const struct {
		const char *bytes;
		size_t len;
		uint64_t ms; /* until it is over */
	} rows[] = {
		{hello, sizeof(hello) - 1, 30000},
		{"\x16\x03\x01\r\n\r\n", 7, 0},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0},
		{"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 37, 300000},
		{"SSH-2.0-x\r\n", 11, 30000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim sim;

		sim_open(&sim, true);
		sim_connect(&sim, "192.0.2.2:5060");
		send_raw(&sim, rows[i].bytes, rows[i].len);
		if (rows[i].ms > 0) {
			sim_run_ms(&sim, rows[i].ms - 1000);
			assert_int_equal(sim.raw.closed, 0);
		}
		sim_run_ms(&sim, 1000);
		assert_int_equal(sim.raw.closed, 1);
		assert_string_equal(sim.raw.got, "");
		sim_close(&sim);
	}
}

/* A byte a second is not fast enough for a message; a message a minute goes on for ever. */
static void test_slow(void **state)
{
	struct sim sim;

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t sent = 0;

		sim_open(&sim, true);
		sim_connect(&sim, "192.0.2.2:5060");
		for (; sim.raw.tcp && sent < 60; sent++) {
			const char *bytes = HEAD("OPTIONS", "slow");

			send_raw(&sim, i ? bytes : bytes + sent, i ? strlen(bytes) : 1);
			sim_run_ms(&sim, i ? 59500 : 500);
			sim.raw.got[0] = '\0';
		}
		assert_true(i ? sent == 60 : sent >= 30 && sent <= 32);
		sim_close(&sim);
	}
}

enum { MANY = 1500, KEPT = 1024 };

struct crowd {
	struct tcp *tcps[MANY];
	size_t closed;
};

static void member_connected(void *arg)
{
	(void)arg;
}

static void member_received(void *arg, struct slice bytes)
{
	(void)arg;
	(void)bytes;
}

static void member_closed(void *arg, int err)
{
	(void)err;
	((struct crowd *)arg)->closed++;
}

/* So many connections are taken, and no more; those that stand are served, and go in time. */
static void test_crowd(void **state)
{
	static const struct tcp_events events = {member_connected, member_received, member_closed};
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	struct addr to;
	struct sim sim;

	(void)state;
	assert_non_null(crowd);
	sim_open(&sim, true);
	assert_int_equal(addr_parse_port(&to, slice_of("192.0.2.2:5060")), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(loop_tcp_connect(&crowd->tcps[i], sim.play->loops[2][0],
					 &(struct addr){0}, &to, &events, crowd),
			0);
	sim_run_ms(&sim, 2000);
	assert_int_equal(crowd->closed, MANY - KEPT);
	sim_options(&sim, "sip:b@192.0.2.2", 10);
	assert_string_equal(sim.a.log, "200 ");
	sim_run_ms(&sim, 300000);
	assert_int_equal(crowd->closed, MANY);
	for (size_t i = 0; i < MANY; i++)
		tcp_free(crowd->tcps[i]);
	sim_options(&sim, "sip:b@192.0.2.2;transport=tcp", 10);
	assert_string_equal(sim.a.log, "200 ");
	sim_close(&sim);
	free(crowd);
}

/* So many are begun by us, and no more. */
static void test_crowd_of_ours(void **state)
{
	struct sip_flow flow;
	struct addr to;
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	assert_int_equal(addr_parse_port(&to, slice_of("192.0.2.3:1000")), 0);
	for (size_t i = 0; i <= KEPT; i++, to.port++) {
		assert_int_equal(sip_stack_flow(&flow, sim.a.stack, SIP_TCP, &to), 0);
		assert_int_equal(sip_flow_send(&flow, slice_of("x")), i < KEPT ? 0 : -ENFILE);
	}
	sim_run_ms(&sim, 1000); /* all are refused */
	assert_int_equal(sip_flow_send(&flow, slice_of("x")), 0);
	sim_close(&sim);
}

/* A host that does not answer is given up after 5 s, well before a transaction would be. */
static void test_connect_limit(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	world_host_down(sim.play->hosts[2]);
	sim_options(&sim, "sip:c@192.0.2.3:5070;transport=tcp", 0);
	assert_string_equal(sim.a.log, "ended(-113) ");
	assert_int_equal(sim.a.sent[1], 1);
	world_host_up(sim.play->hosts[2]);
	sim_close(&sim);
}

/* Whichever allocation fails, the request ends or is answered, and nothing is left. */
static void test_no_memory(void **state)
{
	static const char *const targets[] = {"sip:b@192.0.2.2;transport=tcp", "sip:b@192.0.2.2"};
	static const size_t bodies[] = {10, 2000};

	(void)state;
	for (size_t row = 0; row < 2; row++) {
		bool whole = false;

		for (size_t allowed = 0; !whole; allowed++) {
			struct sim sim;

			assert_true(allowed < 500);
			sim_open(&sim, true);
			sim_try_options(&sim, targets[row], bodies[row], allowed);
			whole = play_allocations != SIZE_MAX;
			play_allocations = SIZE_MAX;
			if (whole)
				assert_string_equal(sim.a.log, "200 ");
			sim_run_ms(&sim, 400000);
			assert_int_equal(play_left(sim.play).connections, 0);
			assert_true(list_empty(&sim.a.stack->clients));
			assert_true(list_empty(&sim.b.stack->servers));
			sim_close(&sim);
		}
	}
}

/* Of what we are bound to, that goes which the far end will see: as Via and Contact have it. */
static void test_addresses(void **state)
{
	static const char *const rows[][2] = {
		{"192.0.2.2:5060", "192.0.2.1:5060"}, {"127.0.0.1:5080", "127.0.0.1:5060"}};
	struct addr loopback, to, from;
	struct sip_flow flow;
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	assert_int_equal(addr_parse_port(&loopback, slice_of("127.0.0.1:5060")), 0);
	for (enum sip_transport_kind kind = SIP_UDP; kind <= SIP_TCP; kind++) {
		assert_int_equal(sip_stack_listen(NULL, sim.a.stack, kind, &loopback), 0);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(addr_parse_port(&to, slice_of(rows[i][0])), 0);
			assert_int_equal(addr_parse_port(&from, slice_of(rows[i][1])), 0);
			assert_int_equal(sip_stack_flow(&flow, sim.a.stack, kind, &to), 0);
			assert_true(addr_equal(&flow.local, &from));
			assert_true(addr_equal(&flow.transport->local, &from));
		}
		assert_int_equal(addr_parse_port(&to, slice_of("[2001:db8::2]:5060")), 0);
		assert_int_not_equal(sip_stack_flow(&flow, sim.a.stack, kind, &to), 0);
	}
	sim_options(&sim, "sip:b@192.0.2.2", 0);
	assert_string_equal(sim.a.log, "200 ");
	sim_close(&sim);
}

/* The same over IPv6, by both transports. */
static void test_ipv6(void **state)
{
	static const char *const addresses[] = {"[2001:db8::1]:5060", "[2001:db8::2]:5060"};
	struct world_host *hosts[2];
	struct loop *loops[2];
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	for (size_t i = 0; i < 2; i++) {
		struct sim_end *end = i ? &sim.b : &sim.a;
		struct addr addr;

		assert_int_equal(addr_parse_port(&addr, slice_of(addresses[i])), 0);
		assert_int_equal(world_host_new(&hosts[i], sim.play->world, &addr), 0);
		assert_int_equal(world_loop_new(&loops[i], hosts[i]), 0);
		sim_move(end, loops[i], addresses[i]);
	}
	sim_options(&sim, "sip:b@[2001:db8::2]", 0);
	assert_string_equal(sim.a.log, "200 ");
	assert_int_equal(sim.b.received[0], 1);
	sim_options(&sim, "sip:b@[2001:db8::2];transport=tcp", 0);
	assert_string_equal(sim.a.log, "200 ");
	sim_options(&sim, "sip:b@[2001:db8::2]", 2000);
	assert_string_equal(sim.a.log, "200 ");
	assert_int_equal(sim.b.received[1], 2);
	sip_stack_free(sim.a.stack);
	sip_stack_free(sim.b.stack);
	sim.a.stack = sim.b.stack = NULL;
	sim_run_ms(&sim, 1000);
	for (size_t i = 0; i < 2; i++)
		world_loop_free(loops[i]);
	sim_close(&sim);
}

/* Section 18.1.1: up to 1300 bytes by UDP, beyond by TCP. */
static void test_size(void **state)
{
	bool exact = false;
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	for (size_t body = 900; body < 1100; body++) {
		size_t before = sim.a.sent[1];

		sim_options(&sim, "sip:b@192.0.2.2", body);
		assert_string_equal(sim.a.log, "200 ");
		assert_int_equal(sim.a.sent[1] - before, sim.a.first_len > 1300);
		exact |= sim.a.first_len == 1300;
	}
	assert_true(exact);
	assert_true(sim.a.sent[1] > 0);
	sim_close(&sim);
}

/* What was read and not answered by TCP does not go once more by UDP. */
static void test_size_no_answer(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_options(&sim, "sip:b@192.0.2.2", 2000);
	assert_non_null(strstr(sim.a.log, "ended(-110) "));
	assert_int_equal(sim.a.sent[0], 0);
	sim_close(&sim);
}

/* Timers J and I are none over TCP. */
static void test_no_lingering(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, HEAD("OPTIONS", "j"), strlen(HEAD("OPTIONS", "j")));
	assert_memory_equal(sim.raw.got, "SIP/2.0 200 ", 12);
	assert_true(list_empty(&sim.b.stack->servers));
	sim.b.status = 486;
	send_raw(&sim, HEAD("INVITE", "i"), strlen(HEAD("INVITE", "i")));
	assert_false(list_empty(&sim.b.stack->servers));
	send_raw(&sim, HEAD("ACK", "i"), strlen(HEAD("ACK", "i")));
	assert_true(list_empty(&sim.b.stack->servers));
	sim_close(&sim);
}

/* What we send keeps a connection, too. */
static void test_sent_is_used(void **state)
{
	struct sip_flow flow;
	struct addr to;
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	assert_int_equal(addr_parse_port(&to, slice_of("192.0.2.3:5070")), 0);
	assert_int_equal(sip_stack_flow(&flow, sim.a.stack, SIP_TCP, &to), 0);
	assert_int_equal(sip_flow_send(&flow, slice_of("x")), 0);
	sim_run_ms(&sim, 200000);
	assert_int_equal(sip_flow_send(&flow, slice_of("x")), 0);
	sim_run_ms(&sim, 299000);
	assert_int_equal(sim.raw.closed, 0);
	sim_run_ms(&sim, 2000);
	assert_int_equal(sim.raw.closed, 1);
	assert_int_equal(sim.raw.accepted, 1);
	sim_close(&sim);
}

/* Who asks again by another connection, is answered by that. */
static void test_asked_again(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, HEAD("OPTIONS", "o"), strlen(HEAD("OPTIONS", "o")));
	tcp_free(sim.raw.tcp);
	sim_run_ms(&sim, 500);
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, HEAD("OPTIONS", "o"), strlen(HEAD("OPTIONS", "o")));
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 200});
	sim_run_ms(&sim, 500);
	assert_memory_equal(sim.raw.got, "SIP/2.0 200 ", 12);
	sim_close(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_cancel_tag),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_crowd_of_ours),
		cmocka_unit_test(test_connect_limit),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_size_no_answer),
		cmocka_unit_test(test_no_lingering),
		cmocka_unit_test(test_sent_is_used),
		cmocka_unit_test(test_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
