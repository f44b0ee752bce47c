/* cmd/script/script_run: whatever memory is wanting, a script comes to its end and leaves nothing.
 */
#include "cmd/script/script_run.h"

#include "cmd/readers/verdict.h"
#include "cmd/terminal.h"
#include "core/net/loop_sim.h"
#include "core/net/loop_uv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program here, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

/* The one after those fails, and no other. */
void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0) {
		allocations_left = SIZE_MAX;
		return NULL;
	}
	allocations_left--;
	return __real_calloc(count, size);
}

static const char text[] = "x = 200ms\n"
			   "phone alice mic=tone:440 codecs=pcmu\n"
			   "phone bob answer\n"
			   "net bob rx loss 1%\n"
			   "alice call ${bob.uri} &\n"
			   "repeat 2\nwait $x\nend\n"
			   "bob expect answered\n"
			   "alice hangup\n"
			   "bob expect ended\n";

struct stage {
	struct world *world;
	struct world_host *host;
	struct loop *agent_loop;
	struct loop *media_loop;
	struct loop *main_loop;
	struct terminal *terminal;
	int null;
	struct desk *desk;
	struct script *script;
	struct script_run *run;
	struct options options;
	int exit;
	bool over;
	bool closed;
};

static void on_over(void *arg, int exit)
{
	struct stage *stage = arg;

	stage->over = true;
	stage->exit = exit;
}

static void on_closed(void *arg)
{
	struct stage *stage = arg;

	stage->closed = true;
}

static void on_quit(void *arg)
{
	(void)arg;
}

static void open_stage(struct stage *stage)
{
	const struct world_config world = {.seed = 1, .start_ns = NS_PER_S};
	const struct addr addr = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};
	const struct options options = {.script = "s",
		.seed = 1,
		.timeout_ns = 60 * NS_PER_S,
		.in_virtual = true,
		.quiet = true};
	struct fault why;

	*stage = (struct stage){.options = options};
	stage->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(script_new(&stage->script, "s", slice_of(text), &why), 0);
	assert_int_equal(world_new(&stage->world, &world), 0);
	assert_int_equal(world_host_new(&stage->host, stage->world, &addr), 0);
	assert_int_equal(world_loop_new(&stage->agent_loop, stage->host), 0);
	assert_int_equal(world_loop_new(&stage->media_loop, stage->host), 0);
	assert_int_equal(loop_uv_new(&stage->main_loop), 0);
	assert_int_equal(terminal_new(&stage->terminal, stage->main_loop, stage->null), 0);
	assert_int_equal(desk_new(&stage->desk,
				 &(struct desk_config){.loop = stage->agent_loop, .quit = on_quit}),
		0);
}

static int begin(struct stage *stage)
{
	const struct script_run_config config = {
		.script = stage->script,
		.options = &stage->options,
		.desk = stage->desk,
		.agent_loop = stage->agent_loop,
		.media_loop = stage->media_loop,
		.terminal = stage->terminal,
		.over = on_over,
		.arg = stage,
	};

	return script_run_new(&stage->run, &config);
}

static void run_for(struct stage *stage, uint64_t ns, const bool *until)
{
	uint64_t end_ns = world_now(stage->world) + ns;

	while (!*until && world_now(stage->world) < end_ns)
		world_run(stage->world, world_now(stage->world) + NS_PER_MS);
	assert_true(*until);
}

static void close_stage(struct stage *stage)
{
	struct world_left left;

	desk_close(stage->desk, on_closed, stage);
	run_for(stage, 200 * NS_PER_S, &stage->closed);
	if (stage->run)
		script_run_end(stage->run);
	desk_free(stage->desk);
	world_run(stage->world, world_now(stage->world) + NS_PER_S);
	script_run_free(stage->run);
	terminal_free(stage->terminal);
	close(stage->null);
	world_loop_free(stage->agent_loop);
	world_loop_free(stage->media_loop);
	loop_uv_free(stage->main_loop);
	world_left(&left, stage->world);
	assert_int_equal(left.sockets, 0);
	world_free(stage->world);
	script_free(stage->script);
}

static int play(size_t allocations)
{
	struct stage stage;

	open_stage(&stage);
	allocations_left = allocations;
	if (begin(&stage) == 0)
		run_for(&stage, 100 * NS_PER_S, &stage.over);
	else
		stage.run = NULL;
	close_stage(&stage);
	return stage.over ? stage.exit : -ENOMEM;
}

static void test_no_memory(void **state)
{
	const size_t all = SIZE_MAX / 2;
	size_t taken = 0;

	(void)state;
	assert_int_equal(play(all), 0);
	taken = all - allocations_left;
	assert_true(taken > 100);
	for (size_t i = 0; i < taken; i += i < 100 ? 1 : 7) {
		int exit = play(i);

		assert_true(exit == -ENOMEM || exit == VERDICT_DONE ||
			    exit == VERDICT_EXPECTATION || exit == VERDICT_LOCAL);
	}
	allocations_left = SIZE_MAX;
	assert_int_equal(play(SIZE_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
