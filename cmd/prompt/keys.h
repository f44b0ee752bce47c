/*
 * The keyboard of the terminal, key by key. Others share it: while a shell has it, as after Ctrl-Z
 * and bg, nothing here touches it; what it was set to is put back whenever it is let go. On the
 * loop's thread.
 */
#pragma once

#include <stdbool.h>

struct keys;
struct loop;

/*
 * fd: a terminal, which stays open. ready is called with arg while it is taken and there is a key,
 * or no keyboard any more. Not taken yet. -ENOTTY, -ENOMEM, -EMFILE.
 */
int keys_new(struct keys **out, struct loop *loop, int fd, void (*ready)(void *arg), void *arg);

/* Lets it go. NULL is allowed. */
void keys_free(struct keys *keys);

/* Takes it, again maybe, if it is ours: false: we are in the background, or it is gone. */
bool keys_take(struct keys *keys);

/* Puts its settings back, if it is ours, and calls ready no more. */
void keys_let_go(struct keys *keys);

/* The same just before _exit(), on any thread: without waiting for anything. */
void keys_abandon(struct keys *keys);

/* Whether it is taken. */
bool keys_taken(const struct keys *keys);

/* Whether keys_read() would not wait. */
bool keys_waiting(const struct keys *keys);

/* What keys_read() will return, where there is something within wait_ms; else -EAGAIN. */
int keys_peek(struct keys *keys, int wait_ms);

/* Whether key is that of Ctrl-C: it comes in its turn among the others, and sends no signal. */
bool keys_is_interrupt(const struct keys *keys, int key);

/* A byte. -EIO if there is no keyboard any more, -EAGAIN if it is no longer ours. */
int keys_read(struct keys *keys);
