#include "core/rtp/rtcp.h"

#include <assert.h>

enum {
	VERSION = 2,
	PADDING_BIT = 0x20,
	COUNT_MASK = 0x1f,
	WORD_SIZE = 4,
	HEADER_SIZE = 4,
	SSRC_SIZE = 4,
	SENDER_SIZE = 20,
	BLOCK_SIZE = 24,
	LOST_MAX = 0x7fffff, /* a signed number of 24 bits */
	LOST_MIN = -0x800000,
	LOST_SIGN = 0x800000,
};

enum { TYPE_SR = 200, TYPE_RR = 201, TYPE_SDES = 202, TYPE_BYE = 203 };
enum { TYPE_FIRST = 192, TYPE_LAST = 223 };
enum { SDES_END = 0, SDES_CNAME = 1 };

/* What a step of reading came to, beside -EPROTO. */
enum { AGAIN, ITEM, END };

/* The last byte counts the padding, itself included, in whole words (RFC 3550, section 6.4.1). */
static int strip_padding(struct slice *body)
{
	uint8_t count;

	if (body->len == 0)
		return -EPROTO;

	count = body->data[body->len - 1];
	if (count == 0 || count % WORD_SIZE != 0 || count > body->len)
		return -EPROTO;

	body->len -= count;
	return 0;
}

static int take_ssrc(uint32_t *out, struct slice *from)
{
	struct slice bytes;
	int err;

	err = slice_take(&bytes, from, SSRC_SIZE);
	if (!err)
		*out = be32_get(bytes.data);
	return err;
}

static int begin_sender(struct rtcp_item *item, struct rtcp_reader *reader)
{
	struct slice bytes;
	int err;

	err = take_ssrc(&reader->ssrc, &reader->body);
	if (!err)
		err = slice_take(&bytes, &reader->body, SENDER_SIZE);
	if (err)
		return err;

	*item = (struct rtcp_item){.kind = RTCP_SENDER, .ssrc = reader->ssrc};
	item->sender.ntp = (uint64_t)be32_get(bytes.data) << 32 | be32_get(bytes.data + 4);
	item->sender.timestamp = be32_get(bytes.data + 8);
	item->sender.packets = be32_get(bytes.data + 12);
	item->sender.octets = be32_get(bytes.data + 16);
	return ITEM;
}

static int begin_receiver(struct rtcp_item *item, struct rtcp_reader *reader)
{
	int err;

	err = take_ssrc(&reader->ssrc, &reader->body);
	if (err)
		return err;

	*item = (struct rtcp_item){.kind = RTCP_RECEIVER, .ssrc = reader->ssrc};
	return ITEM;
}

/* RFC 3550, section 6.6: the reason stands behind the sources, and may be absent. */
static int begin_bye(struct rtcp_item *item, struct rtcp_reader *reader)
{
	struct slice sources;
	struct slice rest = reader->body;
	int err;

	(void)item;
	reader->reason = (struct slice){0};
	err = slice_take(&sources, &rest, (size_t)reader->left * SSRC_SIZE);
	if (err)
		return err;
	if (rest.len == 0)
		return AGAIN;

	reader->reason = (struct slice){rest.data + 1, rest.data[0]};
	return reader->reason.len < rest.len ? AGAIN : -EPROTO;
}

static int begin_chunks(struct rtcp_item *item, struct rtcp_reader *reader)
{
	(void)item;
	reader->in_chunk = false;
	return AGAIN;
}

static int32_t lost_get(const uint8_t p[static 3])
{
	int32_t lost = p[0] << 16 | p[1] << 8 | p[2];

	return lost & LOST_SIGN ? lost - 2 * LOST_SIGN : lost;
}

static int next_block(struct rtcp_item *item, struct rtcp_reader *reader)
{
	struct slice bytes;
	int err;

	err = slice_take(&bytes, &reader->body, BLOCK_SIZE);
	if (err)
		return err;

	reader->left--;
	*item = (struct rtcp_item){.kind = RTCP_BLOCK, .ssrc = reader->ssrc};
	item->block.ssrc = be32_get(bytes.data);
	item->block.fraction_lost = bytes.data[4];
	item->block.lost = lost_get(bytes.data + 5);
	item->block.highest_seq = be32_get(bytes.data + 8);
	item->block.jitter = be32_get(bytes.data + 12);
	item->block.lsr = be32_get(bytes.data + 16);
	item->block.dlsr = be32_get(bytes.data + 20);
	return ITEM;
}

static int next_bye(struct rtcp_item *item, struct rtcp_reader *reader)
{
	uint32_t ssrc;
	int err;

	err = take_ssrc(&ssrc, &reader->body);
	if (err)
		return err;

	reader->left--;
	*item = (struct rtcp_item){.kind = RTCP_BYE, .ssrc = ssrc, .text = reader->reason};
	return ITEM;
}

/*
 * RFC 3550, section 6.5: a chunk ends with a null byte and is filled up with more of them to a
 * whole word. A body is whole words, so what is left of it tells how many there are.
 */
static int end_chunk(struct rtcp_reader *reader)
{
	struct slice nulls;

	reader->in_chunk = false;
	reader->left--;
	return slice_take(&nulls, &reader->body, reader->body.len % WORD_SIZE);
}

/* One step inside a chunk: its source, an item, or its end. */
static int next_chunk(struct rtcp_item *item, struct rtcp_reader *reader)
{
	struct slice head, text;
	int err;

	if (!reader->in_chunk) {
		reader->in_chunk = true;
		return take_ssrc(&reader->ssrc, &reader->body);
	}

	err = slice_take(&head, &reader->body, 1);
	if (err)
		return err;
	if (head.data[0] == SDES_END)
		return end_chunk(reader);

	err = slice_take(&text, &reader->body, 1);
	if (!err)
		err = slice_take(&text, &reader->body, text.data[0]);
	if (err)
		return err;
	if (head.data[0] != SDES_CNAME)
		return AGAIN;

	*item = (struct rtcp_item){.kind = RTCP_CNAME, .ssrc = reader->ssrc, .text = text};
	return ITEM;
}

static const struct type {
	uint8_t number;
	int (*begin)(struct rtcp_item *item, struct rtcp_reader *reader);
	int (*next)(struct rtcp_item *item, struct rtcp_reader *reader);
} types[] = {
	{TYPE_SR, begin_sender, next_block},
	{TYPE_RR, begin_receiver, next_block},
	{TYPE_SDES, begin_chunks, next_chunk},
	{TYPE_BYE, begin_bye, next_bye},
};

static const struct type *find_type(uint8_t number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

/* Goes on to the next packet. Only the last may be padded (RFC 3550, section 6.4.1). */
static int begin_packet(struct rtcp_item *item, struct rtcp_reader *reader)
{
	const struct type *type;
	struct slice head;
	int err;

	if (reader->rest.len == 0)
		return END;

	err = slice_take(&head, &reader->rest, HEADER_SIZE);
	if (err)
		return err;
	if (head.data[0] >> 6 != VERSION)
		return -EPROTO;
	err = slice_take(&reader->body, &reader->rest, (size_t)be16_get(head.data + 2) * WORD_SIZE);
	if (err)
		return err;
	if (head.data[0] & PADDING_BIT)
		err = reader->rest.len == 0 ? strip_padding(&reader->body) : -EPROTO;
	if (err)
		return err;

	reader->type = head.data[1];
	reader->left = head.data[0] & COUNT_MASK;
	type = find_type(reader->type);
	if (type)
		return type->begin(item, reader);

	reader->left = 0;
	return AGAIN;
}

/* What stands in a known packet behind its last block is a profile's extension, and not for us. */
static int step(struct rtcp_item *item, struct rtcp_reader *reader)
{
	if (reader->left == 0)
		return begin_packet(item, reader);
	return find_type(reader->type)->next(item, reader);
}

static int read_item(struct rtcp_item *item, struct rtcp_reader *reader)
{
	int result;

	do {
		result = step(item, reader);
	} while (result == AGAIN);
	return result;
}

/*
 * RFC 3550, appendix A.2: the first packet is a report and is not padded; RFC 5506, section 3.4.1:
 * or it is any other, of the types that RFC 5761, section 4, leaves to RTCP.
 */
static bool begins_well(struct slice datagram)
{
	if (datagram.len < HEADER_SIZE)
		return false;
	if (datagram.data[1] == TYPE_SR || datagram.data[1] == TYPE_RR)
		return !(datagram.data[0] & PADDING_BIT);
	return datagram.data[1] >= TYPE_FIRST && datagram.data[1] <= TYPE_LAST;
}

int rtcp_parse(struct rtcp_reader *out, struct slice datagram)
{
	struct rtcp_reader reader = {.rest = datagram};
	struct rtcp_item item;
	int result;

	if (!begins_well(datagram))
		return -EPROTO;

	do {
		result = read_item(&item, &reader);
	} while (result == ITEM);
	if (result < 0)
		return result;

	*out = (struct rtcp_reader){.rest = datagram};
	return 0;
}

bool rtcp_next(struct rtcp_item *out, struct rtcp_reader *reader)
{
	int result = read_item(out, reader);

	assert(result >= 0); /* rtcp_parse() went the same way */
	return result == ITEM;
}

/* Makes room for a packet of a header, an ssrc and len bytes more, a whole number of words. */
static int take_packet(
	uint8_t **body, struct buf *out, uint8_t type, size_t count, uint32_t ssrc, size_t len)
{
	uint8_t *p;
	int err;

	assert(count <= COUNT_MASK && len % WORD_SIZE == 0);

	err = buf_take(&p, out, HEADER_SIZE + SSRC_SIZE + len);
	if (err)
		return err;

	p[0] = (uint8_t)(VERSION << 6 | count);
	p[1] = type;
	be16_put(p + 2, (uint16_t)((SSRC_SIZE + len) / WORD_SIZE));
	be32_put(p + HEADER_SIZE, ssrc);
	*body = p + HEADER_SIZE + SSRC_SIZE;
	return 0;
}

static void print_blocks(uint8_t *p, const struct rtcp_block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++, p += BLOCK_SIZE) {
		int32_t lost = blocks[i].lost;

		if (lost > LOST_MAX)
			lost = LOST_MAX;
		if (lost < LOST_MIN)
			lost = LOST_MIN;
		be32_put(p, blocks[i].ssrc);
		be32_put(p + 4, (uint32_t)lost); /* its first byte is the fraction's */
		p[4] = blocks[i].fraction_lost;
		be32_put(p + 8, blocks[i].highest_seq);
		be32_put(p + 12, blocks[i].jitter);
		be32_put(p + 16, blocks[i].lsr);
		be32_put(p + 20, blocks[i].dlsr);
	}
}

int rtcp_print_sender(struct buf *out, uint32_t ssrc, const struct rtcp_sender *sender,
	const struct rtcp_block *blocks, size_t count)
{
	uint8_t *p;
	int err;

	err = take_packet(&p, out, TYPE_SR, count, ssrc, SENDER_SIZE + count * BLOCK_SIZE);
	if (err)
		return err;

	be32_put(p, (uint32_t)(sender->ntp >> 32));
	be32_put(p + 4, (uint32_t)sender->ntp);
	be32_put(p + 8, sender->timestamp);
	be32_put(p + 12, sender->packets);
	be32_put(p + 16, sender->octets);
	print_blocks(p + SENDER_SIZE, blocks, count);
	return 0;
}

int rtcp_print_receiver(
	struct buf *out, uint32_t ssrc, const struct rtcp_block *blocks, size_t count)
{
	uint8_t *p;
	int err;

	err = take_packet(&p, out, TYPE_RR, count, ssrc, count * BLOCK_SIZE);
	if (err)
		return err;

	print_blocks(p, blocks, count);
	return 0;
}

/* One to four null bytes end the chunk (RFC 3550, section 6.5). */
int rtcp_print_cname(struct buf *out, uint32_t ssrc, struct slice cname)
{
	size_t len = (2 + cname.len) / WORD_SIZE * WORD_SIZE + WORD_SIZE;
	uint8_t *p;
	int err;

	assert(cname.len <= RTCP_TEXT_MAX);

	err = take_packet(&p, out, TYPE_SDES, 1, ssrc, len);
	if (err)
		return err;

	memset(p, SDES_END, len);
	p[0] = SDES_CNAME;
	p[1] = (uint8_t)cname.len;
	if (cname.len > 0)
		memcpy(p + 2, cname.data, cname.len);
	return 0;
}

int rtcp_print_bye(struct buf *out, uint32_t ssrc)
{
	uint8_t *p;

	return take_packet(&p, out, TYPE_BYE, 1, ssrc, 0);
}
