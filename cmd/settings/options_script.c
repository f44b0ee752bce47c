/* The options of scripts, and those of the phones in them. */
#include "cmd/settings/options_private.h"

#include "cmd/words.h"
#include "core/base/nearest.h"

static bool is_standard(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* What wants standard output for itself. */
static int check_output(const struct options *options, struct fault *why)
{
	if (is_standard(options->tap) && is_standard(options->junit))
		return fault_set(
			why, -EINVAL, "either --tap or --junit can have standard output, not both");
	if (options->json && (is_standard(options->tap) || is_standard(options->junit)))
		return fault_set(why, -EINVAL, "--json has standard output; name a file for --%s",
			is_standard(options->tap) ? "tap" : "junit");
	return 0;
}

int options_check_script(const struct options *options, struct fault *why)
{
	static const char *const only[] = {"var", "check", "virtual", "seed", "tap", "junit"};
	static const char *const never[] = {"control", "daemon", "execute", "no-register"};
	static const char *const no_check[] = {"virtual", "seed", "tap", "junit", "json"};

	for (size_t i = 0; !options->script && i < sizeof(only) / sizeof(only[0]); i++)
		if (options_given(options, only[i]))
			return fault_set(why, -EINVAL, "--%s goes with --script only", only[i]);
	for (size_t i = 0; options->check && i < sizeof(no_check) / sizeof(no_check[0]); i++)
		if (options_given(options, no_check[i]))
			return fault_set(
				why, -EINVAL, "--%s has no effect with --check", no_check[i]);
	for (size_t i = 0; options->script && i < sizeof(never) / sizeof(never[0]); i++)
		if (options_given(options, never[i]))
			return fault_set(why, -EINVAL, "--%s is not for --script", never[i]);
	if (options->script && options->answer)
		return fault_set(why, -EINVAL,
			"--answer is not for --script; in it, phone NAME answer makes a phone that "
			"answers");
	if (options->script && options->target)
		return fault_set(why, -EINVAL, "a script makes its calls by itself; no URI");
	return check_output(options, why);
}

/* What a phone of a script may have of its own. */
static const char *const of_phone[] = {
	"answer",
	"duration",
	"hangup-at-eof",
	"timeout",
	"media-timeout",
	"max-calls",
	"reject-anonymous",
	"answer-code",
	"mic",
	"speaker",
	"pipe-rate",
	"record",
	"volume",
	"mic-volume",
	"codecs",
	"listen",
	"tls-ca-file",
	"tls-certificate",
	"tls-key",
	"header",
	"late-offer",
	"account",
	"registrar",
	"proxy",
	"auth-user",
	"anonymous",
};

enum { OF_PHONE = sizeof(of_phone) / sizeof(of_phone[0]) };

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return of_phone[i];
}

static int no_option(struct fault *why, struct slice name)
{
	const char *near = nearest_name(name, OF_PHONE, name_at, NULL);
	char shown[OPTION_SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, name);
	if (near)
		return fault_set(
			why, -EINVAL, "a phone has no \"%s\"; did you mean %s?", shown, near);
	return fault_set(
		why, -EINVAL, "a phone has no \"%s\"; man sipcall-script has the list", shown);
}

/* "mic=tone:440" */
static int read_word(struct options *out, bool *seen, const char *word, struct fault *why)
{
	const char *equals = strchr(word, '=');
	struct slice name = slice_of(word);
	const struct option *option;
	size_t i = 0;

	if (equals)
		name.len = (size_t)(equals - word);
	while (i < OF_PHONE && !slice_is(name, of_phone[i]))
		i++;
	if (i == OF_PHONE)
		return no_option(why, name);

	option = option_find(of_phone[i]);
	if (equals && !option->value)
		return fault_set(why, -EINVAL, "%s takes no value", option->name);
	if (!equals && option->value && !option->optional)
		return fault_set(why, -EINVAL, "%s needs a value: %s=%s", option->name,
			option->name, option->value);
	if (seen[i] && !option->repeats)
		return fault_set(why, -EINVAL, "%s is given twice", option->name);

	seen[i] = true;
	return options_set(out, option->name, equals ? equals + 1 : NULL, option->name, why);
}

int options_phone(
	struct options *out, const char *const *words, size_t count, size_t *bad, struct fault *why)
{
	bool seen[OF_PHONE] = {false};

	for (*bad = 0; *bad < count; (*bad)++) {
		int err = read_word(out, seen, words[*bad], why);

		if (err)
			return err;
	}
	return 0;
}
