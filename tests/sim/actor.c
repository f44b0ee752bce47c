#include "tests/sim/actor.h"

#include "codecs/codec.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "tests/sim/mute.h"

#include <assert.h>
#include <stdlib.h>

enum {
	CALLS_MAX = 512,   /* at once */
	WORDS_SIZE = 1200, /* what goes by UDP has 1300 bytes at most (RFC 3261, section 18.1.1) */
};

struct actor {
	struct actor_config config;
	char user[2];
	char words[WORDS_SIZE]; /* a header line */
	const struct codec *codecs[2];
	struct loop *loop;
	struct loop *media_loop;
	struct agent *agent;
	bool closing;
	bool closed;
	unsigned live_count;
	unsigned live[CALLS_MAX]; /* numbers of calls, oldest first */
};

static void remember(struct actor *actor, unsigned call)
{
	assert(actor->live_count < CALLS_MAX);
	actor->live[actor->live_count++] = call;
}

static void forget(struct actor *actor, unsigned call)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < actor->live_count; i++)
		if (actor->live[i] != call)
			actor->live[kept++] = actor->live[i];
	actor->live_count = kept;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct actor *actor = arg;

	if (event->kind == UA_CALL_INCOMING)
		remember(actor, event->call);
	if (event->kind == UA_CALL_ENDED)
		forget(actor, event->call);
	if (actor->config.events)
		actor->config.events->event(actor->config.arg, event);
}

static void on_closed(void *arg)
{
	struct actor *actor = arg;

	actor->closed = true;
	if (actor->config.events)
		actor->config.events->closed(actor->config.arg);
}

static int start(struct actor *actor)
{
	const struct ua_config config = {
		.loop = actor->loop,
		.media_loop = actor->media_loop,
		.user_agent = "sipcall",
		.user = actor->user,
		.mic = actor->config.mic,
		.speaker = "null",
		.codecs = actor->codecs,
		.codec_count = actor->codecs[1] ? 2 : 1,
		.headers = slice_of(actor->config.wordy ? actor->words : ""),
		.policy = actor->config.policy,
		.event = on_event,
		.arg = actor,
	};
	int err;

	err = agent_new(&actor->agent, &config);
	if (err) {
		actor->agent = NULL;
		return err;
	}
	err = agent_listen(actor->agent, SIP_UDP, &actor->config.listen, false, NULL);
	if (!err && !actor->config.udp_only)
		err = agent_listen(actor->agent, SIP_TCP, &actor->config.listen, false, NULL);
	return err;
}

/* "Subject: xxx..." */
static void fill_words(char out[static WORDS_SIZE])
{
	static const char name[] = "Subject: ";

	memset(out, 'x', WORDS_SIZE);
	memcpy(out, name, sizeof(name) - 1);
	memcpy(out + WORDS_SIZE - 3, "\r\n", 3);
}

int actor_new(struct actor **out, const struct actor_config *config)
{
	struct actor *actor;
	int err;

	actor = calloc(1, sizeof(*actor));
	if (!actor)
		return -ENOMEM;

	actor->config = *config;
	actor->user[0] = config->name;
	fill_words(actor->words);
	actor->codecs[0] = config->media ? codec_find(slice_of("pcmu")) : &codec_mute;
	if (config->media && config->pcma)
		actor->codecs[1] = codec_find(slice_of("pcma"));
	err = world_loop_new(&actor->loop, config->host);
	if (!err)
		err = world_loop_new(&actor->media_loop, config->host);
	if (!err)
		err = start(actor);
	if (err) {
		actor_free(actor);
		return err;
	}
	*out = actor;
	return 0;
}

void actor_free(struct actor *actor)
{
	if (!actor)
		return;

	agent_free(actor->agent);
	world_loop_free(actor->media_loop);
	world_loop_free(actor->loop);
	free(actor);
}

struct errand {
	struct post post;
	void (*run)(void *arg);
	void *arg;
};

static void run_errand(struct post *post)
{
	struct errand *errand = container_of(post, struct errand, post);

	errand->run(errand->arg);
	free(errand);
}

int actor_errand(struct actor *actor, void (*run)(void *arg), void *arg)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (!errand)
		return -ENOMEM;

	*errand = (struct errand){.post = {.run = run_errand}, .run = run, .arg = arg};
	loop_post(actor->loop, &errand->post);
	return 0;
}

int actor_call(struct actor *actor, const char *target)
{
	unsigned call;
	size_t at;
	int err;

	err = agent_call(&call, actor->agent, target, NULL, &at);
	if (!err)
		remember(actor, call);
	return err;
}

unsigned actor_oldest(const struct actor *actor)
{
	return actor->live_count > 0 ? actor->live[0] : 0;
}

unsigned actor_newest(const struct actor *actor)
{
	return actor->live_count > 0 ? actor->live[actor->live_count - 1] : 0;
}

unsigned actor_calls(const struct actor *actor)
{
	return actor->live_count;
}

void actor_hangup(struct actor *actor, unsigned call)
{
	for (unsigned i = 0; i < actor->live_count; i++)
		if (call == 0 || call == actor->live[i])
			agent_hangup(actor->agent, actor->live[i]);
}

void actor_hold(struct actor *actor, unsigned call, bool hold)
{
	for (unsigned i = 0; i < actor->live_count; i++) {
		if (call != 0 && call != actor->live[i])
			continue;
		if (hold)
			agent_hold(actor->agent, actor->live[i]);
		else
			agent_resume(actor->agent, actor->live[i]);
	}
}

void actor_turn(struct actor *actor, unsigned call)
{
	for (unsigned i = 0; i < actor->live_count; i++) {
		if ((call != 0 && call != actor->live[i]) || !actor->codecs[1])
			continue;
		if (agent_codec(actor->agent, actor->live[i], actor->codecs[1]) == -EALREADY)
			agent_codec(actor->agent, actor->live[i], actor->codecs[0]);
	}
}

/* A number that is picked up may end, and leave the list, within that. */
void actor_pick_up(struct actor *actor, unsigned call)
{
	unsigned live[CALLS_MAX], count = actor->live_count;

	memcpy(live, actor->live, sizeof(live));
	for (unsigned i = 0; i < count; i++)
		if (call == 0 || call == live[i])
			agent_answer(actor->agent, live[i]);
}

void actor_silence(struct actor *actor)
{
	actor->config.events = NULL;
}

void actor_close(struct actor *actor)
{
	if (actor->closing)
		return;

	actor->closing = true;
	agent_close(actor->agent, on_closed, actor);
}

bool actor_is_closed(const struct actor *actor)
{
	return actor->closed;
}
