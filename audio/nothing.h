/* A source of silence and a sink that forgets. See audio/source.h and audio/sink.h. */
#pragma once

#include "audio/sink.h"
#include "audio/source.h"

struct loop;

/* Silence without end. Returns -ENOMEM. */
int silence_new(struct source **out);

/* Takes whatever comes. Returns -ENOMEM. */
int null_new(struct sink **out, struct loop *loop);
