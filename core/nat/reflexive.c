#include "core/nat/reflexive.h"

#include "core/base/text.h"
#include "core/nat/stun.h"

#include <errno.h>
#include <stdlib.h>

/*
 * How long the first request waits before it goes again, then twice as long, and so on. Section
 * 6.2.1 wants half a second, of transactions that may last for 40: of the one that a call waits for
 * that would leave two requests, and the loss of one in each means that nothing is learnt. These
 * four are 20 bytes each.
 */
#define RTO_NS (100 * NS_PER_MS)

enum { STUN_PORT = 3478 };

struct server {
	struct addr addr; /* ADDR_NONE: it has a name */
	char name[DNS_NAME_SIZE];
	uint16_t port; /* 0: none was given */
};

/* One socket's question. */
struct binding {
	struct reflexive *reflexive;
	struct udp *udp;
	struct stun_id id;
	struct timer again;
	uint64_t again_ns;
	bool answered;
};

struct reflexive {
	struct loop *loop;
	struct server server;
	struct resolve *resolve;
	enum addr_family family;
	struct binding bindings[REFLEXIVE_SOCKETS_MAX];
	struct addr mapped[REFLEXIVE_SOCKETS_MAX];
	size_t count;
	size_t started;
	size_t answered;
	struct timer limit;
	reflexive_done *done;
	void *arg;
};

static bool is_name(struct slice name)
{
	if (name.len == 0 || name.len >= DNS_NAME_SIZE)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '-' && c != '.' && c != '_')
			return false;
	}
	return name.data[0] != '.' && name.data[0] != '-';
}

static int read_server(struct server *out, struct slice text)
{
	struct slice name, port = text;
	uint64_t number = 0;

	*out = (struct server){.port = 0};
	if (addr_parse_port(&out->addr, text) == 0) {
		out->port = out->addr.port;
		return addr_is_any(&out->addr) ? -EINVAL : 0;
	}
	if (slice_cut(&name, &port, ':') &&
		(slice_number(&number, port, UINT16_MAX) != 0 || number == 0))
		return -EINVAL;
	if (!is_name(name))
		return -EINVAL;
	memcpy(out->name, name.data, name.len);
	out->port = (uint16_t)number;
	return 0;
}

bool reflexive_is_server(const char *server)
{
	struct server parsed;

	return read_server(&parsed, slice_of(server)) == 0;
}

static void let_go(struct reflexive *self)
{
	if (self->resolve)
		resolve_cancel(self->resolve);
	timer_stop(&self->limit);
	for (size_t i = 0; i < self->count; i++)
		timer_stop(&self->bindings[i].again);
	for (size_t i = 0; i < self->started; i++)
		udp_stop(self->bindings[i].udp);
}

static void finish(struct reflexive *self)
{
	let_go(self);
	self->done(self->arg, self->mapped);
	free(self);
}

static void limit_reached(void *arg)
{
	finish(arg);
}

static void ask(void *arg)
{
	struct binding *self = arg;
	uint8_t bytes[STUN_REQUEST_SIZE];
	struct buf out = {bytes, 0, sizeof(bytes)};

	if (stun_print_binding(&out, &self->id) == 0) /* what cannot be sent now may be, later */
		(void)udp_send(self->udp, &self->reflexive->server.addr,
			(struct slice){out.data, out.len});
	timer_start_in(&self->again, self->again_ns);
	self->again_ns *= 2;
}

static void ask_all(struct reflexive *self)
{
	if (self->server.addr.port == 0)
		self->server.addr.port = STUN_PORT;
	for (size_t i = 0; i < self->count; i++)
		ask(&self->bindings[i]);
}

/*
 * What a description of ours may have: of the family that its sockets have, and where a single far
 * end can send to. Port 0 would say that we want no sound (RFC 3264, section 5.1).
 */
static bool is_usable(const struct addr *mapped, enum addr_family family)
{
	uint8_t multicast = family == ADDR_IPV4 ? 0xe0 : 0xff; /* and the broadcast above it */

	return mapped->family == family && mapped->port != 0 && !addr_is_any(mapped) &&
	       mapped->ip[0] < multicast;
}

/* Only the server that was asked knows the number; who guesses it must have seen it. */
static void datagram(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct binding *self = arg;
	struct reflexive *all = self->reflexive;
	struct stun_msg msg;
	struct addr mapped;

	(void)to;
	(void)arrival_ns;
	if (self->answered || !addr_equal(from, &all->server.addr) || !stun_is(bytes) ||
		stun_parse(&msg, bytes) != 0 || !stun_answers(&msg, &self->id))
		return;

	timer_stop(&self->again);
	self->answered = true;
	all->answered++;
	if (stun_mapped(&mapped, &msg) == 0 && is_usable(&mapped, all->family))
		all->mapped[self - all->bindings] = mapped; /* else it stays none */
	if (all->answered == all->count)
		finish(all);
}

/* Another try may fare better, and the limit is near. */
static void unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	(void)arg;
	(void)to;
	(void)err;
	(void)sent;
}

/* Without a way to ask, the limit is not waited for. */
static void give_up(struct reflexive *self)
{
	timer_start_in(&self->limit, 0);
}

static void host_found(void *arg, const struct dns_answer *answer)
{
	struct reflexive *self = arg;

	self->resolve = NULL;
	for (size_t i = 0; answer->err == 0 && i < answer->count; i++) {
		if (answer->records[i].addr.family != self->family)
			continue;
		self->server.addr = answer->records[i].addr;
		self->server.addr.port = self->server.port;
		ask_all(self);
		return;
	}
	give_up(self);
}

static void find_host(struct reflexive *self, const char *name)
{
	if (loop_resolve(&self->resolve, self->loop, DNS_HOST, name, host_found, self)) {
		self->resolve = NULL;
		give_up(self);
	}
}

/* The one that goes first (RFC 2782): of those of one priority, the heaviest. */
static const struct dns_record *first_of(const struct dns_answer *answer)
{
	const struct dns_record *first = &answer->records[0];

	for (size_t i = 1; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[i];

		if (record->priority < first->priority ||
			(record->priority == first->priority && record->weight > first->weight))
			first = record;
	}
	return first;
}

static void service_found(void *arg, const struct dns_answer *answer)
{
	struct reflexive *self = arg;
	char name[DNS_NAME_SIZE];

	self->resolve = NULL;
	memcpy(name, self->server.name, sizeof(name));
	if (answer->err == 0 && answer->count > 0 && first_of(answer)->name[0] != '\0') {
		memcpy(name, first_of(answer)->name, sizeof(name));
		self->server.port = first_of(answer)->port;
	}
	find_host(self, name);
}

/* Section 8: the service, unless a port was given. */
static void find_server(struct reflexive *self)
{
	char room[DNS_NAME_SIZE];
	struct text name = TEXT_IN(room);

	text_printf(&name, "_stun._udp.%s", self->server.name);
	if (self->server.port != 0 || name.cut ||
		loop_resolve(&self->resolve, self->loop, DNS_SRV, room, service_found, self) != 0) {
		self->resolve = NULL;
		find_host(self, self->server.name);
	}
}

static int start_all(struct reflexive *self)
{
	static const struct udp_events events = {.datagram = datagram, .unreachable = unreachable};
	int err = 0;

	while (!err && self->started < self->count) {
		struct binding *binding = &self->bindings[self->started];

		err = udp_start(binding->udp, self->loop, &events, binding);
		if (!err)
			self->started++;
	}
	return err;
}

static void init_binding(struct reflexive *self, size_t i, struct udp *udp)
{
	struct binding *binding = &self->bindings[i];

	binding->reflexive = self;
	binding->udp = udp;
	binding->again_ns = RTO_NS;
	loop_random(self->loop, &binding->id, sizeof(binding->id));
	timer_init(&binding->again, self->loop, ask, binding);
}

int reflexive_ask(struct reflexive **out, struct loop *loop, const char *server,
	struct udp *const *sockets, size_t count, reflexive_done *done, void *arg)
{
	struct reflexive *self = calloc(1, sizeof(*self));
	struct addr local;
	int err;

	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->count = count;
	self->done = done;
	self->arg = arg;
	udp_local(&local, sockets[0]);
	self->family = local.family;
	timer_init(&self->limit, loop, limit_reached, self);
	for (size_t i = 0; i < count; i++)
		init_binding(self, i, sockets[i]);
	err = read_server(&self->server, slice_of(server));
	if (!err)
		err = start_all(self);
	if (err) {
		reflexive_cancel(self);
		return err;
	}

	timer_start_in(&self->limit, REFLEXIVE_LIMIT_NS);
	if (self->server.addr.family == ADDR_NONE)
		find_server(self);
	else if (self->server.addr.family == self->family)
		ask_all(self);
	else
		give_up(self);
	*out = self;
	return 0;
}

void reflexive_cancel(struct reflexive *self)
{
	if (!self)
		return;

	let_go(self);
	free(self);
}
