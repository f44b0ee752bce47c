/*
 * A source that is a microphone: what it records is bent to our clock and kept at hand only for as
 * long as the two clocks' unevenness asks for. It may be pulled out; then it is silence until it is
 * back. See audio/source.h and audio/line.h. Whoever reads in ticks that go by the loop's clock has
 * sound without a seam.
 */
#pragma once

#include "audio/device.h"
#include "audio/setup.h"
#include "audio/source.h"

/* Errors as line_open() and elastic_new(). */
int device_source_open(struct source **out, const struct audio_setup *setup,
	const struct device_maker *maker, const char *name, struct fault *why);
