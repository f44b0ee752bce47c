#include "cmd/check.h"

#include "audio/file_source.h"
#include "audio/open.h"
#include "audio/recorder.h"
#include "audio/sound_file.h"
#include "cmd/columns.h"
#include "cmd/readers/verdict.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/ua/agent.h"

#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SHOWN_MAX = 60, /* bytes of a target before and behind the caret */
	PATH_SIZE = 4096,
};

static const char ellipsis[] = "...";

/* Whether byte continues a character of UTF-8. */
static bool is_inside(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Whatever the target's length, what is shown goes around the place. */
void check_put_caret(struct text *out, struct slice target, size_t at)
{
	size_t start = at > SHOWN_MAX ? at - SHOWN_MAX : 0;
	size_t end = target.len - at > SHOWN_MAX ? at + SHOWN_MAX : target.len;
	char room[SHOWN_MAX * 4 + sizeof(ellipsis)];
	struct text before = TEXT_IN(room);

	while (start > 0 && start < at && is_inside(target.data[start]))
		start++;
	while (end < target.len && end > at && is_inside(target.data[end]))
		end--;
	text_puts(&before, start > 0 ? ellipsis : "");
	text_put_escaped(&before, (struct slice){target.data + start, at - start});
	text_printf(out, "  %s", room);
	text_put_escaped(out, (struct slice){target.data + at, end - at});
	text_printf(out, "%s\n  %*s^\n", end < target.len ? ellipsis : "",
		(int)columns_count(text_slice(&before)), "");
}

static int check_target(struct text *out, const char *target, bool account)
{
	struct slice text = slice_of(target);
	struct fault why;
	size_t at = 0;

	if (agent_check_target(target, account, &why, &at) == 0)
		return VERDICT_DONE;

	text_printf(out, "sipcall: %s\n", why.words);
	if (text.len > 0)
		check_put_caret(out, text, at < text.len ? at : text.len);
	return VERDICT_USAGE;
}

/* What is misspelt is the command line's fault, the rest the machine's. */
static int told(struct text *out, const char *option, int err, const struct fault *why)
{
	text_printf(out, "sipcall: --%s: %s\n", option, why->words);
	return err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL;
}

/* The path in "file:PATH", or NULL. */
static const char *file_of(const char *spec)
{
	static const char scheme[] = "file:";

	if (!spec || strncmp(spec, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	return spec + sizeof(scheme) - 1;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Of two that are not there: whether they would be one file. */
static bool same_place(const char *a, const char *b)
{
	char *copies[] = {slice_copy(slice_of(a)), slice_copy(slice_of(b)), slice_copy(slice_of(a)),
		slice_copy(slice_of(b))};
	struct stat about_a, about_b;
	bool same = false;

	if (copies[0] && copies[1] && copies[2] && copies[3])
		same = stat(dirname(copies[0]), &about_a) == 0 &&
		       stat(dirname(copies[1]), &about_b) == 0 && same_inode(&about_a, &about_b) &&
		       strcmp(basename(copies[2]), basename(copies[3])) == 0;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
		free(copies[i]);
	return same;
}

/* Either may be NULL. */
static bool same_file(const char *a, const char *b)
{
	struct stat about_a, about_b;
	bool there_a, there_b;

	if (!a || !b)
		return false;

	there_a = stat(a, &about_a) == 0;
	there_b = stat(b, &about_b) == 0;
	if (there_a && there_b)
		return same_inode(&about_a, &about_b);
	return !there_a && !there_b && same_place(a, b);
}

/* What is written would destroy what is read, or what is written there too. */
static int check_same(struct text *out, const struct options *options, const char *record)
{
	const char *mic = file_of(options->mic);
	const char *speaker = file_of(options->speaker);
	const struct {
		const char *option, *path;
		const char *other_option, *other_path;
	} rows[] = {
		{"speaker", speaker, "mic", mic},
		{"record", record, "mic", mic},
		{"record", record, "speaker", speaker},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (same_file(rows[i].path, rows[i].other_path)) {
			text_printf(out, "sipcall: --%s: ", rows[i].option);
			words_put(out, slice_of(rows[i].path));
			text_printf(out, " is the file of --%s too; choose another name\n",
				rows[i].other_option);
			return VERDICT_USAGE;
		}
	return VERDICT_DONE;
}

static int name_of(
	struct text *out, const char *pattern, unsigned number, uint64_t wall_ns, struct fault *why)
{
	return audio_record_name(out, slice_of(pattern), number, wall_ns, slice_of("a"), why);
}

/* A name that is the same for each call, whenever it is. */
static bool is_fixed(const char *pattern, const char *name)
{
	char room[PATH_SIZE];
	struct text other = TEXT_IN(room);

	(void)name_of(&other, pattern, 2, 2 * NS_PER_S, NULL);
	return strcmp(room, name) == 0;
}

static bool is(const char *spec, const char *name)
{
	return spec && strcmp(spec, name) == 0;
}

/* What is typed or shown at a terminal is no sound; and options that nothing here asks for. */
static int check_pipes(struct text *out, const struct options *options)
{
	bool ends = options->mic && audio_source_ends(slice_of(options->mic));
	bool pipes = (options->mic && audio_is_pipe(slice_of(options->mic))) ||
		     (options->speaker && audio_is_pipe(slice_of(options->speaker)));
	const char *words = NULL;

	if (is(options->mic, "stdin") && isatty(STDIN_FILENO))
		words = "--mic: standard input is a terminal; sound comes through a pipe or from a "
			"file";
	else if (is(options->speaker, "stdout") && isatty(STDOUT_FILENO))
		words = "--speaker: standard output is a terminal; sound goes into a pipe or a "
			"file";
	else if (options->hangup_at_eof && !ends)
		words = "--hangup-at-eof goes with a --mic that ends: file:PATH, stdin or exec:CMD";
	else if (options->pipe_rate > 0 && !pipes)
		words = "--pipe-rate goes with stdin, stdout or exec:CMD only";
	if (!words)
		return VERDICT_DONE;

	text_printf(out, "sipcall: %s\n", words);
	return VERDICT_USAGE;
}

/* What many calls would write over or into each other, or take from each other. */
static int check_many(struct text *out, const struct options *options, const char *record)
{
	const char *words = NULL;

	if (!options->answer || options->answer_code > 0 || options->calls == 1)
		return VERDICT_DONE;

	if (record && is_fixed(options->record, record))
		words = "--record: each call needs a file of its own; use %n in its name, or -n 1";
	else if (file_of(options->speaker) && options->max_calls != 1)
		words = "--speaker: several calls at once do not go into one file; add -n 1 or "
			"--max-calls 1";
	else if (is(options->speaker, "stdout") && options->max_calls != 1)
		words = "--speaker: several calls at once do not go into one standard output; add "
			"-n 1 or --max-calls 1";
	else if (is(options->mic, "stdin") && options->max_calls != 1)
		words = "--mic: several calls at once cannot share one standard input; add -n 1 or "
			"--max-calls 1";
	if (!words)
		return VERDICT_DONE;

	text_printf(out, "sipcall: %s\n", words);
	return VERDICT_USAGE;
}

/* A name that has the far end's in it is not known before the call. */
static bool is_known(const char *pattern, const char *name)
{
	char room[PATH_SIZE];
	struct text other = TEXT_IN(room);

	(void)audio_record_name(&other, slice_of(pattern), 2, 2 * NS_PER_S, slice_of("b"), NULL);
	return strcmp(room, name) == 0;
}

/* name: of the first call. */
static int check_record(struct text *out, const char *pattern, const char *name)
{
	struct fault why;
	int err;

	if (is_known(pattern, name) && access(name, F_OK) == 0) {
		text_puts(out, "sipcall: --record: ");
		words_put(out, slice_of(name));
		text_puts(out, " is there already and is not overwritten\n");
		return VERDICT_LOCAL;
	}
	err = sound_file_check(name, &why);
	return err ? told(out, "record", err, &why) : VERDICT_DONE;
}

/* Where it all goes. */
static int check_files(struct text *out, const struct options *options)
{
	char room[PATH_SIZE];
	struct text name = TEXT_IN(room);
	const char *record = NULL;
	struct fault why;
	int code;

	if (options->record) {
		if (name_of(&name, options->record, 1, NS_PER_S, &why))
			return told(out, "record", -EINVAL, &why);
		record = room;
	}
	code = check_pipes(out, options);
	if (code == VERDICT_DONE)
		code = check_same(out, options, record);
	if (code == VERDICT_DONE)
		code = check_many(out, options, record);
	if (code == VERDICT_DONE && record)
		code = check_record(out, options->record, record);
	return code;
}

/* A person does not sit before a file. */
static int check_ring_device(struct text *out, const char *spec)
{
	struct fault why;
	int err;

	err = audio_sink_check(slice_of(spec), &why);
	if (!err && !audio_sink_is_device(slice_of(spec)))
		err = fault_set(&why, -EINVAL, "calls ring at default or device:NAME only");
	return err ? told(out, "ring-device", err, &why) : VERDICT_DONE;
}

static int check_tone(struct text *out, const struct options *options, const char *option,
	enum ringer_sound sound)
{
	bool rings = sound == RINGER_RING && options->ring_device;
	const char *file = options->tones[sound];
	struct fault why;
	int err = 0;

	if (!file)
		return VERDICT_DONE;

	if (!rings && options->speaker && !audio_sink_is_device(slice_of(options->speaker)))
		err = fault_set(
			&why, -EINVAL, "there are no tones where --speaker is no sound device");
	else if (strcmp(file, RINGER_NONE) != 0)
		err = file_source_check(file, &why);
	return err ? told(out, option, err, &why) : VERDICT_DONE;
}

static int check_tones(struct text *out, const struct options *options)
{
	static const struct {
		const char *option;
		enum ringer_sound sound;
	} rows[] = {
		{"ringback-tone", RINGER_RINGBACK},
		{"busy-tone", RINGER_BUSY},
		{"failure-tone", RINGER_FAILURE},
		{"ring-tone", RINGER_RING},
		{"waiting-tone", RINGER_WAITING},
	};
	int code = VERDICT_DONE;

	if (options->ring_device)
		code = check_ring_device(out, options->ring_device);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == VERDICT_DONE; i++)
		code = check_tone(out, options, rows[i].option, rows[i].sound);
	return code;
}

int check_options(struct text *out, const struct options *options)
{
	struct fault why;
	int code = VERDICT_DONE;
	int err = 0;

	if (options->target)
		code = check_target(out, options->target, options->known);
	if (code == VERDICT_DONE && options->mic)
		err = audio_source_check(slice_of(options->mic), &why);
	if (err)
		return told(out, "mic", err, &why);
	if (code == VERDICT_DONE && options->early_media)
		err = audio_source_check(slice_of(options->early_media), &why);
	if (err)
		return told(out, "early-media", err, &why);
	if (code == VERDICT_DONE && options->speaker)
		err = audio_sink_check(slice_of(options->speaker), &why);
	if (err)
		return told(out, "speaker", err, &why);
	if (code == VERDICT_DONE)
		code = check_tones(out, options);
	return code == VERDICT_DONE ? check_files(out, options) : code;
}
