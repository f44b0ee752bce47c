/* core/base/bytes: nothing is taken or put past the end; network byte order at any place. */
#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h> /* after the headers that it needs */

static void test_take(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5};

	(void)state;
	for (size_t len = 0; len <= 6; len++) {
		struct slice from = {bytes, sizeof(bytes)};
		struct slice out = {NULL, 77};
		int err = slice_take(&out, &from, len);

		assert_int_equal(err, len <= 5 ? 0 : -EPROTO);
		assert_ptr_equal(out.data, err ? NULL : bytes);
		assert_int_equal(out.len, err ? 77 : len);
		assert_ptr_equal(from.data, err ? bytes : bytes + len);
		assert_int_equal(from.len, err ? 5 : 5 - len);
	}
}

static void test_take_absurd_length(void **state)
{
	static const uint8_t bytes[] = {1, 2};
	struct slice from = {bytes, sizeof(bytes)};
	struct slice out = {0};

	(void)state;
	assert_int_equal(slice_take(&out, &from, SIZE_MAX), -EPROTO);
	assert_int_equal(from.len, 2);
}

static void test_put(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};

	(void)state;
	for (size_t size = 0; size <= 8; size++) {
		uint8_t room[8] = {9, 9, 9, 9, 9, 9, 9, 9};
		struct buf to = {.data = room, .size = size};
		size_t fit = size / sizeof(bytes);

		for (size_t i = 0; i < 4; i++) {
			int err = buf_put(&to, (struct slice){bytes, sizeof(bytes)});

			assert_int_equal(err, i < fit ? 0 : -ENOBUFS);
		}
		assert_int_equal(to.len, fit * sizeof(bytes));
		for (size_t i = 0; i < sizeof(room); i++)
			assert_int_equal(room[i], i < to.len ? bytes[i % 3] : 9);
	}
}

static void test_nothing(void **state)
{
	struct buf to = {0}; /* no room at all, but nothing needs none */
	struct slice from = {0};
	struct slice out = {NULL, 77};
	uint8_t byte;
	uint8_t *p = &byte;

	(void)state;
	assert_int_equal(slice_take(&out, &from, 0), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(slice_take(&out, &from, 1), -EPROTO);
	assert_int_equal(buf_take(&p, &to, 0), 0);
	assert_null(p);
	assert_int_equal(buf_put(&to, (struct slice){0}), 0);
	assert_int_equal(to.len, 0);
}

static void test_buf_take(void **state)
{
	uint8_t room[4];
	struct buf to = {.data = room, .len = 1, .size = sizeof(room)};
	uint8_t *p = NULL;

	(void)state;
	assert_int_equal(buf_take(&p, &to, 4), -ENOBUFS);
	assert_int_equal(buf_take(&p, &to, SIZE_MAX), -ENOBUFS);
	assert_null(p);
	assert_int_equal(to.len, 1);
	assert_int_equal(buf_take(&p, &to, 3), 0);
	assert_ptr_equal(p, room + 1);
	assert_int_equal(to.len, 4);
}

static void test_byte_order(void **state)
{
	static const uint8_t expected[] = {0xfe, 0xdc, 0xba, 0x98};

	(void)state;
	for (size_t at = 0; at < 4; at++) { /* each alignment */
		uint8_t room[8] = {0};

		be32_put(room + at, 0xfedcba98);
		assert_memory_equal(room + at, expected, 4);
		assert_int_equal(be32_get(room + at), 0xfedcba98);
		assert_int_equal(be16_get(room + at + 1), 0xdcba);

		be16_put(room + at, 0x80ff);
		assert_int_equal(room[at], 0x80);
		assert_int_equal(room[at + 1], 0xff);
		assert_int_equal(be16_get(room + at), 0x80ff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_absurd_length),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_buf_take),
		cmocka_unit_test(test_byte_order),
	};

	return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
