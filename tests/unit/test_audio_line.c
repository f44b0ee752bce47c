/* audio/line: devices that are pulled out and come back, that do not keep up, that hang. */
#include "audio/line.h"

#include "core/base/text.h"
#include "tests/unit/made_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TICK_MS = 20 };

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct table {
	struct fake_loop fake;
	struct made_devices made;
	struct made_device *built_in, *usb;
	struct line *line;
	char log_room[2048];
	struct text log; /* what a person is told */
	bool closed;
	bool sound; /* there was a port on the last tick */
	unsigned fresh;
} table;

static void tell(void *arg, enum audio_news news, const char *words)
{
	(void)arg;
	text_printf(&table.log, "%s%s\n", news == AUDIO_NOTE ? "" : "failed: ", words);
}

static void on_closed(void *arg)
{
	(void)arg;
	assert_false(table.closed);
	table.closed = true;
}

static int open_line(const char *name, struct fault *why)
{
	const struct audio_setup setup = {.loop = &table.fake.loop, .rate = 8000, .tell = tell};

	return line_open(&table.line, &setup, &table.made.maker, PORT_OUT, name, why);
}

static int set_up(void **state)
{
	(void)state;
	table = (struct table){0};
	fake_loop_init(&table.fake);
	made_devices_init(&table.made, &table.fake);
	table.built_in = &table.made.devices[0];
	table.usb = &table.made.devices[1];
	table.log = TEXT_IN(table.log_room);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_loop_end(&table.fake);
	made_devices_end(&table.made);
	return 0;
}

static void tick(void)
{
	bool fresh;

	fake_loop_advance(&table.fake, TICK_MS * NS_PER_MS);
	if (table.closed)
		return;
	table.sound = line_port(table.line, &fresh) != NULL;
	table.fresh += fresh;
}

static void ticks(unsigned ms)
{
	for (unsigned i = 0; i < ms / TICK_MS; i++)
		tick();
}

static void close_line(void)
{
	line_close(table.line, on_closed, NULL);
	assert_false(table.closed);
	fake_loop_settle(&table.fake);
	assert_true(table.closed);
}

static void says(const char *words)
{
	assert_string_equal(table.log.data, words);
}

static void test_a_device_is_used_for_as_long_as_it_is_there(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(5000);
	assert_true(table.sound);
	assert_int_equal(table.fresh, 1);
	assert_int_equal(table.usb->opened, 1);
	assert_int_equal(line_block(table.line), DEVICE_BLOCK);
	says("");
	close_line();
}

static void test_the_default_device_has_no_name(void **state)
{
	(void)state;
	assert_int_equal(open_line("", NULL), 0);
	ticks(100);
	assert_int_equal(table.built_in->open, 1);
	close_line();
}

static void test_what_cannot_be_opened_is_said_and_nothing_is_left(void **state)
{
	struct fault why;

	(void)state;
	assert_int_equal(open_line("bluetooth", &why), -ENOENT);
	assert_string_equal(why.words, "no device bluetooth");
	made_device_pull(table.built_in);
	made_device_pull(table.usb);
	assert_int_equal(open_line("", &why), -ENODEV);
}

static void test_the_default_one_stands_in_until_it_is_back(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(1000);
	made_device_pull(table.usb);
	ticks(1000);
	assert_true(table.sound);
	assert_int_equal(table.fresh, 2);
	assert_int_equal(table.built_in->open, 1);
	assert_int_equal(table.usb->open, 0);
	says("the loudspeaker usb is gone; built-in stands in for it\n");

	ticks(10000); /* it is looked for in vain, and that is no news */
	assert_int_equal(table.fresh, 2);
	made_device_plug(table.usb);
	ticks(3000);
	assert_int_equal(table.usb->open, 1);
	assert_int_equal(table.built_in->open, 0);
	assert_int_equal(table.fresh, 3);
	says("the loudspeaker usb is gone; built-in stands in for it\n"
	     "the loudspeaker usb is back\n");

	made_device_pull(table.usb); /* the next time is told anew */
	ticks(1000);
	assert_int_equal(table.built_in->open, 1);
	assert_non_null(strstr(table.log.data, "back\nthe loudspeaker usb is gone"));
	close_line();
}

static void test_there_is_silence_where_none_is_left(void **state)
{
	(void)state;
	assert_int_equal(open_line("", NULL), 0);
	ticks(1000);
	made_device_pull(table.built_in);
	made_device_pull(table.usb);
	ticks(1000);
	assert_false(table.sound);
	says("the loudspeaker built-in is gone; the call goes on without it\n");
	ticks(10000);
	made_device_plug(table.built_in);
	ticks(3000);
	assert_true(table.sound);
	says("the loudspeaker built-in is gone; the call goes on without it\n"
	     "the loudspeaker built-in is back\n");
	close_line();
}

static void test_the_stand_in_may_go_too(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(100);
	made_device_pull(table.usb);
	ticks(1000);
	made_device_pull(table.built_in);
	ticks(1000);
	assert_false(table.sound);
	made_device_plug(table.usb);
	ticks(3000);
	assert_int_equal(table.usb->open, 1);
	says("the loudspeaker usb is gone; built-in stands in for it\n"
	     "the loudspeaker usb is back\n");
	close_line();
}

static void test_a_device_that_hangs_is_opened_anew(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(1000);
	table.usb->hangs = true;
	ticks(400);
	assert_int_equal(table.usb->opened, 1);
	ticks(60);
	table.usb->hangs = false;
	ticks(100);
	assert_int_equal(table.usb->opened, 1); /* it was a short while only */
	table.usb->hangs = true;
	ticks(600);
	assert_true(table.usb->opened > 1);
	table.usb->hangs = false;
	ticks(1000);
	assert_true(table.sound);
	says("");
	close_line();
}

/* A headset that changes its profile first. */
static void test_a_device_may_take_its_time_to_begin(void **state)
{
	(void)state;
	table.usb->slow_ns = 1500 * NS_PER_MS;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(1400);
	assert_false(table.sound); /* what were given to it now would only wait */
	assert_int_equal(table.fresh, 0);
	ticks(200);
	assert_true(table.sound);
	assert_int_equal(table.fresh, 1);
	assert_int_equal(table.usb->opened, 1);
	says("");
	close_line();
}

static void test_a_device_that_never_begins_is_told(void **state)
{
	(void)state;
	table.usb->hangs = true;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(10000);
	assert_false(table.sound);
	assert_true(table.usb->opened > 2 && table.usb->opened < 6);
	says("the loudspeaker usb does not begin; it is tried again and again\n");
	table.usb->hangs = false;
	ticks(100);
	assert_true(table.sound);
	says("the loudspeaker usb does not begin; it is tried again and again\n"
	     "the loudspeaker usb works now\n");
	close_line();
}

/* A program that was stopped (Ctrl-Z) sees much time go by on one tick; the device was there. */
static void test_time_that_nobody_ticked_in_is_no_sign_of_a_loss(void **state)
{
	bool fresh;

	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(1000);
	table.fake.now_ns += 30 * NS_PER_S;
	assert_non_null(line_port(table.line, &fresh));
	assert_int_equal(table.usb->opened, 1);
	close_line();
}

static void test_who_does_not_keep_up_gets_longer_blocks(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	for (unsigned second = 0; second < 3; second++) { /* the first two are the start's */
		ticks(1000);
		assert_true(line_note_breaks(table.line, 1));
	}
	assert_int_equal(table.usb->block, DEVICE_BLOCK);
	ticks(1000);
	assert_true(line_note_breaks(table.line, 0));
	assert_true(line_note_breaks(table.line, 9));
	assert_int_equal(table.usb->block, DEVICE_BLOCK);
	assert_false(line_note_breaks(table.line, 1)); /* its port goes with it */
	ticks(1000);
	assert_int_equal(table.usb->block, 2 * DEVICE_BLOCK);
	assert_int_equal(line_block(table.line), 2 * DEVICE_BLOCK);
	says("the loudspeaker usb cannot keep up with blocks of 5 ms and gets 10 ms\n");
	for (unsigned i = 0; i < 30; i++) {
		ticks(1000);
		(void)line_note_breaks(table.line, 1);
	}
	assert_int_equal(table.usb->block, DEVICE_BLOCK_MAX); /* and there it ends */
	close_line();
}

static void test_a_break_now_and_then_is_borne(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	for (unsigned i = 0; i < 60; i++) {
		ticks(1000);
		assert_true(line_note_breaks(table.line, i % 5 == 0));
	}
	assert_int_equal(table.usb->opened, 1);
	close_line();
}

/* In each of its states, work at hand or done. */
static void test_it_may_be_closed_at_any_time(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 8000; ms += TICK_MS) {
		for (unsigned pulled = 1; pulled < 4; pulled++) {
			set_up(NULL);
			assert_int_equal(open_line("usb", NULL), 0);
			ticks(100);
			table.usb->absent = pulled & 1;
			table.built_in->absent = pulled & 2;
			ticks(ms % 4000);
			if (ms >= 4000)
				table.usb->absent = false;
			ticks(ms / 4000 * (ms - 4000));
			close_line();
			tear_down(NULL);
		}
	}
}

static void close_once(void)
{
	table.made.opening = NULL;
	line_close(table.line, on_closed, NULL);
	assert_false(table.closed);
}

static void test_it_may_be_closed_while_the_work_is_out(void **state)
{
	(void)state;
	for (unsigned probe = 0; probe < 2; probe++) {
		for (unsigned back = 0; back < 2; back++) {
			set_up(NULL);
			assert_int_equal(open_line("usb", NULL), 0);
			ticks(100);
			made_device_pull(table.usb);
			if (probe)
				ticks(1500);
			table.usb->absent = !back;
			table.usb->hangs = true;
			table.made.opening = close_once;
			while (table.made.opening)
				tick();
			assert_true(table.closed);
			tear_down(NULL);
		}
	}
}

static void test_work_that_is_not_taken_is_tried_again_or_done_here(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(100);
	made_device_pull(table.usb);
	table.fake.work_err = -EAGAIN;
	ticks(1000);
	assert_false(table.sound);
	table.fake.work_err = 0;
	ticks(3000);
	assert_true(table.sound);
	assert_int_equal(table.built_in->open, 1);
	table.fake.work_err = -EAGAIN;
	close_line();
}

static void test_a_look_that_is_not_taken_leaves_the_stand_in(void **state)
{
	(void)state;
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(100);
	made_device_pull(table.usb);
	ticks(1000);
	table.fake.work_err = -EAGAIN;
	ticks(3000);
	assert_true(table.sound);
	made_device_pull(table.built_in);
	ticks(1000);
	assert_false(table.sound);
	table.fake.work_err = 0;
	made_device_plug(table.usb);
	ticks(3000);
	assert_true(table.sound);
	close_line();
}

static void take_no_work(void)
{
	table.made.opening = NULL;
	table.fake.work_err = -EAGAIN;
}

/* The right one is found, and nobody takes the stand-in to close it. */
static void test_a_stand_in_that_is_not_taken_is_closed_later(void **state)
{
	(void)state;
	for (unsigned again = 0; again < 3; again++) {
		set_up(NULL);
		assert_int_equal(open_line("usb", NULL), 0);
		ticks(100);
		made_device_pull(table.usb);
		ticks(1000);
		made_device_plug(table.usb);
		table.made.opening = take_no_work;
		ticks(3000);
		assert_true(table.sound);
		assert_int_equal(table.built_in->open, 1);
		if (again > 0) {
			made_device_pull(table.usb);
			ticks(1000);
			assert_false(table.sound);
		}
		if (again < 2) {
			table.fake.work_err = 0;
			ticks(3000);
			assert_int_equal(table.built_in->open, again);
			assert_int_equal(table.usb->open, !again);
		}
		close_line();
		tear_down(NULL);
	}
}

static void test_no_memory(void **state)
{
	struct fault why;

	(void)state;
	for (size_t allowed = 0; allowed < 4; allowed++) {
		allocations_left = allowed;
		assert_int_equal(open_line("usb", &why), -ENOMEM);
		allocations_left = SIZE_MAX;
		assert_non_null(strstr(why.words, "too little memory"));
	}
	assert_int_equal(open_line("usb", NULL), 0);
	ticks(100);
	made_device_pull(table.usb);
	allocations_left = 0; /* the stand-in cannot be opened either, for now */
	ticks(1000);
	assert_false(table.sound);
	allocations_left = SIZE_MAX;
	ticks(3000);
	assert_true(table.sound);
	close_line();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_device_is_used_for_as_long_as_it_is_there),
		TEST(test_the_default_device_has_no_name),
		TEST(test_what_cannot_be_opened_is_said_and_nothing_is_left),
		TEST(test_the_default_one_stands_in_until_it_is_back),
		TEST(test_there_is_silence_where_none_is_left),
		TEST(test_the_stand_in_may_go_too),
		TEST(test_a_device_that_hangs_is_opened_anew),
		TEST(test_a_device_may_take_its_time_to_begin),
		TEST(test_a_device_that_never_begins_is_told),
		TEST(test_time_that_nobody_ticked_in_is_no_sign_of_a_loss),
		TEST(test_who_does_not_keep_up_gets_longer_blocks),
		TEST(test_a_break_now_and_then_is_borne),
		TEST(test_it_may_be_closed_at_any_time),
		TEST(test_it_may_be_closed_while_the_work_is_out),
		TEST(test_work_that_is_not_taken_is_tried_again_or_done_here),
		TEST(test_a_look_that_is_not_taken_leaves_the_stand_in),
		TEST(test_a_stand_in_that_is_not_taken_is_closed_later),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/line", tests, NULL, NULL);
}
