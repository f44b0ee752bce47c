#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

const struct addr here = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
const struct addr there = {ADDR_IPV4, 0, 0, {192, 0, 2, 2}};
const struct addr nowhere = {ADDR_IPV4, 0, 0, {192, 0, 2, 3}};

static void log_end(struct end *end, const struct ua_event *event)
{
	text_printf(&end->log, "ended(%s %u%s%s%s) ", ua_cause_name(event->ended.cause),
		event->ended.code, event->ended.answered ? " answered" : "",
		event->ended.recording ? " " : "",
		event->ended.recording ? event->ended.recording : "");
}

static void be_hasty(struct end *end, const struct ua_event *event)
{
	void (*hasty)(struct end * end, unsigned call) = end->hasty;

	if (!hasty || event->kind != end->hasty_at)
		return;

	end->hasty = NULL;
	hasty(end, event->call);
}

/* Without "call.", where it begins with that. */
static const char *word_of(enum ua_event_kind kind)
{
	const char *name = ua_event_name(kind);

	return strncmp(name, "call.", strlen("call.")) == 0 ? name + strlen("call.") : name;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct end *end = arg;
	char at[ADDR_TEXT_SIZE];

	if (event->kind == UA_CALL_METER) {
		end->near_dbfs = event->stats.near_dbfs;
		end->far_dbfs = event->stats.far_dbfs;
		return;
	}
	if (event->kind == UA_CALL_ENDED)
		log_end(end, event);
	else if (event->kind == UA_CALL_OUTGOING)
		text_printf(&end->log, "outgoing(%s) ", addr_print(at, &event->way.address));
	else if (event->kind == UA_ERROR)
		text_printf(&end->log, "error(%s) ", event->error.words);
	else if (event->kind == UA_NOTICE)
		text_printf(&end->log, "note(%s) ", event->notice.words);
	else if (event->kind == UA_CALL_HELD || event->kind == UA_CALL_RESUMED)
		text_printf(&end->log, "%s(%s) ", ua_event_name(event->kind) + strlen("call."),
			event->hold.remote ? "them" : "us");
	else if (event->kind == UA_CALL_REDIRECTED)
		text_printf(&end->log, "redirected(%u %zu) ", event->redirected.code,
			event->redirected.count);
	else if (event->kind == UA_CALL_MUTED)
		text_puts(&end->log, event->mute.muted ? "muted " : "unmuted ");
	else if (event->kind == UA_CALL_MEDIA && end->logs_media)
		text_printf(&end->log, "%s ", event->media.codec);
	else if (event->kind == UA_CALL_PLAYED)
		text_printf(&end->log, "played(%s %s) ", event->played.source,
			event->played.words ? event->played.words
					    : (event->played.complete ? "all" : "stopped"));
	else if (event->kind == UA_CALL_TONE)
		text_printf(&end->log, "%g%s(%.0f dB, %u ms) ", event->tone.hz,
			event->tone.on ? "+" : "-", event->tone.level_dbfs, event->tone.ms);
	else if (event->kind == UA_CALL_RECORDING)
		text_printf(&end->log, "recording(%s %s) ", event->recording.path,
			event->recording.words ? event->recording.words
					       : (event->recording.on ? "on" : "off"));
	else if (event->kind != UA_CALL_STATS && event->kind != UA_CALL_MEDIA)
		text_printf(&end->log, "%s ", word_of(event->kind));
	be_hasty(end, event);
}

void on_closed(void *arg)
{
	struct end *end = arg;

	assert_false(end->closed); /* once */
	end->closed = true;
}

static void end_init(struct end *end, struct ua_policy policy)
{
	end->log = TEXT_IN(end->room);
	end->codec = codec_find(slice_of("pcmu"));
	end->config = (struct ua_config){
		.user_agent = "test",
		.user = "x",
		.mic = "tone:440",
		.speaker = "null",
		.codecs = &end->codec,
		.codec_count = 1,
		.policy = policy,
		.meter_ns = NS_PER_S / 5,
		.event = on_event,
		.arg = end,
	};
}

static void end_start(
	struct end *end, struct world_host *host, const struct addr *at, uint16_t port)
{
	struct addr local = *at;
	struct fault why;

	assert_int_equal(world_loop_new(&end->loop, host), 0);
	assert_int_equal(world_loop_new(&end->media_loop, host), 0);
	end->config.loop = end->loop;
	end->config.media_loop = end->media_loop;
	assert_int_equal(agent_new(&end->agent, &end->config), 0);
	if (end->anywhere)
		local = (struct addr){.family = at->family};
	local.port = port;
	assert_int_equal(agent_listen(end->agent, SIP_UDP, &local, false, &why), 0);
	end->log = TEXT_IN(end->room); /* without the listening */
}

void run_s(struct pair *pair, unsigned seconds)
{
	world_run(pair->world, world_now(pair->world) + seconds * NS_PER_S);
}

void run_ms(struct pair *pair, unsigned ms)
{
	world_run(pair->world, world_now(pair->world) + ms * NS_PER_MS);
}

void expect_log(struct end *end, const char *words)
{
	assert_string_equal(end->room, words);
	end->log = TEXT_IN(end->room);
}

void pair_init(struct pair *pair, struct ua_policy near, struct ua_policy far)
{
	*pair = (struct pair){.config = {.seed = 1, .way_ns = NS_PER_MS}};
	end_init(&pair->near, near);
	end_init(&pair->far, far);
}

void pair_start(struct pair *pair)
{
	assert_int_equal(world_new(&pair->world, &pair->config), 0);
	assert_int_equal(world_host_new(&pair->here, pair->world, &here), 0);
	assert_int_equal(world_host_new(&pair->there, pair->world, &there), 0);
	end_start(&pair->near, pair->here, &here, 5060);
	end_start(&pair->far, pair->there, &there, 5060);
}

void pair_open(struct pair *pair, struct ua_policy near, struct ua_policy far)
{
	pair_init(pair, near, far);
	pair_start(pair);
}

void end_close(struct pair *pair, struct end *end)
{
	agent_close(end->agent, on_closed, end);
	run_s(pair, 40);
	assert_true(end->closed);
	agent_free(end->agent);
	world_loop_free(end->loop);
	world_loop_free(end->media_loop);
}

void pair_close(struct pair *pair)
{
	end_close(pair, &pair->near);
	end_close(pair, &pair->far);
	world_free(pair->world);
}

void pair_call(struct pair *pair, const char *target)
{
	struct fault why;
	unsigned call;

	assert_int_equal(agent_call(&call, pair->near.agent, target, &why, NULL), 0);
}
