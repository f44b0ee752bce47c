/*
 * Name servers, by c-ares. It is made by the first question and let go with the last, so that each
 * time the system is asked anew who its servers are: a telephone runs for weeks, and moves.
 *
 * c-ares keeps its own time and asks servers again by it; that none of it takes too long is seen to
 * in resolve.c. Its functions call ours at any time, so ours tell nobody: question_answered() only
 * notes that there is something to tell.
 */
#include "core/net/dns_ttl.h"
#include "core/net/resolve_private.h"
#include "core/net/sockaddr.h"

#include "core/base/library.h"
#include "core/base/log.h"
#include "core/base/text.h"

#define CARES_NO_DEPRECATED /* what reads SRV and NAPTR is what old ones have, too */
#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

enum {
	TIMEOUT_MS = 600, /* until a server is asked again, doubled each time: 4.2 s in all */
	TRIES = 3,
	SERVERS_SIZE = 160, /* in words */
	SHOWN_MAX = 3,      /* servers there */
};

struct dns_uv {
	struct loop_uv *loop;
	ares_channel channel;
	struct list sockets;
	struct timer again;
	char servers[SERVERS_SIZE];
};

/* A socket of c-ares. */
struct dns_socket {
	uv_poll_t handle; /* the first member, so that freeing the handle frees this */
	struct list link;
	struct dns_uv *dns;
	int fd;
	int events; /* that c-ares waits for */
};

/* What is called of it. */
struct cares {
	int (*init)(ares_channel *channel, struct ares_options *options, int mask);
	void (*destroy)(ares_channel channel);
	int (*set_servers)(ares_channel channel, const char *servers);
	int (*get_servers)(ares_channel channel, struct ares_addr_port_node **servers);
	void (*query)(ares_channel channel, const char *name, int class, int type,
		ares_callback done, void *arg);
	void (*getaddrinfo)(ares_channel channel, const char *name, const char *service,
		const struct ares_addrinfo_hints *hints, ares_addrinfo_callback done, void *arg);
	void (*freeaddrinfo)(struct ares_addrinfo *info);
	void (*process_fd)(ares_channel channel, ares_socket_t readable, ares_socket_t writable);
	struct timeval *(*timeout)(
		ares_channel channel, struct timeval *most, struct timeval *room);
	int (*parse_srv)(const unsigned char *bytes, int len, struct ares_srv_reply **out);
	int (*parse_naptr)(const unsigned char *bytes, int len, struct ares_naptr_reply **out);
	void (*free_data)(void *data);
};

/* One for the program, as the library is; loaded when a name is to be asked for. */
static struct cares cares;

static int load(void)
{
#define FUNCTION(name, field)                                                                      \
	{                                                                                          \
		"ares_" #name, offsetof(struct cares, field)                                       \
	}
	static const struct library_symbol symbols[] = {
		FUNCTION(init_options, init),
		FUNCTION(destroy, destroy),
		FUNCTION(set_servers_ports_csv, set_servers),
		FUNCTION(get_servers_ports, get_servers),
		FUNCTION(query, query),
		FUNCTION(getaddrinfo, getaddrinfo),
		FUNCTION(freeaddrinfo, freeaddrinfo),
		FUNCTION(process_fd, process_fd),
		FUNCTION(timeout, timeout),
		FUNCTION(parse_srv_reply, parse_srv),
		FUNCTION(parse_naptr_reply, parse_naptr),
		FUNCTION(free_data, free_data),
	};
#undef FUNCTION
	struct fault why;
	int err = library_load(
		&cares, "libcares.so.2", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);

	if (err)
		log_warning("servers of domains are not looked for: %s", why.words);
	return err ? -ENOTSUP : 0;
}

static int error_of(int status)
{
	static const struct {
		int status, err;
	} rows[] = {
		{ARES_SUCCESS, 0},
		{ARES_ENODATA, -ENOENT},
		{ARES_ENOTFOUND, -ENOENT},
		{ARES_EBADNAME, -ENOENT},
		{ARES_ETIMEOUT, -ETIMEDOUT},
		{ARES_ECONNREFUSED, -ECONNREFUSED},
		{ARES_EBADRESP, -EPROTO},
		{ARES_EBADSTR, -EPROTO},
		{ARES_ENOMEM, -ENOMEM},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].err;
	return -EAGAIN;
}

static void run_again(struct dns_uv *dns)
{
	struct timeval room, *wait = cares.timeout(dns->channel, NULL, &room);

	if (wait)
		timer_start_in(&dns->again,
			(uint64_t)wait->tv_sec * NS_PER_S + (uint64_t)wait->tv_usec * NS_PER_US);
	else
		timer_stop(&dns->again);
}

static void time_is_up(void *arg)
{
	struct dns_uv *dns = arg;

	cares.process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	run_again(dns);
}

static void free_socket(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_socket(struct dns_socket *self)
{
	list_remove(&self->link);
	uv_close((uv_handle_t *)&self->handle, free_socket);
}

static struct dns_socket *find_socket(struct dns_uv *dns, int fd)
{
	list_each(link, &dns->sockets)
	{
		struct dns_socket *self = container_of(link, struct dns_socket, link);

		if (self->fd == fd)
			return self;
	}
	return NULL;
}

/* What has failed is no more watched; reading or writing tells c-ares what is wrong. */
static void socket_ready(uv_poll_t *handle, int status, int events)
{
	struct dns_socket *self = handle->data;
	struct dns_uv *dns = self->dns;
	bool failed = status < 0;
	int fd = self->fd;

	cares.process_fd(dns->channel, failed || events & UV_READABLE ? fd : ARES_SOCKET_BAD,
		failed || events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	if (failed && find_socket(dns, fd) == self)
		uv_poll_start(handle, self->events, socket_ready);
	run_again(dns);
}

/* NULL: what comes there will not be heard, and the question be in vain. */
static struct dns_socket *new_socket(struct dns_uv *dns, int fd)
{
	struct dns_socket *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;

	self->dns = dns;
	self->fd = fd;
	self->handle.data = self;
	if (uv_poll_init(&dns->loop->uv, &self->handle, fd)) {
		free(self);
		return NULL;
	}
	list_add(&dns->sockets, &self->link);
	return self;
}

/* c-ares opens a socket, wants to know something else of it, or is about to close it. */
static void socket_wanted(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_uv *dns = arg;
	struct dns_socket *self = find_socket(dns, fd);

	if (!readable && !writable) {
		if (self)
			close_socket(self);
		return;
	}
	if (!self)
		self = new_socket(dns, fd);
	if (!self)
		return;

	self->events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
	uv_poll_start(&self->handle, self->events, socket_ready);
}

static void put_server(struct text *out, const struct ares_addr_port_node *server)
{
	struct addr addr = {.family = server->family == AF_INET6 ? ADDR_IPV6 : ADDR_IPV4,
		.port = (uint16_t)server->udp_port};
	char room[ADDR_TEXT_SIZE];

	memcpy(addr.ip, &server->addr, addr.family == ADDR_IPV6 ? 16 : 4);
	text_puts(out, out->len > 0 ? ", " : "");
	text_puts(out, addr.port == 0 || addr.port == NAMESERVER_PORT
			       ? addr_print(room, &addr)
			       : addr_print_port(room, &addr));
}

static void note_servers(struct dns_uv *dns)
{
	struct text text = TEXT_IN(dns->servers);
	struct ares_addr_port_node *servers = NULL;
	size_t count = 0;

	if (cares.get_servers(dns->channel, &servers) != ARES_SUCCESS)
		return;
	for (struct ares_addr_port_node *next = servers; next; next = next->next)
		if (count++ < SHOWN_MAX)
			put_server(&text, next);
	cares.free_data(servers);
}

static int open_dns(struct loop_uv *loop)
{
	struct dns_uv *dns = calloc(1, sizeof(*dns));
	struct ares_options options = {.timeout = TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = socket_wanted,
		.sock_state_cb_data = dns};
	int status;

	if (!dns)
		return -ENOMEM;

	dns->loop = loop;
	list_init(&dns->sockets);
	timer_init(&dns->again, &loop->loop, time_is_up, dns);
	status = cares.init(&dns->channel, &options,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		free(dns);
		return error_of(status);
	}
	loop->dns = dns;
	if (loop->name_servers)
		status = cares.set_servers(dns->channel, loop->name_servers);
	if (status != ARES_SUCCESS) {
		dns_uv_close(loop);
		return error_of(status);
	}
	note_servers(dns);
	return 0;
}

/* Those that are asked end with ARES_EDESTRUCTION within this. */
void dns_uv_close(struct loop_uv *loop)
{
	struct dns_uv *dns = loop->dns;

	if (!dns)
		return;

	cares.destroy(dns->channel);
	list_each(link, &dns->sockets) close_socket(container_of(link, struct dns_socket, link));
	timer_stop(&dns->again);
	loop->dns = NULL;
	free(dns);
}

const char *dns_uv_servers(const struct loop_uv *loop)
{
	return loop->dns ? loop->dns->servers : "";
}

static uint32_t shorter(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void host_answered(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct question *question = arg;
	struct dns_answer *answer = &question->answer;
	uint32_t ttl_s = DNS_TTL_MAX_S;

	(void)timeouts;
	answer->err = error_of(status);
	for (struct ares_addrinfo_node *node = found ? found->nodes : NULL;
		node && answer->count < DNS_RECORDS_MAX; node = node->ai_next) {
		if (sockaddr_get(&question->records[answer->count].addr, node->ai_addr))
			continue;
		ttl_s = shorter(ttl_s, node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0);
		answer->count++;
	}
	for (struct ares_addrinfo_cname *alias = found ? found->cnames : NULL; alias;
		alias = alias->next)
		ttl_s = shorter(ttl_s, alias->ttl > 0 ? (uint32_t)alias->ttl : 0);
	if (found)
		cares.freeaddrinfo(found);
	if (!answer->err && answer->count == 0)
		answer->err = -ENOENT;
	answer->ttl_s = ttl_s;
	question_answered(question);
}

/* What does not fit is left empty: no word that we look for is so long, and no name may be. */
static void copy(char *out, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	if (len < size)
		memcpy(out, from ? from : "", len + 1);
}

static int take_srv(struct question *question, const unsigned char *bytes, int len)
{
	struct ares_srv_reply *found = NULL;
	int status = cares.parse_srv(bytes, len, &found);
	size_t count = 0;

	for (struct ares_srv_reply *srv = found; srv && count < DNS_RECORDS_MAX; srv = srv->next) {
		struct dns_record *record = &question->records[count++];

		record->priority = srv->priority;
		record->weight = srv->weight;
		record->port = srv->port;
		copy(record->name, sizeof(record->name), srv->host);
	}
	if (found)
		cares.free_data(found);
	question->answer.count = count;
	return status == ARES_EBADNAME ? -EPROTO : error_of(status); /* a name in the answer */
}

static int take_naptr(struct question *question, const unsigned char *bytes, int len)
{
	struct ares_naptr_reply *found = NULL;
	int status = cares.parse_naptr(bytes, len, &found);
	size_t count = 0;

	for (struct ares_naptr_reply *naptr = found; naptr && count < DNS_RECORDS_MAX;
		naptr = naptr->next) {
		struct dns_record *record = &question->records[count++];

		record->priority = naptr->order;
		record->weight = naptr->preference;
		copy(record->flags, sizeof(record->flags), (const char *)naptr->flags);
		copy(record->service, sizeof(record->service), (const char *)naptr->service);
		copy(record->name, sizeof(record->name), naptr->replacement);
	}
	if (found)
		cares.free_data(found);
	question->answer.count = count;
	return status == ARES_EBADNAME ? -EPROTO : error_of(status); /* a name in the answer */
}

/* What each type but HOST is: its number (RFC 1035, section 3.2.2) and who reads the answer. */
static const struct {
	int number;
	int (*take)(struct question *question, const unsigned char *bytes, int len);
} types[] = {
	[DNS_SRV] = {ns_t_srv, take_srv},
	[DNS_NAPTR] = {ns_t_naptr, take_naptr},
};

static void answered(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct question *question = arg;
	struct dns_answer *answer = &question->answer;

	(void)timeouts;
	answer->err = error_of(status);
	if (!answer->err) {
		answer->err = types[question->type].take(question, bytes, len);
		answer->ttl_s =
			shorter(DNS_TTL_MAX_S, dns_ttl_s((struct slice){bytes, (size_t)len}));
	}
	if (!answer->err && answer->count == 0)
		answer->err = -ENOENT;
	question_answered(question);
}

int dns_uv_ask(struct question *question, const char *name)
{
	const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
	struct loop_uv *loop = container_of(question->resolve.loop, struct loop_uv, loop);
	int err = 0;

	if (!loop->dns)
		err = load();
	if (!err && !loop->dns)
		err = open_dns(loop);
	if (err)
		return err;

	question->held = true;
	if (question->type == DNS_HOST)
		cares.getaddrinfo(loop->dns->channel, name, NULL, &hints, host_answered, question);
	else
		cares.query(loop->dns->channel, name, ns_c_in, types[question->type].number,
			answered, question);
	run_again(loop->dns);
	return 0;
}

int loop_uv_name_servers(struct loop *loop, const char *servers)
{
	struct loop_uv *self = container_of(loop, struct loop_uv, loop);
	char *copied = slice_copy(slice_of(servers));

	if (!copied)
		return -ENOMEM;

	free(self->name_servers);
	self->name_servers = copied;
	return 0;
}
