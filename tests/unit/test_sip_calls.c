/*
 * core/sip: thousands of calls over a bad network, and whole calls in which each allocation fails
 * in turn. Every call ends on both sides, and nothing outlives it.
 */
#include "core/base/text.h"
#include "core/sip/registry.h"
#include "tests/unit/sip_phone.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { CALLS = 3000 };

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

/* One fails, and those after it work again. */
void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0) {
		allocations_left = SIZE_MAX;
		return NULL;
	}
	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return __real_calloc(count, size);
}

/* What the people at both ends do in one call; a time of 0: never. */
struct plan {
	uint64_t accept_ms, reject_ms; /* after it rang */
	uint64_t change_a_ms, change_b_ms;
	uint64_t hangup_a_ms, hangup_b_ms;
};

struct deed {
	struct timer timer;
	struct phone *phone;
};

static void do_accept(void *arg)
{
	phone_accept(((struct deed *)arg)->phone);
}

static void do_reject(void *arg)
{
	struct phone *phone = ((struct deed *)arg)->phone;

	if (phone->invite && sip_invite_state(phone->invite) == SIP_INVITE_INCOMING)
		sip_invite_reject(phone->invite, &(struct sip_response){.status = 603});
}

static void do_change(void *arg)
{
	struct phone *phone = ((struct deed *)arg)->phone;

	if (phone->invite && sip_invite_state(phone->invite) == SIP_INVITE_CONFIRMED)
		(void)phone_change(phone);
}

static void do_hangup(void *arg)
{
	phone_hangup(((struct deed *)arg)->phone);
}

/* Loss 20 %, 10 % twice, and delays that turn the order round. */
static void bad_network(void *arg, struct world_fate *fate, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct world *world = arg;

	(void)from;
	(void)to;
	(void)bytes;
	if (world_random_below(world, 100) < 20)
		fate->copies = 0;
	else if (world_random_below(world, 100) < 10)
		fate->copies = 2;
	for (size_t i = 0; i < fate->copies; i++)
		fate->delay_ns[i] = world_random_below(world, 700) * NS_PER_MS;
}

static void draw_plan(struct plan *plan, struct world *world)
{
	*plan = (struct plan){0};
	if (world_random_below(world, 4) > 0)
		plan->accept_ms = 1 + world_random_below(world, 5000);
	else if (world_random_below(world, 2) > 0)
		plan->reject_ms = 1 + world_random_below(world, 5000);
	if (world_random_below(world, 2) > 0)
		plan->change_a_ms = 1 + world_random_below(world, 9000);
	if (world_random_below(world, 2) > 0)
		plan->change_b_ms = 1 + world_random_below(world, 9000);
	plan->hangup_a_ms = 1 + world_random_below(world, 15000);
	plan->hangup_b_ms = 1 + world_random_below(world, 15000);
	if (world_random_below(world, 3) == 0)
		plan->hangup_b_ms = 0;
	else if (plan->accept_ms && world_random_below(world, 3) == 0)
		plan->hangup_a_ms = 0;
}

static void start(struct deed *deed, struct phone *phone, void (*fire)(void *), uint64_t ms)
{
	deed->phone = phone;
	timer_init(&deed->timer, phone->loop, fire, deed);
	if (ms > 0)
		timer_start_in(&deed->timer, ms * NS_PER_MS);
}

/* What b does counts from its first sight of the call. */
static void wait_for_call(struct pair *pair)
{
	for (int i = 0; i < 4000 && pair->b.incoming == 0; i++)
		world_run(&pair->world, 10 * NS_PER_MS);
}

static void run_plan(struct pair *pair, const struct plan *plan)
{
	struct deed accept, reject, change_a, change_b, hangup_a, hangup_b;

	pair->a.persist = true;
	pair->b.persist = true;
	start(&hangup_a, &pair->a, do_hangup, plan->hangup_a_ms);
	start(&change_a, &pair->a, do_change, plan->change_a_ms);
	wait_for_call(pair);
	start(&accept, &pair->b, do_accept, plan->accept_ms);
	start(&reject, &pair->b, do_reject, plan->reject_ms);
	start(&change_b, &pair->b, do_change, plan->change_b_ms);
	start(&hangup_b, &pair->b, do_hangup, plan->hangup_b_ms);
	world_run(&pair->world, 120 * NS_PER_S);
}

/* All that was sent, as a number. */
static uint32_t sum_of(const struct world *world)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < world->sent_count; i++)
		sum = table_hash(
			sum ^ (uint32_t)world->sent[i].at_ns, slice_of(world->sent[i].text));
	return sum;
}

static uint32_t run_seed(uint64_t seed)
{
	struct plan plan;
	struct pair pair;
	uint32_t sum;

	pair_open(&pair);
	pair.world.random = seed;
	draw_plan(&plan, &pair.world);
	pair.world.hook = bad_network;
	pair.world.hook_arg = &pair.world;
	assert_int_equal(phone_call(&pair.a, &pair.b), 0);
	run_plan(&pair, &plan);
	if (pair.a.ended != 1 || pair.b.ended != pair.b.incoming || pair.b.incoming > 1)
		fail_msg("seed %llu: a \"%s\", b \"%s\"", (unsigned long long)seed, pair.a.log,
			pair.b.log);
	sum = sum_of(&pair.world);
	pair_close(&pair);
	return sum;
}

static void test_random_calls(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CALLS; seed++)
		run_seed(seed);
}

static void test_same_seed_same_bytes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		assert_int_equal(run_seed(seed), run_seed(seed));
	assert_int_not_equal(run_seed(1), run_seed(2));
}

enum kind { TALK, TALK_B, CANCEL, REJECT, HASTE, LATE, CHANGE, CHANGE_B, KINDS };

static void change(struct phone *phone)
{
	int err = 0;

	if (phone->invite && sip_invite_state(phone->invite) == SIP_INVITE_CONFIRMED)
		err = phone_change(phone);
	assert_true(err == 0 || err == -ENOMEM);
}

/* A whole call; the allocation number allowed fails. Returns whether there were that many. */
static bool run_without_memory(enum kind kind, size_t allowed)
{
	struct pair pair;
	bool failed;
	int err;

	pair_open(&pair);
	pair.b.accept = kind != CANCEL && kind != REJECT;
	pair.a.late = kind == LATE;
	pair.a.in_ack = kind == LATE ? "late" : NULL;
	allocations_left = allowed;
	err = phone_call(&pair.a, &pair.b);
	assert_true(err == 0 || err == -ENOMEM);
	world_run(&pair.world, 100 * NS_PER_MS);
	if (kind == HASTE) /* before anything could be repeated */
		phone_hangup(&pair.a);
	world_run(&pair.world, NS_PER_S);
	phone_accept(&pair.b); /* once more, if it could not be made */
	world_run(&pair.world, NS_PER_S);
	if (kind == REJECT && pair.b.invite &&
		sip_invite_state(pair.b.invite) == SIP_INVITE_INCOMING)
		sip_invite_reject(pair.b.invite, &(struct sip_response){.status = 603});
	if (kind == CHANGE || kind == CHANGE_B) {
		change(kind == CHANGE ? &pair.a : &pair.b);
		world_run(&pair.world, 5 * NS_PER_S);
	}
	phone_hangup(kind == TALK_B ? &pair.b : &pair.a);
	world_run(&pair.world, 50 * NS_PER_S);
	phone_hangup(&pair.a); /* what one side could not say, */
	phone_hangup(&pair.b); /* the other has to find out */
	world_run(&pair.world, 100 * NS_PER_S);
	failed = allocations_left == SIZE_MAX;
	allocations_left = SIZE_MAX;
	if (pair.a.ended != (err == 0))
		fail_msg("allocation %zu: a \"%s\", b \"%s\"", allowed, pair.a.log, pair.b.log);
	assert_true(err || pair.a.end.cause != SIP_ENDED_ERROR); /* what is lost is repeated */
	assert_true(!pair.b.invite || pair.b.ended == 1);
	pair_close(&pair);
	return failed;
}

static void test_no_memory_in_calls(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		size_t allowed = 0;

		while (run_without_memory((enum kind)kind, allowed))
			allowed++;
		assert_in_range(allowed, 15, 100);
	}
}

/* A refusal gets its ACK each time it comes, whichever allocation fails. */
static void test_no_memory_for_ack(void **state)
{
	size_t allowed = 0;
	bool failed;

	(void)state;
	do {
		struct pair pair;

		pair_open(&pair);
		pair.b.untaken = true;
		pair.b.reply = 0;
		pair.start = "ACK";
		pair.drop = 1;
		pair_call(&pair);
		pair_run_ms(&pair, 50);
		assert_non_null(pair.b.server);
		allocations_left = allowed++;
		sip_server_respond(pair.b.server, &(struct sip_response){.status = 486});
		pair_run_ms(&pair, 2000);
		failed = allocations_left == SIZE_MAX;
		allocations_left = SIZE_MAX;
		if (pair_count(&pair, "SIP/2.0 486") > 0) {
			assert_int_equal(pair_count(&pair, "SIP/2.0 486"), 2);
			assert_int_equal(pair_count(&pair, "ACK"), 2);
			assert_string_equal(
				pair_sent(&pair, "ACK", 0)->text, pair_sent(&pair, "ACK", 1)->text);
		}
		pair_close(&pair);
	} while (failed);
	assert_in_range(allowed, 4, 20);
}

/* What both sides keep of a call that is over, as long as Timers L and M run. */
static void test_memory_kept(void **state)
{
	enum { MADE = 200, KEPT_MAX = 3900 };
	struct pair pair;
	size_t before, after;

	(void)state;
	pair_open(&pair);
	pair.world.quiet = true;
	pair.b.accept = true;
	pair.a.action[PHONE_ENDED] = pair.b.action[PHONE_ENDED] = PHONE_FREE;
	before = mallinfo2().uordblks;
	for (int i = 0; i < MADE; i++) {
		pair_call(&pair);
		pair_run_ms(&pair, 20);
		phone_hangup(&pair.a);
		pair_run_ms(&pair, 20);
		assert_null(pair.a.invite);
		assert_null(pair.b.invite);
		pair.a.log[0] = pair.b.log[0] = '\0';
	}
	after = mallinfo2().uordblks;
	if (after > before + MADE * KEPT_MAX)
		fail_msg("%zu bytes a call", (after - before) / MADE);
	print_message("%zu bytes a call\n", (after - before) / MADE);
	pair_close(&pair);
}

static void test_no_memory_for_stack(void **state)
{
	struct world world;
	struct loop *loop;
	struct phone phone;
	size_t allowed = 0;
	int err;

	(void)state;
	world_open(&world, 1);
	loop = world_host(&world, "192.0.2.1");
	do {
		allocations_left = allowed++;
		err = phone_open(&phone, loop, "192.0.2.1:5060");
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_int_equal(allowed, 10); /* the stack, 3 strings, 4 tables, a transport */
	phone_close(&phone);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_calls),
		cmocka_unit_test(test_same_seed_same_bytes),
		cmocka_unit_test(test_no_memory_in_calls),
		cmocka_unit_test(test_no_memory_for_ack),
		cmocka_unit_test(test_memory_kept),
		cmocka_unit_test(test_no_memory_for_stack),
	};

	return cmocka_run_group_tests_name("sip/calls", tests, NULL, NULL);
}
