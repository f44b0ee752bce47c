/* Names in the simulated world: one table of records for all hosts. */
#include "core/base/text.h"
#include "core/net/loop_sim_private.h"

#include <errno.h>
#include <stdlib.h>

/* How long a name is known that was told without a time. */
enum { TTL_S = 60 };

struct name {
	struct table_node node;
	struct list link;
	enum dns_type type;
	struct dns_record record;
	uint32_t ttl_s;
	char text[]; /* NUL-terminated */
};

struct question {
	struct resolve resolve;
	struct sim_event event;
	struct list link;
	enum dns_type type;
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

int world_record(struct world *world, const char *text, enum dns_type type,
	const struct dns_record *record, uint32_t ttl_s)
{
	size_t size = strlen(text) + 1;
	struct name *name;

	name = calloc(1, sizeof(*name) + size);
	if (!name)
		return -ENOMEM;

	memcpy(name->text, text, size);
	name->type = type;
	name->record = *record;
	name->record.addr.port = 0;
	name->ttl_s = ttl_s;
	table_add(&world->names, &name->node, name_key(text));
	list_add(&world->all_names, &name->link);
	return 0;
}

int world_name(struct world *world, const char *text, const struct addr *addr)
{
	return world_record(world, text, DNS_HOST, &(struct dns_record){.addr = *addr}, TTL_S);
}

void world_forget_name(struct world *world, const char *text)
{
	list_each(link, &world->all_names)
	{
		struct name *name = container_of(link, struct name, link);

		if (!slice_is_nocase(slice_of(text), name->text))
			continue;
		table_remove(&world->names, &name->node);
		list_remove(link);
		free(name);
	}
}

/* An address is a name of its own, as for the system's resolver. */
static size_t look_up_host(struct dns_record *out, const char *host)
{
	if (slice_is_nocase(slice_of(host), "localhost"))
		host = "127.0.0.1";
	*out = (struct dns_record){0};
	return addr_parse(&out->addr, slice_of(host)) == 0 ? 1 : 0;
}

static void look_up(struct dns_answer *out, struct dns_record records[DNS_RECORDS_MAX],
	const struct world *world, const struct question *question)
{
	struct table_node *node = table_find(&world->names, name_key(question->host));

	*out = (struct dns_answer){.records = records, .servers = "", .ttl_s = DNS_TTL_MAX_S};
	for (; node && out->count < DNS_RECORDS_MAX; node = table_find_next(node)) {
		const struct name *name = container_of(node, struct name, node);

		if (name->type != question->type ||
			!slice_is_nocase(slice_of(question->host), name->text))
			continue;
		records[out->count++] = name->record;
		if (name->ttl_s < out->ttl_s)
			out->ttl_s = name->ttl_s;
	}
	if (out->count == 0 && question->type == DNS_HOST)
		out->count = look_up_host(&records[0], question->host);
	if (out->count == 0)
		out->err = -ENOENT;
}

static void forget(struct question *question)
{
	struct world *world = question->event.loop->world;

	sim_event_stop(world, &question->event);
	list_remove(&question->link);
	world->left.questions--;
	free(question);
}

/* Name servers that have gone silent are given up, as by the real loop. */
static void answer(struct sim_event *event)
{
	struct question *question = container_of(event, struct question, event);
	struct world *world = event->loop->world;
	resolve_done *done = question->done;
	void *arg = question->arg;
	struct dns_record records[DNS_RECORDS_MAX];
	struct dns_answer found;

	look_up(&found, records, world, question);
	if (world->names_silent)
		found = (struct dns_answer){.err = -ETIMEDOUT, .servers = ""};
	world->asked++;
	forget(question);
	done(arg, &found);
}

/* As long as a datagram there and back; the name service may be slow at work, too. */
int resolve_sim(struct resolve **out, struct loop *loop, enum dns_type type, const char *host,
	resolve_done *done, void *arg)
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
	question->type = type;
	question->done = done;
	question->arg = arg;
	memcpy(question->host, host, size);
	at_ns = sim_add(world->now_ns,
		world->names_silent ? RESOLVE_LIMIT_NS
				    : sim_add(world->config.way_ns, world->config.way_ns));
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

void world_silence_names(struct world *world, bool silent)
{
	world->names_silent = silent;
}

uint64_t world_asked(const struct world *world)
{
	return world->asked;
}
