#include "core/rtp/quality.h"

#include <assert.h>
#include <math.h>

#define DELAY_FREE_MS 100.0
#define IE_MAX 95.0
#define MOS_MIN 1.0
#define MOS_MAX 4.5

/* ITU-T G.107, section 7.4: Idd, with the default sensitivity to delay (sT 1, mT 100 ms). */
static double delay_impairment(double delay_ms)
{
	double x;

	if (!(delay_ms > DELAY_FREE_MS))
		return 0;

	x = log2(delay_ms / DELAY_FREE_MS);
	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/* ITU-T G.107, section 7.5: Ie-eff; loss counts as random (BurstR 1), as concealment spreads it. */
static double loss_impairment(const struct quality_input *input)
{
	double loss = fmin(fmax(input->loss_percent, 0), 100);

	return input->codec_ie + (IE_MAX - input->codec_ie) * loss / (loss + input->codec_bpl);
}

double quality_r(const struct quality_input *input)
{
	assert(input->codec_bpl > 0);
	assert(input->codec_ie >= 0 && input->codec_ie <= IE_MAX);

	return QUALITY_R_BEST - delay_impairment(input->delay_ms) - loss_impairment(input);
}

/* ITU-T G.107, Annex B. Its polynomial dips below 1 for a small R, which no listener can say. */
double quality_mos(double r)
{
	if (!(r > 0))
		return MOS_MIN;
	if (r >= 100)
		return MOS_MAX;
	return fmax(MOS_MIN, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
