#include "core/net/mark.h"

#include "core/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

/* The field has two bits of ECN below it, which are the system's (RFC 3168, section 5). */
int mark_socket(int fd, enum addr_family family, unsigned dscp)
{
	static atomic_flag told = ATOMIC_FLAG_INIT; /* a line of the log */
	int field = (int)dscp << 2;
	int level = family == ADDR_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == ADDR_IPV4 ? IP_TOS : IPV6_TCLASS;
	int err;

	if (setsockopt(fd, level, option, &field, sizeof(field)) == 0)
		return 0;
	err = -errno;
	if (!atomic_flag_test_and_set(&told))
		log_debug("net: what is sent goes without a DSCP of %u: %s", dscp, strerror(-err));
	return err;
}
