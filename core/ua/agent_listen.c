#include "core/sip/secure.h"
#include "core/ua/agent_private.h"
#include "core/ua/way.h"

#include <errno.h>

/* How often a free port of UDP is looked for that is free for TCP as well. */
enum { TRIES = 16 };

static void tell(struct agent *agent, const struct agent_place *place, bool fallback, bool more)
{
	struct ua_event event = {
		.kind = UA_LISTENING,
		.wall_ns = loop_wall(agent->config.loop),
		.listening = {way_name(place->kind), place->address, fallback, more},
	};

	agent->config.event(agent->config.arg, &event);
}

/* Listens and notes where, without a word. */
static int listen_on(struct agent *agent, enum sip_transport_kind kind, const struct addr *local)
{
	struct agent_place *place = &agent->places[agent->place_count];
	int err;

	if (agent->place_count == AGENT_LISTENS_MAX)
		return -EMFILE;

	place->kind = kind;
	err = sip_stack_listen(&place->address, agent->stack, kind, local);
	if (!err)
		agent->place_count++;
	return err;
}

/* Others know by our certificate that it is us whom they have reached. */
static int check_secure(struct agent *agent, struct fault *why)
{
	int err = sip_secure_need(agent->stack, why);

	if (err || sip_secure_serves(agent->stack))
		return err;
	return fault_set(why, -EINVAL,
		"to listen by tls a certificate is needed: --tls-certificate FILE, and --tls-key");
}

int agent_listen(struct agent *agent, enum sip_transport_kind kind, const struct addr *local,
	bool fallback, struct fault *why)
{
	struct addr at = *local;
	char text[ADDR_TEXT_SIZE];
	bool fell_back = false;
	int err;

	err = kind == SIP_TLS ? check_secure(agent, why) : 0;
	if (err)
		return err;
	err = listen_on(agent, kind, &at);
	if (err == -EADDRINUSE && fallback) {
		at.port = 0;
		fell_back = true;
		err = listen_on(agent, kind, &at);
	}
	if (err)
		return fault_set(why, err, "cannot listen on %s %s: %s", way_name(kind),
			addr_print_port(text, local), strerror(-err));

	tell(agent, &agent->places[agent->place_count - 1], fell_back, false);
	return 0;
}

static void refuse(void *arg, struct tcp *tcp)
{
	(void)arg;
	tcp_free(tcp);
}

/* Whether both transports may have local's port; port 0 finds one, which goes to out. */
static int try_port(struct addr *out, struct loop *loop, const struct addr *local)
{
	struct tcp_listener *listener;
	struct udp *udp;
	int err;

	err = loop_udp_open(&udp, loop, local);
	if (err)
		return err;

	udp_local(out, udp);
	err = loop_tcp_listen(&listener, loop, out, refuse, NULL);
	if (!err)
		tcp_listener_free(listener);
	udp_free(udp);
	return err;
}

/* A port that both may have, which is nobody's: out has port 0 if there is none. */
static void find_port(struct addr *out, struct loop *loop, const struct addr *local)
{
	struct addr any = *local;

	any.port = 0;
	for (unsigned i = 0; i < TRIES; i++)
		if (try_port(out, loop, &any) == 0)
			return;
	*out = any;
}

/* UDP first: without it there is no telephone; without TCP, calls of moderate size still go. */
static int listen_both(struct agent *agent, const struct addr *local, bool fallback, bool more)
{
	struct agent_place *udp = &agent->places[agent->place_count];
	struct agent_place *tcp;
	int err;

	err = listen_on(agent, SIP_UDP, local);
	if (err)
		return err;

	tcp = &agent->places[agent->place_count];
	if (listen_on(agent, SIP_TCP, &udp->address) != 0)
		tcp = NULL;
	tell(agent, udp, fallback, tcp != NULL || more);
	if (tcp)
		tell(agent, tcp, fallback, more);
	return 0;
}

int agent_listen_both(struct agent *agent, const struct addr *local, struct fault *why)
{
	struct loop *loop = agent->config.loop;
	char text[ADDR_TEXT_SIZE];
	struct addr at = *local;
	int err;

	err = local->port == 0 ? -EADDRINUSE : try_port(&at, loop, local);
	if (err == -EADDRINUSE)
		find_port(&at, loop, local);
	else if (err) /* not both, for another reason: UDP alone may still do */
		at = *local;
	err = listen_both(agent, &at, local->port != 0 && at.port != local->port, false);
	if (err)
		return fault_set(why, err, "cannot listen on udp %s: %s",
			addr_print_port(text, local), strerror(-err));
	return 0;
}

/* A caller who was told to listen nowhere needs a port of each family that there is, for answers.
 */
static void listen_anywhere(struct agent *agent)
{
	static const enum addr_family families[] = {ADDR_IPV4, ADDR_IPV6};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct addr any = {.family = families[i]};

		/* a machine without it; a call that needs it will say so */
		(void)agent_listen_both(agent, &any, NULL);
	}
}

static bool has(const struct agent *agent, enum sip_transport_kind kind, const struct addr *host)
{
	for (size_t i = 0; i < agent->place_count; i++)
		if (agent->places[i].kind == kind &&
			addr_same_host(&agent->places[i].address, host))
			return true;
	return false;
}

/* The same port where it is free, for people who read traces. */
static void listen_beside(
	struct agent *agent, enum sip_transport_kind kind, const struct addr *other)
{
	struct addr at = *other;
	int err;

	err = listen_on(agent, kind, &at);
	if (err == -EADDRINUSE) {
		at.port = 0;
		err = listen_on(agent, kind, &at);
	}
	if (!err) /* else the call itself will say that there is no way */
		tell(agent, &agent->places[agent->place_count - 1], false, false);
}

void agent_need(struct agent *agent, enum sip_transport_kind kind)
{
	size_t count = agent->place_count;

	if (count == 0) {
		listen_anywhere(agent);
		return;
	}
	if (kind != SIP_UDP &&
		kind != SIP_TCP) /* goes by connections of ours, which the stack sees to */
		return;
	for (size_t i = 0; i < count; i++) {
		const struct addr host = agent->places[i].address;

		if (agent->places[i].kind != kind && !has(agent, kind, &host))
			listen_beside(agent, kind, &host);
	}
}
