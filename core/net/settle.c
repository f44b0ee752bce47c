#include "core/net/settle.h"

static void told(void *arg)
{
	struct settle *settle = arg;

	settle->changed(settle->arg); /* which may end it */
}

void settle_init(struct settle *settle, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	settle->loop = loop;
	settle->changed = changed;
	settle->arg = arg;
	timer_init(&settle->timer, loop, told, settle);
}

void settle_heed(struct settle *settle)
{
	uint64_t now_ns = loop_now(settle->loop);
	uint64_t due_ns = now_ns + NETWORK_SETTLE_NS;

	if (!timer_running(&settle->timer))
		settle->latest_ns = now_ns + NETWORK_LATEST_NS;
	timer_start(&settle->timer, due_ns < settle->latest_ns ? due_ns : settle->latest_ns);
}

void settle_stop(struct settle *settle)
{
	timer_stop(&settle->timer);
}
