/*
 * What a person asks for on the command line: one table reads argv and prints --help. The result
 * borrows the strings of argv. Plain values: any thread.
 */
#pragma once

#include "cmd/readers/ringer.h"
#include "codecs/codec.h"
#include "core/base/addr.h"
#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/net/tls.h"
#include "core/sip/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OPTIONS_LISTEN_MAX = 8,
	OPTIONS_DNS_SERVERS_MAX = 4,
	OPTIONS_COMMANDS_MAX = 256,
	OPTIONS_HEADERS_SIZE = 4096,
	OPTIONS_VARS_MAX = 64,
	OPTIONS_HELP_SIZE = 8192, /* room for all that options_help_all() writes */
	OPTIONS_DSCP_SIP = 40, /* CS5 for signalling, and EF for telephony: RFC 4594, section 2 */
	OPTIONS_DSCP_RTP = 46,
	OPTIONS_TIMEOUT_S = 180, /* of --timeout, where it is not given */
	OPTIONS_SILENCE_S = 60,  /* of --media-timeout */
	OPTIONS_ROWS_MAX = 96,   /* of the table */
	OPTIONS_SEED = 1,        /* of --seed */
};

enum options_action {
	OPTIONS_RUN, /* as options_mode() tells */
	OPTIONS_HELP,
	OPTIONS_HELP_ALL,
	OPTIONS_VERSION,
	OPTIONS_LIST_CODECS,
	OPTIONS_LIST_DEVICES,
	OPTIONS_CHECK_CONFIG,
};

/* What a run is for. */
enum options_mode {
	OPTIONS_CALL,     /* one call of ours */
	OPTIONS_ANSWER,   /* calls answer themselves */
	OPTIONS_COMMANDS, /* -e */
	OPTIONS_SCRIPT,
	OPTIONS_PROMPT,
	OPTIONS_SERVICE, /* calls ring until somebody else answers them */
};

struct options_listen {
	enum sip_transport_kind kind;
	struct addr address;
};

struct options {
	enum options_action action;
	const char *target; /* NULL: no call of ours */
	const char *commands[OPTIONS_COMMANDS_MAX];
	size_t command_count;
	const char *config; /* path; NULL: not given */
	bool answer;
	uint64_t answer_after_ns;
	uint16_t answer_code; /* 0: calls are answered */
	uint64_t duration_ns; /* 0: until somebody hangs up */
	bool hangup_at_eof;
	uint64_t timeout_ns;
	uint64_t silence_ns; /* 0: it may be silent for ever */
	unsigned calls;      /* 0: no end */
	unsigned max_calls;  /* 0: no limit */
	bool reject_anonymous;
	const char *mic; /* NULL: not given; so below */
	const char *speaker;
	uint32_t pipe_rate; /* Hz; 0: not given */
	const char *record;
	const struct tone_plan *country;
	const char *ring_device;
	const char *early_media;
	const char *tones[RINGER_SOUNDS]; /* paths, or RINGER_NONE */
	double mic_db;                    /* 0: as it comes; so below */
	double speaker_db;
	const struct codec *codecs[CODEC_LIST_MAX];
	size_t codec_count; /* 0: not given */
	struct options_listen listen[OPTIONS_LISTEN_MAX];
	size_t listen_count;
	struct addr dns_servers[OPTIONS_DNS_SERVERS_MAX]; /* port 0: the usual one */
	size_t dns_server_count;                          /* 0: the system's */
	unsigned dscp_sip;                                /* 0..63, as the next */
	unsigned dscp_rtp;
	const char *account; /* a name, or an address */
	const char *registrar;
	const char *proxy;
	const char *stun; /* server; NULL: none is asked */
	const char *auth_user;
	bool anonymous;
	bool no_register;
	bool known;            /* there is an account, of the command line or the configuration */
	struct tls_config tls; /* NULL: not given */
	char headers[OPTIONS_HEADERS_SIZE]; /* lines with CRLF */
	size_t headers_len;
	bool late_offer;
	const char *control; /* path of a socket; NULL: none */
	const char *remote;  /* of another's; NULL: we are a phone ourselves */
	bool daemon;
	const char *script; /* a path, or "-"; NULL: none */
	bool check;         /* it is only looked at */
	bool in_virtual;    /* it is run in the simulated world */
	uint64_t seed;
	const char *vars[OPTIONS_VARS_MAX]; /* "NAME=VALUE" */
	size_t var_count;
	const char *tap; /* paths, or "-"; NULL: not wanted */
	const char *junit;
	bool json;
	bool trace;
	bool ladder;
	const char *pcap;
	unsigned verbose; /* how often it was said */
	bool quiet;
	bool no_color;
	bool given[OPTIONS_ROWS_MAX]; /* see options_given() */
};

/*
 * Reads argv, argv[0] aside. Returns -EINVAL with words in why that say what to mend. Nothing after
 * --help, --version or a list is looked at.
 */
int options_parse(struct options *out, int argc, char *const argv[], struct fault *why);

enum options_mode options_mode(const struct options *options);

/* Whether the command line has the option of that name, without dashes. */
bool options_given(const struct options *options, const char *name);

/*
 * Reads value as if it stood on the command line behind the option of that name; NULL: none, for
 * one that needs none. options_given() stays as it is, and the words in why say called in place of
 * "--name". out borrows value. Returns -EINVAL.
 */
int options_set(struct options *out, const char *name, const char *value, const char *called,
	struct fault *why);

/*
 * Reads words, "mic=tone:440" or "answer", as the options of a phone of a script: of those above,
 * without dashes, those that are about a phone. out is what it is like without them. -EINVAL with
 * words in why; the word at bad is wrong.
 */
int options_phone(struct options *out, const char *const *words, size_t count, size_t *bad,
	struct fault *why);

/* What --help prints: at most 80 columns and 24 lines. And --help=all, as wide. */
void options_help(struct text *out);
void options_help_all(struct text *out);
