#include "cmd/readers/capture_packet.h"

enum {
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	UDP_SIZE = 8,
	TCP_SIZE = 20,
	LENGTH_MAX = 65535,
	HOP_LIMIT = 64,
	UDP = 17, /* IANA's numbers */
	TCP = 6,
	DONT_FRAGMENT = 0x4000,
	PUSH_AND_ACK = 0x18,
	WINDOW = 65535,
};

/* RFC 1071: the sum of 16-bit words, onto one that is there. */
static uint32_t sum(uint32_t before, struct slice bytes)
{
	size_t i;

	for (i = 0; i + 1 < bytes.len; i += 2)
		before += be16_get(bytes.data + i);
	if (i < bytes.len)
		before += (uint32_t)bytes.data[i] << 8;
	return before;
}

static uint16_t checksum(uint32_t total)
{
	while (total > 0xffff)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static size_t ip_len(const struct addr *addr)
{
	return addr->family == ADDR_IPV4 ? 4 : 16;
}

/* RFC 791 */
static void put_ipv4(
	uint8_t *out, const struct addr *from, const struct addr *to, uint8_t protocol, size_t len)
{
	out[0] = 4 << 4 | IPV4_SIZE / 4;
	be16_put(out + 2, (uint16_t)(IPV4_SIZE + len));
	be16_put(out + 6, DONT_FRAGMENT);
	out[8] = HOP_LIMIT;
	out[9] = protocol;
	memcpy(out + 12, from->ip, 4);
	memcpy(out + 16, to->ip, 4);
	be16_put(out + 10, checksum(sum(0, (struct slice){out, IPV4_SIZE})));
}

/* RFC 8200 */
static void put_ipv6(
	uint8_t *out, const struct addr *from, const struct addr *to, uint8_t protocol, size_t len)
{
	out[0] = 6 << 4;
	be16_put(out + 4, (uint16_t)len);
	out[6] = protocol;
	out[7] = HOP_LIMIT;
	memcpy(out + 8, from->ip, 16);
	memcpy(out + 24, to->ip, 16);
}

/* len: of what follows the IP header. Returns its size, or 0. */
static size_t put_ip(
	uint8_t *out, const struct addr *from, const struct addr *to, uint8_t protocol, size_t len)
{
	memset(out, 0, CAPTURE_HEADERS_MAX);
	if (from->family != to->family)
		return 0;
	if (from->family == ADDR_IPV4 && len <= LENGTH_MAX - IPV4_SIZE) {
		put_ipv4(out, from, to, protocol, len);
		return IPV4_SIZE;
	}
	if (from->family == ADDR_IPV6 && len <= LENGTH_MAX) {
		put_ipv6(out, from, to, protocol, len);
		return IPV6_SIZE;
	}
	return 0;
}

/* Of UDP and TCP: over addresses, protocol and length, the header, and what follows (RFC 768, RFC
 * 9293, section 3.1; RFC 8200, section 8.1). */
static uint16_t sum_all(const struct addr *from, const struct addr *to, uint8_t protocol,
	struct slice header, struct slice payload)
{
	uint32_t total = protocol + (uint32_t)(header.len + payload.len);

	total = sum(total, (struct slice){from->ip, ip_len(from)});
	total = sum(total, (struct slice){to->ip, ip_len(to)});
	total = sum(total, header);
	return checksum(sum(total, payload));
}

size_t capture_udp(uint8_t out[static CAPTURE_HEADERS_MAX], const struct addr *from,
	const struct addr *to, struct slice payload)
{
	size_t size = put_ip(out, from, to, UDP, UDP_SIZE + payload.len);
	uint8_t *udp = out + size;
	uint16_t check;

	if (size == 0)
		return 0;

	be16_put(udp, from->port);
	be16_put(udp + 2, to->port);
	be16_put(udp + 4, (uint16_t)(UDP_SIZE + payload.len));
	check = sum_all(from, to, UDP, (struct slice){udp, UDP_SIZE}, payload);
	be16_put(udp + 6, check == 0 ? 0xffff : check); /* 0 says that there is none */
	return size + UDP_SIZE;
}

size_t capture_tcp(uint8_t out[static CAPTURE_HEADERS_MAX], const struct addr *from,
	const struct addr *to, uint32_t seq, uint32_t ack, struct slice payload)
{
	size_t size = put_ip(out, from, to, TCP, TCP_SIZE + payload.len);
	uint8_t *tcp = out + size;

	if (size == 0)
		return 0;

	be16_put(tcp, from->port);
	be16_put(tcp + 2, to->port);
	be32_put(tcp + 4, seq);
	be32_put(tcp + 8, ack);
	tcp[12] = TCP_SIZE / 4 << 4;
	tcp[13] = PUSH_AND_ACK;
	be16_put(tcp + 14, WINDOW);
	be16_put(tcp + 16, sum_all(from, to, TCP, (struct slice){tcp, TCP_SIZE}, payload));
	return size + TCP_SIZE;
}
