/*
 * SIP stacks and plain far ends in the simulated world, for tests of TCP: host 0 is the stack a at
 * 192.0.2.1, host 1 the stack b at 192.0.2.2, and host 2, 192.0.2.3, has a far end of plain bytes.
 */
#pragma once

#include "core/sip/request.h"
#include "core/sip/stack.h"
#include "tests/unit/sim_play.h"

struct sim_end {
	struct sip_stack *stack;
	uint16_t status; /* what it answers; 0: nothing yet, the request is in server */
	struct sip_server *server;
	size_t received[2]; /* messages, by UDP and by TCP */
	size_t sent[2];
	size_t first_len; /* of the message that it sent first since sim_options() */
	char log[128];    /* what came of its request */
};

/* A far end of plain bytes. */
struct sim_raw {
	struct tcp_listener *listener;
	struct tcp *tcp; /* the last connection */
	char got[4096];  /* by all */
	size_t accepted;
	size_t closed;
	bool hang_up; /* on the next bytes */
};

struct sim {
	struct play *play;
	struct sim_end a, b;
	struct sim_raw raw;
};

/* a listens by both; b by UDP, and by TCP if told so. */
void sim_open(struct sim *sim, bool tcp);
void sim_close(struct sim *sim);
void sim_run_ms(struct sim *sim, uint64_t ms);

/* a sends OPTIONS with a body of that size. */
void sim_options(struct sim *sim, const char *uri, size_t body);

/* The same; the allocation after allowed more fails, and it may be that nothing is sent. */
void sim_try_options(struct sim *sim, const char *uri, size_t body, size_t allowed);

/* It gets a new stack, on loop, listening there by both. */
void sim_move(struct sim_end *end, struct loop *loop, const char *at);

void sim_listen(struct sim *sim, const char *at);
void sim_connect(struct sim *sim, const char *to);
