#include "core/net/openssl.h"

#include "core/base/library.h"

/* One for the program, as the libraries are; library_load() sees to who fills them. */
static struct openssl functions;

int openssl_load(const struct openssl **out, struct fault *why)
{
#define CRYPTO(name) {#name, offsetof(struct openssl_crypto, name)},
	static const struct library_symbol crypto[] = {OPENSSL_CRYPTO_EACH(CRYPTO)};
#undef CRYPTO
#define SSL(name) {#name, offsetof(struct openssl_ssl, name)},
	static const struct library_symbol ssl[] = {OPENSSL_SSL_EACH(SSL)};
#undef SSL
	int err;

	err = library_load(&functions.crypto, "libcrypto.so.3", crypto,
		sizeof(crypto) / sizeof(crypto[0]), why);
	if (!err)
		err = library_load(
			&functions.ssl, "libssl.so.3", ssl, sizeof(ssl) / sizeof(ssl[0]), why);
	if (!err)
		*out = &functions;
	return err;
}
