#include "cmd/settings/settle.h"

#include "cmd/readers/verdict.h"
#include "cmd/show.h"
#include "cmd/words.h"
#include "core/ua/agent.h"

enum { LINE_SIZE = 2048 };

/* Of all that is wrong, a call shows the first. */
struct mistakes {
	char first[LINE_SIZE];
	unsigned count;
};

static void put_line(const char *line)
{
	show_lines(slice_of(line));
	show_lines(slice_of("\n"));
}

static void tell(void *arg, const char *line)
{
	(void)arg;
	put_line(line);
}

static void keep_first(void *arg, const char *line)
{
	struct mistakes *mistakes = arg;
	struct text text;

	if (mistakes->count++ > 0)
		return;

	text = TEXT_IN(mistakes->first);
	text_puts(&text, line);
}

static int no_memory(void)
{
	return show_complaint(VERDICT_LOCAL, "too little memory for the configuration");
}

static int read_config(struct config **out, const struct options *options)
{
	struct mistakes mistakes = {.count = 0};
	const struct config_reader reader = {.tell = keep_first, .arg = &mistakes};
	char room[LINE_SIZE + 80];
	struct text text = TEXT_IN(room);
	struct slice words, place;
	int err;

	err = config_read(out, options->config, &reader);
	if (!err)
		return VERDICT_DONE;
	if (err != -EINVAL)
		return no_memory();

	place = slice_of(mistakes.first);
	(void)slice_cut(&words, &place, '\n'); /* below it, the place may be shown */
	text_put(&text, words);
	if (mistakes.count > 1)
		text_printf(
			&text, " (and %u more; --check-config shows them all)", mistakes.count - 1);
	if (place.len > 0)
		text_putc(&text, '\n');
	text_put(&text, place);
	put_line(room);
	return VERDICT_USAGE;
}

/* What is no address may be a name that is nearly right. */
static int no_target(const struct options *options, const struct contacts *contacts)
{
	struct slice typed = slice_of(options->target);
	const char *near = contacts_nearest(contacts, typed);
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	if (!near || agent_check_target(options->target, options->known, NULL, NULL) == 0)
		return VERDICT_DONE; /* check_options() has the words */

	text_puts(&text, "no contact ");
	words_put(&text, typed);
	text_printf(&text, "; did you mean %s?", near);
	return show_complaint(VERDICT_USAGE, room);
}

static int find_target(struct options *options, const struct contacts *contacts)
{
	const struct contact *contact;

	if (!options->target)
		return VERDICT_DONE;

	contact = contacts_find(contacts, slice_trim(slice_of(options->target)));
	if (!contact)
		return no_target(options, contacts);
	options->target = contact->target;
	return VERDICT_DONE;
}

static void warn_exposed(const struct config *config)
{
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	words_put(&text, slice_of(config_name(config)));
	text_puts(&text, " holds a password, and others may read it: chmod 600 ");
	words_put(&text, slice_of(config_name(config)));
	(void)show_complaint(VERDICT_DONE, room);
}

int settle(struct config **out, struct options *options)
{
	int code;

	*out = NULL;
	code = read_config(out, options);
	if (code != VERDICT_DONE)
		return code;

	if (options_mode(options) != OPTIONS_SCRIPT)
		config_apply(*out, options); /* a script does the same for everybody */
	options->known = options->account || config_accounts(*out) > 0;
	if (config_is_exposed(*out))
		warn_exposed(*out);
	code = find_target(options, config_contacts(*out));
	if (code != VERDICT_DONE) {
		config_free(*out);
		*out = NULL;
	}
	return code;
}

int settle_check(const struct options *options)
{
	const struct config_reader reader = {.tell = tell, .all = true};
	struct config *config;
	int err, code;

	err = config_read(&config, options->config, &reader);
	if (err)
		return err == -EINVAL ? VERDICT_USAGE : no_memory();

	if (config_is_exposed(config))
		warn_exposed(config);
	code = show_config(config);
	config_free(config);
	return code;
}
