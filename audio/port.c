#include "audio/port.h"

#include "audio/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	CAPACITY = 16384,    /* samples: a third of a second */
	ELAPSED_MAX_MS = 60, /* of a block: a device that is away longer is not just between two */
};

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/*
 * The device stores, the media thread loads, and of longest and breaks it takes away what it has
 * seen. They are only measured by, so all is relaxed but the ring's own and visit_ns: a level is
 * made of both. Who looks while the device is at it, between the one and the other, shall see too
 * much rather than too little, for that is a gap. So a microphone's samples are there before the
 * time is told, with release, and a loudspeaker's are gone after it, with the ring's release.
 */
struct port {
	struct ring *ring;
	enum port_way way;
	atomic_uint_least64_t visit_ns;
	atomic_uint visits;
	atomic_uint breaks;
	atomic_uint_least64_t longest_ns;
	atomic_bool primed; /* something was written */
};

/* Were they not lock-free, the device's thread would take a lock. */
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "a port needs them so");

int port_new(struct port **out, enum port_way way)
{
	struct port *port = calloc(1, sizeof(*port));
	int err;

	if (!port)
		return -ENOMEM;

	port->way = way;
	err = ring_new(&port->ring, CAPACITY);
	if (err) {
		free(port);
		return err;
	}
	*out = port;
	return 0;
}

void port_free(struct port *port)
{
	if (!port)
		return;

	ring_free(port->ring);
	free(port);
}

static void visit(struct port *port, uint64_t now_ns)
{
	uint64_t before_ns = atomic_load_explicit(&port->visit_ns, memory_order_relaxed);
	unsigned visits = atomic_load_explicit(&port->visits, memory_order_relaxed);
	uint64_t longest_ns = atomic_load_explicit(&port->longest_ns, memory_order_relaxed);

	if (visits > 0 && now_ns - before_ns > longest_ns)
		atomic_store_explicit(&port->longest_ns, now_ns - before_ns, memory_order_relaxed);
	atomic_store_explicit(&port->visit_ns, now_ns, memory_order_release);
	atomic_store_explicit(&port->visits, visits + 1, memory_order_relaxed);
}

void port_stumble(struct port *port)
{
	atomic_fetch_add_explicit(&port->breaks, 1, memory_order_relaxed);
}

void port_capture(struct port *port, const int16_t *samples, size_t count, uint64_t now_ns)
{
	ring_write(port->ring, samples, count);
	visit(port, now_ns);
}

void port_play(struct port *port, int16_t *out, size_t count, uint64_t now_ns)
{
	size_t got;

	visit(port, now_ns);
	got = ring_read(out, port->ring, count);
	memset(out + got, 0, (count - got) * sizeof(*out));
	if (got < count && atomic_load_explicit(&port->primed, memory_order_relaxed))
		port_stumble(port);
}

size_t port_read(int16_t *out, struct port *port, size_t count)
{
	return ring_read(out, port->ring, count);
}

size_t port_write(struct port *port, const int16_t *samples, size_t count)
{
	atomic_store_explicit(&port->primed, true, memory_order_relaxed);
	return ring_write(port->ring, samples, count);
}

void port_skip(struct port *port, size_t count)
{
	int16_t nowhere[256];
	size_t filled = ring_filled(port->ring);

	if (count > filled)
		count = filled;
	while (count > 0) {
		size_t want = count < 256 ? count : 256;

		count -= ring_read(nowhere, port->ring, want);
	}
}

uint64_t port_age_ns(const struct port *port, uint64_t now_ns)
{
	uint64_t visit_ns = atomic_load_explicit(&port->visit_ns, memory_order_acquire);

	if (port_visits(port) == 0)
		return UINT64_MAX;
	return now_ns > visit_ns ? now_ns - visit_ns : 0; /* it may come by as we look */
}

double port_level(const struct port *port, uint64_t now_ns)
{
	uint64_t age_ns, again_ns;
	double filled, elapsed;

	/* The two belong together: if the device comes by between them, we look again. */
	age_ns = port_age_ns(port, now_ns);
	do {
		again_ns = age_ns;
		filled = (double)ring_filled(port->ring);
		age_ns = port_age_ns(port, now_ns);
	} while (age_ns != again_ns);
	if (age_ns == UINT64_MAX)
		return filled;

	if (age_ns > ELAPSED_MAX_MS * NS_PER_MS)
		age_ns = ELAPSED_MAX_MS * NS_PER_MS;
	elapsed = (double)age_ns * PORT_RATE / (double)NS_PER_S;
	return port->way == PORT_IN ? filled + elapsed : filled - elapsed;
}

unsigned port_visits(const struct port *port)
{
	return atomic_load_explicit(&port->visits, memory_order_relaxed);
}

unsigned port_take_breaks(struct port *port)
{
	return atomic_exchange_explicit(&port->breaks, 0, memory_order_relaxed);
}

uint64_t port_take_longest_ns(struct port *port)
{
	return atomic_exchange_explicit(&port->longest_ns, 0, memory_order_relaxed);
}
