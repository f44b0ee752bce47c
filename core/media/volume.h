/* How loud a call is made, in both directions: a plain value. */
#pragma once

#include "audio/gain.h"

#include <stdbool.h>

/* dB, GAIN_MIN_DB..GAIN_MAX_DB; all 0 is as it comes. */
struct media_volume {
	double mic_db;     /* what is sent */
	double speaker_db; /* what is played */
	bool mic_muted;
};
