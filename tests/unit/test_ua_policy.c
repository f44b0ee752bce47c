/* core/ua/policy: what becomes of an incoming call, row by row. */
#include "core/ua/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct policy_state quiet;

/* clang-format off */
static const struct {
	const char *name;
	struct ua_policy policy;
	struct policy_state state;
	uint16_t code; /* 0: taken */
} rows[] = {
	{"answers",                  {.answer = true},                                      {.live = 0, .closing = false}, 0},
	{"answers many",             {.answer = true},                                     {.live = 99, .closing = false}, 0},
	{"up to the most",           {.answer = true, .max_calls = 2},                      {.live = 1, .closing = false}, 0},
	{"over the most",            {.answer = true, .max_calls = 2},                      {.live = 2, .closing = false}, 486},
	{"nobody answers",           {.answer = false},                                     {.live = 0, .closing = false}, 486},
	{"rings",                    {.ring = true},                                        {.live = 0, .closing = false}, 0},
	{"rings up to the most",     {.ring = true, .max_calls = 1},                        {.live = 1, .closing = false}, 486},
	{"refuses and does not ring", {.ring = true, .refuse_code = 603},                   {.live = 0, .closing = false}, 603},
	{"refuses",                  {.answer = true, .refuse_code = 603},                  {.live = 0, .closing = false}, 603},
	{"busy before it refuses",   {.answer = true, .refuse_code = 404, .max_calls = 1},  {.live = 1, .closing = false}, 486},
	{"being put down",           {.answer = true},                                      {.live = 0, .closing = true},  480},
	{"rejects the anonymous",    {.answer = true, .reject_anonymous = true},            {.anonymous = true}, 433},
	{"but nobody else",          {.answer = true, .reject_anonymous = true},            {0}, 0},
	{"takes the anonymous",      {.ring = true},                                        {.anonymous = true}, 0},
	{"refuses all the same",     {.refuse_code = 603, .reject_anonymous = true},        {.anonymous = true}, 603},
	{"is full all the same",     {.max_calls = 1, .reject_anonymous = true},            {.live = 1, .anonymous = true}, 486},
	{"put down while refusing",  {.answer = true, .refuse_code = 603},                  {.live = 0, .closing = true},  480},
};
/* clang-format on */

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_decision decision = policy_incoming(&rows[i].policy, &rows[i].state);

		if (decision.refuse_code != rows[i].code)
			fail_msg("%s: %u", rows[i].name, decision.refuse_code);
	}
}

static void test_answers_when_asked_to(void **state)
{
	const struct ua_policy policy = {.answer = true, .answer_after_ns = 1500};

	(void)state;
	assert_int_equal(policy_incoming(&policy, &quiet).answer_after_ns, 1500);
}

/* Whoever answers calls by himself is asked first. */
static void test_rings_until_somebody_answers(void **state)
{
	const struct ua_policy rings = {.ring = true, .answer_after_ns = 1500};
	const struct ua_policy both = {.ring = true, .answer = true, .answer_after_ns = 1500};

	(void)state;
	assert_true(policy_incoming(&rings, &quiet).answer_after_ns == UINT64_MAX);
	assert_int_equal(policy_incoming(&both, &quiet).answer_after_ns, 1500);
}

static void test_hangs_up_when_all_is_sent(void **state)
{
	const struct ua_policy goes_on = {.hangup_at_eof = false};
	const struct ua_policy hangs_up = {.hangup_at_eof = true};

	(void)state;
	assert_true(policy_source_ended(&goes_on) == UINT64_MAX);
	/* long enough for most jitter buffers, and no silence that a person would notice */
	assert_in_range(policy_source_ended(&hangs_up), 200000000, 500000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_answers_when_asked_to),
		cmocka_unit_test(test_rings_until_somebody_answers),
		cmocka_unit_test(test_hangs_up_when_all_is_sent),
	};

	return cmocka_run_group_tests_name("ua/policy", tests, NULL, NULL);
}
