/* cmd/control/control: a client that asks, one too many, and memory that runs out in the middle. */
#include "cmd/control/control.h"

#include "cmd/desk.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { PATH_SIZE = 100, ROOM = 1 << 16, PLACES = 20 };

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

/* A client. */
struct end {
	struct stage *stage;
	struct tcp *tcp;
	bool closed;
	struct text came;
	char room[ROOM];
};

/* A desk without phones, and clients on the same loop. */
struct stage {
	struct loop *loop;
	struct desk *desk;
	struct control *control;
	struct timer limit;
	char folder[PATH_SIZE];
	char path[PATH_SIZE + 8];
	struct end ends[CONTROL_CLIENTS_MAX + 1];
};

static void on_received(void *arg, struct slice bytes)
{
	struct end *end = arg;

	text_put(&end->came, bytes);
	assert_false(end->came.cut);
	if (end->room[end->came.len - 1] == '\n')
		loop_uv_stop(end->stage->loop);
}

static void on_closed(void *arg, int err)
{
	struct end *end = arg;

	(void)err;
	end->closed = true;
	loop_uv_stop(end->stage->loop);
}

static void on_connected(void *arg)
{
	(void)arg;
}

static void on_limit(void *arg)
{
	struct stage *stage = arg;

	loop_uv_stop(stage->loop);
}

static void on_quit(void *arg)
{
	(void)arg;
}

static void run(struct stage *stage, unsigned ms)
{
	timer_start_in(&stage->limit, ms * NS_PER_MS);
	loop_uv_run(stage->loop);
	timer_stop(&stage->limit);
}

static void attach(struct stage *stage, struct end *end)
{
	static const struct tcp_events events = {on_connected, on_received, on_closed};

	end->stage = stage;
	end->closed = false;
	end->came = TEXT_IN(end->room);
	assert_int_equal(loop_local_connect(&end->tcp, stage->loop, stage->path, &events, end), 0);
}

/* What comes for a line, which is sent. */
static const char *ask(struct end *end, const char *line, unsigned ms)
{
	end->came = TEXT_IN(end->room);
	if (*line != '\0')
		assert_int_equal(tcp_send(end->tcp, slice_of(line)), 0);
	run(end->stage, ms);
	return end->room;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct desk_config config = {.quit = on_quit};
	struct fault why;

	assert_non_null(stage);
	strcpy(stage->folder, "/tmp/sipcall-control-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->path, sizeof(stage->path), "%s/s", stage->folder);
	assert_int_equal(loop_uv_new(&stage->loop), 0);
	timer_init(&stage->limit, stage->loop, on_limit, stage);
	config.loop = stage->loop;
	assert_int_equal(desk_new(&stage->desk, &config), 0);
	assert_int_equal(control_new(&stage->control, stage->desk, stage->path, &why), 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	allocations = SIZE_MAX;
	for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		tcp_free(stage->ends[i].tcp);
	control_free(stage->control);
	control_free(NULL);
	desk_free(stage->desk);
	loop_uv_free(stage->loop);
	assert_int_equal(rmdir(stage->folder), 0);
	free(stage);
	return 0;
}

static void test_ids(void **state)
{
	struct stage *stage = *state;
	struct end *one = &stage->ends[0], *two = &stage->ends[1];
	const char *answer;

	attach(stage, one);
	attach(stage, two);
	answer = ask(one, "{\"command\":\"help quit\",\"id\":\"a\"}\n", 2000);
	assert_non_null(strstr(answer, "\"at\":null,\"id\":\"a\"}\n"));
	run(stage, 20);
	assert_non_null(strstr(two->room, "\"command\":\"help quit\",\"ok\":true"));
	assert_null(strstr(two->room, "\"id\""));
	answer = ask(two, "{\"command\":\"# nothing\",\"id\":2}\n", 2000);
	assert_non_null(strstr(answer, "\"command\":\"# nothing\",\"ok\":true,\"code\":0"));
	assert_non_null(strstr(answer, "\"id\":2}\n"));
	answer = ask(two, "\n", 20); /* nothing was asked */
	assert_string_equal(answer, "");
}

/* The last that there is a place for is served, and the next one as soon as one has gone. */
static void test_places(void **state)
{
	struct stage *stage = *state;
	struct end *more = &stage->ends[CONTROL_CLIENTS_MAX];

	for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		attach(stage, &stage->ends[i]);
	while (!more->closed)
		run(stage, 2000);
	assert_non_null(strstr(more->room, "\"event\":\"error\""));
	tcp_free(more->tcp);
	tcp_free(stage->ends[0].tcp);
	stage->ends[0].tcp = NULL;
	run(stage, 20);
	attach(stage, more);
	assert_non_null(strstr(ask(more, "help quit\n", 2000), "\"ok\":true"));
}

/* Who asks is answered or let go, and the next one is served. */
static void test_memory(void **state)
{
	static const char line[] = "{\"command\":\"quit\",\"id\":1}\n";
	struct stage *stage = *state;
	struct end *end = &stage->ends[0];
	size_t left;

	for (size_t i = 0; i < PLACES; i++) {
		attach(stage, end);
		run(stage, 2);
		assert_int_equal(tcp_send(end->tcp, slice_of(line)), 0);
		allocations = i;
		run(stage, 5);
		left = allocations;
		allocations = SIZE_MAX;
		if (!end->closed)
			ask(end, "", 2);
		tcp_free(end->tcp);
		attach(stage, end);
		assert_non_null(strstr(ask(end, line, 2000), "\"ok\":true"));
		tcp_free(end->tcp);
		end->tcp = NULL;
	}
	assert_true(left > 0); /* the last had enough */
}

static void test_cannot_begin(void **state)
{
	struct stage *stage = *state;
	struct control *second;
	struct fault why;

	assert_int_equal(control_new(&second, stage->desk, stage->path, &why), -EADDRINUSE);
	assert_non_null(strstr(why.words, "another program listens at "));
	for (size_t i = 0; i < 2; i++) {
		allocations = i;
		assert_int_equal(control_new(&second, stage->desk, "x", &why), -ENOMEM);
	}
	allocations = SIZE_MAX;
	assert_int_equal(control_new(&second, stage->desk, "/no/such\x1b", &why), -ENOENT);
	assert_string_equal(
		why.words, "--control: cannot listen at /no/such\\x1b: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cannot_begin, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
