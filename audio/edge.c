#include "audio/edge.h"

#include "core/base/loop.h"

#include <math.h>

static const double PER_MS = PORT_RATE / 1000.0;
static const double MEAN_S = 1;                        /* that the mean of the level is over */
static const uint64_t BEHIND_MAX_NS = 250 * NS_PER_MS; /* more is not caught up on */
/* A sound system first fills a buffer of its own, and then asks for nothing until that is played:
 * how steady it is, and what is left over of that, shows later. */
static const uint64_t SETTLE_NS = 500 * NS_PER_MS;
static const double LEFT_OVER_MS = 20; /* less is taken away without being heard */
static const double SHORT_MS = 1;      /* below nothing: the loudspeaker has gone on without us */

int edge_open(struct edge *edge, const struct audio_setup *setup, const struct device_maker *maker,
	enum port_way way, const char *name, struct fault *why)
{
	uint32_t in = way == PORT_IN ? PORT_RATE : setup->rate;
	uint32_t out = way == PORT_IN ? setup->rate : PORT_RATE;
	int err;

	*edge = (struct edge){.setup = *setup, .way = way};
	drift_init(&edge->drift);
	err = elastic_new(&edge->elastic, in, out, why);
	if (err)
		return err;

	err = line_open(&edge->line, setup, maker, way, name, why);
	if (err)
		elastic_free(edge->elastic);
	return err;
}

/*
 * What has to be there besides the reserve: of a microphone, what is about to be read, by this tick
 * and by those that it has made late, and a block more, because the device may bring the last one
 * just after we have looked.
 */
static double needed(const struct edge *edge, size_t count, uint64_t now_ns)
{
	double behind;

	if (edge->way == PORT_OUT)
		return 0;
	behind = (double)(now_ns - edge->due_ns) * PORT_RATE / (double)NS_PER_S;
	return (double)count * PORT_RATE / edge->setup.rate + (double)line_block(edge->line) +
	       behind;
}

/* Ticks that are late come one after the other until they are not: what they will read has been
 * recorded already, and is not too much. */
static void expect_tick(struct edge *edge, double tick_ms, uint64_t now_ns)
{
	edge->due_ns += (uint64_t)(tick_ms * (double)NS_PER_MS);
	if (edge->due_ns > now_ns || now_ns - edge->due_ns > BEHIND_MAX_NS)
		edge->due_ns = now_ns;
}

/* Once a second: how late the device, or our own tick, was at most. Returns whether port is still
 * there. */
static bool note(struct edge *edge, struct port *port, uint64_t now_ns)
{
	double block_ms = (double)line_block(edge->line) / PER_MS;
	double late_ms;
	unsigned breaks;

	if (!edge->settled || now_ns - edge->noted_ns < NS_PER_S)
		return true;

	late_ms = (double)port_take_longest_ns(port) / NS_PER_MS - block_ms;
	breaks = port_take_breaks(port);
	drift_note(&edge->drift, fmax(late_ms, edge->dip_ms), breaks);
	edge->noted_ns = now_ns;
	edge->dip_ms = 0;
	return line_note_breaks(edge->line, breaks);
}

/* What was told of the time up to now is of no use. */
static void forget(struct edge *edge, struct port *port, uint64_t now_ns)
{
	(void)port_take_longest_ns(port);
	(void)port_take_breaks(port);
	edge->noted_ns = now_ns;
	edge->dip_ms = 0;
}

/* A new device. */
static void begin(struct edge *edge, struct port *port, uint64_t now_ns)
{
	forget(edge, port, now_ns);
	drift_jumped(&edge->drift);
	edge->settled = false;
	edge->left_out = 0;
}

/* Returns whether it has settled just now. */
static bool settle(struct edge *edge, struct port *port, uint64_t now_ns)
{
	if (edge->settled || now_ns - edge->noted_ns < SETTLE_NS)
		return false;

	forget(edge, port, now_ns);
	edge->settled = true;
	return true;
}

/* How late we were ourselves: the level is then lower than it mostly is. */
static void watch_level(struct edge *edge, double tick_ms, double level_ms)
{
	edge->mean_ms += (level_ms - edge->mean_ms) * fmin(tick_ms / 1000 / MEAN_S, 1);
	edge->dip_ms = fmax(edge->dip_ms, edge->mean_ms - level_ms);
}

static bool is_off(const struct edge *edge, double level, double over_ms, bool settles)
{
	if (fabs(over_ms) > (settles ? LEFT_OVER_MS : DRIFT_JUMP_MS))
		return true;
	return edge->way == PORT_OUT && level / PER_MS < -SHORT_MS;
}

struct port *edge_tick(struct edge *edge, size_t count, long *jump)
{
	double tick_ms = (double)count * 1000 / edge->setup.rate;
	uint64_t now_ns = loop_now(edge->setup.loop);
	double level, level_ms, over_ms;
	struct port *port;
	bool fresh, settles;

	*jump = 0;
	port = line_port(edge->line, &fresh);
	if (!port)
		return NULL;

	if (fresh)
		begin(edge, port, now_ns);
	expect_tick(edge, tick_ms, now_ns);
	settles = settle(edge, port, now_ns);
	if (!note(edge, port, now_ns))
		return NULL;
	level = port_level(port, now_ns) - (double)edge->left_out;
	level_ms = (level - needed(edge, count, now_ns)) / PER_MS;
	over_ms = level_ms - drift_reserve_ms(&edge->drift);
	if (fresh || is_off(edge, level, over_ms, settles)) {
		*jump = lround(over_ms * PER_MS);
		drift_jumped(&edge->drift);
		edge->mean_ms = level_ms - over_ms;
		return port;
	}

	watch_level(edge, tick_ms, level_ms);
	elastic_bend(edge->elastic, drift_follow(&edge->drift, tick_ms, over_ms));
	return port;
}

void edge_close(struct edge *edge, line_closed *closed, void *arg)
{
	elastic_free(edge->elastic);
	line_close(edge->line, closed, arg);
}
