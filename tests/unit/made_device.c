#include "tests/unit/made_device.h"

#include "core/base/list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

struct open_device {
	struct device device;
	struct made_device *made;
	enum port_way way;
	struct port *port;
	struct timer timer;
	uint64_t began_ns;
	uint64_t began_at; /* samples */
	uint64_t blocks;
	size_t block;
	bool dead;
};

static void move(struct open_device *self, uint64_t now_ns)
{
	int16_t samples[DEVICE_BLOCK_MAX] = {0};
	struct made_device *made = self->made;

	if (self->way == PORT_IN) {
		if (made->record)
			made->record(made->arg, samples, self->block, made->samples);
		port_capture(self->port, samples, self->block, now_ns);
	} else {
		port_play(self->port, samples, self->block, now_ns);
		if (made->played)
			made->played(made->arg, samples, self->block, made->samples);
	}
	if (made->stumbles)
		port_stumble(self->port);
	made->samples += self->block;
}

static void come_by(void *arg)
{
	struct open_device *self = arg;
	const struct made_device *made = self->made;
	double block_ns;
	uint64_t due_ns;

	if (made->absent)
		self->dead = true;
	if (self->dead)
		return;

	if (!made->hangs && self->blocks > 0)
		move(self, loop_now(self->timer.loop));
	self->blocks++;
	if (self->blocks == 2)
		self->began_ns += made->rests_ns;
	block_ns = (double)self->block * 1e9 / (PORT_RATE * (1 + made->ppm / 1e6));
	due_ns = self->began_ns + (uint64_t)((double)self->blocks * block_ns);
	if (self->blocks % 2 == 0)
		due_ns += made->late_ns;
	timer_start(&self->timer, due_ns);
}

static int find(struct made_device **out, const struct made_devices *made, const char *name)
{
	for (size_t i = 0; i < made->count; i++) {
		struct made_device *device = (struct made_device *)&made->devices[i];

		if (device->absent || !strstr(device->name, name))
			continue;
		*out = device;
		return 0;
	}
	return name[0] == '\0' ? -ENODEV : -ENOENT;
}

static int check(
	const struct device_maker *maker, enum port_way way, const char *name, struct fault *why)
{
	const struct made_devices *made = container_of(maker, struct made_devices, maker);
	struct made_device *device;
	int err;

	(void)way;
	err = find(&device, made, name);
	return err ? fault_set(why, err, "no device %s", name) : 0;
}

static int open_device(struct device **out, const struct device_maker *maker, enum port_way way,
	const char *name, size_t block, struct port *port, struct fault *why)
{
	const struct made_devices *made = container_of(maker, struct made_devices, maker);
	struct open_device *self;
	struct made_device *device;
	struct text text;
	int err;

	if (made->opening)
		made->opening();
	err = find(&device, made, name);
	if (err)
		return fault_set(why, err, "no device %s", name);

	self = calloc(1, sizeof(*self));
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory");
	self->device.maker = maker;
	text = TEXT_IN(self->device.name);
	text_puts(&text, device->name);
	self->made = device;
	self->way = way;
	self->port = port;
	self->block = block;
	self->began_ns = made->fake->now_ns + device->slow_ns;
	device->opened++;
	device->open++;
	device->block = block;
	timer_init(&self->timer, &made->fake->loop, come_by, self);
	come_by(self);
	*out = &self->device;
	return 0;
}

static void close_device(struct device *device)
{
	struct open_device *self = container_of(device, struct open_device, device);

	timer_stop(&self->timer);
	self->made->open--;
	free(self);
}

void made_devices_init(struct made_devices *made, struct fake_loop *fake)
{
	*made = (struct made_devices){
		.maker = {open_device, check, close_device},
		.fake = fake,
		.devices = {{.name = "built-in"}, {.name = "usb"}},
		.count = 2,
	};
}

void made_device_pull(struct made_device *device)
{
	device->absent = true;
}

void made_device_plug(struct made_device *device)
{
	device->absent = false;
}

void made_devices_end(const struct made_devices *made)
{
	for (size_t i = 0; i < made->count; i++)
		assert_int_equal(made->devices[i].open, 0);
}
