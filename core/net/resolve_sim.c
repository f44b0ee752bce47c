/* Names in the simulated world: one table for all hosts. */
#include "core/base/text.h"
#include "core/net/loop_sim_private.h"

#include <errno.h>
#include <stdlib.h>

enum { ADDRS_MAX = 8 }; /* of one name */

struct name {
	struct table_node node;
	struct list link;
	struct addr addr;
	char text[]; /* NUL-terminated */
};

struct question {
	struct resolve resolve;
	struct sim_event event;
	struct list link;
	resolve_done *done;
	void *arg;
	char host[]; /* NUL-terminated */
};

/* Without regard to the case of letters. */
static uint64_t name_key(const char *text)
{
	uint64_t key = 0;

	for (; *text; text++)
		key = random_derive(key, (uint8_t)*text & 0xdfu);
	return key;
}

int world_name(struct world *world, const char *text, const struct addr *addr)
{
	size_t size = strlen(text) + 1;
	struct name *name;

	name = calloc(1, sizeof(*name) + size);
	if (!name)
		return -ENOMEM;

	memcpy(name->text, text, size);
	name->addr = *addr;
	name->addr.port = 0;
	table_add(&world->names, &name->node, name_key(text));
	list_add(&world->all_names, &name->link);
	return 0;
}

/* An address is a name of its own, as for the system's resolver. */
static size_t look_up(struct addr out[ADDRS_MAX], const struct world *world, const char *host)
{
	struct table_node *node = table_find(&world->names, name_key(host));
	size_t count = 0;

	for (; node && count < ADDRS_MAX; node = table_find_next(node)) {
		const struct name *name = container_of(node, struct name, node);

		if (slice_is_nocase(slice_of(host), name->text))
			out[count++] = name->addr;
	}
	if (count == 0 && slice_is_nocase(slice_of(host), "localhost"))
		host = "127.0.0.1";
	if (count == 0 && addr_parse(&out[0], slice_of(host)) == 0)
		count = 1;
	return count;
}

static void forget(struct question *question)
{
	struct world *world = question->event.loop->world;

	sim_event_stop(world, &question->event);
	list_remove(&question->link);
	world->left.questions--;
	free(question);
}

static void answer(struct sim_event *event)
{
	struct question *question = container_of(event, struct question, event);
	resolve_done *done = question->done;
	void *arg = question->arg;
	struct addr addrs[ADDRS_MAX];
	size_t count = look_up(addrs, event->loop->world, question->host);

	forget(question);
	done(arg, count > 0 ? 0 : -ENOENT, addrs, count);
}

/* As long as a datagram there and back; the name service may be slow at work, too. */
int resolve_sim(
	struct resolve **out, struct loop *loop, const char *host, resolve_done *done, void *arg)
{
	struct sim_loop *self = sim_loop_of(loop);
	struct world *world = self->world;
	size_t size = strlen(host) + 1;
	struct question *question;
	uint64_t at_ns;

	question = calloc(1, sizeof(*question) + size);
	if (!question)
		return -ENOMEM;

	question->resolve.loop = loop;
	question->done = done;
	question->arg = arg;
	memcpy(question->host, host, size);
	at_ns = sim_add(world->now_ns, sim_add(world->config.way_ns, world->config.way_ns));
	sim_event_init(&question->event, self, answer);
	sim_event_start(world, &question->event,
		sim_add(at_ns, sim_late(self, world->config.work_late_ns)));
	list_add(&self->questions, &question->link);
	world->left.questions++;
	*out = &question->resolve;
	return 0;
}

void resolve_sim_cancel(struct resolve *resolve)
{
	forget(container_of(resolve, struct question, resolve));
}

void resolve_sim_forget_all(struct sim_loop *loop)
{
	list_each(link, &loop->questions) forget(container_of(link, struct question, link));
}

void resolve_sim_close(struct world *world)
{
	list_each(link, &world->all_names) free(container_of(link, struct name, link));
}
