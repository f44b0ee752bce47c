/*
 * core/sip/msg, body and reason: any bytes, read as a message. What was read lies inside of it;
 * printed again it is read as the same; and a good request can be answered so that the answer is
 * read, too.
 */
#include "core/base/text.h"
#include "core/sip/body.h"
#include "core/sip/msg.h"
#include "core/sip/print.h"
#include "core/sip/reason.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[4 * SIP_MESSAGE_MAX];

static void check_part(struct slice part, struct slice whole)
{
	assert(part.len == 0 ||
		(part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_addr(const struct sip_name_addr *addr, struct slice whole)
{
	check_part(addr->display, whole);
	check_part(addr->uri_text, whole);
	check_part(addr->params, whole);
	check_part(addr->tag, whole);
}

static void check_values(const struct sip_msg *msg, enum sip_header_name id)
{
	struct sip_cursor cursor = {0};
	struct sip_name_addr addr;
	struct sip_via via;
	struct slice value;

	while (sip_msg_next(&value, &cursor, msg, id)) {
		assert(value.len > 0);
		check_part(value, msg->raw);
		if (sip_name_addr_parse(&addr, value) == 0)
			check_addr(&addr, value);
		if (sip_via_parse(&via, value) == 0)
			check_part(via.params, value);
	}
}

static void check_bodies(const struct sip_msg *msg)
{
	static const char *const types[] = {"application/sdp", "text/plain", "multipart/mixed"};
	struct slice body;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (sip_body_find(&body, msg, types[i]))
			check_part(body, msg->body);
}

static void check_reason(const struct sip_msg *msg)
{
	struct sip_reason_value reason;
	char shown[2000];
	struct text out = TEXT_IN(shown);

	if (!sip_reason_find(&reason, msg))
		return;
	check_part(reason.protocol_name, msg->raw);
	check_part(reason.text, msg->raw);
	assert(reason.protocol_name.len > 0 && (reason.has_cause || reason.cause == 0));
	sip_reason_print(&out, &reason);
	for (size_t i = 0; i < out.len; i++)
		assert((uint8_t)out.data[i] >= ' ' && out.data[i] != 0x7f);
}

static void check(const struct sip_msg *msg)
{
	assert(msg->header_count <= SIP_HEADERS_MAX);
	for (size_t i = 0; i < msg->header_count; i++) {
		assert(msg->headers[i].name.len > 0);
		check_part(msg->headers[i].name, msg->raw);
		check_part(msg->headers[i].value, msg->raw);
		assert(sip_header_find(msg->headers[i].name) == msg->headers[i].id);
	}
	for (int id = 0; id < SIP_HEADER_OTHER; id++)
		check_values(msg, (enum sip_header_name)id);
	check_part(msg->body, msg->raw);
	check_bodies(msg);
	check_reason(msg);
	check_part(msg->call_id, msg->raw);
	check_part(msg->via.host, msg->raw);
	check_addr(&msg->from, msg->raw);
	check_addr(&msg->to, msg->raw);
	assert(!msg->fault_status == !msg->fault_reason);
	assert(msg->request || (msg->status >= 100 && msg->status <= 699));
	assert(msg->max_forwards >= -1 && msg->max_forwards <= 255);
}

static void print(struct text *out, const struct sip_msg *msg)
{
	if (msg->request) {
		text_put(out, msg->method_name);
		text_putc(out, ' ');
		text_put(out, msg->uri_text);
		text_puts(out, " SIP/2.0\r\n");
	} else {
		text_printf(out, "SIP/2.0 %u ", msg->status);
		text_put(out, msg->reason);
		text_puts(out, "\r\n");
	}
	for (size_t i = 0; i < msg->header_count; i++) {
		text_put(out, msg->headers[i].name);
		text_puts(out, ": ");
		text_put(out, msg->headers[i].value);
		text_puts(out, "\r\n");
	}
	text_puts(out, "\r\n");
	text_put(out, msg->body);
}

static void compare(const struct sip_msg *a, const struct sip_msg *b)
{
	assert(a->request == b->request && a->method == b->method && a->status == b->status);
	assert(slice_equal(a->uri_text, b->uri_text) && slice_equal(a->reason, b->reason));
	assert(a->header_count == b->header_count && slice_equal(a->body, b->body));
	for (size_t i = 0; i < a->header_count; i++)
		assert(slice_equal(a->headers[i].value, b->headers[i].value));
	assert(slice_equal(a->via.host, b->via.host) && slice_equal(a->via.branch, b->via.branch));
	assert(slice_equal(a->from.tag, b->from.tag) && slice_equal(a->to.tag, b->to.tag));
	assert(slice_equal(a->call_id, b->call_id) && a->cseq == b->cseq);
	assert(b->fault_status == 0);
}

static void answer(struct text *out, const struct sip_msg *request)
{
	static const struct addr source = {.family = ADDR_IPV4, .port = 5070, .ip = {192, 0, 2, 1}};

	sip_print_status_line(out, 200, NULL);
	sip_print_vias_of_response(out, request, &source, false);
	sip_print_copies(out, request, SIP_FROM);
	sip_print_copies(out, request, SIP_TO);
	sip_print_copies(out, request, SIP_CALL_ID);
	sip_print_copies(out, request, SIP_CSEQ);
	sip_print_body(out, "text/plain", request->body);
}

static struct sip_msg *read_again(const struct text *text)
{
	struct sip_msg *msg = NULL;
	int err;

	assert(!text->cut);
	if (text->len > SIP_MESSAGE_MAX)
		return NULL;
	err = sip_msg_parse(&msg, text_slice(text));
	assert(err == 0);
	return msg;
}

static void check_answer(const struct sip_msg *request)
{
	struct text out = TEXT_IN(room);
	struct sip_msg *response;

	answer(&out, request);
	response = read_again(&out);
	if (response) {
		assert(slice_equal(response->via.branch, request->via.branch));
		assert(slice_equal(response->call_id, request->call_id));
		assert(slice_equal(response->body, request->body));
		assert(!request->via.has_rport || response->via.rport == 5070);
	}
	sip_msg_free(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text out = TEXT_IN(room);
	struct sip_msg *again;
	struct sip_msg *msg;
	int err;

	err = sip_msg_parse(&msg, (struct slice){data, size});
	assert(err == 0 || err == -EPROTO || err == -EMSGSIZE);
	if (err)
		return 0;

	check(msg);
	if (msg->fault_status == 0) {
		print(&out, msg);
		again = read_again(&out);
		if (again)
			compare(msg, again);
		sip_msg_free(again);
		if (msg->request)
			check_answer(msg);
	}
	sip_msg_free(msg);
	return 0;
}
