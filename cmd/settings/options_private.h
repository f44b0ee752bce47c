/*
 * An option of the command line and how its value is read: what the files of cmd/settings/options
 * share among each other, and with what makes shells complete them (cmd/completion). See
 * cmd/settings/options.h.
 */
#pragma once

#include "cmd/settings/options.h"

enum { OPTION_SHOWN_SIZE = 400 }; /* of what a message repeats of argv */

struct option;

/* An option at hand, with what it was given. */
struct given {
	const struct option *option;
	const char *called; /* "--mic", or "mic" of a setting */
	struct slice value;
	const char *string; /* the same; NULL where an optional value was left out */
	struct options *out;
	struct fault *why;
};

/* Reads what was given to field. -EINVAL, with words in given's why. */
typedef int option_reader(const struct given *given, void *field);

struct option {
	char letter;       /* 0: none */
	const char *name;  /* NULL: a row that is the title of a group, in help */
	const char *value; /* what help calls it; NULL: takes none */
	bool optional;     /* the value, which then takes = only */
	bool repeats;
	const char *help;
	option_reader *read;
	size_t field; /* where in struct options read() writes */
};

/* The table. NULL behind the last. */
const struct option *option_at(size_t i);

/* The row of the table, or NULL. */
const struct option *option_find(const char *name);

/* What goes with a script, and what does not. -EINVAL with words. */
int options_check_script(const struct options *options, struct fault *why);

/* By the field that each fills. */
option_reader option_read_flag;     /* bool */
option_reader option_read_verbose;  /* unsigned: one more */
option_reader option_read_string;   /* const char *, not empty */
option_reader option_read_seconds;  /* uint64_t, ns, as the next three; may be 0 */
option_reader option_read_answer;   /* and that calls are answered */
option_reader option_read_duration; /* never 0 */
option_reader option_read_timeout;  /* not 0 */
option_reader option_read_volume;   /* double, dB */
option_reader option_read_count;    /* unsigned, of calls */
option_reader option_read_code;     /* uint16_t, 300..699 */
option_reader option_read_rate;     /* uint32_t, Hz, 8000..48000 */
option_reader option_read_dscp;     /* unsigned, 0..63 */
option_reader option_read_codecs;   /* the list */
option_reader option_read_country;  /* the tones of one */
option_reader option_read_listen;   /* the list: one more */
option_reader option_read_server;   /* the list of name servers: one more */
option_reader option_read_stun;     /* const char *: a server */
option_reader option_read_header;   /* the lines: one more */
option_reader option_read_command;  /* the list: one more */
option_reader option_read_var;      /* the list: one more */
option_reader option_read_seed;     /* uint64_t */

/* What is asked for instead of a call; there is no field. */
option_reader option_read_help;
option_reader option_read_version;
option_reader option_read_check_config;
option_reader option_read_list_codecs;
option_reader option_read_list_devices;
