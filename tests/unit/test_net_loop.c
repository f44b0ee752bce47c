/* core/net: the loop of the real world keeps what core/base/loop.h promises of every loop. */
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	LIMIT_S = 20, /* a loop that gets stuck is to fail, not to hang */
	POSTS = 1000,
	LOG_SIZE = 64,
};

static const struct addr loopback = {.family = ADDR_IPV4, .ip = {127, 0, 0, 1}};

struct world {
	struct loop *loop;
	struct timer timers[4];
	char log[LOG_SIZE]; /* a letter an event */
	size_t events;
	size_t enough; /* stop after so many */
};

static void note(struct world *world, char what)
{
	assert_true(world->events < LOG_SIZE - 1);
	world->log[world->events++] = what;
	if (world->events == world->enough)
		loop_uv_stop(world->loop);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	alarm(LIMIT_S);
	assert_non_null(world);
	assert_int_equal(loop_uv_new(&world->loop), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	loop_uv_free(world->loop);
	free(world);
	alarm(0);
	return 0;
}

static void fire_a(void *arg)
{
	note(arg, 'a');
}

static void fire_b(void *arg)
{
	note(arg, 'b');
}

static void fire_c(void *arg)
{
	note(arg, 'c');
}

static void test_timers_run_in_order(void **state)
{
	struct world *world = *state;
	uint64_t at = loop_now(world->loop) + 2 * NS_PER_MS;

	timer_init(&world->timers[0], world->loop, fire_a, world);
	timer_init(&world->timers[1], world->loop, fire_b, world);
	timer_init(&world->timers[2], world->loop, fire_c, world);
	timer_start(&world->timers[1], at); /* of two that are due at once, */
	timer_start(&world->timers[2], at); /* the one that was started first */
	timer_start(&world->timers[0], at - NS_PER_MS);
	world->enough = 3;
	loop_uv_run(world->loop);

	assert_string_equal(world->log, "abc");
	assert_true(loop_now(world->loop) >= at);
	assert_false(timer_running(&world->timers[0]));
}

static void fire_and_stop_b(void *arg)
{
	struct world *world = arg;

	timer_stop(&world->timers[1]);
	note(world, 'a');
}

/* A timer that is due already may be stopped by one that comes before it. */
static void test_stopped_timer_is_silent(void **state)
{
	struct world *world = *state;
	uint64_t at = loop_now(world->loop);

	timer_init(&world->timers[0], world->loop, fire_and_stop_b, world);
	timer_init(&world->timers[1], world->loop, fire_b, world);
	timer_init(&world->timers[2], world->loop, fire_c, world);
	timer_start(&world->timers[0], at);
	timer_start(&world->timers[1], at);
	timer_start(&world->timers[2], at + NS_PER_MS);
	world->enough = 2;
	loop_uv_run(world->loop);

	assert_string_equal(world->log, "ac");
}

struct numbered {
	struct post post;
	struct world *world;
	size_t number;
};

static void run_numbered(struct post *post)
{
	struct numbered *self = container_of(post, struct numbered, post);

	assert_int_equal(self->number, self->world->events);
	if (++self->world->events == POSTS)
		loop_uv_stop(self->world->loop);
	free(self);
}

static void *post_many(void *arg)
{
	struct world *world = arg;

	for (size_t i = 0; i < POSTS; i++) {
		struct numbered *post = calloc(1, sizeof(*post));

		if (!post)
			abort();
		*post = (struct numbered){{NULL, run_numbered}, world, i};
		loop_post(world->loop, &post->post);
	}
	return NULL;
}

static void test_posts_keep_their_order(void **state)
{
	struct world *world = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_many, world), 0);
	loop_uv_run(world->loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(world->events, POSTS);
}

struct errand {
	struct work work;
	struct world *world;
	pthread_t ran_on;
};

static void errand_run(struct work *work)
{
	container_of(work, struct errand, work)->ran_on = pthread_self();
}

static void errand_done(struct work *work)
{
	note(container_of(work, struct errand, work)->world, 'w');
}

static void test_work_runs_elsewhere(void **state)
{
	struct errand errand = {{errand_run, errand_done}, *state, pthread_self()};

	errand.world->enough = 1;
	assert_int_equal(loop_work(errand.world->loop, &errand.work), 0);
	loop_uv_run(errand.world->loop);
	assert_false(pthread_equal(errand.ran_on, pthread_self()));
}

/* A socket and what came to it. */
struct station {
	struct world *world;
	struct udp *udp;
	struct addr from;
	struct addr to;
	char bytes[LOG_SIZE];
	int err;
	bool frees_itself;
};

static void station_datagram(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct station *station = arg;
	uint64_t now = loop_now(station->world->loop);

	assert_true(arrival_ns <= now && now - arrival_ns < NS_PER_S);
	assert_true(bytes.len < LOG_SIZE);
	memcpy(station->bytes, bytes.data, bytes.len);
	station->from = *from;
	station->to = *to;
	if (station->frees_itself) {
		udp_free(station->udp);
		station->udp = NULL;
	}
	note(station->world, 'd');
}

static void station_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct station *station = arg;

	assert_true(sent.len < LOG_SIZE);
	memcpy(station->bytes, sent.data, sent.len);
	station->from = *to;
	station->err = err;
	note(station->world, 'u');
}

static const struct udp_events station_events = {station_datagram, station_unreachable};

static void station_open(struct station *station, struct world *world, const struct addr *local)
{
	*station = (struct station){.world = world};
	assert_int_equal(loop_udp_open(&station->udp, world->loop, local), 0);
	assert_int_equal(udp_start(station->udp, world->loop, &station_events, station), 0);
}

static void test_datagrams(void **state)
{
	struct world *world = *state;
	struct station a, b;
	struct addr at_a, at_b;

	station_open(&a, world, &loopback);
	station_open(&b, world, &loopback);
	udp_local(&at_a, a.udp);
	udp_local(&at_b, b.udp);
	assert_true(at_a.port != 0 && at_a.port != at_b.port);

	world->enough = 1;
	assert_int_equal(udp_send(a.udp, &at_b, (struct slice){(const uint8_t *)"hello", 5}), 0);
	loop_uv_run(world->loop);
	assert_string_equal(b.bytes, "hello");
	assert_true(addr_equal(&b.from, &at_a));

	udp_free(a.udp);
	udp_free(b.udp);
}

/* Bound to all addresses, it sees at which one a datagram came, and answers from there. */
static void test_local_addresses(void **state)
{
	static const struct {
		const char *any, *asker, *asked;
	} cases[] = {
		{"0.0.0.0", "127.0.0.1", "127.0.0.2"},
		{"0.0.0.0", "127.0.0.3", "127.0.0.1"},
		{"127.0.0.2", "127.0.0.1", "127.0.0.2"},
		{"::", "::1", "::1"},
		{"::1", "::1", "::1"},
	};
	const struct slice bytes = {(const uint8_t *)"hello", 5};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr any, asker, asked, at;
		struct station a, b;

		assert_int_equal(addr_parse(&any, slice_of(cases[i].any)), 0);
		assert_int_equal(addr_parse(&asker, slice_of(cases[i].asker)), 0);
		assert_int_equal(addr_parse(&asked, slice_of(cases[i].asked)), 0);
		station_open(&a, world, &any);
		station_open(&b, world, &asker);
		udp_local(&at, a.udp);
		assert_true(addr_same_host(&at, &any));
		asked.port = at.port;
		udp_local(&asker, b.udp);

		world->enough = world->events + 1;
		assert_int_equal(udp_send(b.udp, &asked, bytes), 0);
		loop_uv_run(world->loop);
		assert_true(addr_equal(&a.to, &asked));
		assert_int_equal(a.to.scope, 0);

		world->enough = world->events + 1;
		assert_int_equal(udp_send_from(a.udp, &a.to, &a.from, bytes), 0);
		loop_uv_run(world->loop);
		assert_true(addr_equal(&b.from, &asked));
		assert_true(addr_equal(&b.to, &asker));

		world->enough = world->events + 1;
		assert_int_equal(udp_send_from(a.udp, &any, &a.from, bytes), 0);
		loop_uv_run(world->loop);
		udp_free(a.udp);
		udp_free(b.udp);
	}
}

static void test_foreign_local_address(void **state)
{
	const struct addr elsewhere = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};
	const struct addr ipv6 = {.family = ADDR_IPV6, .ip = {[15] = 1}};
	const struct addr any = {.family = ADDR_IPV4};
	const struct slice bytes = {(const uint8_t *)"hello", 5};
	struct world *world = *state;
	struct station a;
	struct addr to = loopback;

	station_open(&a, world, &any);
	to.port = 9;
	assert_true(udp_send_from(a.udp, &elsewhere, &to, bytes) < 0);
	assert_int_equal(udp_send_from(a.udp, &ipv6, &to, bytes), -EINVAL);
	udp_free(a.udp);
}

/* The second datagram was taken from the system together with the first; nobody is there for it. */
static void test_socket_freed_by_its_event(void **state)
{
	struct world *world = *state;
	struct station a, b;
	struct addr at_b;

	station_open(&a, world, &loopback);
	station_open(&b, world, &loopback);
	udp_local(&at_b, b.udp);
	b.frees_itself = true;
	assert_int_equal(udp_send(a.udp, &at_b, (struct slice){(const uint8_t *)"1", 1}), 0);
	assert_int_equal(udp_send(a.udp, &at_b, (struct slice){(const uint8_t *)"2", 1}), 0);
	timer_init(&world->timers[0], world->loop, fire_c, world);
	timer_start_in(&world->timers[0], 50 * NS_PER_MS);
	world->enough = 2;
	loop_uv_run(world->loop);

	assert_string_equal(world->log, "dc");
	assert_string_equal(b.bytes, "1");
	udp_free(a.udp);
}

static void test_icmp_is_told(void **state)
{
	struct world *world = *state;
	struct station a, gone;
	struct addr nobody, at_a;

	station_open(&gone, world, &loopback);
	udp_local(&nobody, gone.udp);
	udp_free(gone.udp);

	for (size_t round = 1; round <= 2; round++) { /* it goes on working after an error */
		if (round == 1)
			station_open(&a, world, &loopback);
		a.err = 0;
		world->enough = round;
		assert_int_equal(
			udp_send(a.udp, &nobody, (struct slice){(const uint8_t *)"ring", 4}), 0);
		loop_uv_run(world->loop);
		assert_int_equal(a.err, -ECONNREFUSED);
		assert_string_equal(a.bytes, "ring");
		assert_true(addr_equal(&a.from, &nobody));
	}

	udp_local(&at_a, a.udp);
	world->enough = 3;
	assert_int_equal(udp_send(a.udp, &at_a, (struct slice){(const uint8_t *)"self", 4}), 0);
	loop_uv_run(world->loop);
	assert_string_equal(world->log, "uud");
	udp_free(a.udp);
}

static void test_ports_and_routes(void **state)
{
	const struct addr elsewhere = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};
	const struct addr ipv6 = {.family = ADDR_IPV6, .ip = {[15] = 1}};
	struct world *world = *state;
	struct udp *taken, *other;
	struct addr at;

	assert_int_equal(loop_udp_open(&taken, world->loop, &loopback), 0);
	udp_local(&at, taken);
	assert_int_equal(loop_udp_open(&other, world->loop, &at), -EADDRINUSE);
	assert_int_equal(loop_udp_open(&other, world->loop, &elsewhere), -EADDRNOTAVAIL);
	assert_int_equal(udp_send(taken, &ipv6, (struct slice){0}), -EAFNOSUPPORT);
	udp_free(taken);

	assert_int_equal(loop_route(&at, world->loop, &loopback), 0);
	assert_true(addr_is_loopback(&at));
	assert_int_equal(at.port, 0);
}

struct question {
	struct world *world;
	int err;
	struct addr first;
};

static void answered(void *arg, const struct dns_answer *answer)
{
	struct question *question = arg;

	question->err = answer->err;
	if (answer->count > 0)
		question->first = answer->records[0].addr;
	note(question->world, 'n');
}

static void test_names(void **state)
{
	struct question question = {.world = *state, .err = 1};
	struct resolve *resolve;

	question.world->enough = 1;
	assert_int_equal(loop_resolve(&resolve, question.world->loop, DNS_HOST, "localhost",
				 answered, &question),
		0);
	assert_int_equal(question.err, 1); /* never before it returns */
	loop_uv_run(question.world->loop);
	assert_int_equal(question.err, 0);
	assert_true(addr_is_loopback(&question.first));
	assert_int_equal(question.first.port, 0);

	question.world->enough = 2;
	assert_int_equal(
		loop_resolve(&resolve, question.world->loop, DNS_HOST, "a..b", answered, &question),
		0);
	loop_uv_run(question.world->loop);
	assert_true(question.err == -ENOENT || question.err == -EAGAIN);

	/* who has cancelled hears nothing; the loop still ends well */
	assert_int_equal(loop_resolve(&resolve, question.world->loop, DNS_HOST, "localhost",
				 answered, &question),
		0);
	resolve_cancel(resolve);
}

static void caught(void *arg, int number)
{
	note(arg, number == SIGUSR1 ? 's' : '?');
}

static void run_note(struct post *post)
{
	struct numbered *self = container_of(post, struct numbered, post);

	self->number = 1;
}

/* A post comes between, and must not make the loop forget the watch, which would leak. */
static void test_signals(void **state)
{
	struct world *world = *state;
	struct numbered post = {{NULL, run_note}, world, 0};

	world->enough = 1;
	assert_int_equal(loop_uv_signal(world->loop, SIGUSR1, caught, world), 0);
	loop_post(world->loop, &post.post);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	loop_uv_run(world->loop);
	assert_string_equal(world->log, "s");
	assert_int_equal(post.number, 1);
}

/* Who catches it no more has the system do what it does: nothing, where it is ignored. */
static void test_signals_no_more(void **state)
{
	struct world *world = *state;
	struct world other = {0};

	world->enough = 1;
	signal(SIGUSR2, SIG_IGN);
	assert_int_equal(loop_uv_signal(world->loop, SIGUSR1, caught, world), 0);
	assert_int_equal(loop_uv_signal(world->loop, SIGUSR2, caught, &other), 0);
	loop_uv_signal_stop(world->loop, &other);
	signal(SIGUSR2, SIG_IGN);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	loop_uv_run(world->loop);
	assert_string_equal(world->log, "s");
	assert_int_equal(other.events, 0);
	signal(SIGUSR2, SIG_DFL);
}

/* A pipe that is watched. */
struct watched {
	struct world *world;
	struct loop_watch *watch;
	int ends[2];
};

static void read_byte(void *arg)
{
	struct watched *watched = arg;
	char byte = 'e';

	if (read(watched->ends[0], &byte, 1) ==
		0) { /* of its end it is told until nobody listens */
		loop_uv_unwatch(watched->watch);
		watched->watch = NULL;
	}
	note(watched->world, byte);
}

static void test_watch(void **state)
{
	struct world *world = *state;
	struct watched watched = {.world = world};

	world->enough = 3;
	assert_int_equal(pipe(watched.ends), 0);
	assert_int_equal(
		loop_uv_watch(&watched.watch, world->loop, watched.ends[0], read_byte, &watched),
		0);
	assert_int_equal(fcntl(watched.ends[0], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(write(watched.ends[1], "ab", 2), 2);
	close(watched.ends[1]);
	loop_uv_run(world->loop);
	assert_string_equal(world->log, "abe");
	assert_null(watched.watch);
	close(watched.ends[0]);
	loop_uv_unwatch(NULL);
}

static void test_what_cannot_be_watched(void **state)
{
	struct world *world = *state;
	FILE *file = tmpfile();
	struct loop_watch *watch;

	assert_int_equal(
		loop_uv_watch(&watch, world->loop, fileno(file), read_byte, world), -EPERM);
	assert_int_equal(loop_uv_watch(&watch, world->loop, -1, read_byte, world), -EBADF);
	fclose(file);
}

/* What was posted before the thread is stopped still runs. */
static void test_thread(void **state)
{
	struct world *world = *state;
	struct numbered post = {{NULL, run_note}, world, 0};
	struct loop_thread *thread;

	assert_int_equal(loop_thread_start(&thread, world->loop, "test"), 0);
	loop_post(world->loop, &post.post);
	loop_thread_stop(thread);
	loop_thread_stop(NULL);
	assert_int_equal(post.number, 1);
}

static void test_random(void **state)
{
	struct world *world = *state;
	uint8_t a[300] = {0}, b[300] = {0};

	loop_random(world->loop, a, sizeof(a));
	loop_random(world->loop, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	/* 2020-01-01; whoever reads a time stamp sees a wrong epoch at once */
	assert_true(loop_wall(world->loop) > UINT64_C(1577836800) * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_timers_run_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped_timer_is_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_posts_keep_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_work_runs_elsewhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_datagrams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_local_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_local_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_socket_freed_by_its_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_icmp_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ports_and_routes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signals_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_watched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_thread, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
