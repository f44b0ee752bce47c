/*
 * How well lost speech is made up: the shipped speech through G.711, 5 and 10 % of its frames of
 * 20 ms lost by chance, and the distance of what is heard to what was said (tests/unit/lossy.h says
 * how that is measured), mean over seeds. One JSON line. The smaller the better; against silence,
 * the last frame again, and spandsp's plc_fillin().
 *
 *   conceal           from the folder of the sources
 *   conceal FOLDER    and leaves WAV files there, of the first seed
 */
#include "audio/conceal.h"
#include "tests/unit/lossy.h"

#include <stdio.h>
#include <stdlib.h>

#include <sndfile.h>
#include <spandsp.h>

enum {
	SEEDS = 8,
	WAYS = 4,
};

static void plc_good(void *arg, int16_t *frame)
{
	plc_rx(arg, frame, LOSSY_FRAME);
}

static void plc_fill(void *arg, int16_t *frame)
{
	plc_fillin(arg, frame, LOSSY_FRAME);
}

static const struct lossy_way lossy_spandsp = {"spandsp", plc_good, plc_fill};
static const struct lossy_way *const ways[WAYS] = {
	&lossy_zero, &lossy_repeat, &lossy_spandsp, &lossy_conceal};

static bool save(const char *folder, const char *what, unsigned percent, const char *way,
	const struct lossy *lossy)
{
	SF_INFO info = {.samplerate = LOSSY_RATE,
		.channels = 1,
		.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	sf_count_t count = (sf_count_t)(lossy->frames * LOSSY_FRAME);
	char path[512];
	SNDFILE *file;
	bool saved;

	snprintf(path, sizeof(path), "%s/%s-%u-%s.wav", folder, what, percent, way);
	file = sf_open(path, SFM_WRITE, &info);
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return false;
	}
	saved = sf_write_short(file, lossy->made, count) == count;
	sf_close(file);
	return saved;
}

/* Each way begins anew. */
static void run(struct lossy *lossy, const struct lossy_way *way)
{
	struct lossy_last last = {{0}};
	struct conceal *conceal = NULL;
	plc_state_t *plc = NULL;

	if (way == &lossy_conceal) {
		if (conceal_new(&conceal, LOSSY_RATE) != 0)
			exit(1);
		lossy_run(lossy, way, conceal);
		conceal_free(conceal);
	} else if (way == &lossy_spandsp) {
		plc = plc_init(NULL);
		if (!plc)
			exit(1);
		lossy_run(lossy, way, plc);
		plc_free(plc);
	} else {
		lossy_run(lossy, way, &last);
	}
}

static void measure(double mean[WAYS], struct lossy *lossy, unsigned percent, const char *folder,
	const char *what)
{
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		lossy_draw(lossy, percent, seed);
		for (size_t i = 0; i < WAYS; i++) {
			run(lossy, ways[i]);
			mean[i] += lossy_distance(lossy) / SEEDS;
			if (folder && seed == 1 &&
				!save(folder, what, percent, ways[i]->name, lossy))
				exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static const char *const speech[] = {"speech", "speech-other"};
	static const unsigned percents[] = {5, 10};
	static struct lossy lossy;
	const char *between = "";

	printf("{\"bench\":\"conceal\",\"unit\":\"dB\"");
	for (size_t i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "tests/data/%s.wav", speech[i]);
		if (!lossy_load(&lossy, path)) {
			fprintf(stderr, "conceal: no speech in %s\n", path);
			return 1;
		}
		for (size_t j = 0; j < 2; j++) {
			double mean[WAYS] = {0};

			measure(mean, &lossy, percents[j], argc > 1 ? argv[1] : NULL, speech[i]);
			printf(",\"%s_%u\":{", speech[i], percents[j]);
			between = "";
			for (size_t k = 0; k < WAYS; k++, between = ",")
				printf("%s\"%s\":%.3f", between, ways[k]->name, mean[k]);
			printf("}");
		}
	}
	printf("}\n");
	return 0;
}
