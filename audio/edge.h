/*
 * The edge between a device's clock and ours, one direction: a line, with what keeps its level. It
 * is what audio/device_source and audio/device_sink have in common, and for them alone; on their
 * loop's thread but for edge_open().
 */
#pragma once

#include "audio/drift.h"
#include "audio/elastic.h"
#include "audio/line.h"

#include <stdbool.h>

struct edge {
	struct audio_setup setup;
	enum port_way way;
	struct line *line;
	struct elastic *elastic;
	struct drift drift;
	uint64_t due_ns;   /* when this tick should have been */
	double mean_ms;    /* of the level, over what is needed */
	uint64_t noted_ns; /* when the device's unevenness was last looked at, */
	double dip_ms;     /* and how far the level has since been below its mean */
	bool settled;      /* the device has been at it for long enough to be judged */
	size_t left_out;   /* samples too many that the sink has not dropped yet: counted as gone */
};

/* Fills edge. Errors as line_open() and elastic_new(), and nothing is held then. */
int edge_open(struct edge *edge, const struct audio_setup *setup, const struct device_maker *maker,
	enum port_way way, const char *name, struct fault *why);

/*
 * On each tick, which moves count samples at the setup's rate: the device's port, or NULL if there
 * is none. The elastic is bent for it. jump: how many samples, at PORT_RATE, lie there too many
 * (> 0) or too few (< 0) where bending would take too long and the caller is to set it right at
 * once; else 0.
 */
struct port *edge_tick(struct edge *edge, size_t count, long *jump);

/* As line_close(). Nothing of edge is held any more when this returns. */
void edge_close(struct edge *edge, line_closed *closed, void *arg);
