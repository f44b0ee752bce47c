/* core/net: TCP of the real world keeps what core/base/loop.h promises. */
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LIMIT_S = 20, LOG_SIZE = 64, BIG = 900000 };

static size_t allocations = SIZE_MAX;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations == 0)
		return NULL;
	if (allocations != SIZE_MAX)
		allocations--;
	return __real_calloc(count, size);
}

struct stage;

struct end {
	struct stage *stage;
	struct tcp *tcp;
	char name;
	size_t came;
	uint8_t sum; /* of the numbers in order; 1 as soon as one is wrong */
	int err;
	char frees_at; /* the event at which it frees itself */
};

/* Two ends, a listener, a log of letters: which end, which event. */
struct stage {
	struct loop *loop;
	struct tcp_listener *listener;
	struct addr at;
	struct end a, b;
	char log[LOG_SIZE];
	size_t events;
	size_t bytes_wanted; /* by either end; the loop stops */
	size_t enough;
	struct timer timer;
};

static void note(struct end *end, char what)
{
	struct stage *stage = end->stage;

	assert_true(stage->events < LOG_SIZE - 2);
	stage->log[stage->events++] = end->name;
	stage->log[stage->events++] = what;
	if (stage->events / 2 == stage->enough)
		loop_uv_stop(stage->loop);
	if (end->frees_at == what) {
		tcp_free(end->tcp);
		end->tcp = NULL;
	}
}

static void connected(void *arg)
{
	note(arg, 'c');
}

static void received(void *arg, struct slice bytes)
{
	struct end *end = arg;

	assert_true(bytes.len > 0);
	for (size_t i = 0; i < bytes.len; i++)
		end->sum |= bytes.data[i] != (uint8_t)((end->came + i) % 251);
	end->came += bytes.len;
	if (end->frees_at == 'r')
		note(end, 'r');
	if (end->came == end->stage->bytes_wanted)
		loop_uv_stop(end->stage->loop);
}

static void closed(void *arg, int err)
{
	struct end *end = arg;

	end->err = err;
	note(end, 'x');
}

static const struct tcp_events events = {connected, received, closed};

static void accepted(void *arg, struct tcp *tcp)
{
	struct stage *stage = arg;

	assert_null(stage->b.tcp);
	stage->b.tcp = tcp;
	tcp_start(tcp, &events, &stage->b);
	note(&stage->b, 'a');
}

static void time_out(void *arg)
{
	loop_uv_stop(((struct stage *)arg)->loop);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	alarm(LIMIT_S);
	assert_non_null(stage);
	stage->a = (struct end){.stage = stage, .name = 'A'};
	stage->b = (struct end){.stage = stage, .name = 'B'};
	assert_int_equal(loop_uv_new(&stage->loop), 0);
	timer_init(&stage->timer, stage->loop, time_out, stage);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	allocations = SIZE_MAX;
	tcp_free(stage->a.tcp);
	tcp_free(stage->b.tcp);
	tcp_listener_free(stage->listener);
	timer_stop(&stage->timer);
	loop_uv_free(stage->loop);
	free(stage);
	alarm(0);
	return 0;
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, slice_of(text)), 0);
	return addr;
}

static void run(struct stage *stage, size_t more)
{
	stage->enough = stage->events / 2 + more;
	loop_uv_run(stage->loop);
}

static void run_for(struct stage *stage, uint64_t ns)
{
	stage->enough = 0;
	timer_start_in(&stage->timer, ns);
	loop_uv_run(stage->loop);
}

static void listen_at(struct stage *stage, const char *at)
{
	struct addr local = address(at);

	assert_int_equal(
		loop_tcp_listen(&stage->listener, stage->loop, &local, accepted, stage), 0);
	tcp_listener_local(&stage->at, stage->listener);
	assert_true(stage->at.port != 0);
}

static int try_connect(struct stage *stage, const char *from)
{
	struct addr local = {0};

	if (from)
		local = address(from);
	return loop_tcp_connect(&stage->a.tcp, stage->loop, &local, &stage->at, &events, &stage->a);
}

static void open_pair(struct stage *stage, const char *at)
{
	listen_at(stage, at);
	assert_int_equal(try_connect(stage, NULL), 0);
	assert_int_equal(stage->events, 0); /* never before it returns */
	run(stage, 2);
	assert_int_equal(stage->events, 4);
	assert_non_null(stage->b.tcp);
}

static int send_numbers(struct end *end, size_t first, size_t count)
{
	uint8_t *bytes = malloc(count);
	int err;

	assert_non_null(bytes);
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)((first + i) % 251);
	err = tcp_send(end->tcp, (struct slice){bytes, count});
	free(bytes);
	return err;
}

static void wait_bytes(struct stage *stage, const struct end *end, size_t count)
{
	stage->enough = 0;
	stage->bytes_wanted = count;
	while (end->came < count)
		loop_uv_run(stage->loop);
	assert_int_equal(end->came, count);
	assert_int_equal(end->sum, 0);
}

static void test_bytes_both_ways(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};
	struct stage *stage = *state;

	for (size_t i = 0; i < 2; i++) {
		struct addr near, far;

		stage->events = stage->a.came = stage->b.came = 0;
		open_pair(stage, hosts[i]);
		tcp_local(&near, stage->a.tcp);
		tcp_remote(&far, stage->b.tcp);
		assert_true(addr_equal(&near, &far));
		tcp_remote(&near, stage->a.tcp);
		tcp_local(&far, stage->b.tcp);
		assert_true(addr_equal(&near, &far) && addr_equal(&near, &stage->at));

		assert_int_equal(send_numbers(&stage->a, 0, 1), 0);
		assert_int_equal(send_numbers(&stage->a, 1, 0), 0);
		assert_int_equal(send_numbers(&stage->a, 1, 999), 0);
		wait_bytes(stage, &stage->b, 1000);
		assert_int_equal(send_numbers(&stage->b, 0, BIG), 0); /* more than goes at once */
		wait_bytes(stage, &stage->a, BIG);

		tcp_free(stage->b.tcp);
		run(stage, 1);
		assert_int_equal(stage->a.err, 0);
		assert_memory_equal(stage->log + 4, "Ax", 2);
		assert_int_equal(send_numbers(&stage->a, 0, 1), -EPIPE);
		tcp_free(stage->a.tcp);
		tcp_listener_free(stage->listener);
		stage->a.tcp = stage->b.tcp = NULL;
		stage->listener = NULL;
	}
}

/* Before it stands already, and from another address. */
static void test_early_bytes(void **state)
{
	struct stage *stage = *state;
	struct addr remote;

	listen_at(stage, "127.0.0.1");
	assert_int_equal(try_connect(stage, "127.0.0.2"), 0);
	assert_int_equal(send_numbers(&stage->a, 0, 10), 0);
	wait_bytes(stage, &stage->b, 10);
	tcp_remote(&remote, stage->b.tcp);
	remote.port = 0;
	assert_true(addr_equal(&remote, &(struct addr){ADDR_IPV4, 0, 0, {127, 0, 0, 2}}));
}

static void test_refused(void **state)
{
	struct stage *stage = *state;
	struct tcp_listener *second;
	struct addr any = {.family = ADDR_IPV6};

	listen_at(stage, "127.0.0.1");
	assert_int_equal(
		loop_tcp_listen(&second, stage->loop, &stage->at, accepted, stage), -EADDRINUSE);
	any.port = stage->at.port; /* of IPv6 alone */
	assert_int_equal(loop_tcp_listen(&second, stage->loop, &any, accepted, stage), 0);
	tcp_listener_free(second);
	assert_int_equal(try_connect(stage, "192.0.2.1"), -EADDRNOTAVAIL);
	assert_int_equal(try_connect(stage, "::1"), -EAFNOSUPPORT);
	tcp_listener_free(stage->listener);
	stage->listener = NULL;
	run_for(stage, 10 * NS_PER_MS);
	assert_int_equal(try_connect(stage, NULL), 0);
	assert_int_equal(send_numbers(&stage->a, 0, 10), 0);
	run(stage, 1);
	assert_int_equal(stage->a.err, -ECONNREFUSED);
	assert_string_equal(stage->log, "Ax");
	tcp_free(NULL);
	tcp_listener_free(NULL);
}

static int plain_connect(const struct addr *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(at->port)};

	memcpy(&to.sin_addr, at->ip, sizeof(to.sin_addr));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void test_reset(void **state)
{
	const struct linger none = {.l_onoff = 1};
	struct stage *stage = *state;
	int fd;

	listen_at(stage, "127.0.0.1");
	fd = plain_connect(&stage->at);
	run(stage, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	close(fd);
	run(stage, 1);
	assert_int_equal(stage->b.err, -ECONNRESET);
	assert_string_equal(stage->log, "BaBx");
	assert_int_equal(send_numbers(&stage->b, 0, 1), -EPIPE);
}

static void test_freed_by_its_event(void **state)
{
	static const char when[] = {'c', 'r', 'x'};

	for (size_t i = 0; i < sizeof(when); i++) {
		struct stage *stage = *state;

		listen_at(stage, "127.0.0.1");
		stage->a.frees_at = when[i];
		assert_int_equal(try_connect(stage, NULL), 0);
		run(stage, 2);
		if (when[i] != 'c') {
			assert_int_equal(send_numbers(&stage->b, 0, 10), 0);
			tcp_free(stage->b.tcp);
			stage->b.tcp = NULL;
			run(stage, 1);
		}
		assert_null(stage->a.tcp);
		assert_int_equal(tear_down(state), 0);
		set_up(state);
	}
}

/* What was taken goes out, though nobody holds the connection any more. */
static void test_freed_with_unsent(void **state)
{
	struct stage *stage = *state;

	listen_at(stage, "127.0.0.1");
	assert_int_equal(try_connect(stage, NULL), 0);
	run(stage, 2);
	assert_int_equal(send_numbers(&stage->a, 0, BIG), 0);
	tcp_free(stage->a.tcp);
	stage->a.tcp = NULL;
	wait_bytes(stage, &stage->b, BIG);
	run(stage, 1);
	assert_int_equal(stage->b.err, 0);
	assert_non_null(strstr(stage->log, "Bx"));
}

/* Whoever gives up a connection that does not come about wants nothing to arrive by it later. */
static void test_given_up(void **state)
{
	struct stage *stage = *state;

	listen_at(stage, "127.0.0.1");
	assert_int_equal(try_connect(stage, NULL), 0);
	assert_int_equal(send_numbers(&stage->a, 0, 10), 0);
	tcp_free(stage->a.tcp);
	stage->a.tcp = NULL;
	run_for(stage, 100 * NS_PER_MS);
	assert_int_equal(stage->b.came, 0);
}

/* Last words are heard, though there was more to be read: closing must not become a reset. */
static void test_last_words(void **state)
{
	static const uint8_t much[300000];
	struct stage *stage = *state;
	uint8_t heard[16];
	ssize_t len;
	int fd;

	listen_at(stage, "127.0.0.1");
	fd = plain_connect(&stage->at);
	run(stage, 1);
	assert_true(send(fd, much, sizeof(much), MSG_DONTWAIT) > 0);
	assert_int_equal(send_numbers(&stage->b, 0, 10), 0);
	tcp_free(stage->b.tcp);
	stage->b.tcp = NULL;
	run_for(stage, 100 * NS_PER_MS);
	assert_true(send(fd, much, sizeof(much), MSG_DONTWAIT) > 0);
	run_for(stage, 100 * NS_PER_MS);
	assert_int_equal(recv(fd, heard, sizeof(heard), MSG_DONTWAIT), 10);
	len = recv(fd, heard, sizeof(heard), MSG_DONTWAIT);
	assert_int_equal(len, 0);
	close(fd);
	run_for(stage, 100 * NS_PER_MS);
}

/* A far end that does not read: what waits is bounded, and given up in the end. */
static void test_far_end_that_does_not_read(void **state)
{
	struct stage *stage = *state;
	int fd;
	struct end *b = &stage->b;
	uint64_t until;
	int err = 0;

	listen_at(stage, "127.0.0.1");
	fd = plain_connect(&stage->at);
	run(stage, 1);
	for (size_t i = 0; i < 100 && !err; i++)
		err = send_numbers(b, i * 200000, 200000);
	assert_int_equal(err, -ENOBUFS);
	tcp_free(b->tcp);
	b->tcp = NULL;
	until = loop_now(stage->loop) + 6 * NS_PER_S;
	run_for(stage, until - loop_now(stage->loop));
	{
		uint8_t byte;
		ssize_t len;

		while ((len = recv(fd, &byte, 1, MSG_DONTWAIT)) > 0)
			;
		assert_int_equal(len, -1);
		assert_int_equal(errno, ECONNRESET);
	}
	close(fd);
}

static void test_no_memory(void **state)
{
	struct stage *stage = *state;
	size_t most = 0;
	struct addr local = address("127.0.0.1");

	for (int err = -ENOMEM; err; most++) {
		allocations = most;
		err = loop_tcp_listen(&stage->listener, stage->loop, &local, accepted, stage);
		assert_true(err == 0 || err == -ENOMEM);
	}
	assert_true(most > 1);
	tcp_listener_local(&stage->at, stage->listener);
	most = 0;
	for (int err = -ENOMEM; err; most++) {
		allocations = most;
		err = try_connect(stage, NULL);
		assert_true(err == 0 || err == -ENOMEM);
	}
	assert_true(most > 2);
	allocations = 0; /* whom there is no memory for waits */
	assert_int_equal(send_numbers(&stage->a, 0, 1), -ENOMEM);
	run_for(stage, 50 * NS_PER_MS);
	assert_string_equal(stage->log, "Ac");
	allocations = SIZE_MAX;
	run(stage, 1);
	assert_string_equal(stage->log, "AcBa");
}

/* Without descriptors connections are turned away, and the loop does not turn in vain. */
static void test_no_descriptors(void **state)
{
	struct stage *stage = *state;
	struct rlimit before, none;
	struct rusage first, last;
	int fd;

	listen_at(stage, "127.0.0.1");
	assert_int_equal(try_connect(stage, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	fd = dup(0);
	close(fd);
	none = before;
	none.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	getrusage(RUSAGE_SELF, &first);
	run_for(stage, 300 * NS_PER_MS);
	getrusage(RUSAGE_SELF, &last);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(stage->b.tcp);
	assert_string_equal(stage->log, "AcAx");
	assert_true(last.ru_nvcsw - first.ru_nvcsw < 1000);
	tcp_free(stage->a.tcp);
	assert_int_equal(try_connect(stage, NULL), 0);
	run(stage, 2);
	assert_non_null(stage->b.tcp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_early_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_by_its_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_with_unsent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_far_end_that_does_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptors, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("net/tcp", tests, NULL, NULL);
}
