/*
 * Which of the WebSockets of a host it is that a URI leads to: RFC 7118 knows no way to say it, and
 * servers have theirs at a path, like "/ws". Here it is the parameter ws-path, of URIs that are
 * local: a far end shall not have us ask a third party by HTTP for what it likes. Pure functions:
 * any thread.
 */
#pragma once

#include "core/base/text.h"
#include "core/sip/uri.h"

#define SIP_WEB_PATH "ws-path"

/* What is put into such a parameter of a path, which begins with a slash: "/ws?a=b" as
 * "/ws%3Fa%3Db". */
void sip_web_put_path(struct text *out, struct slice path);

/* The name that whom uri leads to is called by (core/sip/secure.h): its host, with such a path. */
void sip_web_put_name(struct text *out, const struct sip_uri *uri);
