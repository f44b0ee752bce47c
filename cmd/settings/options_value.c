#include "cmd/settings/options_private.h"

#include "audio/gain.h"
#include "cmd/script/script_scope.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/nat/reflexive.h"
#include "core/sip/print.h"

enum {
	DSCP_MAX = 63,
	SECONDS_MAX = 1000000,
	CALLS_MAX = 1000000,
	REFUSE_MIN = 300,
	REFUSE_MAX = 699,
	RATE_MIN = 8000,
	RATE_MAX = 48000,
	NANO_DIGITS = 9,
	DB_MAX = 1000, /* that is read as a number at all */
};

/* The words of an error in given's value, and between them what comes after the value. */
static int wrong_with(const struct given *given, const char *glue, const char *what)
{
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, given->value);
	return fault_set(given->why, -EINVAL, "%s: \"%s\"%s%s", given->called, shown, glue, what);
}

static int wrong(const struct given *given, const char *what)
{
	return wrong_with(given, " ", what);
}

int option_read_flag(const struct given *given, void *field)
{
	bool *flag = field;

	(void)given;
	*flag = true;
	return 0;
}

int option_read_verbose(const struct given *given, void *field)
{
	unsigned *level = field;

	(void)given;
	(*level)++;
	return 0;
}

int option_read_string(const struct given *given, void *field)
{
	const char **string = field;

	if (given->value.len == 0)
		return fault_set(given->why, -EINVAL, "%s: %s is empty", given->called,
			given->option->value);

	*string = given->string;
	return 0;
}

/* "2", "0.5", ".5", to the nanosecond: 0 to SECONDS_MAX. */
int option_read_seconds(const struct given *given, void *field)
{
	uint64_t *ns = field;
	struct slice rest = given->value;
	struct slice whole;
	uint64_t seconds = 0, fraction = 0;
	bool point = slice_cut(&whole, &rest, '.');
	int err = 0;

	if (!point || whole.len > 0)
		err = slice_number(&seconds, whole, SECONDS_MAX - 1);

	if (err == -ERANGE && !point && slice_number(&seconds, whole, SECONDS_MAX) == 0)
		err = 0;
	if (point && (rest.len > NANO_DIGITS || slice_number(&fraction, rest, NS_PER_S)))
		err = -EPROTO;
	if (err == -ERANGE)
		return wrong(given, "is more than 1000000 seconds");
	if (err)
		return wrong(given, "is no number of seconds");

	for (size_t digits = rest.len; point && digits < NANO_DIGITS; digits++)
		fraction *= 10;
	*ns = seconds * NS_PER_S + fraction;
	return 0;
}

int option_read_answer(const struct given *given, void *field)
{
	given->out->answer = true;
	return given->string ? option_read_seconds(given, field) : 0;
}

/* To a policy 0 would mean never. */
int option_read_duration(const struct given *given, void *field)
{
	uint64_t *ns = field;
	int err = option_read_seconds(given, field);

	if (!err && *ns == 0)
		*ns = 1;
	return err;
}

int option_read_timeout(const struct given *given, void *field)
{
	uint64_t ns = 0;
	int err = option_read_seconds(given, &ns);

	if (err)
		return err;
	if (ns == 0)
		return wrong(given, "leaves no time to answer");

	*(uint64_t *)field = ns;
	return 0;
}

/* "6", "+6", "-12.5", to a tenth. */
int option_read_volume(const struct given *given, void *field)
{
	struct slice rest = given->value;
	bool quieter = slice_starts_nocase(rest, "-");
	uint64_t whole, tenths = 0;
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);
	struct slice number;
	double db;

	if (quieter || slice_starts_nocase(rest, "+"))
		(void)slice_take(&number, &rest, 1);
	if (slice_cut(&number, &rest, '.') && (rest.len != 1 || slice_number(&tenths, rest, 9)))
		return wrong(given, "is no number of decibels");
	if (slice_number(&whole, number, DB_MAX))
		return wrong(given, "is no number of decibels");

	db = (double)whole + (double)tenths / 10;
	db = quieter ? -db : db;
	if (db < GAIN_MIN_DB || db > GAIN_MAX_DB) {
		text_printf(&text, "is no volume; %g to %g dB are", GAIN_MIN_DB, GAIN_MAX_DB);
		return wrong(given, shown);
	}
	*(double *)field = db;
	return 0;
}

int option_read_count(const struct given *given, void *field)
{
	uint64_t count;
	int err = slice_number(&count, given->value, CALLS_MAX);

	if (err == -ERANGE)
		return wrong(given, "is more than 1000000");
	if (err || count == 0)
		return wrong(given, "is no number of calls");

	*(unsigned *)field = (unsigned)count;
	return 0;
}

int option_read_code(const struct given *given, void *field)
{
	uint64_t code;

	if (slice_number(&code, given->value, REFUSE_MAX) || code < REFUSE_MIN)
		return wrong(given, "refuses nothing; 300 to 699 do");

	*(uint16_t *)field = (uint16_t)code;
	return 0;
}

int option_read_rate(const struct given *given, void *field)
{
	uint64_t rate;

	if (slice_number(&rate, given->value, RATE_MAX) || rate < RATE_MIN)
		return wrong(given, "is no rate; 8000 to 48000 are");

	*(uint32_t *)field = (uint32_t)rate;
	return 0;
}

/* As people who set up routers call them: RFC 2474, 2597, 3246 and 8622. */
static bool name_dscp(unsigned *out, struct slice name)
{
	unsigned class, drop;

	*out = slice_is_nocase(name, "ef") ? 46 : 1;
	if (slice_is_nocase(name, "ef") || slice_is_nocase(name, "le"))
		return true;
	if (name.len < 3 || name.len > 4)
		return false;
	class = name.data[2] - (unsigned)'0';
	drop = name.len == 4 ? name.data[3] - (unsigned)'0' : 0;
	*out = 8 * class + 2 * drop;
	if (name.len == 3)
		return slice_starts_nocase(name, "cs") && class <= 7;
	return slice_starts_nocase(name, "af") && class >= 1 && class <= 4 && drop >= 1 &&
	       drop <= 3;
}

int option_read_dscp(const struct given *given, void *field)
{
	uint64_t number;
	unsigned named;

	if (name_dscp(&named, given->value))
		number = named;
	else if (slice_number(&number, given->value, DSCP_MAX))
		return wrong(given, "is no DSCP; 0 to 63 are, and names like ef, cs5 and af41");

	*(unsigned *)field = (unsigned)number;
	return 0;
}

int option_read_codecs(const struct given *given, void *field)
{
	const struct codec **list = field;
	struct fault why;
	int err = codec_list_parse(list, &given->out->codec_count, given->value, &why);

	if (err)
		return fault_set(given->why, err, "%s: %s", given->called, why.words);
	return 0;
}

int option_read_country(const struct given *given, void *field)
{
	struct fault why;
	int err = tone_plan_parse(field, given->value, &why);

	if (err)
		return fault_set(given->why, err, "%s: %s", given->called, why.words);
	return 0;
}

static int wrong_transport(const struct given *given)
{
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	text_puts(&text, "has no transport; write udp:, tcp: or tls: before it, like udp:");
	words_put(&text, given->value);
	return wrong(given, shown);
}

/* Whether what stands before the last colon is an IP address, and so only the port is wrong. */
static bool is_bad_port(struct slice text)
{
	struct slice host = text;
	struct addr addr;

	while (host.len > 0 && host.data[host.len - 1] != ':')
		host.len--;
	if (host.len == 0)
		return false;

	host.len--;
	return addr_parse(&addr, host) == 0 && addr_parse_port(&addr, text) != 0;
}

static int find_transport(enum sip_transport_kind *out, struct slice name)
{
	static const char *const names[] = {
		[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is_nocase(name, names[i])) {
			*out = (enum sip_transport_kind)i;
			return 0;
		}
	return -EINVAL;
}

int option_read_listen(const struct given *given, void *field)
{
	struct options_listen *list = field;
	struct slice rest = given->value;
	struct slice transport;
	enum sip_transport_kind kind;
	struct addr addr;

	if (given->out->listen_count == OPTIONS_LISTEN_MAX)
		return fault_set(given->why, -EINVAL, "%s: 8 are enough", given->called);
	if (addr_parse_port(&addr, rest) == 0)
		return wrong_transport(given);
	if (!slice_cut(&transport, &rest, ':'))
		return wrong(given, "is not like udp:127.0.0.1:5060");
	if (find_transport(&kind, transport))
		return wrong(given, "has a transport that is not there; udp, tcp and tls are");
	if (addr_parse(&addr, rest) == 0)
		return wrong(given, "lacks a port; 0 picks a free one");
	if (is_bad_port(rest))
		return wrong(given, "has a port that is none; 0 to 65535 are");
	if (addr_parse_port(&addr, rest))
		return wrong(given, "has no IP address with a port, like 127.0.0.1:5060");

	list[given->out->listen_count++] = (struct options_listen){kind, addr};
	return 0;
}

int option_read_server(const struct given *given, void *field)
{
	struct addr *list = field;
	struct addr addr;

	if (given->out->dns_server_count == OPTIONS_DNS_SERVERS_MAX)
		return fault_set(given->why, -EINVAL, "%s: 4 are enough", given->called);
	if (is_bad_port(given->value))
		return wrong(given, "has a port that is none; 1 to 65535 are");
	if (addr_parse_port(&addr, given->value))
		return wrong(given, "is no IP address, like 192.0.2.53 or 127.0.0.1:5353");
	if (addr.scope)
		return wrong(given, "is good on one link only; give another address of it");

	list[given->out->dns_server_count++] = addr;
	return 0;
}

int option_read_stun(const struct given *given, void *field)
{
	const char **server = field;

	if (!reflexive_is_server(given->string))
		return wrong(given, "is no server, like stun.example.org or 192.0.2.1:3478");

	*server = given->string;
	return 0;
}

int option_read_header(const struct given *given, void *field)
{
	struct text lines = {
		.data = field, .len = given->out->headers_len, .size = OPTIONS_HEADERS_SIZE};
	const char *what;

	if (sip_header_check(given->value, &what))
		return wrong_with(given, ": ", what);

	text_put(&lines, given->value);
	text_puts(&lines, "\r\n");
	if (lines.cut)
		return fault_set(given->why, -EINVAL, "%s: that is more than 4 kB of headers",
			given->called);

	given->out->headers_len = lines.len;
	return 0;
}

/* What it says is looked at when it is run: each depends on the one before. */
int option_read_command(const struct given *given, void *field)
{
	const char **list = field;

	if (given->out->command_count == OPTIONS_COMMANDS_MAX)
		return fault_set(given->why, -EINVAL,
			"--%s: %d are enough; a script has room for more", given->option->name,
			OPTIONS_COMMANDS_MAX);

	list[given->out->command_count++] = given->string;
	return 0;
}

int option_read_help(const struct given *given, void *field)
{
	(void)field;
	if (given->string && !slice_is(given->value, "all"))
		return wrong(given, "is nothing to be helped with; there is --help=all");

	given->out->action = given->string ? OPTIONS_HELP_ALL : OPTIONS_HELP;
	return 0;
}

int option_read_version(const struct given *given, void *field)
{
	(void)field;
	given->out->action = OPTIONS_VERSION;
	return 0;
}

int option_read_check_config(const struct given *given, void *field)
{
	(void)field;
	given->out->action = OPTIONS_CHECK_CONFIG;
	return 0;
}

int option_read_list_codecs(const struct given *given, void *field)
{
	(void)field;
	given->out->action = OPTIONS_LIST_CODECS;
	return 0;
}

int option_read_list_devices(const struct given *given, void *field)
{
	(void)field;
	given->out->action = OPTIONS_LIST_DEVICES;
	return 0;
}

int option_read_var(const struct given *given, void *field)
{
	struct options *options = given->out;
	struct slice rest = given->value;
	struct slice name;

	(void)field;
	if (!slice_cut(&name, &rest, '='))
		return wrong(given, "is not like NAME=VALUE");
	if (!scope_is_name(name))
		return wrong(given, "begins with no name: letters, digits, \"_\" and \"-\" are");
	if (options->var_count == OPTIONS_VARS_MAX)
		return fault_set(given->why, -EINVAL, "--var: %d are enough", OPTIONS_VARS_MAX);

	options->vars[options->var_count++] = given->string;
	return 0;
}

int option_read_seed(const struct given *given, void *field)
{
	if (slice_number(field, given->value, UINT64_MAX))
		return wrong(given, "is no seed; a whole number is");
	return 0;
}
