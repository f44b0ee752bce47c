#include "cmd/script/script_net.h"

#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

enum {
	SHOWN_SIZE = 200,
	PERCENT = IMPAIR_ALWAYS / 100,
	PERCENT_DIGITS = 4, /* behind the point: parts in a million */
	KBIT_MAX = 10000000,
};

/* As long as one and a half usual packets: the next one overtakes it for sure, and rarely two. */
#define STRAY_NS (30 * NS_PER_MS)

/* What waits before the narrowest place at most: half a second of it, as home routers have it. */
enum { QUEUE_PARTS = 2 };

static int wrong(struct fault *why, struct slice text, const char *what)
{
	char shown[SHOWN_SIZE];
	struct text out = TEXT_IN(shown);

	words_put(&out, text);
	return fault_set(why, -EINVAL, "\"%s\" %s", shown, what);
}

/* "3%", "0.5%" */
static int read_chance(
	struct impair_config *config, size_t field, struct slice text, struct fault *why)
{
	static const char what[] = "is no share, like 3% or 0.5%";
	uint32_t *chance = (uint32_t *)(void *)((char *)config + field);
	uint64_t whole, part = 0;
	struct slice number, fraction, behind;

	behind = text;
	if (!slice_cut(&number, &behind, '%') || behind.len > 0)
		return wrong(why, text, what);

	fraction = number;
	if (slice_cut(&number, &fraction, '.') &&
		(fraction.len > PERCENT_DIGITS || slice_number(&part, fraction, PERCENT)))
		return wrong(why, text, what);
	if (slice_number(&whole, number, UINT32_MAX))
		return wrong(why, text, what);

	for (size_t digits = fraction.len; digits < PERCENT_DIGITS; digits++)
		part *= 10;
	if (whole * PERCENT + part > IMPAIR_ALWAYS)
		return wrong(why, text, "is more than all of them");
	*chance = (uint32_t)(whole * PERCENT + part);
	return 0;
}

static int read_time(
	struct impair_config *config, size_t field, struct slice text, struct fault *why)
{
	uint64_t *ns = (uint64_t *)(void *)((char *)config + field);
	struct command_value value = {0};
	int err = command_read(&value, ARG_DURATION, text, why);

	*ns = value.ns;
	return err;
}

static int read_reorder(
	struct impair_config *config, size_t field, struct slice text, struct fault *why)
{
	config->stray_ns = STRAY_NS;
	return read_chance(config, field, text, why);
}

/* "64k": thousands of bits a second. */
static int read_rate(
	struct impair_config *config, size_t field, struct slice text, struct fault *why)
{
	struct slice number, behind = text;
	uint64_t kbit;

	(void)field;
	if (!slice_cut(&number, &behind, 'k') || behind.len > 0 ||
		slice_number(&kbit, number, KBIT_MAX) || kbit == 0)
		return wrong(why, text, "is no rate, like 64k: thousands of bits a second");

	config->rate_bps = kbit * 1000;
	config->queue_bytes = config->rate_bps / 8 / QUEUE_PARTS;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(
		struct impair_config *config, size_t field, struct slice text, struct fault *why);
	size_t field;
} fields[] = {
	{"loss", read_chance, offsetof(struct impair_config, loss)},
	{"delay", read_time, offsetof(struct impair_config, delay_ns)},
	{"jitter", read_time, offsetof(struct impair_config, jitter_ns)},
	{"dup", read_chance, offsetof(struct impair_config, duplicates)},
	{"reorder", read_reorder, offsetof(struct impair_config, strays)},
	{"corrupt", read_chance, offsetof(struct impair_config, corrupts)},
	{"rate", read_rate, 0},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return fields[i].name;
}

static int no_field(struct slice word, struct fault *why)
{
	const char *near = nearest_name(word, FIELDS, name_at, NULL);
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	if (slice_is(word, "cut") || slice_is(word, "off"))
		return fault_set(why, -EINVAL, "cut and off stand alone, behind rx or tx at most");

	words_put(&text, word);
	if (near)
		return fault_set(
			why, -EINVAL, "a network has no \"%s\"; did you mean %s?", shown, near);
	return fault_set(why, -EINVAL,
		"a network has no \"%s\"; loss, delay, jitter, dup, reorder, corrupt, rate, cut "
		"and off are",
		shown);
}

/* Reads words from *i on, which is moved behind them. */
static int read_field(struct impair_config *config, bool *seen, const struct command_word *words,
	size_t count, size_t *i, struct fault *why)
{
	struct slice name = words[*i].text;
	size_t f = 0;

	while (f < FIELDS && !slice_is(name, fields[f].name))
		f++;
	if (f == FIELDS)
		return no_field(name, why);
	if (seen[f])
		return fault_set(why, -EINVAL, "%s is given twice", fields[f].name);
	if (*i + 1 == count)
		return fault_set(why, -EINVAL, "%s needs a value", fields[f].name);

	seen[f] = true;
	(*i)++;
	return fields[f].read(config, fields[f].field, words[(*i)++].text, why);
}

int net_change_read(struct net_change *out, const struct command_word *words, size_t count,
	struct fault *why, size_t *at)
{
	bool seen[FIELDS] = {false};
	size_t i = 0;
	int err = 0;

	*out = (struct net_change){.rx = true, .tx = true};
	if (count > 0 && (slice_is(words[0].text, "rx") || slice_is(words[0].text, "tx"))) {
		out->rx = slice_is(words[0].text, "rx");
		out->tx = !out->rx;
		i++;
	}
	*at = count > 0 ? words[count - 1].end : 0;
	if (i == count)
		return fault_set(why, -EINVAL, "what does the network do? Like delay 40ms, or off");
	if (i + 1 == count && slice_is(words[i].text, "off"))
		return 0;
	if (i + 1 == count && slice_is(words[i].text, "cut")) {
		out->config.cut = true;
		return 0;
	}

	while (i < count && !err) {
		*at = words[i].at;
		err = read_field(&out->config, seen, words, count, &i, why);
		if (err && i > 0 && words[i - 1].at > *at)
			*at = words[i - 1].at; /* it is the value that is wrong */
	}
	return err;
}
