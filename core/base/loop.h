/*
 * What a room is given in place of the world: time, timers, datagrams, names, chance, other
 * threads, other programs.
 *
 * Nothing in core, audio or codecs reads a clock, opens a socket, sleeps, starts a thread or draws
 * a random number by itself; it asks the loop that it was handed. core/net has the loop of the real
 * world; a simulated one can stand in its place, and nobody above sees the difference.
 *
 * A loop belongs to one thread. Everything here is for that thread alone, but for loop_post(), and
 * for what its comment says otherwise. Time is in nanoseconds.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"
#include "core/base/dns.h"
#include "core/base/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

struct loop_ops;

/* The first member of each implementation. */
struct loop {
	const struct loop_ops *ops;
};

/* Nanoseconds since some moment before the loop was made. It never goes back. */
uint64_t loop_now(struct loop *loop);

/* Nanoseconds since 1970 began, UTC. It may jump; only for what a person or a far end reads. */
uint64_t loop_wall(struct loop *loop);

/* Fills out with bytes that nobody can guess. */
void loop_random(struct loop *loop, void *out, size_t len);

/* A number below bound, each as likely as the others. bound > 0. */
uint32_t loop_random_below(struct loop *loop, uint32_t bound);

/*
 * A timer lives inside the object that it serves, so starting it cannot fail. It is stopped before
 * that object goes. Its function is called once, at due_ns or as soon after as the thread can; it
 * may start the timer again, or free what the timer is part of.
 */
struct timer {
	struct heap_node node; /* the loop's, from here to due_ns */
	struct loop *loop;
	uint64_t order;
	uint64_t due_ns;
	void (*fire)(void *arg);
	void *arg;
};

void timer_init(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg);

/* Sets it to go off at the absolute time due_ns, whether it runs already or not. */
void timer_start(struct timer *timer, uint64_t due_ns);

/* The same, delay_ns from now. */
void timer_start_in(struct timer *timer, uint64_t delay_ns);

/* It will not go off. Stopping one that does not run does nothing. */
void timer_stop(struct timer *timer);

bool timer_running(const struct timer *timer);

/*
 * A message to a loop's thread, inside the object that it speaks of, so that posting cannot fail.
 * From loop_post() until run is called it belongs to the loop and is not posted again. Posts from
 * one thread run in the order in which they were posted. Any thread may post.
 */
struct post {
	struct post *next;
	void (*run)(struct post *post);
};

void loop_post(struct loop *loop, struct post *post);

/*
 * Slow work, done on another thread (a disk that may hang). run is called there and touches only
 * what work is part of; then done is called on the loop's thread. Until then it belongs to the
 * loop. Pieces of work of one loop may run side by side and in any order.
 */
struct work {
	void (*run)(struct work *work);
	void (*done)(struct work *work);
};

/* Returns 0, or a negative error code if the work cannot be queued; done is then not called. */
int loop_work(struct loop *loop, struct work *work);

/*
 * One UDP socket. It is bound by one thread, which needs its port, and may be handed, before
 * udp_start(), to the loop of another thread, which then is the only one to touch it.
 */
struct udp;

struct udp_events {
	/*
	 * to: the address of this host that it was sent to, with the socket's port. arrival_ns:
	 * when it reached this host. All that is pointed to is good during the call only.
	 */
	void (*datagram)(void *arg, const struct addr *from, const struct addr *to,
		struct slice bytes, uint64_t arrival_ns);
	/* An ICMP error came for a datagram that was sent to to; err is a negative error code,
	 * sent as much of that datagram as is known (maybe nothing), good during the call only. */
	void (*unreachable)(void *arg, const struct addr *to, int err, struct slice sent);
};

/* Binds to local; port 0 picks a free one. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, ... */
int loop_udp_open(struct udp **out, struct loop *loop, const struct addr *local);

/* Starts receiving on loop's thread. An event function may free the socket. */
int udp_start(struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg);

/*
 * Receives no more, on the thread of the loop that it was started on, from an event function of it,
 * too; what comes waits. udp_start() may follow, on another loop as well. One that was not started
 * stays as it is.
 */
void udp_stop(struct udp *udp);

/* Hands one datagram to the network. An error says that it was surely not sent. */
int udp_send(struct udp *udp, const struct addr *to, struct slice bytes);

/*
 * The same from one address of this host, for a socket that is bound to all of them: an answer
 * leaves from where the question went to. The port of from does not matter, it is the socket's.
 * -EINVAL, -ENETUNREACH or the like if from is not this host's.
 */
int udp_send_from(
	struct udp *udp, const struct addr *from, const struct addr *to, struct slice bytes);

/*
 * Marks what it sends from now on with that DSCP, 0..63 (RFC 2474), where the system lets us and
 * the network is a real one; without it all goes, if slower. Before udp_start() on the thread that
 * bound it, after that on its own.
 */
void udp_mark(struct udp *udp, unsigned dscp);

/* The address it is bound to, with the port that was picked. */
void udp_local(struct addr *out, const struct udp *udp);

/* Closes it; no event comes any more. NULL is allowed. */
void udp_free(struct udp *udp);

/*
 * One TCP connection, or one that is being made. Bytes go and come in their order; where one send
 * ended and the next began, the far end does not see. On its loop's thread.
 */
struct tcp;

enum { TCP_UNSENT_MAX = 1 << 20 }; /* bytes that wait for a far end that does not read */

struct tcp_events {
	/* The connection that loop_tcp_connect() began stands. */
	void (*connected)(void *arg);
	/* Bytes have come, cut anywhere; good during the call only. */
	void (*received)(void *arg, struct slice bytes);
	/*
	 * The last event: it did not come about, or it is over. err is 0 if the far end closed it,
	 * else -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT, ... tcp_free() is still due.
	 */
	void (*closed)(void *arg, int err);
};

/*
 * Begins to connect from a port that the system picks on from (its port does not matter; ADDR_NONE:
 * wherever the route goes from) to to. No event comes before it returns; an event function may free
 * the connection. How long it tries is its owner's decision.
 */
int loop_tcp_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg);

/* For a connection that was accepted: from here on its events come to events. */
void tcp_start(struct tcp *tcp, const struct tcp_events *events, void *arg);

/*
 * Sends bytes after those before them; what cannot go yet is copied and waits, as everything does
 * before connected. -ENOBUFS if more than TCP_UNSENT_MAX would wait, -EPIPE after closed.
 */
int tcp_send(struct tcp *tcp, struct slice bytes);

/* Both ends of it; the local one is known once it stands. */
void tcp_local(struct addr *out, const struct tcp *tcp);
void tcp_remote(struct addr *out, const struct tcp *tcp);

/*
 * Closes it behind what is still to be sent; one that does not stand is given up with all that
 * waits for it. No event comes any more. NULL is allowed.
 */
void tcp_free(struct tcp *tcp);

/* Where connections come in. */
struct tcp_listener;

/* tcp is the function's own: it starts or frees it before it returns. */
typedef void tcp_accepted(void *arg, struct tcp *tcp);

/* Listens on local; port 0 picks one. Errors as loop_udp_open(). */
int loop_tcp_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg);

void tcp_listener_local(struct addr *out, const struct tcp_listener *listener);

/* Connections that were accepted stay. NULL is allowed. */
void tcp_listener_free(struct tcp_listener *listener);

/*
 * Both between programs of one host: the socket has a path in the file system instead of an
 * address, which is ADDR_NONE, and only its owner may connect (mode 0600). A path that nobody
 * listens at any more is taken over, and the listener takes its own away when it is freed.
 * -EADDRINUSE: somebody listens there; -EEXIST: there is something else; -ENAMETOOLONG (107 bytes);
 * -ENOTSUP: this loop has no file system. What connecting fails with comes with closed: -ENOENT,
 * -ECONNREFUSED (nobody listens there), -EACCES, ...
 */
int loop_local_connect(struct tcp **out, struct loop *loop, const char *path,
	const struct tcp_events *events, void *arg);
int loop_local_listen(struct tcp_listener **out, struct loop *loop, const char *path,
	tcp_accepted *accepted, void *arg);

/*
 * Bytes from or to another program, in one direction: our own standard input or output, or a
 * command that runs beside us. It is opened by any thread, as that may take as long as a disk does,
 * and belongs to the loop's thread from then on, where nothing here ever waits.
 */
struct pipe;

enum pipe_way {
	PIPE_IN,  /* we read */
	PIPE_OUT, /* we write */
};

/* How a command ended by itself, and not because it was asked to. */
struct pipe_exit {
	int code;   /* its exit code; 0: well */
	int signal; /* or what killed it; 0: nothing did */
};

/* How it was in the end. */
struct pipe_report {
	struct pipe_exit exit; /* 0 in both where there is no command, or where we ended it */
	int err;               /* why something could not be written; -ETIMEDOUT: nobody read it */
	size_t unsent;         /* bytes of that */
};

typedef void pipe_done(void *arg, const struct pipe_report *report);

/*
 * Opens standard input or output, which others may share: it stays as it is, and stays open. room:
 * bytes that may wait in a PIPE_OUT, or are read ahead of a file. -ENOMEM, -EBADF.
 */
int loop_pipe_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room);

/*
 * Runs line by /bin/sh in a process group of its own, with our end of the pipe at its standard
 * output (PIPE_IN) or input. room: as above, and about what the pipe itself holds. -ENOMEM,
 * -EMFILE, -EAGAIN, -ENOENT (there is no shell), -ENOTSUP (in this loop there are no commands).
 */
int loop_pipe_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room);

/* Appends to out what has come: nothing, where there is nothing yet. -ENODATA at its end, or why it
 * cannot be read. */
int pipe_read(struct buf *out, struct pipe *pipe);

/*
 * Writes bytes after those before them; what cannot go yet is copied and waits. -ENOBUFS, with
 * nothing taken, if more than room would wait; -EPIPE if nobody reads any more, -ENOSPC, ...
 */
int pipe_write(struct pipe *pipe, struct slice bytes);

/* Whether its command has ended by itself, and how. */
bool pipe_exited(struct pipe_exit *out, struct pipe *pipe);

/*
 * Ends it. What waits is still written, for a second at most. A command gets SIGTERM, all of its
 * group: at once if it was read from, and after a second if it was written to, for it has the end
 * of its input to end by; and SIGKILL a second later. Then done is called once, never before this
 * returns; pipe is gone. done may be NULL.
 */
void pipe_close(struct pipe *pipe, pipe_done *done, void *arg);

/*
 * The local address, port 0, from which this host would send to to. -ENETUNREACH or the like if
 * there is no way there.
 */
int loop_route(struct addr *out, struct loop *loop, const struct addr *to);

/*
 * Which addresses this host has: at most max go to out, with port 0, in an order of the system's,
 * without those that lead to no other host (loopback, links that are down) and those of one link
 * alone (fe80::). Returns how many.
 */
size_t loop_addresses(struct addr *out, size_t max, struct loop *loop);

/*
 * Calls changed, on the loop's thread, each time that addresses or routes of this host have
 * changed: what loop_addresses() and loop_route() say may be another from now on. Changes come in
 * swarms: it is told once none has come for NETWORK_SETTLE_NS, but NETWORK_LATEST_NS after the
 * first at the latest; and now and then although nothing of importance has changed. changed may end
 * the watch. -ENOTSUP: this loop is told nothing; -ENOMEM, -EMFILE.
 */
struct network_watch;

#define NETWORK_SETTLE_NS (200 * NS_PER_MS)
#define NETWORK_LATEST_NS NS_PER_S

int loop_network_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg);

/* NULL is allowed. */
void network_unwatch(struct network_watch *watch);

/*
 * Asks for what the name service has of type under name, which for SRV and NAPTR is whole. done is
 * called once, never before loop_resolve() returns, and within RESOLVE_LIMIT_NS; the answer is good
 * during the call only. -ENOMEM, or that nobody can be asked.
 */
struct resolve;

#define RESOLVE_LIMIT_NS (5 * NS_PER_S)

typedef void resolve_done(void *arg, const struct dns_answer *answer);

int loop_resolve(struct resolve **out, struct loop *loop, enum dns_type type, const char *name,
	resolve_done *done, void *arg);

/* Forgets the question; done will not be called. Not after done. */
void resolve_cancel(struct resolve *resolve);

/* What an implementation provides, one function for each of the above. */
struct loop_ops {
	uint64_t (*now)(struct loop *loop);
	uint64_t (*wall)(struct loop *loop);
	void (*random)(struct loop *loop, void *out, size_t len);
	void (*timer_start)(struct loop *loop, struct timer *timer);
	void (*timer_stop)(struct loop *loop, struct timer *timer);
	void (*post)(struct loop *loop, struct post *post);
	int (*work)(struct loop *loop, struct work *work);
	int (*udp_open)(struct udp **out, struct loop *loop, const struct addr *local);
	int (*tcp_connect)(struct tcp **out, struct loop *loop, const struct addr *from,
		const struct addr *to, const struct tcp_events *events, void *arg);
	int (*tcp_listen)(struct tcp_listener **out, struct loop *loop, const struct addr *local,
		tcp_accepted *accepted, void *arg);
	int (*local_connect)(struct tcp **out, struct loop *loop, const char *path,
		const struct tcp_events *events, void *arg);
	int (*local_listen)(struct tcp_listener **out, struct loop *loop, const char *path,
		tcp_accepted *accepted, void *arg);
	int (*pipe_standard)(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room);
	int (*pipe_command)(struct pipe **out, struct loop *loop, enum pipe_way way,
		const char *line, size_t room);
	int (*route)(struct addr *out, struct loop *loop, const struct addr *to);
	/* NULL in the place of these two: the loop has none to tell of */
	size_t (*addresses)(struct addr *out, size_t max, struct loop *loop);
	int (*network_watch)(struct network_watch **out, struct loop *loop,
		void (*changed)(void *arg), void *arg);
	int (*resolve)(struct resolve **out, struct loop *loop, enum dns_type type,
		const char *name, resolve_done *done, void *arg);
	void (*resolve_cancel)(struct resolve *resolve);
};

struct udp_ops {
	int (*start)(
		struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg);
	void (*stop)(struct udp *udp);
	/* from NULL: as the route goes */
	int (*send)(struct udp *udp, const struct addr *from, const struct addr *to,
		struct slice bytes);
	void (*local)(struct addr *out, const struct udp *udp);
	void (*free)(struct udp *udp);
	void (*mark)(struct udp *udp, unsigned dscp); /* NULL: nobody there looks at marks */
};

/* The first member of each implementation's socket. */
struct udp {
	const struct udp_ops *ops;
};

struct tcp_ops {
	void (*start)(struct tcp *tcp, const struct tcp_events *events, void *arg);
	int (*send)(struct tcp *tcp, struct slice bytes);
	void (*local)(struct addr *out, const struct tcp *tcp);
	void (*remote)(struct addr *out, const struct tcp *tcp);
	void (*free)(struct tcp *tcp);
};

/* The first member of each implementation's connection, and of what accepts them. */
struct tcp {
	const struct tcp_ops *ops;
};

struct tcp_listener_ops {
	void (*local)(struct addr *out, const struct tcp_listener *listener);
	void (*free)(struct tcp_listener *listener);
};

struct tcp_listener {
	const struct tcp_listener_ops *ops;
};

struct pipe_ops {
	int (*read)(struct buf *out, struct pipe *pipe);
	int (*write)(struct pipe *pipe, struct slice bytes);
	bool (*exited)(struct pipe_exit *out, struct pipe *pipe);
	void (*close)(struct pipe *pipe, pipe_done *done, void *arg);
};

/* The first member of each implementation's end of it. */
struct pipe {
	const struct pipe_ops *ops;
};

/* The first member of each implementation's question. */
struct resolve {
	struct loop *loop;
};

/* The first member of each implementation's watch. */
struct network_watch {
	void (*end)(struct network_watch *watch);
};
