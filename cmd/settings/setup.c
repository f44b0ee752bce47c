#include "cmd/settings/setup.h"

#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

/* The login name, or of it what can stand in a URI as it is (RFC 3261, section 25.1: unreserved).
 */
static void take_user(struct setup *setup)
{
	const char *name = getenv("USER");
	struct text text = TEXT_IN(setup->user);

	for (; name && *name != '\0'; name++)
		if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			(*name >= '0' && *name <= '9') || strchr("-_.!~*'()", *name))
			text_putc(&text, *name);
	if (text.len == 0)
		text_puts(&text, "sipcall");
}

static void take_codecs(struct setup *setup, const struct options *options)
{
	size_t count = options->codec_count > 0 ? options->codec_count : codec_count();

	for (size_t i = 0; i < count; i++)
		setup->codecs[i] = options->codec_count > 0 ? options->codecs[i] : codec_at(i);
	setup->config.codecs = setup->codecs;
	setup->config.codec_count = count;
}

const char *setup_speaker(const struct options *options)
{
	return options->speaker ? options->speaker : "default";
}

/* Calls ring where somebody can take them: at the prompt, and where commands are run. */
static bool rings(const struct options *options)
{
	return options_mode(options) != OPTIONS_CALL && !options->answer;
}

void setup_make(struct setup *out, const struct options *options)
{
	out->config = (struct ua_config){
		.user_agent = "sipcall/" SIPCALL_VERSION,
		.user = out->user,
		.mic = options->mic ? options->mic : "default",
		.speaker = setup_speaker(options),
		.early = options->early_media,
		.pipe_rate = options->pipe_rate,
		.record = options->record,
		.volume = {.mic_db = options->mic_db, .speaker_db = options->speaker_db},
		.headers = {(const uint8_t *)options->headers, options->headers_len},
		.anonymous = options->anonymous ? UA_ANONYMOUS_ON : UA_ANONYMOUS_ACCOUNT,
		.late_offer = options->late_offer,
		.stun = options->stun,
		.tls = options->tls,
		.dscp_rtp = options->dscp_rtp,
		.policy =
			{
				.answer = options->answer && options->answer_code == 0,
				.answer_after_ns = options->answer_after_ns,
				.ring = rings(options),
				.hold_others = options_mode(options) == OPTIONS_PROMPT ||
					       options_mode(options) == OPTIONS_SERVICE,
				.reject_anonymous = options->reject_anonymous,
				.refuse_code = options->answer_code,
				.max_calls = options->max_calls,
				.duration_ns = options->duration_ns,
				.hangup_at_eof = options->hangup_at_eof,
				.ring_limit_ns = options->timeout_ns,
				.silence_ns = options->silence_ns,
			},
	};
	take_user(out);
	take_codecs(out, options);
}
