#include "tests/sim/stranger.h"

#include <stdlib.h>

enum {
	HOSTS_MAX = 64,         /* with those that phones move to */
	PACKET_SIZE = 12 + 160, /* RTP of 20 ms of PCMU */
};

struct stranger {
	struct world_host *host;
	struct loop *loop;
	struct udp *udp;
	uint16_t seq;
	unsigned count;
	struct addr heard_at[HOSTS_MAX]; /* one of each host */
};

int stranger_new(struct stranger **out, struct world *world, const struct addr *addr)
{
	struct stranger *stranger;
	int err;

	stranger = calloc(1, sizeof(*stranger));
	if (!stranger)
		return -ENOMEM;

	err = world_host_new(&stranger->host, world, addr);
	if (!err)
		err = world_loop_new(&stranger->loop, stranger->host);
	if (!err)
		err = loop_udp_open(&stranger->udp, stranger->loop, addr);
	if (err) {
		stranger_free(stranger);
		return err;
	}
	*out = stranger;
	return 0;
}

void stranger_free(struct stranger *stranger)
{
	if (!stranger)
		return;

	udp_free(stranger->udp);
	world_loop_free(stranger->loop);
	free(stranger);
}

static struct addr *place_of(struct stranger *stranger, const struct addr *host)
{
	for (unsigned i = 0; i < stranger->count; i++)
		if (addr_same_host(&stranger->heard_at[i], host))
			return &stranger->heard_at[i];
	return NULL;
}

void stranger_listens(struct stranger *stranger, const struct addr *from, struct slice bytes)
{
	static const char key[] = "\r\nm=audio ";
	const uint8_t *at = memmem(bytes.data, bytes.len, key, sizeof(key) - 1);
	struct addr *place = place_of(stranger, from);
	unsigned port = 0;

	if (!at)
		return;
	at += sizeof(key) - 1;
	while (at < bytes.data + bytes.len && *at >= '0' && *at <= '9')
		port = port * 10 + (unsigned)(*at++ - '0');
	if (port == 0 || (!place && stranger->count == HOSTS_MAX))
		return;
	if (!place)
		place = &stranger->heard_at[stranger->count++];
	*place = *from;
	place->port = (uint16_t)port;
}

void stranger_sends(struct stranger *stranger, const struct addr *addr)
{
	uint8_t packet[PACKET_SIZE] = {0x80}; /* version 2, payload type 0 */
	const struct addr *place = place_of(stranger, addr);

	if (!place)
		return;
	be16_put(packet + 2, stranger->seq);
	be32_put(packet + 4, stranger->seq * UINT32_C(160));
	be32_put(packet + 8, UINT32_C(0x57a9e125));
	stranger->seq++;
	udp_send(stranger->udp, place, (struct slice){packet, sizeof(packet)});
}
