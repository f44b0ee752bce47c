/* What the files of TLS share among each other. */
#pragma once

#include "core/net/openssl.h"
#include "core/net/tls.h"

enum { TLS_SESSIONS_MAX = 16 };

struct tls {
	const struct openssl *openssl;
	SSL_CTX *client;
	SSL_CTX *server; /* NULL: we have no certificate */
	/* The newest with each host, so that the next handshake with it is short (RFC 8446, section
	 * 2.2). The certificate was looked at when it began. */
	struct tls_session {
		char *host;
		SSL_SESSION *session;
	} sessions[TLS_SESSIONS_MAX];
	size_t next_session; /* the place that is taken if all are */
};

/* OpenSSL's call when a server wants a certificate of ours and we have none: it gets none. */
int tls_lack_certificate(SSL *ssl, X509 **certificate, EVP_PKEY **key);

/* OpenSSL's call for each session that a server gives us. Returns 1 if it is ours from then on. */
int tls_keep_session(SSL *ssl, SSL_SESSION *session);

/*
 * OpenSSL's call for each certificate of a chain: whether it may stay so. What is wrong is left in
 * words, in why, of the host that was asked for. host: as in tls_connect().
 */
int tls_judge(int good, X509_STORE_CTX *chain, const struct openssl *openssl, const char *host,
	struct fault *why);

/* That there was none because we have no certificate. */
void tls_explain_lack(struct fault *why, const char *peer);

/* Why a handshake failed, by OpenSSL's newest error; peer: the far end's name or address. */
void tls_explain(struct fault *why, const struct openssl *openssl, const char *peer);
