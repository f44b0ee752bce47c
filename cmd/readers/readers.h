/*
 * Who looks on in one run of the program, by what its options ask for: text or JSON on the
 * terminal, SIP messages, tones, a file of packets; and by its configuration: hooks. Made and freed
 * by the main thread while there is no other; all else is on the agents' thread.
 */
#pragma once

#include "cmd/desk.h"
#include "cmd/settings/config.h"
#include "cmd/settings/options.h"

struct readers;
struct terminal;

struct readers_config {
	const struct options *options;
	const struct config *config;
	struct terminal *terminal;
	struct loop *agent_loop;
	struct loop *media_loop;
	bool keys; /* there is a prompt where a key answers */
};

/* What config points to is kept alive by the caller. -ENOMEM. */
int readers_new(struct readers **out, const struct readers_config *config);

/* NULL is allowed. */
void readers_free(struct readers *readers);

/* What takes a file, before there is a phone. What capture_open() returns, with words. */
int readers_open(struct readers *readers, struct fault *why);

/* Who looks on at the datagrams of calls (ua_config.tap), or NULL. */
const struct media_tap *readers_tap(const struct readers *readers);

/* They look on from now, until readers_detach(). Those who must see events first come before. */
void readers_attach(struct readers *readers, struct desk *desk);
void readers_detach(struct readers *readers, struct desk *desk);

/* No tone any more, whatever comes. */
void readers_hush(struct readers *readers);

/* There are no calls any more: done is called once all is silent (ringer_close()), the commands of
 * events have ended, or patience with them has (hooks_close()), and the file of packets is closed.
 */
void readers_close(struct readers *readers, void (*done)(void *arg), void *arg);

/* After done: no tone sounds and no command is waited for any more. */
void readers_end(struct readers *readers);

/* How the ladder of calls is kept, and shown as it grows; NULL: it is neither. */
const struct ladder_config *readers_ladder(const struct readers *readers);

/* How often the events of a call's meter are of use (ua_config.meter_ns). */
uint64_t readers_meter_ns(const struct readers *readers);
