#include "audio/open.h"

#include "audio/device_sink.h"
#include "audio/device_source.h"
#include "audio/file_sink.h"
#include "audio/file_source.h"
#include "audio/nothing.h"
#include "audio/pipe_sink.h"
#include "audio/pipe_source.h"
#include "audio/portaudio.h"
#include "audio/sound_file.h"
#include "audio/tone.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>

enum {
	TONE_HZ_MAX = 23999, /* below half of the highest rate of a stream */
	SHOWN = 120,
};

enum {
	TRAIT_ENDS = 1, /* it may be over before the call is */
	TRAIT_PIPE = 2, /* its samples have the rate of pipes */
};

struct kind {
	const char *name;
	const char *form; /* how it is written; without a colon it takes nothing */
	const char *needs;
	int (*check)(struct slice arg, struct fault *why); /* NULL: nothing to see to */
	int (*open_source)(struct source **out, const struct audio_setup *setup, struct slice arg,
		struct fault *why);
	int (*open_sink)(struct sink **out, const struct audio_setup *setup, struct slice arg,
		struct fault *why);
	unsigned traits;
};

/* What the system wants to have as a string, to be freed. */
static int take_string(char **out, struct slice arg, const char *what, struct fault *why)
{
	if (slice_find(arg, '\0') < arg.len)
		return fault_set(why, -EINVAL, "a %s cannot hold a NUL", what);

	*out = slice_copy(arg);
	return *out ? 0 : fault_set(why, -ENOMEM, "too little memory for a %s", what);
}

static int take_path(char **out, struct slice arg, struct fault *why)
{
	return take_string(out, arg, "file's name", why);
}

static int take_command(char **out, struct slice arg, struct fault *why)
{
	return take_string(out, arg, "command", why);
}

static int source_file_check(struct slice arg, struct fault *why)
{
	char *path;
	int err;

	err = take_path(&path, arg, why);
	if (err)
		return err;

	err = file_source_check(path, why);
	free(path);
	return err;
}

static int source_file_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char *path;
	int err;

	err = take_path(&path, arg, why);
	if (err)
		return err;

	err = file_source_open(out, setup->loop, path, setup->rate, why);
	free(path);
	return err;
}

static int read_hz(uint32_t *out, struct slice arg, struct fault *why)
{
	uint64_t hz;

	if (slice_number(&hz, arg, TONE_HZ_MAX) || hz < TONE_HZ_MIN)
		return fault_set(why, -EINVAL, "a tone has from %d to %d Hz, as in tone:440",
			TONE_HZ_MIN, TONE_HZ_MAX);

	*out = (uint32_t)hz;
	return 0;
}

static int tone_check(struct slice arg, struct fault *why)
{
	uint32_t hz = 0;

	return read_hz(&hz, arg, why);
}

static int tone_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	uint32_t hz = 0;
	int err;

	err = read_hz(&hz, arg, why);
	if (err)
		return err;

	err = tone_new(out, hz, setup->rate);
	if (err == -EINVAL)
		return fault_set(why, err, "tone:%u: at %u Hz there are no tones above %u Hz", hz,
			setup->rate, setup->rate / 2 - 1);
	return err ? fault_set(why, err, "too little memory for a tone") : 0;
}

/* A name as a device's maker wants it: empty for the default one. */
static int take_name(char out[static DEVICE_NAME_SIZE], struct slice arg, struct fault *why)
{
	if (arg.len >= DEVICE_NAME_SIZE || slice_find(arg, '\0') < arg.len)
		return fault_set(why, -EINVAL, "a device's name is not that long, nor holds a NUL");

	if (arg.len > 0)
		memcpy(out, arg.data, arg.len);
	out[arg.len] = '\0';
	return 0;
}

static int device_check(enum port_way way, struct slice arg, struct fault *why)
{
	char name[DEVICE_NAME_SIZE];
	int err;

	err = take_name(name, arg, why);
	return err ? err : portaudio.check(&portaudio, way, name, why);
}

static int microphone_check(struct slice arg, struct fault *why)
{
	return device_check(PORT_IN, arg, why);
}

static int loudspeaker_check(struct slice arg, struct fault *why)
{
	return device_check(PORT_OUT, arg, why);
}

static const struct device_maker *maker_of(const struct audio_setup *setup)
{
	return setup->devices ? setup->devices : &portaudio;
}

static int microphone_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char name[DEVICE_NAME_SIZE];
	int err;

	err = take_name(name, arg, why);
	return err ? err : device_source_open(out, setup, maker_of(setup), name, why);
}

static int loudspeaker_open(
	struct sink **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char name[DEVICE_NAME_SIZE];
	int err;

	err = take_name(name, arg, why);
	return err ? err : device_sink_open(out, setup, maker_of(setup), name, why);
}

static int silence_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	int err = silence_new(out);

	(void)setup;
	(void)arg;
	return err ? fault_set(why, err, "too little memory for silence") : 0;
}

static int sink_file_check(struct slice arg, struct fault *why)
{
	char *path;
	int err;

	err = take_path(&path, arg, why);
	if (err)
		return err;

	err = sound_file_check(path, why);
	free(path);
	return err;
}

static int sink_file_open(
	struct sink **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char *path;
	int err;

	err = take_path(&path, arg, why);
	if (err)
		return err;

	err = file_sink_open(out, setup->loop, path, setup->rate, why);
	free(path);
	return err;
}

static int stdin_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	(void)arg;
	return pipe_source_open(out, setup, NULL, why);
}

static int stdout_open(
	struct sink **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	(void)arg;
	return pipe_sink_open(out, setup, NULL, why);
}

static int command_check(struct slice arg, struct fault *why)
{
	char *line;
	int err;

	err = take_command(&line, arg, why);
	if (err)
		return err;

	free(line);
	return 0;
}

static int source_command_open(
	struct source **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char *line;
	int err;

	err = take_command(&line, arg, why);
	if (err)
		return err;

	err = pipe_source_open(out, setup, line, why);
	free(line);
	return err;
}

static int sink_command_open(
	struct sink **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	char *line;
	int err;

	err = take_command(&line, arg, why);
	if (err)
		return err;

	err = pipe_sink_open(out, setup, line, why);
	free(line);
	return err;
}

static int null_open(
	struct sink **out, const struct audio_setup *setup, struct slice arg, struct fault *why)
{
	int err = null_new(out, setup->loop);

	(void)arg;
	return err ? fault_set(why, err, "too little memory for a sink") : 0;
}

static const struct kind source_kinds[] = {
	{"default", "default", NULL, NULL, microphone_open, NULL, 0},
	{"device", "device:NAME", "a name", microphone_check, microphone_open, NULL, 0},
	{"file", "file:PATH", "a path", source_file_check, source_file_open, NULL, TRAIT_ENDS},
	{"tone", "tone:HZ", "a frequency", tone_check, tone_open, NULL, 0},
	{"silence", "silence", NULL, NULL, silence_open, NULL, 0},
	{"loop", "loop", NULL, NULL, NULL, NULL, 0},
	{"stdin", "stdin", NULL, NULL, stdin_open, NULL, TRAIT_ENDS | TRAIT_PIPE},
	{"exec", "exec:CMD", "a command", command_check, source_command_open, NULL,
		TRAIT_ENDS | TRAIT_PIPE},
};

static const struct kind sink_kinds[] = {
	{"default", "default", NULL, NULL, NULL, loudspeaker_open, 0},
	{"device", "device:NAME", "a name", loudspeaker_check, NULL, loudspeaker_open, 0},
	{"file", "file:PATH", "a path", sink_file_check, NULL, sink_file_open, 0},
	{"null", "null", NULL, NULL, NULL, null_open, 0},
	{"stdout", "stdout", NULL, NULL, NULL, stdout_open, TRAIT_PIPE},
	{"exec", "exec:CMD", "a command", command_check, NULL, sink_command_open, TRAIT_PIPE},
};

static const struct kinds {
	const char *what;
	const struct kind *rows;
	size_t count;
} sources = {"source", source_kinds, sizeof(source_kinds) / sizeof(source_kinds[0])},
  sinks = {"sink", sink_kinds, sizeof(sink_kinds) / sizeof(sink_kinds[0])};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static const char *kind_name_at(const void *arg, size_t i)
{
	const struct kinds *kinds = arg;

	return kinds->rows[i].name;
}

static const struct kind *kind_find(const struct kinds *kinds, struct slice name)
{
	for (size_t i = 0; i < kinds->count; i++)
		if (slice_is(name, kinds->rows[i].name))
			return &kinds->rows[i];
	return NULL;
}

static int fault_unknown(
	struct fault *why, const struct kinds *kinds, struct slice name, bool colon)
{
	const char *name_near = nearest_name(name, kinds->count, kind_name_at, kinds);
	const struct kind *near = name_near ? kind_find(kinds, slice_of(name_near)) : NULL;
	char room[FAULT_SIZE];
	struct text words = TEXT_IN(room);
	struct slice shown = {name.data, least(name.len, SHOWN)};

	text_printf(&words, "no %s ", kinds->what);
	text_put_escaped(&words, shown);
	text_puts(&words, shown.len < name.len ? "..." : "");
	if (near) {
		text_printf(&words, "; did you mean %s%s?", near->name, near->needs ? ":" : "");
	} else if (!colon &&
		   (slice_find(name, '/') < name.len || slice_find(name, '.') < name.len)) {
		text_puts(&words, "; for a file write file:");
		text_put_escaped(&words, shown);
		text_puts(&words, shown.len < name.len ? "..." : "");
	} else {
		text_puts(&words, "; there are");
		for (size_t i = 0; i < kinds->count; i++)
			text_printf(&words, "%s %s", i > 0 ? "," : "", kinds->rows[i].form);
	}
	return fault_set(why, -EINVAL, "%s", words.data);
}

static int parse(const struct kind **out, struct slice *arg, const struct kinds *kinds,
	struct slice spec, struct fault *why)
{
	const struct kind *kind;
	struct slice name;
	bool colon;

	*arg = spec;
	colon = slice_cut(&name, arg, ':');
	if (name.len == 0)
		return fault_set(why, -EINVAL, "a %s has no name", kinds->what);

	kind = kind_find(kinds, name);
	if (!kind)
		return fault_unknown(why, kinds, name, colon);
	if (!kind->needs && colon)
		return fault_set(
			why, -EINVAL, "%s %s takes nothing after it", kinds->what, kind->name);
	if (kind->needs && (!colon || arg->len == 0))
		return fault_set(why, -EINVAL, "%s %s needs %s: %s", kinds->what, kind->name,
			kind->needs, kind->form);

	*out = kind;
	return 0;
}

static bool has_trait(const struct kinds *kinds, struct slice spec, unsigned trait)
{
	const struct kind *kind;
	struct slice arg;

	return parse(&kind, &arg, kinds, spec, NULL) == 0 && kind->traits & trait;
}

bool audio_source_ends(struct slice spec)
{
	return has_trait(&sources, spec, TRAIT_ENDS);
}

bool audio_is_pipe(struct slice spec)
{
	return has_trait(&sources, spec, TRAIT_PIPE) || has_trait(&sinks, spec, TRAIT_PIPE);
}

static int check(const struct kinds *kinds, struct slice spec, struct fault *why)
{
	const struct kind *kind;
	struct slice arg;
	int err;

	err = parse(&kind, &arg, kinds, spec, why);
	if (err)
		return err;

	return kind->check ? kind->check(arg, why) : 0;
}

const char *audio_source_form(size_t i)
{
	return i < sources.count ? sources.rows[i].form : NULL;
}

const char *audio_sink_form(size_t i)
{
	return i < sinks.count ? sinks.rows[i].form : NULL;
}

int audio_source_check(struct slice spec, struct fault *why)
{
	return check(&sources, spec, why);
}

bool audio_source_is_loop(struct slice spec)
{
	return slice_is(spec, "loop");
}

bool audio_is_default(struct slice spec)
{
	return slice_is(spec, "default");
}

bool audio_sink_is_device(struct slice spec)
{
	struct slice kind;

	slice_cut(&kind, &spec, ':');
	return slice_is(kind, "default") || slice_is(kind, "device");
}

int audio_source_open(
	struct source **out, const struct audio_setup *setup, struct slice spec, struct fault *why)
{
	const struct kind *kind;
	struct slice arg;
	int err;

	err = parse(&kind, &arg, &sources, spec, why);
	if (err)
		return err;

	assert(kind->open_source);
	return kind->open_source(out, setup, arg, why);
}

int audio_sink_check(struct slice spec, struct fault *why)
{
	return check(&sinks, spec, why);
}

int audio_sink_open(
	struct sink **out, const struct audio_setup *setup, struct slice spec, struct fault *why)
{
	const struct kind *kind;
	struct slice arg;
	int err;

	err = parse(&kind, &arg, &sinks, spec, why);
	if (err)
		return err;

	return kind->open_sink(out, setup, arg, why);
}
