#include "tests/unit/sim_station.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static void take(struct station *station, const struct addr *from, struct slice bytes)
{
	assert_true(bytes.len < STATION_TEXT_SIZE);
	memset(station->bytes, 0, sizeof(station->bytes));
	if (bytes.len > 0)
		memcpy(station->bytes, bytes.data, bytes.len);
	station->from = *from;
	if (station->frees_itself) {
		udp_free(station->udp);
		station->udp = NULL;
	}
}

static void station_datagram(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct station *station = arg;

	assert_true(arrival_ns <= loop_now(station->loop));
	station->arrival_ns = arrival_ns;
	station->count++;
	station->to = *to;
	take(station, from, bytes);
}

static void station_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct station *station = arg;

	station->err = err;
	station->errors++;
	take(station, to, sent);
}

static const struct udp_events station_events = {station_datagram, station_unreachable};

struct addr station_at(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse_port(&addr, slice_of(text)), 0);
	return addr;
}

int station_try_bind(struct udp **out, struct loop *loop, const char *local)
{
	struct addr addr = station_at(local);

	return loop_udp_open(out, loop, &addr);
}

void station_start(struct station *station)
{
	assert_int_equal(udp_start(station->udp, station->loop, &station_events, station), 0);
}

void station_open(struct station *station, struct play *play, size_t host, const char *local)
{
	*station = (struct station){.play = play, .loop = play->loops[host][0]};
	assert_int_equal(station_try_bind(&station->udp, station->loop, local), 0);
	station_start(station);
}

int station_send(const struct station *station, const char *to, const char *text)
{
	struct addr addr = station_at(to);

	return udp_send(station->udp, &addr, slice_of(text));
}

void station_assert_addr(const struct addr *addr, const char *expected)
{
	char text[ADDR_TEXT_SIZE];

	assert_string_equal(addr_print_port(text, addr), expected);
}

void told_tap(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct told *told = arg;

	assert_true(now_ns >= PLAY_START_NS && from->port != 0 && to->port != 0);
	told->of[what]++;
	told->bytes += bytes.len;
}

void told_assert(struct told *told, size_t sent, size_t arrived, size_t lost, size_t unwanted)
{
	assert_int_equal(told->of[WORLD_SENT], sent);
	assert_int_equal(told->of[WORLD_ARRIVED], arrived);
	assert_int_equal(told->of[WORLD_LOST], lost);
	assert_int_equal(told->of[WORLD_UNWANTED], unwanted);
	*told = (struct told){0};
}
