/*
 * What the files of a registration share among each other: registration.c has its life,
 * registration_answer.c what it learns from answers, and is asked for again by,
 * registration_public.c what the requests of its account take from it.
 */
#pragma once

#include "core/base/loop.h"
#include "core/sip/locate.h"
#include "core/sip/request.h"
#include "core/ua/config.h"
#include "core/ua/lifeline.h"
#include "core/ua/reach.h"
#include "core/ua/registration.h"
#include "core/ua/service_route.h"

enum registration_state {
	REG_OFF,
	REG_LOCATING,
	REG_ASKING,   /* REGISTER is out */
	REG_STANDING, /* until it has to be refreshed */
	REG_WAITING,  /* to try again */
	REG_LEAVING,  /* the withdrawal is out */
};

struct registration {
	struct registration_config config;
	enum registration_state state;
	struct sip_locate *locate;
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t flow_at, flow_count;
	struct sip_request *request;
	struct sip_flow flow; /* by which it stands, if it does */
	struct reach reach;
	struct lifeline lifeline;
	char *gruus[2];   /* that lead to us, the second without saying who we are; or NULL */
	struct timer due; /* of the state */
	uint64_t call_id, tag;
	uint32_t cseq;
	uint32_t wish_s;    /* how long it is asked for */
	unsigned failures;  /* one after the other */
	unsigned redirects; /* of this try */
	bool stands;
	bool unheard;     /* REG_WAITING: nothing came back, or could be sent */
	char *former;     /* our Contact before this host had another address, or NULL */
	bool outbound;    /* the registrar sends what is for us by self->flow (RFC 5626) */
	bool no_outbound; /* a proxy on the way cannot do that (439) */
	bool proven;      /* the password has been right once */
	bool extended;    /* wish_s has been made longer in this try (423) */
	bool moved_once;  /* the Contact has been rewritten in this try */
	char *moved;      /* where a 3xx has sent us in this try, or NULL */
	struct service_route route;
};

/* A REGISTER by the flow at hand; expires_s 0 withdraws. 0, or why none went. */
int registration_ask(struct registration *self, uint32_t expires_s);

/* By the next flow (RFC 3263, section 4.3). False: there is none. */
bool registration_ask_next(struct registration *self);

/* Looks up where it goes, and asks there, within the same try. */
void registration_seek(struct registration *self);

/* What is out is forgotten; so is the Contact of an address that is gone. */
void registration_drop_request(struct registration *self);
void registration_drop_former(struct registration *self);

/* The try has ended: by a 2xx; in vain, to be tried again after after_s at the earliest. Tells. */
void registration_succeed(struct registration *self, const struct sip_msg *response);
void registration_fail(struct registration *self, struct registration_news *news, uint64_t after_s);

/* The event of a REGISTER. */
void registration_answered(void *arg, const struct sip_msg *response);
