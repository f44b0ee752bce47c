#include "tests/unit/fake_loop.h"

#include "core/base/list.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static struct fake_loop *self(struct loop *loop)
{
	return container_of(loop, struct fake_loop, loop);
}

static uint64_t fake_now(struct loop *loop)
{
	return self(loop)->now_ns;
}

static uint64_t fake_wall(struct loop *loop)
{
	return self(loop)->wall_ns;
}

/* xorshift64* */
static void fake_random(struct loop *loop, void *out, size_t len)
{
	struct fake_loop *fake = self(loop);
	uint8_t *bytes = out;

	for (size_t i = 0; i < len; i++) {
		fake->random ^= fake->random >> 12;
		fake->random ^= fake->random << 25;
		fake->random ^= fake->random >> 27;
		bytes[i] = (uint8_t)(fake->random * UINT64_C(0x2545f4914f6cdd1d) >> 56);
	}
}

static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *x = container_of(a, const struct timer, node);
	const struct timer *y = container_of(b, const struct timer, node);

	return x->due_ns != y->due_ns ? x->due_ns < y->due_ns : x->order < y->order;
}

static void fake_timer_stop(struct loop *loop, struct timer *timer)
{
	if (timer->node.queued)
		heap_remove(&self(loop)->timers, &timer->node);
}

static void fake_timer_start(struct loop *loop, struct timer *timer)
{
	timer->order = self(loop)->order++;
	heap_push(&self(loop)->timers, &timer->node);
}

static void fake_post(struct loop *loop, struct post *post)
{
	struct fake_loop *fake = self(loop);

	post->next = NULL;
	*fake->last = post;
	fake->last = &post->next;
}

static int fake_work(struct loop *loop, struct work *work)
{
	struct fake_loop *fake = self(loop);

	if (fake->work_err)
		return fake->work_err;
	if (fake->work_count == FAKE_LOOP_WORK_MAX)
		return -ENOMEM;

	fake->work[fake->work_count++] = work;
	if (fake->work_hastes)
		work->run(work);
	return 0;
}

static int fake_udp_open(struct udp **out, struct loop *loop, const struct addr *local)
{
	(void)out;
	(void)loop;
	(void)local;
	return -ENETDOWN;
}

static int fake_pipe_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room)
{
	struct fake_loop *fake = self(loop);

	(void)room;
	if (!fake->pipe)
		return -EMFILE;

	fake->pipe_way = way;
	fake->pipe_line = line;
	*out = fake->pipe;
	fake->pipe = NULL;
	return 0;
}

static int fake_pipe_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room)
{
	return fake_pipe_command(out, loop, way, NULL, room);
}

static int fake_route(struct addr *out, struct loop *loop, const struct addr *to)
{
	(void)out;
	(void)loop;
	(void)to;
	return -ENETUNREACH;
}

static int fake_resolve(struct resolve **out, struct loop *loop, enum dns_type type,
	const char *host, resolve_done *done, void *arg)
{
	(void)out;
	(void)loop;
	(void)type;
	(void)host;
	(void)done;
	(void)arg;
	return -ENETDOWN;
}

static void fake_resolve_cancel(struct resolve *resolve)
{
	(void)resolve;
	abort(); /* there is no question */
}

static const struct loop_ops fake_ops = {
	.now = fake_now,
	.wall = fake_wall,
	.random = fake_random,
	.timer_start = fake_timer_start,
	.timer_stop = fake_timer_stop,
	.post = fake_post,
	.work = fake_work,
	.udp_open = fake_udp_open,
	.pipe_standard = fake_pipe_standard,
	.pipe_command = fake_pipe_command,
	.route = fake_route,
	.resolve = fake_resolve,
	.resolve_cancel = fake_resolve_cancel,
};

void fake_loop_init(struct fake_loop *fake)
{
	*fake = (struct fake_loop){
		.loop = {&fake_ops},
		.now_ns = NS_PER_S,
		.wall_ns = UINT64_C(1795215600) * NS_PER_S, /* 2026-11-20 23:00:00 */
		.random = 1,
		.timers = {NULL, timer_before},
	};
	fake->last = &fake->first;
}

void fake_loop_end(const struct fake_loop *fake)
{
	assert_null(heap_first(&fake->timers));
	assert_null(fake->first);
	assert_int_equal(fake->work_count, 0);
}

size_t fake_loop_run_posts(struct fake_loop *fake)
{
	size_t count = 0;

	while (fake->first) {
		struct post *post = fake->first;

		fake->first = post->next;
		if (!fake->first)
			fake->last = &fake->first;
		post->run(post);
		count++;
	}
	return count;
}

bool fake_loop_run_work(struct fake_loop *fake)
{
	struct work *work = fake->work[0];

	if (fake->work_count == 0)
		return false;

	fake->work_count--;
	memmove(fake->work, fake->work + 1, fake->work_count * sizeof(fake->work[0]));
	if (!fake->work_hastes)
		work->run(work);
	work->done(work);
	return true;
}

void fake_loop_settle(struct fake_loop *fake)
{
	while (fake_loop_run_posts(fake) > 0 || fake_loop_run_work(fake))
		;
}

uint64_t fake_loop_next_timer(const struct fake_loop *fake)
{
	const struct heap_node *node = heap_first(&fake->timers);

	return node ? container_of(node, const struct timer, node)->due_ns : UINT64_MAX;
}

static void go_to(struct fake_loop *fake, uint64_t ns)
{
	if (ns <= fake->now_ns)
		return;

	fake->wall_ns += ns - fake->now_ns;
	fake->now_ns = ns;
}

void fake_loop_advance(struct fake_loop *fake, uint64_t ns)
{
	uint64_t end = fake->now_ns + ns;

	fake_loop_settle(fake);
	while (fake_loop_next_timer(fake) <= end) {
		struct heap_node *node = heap_first(&fake->timers);
		struct timer *timer = container_of(node, struct timer, node);

		go_to(fake, timer->due_ns);
		heap_remove(&fake->timers, node);
		timer->fire(timer->arg);
		fake_loop_settle(fake);
	}
	go_to(fake, end);
}
