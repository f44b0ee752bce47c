#include "tests/unit/desk_pair.h"

#include "codecs/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static void on_done(void *arg, const struct queue_result *result)
{
	struct desk_pair *pair = arg;

	if (result->ok)
		text_printf(&pair->log, "ok %s", result->line);
	else
		text_printf(&pair->log, "%d %s: %s", result->exit, result->line, result->words);
	if (!result->ok && result->at != SIZE_MAX)
		text_printf(&pair->log, " at %zu", result->at);
	if (result->output.len > 0)
		text_printf(&pair->log, ": %.*s", (int)result->output.len,
			(const char *)result->output.data);
	text_puts(&pair->log, "; ");
}

static void on_idle(void *arg)
{
	struct desk_pair *pair = arg;

	pair->idle++;
}

static void on_quit(void *arg)
{
	struct desk_pair *pair = arg;

	pair->quit++;
}

static struct handset *add(struct desk_pair *pair, const char *name, size_t i)
{
	static const struct addr places[] = {
		{ADDR_IPV4, 5060, 0, {192, 0, 2, 1}}, {ADDR_IPV4, 5060, 0, {192, 0, 2, 2}}};
	struct ua_config config = {
		.user_agent = "test",
		.user = name,
		.mic = "tone:440",
		.speaker = "null",
		.codecs = pair->codecs,
		.codec_count = 2,
		.policy = {.ring = true, .ring_limit_ns = 60 * NS_PER_S},
	};
	static const struct ladder_config ladder = {.utf8 = true};
	struct handset *handset;
	struct fault why;

	assert_int_equal(world_host_new(&pair->hosts[i], pair->world, &places[i]), 0);
	assert_int_equal(world_loop_new(&pair->loops[2 * i], pair->hosts[i]), 0);
	assert_int_equal(world_loop_new(&pair->loops[2 * i + 1], pair->hosts[i]), 0);
	config.loop = pair->loops[2 * i];
	config.media_loop = pair->loops[2 * i + 1];
	if (!pair->desk) {
		struct desk_config desk = {
			.loop = config.loop,
			.ladder = &ladder,
			.contacts = pair->contacts,
			.quit = on_quit,
			.arg = pair,
		};

		assert_int_equal(desk_new(&pair->desk, &desk), 0);
	}
	assert_int_equal(desk_add(&handset, pair->desk, name, &config), 0);
	assert_int_equal(agent_listen(handset->agent, SIP_UDP, &places[i], false, &why), 0);
	return handset;
}

void desk_pair_open(struct desk_pair *pair, bool waits)
{
	desk_pair_open_slow(pair, waits, 0);
}

void desk_pair_open_slow(struct desk_pair *pair, bool waits, unsigned work_ms)
{
	static const struct queue_events events = {.done = on_done, .idle = on_idle};
	const struct world_config world = {
		.seed = 1, .way_ns = NS_PER_MS, .work_late_ns = work_ms * NS_PER_MS};
	struct queue_config queue = {.waits = waits, .bare_targets = !waits, .events = &events};

	*pair = (struct desk_pair){
		.codecs = {codec_find(slice_of("pcmu")), codec_find(slice_of("pcma"))}};
	pair->log = TEXT_IN(pair->room);
	assert_int_equal(contacts_new(&pair->contacts), 0);
	assert_int_equal(
		contacts_add(pair->contacts, slice_of("Friend"), slice_of(FAR_URI), NULL), 0);
	assert_int_equal(world_new(&pair->world, &world), 0);
	pair->near = add(pair, "near", 0);
	pair->far = add(pair, "far", 1);
	queue.desk = pair->desk;
	queue.arg = pair;
	assert_int_equal(queue_new(&pair->queue, &queue), 0);
}

void desk_pair_run(struct desk_pair *pair, unsigned ms)
{
	world_run(pair->world, world_now(pair->world) + ms * NS_PER_MS);
}

static void on_closed(void *arg)
{
	struct desk_pair *pair = arg;

	assert_false(pair->closed); /* once */
	pair->closed = true;
}

void desk_pair_close(struct desk_pair *pair)
{
	queue_free(pair->queue);
	desk_close(pair->desk, on_closed, pair);
	desk_pair_run(pair, 40000);
	assert_true(pair->closed);
	desk_free(pair->desk);
	contacts_free(pair->contacts);
	for (size_t i = 0; i < sizeof(pair->loops) / sizeof(pair->loops[0]); i++)
		world_loop_free(pair->loops[i]);
	world_free(pair->world);
}

void desk_pair_put(struct desk_pair *pair, struct handset *handset, const char *line)
{
	queue_use(pair->queue, handset);
	assert_int_equal(queue_put(pair->queue, line), 0);
}

void desk_pair_expect(struct desk_pair *pair, const char *words)
{
	assert_string_equal(pair->room, words);
	pair->log = TEXT_IN(pair->room);
}

void desk_pair_talk(struct desk_pair *pair)
{
	desk_pair_put(pair, pair->near, "call Friend &");
	desk_pair_run(pair, 500);
	desk_pair_put(pair, pair->far, "answer");
	desk_pair_run(pair, 500);
	desk_pair_expect(pair, "ok answer; ok call Friend &; ");
}
