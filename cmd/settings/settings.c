#include "cmd/settings/settings.h"

#include "audio/gain.h"
#include "audio/open.h"
#include "audio/recorder.h"
#include "cmd/command_line.h"
#include "codecs/codec.h"
#include "core/base/nearest.h"

#include <limits.h>
#include <stdlib.h>

struct setting {
	const char *name;
	const char *about;
	void (*show)(struct text *out, const struct ua_config *config);
	int (*set)(struct handset *handset, struct slice value, struct fault *why);
	int (*check)(struct slice value, struct fault *why); /* NULL: none that takes long */
};

static int no_memory(struct fault *why)
{
	return fault_set(why, -ENOMEM, "out of memory");
}

/* A string of the configuration. */
static int keep(const char **out, struct handset *handset, struct slice value, struct fault *why)
{
	const char *kept = desk_keep(handset->desk, value);

	if (!kept)
		return no_memory(why);

	*out = kept;
	return 0;
}

static void show_mic(struct text *out, const struct ua_config *config)
{
	text_put_escaped(out, slice_of(config->mic));
}

static int set_mic(struct handset *handset, struct slice value, struct fault *why)
{
	return keep(&handset->config.mic, handset, value, why);
}

static void show_speaker(struct text *out, const struct ua_config *config)
{
	text_put_escaped(out, slice_of(config->speaker));
}

static int set_speaker(struct handset *handset, struct slice value, struct fault *why)
{
	return keep(&handset->config.speaker, handset, value, why);
}

static void show_record(struct text *out, const struct ua_config *config)
{
	text_put_escaped(out, slice_of(config->record ? config->record : "off"));
}

static int set_record(struct handset *handset, struct slice value, struct fault *why)
{
	char room[PATH_MAX];
	struct text name = TEXT_IN(room);
	int err;

	if (slice_is(value, "off")) {
		handset->config.record = NULL;
		return 0;
	}
	err = audio_record_name(&name, value, 1, desk_wall(handset->desk), slice_of("a"), why);
	if (err)
		return err;
	return keep(&handset->config.record, handset, value, why);
}

static void show_codecs(struct text *out, const struct ua_config *config)
{
	for (size_t i = 0; i < config->codec_count; i++)
		text_printf(out, "%s%s", i > 0 ? "," : "", config->codecs[i]->key);
}

static int set_codecs(struct handset *handset, struct slice value, struct fault *why)
{
	const struct codec *codecs[CODEC_LIST_MAX] = {NULL};
	size_t count;
	struct slice kept = {(const uint8_t *)codecs, sizeof(codecs)};
	const void *list;
	int err;

	err = codec_list_parse(codecs, &count, value, why);
	if (err)
		return err;

	list = desk_keep(handset->desk, kept);
	if (!list)
		return no_memory(why);
	handset->config.codecs = list;
	handset->config.codec_count = count;
	return 0;
}

static void show_db(struct text *out, double db)
{
	text_printf(out, "%+g dB", db);
}

static void show_volume(struct text *out, const struct ua_config *config)
{
	show_db(out, config->volume.speaker_db);
}

static void show_mic_volume(struct text *out, const struct ua_config *config)
{
	show_db(out, config->volume.mic_db);
}

/* For the calls that go on, too. */
static void make_loud(struct handset *handset)
{
	const struct media_volume *volume = &handset->config.volume;

	list_each(link, &handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		(void)agent_volume(
			handset->agent, call->number, volume->mic_db, volume->speaker_db);
	}
}

static int set_db(double *db, struct handset *handset, struct slice text, struct fault *why)
{
	struct command_value value;
	int err = command_read(&value, ARG_DECIBELS, text, why);

	if (err)
		return err;
	if (value.real < GAIN_MIN_DB || value.real > GAIN_MAX_DB)
		return fault_set(why, -EINVAL, "%g to %g dB can be had", GAIN_MIN_DB, GAIN_MAX_DB);

	*db = value.real;
	make_loud(handset);
	return 0;
}

static int set_volume(struct handset *handset, struct slice value, struct fault *why)
{
	return set_db(&handset->config.volume.speaker_db, handset, value, why);
}

static int set_mic_volume(struct handset *handset, struct slice value, struct fault *why)
{
	return set_db(&handset->config.volume.mic_db, handset, value, why);
}

static void show_seconds(struct text *out, uint64_t ns)
{
	if (ns == 0)
		text_puts(out, "never");
	else
		text_printf(out, "%g s", (double)ns / NS_PER_S);
}

/* "never", too. */
static int set_seconds(uint64_t *ns, struct slice text, struct fault *why)
{
	struct command_value value = {.ns = 0};
	int err = 0;

	if (!slice_is(text, "never"))
		err = command_read(&value, ARG_DURATION, text, why);
	if (!err)
		*ns = value.ns;
	return err;
}

static void show_timeout(struct text *out, const struct ua_config *config)
{
	show_seconds(out, config->policy.ring_limit_ns);
}

static int set_timeout(struct handset *handset, struct slice value, struct fault *why)
{
	return set_seconds(&handset->config.policy.ring_limit_ns, value, why);
}

static void show_media_timeout(struct text *out, const struct ua_config *config)
{
	show_seconds(out, config->policy.silence_ns);
}

static int set_media_timeout(struct handset *handset, struct slice value, struct fault *why)
{
	return set_seconds(&handset->config.policy.silence_ns, value, why);
}

static void show_max_calls(struct text *out, const struct ua_config *config)
{
	if (config->policy.max_calls == 0)
		text_puts(out, "any");
	else
		text_printf(out, "%u", config->policy.max_calls);
}

static int set_max_calls(struct handset *handset, struct slice text, struct fault *why)
{
	struct command_value value = {.number = 0};
	int err = 0;

	if (!slice_is(text, "any"))
		err = command_read(&value, ARG_COUNT, text, why);
	if (!err)
		handset->config.policy.max_calls = value.number;
	return err;
}

static int set_switch(bool *on, struct slice value, struct fault *why)
{
	struct command_value read = {.number = 0};
	int err = command_read(&read, ARG_SWITCH, value, why);

	if (!err)
		*on = read.number == 1;
	return err;
}

static void show_reject_anonymous(struct text *out, const struct ua_config *config)
{
	text_puts(out, config->policy.reject_anonymous ? "on" : "off");
}

static int set_reject_anonymous(struct handset *handset, struct slice value, struct fault *why)
{
	return set_switch(&handset->config.policy.reject_anonymous, value, why);
}

static void show_anonymous(struct text *out, const struct ua_config *config)
{
	static const char *const words[] = {
		[UA_ANONYMOUS_ACCOUNT] = "account",
		[UA_ANONYMOUS_ON] = "on",
		[UA_ANONYMOUS_OFF] = "off",
	};

	text_puts(out, words[config->anonymous]);
}

/* "account", too. */
static int set_anonymous(struct handset *handset, struct slice value, struct fault *why)
{
	bool on = false;
	int err;

	if (slice_is(value, "account")) {
		handset->config.anonymous = UA_ANONYMOUS_ACCOUNT;
		return 0;
	}
	err = set_switch(&on, value, why);
	if (!err)
		handset->config.anonymous = on ? UA_ANONYMOUS_ON : UA_ANONYMOUS_OFF;
	return err;
}

static const struct setting table[] = {
	{"mic", "later calls", show_mic, set_mic, audio_source_check},
	{"speaker", "later calls", show_speaker, set_speaker, audio_sink_check},
	{"volume", "all calls", show_volume, set_volume, NULL},
	{"mic-volume", "all calls", show_mic_volume, set_mic_volume, NULL},
	{"codecs", "later calls", show_codecs, set_codecs, NULL},
	{"record", "later calls; off: none", show_record, set_record, NULL},
	{"timeout", "later calls; never: they ring on", show_timeout, set_timeout, NULL},
	{"media-timeout", "later calls; never: without RTP, too", show_media_timeout,
		set_media_timeout, NULL},
	{"max-calls", "at once; any: no limit", show_max_calls, set_max_calls, NULL},
	{"anonymous", "later calls; account: as its key says", show_anonymous, set_anonymous, NULL},
	{"reject-anonymous", "calls that come", show_reject_anonymous, set_reject_anonymous, NULL},
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

const struct setting *setting_at(size_t i)
{
	return i < COUNT ? &table[i] : NULL;
}

const char *setting_name(const struct setting *setting)
{
	return setting->name;
}

const char *setting_about(const struct setting *setting)
{
	return setting->about;
}

const struct setting *setting_find(struct slice name)
{
	size_t i = 0;

	while (i < COUNT && !slice_is(name, table[i].name))
		i++;
	return setting_at(i);
}

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return table[i].name;
}

const char *setting_nearest(struct slice name)
{
	return nearest_name(name, COUNT, name_at, NULL);
}

void setting_show(struct text *out, const struct setting *setting, const struct handset *handset)
{
	setting->show(out, &handset->config);
}

bool setting_is_slow(const struct setting *setting)
{
	return setting->check;
}

int setting_check(const struct setting *setting, struct slice value, struct fault *why)
{
	return setting->check ? setting->check(value, why) : 0;
}

int setting_set(const struct setting *setting, struct handset *handset, struct slice value,
	struct fault *why)
{
	int err = setting->set(handset, value, why);

	if (!err)
		desk_configure(handset);
	return err;
}
