/*
 * Sound devices, behind an interface: PortAudio's in a running phone (audio/portaudio.h), made-up
 * ones in tests. A device that is open moves samples between itself and a port, on a thread of its
 * own. All functions here may take long, and so are for the threads of loop_work().
 */
#pragma once

#include "audio/port.h"
#include "core/base/fault.h"
#include "core/base/text.h"

struct device_maker;

enum { DEVICE_NAME_SIZE = 128 };

/* The first member of each implementation. */
struct device {
	const struct device_maker *maker;
	char name[DEVICE_NAME_SIZE]; /* as people know it; escaped */
};

/* The samples of a block that it moves at a time. A device holds two of them. */
enum {
	DEVICE_BLOCK = PORT_RATE / 200, /* 5 ms */
	DEVICE_BLOCK_MAX = 8 * DEVICE_BLOCK,
};

struct device_maker {
	/*
	 * Opens the device that name, a part of its name in any case, tells from the others, or the
	 * default one if it is empty, and starts it. port is given back by close. Returns, with
	 * words, -ENODEV if there is no device at all, -ENOENT if none has that name, -EINVAL if
	 * several have, -EBUSY, -EIO or another error if it does not open.
	 */
	int (*open)(struct device **out, const struct device_maker *maker, enum port_way way,
		const char *name, size_t block, struct port *port, struct fault *why);

	/* Whether such a device is there, without opening it. Errors as above. */
	int (*check)(const struct device_maker *maker, enum port_way way, const char *name,
		struct fault *why);

	/* Stops it; port is not touched any more. */
	void (*close)(struct device *device);
};
