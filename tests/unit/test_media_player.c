/* core/media/player: a sound from its opening to its end, stopped and failing at each step. */
#include "core/media/player.h"

#include "audio/open.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"

#include <errno.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ROOM = 10 * PLAYER_RATE,
	FRAME = PLAYER_RATE / 100,
	QUIET = PLAYER_RATE / 10, /* behind a sound, which a device may drop */
	SEEDS = 20,
};

static const uint64_t close_ns = 30 * NS_PER_MS; /* what a device takes to play its rest */

/* A device of the test: it keeps what comes. */
struct device {
	struct sink sink;
	struct loop *loop;
	struct timer timer;
	sink_done *done;
	void *arg;
	int16_t samples[ROOM];
	size_t count;
	bool open, told;
	int err; /* instead of opening */
};

struct room {
	struct world *world;
	struct loop *agent, *media;
	struct player *player;
	struct player_config config;
	unsigned ended, told;
	bool failed;
	struct fault why;
};

static struct device device;
static char file[] = "player.wav";
static uint64_t work_late_ns; /* of the world that is opened next */
static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
int __wrap_audio_sink_open(
	struct sink **out, const struct audio_setup *setup, struct slice spec, struct fault *why);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static void device_write(struct sink *sink, const int16_t *samples, size_t count)
{
	assert_ptr_equal(sink, &device.sink);
	assert_true(device.open);
	assert_true(device.count + count <= ROOM);
	memcpy(device.samples + device.count, samples, count * sizeof(*samples));
	device.count += count;
}

static void device_closed(void *arg)
{
	(void)arg;
	device.done(device.arg, 0);
}

static void device_close(struct sink *sink, sink_done *done, void *arg)
{
	assert_ptr_equal(sink, &device.sink);
	assert_true(device.open);
	device.open = false;
	device.done = done;
	device.arg = arg;
	timer_init(&device.timer, device.loop, device_closed, NULL);
	timer_start_in(&device.timer, close_ns);
}

static const struct sink_ops device_ops = {device_write, device_close};

int __wrap_audio_sink_open(
	struct sink **out, const struct audio_setup *setup, struct slice spec, struct fault *why)
{
	assert_true(slice_is(spec, device.err == -ENOENT ? "default" : "device:Test"));
	assert_int_equal(setup->rate, PLAYER_RATE);
	assert_false(device.open);
	if (device.err)
		return fault_set(why, device.err, "no device");

	device.sink.ops = &device_ops;
	device.loop = setup->loop;
	device.open = true;
	if (device.told)
		setup->tell(setup->arg, AUDIO_NOTE, "another device");
	*out = &device.sink;
	return 0;
}

static void on_told(void *arg, const char *words)
{
	struct room *room = arg;

	assert_string_equal(words, "another device");
	room->told++;
}

static void on_ended(void *arg, const struct fault *why)
{
	struct room *room = arg;

	room->ended++;
	room->failed = why != NULL;
	if (why)
		room->why = *why;
}

static const struct player_events events = {on_told, on_ended};

static void room_open(struct room *room, uint64_t seed)
{
	const struct world_config config = {.seed = seed,
		.start_ns = NS_PER_S,
		.timer_late_ns = NS_PER_MS,
		.post_late_ns = 5 * NS_PER_MS,
		.work_late_ns = work_late_ns ? work_late_ns : 20 * NS_PER_MS};
	const struct addr addr = {.family = ADDR_IPV4, .ip = {10, 0, 0, 1}};
	struct world_host *host;

	memset(&device, 0, sizeof(device));
	*room = (struct room){0};
	assert_int_equal(world_new(&room->world, &config), 0);
	assert_int_equal(world_host_new(&host, room->world, &addr), 0);
	assert_int_equal(world_loop_new(&room->agent, host), 0);
	assert_int_equal(world_loop_new(&room->media, host), 0);
	room->config = (struct player_config){
		.agent_loop = room->agent,
		.media_loop = room->media,
		.sink = "device:Test",
		.cadence = {.bursts = {{.hz = {425}, .on_ms = 250, .off_ms = 250}}},
	};
}

/* Nothing is left to happen, and nothing open. */
static void room_close(struct room *room)
{
	struct world_left left;

	world_left(&left, room->world);
	assert_int_equal(left.timers + left.posts + left.work, 0);
	assert_false(device.open);
	world_loop_free(room->agent);
	world_loop_free(room->media);
	world_free(room->world);
}

static void start(struct room *room)
{
	assert_int_equal(player_start(&room->player, &room->config, &events, room), 0);
}

static void run_ms(struct room *room, uint64_t ms)
{
	world_run(room->world, world_now(room->world) + ms * NS_PER_MS);
}

static void ended_well(const struct room *room)
{
	if (room->failed)
		fail_msg("%s", room->why.words);
	assert_int_equal(room->ended, 1);
}

static void ended_with(const struct room *room, const char *words)
{
	assert_int_equal(room->ended, 1);
	assert_true(room->failed);
	assert_non_null(strstr(room->why.words, words));
}

/* The biggest step that the tone makes is its own. */
static void is_smooth(size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (abs(device.samples[i] - device.samples[i - 1]) > 500)
			fail_msg("a step of %d at %zu", device.samples[i] - device.samples[i - 1],
				i);
}

static size_t loud_samples(size_t from, size_t to)
{
	size_t loud = 0;

	for (size_t i = from; i < to; i++)
		loud += abs(device.samples[i]) > 3000;
	return loud;
}

static void is_quiet_at_the_end(void)
{
	assert_true(device.count > QUIET);
	for (size_t i = device.count - QUIET; i < device.count; i++)
		assert_int_equal(device.samples[i], 0);
	assert_true(abs(device.samples[device.count - QUIET - 1]) < 20);
}

static void test_plays(void **state)
{
	static int16_t expected[PLAYER_RATE];
	struct source *source;
	struct room room;

	(void)state;
	room_open(&room, 1);
	start(&room);
	run_ms(&room, 1100);
	assert_in_range(device.count, PLAYER_RATE, PLAYER_RATE * 11 / 10 + FRAME);
	assert_int_equal(tone_cadence_new(&source, &room.config.cadence, PLAYER_RATE), 0);
	assert_int_equal(source_read(source, expected, PLAYER_RATE), PLAYER_RATE);
	source_free(source);
	assert_memory_equal(device.samples, expected, sizeof(expected));
	assert_int_equal(room.ended, 0);

	player_stop(room.player);
	assert_int_equal(room.ended, 0);
	run_ms(&room, 200);
	ended_well(&room);
	room_close(&room);
}

/* Wherever in a burst it is stopped, it fades within the frame, and has ended. */
static void test_stop_is_smooth(void **state)
{
	struct room room;

	(void)state;
	for (uint64_t at = 100; at < 130; at++) {
		room_open(&room, at);
		start(&room);
		run_ms(&room, at);
		player_stop(room.player);
		run_ms(&room, 200);
		ended_well(&room);
		is_smooth(0, device.count);
		is_quiet_at_the_end();
		room_close(&room);
	}
}

static void test_limit(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 2);
	room.config.limit_ns = 1600 * NS_PER_MS; /* in the middle of a burst */
	start(&room);
	run_ms(&room, 2000);
	ended_well(&room);
	assert_int_equal(device.count, PLAYER_RATE * 16 / 10 + QUIET);
	assert_true(loud_samples(PLAYER_RATE * 159 / 100 - FRAME, PLAYER_RATE * 159 / 100) > 0);
	is_smooth(0, device.count);
	is_quiet_at_the_end();
	room_close(&room);
}

static void test_end(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 3);
	room.config.cadence.ends = true;
	start(&room);
	run_ms(&room, 1000);
	ended_well(&room);
	assert_int_equal(device.count, PLAYER_RATE / 2 + FRAME + QUIET);
	room_close(&room);
}

/* Longer asleep than anybody waits: it goes on from then, and does not catch up. */
static void test_standstill(void **state)
{
	struct room room;
	struct world_host *host;
	const struct addr addr = {.family = ADDR_IPV4, .ip = {10, 0, 0, 2}};
	size_t before;

	(void)state;
	room_open(&room, 4);
	world_loop_free(room.media);
	assert_int_equal(world_host_new(&host, room.world, &addr), 0);
	assert_int_equal(world_loop_new(&room.media, host), 0);
	room.config.media_loop = room.media;
	start(&room);
	run_ms(&room, 500);
	before = device.count;
	world_host_down(host);
	run_ms(&room, 5000);
	assert_int_equal(device.count, before);
	world_host_up(host);
	run_ms(&room, 500);
	assert_in_range(device.count - before, 49 * FRAME, 52 * FRAME);
	player_stop(room.player);
	run_ms(&room, 200);
	ended_well(&room);
	room_close(&room);
}

/* A steady sound of ms milliseconds. */
static void make_file(unsigned ms)
{
	SF_INFO info = {
		.samplerate = 8000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *sound = sf_open(file, SFM_WRITE, &info);

	assert_non_null(sound);
	for (unsigned i = 0; i < ms * 8; i++) {
		short sample = i % 2 ? 8000 : 7000;

		assert_int_equal(sf_writef_short(sound, &sample, 1), 1);
	}
	sf_close(sound);
}

static void test_file(void **state)
{
	struct room room;

	(void)state;
	make_file(300);
	room_open(&room, 5);
	room.config.file = file;
	start(&room);
	run_ms(&room, 1000);
	ended_well(&room);
	assert_in_range(
		loud_samples(0, device.count), PLAYER_RATE * 29 / 100, PLAYER_RATE * 31 / 100);
	room_close(&room);
	unlink(file);
}

static void test_file_repeats(void **state)
{
	struct room room;

	(void)state;
	make_file(300);
	room_open(&room, 6);
	room.config.file = file;
	room.config.repeats = true;
	start(&room);
	run_ms(&room, 3000);
	assert_int_equal(room.ended, 0);
	assert_true(loud_samples(0, device.count) >
		    device.count * 8 / 10); /* but for what it takes to open it */
	player_stop(room.player);
	run_ms(&room, 200);
	ended_well(&room);
	room_close(&room);
	unlink(file);
}

/* A file that is shorter than a frame, and taken away. */
static void test_file_goes(void **state)
{
	struct room room;

	(void)state;
	make_file(1);
	room_open(&room, 7);
	room.config.file = file;
	room.config.repeats = true;
	start(&room);
	run_ms(&room, 500);
	assert_int_equal(room.ended, 0);
	unlink(file);
	run_ms(&room, 500);
	ended_with(&room, "player.wav");
	room_close(&room);
}

static void test_cannot_open(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 8);
	device.err = -ENODEV;
	start(&room);
	run_ms(&room, 500);
	ended_with(&room, "no device");
	room_close(&room);

	room_open(&room, 9);
	room.config.file = file;
	start(&room);
	run_ms(&room, 500);
	ended_with(&room, "player.wav");
	assert_int_equal(device.count, 0);
	room_close(&room);
}

/* On a machine without devices nothing sounds, and nothing is wrong. */
static void test_no_device(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 13);
	device.err = -ENOENT;
	room.config.sink = "default";
	start(&room);
	run_ms(&room, 500);
	ended_well(&room);
	room_close(&room);
}

static void test_told(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 10);
	device.told = true;
	start(&room);
	run_ms(&room, 500);
	assert_int_equal(room.told, 1);
	player_stop(room.player);
	run_ms(&room, 500);
	ended_well(&room);
	room_close(&room);
}

/* A wish of the agent's, which is an event of its loop. */
struct wish {
	struct post post;
	struct room *room;
	bool leave; /* once it is stopped */
	bool take;  /* the file away, before */
	bool late;
};

static void wish_run(struct post *post)
{
	struct wish *wish = container_of(post, struct wish, post);

	if (wish->take)
		unlink(file);
	wish->late = wish->room->ended > 0;
	if (!wish->late)
		player_stop(wish->room->player);
	if (!wish->late && wish->leave)
		player_leave(wish->room->player);
	assert_int_equal(wish->room->ended, wish->late);
}

/* Returns whether it had ended by itself before. */
static bool stop_after(unsigned steps, uint64_t seed, struct wish wish, bool repeats)
{
	struct room room;

	wish.post.run = wish_run;
	wish.room = &room;
	room_open(&room, seed);
	room.config.file = repeats ? file : NULL;
	room.config.repeats = repeats;
	room.config.limit_ns = 100 * NS_PER_MS;
	start(&room);
	for (unsigned i = 0; i < steps; i++)
		(void)world_step(room.world);
	loop_post(room.agent, &wish.post);
	run_ms(&room, 2000);
	if (wish.leave && !wish.late)
		assert_int_equal(room.ended, 0);
	else if (wish.take && room.failed)
		ended_with(&room, file);
	else
		ended_well(&room);
	room_close(&room);
	return wish.late;
}

static void stop_after_each(uint64_t seed, struct wish wish, bool repeats)
{
	bool late = false;

	for (unsigned steps = 0; !late; steps++) {
		if (repeats)
			make_file(25);
		late = stop_after(steps, seed, wish, repeats);
		assert_true(!late || steps > 12);
	}
}

/*
 * Stopped and left after each number of steps, from its start to its end; while a file is there and
 * is not, with a disk that is fast and one that is slower than a device.
 */
static void test_each_state(void **state)
{
	static const uint64_t disks_ns[] = {20 * NS_PER_MS, 400 * NS_PER_MS};

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		for (unsigned leave = 0; leave < 2; leave++) {
			work_late_ns = disks_ns[seed % 2];
			stop_after_each(seed, (struct wish){.leave = leave > 0}, false);
			stop_after_each(seed, (struct wish){.leave = leave > 0}, true);
			stop_after_each(
				seed, (struct wish){.leave = leave > 0, .take = true}, true);
		}
	work_late_ns = 0;
	unlink(file);
}

static void test_stopped_twice(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, 11);
	start(&room);
	player_stop(room.player);
	player_stop(room.player);
	run_ms(&room, 5);
	player_stop(room.player);
	run_ms(&room, 500);
	ended_well(&room);
	assert_int_equal(device.count, 0);
	room_close(&room);
}

/* Each allocation in turn; the words that come without one are only not told. */
static void test_no_memory(void **state)
{
	struct room room;
	bool whole = false;

	(void)state;
	for (size_t left = 0; !whole; left++) {
		int err;

		room_open(&room, 12);
		device.told = true;
		allocations_left = left;
		err = player_start(&room.player, &room.config, &events, &room);
		if (!err)
			run_ms(&room, 400);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
		if (!err && room.ended == 0) {
			player_stop(room.player);
			run_ms(&room, 300);
			ended_well(&room);
			whole = room.told > 0;
		} else if (!err) {
			ended_with(&room, "memory");
		}
		room_close(&room);
		assert_true(left < 20);
	}
}

static int in_folder(void **state)
{
	static char folder[] = "/tmp/sipcall-player-XXXXXX";

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return chdir(folder);
}

static int out_of_folder(void **state)
{
	return rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plays),
		cmocka_unit_test(test_stop_is_smooth),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_standstill),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_repeats),
		cmocka_unit_test(test_file_goes),
		cmocka_unit_test(test_cannot_open),
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_each_state),
		cmocka_unit_test(test_stopped_twice),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("media/player", tests, in_folder, out_of_folder);
}
