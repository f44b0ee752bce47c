#include "core/net/upgrade.h"

#include "core/base/addr.h"
#include "core/base/library.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum {
	SHOWN_SIZE = 128, /* of what the far end said; what is too long is cut */
	KEY_SIZE = 25,    /* of UPGRADE_NONCE_SIZE bytes in base64 */
	ACCEPT_SIZE = 29, /* of a hash */
	SWITCHING = 101,  /* protocols */
	NOT_FOUND = 404,
	STATUS_MAX = 999,
	PORT = 80,
	SECURE_PORT = 443,
};

/* Not linked: who speaks no WebSocket does not wait for it. */
struct crypto {
	unsigned char *(*sha1)(const unsigned char *bytes, size_t len, unsigned char *out);
	int (*encode)(unsigned char *out, const unsigned char *bytes, int len);
};

static struct crypto crypto;

int upgrade_load(struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"SHA1", offsetof(struct crypto, sha1)},
		{"EVP_EncodeBlock", offsetof(struct crypto, encode)},
	};

	return library_load(
		&crypto, "libcrypto.so.3", symbols, sizeof(symbols) / sizeof(symbols[0]), why);
}

static void make_key(char out[static KEY_SIZE], const struct upgrade *upgrade)
{
	crypto.encode((unsigned char *)out, upgrade->nonce, UPGRADE_NONCE_SIZE);
}

/* What shows that the answer is to our question (section 4.2.2, step 5.4). */
static void make_accept(char out[static ACCEPT_SIZE], const struct upgrade *upgrade)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char hash[SHA_DIGEST_LENGTH];
	char room[KEY_SIZE + sizeof(guid)];

	make_key(room, upgrade);
	memcpy(room + KEY_SIZE - 1, guid, sizeof(guid));
	crypto.sha1((const unsigned char *)room, strlen(room), hash);
	crypto.encode((unsigned char *)out, hash, sizeof(hash));
}

/* Section 4.1: with its port, if that is not the usual one. */
static void print_host(struct text *out, const struct upgrade *upgrade)
{
	char room[ADDR_TEXT_SIZE];
	struct addr addr;

	if (addr_parse(&addr, slice_of(upgrade->host)) == 0)
		text_puts(out, addr_print_host(room, &addr));
	else
		text_puts(out, upgrade->host);
	if (upgrade->port != (upgrade->secure ? SECURE_PORT : PORT))
		text_printf(out, ":%u", upgrade->port);
}

void upgrade_print(struct text *out, const struct upgrade *upgrade)
{
	char key[KEY_SIZE];

	make_key(key, upgrade);
	text_printf(out, "GET %s HTTP/1.1\r\nHost: ", upgrade->path);
	print_host(out, upgrade);
	text_printf(out,
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Protocol: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
		key, upgrade->protocol);
}

size_t upgrade_find_end(struct slice bytes)
{
	static const char end[] = "\r\n\r\n";
	const uint8_t *found = bytes.len > 0 ? memmem(bytes.data, bytes.len, end, 4) : NULL;

	return found ? (size_t)(found - bytes.data) + 4 : 0;
}

/* What is of interest in an answer. */
struct answer {
	uint16_t status;
	struct slice reason, location;
	struct slice accept, protocol;
	bool upgrades, connects, extends, twice;
};

/* Whether a list that commas part has that word. */
static bool has_word(struct slice list, const char *word)
{
	struct slice value;
	bool more;

	do {
		more = slice_cut(&value, &list, ',');
		if (slice_is_nocase(slice_trim(value), word))
			return true;
	} while (more);
	return false;
}

static void read_upgrade(struct answer *answer, struct slice value)
{
	answer->upgrades |= has_word(value, "websocket");
}

static void read_connection(struct answer *answer, struct slice value)
{
	answer->connects |= has_word(value, "upgrade");
}

static void read_accept(struct answer *answer, struct slice value)
{
	answer->twice |= answer->accept.len > 0;
	answer->accept = value;
}

static void read_protocol(struct answer *answer, struct slice value)
{
	answer->twice |= answer->protocol.len > 0;
	answer->protocol = value;
}

/* We have asked for none. */
static void read_extensions(struct answer *answer, struct slice value)
{
	answer->extends |= value.len > 0;
}

static void read_location(struct answer *answer, struct slice value)
{
	answer->location = value;
}

static const struct {
	const char *name;
	void (*read)(struct answer *answer, struct slice value);
} headers[] = {
	{"Upgrade", read_upgrade},
	{"Connection", read_connection},
	{"Sec-WebSocket-Accept", read_accept},
	{"Sec-WebSocket-Protocol", read_protocol},
	{"Sec-WebSocket-Extensions", read_extensions},
	{"Location", read_location},
};

static void read_header(struct answer *answer, struct slice line)
{
	struct slice name;

	if (!slice_cut(&name, &line, ':'))
		return;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (slice_is_nocase(name, headers[i].name))
			headers[i].read(answer, slice_trim(line));
}

static struct slice next_line(struct slice *rest)
{
	struct slice line;

	slice_cut(&line, rest, '\n');
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* "HTTP/1.1 101 Switching Protocols"; the phrase may be missing (RFC 9112, section 4). */
static int read_status(struct answer *answer, struct slice line)
{
	struct slice version, status;
	uint64_t number;

	if (!slice_cut(&version, &line, ' ') || !slice_starts_nocase(version, "HTTP/1."))
		return -EPROTO;
	slice_cut(&status, &line, ' ');
	if (status.len != 3 || slice_number(&number, status, STATUS_MAX))
		return -EPROTO;
	answer->status = (uint16_t)number;
	answer->reason = slice_trim(line);
	return 0;
}

static const char *show(char out[static SHOWN_SIZE], struct slice bytes)
{
	struct text text = text_in(out, SHOWN_SIZE);

	text_put_escaped(&text, bytes);
	return out;
}

/* It speaks HTTP, and no WebSocket there. */
static int tell_status(
	const struct answer *answer, const struct upgrade *upgrade, struct fault *why)
{
	char host[SHOWN_SIZE], path[SHOWN_SIZE], reason[SHOWN_SIZE], location[SHOWN_SIZE];
	const char *space = answer->reason.len > 0 ? " " : "";

	show(host, slice_of(upgrade->host));
	show(path, slice_of(upgrade->path));
	show(reason, answer->reason);
	show(location, answer->location);
	if (answer->status / 100 == 3 && answer->location.len > 0)
		return fault_set(why, -EPROTO, "no WebSocket at %s of %s: it is said to be at %s",
			path, host, location);
	if (answer->status == NOT_FOUND)
		return fault_set(why, -EPROTO,
			"no WebSocket at %s of %s: it answers 404%s%s; if it is at another path, "
			"write that behind the host: %s://HOST/PATH",
			path, host, space, reason, upgrade->secure ? "wss" : "ws");
	return fault_set(why, -EPROTO, "no WebSocket at %s of %s: it answers %u%s%s", path, host,
		answer->status, space, reason);
}

/* Section 4.1, where an answer is validated. */
static const char *find_flaw(const struct answer *answer, const struct upgrade *upgrade)
{
	char accept[ACCEPT_SIZE];

	make_accept(accept, upgrade);
	if (!answer->upgrades || !answer->connects)
		return "its answer does not say that it changes over to that";
	if (answer->twice)
		return "its answer says a thing twice";
	if (!slice_is(answer->accept, accept))
		return "its answer is to another question than ours";
	if (answer->extends)
		return "it uses an extension that nobody asked for";
	return NULL;
}

int upgrade_judge(struct slice answer, const struct upgrade *upgrade, struct fault *why)
{
	struct answer read = {0};
	struct slice rest = answer;
	char host[SHOWN_SIZE];
	const char *flaw;

	show(host, slice_of(upgrade->host));
	if (read_status(&read, next_line(&rest)))
		return fault_set(
			why, -EPROTO, "no WebSocket with %s: it speaks no HTTP there", host);
	if (read.status / 100 == 1 && read.status != SWITCHING)
		return -EAGAIN;
	while (rest.len > 0)
		read_header(&read, next_line(&rest));
	if (read.status != SWITCHING)
		return tell_status(&read, upgrade, why);
	flaw = find_flaw(&read, upgrade);
	if (flaw)
		return fault_set(why, -EPROTO, "no WebSocket with %s: %s", host, flaw);
	/* RFC 7118, section 4.1; of what was asked for, and in its very letters */
	if (!slice_is(read.protocol, upgrade->protocol))
		return fault_set(why, -EPROTO,
			"%s has a WebSocket, but none for %s (Sec-WebSocket-Protocol)", host,
			upgrade->protocol);
	return 0;
}
