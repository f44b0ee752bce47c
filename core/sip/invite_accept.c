#include "core/sip/invite_private.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"

#include <stdlib.h>

/* A 200 of ours to an INVITE of theirs, until its ACK comes (section 13.3.1.4). */
struct accept {
	struct list link;
	struct sip_invite *invite;
	struct sip_server *server; /* NULL: its time is over */
	uint32_t cseq;
	bool offers; /* the ACK will bring the answer */
	struct timer again;
	uint64_t again_ns;
	struct timer limit;
};

static void drop(struct accept *accept)
{
	timer_stop(&accept->again);
	timer_stop(&accept->limit);
	list_remove(&accept->link);
	if (accept->server)
		sip_server_watch(accept->server, NULL, NULL);
	free(accept);
}

void sip_accept_free_all(struct sip_invite *invite)
{
	list_each(link, &invite->accepts) drop(container_of(link, struct accept, link));
}

/* The 2xx is repeated by us, as it crosses proxies hop by hop without help. */
static void repeat(void *arg)
{
	struct accept *accept = arg;

	if (!accept->server)
		return;
	accept->again_ns = accept->again_ns * 2 < SIP_T2_NS ? accept->again_ns * 2 : SIP_T2_NS;
	timer_start_in(&accept->again, accept->again_ns);
	sip_server_repeat(accept->server);
}

/* No ACK: the call ends, by the BYE that waited for it if we have hung up meanwhile. */
static void limit_reached(void *arg)
{
	struct sip_invite *invite = ((struct accept *)arg)->invite;

	if (invite->state == SIP_INVITE_ENDING)
		sip_invite_bye(invite);
	else
		sip_invite_abandon(invite, &(struct sip_invite_end){.cause = SIP_ENDED_TIMEOUT});
}

static void gone(void *arg)
{
	struct accept *accept = arg;

	accept->server = NULL;
}

int sip_accept_send(struct sip_invite *invite, struct sip_server *server,
	const struct sip_response *response, uint32_t cseq, bool offers)
{
	static const struct sip_server_events events = {.gone = gone};
	struct accept *accept = calloc(1, sizeof(*accept));
	int err;

	if (!accept)
		return -ENOMEM;
	err = sip_server_try(server, response);
	if (err) {
		free(accept);
		return err;
	}

	accept->invite = invite;
	accept->server = server;
	accept->cseq = cseq;
	accept->offers = offers;
	timer_init(&accept->again, invite->stack->loop, repeat, accept);
	timer_init(&accept->limit, invite->stack->loop, limit_reached, accept);
	list_add(&invite->accepts, &accept->link);
	sip_server_watch(server, &events, accept);
	accept->again_ns = SIP_T1_NS;
	timer_start_in(&accept->again, accept->again_ns);
	timer_start_in(&accept->limit, SIP_64T1_NS);
	return 0;
}

bool sip_accept_ack(struct sip_invite *invite, uint32_t cseq)
{
	list_each(link, &invite->accepts)
	{
		struct accept *accept = container_of(link, struct accept, link);

		if (accept->cseq == cseq) {
			drop(accept);
			return true;
		}
	}
	return false;
}

bool sip_accept_offers(const struct sip_invite *invite)
{
	list_each(link, &invite->accepts)
	{
		if (container_of(link, struct accept, link)->offers)
			return true;
	}
	return false;
}
