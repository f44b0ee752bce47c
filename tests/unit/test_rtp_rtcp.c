/* core/rtp/rtcp: what is read, what is refused, and that reading undoes printing. */
#include "core/rtp/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define BYTES(literal) (literal), sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RR "\x80\xc9\0\1\0\0\0\7"
#define SENDER                                                                                     \
	"\0\0\0\7"                                                                                 \
	"\1\2\3\4\5\6\7\x8"                                                                        \
	"\0\0\0\xa0"                                                                               \
	"\0\0\0\x9"                                                                                \
	"\0\0\1\0"
#define BLOCK(lost)                                                                                \
	"\0\0\0\x5"                                                                                \
	"\x40" lost "\0\1\0\2"                                                                     \
	"\0\0\0\x21"                                                                               \
	"\3\4\5\6"                                                                                 \
	"\0\1\0\0"

/* clang-format off */
static const struct row {
	const char *name;
	const char *bytes;
	size_t len;
	const char *items; /* NULL: to be refused */
} rows[] = {
	{"empty receiver report", BYTES(RR), "R7 "},
	{"sender report",         BYTES("\x80\xc8\0\6" SENDER), "S7 "},
	{"one block",             BYTES("\x81\xc9\0\7\0\0\0\7" BLOCK("\0\0\3")), "R7 B5:3 "},
	{"block of a sender",     BYTES("\x81\xc8\0\x0c" SENDER BLOCK("\0\0\3")), "S7 B5:3 "},
	{"two blocks",            BYTES("\x82\xc9\0\x0d\0\0\0\7" BLOCK("\0\0\3") BLOCK("\0\1\0")),
	                          "R7 B5:3 B5:256 "},
	{"most lost",             BYTES("\x81\xc9\0\7\0\0\0\7" BLOCK("\x7f\xff\xff")), "R7 B5:8388607 "},
	{"one more than sent",    BYTES("\x81\xc9\0\7\0\0\0\7" BLOCK("\xff\xff\xff")), "R7 B5:-1 "},
	{"least lost",            BYTES("\x81\xc9\0\7\0\0\0\7" BLOCK("\x80\0\0")), "R7 B5:-8388608 "},
	{"extension of a report", BYTES("\x80\xc9\0\2\0\0\0\7more"), "R7 "},
	{"two reports",           BYTES(RR RR), "R7 R7 "},
	{"name, one null",        BYTES(RR "\x81\xca\0\3\0\0\0\7\1\5abcde\0"), "R7 N7:abcde "},
	{"name, four nulls",      BYTES(RR "\x81\xca\0\4\0\0\0\7\1\6abcdef\0\0\0\0"), "R7 N7:abcdef "},
	{"empty name",            BYTES(RR "\x81\xca\0\2\0\0\0\7\1\0\0\0"), "R7 N7: "},
	{"other items",           BYTES(RR "\x81\xca\0\4\0\0\0\7\2\2xy\1\2ab\0\0\0\0"), "R7 N7:ab "},
	{"two chunks",            BYTES(RR "\x82\xca\0\6\0\0\0\7\1\2ab\0\0\0\0\0\0\0\x8\1\5bcdef\0"),
	                          "R7 N7:ab N8:bcdef "},
	{"chunk of no item",      BYTES(RR "\x81\xca\0\2\0\0\0\7\0\0\0\0"), "R7 "},
	{"no chunk",              BYTES(RR "\x80\xca\0\0"), "R7 "},
	{"goodbye",               BYTES(RR "\x81\xcb\0\1\0\0\0\7"), "R7 G7: "},
	{"two go",                BYTES(RR "\x82\xcb\0\2\0\0\0\7\0\0\0\x8"), "R7 G7: G8: "},
	{"goodbye with a reason", BYTES(RR "\x81\xcb\0\3\0\0\0\7\3end\0\0\0\0"), "R7 G7:end "},
	{"goodbye of nobody",     BYTES(RR "\x80\xcb\0\0"), "R7 "},
	{"types not known",       BYTES(RR "\x85\xcc\0\1\0\0\0\7" "\x81\xcd\0\1\0\0\0\7" "\x81\xcf\0\0"
	                          "\x81\xcb\0\1\0\0\0\7"), "R7 G7: "},
	{"padding",               BYTES(RR "\xa1\xcb\0\2\0\0\0\7\0\0\0\4"), "R7 G7: "},
	{"padding alone",         BYTES(RR "\xa0\xcc\0\1\0\0\0\4"), "R7 "},

	{"goodbye alone",         BYTES("\x81\xcb\0\1\0\0\0\7"), "G7: "},
	{"feedback alone",        BYTES("\x81\xcd\0\2\0\0\0\7\0\0\0\5"), ""},
	{"feedback, then a bye",  BYTES("\x81\xce\0\2\0\0\0\7\0\0\0\5" "\x81\xcb\0\1\0\0\0\7"), "G7: "},

	{"nothing",               BYTES(""), NULL},
	{"three bytes",           BYTES("\x80\xc9\0"), NULL},
	{"header alone",          BYTES("\x80\xc9\0\0"), NULL},
	{"version 1",             BYTES("\x40\xc9\0\1\0\0\0\7"), NULL},
	{"version 3",             BYTES("\xc0\xc9\0\1\0\0\0\7"), NULL},
	{"second of version 1",   BYTES(RR "\x41\xcb\0\1\0\0\0\7"), NULL},
	{"of no type of RTCP",    BYTES("\x81\xe0\0\1\0\0\0\7"), NULL},
	{"reduced, cut short",    BYTES("\x81\xcb\0\2\0\0\0\7"), NULL},
	{"first one padded",      BYTES("\xa0\xc9\0\2\0\0\0\7\0\0\0\4"), NULL},
	{"longer than it is",     BYTES("\x80\xc9\0\2\0\0\0\7"), NULL},
	{"much longer",           BYTES("\x80\xc9\xff\xff\0\0\0\7"), NULL},
	{"rest of a word",        BYTES(RR "\0\0"), NULL},
	{"sender cut off",        BYTES("\x80\xc8\0\5\0\0\0\7" "\1\2\3\4\5\6\7\x8" "\0\0\0\xa0" "\0\0\0\x9"),
	                          NULL},
	{"block missing",         BYTES("\x82\xc9\0\7\0\0\0\7" BLOCK("\0\0\3")), NULL},
	{"31 blocks in none",     BYTES("\x9f\xc9\0\1\0\0\0\7"), NULL},
	{"name too long",         BYTES(RR "\x81\xca\0\3\0\0\0\7\1\7abcde\0"), NULL},
	{"name of 255 in 5",      BYTES(RR "\x81\xca\0\3\0\0\0\7\1\xff" "abcde\0"), NULL},
	{"name without end",      BYTES(RR "\x81\xca\0\3\0\0\0\7\1\6abcdef"), NULL},
	{"item without length",   BYTES(RR "\x81\xca\0\3\0\0\0\7\2\5abcde\1"), NULL},
	{"second chunk missing",  BYTES(RR "\x82\xca\0\3\0\0\0\7\1\5abcde\0"), NULL},
	{"chunk without source",  BYTES(RR "\x81\xca\0\0"), NULL},
	{"one of two goes",       BYTES(RR "\x82\xcb\0\1\0\0\0\7"), NULL},
	{"reason too long",       BYTES(RR "\x81\xcb\0\2\0\0\0\7\4end"), NULL},
	{"padding of 0",          BYTES(RR "\xa1\xcb\0\2\0\0\0\7\0\0\0\0"), NULL},
	{"padding of 3",          BYTES(RR "\xa1\xcb\0\2\0\0\0\7\0\0\0\3"), NULL},
	{"padding of too much",   BYTES(RR "\xa1\xcb\0\2\0\0\0\7\0\0\0\x0c"), NULL},
	{"padding of nothing",    BYTES(RR "\xa0\xcb\0\0"), NULL},
	{"padding in the middle", BYTES(RR "\xa1\xcb\0\2\0\0\0\7\0\0\0\4" RR), NULL},
};
/* clang-format on */

static void describe(char *text, size_t size, const struct rtcp_item *item)
{
	const char *data = (const char *)item->text.data;
	int len = (int)item->text.len;

	switch (item->kind) {
	case RTCP_SENDER:
		snprintf(text, size, "S%u ", item->ssrc);
		break;
	case RTCP_RECEIVER:
		snprintf(text, size, "R%u ", item->ssrc);
		break;
	case RTCP_BLOCK:
		snprintf(text, size, "B%u:%d ", item->block.ssrc, item->block.lost);
		break;
	case RTCP_CNAME:
		snprintf(text, size, "N%u:%.*s ", item->ssrc, len, len ? data : "");
		break;
	case RTCP_BYE:
		snprintf(text, size, "G%u:%.*s ", item->ssrc, len, len ? data : "");
		break;
	}
}

static void check_row(const struct row *row, struct slice datagram)
{
	struct rtcp_reader reader = {.ssrc = 99};
	struct rtcp_item item;
	char items[256] = "";
	int err = rtcp_parse(&reader, datagram);

	if (err != (row->items ? 0 : -EPROTO))
		fail_msg("%s: got %d", row->name, err);
	if (err) {
		assert_int_equal(reader.ssrc, 99);
		return;
	}
	while (rtcp_next(&item, &reader))
		describe(items + strlen(items), sizeof(items) - strlen(items), &item);
	if (strcmp(items, row->items) != 0)
		fail_msg("%s: %s", row->name, items);
	assert_false(rtcp_next(&item, &reader)); /* the end stays the end */
}

static void test_parse_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* no byte longer than it is, so that AddressSanitizer sees one read too many */
		uint8_t *datagram = malloc(rows[i].len);

		assert_true(datagram || rows[i].len == 0);
		if (rows[i].len > 0)
			memcpy(datagram, rows[i].bytes, rows[i].len);
		check_row(&rows[i], (struct slice){datagram, rows[i].len});
		free(datagram);
	}
}

static void test_fields(void **state)
{
	static const uint8_t bytes[] = "\x81\xc8\0\x0c" SENDER BLOCK("\0\0\3");
	struct rtcp_reader reader;
	struct rtcp_item item;

	(void)state;
	assert_int_equal(rtcp_parse(&reader, (struct slice){bytes, sizeof(bytes) - 1}), 0);
	assert_true(rtcp_next(&item, &reader));
	assert_true(item.sender.ntp == UINT64_C(0x0102030405060708));
	assert_int_equal(item.sender.timestamp, 160);
	assert_int_equal(item.sender.packets, 9);
	assert_int_equal(item.sender.octets, 256);
	assert_true(rtcp_next(&item, &reader));
	assert_int_equal(item.ssrc, 7);
	assert_int_equal(item.block.fraction_lost, 0x40);
	assert_int_equal(item.block.highest_seq, 0x10002);
	assert_int_equal(item.block.jitter, 0x21);
	assert_int_equal(item.block.lsr, 0x03040506);
	assert_int_equal(item.block.dlsr, 0x10000);
}

/* All four packets, in as much room as given: everything, or nothing of the one that lacks it. */
static int print_all(struct buf *out, const char *name)
{
	static const struct rtcp_sender sender = {UINT64_C(0x123456789abcdef0), 5, 6, 7};
	static const struct rtcp_block blocks[] = {
		{1, 255, 0x800000, 4, 5, 6, 7}, /* each a little more than fits */
		{2, 0, -0x800001, 4, 5, 6, 7},
		{3, 1, -1, 4, 5, 6, 7},
	};
	int err;

	err = rtcp_print_sender(out, 77, &sender, blocks, COUNT(blocks));
	if (!err)
		err = rtcp_print_receiver(out, 77, blocks, 1);
	if (!err)
		err = rtcp_print_cname(
			out, 77, (struct slice){(const uint8_t *)name, strlen(name)});
	return err ? err : rtcp_print_bye(out, 77);
}

static void test_parse_undoes_print(void **state)
{
	static const char *const names[] = {"", "a", "ab", "abc", "abcd", "me@192.0.2.1"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		uint8_t room[256];
		struct buf out = {.data = room, .size = sizeof(room)};
		struct row row = {.name = names[i]};
		char items[128];

		memset(room, 0xff, sizeof(room));
		snprintf(items, sizeof(items),
			"S77 B1:8388607 B2:-8388608 B3:-1 R77 B1:8388607 N77:%s G77: ", names[i]);
		row.items = items;
		assert_int_equal(print_all(&out, names[i]), 0);
		check_row(&row, (struct slice){out.data, out.len});

		for (size_t size = 0; size < out.len; size++) {
			uint8_t *tight = malloc(size);
			struct buf small = {.data = tight, .size = size};

			assert_int_equal(print_all(&small, names[i]), -ENOBUFS);
			free(tight);
		}
	}
}

static void test_printed_fields(void **state)
{
	static const uint8_t wanted[] = "\x81\xc8\0\x0c" SENDER BLOCK("\0\0\3");
	static const struct rtcp_sender sender = {UINT64_C(0x0102030405060708), 160, 9, 256};
	static const struct rtcp_block block = {5, 0x40, 3, 0x10002, 0x21, 0x03040506, 0x10000};
	uint8_t room[64];
	struct buf out = {.data = room, .size = sizeof(room)};

	(void)state;
	assert_int_equal(rtcp_print_sender(&out, 7, &sender, &block, 1), 0);
	assert_int_equal(out.len, sizeof(wanted) - 1);
	assert_memory_equal(room, wanted, out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_table),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_parse_undoes_print),
		cmocka_unit_test(test_printed_fields),
	};

	return cmocka_run_group_tests_name("rtp/rtcp", tests, NULL, NULL);
}
