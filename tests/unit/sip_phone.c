#include "tests/unit/sip_phone.h"

#include "core/base/text.h"
#include "core/sip/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const char *const causes[] = {
	[SIP_ENDED_LOCAL] = "local",
	[SIP_ENDED_REMOTE] = "remote",
	[SIP_ENDED_REJECTED] = "rejected",
	[SIP_ENDED_TIMEOUT] = "timeout",
	[SIP_ENDED_UNREACHABLE] = "unreachable",
	[SIP_ENDED_ERROR] = "error",
};

static void note(struct phone *phone, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct phone *phone, const char *format, ...)
{
	size_t len = strlen(phone->log);
	va_list args;

	va_start(args, format);
	vsnprintf(phone->log + len, sizeof(phone->log) - len, format, args);
	va_end(args);
}

static void free_invite(struct phone *phone)
{
	sip_invite_free(phone->invite);
	phone->invite = NULL;
}

static void act(struct phone *phone, enum phone_event event)
{
	enum phone_action action = phone->action[event];

	if (action == PHONE_HANGUP || action == PHONE_HANGUP_AND_FREE)
		phone_hangup(phone);
	if (action == PHONE_OFFER) {
		phone->action[event] = PHONE_NOTHING; /* once */
		note(phone, "offer(%d) ", phone_change(phone));
	}
	if (action == PHONE_FREE || action == PHONE_HANGUP_AND_FREE)
		free_invite(phone);
}

static void put_answer(struct phone *phone)
{
	int err = 0;

	if (phone->in_ack)
		err = sip_invite_answer(phone->invite, "application/sdp", slice_of(phone->in_ack));
	assert_true(err == 0 || err == -ENOMEM);
}

static void provisional(void *arg, const struct sip_msg *response)
{
	struct phone *phone = arg;

	note(phone, "%u ", response->status);
	act(phone, PHONE_PROVISIONAL);
}

static void answered(void *arg, const struct sip_msg *response)
{
	struct phone *phone = arg;

	note(phone, "answered(%.*s) ", (int)response->body.len, (const char *)response->body.data);
	put_answer(phone);
	act(phone, PHONE_ANSWERED);
}

static void confirmed(void *arg, const struct sip_msg *ack)
{
	struct phone *phone = arg;

	if (ack->body.len > 0)
		note(phone, "confirmed(%.*s) ", (int)ack->body.len, (const char *)ack->body.data);
	else
		note(phone, "confirmed ");
	act(phone, PHONE_CONFIRMED);
}

static void change(void *arg, const struct sip_msg *request, struct sip_response *response)
{
	struct phone *phone = arg;

	note(phone, "change(%.*s %.*s) ", (int)request->method_name.len,
		(const char *)request->method_name.data, (int)request->body.len,
		(const char *)request->body.data);
	assert_int_equal(response->status, 200);
	if (phone->refuse) {
		response->status = phone->refuse;
	} else {
		response->content_type = "application/sdp";
		response->body = slice_of(request->body.len > 0 ? "new answer" : "counter");
	}
	response->headers = slice_of(phone->change_lines ? phone->change_lines : "");
	act(phone, PHONE_CHANGE);
}

static void changed(void *arg, const struct sip_msg *response)
{
	struct phone *phone = arg;

	note(phone, "changed(%.*s) ", (int)response->body.len, (const char *)response->body.data);
	put_answer(phone);
	act(phone, PHONE_CHANGED);
}

static void unchanged(void *arg, const struct sip_msg *response)
{
	struct phone *phone = arg;

	note(phone, "unchanged(%u) ", response ? response->status : 0);
	act(phone, PHONE_UNCHANGED);
}

static void retry(void *arg)
{
	struct phone *phone = arg;

	note(phone, "retry ");
	if (phone->persist)
		assert_int_equal(phone_change(phone), 0);
	act(phone, PHONE_RETRY);
}

static void ended(void *arg, const struct sip_invite_end *end)
{
	struct phone *phone = arg;

	note(phone, "ended(%s %u %d) ", causes[end->cause], end->status, end->err);
	phone->end = *end;
	phone->end.msg = NULL;
	phone->end.reason = (struct slice){0};
	phone->ended++;
	if (phone->invite) /* NULL: sip_invite_call() has not returned */
		assert_int_equal(sip_invite_state(phone->invite), SIP_INVITE_ENDED);
	act(phone, PHONE_ENDED);
}

static const struct sip_invite_events invite_events = {
	.provisional = provisional,
	.answered = answered,
	.confirmed = confirmed,
	.change = change,
	.changed = changed,
	.unchanged = unchanged,
	.retry = retry,
	.ended = ended,
};

static void take(struct phone *phone, struct sip_server *server, const struct sip_msg *msg)
{
	const struct sip_contact contact = {.user = slice_of("b")};

	phone->incoming++;
	if (sip_invite_take(
		    &phone->invite, phone->stack, server, msg, &contact, &invite_events, phone))
		return;
	if (phone->auth)
		sip_invite_authorize(phone->invite, phone->auth);
	if (phone->forget)
		free_invite(phone);
	note(phone, "incoming(%.*s) ", (int)msg->body.len, (const char *)msg->body.data);
	if (phone->forget)
		return;
	if (phone->ring)
		sip_invite_ring(phone->invite, phone->ring);
	if (phone->accept)
		phone_accept(phone);
}

static void request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	struct phone *phone = arg;

	if (msg->method == SIP_INVITE && !phone->untaken) {
		if (phone->invite)
			sip_server_respond(server, &(struct sip_response){.status = 486});
		else
			take(phone, server, msg);
		return;
	}
	note(phone, "%.*s ", (int)msg->method_name.len, (const char *)msg->method_name.data);
	phone->server = server;
	if (phone->reply)
		sip_server_respond(server, &(struct sip_response){.status = phone->reply});
}

int phone_open(struct phone *phone, struct loop *loop, const char *address_and_port)
{
	static const struct sip_stack_events events = {.request = request};
	struct sip_stack_config config = {
		.loop = loop,
		.user_agent = "test",
		.allow = "INVITE, ACK, BYE, CANCEL, OPTIONS",
		.accept = "application/sdp",
		.events = &events,
		.arg = phone,
	};
	struct addr local = world_addr(address_and_port);
	int err;

	*phone = (struct phone){.loop = loop, .reply = 200};
	err = sip_stack_new(&phone->stack, &config);
	if (err)
		return err;
	err = sip_stack_listen(&phone->addr, phone->stack, SIP_UDP, &local);
	if (err)
		phone_close(phone);
	return err;
}

void phone_close(struct phone *phone)
{
	free_invite(phone);
	sip_stack_free(phone->stack);
	phone->stack = NULL;
}

int phone_call(struct phone *phone, const struct phone *to)
{
	char host[ADDR_TEXT_SIZE];
	char target[128];
	struct sip_flow flow;
	int err;

	err = sip_stack_flow(&flow, phone->stack, SIP_UDP, &to->addr);
	if (err)
		return err;
	snprintf(target, sizeof(target), "sip:b@%s", addr_print_port(host, &to->addr));
	return sip_invite_call(&phone->invite, phone->stack,
		&(struct sip_invite_config){
			.flow = &flow,
			.target = slice_of(target),
			.from_uri = slice_of("sip:a@192.0.2.1"),
			.from_display = slice_of("Al \"A\""),
			.contact.user = slice_of("a"),
			.routes = slice_of(phone->routes ? phone->routes : ""),
			.headers = slice_of("X-Test: 1\r\n"),
			.content_type = "application/sdp",
			.body = slice_of(phone->late ? "" : "offer"),
			.auth = phone->auth,
			.unkept = phone->unkept,
		},
		&invite_events, phone);
}

void phone_accept(struct phone *phone)
{
	if (phone->invite && sip_invite_state(phone->invite) == SIP_INVITE_INCOMING)
		(void)sip_invite_accept(phone->invite, "application/sdp", slice_of("answer"));
}

void phone_hangup(struct phone *phone)
{
	if (phone->invite)
		sip_invite_hangup(phone->invite, slice_of("Reason: SIP;cause=1\r\n"));
}

int phone_change(struct phone *phone)
{
	return sip_invite_change(phone->invite, "application/sdp", slice_of("new offer"));
}

void phone_allow_update(struct phone *phone)
{
	free((char *)phone->stack->config.allow);
	phone->stack->config.allow = strdup("INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE");
	assert_non_null(phone->stack->config.allow);
}

bool phone_is_idle(const struct phone *phone)
{
	const struct sip_stack *stack = phone->stack;

	return list_empty(&stack->clients) && list_empty(&stack->servers) &&
	       list_empty(&stack->requests) && list_empty(&stack->callers) &&
	       list_empty(&stack->invites) && stack->client_table.count == 0 &&
	       stack->server_table.count == 0 && stack->merge_table.count == 0 &&
	       stack->invite_table.count == 0;
}

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void filter(void *arg, struct world_fate *fate, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct pair *pair = arg;
	char text[8192];

	(void)from;
	(void)to;
	snprintf(text, sizeof(text), "%.*s", (int)bytes.len, (const char *)bytes.data);
	if ((pair->start && !begins(text, pair->start)) ||
		(pair->content && !strstr(text, pair->content)))
		return;
	fate->delay_ns[0] = pair->delay_ns;
	if (pair->skip > 0) {
		pair->skip--;
	} else if (pair->drop > 0) {
		pair->drop--;
		fate->copies = 0;
	} else if (pair->twice > 0) {
		pair->twice--;
		fate->copies = 2;
		fate->delay_ns[1] = fate->delay_ns[0] + 3 * NS_PER_MS;
	}
}

void pair_open(struct pair *pair)
{
	*pair = (struct pair){0};
	world_open(&pair->world, 1);
	pair->world.hook = filter;
	pair->world.hook_arg = pair;
	assert_int_equal(
		phone_open(&pair->a, world_host(&pair->world, "192.0.2.1"), "192.0.2.1:5060"), 0);
	assert_int_equal(
		phone_open(&pair->b, world_host(&pair->world, "192.0.2.2"), "0.0.0.0:5060"), 0);
	pair->b.addr = world_addr("192.0.2.2:5060");
	pair->b.ring = 180;
	pair->c = world_host(&pair->world, "192.0.2.3");
}

void pair_close(struct pair *pair)
{
	world_run(&pair->world, 200 * NS_PER_S);
	if (!phone_is_idle(&pair->a) || !phone_is_idle(&pair->b))
		fail_msg("something lives on: a \"%s\", b \"%s\"", pair->a.log, pair->b.log);
	assert_int_equal(pair->world.timer_count, 0);
	phone_close(&pair->a);
	phone_close(&pair->b);
	world_close(&pair->world);
}

void pair_talk(struct pair *pair)
{
	pair->b.accept = true;
	assert_int_equal(phone_call(&pair->a, &pair->b), 0);
	world_run(&pair->world, 100 * NS_PER_MS);
	assert_int_equal(sip_invite_state(pair->a.invite), SIP_INVITE_CONFIRMED);
	assert_int_equal(sip_invite_state(pair->b.invite), SIP_INVITE_CONFIRMED);
	world_forget(&pair->world);
	pair->a.log[0] = '\0';
	pair->b.log[0] = '\0';
}

void pair_call(struct pair *pair)
{
	assert_int_equal(phone_call(&pair->a, &pair->b), 0);
}

void pair_run_ms(struct pair *pair, uint64_t ms)
{
	world_run(&pair->world, ms * NS_PER_MS);
}

void pair_expect_logs(const struct pair *pair, const char *a, const char *b)
{
	assert_string_equal(pair->a.log, a);
	assert_string_equal(pair->b.log, b);
}

void pair_expect_sent(const struct pair *pair, const char *names)
{
	char all[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < pair->world.sent_count; i++) {
		const char *text = pair->world.sent[i].text;
		const char *name = begins(text, "SIP/2.0 ") ? text + strlen("SIP/2.0 ") : text;

		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%.*s", i > 0 ? " " : "",
			(int)strcspn(name, " "), name);
	}
	assert_string_equal(all, names);
}

size_t pair_count(const struct pair *pair, const char *start)
{
	size_t count = 0;

	for (size_t i = 0; i < pair->world.sent_count; i++)
		count += begins(pair->world.sent[i].text, start);
	return count;
}

const struct world_sent *pair_sent(const struct pair *pair, const char *start, size_t n)
{
	for (size_t i = 0; i < pair->world.sent_count; i++)
		if (begins(pair->world.sent[i].text, start) && n-- == 0)
			return &pair->world.sent[i];
	fail_msg("no datagram \"%s\"", start);
	return NULL;
}

static bool match(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++) {
		if (*pattern == '*') {
			for (; *text && *text != '\r'; text++)
				if (match(text, pattern + 1))
					return true;
			return match(text, pattern + 1);
		}
		if (*text != *pattern)
			return false;
	}
	return *text == '\0';
}

void assert_match(const char *text, const char *pattern)
{
	if (!match(text, pattern))
		fail_msg("got:\n%s\nwanted:\n%s", text, pattern);
}
