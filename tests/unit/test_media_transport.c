/* core/media/transport: ports, what is told apart, and whom it believes. */
#include "core/media/transport.h"

#include "core/base/text.h"
#include "core/rtp/packet.h"
#include "tests/unit/sip_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { DATAGRAM = 64 };

struct line {
	struct world world;
	struct loop *loop;
	struct media_transport *transport;
	struct addr local;
	struct world_peer far; /* where the description says the far end is */
	struct world_peer far_rtcp;
	struct world_peer behind; /* the same host, another port: what a NAT makes of it */
	struct world_peer stranger;
	size_t rtp, rtcp;
	uint16_t seq;
};

static void rtp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct line *line = arg;

	(void)bytes;
	(void)arrival_ns;
	line->rtp++;
}

static void rtcp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct line *line = arg;

	(void)bytes;
	(void)arrival_ns;
	line->rtcp++;
}

static const struct media_transport_events events = {rtp_came, rtcp_came};

static int set_up(void **state)
{
	const struct addr rtp = world_addr("192.0.2.2:6000");
	const struct addr rtcp = world_addr("192.0.2.2:6001");
	const struct addr host = world_addr("192.0.2.1:0");
	struct line *line = calloc(1, sizeof(*line));
	struct loop *there, *elsewhere;

	assert_non_null(line);
	world_open(&line->world, 1);
	line->loop = world_host(&line->world, "192.0.2.1");
	there = world_host(&line->world, "192.0.2.2");
	elsewhere = world_host(&line->world, "192.0.2.3");
	world_peer_open(&line->far, there, "192.0.2.2:6000");
	world_peer_open(&line->far_rtcp, there, "192.0.2.2:6001");
	world_peer_open(&line->behind, there, "192.0.2.2:7000");
	world_peer_open(&line->stranger, elsewhere, "192.0.2.3:6000");

	assert_int_equal(media_transport_new(&line->transport, line->loop, &host), 0);
	media_transport_local(&line->local, line->transport);
	media_transport_aim(line->transport, &(struct media_aim){rtp, rtcp, false});
	assert_int_equal(media_transport_start(line->transport, line->loop, &events, line), 0);
	*state = line;
	return 0;
}

static int tear_down(void **state)
{
	struct line *line = *state;

	media_transport_free(line->transport);
	world_peer_close(&line->far);
	world_peer_close(&line->far_rtcp);
	world_peer_close(&line->behind);
	world_peer_close(&line->stranger);
	world_close(&line->world);
	free(line);
	return 0;
}

static void send_to(struct line *line, struct world_peer *from, uint16_t port, struct slice bytes)
{
	struct addr to = line->local;

	to.port = port;
	assert_int_equal(udp_send(from->udp, &to, bytes), 0);
	world_run(&line->world, 10 * NS_PER_MS);
}

/* The next packet of a source. */
static void send_rtp(struct line *line, struct world_peer *from, uint32_t ssrc)
{
	const struct rtp_packet packet = {.seq = line->seq++, .ssrc = ssrc};
	uint8_t room[DATAGRAM];
	struct buf out = {room, 0, sizeof(room)};

	assert_int_equal(rtp_packet_print(&out, &packet), 0);
	send_to(line, from, line->local.port, (struct slice){room, out.len});
}

/* A receiver report without blocks. */
static void send_rtcp(struct line *line, struct world_peer *from, uint16_t port)
{
	static const uint8_t report[] = {0x80, 201, 0, 1, 0, 0, 0, 7};

	send_to(line, from, port, (struct slice){report, sizeof(report)});
}

static void assert_sends_to(struct line *line, struct world_peer *peer)
{
	size_t before = peer->count;

	media_transport_send_rtp(line->transport, (struct slice){(const uint8_t *)"x", 1});
	world_run(&line->world, 10 * NS_PER_MS);
	assert_int_equal(peer->count, before + 1);
}

static void test_ports_are_a_pair(void **state)
{
	struct line *line = *state;

	assert_int_equal(line->local.port % 2, 0);
	send_rtcp(line, &line->far_rtcp, (uint16_t)(line->local.port + 1));
	assert_int_equal(line->rtcp, 1);
}

static void test_described_address_is_believed_at_once(void **state)
{
	struct line *line = *state;

	send_rtp(line, &line->far, 1);
	assert_int_equal(line->rtp, 1);
	assert_sends_to(line, &line->far);

	/* from then on, however many packets come from elsewhere */
	for (int i = 0; i < 10; i++)
		send_rtp(line, &line->behind, 1);
	assert_int_equal(line->rtp, 1);
	assert_sends_to(line, &line->far);
}

/* Two packets are not enough, one out of order does not count, and another source starts anew. */
static void test_follows_only_when_certain(void **state)
{
	struct line *line = *state;

	send_rtp(line, &line->behind, 1);
	send_rtp(line, &line->behind, 1);
	assert_int_equal(line->rtp, 0);
	assert_sends_to(line, &line->far);

	line->seq = 1000;
	send_rtp(line, &line->behind, 1);
	send_rtp(line, &line->behind, 1);
	send_rtp(line, &line->behind, 2);
	send_rtp(line, &line->behind, 2);
	assert_int_equal(line->rtp, 0);

	send_rtp(line, &line->behind, 2);
	assert_int_equal(line->rtp, 1);
	assert_sends_to(line, &line->behind);

	for (int i = 0; i < 10; i++)
		send_rtp(line, &line->stranger, 3);
	assert_int_equal(line->rtp, 1);
	assert_sends_to(line, &line->behind);
}

static void test_two_at_once_convince_nobody(void **state)
{
	struct line *line = *state;

	for (int i = 0; i < 10; i++) {
		send_rtp(line, &line->behind, 1);
		send_rtp(line, &line->stranger, 2);
	}
	assert_int_equal(line->rtp, 0);
	assert_sends_to(line, &line->far);
}

static void test_rtcp(void **state)
{
	struct line *line = *state;
	size_t before;

	send_rtcp(line, &line->stranger, (uint16_t)(line->local.port + 1));
	assert_int_equal(line->rtcp, 0);
	send_rtcp(line, &line->far, line->local.port); /* multiplexed without a word */
	assert_int_equal(line->rtcp, 1);

	before = line->far_rtcp.count;
	media_transport_send_rtcp(line->transport, (struct slice){(const uint8_t *)"x", 1});
	world_run(&line->world, 10 * NS_PER_MS);
	assert_int_equal(line->far_rtcp.count, before + 1);
}

struct seen {
	struct line *line;
	size_t sent, received;
	struct addr remote;
	uint16_t local_port;
	size_t len;
};

static void see(void *arg, bool sent, const struct addr *local, const struct addr *remote,
	struct slice bytes, uint64_t at_ns)
{
	struct seen *seen = arg;

	assert_true(addr_same_host(local, &seen->line->local));
	assert_true(at_ns > 0 && at_ns <= loop_now(seen->line->loop));
	seen->sent += sent;
	seen->received += !sent;
	seen->remote = *remote;
	seen->local_port = local->port;
	seen->len = bytes.len;
}

/* Who looks on sees all that goes over the sockets, from strangers too, and what was not sent not.
 */
static void test_tap(void **state)
{
	struct line *line = *state;
	struct seen seen = {.line = line};
	const struct media_tap tap = {see, &seen};
	const struct addr far_rtcp = world_addr("192.0.2.2:6001");
	const struct addr stranger = world_addr("192.0.2.3:6000");
	const struct media_aim nowhere = {.rtp = world_addr("0.0.0.0:6000")};

	media_transport_tap(line->transport, &tap);
	assert_sends_to(line, &line->far);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(seen.local_port, line->local.port);
	media_transport_send_rtcp(line->transport, (struct slice){(const uint8_t *)"xyz", 3});
	assert_int_equal(seen.sent, 2);
	assert_int_equal(seen.len, 3);
	assert_int_equal(seen.local_port, line->local.port + 1);
	assert_true(addr_equal(&seen.remote, &far_rtcp));

	send_rtp(line, &line->stranger, 1);
	assert_int_equal(seen.received, 1);
	assert_int_equal(line->rtp, 0);
	assert_true(addr_equal(&seen.remote, &stranger));
	assert_int_equal(seen.local_port, line->local.port);
	send_rtcp(line, &line->far_rtcp, (uint16_t)(line->local.port + 1));
	assert_int_equal(seen.received, 2);
	assert_int_equal(seen.local_port, line->local.port + 1);

	media_transport_aim(line->transport, &nowhere);
	media_transport_send_rtp(line->transport, (struct slice){(const uint8_t *)"x", 1});
	assert_int_equal(seen.sent, 2);
	media_transport_tap(line->transport, NULL);
}

/* A far end that moves by a new description: the old one's last packets may be followed, briefly.
 */
static void test_described_address_wins_after_a_change(void **state)
{
	struct line *line = *state;
	const struct media_aim same = {
		world_addr("192.0.2.2:6000"), world_addr("192.0.2.2:6001"), false};
	const struct media_aim moved = {
		world_addr("192.0.2.3:6000"), world_addr("192.0.2.3:6001"), false};

	send_rtp(line, &line->far, 1);
	media_transport_aim(line->transport, &same);
	for (int i = 0; i < 10; i++)
		send_rtp(line, &line->behind, 1);
	assert_int_equal(line->rtp, 1); /* the latch has not opened for the same address */

	media_transport_aim(line->transport, &moved);
	assert_sends_to(line, &line->stranger);
	for (int i = 0; i < 5; i++)
		send_rtp(line, &line->far, 1);
	assert_sends_to(line, &line->far);
	send_rtp(line, &line->stranger, 2);
	assert_sends_to(line, &line->stranger);
	line->rtp = 0;
	for (int i = 0; i < 5; i++)
		send_rtp(line, &line->far, 1);
	assert_int_equal(line->rtp, 0);
	assert_sends_to(line, &line->stranger);
}

static void test_new_ssrc_at_the_same_address(void **state)
{
	struct line *line = *state;

	send_rtp(line, &line->far, 1);
	send_rtp(line, &line->far, 2);
	assert_int_equal(line->rtp, 2);
}

static void assert_rtcp_goes_to(struct line *line, struct world_peer *peer)
{
	size_t before = peer->count;

	media_transport_send_rtcp(line->transport, (struct slice){(const uint8_t *)"x", 1});
	world_run(&line->world, 10 * NS_PER_MS);
	assert_int_equal(peer->count, before + 1);
}

/* A NAT gives RTCP a port that only RTCP shows; garbage and strangers show none. */
static void test_rtcp_behind_nat(void **state)
{
	struct line *line = *state;
	uint16_t port = (uint16_t)(line->local.port + 1);

	send_rtp(line, &line->far, 1);
	send_rtcp(line, &line->stranger, port);
	send_to(line, &line->behind, port, (struct slice){(const uint8_t *)"hello", 5});
	assert_int_equal(line->rtcp, 0);
	assert_rtcp_goes_to(line, &line->far_rtcp);
	send_rtcp(line, &line->behind, port);
	assert_int_equal(line->rtcp, 1);
	assert_rtcp_goes_to(line, &line->behind);
}

/* RFC 3605: RTCP may be described at another host; it is believed from there and from RTP's. */
static void test_rtcp_of_another_host(void **state)
{
	struct line *line = *state;
	uint16_t port = (uint16_t)(line->local.port + 1);
	const struct media_aim apart = {
		world_addr("192.0.2.2:6000"), world_addr("192.0.2.3:6000"), false};

	media_transport_aim(line->transport, &apart);
	assert_rtcp_goes_to(line, &line->stranger);
	send_rtcp(line, &line->stranger, port);
	send_rtcp(line, &line->far_rtcp, port);
	assert_int_equal(line->rtcp, 2);
	assert_sends_to(line, &line->far);          /* RTP is not led astray by any of it */
	assert_rtcp_goes_to(line, &line->stranger); /* nor RTCP, while nobody has been followed */
}

/* Multiplexed, it may come to either port; a stranger's to neither. */
static void test_rtcp_to_either_port(void **state)
{
	struct line *line = *state;

	send_rtcp(line, &line->behind, line->local.port);
	send_rtcp(line, &line->behind, (uint16_t)(line->local.port + 1));
	assert_int_equal(line->rtcp, 2);
	send_rtcp(line, &line->stranger, line->local.port);
	send_rtcp(line, &line->stranger, (uint16_t)(line->local.port + 1));
	assert_int_equal(line->rtcp, 2);
	assert_int_equal(line->rtp, 0);
	assert_sends_to(line, &line->far);
}

/* A description knows no scope: what is on a link is on ours, and is known again by that. */
static void test_link_local(void **state)
{
	static const struct {
		const char *local, *remote;
		uint32_t scope, described, wanted;
	} rows[] = {
		{"[fe80::1%3]:0", "[fe80::2]:6000", 3, 0, 3},
		{"[fe80::1%3]:0", "[febf::2]:6000", 3, 0, 3},
		{"[fe80::1%3]:0", "[fe80::2]:6000", 3, 2, 2},
		{"[fe80::1%3]:0", "[fec0::2]:6000", 3, 0, 0},
		{"[fe80::1%3]:0", "[fe00::2]:6000", 3, 0, 0},
		{"[fe80::1%3]:0", "[2001:db8::2]:6000", 3, 0, 0},
	};
	struct line *line = *state;
	struct loop *link = world_host(&line->world, "fe80::1%3");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr host = world_addr(rows[i].local);
		struct media_aim aim = {.rtp = world_addr(rows[i].remote)};
		struct media_transport *transport;

		host.scope = rows[i].scope;
		aim.rtp.scope = rows[i].described;
		aim.rtcp = aim.rtp;
		assert_int_equal(media_transport_new(&transport, link, &host), 0);
		media_transport_aim(transport, &aim);
		if (media_transport_remote(transport)->scope != rows[i].wanted)
			fail_msg(
				"%s: %u", rows[i].remote, media_transport_remote(transport)->scope);
		media_transport_free(transport);
	}
}

static void test_rtcp_mux(void **state)
{
	struct line *line = *state;
	const struct media_aim mux = {
		world_addr("192.0.2.2:6000"), world_addr("192.0.2.2:6001"), true};

	media_transport_aim(line->transport, &mux);
	assert_rtcp_goes_to(line, &line->far);
	assert_true(line->far.from.port == line->local.port);
}

/* 0.0.0.0 asks for silence in the way of old phones. */
static void test_nothing_goes_to_any(void **state)
{
	struct line *line = *state;
	const struct media_aim any = {
		world_addr("0.0.0.0:6000"), world_addr("0.0.0.0:6001"), false};

	media_transport_aim(line->transport, &any);
	assert_int_equal(media_transport_remote(line->transport)->family, ADDR_NONE);
}

static void test_trouble_is_remembered(void **state)
{
	struct line *line = *state;
	const struct media_aim closed = {
		world_addr("192.0.2.2:6999"), world_addr("192.0.2.2:6001"), false};
	struct addr at;

	assert_int_equal(media_transport_trouble(&at, line->transport), 0);
	media_transport_aim(line->transport, &closed);
	media_transport_send_rtp(line->transport, (struct slice){(const uint8_t *)"x", 1});
	world_run(&line->world, 10 * NS_PER_MS);
	assert_int_equal(media_transport_trouble(&at, line->transport), -ECONNREFUSED);
	assert_int_equal(at.port, 6999);
	send_rtcp(line, &line->far_rtcp, (uint16_t)(line->local.port + 1));
	assert_int_equal(media_transport_trouble(&at, line->transport), 0);
}

static void test_what_is_no_rtp(void **state)
{
	struct line *line = *state;

	for (int i = 0; i < 10; i++)
		send_to(line, &line->far, line->local.port,
			(struct slice){(const uint8_t *)"hello", 5});
	assert_int_equal(line->rtp + line->rtcp, 0);
}

/* A NAT that forgets gives another port: the stream is followed there, and nobody else is. */
static void test_a_mapping_changes(void **state)
{
	struct line *line = *state;
	size_t before;

	for (unsigned i = 0; i < 3; i++)
		send_rtp(line, &line->behind, 5);
	assert_sends_to(line, &line->behind);
	before = line->rtp;

	for (unsigned i = 0; i < 10; i++) /* while it goes on where it was, it is nowhere else */
		send_rtp(line, &line->stranger, 5);
	assert_int_equal(line->rtp, before);
	send_rtp(line, &line->behind, 5);
	assert_int_equal(line->rtp, before + 1);

	world_run(&line->world, 2 * NS_PER_S);
	for (unsigned i = 0; i < 10; i++) /* another source: whoever it is */
		send_rtp(line, &line->stranger, 6);
	line->seq = (uint16_t)(line->seq + 5000);
	for (unsigned i = 0; i < 10; i++) /* and one that does not know where it was */
		send_rtp(line, &line->stranger, 5);
	assert_int_equal(line->rtp, before + 1);
	assert_sends_to(line, &line->behind);

	line->seq = (uint16_t)(line->seq - 5000);
	send_rtp(line, &line->stranger, 5);
	send_rtp(line, &line->stranger, 5);
	assert_int_equal(line->rtp, before + 1); /* three of them */
	send_rtp(line, &line->stranger, 5);
	assert_int_equal(line->rtp, before + 2);
	assert_sends_to(line, &line->stranger);
	send_rtp(line, &line->far, 9); /* the described address still wins at once */
	assert_sends_to(line, &line->far);
}

/* The same of who was heard from where it was described. */
static void test_a_mapping_changes_that_was_described(void **state)
{
	struct line *line = *state;

	send_rtp(line, &line->far, 5);
	world_run(&line->world, 2 * NS_PER_S);
	for (unsigned i = 0; i < 3; i++)
		send_rtp(line, &line->behind, 5);
	assert_int_equal(line->rtp, 2);
	assert_sends_to(line, &line->behind);
}

/* RFC 6263: only while nothing else goes, and to where RTP goes by then. */
static void test_keep_alive(void **state)
{
	struct line *line = *state;
	const struct addr rtcp = world_addr("192.0.2.2:6001");
	struct media_aim aim = {world_addr("192.0.2.2:6000"), rtcp, false};

	world_run(&line->world, NS_PER_S);
	assert_int_equal(line->far.count, 1); /* it opens the way, as nothing else has */
	assert_int_equal(line->far.last[0], '\0');
	world_run(&line->world, 14 * NS_PER_S);
	assert_int_equal(line->far.count, 1);
	world_run(&line->world, NS_PER_S);
	assert_int_equal(line->far.count, 2);
	assert_int_equal(line->far_rtcp.count, 0);

	assert_sends_to(line, &line->far); /* RTP: it is put off by that */
	world_run(&line->world, 14 * NS_PER_S);
	assert_int_equal(line->far.count, 3);
	world_run(&line->world, 2 * NS_PER_S);
	assert_int_equal(line->far.count, 4);

	for (uint16_t i = 0; i < 3; i++) /* by now it comes from behind a NAT */
		send_rtp(line, &line->behind, 5);
	world_run(&line->world, 16 * NS_PER_S);
	assert_int_equal(line->behind.count, 1);

	aim.rtp = world_addr("192.0.2.3:6000"); /* elsewhere: soon */
	media_transport_aim(line->transport, &aim);
	world_run(&line->world, NS_PER_S);
	assert_int_equal(line->stranger.count, 1);
	aim.rtp = world_addr("0.0.0.0:6000");
	media_transport_aim(line->transport, &aim);
	world_run(&line->world, 60 * NS_PER_S);
	assert_int_equal(line->stranger.count, 1);
}

/* Reports on the same port are as good. */
static void test_keep_alive_by_reports(void **state)
{
	struct line *line = *state;
	const struct addr far = world_addr("192.0.2.2:6000");
	size_t before;

	media_transport_aim(line->transport, &(struct media_aim){far, far, true});
	world_run(&line->world, NS_PER_S);
	before = line->far.count;
	for (unsigned i = 0; i < 10; i++) {
		media_transport_send_rtcp(line->transport, slice_of("report"));
		world_run(&line->world, 10 * NS_PER_S);
	}
	assert_int_equal(line->far.count, before + 10);
}

/* What comes to us so is nobody's sound. */
static void test_an_empty_datagram_is_nothing(void **state)
{
	struct line *line = *state;

	for (unsigned i = 0; i < 5; i++)
		send_to(line, &line->behind, line->local.port, slice_of(""));
	assert_int_equal(line->rtp + line->rtcp, 0);
	assert_sends_to(line, &line->far); /* and it leads nowhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports_are_a_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_described_address_is_believed_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follows_only_when_certain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_two_at_once_convince_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_described_address_wins_after_a_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_new_ssrc_at_the_same_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rtcp_behind_nat, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rtcp_of_another_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rtcp_to_either_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_link_local, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_mapping_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_mapping_changes_that_was_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keep_alive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keep_alive_by_reports, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_empty_datagram_is_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rtcp_mux, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_goes_to_any, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_trouble_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rtcp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_rtp, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("media/transport", tests, NULL, NULL);
}
