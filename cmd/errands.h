/*
 * The commands of -e: one after the other, each to its end; the first that fails is the last. On
 * the agents' thread.
 */
#pragma once

#include "cmd/queue.h"

struct errands;

struct errands_config {
	struct desk *desk;
	const char *const *lines;
	size_t count;
	/* How each ended, for a person. */
	void (*ended)(void *arg, const struct queue_result *result);
	/* All have, or one has failed: its exit code (enum verdict_code). Once. */
	void (*over)(void *arg, int exit);
	void *arg;
};

/* Begins, with what config points to kept alive by the caller. -ENOMEM, -ENOSPC, -E2BIG. */
int errands_new(struct errands **out, const struct errands_config *config);

/* Nothing more is begun; what runs goes on. Also from within a command. NULL is allowed. */
void errands_stop(struct errands *errands);

/* Whatever runs is dropped. NULL is allowed. */
void errands_free(struct errands *errands);
