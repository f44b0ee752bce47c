#include "audio/recorder.h"

#include "core/base/loop.h"

enum {
	PEER_MAX = 80, /* of a file name's 255 bytes */
	S_PER_DAY = 86400,
};

static bool leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* By hand, because the C library's calendar asks the environment and the locale. */
static void put_time(struct text *out, uint64_t wall_ns)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t seconds = wall_ns / NS_PER_S;
	unsigned day = (unsigned)(seconds / S_PER_DAY);
	unsigned second = (unsigned)(seconds % S_PER_DAY);
	unsigned year = 1970;
	unsigned month = 0;

	for (; day >= (leap(year) ? 366u : 365u); year++)
		day -= leap(year) ? 366 : 365;
	for (;; month++) {
		unsigned length = lengths[month] + (month == 1 && leap(year));

		if (day < length)
			break;
		day -= length;
	}
	text_printf(out, "%04u%02u%02u-%02u%02u%02u", year, month + 1, day + 1, second / 3600,
		second / 60 % 60, second % 60);
}

static bool belongs(uint8_t byte, bool first)
{
	if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
		(byte >= '0' && byte <= '9'))
		return true;
	if (first) /* neither hidden nor taken for an option */
		return false;
	return byte != '\0' && strchr("@.-+_=", byte);
}

static void put_peer(struct text *out, struct slice peer)
{
	size_t len = peer.len < PEER_MAX ? peer.len : PEER_MAX;

	if (len == 0)
		text_puts(out, "unknown");
	for (size_t i = 0; i < len; i++)
		text_putc(out, belongs(peer.data[i], i == 0) ? (char)peer.data[i] : '_');
}

static int fault_percent(struct fault *why, uint8_t byte)
{
	char room[8];
	struct text shown = TEXT_IN(room);

	text_put_escaped(&shown, (struct slice){&byte, 1});
	return fault_set(why, -EINVAL,
		"a recording's name knows no %%%s; there are %%n (call), %%t (time), %%p (peer) "
		"and %%%%",
		shown.data);
}

int audio_record_name(struct text *out, struct slice pattern, unsigned number, uint64_t wall_ns,
	struct slice peer, struct fault *why)
{
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t byte = pattern.data[i];

		if (byte == '\0')
			return fault_set(why, -EINVAL, "a recording's name cannot hold a NUL");
		if (byte != '%') {
			text_putc(out, (char)byte);
			continue;
		}
		i++;
		if (i == pattern.len)
			return fault_set(why, -EINVAL,
				"a recording's name ends in a single %%; write %%%% for one");
		if (pattern.data[i] == 'n')
			text_printf(out, "%u", number);
		else if (pattern.data[i] == 't')
			put_time(out, wall_ns);
		else if (pattern.data[i] == 'p')
			put_peer(out, peer);
		else if (pattern.data[i] == '%')
			text_putc(out, '%');
		else
			return fault_percent(why, pattern.data[i]);
	}
	if (out->cut)
		return fault_set(why, -ENAMETOOLONG, "a recording's name is too long");
	return 0;
}
