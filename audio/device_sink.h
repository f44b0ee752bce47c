/*
 * A sink that is a loudspeaker: what is written is bent to its clock, and lies in wait only for as
 * long as the two clocks' unevenness asks for. It may be pulled out; what is written meanwhile is
 * not heard. See audio/sink.h and audio/line.h.
 */
#pragma once

#include "audio/device.h"
#include "audio/setup.h"
#include "audio/sink.h"

/* Errors as line_open() and elastic_new(). */
int device_sink_open(struct sink **out, const struct audio_setup *setup,
	const struct device_maker *maker, const char *name, struct fault *why);
