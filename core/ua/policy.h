/*
 * What to do with calls that nobody at the keyboard decides about: all of it is here, and nothing
 * else is. Pure functions: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ua_policy {
	bool answer; /* incoming calls are answered by themselves */
	uint64_t answer_after_ns;
	bool ring; /* incoming calls ring until somebody answers; with neither, they find us busy */
	bool hold_others;      /* calls that go on are put on hold when we make or answer another */
	bool reject_anonymous; /* who does not say who calls finds us closed: 433 */
	uint16_t refuse_code;  /* not 0: incoming calls get this, 300..699, instead */
	unsigned max_calls;    /* at once; more are refused 486; 0: no limit */
	uint64_t duration_ns;  /* hang up this long after the answer; 0: never */
	bool hangup_at_eof;    /* once all of a source that ends has been sent */
	uint64_t ring_limit_ns; /* give up an outgoing call that is not answered; 0: never */
	uint64_t silence_ns; /* hang up after so long without RTP, if there is to be some; 0: never
			      */
};

struct policy_decision {
	uint16_t refuse_code;     /* 0: take the call */
	uint64_t answer_after_ns; /* UINT64_MAX: never by itself */
};

/* What is there when a call comes. */
struct policy_state {
	unsigned live;  /* how many calls there are without this one */
	bool closing;   /* the phone is being put down */
	bool anonymous; /* who calls does not want to be known */
};

struct policy_decision policy_incoming(
	const struct ua_policy *policy, const struct policy_state *state);

/* A source has ended and all of it was sent: how long to wait before the call is hung up, or
 * UINT64_MAX: it goes on, with silence. */
uint64_t policy_source_ended(const struct ua_policy *policy);
