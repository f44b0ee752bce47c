#include "cmd/errands.h"

#include "cmd/readers/verdict.h"

#include <errno.h>
#include <stdlib.h>

struct errands {
	struct errands_config config;
	struct queue *queue;
	bool stopped;
	bool over;
};

static void finish(struct errands *errands, int exit)
{
	if (errands->over)
		return;

	errands->over = true;
	errands->config.over(errands->config.arg, exit);
}

void errands_stop(struct errands *errands)
{
	if (!errands)
		return;

	errands->stopped = true;
	queue_forget(errands->queue);
}

static void on_done(void *arg, const struct queue_result *result)
{
	struct errands *errands = arg;

	errands->config.ended(errands->config.arg, result);
	if (result->ok)
		return;

	errands_stop(errands);
	finish(errands, result->exit);
}

static void on_idle(void *arg)
{
	finish(arg, VERDICT_DONE);
}

int errands_new(struct errands **out, const struct errands_config *config)
{
	static const struct queue_events events = {.done = on_done, .idle = on_idle};
	struct queue_config queue = {.desk = config->desk, .waits = true, .events = &events};
	struct errands *errands = calloc(1, sizeof(*errands));
	int err;

	if (!errands)
		return -ENOMEM;

	errands->config = *config;
	queue.arg = errands;
	err = queue_new(&errands->queue, &queue);
	*out = errands;
	for (size_t i = 0; i < config->count && !err && !errands->stopped; i++)
		err = queue_put(errands->queue, config->lines[i]);
	if (err) {
		errands_free(errands);
		*out = NULL;
	}
	return err;
}

void errands_free(struct errands *errands)
{
	if (!errands)
		return;

	queue_free(errands->queue);
	free(errands);
}
