/*
 * TLS 1.2 and 1.3 (RFC 8446), by OpenSSL, over the connections of a loop: what is made here is a
 * struct tcp as any other (core/base/loop.h), with the same rules. Its far end has been asked for
 * by name, and is who it says, or there is no connection; there is no way to switch that off.
 *
 * A struct tls is what all connections of a phone have in common; it outlives them. On the loop's
 * thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/loop.h"

struct tls;

/* Paths of files in PEM. NULL: none. */
struct tls_config {
	const char *ca_file;     /* whom to believe, in place of the system's authorities */
	const char *certificate; /* ours, with what is between it and its authority behind it */
	const char *key;         /* its private key; NULL: it is in certificate, too */
};

/*
 * Reads the files. -ENOENT or -ENOSYS without OpenSSL, -EINVAL if a file is not what it should be,
 * -ENOMEM; with words in why that name what to mend.
 */
int tls_new(struct tls **out, const struct tls_config *config, struct fault *why);

/* NULL is allowed. */
void tls_free(struct tls *tls);

/* Whether it has a certificate to show: connections can be accepted. */
bool tls_has_certificate(const struct tls *tls);

/*
 * As loop_tcp_connect(), to what is called host: a name, or an IP address as text. connected comes
 * once host's certificate has been found good. closed comes with -EKEYREJECTED if it was not, with
 * -EPROTO if there was no handshake for another reason, -ETIMEDOUT if there was none in 5 s, or as
 * TCP has it; tls_words() says it in words.
 */
int tls_connect(struct tcp **out, struct tls *tls, struct loop *loop, const struct addr *from,
	const struct addr *to, const char *host, const struct tcp_events *events, void *arg);

/*
 * Over a connection that was accepted and not started, which is its own from here on, also on
 * error. tcp_start() is due, as for TCP. Who connects shows no certificate. -ENOMEM.
 */
int tls_accept(struct tcp **out, struct tls *tls, struct loop *loop, struct tcp *raw);

/* In closed, or after 5 s of silence: why there was no handshake, for people; empty if there is
 * nothing to say that the error code does not. tcp is of tls_connect() or tls_accept(). */
const char *tls_words(const struct tcp *tcp);
