/*
 * core/net: TLS over the simulated world's TCP, which cuts bytes anywhere and in which 5 s take no
 * time. The certificates are made by tests/certificates.sh.
 */
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/net/tls.h"
#include "tests/unit/scarce.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LIMIT_S = 60, BIG = 300000, PATH_SIZE = 256 };

static char folder[] = "/tmp/sipcall-tls-XXXXXX";

struct end {
	struct tcp *tcp;
	size_t came, connects, closes;
	bool wrong;
	int err;
	char words[FAULT_SIZE];
	char frees_at; /* the event at which it frees itself */
};

struct stage {
	struct world *world;
	struct loop *loop;
	struct tcp_listener *listener;
	struct addr at;
	struct tls *ours, *theirs; /* theirs: NULL: they speak no TLS */
	struct end a, b;           /* who connects, and who accepts */
};

static void act(struct end *end, char what)
{
	if (end->frees_at != what)
		return;
	tcp_free(end->tcp);
	end->tcp = NULL;
}

static void connected(void *arg)
{
	((struct end *)arg)->connects++;
	act(arg, 'c');
}

static void received(void *arg, struct slice bytes)
{
	struct end *end = arg;

	for (size_t i = 0; i < bytes.len; i++)
		end->wrong |= bytes.data[i] != (uint8_t)((end->came + i) % 251);
	end->came += bytes.len;
	act(end, 'r');
}

static void closed(void *arg, int err)
{
	struct end *end = arg;

	end->err = err;
	end->closes++;
	snprintf(end->words, sizeof(end->words), "%s", tls_words(end->tcp));
	act(end, 'x');
}

static void closed_plain(void *arg, int err)
{
	struct end *end = arg;

	end->err = err;
	end->closes++;
}

static const struct tcp_events events = {connected, received, closed};
static const struct tcp_events plain_events = {connected, received, closed_plain};

static void accepted(void *arg, struct tcp *tcp)
{
	struct stage *stage = arg;

	assert_null(stage->b.tcp);
	if (stage->theirs && tls_accept(&tcp, stage->theirs, stage->loop, tcp))
		return;
	stage->b.tcp = tcp;
	tcp_start(tcp, stage->theirs ? &events : &plain_events, &stage->b);
}

static int set_up(void **state)
{
	const struct world_config config = {.seed = 7};
	struct addr host = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
	struct stage *stage = calloc(1, sizeof(*stage));
	struct world_host *on;

	alarm(LIMIT_S);
	assert_non_null(stage);
	assert_int_equal(world_new(&stage->world, &config), 0);
	assert_int_equal(world_host_new(&on, stage->world, &host), 0);
	assert_int_equal(world_loop_new(&stage->loop, on), 0);
	*state = stage;
	return 0;
}

static void drop(struct stage *stage)
{
	tcp_free(stage->a.tcp);
	tcp_free(stage->b.tcp);
	tcp_listener_free(stage->listener);
	tls_free(stage->ours);
	tls_free(stage->theirs);
	stage->listener = NULL;
	stage->ours = stage->theirs = NULL;
	stage->a = stage->b = (struct end){0};
}

static void run_for(struct stage *stage, uint64_t ns)
{
	world_run(stage->world, world_now(stage->world) + ns);
}

/* Nothing is left behind. */
static int tear_down(void **state)
{
	struct stage *stage = *state;
	struct world_left left;

	allocations_left = SIZE_MAX;
	drop(stage);
	run_for(stage, 600 * NS_PER_S);
	world_left(&left, stage->world);
	assert_int_equal(left.timers, 0);
	assert_int_equal(left.connections, 0);
	world_loop_free(stage->loop);
	world_free(stage->world);
	free(stage);
	alarm(0);
	return 0;
}

static const char *path_of(char out[static PATH_SIZE], const char *name, const char *kind)
{
	if (!name)
		return NULL;
	snprintf(out, PATH_SIZE, "%s/%s.%s", folder, name, kind);
	return out;
}

static int make(struct tls **out, const char *authority, const char *certificate, const char *key,
	struct fault *why)
{
	char rooms[3][PATH_SIZE];
	const struct tls_config config = {
		.ca_file = path_of(rooms[0], authority, "pem"),
		.certificate = path_of(rooms[1], certificate, "pem"),
		.key = path_of(rooms[2], key, "key"),
	};

	return tls_new(out, &config, why);
}

static void listen_anywhere(struct stage *stage)
{
	const struct addr local = {ADDR_IPV4, 0, 0, {127, 0, 0, 1}};

	assert_int_equal(
		loop_tcp_listen(&stage->listener, stage->loop, &local, accepted, stage), 0);
	tcp_listener_local(&stage->at, stage->listener);
}

static int try_connect(struct stage *stage, const char *host)
{
	const struct addr any = {0};

	return tls_connect(&stage->a.tcp, stage->ours, stage->loop, &any, &stage->at, host, &events,
		&stage->a);
}

static void open_stage(struct stage *stage, const char *authority, const char *certificate)
{
	struct fault why;

	assert_int_equal(make(&stage->ours, authority, NULL, NULL, &why), 0);
	assert_int_equal(make(&stage->theirs, NULL, certificate, certificate, &why), 0);
	listen_anywhere(stage);
}

static void open_pair(struct stage *stage)
{
	open_stage(stage, "ca", "good");
	assert_int_equal(try_connect(stage, "localhost"), 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->a.connects, 1);
	assert_int_equal(stage->a.closes + stage->b.closes, 0);
}

static int send_numbers(struct end *end, size_t count)
{
	uint8_t *bytes = malloc(count + 1);
	int err;

	assert_non_null(bytes);
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(i % 251);
	err = tcp_send(end->tcp, (struct slice){bytes, count});
	free(bytes);
	return err;
}

static void test_bytes_go_both_ways(void **state)
{
	struct stage *stage = *state;
	struct addr near, far;

	open_stage(stage, "ca", "good");
	assert_int_equal(try_connect(stage, "localhost"), 0);
	assert_int_equal(send_numbers(&stage->a, 251), 0); /* it waits for the handshake */
	assert_int_equal(send_numbers(&stage->a, 0), 0);
	assert_int_equal(send_numbers(&stage->a, 251), 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->b.came, 502);
	assert_int_equal(send_numbers(&stage->b, BIG), 0); /* in many records */
	run_for(stage, 10 * NS_PER_S);
	assert_int_equal(stage->a.came, BIG);
	assert_false(stage->a.wrong || stage->b.wrong);

	tcp_local(&near, stage->a.tcp);
	tcp_remote(&far, stage->b.tcp);
	assert_true(addr_equal(&near, &far));
	tcp_remote(&near, stage->a.tcp);
	assert_true(addr_equal(&near, &stage->at));
}

static void test_who_leaves_says_so(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = *state;
		struct end *leaves, *stays;

		open_pair(stage);
		leaves = i == 0 ? &stage->a : &stage->b;
		stays = i == 0 ? &stage->b : &stage->a;
		tcp_free(leaves->tcp);
		leaves->tcp = NULL;
		run_for(stage, NS_PER_S);
		assert_int_equal(stays->closes, 1);
		assert_int_equal(stays->err, 0);
		assert_string_equal(stays->words, "");
		assert_int_equal(send_numbers(stays, 1), -EPIPE);
		drop(stage);
	}
}

static void test_certificates_are_judged(void **state)
{
	static const struct {
		const char *certificate, *host, *authority;
		int err;
		const char *words; /* that have to be there */
	} rows[] = {
		{"good", "localhost", "ca", 0, ""},
		{"good", "LOCALHOST", "ca", 0, ""},
		{"good", "127.0.0.1", "ca", 0, ""},
		{"named", "localhost", "ca", 0, ""},
		{"uri", "localhost", "ca", 0, ""},
		{"uri", "host.example.org", "ca", 0, ""},
		{"bare", "bare.test", "ca", 0, ""},
		{"wrong", "www.example.org", "ca", 0, ""},
		{"self", "localhost", "self", 0, ""}, /* whoever trusts it says so */
		{"named", "127.0.0.1", "ca", -EKEYREJECTED,
			"the certificate of 127.0.0.1 is for localhost"},
		{"wrong", "localhost", "ca", -EKEYREJECTED,
			"the certificate of localhost is for www.example.org"},
		{"good", "example.org", "ca", -EKEYREJECTED,
			"the certificate of example.org is for localhost, 127.0.0.1"},
		{"uri", "example.org", "ca", -EKEYREJECTED, "is for localhost, host.example.org"},
		{"bare", "localhost", "ca", -EKEYREJECTED, "is for bare.test"},
		{"wild", "www.example.org", "ca", -EKEYREJECTED, "is for *.example.org"},
		{"expired", "localhost", "ca", -EKEYREJECTED,
			"the certificate of localhost has expired"},
		{"self", "localhost", "ca", -EKEYREJECTED, "signed by an unknown authority; "},
		{"good", "localhost", "other", -EKEYREJECTED, "tls_ca_file = FILE"},
		{"good", "localhost", NULL, -EKEYREJECTED, "signed by an unknown authority"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage *stage = *state;

		print_message("%s as %s\n", rows[i].certificate, rows[i].host);
		open_stage(stage, rows[i].authority, rows[i].certificate);
		assert_int_equal(try_connect(stage, rows[i].host), 0);
		assert_int_equal(send_numbers(&stage->a, 100), 0);
		run_for(stage, NS_PER_S);
		assert_int_equal(stage->a.err, rows[i].err);
		assert_int_equal(stage->a.connects, rows[i].err ? 0 : 1);
		assert_int_equal(stage->a.closes, rows[i].err ? 1 : 0);
		assert_int_equal(stage->b.came, rows[i].err ? 0 : 100);
		assert_non_null(strstr(stage->a.words, rows[i].words));
		drop(stage);
	}
}

/* What one name has shown is not asked for again, by that name alone. */
static void test_sessions_are_of_one_host(void **state)
{
	struct stage *stage = *state;

	open_pair(stage);
	for (size_t i = 0; i < 2; i++) {
		const char *host = i == 0 ? "localhost" : "example.org";

		tcp_free(stage->a.tcp);
		tcp_free(stage->b.tcp);
		stage->a = stage->b = (struct end){0};
		assert_int_equal(try_connect(stage, host), 0);
		run_for(stage, NS_PER_S);
		assert_int_equal(stage->a.err, i == 0 ? 0 : -EKEYREJECTED);
	}
}

static void test_it_is_freed_by_its_event(void **state)
{
	static const char when[] = {'c', 'r', 'x'};

	for (size_t i = 0; i < 2 * sizeof(when); i++) {
		struct stage *stage = *state;
		struct end *end = i % 2 == 0 ? &stage->a : &stage->b;
		struct end *other = i % 2 == 0 ? &stage->b : &stage->a;

		open_stage(stage, "ca", "good");
		assert_int_equal(try_connect(stage, "localhost"), 0);
		end->frees_at = when[i / 2];
		run_for(stage, NS_PER_S);
		if (end->tcp && other->tcp)
			assert_int_equal(send_numbers(other, 50000), 0);
		run_for(stage, NS_PER_S);
		if (end->tcp) {
			tcp_free(other->tcp);
			other->tcp = NULL;
		}
		run_for(stage, NS_PER_S);
		assert_true(!end->tcp || (i % 2 == 1 && when[i / 2] == 'c'));
		drop(stage);
	}
}

/* Who says nothing, or something else, is not waited for. */
static void test_a_server_bears_anyone(void **state)
{
	static const struct {
		const char *said;
		size_t len;
		int err;
		const char *words;
	} rows[] = {
		{"", 0, -ETIMEDOUT, "no handshake came about"},
		{"\x16\x03\x01\x02\x00\x01\x00", 7, -ETIMEDOUT, "no handshake came about"},
		{"INVITE sip:bob@example.org SIP/2.0\r\n\r\n", 38, -EPROTO,
			"it does not speak TLS there"},
		{"GET / HTTP/1.0\r\n\r\n", 18, -EPROTO, "it speaks HTTP"},
		{"\x16\x03\x01\xff\xff", 5, -EPROTO, "no TLS with 127.0.0.1:"},
		{"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12, -EPROTO, "no TLS with"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct addr any = {0};
		struct stage *stage = *state;

		open_stage(stage, "ca", "good");
		assert_int_equal(loop_tcp_connect(&stage->a.tcp, stage->loop, &any, &stage->at,
					 &plain_events, &stage->a),
			0);
		run_for(stage, NS_PER_S);
		assert_int_equal(
			tcp_send(stage->a.tcp,
				(struct slice){(const uint8_t *)rows[i].said, rows[i].len}),
			0);
		run_for(stage, 3 * NS_PER_S);
		assert_int_equal(stage->b.closes, rows[i].err == -ETIMEDOUT ? 0 : 1);
		run_for(stage, 2 * NS_PER_S);
		assert_int_equal(stage->b.closes, 1);
		assert_int_equal(stage->b.err, rows[i].err);
		assert_non_null(strstr(stage->b.words, rows[i].words));
		drop(stage);
	}
}

static void test_a_client_bears_anyone(void **state)
{
	static const struct {
		const char *said; /* NULL: it closes */
		int err;
		const char *words;
	} rows[] = {
		{"", -ETIMEDOUT, "localhost: it took the connection, and no handshake came about"},
		{"SIP/2.0 400 Bad Request\r\n\r\n", -EPROTO, "it does not speak TLS there"},
		{NULL, -EPROTO, "it closed the connection during the handshake"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage *stage = *state;
		struct fault why;

		assert_int_equal(make(&stage->ours, "ca", NULL, NULL, &why), 0);
		listen_anywhere(stage);
		assert_int_equal(try_connect(stage, "localhost"), 0);
		run_for(stage, NS_PER_S / 2);
		if (rows[i].said)
			assert_int_equal(tcp_send(stage->b.tcp, slice_of(rows[i].said)), 0);
		else
			tcp_free(stage->b.tcp);
		if (!rows[i].said)
			stage->b.tcp = NULL;
		assert_non_null(strstr(tls_words(stage->a.tcp), "no handshake came about"));
		run_for(stage, 6 * NS_PER_S);
		assert_int_equal(stage->a.connects, 0);
		assert_int_equal(stage->a.err, rows[i].err);
		assert_non_null(strstr(stage->a.words, rows[i].words));
		drop(stage);
	}
}

/* Where nobody listens, TCP says so. */
static void test_nobody_is_there(void **state)
{
	struct stage *stage = *state;
	struct fault why;

	assert_int_equal(make(&stage->ours, "ca", NULL, NULL, &why), 0);
	stage->at = (struct addr){ADDR_IPV4, 9, 0, {127, 0, 0, 1}};
	assert_int_equal(try_connect(stage, "localhost"), 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->a.err, -ECONNREFUSED);
	assert_string_equal(stage->a.words, "");
}

/* Before the handshake is over, as after it. */
static void test_what_waits_is_capped(void **state)
{
	struct stage *stage = *state;
	struct fault why;

	assert_int_equal(make(&stage->ours, "ca", NULL, NULL, &why), 0);
	listen_anywhere(stage);
	assert_int_equal(try_connect(stage, "localhost"), 0);
	assert_int_equal(send_numbers(&stage->a, TCP_UNSENT_MAX), 0);
	assert_int_equal(send_numbers(&stage->a, 1), -ENOBUFS);
}

static void test_files_are_looked_at(void **state)
{
	static const struct {
		const char *authority, *certificate, *key;
		const char *words; /* NULL: they are good */
	} rows[] = {
		{"ca", "good", "good", NULL},
		{NULL, NULL, NULL, NULL},
		{"none", NULL, NULL, "cannot be read: No such file or directory"},
		{"ca", "none", NULL, "tls_certificate: "},
		{"ca", "good", NULL, "tls_key: there is no private key that we can read in "},
		{"ca", "good", "none", "tls_key: "},
		{"ca", "good", "locked", "tls_key: there is no private key that we can read in "},
		{"ca", "good", "wrong", "is not that of "},
		{"ca", NULL, "good", "a key is of no use without tls_certificate"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls *tls = NULL;
		struct fault why = {0};
		int err = make(&tls, rows[i].authority, rows[i].certificate, rows[i].key, &why);

		assert_int_equal(err, rows[i].words ? -EINVAL : 0);
		if (rows[i].words)
			assert_non_null(strstr(why.words, rows[i].words));
		else
			assert_int_equal(tls_has_certificate(tls), rows[i].certificate != NULL);
		tls_free(tls);
	}
	tls_free(NULL);
}

static void test_memory_may_be_short(void **state)
{
	struct stage *stage = *state;
	struct fault why;

	allocations_left = 0;
	assert_int_equal(make(&stage->ours, "ca", NULL, NULL, &why), -ENOMEM);
	allocations_left = SIZE_MAX;
	open_stage(stage, "ca", "good");
	for (size_t i = 0;; i++) {
		int err;

		allocations_left = i;
		err = try_connect(stage, "localhost");
		allocations_left = SIZE_MAX;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_true(i < 20);
	}
	allocations_left = 1; /* the first is TCP's, at its new end */
	run_for(stage, NS_PER_S / 100);
	allocations_left = SIZE_MAX;
	run_for(stage, 6 * NS_PER_S);
	assert_int_equal(stage->a.connects + stage->a.closes > 0, 1);
}

static int make_certificates(void **state)
{
	char command[PATH_SIZE];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command), "sh tests/certificates.sh %s", folder);
	return system(command);
}

static int remove_certificates(void **state)
{
	char command[PATH_SIZE];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes_go_both_ways),
		TEST(test_who_leaves_says_so),
		TEST(test_certificates_are_judged),
		TEST(test_sessions_are_of_one_host),
		TEST(test_it_is_freed_by_its_event),
		TEST(test_a_server_bears_anyone),
		TEST(test_a_client_bears_anyone),
		TEST(test_nobody_is_there),
		TEST(test_what_waits_is_capped),
		TEST(test_files_are_looked_at),
		TEST(test_memory_may_be_short),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
