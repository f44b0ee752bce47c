#include "core/sip/stack.h"

#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/keep.h"
#include "core/sip/lookup.h"
#include "core/sip/registry.h"
#include "core/sip/request.h"
#include "core/sip/secure.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"
#include "core/sip/uas.h"

#include <stdlib.h>

/*
 * An ACK belongs to its INVITE's transaction (section 17.2.1), or, after a 2xx, to the dialog
 * (section 13.3.1.4). Nothing ever answers it.
 */
static void receive_ack(struct sip_stack *stack, const struct sip_msg *ack)
{
	struct sip_server *server = sip_server_find(stack, ack, SIP_INVITE);
	struct sip_invite *invite;

	if (server && sip_server_ack(server))
		return;
	invite = sip_invite_find(stack, ack->call_id, ack->to.tag);
	if (invite)
		sip_invite_ack(invite, ack);
}

static void receive(struct sip_stack *stack, const struct sip_flow *flow, struct sip_msg *msg)
{
	struct sip_server *server;

	msg->source = flow->remote;
	if (!msg->request) {
		sip_client_receive(stack, msg);
		goto out;
	}
	if (msg->method == SIP_ACK) {
		receive_ack(stack, msg);
		goto out;
	}
	server = sip_server_find(stack, msg, msg->method);
	if (server) {
		sip_server_follow(server, flow, &msg->via);
		sip_server_again(server, flow);
		goto out;
	}
	if (sip_server_is_full(stack)) {
		sip_server_refuse(stack, flow, msg);
		goto out;
	}
	if (sip_server_new(&server, stack, flow, msg)) {
		log_warning("sip: no memory for a request; its sender will repeat it");
		goto out;
	}
	msg = NULL; /* the transaction's from here on */
	sip_uas_receive(server);
out:
	sip_msg_free(msg);
}

static bool uses(const struct sip_stack *stack, const struct sip_flow *flow)
{
	return sip_client_uses(stack, flow->connection) ||
	       sip_server_uses(stack, flow->connection) || sip_invite_uses(stack, flow) ||
	       sip_keep_uses(stack, flow->connection);
}

static int init_tables(struct sip_stack *stack)
{
	struct table *tables[] = {&stack->client_table, &stack->server_table, &stack->merge_table,
		&stack->invite_table};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (table_init(tables[i]))
			return -ENOMEM;
	return 0;
}

static void init_lists(struct sip_stack *stack)
{
	list_init(&stack->transports);
	list_init(&stack->clients);
	list_init(&stack->servers);
	list_init(&stack->answered);
	list_init(&stack->requests);
	list_init(&stack->callers);
	list_init(&stack->invites);
	list_init(&stack->kept);
	list_init(&stack->keeps);
	list_init(&stack->leaves);
}

static int copy_path(const char **out, const char *path)
{
	if (!path)
		return 0;
	*out = slice_copy(slice_of(path));
	return *out ? 0 : -ENOMEM;
}

static int copy_paths(struct tls_config *out, const struct tls_config *config)
{
	return copy_path(&out->ca_file, config->ca_file) ||
			       copy_path(&out->certificate, config->certificate) ||
			       copy_path(&out->key, config->key)
		       ? -ENOMEM
		       : 0;
}

static int copy_config(struct sip_stack_config *out, const struct sip_stack_config *config)
{
	*out = *config;
	out->tls = (struct tls_config){0}; /* it comes last */
	out->user_agent = slice_copy(slice_of(config->user_agent));
	out->allow = slice_copy(slice_of(config->allow));
	out->accept = slice_copy(slice_of(config->accept));
	if (!out->user_agent || !out->allow || !out->accept)
		return -ENOMEM;
	return copy_paths(&out->tls, &config->tls);
}

int sip_stack_new(struct sip_stack **out, const struct sip_stack_config *config)
{
	struct sip_stack *stack;
	int err;

	stack = calloc(1, sizeof(*stack));
	if (!stack)
		return -ENOMEM;

	init_lists(stack);
	stack->loop = config->loop;
	stack->receive = receive;
	stack->uses = uses;
	sip_server_init(stack);
	loop_random(stack->loop, &stack->hash_seed, sizeof(stack->hash_seed));
	err = copy_config(&stack->config, config);
	if (err)
		goto out;
	err = init_tables(stack);
	if (err)
		goto out;
	*out = stack;
	stack = NULL;
out:
	sip_stack_free(stack);
	return err;
}

void sip_stack_free(struct sip_stack *stack)
{
	if (!stack)
		return;

	sip_invite_free_all(stack);
	sip_caller_free_all(stack);
	sip_request_free_all(stack);
	sip_client_free_all(stack);
	sip_server_free_all(stack);
	sip_lookup_forget_all(stack);
	list_each(link, &stack->transports)
		sip_transport_free(container_of(link, struct sip_transport, link));
	sip_secure_free(stack->secure);
	table_close(&stack->client_table);
	table_close(&stack->server_table);
	table_close(&stack->merge_table);
	table_close(&stack->invite_table);
	free((char *)stack->config.user_agent);
	free((char *)stack->config.allow);
	free((char *)stack->config.accept);
	free((char *)stack->config.tls.ca_file);
	free((char *)stack->config.tls.certificate);
	free((char *)stack->config.tls.key);
	free(stack);
}

bool sip_stack_owes(const struct sip_stack *stack)
{
	return sip_server_waits_for_ack(stack);
}

void sip_stack_reroute(struct sip_stack *stack)
{
	list_each(link, &stack->transports)
	{
		struct sip_transport *transport = container_of(link, struct sip_transport, link);

		if (transport->carrier->ops->reroute)
			transport->carrier->ops->reroute(transport);
	}
	sip_client_reroute(stack);
}

int sip_stack_listen(struct addr *out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *local)
{
	struct sip_transport *transport;
	int err;

	err = sip_transport_new(&transport, stack, kind, local);
	if (err)
		return err;

	list_add(&stack->transports, &transport->link);
	if (out)
		*out = transport->local;
	return 0;
}
