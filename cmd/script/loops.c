#include "cmd/script/loops.h"

#include "cmd/script/virtual.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <stdlib.h>

struct loops {
	struct loop *main;
	struct virtual *world; /* NULL: the real one, and then */
	struct loop *agent;
	struct loop *media;
	struct loop_thread *agent_thread;
	struct loop_thread *media_thread;
	bool running; /* world's thread */
};

int loops_new(struct loops **out, const struct loops_config *config)
{
	struct loops *loops = calloc(1, sizeof(*loops));
	int err;

	if (!loops)
		return -ENOMEM;

	err = loop_uv_new(&loops->main);
	if (!err && config->in_virtual)
		err = virtual_new(&loops->world, config->seed);
	if (!err && !config->in_virtual)
		err = loop_uv_new(&loops->agent);
	if (!err && !config->in_virtual)
		loop_uv_mark(loops->agent, config->dscp);
	if (!err && !config->in_virtual && config->name_servers[0] != '\0')
		err = loop_uv_name_servers(loops->agent, config->name_servers);
	if (!err && !config->in_virtual)
		err = loop_uv_new(&loops->media);
	if (err) {
		loops_free(loops);
		return err;
	}
	*out = loops;
	return 0;
}

void loops_free(struct loops *loops)
{
	if (!loops)
		return;

	loop_uv_free(loops->agent);
	loop_uv_free(loops->media);
	virtual_free(loops->world);
	loop_uv_free(loops->main);
	free(loops);
}

struct loop *loops_main(const struct loops *loops)
{
	return loops->main;
}

struct loop *loops_agent(const struct loops *loops)
{
	return loops->world ? virtual_agent_loop(loops->world) : loops->agent;
}

struct loop *loops_media(const struct loops *loops)
{
	return loops->world ? virtual_media_loop(loops->world) : loops->media;
}

const struct device_maker *loops_devices(const struct loops *loops)
{
	return loops->world ? virtual_devices() : NULL;
}

int loops_signal(struct loops *loops, int number, void (*caught)(void *arg, int number), void *arg)
{
	if (loops->world)
		return virtual_signal(loops->world, number, caught, arg);
	return loop_uv_signal(loops->agent, number, caught, arg);
}

int loops_start(struct loops *loops)
{
	int err;

	if (loops->world) {
		err = virtual_start(loops->world);
		loops->running = err == 0;
		return err;
	}
	err = loop_thread_start(&loops->media_thread, loops->media, "media");
	if (err)
		return err;

	err = loop_thread_start(&loops->agent_thread, loops->agent, "agent");
	if (err)
		loops_stop(loops);
	return err;
}

void loops_stop(struct loops *loops)
{
	if (loops->running)
		virtual_stop(loops->world);
	loop_thread_stop(loops->agent_thread);
	loop_thread_stop(loops->media_thread);
	loops->running = false;
	loops->agent_thread = NULL;
	loops->media_thread = NULL;
}

void loops_settle(struct loops *loops)
{
	if (loops->world)
		virtual_pace(loops->world);
}

bool loops_busy(const struct loops *loops)
{
	if (loop_uv_busy(loops->main))
		return true;
	return !loops->world && (loop_uv_busy(loops->agent) || loop_uv_busy(loops->media));
}
