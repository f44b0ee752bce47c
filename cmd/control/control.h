/*
 * The control socket: other programs of the same person connect to it, send commands and are told
 * each event as a line of JSON (cmd/readers/json.h). Each client has a queue of its own: its lines
 * are run one after the other, each to its end. What a client does, or does not do, disturbs nobody
 * else. On the agents' thread.
 */
#pragma once

#include "core/base/fault.h"

struct control;
struct desk;

enum { CONTROL_CLIENTS_MAX = 16 };

/* Listens at path, for its owner alone. A negative error code, with words. */
int control_new(struct control **out, struct desk *desk, const char *path, struct fault *why);

/* Lets go of all clients, and takes the socket away. Not from within an event. NULL is allowed. */
void control_free(struct control *control);
