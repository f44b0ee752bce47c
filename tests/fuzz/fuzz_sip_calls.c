/*
 * core/sip, with all that it remembers: a stack and its calls get messages one after the other, in
 * an order that nobody would send. Whatever comes, each request of ours can be read, and once all
 * calls were hung up and time has passed, nothing is left over.
 *
 * The input is text, made of steps. A step is a line, and what follows, up to the next line that
 * begins with '#', is a message:
 *
 *     #a          a message comes from host a; #b: from b
 *     #call a     we call; #ring, #accept, #reject, #hangup, #change, #drop: the newest call
 *     #wait 500   so many ms pass
 *     #lost       from here on nobody hears us; #heard: they do again
 *
 * In a message, {via}, {branch}, {call-id}, {from}, {to}, {tag} and {cseq} stand for what our last
 * message had there, the last two for the tag in its To and the number in its CSeq; {mine} is the
 * tag in its From. A line feed alone ends a line.
 */
#include "core/base/text.h"
#include "core/sip/invite.h"
#include "core/sip/msg.h"
#include "core/sip/registry.h"
#include "core/sip/stack.h"
#include "tests/unit/sip_world.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	CALLS_MAX = 8,
	STEPS_MAX = 64,
	WAIT_MAX_MS = 100000,
	SETTLE_NS_S = 400, /* longer than any timer of the standard, a few times */
	ROOM = 3 * SIP_MESSAGE_MAX,
};

struct rig;

struct call {
	struct rig *rig;
	struct sip_invite *invite; /* NULL: a free place */
};

struct rig {
	struct world world;
	struct sip_stack *stack;
	struct addr stack_addr;
	struct udp *a, *b;
	bool lost;
	bool closing; /* take no call any more: a request of ours may still come back to us */
	struct call calls[CALLS_MAX];
	struct call *newest;  /* NULL: none */
	struct sip_msg *last; /* the last message of ours, or NULL */
	size_t seen;          /* of world.sent */
};

static char room[ROOM];

static void hear(void *arg, const struct sip_msg *msg)
{
	(void)arg;
	assert(msg);
}

static void answered(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;

	assert(response->status >= 200 && response->status < 300);
	if (response->body.len > 0 && response->body.data[0] == 'o')
		(void)sip_invite_answer(call->invite, "application/sdp", slice_of("answer"));
}

static void change(void *arg, const struct sip_msg *request, struct sip_response *response)
{
	(void)arg;
	assert(request->method == SIP_INVITE || request->method == SIP_UPDATE);
	if (request->body.len > 0 && request->body.data[0] == 'x') {
		response->status = 488;
		return;
	}
	response->content_type = "application/sdp";
	response->body = slice_of(request->body.len > 0 ? "answer" : "offer");
}

static void unchanged(void *arg, const struct sip_msg *response)
{
	(void)response;
	assert(((struct call *)arg)->invite);
}

static void retry(void *arg)
{
	struct call *call = arg;

	(void)sip_invite_change(call->invite, "application/sdp", slice_of("offer again"));
}

static void ended(void *arg, const struct sip_invite_end *end)
{
	struct call *call = arg;

	(void)end;
	if (call->rig->newest == call)
		call->rig->newest = NULL;
	sip_invite_free(call->invite);
	call->invite = NULL;
}

static const struct sip_invite_events events = {
	.provisional = hear,
	.answered = answered,
	.confirmed = hear,
	.change = change,
	.changed = answered,
	.unchanged = unchanged,
	.retry = retry,
	.ended = ended,
};

static struct call *place(struct rig *rig)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (!rig->calls[i].invite)
			return &rig->calls[i];
	return NULL;
}

static void request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	const struct sip_contact contact = {.user = slice_of("us")};
	struct rig *rig = arg;
	struct call *call = place(rig);

	if (msg->method != SIP_INVITE || !call || rig->closing) {
		sip_server_respond(server, &(struct sip_response){.status = 486});
		return;
	}
	if (sip_invite_take(&call->invite, rig->stack, server, msg, &contact, &events, call))
		call->invite = NULL;
	else
		rig->newest = call;
}

/* What keeps a way open is no message: two empty lines, or STUN (RFC 5626, sections 4.4 and 8). */
static bool keeps_alive(const char *sent)
{
	return strcmp(sent, "\r\n\r\n") == 0 || sent[0] == 0 || sent[0] == 1;
}

/* Reads what was sent since the last look. */
static void look(struct rig *rig)
{
	for (; rig->seen < rig->world.sent_count; rig->seen++) {
		const struct world_sent *sent = &rig->world.sent[rig->seen];
		struct sip_msg *msg;
		int err;

		if (!addr_equal(&sent->from, &rig->stack_addr) || keeps_alive(sent->text))
			continue;
		err = sip_msg_parse(&msg, slice_of(sent->text));
		/* a response repeats what was wrong with its request */
		assert(err == 0 || strncmp(sent->text, "SIP/2.0 ", 8) == 0);
		if (err)
			continue;
		assert(msg->fault_status == 0);
		sip_msg_free(rig->last);
		rig->last = msg;
	}
}

static void ignore(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	(void)arg;
	(void)from;
	(void)to;
	(void)bytes;
	(void)arrival_ns;
}

static void fate(void *arg, struct world_fate *out, const struct addr *from, const struct addr *to,
	struct slice bytes)
{
	const struct rig *rig = arg;

	(void)to;
	(void)bytes;
	if (rig->lost && addr_equal(from, &rig->stack_addr))
		out->copies = 0;
}

static struct udp *open_host(struct rig *rig, const char *address)
{
	static const struct udp_events nobody = {.datagram = ignore};
	struct loop *loop = world_host(&rig->world, address);
	struct addr local = {.family = ADDR_IPV4, .port = SIP_PORT};
	struct udp *udp;
	int err;

	err = loop_udp_open(&udp, loop, &local);
	assert(err == 0);
	udp_start(udp, loop, &nobody, NULL);
	return udp;
}

static void open_rig(struct rig *rig)
{
	static const struct sip_stack_events stack_events = {.request = request};
	struct sip_stack_config config = {
		.user_agent = "fuzz",
		.allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE",
		.accept = "application/sdp",
		.events = &stack_events,
		.arg = rig,
	};
	struct addr local = {.family = ADDR_IPV4, .port = SIP_PORT};
	int err;

	world_open(&rig->world, 1);
	rig->world.hook = fate;
	rig->world.hook_arg = rig;
	for (size_t i = 0; i < CALLS_MAX; i++)
		rig->calls[i].rig = rig;
	config.loop = world_host(&rig->world, "192.0.2.1");
	err = sip_stack_new(&rig->stack, &config);
	assert(err == 0);
	err = sip_stack_listen(&rig->stack_addr, rig->stack, SIP_UDP, &local);
	assert(err == 0);
	rig->stack_addr = world_addr("192.0.2.1:5060");
	rig->a = open_host(rig, "192.0.2.2");
	rig->b = open_host(rig, "192.0.2.3");
}

static void put_part(struct text *out, const struct rig *rig, struct slice name)
{
	const struct sip_msg *last = rig->last;
	struct {
		const char *name;
		struct slice value;
	} parts[] = {
		{"via", *sip_msg_header(last, SIP_VIA)},
		{"branch", last->via.branch},
		{"call-id", last->call_id},
		{"from", *sip_msg_header(last, SIP_FROM)},
		{"to", *sip_msg_header(last, SIP_TO)},
		{"tag", last->to.tag},
		{"mine", last->from.tag},
	};

	if (slice_is(name, "cseq"))
		text_printf(out, "%lu", (unsigned long)last->cseq);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (slice_is(name, parts[i].name))
			text_put(out, parts[i].value);
}

/* The message with what stands in braces filled in, and CRLF at the ends of lines. */
static void fill(struct text *out, const struct rig *rig, struct slice message)
{
	struct slice name;

	for (size_t i = 0; i < message.len; i++) {
		uint8_t byte = message.data[i];
		const uint8_t *close = NULL;

		if (byte == '\n' && (i == 0 || message.data[i - 1] != '\r'))
			text_putc(out, '\r');
		if (byte == '{' && rig->last)
			close = memchr(message.data + i, '}', message.len - i);
		if (!close) {
			text_putc(out, (char)byte);
			continue;
		}
		name = (struct slice){message.data + i + 1, (size_t)(close - message.data) - i - 1};
		put_part(out, rig, name);
		i += name.len + 1;
	}
}

static void send_from(struct rig *rig, struct udp *udp, struct slice message)
{
	struct text text = TEXT_IN(room);

	fill(&text, rig, message);
	if (!text.cut)
		(void)udp_send(udp, &rig->stack_addr, text_slice(&text));
}

static void step_a(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	send_from(rig, rig->a, message);
}

static void step_b(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	send_from(rig, rig->b, message);
}

static void step_call(struct rig *rig, struct slice argument, struct slice message)
{
	struct call *call = place(rig);
	struct addr remote =
		world_addr(slice_is(argument, "b") ? "192.0.2.3:5060" : "192.0.2.2:5060");
	struct sip_flow flow;
	struct sip_invite_config config = {
		.flow = &flow,
		.target = slice_of("sip:them@192.0.2.2"),
		.from_uri = slice_of("sip:us@192.0.2.1"),
		.contact.user = slice_of("us"),
		.content_type = "application/sdp",
		.body = slice_of(message.len > 0 ? "" : "offer"),
	};

	if (!call || sip_stack_flow(&flow, rig->stack, SIP_UDP, &remote))
		return;
	if (sip_invite_call(&call->invite, rig->stack, &config, &events, call))
		call->invite = NULL;
	else
		rig->newest = call;
}

/* What can be done to the newest call, if its state allows it. */
static void step_ring(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (rig->newest && sip_invite_state(rig->newest->invite) == SIP_INVITE_INCOMING)
		(void)sip_invite_ring(rig->newest->invite, 180);
}

static void step_accept(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (rig->newest && sip_invite_state(rig->newest->invite) == SIP_INVITE_INCOMING)
		(void)sip_invite_accept(rig->newest->invite, "application/sdp", slice_of("answer"));
}

static void step_reject(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (rig->newest && sip_invite_state(rig->newest->invite) == SIP_INVITE_INCOMING)
		sip_invite_reject(rig->newest->invite, &(struct sip_response){.status = 486});
}

static void step_change(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (rig->newest && sip_invite_state(rig->newest->invite) == SIP_INVITE_CONFIRMED)
		(void)sip_invite_change(rig->newest->invite, "application/sdp", slice_of("offer"));
}

static void step_hangup(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (rig->newest)
		sip_invite_hangup(rig->newest->invite, (struct slice){0});
}

static void step_drop(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	if (!rig->newest)
		return;
	sip_invite_free(rig->newest->invite);
	rig->newest->invite = NULL;
	rig->newest = NULL;
}

static void step_wait(struct rig *rig, struct slice argument, struct slice message)
{
	uint64_t ms;

	(void)message;
	if (slice_number(&ms, argument, WAIT_MAX_MS) == 0)
		world_run(&rig->world, ms * NS_PER_MS);
}

static void step_lost(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	rig->lost = true;
}

static void step_heard(struct rig *rig, struct slice argument, struct slice message)
{
	(void)argument;
	(void)message;
	rig->lost = false;
}

static void run_step(
	struct rig *rig, struct slice word, struct slice argument, struct slice message)
{
	static const struct {
		const char *word;
		void (*run)(struct rig *rig, struct slice argument, struct slice message);
	} steps[] = {
		{"a", step_a},
		{"b", step_b},
		{"call", step_call},
		{"ring", step_ring},
		{"accept", step_accept},
		{"reject", step_reject},
		{"change", step_change},
		{"hangup", step_hangup},
		{"drop", step_drop},
		{"wait", step_wait},
		{"lost", step_lost},
		{"heard", step_heard},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (slice_is(word, steps[i].word))
			steps[i].run(rig, argument, message);
	world_run(&rig->world, 5 * NS_PER_MS);
	look(rig);
}

/* The end of the step that begins at from: the next line that begins with '#'. */
static size_t step_end(struct slice input, size_t from)
{
	for (size_t at = from; at + 1 < input.len; at++)
		if (input.data[at] == '\n' && input.data[at + 1] == '#')
			return at + 1;
	return input.len;
}

static void run(struct rig *rig, struct slice input)
{
	size_t at = 0;

	for (int steps = 0; at < input.len && steps < STEPS_MAX; steps++) {
		size_t end = step_end(input, at);
		struct slice message = {input.data + at, end - at};
		struct slice argument, word;

		at = end;
		slice_cut(&argument, &message, '\n');
		if (argument.len == 0 || argument.data[0] != '#')
			continue;
		argument = (struct slice){argument.data + 1, argument.len - 1};
		slice_cut(&word, &argument, ' ');
		run_step(rig, word, argument, message);
	}
}

static void close_rig(struct rig *rig)
{
	rig->closing = true;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (rig->calls[i].invite)
			sip_invite_hangup(rig->calls[i].invite, (struct slice){0});
	world_run(&rig->world, SETTLE_NS_S * NS_PER_S);
	look(rig);
	for (size_t i = 0; i < CALLS_MAX; i++)
		assert(!rig->calls[i].invite);
	assert(list_empty(&rig->stack->clients) && list_empty(&rig->stack->servers));
	assert(list_empty(&rig->stack->requests) && list_empty(&rig->stack->callers));
	assert(list_empty(&rig->stack->invites));
	sip_stack_free(rig->stack);
	udp_free(rig->a);
	udp_free(rig->b);
	sip_msg_free(rig->last);
	assert(rig->world.timer_count == 0);
	world_close(&rig->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		abort();
	open_rig(rig);
	run(rig, (struct slice){data, size});
	close_rig(rig);
	free(rig);
	return 0;
}
