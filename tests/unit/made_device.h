/*
 * Sound devices for unit tests, in the time of a fake loop: each has a clock of its own, is there
 * or not, and moves a block whenever its clock says so.
 */
#pragma once

#include "audio/device.h"
#include "core/base/loop.h"
#include "tests/unit/fake_loop.h"

enum { MADE_DEVICES_MAX = 4 };

struct made_device {
	const char *name;
	bool absent;
	bool hangs;        /* open, and moves nothing */
	double ppm;        /* by how much its clock is faster than the loop's */
	uint64_t late_ns;  /* each second block comes so much later */
	uint64_t slow_ns;  /* its first block comes so much later, too */
	uint64_t rests_ns; /* after its first block it moves nothing for so long */
	bool stumbles;     /* it says of each block that sound broke off */
	unsigned opened;   /* how often, */
	unsigned open;     /* and how many are */
	size_t block;      /* of the one opened last */
	uint64_t samples;  /* that it has moved */
	/* What it records, and what is done with what it plays; NULL: silence, and nothing. At the
	 * clock of the device: sample number at. */
	void (*record)(void *arg, int16_t *out, size_t count, uint64_t at);
	void (*played)(void *arg, const int16_t *samples, size_t count, uint64_t at);
	void *arg;
};

struct made_devices {
	struct device_maker maker;
	struct fake_loop *fake;
	struct made_device devices[MADE_DEVICES_MAX]; /* the first one there is the default */
	size_t count;
	void (*opening)(void); /* called first when one is to be opened; or NULL */
};

void made_devices_init(struct made_devices *made, struct fake_loop *fake);

/* It is gone in the middle of all: what is open moves nothing any more. */
void made_device_pull(struct made_device *device);
void made_device_plug(struct made_device *device);

/* Fails the test if one is still open. */
void made_devices_end(const struct made_devices *made);
