/* core/ua: what an agent does whose host has another address than before. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct addr elsewhere = {ADDR_IPV4, 0, 0, {192, 0, 2, 11}};

/* A registrar of plain bytes at 192.0.2.3: it keeps what it got, and answers 200 unless silent. */
struct registrar {
	struct world_host *host;
	struct loop *loop;
	struct udp *udp;
	bool silent;
	bool picky;         /* takes one Contact only */
	const char *status; /* in the place of 200 */
	unsigned count;
	char last[4096];
	struct addr from;
};

static void put_line(struct text *out, const char *message, const char *name)
{
	const char *line = strstr(message, name);

	assert_non_null(line);
	text_printf(out, "%.*s%s\r\n", (int)strcspn(line + 2, "\r"), line + 2,
		strstr(name, "To:") ? ";tag=r" : "");
}

static void asked(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	static const char *const names[] = {
		"\r\nVia:", "\r\nFrom:", "\r\nTo:", "\r\nCall-ID:", "\r\nCSeq:"};
	struct registrar *self = arg;
	char room[4096];
	struct text out = TEXT_IN(room);

	(void)to;
	(void)arrival_ns;
	self->count++;
	self->from = *from;
	assert_true(bytes.len < sizeof(self->last));
	memcpy(self->last, bytes.data, bytes.len);
	self->last[bytes.len] = '\0';
	if (self->silent)
		return;
	if (self->picky && strstr(self->last, "expires=0"))
		text_puts(&out, "SIP/2.0 400 One at a time\r\n");
	else
		text_printf(&out, "SIP/2.0 %s\r\n", self->status ? self->status : "200 OK");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_line(&out, self->last, names[i]);
	text_puts(&out, "Content-Length: 0\r\n\r\n");
	assert_int_equal(udp_send(self->udp, from, text_slice(&out)), 0);
}

static void open_registrar(struct registrar *self, struct pair *pair)
{
	static const struct udp_events events = {.datagram = asked};
	struct addr at = nowhere;

	*self = (struct registrar){.count = 0};
	at.port = 5060;
	assert_int_equal(world_host_new(&self->host, pair->world, &nowhere), 0);
	assert_int_equal(world_loop_new(&self->loop, self->host), 0);
	assert_int_equal(loop_udp_open(&self->udp, self->loop, &at), 0);
	assert_int_equal(udp_start(self->udp, self->loop, &events, self), 0);
}

static void close_registrar(struct registrar *self)
{
	udp_free(self->udp);
	world_loop_free(self->loop);
}

static void open_pair(struct pair *pair)
{
	pair_init(pair, (struct ua_policy){0}, (struct ua_policy){.answer = true});
	pair->near.anywhere = pair->far.anywhere = true;
	pair_start(pair);
}

static void add_account(struct pair *pair)
{
	static const struct ua_account account = {.name = "work",
		.aor = "sip:alice@sip.test",
		.registrar = "sip:192.0.2.3",
		.expires_s = 600,
		.registers = true};
	struct fault why;

	assert_int_equal(agent_add_account(pair->near.agent, &account, &why), 0);
}

static void move(struct pair *pair, const struct addr *to)
{
	world_host_move(pair->here, to);
	run_ms(pair, 300);
}

static void open_registered(struct pair *pair, struct registrar *registrar)
{
	open_pair(pair);
	open_registrar(registrar, pair);
	add_account(pair);
	run_s(pair, 1);
}

#define OLD "<sip:alice@192.0.2.1:5060>"
#define NEW "<sip:alice@192.0.2.11:5060>"

/* At once, from the new address; the old binding goes with the same request. */
static void test_registers_from_the_new_address(void **state)
{
	struct registrar registrar;
	struct pair pair;

	(void)state;
	open_registered(&pair, &registrar);
	expect_log(&pair.near, "registration.ok ");
	assert_non_null(strstr(registrar.last, "\r\nContact: " OLD "\r\n"));

	registrar.silent = true; /* the first of them is lost */
	move(&pair, &elsewhere);
	expect_log(&pair.near, "network.changed ");
	assert_int_equal(registrar.count, 2);
	registrar.silent = false;
	run_s(&pair, 1);
	expect_log(&pair.near, "registration.ok ");
	assert_true(addr_same_host(&registrar.from, &elsewhere));
	assert_non_null(
		strstr(registrar.last, "\r\nContact: " NEW "\r\nContact: " OLD ";expires=0\r\n"));

	/* then it is no news any more: neither a change that changes nothing, nor the old one */
	move(&pair, &elsewhere);
	expect_log(&pair.near, "");
	assert_int_equal(registrar.count, 3);
	assert_int_equal(agent_register(pair.near.agent, NULL), 0);
	run_s(&pair, 1);
	assert_null(strstr(registrar.last, "expires=0"));
	close_registrar(&registrar);
	pair_close(&pair);
}

/* Of two changes before the registrar knows, it forgets what it had. */
static void test_moves_twice(void **state)
{
	static const struct addr third = {ADDR_IPV4, 0, 0, {192, 0, 2, 12}};
	struct registrar registrar;
	struct pair pair;

	(void)state;
	open_registered(&pair, &registrar);
	registrar.silent = true;
	move(&pair, &elsewhere);
	move(&pair, &third);
	registrar.silent = false;
	run_s(&pair, 1);
	assert_non_null(strstr(registrar.last,
		"\r\nContact: <sip:alice@192.0.2.12:5060>\r\nContact: " OLD ";expires=0\r\n"));
	move(&pair, &here); /* and back again: what is registered is not what is withdrawn */
	run_s(&pair, 1);
	assert_non_null(strstr(registrar.last,
		"\r\nContact: " OLD "\r\nContact: <sip:alice@192.0.2.12:5060>;expires=0\r\n"));
	close_registrar(&registrar);
	pair_close(&pair);
}

/* What is refreshed before anybody has told that the address is another. */
static void test_refreshed_before_it_is_told(void **state)
{
	struct registrar registrar;
	struct pair pair;

	(void)state;
	open_registered(&pair, &registrar);
	assert_int_equal(agent_register(pair.near.agent, NULL), 0);
	move(&pair, &elsewhere);
	assert_int_equal(registrar.count, 2);
	assert_non_null(
		strstr(registrar.last, "\r\nContact: " NEW "\r\nContact: " OLD ";expires=0\r\n"));
	close_registrar(&registrar);
	pair_close(&pair);
}

/* Who takes no two Contacts at once keeps the old one, but he knows the new one. */
static void test_takes_one_at_a_time(void **state)
{
	struct registrar registrar;
	struct pair pair;

	(void)state;
	open_registered(&pair, &registrar);
	registrar.picky = true;
	move(&pair, &elsewhere);
	expect_log(&pair.near, "registration.ok network.changed registration.ok ");
	assert_int_equal(registrar.count, 3);
	assert_non_null(strstr(registrar.last, "\r\nContact: " NEW "\r\nExpires"));
	close_registrar(&registrar);
	pair_close(&pair);
}

/* The back-off of who could not reach anybody ends with the return of the network; that of who was
 * sent away does not. */
static void test_back_off_ends_with_the_return(void **state)
{
	struct registrar registrar;
	struct pair pair;

	(void)state;
	open_pair(&pair);
	open_registrar(&registrar, &pair);
	world_host_unplug(pair.here);
	add_account(&pair);
	run_s(&pair, 1);
	expect_log(&pair.near, "registration.failed network.changed ");
	for (unsigned i = 0; i < 3; i++) { /* it gets long */
		run_s(&pair, 600);
		pair.near.log = TEXT_IN(pair.near.room);
	}
	assert_int_equal(registrar.count, 0);
	world_host_move(pair.here, &here);
	run_ms(&pair, 300);
	expect_log(&pair.near, "network.changed registration.ok ");
	assert_int_equal(registrar.count, 1);

	registrar.status = "503 Busy\r\nRetry-After: 300";
	assert_int_equal(agent_register(pair.near.agent, NULL), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "registration.lost ");
	move(&pair, &elsewhere);
	expect_log(&pair.near, "network.changed ");
	assert_int_equal(registrar.count, 2);
	close_registrar(&registrar);
	pair_close(&pair);
}

/* What keeps its address needs nobody to tell. */
static void test_bound_elsewhere(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.answer = true});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	move(&pair, &elsewhere); /* it is bound to 192.0.2.1, and waits for that */
	move(&pair, &here);
	run_s(&pair, 1);
	assert_true(pair.near.far_dbfs > -20 && pair.far.far_dbfs > -20);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered network.changed network.changed ");
	expect_log(&pair.far, "incoming answered ");
	pair_close(&pair);
}

static void hang_up(struct end *end, unsigned call)
{
	(void)call;
	(void)agent_hangup(end->agent, 1);
}

/* Whoever is told may do what he likes. */
static void test_hung_up_when_told(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	pair.near.hasty_at = UA_NETWORK_CHANGED;
	pair.near.hasty = hang_up;
	move(&pair, &elsewhere);
	run_s(&pair, 1);
	expect_log(&pair.near,
		"outgoing(192.0.2.2) answered network.changed ended(local 200 answered) ");
	expect_log(&pair.far, "incoming answered ended(remote 200 answered) ");
	pair_close(&pair);
}

/* Both are heard, and each finds the other. */
static void test_call_follows(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	move(&pair, &elsewhere);
	run_s(&pair, 1);
	assert_true(pair.near.far_dbfs > -20 && pair.far.far_dbfs > -20);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered network.changed ");
	expect_log(&pair.far, "incoming answered ");
	assert_int_equal(agent_hangup(pair.far.agent, 1), 0); /* who has to find us */
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(remote 200 answered) ");
	pair_close(&pair);
}

static void ponged(void *arg, const struct agent_pong *pong)
{
	*(uint16_t *)arg = pong->code;
}

/* A request that waits for its response goes once more, at once: the response would go to where we
 * were. */
static void test_a_request_goes_again(void **state)
{
	struct registrar registrar;
	struct fault why;
	uint16_t code = 0;
	unsigned before;
	struct pair pair;

	(void)state;
	open_pair(&pair);
	open_registrar(&registrar, &pair);
	registrar.silent = true;
	assert_int_equal(
		agent_ping(pair.near.agent, "sip:192.0.2.3", ponged, &code, &why, NULL), 0);
	run_s(&pair, 8); /* 7.5 s, then 11.5 s: Timer E */
	before = registrar.count;
	registrar.silent = false;
	move(&pair, &elsewhere);
	assert_int_equal(registrar.count, before + 1);
	assert_true(addr_same_host(&registrar.from, &elsewhere));
	assert_int_equal(code, 200);
	close_registrar(&registrar);
	pair_close(&pair);
}

static void count_to_here(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	unsigned *count = arg;

	(void)now_ns;
	(void)from;
	(void)bytes;
	if (what == WORLD_SENT && addr_same_host(to, &here))
		++*count;
}

/* Who is called and has moved since says so in his answer, so that nothing goes astray. */
static void test_answer_says_where_it_is(void **state)
{
	struct fault why;
	unsigned count = 0, call;
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){.ring = true}, (struct ua_policy){0});
	pair.near.anywhere = true;
	pair_start(&pair);
	assert_int_equal(agent_call(&call, pair.far.agent, "sip:al@192.0.2.1", &why, NULL), 0);
	run_s(&pair, 1);
	move(&pair, &elsewhere);
	expect_log(&pair.near, "incoming network.changed ");
	world_watch(pair.world, count_to_here, &count);
	assert_int_equal(agent_answer(pair.near.agent, 1), 0);
	run_s(&pair, 2);
	assert_int_equal(count, 0);
	assert_true(pair.near.far_dbfs > -20 && pair.far.far_dbfs > -20);
	pair_close(&pair);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_from_the_new_address),
		cmocka_unit_test(test_moves_twice),
		cmocka_unit_test(test_refreshed_before_it_is_told),
		cmocka_unit_test(test_takes_one_at_a_time),
		cmocka_unit_test(test_back_off_ends_with_the_return),
		cmocka_unit_test(test_bound_elsewhere),
		cmocka_unit_test(test_hung_up_when_told),
		cmocka_unit_test(test_call_follows),
		cmocka_unit_test(test_a_request_goes_again),
		cmocka_unit_test(test_answer_says_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
