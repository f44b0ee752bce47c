/*
 * A registration of a phone at 192.0.2.1, the registrar of plain bytes at 192.0.2.3 that it asks,
 * and a log of what is told of it, as words. Everything fails its test by itself.
 */
#pragma once

#include "core/ua/config.h"
#include "core/ua/registration.h"
#include "tests/unit/sip_phone.h"

struct stage {
	struct pair pair;
	struct world_peer c, d; /* 192.0.2.3:5060 and :5070 */
	struct ua_account account;
	struct sip_auth *auth;
	struct registration *registration;
	char log[1024];
	uint32_t retry_s; /* of the last failure */
	bool stop;        /* within the next event */
	bool start;
	bool anonymous;   /* as who calls */
	const char *seen; /* what the Via of answers has in the place of ";rport"; or NULL */
};

#define OURS "<sip:alice@192.0.2.1:5060>"
#define OK_LOG(seconds) "ok(" seconds " sip:alice@192.0.2.1:5060) "

#define PUBLIC "sip:alice@203.0.113.5:6000"
#define AT_NAT ";received=203.0.113.5;rport=6000"

#define INSTANCE "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
#define GRUU "sip:alice@sip.test;gr=" INSTANCE

/* The account is alice's, for 600 s; proxy may be NULL. Nothing is asked yet. */
void stage_open(struct stage *stage, const char *registrar, const char *proxy);
void stage_close(struct stage *stage);

/* Anew, after the account was changed; the one before has to be freed. */
void stage_make_registration(struct stage *stage);

/* Started, and its request has come. */
void stage_begin(struct stage *stage);

/* Opened and begun, with an instance and the wish for a GRUU. */
void stage_open_outbound(struct stage *stage);

void stage_run_s(struct stage *stage, double seconds);

/* Answers the last request at peer, or at the registrar: headers are whole lines. */
void stage_respond_as(
	struct stage *stage, struct world_peer *peer, const char *status, const char *headers);
void stage_respond(struct stage *stage, const char *status, const char *headers);

/* Answers the last STUN request, or, wrong by, another one, with that address. */
void stage_answer_stun(struct stage *stage, const char *mapped, uint8_t wrong);

/* What has been told since the last time. */
void stage_expect_log(struct stage *stage, const char *log);
