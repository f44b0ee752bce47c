/*
 * One TLS connection: what comes from the network is put into OpenSSL and read from it, and what
 * it has for the network is taken out and sent. Between the two nothing waits: OpenSSL holds a part
 * of a record at most, and of a handshake what it allows itself.
 */
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/tls_private.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM = 16384 }; /* the most that a record holds (RFC 8446, section 5.1) */

#define HANDSHAKE_NS (5 * NS_PER_S) /* from TCP's connection */

enum stream_state {
	CONNECTING, /* TCP */
	ACCEPTED,   /* and not started */
	SHAKING,
	OPEN,
	CLOSED, /* its owner knows */
};

struct tls_stream {
	struct tcp tcp;
	struct tls *tls;
	const struct openssl *openssl;
	struct tcp *raw;
	enum stream_state state;
	bool serves;
	bool distrusted; /* their certificate is not good, as why says */
	SSL *ssl;
	BIO *in, *out; /* ssl's */
	bool lacking;  /* they want a certificate, and we have none */
	bool heard;    /* something has come from them */
	struct timer patience;
	uint8_t *waiting; /* to be sent once the handshake is over */
	size_t waiting_len;
	struct fault why;
	const struct tcp_events *events;
	void *arg;
	bool *freed; /* set by tcp_free() for who is calling an event; NULL: nobody is */
	char host[]; /* whom we asked for; empty in one that we accepted */
};

static struct tls_stream *stream_of(const struct tcp *tcp)
{
	return container_of(tcp, struct tls_stream, tcp);
}

static void enter(struct tls_stream *self, enum stream_state next)
{
	static const uint8_t allowed[] = {
		[CONNECTING] = 1 << SHAKING | 1 << CLOSED,
		[ACCEPTED] = 1 << SHAKING,
		[SHAKING] = 1 << OPEN | 1 << CLOSED,
		[OPEN] = 1 << CLOSED,
		[CLOSED] = 0,
	};

	assert(allowed[self->state] & 1 << next);
	self->state = next;
}

/* The name of the far end in a sentence. */
static const char *peer_of(const struct tls_stream *self, char text[static ADDR_TEXT_SIZE])
{
	struct addr remote;

	if (self->host[0] != '\0')
		return self->host;
	tcp_remote(&remote, self->raw);
	return addr_print_port(text, &remote);
}

static void end(struct tls_stream *self, int err)
{
	if (self->state == CLOSED)
		return;
	timer_stop(&self->patience);
	enter(self, CLOSED);
	self->events->closed(self->arg, err);
}

/* All that OpenSSL has for the network. */
static int flush(struct tls_stream *self)
{
	const struct openssl_crypto *crypto = &self->openssl->crypto;
	uint8_t *bytes;
	long len = crypto->BIO_ctrl(self->out, BIO_CTRL_INFO, 0, (void *)&bytes);
	int err;

	if (len <= 0)
		return 0;
	err = tcp_send(self->raw, (struct slice){bytes, (size_t)len});
	crypto->BIO_ctrl(self->out, BIO_CTRL_RESET, 0, NULL);
	return err;
}

/* OpenSSL says what is wrong, unless our own judgement of a certificate has. */
static void fail(struct tls_stream *self)
{
	char text[ADDR_TEXT_SIZE];

	(void)flush(self); /* the alert */
	if (!self->distrusted)
		tls_explain(&self->why, self->openssl, peer_of(self, text));
	end(self, self->distrusted ? -EKEYREJECTED : -EPROTO);
}

static int encrypt(struct tls_stream *self, struct slice bytes)
{
	self->openssl->crypto.ERR_clear_error();
	if (self->openssl->ssl.SSL_write(self->ssl, bytes.data, (int)bytes.len) <= 0)
		return -EPIPE;
	return flush(self);
}

static int send_waiting(struct tls_stream *self)
{
	struct slice bytes = {self->waiting, self->waiting_len};
	int err = bytes.len > 0 ? encrypt(self, bytes) : 0;

	free(self->waiting);
	self->waiting = NULL;
	self->waiting_len = 0;
	return err;
}

/* Returns whether the connection is open, and still there. */
static bool handshake_done(struct tls_stream *self)
{
	bool freed = false;
	int err;

	timer_stop(&self->patience);
	enter(self, OPEN);
	err = send_waiting(self);
	if (err) {
		end(self, err);
		return false;
	}
	if (self->serves)
		return true;
	self->freed = &freed;
	self->events->connected(self->arg);
	if (freed)
		return false;
	self->freed = NULL;
	return true;
}

/* Whether what OpenSSL did not do is only for want of bytes from the far end. */
static bool wants_more(const struct tls_stream *self, int result)
{
	return self->openssl->ssl.SSL_get_error(self->ssl, result) == SSL_ERROR_WANT_READ;
}

/* As handshake_done(). */
static bool shake(struct tls_stream *self)
{
	int result;
	int err;

	self->openssl->crypto.ERR_clear_error();
	result = self->openssl->ssl.SSL_do_handshake(self->ssl);
	if (result == 1) {
		err = flush(self);
		if (!err)
			return handshake_done(self);
		end(self, err);
	} else if (!wants_more(self, result)) {
		fail(self);
	} else {
		err = flush(self);
		if (err)
			end(self, err);
	}
	return false;
}

/* Returns whether the connection is still there. */
static bool hand_on(struct tls_stream *self, struct slice bytes)
{
	bool freed = false;

	self->heard = true;
	self->freed = &freed;
	self->events->received(self->arg, bytes);
	if (freed)
		return false;
	self->freed = NULL;
	return true;
}

/* Who leaves says so, and who is left says so, too (RFC 5246, section 7.2.1); a session that ends
 * otherwise is no good to OpenSSL for another connection. */
static void say_goodbye(struct tls_stream *self)
{
	self->openssl->crypto.ERR_clear_error();
	if (self->openssl->ssl.SSL_shutdown(self->ssl) >= 0)
		(void)flush(self);
}

/* What is not data (a new key, a session) may have to be answered. */
static void read_all(struct tls_stream *self)
{
	uint8_t room[ROOM];
	int result;
	int err;

	for (;;) {
		self->openssl->crypto.ERR_clear_error();
		result = self->openssl->ssl.SSL_read(self->ssl, room, sizeof(room));
		if (result <= 0)
			break;
		if (!hand_on(self, (struct slice){room, (size_t)result}))
			return;
	}
	if (self->openssl->ssl.SSL_get_error(self->ssl, result) == SSL_ERROR_ZERO_RETURN) {
		say_goodbye(self);
		end(self, 0);
	} else if (!wants_more(self, result)) {
		fail(self);
	} else {
		err = flush(self);
		if (err)
			end(self, err);
	}
}

static void received(void *arg, struct slice bytes)
{
	struct tls_stream *self = arg;

	if (self->state == CLOSED)
		return;
	/* a memory BIO takes all there is room for in memory */
	if (self->openssl->crypto.BIO_write(self->in, bytes.data, (int)bytes.len) !=
		(int)bytes.len) {
		end(self, -ENOMEM);
		return;
	}
	if (self->state == SHAKING && !shake(self))
		return;
	if (self->state == OPEN)
		read_all(self);
}

static void begin(struct tls_stream *self)
{
	enter(self, SHAKING);
	timer_start_in(&self->patience, HANDSHAKE_NS);
}

static void connected(void *arg)
{
	struct tls_stream *self = arg;

	begin(self);
	(void)shake(self);
}

/*
 * In TLS 1.3 the handshake is over for us before they have seen that there is no certificate; what
 * they say to that is overtaken by a reset, as a rule (RFC 8446, section 4.4.2.4).
 */
static void closed(void *arg, int err)
{
	struct tls_stream *self = arg;
	char text[ADDR_TEXT_SIZE];

	if (self->lacking && !self->heard)
		tls_explain_lack(&self->why, peer_of(self, text));
	else if (self->state == SHAKING)
		fault_set(&self->why, 0,
			"no TLS with %s: it closed the connection during the handshake",
			peer_of(self, text));
	end(self, self->state == SHAKING && !err ? -EPROTO : err);
}

static const struct tcp_events raw_events = {
	.connected = connected, .received = received, .closed = closed};

static void explain_silence(struct tls_stream *self)
{
	char text[ADDR_TEXT_SIZE];

	fault_set(&self->why, 0,
		"no TLS with %s: it took the connection, and no handshake came about",
		peer_of(self, text));
}

static void lose_patience(void *arg)
{
	struct tls_stream *self = arg;

	explain_silence(self);
	end(self, -ETIMEDOUT);
}

static void start(struct tcp *tcp, const struct tcp_events *events, void *arg)
{
	struct tls_stream *self = stream_of(tcp);

	self->events = events;
	self->arg = arg;
	begin(self);
	tcp_start(self->raw, &raw_events, self);
}

static int keep_waiting(struct tls_stream *self, struct slice bytes)
{
	uint8_t *more;

	if (bytes.len > TCP_UNSENT_MAX - self->waiting_len)
		return -ENOBUFS;
	more = realloc(self->waiting, self->waiting_len + bytes.len);
	if (!more)
		return -ENOMEM;

	memcpy(more + self->waiting_len, bytes.data, bytes.len);
	self->waiting = more;
	self->waiting_len += bytes.len;
	return 0;
}

static int send_bytes(struct tcp *tcp, struct slice bytes)
{
	struct tls_stream *self = stream_of(tcp);

	if (self->state == CLOSED)
		return -EPIPE;
	if (bytes.len == 0)
		return 0;
	if (self->state != OPEN)
		return keep_waiting(self, bytes);
	if (bytes.len > TCP_UNSENT_MAX)
		return -ENOBUFS;
	return encrypt(self, bytes);
}

static void local_address(struct addr *out, const struct tcp *tcp)
{
	tcp_local(out, stream_of(tcp)->raw);
}

static void remote_address(struct addr *out, const struct tcp *tcp)
{
	tcp_remote(out, stream_of(tcp)->raw);
}

static void free_stream(struct tcp *tcp)
{
	struct tls_stream *self = stream_of(tcp);

	if (self->freed)
		*self->freed = true;
	if (self->state == OPEN)
		say_goodbye(self);
	timer_stop(&self->patience);
	tcp_free(self->raw);
	self->openssl->ssl.SSL_free(self->ssl);
	free(self->waiting);
	free(self);
}

/* OpenSSL asks for each certificate of a chain. */
static int judge(int good, X509_STORE_CTX *chain)
{
	const struct openssl *openssl;
	struct tls_stream *self;
	const SSL *ssl;

	if (openssl_load(&openssl, NULL)) /* it is there: it calls */
		return 0;
	ssl = openssl->crypto.X509_STORE_CTX_get_ex_data(
		chain, openssl->ssl.SSL_get_ex_data_X509_STORE_CTX_idx());
	self = openssl->ssl.SSL_get_ex_data(ssl, 0);
	good = tls_judge(good, chain, openssl, self->host, &self->why);
	self->distrusted = !good;
	return good;
}

static struct tls_session *find_session(struct tls *tls, const char *host)
{
	for (size_t i = 0; i < TLS_SESSIONS_MAX; i++)
		if (tls->sessions[i].host && strcmp(tls->sessions[i].host, host) == 0)
			return &tls->sessions[i];
	return NULL;
}

int tls_lack_certificate(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
	const struct openssl *openssl;
	struct tls_stream *self;

	(void)certificate;
	(void)key;
	if (openssl_load(&openssl, NULL)) /* it is there: it calls */
		return 0;
	self = openssl->ssl.SSL_get_ex_data(ssl, 0);
	self->lacking = true;
	return 0;
}

int tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
	const struct openssl *openssl;
	struct tls_session *place;
	struct tls_stream *self;
	char *host;

	if (openssl_load(&openssl, NULL)) /* it is there: it calls */
		return 0;
	self = openssl->ssl.SSL_get_ex_data(ssl, 0);
	host = slice_copy(slice_of(self->host));
	if (!host)
		return 0;

	place = find_session(self->tls, host);
	if (!place)
		place = &self->tls->sessions[self->tls->next_session++ % TLS_SESSIONS_MAX];
	free(place->host);
	openssl->ssl.SSL_SESSION_free(place->session);
	*place = (struct tls_session){host, session};
	return 1;
}

/* SSL_set_bio() takes over both. */
static int make_bios(struct tls_stream *self)
{
	const struct openssl_crypto *crypto = &self->openssl->crypto;

	self->in = crypto->BIO_new(crypto->BIO_s_mem());
	self->out = crypto->BIO_new(crypto->BIO_s_mem());
	if (!self->in || !self->out) {
		crypto->BIO_free(self->in);
		crypto->BIO_free(self->out);
		return -ENOMEM;
	}
	crypto->BIO_ctrl(self->in, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
	self->openssl->ssl.SSL_set_bio(self->ssl, self->in, self->out);
	return 0;
}

/*
 * Whose certificate it has to be. RFC 5922, section 7.2, lets no wildcard stand for a name. What
 * an address may be asked for, SNI may not say (RFC 6066, section 3).
 */
static int set_host(struct tls_stream *self)
{
	const struct openssl *openssl = self->openssl;
	X509_VERIFY_PARAM *param = openssl->ssl.SSL_get0_param(self->ssl);
	struct addr addr;

	openssl->ssl.SSL_set_verify(self->ssl, SSL_VERIFY_PEER, judge);
	if (addr_parse(&addr, slice_of(self->host)) == 0) {
		char text[ADDR_TEXT_SIZE];

		return openssl->crypto.X509_VERIFY_PARAM_set1_ip_asc(
			       param, addr_print(text, &addr)) == 1
			       ? 0
			       : -EINVAL;
	}
	openssl->crypto.X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
	if (openssl->crypto.X509_VERIFY_PARAM_set1_host(param, self->host, 0) != 1)
		return -ENOMEM;
	return openssl->ssl.SSL_ctrl(self->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		       TLSEXT_NAMETYPE_host_name, self->host) == 1
		       ? 0
		       : -EINVAL;
}

static int make_ssl(struct tls_stream *self, SSL_CTX *ctx)
{
	const struct openssl_ssl *ssl = &self->openssl->ssl;

	self->openssl->crypto.ERR_clear_error();
	self->ssl = ssl->SSL_new(ctx);
	if (!self->ssl || make_bios(self) || ssl->SSL_set_ex_data(self->ssl, 0, self) != 1)
		return -ENOMEM;
	return 0;
}

static int make(struct tls_stream **out, struct tls *tls, struct loop *loop, const char *host)
{
	static const struct tcp_ops ops = {
		.start = start,
		.send = send_bytes,
		.local = local_address,
		.remote = remote_address,
		.free = free_stream,
	};
	struct tls_stream *self = calloc(1, sizeof(*self) + strlen(host) + 1);

	if (!self)
		return -ENOMEM;

	self->tcp.ops = &ops;
	self->tls = tls;
	self->openssl = tls->openssl;
	memcpy(self->host, host, strlen(host) + 1);
	timer_init(&self->patience, loop, lose_patience, self);
	*out = self;
	return 0;
}

/* Without its TCP connection. */
static void unmake(struct tls_stream *self)
{
	self->openssl->ssl.SSL_free(self->ssl);
	free(self);
}

int tls_connect(struct tcp **out, struct tls *tls, struct loop *loop, const struct addr *from,
	const struct addr *to, const char *host, const struct tcp_events *events, void *arg)
{
	const struct tls_session *session = find_session(tls, host);
	struct tls_stream *self;
	int err;

	err = make(&self, tls, loop, host);
	if (err)
		return err;

	self->events = events;
	self->arg = arg;
	err = make_ssl(self, tls->client);
	if (!err)
		err = set_host(self);
	if (!err) {
		tls->openssl->ssl.SSL_set_connect_state(self->ssl);
		if (session) /* without it the handshake is only longer */
			(void)tls->openssl->ssl.SSL_set_session(self->ssl, session->session);
		err = loop_tcp_connect(&self->raw, loop, from, to, &raw_events, self);
	}
	if (err) {
		unmake(self);
		return err;
	}
	*out = &self->tcp;
	return 0;
}

int tls_accept(struct tcp **out, struct tls *tls, struct loop *loop, struct tcp *raw)
{
	struct tls_stream *self = NULL;
	int err;

	assert(tls->server);

	err = make(&self, tls, loop, "");
	if (!err) {
		self->state = ACCEPTED;
		self->serves = true;
		err = make_ssl(self, tls->server);
	}
	if (err) {
		if (self)
			unmake(self);
		tcp_free(raw);
		return err;
	}
	tls->openssl->ssl.SSL_set_accept_state(self->ssl);
	self->raw = raw;
	*out = &self->tcp;
	return 0;
}

const char *tls_words(const struct tcp *tcp)
{
	struct tls_stream *self = stream_of(tcp);

	if (self->state == SHAKING)
		explain_silence(self);
	return self->why.words;
}
