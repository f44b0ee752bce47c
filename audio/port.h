/*
 * Where a sound device and the media thread meet, one direction of it: a ring of samples, and when
 * the device last came by, so that the media thread knows how full the ring really is.
 *
 * A device moves samples a block at a time, the media thread a tick at a time, and a count of what
 * lies in the ring jumps with both. The level does not: it counts the part of a block that the
 * device has taken in, or played out, since it last came by. It changes by nothing but the two
 * clocks' difference, which audio/drift.h works on.
 *
 * port_capture() and port_play() are the device's thread: they allocate nothing, take no lock, log
 * nothing and make no system call. All else is the media thread's. Whoever made it owns it, and
 * frees it after the device has stopped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port;

enum port_way {
	PORT_IN,  /* a microphone */
	PORT_OUT, /* a loudspeaker */
};

enum { PORT_RATE = 48000 }; /* Hz, of every device; other rates make uneven callbacks */

/* -ENOMEM. */
int port_new(struct port **out, enum port_way way);

/* NULL is allowed. */
void port_free(struct port *port);

/* The device has recorded count samples, the last of them at now_ns. */
void port_capture(struct port *port, const int16_t *samples, size_t count, uint64_t now_ns);

/* The device will play count samples next: all of out is filled, with silence where there are none.
 */
void port_play(struct port *port, int16_t *out, size_t count, uint64_t now_ns);

/* The device found that it had come too late for its own clock. */
void port_stumble(struct port *port);

/* Takes what was recorded, or gives what is to be played. As ring_read() and ring_write(). */
size_t port_read(int16_t *out, struct port *port, size_t count);
size_t port_write(struct port *port, const int16_t *samples, size_t count);

/* Forgets count samples that were recorded, or all that there are. */
void port_skip(struct port *port, size_t count);

/*
 * What has been recorded and not read, or written and not played, at now_ns, in samples; of a
 * loudspeaker less than nothing where the device has gone on without. now_ns: of the device's
 * clock.
 */
double port_level(const struct port *port, uint64_t now_ns);

/* How long ago the device last came by, but for a device that has never: UINT64_MAX. */
uint64_t port_age_ns(const struct port *port, uint64_t now_ns);

/* How often it has come by: to see whether it does. */
unsigned port_visits(const struct port *port);

/* How often sound was broken since this was last asked: the device stumbled, or a loudspeaker found
 * too little. Before anything was written, that is nobody's fault. */
unsigned port_take_breaks(struct port *port);

/* The longest time from one visit to the next since this was last asked; 0: there were not two. */
uint64_t port_take_longest_ns(struct port *port);
