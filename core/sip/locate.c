#include "core/sip/locate.h"

#include "core/sip/registry.h"

#include <stdlib.h>

struct sip_locate {
	struct sip_stack *stack;
	enum sip_transport_kind kind;
	uint16_t port;
	struct resolve *resolve; /* NULL: none, and the timer tells what is known already */
	struct timer soon;
	int err;
	struct sip_flow flow;
	struct fault why;
	sip_located *done;
	void *arg;
	char *host;
};

/* Harmless in a sentence; what is too long is cut. */
enum { SHOWN_SIZE = 128 };

static const char *show(char out[static SHOWN_SIZE], struct slice name)
{
	struct text text = text_in(out, SHOWN_SIZE);

	text_put_escaped(&text, name);
	return out;
}

/*
 * Section 4.1 of RFC 3263. Without a parameter that is UDP for a numeric host or a port, and for a
 * name too, because no NAPTR or SRV record is asked for.
 */
int sip_locate_transport(enum sip_transport_kind *out, const struct sip_uri *uri)
{
	static const struct {
		const char *name;
		enum sip_transport_kind kind;
	} kinds[] = {{"udp", SIP_UDP}, {"tcp", SIP_TCP}};
	struct slice transport;

	*out = SIP_UDP;
	if (!sip_param(&transport, uri->params, "transport"))
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*out = kinds[i].kind;
		if (slice_is_nocase(transport, kinds[i].name))
			return 0;
	}
	return -EPROTONOSUPPORT;
}

static int choose(enum sip_transport_kind *out, struct fault *why, const struct sip_uri *uri)
{
	char shown[SHOWN_SIZE];
	struct slice transport;

	if (uri->scheme == SIP_SCHEME_TEL)
		return fault_set(why, -EPROTONOSUPPORT,
			"a telephone number needs a SIP server to be called through");
	if (uri->scheme == SIP_SCHEME_SIPS)
		return fault_set(why, -EPROTONOSUPPORT, "sips: needs TLS, which we do not speak");
	if (uri->scheme != SIP_SCHEME_SIP)
		return fault_set(why, -EPROTONOSUPPORT, "%s: is no way to call",
			show(shown, uri->scheme_name));
	if (sip_locate_transport(out, uri) == 0)
		return 0;
	sip_param(&transport, uri->params, "transport");
	return fault_set(why, -EPROTONOSUPPORT,
		"transport=%s is asked for, and we speak UDP and TCP only", show(shown, transport));
}

/* maddr stands for the host (RFC 3263, section 4). */
static struct slice host_of(const struct sip_uri *uri)
{
	struct slice maddr;

	return sip_param(&maddr, uri->params, "maddr") && maddr.len > 0 ? maddr : uri->host;
}

static uint16_t port_of(const struct sip_uri *uri)
{
	return uri->port ? uri->port : SIP_PORT;
}

static int find_flow(struct sip_flow *out, struct sip_stack *stack, struct fault *why,
	enum sip_transport_kind kind, const struct addr *to)
{
	static const char *const names[] = {[SIP_UDP] = "", [SIP_TCP] = " and TCP"};
	char text[ADDR_TEXT_SIZE];
	int err = sip_stack_flow(out, stack, kind, to);

	if (err == -EAFNOSUPPORT)
		return fault_set(why, err,
			"%s is reached by %s%s, and we listen on no such address",
			addr_print(text, to), to->family == ADDR_IPV6 ? "IPv6" : "IPv4",
			names[kind]);
	if (err)
		return fault_set(
			why, err, "no way to %s: %s", addr_print(text, to), strerror(-err));
	return 0;
}

int sip_locate_now(
	struct sip_flow *out, struct sip_stack *stack, const struct sip_uri *uri, struct fault *why)
{
	enum sip_transport_kind kind;
	struct addr to;
	int err = choose(&kind, why, uri);

	if (err)
		return err;
	if (addr_parse(&to, host_of(uri)))
		return -EINPROGRESS;

	to.port = port_of(uri);
	return find_flow(out, stack, why, kind, &to);
}

/* What a resolver's error means to a person; what is no answer is -EAGAIN. */
static int explain(struct sip_locate *locate, int err)
{
	char shown[SHOWN_SIZE];
	const char *host = show(shown, slice_of(locate->host));

	if (err == -ENOENT)
		return fault_set(&locate->why, err, "there is no host %s", host);
	if (err == -ENOMEM)
		return fault_set(&locate->why, err, "no memory to look up %s", host);
	if (err == -EAGAIN) /* it says no more than that */
		return fault_set(&locate->why, err, "no name server answers for %s", host);
	return fault_set(
		&locate->why, -EAGAIN, "no name server answers for %s: %s", host, strerror(-err));
}

/* Tells it, and is gone. */
static void finish(struct sip_locate *locate, int err, const struct sip_flow *flows, size_t count)
{
	sip_located *done = locate->done;
	void *arg = locate->arg;
	struct fault why = locate->why;

	locate->resolve = NULL;
	sip_locate_cancel(locate);
	done(arg, err, flows, count, &why);
}

static void resolved(void *arg, int err, const struct addr *addrs, size_t count)
{
	struct sip_locate *locate = arg;
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t found = 0;

	if (err) {
		finish(locate, explain(locate, err), NULL, 0);
		return;
	}
	for (size_t i = 0; i < count && found < SIP_LOCATE_MAX; i++) {
		struct addr to = addrs[i];
		int why;

		to.port = locate->port;
		why = find_flow(&flows[found], locate->stack, &locate->why, locate->kind, &to);
		if (why)
			err = why;
		else
			found++;
	}
	finish(locate, found > 0 ? 0 : err, flows, found);
}

static void tell(void *arg)
{
	struct sip_locate *locate = arg;
	struct sip_flow flow = locate->flow;

	finish(locate, locate->err, &flow, locate->err ? 0 : 1);
}

int sip_locate(struct sip_locate **out, struct sip_stack *stack, const struct sip_uri *uri,
	sip_located *done, void *arg)
{
	struct sip_locate *locate;
	int err;

	locate = calloc(1, sizeof(*locate));
	if (!locate)
		return -ENOMEM;

	locate->stack = stack;
	locate->port = port_of(uri);
	locate->done = done;
	locate->arg = arg;
	timer_init(&locate->soon, stack->loop, tell, locate);
	err = -ENOMEM;
	locate->host = slice_copy(host_of(uri));
	if (!locate->host)
		goto out;

	choose(&locate->kind, &locate->why, uri); /* what is wrong is told below */
	locate->err = sip_locate_now(&locate->flow, stack, uri, &locate->why);
	if (locate->err == -EINPROGRESS) {
		err = loop_resolve(&locate->resolve, stack->loop, locate->host, resolved, locate);
		if (err == -ENOMEM)
			goto out;
		locate->err = err ? explain(locate, err) : 0;
	}
	if (!locate->resolve)
		timer_start_in(&locate->soon, 0);
	*out = locate;
	return 0;
out:
	sip_locate_cancel(locate);
	return err;
}

void sip_locate_cancel(struct sip_locate *locate)
{
	if (!locate)
		return;

	timer_stop(&locate->soon);
	if (locate->resolve)
		resolve_cancel(locate->resolve);
	free(locate->host);
	free(locate);
}
