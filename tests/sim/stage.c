#include "tests/sim/stage.h"

#include "core/base/list.h"
#include "core/base/text.h"
#include "tests/sim/actor.h"
#include "tests/sim/bound.h"
#include "tests/sim/ledger.h"
#include "tests/sim/stranger.h"
#include "tests/sim/witness.h"

#include <assert.h>
#include <stdlib.h>

#define START_NS (10 * NS_PER_S)
#define WALL_NS (UINT64_C(1800000000) * NS_PER_S)

/* A call is told to be over while its SIP may still go on, by as much as that, and its last
 * transaction after it (RFC 3261, section 17.1.2.2: Timer K; 17.2.2: J). A connection that nobody
 * uses is closed after 300 s, and its last word is repeated for 100 s. */
#define QUIET_NS (BOUND_ENDS_NS + 40 * NS_PER_S + 440 * NS_PER_S)

enum {
	TARGET_SIZE = 128,
	GHOSTS_MAX = PLAY_STEPS_MAX,
};

/* A phone of the play, in whatever life it is. */
struct role {
	struct stage *stage;
	unsigned index;
	struct addr addr;
	struct world_host *host; /* NULL: vanished */
	struct actor *actor;     /* NULL: crashed */
	unsigned moves;
};

/* Who has crashed: cut off from all, it ends alone. */
struct ghost {
	struct actor *actor;
	struct world_host *host;
};

struct stage {
	const struct play *play;
	struct world *world;
	struct witness *witness;
	struct stranger *stranger;
	uint64_t calls;
	struct role roles[PLAY_PHONES_MAX];
	struct impair_config net;
	bool cut[PLAY_PHONES_MAX][PLAY_PHONES_MAX];
	struct ghost ghosts[GHOSTS_MAX];
	unsigned ghost_count;
	bool resting; /* the steps are over */
	int err;      /* what an errand came to, if not well */
};

static struct addr address(unsigned block, unsigned host)
{
	struct addr addr = {.family = ADDR_IPV4, .port = SIP_PORT, .ip = {10, 0, 0, 0}};

	addr.ip[1] = (uint8_t)(block >> 8);
	addr.ip[2] = (uint8_t)block;
	addr.ip[3] = (uint8_t)(host + 1);
	return addr;
}

/* ---- looking on */

static void on_wire(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct stage *stage = arg;

	witness_wire(stage->witness, what, now_ns - START_NS, from, to, bytes);
	if (what == WORLD_SENT)
		stranger_listens(stage->stranger, from, bytes);
}

/* Since the play began, as its steps have it. */
static uint64_t now_of(const struct stage *stage)
{
	return world_now(stage->world) - START_NS;
}

static unsigned calls_left(const struct stage *stage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->play->phone_count; i++)
		if (stage->roles[i].actor)
			count += actor_calls(stage->roles[i].actor);
	return count;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct role *role = arg;
	struct stage *stage = role->stage;

	witness_event(stage->witness, role->index, event, now_of(stage));
	if (stage->resting && event->kind == UA_CALL_ENDED && calls_left(stage) == 0)
		world_stop(stage->world);
}

static void on_closed(void *arg)
{
	struct role *role = arg;

	world_stop(role->stage->world);
}

static const struct actor_events actor_events = {on_event, on_closed};

/* ---- the network */

static int set_way(struct world_host *from, struct world_host *to, const struct impair_config *net)
{
	struct impair *way;
	int err;

	err = world_way(&way, from, to);
	if (!err)
		impair_change(way, net);
	return err;
}

static int set_ways(struct stage *stage)
{
	unsigned count = stage->play->phone_count;
	int err = 0;

	world_impair(stage->world, &stage->net);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < count && !err; j++) {
			struct impair_config net = stage->net;

			net.cut = true;
			if (stage->cut[i][j] && stage->roles[i].host && stage->roles[j].host)
				err = set_way(stage->roles[i].host, stage->roles[j].host, &net);
		}
	for (unsigned i = 0; i < stage->ghost_count; i++)
		for (unsigned j = 0; j < count && !err; j++)
			if (stage->roles[j].host)
				err = set_way(stage->ghosts[i].host, stage->roles[j].host,
					&(struct impair_config){.cut = true});
	return err;
}

/* ---- the phones */

static int begin_life(struct role *role)
{
	struct stage *stage = role->stage;
	const struct play_phone *phone = &stage->play->phones[role->index];
	struct actor_config config = {
		.world = stage->world,
		.host = role->host,
		.listen = role->addr,
		.name = play_name(role->index),
		.media = stage->play->media,
		.pcma = phone->pcma,
		.mic = phone->mic[0] ? phone->mic : "silence",
		.wordy = phone->wordy,
		.udp_only = phone->udp_only,
		.policy =
			{
				.answer = phone->answers,
				.ring = phone->rings,
				.answer_after_ns = phone->after_ns,
				.refuse_code = (uint16_t)phone->refuses,
				.max_calls = (unsigned)phone->at_most,
				.duration_ns = phone->lasts_ns,
				.ring_limit_ns = phone->gives_up_ns,
				.silence_ns = phone->deaf_after_ns,
			},
		.events = &actor_events,
		.arg = role,
	};

	if (phone->anywhere)
		memset(config.listen.ip, 0, sizeof(config.listen.ip));
	return actor_new(&role->actor, &config);
}

static int new_host(struct role *role)
{
	int err;

	err = world_host_new(&role->host, role->stage->world, &role->addr);
	if (err)
		role->host = NULL;
	return err ? err : set_ways(role->stage);
}

static void run_close(void *arg)
{
	actor_close(arg);
}

static int crash(struct role *role, bool host_stays)
{
	struct stage *stage = role->stage;
	struct ghost *ghost = &stage->ghosts[stage->ghost_count];
	struct addr grave = address(255 << 8 | stage->ghost_count / 250, stage->ghost_count % 250);
	int err;

	if (!role->actor)
		return 0;

	assert(stage->ghost_count < GHOSTS_MAX);
	witness_crash(stage->witness, role->index, now_of(stage));
	stage->ghost_count++;
	*ghost = (struct ghost){role->actor, role->host};
	role->actor = NULL;
	role->host = NULL;
	world_host_move(ghost->host, &grave);
	err = set_ways(stage);
	actor_silence(ghost->actor);
	if (!err)
		err = actor_errand(ghost->actor, run_close, ghost->actor);
	return !err && host_stays ? new_host(role) : err;
}

static int restart(struct role *role)
{
	int err = 0;

	if (role->actor)
		return 0;
	if (!role->host)
		err = new_host(role);
	return err ? err : begin_life(role);
}

static void move(struct role *role)
{
	struct stage *stage = role->stage;

	if (!role->host)
		return;

	role->addr = address(++role->moves, role->index);
	world_host_move(role->host, &role->addr);
	witness_move(stage->witness, role->index, &role->addr, now_of(stage));
}

/* Who does not run could not begin without an address. */
static void unplug(struct role *role)
{
	if (!role->actor)
		return;

	world_host_unplug(role->host);
	witness_move(role->stage->witness, role->index, &role->addr, now_of(role->stage));
}

static int call(struct role *role, const struct play_step *step)
{
	const struct role *whom = &role->stage->roles[step->whom];
	char room[TARGET_SIZE], host[ADDR_TEXT_SIZE];
	struct text target = TEXT_IN(room);
	int err;

	if (step->by_name)
		text_printf(
			&target, "sip:%c@%c.test", play_name(step->whom), play_name(step->whom));
	else
		text_printf(&target, "sip:%c@%s", play_name(step->whom),
			addr_print_port(host, &whom->addr));
	if (step->over_tcp)
		text_puts(&target, ";transport=tcp");
	err = actor_call(role->actor, room);
	role->stage->calls += !err;
	return err;
}

/* 0: all. */
static unsigned number_of(const struct role *role, enum play_which which)
{
	if (which == PLAY_ALL)
		return 0;
	return which == PLAY_OLDEST ? actor_oldest(role->actor) : actor_newest(role->actor);
}

static void hang_up(struct role *role, enum play_which which)
{
	unsigned number = number_of(role, which);

	if (actor_calls(role->actor) == 0)
		return;

	witness_hangup(role->stage->witness, role->index, number, now_of(role->stage));
	actor_hangup(role->actor, number);
}

static void hold(struct role *role, enum play_which which, bool hold)
{
	unsigned number = number_of(role, which);

	if (actor_calls(role->actor) == 0)
		return;

	witness_hold(role->stage->witness, role->index, number, hold, now_of(role->stage));
	actor_hold(role->actor, number, hold);
}

/* What a user does, once the thread of the phone comes to it. */
struct errand {
	struct role *role;
	struct actor *actor;
	const struct play_step *step;
};

static void run_errand(void *arg)
{
	struct errand *errand = arg;
	struct role *role = errand->role;
	int err = 0;

	if (role->actor != errand->actor) {
		free(errand); /* it has crashed before */
		return;
	}
	if (errand->step->verb == PLAY_CALLS)
		err = call(role, errand->step);
	else if (errand->step->verb == PLAY_HANGS_UP)
		hang_up(role, errand->step->which);
	else if (errand->step->verb == PLAY_TURNS)
		actor_turn(role->actor, number_of(role, errand->step->which));
	else if (errand->step->verb == PLAY_PICKS_UP)
		actor_pick_up(role->actor, number_of(role, errand->step->which));
	else
		hold(role, errand->step->which, errand->step->verb == PLAY_HOLDS);
	if (err)
		role->stage->err = err;
	free(errand);
}

static int send_errand(struct role *role, const struct play_step *step)
{
	struct errand *errand;
	int err;

	if (!role->actor)
		return 0;

	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return -ENOMEM;

	*errand = (struct errand){role, role->actor, step};
	err = actor_errand(role->actor, run_errand, errand);
	if (err)
		free(errand);
	return err;
}

/* ---- the play */

static int perform(struct stage *stage, const struct play_step *step)
{
	struct role *role = &stage->roles[step->who];

	witness_step(stage->witness, step);
	switch (step->verb) {
	case PLAY_CALLS:
	case PLAY_HANGS_UP:
	case PLAY_HOLDS:
	case PLAY_RESUMES:
	case PLAY_TURNS:
	case PLAY_PICKS_UP:
		return send_errand(role, step);
	case PLAY_CRASHES:
		return crash(role, true);
	case PLAY_VANISHES:
		return crash(role, false);
	case PLAY_RESTARTS:
		return restart(role);
	case PLAY_MOVES:
		move(role);
		return 0;
	case PLAY_UNPLUGS:
		unplug(role);
		return 0;
	case PLAY_HEARS:
		witness_hears(stage->witness, role->index, now_of(stage));
		return 0;
	case PLAY_LOSES:
	case PLAY_FINDS:
		stage->cut[step->who][step->whom] = step->verb == PLAY_LOSES;
		return set_ways(stage);
	case PLAY_STRAYED:
		stranger_sends(stage->stranger, &role->addr);
		return 0;
	case PLAY_NET:
		stage->net = step->net;
		return set_ways(stage);
	}
	return -EINVAL;
}

static int play_steps(struct stage *stage)
{
	int err = 0;

	for (unsigned i = 0; i < stage->play->step_count && !err; i++) {
		world_run(stage->world, START_NS + stage->play->steps[i].at_ns);
		err = perform(stage, &stage->play->steps[i]);
	}
	return err;
}

static void run_end(void *arg)
{
	struct role *role = arg;

	if (actor_calls(role->actor) > 0)
		witness_hangup(role->stage->witness, role->index, 0, now_of(role->stage));
	actor_close(role->actor);
}

static int close_all(struct stage *stage)
{
	int err = 0;

	for (unsigned i = 0; i < stage->play->phone_count && !err; i++)
		if (stage->roles[i].actor)
			err = actor_errand(stage->roles[i].actor, run_end, &stage->roles[i]);
	return err;
}

static bool all_closed(const struct stage *stage)
{
	bool closed = true;

	for (unsigned i = 0; i < stage->play->phone_count; i++)
		if (stage->roles[i].actor)
			closed &= actor_is_closed(stage->roles[i].actor);
	for (unsigned i = 0; i < stage->ghost_count; i++)
		closed &= actor_is_closed(stage->ghosts[i].actor);
	return closed;
}

static void free_all(struct stage *stage)
{
	for (unsigned i = 0; i < stage->play->phone_count; i++)
		actor_free(stage->roles[i].actor);
	for (unsigned i = 0; i < stage->ghost_count; i++)
		actor_free(stage->ghosts[i].actor);
	stranger_free(stage->stranger);
	stage->stranger = NULL;
}

/* Lets the calls end as they would, then ends what nobody else does. */
static int rest(struct stage *stage, uint64_t bound_ns)
{
	uint64_t limit;
	int err;

	stage->resting = true;
	world_run(stage->world, world_now(stage->world) + stage->play->world.post_late_ns);
	if (calls_left(stage) > 0)
		world_run(stage->world, world_now(stage->world) + bound_ns);
	stage->resting = false;

	err = close_all(stage);
	limit = world_now(stage->world) + BOUND_ENDS_NS;
	while (!err && !all_closed(stage) && world_now(stage->world) < limit)
		world_run(stage->world, limit);
	return err;
}

/* All that a transaction leaves behind goes by itself, before the agents do. */
static void end(struct stage *stage, ptrdiff_t bytes)
{
	struct world_left left;
	size_t timers;
	uint64_t now;

	world_run(stage->world, world_now(stage->world) + QUIET_NS);
	world_left(&left, stage->world);
	timers = left.timers;
	free_all(stage);
	world_left(&left, stage->world);
	left.timers += timers;
	now = now_of(stage);
	world_free(stage->world);
	stage->world = NULL;
	witness_quiet(stage->witness, &left, (size_t)(ledger_bytes() - bytes), now);
}

/* ---- setting up */

static int new_world(struct stage *stage)
{
	struct world_config config = stage->play->world;
	struct addr stranger;
	int err;

	config.start_ns = START_NS;
	config.wall_ns = WALL_NS;
	err = world_new(&stage->world, &config);
	if (err)
		return err;

	stage->net = stage->play->net;
	stranger = address(254 << 8, 0);
	err = stranger_new(&stage->stranger, stage->world, &stranger);
	world_watch(stage->world, on_wire, stage);
	for (unsigned i = 0; i < stage->play->phone_count && !err; i++) {
		struct role *role = &stage->roles[i];
		char name[] = {play_name(i), '.', 't', 'e', 's', 't', '\0'};

		*role = (struct role){.stage = stage, .index = i, .addr = address(0, i)};
		err = world_name(stage->world, name, &role->addr);
		if (!err)
			err = new_host(role);
		if (!err)
			err = begin_life(role);
	}
	return err;
}

static int play_all(struct stage *stage)
{
	ptrdiff_t bytes = ledger_bytes();
	int err;

	err = new_world(stage);
	if (!err)
		err = play_steps(stage);
	if (!err)
		err = rest(stage, bound_of_play(stage->play));
	if (err || stage->err)
		return err ? err : stage->err;

	if (all_closed(stage))
		end(stage, bytes);
	else
		witness_fail(stage->witness, "every phone can be closed", now_of(stage));
	return 0;
}

static int new_witness(struct stage *stage, FILE *trace)
{
	struct addr addrs[PLAY_PHONES_MAX];

	for (unsigned i = 0; i < stage->play->phone_count; i++)
		addrs[i] = address(0, i);
	return witness_new(&stage->witness, stage->play, addrs, trace);
}

int stage_run(struct stage_result *out, const struct play *play, FILE *trace)
{
	struct stage *stage;
	int err;

	*out = (struct stage_result){0};
	stage = calloc(1, sizeof(*stage));
	if (!stage)
		return -ENOMEM;

	stage->play = play;
	err = new_witness(stage, trace);
	if (!err) {
		err = play_all(stage);
		witness_tell(out, stage->witness);
		out->calls = stage->calls;
		witness_free(stage->witness);
	}
	if (!stage->world)
		free(stage); /* the world that was left behind knows it */
	return err;
}
