/* STUN: whatever the bytes are, reading stays inside them, and what it tells is in bounds. */
#include "core/nat/stun.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_inside(struct slice slice, struct slice whole)
{
	check(slice.len == 0 ||
		(slice.data >= whole.data && slice.data + slice.len <= whole.data + whole.len));
}

/* All bytes are of some attribute. */
static void walk(const struct stun_msg *msg, struct slice datagram)
{
	struct slice rest = msg->attributes;
	struct stun_attribute attribute;

	check_inside(rest, datagram);
	while (stun_attribute_next(&attribute, &rest))
		check_inside(attribute.value, datagram);
	check(rest.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice datagram = {data, size};
	struct stun_msg msg;
	struct addr mapped;

	if (stun_parse(&msg, datagram))
		return 0;

	check(stun_is(datagram));
	check_inside(msg.reason, datagram);
	check(msg.code == 0 || (msg.code >= 300 && msg.code <= 699));
	check(msg.class != STUN_ERROR || msg.code != 0);
	check(msg.unknown_count <= size / 4);
	walk(&msg, datagram);
	if (stun_answers(&msg, &msg.id) && stun_mapped(&mapped, &msg) == 0)
		check(mapped.family == ADDR_IPV4 || mapped.family == ADDR_IPV6);
	return 0;
}
