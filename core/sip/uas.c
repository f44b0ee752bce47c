#include "core/sip/uas.h"

#include "core/sip/body.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"

enum { LINES_SIZE = 4096 };

/* What a check has to say against a request; status 0: nothing. */
struct verdict {
	uint16_t status;
	const char *reason;
	struct text lines;
	char room[LINES_SIZE];
};

typedef void check(struct verdict *out, const struct sip_server *server, const struct sip_msg *msg);

/* What the parser had to say: 400, 505, 513, ... */
static void check_fault(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	(void)server;
	out->status = msg->fault_status;
	out->reason = msg->fault_reason;
}

static bool is_in_list(struct slice list, struct slice item)
{
	struct slice one;

	while (list.len > 0) {
		slice_cut(&one, &list, ',');
		if (slice_equal(slice_trim(one), item))
			return true;
	}
	return false;
}

/* Section 8.2.1; what no standard that we know of knows, is 501 (section 21.5.2). */
static void check_method(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	const struct sip_stack *stack = sip_server_stack(server);

	if (msg->method == SIP_METHOD_OTHER)
		out->status = 501;
	else if (!is_in_list(slice_of(stack->config.allow), msg->method_name))
		out->status = 405;
}

/* Section 8.2.2.1. */
static void check_scheme(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	(void)server;
	if (msg->uri.scheme == SIP_SCHEME_OTHER)
		out->status = 416;
}

/* Section 8.2.2.3; we support no extension. CANCEL's is to be ignored. */
static void check_require(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	struct slice token;

	(void)server;
	if (msg->method == SIP_CANCEL)
		return;
	while (sip_msg_next(&token, &cursor, msg, SIP_REQUIRE)) {
		struct text before = out->lines;

		out->status = 420;
		sip_print_header(&out->lines, SIP_UNSUPPORTED, token);
		if (out->lines.cut) /* whole lines only; there are some to begin with */
			out->lines = before;
	}
}

/* Section 12.2.2; and section 8.2.2.2, which is only for requests outside of dialogs. */
static void check_dialog(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	if (msg->method == SIP_CANCEL)
		return;
	if (msg->to.tag.len == 0) {
		if (msg->method == SIP_UPDATE) /* RFC 3311: only within one */
			out->status = 481;
		else if (sip_server_is_merged(server))
			out->status = 482;
	} else if (!sip_invite_find(sip_server_stack(server), msg->call_id, msg->to.tag)) {
		out->status = 481;
	}
}

/* Section 12.1.1: without a Contact there is no dialog. UPDATE may bring a new one. */
static void check_contact(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	const struct slice *contact = sip_msg_header(msg, SIP_CONTACT);
	struct sip_name_addr peer;

	(void)server;
	if (msg->method != SIP_INVITE && (msg->method != SIP_UPDATE || !contact))
		return;
	if (contact && sip_name_addr_parse(&peer, *contact) == 0 && !peer.wildcard &&
		(peer.uri.scheme == SIP_SCHEME_SIP || peer.uri.scheme == SIP_SCHEME_SIPS))
		return;
	out->status = 400;
	out->reason = contact ? "Bad Contact" : "Missing Contact";
}

/* Whether "application/sdp;q=0.5", "application/" with a star, or two stars, takes in a type. */
static bool is_in_range(struct slice range, struct slice type)
{
	struct slice wanted, major, name;

	slice_cut(&wanted, &range, ';');
	wanted = slice_trim(wanted);
	if (slice_is(wanted, "*/*") || slice_equal_nocase(wanted, type))
		return true;
	slice_cut(&major, &type, '/');
	slice_cut(&name, &wanted, '/');
	return slice_equal_nocase(name, major) && slice_is(wanted, "*");
}

/* Section 20.1: what an INVITE is answered with has to be among it; without one, it is. */
static void check_accept(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	struct slice type = slice_of(sip_server_stack(server)->config.accept);
	struct sip_cursor cursor = {0};
	struct slice range;

	if (msg->method != SIP_INVITE || !sip_msg_header(msg, SIP_ACCEPT))
		return;
	while (sip_msg_next(&range, &cursor, msg, SIP_ACCEPT))
		if (is_in_range(range, type))
			return;
	out->status = 406;
}

/* "render;handling=optional": it may be passed over by who does not know it (section 20.11). */
static bool is_optional(const struct sip_msg *msg)
{
	const struct slice *header = sip_msg_header_named(msg, "Content-Disposition");
	struct slice params, handling, type;

	if (!header)
		return false;
	params = *header;
	slice_cut(&type, &params, ';');
	params = (struct slice){header->data + type.len, header->len - type.len};
	return sip_param(&handling, params, "handling") && slice_is_nocase(handling, "optional");
}

static bool is_encoded(const struct sip_msg *msg)
{
	const struct slice *encoding = sip_msg_header(msg, SIP_CONTENT_ENCODING);

	return encoding && !slice_is_nocase(*encoding, "identity");
}

/* Section 8.2.3. */
static void check_body(
	struct verdict *out, const struct sip_server *server, const struct sip_msg *msg)
{
	struct slice body;

	if ((msg->method != SIP_INVITE && msg->method != SIP_UPDATE) || msg->body.len == 0)
		return;
	if (sip_body_find(&body, msg, sip_server_stack(server)->config.accept) || is_optional(msg))
		return;
	out->status = 415;
	if (is_encoded(msg))
		text_puts(&out->lines, "Accept-Encoding: identity\r\n");
}

/* Section 9.2. */
static void receive_cancel(struct sip_server *server, const struct sip_msg *msg)
{
	struct sip_server *invite = sip_server_find(sip_server_stack(server), msg, SIP_INVITE);

	if (!invite) {
		sip_server_respond(server, &(struct sip_response){.status = 481});
		return;
	}
	sip_server_share_tag(server, invite);
	sip_server_respond(server, &(struct sip_response){.status = 200});
	sip_server_cancel(invite, msg);
}

static void hand_over(struct sip_server *server, const struct sip_msg *msg)
{
	struct sip_stack *stack = sip_server_stack(server);

	if (msg->method == SIP_CANCEL)
		receive_cancel(server, msg);
	else if (msg->to.tag.len > 0)
		sip_invite_receive(sip_invite_find(stack, msg->call_id, msg->to.tag), server, msg);
	else
		stack->config.events->request(stack->config.arg, server, msg);
}

void sip_uas_receive(struct sip_server *server)
{
	static check *const checks[] = {check_fault, check_method, check_scheme, check_require,
		check_dialog, check_contact, check_accept, check_body};
	const struct sip_msg *msg = sip_server_request(server);
	struct verdict verdict = {0};

	verdict.lines = TEXT_IN(verdict.room);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		checks[i](&verdict, server, msg);
		if (verdict.status) {
			sip_server_respond(server, &(struct sip_response){.status = verdict.status,
							   .reason = verdict.reason,
							   .headers = text_slice(&verdict.lines)});
			return;
		}
	}
	hand_over(server, msg);
}
