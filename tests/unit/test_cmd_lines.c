/* cmd/prompt/lines: what of an input becomes a line, and that each waits for the one before. */
#include "cmd/prompt/lines.h"

#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { MAX = 8, TIME_LIMIT_S = 20 };

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

struct reader {
	struct loop *loop;
	struct lines *lines;
	char room[4096];
	struct text got;
	struct timer next;
	struct timer limit;
	bool stuck; /* each line is left as it is */
};

static void on_line(void *arg, const char *line)
{
	struct reader *reader = arg;

	text_printf(&reader->got, "[%s]", line);
	if (!reader->stuck)
		timer_start_in(&reader->next, 0);
}

static void on_next(void *arg)
{
	struct reader *reader = arg;

	lines_next(reader->lines);
}

static void on_end(void *arg)
{
	struct reader *reader = arg;

	text_puts(&reader->got, "end");
	loop_uv_stop(reader->loop);
}

static void on_limit(void *arg)
{
	struct reader *reader = arg;

	loop_uv_stop(reader->loop);
}

static void reader_open(struct reader *reader, int fd)
{
	static const struct lines_events events = {on_line, on_end};

	reader->got = TEXT_IN(reader->room);
	assert_int_equal(loop_uv_new(&reader->loop), 0);
	timer_init(&reader->next, reader->loop, on_next, reader);
	timer_init(&reader->limit, reader->loop, on_limit, reader);
	assert_int_equal(lines_new(&reader->lines, reader->loop, fd, MAX, &events, reader), 0);
}

static void reader_close(struct reader *reader)
{
	timer_stop(&reader->next);
	timer_stop(&reader->limit);
	lines_free(reader->lines);
	loop_uv_free(reader->loop);
}

static const struct {
	const char *bytes;
	size_t len;
	const char *lines;
} rows[] = {
#define ROW(bytes, lines)                                                                          \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, lines                                                    \
	}
	ROW("", "end"),
	ROW("\n", "[]end"),
	ROW("one\ntwo\n", "[one][two]end"),
	ROW("one\r\n\r\nlast", "[one][][last]end"),
	ROW("a\0b\n", "[a b]end"),
	ROW("1234567\n", "[1234567]end"),
	ROW("12345678\n", "[12345678]end"),
	ROW("123456789\nok\n", "[12345678][ok]end"),
	ROW("12345678901234567890123456789\nok", "[12345678][ok]end"),
	ROW("1234567890123456789012345678901", "[12345678]end"),
};

static void read_row(size_t i, int fd)
{
	struct reader reader = {0};

	alarm(TIME_LIMIT_S);
	reader_open(&reader, fd);
	loop_uv_run(reader.loop);
	if (strcmp(reader.room, rows[i].lines) != 0)
		fail_msg("row %zu: %s", i, reader.room);
	reader_close(&reader);
	alarm(0);
}

static void test_pipes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], rows[i].bytes, rows[i].len), rows[i].len);
		close(ends[1]);
		read_row(i, ends[0]);
		close(ends[0]);
	}
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *file = tmpfile();

		fwrite(rows[i].bytes, 1, rows[i].len, file);
		rewind(file);
		read_row(i, fileno(file));
		fclose(file);
	}
}

/* Byte by byte, and no line before the one before it is dealt with. */
static void test_pace(void **state)
{
	static const char bytes[] = "one\ntwo\nthree\n";
	struct reader reader = {.stuck = true};
	int ends[2];

	(void)state;
	alarm(TIME_LIMIT_S);
	assert_int_equal(pipe(ends), 0);
	reader_open(&reader, ends[0]);
	for (size_t i = 0; i < strlen(bytes); i++) {
		assert_int_equal(write(ends[1], bytes + i, 1), 1);
		timer_start_in(&reader.limit, NS_PER_MS / 4);
		loop_uv_run(reader.loop);
	}
	assert_string_equal(reader.room, "[one]");
	for (int i = 0; i < 2; i++) {
		lines_next(reader.lines);
		timer_start_in(&reader.limit, NS_PER_MS);
		loop_uv_run(reader.loop);
	}
	assert_string_equal(reader.room, "[one][two][three]");
	close(ends[1]);
	lines_next(reader.lines);
	loop_uv_run(reader.loop);
	assert_string_equal(reader.room, "[one][two][three]end");
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	reader_close(&reader);
	close(ends[0]);
	alarm(0);
}

static void test_no_memory(void **state)
{
	static const struct lines_events events = {on_line, on_end};
	struct lines *lines;

	(void)state;
	allocations_left = 0;
	assert_int_equal(lines_new(&lines, NULL, 0, MAX, &events, NULL), -ENOMEM);
	allocations_left = SIZE_MAX;
	lines_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/prompt/lines", tests, NULL, NULL);
}
