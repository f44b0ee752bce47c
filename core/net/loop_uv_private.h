/*
 * What the files of the real loop share among each other, and with nobody else. All of it is on the
 * loop's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/net/loop_uv.h"

#include <pthread.h>
#include <sys/socket.h>
#include <uv.h>

enum {
	UDP_BATCH = 8,            /* datagrams taken from the system at a time */
	UDP_DATAGRAM_MAX = 65536, /* bytes; no datagram is larger */
	UDP_CONTROL_MAX = 128,    /* bytes of what the system tells about a datagram */
};

/* Where datagrams are received, one for all sockets of a loop; its pages are touched as needed. */
struct udp_batch {
	uint8_t bytes[UDP_BATCH][UDP_DATAGRAM_MAX];
	struct sockaddr_storage from[UDP_BATCH];
	_Alignas(max_align_t) uint8_t control[UDP_BATCH][UDP_CONTROL_MAX];
};

struct loop_uv {
	struct loop loop;
	uv_loop_t uv;

	struct heap timers;
	uint64_t timer_order;
	uint64_t armed_ns; /* what timer_fd is set to; 0: nothing */
	int timer_fd;
	uv_poll_t timer_poll;
	uv_prepare_t prepare;

	pthread_mutex_t mutex; /* of the posts */
	uv_async_t wakeup;
	struct post *first_post;
	struct post **last_post;

	size_t away;             /* work, questions and commands that have not come to an end */
	struct list signals;     /* of struct signal_watch */
	struct udp_batch *batch; /* made by the first socket that receives */
	struct list lingering;   /* connections whose owners have let go */
	struct list questions;   /* to the name service */
	struct dns_uv *dns;      /* NULL: nobody asks it now */
	char *name_servers;      /* NULL: the system's */
	unsigned dscp;           /* of what its sockets send; 0: no mark */
	uint8_t *tcp_room;       /* where bytes are read; made by the first connection */
};

int udp_uv_open(struct udp **out, struct loop *loop, const struct addr *local);
int udp_uv_route(struct addr *out, struct loop *loop, const struct addr *to);

size_t network_uv_addresses(struct addr *out, size_t max, struct loop *loop);
int network_uv_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg);

int tcp_uv_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg);
int tcp_uv_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg);

/* Takes the connection that has come in. On -ENOMEM it waits; else it is gone if this fails. */
int tcp_uv_accept(struct tcp **out, struct loop_uv *loop, uv_stream_t *listening);

/* The same of local sockets. */
int tcp_uv_connect_local(struct tcp **out, struct loop *loop, const char *path,
	const struct tcp_events *events, void *arg);
int tcp_uv_listen_local(struct tcp_listener **out, struct loop *loop, const char *path,
	tcp_accepted *accepted, void *arg);
int tcp_uv_accept_local(struct tcp **out, struct loop_uv *loop, uv_stream_t *listening);

/* Closes the connections whose owners have let go; what they have not sent is lost. */
void tcp_uv_forget_all(struct loop_uv *loop);

int pipe_uv_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room);
int pipe_uv_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room);

int resolve_uv(struct resolve **out, struct loop *loop, enum dns_type type, const char *name,
	resolve_done *done, void *arg);
void resolve_uv_cancel(struct resolve *resolve);

/* Nobody is told any more; what the system is at work on comes back while the loop closes. */
void resolve_uv_forget_all(struct loop_uv *loop);

/* After their handles have been closed. */
void signal_uv_free_all(struct loop_uv *self);
