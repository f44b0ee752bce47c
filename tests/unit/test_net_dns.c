/* core/net/dns: name servers on the real loop; the one that is asked says what it likes. */
#include "core/base/library.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);
int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);

static size_t allocations = SIZE_MAX;
static bool no_library;

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations == 0)
		return NULL;
	if (allocations != SIZE_MAX)
		allocations--;
	return __real_calloc(count, size);
}

int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why)
{
	if (no_library)
		return fault_set(why, -ENOENT, "the library %s is not installed", file);
	return __real_library_load(table, file, symbols, count, why);
}

enum { HEADER = 12, SRV = 33, NAPTR = 35, A = 1, AAAA = 28, CNAME = 5 };

/* What a name server says to a question: the bytes behind the question, which it repeats. */
static const struct reply {
	const char *name; /* the first label of what is asked for */
	int type;
	int rcode;    /* -1: it says nothing */
	int answers;  /* as the header counts them */
	int repeated; /* how often body really stands there */
	const char *body;
	size_t len;
} replies[] = {
#define P "\xc0\x0c"
#define RR(type, ttl, len) P "\0" type "\0\1\0\0\0" ttl "\0" len
#define BODY(bytes) bytes, sizeof(bytes) - 1
	{"good", SRV, 0, 2, 1,
		BODY(RR("\x21", "\x3c", "\x0c") "\0\1\0\2\x13\xc4\2s1\1a\0" RR(
			"\x21", "\x1e", "\x0b") "\0\2\0\3\x13\xc5\1b\1c\0")},
	{"exact", SRV, 0, 1, 1, BODY(RR("\x21", "\x3c", "\x0c") "\0\1\0\2\x13\xc4\2s1\1a\0")},
	{"root", SRV, 0, 1, 1, BODY(RR("\x21", "\x3c", "\7") "\0\1\0\2\0\0\0")},
	{"many", SRV, 0, 20, 20, BODY(RR("\x21", "\x3c", "\x09") "\0\1\0\2\x13\xc4\1a\0")},
	{"naptr", NAPTR, 0, 1, 1,
		BODY(RR("\x23", "\x3c", "\x15") "\0\1\0\2\1S\7SIP+D2U\0\3abc\1d\0")},
	{"words", NAPTR, 0, 1, 1,
		BODY(RR("\x23", "\x3c", "\x29") "\0\1\0\2\1s\x1cSIP+D2Uxxxxxxxxxxxxxxxxxxxxx\0\1a\0"
						"\0\0")},
	{"host", A, 0, 2, 1,
		BODY(RR("\1", "\x3c", "\4") "\x7f\0\0\1" RR("\1", "\x0a", "\4") "\x7f\0\0\2")},
	{"host", AAAA, 0, 0, 0, BODY("")},
	{"alias", A, 0, 2, 1,
		BODY(RR("\5", "\7", "\3") "\1z\0\1z\0\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\3")},
	{"alias", AAAA, 0, 0, 0, BODY("")},
	{"none", SRV, 3, 0, 0, BODY("")},
	{"none", A, 3, 0, 0, BODY("")},
	{"none", AAAA, 3, 0, 0, BODY("")},
	{"empty", SRV, 0, 0, 0, BODY("")},
	{"fails", SRV, 2, 0, 0, BODY("")},
	{"refuses", SRV, 5, 0, 0, BODY("")},
	/* hostile */
	{"ring", A, 0, 1, 1, BODY(RR("\5", "\7", "\2") P)},
	{"ring", AAAA, 0, 1, 1, BODY(RR("\5", "\7", "\2") P)},
	{"self", SRV, 0, 1, 1, BODY("\xc0\x12\0\x21\0\1\0\0\0\x3c\0\7\0\1\0\2\x13\xc4\0")},
	{"inner", SRV, 0, 1, 1, BODY(RR("\x21", "\x3c", "\x08") "\0\1\0\2\x13\xc4\xc0\xff")},
	{"short", SRV, 0, 1, 1, BODY(RR("\x21", "\x3c", "\7") "\0\1\0\2")},
	{"lies", SRV, 0, 9, 1, BODY(RR("\x21", "\x3c", "\7") "\0\1\0\2\x13\xc4\0")},
	{"naptr-short", NAPTR, 0, 1, 1, BODY(RR("\x23", "\x3c", "\6") "\0\1\0\2\xffS")},
	{"other-type", SRV, 0, 1, 1, BODY(RR("\1", "\x3c", "\4") "\x7f\0\0\1")},
	{"silent", SRV, -1, 0, 0, BODY("")},
	{"silent", NAPTR, -1, 0, 0, BODY("")},
	{"silent", A, -1, 0, 0, BODY("")},
	{"silent", AAAA, -1, 0, 0, BODY("")},
};

struct place {
	struct loop *loop;
	struct udp *udp;
	struct addr server;
	size_t asked;
	size_t waiting;
};

static const struct reply *find_reply(struct slice question)
{
	size_t len = question.data[HEADER];
	struct slice name = {question.data + HEADER + 1, len};
	int type = question.data[question.len - 3];

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (slice_is_nocase(name, replies[i].name) && replies[i].type == type)
			return &replies[i];
	fail_msg("nobody has %.*s of type %d", (int)len, (const char *)name.data, type);
	return NULL;
}

static void on_question(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	uint8_t room[2048];
	struct place *place = arg;
	const struct reply *reply;
	size_t len = bytes.len;

	(void)to;
	(void)arrival_ns;
	assert_true(bytes.len > HEADER + 5 && bytes.len < 512);
	place->asked++;
	reply = find_reply(bytes);
	if (reply->rcode < 0)
		return;
	memcpy(room, bytes.data, len);
	room[2] |= 0x80;
	room[3] = (uint8_t)(0x80 | reply->rcode);
	room[7] = (uint8_t)reply->answers;
	for (int i = 0; i < reply->repeated; i++) {
		memcpy(room + len, reply->body, reply->len);
		len += reply->len;
	}
	assert_int_equal(udp_send(place->udp, from, (struct slice){room, len}), 0);
}

static void set_servers(struct place *place, const char *before)
{
	char text[2 * ADDR_TEXT_SIZE], at[ADDR_TEXT_SIZE];

	snprintf(text, sizeof(text), "%s%s", before, addr_print_port(at, &place->server));
	assert_int_equal(loop_uv_name_servers(place->loop, text), 0);
}

static void open_place(struct place *place)
{
	static const struct udp_events events = {.datagram = on_question};
	const struct addr here = {.family = ADDR_IPV4, .ip = {127, 0, 0, 1}};

	*place = (struct place){0};
	assert_int_equal(loop_uv_new(&place->loop), 0);
	assert_int_equal(loop_udp_open(&place->udp, place->loop, &here), 0);
	assert_int_equal(udp_start(place->udp, place->loop, &events, place), 0);
	udp_local(&place->server, place->udp);
	set_servers(place, "");
}

static void close_place(struct place *place)
{
	udp_free(place->udp);
	loop_uv_free(place->loop);
}

struct asked {
	struct place *place;
	struct resolve *resolve;
	size_t calls;
	struct dns_answer answer;
	struct dns_record records[DNS_RECORDS_MAX];
	char servers[64];
};

static void answered(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;

	asked->calls++;
	asked->answer = *answer;
	assert_true(answer->err ? answer->err < 0 : answer->count > 0);
	assert_true(answer->count <= DNS_RECORDS_MAX);
	for (size_t i = 0; !answer->err && i < answer->count; i++)
		asked->records[i] = answer->records[i];
	snprintf(asked->servers, sizeof(asked->servers), "%s", answer->servers);
	if (--asked->place->waiting == 0)
		loop_uv_stop(asked->place->loop);
}

static void begin(struct asked *asked, struct place *place, enum dns_type type, const char *name)
{
	*asked = (struct asked){.place = place};
	assert_int_equal(
		loop_resolve(&asked->resolve, place->loop, type, name, answered, asked), 0);
	assert_int_equal(asked->calls, 0); /* never before it returns */
	place->waiting++;
}

static void ask(struct asked *asked, struct place *place, enum dns_type type, const char *name)
{
	begin(asked, place, type, name);
	loop_uv_run(place->loop);
	assert_int_equal(asked->calls, 1);
	assert_false(loop_uv_busy(place->loop));
}

static void test_answers(void **state)
{
	struct place place;
	struct asked asked;
	char at[ADDR_TEXT_SIZE];

	(void)state;
	open_place(&place);
	ask(&asked, &place, DNS_SRV, "exact.test");
	assert_int_equal(asked.answer.err, 0);
	assert_int_equal(asked.answer.count, 1);
	assert_int_equal(asked.answer.ttl_s, 60);
	assert_int_equal(asked.records[0].priority, 1);
	assert_int_equal(asked.records[0].weight, 2);
	assert_int_equal(asked.records[0].port, 5060);
	assert_string_equal(asked.records[0].name, "s1.a");
	assert_string_equal(asked.servers, addr_print_port(at, &place.server));

	ask(&asked, &place, DNS_SRV, "good.test");
	assert_int_equal(asked.answer.count, 2);
	assert_int_equal(asked.answer.ttl_s, 30);
	assert_string_equal(asked.records[1].name, "b.c");
	assert_int_equal(asked.records[1].port, 5061);
	ask(&asked, &place, DNS_SRV, "root.test");
	assert_int_equal(asked.answer.count, 1);
	assert_string_equal(asked.records[0].name, "");
	ask(&asked, &place, DNS_SRV, "many.test");
	assert_int_equal(asked.answer.count, DNS_RECORDS_MAX);

	ask(&asked, &place, DNS_NAPTR, "naptr.test");
	assert_int_equal(asked.answer.err, 0);
	assert_string_equal(asked.records[0].flags, "S");
	assert_string_equal(asked.records[0].service, "SIP+D2U");
	assert_string_equal(asked.records[0].name, "abc.d");
	assert_int_equal(asked.records[0].priority, 1);
	assert_int_equal(asked.records[0].weight, 2);
	ask(&asked, &place, DNS_NAPTR, "words.test");
	assert_string_equal(asked.records[0].service, "");

	ask(&asked, &place, DNS_HOST, "host.test");
	assert_int_equal(asked.answer.count, 2);
	assert_int_equal(asked.answer.ttl_s, 10);
	assert_int_equal(asked.records[0].addr.family, ADDR_IPV4);
	assert_int_equal(asked.records[0].addr.port, 0);
	ask(&asked, &place, DNS_HOST, "alias.test");
	assert_int_equal(asked.answer.count, 1);
	assert_int_equal(asked.answer.ttl_s, 7);
	assert_int_equal(asked.records[0].addr.ip[3], 3);
	close_place(&place);
}

/* The system's own names never reach a name server. */
static void test_system(void **state)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "::1", "x.localhost"};
	struct place place;
	struct asked asked;

	(void)state;
	open_place(&place);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask(&asked, &place, DNS_HOST, names[i]);
		assert_true(asked.answer.err || addr_is_loopback(&asked.records[0].addr));
		assert_true(i == 3 || !asked.answer.err);
		assert_string_equal(asked.servers, "");
	}
	assert_int_equal(place.asked, 0);
	close_place(&place);
}

/* Nothing of this takes longer than it should, or more than there is room for. */
static void test_errors(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		int err;
	} rows[] = {
		{"none.test", DNS_SRV, -ENOENT},
		{"none.test", DNS_HOST, -ENOENT},
		{"empty.test", DNS_SRV, -ENOENT},
		{"fails.test", DNS_SRV, -ECONNREFUSED},
		{"refuses.test", DNS_SRV, -ECONNREFUSED},
		{"self.test", DNS_SRV, -EPROTO},
		{"inner.test", DNS_SRV, -EPROTO},
		{"short.test", DNS_SRV, -EPROTO},
		{"lies.test", DNS_SRV, -EPROTO},
		{"naptr-short.test", DNS_NAPTR, -EPROTO},
		{"other-type.test", DNS_SRV, -ENOENT},
		{"ring.test", DNS_HOST, -ENOENT},
		{"a..b.test", DNS_SRV, -ENOENT},
		{"a..b.test", DNS_HOST, -ENOENT},
	};
	struct place place;

	(void)state;
	open_place(&place);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asked asked;

		ask(&asked, &place, rows[i].type, rows[i].name);
		if (asked.answer.err != rows[i].err)
			fail_msg("%s: %d", rows[i].name, asked.answer.err);
	}
	close_place(&place);
}

/* One server that is not there, and one that is. */
static void test_second(void **state)
{
	const struct addr here = {.family = ADDR_IPV4, .ip = {127, 0, 0, 1}};
	char text[ADDR_TEXT_SIZE + 1], at[ADDR_TEXT_SIZE];
	struct addr closed;
	struct place place;
	struct asked asked;
	struct udp *udp;

	(void)state;
	open_place(&place);
	assert_int_equal(loop_udp_open(&udp, place.loop, &here), 0);
	udp_local(&closed, udp);
	udp_free(udp);
	snprintf(text, sizeof(text), "%s,", addr_print_port(at, &closed));
	set_servers(&place, text);
	ask(&asked, &place, DNS_SRV, "exact.test");
	assert_int_equal(asked.answer.err, 0);
	assert_int_equal(loop_uv_name_servers(place.loop, addr_print_port(at, &closed)), 0);
	ask(&asked, &place, DNS_SRV, "exact.test");
	assert_int_equal(asked.answer.err, -ECONNREFUSED);
	close_place(&place);
}

/* All at once; those that nobody answers are given up in time. */
static void test_silence(void **state)
{
	struct place place;
	struct asked silent[3], good;
	uint64_t begun;

	(void)state;
	open_place(&place);
	begun = loop_now(place.loop);
	begin(&silent[0], &place, DNS_SRV, "silent.test");
	begin(&silent[1], &place, DNS_NAPTR, "silent.test");
	begin(&silent[2], &place, DNS_HOST, "silent.test");
	begin(&good, &place, DNS_SRV, "exact.test");
	loop_uv_run(place.loop);
	assert_int_equal(good.answer.err, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(silent[i].calls, 1);
		assert_int_equal(silent[i].answer.err, -ETIMEDOUT);
	}
	assert_true(loop_now(place.loop) - begun < RESOLVE_LIMIT_NS + NS_PER_S);
	close_place(&place);
}

/* Whoever has cancelled hears nothing, and neither does anybody of a loop that is freed. */
static void test_cancel(void **state)
{
	struct place place;
	struct asked silent[2], good;

	(void)state;
	open_place(&place);
	begin(&silent[0], &place, DNS_SRV, "silent.test");
	resolve_cancel(silent[0].resolve); /* alone */
	place.waiting--;
	begin(&silent[0], &place, DNS_SRV, "silent.test");
	begin(&silent[1], &place, DNS_HOST, "silent.test");
	begin(&good, &place, DNS_SRV, "exact.test");
	resolve_cancel(silent[0].resolve); /* with others */
	place.waiting -= 2;
	loop_uv_run(place.loop);
	assert_int_equal(good.calls, 1);
	begin(&good, &place, DNS_SRV, "a..b"); /* known at once, and not told */
	begin(&good, &place, DNS_HOST, "localhost");
	close_place(&place);
	assert_int_equal(silent[0].calls + silent[1].calls + good.calls, 0);
}

static void test_nothing_to_ask_with(void **state)
{
	struct resolve *resolve;
	struct place place;
	struct asked asked;
	int err = 0;

	(void)state;
	open_place(&place);
	assert_int_equal(loop_uv_name_servers(place.loop, "not a server"), 0);
	assert_true(
		loop_resolve(&resolve, place.loop, DNS_SRV, "exact.test", answered, &asked) < 0);
	set_servers(&place, "");
	for (allocations = 0; allocations < 3; allocations++) {
		size_t allowed = allocations;

		err = loop_resolve(&resolve, place.loop, DNS_SRV, "silent.test", answered, &asked);
		allocations = allowed;
		if (!err)
			resolve_cancel(resolve);
		else
			assert_int_equal(err, -ENOMEM);
	}
	allocations = SIZE_MAX;
	no_library = true;
	assert_int_equal(
		loop_resolve(&resolve, place.loop, DNS_SRV, "exact.test", answered, &asked),
		-ENOTSUP);
	ask(&asked, &place, DNS_HOST, "127.1"); /* the system is asked in its place */
	assert_true(addr_is_loopback(&asked.records[0].addr));
	no_library = false;
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_nothing_to_ask_with),
	};

	return cmocka_run_group_tests_name("net/dns", tests, NULL, NULL);
}
