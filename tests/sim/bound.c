#include "tests/sim/bound.h"

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t bound_of_play(const struct play *play)
{
	uint64_t after = 0, lasts = 0, rings = 0;
	uint64_t end = play->step_count > 0 ? play->steps[play->step_count - 1].at_ns : 0;

	for (unsigned i = 0; i < play->phone_count; i++) {
		const struct play_phone *phone = &play->phones[i];

		after = most(after, phone->after_ns);
		lasts = most(lasts, phone->lasts_ns > 0 ? phone->lasts_ns : end);
		rings = most(rings, phone->gives_up_ns > 0 ? phone->gives_up_ns : end);
	}
	return after + lasts + rings + BOUND_ENDS_NS;
}

static bool is_perfect_net(const struct impair_config *net)
{
	return net->loss == 0 && net->burst_begins == 0 && net->burst_loss == 0 &&
	       net->duplicates == 0 && net->corrupts == 0 && net->rate_bps == 0 &&
	       (net->jitter_ns == 0 || !net->reorders);
}

bool bound_is_perfect(const struct play *play)
{
	bool perfect = is_perfect_net(&play->net);

	for (unsigned i = 0; i < play->step_count; i++) {
		const struct play_step *step = &play->steps[i];

		if (step->verb == PLAY_NET)
			perfect &= is_perfect_net(&step->net);
		else if (step->verb != PLAY_CALLS && step->verb != PLAY_HANGS_UP)
			perfect = false;
	}
	return perfect;
}

/* The tails of bell curves and exponentials have no end; this is far out. */
static uint64_t slowest(const struct impair_config *net)
{
	return net->delay_ns + (net->spread == IMPAIR_UNIFORM ? 1 : 40) * net->jitter_ns;
}

uint64_t bound_of_way(const struct play *play)
{
	uint64_t way = slowest(&play->net);

	for (unsigned i = 0; i < play->step_count; i++)
		if (play->steps[i].verb == PLAY_NET)
			way = most(way, slowest(&play->steps[i].net));
	return play->world.way_ns + way;
}
