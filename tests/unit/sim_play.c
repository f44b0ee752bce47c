#include "tests/unit/sim_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

size_t play_allocations = SIZE_MAX;
bool play_fails_once;

void *__wrap_calloc(size_t count, size_t size)
{
	if (play_allocations == 0) {
		if (play_fails_once)
			play_allocations = SIZE_MAX;
		return NULL;
	}
	if (play_allocations != SIZE_MAX)
		play_allocations--;
	return __real_calloc(count, size);
}

void play_open(struct play *play, uint64_t seed)
{
	const struct world_config config = {
		.seed = seed,
		.start_ns = PLAY_START_NS,
		.wall_ns = PLAY_WALL_NS,
		.timer_late_ns = PLAY_LATE_NS,
		.post_late_ns = PLAY_LATE_NS,
		.work_late_ns = PLAY_LATE_NS,
		.way_ns = PLAY_WAY_NS,
	};

	*play = (struct play){0};
	assert_int_equal(world_new(&play->world, &config), 0);
	for (size_t i = 0; i < PLAY_HOSTS; i++) {
		struct addr addr = {ADDR_IPV4, 99, 0, {192, 0, 2, (uint8_t)(i + 1)}};

		assert_int_equal(world_host_new(&play->hosts[i], play->world, &addr), 0);
		for (size_t j = 0; j < PLAY_LOOPS; j++)
			assert_int_equal(world_loop_new(&play->loops[i][j], play->hosts[i]), 0);
	}
	play->loop = play->loops[0][0];
}

void play_close(struct play *play)
{
	static const struct world_left nothing;
	struct world_left left;

	for (size_t i = 0; i < PLAY_HOSTS; i++)
		for (size_t j = 0; j < PLAY_LOOPS; j++)
			world_loop_free(play->loops[i][j]);
	left = play_left(play);
	assert_memory_equal(&left, &nothing, sizeof(left));
	world_free(play->world);
}

int play_set_up(void **state)
{
	struct play *play = __real_calloc(1, sizeof(*play));

	assert_non_null(play);
	play_open(play, 1);
	*state = play;
	return 0;
}

int play_tear_down(void **state)
{
	play_allocations = SIZE_MAX;
	play_close(*state);
	free(*state);
	return 0;
}

void play_run(struct play *play, uint64_t ns)
{
	world_run(play->world, world_now(play->world) + ns);
}

void play_note(struct play *play, char what)
{
	assert_true(play->events < PLAY_LOG_SIZE - 1);
	play->log[play->events++] = what;
}

struct world_left play_left(const struct play *play)
{
	struct world_left left;

	world_left(&left, play->world);
	return left;
}

void play_free_loop(struct play *play, size_t host, size_t loop)
{
	world_loop_free(play->loops[host][loop]);
	play->loops[host][loop] = NULL;
}

void play_fire_a(void *arg)
{
	play_note(arg, 'a');
}

void play_fire_b(void *arg)
{
	play_note(arg, 'b');
}

void play_fire_c(void *arg)
{
	play_note(arg, 'c');
}

static void run_letter(struct post *post)
{
	struct letter *self = container_of(post, struct letter, post);

	play_note(self->play, self->what);
	if (self->then)
		loop_post(self->to, &self->then->post);
}

void letter_init(struct letter *letter, struct play *play, char what)
{
	*letter = (struct letter){{NULL, run_letter}, play, what, NULL, NULL};
}

static void errand_run(struct work *work)
{
	struct errand *self = container_of(work, struct errand, work);

	self->ran_ns = world_now(self->play->world);
	loop_post(self->play->loop, &self->on_the_way.post);
}

static void errand_done(struct work *work)
{
	struct errand *self = container_of(work, struct errand, work);

	self->done_ns = world_now(self->play->world);
	play_note(self->play, 'w');
}

void errand_init(struct errand *errand, struct play *play)
{
	*errand = (struct errand){.work = {errand_run, errand_done}, .play = play};
	letter_init(&errand->on_the_way, play, 'o');
}
