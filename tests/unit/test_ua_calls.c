/* core/ua: whole calls of two agents in the simulated world, as their events tell them. */
#include "codecs/codec.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/ua/agent.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LOG_SIZE = 2048 };

struct end {
	struct loop *loop;
	struct loop *media_loop;
	const struct codec *codec;
	struct agent *agent;
	struct ua_policy policy;
	char room[LOG_SIZE];
	struct text log; /* a word or two an event */
	bool closed;
};

struct pair {
	struct world *world;
	struct world_host *here, *there;
	struct end near, far;
};

static const struct addr here = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
static const struct addr there = {ADDR_IPV4, 0, 0, {192, 0, 2, 2}};
static const struct addr nowhere = {ADDR_IPV4, 0, 0, {192, 0, 2, 3}};

static void log_end(struct end *end, const struct ua_event *event)
{
	text_printf(&end->log, "ended(%s %u%s) ", ua_cause_name(event->ended.cause),
		event->ended.code, event->ended.answered ? " answered" : "");
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct end *end = arg;
	char at[ADDR_TEXT_SIZE];

	if (event->kind == UA_CALL_ENDED)
		log_end(end, event);
	else if (event->kind == UA_CALL_OUTGOING)
		text_printf(&end->log, "outgoing(%s) ", addr_print(at, &event->way.address));
	else if (event->kind == UA_ERROR)
		text_printf(&end->log, "error(%s) ", event->error.words);
	else if (event->kind != UA_CALL_STATS && event->kind != UA_CALL_MEDIA)
		text_printf(&end->log, "%s ", ua_event_name(event->kind) + strlen("call."));
}

static void on_closed(void *arg)
{
	struct end *end = arg;

	assert_false(end->closed); /* once */
	end->closed = true;
}

static void end_open(struct end *end, struct world_host *host, const struct addr *at, uint16_t port)
{
	struct ua_config config = {
		.user_agent = "test",
		.user = "x",
		.mic = "tone:440",
		.speaker = "null",
		.codec_count = 1,
		.event = on_event,
		.arg = end,
	};
	struct addr local = *at;
	struct fault why;

	end->log = TEXT_IN(end->room);
	assert_int_equal(world_loop_new(&end->loop, host), 0);
	assert_int_equal(world_loop_new(&end->media_loop, host), 0);
	end->codec = codec_find(slice_of("pcmu"));
	config.loop = end->loop;
	config.media_loop = end->media_loop;
	config.codecs = &end->codec;
	config.policy = end->policy;
	assert_int_equal(agent_new(&end->agent, &config), 0);
	local.port = port;
	assert_int_equal(agent_listen(end->agent, SIP_UDP, &local, false, &why), 0);
	end->log = TEXT_IN(end->room); /* without the listening */
}

static void run_s(struct pair *pair, unsigned seconds)
{
	world_run(pair->world, world_now(pair->world) + seconds * NS_PER_S);
}

static void pair_open(struct pair *pair, struct ua_policy near, struct ua_policy far)
{
	const struct world_config config = {.seed = 1, .way_ns = NS_PER_MS};

	*pair = (struct pair){.near = {.policy = near}, .far = {.policy = far}};
	assert_int_equal(world_new(&pair->world, &config), 0);
	assert_int_equal(world_host_new(&pair->here, pair->world, &here), 0);
	assert_int_equal(world_host_new(&pair->there, pair->world, &there), 0);
	end_open(&pair->near, pair->here, &here, 5060);
	end_open(&pair->far, pair->there, &there, 5060);
}

static void end_close(struct pair *pair, struct end *end)
{
	agent_close(end->agent, on_closed, end);
	run_s(pair, 40);
	assert_true(end->closed);
	agent_free(end->agent);
	world_loop_free(end->loop);
	world_loop_free(end->media_loop);
}

static void pair_close(struct pair *pair)
{
	end_close(pair, &pair->near);
	end_close(pair, &pair->far);
	world_free(pair->world);
}

static void pair_call(struct pair *pair, const char *target)
{
	struct fault why;
	unsigned call;

	assert_int_equal(agent_call(&call, pair->near.agent, target, &why, NULL), 0);
}

static const struct ua_policy answers = {.answer = true};

static void test_a_call(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.duration_ns = 2 * NS_PER_S}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 5);
	assert_string_equal(
		pair.near.room, "outgoing(192.0.2.2) answered ended(local 200 answered) ");
	assert_string_equal(pair.far.room, "incoming answered ended(remote 200 answered) ");
	pair_close(&pair);
}

/* RFC 3263, section 4.3: where nobody listens at the first address of a name, the next has its
 * turn. */
static void test_next_address_of_a_name(void **state)
{
	struct world_host *empty;
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.duration_ns = NS_PER_S}, answers);
	assert_int_equal(world_host_new(&empty, pair.world, &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 5);
	assert_string_equal(
		pair.near.room, "outgoing(192.0.2.3) answered ended(local 200 answered) ");
	pair_close(&pair);
}

/* A host that is silent is left after Timer B; in the end nobody was there. */
static void test_all_addresses_in_vain(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	world_host_down(pair.there);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 63);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.3) ");
	run_s(&pair, 3);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.3) ended(unreachable 408) ");
	world_host_up(pair.there);
	pair_close(&pair);
}

/* Who said 180 is there: a refusal after it is final. */
static void test_refusal_is_no_reason_to_move(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.refuse_code = 486});
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ended(rejected 486) ");
	assert_string_equal(pair.far.room, "incoming ended(rejected 486) ");
	pair_close(&pair);
}

static void test_no_such_name(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@carol.test");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(none) ended(unreachable 0) ");
	pair_close(&pair);
}

/* It is hung up while nothing is known yet; the call is told all the same. */
static void test_hung_up_while_looking_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	pair_call(&pair, "sip:bob@bob.test");
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(none) ended(local 487) ");
	assert_string_equal(pair.far.room, "");
	assert_int_equal(agent_hangup(pair.near.agent, 1), -ENOENT);
	pair_close(&pair);
}

static void test_nobody_picks_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.ring_limit_ns = 2 * NS_PER_S},
		(struct ua_policy){.answer = true, .answer_after_ns = 30 * NS_PER_S});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ringing ended(timeout 487) ");
	assert_string_equal(pair.far.room, "incoming ended(remote 487) ");
	pair_close(&pair);
}

/* An INVITE that comes while the agent closes is refused and makes no call. */
static void test_closing_takes_no_call(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	agent_close(pair.far.agent, on_closed, &pair.far);
	run_s(&pair, 1);
	assert_true(pair.far.closed);
	assert_string_equal(pair.far.room, "");
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ended(rejected 480) ");

	end_close(&pair, &pair.near);
	agent_free(pair.far.agent);
	world_loop_free(pair.far.loop);
	world_loop_free(pair.far.media_loop);
	world_free(pair.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call),
		cmocka_unit_test(test_next_address_of_a_name),
		cmocka_unit_test(test_all_addresses_in_vain),
		cmocka_unit_test(test_refusal_is_no_reason_to_move),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_hung_up_while_looking_up),
		cmocka_unit_test(test_nobody_picks_up),
		cmocka_unit_test(test_closing_takes_no_call),
	};

	return cmocka_run_group_tests_name("ua/calls", tests, NULL, NULL);
}
