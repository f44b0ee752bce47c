/* cmd/settings/options: each argv with what it means, or with the exact words against it; the help.
 */
#include "cmd/settings/options.h"

#include "cmd/columns.h"
#include "core/base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ARGS_MAX = 24 };

#define MS NS_PER_MS
#define S NS_PER_S

/* clang-format off */
static const struct wrong {
	const char *args[ARGS_MAX];
	const char *words;
} wrongs[] = {
	{{"-i", "stdin"}, "--mic: standard input is where commands are typed"},
	{{"--control="}, "--control: PATH is empty"},
	{{"--daemon"}, "--daemon needs --control=PATH: nothing else could tell it what to do"},
	{{"--daemon", "--control", "p", "x@y"},
		"--daemon waits for what comes by --control, and takes no URI"},
	{{"--daemon", "--control", "p", "-e", "quit"},
		"--daemon waits for what comes by --control, and takes no --execute"},
	{{"--daemon", "--control", "p", "-i", "stdin"}, "--daemon has no standard input to hear"},
	{{"--daemon", "--control", "p", "-o", "stdout"},
		"--daemon has no standard output to play to"},
	{{"--remote", "p", "x@y"}, "--remote takes commands, no URI: -e 'call x@y'"},
	{{"--remote", "p", "--control", "q"},
		"--control has no effect with --remote: it is for the phone itself"},
	{{"-d", "5", "--remote=p", "-e", "quit"},
		"--duration has no effect with --remote: it is for the phone itself"},
	{{"--answer", "--remote=p"},
		"--answer has no effect with --remote: it is for the phone itself"},
	{{"-e", "quit", "x@y"},
		"--execute goes alone: -e 'call x@y' calls, and with --listen calls ring until -e "
		"answer"},
	{{"--codec", "opus", "x@y"}, "no option --codec; did you mean --codecs?"},
	{{"--codec=opus", "x@y"}, "no option --codec; did you mean --codecs?"},
	{{"--Answer"}, "no option --Answer; did you mean --answer?"},
	{{"--no-colour", "x@y"}, "no option --no-colour; did you mean --no-color?"},
	{{"--dur", "5", "x@y"}, "no option --dur; did you mean --duration?"},
	{{"--help=some"}, "--help: \"some\" is nothing to be helped with; there is --help=all"},
	{{"--help="}, "--help: \"\" is nothing to be helped with; there is --help=all"},
	{{"--xyzzy"}, "no option --xyzzy; sipcall --help=all shows them"},
	{{"--\x1b[31m"}, "no option --\\x1b[31m; sipcall --help=all shows them"},
	{{"--=5"}, "no option --; sipcall --help=all shows them"},
	{{"-x"}, "no option -x; sipcall --help=all shows them"},
	{{"-qx"}, "no option -x; sipcall --help=all shows them"},
	{{"-answer"}, "no option -answer; did you mean --answer?"},
	{{"--d", "5"}, "no option --d; did you mean --duration?"},
	{{"--color"}, "no option --color; did you mean --no-color?"},
	{{"--an"}, "no option --an; did you mean --answer?"},
	{{"--c"}, "no option --c; did you mean --config?"},
	{{"--answer", "-H", "X: y"}, "--header goes with a call of ours only, not with --answer"},
	{{"--answer", "-t", "5"}, "--timeout goes with a call of ours only, not with --answer"},
	{{"--answer", "--answer-code", "486", "-d", "5"},
		"--duration has no effect on calls that are refused"},
	{{"--answer", "--answer-code", "486", "--record", "%n.wav"},
		"--record has no effect on calls that are refused"},
	{{"a@b", "-H", "foo"}, "--header: \"foo\": a header is written as Name: value"},
	{{"a@b", "c@d"}, "one URI at a time; \"c@d\" is too many"},
	{{"a@b", "--", "-c"}, "one URI at a time; \"-c\" is too many"},
	{{"a@b", "\x1b"}, "one URI at a time; \"\\x1b\" is too many"},
	{{"--answer", "a@b"}, "--answer waits for calls and takes no URI; a time goes like --answer=2"},
	{{"a@b", "--answer=2"}, "--answer waits for calls and takes no URI; a time goes like --answer=2"},
	{{"--answer", "2"}, "--answer waits for calls and takes no URI; a time goes like --answer=2"},
	{{"-q", "-v", "a@b"}, "--quiet and --verbose contradict each other"},
	{{"-n", "1", "a@b"}, "--calls goes with --answer only"},
	{{"--max-calls", "1", "a@b"}, "--max-calls is for calls that come, not with one of ours"},
	{{"--reject-anonymous", "a@b"},
		"--reject-anonymous is for calls that come, not with one of ours"},
	{{"--answer", "--anonymous"}, "--anonymous goes with a call of ours only, not with --answer"},
	{{"--answer", "--answer-code=486", "--reject-anonymous"},
		"--reject-anonymous has no effect where all calls are refused"},
	{{"--answer-code", "486", "a@b"}, "--answer-code goes with --answer only"},
	{{"a@b", "-d"}, "--duration needs a value: --duration=SEC"},
	{{"a@b", "--duration"}, "--duration needs a value: --duration=SEC"},
	{{"a@b", "--record", "--json"}, "--record needs a value: --record=FILE"},
	{{"a@b", "-d", "-5"}, "--duration: \"-5\" is no number of seconds"},
	{{"a@b", "-d", "-.5"}, "--duration: \"-.5\" is no number of seconds"},
	{{"a@b", "-d", "-v"}, "--duration needs a value: --duration=SEC"},
	{{"a@b", "--json=yes"}, "--json takes no value"},
	{{"a@b", "--json="}, "--json takes no value"},
	{{"a@b", "-d", "1", "--duration", "2"}, "--duration is given twice"},
	{{"--answer", "--answer=1"}, "--answer is given twice"},
	{{"a@b", "--duration", "abc"}, "--duration: \"abc\" is no number of seconds"},
	{{"a@b", "--duration="}, "--duration: \"\" is no number of seconds"},
	{{"a@b", "-d1s"}, "--duration: \"1s\" is no number of seconds"},
	{{"a@b", "-d=5"}, "--duration: \"=5\" is no number of seconds"},
	{{"a@b", "-d", "1."}, "--duration: \"1.\" is no number of seconds"},
	{{"a@b", "-d", "."}, "--duration: \".\" is no number of seconds"},
	{{"a@b", "-d", ".x"}, "--duration: \".x\" is no number of seconds"},
	{{"a@b", "-d", "1.2.3"}, "--duration: \"1.2.3\" is no number of seconds"},
	{{"a@b", "-d", "1e3"}, "--duration: \"1e3\" is no number of seconds"},
	{{"a@b", "-d", "+1"}, "--duration: \"+1\" is no number of seconds"},
	{{"a@b", "-d", "0.0000000001"}, "--duration: \"0.0000000001\" is no number of seconds"},
	{{"a@b", "-d", "1000001"}, "--duration: \"1000001\" is more than 1000000 seconds"},
	{{"a@b", "-d", "1000000.5"}, "--duration: \"1000000.5\" is more than 1000000 seconds"},
	{{"a@b", "-d", "99999999999999999999"},
		"--duration: \"99999999999999999999\" is more than 1000000 seconds"},
	{{"a@b", "-d", "99999999999999999999x"},
		"--duration: \"99999999999999999999x\" is no number of seconds"},
	{{"a@b", "-d", "9999999.x"}, "--duration: \"9999999.x\" is no number of seconds"},
	{{"a@b", "-t", "0"}, "--timeout: \"0\" leaves no time to answer"},
	{{"a@b", "-t", "soon"}, "--timeout: \"soon\" is no number of seconds"},
	{{"--answer=now"}, "--answer: \"now\" is no number of seconds"},
	{{"--answer="}, "--answer: \"\" is no number of seconds"},
	{{"--answer", "-n", "0"}, "--calls: \"0\" is no number of calls"},
	{{"--answer", "-n", "-1"}, "--calls: \"-1\" is no number of calls"},
	{{"--answer", "--calls=-1"}, "--calls: \"-1\" is no number of calls"},
	{{"--answer", "-n", "1.5"}, "--calls: \"1.5\" is no number of calls"},
	{{"--answer", "-n", "1000001"}, "--calls: \"1000001\" is more than 1000000"},
	{{"--answer", "--max-calls", "x"}, "--max-calls: \"x\" is no number of calls"},
	{{"--answer", "--answer-code", "299"}, "--answer-code: \"299\" refuses nothing; 300 to 699 do"},
	{{"--answer", "--answer-code", "700"}, "--answer-code: \"700\" refuses nothing; 300 to 699 do"},
	{{"--answer", "--answer-code", "busy"}, "--answer-code: \"busy\" refuses nothing; 300 to 699 do"},
	{{"--answer", "--late-offer"},
		"--late-offer goes with a call of ours only, not with --answer"},
	{{"--answer", "--answer-code=486", "--media-timeout=5"},
		"--media-timeout has no effect on calls that are refused"},
	{{"a@b", "--media-timeout", "never"}, "--media-timeout: \"never\" is no number of seconds"},
	{{"a@b", "--dscp-sip", "64"},
		"--dscp-sip: \"64\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--dscp-rtp", "cs8"},
		"--dscp-rtp: \"cs8\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--dscp-rtp", "af14"}, "--dscp-rtp: \"af14\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--dscp-rtp", "af01"}, "--dscp-rtp: \"af01\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--dscp-rtp", "cs"}, "--dscp-rtp: \"cs\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--dscp-rtp", "cs5x"}, "--dscp-rtp: \"cs5x\" is no DSCP; 0 to 63 are, and names like ef, cs5 and af41"},
	{{"a@b", "--pipe-rate", "7999"}, "--pipe-rate: \"7999\" is no rate; 8000 to 48000 are"},
	{{"a@b", "--pipe-rate", "48001"}, "--pipe-rate: \"48001\" is no rate; 8000 to 48000 are"},
	{{"a@b", "--pipe-rate", "16k"}, "--pipe-rate: \"16k\" is no rate; 8000 to 48000 are"},
	{{"--answer", "--answer-code=486", "--hangup-at-eof"},
		"--hangup-at-eof has no effect on calls that are refused"},
	{{"a@b", "-i", ""}, "--mic: SOURCE is empty"},
	{{"a@b", "--speaker="}, "--speaker: SINK is empty"},
	{{"a@b", "--dns-server", "ns.example.org"},
		"--dns-server: \"ns.example.org\" is no IP address, like 192.0.2.53 or 127.0.0.1:5353"},
	{{"a@b", "--stun", "stun.example.org:0"},
		"--stun: \"stun.example.org:0\" is no server, like stun.example.org or 192.0.2.1:3478"},
	{{"a@b", "--stun=stun:stun.example.org"},
		"--stun: \"stun:stun.example.org\" is no server, like stun.example.org or 192.0.2.1:3478"},
	{{"a@b", "--stun", "a b"},
		"--stun: \"a b\" is no server, like stun.example.org or 192.0.2.1:3478"},
	{{"a@b", "--stun="},
		"--stun: \"\" is no server, like stun.example.org or 192.0.2.1:3478"},
	{{"a@b", "--dns-server=127.0.0.1:65536"},
		"--dns-server: \"127.0.0.1:65536\" has a port that is none; 1 to 65535 are"},
	{{"a@b", "--dns-server=fe80::1%2"},
		"--dns-server: \"fe80::1%2\" is good on one link only; give another address of it"},
	{{"a@b", "--dns-server=::1", "--dns-server=::2", "--dns-server=::3", "--dns-server=::4",
		 "--dns-server=::5"},
		"--dns-server: 4 are enough"},
	{{"--answer", "-l", "5060"}, "--listen: \"5060\" is not like udp:127.0.0.1:5060"},
	{{"--answer", "-l", "ws:127.0.0.1:5060"},
		"--listen: \"ws:127.0.0.1:5060\" has a transport that is not there; udp, tcp and tls are"},
	{{"--answer", "-l", "127.0.0.1:5060"},
		"--listen: \"127.0.0.1:5060\" has no transport; write udp:, tcp: or tls: before it, like udp:127.0.0.1:5060"},
	{{"--answer", "-l", "udp:127.0.0.1"},
		"--listen: \"udp:127.0.0.1\" lacks a port; 0 picks a free one"},
	{{"--answer", "-l", "udp:[::1]"}, "--listen: \"udp:[::1]\" lacks a port; 0 picks a free one"},
	{{"--answer", "-l", "udp:localhost:5060"},
		"--listen: \"udp:localhost:5060\" has no IP address with a port, like 127.0.0.1:5060"},
	{{"--answer", "-l", "udp:127.0.0.1:65536"},
		"--listen: \"udp:127.0.0.1:65536\" has a port that is none; 0 to 65535 are"},
	{{"--answer", "-l", "[::1]:5060"},
		"--listen: \"[::1]:5060\" has no transport; write udp:, tcp: or tls: before it, like udp:[::1]:5060"},
	{{"--answer", "-l", "udp:"},
		"--listen: \"udp:\" has no IP address with a port, like 127.0.0.1:5060"},
	{{"--answer", "-ludp:[::]:1", "-ludp:[::]:2", "-ludp:[::]:3", "-ludp:[::]:4", "-ludp:[::]:5",
		"-ludp:[::]:6", "-ludp:[::]:7", "-ludp:[::]:8", "-ludp:[::]:9"},
		"--listen: 8 are enough"},
	{{"a@b", "--script", "s"}, "a script makes its calls by itself; no URI"},
	{{"--answer", "--script", "s"},
		"--answer is not for --script; in it, phone NAME answer makes a phone that answers"},
	{{"--script", "s", "-e", "calls"}, "--execute is not for --script"},
	{{"--script", "s", "--control", "c"}, "--control is not for --script"},
	{{"--script="}, "--script: FILE is empty"},
	{{"--script", "s", "--var", "x"}, "--var: \"x\" is not like NAME=VALUE"},
	{{"--script", "s", "--var", "=x"},
		"--var: \"=x\" begins with no name: letters, digits, \"_\" and \"-\" are"},
	{{"--script", "s", "--var", "a.b=x"},
		"--var: \"a.b=x\" begins with no name: letters, digits, \"_\" and \"-\" are"},
	{{"--script", "s", "--seed", "x"}, "--seed: \"x\" is no seed; a whole number is"},
	{{"--script", "s", "--seed", "18446744073709551616"},
		"--seed: \"18446744073709551616\" is no seed; a whole number is"},
	{{"a@b", "--var", "x=1"}, "--var goes with --script only"},
	{{"a@b", "--check"}, "--check goes with --script only"},
	{{"--virtual"}, "--virtual goes with --script only"},
	{{"a@b", "--seed=1"}, "--seed goes with --script only"},
	{{"--tap", "-"}, "--tap goes with --script only"},
	{{"--answer", "--junit=x"}, "--junit goes with --script only"},
	{{"--script", "s", "--check", "--virtual"}, "--virtual has no effect with --check"},
	{{"--script", "s", "--check", "--tap=x"}, "--tap has no effect with --check"},
	{{"--script", "s", "--tap", "-", "--junit", "-"},
		"either --tap or --junit can have standard output, not both"},
	{{"--script", "s", "--json", "--junit", "-"},
		"--json has standard output; name a file for --junit"},
	{{"a@b", "--country", "xx"},
		"--country: no country xx; there are at au be bg br ca ch cn cz de dk es eu fi fr gb gr hk "
		"hu ie in it jp mx nl no nz pl pt ru se sg tr us za"},
	{{"a@b", "--country", "Sweeden"}, "--country: no country Sweeden; did you mean se?"},
	{{"a@b", "--busy-tone="}, "--busy-tone: FILE is empty"},
	{{"a@b", "--ring-tone", "r.wav"}, "--ring-tone is for calls that come, not with one of ours"},
	{{"a@b", "--waiting-tone", "none"}, "--waiting-tone is for calls that come, not with one of ours"},
	{{"a@b", "--ring-device", "default"}, "--ring-device is for calls that come, not with one of ours"},
	{{"--answer", "--ring-tone", "r.wav"},
		"--ring-tone has no effect on calls that are answered at once; let them ring: --answer=5"},
	{{"--answer=0", "--ring-device", "default"},
		"--ring-device has no effect on calls that are answered at once; let them ring: --answer=5"},
	{{"--answer=5", "--answer-code=486", "--waiting-tone=w.wav"},
		"--waiting-tone has no effect on calls that are refused"},
	{{"--answer=5", "--busy-tone", "b.wav"},
		"--busy-tone goes with a call of ours only, not with --answer"},
	{{"--answer=5", "--ringback-tone", "b.wav"},
		"--ringback-tone goes with a call of ours only, not with --answer"},
	{{"--answer=5", "--failure-tone", "b.wav"},
		"--failure-tone goes with a call of ours only, not with --answer"},
	{{"a@b", "-c"}, "--config needs a value: --config=FILE"},
	{{"a@b", "--config="}, "--config: FILE is empty"},
	{{"a@b", "--check-config"}, "--check-config neither calls nor waits for calls"},
	{{"--check-config", "-e", "quit"},
		"--check-config neither calls nor waits for calls"},
	{{"--check-config", "--answer"}, "--check-config neither calls nor waits for calls"},
	{{"--check-config", "--remote", "x"}, "--remote has no effect with --check-config"},
	{{"--ladder", "--check-config"}, "--ladder has no effect with --check-config"},
	{{"--check-config", "-c", "a", "-q"}, "--quiet has no effect with --check-config"},
	{{"--check-config", "-c", "a", "-c", "b"}, "--config is given twice"},
	{{"a@b", "--codecs", "opuss"}, "--codecs: no codec opuss; did you mean opus?"},
	{{"a@b", "--volume", "loud"}, "--volume: \"loud\" is no number of decibels"},
	{{"a@b", "--volume="}, "--volume: \"\" is no number of decibels"},
	{{"a@b", "--volume", "-"}, "--volume: \"-\" is no number of decibels"},
	{{"a@b", "--volume", "+-6"}, "--volume: \"+-6\" is no number of decibels"},
	{{"a@b", "--volume", "6dB"}, "--volume: \"6dB\" is no number of decibels"},
	{{"a@b", "--volume", "6."}, "--volume: \"6.\" is no number of decibels"},
	{{"a@b", "--volume", "1.25"}, "--volume: \"1.25\" is no number of decibels"},
	{{"a@b", "--volume", "20.1"}, "--volume: \"20.1\" is no volume; -60 to 20 dB are"},
	{{"a@b", "--mic-volume", "-61"}, "--mic-volume: \"-61\" is no volume; -60 to 20 dB are"},
	{{"a@b", "--mic-volume", "99999999999999999999"},
		"--mic-volume: \"99999999999999999999\" is no number of decibels"},
};
/* clang-format on */

static int parse(struct options *out, const char *const args[ARGS_MAX], struct fault *why)
{
	char *argv[ARGS_MAX + 1] = {(char *)"sipcall"};
	int argc = 1;

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[argc++] = (char *)args[i];
	argv[argc] = NULL;
	return options_parse(out, argc, argv, why);
}

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct options options;
		struct fault why = {"(none)"};

		if (parse(&options, wrongs[i].args, &why) != -EINVAL ||
			strcmp(why.words, wrongs[i].words) != 0)
			fail_msg("row %zu: got %s\nexpected %s", i, why.words, wrongs[i].words);
	}
}

/* However much is typed, a message repeats a line's worth of it and keeps its own words. */
static void test_huge(void **state)
{
	static char huge[100000];
	static const char *const before[] = {"-d", "-l", "--codecs", "-H", "a@b"};

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		const char *args[ARGS_MAX] = {before[i], huge};
		struct options options;
		struct fault why;
		size_t len;

		assert_int_equal(parse(&options, args, &why), -EINVAL);
		len = strlen(why.words);
		assert_in_range(len, 120, 240);
		assert_null(strstr(why.words + len - 8, "xxxxxxxx"));
		if (i != 2) /* whose words are codec_list_parse()'s */
			assert_non_null(strstr(why.words, "x..."));
	}
}

/* Reads args, which are right. */
static struct options right(const char *const args[ARGS_MAX])
{
	struct options options;
	struct fault why;

	if (parse(&options, args, &why))
		fail_msg("%s", why.words);
	return options;
}

#define RIGHT(...) right((const char *const[ARGS_MAX]){__VA_ARGS__})

static void test_defaults(void **state)
{
	struct options options = RIGHT("bob@example.org");

	(void)state;
	assert_int_equal(options.action, OPTIONS_RUN);
	assert_string_equal(options.target, "bob@example.org");
	assert_false(options.answer);
	assert_int_equal(options.timeout_ns, 180 * S);
	assert_int_equal(options.duration_ns, 0);
	assert_int_equal(options.answer_code, 0);
	assert_int_equal(options.calls, 0);
	assert_int_equal(options.max_calls, 0);
	assert_null(options.mic);
	assert_null(options.speaker);
	assert_null(options.record);
	assert_true(options.mic_db == 0 && options.speaker_db == 0);
	assert_int_equal(options.codec_count, 0);
	assert_int_equal(options.listen_count, 0);
	assert_int_equal(options.headers_len, 0);
	assert_false(options.json || options.trace || options.quiet || options.no_color);
	assert_false(options.ladder);
	assert_null(options.pcap);
	assert_int_equal(options.verbose, 0);
}

static void test_call(void **state)
{
	struct options options = RIGHT("-d", "0.5", "sip:x@y", "--timeout=20", "-ifile:a.wav", "-o",
		"null", "--record", "-", "--codecs", "pcma,opus", "--json", "--json", "--trace",
		"--ladder", "--pcap", "a.pcap", "-vv", "--no-color");

	(void)state;
	assert_string_equal(options.target, "sip:x@y");
	assert_int_equal(options.duration_ns, 500 * MS);
	assert_int_equal(options.timeout_ns, 20 * S);
	assert_string_equal(options.mic, "file:a.wav");
	assert_string_equal(options.speaker, "null");
	assert_string_equal(options.record, "-");
	assert_string_equal(options.pcap, "a.pcap");
	assert_int_equal(options.codec_count, 2);
	assert_string_equal(options.codecs[0]->key, "pcma");
	assert_string_equal(options.codecs[1]->key, "opus");
	assert_true(options.json && options.trace && options.ladder && options.no_color);
	assert_int_equal(options.verbose, 2);
}

static void test_marks(void **state)
{
	static const struct {
		const char *value;
		unsigned dscp;
	} rows[] = {
		{"0", 0},
		{"63", 63},
		{"ef", 46},
		{"EF", 46},
		{"le", 1},
		{"cs0", 0},
		{"CS5", 40},
		{"cs7", 56},
		{"af11", 10},
		{"AF43", 38},
	};
	struct options options = RIGHT("a@b");

	(void)state;
	assert_int_equal(options.dscp_sip, 40);
	assert_int_equal(options.dscp_rtp, 46);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		options = RIGHT("a@b", "--dscp-sip", rows[i].value);
		assert_int_equal(options.dscp_sip, rows[i].dscp);
		assert_int_equal(options.dscp_rtp, 46);
	}
}

static void test_answer(void **state)
{
	struct options options = RIGHT("--answer", "-n3", "--max-calls=2", "--answer-code", "603",
		"-l", "udp:127.0.0.1:0", "--listen", "TCP:[::1]:5070", "-q",
		"--dns-server=192.0.2.53", "--dns-server", "[::1]:5353");

	(void)state;
	assert_true(options.answer);
	assert_null(options.target);
	assert_int_equal(options.answer_after_ns, 0);
	assert_int_equal(options.calls, 3);
	assert_int_equal(options.max_calls, 2);
	assert_int_equal(options.answer_code, 603);
	assert_int_equal(options.dns_server_count, 2);
	assert_int_equal(options.dns_servers[0].family, ADDR_IPV4);
	assert_int_equal(options.dns_servers[0].port, 0);
	assert_int_equal(options.dns_servers[1].family, ADDR_IPV6);
	assert_int_equal(options.dns_servers[1].port, 5353);
	assert_int_equal(options.listen_count, 2);
	assert_int_equal(options.listen[0].kind, SIP_UDP);
	assert_int_equal(options.listen[0].address.family, ADDR_IPV4);
	assert_int_equal(options.listen[0].address.port, 0);
	assert_int_equal(options.listen[1].kind, SIP_TCP);
	assert_int_equal(options.listen[1].address.family, ADDR_IPV6);
	assert_int_equal(options.listen[1].address.port, 5070);
	assert_true(options.quiet);
	assert_int_equal(RIGHT("--answer", "--answer-code=300").answer_code, 300);
	assert_int_equal(RIGHT("--answer", "--answer-code=699").answer_code, 699);
	assert_int_equal(RIGHT("--answer", "-n1000000").calls, 1000000);
}

static void test_volume(void **state)
{
	static const struct {
		const char *text;
		double db;
	} rows[] = {{"0", 0}, {"-6", -6}, {"+6", 6}, {"6", 6}, {"-12.5", -12.5}, {"0.1", 0.1},
		{"-60", -60}, {"20", 20}, {"20.0", 20}, {"-0", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options = RIGHT("--volume", rows[i].text, "a@b");

		assert_true(options.speaker_db == rows[i].db && options.mic_db == 0);
	}
	assert_true(RIGHT("--answer", "--mic-volume=-3").mic_db == -3);
}

static void test_far_end(void **state)
{
	(void)state;
	assert_true(RIGHT("a@b").silence_ns == 60 * NS_PER_S);
	assert_true(RIGHT("a@b", "--media-timeout", "0.5").silence_ns == NS_PER_S / 2);
	assert_true(RIGHT("--answer", "--media-timeout=0").silence_ns == 0);
	assert_false(RIGHT("a@b").late_offer);
	assert_true(RIGHT("a@b", "--late-offer").late_offer);
}

static void test_tones(void **state)
{
	struct options options = RIGHT("a@b", "--country=JP", "--busy-tone=b.wav", "--failure-tone",
		"none", "--ringback-tone", "r.ogg");

	(void)state;
	assert_string_equal(tone_plan_name(options.country), "Japan");
	assert_string_equal(options.tones[RINGER_BUSY], "b.wav");
	assert_string_equal(options.tones[RINGER_FAILURE], RINGER_NONE);
	assert_string_equal(options.tones[RINGER_RINGBACK], "r.ogg");
	assert_null(options.tones[RINGER_RING]);

	options = RIGHT("--answer=.5", "--ring-tone=r.wav", "--waiting-tone=w.wav", "--ring-device",
		"device:Bell");
	assert_null(options.country);
	assert_string_equal(options.tones[RINGER_RING], "r.wav");
	assert_string_equal(options.tones[RINGER_WAITING], "w.wav");
	assert_string_equal(options.ring_device, "device:Bell");
}

static void test_seconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{"1", S},
		{"1.5", 1500 * MS},
		{".5", 500 * MS},
		{"0.000000001", 1},
		{"2.25", 2250 * MS},
		{"007", 7 * S},
		{"1.0", S},
		{"999999.999999999", 1000000 * S - 1},
		{"1000000", 1000000 * S},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options = RIGHT("a@b", "-d", rows[i].text);

		if (options.duration_ns != rows[i].ns)
			fail_msg("%s: got %llu ns", rows[i].text,
				(unsigned long long)options.duration_ns);
	}
	assert_int_equal(RIGHT("--answer=0").answer_after_ns, 0);
	assert_int_equal(RIGHT("--answer=0.25").answer_after_ns, 250 * MS);
	assert_int_equal(RIGHT("a@b", "-d0").duration_ns, 1); /* at once, which is not never */
}

static void test_operand_after_dashes(void **state)
{
	(void)state;
	assert_string_equal(RIGHT("-q", "--", "--answer").target, "--answer");
	assert_string_equal(RIGHT("--", "-").target, "-");
	assert_string_equal(RIGHT("-").target, "-");
}

static void test_headers(void **state)
{
	struct options options = RIGHT("a@b", "-H", "X-One: 1", "--header", "X-Two:  two words");
	static const char *const bad[] = {"X", "Via: x", "X: a\r\nY: b", "X Y: z", ": z"};
	char longest[OPTIONS_HEADERS_SIZE];

	(void)state;
	assert_string_equal(options.headers, "X-One: 1\r\nX-Two:  two words\r\n");
	assert_int_equal(options.headers_len, strlen(options.headers));

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *args[ARGS_MAX] = {"a@b", "-H", bad[i]};
		struct fault why;

		assert_int_equal(parse(&options, args, &why), -EINVAL);
		assert_memory_equal(why.words, "--header: \"", 11);
		assert_null(strpbrk(why.words, "\r\n"));
	}

	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "X: ", 3);
	longest[OPTIONS_HEADERS_SIZE - 3] = '\0'; /* with CRLF and NUL it just fits */
	assert_int_equal(RIGHT("a@b", "-H", longest).headers_len, OPTIONS_HEADERS_SIZE - 1);
	longest[OPTIONS_HEADERS_SIZE - 3] = 'x';
	longest[OPTIONS_HEADERS_SIZE - 2] = '\0';
	{
		const char *args[ARGS_MAX] = {"a@b", "-H", longest};
		struct fault why;

		assert_int_equal(parse(&options, args, &why), -EINVAL);
		assert_string_equal(why.words, "--header: that is more than 4 kB of headers");
	}
}

static void test_asking(void **state)
{
	(void)state;
	assert_int_equal(RIGHT("--help").action, OPTIONS_HELP);
	assert_int_equal(RIGHT("-qh").action, OPTIONS_HELP);
	assert_int_equal(RIGHT("--help", "all").action, OPTIONS_HELP);
	assert_int_equal(RIGHT("--help=all").action, OPTIONS_HELP_ALL);
	assert_int_equal(RIGHT("a@b", "--version", "--nonsense").action, OPTIONS_VERSION);
	assert_int_equal(RIGHT("-q", "--list-codecs").action, OPTIONS_LIST_CODECS);
	assert_int_equal(RIGHT("--check-config", "--version", "--x").action, OPTIONS_VERSION);
	assert_int_equal(RIGHT("--check-config").action, OPTIONS_CHECK_CONFIG);
	assert_string_equal(RIGHT("--check-config", "-c", "a.conf").config, "a.conf");
}

/* What comes from elsewhere is read alike, and is not what was given. */
static void test_script(void **state)
{
	static const char *const args[ARGS_MAX] = {"--script", "-", "--var", "a=1", "--var",
		"b=", "--virtual", "--seed", "18446744073709551615", "--tap", "-", "--junit",
		"j.xml"};
	static const char *const words[] = {"mic=tone:440", "answer", "codecs=gsm,pcma",
		"listen=udp:127.0.0.1:0", "listen=tcp:127.0.0.1:0", "late-offer"};
	struct options options, phone;
	struct fault why;
	size_t bad;

	(void)state;
	assert_int_equal(parse(&options, args, &why), 0);
	assert_int_equal(options_mode(&options), OPTIONS_SCRIPT);
	assert_string_equal(options.script, "-");
	assert_int_equal(options.var_count, 2);
	assert_string_equal(options.vars[0], "a=1");
	assert_string_equal(options.vars[1], "b=");
	assert_true(options.in_virtual && !options.check);
	assert_true(options.seed == UINT64_MAX);
	assert_string_equal(options.tap, "-");
	assert_string_equal(options.junit, "j.xml");

	phone = options;
	assert_int_equal(options_phone(&phone, words, 6, &bad, &why), 0);
	assert_string_equal(phone.mic, "tone:440");
	assert_true(phone.answer && phone.answer_after_ns == 0 && phone.late_offer);
	assert_int_equal(phone.codec_count, 2);
	assert_int_equal(phone.listen_count, 2);
}

static void test_set(void **state)
{
	struct options options = RIGHT("a@b", "-i", "silence");
	struct fault why;

	(void)state;
	assert_true(options_given(&options, "mic") && !options_given(&options, "mic-volume"));
	assert_int_equal(options_set(&options, "mic-volume", "-3", "mic_volume", &why), 0);
	assert_true(options.mic_db == -3 && !options_given(&options, "mic-volume"));
	assert_int_equal(options_set(&options, "mic-volume", "x", "mic_volume", &why), -EINVAL);
	assert_string_equal(why.words, "mic_volume: \"x\" is no number of decibels");
	assert_int_equal(options_set(&options, "record", "", "record", &why), -EINVAL);
	assert_string_equal(why.words, "record: FILE is empty");
}

/* Fits a screen's width, and has nothing but whole lines. How many. */
static size_t help_lines(const struct text *text)
{
	struct slice rest = text_slice(text);
	struct slice line;
	size_t count = 0;

	assert_false(text->cut);
	assert_int_equal(rest.data[rest.len - 1], '\n');
	for (; slice_cut(&line, &rest, '\n'); count++)
		if (columns_count(line) > 80)
			fail_msg("too wide: %.*s", (int)line.len, (const char *)line.data);
	assert_int_equal(rest.len, 0);
	return count;
}

static void test_help(void **state)
{
	char room[OPTIONS_HELP_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	options_help(&text);
	assert_in_range(help_lines(&text), 18, 24); /* what a screen has */
	assert_non_null(strstr(room, "--help=all"));
	assert_null(strstr(room, "\nSound:\n"));
}

static void test_help_all(void **state)
{
	static const char *const some[] = {
		"\n      --answer[=SEC]        ",
		"\n  -d, --duration SEC        ",
		"\n  -l, --listen udp:ADDR:PORT  where",
		"\n  -H, --header 'X: y'       ",
		"\n  -h, --help[=all]          ",
		"\nSound:\n",
		"\n    5  busy or declined: 486, 600, 603\n",
		"\n  143  ",
	};
	char room[OPTIONS_HELP_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	options_help_all(&text);
	(void)help_lines(&text);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (!strstr(room, some[i]))
			fail_msg("no \"%s\" in:\n%s", some[i], room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_far_end),
		cmocka_unit_test(test_tones),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_operand_after_dashes),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_asking),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_all),
	};

	return cmocka_run_group_tests_name("cmd/settings/options", tests, NULL, NULL);
}
