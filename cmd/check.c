#include "cmd/check.h"

#include "audio/open.h"
#include "audio/recorder.h"
#include "audio/wav_writer.h"
#include "cmd/columns.h"
#include "cmd/verdict.h"
#include "core/base/loop.h"
#include "core/ua/agent.h"

#include <unistd.h>

enum {
	SHOWN_MAX = 400, /* bytes of a target before and behind the caret */
	PATH_SIZE = 4096,
};

/* Whatever the target's length, what is shown goes around the place. */
void check_put_caret(struct text *out, struct slice target, size_t at)
{
	size_t start = at > SHOWN_MAX ? at - SHOWN_MAX : 0;
	size_t end = target.len - at > SHOWN_MAX ? at + SHOWN_MAX : target.len;
	char room[SHOWN_MAX * 4 + 1];
	struct text before = TEXT_IN(room);

	text_put_escaped(&before, (struct slice){target.data + start, at - start});
	text_printf(out, "  %s", room);
	text_put_escaped(out, (struct slice){target.data + at, end - at});
	text_printf(out, "\n  %*s^\n", (int)columns_count(text_slice(&before)), "");
}

static int check_target(struct text *out, const char *target)
{
	struct slice text = slice_of(target);
	struct fault why;
	size_t at = 0;

	if (agent_check_target(target, &why, &at) == 0)
		return VERDICT_DONE;

	text_printf(out, "sipcall: %s\n", why.words);
	check_put_caret(out, text, at < text.len ? at : text.len);
	return VERDICT_USAGE;
}

/* What is misspelt is the command line's fault, the rest the machine's. */
static int told(struct text *out, const char *option, int err, const struct fault *why)
{
	text_printf(out, "sipcall: --%s: %s\n", option, why->words);
	return err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL;
}

/* A name that is the same for each call, whenever it is and whoever calls. */
static bool is_fixed(const char *pattern, const char *name)
{
	char room[PATH_SIZE];
	struct text other = TEXT_IN(room);

	(void)audio_record_name(&other, slice_of(pattern), 2, 2 * NS_PER_S, slice_of("b"), NULL);
	return strcmp(room, name) == 0;
}

static int check_record(struct text *out, const char *pattern)
{
	char room[PATH_SIZE];
	struct text name = TEXT_IN(room);
	struct fault why;
	int err;

	err = audio_record_name(&name, slice_of(pattern), 1, NS_PER_S, slice_of("a"), &why);
	if (err)
		return told(out, "record", -EINVAL, &why);

	if (is_fixed(pattern, room) && access(room, F_OK) == 0)
		err = fault_set(&why, -EEXIST, "%s is there already and is not overwritten", room);
	else
		err = wav_writer_check(room, &why);
	return err ? told(out, "record", err, &why) : VERDICT_DONE;
}

int check_options(struct text *out, const struct options *options)
{
	struct fault why;
	int code = VERDICT_DONE;
	int err = 0;

	if (options->target)
		code = check_target(out, options->target);
	if (code == VERDICT_DONE && options->mic)
		err = audio_source_check(slice_of(options->mic), &why);
	if (err)
		return told(out, "mic", err, &why);
	if (code == VERDICT_DONE && options->speaker)
		err = audio_sink_check(slice_of(options->speaker), &why);
	if (err)
		return told(out, "speaker", err, &why);
	if (code == VERDICT_DONE && options->record)
		code = check_record(out, options->record);
	return code;
}
