/*
 * What every request has to pass before anybody looks at what it wants (RFC 3261, section 8.2). On
 * the stack's thread.
 */
#pragma once

#include "core/sip/msg.h"
#include "core/sip/server.h"

/* Answers the request of a new server transaction, or hands it to whoever it is for. */
void sip_uas_receive(struct sip_server *server);
