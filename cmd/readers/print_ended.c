/* How a call has ended, told to people. */
#include "cmd/readers/print_private.h"

#include "cmd/words.h"

static bool had_media(const struct ua_stats *stats)
{
	return stats->sent > 0 || stats->received > 0;
}

static void put_sum(struct text *out, const struct ua_stats *stats)
{
	int64_t lost = stats->lost > 0 ? stats->lost : 0;

	if (!had_media(stats))
		return;
	if (stats->received == 0) {
		text_puts(out, "   nothing was heard");
		return;
	}
	text_printf(out, "   lost %lld of %llu", (long long)lost,
		(unsigned long long)stats->received + (unsigned long long)lost);
	if (stats->mos > 0)
		text_printf(out, "   mos %.1f", stats->mos);
}

enum ending { ENDED, CANCELLED, GIVEN_UP, REFUSED, BUSY, DECLINED, FAILED };

static const struct {
	const char *word;
	enum printer_tone tone;
	bool fails; /* told even if quiet */
} endings[] = {
	[ENDED] = {"ended", PRINTER_PLAIN, false},
	[CANCELLED] = {"cancelled", PRINTER_PLAIN, false},
	[GIVEN_UP] = {"missed", PRINTER_PLAIN, false},
	[REFUSED] = {"declined", PRINTER_PLAIN, false},
	[BUSY] = {"busy", PRINTER_BAD, true},
	[DECLINED] = {"declined", PRINTER_BAD, true},
	[FAILED] = {"failed", PRINTER_BAD, true},
};

static enum ending ending_of(const struct ua_event *event)
{
	bool by_person =
		event->ended.cause == UA_CAUSE_LOCAL || event->ended.cause == UA_CAUSE_REMOTE;
	bool rejected = event->ended.cause == UA_CAUSE_REJECTED;
	uint16_t code = event->ended.code;

	if (event->ended.answered && by_person)
		return ENDED;
	if (rejected && !event->ended.outgoing)
		return REFUSED;
	if (event->ended.cause == UA_CAUSE_LOCAL)
		return CANCELLED;
	if (event->ended.cause == UA_CAUSE_REMOTE && !event->ended.outgoing)
		return GIVEN_UP;
	if (rejected && (code == 486 || code == 600))
		return BUSY;
	if (rejected && code == 603)
		return DECLINED;
	return FAILED;
}

/* The far end's code and reason, our words if there are any. */
static void put_why(struct text *out, const struct ua_event *event)
{
	bool rejected = event->ended.cause == UA_CAUSE_REJECTED;
	bool coded = event->ended.reason.len > 0 && (rejected || !event->ended.words);

	if (coded)
		printer_put_code(out, event->ended.code, event->ended.reason);
	if (coded && event->ended.words)
		text_puts(out, ": ");
	if (event->ended.words)
		text_put_escaped(out, slice_of(event->ended.words));
	else if (!coded)
		text_puts(out, ua_cause_name(event->ended.cause));
}

/* What the far end said of why it hung up. */
static void put_words(struct text *out, const struct ua_event *event)
{
	if (!event->ended.words)
		return;

	text_puts(out, "   (");
	text_put_escaped(out, slice_of(event->ended.words));
	text_putc(out, ')');
}

static void put_ending(struct text *out, const struct ua_event *event, enum ending ending)
{
	if (ending == ENDED) {
		text_puts(out, "by ");
		if (event->ended.cause == UA_CAUSE_LOCAL)
			text_puts(out, "us");
		else
			words_put(out, words_name(event->peer));
	} else if (ending == GIVEN_UP) {
		words_put(out, words_name(event->peer));
		text_puts(out, " gave up");
		put_words(out, event);
	} else if (ending != CANCELLED) {
		put_why(out, event);
	}
	if (event->ended.answered) {
		/* words of ours end with a hint: the time must not read as a part of it */
		text_puts(out, ending == FAILED ? "   after " : " after ");
		words_put_duration(out, event->ended.duration_s);
		put_sum(out, &event->ended.stats);
	}
	if (ending == ENDED)
		put_words(out, event);
}

/* What the line before has not told, in three lines, for those who want to know. */
static void print_figures(struct printer *self, const struct ua_event *event, const char *sound)
{
	const struct ua_stats *stats = &event->ended.stats;
	char room[PRINTER_LINE_SIZE];
	struct text out = printer_line_in(room);
	struct slice codec, rest = slice_of(sound);

	codec = rest;
	for (size_t i = 0; i + 1 < rest.len && codec.len == rest.len; i++)
		if (rest.data[i] == ' ' && rest.data[i + 1] == ' ')
			codec.len = i; /* the address follows two spaces */

	text_printf(&out, "%*s", PRINTER_FIRST_COLUMN, "");
	text_put(&out, codec);
	text_printf(&out, "%ssent %llu   received %llu", codec.len > 0 ? "   " : "",
		(unsigned long long)stats->sent, (unsigned long long)stats->received);
	printer_finish(self, &out);

	out = printer_line_in(room);
	text_printf(&out, "%*slost %lld   late %llu   concealed %.1f %%", PRINTER_FIRST_COLUMN, "",
		(long long)stats->lost, (unsigned long long)stats->late, stats->concealed_pct);
	printer_finish(self, &out);

	out = printer_line_in(room);
	text_printf(&out, "%*sjitter %.1f ms", PRINTER_FIRST_COLUMN, "", stats->jitter_ms);
	if (stats->rtt_ms >= 0)
		text_printf(&out, "   round trip %.1f ms", stats->rtt_ms);
	text_printf(&out, "   buffer %.0f ms   mos %.2f", stats->buffer_ms, stats->mos);
	printer_finish(self, &out);
}

static void print_recording(struct printer *self, const char *path)
{
	char room[PRINTER_LINE_SIZE];
	struct text out = printer_line_in(room);

	text_printf(&out, "%*srecorded ", PRINTER_FIRST_COLUMN, "");
	text_put_escaped(&out, slice_of(path));
	printer_finish(self, &out);
}

void printer_ended(struct printer *self, const struct ua_event *event, struct text *out)
{
	struct printer_told *told = printer_told_of(self, event->call);
	enum ending ending = ending_of(event);

	if (told && self->config.live && printer_shows(self, told))
		self->config.show_live(self->config.arg, (struct slice){(const uint8_t *)"", 0});
	if (!self->config.quiet || endings[ending].fails) {
		printer_start(self, out, endings[ending].tone, endings[ending].word, event);
		put_ending(out, event, ending);
		printer_finish(self, out);
	}
	if (self->config.verbose && had_media(&event->ended.stats))
		print_figures(self, event, told ? told->sound : "");
	if (self->config.verbose && event->ended.recording)
		print_recording(self, event->ended.recording);
	if (told)
		printer_told_free(told);
}
