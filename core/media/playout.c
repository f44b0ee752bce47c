#include "core/media/playout.h"

#include "core/rtp/splice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	DELAY_MIN_MS = 0,
	DELAY_MAX_MS = 500,
	/* A decoder may make a whole packet while nearly a whole tick is still unplayed, and the
	 * end of another codec's sound goes before it. */
	READY_MS = CODEC_PACKET_MAX_MS + 80,
};

struct playout {
	struct voices voices;
	struct voice *last; /* that was heard */
	struct splice splice;
	struct jitter *jitter;
	uint32_t clock_rate; /* of the buffer's ticks */
	uint32_t rate;       /* of the samples */
	size_t ready;        /* samples that can be played, and are not yet */
	size_t room;
	int16_t samples[];
};

int playout_new(struct playout **out, const struct media_formats *formats, uint32_t rate)
{
	uint32_t clock_rate = formats->list[0].codec->clock_rate;
	const struct jitter_config config = {clock_rate, DELAY_MIN_MS, DELAY_MAX_MS};
	size_t room = (size_t)rate * READY_MS / 1000;
	struct playout *playout;
	int err;

	playout = calloc(1, sizeof(*playout) + room * sizeof(playout->samples[0]));
	if (!playout)
		return -ENOMEM;

	playout->room = room;
	playout->rate = rate;
	playout->clock_rate = clock_rate;
	splice_init(&playout->splice, clock_rate);
	err = voice_set_make(&playout->voices.now, formats, NULL, rate);
	if (!err)
		err = jitter_new(&playout->jitter, &config);
	if (err) {
		playout_free(playout);
		return err;
	}
	playout->last = playout->voices.now.voices[0];
	*out = playout;
	return 0;
}

void playout_free(struct playout *playout)
{
	if (!playout)
		return;

	voices_free(&playout->voices);
	jitter_free(playout->jitter);
	free(playout);
}

/* The clock of RTP and that of the samples may differ, as with G.722 (RFC 3551, section 4.5.2). */
static size_t samples_of(const struct playout *playout, const struct voice *voice, uint32_t ticks)
{
	return (size_t)((uint64_t)ticks * voice->codec->sample_rate / playout->clock_rate);
}

static uint32_t ticks_of(const struct playout *playout, size_t samples, uint32_t rate)
{
	return (uint32_t)((uint64_t)samples * playout->clock_rate / rate);
}

const struct media_format *playout_packet(
	struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	const struct voice *voice = voices_of(&playout->voices, packet->payload_type, arrival_ns);
	struct rtp_packet placed = *packet;
	const struct codec *codec;
	uint32_t duration;
	size_t samples;

	if (!voice || codec_duration(&samples, voice->codec, packet->payload) != 0)
		return NULL;

	codec = voice->codec;
	duration = (uint32_t)((uint64_t)samples * codec->clock_rate / codec->sample_rate);
	splice_packet(&playout->splice, &placed, &duration, codec->clock_rate, arrival_ns);
	jitter_put(playout->jitter, &placed, arrival_ns, duration);
	return voices_format(&playout->voices, packet->payload_type);
}

/* How much of its sound is on its way through the filter, in samples of ours. */
static size_t inside(const struct voice *voice)
{
	return voice->resampler ? resampler_room(voice->resampler, 0) : 0;
}

/* Where voice makes its samples, at its rate; count is room for. */
static int16_t *room_of(struct playout *playout, struct voice *voice, size_t *count)
{
	*count = codec_frame(voice->codec, CODEC_PACKET_MAX_MS);
	if (voice->resampler)
		return voice->samples;
	if (*count > playout->room - playout->ready)
		*count = playout->room - playout->ready;
	return playout->samples + playout->ready;
}

/* What it made there can be played. There is room, as playout_read() asks for no more than that. */
static void take(struct playout *playout, struct voice *voice, const int16_t *samples, size_t count)
{
	if (!voice->resampler) {
		playout->ready += count;
		return;
	}
	if (resampler_room(voice->resampler, count) <= playout->room - playout->ready)
		playout->ready += resampler_process(
			voice->resampler, playout->samples + playout->ready, samples, count);
}

/* The end of what another said goes before it. */
static void speak(struct playout *playout, struct voice *voice)
{
	struct resampler *resampler = playout->last->resampler;

	if (voice == playout->last)
		return;

	if (resampler) {
		if (inside(playout->last) <= playout->room - playout->ready)
			playout->ready +=
				resampler_flush(resampler, playout->samples + playout->ready);
		resampler_restart(resampler, RESAMPLER_IN_STEP);
	}
	playout->last = voice;
}

/* Longer or shorter by so many samples, as the buffer wishes and as it goes unheard. */
static ptrdiff_t bend(const struct playout *playout, struct voice *voice, int16_t *samples,
	size_t count, size_t room, int32_t wish, struct jitter_done *done)
{
	ptrdiff_t rate = voice->codec->sample_rate;
	ptrdiff_t clock_rate = playout->clock_rate;
	struct stretched stretched;

	stretched = stretch_block(&voice->stretch, samples, count, room, wish * rate / clock_rate);
	done->stretched = (int32_t)(stretched.by * clock_rate / rate);
	done->quiet = stretched.quiet;
	return stretched.by;
}

/* made: as it was decoded; what it was stretched by is in done. */
static int play(struct playout *playout, const struct jitter_decision *decision, size_t *made,
	struct jitter_done *done)
{
	struct voice *voice = voices_at(&playout->voices, decision->packet->payload_type);
	ptrdiff_t by;
	size_t room;
	int16_t *out;
	int err;

	if (!voice)
		return -ENODATA;

	speak(playout, voice);
	out = room_of(playout, voice, &room);
	err = codec_decode(voice->decoder, out, room, made, decision->packet->payload);
	if (err)
		return err;
	if (voice->conceal)
		conceal_good(voice->conceal, out, *made);
	by = bend(playout, voice, out, *made, room, decision->stretch, done);
	take(playout, voice, out, (size_t)((ptrdiff_t)*made + by));
	return 0;
}

/* What another voice said before is not in it. */
static int restore(struct playout *playout, const struct jitter_decision *decision, size_t *made)
{
	struct voice *voice = voices_at(&playout->voices, decision->packet->payload_type);
	size_t count, room;
	int16_t *out;
	int err;

	if (!voice || voice != playout->last)
		return -ENODATA;
	out = room_of(playout, voice, &room);
	count = samples_of(playout, voice, decision->duration);
	if (count > room)
		return -ENOBUFS;

	err = codec_decode_fec(voice->decoder, out, count, decision->packet->payload);
	if (err)
		return err;
	take(playout, voice, out, count);
	*made = count;
	return 0;
}

/* Always makes something, though a tick may be less than a sample; silence at the worst. */
static size_t make_up(struct playout *playout, uint32_t ticks)
{
	struct voice *voice = playout->last;
	size_t count = samples_of(playout, voice, ticks);
	size_t room;
	int16_t *out = room_of(playout, voice, &room);

	if (count == 0)
		count = 1;
	if (count > room)
		count = room;
	if (voice->conceal)
		conceal_fill(voice->conceal, out, count);
	else if (codec_conceal(voice->decoder, out, count) != 0)
		memset(out, 0, count * sizeof(*out));
	take(playout, voice, out, count);
	return count;
}

/* A packet that lasts as long as it said does so to the tick, by whatever clock. */
static uint32_t ticks_made(
	const struct playout *playout, const struct jitter_decision *decision, size_t made)
{
	if (made == samples_of(playout, playout->last, decision->duration))
		return decision->duration;
	return ticks_of(playout, made, playout->last->codec->sample_rate);
}

static void obey(struct playout *playout, const struct jitter_decision *decision)
{
	struct jitter_done done = {.action = decision->action};
	size_t made = 0;
	int err = -ENODATA;

	if (decision->action == JITTER_PLAY)
		err = play(playout, decision, &made, &done);
	else if (decision->action == JITTER_FEC)
		err = restore(playout, decision, &made);
	if (err) {
		made = make_up(playout, decision->duration);
		if (decision->action != JITTER_NOISE)
			done.action = JITTER_CONCEAL;
	}
	done.ticks = ticks_made(playout, decision, made) + (uint32_t)done.stretched;
	jitter_done(playout->jitter, &done);
}

/* Silence is a sound like others: what came before it goes through the filter to its end. */
static void fall_silent(struct playout *playout, size_t count)
{
	struct voice *voice = playout->last;
	size_t rate = voice->codec->sample_rate;

	while (playout->ready < count) {
		size_t missing =
			((count - playout->ready) * rate + playout->rate - 1) / playout->rate;
		size_t room;
		int16_t *out = room_of(playout, voice, &room);

		if (missing > room)
			missing = room;
		memset(out, 0, missing * sizeof(*out));
		take(playout, voice, out, missing);
	}
}

void playout_read(struct playout *playout, int16_t *out, size_t count, uint64_t now_ns)
{
	struct jitter_decision decision;

	assert(count <= (size_t)playout->rate * CODEC_PACKET_MAX_MS / 1000);

	do { /* what is in the filter is played before what is decided on, too */
		jitter_hold(
			playout->jitter, ticks_of(playout, inside(playout->last), playout->rate));
		jitter_next(&decision, playout->jitter, now_ns,
			ticks_of(playout, playout->ready, playout->rate),
			ticks_of(playout, count, playout->rate));
		if (decision.action == JITTER_ENOUGH || decision.action == JITTER_NOTHING)
			break;
		obey(playout, &decision);
	} while (playout->ready < count);
	fall_silent(playout, count);

	memcpy(out, playout->samples, count * sizeof(*out));
	playout->ready -= count;
	memmove(playout->samples, playout->samples + count, playout->ready * sizeof(*out));
}

void playout_reset(struct playout *playout)
{
	jitter_reset(playout->jitter);
	splice_init(&playout->splice, playout->clock_rate);
	if (playout->last->resampler)
		resampler_restart(playout->last->resampler, RESAMPLER_IN_STEP);
	playout->ready = 0;
}

void playout_turn(struct playout *playout, struct voice_set *set)
{
	if (voices_turn(&playout->voices, set) && voice_set_has(set, playout->last))
		speak(playout, playout->voices.now.voices[0]);
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
