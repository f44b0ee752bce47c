/*
 * RFC 3263: NAPTR says by which transport a domain wants to be called, SRV by which servers, and
 * A and AAAA where these are. A step asks all that it needs at once, and ends when all is known.
 */
#include "core/sip/locate.h"

#include "core/sip/avoid.h"
#include "core/sip/locate_flow.h"
#include "core/sip/lookup.h"
#include "core/sip/registry.h"
#include "core/sip/srv.h"
#include "core/sip/transport.h"
#include "core/sip/web.h"

#include <assert.h>
#include <stdlib.h>

enum { SERVICES_MAX = 4 };

/* Once one server's address is known, the others' are not waited for much longer. */
static const uint64_t patience_ns = NS_PER_S;

enum step {
	STEP_SERVICES, /* NAPTR */
	STEP_SERVERS,  /* SRV */
	STEP_HOSTS,
	STEP_DONE, /* all that is left is to tell so */
};

/* A name under which there may be servers. */
struct service {
	struct sip_locate *locate;
	struct sip_lookup lookup;
	enum sip_transport_kind kind;
	struct dns_record servers[DNS_RECORDS_MAX]; /* in the order in which to try them */
	size_t server_count;
};

/* A host at which it is to be tried. */
struct server {
	struct sip_locate *locate;
	struct sip_lookup lookup; /* not started: its host is that of another before it */
	const struct server *same;
	enum sip_transport_kind kind;
	uint16_t port;
	int err;
	struct addr addrs[SIP_LOCATE_MAX];
	size_t addr_count;
};

struct sip_locate {
	struct sip_stack *stack;
	sip_located *done;
	void *arg;
	enum step step;
	size_t waiting; /* for answers of this step */
	enum sip_transport_kind kind;
	bool any_kind; /* kind is only what it is if nobody knows better */
	bool sips;     /* it is TLS, whoever knows better */
	uint16_t port;
	struct sip_lookup naptr;
	struct service services[SERVICES_MAX];
	size_t service_count;
	struct server servers[SIP_LOCATE_MAX];
	size_t server_count;
	struct timer soon; /* tells; or, in STEP_HOSTS, has waited enough */
	int err;
	struct fault why;
	struct sip_flow flow; /* that needed no looking up */
	char *host;
	char *name; /* of the URI, for whom a certificate has to be */
};

static void become(struct sip_locate *locate, enum step next)
{
	static const unsigned allowed[] = {
		[STEP_SERVICES] = 1u << STEP_SERVERS | 1u << STEP_HOSTS,
		[STEP_SERVERS] = 1u << STEP_HOSTS | 1u << STEP_DONE,
		[STEP_HOSTS] = 1u << STEP_DONE,
		[STEP_DONE] = 0,
	};

	assert(allowed[locate->step] & 1u << next);
	locate->step = next;
}

int sip_locate_now(
	struct sip_flow *out, struct sip_stack *stack, const struct sip_uri *uri, struct fault *why)
{
	char room[LOCATE_NAME_SIZE];
	struct text name = TEXT_IN(room);
	enum sip_transport_kind kind;
	struct addr to;
	int err = locate_choose(&kind, why, uri);

	if (err)
		return err;
	if (addr_parse(&to, locate_host(uri)))
		return -EINPROGRESS;

	to.port = locate_port(uri->port, kind);
	sip_web_put_name(&name, uri);
	return locate_flow(
		out, stack, why, kind, &to, text_slice(&name), uri->scheme == SIP_SCHEME_SIPS);
}

/* What a resolver's error means to a person; what is no answer is -EAGAIN. */
static int explain(struct sip_locate *locate, const char *name, const struct dns_answer *answer)
{
	const char *servers = answer->servers;
	bool known = servers[0] != '\0';
	char shown[LOCATE_SHOWN_SIZE];

	locate_show(shown, slice_of(name));
	if (answer->err == -ENOENT)
		return fault_set(&locate->why, -ENOENT, "there is no host %s%s%s%s", shown,
			known ? " (name server: " : "", servers, known ? ")" : "");
	if (answer->err == -ENOMEM)
		return fault_set(&locate->why, -ENOMEM, "no memory to look up %s", shown);
	if (known)
		return fault_set(&locate->why, -EAGAIN, "no name server answers for %s (asked: %s)",
			shown, servers);
	if (answer->err == -EAGAIN) /* it says no more than that */
		return fault_set(&locate->why, -EAGAIN, "no name server answers for %s", shown);
	return fault_set(&locate->why, -EAGAIN, "no name server answers for %s: %s", shown,
		strerror(-answer->err));
}

static bool ends_in(struct slice name, const char *label)
{
	size_t len = strlen(label);

	return name.len >= len &&
	       slice_is_nocase((struct slice){name.data + name.len - len, len}, label);
}

/* Names without a dot, and of multicast DNS, are the system's and the house's own. */
static bool is_domain(const char *host)
{
	struct slice name = slice_of(host);

	return strchr(host, '.') && !ends_in(name, ".local") && !ends_in(name, ".localhost");
}

/* Tells it, and is gone. */
static void finish(struct sip_locate *locate, int err, const struct sip_flow *flows, size_t count)
{
	sip_located *done = locate->done;
	void *arg = locate->arg;
	struct fault why = locate->why;

	sip_locate_cancel(locate);
	done(arg, err, flows, count, &why);
}

static void add_flows(struct sip_locate *locate, struct sip_flow flows[static SIP_LOCATE_MAX],
	size_t *count, const struct server *server)
{
	const struct server *host = server->same ? server->same : server;

	if (host->err)
		locate->err = host->err;
	for (size_t i = 0; i < host->addr_count && *count < SIP_LOCATE_MAX; i++) {
		struct addr to = host->addrs[i];
		int err;

		to.port = server->port;
		err = locate_flow(&flows[*count], locate->stack, &locate->why, server->kind, &to,
			slice_of(locate->name), locate->sips);
		if (err)
			locate->err = err;
		else
			++*count;
	}
}

/* All hosts are known that will be. */
static void finish_hosts(struct sip_locate *locate)
{
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t count = 0;

	become(locate, STEP_DONE);
	for (size_t i = 0; i < locate->server_count; i++)
		add_flows(locate, flows, &count, &locate->servers[i]);
	sip_avoid_sort(locate->stack, flows, count);
	for (size_t i = 0; i + 1 < count; i++)
		flows[i].others = true;
	finish(locate, count > 0 ? 0 : locate->err, flows, count);
}

static void host_answered(void *arg, const struct dns_answer *answer)
{
	struct server *server = arg;
	struct sip_locate *locate = server->locate;

	server->err = answer->err;
	for (size_t i = 0; i < answer->count && server->addr_count < SIP_LOCATE_MAX; i++)
		server->addrs[server->addr_count++] = answer->records[i].addr;
	if (answer->err)
		server->err = explain(locate, server->lookup.name, answer);
	if (--locate->waiting == 0)
		finish_hosts(locate);
	else if (!answer->err && !timer_running(&locate->soon))
		timer_start_in(&locate->soon, patience_ns);
}

static void add_server(
	struct sip_locate *locate, enum sip_transport_kind kind, const char *name, uint16_t port)
{
	struct server *server = &locate->servers[locate->server_count];

	if (locate->server_count == SIP_LOCATE_MAX)
		return;

	locate->server_count++;
	*server = (struct server){.locate = locate, .kind = kind, .port = port};
	for (const struct server *other = locate->servers; other < server; other++)
		if (!other->same && slice_is_nocase(slice_of(name), other->lookup.name)) {
			server->same = other;
			return;
		}
	locate->waiting++;
	sip_lookup_start(&server->lookup, locate->stack, DNS_HOST, name, host_answered, server);
}

/* Section 4.2: without SRV it is the host itself, at the usual port. */
static void ask_host(struct sip_locate *locate)
{
	become(locate, STEP_HOSTS);
	add_server(locate, locate->kind, locate->host, locate_port(locate->port, locate->kind));
}

/* RFC 2782: a root as the target, and no other, says that there is no such service. */
static bool is_refusal(const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i].name[0] != '\0')
			return false;
	return service->server_count > 0;
}

static int refused(struct sip_locate *locate)
{
	char shown[LOCATE_SHOWN_SIZE];

	return fault_set(&locate->why, -ENOENT, "%s takes no calls: so says the name service",
		locate_show(shown, slice_of(locate->host)));
}

/* All servers are known; where there are none, the host itself is asked. */
static void finish_servers(struct sip_locate *locate)
{
	bool none = true, refusal = false;

	for (size_t i = 0; i < locate->service_count; i++) {
		none = none &&
		       (locate->services[i].server_count == 0 || is_refusal(&locate->services[i]));
		refusal = refusal || is_refusal(&locate->services[i]);
	}
	if (none && refusal) {
		become(locate, STEP_DONE);
		finish(locate, refused(locate), NULL, 0);
		return;
	}
	if (none) {
		ask_host(locate);
		return;
	}
	become(locate, STEP_HOSTS);
	for (size_t i = 0; i < locate->service_count; i++) {
		const struct service *service = &locate->services[i];

		for (size_t j = 0; j < service->server_count; j++)
			if (service->servers[j].name[0] != '\0')
				add_server(locate, service->kind, service->servers[j].name,
					service->servers[j].port);
	}
}

static void servers_answered(void *arg, const struct dns_answer *answer)
{
	struct service *service = arg;
	struct sip_locate *locate = service->locate;

	service->server_count = answer->count;
	for (size_t i = 0; i < answer->count; i++)
		service->servers[i] = answer->records[i];
	sip_srv_order(service->servers, service->server_count, locate->stack->loop);
	if (--locate->waiting == 0)
		finish_servers(locate);
}

static void add_service(struct sip_locate *locate, enum sip_transport_kind kind, const char *prefix,
	const char *name)
{
	struct service *service = &locate->services[locate->service_count];
	char room[DNS_NAME_SIZE];
	struct text text = TEXT_IN(room);

	text_puts(&text, prefix);
	text_puts(&text, name);
	if (locate->service_count == SERVICES_MAX || text.cut)
		return;

	locate->service_count++;
	locate->waiting++;
	*service = (struct service){.locate = locate, .kind = kind};
	sip_lookup_start(&service->lookup, locate->stack, DNS_SRV, room, servers_answered, service);
}

/* Whether something is received by kind: what is only sent by it gets no answer, but by connections
 * of ours. */
static bool is_spoken(const struct sip_stack *stack, enum sip_transport_kind kind)
{
	return locate_is_called_only(kind) || sip_stack_listens(stack, kind, ADDR_IPV4) ||
	       sip_stack_listens(stack, kind, ADDR_IPV6);
}

/* Of the ways that are there for a URI that names none: without NAPTR, TLS is for sips: alone, and
 * WebSocket for whom asks for it. */
static bool is_asked(const struct sip_locate *locate, enum sip_transport_kind kind)
{
	if (!locate->any_kind || locate->sips)
		return kind == locate->kind;
	return !locate_is_called_only(kind) && is_spoken(locate->stack, kind);
}

/* Section 4.1, without NAPTR: whatever there are servers for. */
static void ask_servers(struct sip_locate *locate)
{
	become(locate, STEP_SERVERS);
	for (size_t i = 0; i < LOCATE_WAYS; i++)
		if (is_asked(locate, locate_ways[i].kind))
			add_service(
				locate, locate_ways[i].kind, locate_ways[i].prefix, locate->host);
	if (locate->waiting == 0) /* the name is too long for it */
		ask_host(locate);
}

/* NULL: it is for something else, or for what we do not speak. */
static const struct locate_way *way_of(
	const struct sip_locate *locate, const struct dns_record *naptr)
{
	if (!slice_is_nocase(slice_of(naptr->flags), "s") || naptr->name[0] == '\0')
		return NULL;
	for (size_t i = 0; i < LOCATE_WAYS; i++)
		if (slice_is_nocase(slice_of(naptr->service), locate_ways[i].service) &&
			(locate->sips ? locate_is_secure(locate_ways[i].kind)
				      : is_spoken(locate->stack, locate_ways[i].kind)))
			return &locate_ways[i];
	return NULL;
}

/*
 * Section 4.1, with RFC 3403, section 4.1: of what we speak, the lowest order counts, and no other
 * one: whoever prefers a safe transport is not called by another.
 */
static void take_services(struct sip_locate *locate, const struct dns_answer *answer)
{
	struct dns_record records[DNS_RECORDS_MAX];
	const struct dns_record *first = NULL;

	for (size_t i = 0; i < answer->count; i++)
		records[i] = answer->records[i];
	sip_naptr_order(records, answer->count);
	for (size_t i = 0; i < answer->count; i++) {
		const struct locate_way *way = way_of(locate, &records[i]);

		if (!way || (first && first->priority != records[i].priority))
			continue;
		if (!first)
			become(locate, STEP_SERVERS);
		first = first ? first : &records[i];
		add_service(locate, way->kind, "", records[i].name);
	}
	if (!first)
		ask_servers(locate);
}

/* Where nobody answers, only the system itself may still know the host. Some answer that there is
 * no such type, in many ways. */
static void services_answered(void *arg, const struct dns_answer *answer)
{
	struct sip_locate *locate = arg;

	locate->waiting--;
	if (answer->err == -ETIMEDOUT)
		ask_host(locate);
	else
		take_services(locate, answer);
}

static void begin(struct sip_locate *locate)
{
	bool domain = is_domain(locate->host);

	if (locate->port == 0 && locate->any_kind && domain) {
		locate->waiting++;
		sip_lookup_start(&locate->naptr, locate->stack, DNS_NAPTR, locate->host,
			services_answered, locate);
	} else if (locate->port == 0 && domain) {
		ask_servers(locate);
	} else {
		ask_host(locate);
	}
}

static void tell(void *arg)
{
	struct sip_locate *locate = arg;
	struct sip_flow flow = locate->flow;

	if (locate->step == STEP_HOSTS)
		finish_hosts(locate);
	else
		finish(locate, locate->err, &flow, locate->err ? 0 : 1);
}

int sip_locate(struct sip_locate **out, struct sip_stack *stack, const struct sip_uri *uri,
	sip_located *done, void *arg)
{
	char room[LOCATE_NAME_SIZE];
	struct text name = TEXT_IN(room);
	struct sip_locate *locate;

	locate = calloc(1, sizeof(*locate));
	if (!locate)
		return -ENOMEM;

	locate->host = slice_copy(locate_host(uri));
	sip_web_put_name(&name, uri);
	locate->name = slice_copy(text_slice(&name));
	if (!locate->host || !locate->name) {
		free(locate->host);
		free(locate->name);
		free(locate);
		return -ENOMEM;
	}
	locate->stack = stack;
	locate->port = uri->port;
	locate->sips = uri->scheme == SIP_SCHEME_SIPS;
	locate->any_kind = !sip_param(NULL, uri->params, "transport");
	locate->done = done;
	locate->arg = arg;
	timer_init(&locate->soon, stack->loop, tell, locate);

	locate_choose(&locate->kind, &locate->why, uri); /* what is wrong is told below */
	locate->err = sip_locate_now(&locate->flow, stack, uri, &locate->why);
	if (locate->err == -EINPROGRESS)
		begin(locate);
	else
		timer_start_in(&locate->soon, 0);
	*out = locate;
	return 0;
}

void sip_locate_cancel(struct sip_locate *locate)
{
	if (!locate)
		return;

	timer_stop(&locate->soon);
	sip_lookup_stop(&locate->naptr);
	for (size_t i = 0; i < locate->service_count; i++)
		sip_lookup_stop(&locate->services[i].lookup);
	for (size_t i = 0; i < locate->server_count; i++)
		sip_lookup_stop(&locate->servers[i].lookup);
	free(locate->host);
	free(locate->name);
	free(locate);
}
