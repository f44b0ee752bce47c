/*
 * core/net/websocket: what a server says, in its answer in HTTP or in frames after that, as the
 * first byte chooses, whole and cut at places that the next ones choose: the same messages come of
 * it, each within its limit, and nothing after the end.
 */
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/net/websocket.h"
#include "tests/unit/web_far.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 4, ROOM = 2048 };

struct pair {
	struct world *world;
	struct loop *loop;
	struct tcp *near, *far;
	uint8_t asked[ROOM];
	size_t asked_len;
	bool over;
	uint64_t sum; /* of what the near end was told before its end */
};

static void add(struct pair *pair, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		pair->sum = (pair->sum ^ p[i]) * UINT64_C(0x100000001b3);
}

static void connected(void *arg)
{
	add(arg, "c", 1);
}

static void received(void *arg, struct slice bytes)
{
	struct pair *pair = arg;

	assert(!pair->over && bytes.len <= WEBSOCKET_MESSAGE_MAX);
	add(pair, "m", 1);
	add(pair, bytes.data, bytes.len);
}

static void closed(void *arg, int err)
{
	struct pair *pair = arg;

	(void)err; /* of two things that are wrong, a cut may let either be seen first */
	assert(!pair->over && strlen(websocket_words(pair->near)) < FAULT_SIZE);
	pair->over = true;
}

static void far_received(void *arg, struct slice bytes)
{
	struct pair *pair = arg;

	if (pair->asked_len + bytes.len > ROOM)
		return;
	memcpy(pair->asked + pair->asked_len, bytes.data, bytes.len);
	pair->asked_len += bytes.len;
}

static void far_closed(void *arg, int err)
{
	(void)arg;
	(void)err;
}

static void accepted(void *arg, struct tcp *tcp)
{
	static const struct tcp_events events = {NULL, far_received, far_closed};
	struct pair *pair = arg;

	pair->far = tcp;
	tcp_start(tcp, &events, pair);
}

static void run_ms(struct pair *pair, uint64_t ms)
{
	world_run(pair->world, world_now(pair->world) + ms * NS_PER_MS);
}

static void say(struct pair *pair, struct slice bytes)
{
	if (bytes.len > 0)
		(void)tcp_send(pair->far, bytes);
	run_ms(pair, 200);
}

static uint64_t play(bool agreed, struct slice cuts, struct slice rest)
{
	static const struct tcp_events events = {connected, received, closed};
	const struct world_config config = {.seed = 7};
	const struct addr host = {ADDR_IPV4, 80, 0, {192, 0, 2, 1}};
	struct pair pair = {0};
	struct websocket_config how = {.to = host, .host = "pbx.test", .path = "/"};
	struct tcp_listener *listener;
	struct world_host *on;
	char room[ROOM];
	struct text answer = TEXT_IN(room);
	struct slice part;
	int err;

	err = websocket_need(NULL) || world_new(&pair.world, &config) ||
	      world_host_new(&on, pair.world, &host) || world_loop_new(&pair.loop, on) ||
	      loop_tcp_listen(&listener, pair.loop, &host, accepted, &pair);
	assert(!err);
	how.loop = pair.loop;
	err = websocket_connect(&pair.near, &how, &events, &pair);
	assert(!err);
	run_ms(&pair, 1000);
	if (agreed) {
		web_far_agree(&answer, (struct slice){pair.asked, pair.asked_len});
		say(&pair, text_slice(&answer));
	}
	for (size_t i = 0; i < cuts.len; i++)
		if (slice_take(&part, &rest, cuts.data[i]) == 0)
			say(&pair, part);
	say(&pair, rest);
	run_ms(&pair, 2000); /* less than it waits for an answer */
	tcp_free(pair.near);
	tcp_free(pair.far);
	tcp_listener_free(listener);
	run_ms(&pair, 100000);
	world_loop_free(pair.loop);
	world_free(pair.world);
	return pair.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {data, size};
	struct slice first, cuts;

	if (slice_take(&first, &rest, 1) || slice_take(&cuts, &rest, CUTS))
		return 0;
	assert(play(first.data[0] & 1, (struct slice){0}, rest) ==
		play(first.data[0] & 1, cuts, rest));
	return 0;
}
