/* core/ua: many accounts of one agent, in the simulated world. */
#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ACCOUNTS = 1000 };

/* What the far end refused; it is no registrar. */
static void on_event(void *arg, const struct ua_event *event)
{
	size_t *refused = arg;

	if (event->kind != UA_REGISTRATION_FAILED)
		return;
	assert_int_equal(event->registration.code, 405);
	++*refused;
}

static void add(struct pair *pair, unsigned nth)
{
	char name[32];
	struct fault why;

	snprintf(name, sizeof(name), "u%u@192.0.2.2", nth);
	assert_int_equal(agent_add_account(pair->near.agent,
				 &(struct ua_account){.aor = name, .registers = true}, &why),
		0);
}

/* The first of them at once, the others one by one, so that no socket has to hold them all. */
static void test_start_is_paced(void **state)
{
	struct pair pair;
	size_t refused = 0;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, (struct ua_policy){0});
	pair.near.config.event = on_event;
	pair.near.config.arg = &refused;
	pair_start(&pair);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		add(&pair, i);
	run_ms(&pair, 3);
	assert_in_range(refused, 50, 52);
	run_ms(&pair, 500);
	assert_in_range(refused, 549, 552);
	run_ms(&pair, 460);
	assert_int_equal(refused, ACCOUNTS);

	add(&pair, ACCOUNTS); /* who comes alone does not wait */
	run_ms(&pair, 3);
	assert_int_equal(refused, ACCOUNTS + 1);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_is_paced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
