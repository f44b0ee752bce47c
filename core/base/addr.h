/*
 * An IP address with a port, as a plain value: IPv4 or IPv6, and nothing of the system's. Any
 * thread.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family {
	ADDR_NONE, /* all zero: no address */
	ADDR_IPV4,
	ADDR_IPV6,
};

struct addr {
	enum addr_family family;
	uint16_t port;
	uint32_t scope; /* of a link-local IPv6 address; otherwise 0 */
	uint8_t ip[16]; /* network byte order; IPv4 fills the first four */
};

/* Room for any printed address and its NUL: brackets, scope and port included. */
enum { ADDR_TEXT_SIZE = 80 };

/*
 * Reads an address alone: "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%2". The port of out
 * is 0; the scope is a number, and only of a link-local address. Returns -EPROTO, with out
 * untouched, for anything else; names are not looked up.
 */
int addr_parse(struct addr *out, struct slice text);

/* The same with a port that may follow: "192.0.2.1:5060", "[::1]:5060". Bare IPv6 has none. */
int addr_parse_port(struct addr *out, struct slice text);

/*
 * Without the port; IPv6 without brackets; "none" for ADDR_NONE. Returns text, for use inside an
 * argument list.
 */
const char *addr_print(char text[static ADDR_TEXT_SIZE], const struct addr *addr);

/* As it stands in a URI or a Via header: IPv6 in brackets, without the port. */
const char *addr_print_host(char text[static ADDR_TEXT_SIZE], const struct addr *addr);

/* As addr_print_host(), with a colon and the port. */
const char *addr_print_port(char text[static ADDR_TEXT_SIZE], const struct addr *addr);

/* Whether both name the same host and port. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* Whether both name the same host, whatever the ports. */
bool addr_same_host(const struct addr *a, const struct addr *b);

/* 0.0.0.0 or ::, which means each address of this host. */
bool addr_is_any(const struct addr *addr);

/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *addr);
