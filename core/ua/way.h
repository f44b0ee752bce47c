/*
 * The way to a next hop as people read of it: by which transport, and what is wrong with it. Pure
 * functions: any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/sip/flow.h"
#include "core/sip/uri.h"

/* "udp", "tcp", "tls", "ws", "wss"; of a flow that leads nowhere yet, "udp". */
const char *way_name(enum sip_transport_kind kind);
const char *way_of(const struct sip_flow *flow);

/* How uri is to be reached; as UDP, what we do not speak: that is told once it is located. */
enum sip_transport_kind way_wanted(const struct sip_uri *uri);

/* Why nothing can be sent by flow: words for err, which it returns. */
int way_fault(struct fault *out, const struct sip_flow *flow, int err);
