#include "audio/line.h"

#include "core/base/list.h"
#include "core/base/loop.h"

#include <assert.h>
#include <stdlib.h>

enum {
	STALL_TICKS = 25,     /* without a sign of the device: a stopped program sees no ticks */
	SETTLING_SECONDS = 2, /* after a device is opened, while nothing that breaks counts */
	UNSTEADY_SECONDS = 3, /* that sound broke in, of the last eight, are too many */
	SECONDS_KEPT = 8,
};

static const uint64_t stall_ns = 500 * NS_PER_MS;
static const uint64_t begin_ns = 3 * NS_PER_S; /* a headset may have to change its profile first */
static const uint64_t again_ns = 2 * NS_PER_S; /* until a device is looked for once more */

enum line_state {
	LINE_STEADY,  /* the device that was asked for */
	LINE_AWAY,    /* the default one stands in for it */
	LINE_SILENT,  /* there is none */
	LINE_SEEKING, /* the work looks for one; there is none meanwhile */
	LINE_PROBING, /* the work looks whether the right one is back, beside the stand-in */
	LINE_CLOSING, /* waits for the work at hand */
	LINE_ENDING,  /* the work closes what is left */
};

/* Which states follow each. */
static const unsigned next_states[] = {
	[LINE_STEADY] = 1U << LINE_SEEKING | 1U << LINE_CLOSING,
	[LINE_AWAY] = 1U << LINE_SEEKING | 1U << LINE_PROBING | 1U << LINE_CLOSING,
	[LINE_SILENT] = 1U << LINE_SEEKING | 1U << LINE_CLOSING,
	[LINE_SEEKING] =
		1U << LINE_STEADY | 1U << LINE_AWAY | 1U << LINE_SILENT | 1U << LINE_CLOSING,
	[LINE_PROBING] = 1U << LINE_STEADY | 1U << LINE_AWAY | 1U << LINE_CLOSING,
	[LINE_CLOSING] = 1U << LINE_ENDING,
	[LINE_ENDING] = 0,
};

/* A device with its port, or none. */
struct plug {
	struct port *port;
	struct device *device;
};

/* What the work is to do, and what came of it. The work's, while there is some. */
struct job {
	struct work work;
	struct plug close[2];
	bool open;     /* then, the device that was asked for, */
	bool stand_in; /* or else the default one */
	struct plug found;
	bool found_right; /* it is what was asked for */
};

struct line {
	struct audio_setup setup;
	const struct device_maker *maker;
	enum port_way way;
	char name[DEVICE_NAME_SIZE];   /* as asked for; empty: the default */
	char proper[DEVICE_NAME_SIZE]; /* of the device that this was at first */
	enum line_state state;
	struct plug plug; /* in use */
	size_t block;     /* of which the work knows, too: it stays while there is some */
	bool fresh;       /* it has not been handed out */
	bool told_gone;
	bool told_idle; /* that it does not begin */

	bool watched;    /* then: */
	unsigned visits; /* of the device, when it was last seen to move, */
	unsigned ticks;  /* and how many ago, */
	uint64_t seen_ns;
	unsigned seconds;  /* since it was opened */
	unsigned unsteady; /* a bit for each of the last that sound broke in */
	struct timer again;

	bool working;
	struct job job;

	line_closed *closed;
	void *arg;
	struct post gone;
};

static void change_state(struct line *line, enum line_state to)
{
	assert(next_states[line->state] & 1U << to);
	line->state = to;
}

static const char *what_of(const struct line *line)
{
	return line->way == PORT_IN ? "microphone" : "loudspeaker";
}

static int plug_open(struct plug *out, const struct line *line, const char *name, struct fault *why)
{
	struct plug plug = {0};
	int err;

	err = port_new(&plug.port, line->way);
	if (err)
		return fault_set(why, err, "too little memory for a sound device");

	err = line->maker->open(
		&plug.device, line->maker, line->way, name, line->block, plug.port, why);
	if (err) {
		port_free(plug.port);
		return err;
	}
	*out = plug;
	return 0;
}

static struct plug plug_take(struct plug *from)
{
	struct plug plug = *from;

	*from = (struct plug){0};
	return plug;
}

static void plug_close(struct plug *plug)
{
	if (plug->device)
		plug->device->maker->close(plug->device);
	port_free(plug->port);
	*plug = (struct plug){0};
}

/* A device that hangs keeps this thread waiting, and who else asks for devices. */
static void work_run(struct work *work)
{
	struct job *job = container_of(work, struct job, work);
	const struct line *line = container_of(job, struct line, job);

	plug_close(&job->close[0]);
	plug_close(&job->close[1]);
	if (!job->open)
		return;

	job->found_right = plug_open(&job->found, line, line->name, NULL) == 0;
	if (!job->found_right && job->stand_in && line->name[0] != '\0')
		(void)plug_open(&job->found, line, "", NULL);
}

/* Whether a stand-in is left over that no work was taken for. */
static bool has_left(const struct line *line)
{
	return !line->working && line->job.close[0].port;
}

static void start_work(struct line *line)
{
	assert(!line->working);

	line->working = loop_work(line->setup.loop, &line->job.work) == 0;
}

/* Leaves it to the work; one may be left over already. */
static void let_close(struct line *line, struct plug *plug)
{
	struct plug *close = line->job.close;

	if (plug->port)
		close[close[0].port ? 1 : 0] = plug_take(plug);
}

/* Closes what is used and looks for what there is. */
static void seek(struct line *line)
{
	let_close(line, &line->plug);
	line->job.open = true;
	line->job.stand_in = true;
	change_state(line, LINE_SEEKING);
	timer_start_in(&line->again, again_ns); /* should the work not be taken, it is then */
	start_work(line);
}

static void probe(struct line *line)
{
	line->job.open = true;
	line->job.stand_in = false;
	change_state(line, LINE_PROBING);
	start_work(line);
	if (!line->working)
		change_state(line, LINE_AWAY);
}

static void run_again(void *arg)
{
	struct line *line = arg;

	if (!line->working) {
		if (line->state == LINE_SILENT)
			seek(line);
		else if (line->state == LINE_AWAY)
			probe(line);
		else if (line->state == LINE_SEEKING || has_left(line))
			start_work(line);
	}
	if (line->state != LINE_STEADY || has_left(line))
		timer_start_in(&line->again, again_ns);
}

static void use_found(struct line *line)
{
	line->plug = plug_take(&line->job.found);
	line->fresh = true;
	line->watched = false;
}

static void tell_back(struct line *line)
{
	if (line->told_gone)
		audio_tell(&line->setup, AUDIO_NOTE, "the %s %s is back", what_of(line),
			line->plug.device->name);
	line->told_gone = false;
	timer_stop(&line->again);
}

static void tell_gone(struct line *line)
{
	if (!line->told_gone && line->plug.device)
		audio_tell(&line->setup, AUDIO_NOTE, "the %s %s is gone; %s stands in for it",
			what_of(line), line->proper, line->plug.device->name);
	else if (!line->told_gone)
		audio_tell(&line->setup, AUDIO_NOTE,
			"the %s %s is gone; the call goes on without it", what_of(line),
			line->proper);
	line->told_gone = true;
}

static void settle_seek(struct line *line)
{
	bool found = line->job.found.device;

	change_state(line, line->job.found_right ? LINE_STEADY : found ? LINE_AWAY : LINE_SILENT);
	if (found)
		use_found(line);
	if (line->job.found_right)
		tell_back(line);
	else
		tell_gone(line);
}

/* The right one may be back; else the stand-in stays. */
static void settle_probe(struct line *line)
{
	change_state(line, line->job.found_right ? LINE_STEADY : LINE_AWAY);
	if (!line->job.found_right)
		return;

	let_close(line, &line->plug);
	use_found(line);
	tell_back(line);
	line->job.open = false;
	start_work(line);
	if (has_left(line))
		timer_start_in(&line->again, again_ns);
}

static void destroy(struct line *line)
{
	line_closed *closed = line->closed;
	void *arg = line->arg;

	free(line);
	if (closed)
		closed(arg);
}

/* The work could not be taken: it takes its time here. */
static void post_gone(struct post *post)
{
	struct line *line = container_of(post, struct line, gone);

	work_run(&line->job.work);
	destroy(line);
}

static void end(struct line *line)
{
	change_state(line, LINE_ENDING);
	let_close(line, &line->plug);
	let_close(line, &line->job.found);
	line->job.open = false;
	start_work(line);
	if (!line->working)
		loop_post(line->setup.loop, &line->gone);
}

static void work_done(struct work *work)
{
	struct job *job = container_of(work, struct job, work);
	struct line *line = container_of(job, struct line, job);

	line->working = false;
	switch (line->state) {
	case LINE_SEEKING:
		settle_seek(line);
		break;
	case LINE_PROBING:
		settle_probe(line);
		break;
	case LINE_CLOSING:
		end(line);
		break;
	case LINE_ENDING:
		destroy(line);
		break;
	case LINE_STEADY: /* a stand-in was closed */
	case LINE_AWAY:
	case LINE_SILENT:
		break;
	}
}

int line_open(struct line **out, const struct audio_setup *setup, const struct device_maker *maker,
	enum port_way way, const char *name, struct fault *why)
{
	struct line *line = calloc(1, sizeof(*line));
	struct text text;
	int err;

	if (!line)
		return fault_set(why, -ENOMEM, "too little memory for a sound device");

	line->setup = *setup;
	line->maker = maker;
	line->way = way;
	line->block = DEVICE_BLOCK;
	line->fresh = true;
	line->job.work = (struct work){work_run, work_done};
	line->gone.run = post_gone;
	timer_init(&line->again, setup->loop, run_again, line);
	text = TEXT_IN(line->name);
	text_puts(&text, name);
	err = plug_open(&line->plug, line, line->name, why);
	if (err) {
		free(line);
		return err;
	}

	text = TEXT_IN(line->proper);
	text_puts(&text, line->plug.device->name);
	*out = line;
	return 0;
}

static void watch_anew(struct line *line)
{
	line->watched = true;
	line->ticks = 0;
	line->seen_ns = loop_now(line->setup.loop);
	line->visits = port_visits(line->plug.port);
}

/* Whether the device has not come by for long. */
static bool stalls(struct line *line)
{
	uint64_t limit_ns = line->fresh ? begin_ns : stall_ns;

	if (!line->watched || port_visits(line->plug.port) != line->visits) {
		watch_anew(line);
		return false;
	}
	return ++line->ticks >= STALL_TICKS &&
	       loop_now(line->setup.loop) - line->seen_ns >= limit_ns;
}

/* It could be opened, and that is all. */
static void tell_idle(struct line *line)
{
	if (!line->told_idle)
		audio_tell(&line->setup, AUDIO_NOTE,
			"the %s %s does not begin; it is tried again and again", what_of(line),
			line->plug.device->name);
	line->told_idle = true;
}

static void hand_out(struct line *line)
{
	line->fresh = false;
	line->seconds = 0;
	line->unsteady = 0;
	if (line->told_idle)
		audio_tell(&line->setup, AUDIO_NOTE, "the %s %s works now", what_of(line),
			line->plug.device->name);
	line->told_idle = false;
}

struct port *line_port(struct line *line, bool *fresh)
{
	*fresh = false;
	if (!line->plug.device)
		return NULL;

	if (!line->working && stalls(line)) {
		if (line->fresh)
			tell_idle(line);
		seek(line);
		return NULL;
	}
	if (port_visits(line->plug.port) == 0)
		return NULL; /* what is given to it would wait for it to begin, and then be late */
	if (line->fresh) {
		*fresh = true;
		hand_out(line);
	}
	return line->plug.port;
}

size_t line_block(const struct line *line)
{
	return line->block;
}

static bool is_unsteady(const struct line *line)
{
	return __builtin_popcount(line->unsteady) >= UNSTEADY_SECONDS &&
	       line->block < DEVICE_BLOCK_MAX;
}

bool line_note_breaks(struct line *line, unsigned breaks)
{
	if (line->seconds++ < SETTLING_SECONDS || !line->plug.device || line->working)
		return true;

	line->unsteady = (line->unsteady << 1 | (breaks > 0)) & ((1U << SECONDS_KEPT) - 1);
	if (!is_unsteady(line))
		return true;
	audio_tell(&line->setup, AUDIO_NOTE,
		"the %s %s cannot keep up with blocks of %zu ms and gets %zu ms", what_of(line),
		line->plug.device->name, line->block * 1000 / PORT_RATE,
		2 * line->block * 1000 / PORT_RATE);
	line->block *= 2;
	seek(line);
	return false;
}

void line_close(struct line *line, line_closed *closed, void *arg)
{
	line->closed = closed;
	line->arg = arg;
	timer_stop(&line->again);
	change_state(line, LINE_CLOSING);
	if (!line->working)
		end(line);
}
