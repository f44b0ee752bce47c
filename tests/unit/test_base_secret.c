/* core/base/secret: what it keeps, and what it does not take. */
#include "core/base/secret.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__wrap_mmap64(void *at, size_t len, int access, int flags, int fd, long offset);
void *__real_mmap64(void *at, size_t len, int access, int flags, int fd, long offset);

static bool no_memory;

void *__wrap_mmap64(void *at, size_t len, int access, int flags, int fd, long offset)
{
	return no_memory ? (void *)-1 : __real_mmap64(at, len, access, flags, fd, offset);
}

static void test_keep(void **state)
{
	uint8_t longest[SECRET_MAX + 1];
	struct secret *secret;

	(void)state;
	assert_int_equal(secret_new(&secret, slice_of("Circle of Life")), 0);
	assert_true(slice_is(secret_text(secret), "Circle of Life"));
	secret_free(secret);
	assert_int_equal(secret_new(&secret, (struct slice){0}), 0);
	assert_int_equal(secret_text(secret).len, 0);
	secret_free(secret);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(secret_new(&secret, (struct slice){longest, SECRET_MAX}), 0);
	assert_int_equal(secret_text(secret).len, SECRET_MAX);
	secret_free(secret);
	assert_int_equal(secret_new(&secret, (struct slice){longest, SECRET_MAX + 1}), -EMSGSIZE);
	assert_int_equal(secret_text(NULL).len, 0);
	secret_free(NULL);
}

static void test_memory(void **state)
{
	struct secret *secret;

	(void)state;
	no_memory = true;
	assert_int_equal(secret_new(&secret, slice_of("x")), -ENOMEM);
	no_memory = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
