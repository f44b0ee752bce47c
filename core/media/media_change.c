/* What changes in a media while its stream runs, or is being made. */
#include "core/media/media_private.h"

#include "core/base/text.h"
#include "core/nat/reflexive.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* A change on its way to the stream. */
struct change {
	struct media_note note;
	struct stream_change *change; /* NULL: only the volume */
	struct media_volume volume;
};

struct stream_params media_stream_params(const struct media_params *params, const char *fmtp)
{
	return (struct stream_params){
		.codec = params->codec,
		.remote_fmtp = slice_of(fmtp),
		.send_payload_type = params->send_payload_type,
		.ptime_ms = params->ptime_ms,
		.heard = params->heard,
		.sends = params->sends,
		.holds = params->holds,
		.receives = params->receives,
		.aim = {params->remote_rtp, params->remote_rtcp, params->rtcp_mux},
	};
}

void media_agree(struct media *media, const struct media_params *params, char *fmtp)
{
	free(media->agreed_fmtp);
	media->agreed_fmtp = fmtp;
	media->params = media_stream_params(params, fmtp);
}

static struct change *change_of(struct post *post)
{
	return container_of(post, struct change, note.post);
}

/* Media thread. */
static void change_run(struct post *post)
{
	struct change *self = change_of(post);

	stream_change(self->note.media->stream, self->change);
	free(self);
}

/* Media thread. */
static void volume_run(struct post *post)
{
	struct change *self = change_of(post);

	stream_set_volume(self->note.media->stream, &self->volume);
	free(self);
}

static void change_drop(struct media_note *note)
{
	struct change *self = container_of(note, struct change, note);

	stream_change_free(self->change);
	free(self);
}

static struct change *change_new(struct media *media, void (*run)(struct post *post))
{
	struct change *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;

	self->note = (struct media_note){{.run = run}, {0}, media, change_drop};
	return self;
}

/* A stream that is not there yet has them when it is. */
void media_send(struct media_note *note)
{
	struct media *media = note->media;

	list_init(&note->link);
	if (media->state == MEDIA_OPENING)
		list_add(&media->notes, &note->link);
	else if (media->state == MEDIA_RUNNING)
		loop_post(media->media_loop, &note->post);
	else
		note->drop(note);
}

void media_send_notes(struct media *media)
{
	list_each(link, &media->notes)
	{
		struct media_note *note = container_of(link, struct media_note, link);

		list_remove(&note->link);
		media_send(note);
	}
}

void media_drop_notes(struct media *media)
{
	list_each(link, &media->notes)
	{
		struct media_note *note = container_of(link, struct media_note, link);

		list_remove(&note->link);
		note->drop(note);
	}
}

bool media_params_equal(const struct media_params *a, const struct media_params *b)
{
	return a->codec == b->codec && slice_equal(a->remote_fmtp, b->remote_fmtp) &&
	       a->send_payload_type == b->send_payload_type &&
	       media_formats_equal(&a->heard, &b->heard) && a->ptime_ms == b->ptime_ms &&
	       a->sends == b->sends && a->receives == b->receives && a->holds == b->holds &&
	       a->rtcp_mux == b->rtcp_mux && addr_equal(&a->remote_rtp, &b->remote_rtp) &&
	       addr_equal(&a->remote_rtcp, &b->remote_rtcp);
}

/* The encoder that is made reads fmtp, so it has to be the copy that stays. */
static int make_change(struct change **out, struct media *media, const struct media_params *params,
	const char *fmtp)
{
	const struct stream_params to = media_stream_params(params, fmtp);
	struct change *self = change_new(media, change_run);
	int err;

	if (!self)
		return -ENOMEM;

	err = stream_change_new(&self->change, &media->params, &to, media->stream_config.rate);
	if (err) {
		free(self);
		return err;
	}
	*out = self;
	return 0;
}

int media_change(struct media *media, const struct media_params *params)
{
	struct change *self;
	char *fmtp;
	int err;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return 0; /* the sound has ended, or could not begin */

	fmtp = slice_copy(params->remote_fmtp);
	if (!fmtp)
		return -ENOMEM;
	err = make_change(&self, media, params, fmtp);
	if (err) {
		free(fmtp);
		return err;
	}

	media_agree(media, params, fmtp);
	media_send(&self->note);
	return 0;
}

/* An ear on its way to the stream, or none. */
struct listening {
	struct media_note note;
	struct ear *ear;
};

/* Media thread. */
static void listen_run(struct post *post)
{
	struct listening *self = container_of(post, struct listening, note.post);

	ear_free(stream_turn_ear(self->note.media->stream, self->ear));
	free(self);
}

static void listen_drop(struct media_note *note)
{
	struct listening *self = container_of(note, struct listening, note);

	ear_free(self->ear);
	free(self);
}

int media_listen(struct media *media, const double *hz, size_t count)
{
	struct listening *self;
	int err = 0;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING)
		return -ENOTCONN;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->note = (struct media_note){{.run = listen_run}, {0}, media, listen_drop};
	if (count > 0)
		err = ear_new(
			&self->ear, media->stream_config.rate, hz, count, media_tell_tone, media);
	if (err) {
		free(self);
		return err;
	}
	media_send(&self->note);
	return 0;
}

/* Sockets on their way to the stream. */
struct rebinding {
	struct media_note note;
	struct media_transport *transport;
};

/* Media thread. The old ones are better than none. */
static void rebind_run(struct post *post)
{
	struct rebinding *self = container_of(post, struct rebinding, note.post);
	int err = stream_turn_transport(self->note.media->stream, self->transport, MEDIA_FORMER_NS);

	if (err)
		media_transport_free(self->transport);
	free(self);
}

static void rebind_drop(struct media_note *note)
{
	struct rebinding *self = container_of(note, struct rebinding, note);

	media_transport_free(self->transport);
	free(self);
}

/* Where nothing runs yet they are simply others; what is opening gets them as soon as it runs. */
static int turn_transport(struct media *media, struct media_transport *transport)
{
	struct rebinding *self;

	if (media->state == MEDIA_BOUND) {
		media_transport_free(media->transport);
		media->transport = transport;
		return 0;
	}
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->note = (struct media_note){{.run = rebind_run}, {0}, media, rebind_drop};
	self->transport = transport;
	media_send(&self->note);
	return 0;
}

int media_rebind(
	struct addr *local, struct media *media, const struct addr *host, struct fault *why)
{
	struct media_transport *transport;
	int err = media_bind(&transport, media, host, why);

	if (err)
		return err;

	media_stop_learning(media);
	media_transport_free(media->next);
	media->next = transport;
	media_transport_local(local, transport);
	return 0;
}

int media_turn(struct media *media)
{
	struct media_transport *transport = media->next;
	int err;

	assert(transport);
	media->next = NULL;
	err = turn_transport(media, transport);
	if (err)
		media_transport_free(transport);
	return err;
}

static void learned(void *arg, const struct addr *mapped)
{
	struct media *media = arg;

	media->reflexive = NULL;
	media->learned(media->learned_arg, &mapped[0], &mapped[1]);
}

int media_learn(struct media *media, const char *server, media_learned *done, void *arg)
{
	struct media_transport *transport = media->next ? media->next : media->transport;
	struct udp *sockets[MEDIA_SOCKETS];

	if (media->reflexive || !transport || (!media->next && media->state != MEDIA_BOUND))
		return -EBUSY;

	media->learned = done;
	media->learned_arg = arg;
	media_transport_sockets(sockets, transport);
	return reflexive_ask(&media->reflexive, media->agent_loop, server, sockets, MEDIA_SOCKETS,
		learned, media);
}

void media_stop_learning(struct media *media)
{
	reflexive_cancel(media->reflexive);
	media->reflexive = NULL;
}

int media_set_volume(struct media *media, const struct media_volume *volume)
{
	struct change *self;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING) {
		media->volume = *volume; /* it has that to begin with, or has ended */
		return 0;
	}

	self = change_new(media, volume_run);
	if (!self)
		return -ENOMEM;

	media->volume = *volume;
	self->volume = *volume;
	media_send(&self->note);
	return 0;
}
