#include "audio/background.h"

enum {
	/* Mean squares: 60 and 42 dB below the loudest square there is. */
	SILENT = 1073,
	QUIET_MAX = 67747,
	MARGIN = 4,       /* 6 dB over the least */
	FORGOTTEN_IN = 4, /* seconds, until a background that is e times as loud is believed */
};

static uint64_t mean_square(const int16_t *samples, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (uint64_t)(samples[i] * samples[i]);
	return count > 0 ? sum / count : 0;
}

bool background_hear(
	struct background *background, const int16_t *samples, size_t count, uint32_t rate)
{
	uint64_t power = mean_square(samples, count);
	uint64_t loudest;

	if (!background->heard || power < background->power)
		background->power = power;
	else
		background->power += background->power * count / rate / FORGOTTEN_IN + 1;
	background->heard = true;

	loudest = background->power * MARGIN < QUIET_MAX ? background->power * MARGIN : QUIET_MAX;
	return power <= (loudest > SILENT ? loudest : SILENT);
}
