#include "tests/unit/ua_peer.h"

#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h> /* after the headers that it needs */

static void take(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct peer *peer = arg;

	(void)from;
	(void)to;
	(void)arrival_ns;
	snprintf(peer->last, sizeof(peer->last), "%.*s", (int)bytes.len, (const char *)bytes.data);
	peer->count++;
}

static void unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	(void)arg;
	(void)to;
	(void)err;
	(void)sent;
}

void peer_open(struct peer *peer, struct world_host *host, const struct addr *at, uint16_t port)
{
	static const struct udp_events events = {take, unreachable};
	struct addr local = *at;

	*peer = (struct peer){.count = 0};
	local.port = port;
	assert_int_equal(world_loop_new(&peer->loop, host), 0);
	assert_int_equal(loop_udp_open(&peer->udp, peer->loop, &local), 0);
	assert_int_equal(udp_start(peer->udp, peer->loop, &events, peer), 0);
}

void peer_close(struct peer *peer)
{
	udp_free(peer->udp);
	world_loop_free(peer->loop);
}

const char *peer_line(const struct peer *peer, const char *name)
{
	static char lines[16][1024];
	static size_t at;
	char *room = lines[at++ % 16];
	char start[64];
	const char *found;

	snprintf(start, sizeof(start), "\r\n%s: ", name);
	found = strstr(peer->last, start);
	room[0] = '\0';
	if (found)
		snprintf(room, sizeof(lines[0]), "%.*s", (int)strcspn(found + 2, "\r"), found + 2);
	return room;
}

void peer_answer(const struct peer *by, const struct peer *to, const char *status,
	const char *headers, const char *body)
{
	bool tagged = strstr(peer_line(to, "To"), ";tag=");
	struct addr near = here;
	char room[PEER_TEXT_SIZE];
	int len;

	near.port = 5060;
	len = snprintf(room, sizeof(room),
		"SIP/2.0 %s\r\n%s\r\n%s\r\n%s%s\r\n%s\r\n%s\r\n"
		"%s%sContent-Length: %zu\r\n\r\n%s",
		status, peer_line(to, "Via"), peer_line(to, "From"), peer_line(to, "To"),
		tagged ? "" : ";tag=t", peer_line(to, "Call-ID"), peer_line(to, "CSeq"), headers,
		strstr(headers, "Contact: ") ? "" : "Contact: <sip:b@192.0.2.3>\r\n", strlen(body),
		body);
	assert_int_equal(udp_send(by->udp, &near, (struct slice){(uint8_t *)room, (size_t)len}), 0);
}
