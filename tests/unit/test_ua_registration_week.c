/*
 * A virtual week of a registration: the registrar is away for minutes or hours, the network loses,
 * the phone gets other addresses, the nonces grow old. Whenever all was well for as long as the
 * back-off may take, the registrar knows the phone where it is; at the end nothing is left.
 *
 * And one behind a NAT, which forgets who is silent for half a minute, is switched off and on, and
 * gets other addresses. Then what the registrar sends has to arrive, a keep-alive after each of
 * that.
 */
#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/sip/print.h"
#include "core/sip/request.h"
#include "core/sip/server.h"
#include "core/sip/stack.h"
#include "core/ua/config.h"
#include "core/ua/registration.h"
#include "tests/unit/nat_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	SEEDS = 4,
	EXPIRES_S = 600,
	NONCE_S = 1000,
	STEP_S = 30,
	WEEK_S = 7 * 24 * 3600,
	/* The longest pause (RFC 5626, section 4.5), a REGISTER that nobody answers, a step, or the
	 * refresh that finds out that we have moved. */
	BOUND_S = 1800 + 32 + STEP_S + 5,
	/* Once registered: a keep-alive (RFC 5626, section 4.4.2) that shows the new address, lost
	 * once or not, and a REGISTER, with its Contact rewritten. */
	NAT_BOUND_S = 29 + STEP_S + 5,
	NAT_IDLE_S = 35,
	PROBE_MS = 2000,
};

struct week {
	struct world *world;
	struct world_host *near, *far; /* the phone's, the registrar's */
	struct loop *near_loop, *far_loop;
	struct sip_stack *phone, *registrar;
	struct secret *password;
	struct sip_auth *auth;
	struct registration *registration;
	struct ua_account account;
	struct addr at; /* the phone's address */

	/* What the registrar knows. */
	char contact[128];
	uint64_t until_ns;
	size_t refused, taken;

	bool natted;
	bool outbound; /* the registrar grants that; else the phone does what it can */
	struct nat_relay nat;
	uint64_t new_nat_ns; /* since when the NAT is as it is */
	uint64_t reached_ns; /* when the phone last got one */
	size_t reached;

	uint64_t up_ns;   /* when the registrar comes back; 0: it is there */
	uint64_t well_ns; /* since when nothing has been wrong */
	bool lossy;
	size_t outages, moves;
	bool gone;
};

/* A nonce is good for a while; an old one is stale. */
static void put_nonce(struct text *out, const struct week *week)
{
	text_printf(
		out, "n%llu", (unsigned long long)(world_now(week->world) / (NONCE_S * NS_PER_S)));
}

static bool is_answered(const struct week *week, const struct sip_msg *msg)
{
	const struct slice *header = sip_msg_header_named(msg, "Authorization");
	char room[64];
	struct text nonce = TEXT_IN(room);

	text_puts(&nonce, "nonce=\"");
	put_nonce(&nonce, week);
	text_putc(&nonce, '"');
	return header && memmem(header->data, header->len, room, nonce.len);
}

static void refuse(struct week *week, struct sip_server *server, const struct sip_msg *msg)
{
	char room[256];
	struct text lines = TEXT_IN(room);

	week->refused++;
	text_puts(&lines, "WWW-Authenticate: Digest realm=\"r\",qop=\"auth\",nonce=\"");
	put_nonce(&lines, week);
	text_printf(&lines, "\"%s\r\n",
		sip_msg_header_named(msg, "Authorization") ? ",stale=true" : "");
	sip_server_respond(
		server, &(struct sip_response){.status = 401, .headers = text_slice(&lines)});
}

static void take(struct week *week, struct sip_server *server, const struct sip_msg *msg)
{
	const struct slice *contact = sip_msg_header(msg, SIP_CONTACT);
	uint64_t seconds = 0;
	char room[256];
	struct text kept = TEXT_IN(week->contact), lines = TEXT_IN(room);

	week->taken++;
	assert_int_equal(slice_number(&seconds, *sip_msg_header(msg, SIP_EXPIRES), UINT32_MAX), 0);
	text_put(&kept, (struct slice){contact->data, slice_find(*contact, '>') + 1});
	week->until_ns = world_now(week->world) + seconds * NS_PER_S;
	sip_print_header_text(
		&lines, SIP_CONTACT, "%s;expires=%u", week->contact, (unsigned)seconds);
	if (week->outbound)
		sip_print_header_text(&lines, SIP_REQUIRE, "outbound");
	sip_server_respond(
		server, &(struct sip_response){.status = 200, .headers = text_slice(&lines)});
}

static void request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	struct week *week = arg;

	if (msg->method == SIP_OPTIONS) {
		week->reached_ns = world_now(week->world);
		sip_server_respond(server, &(struct sip_response){.status = 200});
		return;
	}
	if (is_answered(week, msg))
		take(week, server, msg);
	else
		refuse(week, server, msg);
}

static void need(void *arg, enum sip_transport_kind kind)
{
	(void)arg;
	(void)kind;
}

static void told(void *arg, const struct registration_news *news)
{
	struct week *week = arg;

	week->gone |= news->kind == REGISTRATION_GONE;
	/* 7 s less than half an hour is the least of what may follow the longest row of failures */
	assert_true(news->retry_s <= 1800);
}

static struct addr address(unsigned last)
{
	return (struct addr){.family = ADDR_IPV4, .ip = {192, 0, 2, (uint8_t)last}};
}

static void open_stack(struct sip_stack **out, struct week *week, struct loop *loop)
{
	static const struct sip_stack_events events = {.request = request};
	const struct sip_stack_config config = {
		.loop = loop,
		.user_agent = "test",
		.allow = "REGISTER, OPTIONS",
		.accept = "application/sdp",
		.events = &events,
		.arg = week,
	};
	const struct addr any = {.family = ADDR_IPV4, .port = 5060};

	assert_int_equal(sip_stack_new(out, &config), 0);
	assert_int_equal(sip_stack_listen(NULL, *out, SIP_UDP, &any), 0);
}

static void open_nat(struct week *week, struct ua_account *account)
{
	const struct addr inside = address(1), outside = address(3), server = address(2);

	nat_relay_open(&week->nat, week->world, &inside, &outside, &server, NAT_IDLE_S * NS_PER_S);
	week->new_nat_ns = world_now(week->world);
	account->registrar = "sip:192.0.2.1";
}

static void open_week(struct week *week, uint64_t seed, bool natted)
{
	const struct world_config config = {
		.seed = seed,
		.start_ns = NS_PER_S,
		.timer_late_ns = NS_PER_MS,
		.way_ns = 20 * NS_PER_MS,
	};
	struct sip_auth_config auth = {.user = slice_of("alice"), .allow_md5 = true};
	struct registration_config registration = {
		.account = &week->account, .need = need, .told = told, .arg = week};
	struct addr far = address(2);

	*week = (struct week){.at = address(10), .natted = natted, .outbound = seed % 2 == 0};
	week->account = (struct ua_account){.aor = "sip:alice@sip.test",
		.user = "alice",
		.registrar = "sip:192.0.2.2",
		.expires_s = EXPIRES_S,
		.instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"};
	assert_int_equal(world_new(&week->world, &config), 0);
	assert_int_equal(world_host_new(&week->near, week->world, &week->at), 0);
	assert_int_equal(world_host_new(&week->far, week->world, &far), 0);
	assert_int_equal(world_loop_new(&week->near_loop, week->near), 0);
	assert_int_equal(world_loop_new(&week->far_loop, week->far), 0);
	if (natted)
		open_nat(week, &week->account);
	open_stack(&week->phone, week, week->near_loop);
	open_stack(&week->registrar, week, week->far_loop);
	assert_int_equal(secret_new(&week->password, slice_of("secret")), 0);
	auth.loop = week->near_loop;
	auth.password = week->password;
	assert_int_equal(sip_auth_new(&week->auth, &auth), 0);
	registration.loop = week->near_loop;
	registration.stack = week->phone;
	registration.auth = week->auth;
	assert_int_equal(registration_new(&week->registration, &registration), 0);
	registration_start(week->registration);
	week->well_ns = world_now(week->world);
}

static void close_week(struct week *week)
{
	struct world_left left;

	registration_stop(week->registration);
	world_run(week->world, world_now(week->world) + 3 * NS_PER_S);
	assert_true(week->gone && registration_is_off(week->registration));
	world_run(week->world, world_now(week->world) + 70 * NS_PER_S);
	world_left(&left, week->world);
	assert_int_equal(left.timers, week->natted ? 1 : 0); /* the NAT's own */
	registration_free(week->registration);
	if (week->natted)
		nat_relay_close(&week->nat);
	sip_stack_free(week->phone);
	sip_stack_free(week->registrar);
	sip_auth_free(week->auth);
	secret_free(week->password);
	world_loop_free(week->near_loop);
	world_loop_free(week->far_loop);
	world_left(&left, week->world);
	assert_int_equal(left.loops + left.sockets + left.timers + left.posts, 0);
	world_free(week->world);
}

static bool one_in(struct week *week, uint32_t count)
{
	return world_random_below(week->world, count) == 0;
}

/* The NAT is another one, though nobody has said so. */
static void disturb_nat(struct week *week)
{
	const struct addr other = address(3 + world_random_below(week->world, 5));

	week->nat.deaf = week->up_ns > 0;
	if (one_in(week, 100)) {
		nat_relay_forget(&week->nat);
	} else if (one_in(week, 200)) {
		nat_relay_move(&week->nat, &other);
	} else {
		return;
	}
	week->new_nat_ns = world_now(week->world);
}

/* What happens now, if anything. */
static void disturb(struct week *week)
{
	uint64_t now = world_now(week->world);
	struct impair_config net = {0};

	if (week->up_ns > 0 && now >= week->up_ns) {
		world_host_up(week->far);
		week->up_ns = 0;
		week->well_ns = now;
	} else if (week->up_ns == 0 && one_in(week, 400)) {
		uint64_t minutes = one_in(week, 5) ? 300 : 5;

		world_host_down(week->far);
		week->up_ns = now + minutes * 60 * NS_PER_S;
		week->outages++;
	}
	if (one_in(week, week->lossy ? 20 : 300)) {
		week->lossy = !week->lossy;
		net.loss = week->lossy ? 300000 : 0; /* millionths */
		world_impair(week->world, &net);
		week->well_ns = now;
	}
	if (one_in(week, 500)) {
		week->at = address(10 + world_random_below(week->world, 200));
		world_host_move(week->near, &week->at);
		week->well_ns = now;
		week->moves++;
	}
}

static void send_probe(struct week *week)
{
	const struct sip_request_config config = {.method = SIP_OPTIONS,
		.uri = {(const uint8_t *)week->contact + 1, strlen(week->contact) - 2},
		.cseq = (uint32_t)week->reached + 1,
		.headers = slice_of("From: <sip:r@sip.test>;tag=r\r\nTo: <sip:alice@sip.test>\r\n"
				    "Call-ID: probe\r\n")};

	(void)sip_request_send(NULL, week->registrar, &config, NULL, NULL);
}

/* Behind the NAT it is not what is known that counts, but whether it leads to the phone. */
static void check_reached(struct week *week, uint64_t seed)
{
	uint64_t now = world_now(week->world);
	/* who gets no answer to what he sends finds out by the next REGISTER */
	uint64_t bound_s = week->outbound ? NAT_BOUND_S : EXPIRES_S;

	if (week->up_ns > 0 || week->lossy || now - week->well_ns < BOUND_S * NS_PER_S ||
		now - week->new_nat_ns < bound_s * NS_PER_S)
		return;
	if (week->until_ns < now)
		fail_msg("seed %u: not registered", (unsigned)seed);
	send_probe(week);
	world_run(week->world, now + PROBE_MS * NS_PER_MS);
	if (week->reached_ns < now)
		fail_msg("seed %u: %s is not reached at %u s, the NAT being so for %u s, port %u",
			(unsigned)seed, week->contact, (unsigned)(now / NS_PER_S),
			(unsigned)((now - week->new_nat_ns) / NS_PER_S), week->nat.seen.port);
	week->reached++;
}

static void check(const struct week *week, uint64_t seed)
{
	uint64_t now = world_now(week->world);
	char host[ADDR_TEXT_SIZE], expected[128];
	struct text text = TEXT_IN(expected);

	if (week->up_ns > 0 || week->lossy || now - week->well_ns < BOUND_S * NS_PER_S)
		return;

	text_printf(&text, "<sip:alice@%s:5060>", addr_print_host(host, &week->at));
	if (week->until_ns < now)
		fail_msg("seed %u: not registered, %u s after all was well", (unsigned)seed,
			(unsigned)((now - week->well_ns) / NS_PER_S));
	if (strcmp(week->contact, expected) != 0)
		fail_msg("seed %u: registered as %s, not %s", (unsigned)seed, week->contact,
			expected);
}

static void test_week(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct week week;

		open_week(&week, seed, false);
		for (unsigned s = 0; s < WEEK_S; s += STEP_S) {
			world_run(week.world, world_now(week.world) + STEP_S * NS_PER_S);
			disturb(&week);
			check(&week, seed);
		}
		assert_true(week.outages > 10 && week.moves > 10 && week.taken > 500);
		/* a stale nonce costs one more, not one each time */
		assert_true(week.refused < WEEK_S / NONCE_S + 10 * (week.outages + week.moves));
		if (week.up_ns > 0)
			world_host_up(week.far);
		world_impair(week.world, &(struct impair_config){0});
		close_week(&week);
	}
}

static void test_week_behind_nat(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct week week;

		open_week(&week, seed, true);
		for (unsigned s = 0; s < WEEK_S; s += STEP_S) {
			world_run(week.world, world_now(week.world) + STEP_S * NS_PER_S);
			disturb(&week);
			disturb_nat(&week);
			check_reached(&week, seed);
		}
		assert_true(week.outages > 10 && week.moves > 10 && week.reached > 1000);
		assert_true(week.nat.forgotten > 100);
		if (week.up_ns > 0)
			world_host_up(week.far);
		world_impair(week.world, &(struct impair_config){0});
		close_week(&week);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_week),
		cmocka_unit_test(test_week_behind_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
