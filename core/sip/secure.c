#include "core/sip/secure.h"

#include "core/net/tls.h"
#include "core/net/websocket.h"
#include "core/sip/registry.h"
#include "core/sip/transport.h"

#include <stdlib.h>

enum {
	NAMES_MAX = 1024, /* who calls us can bring some, too */
	NOTES_MAX = 8,
};

struct note {
	struct addr remote;
	uint32_t host;
	struct fault why;
};

struct sip_secure {
	struct tls *tls; /* NULL: nothing has gone by TLS */
	uint32_t newest; /* number of a name */
	char *names[NAMES_MAX];
	struct note notes[NOTES_MAX];
	size_t next_note;
};

static int need(struct sip_stack *stack, struct fault *why)
{
	if (!stack->secure)
		stack->secure = calloc(1, sizeof(*stack->secure));
	return stack->secure ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

int sip_secure_need(struct sip_stack *stack, struct fault *why)
{
	int err = need(stack, why);

	if (err || stack->secure->tls)
		return err;
	return tls_new(&stack->secure->tls, &stack->config.tls, why);
}

int sip_secure_need_for(struct sip_stack *stack, enum sip_transport_kind kind, struct fault *why)
{
	int err = kind == SIP_WS ? need(stack, why) : sip_secure_need(stack, why);

	return err || kind == SIP_TLS ? err : websocket_need(why);
}

int sip_secure_open(struct sip_stack *stack, enum sip_transport_kind kind, enum addr_family family,
	struct fault *why)
{
	struct sip_transport *transport;
	int err;

	if (sip_stack_listens(stack, kind, family))
		return 0;
	err = sip_secure_need_for(stack, kind, why);
	if (err)
		return err;
	err = sip_transport_new_calling(&transport, stack, kind, family);
	if (err)
		return fault_set(why, err, "no %s: %s", kind == SIP_TLS ? "TLS" : "WebSocket",
			strerror(-err));
	list_add(&stack->transports, &transport->link);
	return 0;
}

void sip_secure_free(struct sip_secure *secure)
{
	if (!secure)
		return;

	for (size_t i = 0; i < NAMES_MAX; i++)
		free(secure->names[i]);
	tls_free(secure->tls);
	free(secure);
}

struct tls *sip_secure_tls(const struct sip_stack *stack)
{
	return stack->secure->tls;
}

bool sip_secure_serves(const struct sip_stack *stack)
{
	return stack->secure && stack->secure->tls && tls_has_certificate(stack->secure->tls);
}

/* The number of a name leads to its place, and to none but its own. */
static uint32_t number_at(const struct sip_secure *secure, size_t place)
{
	uint32_t newest = secure->newest % NAMES_MAX;
	uint32_t ago = (uint32_t)(newest + NAMES_MAX - place) % NAMES_MAX;

	return secure->newest - ago;
}

uint32_t sip_secure_host(struct sip_stack *stack, struct slice name)
{
	struct sip_secure *secure = stack->secure;
	char *copy;
	char **place;

	for (size_t i = 0; i < NAMES_MAX; i++)
		if (secure->names[i] && slice_is_nocase(name, secure->names[i]))
			return number_at(secure, i);
	copy = slice_copy(name);
	if (!copy)
		return 0;

	place = &secure->names[++secure->newest % NAMES_MAX];
	free(*place);
	*place = copy;
	return secure->newest;
}

const char *sip_secure_name(const struct sip_stack *stack, uint32_t host)
{
	const struct sip_secure *secure = stack->secure;

	if (!secure || host == 0 || host > secure->newest || secure->newest - host >= NAMES_MAX)
		return NULL;
	return secure->names[host % NAMES_MAX];
}

bool sip_secure_leads(const struct sip_stack *stack, uint32_t host, uint32_t other)
{
	const char *name = sip_secure_name(stack, host), *wanted = sip_secure_name(stack, other);
	struct slice rest, before;

	if (host == other || !name || !wanted)
		return host == other;
	rest = slice_of(name);
	slice_cut(&before, &rest, '/');
	return slice_is_nocase(before, wanted);
}

static bool is_of(const struct note *note, const struct sip_flow *flow)
{
	return note->host == flow->host && addr_equal(&note->remote, &flow->remote);
}

static struct note *find_note(struct sip_secure *secure, const struct sip_flow *flow)
{
	for (size_t i = 0; i < NOTES_MAX; i++)
		if (is_of(&secure->notes[i], flow))
			return &secure->notes[i];
	return NULL;
}

void sip_secure_note(struct sip_stack *stack, const struct sip_flow *flow, const char *words)
{
	struct sip_secure *secure = stack->secure;
	struct note *note = find_note(secure, flow);

	if (!note && words[0] == '\0')
		return;
	if (!note)
		note = &secure->notes[secure->next_note++ % NOTES_MAX];
	*note = (struct note){.remote = flow->remote, .host = flow->host};
	fault_set(&note->why, 0, "%s", words);
}

const char *sip_flow_trouble(const struct sip_flow *flow)
{
	struct sip_secure *secure = flow->transport ? flow->transport->stack->secure : NULL;
	const struct note *note;

	if (!secure || !flow->transport->carrier->named)
		return NULL;
	note = find_note(secure, flow);
	return note && note->why.words[0] != '\0' ? note->why.words : NULL;
}
