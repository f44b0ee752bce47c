/*
 * How things are written for people, wherever they are shown. Any thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/text.h"

#include <stdbool.h>

/* Appends text from outside: harmless, and of what is longer than a line, the beginning. */
void words_put(struct text *out, struct slice bytes);

/* The same of a URI, as people write it (words_uri()), without the password that may be in it. */
void words_put_uri(struct text *out, struct slice uri);

/* ":secret" of a word like "sip:bob:secret@host" or "<bob:secret@host>"; empty if there is none. */
struct slice words_typed_password(struct slice word);

/* Appends a line as somebody typed it, without the passwords that URIs in it have. */
void words_put_typed(struct text *out, struct slice line);

/* The password of a SIP URI with the colon before it, as a part of uri; empty if there is none. */
struct slice words_password(struct slice uri);

/* Appends "2:31" or "1:02:31"; half a second is none. duration_s: 0 to UINT_MAX. */
void words_put_duration(struct text *out, double duration_s);

/* A URI as people write it: without "sip:". */
struct slice words_uri(struct slice uri);

/* What people call the far end: the user of its URI, or the host if there is none. */
struct slice words_name(struct slice uri);

/* Whether it is the one of somebody who wants not to be known (RFC 3323, section 4.1.1.3). */
bool words_is_anonymous(struct slice uri);

/* Whether addr can be read from uri, so that it need not be told. */
bool words_uri_shows(struct slice uri, const struct addr *addr);
