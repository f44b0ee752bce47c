#include "tests/unit/torn.h"

#include "core/base/random.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
	ROOM = 1 << 20,
	SMALL = 200, /* of most pieces, bytes at most */
	LARGE = 4096,
	DELAY_US = 300,
};

#define END_NS (50 * NS_PER_MS)

struct way {
	struct torn *torn;
	struct tcp *from, *to;
	struct timer next; /* piece */
	uint8_t bytes[ROOM];
	size_t len;
	bool ended; /* no more comes */
};

struct torn {
	struct torn_config config;
	struct loop *loop;
	struct random random;
	struct tcp_listener *listener;
	struct way ways[2];
	struct timer end;
	uint64_t passed;
	bool broken;
};

static void stop(struct torn *torn)
{
	torn->broken = true;
	timer_stop(&torn->end);
	for (size_t i = 0; i < 2; i++) {
		timer_stop(&torn->ways[i].next);
		tcp_free(torn->ways[i].from);
		torn->ways[i].from = torn->ways[i].to = NULL;
	}
}

static void give_up(void *arg)
{
	stop(arg);
}

static void plan(struct way *way)
{
	if ((way->len > 0 || way->ended) && !timer_running(&way->next))
		timer_start_in(&way->next, random_below(&way->torn->random, DELAY_US) * NS_PER_US);
}

/* Of a piece of len bytes, as much as passes before it breaks; the damage is done. */
static size_t damage(struct torn *torn, uint8_t *bytes, size_t len)
{
	const struct torn_config *config = &torn->config;

	if (config->cut_at > 0 && torn->passed + len > config->cut_at)
		len = config->cut_at > torn->passed ? (size_t)(config->cut_at - torn->passed) : 0;
	if (config->flip_at > torn->passed && config->flip_at <= torn->passed + len) {
		bytes[config->flip_at - torn->passed - 1] ^=
			(uint8_t)(1u << random_below(&torn->random, 8));
		timer_start_in(&torn->end, END_NS); /* of a length, both would wait for more */
	}
	return len;
}

static void pass(void *arg)
{
	struct way *way = arg;
	struct torn *torn = way->torn;
	size_t most = random_below(&torn->random, 8) == 0 ? LARGE : SMALL;
	size_t piece = 1 + (size_t)random_below(&torn->random, most);
	size_t goes;

	if (way->len == 0) { /* ended, and all of it has passed */
		stop(torn);
		return;
	}
	if (piece > way->len)
		piece = way->len;
	goes = damage(torn, way->bytes, piece);
	if (goes > 0 && tcp_send(way->to, (struct slice){way->bytes, goes})) {
		stop(torn);
		return;
	}
	torn->passed += goes;
	if (goes < piece) {
		stop(torn);
		return;
	}
	way->len -= piece;
	memmove(way->bytes, way->bytes + piece, way->len);
	plan(way);
}

static void connected(void *arg)
{
	plan(arg);
}

static void received(void *arg, struct slice bytes)
{
	struct way *way = arg;

	if (bytes.len > ROOM - way->len) {
		stop(way->torn);
		return;
	}
	memcpy(way->bytes + way->len, bytes.data, bytes.len);
	way->len += bytes.len;
	plan(way);
}

static void closed(void *arg, int err)
{
	struct way *way = arg;

	way->ended = true;
	if (err)
		stop(way->torn);
	else
		plan(way);
}

static const struct tcp_events events = {connected, received, closed};

static void accepted(void *arg, struct tcp *tcp)
{
	struct torn *torn = arg;
	struct tcp *far;

	if (torn->ways[0].from || torn->broken ||
		loop_tcp_connect(&far, torn->loop, &(struct addr){0}, &torn->config.to, &events,
			&torn->ways[1])) {
		tcp_free(tcp);
		return;
	}
	torn->ways[0].from = torn->ways[1].to = tcp;
	torn->ways[1].from = torn->ways[0].to = far;
	tcp_start(tcp, &events, &torn->ways[0]);
}

int torn_new(
	struct torn **out, struct loop *loop, const struct torn_config *config, struct addr *at)
{
	const struct addr local = {ADDR_IPV4, 0, 0, {127, 0, 0, 1}};
	struct torn *torn = calloc(1, sizeof(*torn));
	int err;

	if (!torn)
		return -ENOMEM;

	torn->config = *config;
	torn->loop = loop;
	random_init(&torn->random, config->seed);
	timer_init(&torn->end, loop, give_up, torn);
	for (size_t i = 0; i < 2; i++) {
		torn->ways[i].torn = torn;
		timer_init(&torn->ways[i].next, loop, pass, &torn->ways[i]);
	}
	err = loop_tcp_listen(&torn->listener, loop, &local, accepted, torn);
	if (err) {
		free(torn);
		return err;
	}
	tcp_listener_local(at, torn->listener);
	*out = torn;
	return 0;
}

void torn_free(struct torn *torn)
{
	if (!torn)
		return;

	stop(torn);
	tcp_listener_free(torn->listener);
	free(torn);
}
