/*
 * One direction of the sound between us and a device, for as long as a source or a sink needs it:
 * when the device is gone, another takes its place, and when it is back, it is used again.
 *
 * line_open() is for a thread of loop_work(), as it may take long; all else is for the thread of
 * the setup's loop.
 */
#pragma once

#include "audio/device.h"
#include "audio/setup.h"

struct line;

/*
 * Opens the device of that name, or the default one if it is empty. Returns -ENOMEM or what the
 * maker's open does, with words; setup is copied.
 */
int line_open(struct line **out, const struct audio_setup *setup, const struct device_maker *maker,
	enum port_way way, const char *name, struct fault *why);

/*
 * The port of the device that is used now, or NULL if there is none, or it has not begun; to be
 * asked on each tick, and not kept over it. fresh: whether it is another than that of the last
 * tick, the first included.
 */
struct port *line_port(struct line *line, bool *fresh);

/* How many samples the device moves at a time. */
size_t line_block(const struct line *line);

/*
 * What the port has told of breaks in the sound, once a second. A device that is not steady is
 * opened anew with longer blocks: then it returns false, and line_port()'s port is not to be
 * touched any more.
 */
bool line_note_breaks(struct line *line, unsigned breaks);

/* Closes it; done is called once on the loop's thread, never before this returns. It may be NULL.
 */
typedef void line_closed(void *arg);
void line_close(struct line *line, line_closed *closed, void *arg);
