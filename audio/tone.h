/* A source that sounds one tone without end. See audio/source.h. */
#pragma once

#include "audio/source.h"

enum { TONE_HZ_MIN = 20 };

/* A sine of hz at rate, Hz, its level -10 dB below the loudest that there is. Returns -ENOMEM, or
 * -EINVAL unless hz is at least TONE_HZ_MIN and below half of rate. */
int tone_new(struct source **out, uint32_t hz, uint32_t rate);
