/*
 * From what the options ask for to the configuration of a phone. A plain value that points into
 * itself and into the options, which stay where they are. Any thread.
 */
#pragma once

#include "cmd/settings/options.h"
#include "codecs/codec.h"
#include "core/ua/config.h"

enum { SETUP_USER_SIZE = 64 };

struct setup {
	struct ua_config config; /* all but its loops, meter_ns, and what is told to whom */
	char user[SETUP_USER_SIZE];
	const struct codec *codecs[CODEC_LIST_MAX];
};

void setup_make(struct setup *out, const struct options *options);

/* Where calls are heard, as audio/open.h spells it. */
const char *setup_speaker(const struct options *options);
