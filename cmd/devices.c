#include "cmd/devices.h"

#include "audio/open.h"
#include "audio/portaudio.h"

int devices_list(struct text *out, struct fault *why)
{
	return portaudio_list(out, why);
}

/* Who writes the default has left it to us, too. */
static bool is_left(const char *given)
{
	return !given || audio_is_default(slice_of(given));
}

bool devices_wanted(const struct options *options)
{
	return options->answer_code == 0 && (is_left(options->mic) || is_left(options->speaker));
}

static bool is_missing(const char *given, enum port_way way, struct fault *why)
{
	return is_left(given) && portaudio.check(&portaudio, way, "", why) != 0;
}

void devices_missing(struct text *out, const struct options *options)
{
	struct fault mic_why, speaker_why;
	bool mic = is_missing(options->mic, PORT_IN, &mic_why);
	bool speaker = is_missing(options->speaker, PORT_OUT, &speaker_why);

	if (!mic && !speaker)
		return;

	if (mic && speaker && strcmp(mic_why.words, speaker_why.words) != 0)
		text_puts(out, "this machine has no sound device:");
	else
		text_printf(out, "%s:", mic ? mic_why.words : speaker_why.words);
	if (mic)
		text_printf(out, " silence is sent (--mic)%s", speaker ? "," : "");
	if (speaker)
		text_puts(out, " what comes is not heard (--speaker)");
}
