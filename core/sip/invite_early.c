#include "core/sip/invite_private.h"

#include <stdlib.h>

/* A fork that has answered our INVITE provisionally. */
struct early {
	struct list link;
	struct sip_dialog *dialog;
};

static struct early *find(const struct sip_invite *invite, struct slice remote_tag)
{
	list_each(link, &invite->earlies)
	{
		struct early *early = container_of(link, struct early, link);

		if (slice_equal(sip_dialog_remote_tag(early->dialog), remote_tag))
			return early;
	}
	return NULL;
}

struct sip_dialog *sip_early_find(const struct sip_invite *invite, struct slice remote_tag)
{
	const struct early *early = find(invite, remote_tag);

	return early ? early->dialog : NULL;
}

static void drop(struct sip_invite *invite, struct early *early)
{
	list_remove(&early->link);
	invite->early_count--;
	sip_dialog_free(early->dialog);
	free(early);
}

void sip_early_free_all(struct sip_invite *invite)
{
	list_each(link, &invite->earlies) drop(invite, container_of(link, struct early, link));
}

/* Without memory, or if it says nothing good of itself, its next response may do it. */
static void add(
	struct sip_invite *invite, const struct sip_sent *sent, const struct sip_msg *response)
{
	struct early *early;

	if (invite->early_count == SIP_EARLY_MAX)
		return;
	early = calloc(1, sizeof(*early));
	if (!early)
		return;
	if (sip_dialog_from_response(
		    &early->dialog, invite->stack, &invite->flow, sent, response)) {
		free(early);
		return;
	}
	sip_dialog_authorize(early->dialog, invite->auth);
	list_add(&invite->earlies, &early->link);
	invite->early_count++;
}

/* Section 12.1: 101..199 with a tag makes one; 199 ends it again (RFC 6228, section 4). */
void sip_early_learn(
	struct sip_invite *invite, const struct sip_sent *sent, const struct sip_msg *response)
{
	struct early *early = find(invite, response->to.tag);

	if (response->status == 199 && early)
		drop(invite, early);
	else if (response->status > 100 && response->status < 199 && response->to.tag.len > 0 &&
		 !early)
		add(invite, sent, response);
}

/*
 * No fork may send BYE before it has sent a 2xx (section 15), so that was lost on its way: the fork
 * is gone, and the call too if no other one rings.
 */
static void receive_bye(struct sip_invite *invite, struct early *early, struct sip_server *server,
	const struct sip_msg *msg)
{
	if (!early || invite->early_count == 1) {
		sip_invite_receive_bye(invite, server, msg);
		return;
	}
	sip_server_respond(server, &(struct sip_response){.status = 200});
	drop(invite, early);
}

void sip_early_receive(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg)
{
	struct early *early = find(invite, msg->from.tag);
	int err = early ? sip_dialog_receive(early->dialog, msg) : 0;

	if (!early && (invite->early_count > 0 || msg->method != SIP_BYE))
		sip_invite_respond(server, msg->method == SIP_INVITE ? 491 : 481);
	else if (err)
		sip_invite_respond(server, 500);
	else if (msg->method == SIP_BYE)
		receive_bye(invite, early, server, msg);
	else if (msg->method == SIP_INVITE) /* section 14.2: ours is not answered */
		sip_invite_respond(server, 491);
	else if (msg->method == SIP_UPDATE)
		sip_invite_update(invite, early->dialog, server, msg);
	else
		sip_invite_respond(server, msg->method == SIP_OPTIONS ? 200 : 501);
}
