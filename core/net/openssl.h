/*
 * What TLS is made of that OpenSSL does. Linked, it would cost each start of the program some
 * milliseconds and megabytes, and most calls need none of it: so it is loaded for the first
 * connection that does, and stays. For core/net/tls alone. Once loaded, any thread.
 */
#pragma once

#include "core/base/fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* libcrypto's; the macros of its headers are made of these. */
#define OPENSSL_CRYPTO_EACH(X)                                                                     \
	X(ASN1_STRING_get0_data)                                                                   \
	X(ASN1_STRING_length)                                                                      \
	X(BIO_ctrl)                                                                                \
	X(BIO_free)                                                                                \
	X(BIO_new)                                                                                 \
	X(BIO_s_mem)                                                                               \
	X(BIO_write)                                                                               \
	X(ERR_clear_error)                                                                         \
	X(ERR_peek_last_error)                                                                     \
	X(ERR_reason_error_string)                                                                 \
	X(GENERAL_NAMES_free)                                                                      \
	X(OPENSSL_sk_num)                                                                          \
	X(OPENSSL_sk_value)                                                                        \
	X(X509_NAME_get_text_by_NID)                                                               \
	X(X509_STORE_CTX_get_current_cert)                                                         \
	X(X509_STORE_CTX_get_error)                                                                \
	X(X509_STORE_CTX_get_error_depth)                                                          \
	X(X509_STORE_CTX_get_ex_data)                                                              \
	X(X509_STORE_CTX_set_error)                                                                \
	X(X509_VERIFY_PARAM_set1_host)                                                             \
	X(X509_VERIFY_PARAM_set1_ip_asc)                                                           \
	X(X509_VERIFY_PARAM_set_hostflags)                                                         \
	X(X509_get_ext_d2i)                                                                        \
	X(X509_get_subject_name)                                                                   \
	X(X509_verify_cert_error_string)

/* libssl's */
#define OPENSSL_SSL_EACH(X)                                                                        \
	X(SSL_CTX_ctrl)                                                                            \
	X(SSL_CTX_free)                                                                            \
	X(SSL_CTX_load_verify_file)                                                                \
	X(SSL_CTX_new)                                                                             \
	X(SSL_CTX_sess_set_new_cb)                                                                 \
	X(SSL_CTX_set_client_cert_cb)                                                              \
	X(SSL_CTX_set_default_passwd_cb)                                                           \
	X(SSL_CTX_set_default_verify_paths)                                                        \
	X(SSL_CTX_set_options)                                                                     \
	X(SSL_CTX_use_PrivateKey_file)                                                             \
	X(SSL_CTX_use_certificate_chain_file)                                                      \
	X(SSL_SESSION_free)                                                                        \
	X(SSL_ctrl)                                                                                \
	X(SSL_do_handshake)                                                                        \
	X(SSL_free)                                                                                \
	X(SSL_get0_param)                                                                          \
	X(SSL_get_error)                                                                           \
	X(SSL_get_ex_data)                                                                         \
	X(SSL_get_ex_data_X509_STORE_CTX_idx)                                                      \
	X(SSL_new)                                                                                 \
	X(SSL_read)                                                                                \
	X(SSL_set_accept_state)                                                                    \
	X(SSL_set_bio)                                                                             \
	X(SSL_set_connect_state)                                                                   \
	X(SSL_set_ex_data)                                                                         \
	X(SSL_set_session)                                                                         \
	X(SSL_set_verify)                                                                          \
	X(SSL_shutdown)                                                                            \
	X(SSL_write)                                                                               \
	X(TLS_client_method)                                                                       \
	X(TLS_server_method)

#define OPENSSL_FIELD(name) __typeof__(&(name)) name;

/* As its headers declare them. */
struct openssl {
	struct openssl_crypto {
		OPENSSL_CRYPTO_EACH(OPENSSL_FIELD)
	} crypto;
	struct openssl_ssl {
		OPENSSL_SSL_EACH(OPENSSL_FIELD)
	} ssl;
};

/* What library_load() says. What out is set to stays. Any thread. */
int openssl_load(const struct openssl **out, struct fault *why);
