#include "core/media/playout.h"

#include "audio/conceal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define OVERTAKEN_NS UINT64_C(1000000000)

enum {
	DELAY_MIN_MS = 0,
	DELAY_MAX_MS = 500,
	/* A decoder may make a whole packet while nearly a whole tick is still unplayed. */
	READY_MS = CODEC_PACKET_MAX_MS + 60,
};

struct voice {
	const struct codec *codec;
	struct decoder *decoder;
	struct conceal *conceal; /* NULL where the codec has its own */
};

/* Which packets are whose. */
struct share {
	struct voice *voice; /* NULL: nobody's */
	uint8_t payload_type;
};

struct playout {
	struct share now;
	struct share before;      /* until the last turn; its voice may be the same */
	uint64_t before_until_ns; /* when packets of before become strangers; UINT64_MAX: not yet */
	struct voice *last;       /* that was heard */
	struct jitter *jitter;
	size_t ready; /* samples decoded and not yet played */
	size_t room;
	int16_t samples[];
};

int voice_new(struct voice **out, const struct codec *codec)
{
	struct voice *voice = calloc(1, sizeof(*voice));
	int err;

	if (!voice)
		return -ENOMEM;

	voice->codec = codec;
	err = codec_decoder_new(&voice->decoder, codec);
	if (!err && !codec_conceals(codec))
		err = conceal_new(&voice->conceal, codec->sample_rate);
	if (err) {
		voice_free(voice);
		return err;
	}
	*out = voice;
	return 0;
}

void voice_free(struct voice *voice)
{
	if (!voice)
		return;

	codec_decoder_free(voice->decoder);
	conceal_free(voice->conceal);
	free(voice);
}

int playout_new(struct playout **out, const struct codec *codec, uint8_t payload_type)
{
	const struct jitter_config config = {codec->clock_rate, DELAY_MIN_MS, DELAY_MAX_MS};
	size_t room = (size_t)codec->sample_rate / 1000 * READY_MS;
	struct playout *playout;
	int err;

	playout = calloc(1, sizeof(*playout) + room * sizeof(playout->samples[0]));
	if (!playout)
		return -ENOMEM;

	playout->room = room;
	playout->now.payload_type = payload_type;
	err = voice_new(&playout->now.voice, codec);
	if (!err)
		err = jitter_new(&playout->jitter, &config);
	if (err) {
		playout_free(playout);
		return err;
	}
	playout->last = playout->now.voice;
	*out = playout;
	return 0;
}

void playout_free(struct playout *playout)
{
	if (!playout)
		return;

	if (playout->before.voice != playout->now.voice)
		voice_free(playout->before.voice);
	voice_free(playout->now.voice);
	jitter_free(playout->jitter);
	free(playout);
}

void playout_turn(struct playout *playout, uint8_t payload_type, struct voice **voice)
{
	struct share now = {*voice ? *voice : playout->now.voice, payload_type};
	struct voice *left = playout->before.voice;

	if (!*voice && payload_type == playout->now.payload_type)
		return;

	assert(now.voice->codec->sample_rate == playout->now.voice->codec->sample_rate);
	assert(now.voice->codec->clock_rate == playout->now.voice->codec->clock_rate);
	*voice = left != playout->now.voice ? left : NULL;
	if (playout->last == *voice)
		playout->last = playout->now.voice;
	playout->before = playout->now;
	playout->before_until_ns = UINT64_MAX;
	playout->now = now;
}

/* The clock of RTP and that of the samples may differ, as with G.722 (RFC 3551, section 4.5.2). */
static size_t samples_of(const struct playout *playout, uint32_t ticks)
{
	const struct codec *codec = playout->now.voice->codec;

	return (size_t)((uint64_t)ticks * codec->sample_rate / codec->clock_rate);
}

static uint32_t ticks_of(const struct playout *playout, size_t samples)
{
	const struct codec *codec = playout->now.voice->codec;

	return (uint32_t)((uint64_t)samples * codec->clock_rate / codec->sample_rate);
}

/*
 * RFC 3264, section 8.3.2: the far end may send what was agreed on before until it has the new
 * agreement, so the old types are understood until the first packet of the new; and for a moment
 * more, because some may have been overtaken.
 */
static const struct voice *voice_of(
	struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	if (packet->payload_type == playout->now.payload_type) {
		if (playout->before_until_ns == UINT64_MAX)
			playout->before_until_ns = arrival_ns + OVERTAKEN_NS;
		return playout->now.voice;
	}
	if (packet->payload_type == playout->before.payload_type &&
		arrival_ns < playout->before_until_ns)
		return playout->before.voice;
	return NULL;
}

void playout_packet(struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	const struct voice *voice = voice_of(playout, packet, arrival_ns);
	size_t samples;

	if (voice && codec_duration(&samples, voice->codec, packet->payload) == 0)
		jitter_put(playout->jitter, packet, arrival_ns, ticks_of(playout, samples));
}

/* Of a packet that waits; NULL after two turns while it did. */
static struct voice *voice_at(const struct playout *playout, const struct jitter_packet *packet)
{
	if (packet->payload_type == playout->now.payload_type)
		return playout->now.voice;
	if (packet->payload_type == playout->before.payload_type)
		return playout->before.voice;
	return NULL;
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
	struct voice *voice = voice_at(playout, decision->packet);
	int err;

	if (!voice)
		return -ENODATA;

	err = codec_decode(voice->decoder, out, room, made, decision->packet->payload);
	if (!err && voice->conceal)
		conceal_good(voice->conceal, out, *made);
	playout->last = voice;
	return err;
}

static int restore(struct playout *playout, const struct jitter_decision *decision, size_t *made)
{
	size_t room;
	int16_t *out = free_room(playout, &room);
	size_t count = samples_of(playout, decision->duration);
	struct voice *voice = voice_at(playout, decision->packet);
	int err;

	if (!voice)
		return -ENODATA;
	if (count > room)
		return -ENOBUFS;

	err = codec_decode_fec(voice->decoder, out, count, decision->packet->payload);
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
	if (playout->last->conceal)
		conceal_fill(playout->last->conceal, out, count);
	else if (codec_conceal(playout->last->decoder, out, count) != 0)
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

void playout_stats(struct playout_stats *out, const struct playout *playout)
{
	struct jitter_stats stats;
	double heard, made_up;

	jitter_stats(&stats, playout->jitter);
	made_up = (double)stats.concealed_ticks;
	heard = (double)(stats.played_ticks + stats.fec_ticks) + made_up;
	*out = (struct playout_stats){
		.anything = stats.played > 0,
		.late = stats.late,
		.buffer_ms = stats.buffer_ms,
		.concealed_pct = heard > 0 ? 100 * made_up / heard : 0,
	};
}
