#include "cmd/settings/options.h"

#include "cmd/settings/options_private.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/nearest.h"

#include <assert.h>

enum {
	LEFT_SIZE = 100,  /* of help's left side */
	CALLED_SIZE = 40, /* of an option's name with its dashes */
	PART_MIN = 3,     /* letters of a name that tell which is meant */
};

#define FIELD(name) offsetof(struct options, name)

/* clang-format off */
static const struct option table[] = {
	{0, NULL, NULL, false, false, "Calls", NULL, 0},
	{0, "answer", "SEC", true, false,
		"wait for calls, answer each after SEC (0)", option_read_answer,
		FIELD(answer_after_ns)},
	{'d', "duration", "SEC", false, false,
		"hang up SEC after the answer", option_read_duration, FIELD(duration_ns)},
	{0, "hangup-at-eof", NULL, false, true,
		"hang up once all that --mic has is sent", option_read_flag, FIELD(hangup_at_eof)},
	{'t', "timeout", "SEC", false, false,
		"give up ringing after SEC (180)", option_read_timeout, FIELD(timeout_ns)},
	{0, "media-timeout", "SEC", false, false,
		"hang up after SEC without RTP (60); 0: never", option_read_seconds, FIELD(silence_ns)},
	{'n', "calls", "N", false, false,
		"with --answer: exit after N calls have ended", option_read_count, FIELD(calls)},
	{0, "max-calls", "N", false, false,
		"N calls at once, then 486", option_read_count, FIELD(max_calls)},
	{0, "reject-anonymous", NULL, false, true,
		"refuse who does not want to be known", option_read_flag, FIELD(reject_anonymous)},
	{0, "answer-code", "N", false, false,
		"with --answer: refuse calls with N instead", option_read_code, FIELD(answer_code)},
	{'e', "execute", "COMMAND", false, true,
		"run it, then exit; may be repeated", option_read_command, FIELD(commands)},

	{0, NULL, NULL, false, false, "Sound", NULL, 0},
	{'i', "mic", "SOURCE", false, false,
		"default, device:NAME, file:PATH, stdin, ...", option_read_string, FIELD(mic)},
	{'o', "speaker", "SINK", false, false,
		"default, device:NAME, file:PATH, stdout, ...", option_read_string, FIELD(speaker)},
	{0, "pipe-rate", "HZ", false, false,
		"of stdin, stdout and exec: (16000)", option_read_rate, FIELD(pipe_rate)},
	{0, "record", "FILE", false, false,
		"both sides in stereo; %n %t %p in FILE", option_read_string, FIELD(record)},
	{0, "volume", "DB", false, false,
		"play it louder by DB, or quieter by -DB", option_read_volume, FIELD(speaker_db)},
	{0, "mic-volume", "DB", false, false,
		"send it louder by DB, or quieter by -DB", option_read_volume, FIELD(mic_db)},
	{0, "codecs", "LIST", false, false,
		"in order of preference, like opus,pcmu", option_read_codecs, FIELD(codecs)},

	{0, NULL, NULL, false, false, "Tones, on sound devices", NULL, 0},
	{0, "country", "CC", false, false,
		"whose they are, like de (the locale's)", option_read_country, FIELD(country)},
	{0, "ringback-tone", "FILE", false, false,
		"while it rings at the far end; none: silence",
		option_read_string, FIELD(tones[RINGER_RINGBACK])},
	{0, "busy-tone", "FILE", false, false,
		"when the far end is busy, or none",
		option_read_string, FIELD(tones[RINGER_BUSY])},
	{0, "failure-tone", "FILE", false, false,
		"when a call fails in another way, or none",
		option_read_string, FIELD(tones[RINGER_FAILURE])},
	{0, "ring-tone", "FILE", false, false,
		"with --answer=SEC: how calls ring, or none",
		option_read_string, FIELD(tones[RINGER_RING])},
	{0, "waiting-tone", "FILE", false, false,
		"how they ring during another, or none",
		option_read_string, FIELD(tones[RINGER_WAITING])},
	{0, "early-media", "SOURCE", false, false,
		"what callers hear while it rings here", option_read_string, FIELD(early_media)},
	{0, "ring-device", "DEVICE", false, false,
		"default, device:NAME: where they ring (-o)", option_read_string, FIELD(ring_device)},

	{0, NULL, NULL, false, false, "Account", NULL, 0},
	{'a', "account", "NAME", false, false,
		"of the configuration, or alice@example.org", option_read_string, FIELD(account)},
	{0, "registrar", "URI", false, false,
		"where it registers (the host of its address)", option_read_string,
		FIELD(registrar)},
	{0, "proxy", "URI", false, false,
		"by which its requests go", option_read_string, FIELD(proxy)},
	{0, "auth-user", "NAME", false, false,
		"with the password (the user of its address)", option_read_string,
		FIELD(auth_user)},
	{0, "anonymous", NULL, false, true,
		"do not tell those whom it calls who calls", option_read_flag, FIELD(anonymous)},
	{0, "no-register", NULL, false, true,
		"do not let calls to it come here", option_read_flag, FIELD(no_register)},

	{0, NULL, NULL, false, false, "Network", NULL, 0},
	{'l', "listen", "udp:ADDR:PORT", false, true,
		"where to listen; tcp:, tls:; may be repeated", option_read_listen, FIELD(listen)},
	{0, "dns-server", "ADDR[:PORT]", false, true,
		"ask this name server; may be repeated", option_read_server, FIELD(dns_servers)},
	{0, "stun", "HOST[:PORT]", false, false,
		"a server that tells how a NAT shows our sound", option_read_stun, FIELD(stun)},
	{0, "dscp-sip", "DSCP", false, false,
		"the mark of messages: 0 to 63, or cs5", option_read_dscp, FIELD(dscp_sip)},
	{0, "dscp-rtp", "DSCP", false, false,
		"the mark of sound (ef)", option_read_dscp, FIELD(dscp_rtp)},
	{0, "tls-ca-file", "FILE", false, false,
		"whom TLS believes, not the system's", option_read_string, FIELD(tls.ca_file)},
	{0, "tls-certificate", "FILE", false, false,
		"ours; -l tls:... needs it", option_read_string, FIELD(tls.certificate)},
	{0, "tls-key", "FILE", false, false,
		"its private key", option_read_string, FIELD(tls.key)},
	{'H', "header", "'X: y'", false, true,
		"add a header to the INVITE; may be repeated", option_read_header, FIELD(headers)},
	{0, "late-offer", NULL, false, true,
		"let the far end offer what to talk with", option_read_flag, FIELD(late_offer)},

	{0, NULL, NULL, false, false, "Other programs", NULL, 0},
	{0, "control", "PATH", false, false,
		"be controlled by the socket PATH", option_read_string, FIELD(control)},
	{0, "remote", "PATH", false, false,
		"give -e to the phone that has it", option_read_string, FIELD(remote)},
	{0, "daemon", NULL, false, true,
		"with --control: in the background", option_read_flag, FIELD(daemon)},

	{0, NULL, NULL, false, false, "Scripts", NULL, 0},
	{0, "script", "FILE", false, false,
		"run a script; - is standard input", option_read_string, FIELD(script)},
	{0, "var", "NAME=VALUE", false, true,
		"set a variable of it; may be repeated", option_read_var, FIELD(vars)},
	{0, "check", NULL, false, true,
		"only tell what is wrong with it", option_read_flag, FIELD(check)},
	{0, "virtual", NULL, false, true,
		"run it in a simulated world, at once", option_read_flag, FIELD(in_virtual)},
	{0, "seed", "N", false, false,
		"of chance in scripts (1)", option_read_seed, FIELD(seed)},
	{0, "tap", "FILE", false, false,
		"report the script's points as TAP", option_read_string, FIELD(tap)},
	{0, "junit", "FILE", false, false,
		"report them as JUnit's XML", option_read_string, FIELD(junit)},

	{0, NULL, NULL, false, false, "Output", NULL, 0},
	{0, "json", NULL, false, true,
		"one JSON object a line", option_read_flag, FIELD(json)},
	{0, "trace", NULL, false, true,
		"each SIP message, on standard error", option_read_flag, FIELD(trace)},
	{0, "ladder", NULL, false, true,
		"calls as they flow, message by message", option_read_flag, FIELD(ladder)},
	{0, "pcap", "FILE", false, false,
		"SIP, RTP and RTCP, for Wireshark", option_read_string, FIELD(pcap)},
	{'v', "verbose", NULL, false, true,
		"say more; twice: all there is to say", option_read_verbose, FIELD(verbose)},
	{'q', "quiet", NULL, false, true,
		"say only what fails", option_read_flag, FIELD(quiet)},
	{0, "no-color", NULL, false, true,
		"no colours on a terminal", option_read_flag, FIELD(no_color)},

	{0, NULL, NULL, false, false, "Settings", NULL, 0},
	{'c', "config", "FILE", false, false,
		"in place of ~/.config/sipcall/sipcall.conf", option_read_string, FIELD(config)},
	{0, "check-config", NULL, false, true,
		"what is wrong there, and no call", option_read_check_config, 0},

	{0, NULL, NULL, false, false, "Asking", NULL, 0},
	{0, "list-codecs", NULL, false, true,
		"the codecs that there are", option_read_list_codecs, 0},
	{0, "list-devices", NULL, false, true,
		"the sound devices that there are", option_read_list_devices, 0},
	{0, "version", NULL, false, true,
		"which sipcall this is", option_read_version, 0},
	{'h', "help", "all", true, true,
		"this; all: every option, and the exit codes", option_read_help, 0},
};
/* clang-format on */

enum { COUNT = sizeof(table) / sizeof(table[0]) };

static_assert((int)COUNT <= (int)OPTIONS_ROWS_MAX, "each option can be given");

/* What is read so far. */
struct reader {
	struct options *out;
	struct fault *why;
	int argc;
	char *const *argv;
	int at;             /* the argument at hand */
	bool only_operands; /* "--" has come */
};

const struct option *option_at(size_t i)
{
	return i < COUNT ? &table[i] : NULL;
}

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return table[i].name;
}

/* The options's index, or COUNT. */
static size_t find_name(struct slice name)
{
	size_t i = 0;

	while (i < COUNT && !(table[i].name && slice_is(name, table[i].name)))
		i++;
	return i;
}

static size_t find_letter(char letter)
{
	size_t i = 0;

	while (i < COUNT && !(table[i].name && table[i].letter == letter))
		i++;
	return i;
}

/* The option whose letter name is, the first that begins with it, or that has it inside. */
static const char *near_name(struct slice name)
{
	size_t i = name.len == 1 ? find_letter((char)name.data[0]) : COUNT;
	const char *inside = NULL;

	if (name.len == 0 || i < COUNT)
		return name.len == 0 ? NULL : table[i].name;

	for (i = 0; i < COUNT; i++) {
		struct slice rest = slice_of(table[i].name ? table[i].name : "");

		for (bool first = true; rest.len >= name.len; first = false) {
			struct slice start = {rest.data, name.len};

			if (slice_equal_nocase(start, name) && first)
				return table[i].name;
			if (slice_equal_nocase(start, name) && !inside && name.len >= PART_MIN)
				inside = table[i].name;
			(void)slice_take(&start, &rest, 1);
		}
	}
	return inside;
}

/* given: as it was typed, with its dashes; name: what may be like the name of an option. */
static int no_option(struct fault *why, struct slice given, struct slice name)
{
	const char *near = nearest_name(name, COUNT, name_at, NULL);
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, given);
	near = near ? near : near_name(name);
	if (near)
		return fault_set(why, -EINVAL, "no option %s; did you mean --%s?", shown, near);
	return fault_set(why, -EINVAL, "no option %s; sipcall --help=all shows them", shown);
}

/* Whether something is asked for that needs no more options. */
static bool is_answered(const struct options *options)
{
	return options->action != OPTIONS_RUN && options->action != OPTIONS_CHECK_CONFIG;
}

static int read_value(
	struct options *out, size_t i, const char *value, const char *called, struct fault *why)
{
	struct given given = {.option = &table[i], .called = called, .string = value};

	given.out = out;
	given.why = why;
	if (value)
		given.value = slice_of(value);
	return table[i].read(&given, (char *)out + table[i].field);
}

/* Reads option i. value: NULL if there is none. */
static int take(struct reader *reader, size_t i, const char *value)
{
	char called[CALLED_SIZE];
	struct text text = TEXT_IN(called);

	text_printf(&text, "--%s", table[i].name);
	if (reader->out->given[i] && !table[i].repeats)
		return fault_set(reader->why, -EINVAL, "--%s is given twice", table[i].name);

	reader->out->given[i] = true;
	return read_value(reader->out, i, value, called, reader->why);
}

/* "-1" is a number that is wrong: no option is a digit. */
static bool is_negative(const char *next)
{
	return next[0] == '-' && ((next[1] >= '0' && next[1] <= '9') || next[1] == '.');
}

/* Reads option i with its value from the next argument. */
static int take_next(struct reader *reader, size_t i)
{
	const char *next = reader->at + 1 < reader->argc ? reader->argv[reader->at + 1] : NULL;

	/* A value with a dash in front is far more often a forgotten one: = tells that it is meant.
	 */
	if (!next || (next[0] == '-' && next[1] != '\0' && !is_negative(next)))
		return fault_set(reader->why, -EINVAL, "--%s needs a value: --%s=%s", table[i].name,
			table[i].name, table[i].value);

	reader->at++;
	return take(reader, i, next);
}

/* "--name", "--name=value" */
static int read_long(struct reader *reader, const char *arg)
{
	const char *equals = strchr(arg, '=');
	struct slice given = slice_of(arg);
	struct slice name;
	size_t i;

	if (equals)
		given.len = (size_t)(equals - arg);
	name = (struct slice){given.data + 2, given.len - 2};
	i = find_name(name);
	if (i == COUNT)
		return no_option(reader->why, given, name);
	if (equals && !table[i].value)
		return fault_set(reader->why, -EINVAL, "--%s takes no value", table[i].name);
	if (equals)
		return take(reader, i, equals + 1);
	if (table[i].value && !table[i].optional)
		return take_next(reader, i);
	return take(reader, i, NULL);
}

/* "-q", "-qv", "-d5", "-d 5" */
static int read_short(struct reader *reader, const char *arg)
{
	for (const char *letter = arg + 1; *letter != '\0'; letter++) {
		size_t i = find_letter(*letter);
		struct slice typed = slice_of(arg + 1);
		int err;

		if (letter == arg + 1 && typed.len > 2 && /* -answer */
			(i == COUNT || find_name(typed) < COUNT))
			return no_option(reader->why, slice_of(arg), typed);
		if (i == COUNT) {
			char dashed[] = {'-', *letter, '\0'};

			return no_option(reader->why, slice_of(dashed), (struct slice){0});
		}
		if (table[i].value && !table[i].optional)
			return letter[1] != '\0' ? take(reader, i, letter + 1)
						 : take_next(reader, i);
		err = take(reader, i, NULL);
		if (err || is_answered(reader->out))
			return err;
	}
	return 0;
}

static int read_operand(struct reader *reader, const char *arg)
{
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	if (reader->out->target) {
		words_put(&text, slice_of(arg));
		return fault_set(
			reader->why, -EINVAL, "one URI at a time; \"%s\" is too many", shown);
	}

	reader->out->target = arg;
	return 0;
}

static int read_argument(struct reader *reader, const char *arg)
{
	if (reader->only_operands || arg[0] != '-' || arg[1] == '\0')
		return read_operand(reader, arg);
	if (strcmp(arg, "--") == 0) {
		reader->only_operands = true;
		return 0;
	}
	return arg[1] == '-' ? read_long(reader, arg) : read_short(reader, arg);
}

/* Options that would have no effect. */
static int check_effect(const struct reader *reader, struct fault *why)
{
	static const struct {
		const char *name, *with, *words;
	} rows[] = {
		{"header", "answer", "--header goes with a call of ours only, not with --answer"},
		{"timeout", "answer", "--timeout goes with a call of ours only, not with --answer"},
		{"late-offer", "answer",
			"--late-offer goes with a call of ours only, not with --answer"},
		{"anonymous", "answer",
			"--anonymous goes with a call of ours only, not with --answer"},
		{"reject-anonymous", "answer-code",
			"--reject-anonymous has no effect where all calls are refused"},
		{"ringback-tone", "answer",
			"--ringback-tone goes with a call of ours only, not with --answer"},
		{"busy-tone", "answer",
			"--busy-tone goes with a call of ours only, not with --answer"},
		{"failure-tone", "answer",
			"--failure-tone goes with a call of ours only, not with --answer"},
		{"media-timeout", "answer-code",
			"--media-timeout has no effect on calls that are refused"},
		{"hangup-at-eof", "answer-code",
			"--hangup-at-eof has no effect on calls that are refused"},
		{"duration", "answer-code", "--duration has no effect on calls that are refused"},
		{"record", "answer-code", "--record has no effect on calls that are refused"},
		{"dns-server", "virtual", "--dns-server has no effect in a simulated world"},
		{"dscp-sip", "virtual", "--dscp-sip has no effect in a simulated world"},
		{"dscp-rtp", "virtual", "--dscp-rtp has no effect in a simulated world"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (reader->out->given[find_name(slice_of(rows[i].name))] &&
			reader->out->given[find_name(slice_of(rows[i].with))])
			return fault_set(why, -EINVAL, "%s", rows[i].words);
	return 0;
}

/* Who answers at once has nothing to hear before. */
static int check_ringing(const struct reader *reader, struct fault *why)
{
	static const char *const names[] = {
		"ring-tone", "waiting-tone", "ring-device", "early-media"};
	const struct options *options = reader->out;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!reader->out->given[find_name(slice_of(names[i]))])
			continue;
		if (options_mode(options) == OPTIONS_CALL)
			return fault_set(why, -EINVAL,
				"--%s is for calls that come, not with one of ours", names[i]);
		if (options->answer_code > 0)
			return fault_set(why, -EINVAL,
				"--%s has no effect on calls that are refused", names[i]);
		if (options->answer && options->answer_after_ns == 0)
			return fault_set(why, -EINVAL,
				"--%s has no effect on calls that are answered at once; let them "
				"ring: --answer=5",
				names[i]);
	}
	return 0;
}

/* What makes sense alone, but not together. */
static int check_together(const struct options *options, struct fault *why)
{
	if (options->answer && options->target)
		return fault_set(why, -EINVAL,
			"--answer waits for calls and takes no URI; a time goes like --answer=2");
	if (options->quiet && options->verbose > 0)
		return fault_set(why, -EINVAL, "--quiet and --verbose contradict each other");
	if (!options->answer && options->calls > 0)
		return fault_set(why, -EINVAL, "--calls goes with --answer only");
	if (options_mode(options) == OPTIONS_CALL && options->max_calls > 0)
		return fault_set(
			why, -EINVAL, "--max-calls is for calls that come, not with one of ours");
	if (options_mode(options) == OPTIONS_CALL && options->reject_anonymous)
		return fault_set(why, -EINVAL,
			"--reject-anonymous is for calls that come, not with one of ours");
	if (!options->answer && options->answer_code > 0)
		return fault_set(why, -EINVAL, "--answer-code goes with --answer only");
	if (options->command_count > 0 && (options->answer || options->target))
		return fault_set(why, -EINVAL,
			"--execute goes alone: -e 'call %s' calls, and with --listen calls ring "
			"until -e answer",
			options->target ? options->target : "URI");
	if (options_mode(options) == OPTIONS_PROMPT && options->mic &&
		strcmp(options->mic, "stdin") == 0)
		return fault_set(why, -EINVAL, "--mic: standard input is where commands are typed");
	return 0;
}

/* The first option that was given and is none of names, which end with NULL; or NULL. */
static const char *find_other(const struct options *options, const char *const *names)
{
	for (size_t i = 0; i < COUNT; i++) {
		size_t n = 0;

		if (!options->given[i])
			continue;
		while (names[n] && strcmp(table[i].name, names[n]) != 0)
			n++;
		if (!names[n])
			return table[i].name;
	}
	return NULL;
}

/* There is no phone here that anything else could be for. */
static int check_remote(const struct options *options, struct fault *why)
{
	static const char *const names[] = {"remote", "execute", "json", "quiet", "no-color", NULL};
	const char *other = find_other(options, names);

	if (options->target)
		return fault_set(why, -EINVAL, "--remote takes commands, no URI: -e 'call %s'",
			options->target);
	if (other)
		return fault_set(why, -EINVAL,
			"--%s has no effect with --remote: it is for the phone itself", other);
	return 0;
}

static int check_daemon(const struct options *options, struct fault *why)
{
	if (!options->daemon)
		return 0;
	if (!options->control)
		return fault_set(why, -EINVAL,
			"--daemon needs --control=PATH: nothing else could tell it what to do");
	if (options->target || options->command_count > 0)
		return fault_set(why, -EINVAL,
			"--daemon waits for what comes by --control, and takes no %s",
			options->target ? "URI" : "--execute");
	if (options->mic && strcmp(options->mic, "stdin") == 0)
		return fault_set(why, -EINVAL, "--daemon has no standard input to hear");
	if (options->speaker && strcmp(options->speaker, "stdout") == 0)
		return fault_set(why, -EINVAL, "--daemon has no standard output to play to");
	return 0;
}

enum options_mode options_mode(const struct options *options)
{
	if (options->answer)
		return OPTIONS_ANSWER;
	if (options->target)
		return OPTIONS_CALL;
	if (options->script)
		return OPTIONS_SCRIPT;
	if (options->command_count > 0)
		return OPTIONS_COMMANDS;
	return options->daemon ? OPTIONS_SERVICE : OPTIONS_PROMPT;
}

/* Only the file is read. */
static int check_no_call(const struct options *options, struct fault *why)
{
	static const char *const names[] = {"check-config", "config", "no-color", NULL};
	const char *other = find_other(options, names);

	if (options_mode(options) != OPTIONS_PROMPT)
		return fault_set(why, -EINVAL, "--check-config neither calls nor waits for calls");
	if (other)
		return fault_set(why, -EINVAL, "--%s has no effect with --check-config", other);
	return 0;
}

int options_parse(struct options *out, int argc, char *const argv[], struct fault *why)
{
	struct reader reader = {.out = out, .why = why, .argc = argc, .argv = argv};

	*out = (struct options){.timeout_ns = OPTIONS_TIMEOUT_S * NS_PER_S,
		.silence_ns = OPTIONS_SILENCE_S * NS_PER_S,
		.dscp_sip = OPTIONS_DSCP_SIP,
		.dscp_rtp = OPTIONS_DSCP_RTP,
		.seed = OPTIONS_SEED};
	for (reader.at = 1; reader.at < argc; reader.at++) {
		int err = read_argument(&reader, argv[reader.at]);

		if (err || is_answered(out))
			return err;
	}
	if (out->action == OPTIONS_CHECK_CONFIG)
		return check_no_call(out, why);
	if (out->remote)
		return check_remote(out, why);
	if (options_check_script(out, why) || check_together(out, why) ||
		check_effect(&reader, why) || check_daemon(out, why))
		return -EINVAL;
	return check_ringing(&reader, why);
}

const struct option *option_find(const char *name)
{
	size_t i = find_name(slice_of(name));

	return i < COUNT ? &table[i] : NULL;
}

bool options_given(const struct options *options, const char *name)
{
	size_t i = find_name(slice_of(name));

	assert(i < COUNT);
	return options->given[i];
}

int options_set(struct options *out, const char *name, const char *value, const char *called,
	struct fault *why)
{
	size_t i = find_name(slice_of(name));

	assert(i < COUNT &&
		(value ? table[i].value != NULL : !table[i].value || table[i].optional));
	return read_value(out, i, value, called, why);
}
