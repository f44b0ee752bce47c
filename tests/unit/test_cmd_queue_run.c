/* cmd/queue: what a command that runs is promised (cmd/command.h), by one that notes what is called
 * of it. */
#include "cmd/command.h"
#include "cmd/readers/verdict.h"
#include "core/base/loop.h"
#include "tests/unit/desk_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

const struct command *__real_command_find(struct slice name);
const struct command *__wrap_command_find(struct slice name);

static unsigned begun, shown, dropped;
static enum ua_event_kind last; /* that was shown */

static enum command_state run_probe(struct command_run *run)
{
	run->data = &begun;
	begun++;
	return COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	(void)run;
	shown++;
	last = event->kind;
	return COMMAND_WAITING;
}

static void drop_probe(struct command_run *run)
{
	assert_ptr_equal(run->data, &begun);
	run->data = NULL;
	dropped++;
}

static const struct command probe = {
	.name = "probe",
	.help = "",
	.about = "",
	.run = run_probe,
	.event = see_event,
	.drop = drop_probe,
	.limit_ns = 2 * NS_PER_S,
};

const struct command *__wrap_command_find(struct slice name)
{
	return slice_is(name, "probe") ? &probe : __real_command_find(name);
}

static void open_pair(struct desk_pair *pair)
{
	begun = shown = dropped = 0;
	desk_pair_open(pair, true);
}

/* What it keeps is let go once it has failed, as whenever it is over, and once. */
static void test_limit(void **state)
{
	struct desk_pair pair;

	(void)state;
	open_pair(&pair);
	desk_pair_put(&pair, pair.near, "probe");
	desk_pair_put(&pair, pair.near, "calls");
	desk_pair_run(&pair, 1999);
	desk_pair_expect(&pair, "");
	assert_int_equal(dropped, 0);
	desk_pair_run(&pair, 2);
	desk_pair_expect(&pair, "6 probe: probe has not ended within 2 s; ok calls: no calls\n; ");
	assert_int_equal(begun, 1);
	assert_int_equal(dropped, 1);
	desk_pair_run(&pair, 5000);
	desk_pair_close(&pair);
	assert_int_equal(dropped, 1);
}

static void test_dropped_with_the_queue(void **state)
{
	struct desk_pair pair;

	(void)state;
	open_pair(&pair);
	desk_pair_put(&pair, pair.near, "probe &");
	desk_pair_put(&pair, pair.near, "probe");
	desk_pair_close(&pair);
	assert_int_equal(begun, 2);
	assert_int_equal(dropped, 2);
}

/* The ends of commands are no event of a phone, whoever typed them. */
static void test_no_command_sees_the_end_of_another(void **state)
{
	struct ua_event notice = {.kind = UA_NOTICE, .notice = {.words = "x"}};
	struct desk_pair pair;

	(void)state;
	open_pair(&pair);
	desk_pair_put(&pair, pair.near, "probe &");
	desk_pair_put(&pair, pair.near, "calls");
	desk_pair_put(&pair, pair.near, "stats");
	assert_int_equal(shown, 0);
	desk_tell(pair.desk, pair.near, &notice);
	assert_int_equal(shown, 1);
	assert_int_equal(last, UA_NOTICE);
	desk_pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_dropped_with_the_queue),
		cmocka_unit_test(test_no_command_sees_the_end_of_another),
	};

	return cmocka_run_group_tests_name("cmd/queue, a run", tests, NULL, NULL);
}
