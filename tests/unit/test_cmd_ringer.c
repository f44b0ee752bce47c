/* cmd/readers/ringer: plays of events with what a person hears at each, and how it comes to rest.
 */
#include "cmd/readers/ringer.h"

#include "core/base/text.h"
#include "core/media/player.h"
#include "tests/unit/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { STEPS_MAX = 16, NOTHING = PLAN_TONES };

/* What stands for the player that sounds. */
static struct {
	bool on, stopped, left;
	int err; /* that starting it gives */
	unsigned started;
	struct player_config config;
	const struct player_events *events;
	void *arg;
} now;

static struct fake_loop fake;
static const struct tone_plan *plan;
static unsigned told, done;
static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
int __wrap_player_start(struct player **out, const struct player_config *config,
	const struct player_events *events, void *arg);
void __wrap_player_stop(struct player *player);
void __wrap_player_leave(struct player *player);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct player *player(void)
{
	return (struct player *)(void *)&now;
}

int __wrap_player_start(struct player **out, const struct player_config *config,
	const struct player_events *events, void *arg)
{
	assert_false(now.on); /* one at a time */
	if (now.err)
		return now.err;

	now.on = true;
	now.stopped = false;
	now.started++;
	now.config = *config;
	now.events = events;
	now.arg = arg;
	*out = player();
	return 0;
}

void __wrap_player_stop(struct player *it)
{
	assert_ptr_equal(it, player());
	assert_true(now.on);
	assert_false(now.stopped);
	now.stopped = true;
}

void __wrap_player_leave(struct player *it)
{
	assert_ptr_equal(it, player());
	assert_true(now.stopped);
	now.on = false;
	now.left = true;
}

static void end_player(const struct fault *why)
{
	assert_true(now.on);
	now.on = false;
	now.events->ended(now.arg, why);
}

/* What was stopped comes to its end, and maybe something else begins. */
static void settle(void)
{
	while (now.on && now.stopped)
		end_player(NULL);
}

/* What is heard: a tone of the plan, found by its cadence. */
static int heard(void)
{
	if (!now.on)
		return NOTHING;

	for (int tone = 0; tone < PLAN_TONES; tone++) {
		struct tone_cadence cadence;

		tone_plan_cadence(&cadence, plan, (enum plan_tone)tone);
		if (memcmp(&cadence, &now.config.cadence, sizeof(cadence)) == 0)
			return tone;
	}
	fail_msg("no tone of the plan");
	return NOTHING;
}

static void on_tell(void *arg, const char *words)
{
	(void)arg;
	assert_string_equal(words, "no device");
	told++;
}

static void on_done(void *arg)
{
	assert_ptr_equal(arg, &fake);
	done++;
}

static struct ringer_config usual(void)
{
	return (struct ringer_config){
		.agent_loop = &fake.loop,
		.media_loop = &fake.loop,
		.speaker = "device:Ear",
		.ring_device = "device:Bell",
		.plan = plan,
		.tell = on_tell,
	};
}

static struct ringer *open_ringer(const struct ringer_config *config)
{
	struct ringer *ringer;

	fake_loop_init(&fake);
	memset(&now, 0, sizeof(now));
	told = done = 0;
	assert_int_equal(ringer_new(&ringer, config), 0);
	return ringer;
}

static void close_ringer(struct ringer *ringer)
{
	ringer_hush(ringer);
	settle();
	ringer_close(ringer, on_done, &fake);
	settle();
	assert_int_equal(done, 1);
	assert_false(now.on);
	ringer_free(ringer);
	fake_loop_end(&fake);
}

struct step {
	enum ua_event_kind kind;
	unsigned call;
	int heard; /* afterwards */
	enum ua_cause cause;
	uint16_t code;
	bool answered;
	bool incoming;
};

static void tell_hastily(struct ringer *ringer, const struct step *step)
{
	struct ua_event event = {.kind = step->kind, .call = step->call};

	if (step->kind == UA_CALL_ENDED) {
		event.ended.cause = step->cause;
		event.ended.code = step->code;
		event.ended.answered = step->answered;
		event.ended.outgoing = !step->incoming;
	}
	ringer_event(ringer, &event);
	settle();
}

/* Until what rings is heard. */
static void be_patient(void)
{
	fake_loop_advance(&fake, 150 * NS_PER_MS);
	settle();
}

static void tell(struct ringer *ringer, const struct step *step)
{
	tell_hastily(ringer, step);
	be_patient();
}

#define OUT(call, heard)                                                                           \
	{                                                                                          \
		UA_CALL_OUTGOING, call, heard, 0, 0, false, false                                  \
	}
#define IN(call, heard)                                                                            \
	{                                                                                          \
		UA_CALL_INCOMING, call, heard, 0, 0, false, false                                  \
	}
#define RINGS(call, heard)                                                                         \
	{                                                                                          \
		UA_CALL_RINGING, call, heard, 0, 0, false, false                                   \
	}
#define PROGRESS(call, heard)                                                                      \
	{                                                                                          \
		UA_CALL_PROGRESS, call, heard, 0, 0, false, false                                  \
	}
#define MEDIA(call, heard)                                                                         \
	{                                                                                          \
		UA_CALL_MEDIA, call, heard, 0, 0, false, false                                     \
	}
#define ANSWERED(call, heard)                                                                      \
	{                                                                                          \
		UA_CALL_ANSWERED, call, heard, 0, 0, false, false                                  \
	}
#define REDIRECTED(call, heard)                                                                    \
	{                                                                                          \
		UA_CALL_REDIRECTED, call, heard, 0, 0, false, false                                \
	}
#define REFUSED(call, code, heard)                                                                 \
	{                                                                                          \
		UA_CALL_ENDED, call, heard, UA_CAUSE_REJECTED, code, false, false                  \
	}
#define HUNG_UP(call, heard)                                                                       \
	{                                                                                          \
		UA_CALL_ENDED, call, heard, UA_CAUSE_REMOTE, 200, true, false                      \
	}
#define LOST(call, heard)                                                                          \
	{                                                                                          \
		UA_CALL_ENDED, call, heard, UA_CAUSE_MEDIA, 408, true, false                       \
	}
#define GONE(call, heard)                                                                          \
	{                                                                                          \
		UA_CALL_ENDED, call, heard, UA_CAUSE_REMOTE, 487, false, true                      \
	}
#define IN_ENDED(call, heard)                                                                      \
	{                                                                                          \
		UA_CALL_ENDED, call, heard, UA_CAUSE_REMOTE, 200, true, true                       \
	}
#define OTHER(kind, call, heard)                                                                   \
	{                                                                                          \
		kind, call, heard, 0, 0, false, false                                              \
	}

/* clang-format off */
static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
} plays[] = {
	{"a call that is answered", {
		OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), RINGS(1, PLAN_RINGBACK),
		ANSWERED(1, NOTHING), MEDIA(1, NOTHING), RINGS(1, NOTHING), HUNG_UP(1, NOTHING)}},
	{"other events change nothing", {
		OTHER(UA_LISTENING, 0, NOTHING), OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK),
		OTHER(UA_ERROR, 1, PLAN_RINGBACK), OTHER(UA_NOTICE, 1, PLAN_RINGBACK),
		OTHER(UA_LISTENING, 0, PLAN_RINGBACK), PROGRESS(1, PLAN_RINGBACK),
		RINGS(7, PLAN_RINGBACK), ANSWERED(1, NOTHING), OTHER(UA_CALL_METER, 1, NOTHING),
		OTHER(UA_CALL_STATS, 1, NOTHING), OTHER(UA_CALL_HELD, 1, NOTHING),
		OTHER(UA_CALL_RESUMED, 1, NOTHING)}},
	{"their own ring-back is heard", {
		OUT(1, NOTHING), PROGRESS(1, NOTHING), MEDIA(1, NOTHING), RINGS(1, NOTHING),
		ANSWERED(1, NOTHING)}},
	{"theirs comes after ours", {
		OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), MEDIA(1, NOTHING), MEDIA(1, NOTHING),
		RINGS(1, NOTHING)}},
	{"redirected while it rings", {
		OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), REDIRECTED(1, NOTHING),
		RINGS(1, PLAN_RINGBACK), MEDIA(1, NOTHING), REDIRECTED(1, NOTHING),
		RINGS(1, PLAN_RINGBACK), ANSWERED(1, NOTHING)}},
	{"redirected at once", {
		OUT(1, NOTHING), REDIRECTED(1, NOTHING), RINGS(1, PLAN_RINGBACK)}},
	{"busy", {OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), REFUSED(1, 486, PLAN_BUSY)}},
	{"busy everywhere", {OUT(1, NOTHING), REFUSED(1, 600, PLAN_BUSY)}},
	{"declined", {OUT(1, NOTHING), REFUSED(1, 603, PLAN_BUSY)}},
	{"not found", {OUT(1, NOTHING), REFUSED(1, 404, PLAN_INFORMATION)}},
	{"gone", {OUT(1, NOTHING), REFUSED(1, 410, PLAN_INFORMATION)}},
	{"half a number", {OUT(1, NOTHING), REFUSED(1, 484, PLAN_INFORMATION)}},
	{"nowhere", {OUT(1, NOTHING), REFUSED(1, 604, PLAN_INFORMATION)}},
	{"not there now", {OUT(1, NOTHING), REFUSED(1, 480, PLAN_CONGESTION)}},
	{"overloaded", {OUT(1, NOTHING), REFUSED(1, 503, PLAN_CONGESTION)}},
	{"a password is asked for", {OUT(1, NOTHING), REFUSED(1, 407, PLAN_CONGESTION)}},
	{"lost during the call", {
		OUT(1, NOTHING), ANSWERED(1, NOTHING), LOST(1, PLAN_CONGESTION)}},
	{"not reached", {OUT(1, NOTHING),
		{UA_CALL_ENDED, 1, PLAN_CONGESTION, UA_CAUSE_UNREACHABLE, 0, false, false}}},
	{"nobody answered", {OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK),
		{UA_CALL_ENDED, 1, PLAN_CONGESTION, UA_CAUSE_TIMEOUT, 487, false, false}}},
	{"given up by us", {OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK),
		{UA_CALL_ENDED, 1, NOTHING, UA_CAUSE_LOCAL, 487, false, false}}},
	{"hung up by us", {OUT(1, NOTHING), ANSWERED(1, NOTHING),
		{UA_CALL_ENDED, 1, NOTHING, UA_CAUSE_LOCAL, 200, true, false}}},
	{"our device cannot be opened", {OUT(1, NOTHING),
		{UA_CALL_ENDED, 1, NOTHING, UA_CAUSE_ERROR, 0, false, false}}},
	{"the next call cuts the tone of the last", {
		OUT(1, NOTHING), REFUSED(1, 486, PLAN_BUSY), OUT(2, NOTHING),
		RINGS(2, PLAN_RINGBACK), REFUSED(2, 486, PLAN_BUSY), IN(3, PLAN_RING),
		GONE(3, NOTHING)}},
	{"a call comes", {IN(1, PLAN_RING), ANSWERED(1, NOTHING), IN_ENDED(1, NOTHING)}},
	{"its media is no early one", {IN(1, PLAN_RING), MEDIA(1, PLAN_RING), GONE(1, NOTHING)}},
	{"two come", {
		IN(1, PLAN_RING), IN(2, PLAN_RING), GONE(1, PLAN_RING), GONE(2, NOTHING)}},
	{"another comes", {
		IN(1, PLAN_RING), ANSWERED(1, NOTHING), IN(2, PLAN_WAITING), GONE(2, NOTHING),
		IN(3, PLAN_WAITING), IN_ENDED(1, PLAN_RING), ANSWERED(3, NOTHING)}},
	{"one comes while ours rings, is spoken", {
		OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), IN(2, PLAN_RING),
		ANSWERED(2, NOTHING), IN_ENDED(2, PLAN_RINGBACK), MEDIA(1, NOTHING),
		IN(3, PLAN_WAITING), GONE(3, NOTHING), HUNG_UP(1, NOTHING)}},
	{"one fails during another, and afterwards it is too late", {
		OUT(1, NOTHING), ANSWERED(1, NOTHING), OUT(2, NOTHING), REFUSED(2, 486, NOTHING),
		HUNG_UP(1, NOTHING)}},
	{"one fails while another rings there, which then is sent on", {
		OUT(1, NOTHING), RINGS(1, PLAN_RINGBACK), OUT(2, PLAN_RINGBACK),
		REFUSED(2, 486, PLAN_RINGBACK), REDIRECTED(1, NOTHING)}},
	{"one fails while another comes", {
		OUT(1, NOTHING), IN(2, PLAN_RING), REFUSED(1, 486, PLAN_RING), GONE(2, NOTHING)}},
	{"one of theirs fails", {IN(1, PLAN_RING),
		{UA_CALL_ENDED, 1, NOTHING, UA_CAUSE_MEDIA, 488, false, true}}},
};
/* clang-format on */

static void test_plays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		struct ringer_config config = usual();
		struct ringer *ringer = open_ringer(&config);
		const struct step *step = plays[i].steps;

		for (; step < plays[i].steps + STEPS_MAX && (step->kind || step->heard); step++) {
			tell(ringer, step);
			if (heard() != step->heard)
				fail_msg("%s: step %td: %d is heard", plays[i].name,
					step - plays[i].steps + 1, heard());
			if (now.on)
				assert_string_equal(now.config.sink,
					heard() == PLAN_RING ? "device:Bell" : "device:Ear");
		}
		close_ringer(ringer);
	}
}

static const struct step call = OUT(1, 0), rings = RINGS(1, 0), answer = ANSWERED(1, 0),
			 busy = REFUSED(1, 486, 0), failed = REFUSED(1, 500, 0),
			 incoming = IN(2, 0);

/* Neither a device nor a person is troubled by what is over in a moment. */
static void test_answered_at_once(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	(void)state;
	tell_hastily(ringer, &call);
	tell_hastily(ringer, &rings);
	tell_hastily(ringer, &answer);
	be_patient();
	assert_int_equal(now.started, 0);
	tell_hastily(ringer, &incoming);
	fake_loop_advance(&fake, 100 * NS_PER_MS);
	tell_hastily(ringer, &(struct step)GONE(2, 0));
	be_patient();
	assert_int_equal(now.started, 0);

	/* the next is waited for as long, */
	tell_hastily(ringer, &incoming);
	fake_loop_advance(&fake, 150 * NS_PER_MS - 1);
	assert_int_equal(now.started, 0);
	fake_loop_advance(&fake, 1);
	assert_int_equal(heard(), PLAN_WAITING);
	tell_hastily(ringer, &(struct step)GONE(2, 0));
	tell_hastily(ringer, &failed); /* but what tells of an end comes at once */
	assert_int_equal(heard(), PLAN_CONGESTION);
	close_ringer(ringer);
}

static void test_for_how_long(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	(void)state;
	tell(ringer, &call);
	tell(ringer, &rings);
	assert_int_equal(now.config.limit_ns, 0);
	assert_true(now.config.repeats);
	tell(ringer, &busy);
	assert_int_equal(now.config.limit_ns, 3 * NS_PER_S);
	assert_false(now.config.repeats);
	assert_null(now.config.file);
	end_player(NULL);
	assert_int_equal(heard(), NOTHING); /* once is enough */
	tell(ringer, &incoming);
	assert_int_equal(now.config.limit_ns, 0);
	close_ringer(ringer);
}

/* Of a country where it comes a few times: while it waits on, that is not said again. */
static void test_waiting_once(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer;
	const struct tone_plan *before = plan;
	struct fault why;
	const struct step gone = GONE(2, 0);

	(void)state;
	assert_int_equal(tone_plan_parse(&plan, slice_of("dk"), &why), 0);
	config.plan = plan;
	ringer = open_ringer(&config);
	tell(ringer, &call);
	tell(ringer, &answer);
	tell(ringer, &incoming);
	assert_int_equal(heard(), PLAN_WAITING);
	assert_true(now.config.cadence.ends);
	end_player(NULL);
	assert_false(now.on);
	tell(ringer, &gone);
	tell(ringer, &incoming);
	assert_int_equal(heard(), PLAN_WAITING);
	close_ringer(ringer);
	plan = before;
}

static void test_files(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer;

	(void)state;
	config.files[RINGER_RING] = "ring.ogg";
	config.files[RINGER_RINGBACK] = RINGER_NONE;
	config.files[RINGER_FAILURE] = "sorry.wav";
	ringer = open_ringer(&config);
	tell(ringer, &call);
	tell(ringer, &rings);
	assert_false(now.on);
	tell(ringer, &incoming);
	assert_string_equal(now.config.file, "ring.ogg");
	assert_true(now.config.repeats);
	tell(ringer, &(struct step)GONE(2, 0));
	tell(ringer, &busy);
	assert_null(now.config.file);
	tell(ringer, &call);
	tell(ringer, &failed);
	assert_string_equal(now.config.file, "sorry.wav");
	assert_false(now.config.repeats);
	assert_int_equal(now.config.limit_ns, 10 * NS_PER_S);
	close_ringer(ringer);
}

/* No person at the speaker, or at the bell. */
static void test_where_nobody_listens(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer;

	(void)state;
	config.speaker = NULL;
	ringer = open_ringer(&config);
	tell(ringer, &call);
	tell(ringer, &rings);
	assert_false(now.on);
	tell(ringer, &incoming);
	assert_int_equal(heard(), PLAN_RING);
	tell(ringer, &answer);
	assert_false(now.on); /* it waits, but where it would be told */
	tell(ringer, &(struct step)GONE(2, 0));
	tell(ringer, &(struct step)LOST(1, 0));
	assert_false(now.on);
	ringer_close(ringer, on_done, &fake);
	assert_int_equal(done, 1); /* and nothing is waited for */
	ringer_free(ringer);
	fake_loop_end(&fake);

	config = usual();
	config.ring_device = NULL;
	ringer = open_ringer(&config);
	tell(ringer, &incoming);
	assert_false(now.on);
	tell(ringer, &call);
	tell(ringer, &answer);
	assert_false(now.on);
	close_ringer(ringer);

	config.speaker = NULL;
	ringer = open_ringer(&config);
	allocations_left = 0; /* nor is a call remembered */
	tell(ringer, &call);
	tell(ringer, &busy);
	allocations_left = SIZE_MAX;
	assert_false(now.on);
	close_ringer(ringer);
}

/* A device that is not there is told of once for each tone, and tried with the next. */
static void test_no_device(void **state)
{
	const struct fault why = {"no device"};
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	(void)state;
	tell(ringer, &call);
	tell(ringer, &rings);
	end_player(&why);
	assert_int_equal(told, 1);
	tell(ringer, &rings);
	assert_int_equal(now.started, 1);
	tell(ringer, &busy);
	assert_int_equal(heard(), PLAN_BUSY);
	ringer_close(ringer, on_done, &fake);
	assert_int_equal(done, 0);
	end_player(&why);
	assert_int_equal(done, 1);
	assert_int_equal(told, 2);
	ringer_free(ringer);
	fake_loop_end(&fake);
}

/* What the device tells is passed on. */
static void test_told(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	(void)state;
	tell(ringer, &incoming);
	now.events->told(now.arg, "no device");
	assert_int_equal(told, 1);
	close_ringer(ringer);
}

static struct ringer *busy_ringer(void)
{
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	tell(ringer, &call);
	tell(ringer, &rings);
	tell(ringer, &busy);
	assert_int_equal(heard(), PLAN_BUSY);
	return ringer;
}

static void test_close_hears_the_end(void **state)
{
	struct ringer *ringer = busy_ringer();

	(void)state;
	ringer_close(ringer, on_done, &fake);
	fake_loop_advance(&fake, 3 * NS_PER_S);
	assert_int_equal(done, 0);
	assert_false(now.stopped);
	end_player(NULL);
	assert_int_equal(done, 1);
	ringer_free(ringer);
	fake_loop_end(&fake);
}

static void test_close_does_not_hear_a_ring(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer = open_ringer(&config);

	(void)state;
	tell(ringer, &incoming);
	ringer_close(ringer, on_done, &fake);
	assert_true(now.stopped);
	assert_int_equal(done, 0);
	settle();
	assert_int_equal(done, 1);
	ringer_free(ringer);
	fake_loop_end(&fake);
}

static void test_hush(void **state)
{
	struct ringer *ringer = busy_ringer();

	(void)state;
	ringer_close(ringer, on_done, &fake);
	ringer_hush(ringer);
	assert_true(now.stopped);
	settle();
	assert_int_equal(done, 1);
	ringer_free(ringer);
	fake_loop_end(&fake);

	ringer = busy_ringer();
	ringer_hush(ringer);
	settle();
	assert_false(now.on);
	tell(ringer, &incoming);
	assert_false(now.on);
	close_ringer(ringer);
}

/* Whether it hangs while it plays, or while it is to be quiet. */
static void test_a_device_that_hangs(void **state)
{
	struct ringer *ringer;

	(void)state;
	for (int hushed = 0; hushed < 2; hushed++) {
		ringer = busy_ringer();
		ringer_close(ringer, on_done, &fake);
		if (hushed)
			ringer_hush(ringer);
		fake_loop_advance(&fake, (hushed ? 2 : 5) * NS_PER_S - 1);
		assert_int_equal(done, 0);
		fake_loop_advance(&fake, 1);
		assert_int_equal(done, 1);
		assert_true(now.left);
		ringer_free(ringer);
		fake_loop_end(&fake);
	}
}

static void test_no_memory(void **state)
{
	struct ringer_config config = usual();
	struct ringer *ringer = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(ringer_new(&ringer, &config), -ENOMEM);
	assert_null(ringer);
	allocations_left = SIZE_MAX;

	ringer = open_ringer(&config);
	allocations_left = 0;
	tell(ringer, &call); /* of which nothing is heard but how it ends */
	allocations_left = SIZE_MAX;
	tell(ringer, &rings);
	assert_false(now.on);
	tell(ringer, &answer);
	tell(ringer, &busy);
	assert_int_equal(heard(), PLAN_BUSY);

	now.err = -ENOMEM;
	tell(ringer, &call);
	tell(ringer, &rings);
	assert_false(now.on);
	tell(ringer, &busy);
	ringer_close(ringer, on_done, &fake);
	assert_int_equal(done, 1);
	ringer_free(ringer);
	ringer_free(NULL);
	fake_loop_end(&fake);
}

static int choose_plan(void **state)
{
	struct fault why;

	(void)state;
	return tone_plan_parse(&plan, slice_of("gb"), &why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plays),
		cmocka_unit_test(test_answered_at_once),
		cmocka_unit_test(test_for_how_long),
		cmocka_unit_test(test_waiting_once),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_where_nobody_listens),
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_close_hears_the_end),
		cmocka_unit_test(test_close_does_not_hear_a_ring),
		cmocka_unit_test(test_hush),
		cmocka_unit_test(test_a_device_that_hangs),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/ringer", tests, choose_plan, NULL);
}
