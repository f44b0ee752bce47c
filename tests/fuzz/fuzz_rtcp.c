/* RTCP: whatever the bytes are, reading stays inside them, and what is read prints and reads again.
 */
#include "core/base/loop.h"
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Prints what of the item can be printed, and reads it back. */
static void print_again(const struct rtcp_item *item)
{
	uint8_t room[512];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct rtcp_reader reader;
	struct rtcp_item again;

	if (item->kind == RTCP_SENDER) {
		check(rtcp_print_sender(&out, item->ssrc, &item->sender, NULL, 0) == 0);
	} else if (item->kind == RTCP_BLOCK) {
		check(rtcp_print_receiver(&out, item->ssrc, &item->block, 1) == 0);
	} else {
		check(rtcp_print_receiver(&out, item->ssrc, NULL, 0) == 0);
		check(rtcp_print_cname(&out, item->ssrc, item->text) == 0);
		check(rtcp_print_bye(&out, item->ssrc) == 0);
	}

	check(rtcp_parse(&reader, (struct slice){room, out.len}) == 0);
	check(rtcp_next(&again, &reader));
	check(again.ssrc == item->ssrc);
	if (item->kind == RTCP_SENDER) {
		check(again.sender.ntp == item->sender.ntp);
	} else if (item->kind == RTCP_BLOCK) {
		check(rtcp_next(&again, &reader));
		check(again.block.lost == item->block.lost);
		check(again.block.dlsr == item->block.dlsr);
	} else {
		check(rtcp_next(&again, &reader) && again.kind == RTCP_CNAME);
		check(again.text.len == item->text.len);
	}
}

/* A report of ours can be read. */
static void report(struct rtp_session *session, bool bye)
{
	uint8_t room[256];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct rtcp_reader reader;

	check(rtp_session_report(&out, session, 9 * NS_PER_S, 1790000000 * NS_PER_S, bye) == 0);
	check(rtcp_parse(&reader, (struct slice){out.data, out.len}) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rtp_session_config config = {7, 1, 2, 8000, "fuzz"};
	struct slice datagram = {data, size};
	struct rtp_session *session;
	struct rtcp_reader reader;
	struct rtcp_item item;
	size_t read = 0;
	int err;

	err = rtcp_parse(&reader, datagram);
	while (!err && rtcp_next(&item, &reader)) {
		check(item.text.len <= RTCP_TEXT_MAX);
		check(item.text.len == 0 ||
			(item.text.data > data && item.text.data + item.text.len <= data + size));
		print_again(&item);
		read++;
	}
	check(read <= size);

	check(rtp_session_new(&session, &config) == 0);
	rtp_session_start_reports(session, 20000, 0, 12345);
	check(rtp_session_rtcp(session, datagram, NS_PER_S) == err);
	check(rtp_session_next_report(session) < UINT64_MAX / 2);
	if (rtp_session_report_due(session, 9 * NS_PER_S, 6789)) {
		report(session, false);
		rtp_session_plan_report(session, 2468);
		report(session, true);
	} else {
		check(rtp_session_next_report(session) > 9 * NS_PER_S);
	}
	rtp_session_free(session);
	return 0;
}
