/* core/sip/request: by which transport, and where else when that fails. */
#include "core/base/text.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* Section 18.1.1. The request without its body is some 300 bytes long. */
static void test_size(void **state)
{
	static const struct {
		size_t body;
		bool tcp; /* b listens by it */
		size_t by_udp, by_tcp;
	} rows[] = {{0, true, 1, 0}, {1300, true, 0, 1}, {1300, false, 1, 0}, {800, true, 1, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim sim;

		sim_open(&sim, rows[i].tcp);
		sim_options(&sim, "sip:b@192.0.2.2", rows[i].body);
		if (strcmp(sim.a.log, "200 ") != 0)
			fail_msg("row %zu: %s", i, sim.a.log);
		assert_int_equal(sim.b.received[0], rows[i].by_udp);
		assert_int_equal(sim.b.received[1], rows[i].by_tcp);
		sim_close(&sim);
	}
}

static void add_name(struct sim *sim, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, slice_of(text)), 0);
	assert_int_equal(world_name(sim->play->world, "example.org", &addr), 0);
}

/* RFC 3263, section 4.3: the next one after an ICMP error, a refused connection and a 503. */
static void test_next(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	add_name(&sim, "192.0.2.4");
	add_name(&sim, "192.0.2.2");
	sim_options(&sim, "sip:b@example.org", 0);
	assert_string_equal(sim.a.log, "200 ");
	sim_options(&sim, "sip:b@example.org;transport=tcp", 0);
	assert_string_equal(sim.a.log, "200 ");
	sim_close(&sim);
}

static void test_unavailable(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 503;
	add_name(&sim, "192.0.2.2");
	add_name(&sim, "192.0.2.4");
	sim_options(&sim, "sip:b@example.org", 0);
	assert_string_equal(sim.a.log, "ended(-111) ");
	sim_options(&sim, "sip:b@192.0.2.2", 0); /* there is no other */
	assert_string_equal(sim.a.log, "503 ");
	sim_close(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
