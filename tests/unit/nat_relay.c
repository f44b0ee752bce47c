#include "tests/unit/nat_relay.h"

#include "core/base/bytes.h"
#include "core/nat/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { SIP = 5060, FIRST_PORT = 20000, LAST_PORT = 60000 };

static void from_server(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct nat_relay *nat = arg;

	(void)to;
	(void)arrival_ns;
	if (addr_equal(from, &nat->server)) /* it lets in whom the phone has talked to */
		(void)udp_send(nat->inside, &nat->phone, bytes);
}

static void ignore(void *arg, const struct addr *to, int err, struct slice sent)
{
	(void)arg;
	(void)to;
	(void)err;
	(void)sent;
}

static struct udp *open_port(
	struct nat_relay *nat, struct loop *loop, uint16_t port, const struct udp_events *events)
{
	const struct addr any = {.family = ADDR_IPV4, .port = port};
	struct udp *udp;

	assert_int_equal(loop_udp_open(&udp, loop, &any), 0);
	assert_int_equal(udp_start(udp, loop, events, nat), 0);
	return udp;
}

static void remember(struct nat_relay *nat)
{
	static const struct udp_events events = {.datagram = from_server, .unreachable = ignore};

	if (nat->outside)
		return;
	nat->port = nat->port == LAST_PORT ? FIRST_PORT : nat->port + 1;
	nat->outside = open_port(nat, nat->outside_loop, nat->port, &events);
	nat->seen.family = ADDR_IPV4;
	nat->seen.port = nat->port;
}

static void answer_stun(struct nat_relay *nat, const struct stun_msg *asked)
{
	uint8_t room[32] = {1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42};

	memcpy(room + 8, &asked->id, sizeof(asked->id));
	memcpy(room + 20, "\0\x20\0\x8\0\1", 6);
	be16_put(room + 26, nat->seen.port ^ 0x2112);
	for (size_t i = 0; i < 4; i++)
		room[28 + i] = nat->seen.ip[i] ^ room[4 + i];
	(void)udp_send(nat->inside, &nat->phone, (struct slice){room, sizeof(room)});
}

static void from_phone(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct nat_relay *nat = arg;
	struct stun_msg stun;

	(void)to;
	(void)arrival_ns;
	nat->phone = *from;
	nat->used_ns = loop_now(nat->inside_loop);
	remember(nat);
	if (stun_parse(&stun, bytes))
		(void)udp_send(nat->outside, &nat->server, bytes);
	else if (!nat->deaf)
		answer_stun(nat, &stun);
}

void nat_relay_forget(struct nat_relay *nat)
{
	if (!nat->outside)
		return;
	udp_free(nat->outside);
	nat->outside = NULL;
	nat->seen.family = ADDR_NONE;
	nat->forgotten++;
}

static void sweep(void *arg)
{
	struct nat_relay *nat = arg;

	if (loop_now(nat->inside_loop) >= nat->used_ns + nat->idle_ns)
		nat_relay_forget(nat);
	timer_start_in(&nat->sweep, NS_PER_S);
}

void nat_relay_move(struct nat_relay *nat, const struct addr *outside)
{
	nat_relay_forget(nat);
	world_host_move(nat->outside_host, outside);
	memcpy(nat->seen.ip, outside->ip, sizeof(nat->seen.ip));
}

void nat_relay_open(struct nat_relay *nat, struct world *world, const struct addr *inside,
	const struct addr *outside, const struct addr *server, uint64_t idle_ns)
{
	static const struct udp_events events = {.datagram = from_phone, .unreachable = ignore};

	*nat = (struct nat_relay){.server = *server, .port = FIRST_PORT, .idle_ns = idle_ns};
	nat->server.port = SIP;
	memcpy(nat->seen.ip, outside->ip, sizeof(nat->seen.ip));
	assert_int_equal(world_host_new(&nat->inside_host, world, inside), 0);
	assert_int_equal(world_host_new(&nat->outside_host, world, outside), 0);
	assert_int_equal(world_loop_new(&nat->inside_loop, nat->inside_host), 0);
	assert_int_equal(world_loop_new(&nat->outside_loop, nat->outside_host), 0);
	nat->inside = open_port(nat, nat->inside_loop, SIP, &events);
	timer_init(&nat->sweep, nat->inside_loop, sweep, nat);
	timer_start_in(&nat->sweep, NS_PER_S);
}

void nat_relay_close(struct nat_relay *nat)
{
	timer_stop(&nat->sweep);
	nat_relay_forget(nat);
	udp_free(nat->inside);
	world_loop_free(nat->inside_loop);
	world_loop_free(nat->outside_loop);
}
