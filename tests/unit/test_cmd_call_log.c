/* cmd/readers/call_log and the commands history and ping: what two phones of one desk do to each
 * other. */
#include "cmd/readers/call_log.h"

#include "cmd/readers/call_file.h"
#include "tests/unit/desk_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { PATH_SIZE = 200, LINES_SIZE = 8192 };

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

static char folder[PATH_SIZE];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sipcall-calls-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(setenv("XDG_STATE_HOME", folder, 1), 0);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return 0;
}

static int tear_down(void **state)
{
	char path[PATH_SIZE];

	(void)state;
	allocations = SIZE_MAX;
	snprintf(path, sizeof(path), "%.100s/sipcall/calls", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%.100s/sipcall", folder);
	rmdir(path);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static void put_line(void *arg, const char *line)
{
	const char *way = strstr(line, "\"way\":\"");

	assert_non_null(way);
	text_printf(arg, "%.*s ", (int)strcspn(way + 7, "\""), way + 7);
}

/* What became of the calls in the file. */
static void expect_kept(const char *ways)
{
	char room[LINES_SIZE];
	struct text text = TEXT_IN(room);
	struct fault why;

	assert_int_equal(call_file_read(put_line, &text, &why), 0);
	assert_string_equal(room, ways);
}

static void count_close(void *arg)
{
	(*(unsigned *)arg)++;
}

/* Both phones are of one desk, so each call is kept twice: the end that is told first is first. */
static void test_calls(void **state)
{
	struct desk_pair pair;
	struct call_log *log;
	unsigned closed = 0;

	(void)state;
	desk_pair_open(&pair, true);
	assert_int_equal(call_log_new(&log, pair.desk), 0);
	desk_pair_put(&pair, pair.near, "history");
	desk_pair_run(&pair, 100);
	desk_pair_expect(&pair, "ok history: no calls yet\n; ");
	desk_pair_put(&pair, pair.near, "call " FAR_URI " &");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.far, "answer");
	desk_pair_run(&pair, 61000);
	desk_pair_put(&pair, pair.far, "hangup");
	desk_pair_run(&pair, 1000);
	expect_kept("made taken ");
	desk_pair_put(&pair, pair.near, "call " FAR_URI " &");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.near, "hangup");
	desk_pair_run(&pair, 1000);
	expect_kept("made taken missed made ");
	desk_pair_put(&pair, pair.near, "call " FAR_URI " &");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.far, "reject 603");
	desk_pair_run(&pair, 1000);
	expect_kept("made taken missed made refused made ");
	pair.log = TEXT_IN(pair.room);
	desk_pair_put(&pair, pair.near, "history 3");
	desk_pair_run(&pair, 100);
	assert_non_null(strstr(pair.room, "  made     192.0.2.2                     given up\n"));
	assert_non_null(
		strstr(pair.room, "  refused  near@192.0.2.1                603 Decline\n"));
	assert_null(strstr(pair.room, "missed"));

	call_log_close(log, count_close, &closed);
	assert_int_equal(closed, 1); /* nothing was under way */
	call_log_close(NULL, count_close, &closed);
	assert_int_equal(closed, 2);
	call_log_free(log);
	call_log_free(NULL);
	desk_pair_close(&pair);
}

static char *call_that_ends(struct desk_pair *pair)
{
	size_t count;
	char **lines;
	char *first;

	desk_pair_put(pair, pair->near, "call sip:x@192.0.2.2 &");
	desk_pair_run(pair, 500);
	desk_pair_put(pair, pair->far, "reject 486");
	desk_pair_run(pair, 1);
	lines = call_log_waiting(&count, desk_log(pair->desk));
	assert_true(count > 0);
	first = lines[0];
	for (size_t i = 1; i < count; i++)
		free(lines[i]);
	free(lines);
	return first;
}

/* What the disk does not have yet is in the history, and what is under way is waited for. */
static void test_slow_disk(void **state)
{
	struct desk_pair pair;
	struct call_log *log;
	unsigned closed = 0;

	(void)state;
	desk_pair_open_slow(&pair, true, 300);
	assert_int_equal(call_log_new(&log, pair.desk), 0);
	free(call_that_ends(&pair));
	desk_pair_put(&pair, pair.near, "history");
	call_log_close(log, count_close, &closed);
	assert_int_equal(closed, 0);
	desk_pair_run(&pair, 900);
	assert_int_equal(closed, 1);
	expect_kept("refused made ");
	assert_non_null(strstr(pair.room, "ok history: "));
	assert_non_null(strstr(pair.room, "  refused  near@192.0.2.1 "));
	assert_non_null(strstr(pair.room, "  made     x@192.0.2.2 "));
	assert_null(strstr(strstr(pair.room, "  made ") + 1, "  made ")); /* each once */
	call_log_free(log);
	desk_pair_close(&pair);
}

/* One that hangs is left behind, and so is who has asked for the history. */
static void test_hanging_disk(void **state)
{
	struct desk_pair pair;
	struct call_log *log;
	unsigned closed = 0;

	(void)state;
	desk_pair_open_slow(&pair, true, 100000);
	assert_int_equal(call_log_new(&log, pair.desk), 0);
	free(call_that_ends(&pair));
	desk_pair_put(&pair, pair.near, "history");
	call_log_close(log, count_close, &closed);
	desk_pair_run(&pair, 1001);
	assert_int_equal(closed, 1);
	call_log_free(log);
	desk_pair_close(&pair);
	assert_int_equal(closed, 1);
	expect_kept("refused "); /* the other was still to come */
}

/* Without memory calls are not kept, and all else goes on. */
static void test_memory(void **state)
{
	struct desk_pair pair;
	struct call_log *log;
	struct ua_event event = {.kind = UA_CALL_ENDED, .call = 1};

	(void)state;
	desk_pair_open(&pair, true);
	allocations = 0;
	assert_int_equal(call_log_new(&log, pair.desk), -ENOMEM);
	allocations = SIZE_MAX;
	assert_int_equal(call_log_new(&log, pair.desk), 0);
	for (size_t i = 0; i < 2; i++) {
		allocations = i;
		desk_tell(pair.desk, pair.near, &event);
		allocations = SIZE_MAX;
		desk_pair_run(&pair, 10);
		expect_kept("");
	}
	desk_tell(pair.desk, pair.near, &event);
	for (size_t i = 0; i < 3; i++) {
		pair.log = TEXT_IN(pair.room);
		allocations = 4 + i; /* those of the line itself come before */
		desk_pair_put(&pair, pair.near, "history");
		allocations = SIZE_MAX;
		desk_pair_run(&pair, 10);
	}
	expect_kept("refused ");
	call_log_free(log);
	desk_pair_close(&pair);
}

static void test_ping(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "ping Friend");
	desk_pair_run(&pair, 100);
	desk_pair_expect(
		&pair, "ok ping Friend: 200 OK in 2.0 ms from udp 192.0.2.2:5060   test\n; ");
	desk_pair_put(&pair, pair.near, "ping 192.0.2.9 200ms");
	desk_pair_run(&pair, 199);
	desk_pair_expect(&pair, "");
	desk_pair_run(&pair, 2);
	desk_pair_expect(&pair, "3 ping 192.0.2.9 200ms: no response within 0.2 s; ");
	desk_pair_put(&pair, pair.near, "ping 192.0.2.9");
	desk_pair_run(&pair, 5001);
	desk_pair_expect(&pair, "3 ping 192.0.2.9: no response within 5 s; ");
	desk_pair_put(&pair, pair.near, "ping 'a b'");
	desk_pair_expect(
		&pair, "2 ping 'a b': a name alone says nothing of where: write NAME@HOST at 9; ");
	desk_pair_put(&pair, pair.near, "ping");
	desk_pair_expect(&pair, "2 ping: ping needs TARGET; help ping at 4; ");
	desk_pair_put(&pair, pair.near, "ping 192.0.2.9"); /* until all ends */
	desk_pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hanging_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
		cmocka_unit_test(test_ping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
