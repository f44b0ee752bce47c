/*
 * The way by which an account is registered, as long as calls come by it: kept open, and watched
 * (core/sip/keep). How it is to be kept depends on what the registrar has agreed to, on whether
 * there is a NAT, and on what the user wants. The registration owns it. On the agent's thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/sip/flow.h"
#include "core/sip/keep.h"

#include <stdbool.h>
#include <stdint.h>

struct grant;
struct loop;

struct lifeline_events {
	/* It is; lifeline_start() may follow for another one. */
	void (*dead)(void *arg, int err);
	/* The NAT shows us by another address than before. */
	void (*moved)(void *arg, const struct addr *mapped);
};

struct lifeline {
	struct loop *loop;
	struct sip_stack *stack;
	const struct lifeline_events *events;
	void *arg;
	struct sip_keep *keep; /* NULL: there is no need, or none any more */
	struct sip_flow flow;
	uint64_t since_ns;    /* since when it is by that flow; 0: by none */
	bool answered;        /* on that flow, once */
	unsigned unanswered;  /* flows, one after the other, on which nobody ever did */
	unsigned short_lived; /* that died soon, one after the other */
	struct addr seen;     /* by the registrar, in its Via */
	struct addr mapped;   /* by STUN */
};

/* How often something is to be sent, at least, in seconds; or: */
enum { LIFELINE_AUTO = 0 };       /* if it is agreed on, or there is a NAT */
#define LIFELINE_NEVER UINT32_MAX /* nothing is sent for this alone */

struct lifeline_need {
	const struct grant *grant;
	struct addr seen; /* where the registrar has seen us, or ADDR_NONE */
	bool natted;
	uint32_t every_s; /* as the user wants it */
};

void lifeline_init(struct lifeline *lifeline, struct loop *loop, struct sip_stack *stack,
	const struct lifeline_events *events, void *arg);

/* Registered by flow, for the first time or again. Without memory it is not kept. */
void lifeline_start(
	struct lifeline *lifeline, const struct sip_flow *flow, const struct lifeline_need *need);

/* Not registered any more; it may be started again. */
void lifeline_stop(struct lifeline *lifeline);

/* What was bad so far is forgiven. */
void lifeline_forget(struct lifeline *lifeline);
