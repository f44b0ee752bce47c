#include "core/net/loop_uv_private.h"

#include <errno.h>
#include <stdlib.h>

struct signal_watch {
	uv_signal_t handle; /* the first member, so that freeing the handle frees this */
	struct list link;
	void (*caught)(void *arg, int number);
	void *arg;
};

static void run_caught(uv_signal_t *handle, int number)
{
	struct signal_watch *watch = handle->data;

	watch->caught(watch->arg, number);
}

int loop_uv_signal(struct loop *loop, int number, void (*caught)(void *arg, int number), void *arg)
{
	struct loop_uv *self = container_of(loop, struct loop_uv, loop);
	struct signal_watch *watch;
	int err;

	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;

	watch->caught = caught;
	watch->arg = arg;
	watch->handle.data = watch;
	err = uv_signal_init(&self->uv, &watch->handle);
	if (err) {
		free(watch);
		return err;
	}

	list_add(&self->signals, &watch->link); /* loop_uv_free() frees it with the handle */
	return uv_signal_start(&watch->handle, run_caught, number);
}

void loop_uv_signal_stop(struct loop *loop, void *arg)
{
	struct loop_uv *self = container_of(loop, struct loop_uv, loop);

	list_each(link, &self->signals)
	{
		struct signal_watch *watch = container_of(link, struct signal_watch, link);

		if (watch->arg == arg)
			uv_signal_stop(&watch->handle);
	}
}

void signal_uv_free_all(struct loop_uv *self)
{
	list_each(link, &self->signals) free(container_of(link, struct signal_watch, link));
}
