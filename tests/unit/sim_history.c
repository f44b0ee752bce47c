#include "tests/unit/sim_history.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LINE_SIZE = 160, MESSAGE_SIZE = 4096 };

static struct addr addr_of(char who, uint16_t port)
{
	struct addr addr = {.family = ADDR_IPV4, .port = port, .ip = {10, 0, 0, 0}};

	addr.ip[3] = (uint8_t)(who - 'a' + 1);
	return addr;
}

/* The field key=value of a line, or otherwise. */
static const char *field(char *room, const char *line, const char *key, const char *otherwise)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof(wanted), " %s=", key);
	at = strstr(line, wanted);
	if (!at)
		return otherwise;
	room[0] = '\0';
	sscanf(at + strlen(wanted), "%39[^ \n]", room);
	return room;
}

static double number(const char *line, const char *key, double otherwise)
{
	char room[40];
	const char *text = field(room, line, key, NULL);

	return text ? atof(text) : otherwise;
}

/* Messages by their names; the sender tells which of two tags is From's. */
static const struct {
	const char *name;
	const char *start;
	const char *method;
	const char *branch;
	const char *from;
	const char *to;
	int cseq;
	int port; /* of its description */
} messages[] = {
	{"INVITE", "INVITE sip:b@10.0.0.2 SIP/2.0", "INVITE", "z9hG4bKi", "ta", "", 1, 4000},
	{"100", "SIP/2.0 100 Trying", "INVITE", "z9hG4bKi", "ta", "", 1, 0},
	{"180", "SIP/2.0 180 Ringing", "INVITE", "z9hG4bKi", "ta", "tb", 1, 0},
	{"200", "SIP/2.0 200 OK", "INVITE", "z9hG4bKi", "ta", "tb", 1, 5000},
	{"486", "SIP/2.0 486 Busy Here", "INVITE", "z9hG4bKi", "ta", "tb", 1, 0},
	{"487", "SIP/2.0 487 Terminated", "INVITE", "z9hG4bKi", "ta", "tb", 1, 0},
	{"ACK", "ACK sip:b@10.0.0.2 SIP/2.0", "ACK", "z9hG4bKa", "ta", "tb", 1, 0},
	{"ACKN", "ACK sip:b@10.0.0.2 SIP/2.0", "ACK", "z9hG4bKi", "ta", "tb", 1, 0},
	{"BYE", "BYE sip:b@10.0.0.2 SIP/2.0", "BYE", "z9hG4bKb", "ta", "tb", 2, 0},
	{"200B", "SIP/2.0 200 OK", "BYE", "z9hG4bKb", "ta", "tb", 2, 0},
	{"BYEB", "BYE sip:a@10.0.0.1 SIP/2.0", "BYE", "z9hG4bKbb", "tb", "ta", 1, 0},
	{"200BB", "SIP/2.0 200 OK", "BYE", "z9hG4bKbb", "tb", "ta", 1, 0},
	{"CANCEL", "CANCEL sip:b@10.0.0.2 SIP/2.0", "CANCEL", "z9hG4bKi", "ta", "", 1, 0},
	{"INVITER", "INVITE sip:b@10.0.0.2 SIP/2.0", "INVITE", "z9hG4bKr", "ta", "tb", 2, 4000},
	{"200R", "SIP/2.0 200 OK", "INVITE", "z9hG4bKr", "ta", "tb", 2, 5000},
	{"491R", "SIP/2.0 491 Request Pending", "INVITE", "z9hG4bKr", "ta", "tb", 2, 0},
	{"ACKR", "ACK sip:b@10.0.0.2 SIP/2.0", "ACK", "z9hG4bKra", "ta", "tb", 2, 0},
	{"ACKRN", "ACK sip:b@10.0.0.2 SIP/2.0", "ACK", "z9hG4bKr", "ta", "tb", 2, 0},
	{"INVITEB", "INVITE sip:a@10.0.0.1 SIP/2.0", "INVITE", "z9hG4bKs", "tb", "ta", 1, 5000},
	{"200S", "SIP/2.0 200 OK", "INVITE", "z9hG4bKs", "tb", "ta", 1, 4000},
	{"491S", "SIP/2.0 491 Request Pending", "INVITE", "z9hG4bKs", "tb", "ta", 1, 0},
	{"ACKS", "ACK sip:a@10.0.0.1 SIP/2.0", "ACK", "z9hG4bKsa", "tb", "ta", 1, 0},
	{"ACKSN", "ACK sip:a@10.0.0.1 SIP/2.0", "ACK", "z9hG4bKs", "tb", "ta", 1, 0},
	{"200C", "SIP/2.0 200 OK", "CANCEL", "z9hG4bKi", "ta", "tb", 1, 0},
};

static size_t make_message(char *out, bool tcp, const char *name, const char *line)
{
	char room[7][40], body[512] = "", more[1500] = "";
	size_t i = 0;
	const char *to;

	while (i < sizeof(messages) / sizeof(messages[0]) && strcmp(messages[i].name, name) != 0)
		i++;
	assert_true(i < sizeof(messages) / sizeof(messages[0]));
	if (messages[i].port)
		snprintf(body, sizeof(body),
			"v=0\r\no=x %.0f %.0f IN IP4 host\r\nc=IN IP4 10.0.0.%d\r\n"
			"m=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=%s\r\n%s",
			number(line, "session", 1), number(line, "version", 1),
			messages[i].port == 4000 ? 1 : 2, messages[i].port,
			field(room[4], line, "dir", "sendrecv"),
			number(line, "lines", 1) > 1 ? "m=video 0 RTP/AVP 31\r\n" : "");
	memset(more, 'x', (size_t)number(line, "long", 0));
	to = field(room[0], line, "to", messages[i].to);
	return (size_t)snprintf(out, MESSAGE_SIZE,
		"%s\r\nVia: SIP/2.0/%s 10.0.0.1:5060;branch=%s;rport\r\nSubject: %s\r\n"
		"%s%.0f\r\nFrom: <sip:a@10.0.0.1>;tag=%s\r\nTo: <sip:b@10.0.0.2>%s%s\r\n%s%s\r\n"
		"CSeq: %.0f %s\r\nContent-Length: %.0f\r\n\r\n%s",
		messages[i].start, field(room[5], line, "via", tcp ? "TCP" : "UDP"),
		field(room[1], line, "branch", messages[i].branch), more,
		number(line, "forwards", 70) > 0 ? "Max-Forwards: " : "X: ",
		number(line, "forwards", 70), field(room[2], line, "from", messages[i].from),
		*to ? ";tag=" : "", to, number(line, "call", 1) > 0 ? "Call-ID: " : "Nothing: ",
		field(room[3], line, "id", "one"), number(line, "cseq", messages[i].cseq),
		messages[i].method, number(line, "length", (double)strlen(body)), body);
}

static size_t make_rtp(char *out, const char *name, const char *line)
{
	uint8_t *packet = (uint8_t *)out;
	bool rtcp = strcmp(name, "rtcp") == 0;

	memset(packet, 0, 172);
	packet[0] = 0x80;
	packet[1] = rtcp ? 200 : (uint8_t)number(line, "pt", 0);
	be16_put(packet + 2, (uint16_t)number(line, "seq", 1));
	be32_put(packet + 4, (uint32_t)number(line, "ts", 0));
	be32_put(packet + 8, (uint32_t)number(line, "ssrc", 7));
	return 172;
}

static void do_wire(
	struct history *history, char who, char what, const char *name, const char *line)
{
	bool rtp = name[0] == 'r', sent = what != '<';
	char bytes[MESSAGE_SIZE];
	bool tcp = history->tcp && !rtp;
	size_t len = rtp ? make_rtp(bytes, name, line) : make_message(bytes, tcp, name, line);
	char other = who == 'a' ? 'b' : 'a';
	uint16_t ports[2] = {5060, 5060};
	struct addr from, to;

	if (rtp) {
		ports[0] = who == 'a' ? 4000 : 5000;
		ports[1] = who == 'a' ? 5000 : 4000;
	}
	if (strcmp(name, "rtcp") == 0) {
		ports[0]++;
		ports[1]++;
	}
	from = addr_of(sent ? who : other, sent ? ports[0] : ports[1]);
	to = addr_of(sent ? other : who, sent ? ports[1] : ports[0]);
	from.port = (uint16_t)number(line, "port", from.port);
	to.port = (uint16_t)number(line, "there", to.port);
	if (tcp && what == '-')
		return;
	checks_wire(history->checks,
		what == '>'   ? tcp ? WORLD_STREAM_SENT : WORLD_SENT
		: what == '<' ? tcp ? WORLD_STREAM_ARRIVED : WORLD_ARRIVED
			      : WORLD_LOST,
		history->last_ns, &from, &to, (struct slice){(const uint8_t *)bytes, len});
}

static struct ua_stats stats_of(const char *line)
{
	return (struct ua_stats){
		.sent = (uint64_t)number(line, "sent", 0),
		.received = (uint64_t)number(line, "received", 0),
		.lost = (int64_t)number(line, "lost", 0),
		.late = (uint64_t)number(line, "late", 0),
		.jitter_ms = number(line, "jitter", 0),
		.rtt_ms = -1,
		.mos = number(line, "mos", 0),
	};
}

static void do_event(struct history *history, char who, const char *name, const char *line)
{
	static const char *const names[] = {
		[UA_LISTENING] = "listening",
		[UA_REGISTRATION_OK] = "registered",
		[UA_REGISTRATION_FAILED] = "unregistered",
		[UA_REGISTRATION_LOST] = "lost",
		[UA_NETWORK_CHANGED] = "network",
		[UA_CALL_OUTGOING] = "outgoing",
		[UA_CALL_INCOMING] = "incoming",
		[UA_CALL_RINGING] = "ringing",
		[UA_CALL_PROGRESS] = "progress",
		[UA_CALL_ANSWERED] = "answered",
		[UA_CALL_MEDIA] = "media",
		[UA_CALL_HELD] = "held",
		[UA_CALL_RESUMED] = "resumed",
		[UA_CALL_MUTED] = "muted",
		[UA_CALL_PLAYED] = "played",
		[UA_CALL_RECORDING] = "recording",
		[UA_CALL_TONE] = "tone",
		[UA_CALL_REDIRECTED] = "redirected",
		[UA_CALL_STATS] = "stats",
		[UA_CALL_METER] = "meter",
		[UA_CALL_ENDED] = "ended",
	};
	struct ua_event event = {
		.wall_ns = (uint64_t)(number(line, "wall", 0) + (double)history->last_ns),
		.call = (unsigned)number(line, "number", 1),
		.peer = slice_of(number(line, "peer", 0) > 0 ? "sip:x" : "sip:y"),
	};
	double answered_s = number(line, "answered", who == 'a' ? 120 : 100) / 1e3;
	enum ua_cause cause = 0;
	char room[40];

	while (strcmp(names[event.kind], name) != 0)
		event.kind++;
	if (event.kind != UA_CALL_OUTGOING)
		event.call_id = slice_of("one");
	switch (event.kind) {
	case UA_CALL_OUTGOING:
		event.way.address = addr_of('b', 5060);
		break;
	case UA_CALL_RINGING:
		event.provisional.code = (uint16_t)number(line, "code", 180);
		break;
	case UA_CALL_HELD:
	case UA_CALL_RESUMED:
		event.hold.remote = number(line, "remote", 0) > 0;
		break;
	case UA_CALL_STATS:
	case UA_CALL_METER:
		event.stats.now = stats_of(line);
		event.stats.final = number(line, "final", 1) > 0;
		event.stats.duration_s = number(
			line, "duration", (double)history->last_ns / 1e9 - answered_s - 0.001);
		break;
	case UA_CALL_ENDED:
		sscanf(strstr(line, "ended ") + 6, "%39[^ \n]", room);
		while (strcmp(ua_cause_name(cause), room) != 0)
			cause++;
		event.ended.cause = cause;
		event.ended.code = (uint16_t)number(line, "code", 200);
		event.ended.outgoing = who == 'a';
		event.ended.answered = event.ended.code == 200 || cause == UA_CAUSE_MEDIA;
		event.ended.answered = number(line, "answered", event.ended.answered) > 0;
		event.ended.stats = stats_of(line);
		event.ended.duration_s =
			event.ended.answered
				? number(line, "duration",
					  (double)history->last_ns / 1e9 - answered_s - 0.001)
				: 0;
		break;
	default:
		break;
	}
	checks_event(history->checks, (unsigned)(who - 'a'), &event, history->last_ns);
}

static void do_line(struct history *history, const char *line)
{
	double ms;
	char who, what, name[40] = "";

	assert_true(sscanf(line, "%lf %c%c %39[^ \n]", &ms, &who, &what, name) >= 3);
	history->last_ns = (uint64_t)(ms * 1e6);
	if (what == '>' || what == '<' || what == '-')
		do_wire(history, who, what, name, line);
	else if (what == '!')
		do_event(history, who, name, line);
	else if (what == '@')
		checks_hangup(history->checks, (unsigned)(who - 'a'), 0, history->last_ns);
	else if (what == '%')
		checks_hold(history->checks, (unsigned)(who - 'a'), 0, number(line, "hold", 1) > 0,
			history->last_ns);
	else if (what == '#')
		checks_crash(history->checks, (unsigned)(who - 'a'), history->last_ns);
	else
		fail_msg("no such line: %s", line);
}

void history_play(struct history *history, const char *text)
{
	char line[LINE_SIZE];

	while (*text) {
		const char *end = strchr(text, '\n');

		assert_non_null(end);
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		do_line(history, line);
		text = end + 1;
	}
}
