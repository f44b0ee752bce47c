/*
 * The sound devices that PortAudio knows. Its library is loaded when the first is asked for; what
 * it, ALSA and JACK then say to standard error goes to the log. Any thread; each call may take
 * long.
 */
#pragma once

#include "audio/device.h"

extern const struct device_maker portaudio;

/*
 * A line a device: its name, whether it records and plays, and which one is the default. Returns,
 * with words, -ENODEV if there are none, or -ENOENT if PortAudio is not installed.
 */
int portaudio_list(struct text *out, struct fault *why);

/* Calls each with the name of each device that goes that way. Errors as above, but for -ENODEV. */
int portaudio_each(
	enum port_way way, void (*each)(void *arg, const char *name), void *arg, struct fault *why);

/*
 * Just before _exit(): waits until nobody is inside the library, at most ms, and lets nobody in any
 * more. What is behind it keeps locks in memory that processes share (JACK's), and who leaves in
 * the middle would leave them locked for everybody. Any thread.
 */
void portaudio_leave(unsigned ms);
