/* audio/port: levels between two clocks, breaks; and that a device's thread waits for nothing. */
#include "audio/port.h"

#include "audio/ring.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

#define NS_PER_MS UINT64_C(1000000)

enum { BLOCK = 480, MS = PORT_RATE / 1000 };

static size_t allocations_left = SIZE_MAX;
static bool forbidden; /* whatever could wait */

/* The linker sends what a device's thread must not call to these, by --wrap. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
void __wrap_free(void *pointer);
void __real_free(void *pointer);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
size_t __wrap_ring_write(struct ring *ring, const int16_t *samples, size_t count);
size_t __real_ring_write(struct ring *ring, const int16_t *samples, size_t count);
size_t __wrap_ring_read(int16_t *out, struct ring *ring, size_t count);
size_t __real_ring_read(int16_t *out, struct ring *ring, size_t count);

/* The other thread may look in the middle of a visit, with the samples moved or not yet. */
static void (*look)(void);

static void refuse_if_forbidden(void)
{
	if (forbidden)
		_exit(9);
}

void *__wrap_calloc(size_t count, size_t size)
{
	refuse_if_forbidden();
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	refuse_if_forbidden();
	return __real_malloc(size);
}

void __wrap_free(void *pointer)
{
	refuse_if_forbidden();
	__real_free(pointer);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	refuse_if_forbidden();
	return __real_pthread_mutex_lock(mutex);
}

static void look_if_wanted(void)
{
	if (look)
		look();
}

size_t __wrap_ring_write(struct ring *ring, const int16_t *samples, size_t count)
{
	size_t moved;

	look_if_wanted();
	moved = __real_ring_write(ring, samples, count);
	look_if_wanted();
	return moved;
}

size_t __wrap_ring_read(int16_t *out, struct ring *ring, size_t count)
{
	size_t moved;

	look_if_wanted();
	moved = __real_ring_read(out, ring, count);
	look_if_wanted();
	return moved;
}

static void test_a_microphone_s_level_grows_with_time(void **state)
{
	int16_t samples[2 * BLOCK] = {0};
	struct port *port;

	(void)state;
	assert_int_equal(port_new(&port, PORT_IN), 0);
	assert_true(port_level(port, 1000 * NS_PER_MS) == 0);
	assert_true(port_age_ns(port, 5) == UINT64_MAX);
	port_capture(port, samples, BLOCK, 1000 * NS_PER_MS);
	for (unsigned ms = 0; ms < 10; ms++)
		assert_true(
			fabs(port_level(port, (1000 + ms) * NS_PER_MS) - BLOCK - ms * MS) < 1e-6);
	port_capture(port, samples, BLOCK, 1010 * NS_PER_MS); /* no jump: 20 ms, as expected */
	assert_true(fabs(port_level(port, 1010 * NS_PER_MS) - 2 * BLOCK) < 1e-6);
	assert_int_equal(port_read(samples, port, 100), 100);
	assert_true(fabs(port_level(port, 1011 * NS_PER_MS) - 2 * BLOCK + 100 - MS) < 1e-6);

	/* a device that is away records nothing, for all that we know */
	assert_true(port_level(port, 9000 * NS_PER_MS) < 2 * BLOCK + 61 * MS);
	assert_true(port_age_ns(port, 9000 * NS_PER_MS) == 7990 * NS_PER_MS);
	assert_true(port_age_ns(port, 1000 * NS_PER_MS) == 0);
	port_free(port);
	port_free(NULL);
}

static void test_a_loudspeaker_s_level_sinks_with_time(void **state)
{
	int16_t samples[2 * BLOCK] = {0};
	struct port *port;

	(void)state;
	assert_int_equal(port_new(&port, PORT_OUT), 0);
	assert_int_equal(port_write(port, samples, 2 * BLOCK), 2 * BLOCK);
	port_play(port, samples, BLOCK, 1000 * NS_PER_MS);
	assert_true(fabs(port_level(port, 1000 * NS_PER_MS) - BLOCK) < 1e-6);
	assert_true(fabs(port_level(port, 1004 * NS_PER_MS) - BLOCK + 4 * MS) < 1e-6);
	assert_true(fabs(port_level(port, 1012 * NS_PER_MS) + 2 * MS) < 1e-6);
	port_free(port);
}

static struct {
	struct port *port;
	uint64_t now_ns;
	double least, most;
	unsigned looks;
} seen;

static void look_at_level(void)
{
	double level = port_level(seen.port, seen.now_ns);

	seen.least = fmin(seen.least, level);
	seen.most = fmax(seen.most, level);
	seen.looks++;
}

/* A level that is too low for a moment is a gap: silence would be put where nothing is missing. One
 * that is a block too high is forgotten in the mean. */
static void test_a_level_is_not_too_low_in_the_midst_of_a_visit(void **state)
{
	int16_t samples[3 * BLOCK] = {0};

	(void)state;
	for (unsigned way = 0; way < 2; way++) {
		assert_int_equal(port_new(&seen.port, way == 0 ? PORT_IN : PORT_OUT), 0);
		(void)port_write(seen.port, samples, 3 * BLOCK);
		port_capture(seen.port, samples, 0, 1000 * NS_PER_MS);
		seen.now_ns = 1010 * NS_PER_MS;
		seen.least = seen.most = port_level(seen.port, seen.now_ns);
		assert_true(fabs(seen.least - (way == 0 ? 4 : 2) * BLOCK) < 1e-6);
		seen.looks = 0;
		look = look_at_level;
		if (way == 0)
			port_capture(seen.port, samples, BLOCK, seen.now_ns);
		else
			port_play(seen.port, samples, BLOCK, seen.now_ns);
		look = NULL;
		assert_int_equal(seen.looks, 2);
		assert_true(fabs(seen.least - (way == 0 ? 4 : 2) * BLOCK) < 1e-6);
		assert_true(seen.most <= seen.least + BLOCK + 1e-6);
		assert_true(fabs(port_level(seen.port, seen.now_ns) - seen.least) < 1e-6);
		port_free(seen.port);
	}
}

static void test_what_is_missing_is_silence_and_a_break(void **state)
{
	int16_t samples[BLOCK], out[BLOCK];
	struct port *port;

	(void)state;
	for (size_t i = 0; i < BLOCK; i++)
		samples[i] = 77;
	assert_int_equal(port_new(&port, PORT_OUT), 0);
	memcpy(out, samples, sizeof(out));
	port_play(port, out, BLOCK, 1); /* nobody has begun */
	assert_int_equal(out[0], 0);
	assert_int_equal(out[BLOCK - 1], 0);
	assert_int_equal(port_take_breaks(port), 0);

	port_write(port, samples, BLOCK / 2);
	memcpy(out, samples, sizeof(out));
	port_play(port, out, BLOCK, 2);
	assert_int_equal(out[BLOCK / 2 - 1], 77);
	assert_int_equal(out[BLOCK / 2], 0);
	port_stumble(port);
	assert_int_equal(port_take_breaks(port), 2);
	assert_int_equal(port_take_breaks(port), 0);
	port_write(port, samples, BLOCK);
	port_play(port, out, BLOCK, 3);
	assert_int_equal(port_take_breaks(port), 0);
	assert_int_equal(port_visits(port), 3);
	port_free(port);
}

static void test_the_longest_time_between_two_visits(void **state)
{
	static const uint64_t at_ms[] = {100, 110, 121, 130};
	int16_t samples[BLOCK] = {0};
	struct port *port;

	(void)state;
	assert_int_equal(port_new(&port, PORT_IN), 0);
	assert_true(port_take_longest_ns(port) == 0);
	for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++)
		port_capture(port, samples, BLOCK, at_ms[i] * NS_PER_MS);
	assert_true(port_take_longest_ns(port) == 11 * NS_PER_MS);
	assert_true(port_take_longest_ns(port) == 0);
	port_free(port);
}

static void test_what_was_recorded_can_be_skipped(void **state)
{
	int16_t samples[BLOCK], out;
	struct port *port;

	(void)state;
	for (int16_t i = 0; i < BLOCK; i++)
		samples[i] = i;
	assert_int_equal(port_new(&port, PORT_IN), 0);
	port_capture(port, samples, BLOCK, 1);
	port_skip(port, 300);
	assert_int_equal(port_read(&out, port, 1), 1);
	assert_int_equal(out, 300);
	port_skip(port, 100000);
	assert_int_equal(port_read(&out, port, 1), 0);
	port_free(port);
}

static void test_no_memory(void **state)
{
	struct port *port = NULL;

	(void)state;
	for (size_t allowed = 0; allowed < 3; allowed++) { /* itself, the ring, its samples */
		allocations_left = allowed;
		assert_int_equal(port_new(&port, PORT_IN), -ENOMEM);
		allocations_left = SIZE_MAX;
	}
	assert_null(port);
}

/* From here on the only way out of this process is exit_group(). */
static int forbid_system_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

static void visit_often(struct port *in, struct port *out)
{
	static int16_t samples[BLOCK];

	for (uint64_t i = 1; i < 1000; i++) { /* rings that run over and run dry, too */
		port_capture(in, samples, BLOCK, i * 10 * NS_PER_MS);
		port_play(out, samples, BLOCK, i * 10 * NS_PER_MS);
		port_stumble(out);
		if (i % 3 == 0) {
			(void)port_write(out, samples, BLOCK);
			(void)port_read(samples, in, BLOCK / 2);
		}
	}
}

/* The status of a process that visits two ports, with a system call besides if it is to be caught.
 */
static int visit_with_nothing_allowed(bool cheat)
{
	struct port *in, *out;
	int status = -1;
	pid_t child;

	assert_int_equal(port_new(&in, PORT_IN), 0);
	assert_int_equal(port_new(&out, PORT_OUT), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (forbid_system_calls() != 0)
			_exit(8);
		forbidden = true;
		visit_often(in, out);
		if (cheat)
			(void)getppid();
		syscall(SYS_exit_group, 0); /* before _exit() a sanitizer has calls of its own */
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	port_free(in);
	port_free(out);
	return status;
}

static void test_a_visit_allocates_nothing_and_calls_nobody(void **state)
{
	int status;

	(void)state;
	status = visit_with_nothing_allowed(false);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 8)
		skip(); /* a system without seccomp filters */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	status = visit_with_nothing_allowed(true); /* who did would be found out */
	assert_true(WIFSIGNALED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_microphone_s_level_grows_with_time),
		cmocka_unit_test(test_a_loudspeaker_s_level_sinks_with_time),
		cmocka_unit_test(test_a_level_is_not_too_low_in_the_midst_of_a_visit),
		cmocka_unit_test(test_what_is_missing_is_silence_and_a_break),
		cmocka_unit_test(test_the_longest_time_between_two_visits),
		cmocka_unit_test(test_what_was_recorded_can_be_skipped),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_a_visit_allocates_nothing_and_calls_nobody),
	};

	return cmocka_run_group_tests_name("audio/port", tests, NULL, NULL);
}
