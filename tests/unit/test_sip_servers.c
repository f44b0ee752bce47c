/* core/sip/locate, lookup, srv, avoid: RFC 3263 with a whole name service, in virtual time. */
#include "core/base/text.h"
#include "core/sip/avoid.h"
#include "core/sip/locate.h"
#include "core/sip/lookup.h"
#include "core/sip/srv.h"
#include "core/sip/transport.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* In the order in which the name service tells them. host: of DNS_HOST its address, else a name. */
static const struct zone_row {
	const char *name;
	enum dns_type type;
	uint16_t priority, weight, port;
	const char *flags, *service;
	const char *host;
} zone[] = {
	{"plain.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.2"},
	{"h2.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.2"},
	{"h3.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.3"},
	{"h4.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.4"},
	{"h23.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.2"},
	{"h23.test", DNS_HOST, 0, 0, 0, "", "", "2001:db8::2"}, /* we listen on IPv4 only */
	{"h23.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.3"},
	{"six.test", DNS_HOST, 0, 0, 0, "", "", "2001:db8::2"},

	{"srv.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.9"},
	{"_sip._udp.srv.test", DNS_SRV, 20, 0, 7061, "", "", "h3.test"},
	{"_sip._udp.srv.test", DNS_SRV, 10, 0, 7060, "", "", "H2.test"},
	{"_sip._tcp.srv.test", DNS_SRV, 5, 0, 7062, "", "", "h23.test"},
	{"_sip._tcp.tcp.test", DNS_SRV, 0, 0, 7062, "", "", "h2.test"},

	{"naptr.test", DNS_NAPTR, 30, 50, 0, "s", "SIP+D2U", "_sip._udp.srv.test"},
	{"naptr.test", DNS_NAPTR, 20, 50, 0, "S", "sip+d2t", "servers.naptr.test"},
	{"naptr.test", DNS_NAPTR, 10, 50, 0, "s", "SIP+D2S", "_sip._sctp.naptr.test"},
	{"servers.naptr.test", DNS_SRV, 0, 0, 7000, "", "", "h4.test"},
	{"_sip._udp.naptr.test", DNS_SRV, 0, 0, 1, "", "", "h3.test"},

	{"safe.test", DNS_NAPTR, 20, 50, 0, "s", "SIP+D2U", "_sip._udp.srv.test"},
	{"safe.test", DNS_NAPTR, 10, 50, 0, "s", "SIPS+D2T", "servers.safe.test"},
	{"servers.safe.test", DNS_SRV, 0, 0, 7003, "", "", "h3.test"},
	{"_sips._tcp.safe.test", DNS_SRV, 0, 0, 7004, "", "", "h4.test"},
	{"_sips._tcp.tls.test", DNS_SRV, 0, 0, 7005, "", "", "h2.test"},
	{"tls.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.9"},

	{"web.test", DNS_NAPTR, 10, 50, 0, "s", "SIPS+D2W", "_sips._ws.web.test"},
	{"web.test", DNS_NAPTR, 20, 50, 0, "s", "SIP+D2W", "_sip._ws.web.test"},
	{"_sips._ws.web.test", DNS_SRV, 0, 0, 7006, "", "", "h2.test"},
	{"_sip._ws.web.test", DNS_SRV, 0, 0, 7007, "", "", "h3.test"},
	{"plain-web.test", DNS_NAPTR, 10, 50, 0, "s", "SIP+D2W", "_sip._ws.web.test"},
	{"plain-web.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.9"},

	{"equal.test", DNS_NAPTR, 10, 2, 0, "s", "SIP+D2U", "_sip._udp.srv.test"},
	{"equal.test", DNS_NAPTR, 10, 1, 0, "s", "SIP+D2T", "_sip._tcp.tcp.test"},

	{"other.test", DNS_NAPTR, 10, 1, 0, "u", "E2U+sip", "_sip._udp.srv.test"},
	{"other.test", DNS_NAPTR, 10, 1, 0, "u", "SIP+D2U", "_sip._udp.srv.test"},
	{"other.test", DNS_NAPTR, 10, 1, 0, "s", "SIP+D2U", ""},
	{"other.test", DNS_NAPTR, 10, 1, 0, "s", "SIP+D2S", "_sip._sctp.srv.test"},
	{"_sip._tcp.other.test", DNS_SRV, 0, 0, 7062, "", "", "h2.test"},

	{"empty.test", DNS_NAPTR, 10, 1, 0, "s", "SIP+D2T", "_sip._tcp.empty.test"},
	{"empty.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.2"},

	{"none.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.2"},
	{"_sip._udp.none.test", DNS_SRV, 0, 0, 0, "", "", ""},
	{"_sip._udp.nothing.test", DNS_SRV, 0, 0, 0, "", "", ""},
	{"_sip._udp.nothing.test", DNS_SRV, 1, 0, 5060, "", "", ""},
	{"half.test", DNS_HOST, 0, 0, 0, "", "", "192.0.2.9"},
	{"_sip._udp.half.test", DNS_SRV, 0, 0, 0, "", "", ""},
	{"_sip._tcp.half.test", DNS_SRV, 0, 0, 7062, "", "", "h2.test"},

	{"_sip._udp.lost.test", DNS_SRV, 0, 0, 7000, "", "", "gone.test"},
	{"_sip._udp.lost.test", DNS_SRV, 1, 0, 7000, "", "", "h3.test"},
	{"_sip._udp.all-lost.test", DNS_SRV, 0, 0, 7000, "", "", "gone.test"},

	{"_sip._udp.twice.test", DNS_SRV, 0, 0, 7000, "", "", "h23.test"},
	{"_sip._udp.twice.test", DNS_SRV, 1, 0, 7001, "", "", "H23.test"},

	{"_sip._udp.first.test", DNS_SRV, 0, 0, 5060, "", "", "h4.test"},
	{"_sip._udp.first.test", DNS_SRV, 1, 0, 5060, "", "", "h2.test"},
	{"_sip._tcp.stream.test", DNS_SRV, 0, 0, 5060, "", "", "h4.test"},
	{"_sip._tcp.stream.test", DNS_SRV, 1, 0, 5060, "", "", "h2.test"},

	{"_sip._udp.weights.test", DNS_SRV, 0, 10, 1, "", "", "h2.test"},
	{"_sip._udp.weights.test", DNS_SRV, 0, 30, 2, "", "", "h2.test"},
	{"_sip._udp.weights.test", DNS_SRV, 0, 60, 3, "", "", "h2.test"},
	{"_sip._udp.weights.test", DNS_SRV, 0, 0, 4, "", "", "h2.test"},
	{"_sip._udp.weights.test", DNS_SRV, 1, 65535, 5, "", "", "h2.test"},
};

static const struct row {
	const char *uri, *flows; /* or words, after "error " */
} rows[] = {
	{"sip:b@plain.test", "udp 192.0.2.2:5060"},
	{"sip:b@PLAIN.test", "udp 192.0.2.2:5060"},
	{"sip:b@plain.test;transport=tcp", "tcp 192.0.2.2:5060"},
	{"sip:b@h23.test", "udp 192.0.2.2:5060, udp 192.0.2.3:5060"},
	{"sip:b@six.test", "error 2001:db8::2 is reached by IPv6"},
	{"sip:b@gone.test", "error there is no host gone.test"},

	/* section 4.2: a port means no SRV, a transport its own SRV */
	{"sip:b@srv.test", "udp 192.0.2.2:7060, udp 192.0.2.3:7061, tcp 192.0.2.2:7062, "
			   "tcp 192.0.2.3:7062"},
	{"sip:b@srv.test;transport=udp", "udp 192.0.2.2:7060, udp 192.0.2.3:7061"},
	{"sip:b@srv.test;transport=TCP", "tcp 192.0.2.2:7062, tcp 192.0.2.3:7062"},
	{"sip:b@srv.test:5060", "udp 192.0.2.9:5060"},
	{"sip:b@srv.test:5070;transport=tcp", "tcp 192.0.2.9:5070"},
	{"sip:b@tcp.test", "tcp 192.0.2.2:7062"},
	{"sip:b@tcp.test;transport=udp", "error there is no host tcp.test"},
	{"sip:b@192.0.2.7;maddr=tcp.test", "tcp 192.0.2.2:7062"},

	/* sips: is TLS, and without NAPTR nothing else is */
	{"sips:b@tls.test", "tls 192.0.2.2:7005"},
	{"sip:b@tls.test", "udp 192.0.2.9:5060"},
	{"sips:b@srv.test", "tls 192.0.2.9:5061"},
	{"sips:b@srv.test:7", "tls 192.0.2.9:7"},
	{"sips:b@tcp.test", "error there is no host tcp.test"},

	/* section 4.1: of what we speak, the lowest order alone */
	{"sip:b@naptr.test", "tcp 192.0.2.4:7000"},
	{"sip:b@naptr.test;transport=udp", "udp 192.0.2.3:1"},
	{"sip:b@naptr.test:9", "error there is no host naptr.test"},
	{"sip:b@safe.test", "tls 192.0.2.3:7003"},
	{"sips:b@safe.test", "tls 192.0.2.3:7003"},
	{"sips:b@safe.test;transport=tcp", "tls 192.0.2.4:7004"},
	{"sip:b@safe.test;transport=tls", "tls 192.0.2.4:7004"},
	{"sip:b@safe.test;transport=udp", "error there is no host safe.test"},

	/* RFC 7118, section 5.3 */
	{"sip:b@web.test", "wss 192.0.2.2:7006"},
	{"sips:b@web.test", "wss 192.0.2.2:7006"},
	{"sip:b@web.test;transport=ws", "ws 192.0.2.3:7007"},
	{"sip:b@web.test;transport=wss", "wss 192.0.2.2:7006"},
	{"sips:b@web.test;transport=ws", "wss 192.0.2.2:7006"},
	{"sip:b@plain-web.test", "ws 192.0.2.3:7007"},
	{"sips:b@plain-web.test", "tls 192.0.2.9:5061"},
	{"sip:b@h2.test;transport=ws", "ws 192.0.2.2:80"},
	{"sip:b@h2.test;transport=wss", "wss 192.0.2.2:443"},

	{"sip:b@equal.test", "tcp 192.0.2.2:7062, udp 192.0.2.2:7060, udp 192.0.2.3:7061"},
	{"sip:b@other.test", "tcp 192.0.2.2:7062"},
	{"sip:b@empty.test", "udp 192.0.2.2:5060"},

	/* RFC 2782 */
	{"sip:b@none.test", "error none.test takes no calls: so says the name service"},
	{"sip:b@nothing.test", "error nothing.test takes no calls: so says the name service"},
	{"sip:b@half.test", "tcp 192.0.2.2:7062"},
	{"sip:b@lost.test", "udp 192.0.2.3:7000"},
	{"sip:b@all-lost.test", "error there is no host gone.test"},
	{"sip:b@twice.test", "udp 192.0.2.2:7000, udp 192.0.2.3:7000, udp 192.0.2.2:7001, "
			     "udp 192.0.2.3:7001"},

	/* what the name service has is not looked for where it cannot be */
	{"sip:b@localhost", "udp 127.0.0.1:5060"},
	{"sip:b@x.local", "error there is no host x.local"},
};

static void add_zone(struct world *world)
{
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		const struct zone_row *row = &zone[i];
		struct dns_record record = {
			.priority = row->priority, .weight = row->weight, .port = row->port};

		if (row->type == DNS_HOST)
			assert_int_equal(addr_parse(&record.addr, slice_of(row->host)), 0);
		else
			strcpy(record.name, row->host);
		strcpy(record.flags, row->flags);
		strcpy(record.service, row->service);
		assert_int_equal(world_record(world, row->name, row->type, &record, 60), 0);
	}
}

static void open_zone(struct sim *sim)
{
	sim_open(sim, true);
	add_zone(sim->play->world);
}

struct found {
	char text[512];
	size_t calls;
	int err;
	uint16_t port; /* of the first */
	uint64_t at_ns;
	struct loop *loop;
};

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct found *found = arg;
	struct text text = TEXT_IN(found->text);
	char at[ADDR_TEXT_SIZE];

	found->calls++;
	found->err = err;
	found->at_ns = loop_now(found->loop);
	assert_true((err == 0) == (count > 0));
	if (err)
		text_printf(&text, "error %s", why->words);
	for (size_t i = 0; i < count; i++) {
		const char *name = sip_transport_name(flows[i].transport);
		char shown[8];
		size_t len = 0;

		while (name[len] && len + 1 < sizeof(shown)) {
			shown[len] = (char)(name[len] | 0x20);
			len++;
		}
		shown[len] = '\0';
		assert_int_equal(sip_flow_is_secure(&flows[i]),
			strcmp(name, "TLS") == 0 || strcmp(name, "WSS") == 0);
		assert_true(flows[i].others == (i + 1 < count));
		text_printf(&text, "%s%s %s", i > 0 ? ", " : "", shown,
			addr_print_port(at, &flows[i].remote));
	}
	if (count > 0)
		found->port = flows[0].remote.port;
}

static struct sip_locate *begin(struct found *found, struct sim *sim, const char *text)
{
	struct sip_locate *locate = NULL;
	struct sip_uri uri;

	*found = (struct found){.loop = sim->play->loops[0][0]};
	assert_int_equal(sip_uri_parse(&uri, slice_of(text), NULL), 0);
	if (sip_locate(&locate, sim->a.stack, &uri, located, found))
		return NULL;
	assert_int_equal(found->calls, 0); /* never before it returns */
	return locate;
}

static struct found find(struct sim *sim, const char *uri)
{
	struct found found;

	assert_non_null(begin(&found, sim, uri));
	sim_run_ms(sim, 200);
	assert_int_equal(found.calls, 1);
	return found;
}

static void test_table(void **state)
{
	struct sim sim;

	(void)state;
	open_zone(&sim);
	for (size_t again = 0; again < 2; again++) /* as it is told, and as it was kept */
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct found found = find(&sim, rows[i].uri);
			bool error = strncmp(rows[i].flows, "error ", 6) == 0;

			if (error ? strncmp(found.text, rows[i].flows, strlen(rows[i].flows)) != 0
				  : strcmp(found.text, rows[i].flows) != 0)
				fail_msg("%s: %s", rows[i].uri, found.text);
		}
	sim_close(&sim);
}

/* A stack that does not listen by TCP does not choose it by itself. */
static void test_spoken(void **state)
{
	struct found found;
	struct sip_locate *locate;
	struct sip_uri uri;
	struct sim sim;

	(void)state;
	sim_open(&sim, false);
	add_zone(sim.play->world);
	found = (struct found){.loop = sim.play->loops[1][0]};
	assert_int_equal(sip_uri_parse(&uri, slice_of("sip:naptr.test"), NULL), 0);
	assert_int_equal(sip_locate(&locate, sim.b.stack, &uri, located, &found), 0);
	sim_run_ms(&sim, 200);
	assert_string_equal(found.text, "udp 192.0.2.2:7060, udp 192.0.2.3:7061");
	sim_close(&sim);
}

/* Within four standard deviations; weight 0 has hardly a chance, a later priority none. */
static void test_weights(void **state)
{
	static const struct {
		double share;
		int most_off;
	} shares[] = {{0.1, 38}, {0.3, 58}, {0.6, 62}, {0, 30}, {0, 0}};
	size_t count[6] = {0};
	struct sim sim;

	(void)state;
	open_zone(&sim);
	for (size_t i = 0; i < 1000; i++) {
		struct found found = find(&sim, "sip:weights.test");

		assert_true(found.port >= 1 && found.port <= 5);
		count[found.port]++;
	}
	for (size_t i = 0; i < 5; i++)
		if (abs((int)count[i + 1] - (int)(shares[i].share * 1000)) > shares[i].most_off)
			fail_msg("server %zu was the first %zu times", i, count[i + 1]);
	sim_close(&sim);
}

/* Whatever they weigh: each is there once, and no priority before a lower one. */
static void test_order(void **state)
{
	struct dns_record records[DNS_RECORDS_MAX];
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	for (size_t round = 0; round < 200; round++) {
		struct loop *loop = sim.play->loop;
		size_t count = loop_random_below(loop, DNS_RECORDS_MAX + 1);
		unsigned seen = 0;

		for (size_t i = 0; i < count; i++)
			records[i] = (struct dns_record){.port = (uint16_t)i,
				.priority = (uint16_t)loop_random_below(loop, 3),
				.weight = (uint16_t)(65535 * loop_random_below(loop, 2))};
		sip_srv_order(records, count, loop);
		for (size_t i = 0; i < count; i++) {
			seen |= 1u << records[i].port;
			assert_true(i == 0 || records[i - 1].priority <= records[i].priority);
		}
		assert_int_equal(seen, (1u << count) - 1);
	}
	sim_close(&sim);
}

/* Many addresses of one, many servers of one, and many services are cut. */
static void test_many(void **state)
{
	struct sim sim;

	(void)state;
	open_zone(&sim);
	for (uint8_t i = 0; i < 30; i++) {
		struct addr addr = {ADDR_IPV4, 0, 0, {192, 0, 2, i}};
		struct dns_record srv = {.priority = i, .port = 7000};
		struct dns_record naptr = {.flags = "s", .service = "SIP+D2U"};
		char name[40];

		assert_int_equal(world_name(sim.play->world, "many.test", &addr), 0);
		snprintf(srv.name, sizeof(srv.name), "n%u.test", i);
		assert_int_equal(world_name(sim.play->world, srv.name, &addr), 0);
		assert_int_equal(
			world_record(sim.play->world, "_sip._udp.srvs.test", DNS_SRV, &srv, 60), 0);
		snprintf(naptr.name, sizeof(naptr.name), "s%u.test", i);
		assert_int_equal(
			world_record(sim.play->world, "naptrs.test", DNS_NAPTR, &naptr, 60), 0);
		snprintf(name, sizeof(name), "s%u.test", i);
		assert_int_equal(world_record(sim.play->world, name, DNS_SRV, &srv, 60), 0);
	}
	assert_string_equal(find(&sim, "sip:many.test").text,
		"udp 192.0.2.0:5060, udp 192.0.2.1:5060, udp 192.0.2.2:5060, udp 192.0.2.3:5060, "
		"udp 192.0.2.4:5060, udp 192.0.2.5:5060, udp 192.0.2.6:5060, udp 192.0.2.7:5060");
	assert_string_equal(find(&sim, "sip:srvs.test").text,
		"udp 192.0.2.0:7000, udp 192.0.2.1:7000, udp 192.0.2.2:7000, udp 192.0.2.3:7000, "
		"udp 192.0.2.4:7000, udp 192.0.2.5:7000, udp 192.0.2.6:7000, udp 192.0.2.7:7000");
	assert_string_equal(find(&sim, "sip:naptrs.test").text,
		"udp 192.0.2.0:7000, udp 192.0.2.1:7000, udp 192.0.2.2:7000, udp 192.0.2.3:7000");
	sim_close(&sim);
}

/* Longer than a name can be, with what stands before it or without. */
static void test_long(void **state)
{
	struct sim sim;

	(void)state;
	open_zone(&sim);
	for (size_t labels = 58; labels < 63; labels++) {
		char uri[300] = "sip:";

		for (size_t i = 0; i < labels; i++)
			strcat(uri, "abc.");
		strcat(uri, "test");
		assert_int_equal(find(&sim, uri).err, -ENOENT);
	}
	sim_close(&sim);
}

/* RFC 1035, section 3.2.1: for as long as it holds, and not longer. */
static void test_kept(void **state)
{
	const struct addr addr = {ADDR_IPV4, 0, 0, {192, 0, 2, 7}};
	const struct dns_record fleeting = {.addr = addr};
	struct world *world;
	uint64_t asked;
	struct sim sim;

	(void)state;
	open_zone(&sim);
	world = sim.play->world;
	find(&sim, "sip:srv.test");
	asked = world_asked(world);
	assert_int_equal(asked, 6); /* NAPTR, two SRV, three hosts */
	find(&sim, "sip:SRV.test");
	assert_int_equal(world_asked(world), asked);

	world_forget_name(world, "h2.test");
	assert_int_equal(world_name(world, "h2.test", &addr), 0);
	sim_run_ms(&sim, 31000); /* that there is no NAPTR is not known any more, */
	find(&sim, "sip:srv.test;transport=udp");
	assert_int_equal(world_asked(world), asked);
	sim_run_ms(&sim, 30000); /* and neither is anything else */
	assert_string_equal(find(&sim, "sip:srv.test;transport=udp").text,
		"udp 192.0.2.7:7060, udp 192.0.2.3:7061");
	assert_int_equal(world_asked(world), asked + 3);

	assert_int_equal(world_record(world, "fleeting.test", DNS_HOST, &fleeting, 0), 0);
	find(&sim, "sip:fleeting.test:5060");
	find(&sim, "sip:fleeting.test:5060");
	assert_int_equal(world_asked(world), asked + 5);
	sim_close(&sim);
}

/* Names beyond number are asked for again: what is kept has an end. That there is no such host is
 * not kept at all, for somebody may be mending it. */
static void test_kept_most(void **state)
{
	const struct addr addr = {ADDR_IPV4, 0, 0, {192, 0, 2, 7}};
	struct world *world;
	struct sim sim;
	char uri[40];

	(void)state;
	open_zone(&sim);
	world = sim.play->world;
	for (size_t round = 0; round < 2; round++)
		for (unsigned i = 0; i <= SIP_LOOKUP_KEPT_MAX; i++) {
			snprintf(uri, sizeof(uri), "sip:n%u.test:5060", i);
			assert_int_equal(find(&sim, uri).err, -ENOENT);
			if (round == 0)
				continue;
			uri[strlen(uri) - 5] = '\0';
			assert_int_equal(world_name(world, uri + 4, &addr), 0);
		}
	assert_int_equal(world_asked(world), 2 * (SIP_LOOKUP_KEPT_MAX + 1));
	for (size_t round = 0; round < 2; round++)
		for (unsigned i = 0; i <= SIP_LOOKUP_KEPT_MAX; i++) {
			snprintf(uri, sizeof(uri), "sip:n%u.test:5060", i);
			assert_int_equal(find(&sim, uri).err, 0);
		}
	assert_int_equal(world_asked(world), 4 * (SIP_LOOKUP_KEPT_MAX + 1));
	sim_close(&sim);
}

/* Nobody answers: it ends all the same, and what is not known is not kept. */
static void test_silence(void **state)
{
	struct found found;
	uint64_t begun;
	struct sim sim;

	(void)state;
	open_zone(&sim);
	world_silence_names(sim.play->world, true);
	begun = loop_now(sim.play->loop);
	assert_non_null(begin(&found, &sim, "sip:plain.test"));
	sim_run_ms(&sim, 11000);
	assert_int_equal(found.calls, 1);
	assert_int_equal(found.err, -EAGAIN);
	assert_true(found.at_ns - begun < 2 * RESOLVE_LIMIT_NS + 10 * PLAY_LATE_NS);
	assert_non_null(strstr(found.text, "no name server answers for plain.test"));
	world_silence_names(sim.play->world, false);
	assert_string_equal(find(&sim, "sip:plain.test").text, "udp 192.0.2.2:5060");
	sim_close(&sim);
}

/* Whoever has cancelled hears nothing, whatever was on its way. */
static void test_cancel(void **state)
{
	struct sim sim;

	(void)state;
	open_zone(&sim);
	for (uint64_t ms = 0; ms < 40; ms++) {
		struct found found;
		struct sip_locate *locate = begin(&found, &sim, "sip:srv.test");

		sim_run_ms(&sim, ms);
		if (found.calls == 0)
			sip_locate_cancel(locate);
		sim_run_ms(&sim, 200);
		if (found.calls > 0) /* what it has asked by then is kept, so that it is faster */
			break;
		assert_true(ms < 39);
	}
	sim_close(&sim);
}

/* Each allocation fails once: it is told, and nothing is left. */
static void test_no_memory(void **state)
{
	(void)state;
	for (size_t allowed = 0; allowed < 16; allowed++) {
		struct found found;
		struct sim sim;

		open_zone(&sim);
		play_fails_once = true;
		play_allocations = allowed;
		if (begin(&found, &sim, "sip:srv.test")) {
			sim_run_ms(&sim, 2000);
			assert_int_equal(found.calls, 1);
		}
		play_allocations = SIZE_MAX;
		play_fails_once = false;
		sim_close(&sim);
	}
}

/* How a request goes: what came of it, and how long that took. */
struct sent {
	char log[64];
	uint64_t at_ns;
	struct loop *loop;
};

static void on_response(void *arg, const struct sip_msg *response)
{
	struct sent *sent = arg;
	size_t len = strlen(sent->log);

	sent->at_ns = loop_now(sent->loop);
	snprintf(sent->log + len, sizeof(sent->log) - len, "%u ", response->status);
}

static void on_ended(void *arg, int err, const struct fault *why)
{
	struct sent *sent = arg;
	size_t len = strlen(sent->log);

	(void)why;
	sent->at_ns = loop_now(sent->loop);
	snprintf(sent->log + len, sizeof(sent->log) - len, "ended(%d) ", err);
}

static struct sip_request *begin_request(struct sent *sent, struct sim *sim, const char *uri)
{
	static const struct sip_request_events events = {
		.response = on_response, .ended = on_ended};
	static uint32_t cseq; /* each is another */
	const struct sip_request_config config = {.method = SIP_OPTIONS,
		.uri = slice_of(uri),
		.cseq = ++cseq,
		.headers = slice_of("From: <sip:a@192.0.2.1>;tag=a\r\n"
				    "To: <sip:b@192.0.2.2>\r\nCall-ID: x\r\n")};
	struct sip_request *request;

	*sent = (struct sent){.loop = sim->play->loop};
	assert_int_equal(sip_request_send(&request, sim->a.stack, &config, &events, sent), 0);
	return request;
}

/* In ms until the end. */
static uint64_t send_to(struct sim *sim, const char *uri, const char *log)
{
	uint64_t begun = loop_now(sim->play->loop);
	struct sent sent;
	struct sip_request *request = begin_request(&sent, sim, uri);

	for (size_t ms = 0; sent.log[0] == '\0' && ms < 100000; ms++)
		sim_run_ms(sim, 1);
	assert_string_equal(sent.log, log);
	sip_request_free(request);
	return (sent.at_ns - begun) / NS_PER_MS;
}

/* RFC 3263, section 4.3: who refuses is left for the next, is not asked again for a while, and
 * after that first. h4 is a host where nobody listens. */
static void test_refused(void **state)
{
	static const char *const uris[] = {"sip:b@first.test", "sip:b@stream.test"};

	(void)state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct sim sim;

		open_zone(&sim);
		send_to(&sim, uris[i], "200 ");
		assert_string_equal(find(&sim, uris[i]).text,
			i == 0 ? "udp 192.0.2.2:5060, udp 192.0.2.4:5060"
			       : "tcp 192.0.2.2:5060, tcp 192.0.2.4:5060");
		sim_run_ms(&sim, SIP_AVOID_S * 1000);
		assert_string_equal(find(&sim, uris[i]).text,
			i == 0 ? "udp 192.0.2.4:5060, udp 192.0.2.2:5060"
			       : "tcp 192.0.2.4:5060, tcp 192.0.2.2:5060");
		send_to(&sim, uris[i], "200 ");
		sim_close(&sim);
	}
}

/* Who is silent is waited for less long than somebody who is the only one. */
static void test_dead(void **state)
{
	struct sim sim;
	uint64_t ms;

	(void)state;
	open_zone(&sim);
	world_host_down(sim.play->hosts[3]);
	ms = send_to(&sim, "sip:b@first.test", "200 ");
	assert_true(ms >= 4000 && ms < 4200);
	ms = send_to(&sim, "sip:b@first.test", "200 ");
	assert_true(ms < 100);
	ms = send_to(&sim, "sip:b@stream.test", "200 ");
	assert_true(ms >= 4000 && ms < 4200);
	ms = send_to(&sim, "sip:b@h4.test", "ended(-110) ");
	assert_true(ms >= 32000 && ms < 32100);
	world_host_up(sim.play->hosts[3]);
	sim_close(&sim);
}

/* Whoever has answered 183 lives: Timer F is due as ever. */
static void test_slow(void **state)
{
	struct sip_request *request;
	struct sent sent;
	struct sim sim;

	(void)state;
	open_zone(&sim);
	sim.b.status = 0;
	request = begin_request(&sent, &sim, "sip:b@h23.test");
	sim_run_ms(&sim, 100);
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 183});
	sim_run_ms(&sim, 30000);
	assert_string_equal(sent.log, "183 183 183 183 183 183 183 183 183 "); /* to each Timer E */
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 200});
	sim_run_ms(&sim, 5000);
	assert_string_equal(sent.log + strlen(sent.log) - 5, " 200 ");
	sip_request_free(request);
	sim_close(&sim);
}

/* 503 with and without Retry-After; a place that works is a good one again. */
static void test_busy(void **state)
{
	static const struct {
		const char *header;
		uint64_t seconds;
	} busy[] = {{"", SIP_AVOID_BUSY_S}, {"Retry-After: 7\r\n", 7},
		{"Retry-After: 3600 (noon)\r\n", 3600}, {"Retry-After: 3601\r\n", SIP_AVOID_BUSY_S},
		{"Retry-After: soon\r\n", SIP_AVOID_BUSY_S}};

	(void)state;
	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
		struct sip_flow flows[2], sorted[2];
		struct addr to = {ADDR_IPV4, 5060, 0, {192, 0, 2, 2}};
		struct sip_msg *response;
		char text[256];
		struct sim sim;

		open_zone(&sim);
		for (size_t j = 0; j < 2; j++) {
			to.ip[3]++;
			assert_int_equal(sip_stack_flow(&flows[j], sim.a.stack, SIP_UDP, &to), 0);
		}
		snprintf(text, sizeof(text),
			"SIP/2.0 503 No\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n"
			"From: <sip:a@b>;tag=a\r\nTo: <sip:b@b>;tag=b\r\nCall-ID: a\r\n"
			"CSeq: 1 OPTIONS\r\n%sContent-Length: 0\r\n\r\n",
			busy[i].header);
		assert_int_equal(sip_msg_parse(&response, slice_of(text)), 0);
		sip_avoid_busy(sim.a.stack, &flows[0], response);
		sip_msg_free(response);
		memcpy(sorted, flows, sizeof(flows));
		sim_run_ms(&sim, busy[i].seconds * 1000 - 1);
		sip_avoid_sort(sim.a.stack, sorted, 2);
		assert_true(addr_equal(&sorted[0].remote, &flows[1].remote));
		sim_run_ms(&sim, 1);
		sip_avoid_sort(sim.a.stack, sorted, 2);
		assert_true(addr_equal(&sorted[0].remote, &flows[1].remote)); /* as they were */
		memcpy(sorted, flows, sizeof(flows));
		sip_avoid_sort(sim.a.stack, sorted, 2);
		assert_true(addr_equal(&sorted[0].remote, &flows[0].remote));

		sip_avoid(sim.a.stack, &flows[0]);
		sip_avoid_no_more(sim.a.stack, &flows[0]);
		sip_avoid_sort(sim.a.stack, sorted, 2);
		assert_true(addr_equal(&sorted[0].remote, &flows[0].remote));
		sim_close(&sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_spoken),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_most),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests_name("sip/servers", tests, NULL, NULL);
}
