/* core/sip/framing: the same messages, however the stream is cut. */
#include "core/base/text.h"
#include "core/sip/framing.h"
#include "core/sip/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return __real_calloc(count, size);
}

/* What came out, as words: M length, P, B status. */
struct log {
	char words[256];
	struct sip_framing framing;
};

static void feed(struct log *log, const char *data, size_t len)
{
	struct slice from = {(const uint8_t *)data, len};
	struct sip_frame frame;

	do {
		size_t at = strlen(log->words);

		assert_int_equal(sip_framing_next(&frame, &log->framing, &from), 0);
		if (frame.kind == SIP_FRAME_MESSAGE)
			snprintf(log->words + at, sizeof(log->words) - at, "M%zu%c%c ",
				frame.bytes.len, frame.bytes.data[0],
				frame.bytes.data[frame.bytes.len - 1]);
		else if (frame.kind == SIP_FRAME_PING)
			snprintf(log->words + at, sizeof(log->words) - at, "P ");
		else if (frame.kind == SIP_FRAME_BROKEN)
			snprintf(log->words + at, sizeof(log->words) - at, "B%u ", frame.status);
	} while (frame.kind == SIP_FRAME_MESSAGE || frame.kind == SIP_FRAME_PING);
}

static const struct row {
	const char *stream, *words;
	bool amid;
} rows[] = {
	{"A\r\nContent-Length: 0\r\n\r\n", "M24A\n ", false},
	{"A\r\nl:3\r\n\r\nxyzB\r\nContent-length : 2\r\n\r\nuv", "M13Az M27Bv ", false},
	{"A\nl: 2\n\nxy", "M10Ay ", false},
	{"A\r\nl:\r\n 2\r\n\r\nxy", "M15Ay ", false},
	{"A\r\nX: y\r\n l: 9\r\nl: 1\r\n\r\nz", "M25Az ", false},
	{"A\r\nl: 1\r\nL: 1\r\n\r\nz", "M18Az ", false},
	{"\r\n\r\n", "P ", false},
	{"\r\n\r\n\r\n\r\nA\r\nl: 0\r\n\r\n\r\n\r\n", "P P M11A\n P ", false},
	{"\r\n", "", false},
	{"\n\n\r\r\n\r\n", "P ", false},
	{"\r\nA\r\nl: 0\r\n\r\n\r\nB\r\nl: 0\r\n\r\n", "M11A\n M11B\n ", false},
	{"A\r\nl: 5\r\n\r\n\r\n\r\n", "", true},
	{"A", "", true},
	{"A\r\n\r\n", "B400 ", true},
	{"A\r\nl: x\r\n\r\n", "B400 ", true},
	{"A\r\nl: -1\r\n\r\n", "B400 ", true},
	{"A\r\nl: 1\r\nl: 2\r\n\r\n", "B400 ", true},
	{"A\r\nl: 1 1\r\n\r\n", "B400 ", true},
	{"A\r\nl: 65525\r\n\r\n", "B513 ", true},
	{"A\r\nl: 99999999999999999999999\r\n\r\n", "B513 ", true},
	{"A\r\nl: 0\r\n\r\nB\r\n\r\nC\r\nl: 0\r\n\r\n", "M11A\n B400 ", true},
};

/* Whole, cut in two at each place, in three at each pair of places, and byte by byte. */
static void test_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].stream);

		for (size_t a = 0; a <= len; a++)
			for (size_t b = a; b <= len; b++) {
				struct log log = {0};

				feed(&log, rows[i].stream, a);
				feed(&log, rows[i].stream + a, b - a);
				feed(&log, rows[i].stream + b, len - b);
				if (strncmp(log.words, rows[i].words, strlen(rows[i].words)) != 0)
					fail_msg("row %zu cut at %zu, %zu: %s", i, a, b, log.words);
				assert_int_equal(sip_framing_is_amid(&log.framing), rows[i].amid);
				sip_framing_close(&log.framing);
			}
	}
}

static void test_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct log log = {0};

		for (const char *p = rows[i].stream; *p; p++) {
			feed(&log, p, 1);
			if (log.framing.broken)
				break;
		}
		assert_string_equal(log.words, rows[i].words);
		sip_framing_close(&log.framing);
	}
}

/* The largest message that there may be, and the longest head. */
static void test_limits(void **state)
{
	static char bytes[SIP_MESSAGE_MAX + 1];
	struct log log = {0};
	int head = snprintf(bytes, sizeof(bytes), "A\r\nl: %d\r\n\r\n", SIP_MESSAGE_MAX - 15);

	(void)state;
	assert_int_equal(head, 15);
	memset(bytes + head, 'x', sizeof(bytes) - 15);
	feed(&log, bytes, SIP_MESSAGE_MAX);
	assert_string_equal(log.words, "M65536Ax ");
	feed(&log, "B", 1);
	assert_true(log.framing.size < SIP_MESSAGE_MAX); /* a large buffer is not kept */
	sip_framing_close(&log.framing);

	memset(bytes, 'x', sizeof(bytes));
	log = (struct log){0};
	feed(&log, bytes, SIP_HEAD_MAX);
	assert_string_equal(log.words, "");
	feed(&log, bytes, 1);
	assert_string_equal(log.words, "B513 ");
	sip_framing_close(&log.framing);
}

static void test_no_memory(void **state)
{
	struct sip_framing framing = {0};
	struct slice from = slice_of("A\r\nl: 0\r\n\r\n");
	struct sip_frame frame;

	(void)state;
	allocations_left = 0;
	assert_int_equal(sip_framing_next(&frame, &framing, &from), -ENOMEM);
	allocations_left = SIZE_MAX;
	from = slice_of("A\r\nl: 0\r\n\r\n");
	assert_int_equal(sip_framing_next(&frame, &framing, &from), 0);
	assert_int_equal(frame.kind, SIP_FRAME_MORE);
	sip_framing_close(&framing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
