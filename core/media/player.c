#include "core/media/player.h"

#include "audio/file_source.h"
#include "audio/open.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	TICK_MS = 10,
	FRAME = PLAYER_RATE / 1000 * TICK_MS, /* samples of a tick */
	LATE_TICKS_MAX = 10, /* after a longer standstill it goes on from the present */
	QUIET_TICKS = 10,    /* behind a sound, while a device plays what it holds of that */
};

static const uint64_t tick_ns = TICK_MS * NS_PER_MS;

/* The agent's thread. */
enum player_state {
	PLAYER_OPENING, /* file and sink are being opened on another thread */
	PLAYER_PLAYING, /* the media thread has them */
	PLAYER_LEAVING, /* to end as soon as they are open */
	PLAYER_ENDING,  /* the media thread ends it */
};

static const unsigned next_states[] = {
	[PLAYER_OPENING] = 1U << PLAYER_PLAYING | 1U << PLAYER_LEAVING | 1U << PLAYER_ENDING,
	[PLAYER_PLAYING] = 1U << PLAYER_ENDING,
	[PLAYER_LEAVING] = 1U << PLAYER_ENDING,
	[PLAYER_ENDING] = 0,
};

/* The media thread. */
enum play {
	PLAY_NEW,
	PLAY_TICKING,
	PLAY_FADING, /* the next tick is the last of the sound */
	PLAY_QUIET,  /* a device that is closed drops what it holds: that shall be silence */
	PLAY_OVER,   /* nothing is written any more */
};

static const unsigned next_plays[] = {
	[PLAY_NEW] = 1U << PLAY_TICKING | 1U << PLAY_OVER,
	[PLAY_TICKING] = 1U << PLAY_FADING | 1U << PLAY_QUIET,
	[PLAY_FADING] = 1U << PLAY_QUIET,
	[PLAY_QUIET] = 1U << PLAY_OVER,
	[PLAY_OVER] = 0,
};

struct player {
	struct player_config config;
	const struct player_events *events;
	void *arg;

	enum player_state state;
	bool failed; /* fault tells how; before finished, or else before closed, is posted */
	struct fault fault;

	/* Filled by the other thread while opening, then the media thread's. */
	struct work open;
	struct source *source;
	struct sink *sink;

	enum play play;
	struct timer tick;
	uint64_t due_ns;
	uint64_t left;  /* samples, where there is a limit */
	unsigned quiet; /* ticks */
	struct work reopen;
	struct source *reopened;
	int reopen_err;
	bool reopening; /* the work is under way */
	bool stopped;   /* by the agent, */
	bool closing;   /* and to be closed as soon as that is done */

	struct post start;    /* to the media thread */
	struct post stop;     /* likewise, the last of all */
	struct post finished; /* to the agent: its sound is over */
	struct post closed;   /* likewise, and all is closed */
};

/* What the sink has to tell, on its way to the agent. */
struct told_post {
	struct post post;
	struct player *player;
	struct fault words;
};

static void change_state(struct player *player, enum player_state to)
{
	assert(next_states[player->state] & 1U << to);
	player->state = to;
}

static void change_play(struct player *player, enum play to)
{
	assert(next_plays[player->play] & 1U << to);
	player->play = to;
}

/* Agent thread. */
static void told_run(struct post *post)
{
	struct told_post *self = container_of(post, struct told_post, post);
	struct player *player = self->player;

	player->events->told(player->arg, self->words.words);
	free(self);
}

/* Media thread. */
static void sink_tells(void *arg, enum audio_news news, const char *words)
{
	struct player *player = arg;
	struct told_post *self;

	(void)news;
	self = calloc(1, sizeof(*self));
	if (!self) {
		log_warning("out of memory: nobody is told that %s", words);
		return;
	}

	self->post.run = told_run;
	self->player = player;
	fault_set(&self->words, 0, "%s", words);
	loop_post(player->config.agent_loop, &self->post);
}

static int open_source(struct source **out, struct player *player, struct fault *why)
{
	const struct player_config *config = &player->config;
	int err;

	if (config->file)
		return file_source_open(out, config->media_loop, config->file, PLAYER_RATE, why);

	err = tone_cadence_new(out, &config->cadence, PLAYER_RATE);
	return err ? fault_set(why, err, "too little memory for a tone") : 0;
}

/* A machine without a sound device has silence there, and that is no fault of a sound. */
static bool can_do_without(const struct player *player, int err)
{
	return audio_is_default(slice_of(player->config.sink)) &&
	       (err == -ENODEV || err == -ENOENT);
}

static int open_sink(struct player *player)
{
	const struct audio_setup setup = {
		.loop = player->config.media_loop,
		.rate = PLAYER_RATE,
		.pipe_rate = AUDIO_PIPE_RATE,
		.tell = sink_tells,
		.arg = player,
	};
	int err;

	err = audio_sink_open(&player->sink, &setup, slice_of(player->config.sink), &player->fault);
	return can_do_without(player, err) ? 0 : err;
}

/* A thread of the I/O pool. */
static void open_run(struct work *work)
{
	struct player *player = container_of(work, struct player, open);
	int err;

	err = open_source(&player->source, player, &player->fault);
	if (!err)
		err = open_sink(player);
	player->failed = err != 0;
}

/* Agent thread. */
static void closed_run(struct post *post)
{
	struct player *player = container_of(post, struct player, closed);

	player->events->ended(player->arg, player->failed ? &player->fault : NULL);
	free(player);
}

static void sink_closed(void *arg, int err)
{
	struct player *player = arg;

	(void)err; /* of what a device could not do, it has told */
	loop_post(player->config.agent_loop, &player->closed);
}

/* Media thread, after the last tick. */
static void close_all(struct player *player)
{
	source_free(player->source);
	if (player->sink)
		sink_close(player->sink, sink_closed, player);
	else
		loop_post(player->config.agent_loop, &player->closed);
}

static void close_when_idle(struct player *player)
{
	player->closing = true;
	if (!player->reopening)
		close_all(player);
}

static void reopen_run(struct work *work)
{
	struct player *player = container_of(work, struct player, reopen);

	player->reopen_err = open_source(&player->reopened, player, &player->fault);
}

/* Media thread. */
static void reopen_done(struct work *work)
{
	struct player *player = container_of(work, struct player, reopen);

	player->reopening = false;
	if (!player->reopen_err)
		player->source = player->reopened;
	if (player->closing) {
		close_all(player);
		return;
	}
	if (!player->reopen_err || player->play != PLAY_TICKING)
		return;
	player->failed = true;
	change_play(player, PLAY_QUIET);
}

/* Returns whether there is more to come. */
static bool begin_again(struct player *player)
{
	int err;

	if (!player->config.file || !player->config.repeats)
		return false;

	source_free(player->source);
	player->source = NULL;
	player->reopen = (struct work){reopen_run, reopen_done};
	err = loop_work(player->config.media_loop, &player->reopen);
	player->reopening = err == 0;
	if (err)
		player->failed = fault_set(&player->fault, err, "a file cannot be read again: %s",
					 strerror(-err)) != 0;
	return player->reopening;
}

/* The next frame, with silence behind the end of a source. Returns whether there are more. */
static bool take_frame(struct player *player, int16_t out[static FRAME])
{
	size_t got = 0;
	bool more = true;

	if (player->source)
		got = source_read(player->source, out, FRAME);
	memset(out + got, 0, (FRAME - got) * sizeof(*out));
	if (player->source && got < FRAME)
		more = begin_again(player);
	return more;
}

static void fade(int16_t samples[static FRAME])
{
	for (int i = 0; i < FRAME; i++)
		samples[i] = (int16_t)(samples[i] * (FRAME - i) / FRAME);
}

/* Whether with this frame its time is over. */
static bool is_time_over(struct player *player)
{
	if (player->config.limit_ns == 0)
		return false;

	player->left -= player->left < FRAME ? player->left : FRAME;
	return player->left == 0;
}

/* Ticks are counted from the start, not from each other, so that no delay adds up. */
static void next_tick(struct player *player)
{
	uint64_t now_ns = loop_now(player->config.media_loop);

	if (now_ns > player->due_ns + LATE_TICKS_MAX * tick_ns)
		player->due_ns = now_ns;
	player->due_ns += tick_ns;
	timer_start(&player->tick, player->due_ns);
}

static void sound(struct player *player)
{
	int16_t samples[FRAME];
	bool more = take_frame(player, samples);

	if (is_time_over(player) || player->play == PLAY_FADING) {
		fade(samples);
		more = false;
	}
	if (!more)
		change_play(player, PLAY_QUIET);
	sink_write(player->sink, samples, FRAME);
}

static void be_quiet(struct player *player)
{
	static const int16_t zeros[FRAME];

	sink_write(player->sink, zeros, FRAME);
	player->quiet++;
	if (player->quiet < QUIET_TICKS)
		return;

	change_play(player, PLAY_OVER);
	if (player->stopped)
		close_when_idle(player);
	else
		loop_post(player->config.agent_loop, &player->finished); /* it will say stop */
}

static void run_tick(void *arg)
{
	struct player *player = arg;

	if (player->play == PLAY_QUIET)
		be_quiet(player);
	else
		sound(player);
	if (player->play != PLAY_OVER)
		next_tick(player);
}

/* Media thread. */
static void start_run(struct post *post)
{
	struct player *player = container_of(post, struct player, start);

	change_play(player, PLAY_TICKING);
	timer_init(&player->tick, player->config.media_loop, run_tick, player);
	player->due_ns = loop_now(player->config.media_loop);
	run_tick(player);
}

/* Media thread. */
static void stop_run(struct post *post)
{
	struct player *player = container_of(post, struct player, stop);

	player->stopped = true;
	if (player->play == PLAY_TICKING)
		change_play(player, PLAY_FADING);
	else if (player->play == PLAY_NEW)
		change_play(player, PLAY_OVER);
	if (player->play == PLAY_OVER)
		close_when_idle(player);
}

static void post_stop(struct player *player)
{
	change_state(player, PLAYER_ENDING);
	loop_post(player->config.media_loop, &player->stop);
}

/* Agent thread. */
static void finished_run(struct post *post)
{
	struct player *player = container_of(post, struct player, finished);

	if (player->state == PLAYER_PLAYING) /* else the stop is on its way */
		post_stop(player);
}

static void open_done(struct work *work)
{
	struct player *player = container_of(work, struct player, open);

	if (!player->sink || player->state == PLAYER_LEAVING) {
		post_stop(player);
		return;
	}
	change_state(player, PLAYER_PLAYING);
	loop_post(player->config.media_loop, &player->start);
}

int player_start(struct player **out, const struct player_config *config,
	const struct player_events *events, void *arg)
{
	struct player *player;
	int err;

	player = calloc(1, sizeof(*player));
	if (!player)
		return -ENOMEM;

	player->config = *config;
	player->events = events;
	player->arg = arg;
	player->left = config->limit_ns / NS_PER_MS * (PLAYER_RATE / 1000);
	player->start.run = start_run;
	player->stop.run = stop_run;
	player->finished.run = finished_run;
	player->closed.run = closed_run;
	player->open = (struct work){open_run, open_done};
	err = loop_work(config->agent_loop, &player->open);
	if (err) {
		free(player);
		return err;
	}
	*out = player;
	return 0;
}

void player_stop(struct player *player)
{
	if (player->state == PLAYER_OPENING)
		change_state(player, PLAYER_LEAVING);
	else if (player->state == PLAYER_PLAYING)
		post_stop(player);
}

static void left_told(void *arg, const char *words)
{
	(void)arg;
	log_warning("of a tone that was left: %s", words);
}

static void left_ended(void *arg, const struct fault *why)
{
	(void)arg;
	(void)why;
}

void player_leave(struct player *player)
{
	static const struct player_events nobody = {left_told, left_ended};

	assert(player->state == PLAYER_LEAVING || player->state == PLAYER_ENDING);
	player->events = &nobody;
}
