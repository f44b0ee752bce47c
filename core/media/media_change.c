/* What changes in a media while its stream runs, or is being made. */
#include "core/media/media_private.h"

#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

/* A change on its way to the stream. */
struct change_post {
	struct post post;
	struct list link; /* while opening */
	struct media *media;
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

/* Media thread. */
static void change_run(struct post *post)
{
	struct change_post *self = container_of(post, struct change_post, post);

	stream_change(self->media->stream, self->change);
	free(self);
}

/* Media thread. */
static void volume_run(struct post *post)
{
	struct change_post *self = container_of(post, struct change_post, post);

	stream_set_volume(self->media->stream, &self->volume);
	free(self);
}

void media_post_changes(struct media *media)
{
	list_each(link, &media->changes)
	{
		struct change_post *self = container_of(link, struct change_post, link);

		list_remove(&self->link);
		loop_post(media->media_loop, &self->post);
	}
}

void media_drop_changes(struct media *media)
{
	list_each(link, &media->changes)
	{
		struct change_post *self = container_of(link, struct change_post, link);

		list_remove(&self->link);
		stream_change_free(self->change);
		free(self);
	}
}

bool media_params_equal(const struct media_params *a, const struct media_params *b)
{
	return a->codec == b->codec && slice_equal(a->remote_fmtp, b->remote_fmtp) &&
	       a->send_payload_type == b->send_payload_type &&
	       media_formats_equal(&a->heard, &b->heard) && a->ptime_ms == b->ptime_ms &&
	       a->sends == b->sends && a->receives == b->receives && a->rtcp_mux == b->rtcp_mux &&
	       addr_equal(&a->remote_rtp, &b->remote_rtp) &&
	       addr_equal(&a->remote_rtcp, &b->remote_rtcp);
}

/* A stream that is not there yet has them when it is. */
static void post_change(struct change_post *self)
{
	struct media *media = self->media;

	list_init(&self->link);
	if (media->state == MEDIA_OPENING)
		list_add(&media->changes, &self->link);
	else
		loop_post(media->media_loop, &self->post);
}

/* The encoder that is made reads fmtp, so it has to be the copy that stays. */
static int make_change(struct change_post **out, struct media *media,
	const struct media_params *params, const char *fmtp)
{
	const struct stream_params to = media_stream_params(params, fmtp);
	struct change_post *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	self->post.run = change_run;
	self->media = media;
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
	struct change_post *self;
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
	post_change(self);
	return 0;
}

int media_set_volume(struct media *media, const struct media_volume *volume)
{
	struct change_post *self;

	if (media->state != MEDIA_OPENING && media->state != MEDIA_RUNNING) {
		media->volume = *volume; /* it has that to begin with, or has ended */
		return 0;
	}

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	media->volume = *volume;
	self->post.run = volume_run;
	self->media = media;
	self->volume = *volume;
	post_change(self);
	return 0;
}
