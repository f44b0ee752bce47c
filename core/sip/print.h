/*
 * Pieces of messages to be sent, written into a text whose room bounds the message. Lines end with
 * CRLF. Nobody here looks at what is written: values come from messages that were parsed or were
 * checked by sip_header_check(). Any thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/text.h"
#include "core/sip/msg.h"

/* "INVITE sip:bob@example.org SIP/2.0" */
void sip_print_request_line(struct text *out, enum sip_method method, struct slice uri);

/* "SIP/2.0 180 Ringing"; reason NULL: that of sip_reason(). */
void sip_print_status_line(struct text *out, uint16_t status, const char *reason);

/* "Name: value" */
void sip_print_header(struct text *out, enum sip_header_name id, struct slice value);
void sip_print_header_text(struct text *out, enum sip_header_name id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Copies every header of that name from msg, each as a line of its own, in order. */
void sip_print_copies(struct text *out, const struct sip_msg *msg, enum sip_header_name id);

/*
 * The topmost Via of a request that came from source: with received and rport filled in as RFC
 * 3261, section 18.2.1 and RFC 3581, section 4 want; then the other Vias as they are. keeps: we
 * agree to keep of RFC 6223 there.
 */
void sip_print_vias_of_response(
	struct text *out, const struct sip_msg *request, const struct addr *source, bool keeps);

/* Content-Type if the body is not empty, Content-Length, the empty line, the body. */
void sip_print_body(struct text *out, const char *content_type, struct slice body);

/* A display name as a quoted string, escaped (section 25.1). */
void sip_print_quoted(struct text *out, struct slice name);

/*
 * Whether a person may add this line, "Name: value", to a request: a token as the name, no control
 * character in the value, no header that the stack writes itself. Returns 0 or -EINVAL with what
 * naming the reason, static.
 */
int sip_header_check(struct slice line, const char **what);
