/*
 * --pcap: the SIP messages and the RTP and RTCP of a run as a file of packets. What is said goes by
 * a queue from each thread that says it to the pool's, where it is written, however slow the disk
 * is; what the queues cannot hold is dropped and counted. It belongs to the agent's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/media/tap.h"
#include "core/sip/flow.h"

#include <stdbool.h>

struct loop;
struct capture;

/* Makes the file. Errors as capture_file_create(), with words. path is copied. */
int capture_open(struct capture **out, struct loop *agent_loop, struct loop *media_loop,
	const char *path, struct fault *why);

/* A message as ua_config.trace tells of it. */
void capture_message(struct capture *capture, bool sent, enum sip_transport_kind kind,
	const struct addr *local, const struct addr *remote, struct slice bytes);

/* What ua_config.tap is to be; good as long as the capture. */
const struct media_tap *capture_tap(const struct capture *capture);

/* words: what the file lacks and why; NULL if it has all. Good during the call only. */
typedef void capture_done(void *arg, const char *words);

/*
 * With no call left: writes what waits, then calls done once, never before this returns. The
 * capture is gone then.
 */
void capture_close(struct capture *capture, capture_done *done, void *arg);
