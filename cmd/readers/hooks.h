/*
 * Commands of the shell that the configuration has run on events. A reader of the event stream; on
 * the agent's thread, which never waits for them.
 *
 * A command is what the file says, to the letter; what is known of the event, much of which came
 * from the far end, is in its environment only: each member of the event's JSON object as
 * SIPCALL_NAME, escaped as there, so that no control character is in it.
 */
#pragma once

#include "cmd/settings/config.h"
#include "core/base/loop.h"

enum {
	HOOKS_RUNNING_MAX = 16,
	HOOKS_WAITING_MAX = 64,   /* for one of those to end; more are left out, which is told */
	HOOKS_VALUE_MAX = 8192,   /* bytes of a value, of which then the beginning is there */
	HOOKS_PATIENCE_MS = 2000, /* with those that run at the end */
};

struct hooks;

struct hooks_config {
	struct loop *loop;
	const struct config *config;                /* kept alive by the caller */
	void (*tell)(void *arg, const char *words); /* a line for a person */
	void *arg;
};

typedef void hooks_done(void *arg);

/* out is NULL where there are no hooks, as it may be everywhere below. -ENOMEM. */
int hooks_new(struct hooks **out, const struct hooks_config *config);

void hooks_event(struct hooks *hooks, const struct ua_event *event);

/*
 * There will be no more events. done is called once, when all commands have ended or patience has,
 * maybe before this returns; what then still runs goes on without us.
 */
void hooks_close(struct hooks *hooks, hooks_done *done, void *arg);

/* At any time. */
void hooks_free(struct hooks *hooks);
