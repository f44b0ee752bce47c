#include "core/media/playout.h"

#include "audio/conceal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	DELAY_MIN_MS = 0,
	DELAY_MAX_MS = 500,
	/* A decoder may make a whole packet while nearly a whole tick is still unplayed. */
	READY_MS = CODEC_PACKET_MAX_MS + 60,
};

struct playout {
	const struct codec *codec;
	struct decoder *decoder;
	struct jitter *jitter;
	struct conceal *conceal;    /* NULL where the codec has its own */
	struct jitter_stats before; /* of those inherited from */
	size_t ready;               /* samples decoded and not yet played */
	size_t room;
	int16_t samples[];
};

int playout_new(struct playout **out, const struct codec *codec)
{
	const struct jitter_config config = {codec->clock_rate, DELAY_MIN_MS, DELAY_MAX_MS};
	size_t room = (size_t)codec->sample_rate / 1000 * READY_MS;
	struct playout *playout;
	int err;

	playout = calloc(1, sizeof(*playout) + room * sizeof(playout->samples[0]));
	if (!playout)
		return -ENOMEM;

	playout->codec = codec;
	playout->room = room;
	err = codec_decoder_new(&playout->decoder, codec);
	if (!err)
		err = jitter_new(&playout->jitter, &config);
	if (!err && !codec_conceals(codec))
		err = conceal_new(&playout->conceal, codec->sample_rate);
	if (err) {
		playout_free(playout);
		return err;
	}
	*out = playout;
	return 0;
}

void playout_free(struct playout *playout)
{
	if (!playout)
		return;

	codec_decoder_free(playout->decoder);
	jitter_free(playout->jitter);
	conceal_free(playout->conceal);
	free(playout);
}

/* The clock of RTP and that of the samples may differ, as with G.722 (RFC 3551, section 4.5.2). */
static size_t samples_of(const struct playout *playout, uint32_t ticks)
{
	const struct codec *codec = playout->codec;

	return (size_t)((uint64_t)ticks * codec->sample_rate / codec->clock_rate);
}

static uint32_t ticks_of(const struct playout *playout, size_t samples)
{
	const struct codec *codec = playout->codec;

	return (uint32_t)((uint64_t)samples * codec->clock_rate / codec->sample_rate);
}

void playout_packet(struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	size_t samples;

	if (codec_duration(&samples, playout->codec, packet->payload) == 0)
		jitter_put(playout->jitter, packet, arrival_ns, ticks_of(playout, samples));
}

static int16_t *free_room(struct playout *playout, size_t *count)
{
	*count = playout->room - playout->ready;
	return playout->samples + playout->ready;
}

static int play(struct playout *playout, const struct jitter_decision *decision, size_t *made)
{
	size_t room;
	int16_t *out = free_room(playout, &room);
	int err;

	err = codec_decode(playout->decoder, out, room, made, decision->packet->payload);
	if (!err && playout->conceal)
		conceal_good(playout->conceal, out, *made);
	return err;
}

static int restore(struct playout *playout, const struct jitter_decision *decision, size_t *made)
{
	size_t room;
	int16_t *out = free_room(playout, &room);
	size_t count = samples_of(playout, decision->duration);
	int err;

	if (count > room)
		return -ENOBUFS;

	err = codec_decode_fec(playout->decoder, out, count, decision->packet->payload);
	*made = err ? 0 : count;
	return err;
}

/* Always makes something, and silence if nothing better can be had. */
static size_t make_up(struct playout *playout, uint32_t ticks)
{
	size_t room;
	int16_t *out = free_room(playout, &room);
	size_t count = samples_of(playout, ticks);

	if (count > room)
		count = room;
	if (playout->conceal)
		conceal_fill(playout->conceal, out, count);
	else if (codec_conceal(playout->decoder, out, count) != 0)
		memset(out, 0, count * sizeof(*out));
	return count;
}

static void obey(struct playout *playout, const struct jitter_decision *decision)
{
	struct jitter_done done = {.action = decision->action};
	size_t made = 0;
	int err = -ENODATA;

	if (decision->action == JITTER_PLAY)
		err = play(playout, decision, &made);
	else if (decision->action == JITTER_FEC)
		err = restore(playout, decision, &made);
	if (err) {
		made = make_up(playout, decision->duration);
		if (decision->action != JITTER_NOISE)
			done.action = JITTER_CONCEAL;
	}
	playout->ready += made;
	done.ticks = ticks_of(playout, made);
	jitter_done(playout->jitter, &done);
}

void playout_read(struct playout *playout, int16_t *out, size_t count, uint64_t now_ns)
{
	struct jitter_decision decision;
	size_t taken;

	do {
		jitter_next(&decision, playout->jitter, now_ns, ticks_of(playout, playout->ready),
			ticks_of(playout, count));
		if (decision.action == JITTER_ENOUGH || decision.action == JITTER_NOTHING)
			break;
		obey(playout, &decision);
	} while (playout->ready < playout->room);

	taken = count < playout->ready ? count : playout->ready;
	memcpy(out, playout->samples, taken * sizeof(*out));
	memset(out + taken, 0, (count - taken) * sizeof(*out));
	playout->ready -= taken;
	memmove(playout->samples, playout->samples + taken, playout->ready * sizeof(*out));
}

void playout_reset(struct playout *playout)
{
	jitter_reset(playout->jitter);
	playout->ready = 0;
}

/* What counts of now, with all that was before. */
static void sum_stats(struct jitter_stats *out, const struct playout *playout)
{
	const struct jitter_stats *before = &playout->before;
	struct jitter_stats now;
	double wait_ms;

	jitter_stats(&now, playout->jitter);
	wait_ms = now.buffer_ms * (double)now.played + before->buffer_ms * (double)before->played;
	now.played += before->played;
	now.late += before->late;
	now.played_ticks += before->played_ticks;
	now.fec_ticks += before->fec_ticks;
	now.concealed_ticks += before->concealed_ticks;
	now.buffer_ms = now.played > 0 ? wait_ms / (double)now.played : 0;
	*out = now;
}

void playout_inherit(struct playout *playout, const struct playout *before)
{
	sum_stats(&playout->before, before);
}

void playout_stats(struct playout_stats *out, const struct playout *playout)
{
	struct jitter_stats stats;
	double heard, made_up;

	sum_stats(&stats, playout);
	made_up = (double)stats.concealed_ticks;
	heard = (double)(stats.played_ticks + stats.fec_ticks) + made_up;
	*out = (struct playout_stats){
		.anything = stats.played > 0,
		.late = stats.late,
		.buffer_ms = stats.buffer_ms,
		.concealed_pct = heard > 0 ? 100 * made_up / heard : 0,
	};
}
