/* core/net: local sockets, who may use them, and what becomes of what is at their path already. */
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/net/loop_uv.h"
#include "tests/unit/scarce.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { PATH_SIZE = 200, BIG = 900000 };

/* A folder, a loop, and both ends of a connection. */
struct stage {
	struct loop *loop;
	struct tcp_listener *listener;
	struct tcp *near, *far;
	size_t came; /* at the far end */
	bool stands;
	int err; /* how the near end closed; 1: it did not */
	char folder[PATH_SIZE];
	char path[PATH_SIZE];
};

static void connected(void *arg)
{
	struct stage *stage = arg;

	stage->stands = true;
}

static void near_received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	assert_true(slice_is(bytes, "well"));
	loop_uv_stop(stage->loop);
}

static void near_closed(void *arg, int err)
{
	struct stage *stage = arg;

	stage->err = err;
	loop_uv_stop(stage->loop);
}

static void far_received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	stage->came += bytes.len;
	if (stage->came == BIG)
		assert_int_equal(tcp_send(stage->far, slice_of("well")), 0);
}

static void accepted(void *arg, struct tcp *tcp)
{
	static const struct tcp_events events = {.received = far_received};
	struct stage *stage = arg;

	if (stage->far) { /* who only asked whether somebody is there */
		tcp_free(tcp);
		return;
	}
	stage->far = tcp;
	tcp_start(tcp, &events, stage);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->err = 1;
	strcpy(stage->folder, "/tmp/sipcall-local-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->path, sizeof(stage->path), "%.100s/socket", stage->folder);
	assert_int_equal(loop_uv_new(&stage->loop), 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	allocations_left = SIZE_MAX;
	tcp_free(stage->near);
	tcp_free(stage->far);
	tcp_listener_free(stage->listener);
	loop_uv_free(stage->loop);
	unlink(stage->path);
	assert_int_equal(rmdir(stage->folder), 0); /* nothing else was left there */
	free(stage);
	return 0;
}

static int listen_there(struct stage *stage)
{
	return loop_local_listen(&stage->listener, stage->loop, stage->path, accepted, stage);
}

static int connect_there(struct stage *stage)
{
	static const struct tcp_events events = {connected, near_received, near_closed};

	return loop_local_connect(&stage->near, stage->loop, stage->path, &events, stage);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	return address;
}

/* A name without anybody behind it, as a dead process leaves it. */
static int leave_socket(const char *path, int type)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_there_and_back(void **state)
{
	struct stage *stage = *state;
	static uint8_t big[BIG];
	struct stat what;
	struct addr addr;

	umask(0);
	assert_int_equal(listen_there(stage), 0);
	assert_int_equal(lstat(stage->path, &what), 0);
	assert_int_equal(what.st_mode, S_IFSOCK | 0600);
	tcp_listener_local(&addr, stage->listener);
	assert_int_equal(addr.family, ADDR_NONE);

	assert_int_equal(connect_there(stage), 0);
	assert_false(stage->stands); /* never before it returns */
	assert_int_equal(tcp_send(stage->near, (struct slice){big, BIG}), 0);
	loop_uv_run(stage->loop);
	assert_true(stage->stands);
	assert_int_equal(stage->came, BIG);
	tcp_remote(&addr, stage->near);
	assert_int_equal(addr.family, ADDR_NONE);
	tcp_free(stage->far);
	stage->far = NULL;
	loop_uv_run(stage->loop);
	assert_int_equal(stage->err, 0);
	tcp_listener_free(stage->listener);
	stage->listener = NULL;
	assert_int_equal(lstat(stage->path, &what), -1);
}

static void test_the_dead_are_replaced(void **state)
{
	struct stage *stage = *state;

	close(leave_socket(stage->path, SOCK_STREAM));
	assert_int_equal(listen_there(stage), 0);
	assert_int_equal(connect_there(stage), 0);
	assert_int_equal(tcp_send(stage->near, slice_of("x")), 0);
}

static void test_the_living_stay(void **state)
{
	struct stage *stage = *state;
	struct tcp_listener *second;
	int fd = leave_socket(stage->path, SOCK_DGRAM);
	int folder;

	assert_int_equal(listen_there(stage), -EEXIST); /* it is of another kind */
	close(fd);
	unlink(stage->path);
	assert_int_equal(listen_there(stage), 0);
	assert_int_equal(
		loop_local_listen(&second, stage->loop, stage->path, accepted, stage), -EADDRINUSE);
	tcp_listener_free(stage->listener);
	stage->listener = NULL;

	folder = open(stage->folder, O_RDONLY); /* another is at it */
	assert_int_equal(flock(folder, LOCK_EX), 0);
	assert_int_equal(listen_there(stage), -EADDRINUSE);
	close(folder);
}

static void test_what_is_no_socket_stays(void **state)
{
	struct stage *stage = *state;
	struct stat what;

	assert_int_equal(close(open(stage->path, O_CREAT | O_WRONLY, 0644)), 0);
	assert_int_equal(listen_there(stage), -EEXIST);
	assert_int_equal(lstat(stage->path, &what), 0);
	unlink(stage->path);
	assert_int_equal(symlink("nowhere", stage->path), 0);
	assert_int_equal(listen_there(stage), -EEXIST);
	unlink(stage->path);
	assert_int_equal(mkdir(stage->path, 0700), 0);
	assert_int_equal(listen_there(stage), -EEXIST);
	assert_int_equal(rmdir(stage->path), 0);
}

/* Who has taken the name meanwhile keeps it. */
static void test_a_name_that_is_not_ours_any_more(void **state)
{
	struct stage *stage = *state;
	struct stat what;

	assert_int_equal(listen_there(stage), 0);
	assert_int_equal(unlink(stage->path), 0);
	assert_int_equal(close(open(stage->path, O_CREAT | O_WRONLY, 0644)), 0);
	tcp_listener_free(stage->listener);
	stage->listener = NULL;
	assert_int_equal(lstat(stage->path, &what), 0);
}

static void test_bad_paths(void **state)
{
	struct stage *stage = *state;
	char path[PATH_SIZE];

	memset(path, 'x', sizeof(path));
	path[107] = '\0';
	strcpy(stage->path, path);
	assert_int_equal(listen_there(stage), 0); /* here, with the most that there may be */
	tcp_listener_free(stage->listener);
	stage->listener = NULL;
	path[107] = 'x';
	path[108] = '\0';
	strcpy(stage->path, path);
	assert_int_equal(listen_there(stage), -ENAMETOOLONG);
	assert_int_equal(connect_there(stage), -ENAMETOOLONG);
	strcpy(stage->path, "");
	assert_int_equal(listen_there(stage), -ENOENT);
	assert_int_equal(connect_there(stage), -ENOENT);
	strcpy(stage->path, "/no/such/folder");
	assert_int_equal(listen_there(stage), -ENOENT);
}

static void test_nobody_there(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(connect_there(stage), 0);
	loop_uv_run(stage->loop);
	assert_int_equal(stage->err, -ENOENT);
	assert_false(stage->stands);
	tcp_free(stage->near);
	close(leave_socket(stage->path, SOCK_STREAM));
	assert_int_equal(connect_there(stage), 0);
	loop_uv_run(stage->loop);
	assert_int_equal(stage->err, -ECONNREFUSED);
}

/* Each allocation fails in its turn, and nothing is left behind. */
static void test_memory(void **state)
{
	struct stage *stage = *state;
	struct stat what;
	size_t i = 0;
	int err;

	do {
		allocations_left = i++;
		err = listen_there(stage);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(lstat(stage->path, &what), err ? -1 : 0);
	} while (err);
	assert_true(i > 2);
	allocations_left = 0;
	assert_int_equal(connect_there(stage), -ENOMEM);
	allocations_left = SIZE_MAX;
	stage->near = NULL;
}

/* The simulated world has no file system. */
static void test_simulated(void **state)
{
	const struct world_config config = {.seed = 1};
	const struct addr at = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
	struct tcp_listener *listener;
	struct world_host *host;
	struct world *world;
	struct loop *loop;
	struct tcp *tcp;

	(void)state;
	assert_int_equal(world_new(&world, &config), 0);
	assert_int_equal(world_host_new(&host, world, &at), 0);
	assert_int_equal(world_loop_new(&loop, host), 0);
	assert_int_equal(loop_local_connect(&tcp, loop, "x", NULL, NULL), -ENOTSUP);
	assert_int_equal(loop_local_listen(&listener, loop, "x", NULL, NULL), -ENOTSUP);
	world_loop_free(loop);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_dead_are_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_living_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_socket_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_name_that_is_not_ours_any_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
		cmocka_unit_test(test_simulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
