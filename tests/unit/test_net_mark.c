/* core/net: the DSCP of what sockets send, as a plain socket of the system sees it. */
#include "core/net/mark.h"

#include "core/base/text.h"
#include "core/net/loop_uv.h"
#include "core/net/lossy.h"
#include "core/net/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LIMIT_S = 10, OURS = 10, ANOTHER = 46 };

static const struct addr hosts[] = {
	{ADDR_IPV4, 0, 0, {127, 0, 0, 1}},
	{ADDR_IPV6, 0, 0, {[15] = 1}},
};

/* A socket of the system's own, that is told of marks; where it is goes to at. */
static int open_plain(struct addr *at, const struct addr *host)
{
	bool v4 = host->family == ADDR_IPV4;
	struct sockaddr_storage address;
	socklen_t len = sockaddr_put(&address, host);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				 v4 ? IP_RECVTOS : IPV6_RECVTCLASS, &on, sizeof(on)),
		0);
	assert_int_equal(sockaddr_local(at, fd), 0);
	return fd;
}

/* The DSCP of the next datagram. */
static unsigned next_mark(int fd)
{
	_Alignas(struct cmsghdr) uint8_t control[128];
	uint8_t byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	const struct cmsghdr *head;
	int field = 0;

	assert_int_equal(recvmsg(fd, &msg, 0), 1);
	head = CMSG_FIRSTHDR(&msg);
	assert_non_null(head);
	memcpy(&field, CMSG_DATA(head), head->cmsg_level == IPPROTO_IP ? 1 : sizeof(field));
	return head->cmsg_level == IPPROTO_IP ? *(const uint8_t *)&field >> 2
					      : (unsigned)field >> 2;
}

static void expect_mark(struct udp *udp, int fd, const struct addr *to, unsigned dscp)
{
	assert_int_equal(udp_send(udp, to, slice_of("x")), 0);
	assert_int_equal(next_mark(fd), dscp);
}

static void test_datagrams(void **state)
{
	struct loop *loop, *net;

	(void)state;
	assert_int_equal(loop_uv_new(&loop), 0);
	assert_int_equal(lossy_new(&net, loop, 1), 0);
	for (size_t i = 0; i < 4; i++) {
		const struct addr *host = &hosts[i % 2];
		struct loop *by = i < 2 ? loop : net; /* which hands it on */
		struct udp *udp;
		struct addr at;
		int fd = open_plain(&at, host);

		loop_uv_mark(loop, OURS);
		assert_int_equal(loop_udp_open(&udp, by, host), 0);
		loop_uv_mark(loop, 0); /* of those after it */
		expect_mark(udp, fd, &at, OURS);
		udp_mark(udp, ANOTHER);
		expect_mark(udp, fd, &at, ANOTHER);
		udp_mark(udp, 0);
		expect_mark(udp, fd, &at, 0);
		udp_free(udp);
		assert_int_equal(loop_udp_open(&udp, by, host), 0);
		expect_mark(udp, fd, &at, 0);
		udp_free(udp);
		close(fd);
	}
	lossy_free(net);
	loop_uv_free(loop);
}

static void test_what_cannot_be_marked(void **state)
{
	(void)state;
	assert_int_equal(mark_socket(-1, ADDR_IPV4, 1), -EBADF);
	assert_int_equal(mark_socket(-1, ADDR_IPV6, 1), -EBADF);
}

static int set_up(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_what_cannot_be_marked),
	};

	return cmocka_run_group_tests_name("net/mark", tests, set_up, NULL);
}
