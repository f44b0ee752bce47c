#include "tests/sim/play.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	SHARE_DIGITS = 4, /* behind the point of a percentage, as parts in a million have */
	WORDS_MAX = 40,
};

char play_name(unsigned phone)
{
	return (char)('a' + phone);
}

/* How a setting is written behind its name. */
enum kind {
	FLAG,
	TIME,
	SHARE,
	COUNT,
	CODE, /* a final response that is no 2xx */
	MIC,
	SPREAD, /* has no name of its own */
};

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
};

static const struct setting world_settings[] = {
	{"timers", TIME, offsetof(struct world_config, timer_late_ns)},
	{"posts", TIME, offsetof(struct world_config, post_late_ns)},
	{"work", TIME, offsetof(struct world_config, work_late_ns)},
	{"way", TIME, offsetof(struct world_config, way_ns)},
	{0},
};

static const struct setting net_settings[] = {
	{"loss", SHARE, offsetof(struct impair_config, loss)},
	{"burst-begins", SHARE, offsetof(struct impair_config, burst_begins)},
	{"burst-ends", SHARE, offsetof(struct impair_config, burst_ends)},
	{"burst-loss", SHARE, offsetof(struct impair_config, burst_loss)},
	{"delay", TIME, offsetof(struct impair_config, delay_ns)},
	{"jitter", TIME, offsetof(struct impair_config, jitter_ns)},
	{"normal", SPREAD, IMPAIR_NORMAL},
	{"exponential", SPREAD, IMPAIR_EXPONENTIAL},
	{"reorders", FLAG, offsetof(struct impair_config, reorders)},
	{"duplicates", SHARE, offsetof(struct impair_config, duplicates)},
	{"corrupts", SHARE, offsetof(struct impair_config, corrupts)},
	{"rate", COUNT, offsetof(struct impair_config, rate_bps)},
	{"queue", COUNT, offsetof(struct impair_config, queue_bytes)},
	{0},
};

static const struct setting phone_settings[] = {
	{"answers", FLAG, offsetof(struct play_phone, answers)},
	{"rings", FLAG, offsetof(struct play_phone, rings)},
	{"pcma", FLAG, offsetof(struct play_phone, pcma)},
	{"after", TIME, offsetof(struct play_phone, after_ns)},
	{"lasts", TIME, offsetof(struct play_phone, lasts_ns)},
	{"gives-up", TIME, offsetof(struct play_phone, gives_up_ns)},
	{"at-most", COUNT, offsetof(struct play_phone, at_most)},
	{"refuses", CODE, offsetof(struct play_phone, refuses)},
	{"deaf-after", TIME, offsetof(struct play_phone, deaf_after_ns)},
	{"anywhere", FLAG, offsetof(struct play_phone, anywhere)},
	{"wordy", FLAG, offsetof(struct play_phone, wordy)},
	{"udp-only", FLAG, offsetof(struct play_phone, udp_only)},
	{"mic", MIC, offsetof(struct play_phone, mic)},
	{0},
};

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", NS_PER_US}, {"ns", 1}};

/* What may follow a verb. */
enum object { NOTHING, WHOM, CALLEE, WHICH };

static const struct {
	const char *name;
	enum object object;
} verbs[] = {
	[PLAY_CALLS] = {"calls", CALLEE},
	[PLAY_HANGS_UP] = {"hangs-up", WHICH},
	[PLAY_HOLDS] = {"holds", WHICH},
	[PLAY_RESUMES] = {"resumes", WHICH},
	[PLAY_TURNS] = {"turns", WHICH},
	[PLAY_PICKS_UP] = {"picks-up", WHICH},
	[PLAY_CRASHES] = {"crashes", NOTHING},
	[PLAY_VANISHES] = {"vanishes", NOTHING},
	[PLAY_RESTARTS] = {"restarts", NOTHING},
	[PLAY_MOVES] = {"moves", NOTHING},
	[PLAY_UNPLUGS] = {"unplugs", NOTHING},
	[PLAY_HEARS] = {"hears", NOTHING},
	[PLAY_LOSES] = {"loses", WHOM},
	[PLAY_FINDS] = {"finds", WHOM},
	[PLAY_STRAYED] = {"hears-a-stranger", NOTHING},
	[PLAY_NET] = {"net", NOTHING},
};

static const char *const which_names[] = {
	[PLAY_OLDEST] = "",
	[PLAY_NEWEST] = "newest",
	[PLAY_ALL] = "all",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- printing */

/* In the largest unit that has no rest. */
static void put_time(struct text *out, uint64_t ns)
{
	size_t i = 0;

	while (ns % units[i].ns != 0)
		i++;
	text_printf(out, "%llu%s", (unsigned long long)(ns / units[i].ns), units[i].name);
}

static void put_share(struct text *out, uint32_t millionths)
{
	char digits[SHARE_DIGITS + 1];
	size_t len = SHARE_DIGITS;

	snprintf(digits, sizeof(digits), "%04u", millionths % 10000);
	while (len > 0 && digits[len - 1] == '0')
		len--;
	text_printf(out, "%u%s%.*s%%", millionths / 10000, len > 0 ? "." : "", (int)len, digits);
}

static bool is_set(const struct setting *setting, const void *from)
{
	const char *at = (const char *)from + setting->offset;

	switch (setting->kind) {
	case FLAG:
		return *(const bool *)at;
	case SHARE:
		return *(const uint32_t *)(const void *)at != 0;
	case MIC:
		return *at != '\0';
	case SPREAD:
		return ((const struct impair_config *)from)->spread ==
		       (enum impair_spread)setting->offset;
	default:
		return *(const uint64_t *)(const void *)at != 0;
	}
}

/* Those that are not 0. */
static void put_settings(struct text *out, const struct setting *settings, const void *from)
{
	for (const struct setting *setting = settings; setting->name; setting++) {
		const char *at = (const char *)from + setting->offset;

		if (!is_set(setting, from))
			continue;
		text_printf(out, " %s", setting->name);
		if (setting->kind == FLAG || setting->kind == SPREAD)
			continue;
		text_putc(out, ' ');
		if (setting->kind == TIME)
			put_time(out, *(const uint64_t *)(const void *)at);
		else if (setting->kind == SHARE)
			put_share(out, *(const uint32_t *)(const void *)at);
		else if (setting->kind == COUNT || setting->kind == CODE)
			text_printf(out, "%llu",
				(unsigned long long)*(const uint64_t *)(const void *)at);
		else
			text_puts(out, at);
	}
}

void play_print_step(struct text *out, const struct play_step *step)
{
	text_puts(out, "at ");
	put_time(out, step->at_ns);
	if (step->verb == PLAY_NET) {
		text_puts(out, " net");
		put_settings(out, net_settings, &step->net);
		return;
	}
	text_printf(out, " %c %s", play_name(step->who), verbs[step->verb].name);
	if (verbs[step->verb].object == WHOM || verbs[step->verb].object == CALLEE)
		text_printf(out, " %c", play_name(step->whom));
	if (verbs[step->verb].object == WHICH && step->which != PLAY_OLDEST)
		text_printf(out, " %s", which_names[step->which]);
	if (verbs[step->verb].object == CALLEE && step->by_name)
		text_puts(out, " by-name");
	if (verbs[step->verb].object == CALLEE && step->over_tcp)
		text_puts(out, " over-tcp");
}

void play_print(struct text *out, const struct play *play)
{
	text_printf(out, "seed %llu\n%s", (unsigned long long)play->world.seed,
		play->media ? "media\n" : "");
	text_puts(out, "world");
	put_settings(out, world_settings, &play->world);
	text_puts(out, "\nnet");
	put_settings(out, net_settings, &play->net);
	text_putc(out, '\n');
	for (unsigned i = 0; i < play->phone_count; i++) {
		text_printf(out, "phone %c", play_name(i));
		put_settings(out, phone_settings, &play->phones[i]);
		text_putc(out, '\n');
	}
	for (unsigned i = 0; i < play->step_count; i++) {
		play_print_step(out, &play->steps[i]);
		text_putc(out, '\n');
	}
}

/* ---- reading */

struct reader {
	struct play *play;
	struct slice words[WORDS_MAX]; /* of the line at hand */
	size_t count;
	size_t next;
	char fault[FAULT_SIZE / 2];
};

static int fail(struct reader *reader, const char *what, struct slice word)
{
	struct text text = TEXT_IN(reader->fault);

	text_puts(&text, what);
	if (word.data) {
		text_puts(&text, ": ");
		text_put_escaped(&text, word);
	}
	return -EPROTO;
}

static bool take(struct slice *out, struct reader *reader)
{
	*out = (struct slice){0};
	if (reader->next == reader->count)
		return false;
	*out = reader->words[reader->next++];
	return true;
}

static bool next_is(struct reader *reader, const char *word)
{
	if (reader->next == reader->count || !slice_is(reader->words[reader->next], word))
		return false;
	reader->next++;
	return true;
}

static bool ends_with(struct slice *word, const char *unit)
{
	size_t len = strlen(unit);

	if (word->len <= len || memcmp(word->data + word->len - len, unit, len) != 0)
		return false;
	word->len -= len;
	return true;
}

static int read_time(uint64_t *out, struct slice word)
{
	static const size_t order[] = {1, 2, 3, 0}; /* "s" last: the others end so, too */

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		uint64_t ns = units[order[i]].ns;

		if (!ends_with(&word, units[order[i]].name))
			continue;
		if (slice_number(out, word, UINT64_MAX / 4 / ns))
			return -EPROTO;
		*out *= ns;
		return 0;
	}
	return -EPROTO;
}

static int read_share(uint32_t *out, struct slice word)
{
	uint64_t whole, part = 0, scale = 10000;
	struct slice front;

	if (!ends_with(&word, "%"))
		return -EPROTO;
	if (slice_cut(&front, &word, '.')) {
		if (word.len > SHARE_DIGITS || slice_number(&part, word, 9999))
			return -EPROTO;
		for (size_t i = 0; i < word.len; i++)
			scale /= 10;
		part *= scale;
	}
	if (slice_number(&whole, front, 100) || whole * 10000 + part > IMPAIR_ALWAYS)
		return -EPROTO;
	*out = (uint32_t)(whole * 10000 + part);
	return 0;
}

static int read_code(uint64_t *out, struct slice word)
{
	return slice_number(out, word, 699) != 0 || *out < 300 ? -EPROTO : 0;
}

static int read_setting(struct reader *reader, const struct setting *setting, void *to)
{
	char *at = (char *)to + setting->offset;
	struct slice word;
	int err = 0;

	if (setting->kind == FLAG) {
		*(bool *)at = true;
		return 0;
	}
	if (setting->kind == SPREAD) {
		((struct impair_config *)to)->spread = (enum impair_spread)setting->offset;
		return 0;
	}
	if (!take(&word, reader))
		return fail(reader, "a value is missing", slice_of(setting->name));
	if (setting->kind == TIME)
		err = read_time((uint64_t *)(void *)at, word);
	else if (setting->kind == SHARE)
		err = read_share((uint32_t *)(void *)at, word);
	else if (setting->kind == COUNT)
		err = slice_number((uint64_t *)(void *)at, word, UINT32_MAX);
	else if (setting->kind == CODE)
		err = read_code((uint64_t *)(void *)at, word);
	else if (word.len < PLAY_MIC_SIZE)
		memcpy(at, word.data, word.len);
	else
		err = -EPROTO;
	return err ? fail(reader, "no such value", word) : 0;
}

/* All that is left of the line. */
static int read_settings(struct reader *reader, const struct setting *settings, void *to)
{
	struct slice word;
	int err = 0;

	while (!err && take(&word, reader)) {
		const struct setting *setting = settings;

		while (setting->name && !slice_is(word, setting->name))
			setting++;
		if (!setting->name)
			return fail(reader, "no such setting", word);
		err = read_setting(reader, setting, to);
	}
	return err;
}

static int line_seed(struct reader *reader)
{
	struct slice word;

	take(&word, reader);
	if (slice_number(&reader->play->world.seed, word, UINT64_MAX))
		return fail(reader, "no seed", word);
	return 0;
}

static int line_media(struct reader *reader)
{
	reader->play->media = true;
	return 0;
}

static int line_world(struct reader *reader)
{
	return read_settings(reader, world_settings, &reader->play->world);
}

static int line_net(struct reader *reader)
{
	return read_settings(reader, net_settings, &reader->play->net);
}

static int line_phone(struct reader *reader)
{
	struct play *play = reader->play;
	struct slice word;

	if (play->step_count > 0)
		return fail(reader, "phones come before steps", (struct slice){0});
	if (play->phone_count == PLAY_PHONES_MAX)
		return fail(reader, "too many phones", (struct slice){0});
	if (!take(&word, reader) || word.len != 1 || word.data[0] != play_name(play->phone_count))
		return fail(reader, "phones are called a, b, c, in this order", word);
	return read_settings(reader, phone_settings, &play->phones[play->phone_count++]);
}

static int read_phone(unsigned *out, struct reader *reader)
{
	struct slice word;

	if (!take(&word, reader) || word.len != 1 || word.data[0] < 'a' ||
		word.data[0] >= play_name(reader->play->phone_count))
		return fail(reader, "no such phone", word);
	*out = (unsigned)(word.data[0] - 'a');
	return 0;
}

static int read_verb(struct play_step *step, struct reader *reader)
{
	struct slice word;

	take(&word, reader);
	for (size_t i = 0; i < PLAY_NET; i++)
		if (slice_is(word, verbs[i].name)) {
			step->verb = (enum play_verb)i;
			return 0;
		}
	return fail(reader, "no such verb", word);
}

static int read_action(struct play_step *step, struct reader *reader)
{
	enum object object;
	int err;

	err = read_phone(&step->who, reader);
	if (!err)
		err = read_verb(step, reader);
	if (err)
		return err;

	object = verbs[step->verb].object;
	if (object == WHOM || object == CALLEE) {
		err = read_phone(&step->whom, reader);
		if (!err && step->whom == step->who)
			err = fail(reader, "nobody does that to itself", (struct slice){0});
	}
	if (object == CALLEE) {
		step->by_name = next_is(reader, "by-name");
		step->over_tcp = next_is(reader, "over-tcp");
	}
	for (size_t i = PLAY_NEWEST; object == WHICH && i <= PLAY_ALL; i++)
		if (next_is(reader, which_names[i])) {
			step->which = (enum play_which)i;
			break;
		}
	return err;
}

static int line_at(struct reader *reader)
{
	struct play *play = reader->play;
	struct play_step *step = &play->steps[play->step_count];
	struct slice word;

	if (play->step_count == PLAY_STEPS_MAX)
		return fail(reader, "too many steps", (struct slice){0});
	take(&word, reader);
	if (read_time(&step->at_ns, word))
		return fail(reader, "no such time", word);
	if (play->step_count > 0 && step->at_ns < step[-1].at_ns)
		return fail(reader, "it is before the step above", word);

	play->step_count++;
	if (!next_is(reader, "net"))
		return read_action(step, reader);
	step->verb = PLAY_NET;
	return read_settings(reader, net_settings, &step->net);
}

/* Words are apart by spaces; # begins a comment. */
static int split(struct reader *reader, struct slice line)
{
	struct slice word;
	bool more;

	reader->count = 0;
	reader->next = 0;
	line.len = slice_find(line, '#');
	do {
		more = slice_cut(&word, &line, ' ');
		word = slice_trim(word);
		if (word.len == 0)
			continue;
		if (reader->count == WORDS_MAX)
			return fail(reader, "too many words", (struct slice){0});
		reader->words[reader->count++] = word;
	} while (more);
	return 0;
}

static int read_line(struct reader *reader, struct slice line)
{
	static const struct {
		const char *name;
		int (*read)(struct reader *reader);
	} lines[] = {
		{"seed", line_seed},
		{"media", line_media},
		{"world", line_world},
		{"net", line_net},
		{"phone", line_phone},
		{"at", line_at},
	};
	struct slice word;
	int err;

	err = split(reader, line);
	if (err || !take(&word, reader))
		return err;

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		if (!slice_is(word, lines[i].name))
			continue;
		err = lines[i].read(reader);
		if (!err && take(&word, reader))
			err = fail(reader, "too much", word);
		return err;
	}
	return fail(reader, "no such line", word);
}

int play_parse(struct play *out, struct slice text, const char *file, struct fault *why)
{
	struct reader reader = {.play = out};
	unsigned number = 0;
	struct slice line;
	bool more;

	*out = (struct play){0};
	do {
		more = slice_cut(&line, &text, '\n');
		number++;
		if (read_line(&reader, line) != 0)
			return fault_set(why, -EPROTO, "%s:%u: %s", file, number, reader.fault);
	} while (more);

	if (out->phone_count == 0)
		return fault_set(why, -EPROTO, "%s:%u: there is no phone", file, number);
	return 0;
}

static int read_all(char room[static PLAY_TEXT_SIZE], size_t *len, int fd)
{
	ssize_t got;

	*len = 0;
	while ((got = read(fd, room + *len, PLAY_TEXT_SIZE - *len)) > 0)
		*len += (size_t)got;
	if (got < 0)
		return -errno;
	return *len == PLAY_TEXT_SIZE ? -EFBIG : 0;
}

int play_load(struct play *out, const char *file, struct fault *why)
{
	char room[PLAY_TEXT_SIZE];
	size_t len;
	int fd, err;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(why, -errno, "cannot open %s: %s", file, strerror(errno));

	err = read_all(room, &len, fd);
	close(fd);
	if (err)
		return fault_set(why, err, "cannot read %s: %s", file, strerror(-err));
	return play_parse(out, (struct slice){(const uint8_t *)room, len}, file, why);
}
