/* What all TLS connections of a phone have in common: whom we believe, and who we are. */
#include "core/base/log.h"
#include "core/net/tls_private.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody can be asked for it here: what needs one is refused, in words. */
static int no_password(char *out, int size, int write, void *arg)
{
	(void)out;
	(void)size;
	(void)write;
	(void)arg;
	return 0;
}

static int set_up(SSL_CTX **out, const struct openssl *openssl, const SSL_METHOD *method)
{
	const struct openssl_ssl *ssl = &openssl->ssl;
	SSL_CTX *ctx = ssl->SSL_CTX_new(method);

	if (!ctx)
		return -ENOMEM;

	ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	ssl->SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
	ssl->SSL_CTX_set_default_passwd_cb(ctx, no_password);
	*out = ctx;
	return 0;
}

/* Words for a file that OpenSSL did not take. */
static int bad_file(const struct openssl *openssl, struct fault *why, const char *path,
	const char *holds, const char *option)
{
	unsigned long error = openssl->crypto.ERR_peek_last_error();
	const char *words = openssl->crypto.ERR_reason_error_string(error);

	if (access(path, R_OK) != 0)
		return fault_set(
			why, -EINVAL, "%s: %s cannot be read: %s", option, path, strerror(errno));
	return fault_set(why, -EINVAL, "%s: there is no %s in %s: %s", option, holds, path,
		words ? words : "it is not in PEM");
}

static int read_authorities(struct tls *tls, const struct tls_config *config, struct fault *why)
{
	const struct openssl_ssl *ssl = &tls->openssl->ssl;

	if (!config->ca_file) /* a machine without any believes nobody */
		(void)ssl->SSL_CTX_set_default_verify_paths(tls->client);
	else if (ssl->SSL_CTX_load_verify_file(tls->client, config->ca_file) != 1)
		return bad_file(tls->openssl, why, config->ca_file, "authority's certificate",
			"tls_ca_file");
	return 0;
}

static int show_certificate(SSL_CTX *ctx, const struct openssl *openssl,
	const struct tls_config *config, struct fault *why)
{
	const char *key = config->key ? config->key : config->certificate;
	const struct openssl_ssl *ssl = &openssl->ssl;

	if (ssl->SSL_CTX_use_certificate_chain_file(ctx, config->certificate) != 1)
		return bad_file(
			openssl, why, config->certificate, "certificate", "tls_certificate");
	if (ssl->SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
		return 0;
	if (ERR_GET_REASON(openssl->crypto.ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
		return fault_set(why, -EINVAL, "tls_key: the key in %s is not that of %s", key,
			config->certificate);
	return bad_file(openssl, why, key, "private key that we can read", "tls_key");
}

/* For the next connection to the same host. */
static void keep_sessions(struct tls *tls)
{
	tls->openssl->ssl.SSL_CTX_ctrl(tls->client, SSL_CTRL_SET_SESS_CACHE_MODE,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, NULL);
	tls->openssl->ssl.SSL_CTX_sess_set_new_cb(tls->client, tls_keep_session);
}

static int make_client(struct tls *tls, const struct tls_config *config, struct fault *why)
{
	int err = set_up(&tls->client, tls->openssl, tls->openssl->ssl.TLS_client_method());

	if (err)
		return fault_set(why, err, "out of memory");
	keep_sessions(tls);
	tls->openssl->ssl.SSL_CTX_set_client_cert_cb(tls->client, tls_lack_certificate);
	err = read_authorities(tls, config, why);
	if (!err && config->certificate)
		err = show_certificate(tls->client, tls->openssl, config, why);
	return err;
}

static int make_server(struct tls *tls, const struct tls_config *config, struct fault *why)
{
	int err = set_up(&tls->server, tls->openssl, tls->openssl->ssl.TLS_server_method());

	if (err)
		return fault_set(why, err, "out of memory");
	return show_certificate(tls->server, tls->openssl, config, why);
}

/* It is of use as it is; and its owner may not know. */
static void look_at_key(const struct tls_config *config)
{
	const char *key = config->key ? config->key : config->certificate;
	struct stat status;

	if (key && stat(key, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)))
		log_warning("tls_key: others can read %s: chmod 600 keeps it to its owner", key);
}

int tls_new(struct tls **out, const struct tls_config *config, struct fault *why)
{
	const struct openssl *openssl;
	struct tls *tls;
	int err;

	if (config->key && !config->certificate)
		return fault_set(
			why, -EINVAL, "tls_key: a key is of no use without tls_certificate = FILE");
	err = openssl_load(&openssl, why);
	if (err)
		return err;
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return fault_set(why, -ENOMEM, "out of memory");

	tls->openssl = openssl;
	openssl->crypto.ERR_clear_error();
	err = make_client(tls, config, why);
	if (!err && config->certificate)
		err = make_server(tls, config, why);
	if (err) {
		tls_free(tls);
		return err;
	}
	look_at_key(config);
	*out = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;

	for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
		free(tls->sessions[i].host);
		tls->openssl->ssl.SSL_SESSION_free(tls->sessions[i].session);
	}
	tls->openssl->ssl.SSL_CTX_free(tls->client);
	tls->openssl->ssl.SSL_CTX_free(tls->server);
	free(tls);
}

bool tls_has_certificate(const struct tls *tls)
{
	return tls->server != NULL;
}
