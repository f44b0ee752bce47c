#include "tests/unit/web_far.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

/* By OpenSSL itself, which tests may link. */
void web_far_agree(struct text *out, struct slice request)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	const char *key = memmem(request.data, request.len, name, strlen(name));
	unsigned char hash[SHA_DIGEST_LENGTH];
	char room[128], accept[32];

	if (!key)
		return;
	snprintf(room, sizeof(room), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		key + strlen(name));
	SHA1((const unsigned char *)room, strlen(room), hash);
	EVP_EncodeBlock((unsigned char *)accept, hash, sizeof(hash));
	text_printf(out,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		"Sec-WebSocket-Protocol: sip\r\n\r\n",
		accept);
}
