#include "core/sip/dialog.h"

#include "core/sip/locate.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
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
	struct slice strict; /* URI of a first route that is strict, or empty */
	struct slice routes; /* Route lines but for that one */
	struct slice names;  /* the lines From, To and Call-ID */
	bool routed;         /* there is a route set: the target is not where requests go */
	uint32_t local_seq;
	int64_t remote_seq; /* -1: none yet */
	struct sip_auth *auth;
	bool called;        /* by the far end */
	bool direct;        /* it was the far end itself that sent what came by flow */
	struct addr behind; /* where it thinks that it is, if that is not so; else ADDR_NONE */

	/* What changes with the target (section 12.2.1.2); the slices point into way. */
	char *way;
	struct slice target;  /* URI of the far end's Contact */
	struct slice uri;     /* Request-URI */
	struct slice headers; /* the lines that are the same in each request */

	char room[]; /* where the other slices point */
};

/* What each side of section 12.1 makes a dialog from. */
struct origin {
	const struct sip_flow *flow;
	const struct sip_msg *peer; /* the message of the far end */
	bool reversed;              /* its Record-Route, as for a UAC */
	struct slice local, remote; /* values of From and To as we send them; without tag */
	const char *tag;            /* to be added to local; NULL: it has one */
	struct slice remote_tag;
	struct slice call_id; /* of the INVITE */
	struct slice target;  /* Contact of the far end */
	uint32_t local_seq;
	int64_t remote_seq;
	bool direct;        /* nobody is between us and the peer */
	struct addr behind; /* where the peer thinks that it is, if it is not */
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

/* Where requests go. */
struct path {
	struct sip_uri hop; /* to be located */
	struct sip_uri target;
	bool strict; /* the first route takes the place of the target (section 12.2.1.1) */
};

static int find_path(struct path *out, const struct routes *routes, struct slice target)
{
	struct sip_name_addr first;

	out->strict = false;
	if (sip_uri_parse(&out->target, target, NULL))
		return -EPROTO;
	out->hop = out->target;
	if (routes->count == 0)
		return 0;

	if (sip_name_addr_parse(&first, routes->values[0]) || first.wildcard)
		return -EPROTO;
	out->hop = first.uri;
	out->strict = !sip_param(NULL, first.uri.params, "lr");
	return 0;
}

static struct slice put(struct text *text, struct slice bytes)
{
	struct slice copy = {(const uint8_t *)text->data + text->len, bytes.len};

	text_put(text, bytes);
	return copy;
}

static struct slice put_routes(
	struct text *text, const struct routes *routes, const struct path *path)
{
	size_t start = text->len;

	for (size_t i = path->strict ? 1 : 0; i < routes->count; i++)
		sip_print_header(text, SIP_ROUTE, routes->values[i]);
	return (struct slice){(const uint8_t *)text->data + start, text->len - start};
}

static struct slice put_names(struct text *text, const struct origin *origin)
{
	size_t start = text->len;

	sip_print_header_text(text, SIP_FROM, "%.*s%s%s", (int)origin->local.len,
		(const char *)origin->local.data, origin->tag ? ";tag=" : "",
		origin->tag ? origin->tag : "");
	sip_print_header(text, SIP_TO, origin->remote);
	sip_print_header(text, SIP_CALL_ID, origin->call_id);
	return (struct slice){(const uint8_t *)text->data + start, text->len - start};
}

/* Without the headers, which no Request-URI may have (section 19.1.1, table 1). */
static struct slice put_uri(struct text *text, const struct sip_uri *uri)
{
	size_t start = text->len;

	sip_uri_print(text, uri);
	return (struct slice){(const uint8_t *)text->data + start, text->len - start};
}

/*
 * Section 12.2.1.1: the Request-URI and the lines for a target. To a strict router its own URI is
 * the Request-URI, and the target the last of the routes. -ENOMEM, with everything as it was.
 */
static int set_target(struct sip_dialog *dialog, struct slice target, const struct sip_uri *uri)
{
	size_t size = 2 * target.len + dialog->routes.len + dialog->names.len + LABELS_SIZE;
	char *way = calloc(size, 1);
	struct text text;
	size_t start;

	if (!way)
		return -ENOMEM;

	text = text_in(way, size);
	dialog->target = put(&text, target);
	dialog->uri = dialog->strict.len > 0 ? dialog->strict : put_uri(&text, uri);
	start = text.len;
	text_put(&text, dialog->routes);
	if (dialog->strict.len > 0)
		sip_print_header_text(
			&text, SIP_ROUTE, "<%.*s>", (int)target.len, (const char *)target.data);
	text_put(&text, dialog->names);
	dialog->headers = (struct slice){(const uint8_t *)way + start, text.len - start};
	assert(!text.cut);
	free(dialog->way);
	dialog->way = way;
	return 0;
}

/*
 * By TLS, as long as it goes to the same host, with whom the dialog has begun: who came to us may
 * be reached by no other connection, having no certificate to take one with; whom we called by name
 * has given us that name, and may have none for the bare address in its Contact (RFC 5923).
 */
static void stay_with(struct sip_flow *flow, const struct sip_flow *begun)
{
	if (flow->host == 0 || flow->transport != begun->transport ||
		!addr_same_host(&flow->remote, &begun->remote))
		return;
	flow->connection = begun->connection;
	if (begun->host != 0 && addr_equal(&flow->remote, &begun->remote))
		flow->host = begun->host;
}

/*
 * Who called us without a proxy, and believes to be where we do not see him, is behind a NAT, and
 * nobody is where his Contact says: he is at the other end of what he called by (RFC 5626). As long
 * as his connection stands, all goes by that, and after that to his Contact.
 */
static void go_back(
	const struct sip_dialog *dialog, struct sip_flow *flow, const struct sip_flow *begun)
{
	if (!dialog->direct || dialog->behind.family == ADDR_NONE)
		return;
	if (sip_flow_is_reliable(begun)) {
		flow->transport = begun->transport;
		flow->local = begun->local;
		flow->connection = begun->connection;
	} else if (flow->transport == begun->transport &&
		   addr_same_host(&flow->remote, &dialog->behind)) {
		flow->remote = begun->remote;
	}
}

/* Requests in a dialog go nowhere else. */
static void keep_flow(struct sip_dialog *dialog, const struct sip_flow *flow)
{
	const struct sip_flow begun = dialog->flow;

	dialog->flow = *flow;
	stay_with(&dialog->flow, &begun);
	go_back(dialog, &dialog->flow, &begun);
	dialog->flow.others = false;
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct sip_dialog *dialog = arg;

	(void)why;
	dialog->locate = NULL;
	if (!err && count > 0)
		keep_flow(dialog, &flows[0]);
}

/*
 * The next hop's address is known at once, as a rule. While its name is looked up, or if it cannot
 * be reached as it says, the way by which the dialog began is the best guess.
 */
static void find_flow(struct sip_dialog *dialog, const struct sip_uri *hop)
{
	struct sip_flow flow;
	struct fault why;
	int err;

	sip_locate_cancel(dialog->locate);
	dialog->locate = NULL;
	err = sip_locate_now(&flow, dialog->stack, hop, &why);
	if (!err)
		keep_flow(dialog, &flow);
	if (err == -EINPROGRESS)
		(void)sip_locate(&dialog->locate, dialog->stack, hop, located, dialog);
}

static size_t room_size(const struct origin *origin, const struct routes *routes)
{
	size_t size = LABELS_SIZE + origin->local.len + origin->remote.len +
		      origin->remote_tag.len + origin->call_id.len;

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
	dialog->flow.others = false;
	dialog->direct = origin->direct && routes.count == 0;
	dialog->behind = origin->behind;
	dialog->remote_tag = put(&text, origin->remote_tag);
	if (path.strict)
		dialog->strict = put_uri(&text, &path.hop);
	dialog->routes = put_routes(&text, &routes, &path);
	dialog->names = put_names(&text, origin);
	dialog->routed = routes.count > 0;
	dialog->called = !origin->reversed;
	dialog->local_seq = origin->local_seq;
	dialog->remote_seq = origin->remote_seq;
	if (text.cut || set_target(dialog, origin->target, &path.target)) {
		sip_dialog_free(dialog);
		return text.cut ? -EPROTO : -ENOMEM;
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
	const struct sip_flow *flow, const struct sip_sent *sent, const struct sip_msg *response)
{
	struct origin origin = {
		.flow = flow,
		.peer = response,
		.reversed = true,
		.local = sent->from,
		.remote = *sip_msg_header(response, SIP_TO),
		.remote_tag = response->to.tag,
		.call_id = sent->call_id,
		.local_seq = sent->cseq,
		.remote_seq = -1,
	};

	if (find_target(&origin.target, response, sent->uri))
		return -EPROTO;
	return make(out, stack, &origin);
}

/* A proxy would have put its Via before that of the far end. */
static bool has_one_via(const struct sip_msg *request)
{
	struct sip_cursor cursor = {0};
	struct slice via;

	return sip_msg_next(&via, &cursor, request, SIP_VIA) &&
	       !sip_msg_next(&via, &cursor, request, SIP_VIA);
}

/* What a NAT has made another address of. */
static struct addr believed(const struct sip_msg *request, const struct sip_flow *flow)
{
	struct addr addr;

	if (addr_parse(&addr, request->via.host) || addr_same_host(&addr, &flow->remote))
		return (struct addr){0};
	return addr;
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
		.call_id = request->call_id,
		.remote_seq = request->cseq,
		.direct = has_one_via(request),
		.behind = believed(request, flow),
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
	free(dialog->way);
	free(dialog);
}

void sip_dialog_inherit(struct sip_dialog *dialog, const struct sip_dialog *early)
{
	dialog->local_seq = early->local_seq;
	dialog->remote_seq = early->remote_seq;
}

int sip_dialog_refresh(struct sip_dialog *dialog, const struct sip_msg *msg)
{
	struct sip_uri uri;
	struct slice target;
	int err;

	if (find_target(&target, msg, dialog->target) || sip_uri_parse(&uri, target, NULL))
		return -EPROTO;
	if (slice_equal(target, dialog->target))
		return 0;
	err = set_target(dialog, target, &uri);
	if (!err && !dialog->routed)
		find_flow(dialog, &uri);
	return err;
}

bool sip_dialog_reroute(struct sip_dialog *dialog)
{
	return sip_flow_reroute(&dialog->flow);
}

void sip_dialog_authorize(struct sip_dialog *dialog, struct sip_auth *auth)
{
	dialog->auth = auth;
}

/* Section 22.1 has a far end beyond the proxies ask as the server does; only the way tells. */
static bool peer_asks(const struct sip_dialog *dialog, enum sip_method method)
{
	bool is_server = !dialog->routed && sip_auth_trusts(dialog->auth, &dialog->flow);

	return !is_server &&
	       (dialog->called || method == SIP_BYE || !sip_auth_has_realm(dialog->auth));
}

struct sip_stack *sip_dialog_stack(const struct sip_dialog *dialog)
{
	return dialog->stack;
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
		.auth = dialog->auth,
		.peer_asks = peer_asks(dialog, method),
	};
}

int sip_dialog_send(struct sip_request **out, struct sip_dialog *dialog, enum sip_method method,
	struct slice more, const struct sip_request_events *events, void *arg)
{
	struct sip_request_config config = config_of(dialog, method, ++dialog->local_seq);

	config.more = more;
	return sip_request_send(out, dialog->stack, &config, events, arg);
}

int sip_dialog_offer(struct sip_request **out, struct sip_dialog *dialog, struct slice more,
	const struct sip_body *body, const struct sip_request_events *events, void *arg)
{
	struct sip_request_config config = config_of(dialog, SIP_INVITE, ++dialog->local_seq);

	config.more = more;
	config.content_type = body->type;
	config.body = body->bytes;
	return sip_request_send(out, dialog->stack, &config, events, arg);
}

uint32_t sip_dialog_local_seq(const struct sip_dialog *dialog)
{
	return dialog->local_seq;
}

void sip_dialog_count(struct sip_dialog *dialog, uint32_t cseq)
{
	dialog->local_seq = cseq;
}

void sip_dialog_print_ack(struct text *out, const struct sip_dialog *dialog,
	const struct sip_flow *flow, uint32_t cseq, struct slice credentials,
	const struct sip_body *body)
{
	struct sip_request_config config = config_of(dialog, SIP_ACK, cseq);

	config.credentials = credentials;
	config.content_type = body->type;
	config.body = body->bytes;
	sip_request_print(out, dialog->stack, flow, &config);
}
