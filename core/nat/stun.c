#include "core/nat/stun.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define COOKIE 0x2112a442u

enum {
	HEADER_SIZE = 20,
	COOKIE_AT = 4,
	ID_AT = 8,
	ATTRIBUTE_HEAD = 4,
	WORD_SIZE = 4,
	IPV4_SIZE = 4,
	IPV6_SIZE = 16,
	ADDRESS_HEAD = 4,
	ERROR_HEAD = 4,
	ERROR_MIN = 300,
	ERROR_MAX = 699,
	SUCCESS_BIT = 0x0100,            /* of the class, section 5 */
	COMPREHENSION_OPTIONAL = 0x8000, /* and all above */
	FINGERPRINT_SIZE = 4,
	FINGERPRINT_XOR = 0x5354554e,
};

/* RFC 8489, section 18.3 */
enum {
	MAPPED_ADDRESS = 0x0001,
	USERNAME = 0x0006,
	MESSAGE_INTEGRITY = 0x0008,
	ERROR_CODE = 0x0009,
	UNKNOWN_ATTRIBUTES = 0x000a,
	REALM = 0x0014,
	NONCE = 0x0015,
	MESSAGE_INTEGRITY_SHA256 = 0x001c,
	PASSWORD_ALGORITHM = 0x001d,
	USERHASH = 0x001e,
	XOR_MAPPED_ADDRESS = 0x0020,
	FINGERPRINT = 0x8028,
};

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2 };

/* What is read so far. */
struct reading {
	struct stun_msg msg;
	struct slice datagram;
	struct addr plain; /* MAPPED-ADDRESS */
	bool seen_plain;
	bool seen_mapped;
	bool seen_integrity; /* from here on only the FINGERPRINT counts */
};

/* RFC 8489, section 14.7: the CRC of ITU V.42, half a byte a step. */
static uint32_t crc32(struct slice bytes)
{
	static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8,
		0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.data[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

bool stun_is(struct slice datagram)
{
	const uint8_t *p = datagram.data;

	return datagram.len >= HEADER_SIZE && (p[0] & 0xc0) == 0 &&
	       be32_get(p + COOKIE_AT) == COOKIE && be16_get(p + 2) % WORD_SIZE == 0 &&
	       be16_get(p + 2) == datagram.len - HEADER_SIZE;
}

/* Section 5: the two bits of the class stand between those of the method. */
static void read_type(struct stun_msg *msg, uint16_t type)
{
	msg->class = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
	msg->method = (uint16_t)((type & 0x000f) | (type >> 1 & 0x0070) | (type >> 2 & 0x0f80));
}

/* Cuts one attribute off; the padding to whole words belongs to it (section 14). */
static int take_attribute(struct stun_attribute *out, struct slice *rest)
{
	struct slice head, body, padding;
	int err;

	err = slice_take(&head, rest, ATTRIBUTE_HEAD);
	if (!err)
		err = slice_take(&body, rest, be16_get(head.data + 2));
	if (!err)
		err = slice_take(&padding, rest, (WORD_SIZE - body.len % WORD_SIZE) % WORD_SIZE);
	if (err)
		return err;

	*out = (struct stun_attribute){be16_get(head.data), body};
	return 0;
}

bool stun_attribute_next(struct stun_attribute *out, struct slice *rest)
{
	return rest->len > 0 && take_attribute(out, rest) == 0;
}

/* Section 14.1; the first byte means nothing. */
static int read_address(struct addr *out, struct slice value)
{
	struct addr addr = {0};
	size_t size;

	if (value.len < ADDRESS_HEAD)
		return -EPROTO;

	addr.family = value.data[1] == FAMILY_IPV4 ? ADDR_IPV4 : ADDR_IPV6;
	size = addr.family == ADDR_IPV4 ? IPV4_SIZE : IPV6_SIZE;
	if ((value.data[1] != FAMILY_IPV4 && value.data[1] != FAMILY_IPV6) ||
		value.len != ADDRESS_HEAD + size)
		return -EPROTO;

	addr.port = be16_get(value.data + 2);
	memcpy(addr.ip, value.data + ADDRESS_HEAD, size);
	*out = addr;
	return 0;
}

/* Section 14.1: the older form, which counts only where there is no other. */
static int read_plain(struct reading *reading, struct slice value)
{
	if (reading->seen_plain)
		return 0;
	reading->seen_plain = true;
	return read_address(&reading->plain, value);
}

/* Section 14.2: veiled by the cookie, and IPv6 by the transaction's id behind it, too. */
static int read_veiled(struct reading *reading, struct slice value)
{
	const uint8_t *veil = reading->datagram.data + COOKIE_AT;
	struct addr addr;
	int err;

	if (reading->seen_mapped)
		return 0;
	reading->seen_mapped = true;
	err = read_address(&addr, value);
	if (err)
		return err;

	addr.port ^= COOKIE >> 16;
	for (size_t i = 0; i < value.len - ADDRESS_HEAD; i++)
		addr.ip[i] ^= veil[i];
	reading->msg.mapped = addr;
	return 0;
}

/* Section 14.8: the hundreds, then the rest of the number, then words. */
static int read_error(struct reading *reading, struct slice value)
{
	uint16_t code;

	if (reading->msg.code != 0)
		return 0;
	if (value.len < ERROR_HEAD || value.data[3] > 99)
		return -EPROTO;

	code = (uint16_t)((value.data[2] & 7) * 100 + value.data[3]);
	if (code < ERROR_MIN || code > ERROR_MAX)
		return -EPROTO;

	reading->msg.code = code;
	reading->msg.reason = (struct slice){value.data + ERROR_HEAD, value.len - ERROR_HEAD};
	return 0;
}

static int read_integrity(struct reading *reading, struct slice value)
{
	(void)value;
	reading->seen_integrity = true;
	return 0;
}

/* Section 14.7: over all that stands before it. */
static int read_fingerprint(struct reading *reading, struct slice value)
{
	struct slice covered = {
		reading->datagram.data, reading->datagram.len - ATTRIBUTE_HEAD - FINGERPRINT_SIZE};

	if (value.len != FINGERPRINT_SIZE ||
		value.data != covered.data + covered.len + ATTRIBUTE_HEAD ||
		be32_get(value.data) != (crc32(covered) ^ FINGERPRINT_XOR))
		return -EPROTO;

	reading->msg.fingerprinted = true;
	return 0;
}

/* Known, and of use only to who has the password. */
static int pass_over(struct reading *reading, struct slice value)
{
	(void)reading;
	(void)value;
	return 0;
}

/* clang-format off */
static const struct known {
	uint16_t type;
	int (*read)(struct reading *reading, struct slice value);
} known[] = {
	{MAPPED_ADDRESS,           read_plain},
	{USERNAME,                 pass_over},
	{MESSAGE_INTEGRITY,        read_integrity},
	{ERROR_CODE,               read_error},
	{UNKNOWN_ATTRIBUTES,       pass_over},
	{REALM,                    pass_over},
	{NONCE,                    pass_over},
	{MESSAGE_INTEGRITY_SHA256, read_integrity},
	{PASSWORD_ALGORITHM,       pass_over},
	{USERHASH,                 pass_over},
	{XOR_MAPPED_ADDRESS,       read_veiled},
	{FINGERPRINT,              read_fingerprint},
};
/* clang-format on */

static const struct known *find_known(uint16_t type)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].type == type)
			return &known[i];
	return NULL;
}

static void note_unknown(struct stun_msg *msg, uint16_t type)
{
	if (msg->unknown_count < STUN_UNKNOWN_MAX)
		msg->unknown[msg->unknown_count] = type;
	msg->unknown_count++;
}

static int read_attribute(struct reading *reading, const struct stun_attribute *attribute)
{
	const struct known *row = find_known(attribute->type);

	/* section 14.5: nobody vouches for what stands behind the integrity; of two, each may come
	 */
	if (reading->seen_integrity && attribute->type != FINGERPRINT)
		return 0;
	if (row)
		return row->read(reading, attribute->value);
	if (attribute->type < COMPREHENSION_OPTIONAL)
		note_unknown(&reading->msg, attribute->type);
	return 0;
}

int stun_parse(struct stun_msg *out, struct slice datagram)
{
	struct reading reading = {.datagram = datagram};
	struct stun_msg *msg = &reading.msg;
	struct stun_attribute attribute;
	struct slice rest;
	int err = 0;

	if (!stun_is(datagram))
		return -EPROTO;

	read_type(msg, be16_get(datagram.data));
	memcpy(msg->id.bytes, datagram.data + ID_AT, STUN_ID_SIZE);
	msg->attributes = (struct slice){datagram.data + HEADER_SIZE, datagram.len - HEADER_SIZE};

	rest = msg->attributes;
	while (rest.len > 0 && !err) {
		err = take_attribute(&attribute, &rest);
		if (!err)
			err = read_attribute(&reading, &attribute);
	}
	if (err || (msg->class == STUN_ERROR && msg->code == 0))
		return -EPROTO;

	if (msg->mapped.family == ADDR_NONE)
		msg->mapped = reading.plain;
	*out = *msg;
	return 0;
}

bool stun_answers(const struct stun_msg *msg, const struct stun_id *id)
{
	return (msg->class == STUN_SUCCESS || msg->class == STUN_ERROR) &&
	       msg->method == STUN_BINDING && memcmp(&msg->id, id, sizeof(*id)) == 0;
}

int stun_mapped(struct addr *out, const struct stun_msg *answer)
{
	if (answer->class != STUN_SUCCESS || answer->unknown_count > 0 ||
		answer->mapped.family == ADDR_NONE)
		return -EPROTO;

	*out = answer->mapped;
	return 0;
}

static void put_header(uint8_t *p, uint16_t type, size_t length, const struct stun_id *id)
{
	be16_put(p, type);
	be16_put(p + 2, (uint16_t)length);
	be32_put(p + COOKIE_AT, COOKIE);
	memcpy(p + ID_AT, id->bytes, STUN_ID_SIZE);
}

int stun_print_binding(struct buf *out, const struct stun_id *id)
{
	uint8_t *p;
	int err;

	err = buf_take(&p, out, STUN_REQUEST_SIZE);
	if (err)
		return err;

	put_header(p, STUN_BINDING, 0, id); /* the class of a request is all zero */
	return 0;
}

int stun_print_mapped(struct buf *out, const struct stun_id *id, const struct addr *mapped)
{
	size_t size = mapped->family == ADDR_IPV4 ? IPV4_SIZE : IPV6_SIZE;
	uint8_t *p, *value;
	int err;

	err = buf_take(&p, out, HEADER_SIZE + ATTRIBUTE_HEAD + ADDRESS_HEAD + size);
	if (err)
		return err;

	put_header(p, STUN_BINDING | SUCCESS_BIT, ATTRIBUTE_HEAD + ADDRESS_HEAD + size, id);
	be16_put(p + HEADER_SIZE, XOR_MAPPED_ADDRESS);
	be16_put(p + HEADER_SIZE + 2, (uint16_t)(ADDRESS_HEAD + size));
	value = p + HEADER_SIZE + ATTRIBUTE_HEAD;
	value[0] = 0;
	value[1] = mapped->family == ADDR_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	be16_put(value + 2, (uint16_t)(mapped->port ^ COOKIE >> 16));
	for (size_t i = 0; i < size; i++)
		value[ADDRESS_HEAD + i] = mapped->ip[i] ^ p[COOKIE_AT + i];
	return 0;
}
