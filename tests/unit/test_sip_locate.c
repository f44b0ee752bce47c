/* core/sip/locate and core/sip/request: where a URI leads, in words if nowhere; a request there. */
#include "core/base/text.h"
#include "core/sip/locate.h"
#include "core/sip/registry.h"
#include "core/sip/request.h"
#include "core/sip/secure.h"
#include "core/sip/transport.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* What sip_locate() said. */
struct found {
	size_t calls;
	int err;
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t count;
	struct fault why;
};

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct found *found = arg;

	found->calls++;
	found->err = err;
	found->count = count;
	for (size_t i = 0; i < count; i++)
		found->flows[i] = flows[i];
	found->why = *why;
}

static const struct row {
	const char *uri;
	int name_err, route_err, resolve_err; /* of the world */
	int err;
	const char *to, *second; /* where it leads */
	const char *words;       /* in the fault */
} rows[] = {
	{"sip:b@192.0.2.2", 0, 0, 0, 0, "192.0.2.2:5060", NULL, NULL},
	{"sip:192.0.2.2:99", 0, 0, 0, 0, "192.0.2.2:99", NULL, NULL},
	{"sip:b@192.0.2.2;transport=UDP", 0, 0, 0, 0, "192.0.2.2:5060", NULL, NULL},
	{"sip:b@x.org:7;maddr=192.0.2.2", 0, 0, 0, 0, "192.0.2.2:7", NULL, NULL},
	{"sip:b@example.org", 0, 0, 0, 0, "192.0.2.2:5060", "192.0.2.3:5060", NULL},
	{"sip:b@example.org:7", 0, 0, 0, 0, "192.0.2.2:7", "192.0.2.3:7", NULL},
	{"sip:b@x.org", 0, 0, 0, -ENOENT, NULL, NULL, "there is no host x.org"},
	{"sip:b@example.org", -ETIMEDOUT, 0, 0, -EAGAIN, NULL, NULL,
		"no name server answers for example.org: "},
	{"sip:b@example.org", 0, 0, -EIO, -EAGAIN, NULL, NULL, "no name server answers for"},
	{"sip:b@[2001:db8::1]", 0, 0, 0, -EAFNOSUPPORT, NULL, NULL,
		"2001:db8::1 is reached by IPv6"},
	{"sip:b@192.0.2.2", 0, -ENETUNREACH, 0, -ENETUNREACH, NULL, NULL, "no way to 192.0.2.2: "},
	{"sip:b@example.org", 0, -ENETUNREACH, 0, -ENETUNREACH, NULL, NULL, "no way to "},
	{"sip:b@192.0.2.2;transport=tcp", 0, 0, 0, -EAFNOSUPPORT, NULL, NULL,
		"192.0.2.2 is reached by IPv4 and TCP"},
	{"sip:b@example.org;transport=tcp", 0, 0, 0, -EAFNOSUPPORT, NULL, NULL, "by IPv4 and TCP"},
	{"sip:b@192.0.2.2;transport=sctp", 0, 0, 0, -EPROTONOSUPPORT, NULL, NULL, "transport=sctp"},
	{"sip:b@192.0.2.2;transport=dccp", 0, 0, 0, -EPROTONOSUPPORT, NULL, NULL,
		"TLS and WebSocket only"},
	{"sip:b@192.0.2.2;transport=ws", 0, 0, 0, 0, "192.0.2.2:80", NULL, NULL},
	{"sip:b@192.0.2.2;transport=wss", 0, 0, 0, 0, "192.0.2.2:443", NULL, NULL},
	{"sips:b@192.0.2.2;transport=ws", 0, 0, 0, 0, "192.0.2.2:443", NULL, NULL},
	{"sips:b@192.0.2.2:8;transport=wss", 0, 0, 0, 0, "192.0.2.2:8", NULL, NULL},
	{"sip:b@example.org;transport=ws", 0, 0, 0, 0, "192.0.2.2:80", "192.0.2.3:80", NULL},
	{"sips:b@192.0.2.2", 0, 0, 0, 0, "192.0.2.2:5061", NULL, NULL},
	{"sips:b@192.0.2.2:7;transport=tcp", 0, 0, 0, 0, "192.0.2.2:7", NULL, NULL},
	{"sips:b@192.0.2.2;transport=udp", 0, 0, 0, -EPROTONOSUPPORT, NULL, NULL, "cannot carry"},
	{"sip:b@192.0.2.2;transport=tls", 0, 0, 0, 0, "192.0.2.2:5061", NULL, NULL},
	{"sip:b@example.org:7;transport=tls", 0, 0, 0, 0, "192.0.2.2:7", "192.0.2.3:7", NULL},
	{"tel:+123", 0, 0, 0, -EPROTONOSUPPORT, NULL, NULL, "a telephone number"},
	{"mailto:b@example.org", 0, 0, 0, -EPROTONOSUPPORT, NULL, NULL, "mailto: is no way"},
};

static void open_names(struct pair *pair)
{
	pair_open(pair);
	pair->world.name = "example.org";
	pair->world.name_addr[0] = world_addr("192.0.2.2");
	pair->world.name_addr[1] = world_addr("[2001:db8::1]"); /* we listen on IPv4 only */
	pair->world.name_addr[2] = world_addr("192.0.2.3");
	pair->world.name_addr_count = 3;
}

static void expect_flow(const struct row *row, const struct sip_flow *flow, const char *to)
{
	struct addr remote = world_addr(to);
	bool named = flow->transport->carrier->named; /* nobody connects to us */
	struct addr local = world_addr(named ? "192.0.2.1:5061" : "192.0.2.1:5060");

	if (!addr_equal(&flow->remote, &remote) || !addr_equal(&flow->local, &local))
		fail_msg("%s: not to %s", row->uri, to);
}

static void run_row(const struct row *row, struct pair *pair)
{
	struct found found = {0};
	struct sip_locate *locate;
	struct sip_uri uri;

	pair->world.name_err = row->name_err;
	pair->world.route_err = row->route_err;
	pair->world.resolve_err = row->resolve_err;
	assert_int_equal(sip_uri_parse(&uri, slice_of(row->uri), NULL), 0);
	assert_int_equal(sip_locate(&locate, pair->a.stack, &uri, located, &found), 0);
	assert_int_equal(found.calls, 0); /* never before it returns */
	world_run(&pair->world, 10 * NS_PER_MS);
	if (found.calls != 1 || found.err != row->err)
		fail_msg("%s: %d \"%s\"", row->uri, found.err, found.why.words);
	if (row->words && !strstr(found.why.words, row->words))
		fail_msg("%s: \"%s\"", row->uri, found.why.words);
	assert_int_equal(found.count, (row->to ? 1 : 0) + (row->second ? 1 : 0));
	if (row->to)
		expect_flow(row, &found.flows[0], row->to);
	if (row->second)
		expect_flow(row, &found.flows[1], row->second);
}

static void test_table(void **state)
{
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_names(&pair);
		run_row(&rows[i], &pair);
		pair_close(&pair);
	}
}

/* Whatever was made of a name, it is for that one that a certificate has to be. */
static void test_whom_a_certificate_names(void **state)
{
	static const struct {
		const char *uri, *name; /* NULL: nobody */
		bool sips;
	} names[] = {
		{"sips:b@example.org;maddr=192.0.2.2", "example.org", true},
		{"sip:b@EXAMPLE.org;maddr=192.0.2.2;transport=tls", "example.org", false},
		{"sips:b@192.0.2.2", "192.0.2.2", true},
		{"sips:b@example.org;maddr=192.0.2.3", "example.org", true},
		{"sip:b@192.0.2.2", NULL, false},
	};
	struct sip_flow flows[sizeof(names) / sizeof(names[0])];
	struct pair pair;
	struct fault why;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct sip_stack *stack = pair.a.stack;
		struct sip_uri uri;
		const char *name;

		assert_int_equal(sip_uri_parse(&uri, slice_of(names[i].uri), NULL), 0);
		assert_int_equal(sip_locate_now(&flows[i], pair.a.stack, &uri, &why), 0);
		name = sip_secure_name(stack, flows[i].host);
		if (names[i].name)
			assert_string_equal(name, names[i].name);
		else
			assert_null(name);
		assert_int_equal(flows[i].sips, names[i].sips);
	}
	assert_int_equal(flows[0].host, flows[1].host);
	assert_int_equal(flows[0].host, flows[3].host);
	assert_int_not_equal(flows[0].host, flows[2].host);

	/* those of long ago are nobody's any more, and never another's */
	for (unsigned i = 0; i < 1023; i++) {
		char room[32];

		snprintf(room, sizeof(room), "h%u.example.org", i);
		assert_int_not_equal(sip_secure_host(pair.a.stack, slice_of(room)), 0);
	}
	assert_null(sip_secure_name(pair.a.stack, flows[0].host));
	assert_string_equal(sip_secure_name(pair.a.stack, flows[2].host), "192.0.2.2");
	assert_null(sip_secure_name(pair.a.stack, flows[2].host + 1024));
	pair_close(&pair);
}

static void test_cancel(void **state)
{
	static const char *const uris[] = {"sip:192.0.2.2", "sip:example.org", "tel:1"};
	struct found found = {0};
	struct sip_locate *locate;
	struct sip_uri uri;
	struct pair pair;

	(void)state;
	open_names(&pair);
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		assert_int_equal(sip_uri_parse(&uri, slice_of(uris[i]), NULL), 0);
		assert_int_equal(sip_locate(&locate, pair.a.stack, &uri, located, &found), 0);
		sip_locate_cancel(locate);
	}
	sip_locate_cancel(NULL);
	world_run(&pair.world, NS_PER_S);
	assert_int_equal(found.calls, 0);
	pair_close(&pair);
}

/* A transport of the very address goes before one of any, whichever came first. */
static void test_flow(void **state)
{
	struct addr any = world_addr("0.0.0.0:5070");
	struct addr exact = world_addr("192.0.2.2:5080");
	struct addr to = world_addr("192.0.2.1:5060");
	struct addr bound;
	struct sip_flow flow;
	struct pair pair;

	(void)state;
	pair_open(&pair); /* b listens on any address */
	assert_int_equal(sip_stack_flow(&flow, pair.b.stack, SIP_UDP, &to), 0);
	assert_int_equal(flow.local.port, 5060);
	assert_int_equal(sip_stack_listen(&bound, pair.b.stack, SIP_UDP, &exact), 0);
	assert_true(addr_equal(&bound, &exact));
	assert_int_equal(sip_stack_listen(NULL, pair.b.stack, SIP_UDP, &any), 0);
	assert_int_equal(sip_stack_flow(&flow, pair.b.stack, SIP_UDP, &to), 0);
	assert_true(addr_equal(&flow.local, &exact));
	assert_int_equal(sip_stack_listen(NULL, pair.b.stack, SIP_UDP, &any), -EADDRINUSE);
	any.port = 0;
	assert_int_equal(sip_stack_listen(&bound, pair.b.stack, SIP_UDP, &any), 0);
	assert_int_not_equal(bound.port, 0);
	pair_close(&pair);
}

struct heard {
	char log[256];
	struct sip_request *request; /* freed in the event if set */
};

static void response(void *arg, const struct sip_msg *msg)
{
	struct heard *heard = arg;
	size_t len = strlen(heard->log);

	snprintf(heard->log + len, sizeof(heard->log) - len, "%u ", msg->status);
	sip_request_free(heard->request);
	heard->request = NULL;
}

static void ended(void *arg, int err, const struct fault *why)
{
	struct heard *heard = arg;
	size_t len = strlen(heard->log);

	snprintf(heard->log + len, sizeof(heard->log) - len, "%d%s%s ", err, why ? " " : "",
		why ? why->words : "");
	sip_request_free(heard->request);
	heard->request = NULL;
}

static const struct sip_request_events request_events = {.response = response, .ended = ended};

static int send_options(
	struct sip_request **out, struct pair *pair, const char *uri, struct heard *heard)
{
	return sip_request_send(out, pair->a.stack,
		&(struct sip_request_config){
			.method = SIP_OPTIONS,
			.uri = slice_of(uri),
			.cseq = 2147483647,
			.headers = slice_of("From: <sip:a@192.0.2.1>;tag=a\r\n"
					    "To: <sip:b@192.0.2.2>\r\nCall-ID: r\r\n"),
		},
		heard ? &request_events : NULL, heard);
}

static void test_request(void **state)
{
	static const struct {
		const char *uri, *log;
		int err;
	} requests[] = {
		{"sip:b@192.0.2.2", "200 ", 0},
		{"sip:b@example.org", "200 ", 0},
		{"sip:b@192.0.2.2:9", "-111 ", 0},
		{"sip:b@x.org", "-2 there is no host x.org ", 0},
		{"sip:b b", "", -EINVAL},
	};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct heard heard = {0};

		open_names(&pair);
		if (i > 1)
			pair.world.name_addr_count = 1;
		assert_int_equal(send_options(&heard.request, &pair, requests[i].uri, &heard),
			requests[i].err);
		world_run(&pair.world, NS_PER_S);
		assert_string_equal(heard.log, requests[i].log);
		assert_null(heard.request);
		pair_close(&pair);
	}
}

/* Freed, orphaned, or nobody's from the start: nobody hears anything, and nothing is left. */
static void test_request_without_owner(void **state)
{
	struct pair pair;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		for (uint64_t ms = 0; ms < 5; ms++) {
			struct heard heard = {0};
			struct sip_request *request;

			open_names(&pair);
			assert_int_equal(send_options(&request, &pair, "sip:b@example.org",
						 kind == 2 ? NULL : &heard),
				0);
			world_run(&pair.world, ms * NS_PER_MS);
			assert_string_equal(heard.log, kind < 2 && ms >= 3 ? "200 " : "");
			heard.log[0] = '\0';
			if (kind == 0)
				sip_request_free(request);
			else if (kind == 1)
				sip_request_orphan(request);
			world_run(&pair.world, NS_PER_S);
			assert_int_equal(
				pair_count(&pair, "SIP/2.0 200"), kind == 0 && ms == 0 ? 0 : 1);
			assert_string_equal(heard.log, "");
			pair_close(&pair);
		}
	}
}

/* The stack ends in the middle of everything. */
static void test_stack_free(void **state)
{
	struct pair pair;

	(void)state;
	for (uint64_t ms = 0; ms < 8; ms++) {
		open_names(&pair);
		pair_talk(&pair);
		assert_int_equal(send_options(NULL, &pair, "sip:b@example.org", NULL), 0);
		phone_hangup(&pair.b);
		world_run(&pair.world, ms * NS_PER_MS);
		phone_close(&pair.a);
		phone_close(&pair.b);
		assert_int_equal(pair.world.timer_count, 0);
		world_run(&pair.world, NS_PER_S);
		world_close(&pair.world);
	}
	sip_stack_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_whom_a_certificate_names),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_without_owner),
		cmocka_unit_test(test_stack_free),
	};

	return cmocka_run_group_tests_name("sip/locate", tests, NULL, NULL);
}
