/* Somebody of plain bytes in the world of ua_pair: what came to him last, and what he answers. */
#pragma once

#include "core/net/loop_sim.h"

#include <stdint.h>

enum { PEER_TEXT_SIZE = 4096 };

struct peer {
	struct loop *loop;
	struct udp *udp;
	char last[PEER_TEXT_SIZE];
	unsigned count;
};

void peer_open(struct peer *peer, struct world_host *host, const struct addr *at, uint16_t port);
void peer_close(struct peer *peer);

/* A header of what he got last, the whole line, or "". Good for some calls more. */
const char *peer_line(const struct peer *peer, const char *name);

/* by answers the near end's request that to has got last, from where he is himself. */
void peer_answer(const struct peer *by, const struct peer *to, const char *status,
	const char *headers, const char *body);
