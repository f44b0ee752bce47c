#include "cmd/look.h"

#include "cmd/devices.h"
#include "cmd/say.h"
#include "core/base/list.h"
#include "core/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { MISSING_SIZE = 1152 };

/* After which it is not waited for at the end. */
static const uint64_t patience_ns = NS_PER_S;

enum look_state {
	LOOK_NONE,    /* nobody looks, or that is told */
	LOOK_OUT,     /* on its way */
	LOOK_AWAITED, /* and waited for */
	LOOK_LEFT,    /* on its way, and nobody cares */
	LOOK_STATES,
};

struct look {
	struct loop *loop;
	const struct options *options;
	struct terminal *terminal;
	enum look_state state;
	bool hurried;
	struct timer limit;
	void (*done)(void *arg);
	void *arg;
	struct work work;
	char missing[MISSING_SIZE]; /* the work's, while that is out */
};

static void turn(struct look *self, enum look_state state)
{
	static const bool allowed[LOOK_STATES][LOOK_STATES] = {
		[LOOK_NONE] = {[LOOK_OUT] = true},
		[LOOK_OUT] = {[LOOK_NONE] = true, [LOOK_AWAITED] = true, [LOOK_LEFT] = true},
		[LOOK_AWAITED] = {[LOOK_NONE] = true, [LOOK_LEFT] = true},
		[LOOK_LEFT] = {[LOOK_NONE] = true},
	};

	assert(allowed[self->state][state]);
	self->state = state;
}

static void tell_done(struct look *self)
{
	timer_stop(&self->limit);
	self->done(self->arg);
}

/* A thread of the I/O pool. */
static void run_look(struct work *work)
{
	struct look *self = container_of(work, struct look, work);
	struct text text = TEXT_IN(self->missing);

	devices_missing(&text, self->options);
}

static void look_done(struct work *work)
{
	struct look *self = container_of(work, struct look, work);
	enum look_state before = self->state;

	turn(self, LOOK_NONE);
	if (!self->hurried && before != LOOK_LEFT && self->missing[0] != '\0')
		say_line(self->terminal, self->missing);
	if (before == LOOK_AWAITED)
		tell_done(self);
}

static void give_up(void *arg)
{
	struct look *self = arg;

	turn(self, LOOK_LEFT);
	tell_done(self);
}

int look_new(struct look **out, struct loop *loop, const struct options *options,
	struct terminal *terminal)
{
	struct look *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->options = options;
	self->terminal = terminal;
	self->work = (struct work){run_look, look_done};
	timer_init(&self->limit, loop, give_up, self);
	*out = self;
	return 0;
}

void look_free(struct look *look)
{
	free(look);
}

void look_begin(struct look *look)
{
	if (look->options->quiet || !devices_wanted(look->options))
		return;
	if (loop_work(look->loop, &look->work) == 0)
		turn(look, LOOK_OUT);
}

void look_end(struct look *look, void (*done)(void *arg), void *arg)
{
	look->done = done;
	look->arg = arg;
	if (look->state == LOOK_NONE) {
		done(arg);
		return;
	}
	turn(look, LOOK_AWAITED);
	if (look->hurried)
		give_up(look);
	else
		timer_start_in(&look->limit, patience_ns);
}

void look_hurry(struct look *look)
{
	look->hurried = true;
	if (look->state == LOOK_AWAITED)
		give_up(look);
}

bool look_is_stuck(const struct look *look)
{
	return look->state == LOOK_LEFT;
}
