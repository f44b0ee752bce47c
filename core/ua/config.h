/*
 * How a phone is set up: a plain value, made by whoever makes the phone, who keeps alive what it
 * points to. What changes of it goes through agent_configure().
 */
#pragma once

#include "core/base/loop.h"
#include "core/media/tap.h"
#include "core/media/volume.h"
#include "core/sip/config.h"
#include "core/ua/event.h"
#include "core/ua/policy.h"

#include <stddef.h>
#include <stdint.h>

struct codec;
struct device_maker;
struct dialplan;
struct secret;

/* Somebody whom a server knows. */
struct ua_account {
	const char *name;      /* what people call it; NULL: as its address */
	const char *aor;       /* "alice@example.org", its address of record */
	const char *user;      /* that of aor; may be NULL, account_new() finds it */
	const char *display;   /* plain text, or NULL */
	const char *registrar; /* where it registers; NULL: the host of aor */
	const char *proxy;     /* by which its requests go; NULL: none */
	const char *transport; /* of both, where they say none: "ws"; or NULL */
	const char *auth_user; /* NULL: the user of aor */
	const char *realm;     /* for which the password is; NULL: the first that is asked for */
	const struct secret *password; /* NULL: there is none */
	uint32_t expires_s;            /* 0: an hour */
	bool registers;                /* by itself, as long as the phone is there */
	bool allow_md5;
	const char *identity; /* whom its server shall vouch for: a name-addr; NULL: as it thinks */
	const struct dialplan
		*dial;         /* what numbers become; NULL: themselves. The caller keeps it */
	const char *instance;  /* a URN, which tells this phone from the others of the account; or
				  NULL */
	uint32_t keep_alive_s; /* see core/ua/lifeline.h; 0: as is usual */
	bool gruu;             /* its calls are to be reached by an address of the registrar's */
	bool own_contact; /* its Contacts have our own address, though a NAT shows us by another */
	bool anonymous;   /* those who are called do not learn who calls */
};

/* Whether those who are called learn who calls. */
enum ua_anonymous {
	UA_ANONYMOUS_ACCOUNT, /* as the account says */
	UA_ANONYMOUS_ON,
	UA_ANONYMOUS_OFF,
};

struct ua_config {
	struct loop *loop;                  /* the agent's thread */
	struct loop *media_loop;            /* the media thread */
	const struct device_maker *devices; /* of sound; NULL: PortAudio's */
	const char *user_agent;
	const char *user;                  /* user part of From and Contact */
	const char *mic;                   /* a source as audio/open.h spells it */
	const char *speaker;               /* a sink */
	const char *early;                 /* a source that callers hear while it rings, or NULL */
	uint32_t pipe_rate;                /* Hz, of sound in pipes; 0: as audio/setup.h has it */
	const char *record;                /* pattern of recordings, or NULL */
	struct media_volume volume;        /* of each call, to begin with */
	const struct codec *const *codecs; /* in order of preference */
	size_t codec_count;
	struct slice headers; /* whole lines for each INVITE */
	enum ua_anonymous anonymous;
	bool late_offer; /* calls of ours let the far end make the offer */
	const char
		*stun; /* server that tells how sound is seen from outside; NULL: none is asked */
	struct tls_config tls;
	struct ua_policy policy;
	uint64_t meter_ns; /* how often UA_CALL_METER comes; 0: never */
	ua_event_fn *event;
	void *arg;
	/* Each SIP message, see sip_stack_events; or NULL. */
	void (*trace)(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
		const struct addr *remote, struct slice bytes);
	unsigned dscp_rtp;           /* of the sound that is sent, 0..63 (RFC 2474) */
	const struct media_tap *tap; /* of the calls' datagrams; or NULL */
};
