/* How the sound of a call fares. */
#include "cmd/commands/table.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/text.h"

static void say_figures(struct command_run *run, const struct ua_stats *stats)
{
	command_say(run, "sent      %llu packets", (unsigned long long)stats->sent);
	command_say(run, "received  %llu packets, lost %lld, late %llu",
		(unsigned long long)stats->received, (long long)stats->lost,
		(unsigned long long)stats->late);
	command_say(run, "buffer    %.0f ms, jitter %.1f ms, concealed %.1f %%", stats->buffer_ms,
		stats->jitter_ms, stats->concealed_pct);
	if (stats->rtt_ms >= 0)
		command_say(run, "network   %.1f ms there and back", stats->rtt_ms);
	if (stats->mos > 0)
		command_say(run, "quality   mos %.1f", stats->mos);
}

static enum command_state run_stats(struct command_run *run)
{
	uint64_t now = desk_wall(run->desk); /* which may have been set back */
	struct desk_call *call;
	char room[64];
	struct text lasts = TEXT_IN(room);

	if (!pick_talking(&call, run, 0))
		return COMMAND_FAILED;

	words_put_duration(
		&lasts, now > call->answered_ns ? (double)(now - call->answered_ns) / NS_PER_S : 0);
	command_say(run, "call #%u  %s, %s %g kHz", call->number, room, call->codec,
		call->rate_hz / 1000.0);
	if (call->has_stats)
		say_figures(run, &call->stats);
	else
		command_say(run, "figures come with the first seconds");
	return COMMAND_DONE;
}

const struct command command_stats = {
	.name = "stats",
	.group = COMMAND_LOOKING,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "how a call's sound fares",
	.about = "Packets, loss, the jitter buffer, and the quality that they let expect.",
	.examples = {"stats", "stats 2"},
	.run = run_stats,
};
