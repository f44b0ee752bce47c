#include "cmd/settings/config_private.h"

#include "audio/file_source.h"
#include "audio/open.h"
#include "audio/recorder.h"
#include "audio/sound_file.h"
#include "cmd/settings/options_private.h"
#include "cmd/settings/places.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	NAME_SIZE = CONFIG_KEY_SIZE, /* of an option */
	PATH_SIZE = 4096,
};

static const char file_scheme[] = "file:";

/* Whether a device or a file is there is asked only if all is to be known: it takes a while, and
 * this call may use another. */
static bool is_for_later(const char *value, bool all)
{
	size_t len = sizeof(file_scheme) - 1;

	return !all && (audio_sink_is_device(slice_of(value)) ||
			       (strncmp(value, file_scheme, len) == 0 && value[len] != '\0'));
}

static int check_mic(const char *value, bool all, struct fault *why)
{
	if (is_for_later(value, all))
		return 0;
	return audio_source_check(slice_of(value), why);
}

static int check_speaker(const char *value, bool all, struct fault *why)
{
	if (is_for_later(value, all))
		return 0;
	return audio_sink_check(slice_of(value), why);
}

static int check_ring_device(const char *value, bool all, struct fault *why)
{
	int err = check_speaker(value, all, why);

	if (!err && !audio_sink_is_device(slice_of(value)))
		return fault_set(why, -EINVAL, "calls ring at default or device:NAME only");
	return err;
}

static int check_tone(const char *value, bool all, struct fault *why)
{
	if (!all || strcmp(value, RINGER_NONE) == 0)
		return 0;
	return file_source_check(value, why);
}

static int name_record(struct text *out, const char *pattern, uint64_t wall_ns, struct fault *why)
{
	return audio_record_name(out, slice_of(pattern), 1, wall_ns, slice_of("a"), why);
}

/* What is recorded today must not be in the way tomorrow. */
static int check_record(const char *value, bool all, struct fault *why)
{
	char rooms[2][PATH_SIZE];
	struct text today = TEXT_IN(rooms[0]), tomorrow = TEXT_IN(rooms[1]);
	int err;

	err = name_record(&today, value, 0, why);
	if (!err)
		err = name_record(&tomorrow, value, NS_PER_S, why);
	if (!err && strcmp(rooms[0], rooms[1]) == 0)
		return fault_set(why, -EINVAL,
			"each call needs a file of its own, in each run: use %%t in its name");
	return !err && all ? sound_file_check(rooms[0], why) : err;
}

static int check_readable(const char *value, bool all, struct fault *why)
{
	(void)all;
	if (access(value, R_OK) == 0)
		return 0;
	return fault_set(why, -errno, "%s cannot be read: %s", value, strerror(errno));
}

static bool uses_pipe(const struct options *options)
{
	return (options->mic && audio_is_pipe(slice_of(options->mic))) ||
	       (options->speaker && audio_is_pipe(slice_of(options->speaker)));
}

static bool is_real(const struct options *options)
{
	return !options->in_virtual;
}

static bool has_speaker(const struct options *options)
{
	return !options->speaker || audio_sink_is_device(slice_of(options->speaker));
}

/* What takes one call, or runs commands, takes any port, so that a second one can run beside it. */
static bool waits(const struct options *options)
{
	enum options_mode mode = options_mode(options);

	return mode == OPTIONS_ANSWER || mode == OPTIONS_PROMPT || mode == OPTIONS_SERVICE;
}

static bool takes_calls(const struct options *options)
{
	return options_mode(options) != OPTIONS_CALL && options->answer_code == 0;
}

static bool calls(const struct options *options)
{
	return options_mode(options) != OPTIONS_ANSWER;
}

static bool rings(const struct options *options)
{
	return takes_calls(options) && !(options->answer && options->answer_after_ns == 0);
}

static bool rings_loud(const struct options *options)
{
	return rings(options) && (options->ring_device || has_speaker(options));
}

static bool calls_loud(const struct options *options)
{
	return calls(options) && has_speaker(options);
}

static bool talks(const struct options *options)
{
	return options->answer_code == 0;
}

/* Each after those that its applies looks at. */
/* clang-format off */
static const struct config_key settings[] = {
	{"timeout",       NULL,              calls,       false, false},
	{"media_timeout", NULL,              talks,       false, false},
	{"max_calls",     NULL,              takes_calls, false, false},
	{"reject_anonymous", NULL,           takes_calls, false, false},
	{"anonymous",     NULL,              calls,       false, false},
	{"mic",           check_mic,         NULL,        false, true},
	{"speaker",       check_speaker,     NULL,        false, true},
	{"pipe_rate",     NULL,              uses_pipe,   false, false},
	{"record",        check_record,      talks,       false, true},
	{"volume",        NULL,              NULL,        false, false},
	{"mic_volume",    NULL,              NULL,        false, false},
	{"codecs",        NULL,              NULL,        false, false},
	{"country",       NULL,              NULL,        false, false},
	{"ringback_tone", check_tone,        calls_loud,  false, true},
	{"busy_tone",     check_tone,        calls_loud,  false, true},
	{"failure_tone",  check_tone,        calls_loud,  false, true},
	{"early_media",   check_mic,         rings,       false, true},
	{"ring_device",   check_ring_device, rings,       false, false},
	{"ring_tone",     check_tone,        rings_loud,  false, true},
	{"waiting_tone",  check_tone,        rings_loud,  false, true},
	{"listen",        NULL,              waits,       true,  false},
	{"dns_server",    NULL,              is_real,     true,  false},
	{"stun_server",   NULL,              NULL,        false, false},
	{"dscp_sip",      NULL,              is_real,     false, false},
	{"dscp_rtp",      NULL,              is_real,     false, false},
	{"tls_ca_file",   check_readable,    NULL,        false, true},
	{"tls_certificate", check_readable,  NULL,        false, true},
	{"tls_key",       check_readable,    NULL,        false, true},
};
/* clang-format on */

enum { COUNT = sizeof(settings) / sizeof(settings[0]) };

const struct config_key *config_key_at(size_t i)
{
	return i < COUNT ? &settings[i] : NULL;
}

/* In a file it says more of what it is than among options that stand together. */
static const char stun_key[] = "stun_server", stun_option[] = "stun";

static const char *option_of(char room[static NAME_SIZE], const struct config_key *setting)
{
	struct text text = text_in(room, NAME_SIZE);

	if (strcmp(setting->key, stun_key) == 0)
		return stun_option;
	for (const char *at = setting->key; *at != '\0'; at++)
		text_putc(&text, *at == '_' ? '-' : *at);
	assert(!text.cut);
	return room;
}

static int set(
	struct options *out, const struct config_key *setting, const char *value, struct fault *why)
{
	char room[NAME_SIZE];
	const char *name = option_of(room, setting);

	if (option_find(name)->value)
		return options_set(out, name, value, setting->key, why);
	if (strcmp(value, "yes") == 0)
		return options_set(out, name, NULL, setting->key, why);
	if (strcmp(value, "no") != 0)
		return fault_set(why, -EINVAL, "%s: yes or no", setting->key);
	return 0;
}

int config_key_check(const struct config_key *setting, const char *value, bool all,
	struct options *scratch, struct fault *why)
{
	struct fault about;
	int err;

	err = set(scratch, setting, value, why);
	if (err)
		return err;
	if (setting->check)
		err = setting->check(value, all, &about);
	if (err == -EINVAL || (err && all))
		return fault_set(why, -EINVAL, "%s: %s", setting->key, about.words);
	return 0;
}

/* "file:~/a.wav", "~/a.wav": cuts both before and behind the sign. */
static bool cut_home(struct slice *before, struct slice *behind, struct slice value)
{
	size_t scheme = slice_starts_nocase(value, file_scheme) ? sizeof(file_scheme) - 1 : 0;
	bool found;

	*behind = value;
	(void)slice_take(before, behind, scheme);
	found = slice_starts_nocase(*behind, "~/");
	if (found) {
		behind->data++;
		behind->len--;
	}
	return found;
}

char *config_key_copy(const struct config_key *setting, struct slice value)
{
	char room[PLACES_PATH_SIZE];
	struct text home = TEXT_IN(room);
	struct slice before, behind;
	struct text text;
	size_t size;
	char *copy;

	if (!setting->path || !cut_home(&before, &behind, value) || places_home(&home))
		return slice_copy(value);

	size = before.len + home.len + behind.len + 1;
	copy = calloc(1, size);
	if (!copy)
		return NULL;
	text = text_in(copy, size);
	text_put(&text, before);
	text_put(&text, text_slice(&home));
	text_put(&text, behind);
	return copy;
}

void config_values_apply(const struct list *values, struct options *options)
{
	for (size_t i = 0; i < COUNT; i++) {
		const struct config_key *setting = &settings[i];
		char name[NAME_SIZE];

		if (options_given(options, option_of(name, setting)) ||
			(setting->applies && !setting->applies(options)))
			continue;
		list_each(link, values)
		{
			struct config_value *value = container_of(link, struct config_value, link);
			int err = 0;

			if (value->setting == setting)
				err = set(options, setting, value->value, NULL);
			assert(!err); /* it was checked when it was read */
		}
	}
}
