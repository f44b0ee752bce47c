#include "core/base/addr.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <assert.h>

enum {
	IPV4_SIZE = 4,
	IPV6_SIZE = 16,
};

/* fe80::/10 (RFC 4291, section 2.5.6) */
static bool is_link_local(const uint8_t ip[static IPV6_SIZE])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

/* inet_pton() wants a NUL, and would take one inside text for the end. */
static int parse_ip(uint8_t *ip, int system_family, struct slice text)
{
	char copy[INET6_ADDRSTRLEN] = {0};

	if (text.len >= sizeof(copy) || slice_find(text, '\0') < text.len)
		return -EPROTO;

	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return inet_pton(system_family, copy, ip) == 1 ? 0 : -EPROTO;
}

/* Without brackets; RFC 4007, section 11, has the scope after a percent sign. */
static int parse_ipv6(struct addr *out, struct slice text)
{
	struct addr addr = {.family = ADDR_IPV6};
	struct slice ip;
	uint64_t scope;

	if (!slice_cut(&ip, &text, '%')) {
		if (parse_ip(addr.ip, AF_INET6, ip))
			return -EPROTO;
		*out = addr;
		return 0;
	}

	if (parse_ip(addr.ip, AF_INET6, ip) || !is_link_local(addr.ip) ||
		slice_number(&scope, text, UINT32_MAX))
		return -EPROTO;

	addr.scope = (uint32_t)scope;
	*out = addr;
	return 0;
}

int addr_parse(struct addr *out, struct slice text)
{
	struct addr addr = {.family = ADDR_IPV4};

	if (text.len > 0 && text.data[0] == '[' && text.data[text.len - 1] == ']')
		return parse_ipv6(out, (struct slice){text.data + 1, text.len - 2});
	if (slice_find(text, ':') < text.len)
		return parse_ipv6(out, text);
	if (parse_ip(addr.ip, AF_INET, text))
		return -EPROTO;

	*out = addr;
	return 0;
}

/* Cuts the port, if there is one, off the end of text. Colons of bare IPv6 are all its own. */
static bool cut_port(struct slice *out, struct slice *text)
{
	const uint8_t *last = text->len > 0 ? memrchr(text->data, ':', text->len) : NULL;
	size_t before;

	if (!last)
		return false;

	before = (size_t)(last - text->data);
	if (text->data[0] == '[' ? last[-1] != ']' : slice_find(*text, ':') < before)
		return false;

	*out = (struct slice){last + 1, text->len - before - 1};
	text->len = before;
	return true;
}

int addr_parse_port(struct addr *out, struct slice text)
{
	struct addr addr;
	struct slice digits;
	uint64_t port = 0;

	if (cut_port(&digits, &text) && slice_number(&port, digits, UINT16_MAX))
		return -EPROTO;
	if (addr_parse(&addr, text))
		return -EPROTO;

	addr.port = (uint16_t)port;
	*out = addr;
	return 0;
}

static void put_ip(struct text *text, const struct addr *addr)
{
	int system_family = addr->family == ADDR_IPV4 ? AF_INET : AF_INET6;
	char ip[INET6_ADDRSTRLEN];

	if (addr->family == ADDR_NONE) {
		text_puts(text, "none");
		return;
	}

	text_puts(text, inet_ntop(system_family, addr->ip, ip, sizeof(ip)));
	if (addr->scope != 0)
		text_printf(text, "%%%u", (unsigned int)addr->scope);
}

static void put_host(struct text *text, const struct addr *addr)
{
	if (addr->family == ADDR_IPV6)
		text_putc(text, '[');
	put_ip(text, addr);
	if (addr->family == ADDR_IPV6)
		text_putc(text, ']');
}

const char *addr_print(char text[static ADDR_TEXT_SIZE], const struct addr *addr)
{
	struct text out = text_in(text, ADDR_TEXT_SIZE);

	put_ip(&out, addr);
	assert(!out.cut);
	return text;
}

const char *addr_print_host(char text[static ADDR_TEXT_SIZE], const struct addr *addr)
{
	struct text out = text_in(text, ADDR_TEXT_SIZE);

	put_host(&out, addr);
	assert(!out.cut);
	return text;
}

const char *addr_print_port(char text[static ADDR_TEXT_SIZE], const struct addr *addr)
{
	struct text out = text_in(text, ADDR_TEXT_SIZE);

	put_host(&out, addr);
	text_printf(&out, ":%u", (unsigned int)addr->port);
	assert(!out.cut);
	return text;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	static const size_t sizes[] = {
		[ADDR_NONE] = 0, [ADDR_IPV4] = IPV4_SIZE, [ADDR_IPV6] = IPV6_SIZE};

	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizes[a->family]) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_host(a, b);
}

bool addr_is_any(const struct addr *addr)
{
	static const struct addr any[] = {{.family = ADDR_IPV4}, {.family = ADDR_IPV6}};

	return addr_same_host(addr, &any[0]) || addr_same_host(addr, &any[1]);
}

bool addr_is_loopback(const struct addr *addr)
{
	static const struct addr loopback = {.family = ADDR_IPV6, .ip = {[IPV6_SIZE - 1] = 1}};

	if (addr->family == ADDR_IPV4)
		return addr->ip[0] == 127;
	return addr_same_host(addr, &loopback);
}
