#include "tests/sim/trace.h"

#include "core/rtp/packet.h"
#include "core/rtp/session.h"

enum { LINE_SIZE = 512 };

static const char *const wires[] = {
	[WORLD_SENT] = "sent",
	[WORLD_ARRIVED] = "arrived",
	[WORLD_LOST] = "lost",
	[WORLD_UNWANTED] = "unwanted",
	[WORLD_STREAM_SENT] = "stream sent",
	[WORLD_STREAM_ARRIVED] = "stream arrived",
};

static void put_time(FILE *out, uint64_t at_ns)
{
	fprintf(out, "%5llu.%09llu ", (unsigned long long)(at_ns / NS_PER_S),
		(unsigned long long)(at_ns % NS_PER_S));
}

static bool find_line(struct slice *out, struct slice bytes, const char *name)
{
	while (slice_cut(out, &bytes, '\n'))
		if (slice_starts_nocase(*out, name)) {
			out->data += strlen(name);
			out->len -= strlen(name);
			*out = slice_trim(*out);
			return true;
		}
	return false;
}

static void put_sip(struct text *text, struct slice bytes)
{
	struct slice line, rest = bytes;

	slice_cut(&line, &rest, '\r');
	text_put_escaped(text, line);
	if (find_line(&line, bytes, "CSeq:")) {
		line.len = slice_find(line, '\r');
		text_puts(text, " | ");
		text_put_escaped(text, line);
	}
	if (find_line(&line, bytes, "Call-ID:")) {
		line.len = slice_find(line, '@');
		text_puts(text, " | ");
		text_put_escaped(text, line);
	}
}

static void put_message(struct text *text, struct slice bytes)
{
	struct rtp_packet packet;

	if (bytes.len > 0 && bytes.data[0] >> 6 != 2)
		put_sip(text, bytes);
	else if (rtp_is_rtcp(bytes))
		text_printf(text, "RTCP %u, %zu bytes", bytes.data[1], bytes.len);
	else if (rtp_packet_parse(&packet, bytes) == 0)
		text_printf(text, "RTP %u seq %u timestamp %lu, %zu bytes", packet.payload_type,
			packet.seq, (unsigned long)packet.timestamp, bytes.len);
	else
		text_printf(text, "%zu bytes", bytes.len);
}

void trace_wire(FILE *out, enum world_wire what, uint64_t at_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	char room[LINE_SIZE], a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	put_message(&text, bytes);
	put_time(out, at_ns);
	fprintf(out, "%-8s %s > %s %s\n", wires[what], addr_print_port(a, from),
		addr_print_port(b, to), room);
}

void trace_event(FILE *out, uint64_t at_ns, char phone, const struct ua_event *event)
{
	put_time(out, at_ns);
	fprintf(out, "event    %c %s", phone, ua_event_name(event->kind));
	if (event->call > 0)
		fprintf(out, " %u", event->call);
	if (event->kind == UA_CALL_ENDED)
		fprintf(out, " %s %u%s", ua_cause_name(event->ended.cause), event->ended.code,
			event->ended.answered ? " answered" : "");
	if (event->kind == UA_CALL_RINGING || event->kind == UA_CALL_PROGRESS)
		fprintf(out, " %u", event->provisional.code);
	if (event->kind == UA_CALL_STATS)
		fprintf(out, " sent %llu received %llu lost %lld late %llu",
			(unsigned long long)event->stats.now.sent,
			(unsigned long long)event->stats.now.received,
			(long long)event->stats.now.lost,
			(unsigned long long)event->stats.now.late);
	fputc('\n', out);
}

void trace_step(FILE *out, const struct play_step *step)
{
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	play_print_step(&text, step);
	put_time(out, step->at_ns);
	fprintf(out, "step     %s\n", room);
}
