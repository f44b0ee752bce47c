/*
 * Messages out of a stream of bytes that is cut and merged anywhere (RFC 3261, section 18.3), with
 * the empty lines that keep a connection alive between them (RFC 5626, section 3.5.1). Each byte is
 * looked at once. Whoever reads the stream owns the framing; any thread, one at a time.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>

enum { SIP_HEAD_MAX = 32768 }; /* bytes of a start line and headers that a stream may send */

enum sip_frame_kind {
	SIP_FRAME_MORE,    /* all bytes are taken, and nothing is whole */
	SIP_FRAME_MESSAGE, /* bytes are a message with its body */
	SIP_FRAME_PING,    /* two empty lines, to be answered by one */
	/* Where the next message would begin cannot be known: the stream is of no use any more.
	 * bytes are the headers as far as they go, and what to answer is in status and reason. */
	SIP_FRAME_BROKEN,
};

struct sip_frame {
	enum sip_frame_kind kind;
	struct slice bytes; /* good until the framing is used again */
	uint16_t status;
	const char *reason;
};

/* All zero: a stream that begins. */
struct sip_framing {
	uint8_t *data;
	size_t len, size;
	size_t line;       /* where the line at hand begins */
	size_t head;       /* bytes up to the body; 0: not known yet */
	size_t whole;      /* bytes of the message */
	unsigned int ping; /* how much of CR LF CR LF there was */
	size_t lines;      /* empty ones between messages, so far */
	bool told;         /* what data holds was handed out */
	bool broken;
};

/*
 * Takes bytes off from until something is whole, or all of them. It is called until it says
 * SIP_FRAME_MORE; after SIP_FRAME_BROKEN it takes nothing more. -ENOMEM: the stream is of no use
 * any more either.
 */
int sip_framing_next(struct sip_frame *out, struct sip_framing *framing, struct slice *from);

/* The empty line that has just come is an answer, and not the first half of a ping. */
void sip_framing_take_line(struct sip_framing *framing);

/* Whether a message has begun that is not whole. */
bool sip_framing_is_amid(const struct sip_framing *framing);

void sip_framing_close(struct sip_framing *framing);
