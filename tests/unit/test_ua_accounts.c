/* core/ua: many accounts of one agent, in the simulated world. */
#include "core/sip/print.h"
#include "core/sip/server.h"
#include "core/sip/stack.h"
#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ACCOUNTS = 1000 };

struct seen {
	size_t refused;  /* REGISTERs, by the far end, which is no registrar */
	char called[32]; /* the account of the last call that came */
};

static void on_event(void *arg, const struct ua_event *event)
{
	struct seen *seen = arg;

	if (event->kind == UA_CALL_INCOMING)
		snprintf(seen->called, sizeof(seen->called), "%s",
			event->account ? event->account : "none");
	if (event->kind != UA_REGISTRATION_FAILED)
		return;
	assert_int_equal(event->registration.code, 405);
	seen->refused++;
}

static void open_with(struct pair *pair, struct seen *seen)
{
	*seen = (struct seen){0};
	pair_init(pair, (struct ua_policy){0}, (struct ua_policy){0});
	pair->near.config.event = on_event;
	pair->near.config.arg = seen;
	pair->near.anywhere = true;
	pair_start(pair);
}

static void add_named(struct pair *pair, const char *name)
{
	struct fault why;

	assert_int_equal(agent_add_account(pair->near.agent,
				 &(struct ua_account){.aor = name, .registers = true}, &why),
		0);
}

static void add(struct pair *pair, unsigned nth)
{
	char name[32];

	snprintf(name, sizeof(name), "u%u@192.0.2.2", nth);
	add_named(pair, name);
}

static void call(struct pair *pair, const char *target)
{
	struct fault why;
	unsigned number;

	assert_int_equal(agent_call(&number, pair->far.agent, target, &why, NULL), 0);
	run_s(pair, 1);
}

/* The first of them at once, the others one by one, so that no socket has to hold them all. */
static void test_start_is_paced(void **state)
{
	struct pair pair;
	struct seen seen;

	(void)state;
	open_with(&pair, &seen);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		add(&pair, i);
	run_ms(&pair, 3);
	assert_in_range(seen.refused, 50, 52);
	run_ms(&pair, 500);
	assert_in_range(seen.refused, 549, 552);
	run_ms(&pair, 460);
	assert_int_equal(seen.refused, ACCOUNTS);

	add(&pair, ACCOUNTS); /* who comes alone does not wait */
	run_ms(&pair, 3);
	assert_int_equal(seen.refused, ACCOUNTS + 1);
	pair_close(&pair);
}

/* Each of them is found by whom the call is for, and nobody else is. */
static void test_calls_find_their_account(void **state)
{
	static const struct {
		const char *target, *account;
	} rows[] = {
		{"sip:u0@192.0.2.1", "u0@192.0.2.2"},
		{"sip:u517@192.0.2.1", "u517@192.0.2.2"},
		{"sip:u999@192.0.2.1", "u999@192.0.2.2"},
		{"sip:u1000@192.0.2.1", "none"},
		{"sip:U517@192.0.2.1", "none"},
		{"sip:192.0.2.1", "none"},
	};
	struct pair pair;
	struct seen seen;

	(void)state;
	open_with(&pair, &seen);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		add(&pair, i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		call(&pair, rows[i].target);
		assert_string_equal(seen.called, rows[i].account);
	}
	pair_close(&pair);
}

/* A registrar that believes everybody, at 192.0.2.3. */
struct registrar {
	struct world_host *host;
	struct loop *loop;
	struct sip_stack *stack;
	size_t came, left;
};

static void take_register(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	struct registrar *registrar = arg;
	char room[256];
	struct text lines = TEXT_IN(room);
	bool leaves = slice_is(*sip_msg_header(msg, SIP_EXPIRES), "0");

	registrar->came += !leaves;
	registrar->left += leaves;
	if (!leaves) {
		sip_print_header(&lines, SIP_CONTACT, *sip_msg_header(msg, SIP_CONTACT));
		sip_print_header_text(&lines, SIP_EXPIRES, "600");
	}
	sip_server_respond(
		server, &(struct sip_response){.status = 200, .headers = text_slice(&lines)});
}

static void open_registrar(struct registrar *registrar, struct pair *pair)
{
	static const struct sip_stack_events events = {.request = take_register};
	const struct addr at = {.family = ADDR_IPV4, .port = 5060, .ip = {192, 0, 2, 3}};
	struct sip_stack_config config = {.user_agent = "test",
		.allow = "REGISTER",
		.accept = "application/sdp",
		.events = &events,
		.arg = registrar};

	*registrar = (struct registrar){0};
	assert_int_equal(world_host_new(&registrar->host, pair->world, &at), 0);
	assert_int_equal(world_loop_new(&registrar->loop, registrar->host), 0);
	config.loop = registrar->loop;
	assert_int_equal(sip_stack_new(&registrar->stack, &config), 0);
	assert_int_equal(sip_stack_listen(NULL, registrar->stack, SIP_UDP, &at), 0);
}

static void register_all(struct registrar *registrar, struct pair *pair)
{
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "u%u@192.0.2.3", i);
		add_named(pair, name);
	}
	run_s(pair, 2);
	assert_int_equal(registrar->came, ACCOUNTS);
}

static void open_registered(struct pair *pair, struct seen *seen, struct registrar *registrar)
{
	open_with(pair, seen);
	open_registrar(registrar, pair);
	register_all(registrar, pair);
}

static void end_registrar(struct registrar *registrar)
{
	sip_stack_free(registrar->stack);
	world_loop_free(registrar->loop);
}

static void end_closed(struct pair *pair)
{
	agent_free(pair->near.agent);
	world_loop_free(pair->near.loop);
	world_loop_free(pair->near.media_loop);
	end_close(pair, &pair->far);
	world_free(pair->world);
}

static const struct addr elsewhere = {ADDR_IPV4, 0, 0, {192, 0, 2, 11}};

/* Moves, and waits for the first REGISTER from there. */
static void move(struct pair *pair, const struct registrar *registrar, const struct addr *to)
{
	size_t before = registrar->came;

	world_host_move(pair->here, to);
	for (unsigned i = 0; i < 500 && registrar->came == before; i++)
		run_ms(pair, 1);
	run_ms(pair, 3);
}

/* All of them are to be registered anew at the same time: in turn, each once, and whoever's turn
 * was still to come when it moves again keeps it. */
static void test_move_is_paced(void **state)
{
	struct registrar registrar;
	struct pair pair;
	struct seen seen;

	(void)state;
	open_registered(&pair, &seen, &registrar);
	move(&pair, &registrar, &elsewhere);
	assert_in_range(registrar.came, ACCOUNTS + 50, ACCOUNTS + 60);
	run_ms(&pair, 500);
	assert_in_range(registrar.came, ACCOUNTS + 540, ACCOUNTS + 560);
	run_ms(&pair, 480);
	assert_int_equal(registrar.came, 2 * ACCOUNTS);
	run_s(&pair, 2);
	assert_int_equal(registrar.came, 2 * ACCOUNTS);

	move(&pair, &registrar, &here);
	run_ms(&pair, 200);
	move(&pair, &registrar, &elsewhere);
	run_s(&pair, 3);
	assert_in_range(registrar.came, 3 * ACCOUNTS + 200, 3 * ACCOUNTS + 600);
	assert_int_equal(registrar.left, 0);
	end_registrar(&registrar);
	pair_close(&pair);
}

/* Who closes meanwhile leaves nobody behind. */
static void test_end_while_moving(void **state)
{
	struct registrar registrar;
	struct pair pair;
	struct seen seen;

	(void)state;
	open_registered(&pair, &seen, &registrar);
	move(&pair, &registrar, &elsewhere);
	agent_close(pair.near.agent, on_closed, &pair.near);
	run_s(&pair, 2);
	assert_int_equal(registrar.left, ACCOUNTS);
	assert_true(pair.near.closed);
	end_registrar(&registrar);
	end_closed(&pair);
}

/* As they have come: the first at once, the others in turn. */
static void test_end_is_paced(void **state)
{
	struct registrar registrar;
	struct pair pair;
	struct seen seen;

	(void)state;
	open_registered(&pair, &seen, &registrar);
	agent_close(pair.near.agent, on_closed, &pair.near);
	run_ms(&pair, 10);
	assert_int_equal(registrar.left, 50);
	run_ms(&pair, 250);
	assert_in_range(registrar.left, 500, 550);
	assert_false(pair.near.closed);
	run_ms(&pair, 250);
	assert_int_equal(registrar.left, ACCOUNTS);
	assert_true(pair.near.closed);

	end_registrar(&registrar);
	end_closed(&pair);
}

/* Of two with one user the one whose server it comes from, else the first. */
static void test_calls_find_their_server(void **state)
{
	struct pair pair;
	struct seen seen;

	(void)state;
	open_with(&pair, &seen);
	add_named(&pair, "bob@192.0.2.9");
	add_named(&pair, "carol@192.0.2.2");
	add_named(&pair, "bob@192.0.2.2");
	add_named(&pair, "dave@192.0.2.8");
	add_named(&pair, "dave@192.0.2.9");
	run_s(&pair, 1);
	call(&pair, "sip:bob@192.0.2.1");
	assert_string_equal(seen.called, "bob@192.0.2.2");
	call(&pair, "sip:dave@192.0.2.1");
	assert_string_equal(seen.called, "dave@192.0.2.8");
	pair_close(&pair);
}

/* They are walked in the order in which they came. */
static void test_walk(void **state)
{
	struct agent_account at = {0};
	struct pair pair;
	struct seen seen;
	unsigned count = 0;

	(void)state;
	open_with(&pair, &seen);
	assert_false(agent_account_next(&at, pair.near.agent));
	for (unsigned i = 0; i < ACCOUNTS; i++)
		add(&pair, i);
	while (agent_account_next(&at, pair.near.agent)) {
		char name[32];

		snprintf(name, sizeof(name), "u%u@192.0.2.2", count++);
		assert_string_equal(at.settings->name, name);
		assert_true(at.trying && !at.registered);
	}
	assert_int_equal(count, ACCOUNTS);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_is_paced),
		cmocka_unit_test(test_end_is_paced),
		cmocka_unit_test(test_move_is_paced),
		cmocka_unit_test(test_end_while_moving),
		cmocka_unit_test(test_calls_find_their_account),
		cmocka_unit_test(test_calls_find_their_server),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
