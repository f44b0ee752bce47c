/*
 * One WebSocket: what comes from the connection goes through upgrade.h until both are agreed, and
 * through wslay from then on; what that has for the network is gathered, and sent at once.
 */
#include "core/net/websocket.h"

#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/tls.h"
#include "core/net/upgrade.h"
#include "core/net/wslay.h"

#include <assert.h>
#include <stdlib.h>

enum {
	REQUEST_SIZE = 4096,
	SHOWN_SIZE = 128,
	OUT_SIZE = 4096, /* at first */
};

#define ANSWER_NS (5 * NS_PER_S) /* from the question */
/* Whoever is between, and has heard nothing for a minute, may cut it (RFC 6455, section 5.5.2). */
#define PING_NS (25 * NS_PER_S)

enum web_state {
	CONNECTING, /* TCP or TLS */
	ASKING,
	OPEN,
	CLOSED, /* its owner knows */
	FREED,  /* by its owner, while wslay is at it */
};

struct websocket {
	struct tcp tcp;
	struct tcp *raw;
	struct loop *loop;
	const struct wslay *wslay;
	enum web_state state;
	bool secure;
	bool reading; /* wslay is at it */
	wslay_event_context_ptr frames;
	struct slice input; /* of wslay */
	uint8_t *out;       /* what it has for the network */
	size_t out_len, out_size;
	uint8_t answer[UPGRADE_ANSWER_MAX];
	size_t answer_len;
	struct upgrade upgrade;
	struct timer timer; /* for the answer; then to ping */
	struct fault why;
	const struct tcp_events *events;
	void *arg;
	char texts[]; /* the host and the path */
};

static struct websocket *websocket_of(const struct tcp *tcp)
{
	return container_of(tcp, struct websocket, tcp);
}

static void enter(struct websocket *self, enum web_state next)
{
	static const uint8_t allowed[] = {
		[CONNECTING] = 1 << ASKING | 1 << CLOSED,
		[ASKING] = 1 << OPEN | 1 << CLOSED,
		[OPEN] = 1 << CLOSED | 1 << FREED,
		[CLOSED] = 1 << FREED,
		[FREED] = 0,
	};

	assert(allowed[self->state] & 1 << next);
	self->state = next;
}

static const char *show(char out[static SHOWN_SIZE], const struct websocket *self)
{
	struct text text = text_in(out, SHOWN_SIZE);

	text_put_escaped(&text, slice_of(self->upgrade.host));
	return out;
}

static void end(struct websocket *self, int err)
{
	if (self->state == CLOSED || self->state == FREED)
		return;
	timer_stop(&self->timer);
	enter(self, CLOSED);
	self->events->closed(self->arg, err);
}

static void end_in_words(struct websocket *self, int err, const char *words)
{
	char shown[SHOWN_SIZE];

	fault_set(&self->why, err, "no WebSocket with %s: %s", show(shown, self), words);
	end(self, err);
}

/* What wslay calls */

static ssize_t give(
	wslay_event_context_ptr frames, uint8_t *room, size_t size, int flags, void *arg)
{
	struct websocket *self = arg;
	struct slice bytes;

	(void)flags;
	if (self->input.len == 0) {
		self->wslay->wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	slice_take(&bytes, &self->input, size < self->input.len ? size : self->input.len);
	memcpy(room, bytes.data, bytes.len);
	return (ssize_t)bytes.len;
}

static int grow(struct websocket *self, size_t more)
{
	size_t size = self->out_size ? self->out_size : OUT_SIZE;
	uint8_t *out;

	while (size - self->out_len < more)
		size *= 2;
	if (size == self->out_size)
		return 0;
	out = calloc(size, 1);
	if (!out)
		return -ENOMEM;

	if (self->out_len > 0)
		memcpy(out, self->out, self->out_len);
	free(self->out);
	self->out = out;
	self->out_size = size;
	return 0;
}

static ssize_t gather(
	wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags, void *arg)
{
	struct websocket *self = arg;

	(void)flags;
	if (grow(self, len)) {
		self->wslay->wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	memcpy(self->out + self->out_len, data, len);
	self->out_len += len;
	return (ssize_t)len;
}

/* Section 5.3: one that nobody can guess, for each frame. */
static int make_mask(wslay_event_context_ptr frames, uint8_t *room, size_t len, void *arg)
{
	struct websocket *self = arg;

	(void)frames;
	loop_random(self->loop, room, len);
	return 0;
}

/* Section 7.4.1: who leaves, or is done, says nothing that a person has to know. */
static void note_goodbye(struct websocket *self, const struct wslay_event_on_msg_recv_arg *said)
{
	struct slice reason = {said->msg, said->msg_length};
	char host[SHOWN_SIZE], shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);
	struct slice code;

	if (said->status_code == 0 || said->status_code == WSLAY_CODE_NORMAL_CLOSURE ||
		said->status_code == WSLAY_CODE_GOING_AWAY)
		return;
	(void)slice_take(&code, &reason, 2);
	text_put_escaped(&text, reason);
	fault_set(&self->why, 0, "%s has closed the WebSocket: %u%s%s", show(host, self),
		said->status_code, reason.len > 0 ? " " : "", shown);
}

static void take(
	wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *said, void *arg)
{
	struct websocket *self = arg;

	(void)frames;
	if (said->opcode == WSLAY_CONNECTION_CLOSE)
		note_goodbye(self, said);
	if (self->state == OPEN &&
		(said->opcode == WSLAY_TEXT_FRAME || said->opcode == WSLAY_BINARY_FRAME))
		self->events->received(self->arg, (struct slice){said->msg, said->msg_length});
}

/* What we do with it */

/* All that wslay has for the network, at once: a frame of its own would be a packet of its own. */
static int flush(struct websocket *self)
{
	const struct wslay *wslay = self->wslay;
	int err = 0;

	while (!err && wslay->wslay_event_want_write(self->frames))
		err = wslay->wslay_event_send(self->frames) ? -ENOMEM : 0;
	if (!err && self->out_len > 0)
		err = tcp_send(self->raw, (struct slice){self->out, self->out_len});
	free(self->out);
	self->out = NULL;
	self->out_len = self->out_size = 0;
	return err;
}

static int queue(struct websocket *self, uint8_t opcode, struct slice bytes)
{
	const struct wslay_event_msg msg = {opcode, bytes.data, bytes.len};

	return self->wslay->wslay_event_queue_msg(self->frames, &msg) ? -ENOMEM : 0;
}

static void destroy(struct websocket *self)
{
	self->wslay->wslay_event_context_free(self->frames);
	free(self->out);
	free(self);
}

/* Nothing is read any more: they have said goodbye, or we have, with a reason. */
static void end_by_rule(struct websocket *self)
{
	uint16_t code = self->wslay->wslay_event_get_status_code_sent(self->frames);

	if (self->wslay->wslay_event_get_close_received(self->frames))
		end(self, self->why.words[0] != '\0' ? -EPROTO : 0);
	else if (code == WSLAY_CODE_MESSAGE_TOO_BIG)
		end_in_words(self, -EMSGSIZE, "it sent a message of more than 64 KiB");
	else if (code == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA)
		end_in_words(self, -EPROTO, "it sent text that is none");
	else
		end_in_words(self, -EPROTO, "what it sends is not in WebSocket's frames");
}

static void read_frames(struct websocket *self, struct slice bytes)
{
	int result;
	int err;

	self->input = bytes;
	self->reading = true;
	result = self->wslay->wslay_event_recv(self->frames);
	self->reading = false;
	if (self->state == FREED) {
		destroy(self);
		return;
	}
	if (result && result != WSLAY_ERR_NOMEM) /* a frame that it cannot even read */
		(void)self->wslay->wslay_event_queue_close(
			self->frames, WSLAY_CODE_PROTOCOL_ERROR, NULL, 0);
	err = result == WSLAY_ERR_NOMEM ? -ENOMEM : flush(self); /* pongs, or a goodbye */
	if (err)
		end(self, err);
	else if (result || !self->wslay->wslay_event_get_read_enabled(self->frames))
		end_by_rule(self);
}

/* What we think of the answer to our question; rest: what came behind it. */
static void go_by_answer(struct websocket *self, int err, struct slice rest)
{
	if (!err) {
		enter(self, OPEN);
		timer_start_in(&self->timer, PING_NS);
		err = flush(self); /* what has waited */
	}
	if (err) {
		end(self, err);
		return;
	}
	self->reading = true; /* it may be freed */
	self->events->connected(self->arg);
	self->reading = false;
	if (self->state == FREED)
		destroy(self);
	else if (rest.len > 0)
		read_frames(self, rest);
}

/* Takes bytes until the headers are whole. Returns how long they are; 0: not yet. */
static size_t collect_answer(struct websocket *self, struct slice *bytes)
{
	size_t room = sizeof(self->answer) - self->answer_len;
	size_t before = self->answer_len;
	size_t taken = bytes->len < room ? bytes->len : room;
	struct slice skipped;
	size_t len;

	memcpy(self->answer + before, bytes->data, taken);
	self->answer_len += taken;
	len = upgrade_find_end((struct slice){self->answer, self->answer_len});
	(void)slice_take(&skipped, bytes, len > 0 ? len - before : taken);
	return len;
}

/* Something may come before the answer; what follows it in the same bytes are frames already. */
static void read_answer(struct websocket *self, struct slice bytes)
{
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		size_t len = collect_answer(self, &bytes);

		if (len == 0) {
			if (self->answer_len == sizeof(self->answer))
				end_in_words(self, -EPROTO, "its answer has no end");
			return;
		}
		err = upgrade_judge((struct slice){self->answer, len}, &self->upgrade, &self->why);
		self->answer_len = 0;
	}
	go_by_answer(self, err, bytes);
}

static void received(void *arg, struct slice bytes)
{
	struct websocket *self = arg;

	if (self->state == ASKING)
		read_answer(self, bytes);
	else if (self->state == OPEN)
		read_frames(self, bytes);
}

static void connected(void *arg)
{
	struct websocket *self = arg;
	char room[REQUEST_SIZE];
	struct text request = TEXT_IN(room);
	int err;

	enter(self, ASKING);
	timer_start_in(&self->timer, ANSWER_NS);
	upgrade_print(&request, &self->upgrade);
	err = request.cut ? -EMSGSIZE : tcp_send(self->raw, text_slice(&request));
	if (err)
		end(self, err);
}

/* Something else than HTTP may close at once what it does not understand. */
static void closed(void *arg, int err)
{
	struct websocket *self = arg;

	if (self->state == ASKING && (!err || err == -ECONNRESET))
		end_in_words(self, -EPROTO, "it closed the connection without an answer");
	else
		end(self, err);
}

static const struct tcp_events raw_events = {
	.connected = connected, .received = received, .closed = closed};

static void explain_silence(struct websocket *self)
{
	char shown[SHOWN_SIZE];

	fault_set(&self->why, 0, "no WebSocket with %s: it took the connection, and says nothing",
		show(shown, self));
}

static void time_is_up(void *arg)
{
	struct websocket *self = arg;
	int err;

	if (self->state == ASKING) {
		explain_silence(self);
		end(self, -ETIMEDOUT);
		return;
	}
	timer_start_in(&self->timer, PING_NS);
	err = queue(self, WSLAY_PING, (struct slice){0});
	if (!err)
		err = flush(self);
	if (err)
		end(self, err);
}

/* It is its owner's from its beginning on. */
static void start(struct tcp *tcp, const struct tcp_events *events, void *arg)
{
	struct websocket *self = websocket_of(tcp);

	self->events = events;
	self->arg = arg;
}

/*
 * RFC 7118, section 4.2: whoever reads it takes both. Text is what most send, and has to be UTF-8,
 * which a body need not be.
 */
static int send_message(struct tcp *tcp, struct slice bytes)
{
	struct websocket *self = websocket_of(tcp);
	size_t waiting = self->wslay->wslay_event_get_queued_msg_length(self->frames);
	int err;

	if (self->state == CLOSED)
		return -EPIPE;
	if (waiting > TCP_UNSENT_MAX || bytes.len > TCP_UNSENT_MAX - waiting)
		return -ENOBUFS;
	err = queue(self, text_is_utf8(bytes) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, bytes);
	return err || self->state != OPEN ? err : flush(self);
}

static void local_address(struct addr *out, const struct tcp *tcp)
{
	tcp_local(out, websocket_of(tcp)->raw);
}

static void remote_address(struct addr *out, const struct tcp *tcp)
{
	tcp_remote(out, websocket_of(tcp)->raw);
}

/* Who leaves says so (section 7.1.2), and does not wait for what is said to that. */
static void free_websocket(struct tcp *tcp)
{
	struct websocket *self = websocket_of(tcp);
	const struct wslay *wslay = self->wslay;

	if (self->state == OPEN && wslay->wslay_event_queue_close(
					   self->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0) == 0)
		(void)flush(self);
	timer_stop(&self->timer);
	tcp_free(self->raw);
	self->raw = NULL;
	if (!self->reading) {
		destroy(self);
		return;
	}
	wslay->wslay_event_shutdown_read(self->frames);
	enter(self, FREED);
}

static int make_frames(struct websocket *self)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = give,
		.send_callback = gather,
		.genmask_callback = make_mask,
		.on_msg_recv_callback = take,
	};

	if (self->wslay->wslay_event_context_client_init(&self->frames, &callbacks, self))
		return -ENOMEM;
	self->wslay->wslay_event_config_set_max_recv_msg_length(
		self->frames, WEBSOCKET_MESSAGE_MAX);
	return 0;
}

static int make(struct websocket **out, const struct websocket_config *config)
{
	static const struct tcp_ops ops = {
		.start = start,
		.send = send_message,
		.local = local_address,
		.remote = remote_address,
		.free = free_websocket,
	};
	size_t host_size = strlen(config->host) + 1, path_size = strlen(config->path) + 1;
	struct websocket *self = calloc(1, sizeof(*self) + host_size + path_size);

	if (!self)
		return -ENOMEM;

	self->tcp.ops = &ops;
	self->loop = config->loop;
	self->secure = config->tls != NULL;
	memcpy(self->texts, config->host, host_size);
	memcpy(self->texts + host_size, config->path, path_size);
	self->upgrade = (struct upgrade){
		.host = self->texts,
		.port = config->to.port,
		.secure = self->secure,
		.path = self->texts + host_size,
		.protocol = "sip",
	};
	loop_random(config->loop, self->upgrade.nonce, sizeof(self->upgrade.nonce));
	timer_init(&self->timer, config->loop, time_is_up, self);
	if (wslay_load(&self->wslay, NULL) || make_frames(self)) {
		free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

int websocket_need(struct fault *why)
{
	const struct wslay *wslay;
	int err = wslay_load(&wslay, why);

	return err ? err : upgrade_load(why);
}

int websocket_connect(struct tcp **out, const struct websocket_config *config,
	const struct tcp_events *events, void *arg)
{
	struct websocket *self;
	int err = make(&self, config);

	if (err)
		return err;

	self->events = events;
	self->arg = arg;
	if (config->tls)
		err = tls_connect(&self->raw, config->tls, config->loop, &config->from, &config->to,
			config->host, &raw_events, self);
	else
		err = loop_tcp_connect(
			&self->raw, config->loop, &config->from, &config->to, &raw_events, self);
	if (err) {
		destroy(self);
		return err;
	}
	*out = &self->tcp;
	return 0;
}

const char *websocket_words(const struct tcp *tcp)
{
	struct websocket *self = websocket_of(tcp);

	if (self->state == ASKING)
		explain_silence(self);
	if (self->why.words[0] != '\0' || !self->secure)
		return self->why.words;
	return tls_words(self->raw);
}
