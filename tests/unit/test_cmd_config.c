/* cmd/settings/config: each text with what it comes to, or with every line against it; files that
 * are there and that are not; what of it has an effect on which command line. */
#include "cmd/settings/config.h"

#include "cmd/settings/config_account.h"
#include "core/base/loop.h"
#include "tests/unit/scarce.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TOLD_SIZE = 16384, ARGS_MAX = 12, PATH_SIZE = 200 };

#define HEAD "[sipcall]\n"
#define PEOPLE "[contacts]\n"

/* clang-format off */
static const struct {
	const char *text;
	size_t settings, contacts;
} rights[] = {
	{"", 0, 0},
	{"\n\n# nothing\n;\n", 0, 0},
	{"\xef\xbb\xbf" HEAD "mic = silence", 1, 0},
	{HEAD "mic = silence\r\nspeaker=null\r\n", 2, 0},
	{HEAD HEAD PEOPLE HEAD "mic = loop\n" PEOPLE "bob = a@b\n", 1, 1},
	{HEAD "mic = device:no such thing\nspeaker = file:/no/such/folder/x.wav\n", 2, 0},
	{HEAD "mic = exec:cat x.raw ; echo # done\npipe_rate = 8000\n", 2, 0},
	{HEAD "timeout = 20\nmedia_timeout = 0\nmax_calls = 3\n", 3, 0},
	{HEAD "record = /tmp/%t-%n.wav\nvolume = +3\nmic_volume = -12.5\n", 3, 0},
	{HEAD "codecs = opus,pcma\ncountry = de\n", 2, 0},
	{HEAD "busy_tone = none\nring_tone = /no/such.wav\nring_device = device:Bell\n", 3, 0},
	{HEAD "listen = udp:127.0.0.1:5070\nlisten = tcp:[::1]:5070\n", 2, 0},
	{HEAD "dns_server = 192.0.2.53\ndns_server = [::1]:5353\n", 2, 0},
	{HEAD "dscp_sip = 0\ndscp_rtp = af41\n", 2, 0},
	{HEAD "on_event = a = b : c ; d # e\non_call_ended = \"x y\" z\non_listening=:\n", 3, 0},
	{"[account work]\naddress = a@b\npassword = x y;z\nexpires = 60\nallow_md5 = no\n"
	 "nat_contact = no\nkeep_alive = 30\noutbound = no\ngruu = no\nregister = yes\ntransport = wss\ndisplay = A \"B\"\nrealm = b\nproxy = sip:p;transport=tcp\n"
	 "[account at home]\naddress = sip:c@d\nregistrar = 192.0.2.1\nauth_user = e\n",
		16, 0},
	{"[account w]\naddress = a@b\npreferred_identity = \"A\" <tel:+1>\nanonymous = yes\n"
	 "dial = 0. -> +49.\ncountry_code = 49\ndial = 9. -> .\nemergency = 115, 116\n",
		7, 0},
	{HEAD "anonymous = no\nreject_anonymous = yes\n", 2, 0},
	{PEOPLE "bob = 0171 234-5\ncarol = tel:+49-30\n", 0, 2},
	{PEOPLE "bob = a@b\n\"Carol Example\" = \"C\" <sip:c@d;transport=tcp>\nDave E: d@e\n", 0, 3},
};

static const struct {
	const char *text;
	const char *told; /* lines */
} wrongs[] = {
	{"mic = silence\nspeaker = null\n[x]\n",
		"f:1: mic stands in no section; write [sipcall] above it\n"
		"f:3: no section x; man sipcall.conf has them all\n"},
	{"[account]\n[account  ]\nx = 1\n[account a]\n[account a]\nx=1\n[accounts b]\n",
		"f:1: an account needs a name: [account work]\n"
		"f:2: an account needs a name: [account work]\n"
		"f:5: an account of that name is there already\n"
		"f:7: no section accounts b; man sipcall.conf has them all\n"
		"f:4: an account needs an address: address = alice@example.org\n"},
	{"[account a]\naddress = bob\naddress = a@b\nadress = a@b\nregister = on\nexpires = 1h\n"
	 "keep_alive = 4\n"
	 "realm =\nregistrar = mailto:x\npassword = a\npassword_command = b\n",
		"f:2: address: a name alone says nothing of where: write NAME@HOST\n"
		"f:3: address is given twice\n"
		"f:4: no key adress; did you mean address?\n"
		"f:5: register: yes or no\n"
		"f:6: expires: seconds, 60 to 86400\n"
		"f:7: keep_alive: no, or seconds, 5 to 3600\n"
		"f:8: realm: there is nothing behind it\n"
		"f:9: registrar: not a SIP address: mailto\n"
		"f:1: password or password_command, not both\n"},
	{"[account a]\naddress = a@b\ndial = 0. -> +49.\ndial = 9[5-2]. -> .\ndial = 0\n"
	 "country_code = 049\ncountry_code = 49\nemergency = 115, help\nanonymous = 1\n"
	 "preferred_identity = bob\n",
		"f:4: dial: a range goes up, as in [2-9]\n  9[5-2]. -> .\n     ^\n"
		"f:5: dial: a rule is written as PATTERN -> REPLACEMENT, like 0. -> +49.\n  0\n   ^\n"
		"f:6: country_code: the code of a country, like 49: one to three digits, without "
		"+ and 00\n  049\n  ^\n"
		"f:7: country_code is given twice\n"
		"f:8: emergency: numbers, parted by commas: 112, 110\n  115, help\n      ^\n"
		"f:9: anonymous: yes or no\n"
		"f:10: preferred_identity: a name alone says nothing of where: write NAME@HOST\n"},
	{HEAD "anonymous = on\nreject_anonymous = \n",
		"f:2: anonymous: yes or no\nf:3: reject_anonymous: yes or no\n"},
	{"[sipcal]\nx = y\nz\n[Contacts]\n[sipcall ]\n",
		"f:1: no section sipcal; did you mean sipcall?\n"
		"f:3: neither NAME = VALUE nor [SECTION]: z\n"
		"f:4: no section Contacts; did you mean contacts?\n"
		"f:5: no section sipcall ; did you mean sipcall?\n"},
	{HEAD "mik = silence\nMic = silence\nmic-volume = 3\nxyzzy = 1\n= 1\n",
		"f:2: no key mik; did you mean mic?\n"
		"f:3: no key Mic; did you mean mic?\n"
		"f:4: no key mic-volume; did you mean mic_volume?\n"
		"f:5: no key xyzzy; man sipcall.conf has them all\n"
		"f:6: no key ; man sipcall.conf has them all\n"},
	{HEAD "answer = 1\nduration = 3\njson = yes\nheader = X: y\n",
		"f:2: no key answer; man sipcall.conf has them all\n"
		"f:3: no key duration; man sipcall.conf has them all\n"
		"f:4: no key json; man sipcall.conf has them all\n"
		"f:5: no key header; man sipcall.conf has them all\n"},
	{HEAD "on_call_end = x\non_call_meter = x\non_event =\n",
		"f:2: no key on_call_end; did you mean on_call_held?\n"
		"f:3: no key on_call_meter; did you mean on_call_muted?\n"
		"f:4: on_event: COMMAND is empty\n"},
	{HEAD "mic = silence\n\nmic = silence\n[sipcall]\non_event = x\non_event = y\n",
		"f:4: mic is given twice\nf:7: on_event is given twice\n"},
	{HEAD "mic = slience\nmic = loop\nspeaker =\n",
		"f:2: mic: no source slience; did you mean silence?\n"
		"f:3: mic is given twice\n"
		"f:4: speaker: SINK is empty\n"},
	{HEAD "codecs = opus,opsu\ncountry = Sweeden\nvolume = loud\nmedia_timeout = never\n",
		"f:2: codecs: no codec opsu; did you mean opus?\n"
		"f:3: country: no country Sweeden; did you mean se?\n"
		"f:4: volume: \"loud\" is no number of decibels\n"
		"f:5: media_timeout: \"never\" is no number of seconds\n"},
	{HEAD "record = /tmp/%n.wav\n",
		"f:2: record: each call needs a file of its own, in each run: use %t in its name\n"},
	{HEAD "ring_device = null\nlisten = 5060\ndns_server = 53\n",
		"f:2: ring_device: calls ring at default or device:NAME only\n"
		"f:3: listen: \"5060\" is not like udp:127.0.0.1:5060\n"
		"f:4: dns_server: \"53\" is no IP address, like 192.0.2.53 or 127.0.0.1:5353\n"},
	{PEOPLE "bob = a@b\n\"Bob\" = c@d\n\"al = a@b\n\"\" = a@b\nal = al\n",
		"f:3: \"Bob\" is given twice\n"
		"f:4: the quote around the name is not closed before = or :\n"
		"f:5: a contact needs a name\n"
		"f:6: al: a name alone says nothing of where: write NAME@HOST\n"},
	{HEAD "mic = \x1b[31m\n", "f:2: this is no text file: it holds the byte 0x1b\n"},
	{HEAD "mic = silence\rspeaker = null\n", "f:2: this is no text file: it holds the byte 0x0d\n"},
	{"\x7f" "ELF\n\n\x01\n", "f:1: this is no text file: it holds the byte 0x7f\n"},
};
/* clang-format on */

static char folder[] = "/tmp/cmd_config.XXXXXX";

static void on_told(void *arg, const char *line)
{
	struct text *told = arg;

	text_printf(told, "%s\n", line);
}

static int parse(struct config **out, struct slice text, struct text *told)
{
	const struct config_reader reader = {.tell = on_told, .arg = told};

	return config_parse(out, "f", text, &reader);
}

static struct config *right(const char *text)
{
	char room[TOLD_SIZE];
	struct text told = TEXT_IN(room);
	struct config *config;

	if (parse(&config, slice_of(text), &told))
		fail_msg("%s", room);
	assert_int_equal(told.len, 0);
	return config;
}

static void test_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		struct config *config = right(rights[i].text);

		assert_true(config_is_there(config));
		assert_string_equal(config_name(config), "f");
		if (config_settings(config) != rights[i].settings ||
			contacts_count(config_contacts(config)) != rights[i].contacts)
			fail_msg("row %zu: %zu settings, %zu contacts", i, config_settings(config),
				contacts_count(config_contacts(config)));
		config_free(config);
	}
}

static void expect_wrong(struct slice text, const char *expected)
{
	char room[TOLD_SIZE];
	struct text told = TEXT_IN(room);
	struct config *config;

	assert_int_equal(parse(&config, text, &told), -EINVAL);
	assert_null(config);
	assert_string_equal(room, expected);
}

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		expect_wrong(slice_of(wrongs[i].text), wrongs[i].told);
}

static void test_nul(void **state)
{
	static const uint8_t text[] = HEAD "mic = silence\0\n";

	(void)state;
	expect_wrong((struct slice){text, sizeof(text) - 1},
		"f:2: this is no text file: it holds the byte 0x00\n");
}

/* Each cap, on its two sides. */
static void test_large(void **state)
{
	static uint8_t text[CONFIG_SIZE_MAX + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	config_free(right(""));
	expect_wrong((struct slice){text, CONFIG_LINES_MAX},
		"f: more than 262144 lines are no configuration\n");
	expect_wrong(
		(struct slice){text, sizeof(text)}, "f: more than 16 MiB is no configuration\n");

	memset(text, 'x', sizeof(text));
	text[0] = '#';
	text[CONFIG_LINE_MAX] = '\0';
	config_free(right((const char *)text));
	text[CONFIG_LINE_MAX] = 'x';
	text[CONFIG_LINE_MAX + 1] = '\0';
	expect_wrong(slice_of((const char *)text), "f:1: the line is longer than 4096 bytes\n");
}

/* As many as a load generator has; in order, and each once. */
static void test_many_accounts(void **state)
{
	enum { ACCOUNTS = 10000, ACCOUNT_SIZE = 48 };
	char *room = malloc(ACCOUNTS * ACCOUNT_SIZE);
	struct text text = text_in(room, ACCOUNTS * ACCOUNT_SIZE);
	const struct config_account *account = NULL;
	struct config *config;
	char name[ACCOUNT_SIZE];

	(void)state;
	assert_non_null(room);
	for (int i = 0; i < ACCOUNTS; i++)
		text_printf(&text, "[account n%d]\naddress = u%d@b\n", i, i);
	config = right(room);
	assert_int_equal(config_accounts(config), ACCOUNTS);
	for (int i = 0; (account = config_account_next(config, account)); i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_string_equal(account->name, name);
	}
	config_free(config);

	text_puts(&text, "[account n4711]\naddress = u@b\n");
	assert_false(text.cut);
	expect_wrong(text_slice(&text), "f:20001: an account of that name is there already\n");
	free(room);
}

/* What options come to with a configuration. */
static struct options with(struct config *config, const char *const args[ARGS_MAX])
{
	char *argv[ARGS_MAX + 1] = {(char *)"sipcall"};
	struct options options;
	struct fault why;
	int argc = 1;

	while (argc <= ARGS_MAX && args[argc - 1]) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	if (options_parse(&options, argc, argv, &why))
		fail_msg("%s", why.words);
	config_apply(config, &options);
	return options;
}

#define WITH(...) with(config, (const char *const[ARGS_MAX]){__VA_ARGS__})

static void test_apply(void **state)
{
	struct config *config = right(
		HEAD "mic = silence\nspeaker = exec:cat\npipe_rate = 8000\ncodecs = "
		     "opus,pcma\nvolume = 3\n"
		     "timeout = 5\nmedia_timeout = 0\nmax_calls = 2\ncountry = de\n"
		     "listen = udp:127.0.0.1:5070\nlisten = tcp:127.0.0.1:5070\nrecord = %t.wav\n"
		     "dns_server = 192.0.2.53\nstun_server = stun.example.org\n"
		     "dscp_sip = af31\ndscp_rtp = 0\nanonymous = yes\nreject_anonymous = yes\n");
	struct options options = WITH("a@b");

	(void)state;
	assert_string_equal(options.mic, "silence");
	assert_string_equal(options.speaker, "exec:cat");
	assert_int_equal(options.pipe_rate, 8000);
	assert_int_equal(options.codec_count, 2);
	assert_true(options.speaker_db == 3);
	assert_int_equal(options.timeout_ns, 5 * NS_PER_S);
	assert_int_equal(options.silence_ns, 0);
	assert_string_equal(tone_plan_name(options.country), "Germany");
	assert_string_equal(options.record, "%t.wav");
	assert_int_equal(options.dns_server_count, 1);
	assert_int_equal(options.listen_count, 0); /* one call: any port */
	assert_int_equal(options.max_calls, 0);
	assert_string_equal(options.stun, "stun.example.org");
	assert_int_equal(options.dscp_sip, 26);
	assert_int_equal(options.dscp_rtp, 0);
	assert_true(options.anonymous);
	assert_false(options.reject_anonymous);

	options = WITH("--answer");
	assert_true(options.reject_anonymous);
	assert_false(options.anonymous);
	assert_int_equal(options.listen_count, 2);
	assert_int_equal(options.max_calls, 2);
	assert_int_equal(options.timeout_ns, OPTIONS_TIMEOUT_S * NS_PER_S);

	options = WITH("--answer", "-l", "udp:127.0.0.1:0", "--codecs=gsm", "--max-calls=9",
		"--media-timeout=7", "-o", "null");
	assert_int_equal(options.listen_count, 1);
	assert_int_equal(options.codec_count, 1);
	assert_int_equal(options.max_calls, 9);
	assert_int_equal(options.silence_ns, 7 * NS_PER_S);
	assert_string_equal(options.speaker, "null");
	assert_int_equal(options.pipe_rate, 0); /* there is no pipe any more */

	options = WITH("--answer", "--answer-code=486");
	assert_null(options.record);
	config_free(config);
}

static void test_tones(void **state)
{
	struct config *config = right(HEAD "busy_tone = b.wav\nring_tone = none\nring_device = "
					   "device:Bell\nwaiting_tone=w.wav\n");
	struct options options = WITH("a@b");

	(void)state;
	assert_string_equal(options.tones[RINGER_BUSY], "b.wav");
	assert_null(options.tones[RINGER_RING]);
	assert_null(options.ring_device);
	assert_null(WITH("a@b", "-o", "null").tones[RINGER_BUSY]);
	assert_null(WITH("--answer").ring_device);
	assert_null(WITH("--answer=5", "--answer-code=486").tones[RINGER_RING]);

	options = WITH("--answer=5", "-o", "null");
	assert_null(options.tones[RINGER_BUSY]);
	assert_string_equal(options.ring_device, "device:Bell");
	assert_string_equal(options.tones[RINGER_RING], RINGER_NONE);
	assert_string_equal(options.tones[RINGER_WAITING], "w.wav");
	config_free(config);
}

static void test_home(void **state)
{
	struct config *config;
	struct options options;

	(void)state;
	setenv("HOME", "/home/x", 1);
	config = right(HEAD "mic = file:~/m.wav\nrecord = ~/%t.wav\nbusy_tone = ~x/b.wav\n");
	options = WITH("a@b");
	assert_string_equal(options.mic, "file:/home/x/m.wav");
	assert_string_equal(options.record, "/home/x/%t.wav");
	assert_string_equal(options.tones[RINGER_BUSY], "~x/b.wav");
	config_free(config);
}

static void test_hooks(void **state)
{
	struct config *config = right(HEAD "on_call_ended = x ; y\non_event = z\n");
	char room[CONFIG_KEY_SIZE];

	(void)state;
	assert_string_equal(config_hook(config, UA_CALL_ENDED), "x ; y");
	assert_string_equal(config_hook(config, CONFIG_ANY_EVENT), "z");
	assert_null(config_hook(config, UA_CALL_INCOMING));
	assert_string_equal(config_hook_key(room, UA_CALL_INCOMING), "on_call_incoming");
	assert_null(config_hook_key(room, UA_CALL_METER));
	config_free(config);
}

static void put_file(char path[static PATH_SIZE], const char *name, const char *text)
{
	int fd;

	snprintf(path, PATH_SIZE, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int read_file(struct config **out, const char *path, bool all, struct text *told)
{
	const struct config_reader reader = {.tell = on_told, .arg = told, .all = all};

	return config_read(out, path, &reader);
}

static void test_files(void **state)
{
	char path[PATH_SIZE], room[TOLD_SIZE], expected[TOLD_SIZE];
	struct text told = TEXT_IN(room);
	struct config *config;

	(void)state;
	setenv("XDG_CONFIG_HOME", folder, 1);
	assert_int_equal(read_file(&config, NULL, false, &told), 0); /* it need not be there */
	assert_false(config_is_there(config));
	snprintf(path, sizeof(path), "%s/sipcall/sipcall.conf", folder);
	assert_string_equal(config_name(config), path);
	assert_int_equal(config_settings(config), 0);
	config_free(config);

	assert_int_equal(read_file(&config, "/no/such", false, &told), -EINVAL);
	assert_string_equal(room, "/no/such: No such file or directory\n");
	told = TEXT_IN(room);
	assert_int_equal(read_file(&config, folder, false, &told), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: Is a directory\n", folder);
	assert_string_equal(room, expected);

	/* what a call may never need is asked for only if all is to be known */
	put_file(path, "a.conf", HEAD "mic = file:/no/such.wav\nring_tone = /no/such.wav\n");
	told = TEXT_IN(room);
	assert_int_equal(read_file(&config, path, false, &told), 0);
	config_free(config);
	assert_int_equal(read_file(&config, path, true, &told), -EINVAL);
	assert_non_null(strstr(room, "/a.conf:2: mic: "));
	assert_non_null(strstr(room, "/a.conf:3: ring_tone: "));
}

/* Each allocation fails in turn: nothing is told that is not so, and nothing leaks. */
static void test_no_memory(void **state)
{
	char path[PATH_SIZE], room[TOLD_SIZE];
	struct text told = TEXT_IN(room);
	struct config *config;
	size_t allowed = 0;
	int err;

	(void)state;
	put_file(path, "b.conf",
		HEAD "mic = silence\nrecord = ~/%t.wav\non_event = x\n" PEOPLE "bob = a@b\n");
	do {
		allocations_left = allowed++;
		err = read_file(&config, path, false, &told);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(told.len, 0);
		config_free(config);
	} while (err);
	assert_true(allowed > 10);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"a.conf", "b.conf"};
	char path[PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many_accounts),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_tones),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/settings/config", tests, set_up, tear_down);
}
