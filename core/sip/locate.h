/*
 * Where a request for a URI is to be sent (RFC 3263). On the stack's thread.
 *
 * A host's name may have NAPTR records, which say by which transport, SRV records, which say at
 * which servers, and addresses. What these say is not believed to be small or true: at most four
 * services are asked for their servers, eight servers for their addresses, and eight flows come of
 * it; within two times RESOLVE_LIMIT_NS where nobody answers, and three where they are slow.
 */
#pragma once

#include "core/base/fault.h"
#include "core/sip/msg.h"
#include "core/sip/server.h"
#include "core/sip/uri.h"

struct sip_locate;

enum { SIP_LOCATE_MAX = 8 };

/*
 * Called once, never before sip_locate() returns; flows in the order in which to try them: as the
 * records say, but those that have failed lately (core/sip/avoid.h) come last. On error
 * (-ENOENT: no such host; -EAFNOSUPPORT, -ENETUNREACH, -EPROTONOSUPPORT, -EAGAIN: no name server
 * answers; for TLS what sip_secure_need() returns) count is 0 and why says in words what is wrong.
 * The question is gone when it returns.
 */
typedef void sip_located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why);

/*
 * The flow for a uri that needs no looking up. -EINPROGRESS for a name, which sip_locate() can look
 * up; otherwise the errors above, with the words in why.
 */
int sip_locate_now(struct sip_flow *out, struct sip_stack *stack, const struct sip_uri *uri,
	struct fault *why);

/* uri is copied as far as needed. -ENOMEM. */
int sip_locate(struct sip_locate **out, struct sip_stack *stack, const struct sip_uri *uri,
	sip_located *done, void *arg);

/* Forgets the question; done will not be called. NULL is allowed. Not after done. */
void sip_locate_cancel(struct sip_locate *locate);
