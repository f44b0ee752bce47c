/* cmd/readers/verdict: each way for a call to end, with the exit code that scripts rely on. */
#include "cmd/readers/verdict.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* clang-format off */
static const struct {
	enum ua_cause cause;
	bool answered;
	uint16_t code;
	int exit;
} rows[] = {
	{UA_CAUSE_LOCAL,       true,  200, 0}, /* -d, Ctrl-C */
	{UA_CAUSE_REMOTE,      true,  200, 0},
	{UA_CAUSE_REMOTE,      false, 487, 4},
	{UA_CAUSE_TIMEOUT,     false, 487, 6}, /* our CANCEL after -t */
	{UA_CAUSE_TIMEOUT,     false, 408, 6},
	{UA_CAUSE_LOCAL,       false, 487, 6},
	{UA_CAUSE_UNREACHABLE, false, 0,   3},
	{UA_CAUSE_UNREACHABLE, false, 408, 3}, /* our own timer */
	{UA_CAUSE_UNREACHABLE, false, 503, 3},
	{UA_CAUSE_UNREACHABLE, true,  0,   3},
	{UA_CAUSE_MEDIA,       false, 488, 8},
	{UA_CAUSE_MEDIA,       false, 0,   8},
	{UA_CAUSE_MEDIA,       true,  200, 8}, /* lost during the call */
	{UA_CAUSE_ERROR,       false, 0,   9},
	{UA_CAUSE_ERROR,       true,  200, 9},
	{UA_CAUSE_REJECTED,    false, 300, 4},
	{UA_CAUSE_REJECTED,    false, 302, 4},
	{UA_CAUSE_REJECTED,    false, 400, 4},
	{UA_CAUSE_REJECTED,    false, 401, 7},
	{UA_CAUSE_REJECTED,    false, 403, 4}, /* 7 only of a REGISTER */
	{UA_CAUSE_REJECTED,    false, 404, 4},
	{UA_CAUSE_REJECTED,    false, 407, 7},
	{UA_CAUSE_REJECTED,    false, 408, 6},
	{UA_CAUSE_REJECTED,    false, 480, 6},
	{UA_CAUSE_REJECTED,    false, 486, 5},
	{UA_CAUSE_REJECTED,    false, 487, 4},
	{UA_CAUSE_REJECTED,    false, 488, 8},
	{UA_CAUSE_REJECTED,    false, 500, 4},
	{UA_CAUSE_REJECTED,    false, 503, 3},
	{UA_CAUSE_REJECTED,    false, 600, 5},
	{UA_CAUSE_REJECTED,    false, 603, 5},
	{UA_CAUSE_REJECTED,    false, 606, 8},
	{UA_CAUSE_REJECTED,    false, 607, 4},
	{UA_CAUSE_REJECTED,    false, 699, 4},
};
/* clang-format on */

static struct ua_event ended(enum ua_cause cause, bool answered, uint16_t code, bool outgoing)
{
	struct ua_event event = {.kind = UA_CALL_ENDED, .call = 1};

	event.ended.cause = cause;
	event.ended.answered = answered;
	event.ended.code = code;
	event.ended.outgoing = outgoing;
	return event;
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ua_event event = ended(rows[i].cause, rows[i].answered, rows[i].code, true);
		struct verdict verdict = {0};

		verdict_event(&verdict, &event);
		if (verdict_exit(&verdict) != rows[i].exit)
			fail_msg("row %zu: got %d", i, verdict_exit(&verdict));
	}
}

static void test_nothing_happened(void **state)
{
	struct ua_event event = {.kind = UA_CALL_STATS};
	struct verdict verdict = {0};

	(void)state;
	assert_int_equal(verdict_exit(&verdict), 0);
	event.ended = ended(UA_CAUSE_REJECTED, false, 486, true).ended;
	verdict_event(&verdict, &event); /* only an end counts */
	assert_int_equal(verdict_exit(&verdict), 0);
}

/* The end of a call under way when a signal comes, and then the exit code. */
static int after_signals(const int *numbers, struct ua_event event)
{
	struct verdict verdict = {0};

	for (; *numbers; numbers++)
		verdict_signal(&verdict, *numbers);
	verdict_event(&verdict, &event);
	return verdict_exit(&verdict);
}

#define SIGNALS(...) ((const int[]){__VA_ARGS__, 0})

static void test_signals(void **state)
{
	struct ua_event cancelled = ended(UA_CAUSE_LOCAL, false, 487, true);
	struct ua_event hung_up = ended(UA_CAUSE_LOCAL, true, 200, true);
	struct ua_event busy = ended(UA_CAUSE_REJECTED, false, 486, true);
	struct ua_event incoming = ended(UA_CAUSE_LOCAL, true, 200, false);

	(void)state;
	assert_int_equal(after_signals(SIGNALS(SIGINT), cancelled), 130);
	assert_int_equal(after_signals(SIGNALS(SIGINT), hung_up), 0);
	assert_int_equal(after_signals(SIGNALS(SIGINT), busy), 5); /* it was faster */
	assert_int_equal(after_signals(SIGNALS(SIGTERM), cancelled), 143);
	assert_int_equal(after_signals(SIGNALS(SIGTERM), hung_up), 143);
	assert_int_equal(after_signals(SIGNALS(SIGHUP), cancelled), 129);
	assert_int_equal(after_signals(SIGNALS(SIGINT, SIGTERM), cancelled), 130);
	assert_int_equal(after_signals(SIGNALS(SIGINT), incoming), 0);
	assert_int_equal(after_signals(SIGNALS(SIGTERM), incoming), 143);
}

static void test_waiting(void **state)
{
	struct ua_event refused = ended(UA_CAUSE_REJECTED, false, 486, false);
	struct ua_event broken = ended(UA_CAUSE_ERROR, true, 200, false);
	struct verdict verdict = {0};

	(void)state;
	verdict_event(&verdict, &refused);
	verdict_event(&verdict, &broken);
	assert_int_equal(verdict_exit(&verdict), 0);
}

/* Who rings while we call is refused, and that is not how our call ended. */
static void test_other_calls(void **state)
{
	struct ua_event refused = ended(UA_CAUSE_REJECTED, false, 486, false);
	struct ua_event failed = ended(UA_CAUSE_REJECTED, false, 404, true);
	struct verdict verdict = {0};

	(void)state;
	verdict_event(&verdict, &refused);
	assert_int_equal(verdict_exit(&verdict), 0);
	verdict_event(&verdict, &failed);
	verdict_event(&verdict, &refused);
	assert_int_equal(verdict_exit(&verdict), 4);
}

static void test_fail(void **state)
{
	struct ua_event hung_up = ended(UA_CAUSE_LOCAL, true, 200, true);
	struct verdict verdict = {0};
	struct verdict calling = {0};

	(void)state;
	verdict_fail(&verdict, VERDICT_LOCAL);
	assert_int_equal(verdict_exit(&verdict), 9);

	verdict_fail(&calling, VERDICT_USAGE);
	verdict_fail(&calling, VERDICT_LOCAL); /* the first is why */
	verdict_event(&calling, &hung_up);
	assert_int_equal(verdict_exit(&calling), 2);
}

/* A file that is not what it should be, of a call or of the run, is no success; what the far end
 * did wrong is nothing to us, and what a call itself says comes first. */
static void test_trouble(void **state)
{
	struct ua_event theirs = {.kind = UA_ERROR, .call = 1, .error = {.words = "x"}};
	struct ua_event ours = {.kind = UA_ERROR, .error = {.words = "x", .ours = true}};
	struct ua_event busy = ended(UA_CAUSE_REJECTED, false, 486, true);
	struct verdict verdict = {0};

	(void)state;
	verdict_event(&verdict, &theirs);
	assert_int_equal(verdict_exit(&verdict), 0);
	verdict_event(&verdict, &ours);
	assert_int_equal(verdict_exit(&verdict), 9);
	verdict_event(&verdict, &busy);
	assert_int_equal(verdict_exit(&verdict), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_nothing_happened),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_other_calls),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests_name("cmd/readers/verdict", tests, NULL, NULL);
}
