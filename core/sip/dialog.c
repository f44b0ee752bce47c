#include "core/sip/dialog.h"

#include "core/sip/locate.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"

#include <stdlib.h>

enum {
	ROUTES_MAX = 64,
	LABELS_SIZE = 256, /* what From, To, Call-ID and Route need beside their values */
};

struct sip_dialog {
	struct sip_stack *stack;
	struct sip_flow flow;
	struct sip_locate *locate;
	struct slice remote_tag;
	struct slice uri;     /* Request-URI */
	struct slice headers; /* the lines that are the same in each request */
	uint32_t local_seq;
	int64_t remote_seq; /* -1: none yet */
	char room[];        /* where the slices point */
};

/* What each side of section 12.1 makes a dialog from. */
struct origin {
	const struct sip_flow *flow;
	const struct sip_msg *peer; /* the message of the far end */
	bool reversed;              /* its Record-Route, as for a UAC */
	struct slice local, remote; /* values of From and To as we send them; without tag */
	const char *tag;            /* to be added to local; NULL: it has one */
	struct slice remote_tag;
	struct slice target; /* Contact of the far end */
	uint32_t local_seq;
	int64_t remote_seq;
};

struct routes {
	struct slice values[ROUTES_MAX]; /* in the order of Route */
	size_t count;
};

static int read_routes(struct routes *out, const struct origin *origin)
{
	struct sip_cursor cursor = {0};
	struct slice value;

	out->count = 0;
	while (sip_msg_next(&value, &cursor, origin->peer, SIP_RECORD_ROUTE)) {
		if (out->count == ROUTES_MAX)
			return -EPROTO;
		out->values[out->count++] = value;
	}
	for (size_t i = 0; origin->reversed && i < out->count / 2; i++) {
		value = out->values[i];
		out->values[i] = out->values[out->count - 1 - i];
		out->values[out->count - 1 - i] = value;
	}
	return 0;
}

/* Where requests go: their Request-URI, and the URI to be located. */
struct path {
	struct slice uri;
	struct sip_uri hop;
	bool strict; /* the first route takes the place of the target (section 12.2.1.1) */
};

static int find_path(struct path *out, const struct routes *routes, struct slice target)
{
	struct sip_name_addr first;

	out->strict = false;
	out->uri = target;
	if (routes->count == 0)
		return sip_uri_parse(&out->hop, target, NULL);

	if (sip_name_addr_parse(&first, routes->values[0]) || first.wildcard)
		return -EPROTO;
	out->hop = first.uri;
	out->strict = !sip_param(NULL, first.uri.params, "lr");
	if (out->strict)
		out->uri = first.uri_text;
	return 0;
}

static struct slice put(struct text *text, struct slice bytes)
{
	struct slice copy = {(const uint8_t *)text->data + text->len, bytes.len};

	text_put(text, bytes);
	return copy;
}

static struct slice put_headers(struct text *text, const struct origin *origin,
	const struct routes *routes, const struct path *path)
{
	size_t start = text->len;

	for (size_t i = path->strict ? 1 : 0; i < routes->count; i++)
		sip_print_header(text, SIP_ROUTE, routes->values[i]);
	if (path->strict)
		sip_print_header_text(text, SIP_ROUTE, "<%.*s>", (int)origin->target.len,
			(const char *)origin->target.data);
	sip_print_header_text(text, SIP_FROM, "%.*s%s%s", (int)origin->local.len,
		(const char *)origin->local.data, origin->tag ? ";tag=" : "",
		origin->tag ? origin->tag : "");
	sip_print_header(text, SIP_TO, origin->remote);
	sip_print_header(text, SIP_CALL_ID, origin->peer->call_id);
	return (struct slice){(const uint8_t *)text->data + start, text->len - start};
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct sip_dialog *dialog = arg;

	(void)why;
	dialog->locate = NULL;
	if (!err && count > 0)
		dialog->flow = flows[0];
}

/*
 * The next hop's address is known at once, as a rule. While its name is looked up, or if it cannot
 * be reached as it says, the way by which the dialog began is the best guess.
 */
static void find_flow(struct sip_dialog *dialog, const struct sip_uri *hop)
{
	struct fault why;

	if (sip_locate_now(&dialog->flow, dialog->stack, hop, &why) == -EINPROGRESS)
		(void)sip_locate(&dialog->locate, dialog->stack, hop, located, dialog);
}

static size_t room_size(const struct origin *origin, const struct routes *routes)
{
	size_t size = LABELS_SIZE + origin->local.len + origin->remote.len +
		      origin->remote_tag.len + 2 * origin->target.len + origin->peer->call_id.len;

	for (size_t i = 0; i < routes->count; i++)
		size += 2 * routes->values[i].len + sizeof("Route: \r\n");
	return size;
}

static int make(struct sip_dialog **out, struct sip_stack *stack, const struct origin *origin)
{
	struct routes routes;
	struct sip_dialog *dialog;
	struct path path;
	struct text text;
	size_t size;

	if (read_routes(&routes, origin) || find_path(&path, &routes, origin->target))
		return -EPROTO;
	size = room_size(origin, &routes);
	dialog = calloc(1, sizeof(*dialog) + size);
	if (!dialog)
		return -ENOMEM;

	text = text_in(dialog->room, size);
	dialog->stack = stack;
	dialog->flow = *origin->flow;
	dialog->remote_tag = put(&text, origin->remote_tag);
	dialog->uri = put(&text, path.uri);
	dialog->headers = put_headers(&text, origin, &routes, &path);
	dialog->local_seq = origin->local_seq;
	dialog->remote_seq = origin->remote_seq;
	if (text.cut) {
		free(dialog);
		return -EPROTO;
	}
	find_flow(dialog, &path.hop);
	*out = dialog;
	return 0;
}

/* The URI of the Contact of msg; fallback if there is none. */
static int find_target(struct slice *out, const struct sip_msg *msg, struct slice fallback)
{
	const struct slice *contact = sip_msg_header(msg, SIP_CONTACT);
	struct sip_name_addr peer;

	*out = fallback;
	if (!contact)
		return fallback.len > 0 ? 0 : -EPROTO;
	if (sip_name_addr_parse(&peer, *contact) || peer.wildcard ||
		(peer.uri.scheme != SIP_SCHEME_SIP && peer.uri.scheme != SIP_SCHEME_SIPS))
		return -EPROTO;
	*out = peer.uri_text;
	return 0;
}

/* A response without the Contact that it must have comes from where our request went. */
int sip_dialog_from_response(struct sip_dialog **out, struct sip_stack *stack,
	const struct sip_flow *flow, const struct sip_msg *request, const struct sip_msg *response)
{
	struct origin origin = {
		.flow = flow,
		.peer = response,
		.reversed = true,
		.local = *sip_msg_header(request, SIP_FROM),
		.remote = *sip_msg_header(response, SIP_TO),
		.remote_tag = response->to.tag,
		.local_seq = request->cseq,
		.remote_seq = -1,
	};

	if (find_target(&origin.target, response, request->uri_text))
		return -EPROTO;
	return make(out, stack, &origin);
}

int sip_dialog_from_request(struct sip_dialog **out, struct sip_stack *stack,
	const struct sip_flow *flow, const struct sip_msg *request, const char *tag)
{
	struct origin origin = {
		.flow = flow,
		.peer = request,
		.local = *sip_msg_header(request, SIP_TO),
		.tag = tag,
		.remote = *sip_msg_header(request, SIP_FROM),
		.remote_tag = request->from.tag,
		.remote_seq = request->cseq,
	};

	if (find_target(&origin.target, request, (struct slice){0}))
		return -EPROTO;
	return make(out, stack, &origin);
}

void sip_dialog_free(struct sip_dialog *dialog)
{
	if (!dialog)
		return;

	sip_locate_cancel(dialog->locate);
	free(dialog);
}

struct slice sip_dialog_remote_tag(const struct sip_dialog *dialog)
{
	return dialog->remote_tag;
}

const struct sip_flow *sip_dialog_flow(const struct sip_dialog *dialog)
{
	return &dialog->flow;
}

int sip_dialog_receive(struct sip_dialog *dialog, const struct sip_msg *request)
{
	if (!slice_equal(dialog->remote_tag, request->from.tag))
		return -ENOENT;
	if (request->cseq < dialog->remote_seq)
		return -ERANGE;

	dialog->remote_seq = request->cseq;
	return 0;
}

static struct sip_request_config config_of(
	const struct sip_dialog *dialog, enum sip_method method, uint32_t cseq)
{
	return (struct sip_request_config){
		.method = method,
		.uri = dialog->uri,
		.cseq = cseq,
		.headers = dialog->headers,
		.flow = &dialog->flow,
	};
}

int sip_dialog_send(struct sip_request **out, struct sip_dialog *dialog, enum sip_method method,
	struct slice more, const struct sip_request_events *events, void *arg)
{
	struct sip_request_config config = config_of(dialog, method, ++dialog->local_seq);

	config.more = more;
	return sip_request_send(out, dialog->stack, &config, events, arg);
}

void sip_dialog_print_ack(struct text *out, const struct sip_dialog *dialog, uint32_t cseq)
{
	struct sip_request_config config = config_of(dialog, SIP_ACK, cseq);

	sip_request_print(out, dialog->stack, &dialog->flow, &config);
}
