/*
 * Whoever looks on at the datagrams of calls: all that come in on their sockets, whoever sent them,
 * and all that go out. It is called on the media thread, amid the sound: it must not wait,
 * allocate, lock or make a system call.
 */
#pragma once

#include "core/base/addr.h"

#include <stdbool.h>

struct media_tap {
	/* at_ns: when it left or reached this host, by the media loop's clock. All that is pointed
	 * to is good during the call only. */
	void (*datagram)(void *arg, bool sent, const struct addr *local, const struct addr *remote,
		struct slice bytes, uint64_t at_ns);
	void *arg;
};
