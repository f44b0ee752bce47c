/*
 * What WebSocket's frames are made of that wslay does. It is loaded for the first connection of
 * that kind, and stays; of its headers only. For core/net/websocket alone. Once loaded, any thread.
 */
#pragma once

#include "core/base/fault.h"

#include <wslay/wslay.h>

#define WSLAY_EACH(X)                                                                              \
	X(wslay_event_config_set_max_recv_msg_length)                                              \
	X(wslay_event_context_client_init)                                                         \
	X(wslay_event_context_free)                                                                \
	X(wslay_event_get_close_received)                                                          \
	X(wslay_event_get_queued_msg_length)                                                       \
	X(wslay_event_get_read_enabled)                                                            \
	X(wslay_event_get_status_code_sent)                                                        \
	X(wslay_event_queue_close)                                                                 \
	X(wslay_event_queue_msg)                                                                   \
	X(wslay_event_recv)                                                                        \
	X(wslay_event_send)                                                                        \
	X(wslay_event_set_error)                                                                   \
	X(wslay_event_shutdown_read)                                                               \
	X(wslay_event_want_write)

#define WSLAY_FIELD(name) __typeof__(&(name)) name;

/* As its header declares them. */
struct wslay {
	WSLAY_EACH(WSLAY_FIELD)
};

/* What library_load() says. What out is set to stays. Any thread. */
int wslay_load(const struct wslay **out, struct fault *why);
