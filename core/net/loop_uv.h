/*
 * The loop of the real world, on libuv, and the thread that it may run on. Whoever makes a loop
 * owns it, and frees it on any thread once nobody runs it any more.
 */
#pragma once

#include "core/base/loop.h"

/* Returns -ENOMEM, -EMFILE or the like if the system has no more to give. */
int loop_uv_new(struct loop **out);

/* What has been posted and not been run is dropped; slow work is waited for. NULL is allowed. */
void loop_uv_free(struct loop *loop);

/*
 * Whether slow work, a name that is being looked up, or a command has not come to its end.
 * loop_uv_free() would wait for it, for as long as a disk or a name server hangs, or leave it
 * behind. On the loop's thread, or with none running it.
 */
bool loop_uv_busy(const struct loop *loop);

/*
 * Has name servers asked that are not the system's: "127.0.0.1:5353,[::1]:53", not empty. Before
 * the first question, on the loop's thread or with none running it. -ENOMEM.
 */
int loop_uv_name_servers(struct loop *loop, const char *servers);

/*
 * Marks with that DSCP, 0..63, what sockets of UDP and TCP send that it opens or accepts from now
 * on (udp_mark() changes one's); not its questions for names. With none running it.
 */
void loop_uv_mark(struct loop *loop, unsigned dscp);

/* Runs it on the calling thread until loop_uv_stop(). */
void loop_uv_run(struct loop *loop);

/* Lets loop_uv_run() return after the event at hand. On its thread; loop_post() leads there. */
void loop_uv_stop(struct loop *loop);

/*
 * Calls caught with arg for each signal number, on the loop's thread, until the loop is freed. One
 * loop of the process for each signal.
 */
int loop_uv_signal(struct loop *loop, int number, void (*caught)(void *arg, int number), void *arg);

/* Catches no more for arg, all of its numbers: what they do is the system's again. */
void loop_uv_signal_stop(struct loop *loop, void *arg);

/*
 * Calls ready with arg on the loop's thread for as long as fd can be read or has come to its end,
 * until loop_uv_unwatch(). fd stays as it is, for others may share it. -EPERM: of a file there is
 * nothing to wait for; -EBADF, -ENOMEM, -EMFILE.
 */
struct loop_watch;

int loop_uv_watch(
	struct loop_watch **out, struct loop *loop, int fd, void (*ready)(void *arg), void *arg);

/* From within ready, too; before the loop is freed. NULL is allowed. */
void loop_uv_unwatch(struct loop_watch *watch);

/* A thread that runs a loop. */
struct loop_thread;

/* name: at most 15 characters, as ps and gdb show it. */
int loop_thread_start(struct loop_thread **out, struct loop *loop, const char *name);

/* Stops the loop, after what has been posted to it, and waits for the thread. NULL is allowed. */
void loop_thread_stop(struct loop_thread *thread);
