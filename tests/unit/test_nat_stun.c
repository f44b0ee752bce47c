/* core/nat/stun: the sample messages of RFC 5769, what else is read, and what is refused. */
#include "core/nat/stun.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define BYTES(literal) (literal), sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 5769, section 2: the same transaction in the first three */
#define ID "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
#define HEAD(type, len) type len "\x21\x12\xa4\x42" ID
#define OK(len) HEAD("\1\1", len)
#define BAD(len) HEAD("\1\x11", len)
#define MAPPED4 "\0\x20\0\x8\0\1\xa1\x47\xe1\x12\xa6\x43"
#define MAPPED6                                                                                    \
	"\0\x20\0\x14\0\2\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
#define PLAIN4 "\0\1\0\x8\0\1\x13\xc4\xc6\x33\x64\7"
#define SERVER "\x80\x22\0\x0btest vector "
#define INTEGRITY "\0\x8\0\x14"
#define HMAC4 "\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7"
#define HMAC6 "\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41"
#define SIXTEEN "0123456789abcdef"

/* clang-format off */
static const struct row {
	const char *name;
	const char *bytes;
	size_t len;
	const char *read; /* NULL: to be refused */
} rows[] = {
	{"RFC 5769, 2.1, request", BYTES(HEAD("\0\1", "\0\x58")
		"\x80\x22\0\x10STUN test client" "\0\x24\0\4\x6e\0\1\xff"
		"\x80\x29\0\x8\x93\x2f\xf9\xb1\x51\x26\x3b\x36" "\0\6\0\x9" "evtj:h6vY   "
		INTEGRITY "\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"
		"\x80\x28\0\4\xe5\x7a\x3b\xcf"), "request 1 none f unknown 24"},
	{"RFC 5769, 2.2, IPv4", BYTES(OK("\0\x3c") SERVER MAPPED4 INTEGRITY HMAC4
		"\x80\x28\0\4\xc0\x7d\x4c\x96"), "success 1 192.0.2.1:32853 f"},
	{"RFC 5769, 2.3, IPv6", BYTES(OK("\0\x48") SERVER MAPPED6 INTEGRITY HMAC6
		"\x80\x28\0\4\xc8\xfb\x0b\x4c"),
		"success 1 [2001:db8:1234:5678:11:2233:4455:6677]:32853 f"},
	{"RFC 5769, 2.4, long term", BYTES("\0\1\0\x60\x21\x12\xa4\x42"
		"\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e"
		"\0\6\0\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\0\0"
		"\0\x15\0\x1c" "f//499k954d6OL34oL9FSTvy64sA" "\0\x14\0\x0b" "example.org\0"
		INTEGRITY "\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96\x66"),
		"request 1 none"},

	{"nothing in it",          BYTES(OK("\0\0")), "success 1 none"},
	{"no server's name",       BYTES(OK("\0\x0c") MAPPED4), "success 1 192.0.2.1:32853"},
	{"plain address",          BYTES(OK("\0\x0c") PLAIN4), "success 1 198.51.100.7:5060"},
	{"both, plain first",      BYTES(OK("\0\x18") PLAIN4 MAPPED4), "success 1 192.0.2.1:32853"},
	{"both, plain last",       BYTES(OK("\0\x18") MAPPED4 PLAIN4), "success 1 192.0.2.1:32853"},
	{"twice, the first",       BYTES(OK("\0\x18") MAPPED4 "\0\x20\0\x8\0\1\0\0\0\0\0\0"),
		"success 1 192.0.2.1:32853"},
	{"plain twice, the first", BYTES(OK("\0\x18") PLAIN4 "\0\1\0\x8\0\1\0\1\1\1\1\1"),
		"success 1 198.51.100.7:5060"},
	{"first byte not zero",    BYTES(OK("\0\x0c") "\0\x20\0\x8\xff\1\xa1\x47\xe1\x12\xa6\x43"),
		"success 1 192.0.2.1:32853"},
	{"behind the integrity",   BYTES(OK("\0\x24") INTEGRITY HMAC4 MAPPED4), "success 1 none"},
	{"unknown behind it",      BYTES(OK("\0\x1c") INTEGRITY HMAC4 "\0\x33\0\0"), "success 1 none"},
	{"optional and unknown",   BYTES(OK("\0\x14") "\x80\x33\0\2ab\0\0" MAPPED4),
		"success 1 192.0.2.1:32853"},
	{"must be known, is not",  BYTES(OK("\0\x14") "\0\x33\0\2ab\0\0" MAPPED4),
		"success 1 192.0.2.1:32853 unknown 33"},
	{"last that must",         BYTES(OK("\0\4") "\x7f\xff\0\0"), "success 1 none unknown 7fff"},
	{"first that need not",    BYTES(OK("\0\4") "\x80\0\0\0"), "success 1 none"},
	{"nine unknown",           BYTES(OK("\0\x24") "\0\x31\0\0\0\x32\0\0\0\x33\0\0\0\x34\0\0"
		"\0\x35\0\0\0\x36\0\0\0\x37\0\0\0\x38\0\0\0\x39\0\0"),
		"success 1 none unknown 31 32 33 34 35 36 37 38 (9)"},
	{"error",                  BYTES(BAD("\0\x14") "\0\x9\0\x10\0\0\4\1Unauthorized"),
		"error 1 none 401 Unauthorized"},
	{"error without words",    BYTES(BAD("\0\x8") "\0\x9\0\4\0\0\3\0"), "error 1 none 300 "},
	{"highest error",          BYTES(BAD("\0\x8") "\0\x9\0\4\0\0\6\x63"), "error 1 none 699 "},
	{"reserved bits of it",    BYTES(BAD("\0\x8") "\0\x9\0\4\xff\xff\xfc\x14"), "error 1 none 420 "},
	{"error and what is unknown", BYTES(BAD("\0\x10") "\0\x9\0\4\0\0\4\x14" "\0\x0a\0\2\0\x24\0\0"),
		"error 1 none 420 "},
	{"indication",             BYTES(HEAD("\0\x11", "\0\0")), "indication 1 none"},
	{"all bits of the method", BYTES(HEAD("\x3e\xef", "\0\0")), "request fff none"},
	{"allocated by TURN",      BYTES(HEAD("\1\3", "\0\0")), "success 3 none"},

	{"no datagram",            BYTES(""), NULL},
	{"half a header",          BYTES("\1\1\0\0\x21\x12\xa4\x42"), NULL},
	{"one byte short",         "\1\1\0\0\x21\x12\xa4\x42" ID, 19, NULL},
	{"another cookie",         BYTES("\1\1\0\0\x21\x12\xa4\x43" ID), NULL},
	{"RFC 3489, no cookie",    BYTES("\1\1\0\0" SIXTEEN), NULL},
	{"first bit",              BYTES(HEAD("\x81\1", "\0\0")), NULL},
	{"second bit",             BYTES(HEAD("\x41\1", "\0\0")), NULL},
	{"longer than it says",    BYTES(OK("\0\0") MAPPED4), NULL},
	{"a byte behind it",       BYTES(OK("\0\x0c") MAPPED4 "x"), NULL},
	{"a word behind it",       BYTES(OK("\0\x0c") MAPPED4 "\0\0\0\0"), NULL},
	{"shorter than it says",   BYTES(OK("\0\x10") MAPPED4), NULL},
	{"much shorter",           BYTES(OK("\xff\xfc") MAPPED4), NULL},
	{"no whole word",          BYTES(OK("\0\3") "\0\x20\0"), NULL},
	{"attribute cut off",      BYTES(OK("\0\x8") "\0\x20\0\x8\0\1\xa1\x47"), NULL},
	{"attribute of 65535",     BYTES(OK("\0\x8") "\x80\x22\xff\xff" "abcd"), NULL},
	{"no room for padding",    BYTES(OK("\0\4") "\x80\x22\0\1"), NULL},
	{"third family",           BYTES(OK("\0\x0c") "\0\x20\0\x8\0\3\xa1\x47\xe1\x12\xa6\x43"), NULL},
	{"no family",              BYTES(OK("\0\x0c") "\0\x20\0\x8\0\0\xa1\x47\xe1\x12\xa6\x43"), NULL},
	{"plain of no family",     BYTES(OK("\0\x0c") "\0\1\0\x8\0\0\xa1\x47\xe1\x12\xa6\x43"), NULL},
	{"IPv4 called IPv6",       BYTES(OK("\0\x0c") "\0\x20\0\x8\0\2\xa1\x47\xe1\x12\xa6\x43"), NULL},
	{"IPv6 called IPv4",       BYTES(OK("\0\x18") "\0\x20\0\x14\0\1\xa1\x47" SIXTEEN), NULL},
	{"address of 3 bytes",     BYTES(OK("\0\x8") "\0\x20\0\3\0\1\xa1\0"), NULL},
	{"empty address",          BYTES(OK("\0\4") "\0\x20\0\0"), NULL},
	{"error without a code",   BYTES(BAD("\0\0")), NULL},
	{"error of 3 bytes",       BYTES(BAD("\0\x8") "\0\x9\0\3\0\0\4\0"), NULL},
	{"error 299",              BYTES(BAD("\0\x8") "\0\x9\0\4\0\0\2\x63"), NULL},
	{"error 700",              BYTES(BAD("\0\x8") "\0\x9\0\4\0\0\7\0"), NULL},
	{"error 4 and 100",        BYTES(BAD("\0\x8") "\0\x9\0\4\0\0\4\x64"), NULL},
	{"fingerprint wrong",      BYTES(OK("\0\x48") SERVER MAPPED6 INTEGRITY HMAC6
		"\x80\x28\0\4\xc8\xfb\x0b\x4d"), NULL},
	{"a bit before it wrong",  BYTES(OK("\0\x3c") SERVER MAPPED4 INTEGRITY
		"\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd6"
		"\x80\x28\0\4\xc0\x7d\x4c\x96"), NULL},
	{"fingerprint not last",   BYTES(OK("\0\x40") SERVER MAPPED4 INTEGRITY HMAC4
		"\x80\x28\0\4\xc0\x7d\x4c\x96" "\x80\x33\0\0"), NULL},
	{"fingerprint of 0",       BYTES(OK("\0\4") "\x80\x28\0\0"), NULL},
	{"fingerprint of 8",       BYTES(OK("\0\x0c") "\x80\x28\0\x8\0\0\0\0\0\0\0\0"), NULL},
};
/* clang-format on */

static void describe(struct text *text, const struct stun_msg *msg)
{
	static const char *const classes[] = {"request", "indication", "success", "error"};
	char addr[ADDR_TEXT_SIZE];

	text_printf(text, "%s %x %s", classes[msg->class], (unsigned int)msg->method,
		msg->mapped.family == ADDR_NONE ? "none" : addr_print_port(addr, &msg->mapped));
	if (msg->code != 0)
		text_printf(text, " %u ", (unsigned int)msg->code);
	text_put(text, msg->reason);
	text_puts(text, msg->fingerprinted ? " f" : "");
	if (msg->unknown_count > 0)
		text_puts(text, " unknown");
	for (size_t i = 0; i < msg->unknown_count && i < STUN_UNKNOWN_MAX; i++)
		text_printf(text, " %x", (unsigned int)msg->unknown[i]);
	if (msg->unknown_count > STUN_UNKNOWN_MAX)
		text_printf(text, " (%zu)", msg->unknown_count);
}

/* From memory of exactly its size, so that one byte read too many is seen. */
static int parse_exact(struct stun_msg *out, uint8_t **memory, const struct row *row)
{
	*memory = malloc(row->len);
	memcpy(*memory, row->bytes, row->len);
	return stun_parse(out, (struct slice){*memory, row->len});
}

static void test_reads_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct stun_msg msg;
		uint8_t *memory;
		char room[200];
		struct text text = TEXT_IN(room);
		int err;

		memset(&msg, 0x5a, sizeof(msg));
		err = parse_exact(&msg, &memory, row);
		if (!err)
			describe(&text, &msg);
		if (row->read ? err || strcmp(room, row->read) != 0 : err != -EPROTO)
			fail_msg("%s: %d, read as \"%s\"", row->name, err, room);
		if (err)
			assert_int_equal(*(uint8_t *)&msg, 0x5a); /* untouched */
		free(memory);
	}
}

static void test_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t len = 0; rows[i].read && len < rows[i].len; len++) {
			struct row cut = rows[i];
			struct stun_msg msg;
			uint8_t *memory;

			cut.len = len;
			assert_int_equal(parse_exact(&msg, &memory, &cut), -EPROTO);
			free(memory);
		}
	}
}

static const struct stun_id id = {ID};

static void test_request_is_printed(void **state)
{
	uint8_t room[STUN_REQUEST_SIZE + 1];
	struct buf out = {.data = room, .len = 1, .size = sizeof(room)};
	struct stun_msg msg;

	(void)state;
	assert_int_equal(stun_print_binding(&out, &id), 0);
	assert_int_equal(out.len, sizeof(room));
	assert_memory_equal(room + 1, HEAD("\0\1", "\0\0"), STUN_REQUEST_SIZE);
	assert_int_equal(stun_parse(&msg, (struct slice){room + 1, STUN_REQUEST_SIZE}), 0);
	assert_int_equal(msg.class, STUN_REQUEST);

	out.len = 2;
	assert_int_equal(stun_print_binding(&out, &id), -ENOBUFS);
	assert_int_equal(out.len, 2);
}

/* What we say is what we would read; and byte by byte as RFC 8489, section 14.2, has it. */
static void test_print_mapped(void **state)
{
	static const char *const seen[] = {"192.0.2.1:32853", "[2001:db8:1234:5678::1]:1"};
	const struct stun_id sample = {
		{0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae}};
	static const uint8_t first[] = {1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01,
		0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0, 0x20, 0, 8, 0, 1, 0xa1, 0x47,
		0xe1, 0x12, 0xa6, 0x43};
	uint8_t room[STUN_SUCCESS_SIZE];
	struct stun_msg msg;
	struct addr mapped;

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		struct buf out = {.data = room, .size = sizeof(room)};

		assert_int_equal(addr_parse_port(&mapped, slice_of(seen[i])), 0);
		assert_int_equal(stun_print_mapped(&out, &sample, &mapped), 0);
		assert_int_equal(out.len, i == 0 ? sizeof(first) : sizeof(room));
		if (i == 0)
			assert_memory_equal(room, first, sizeof(first));
		assert_int_equal(stun_parse(&msg, (struct slice){room, out.len}), 0);
		assert_true(stun_answers(&msg, &sample));
		assert_true(addr_equal(&msg.mapped, &mapped));
		out = (struct buf){.data = room, .size = out.len - 1};
		assert_int_equal(stun_print_mapped(&out, &sample, &mapped), -ENOBUFS);
		assert_int_equal(out.len, 0);
	}
}

static void test_answers_by_its_id_alone(void **state)
{
	/* clang-format off */
	static const struct {
		const char *bytes;
		size_t len;
		bool answers;
		bool mapped;
	} answers[] = {
		{BYTES(OK("\0\x0c") MAPPED4), true, true},
		{BYTES(OK("\0\x0c") PLAIN4), true, true},
		{BYTES(OK("\0\0")), true, false},
		{BYTES(OK("\0\x10") "\0\x33\0\0" MAPPED4), true, false},
		{BYTES(BAD("\0\x14") "\0\x9\0\4\0\0\4\x14" MAPPED4), true, false},
		{BYTES(HEAD("\0\1", "\0\x0c") MAPPED4), false, false},
		{BYTES(HEAD("\0\x11", "\0\x0c") MAPPED4), false, false},
		{BYTES(HEAD("\1\3", "\0\x0c") MAPPED4), false, true},
		{BYTES("\1\1\0\x0c\x21\x12\xa4\x42" "another one!" MAPPED4), false, true},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct slice bytes = {(const uint8_t *)answers[i].bytes, answers[i].len};
		struct addr mapped = {.port = 1};
		struct stun_msg msg;

		assert_int_equal(stun_parse(&msg, bytes), 0);
		assert_int_equal(stun_answers(&msg, &id), answers[i].answers);
		assert_int_equal(stun_mapped(&mapped, &msg), answers[i].mapped ? 0 : -EPROTO);
		assert_true(answers[i].mapped == (mapped.port != 1));
	}
}

static void test_attributes_one_by_one(void **state)
{
	static const char bytes[] = OK("\0\x14") "\x80\x33\0\2ab\0\0" MAPPED4;
	struct stun_attribute attribute;
	struct stun_msg msg;
	struct slice rest;

	(void)state;
	assert_int_equal(
		stun_parse(&msg, (struct slice){(const uint8_t *)bytes, sizeof(bytes) - 1}), 0);
	rest = msg.attributes;
	assert_true(stun_attribute_next(&attribute, &rest));
	assert_int_equal(attribute.type, 0x8033);
	assert_true(slice_is(attribute.value, "ab"));
	assert_true(stun_attribute_next(&attribute, &rest));
	assert_int_equal(attribute.type, 0x20);
	assert_int_equal(attribute.value.len, 8);
	assert_false(stun_attribute_next(&attribute, &rest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_refuses),
		cmocka_unit_test(test_cut_anywhere_is_refused),
		cmocka_unit_test(test_request_is_printed),
		cmocka_unit_test(test_print_mapped),
		cmocka_unit_test(test_answers_by_its_id_alone),
		cmocka_unit_test(test_attributes_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
