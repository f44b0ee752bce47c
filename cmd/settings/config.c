#include "cmd/settings/config_private.h"

#include "cmd/check.h"
#include "cmd/readers/json.h"
#include "cmd/settings/ini_line.h"
#include "cmd/words.h"
#include "core/base/nearest.h"

#include <stdlib.h>

enum {
	SHOWN_SIZE = 400,
	TOLD_SIZE = FAULT_SIZE + 2 * SHOWN_SIZE,
};

/* While it is read. */
struct reading {
	struct config *out;
	const struct config_reader *reader;
	struct ini ini;
	struct options scratch; /* what the settings come to; borrows their values */
	const struct section *section;
	struct config_account *account; /* whose section it is */
	bool lost;                      /* in a section that was complained about */
	size_t line;                    /* at hand, from 1 */
	bool wrong;                     /* something was told */
};

/* A section, and what is done with an entry in it: 0, -EINVAL once it was told why, -ENOMEM. */
struct section {
	const char *name;
	int (*entry)(struct reading *reading, const char *name, struct slice value);
};

static int read_setting(struct reading *reading, const char *name, struct slice value);
static int read_contact(struct reading *reading, const char *name, struct slice value);
static int read_account(struct reading *reading, const char *name, struct slice value);

static const struct section sections[] = {
	{"sipcall", read_setting}, {"contacts", read_contact},
	{"account", read_account}, /* with a name behind it */
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

/* Returns -EINVAL. line: 0 if it is about the whole. */
static int __attribute__((format(printf, 3, 4)))
complain_at(struct reading *reading, size_t line, const char *format, ...)
{
	char room[TOLD_SIZE];
	struct text text = TEXT_IN(room);
	va_list args;

	words_put(&text, slice_of(reading->out->name));
	if (line > 0)
		text_printf(&text, ":%zu", line);
	text_puts(&text, ": ");
	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	reading->reader->tell(reading->reader->arg, room);
	reading->wrong = true;
	return -EINVAL;
}

#define complain(reading, ...) complain_at((reading), (reading)->line, __VA_ARGS__)

/* With the value below, and a caret under the place. */
static int complain_of(struct reading *reading, const char *words, struct slice value, size_t at)
{
	char room[SHOWN_SIZE];
	struct text shown = TEXT_IN(room);

	check_put_caret(&shown, value, at);
	if (shown.len > 0)
		room[shown.len - 1] = '\0'; /* without the last newline */
	return complain(reading, "%s\n%s", words, room);
}

/* "no key mik; did you mean mic?" */
static int no_such(struct reading *reading, const char *what, const char *name, const char *near)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(name));
	if (near)
		return complain(reading, "no %s %s; did you mean %s?", what, shown, near);
	return complain(reading, "no %s %s; man sipcall.conf has them all", what, shown);
}

const char *config_hook_key(char room[static CONFIG_KEY_SIZE], size_t kind)
{
	struct text text = text_in(room, CONFIG_KEY_SIZE);

	if (kind == CONFIG_ANY_EVENT)
		return "on_event";
	if (!json_tells((enum ua_event_kind)kind))
		return NULL;

	text_puts(&text, "on_");
	for (const char *at = ua_event_name((enum ua_event_kind)kind); *at != '\0'; at++)
		text_putc(&text, *at == '.' ? '_' : *at);
	return room;
}

/* CONFIG_HOOKS if there is none. */
static size_t find_hook(const char *name)
{
	char room[CONFIG_KEY_SIZE];

	for (size_t kind = 0; kind < CONFIG_HOOKS; kind++) {
		const char *key = config_hook_key(room, kind);

		if (key && strcmp(key, name) == 0)
			return kind;
	}
	return CONFIG_HOOKS;
}

static const struct config_key *find_setting(const char *name)
{
	const struct config_key *setting;
	size_t i = 0;

	while ((setting = config_key_at(i++)) && strcmp(setting->key, name) != 0)
		;
	return setting;
}

/* The keys of settings, then those of the hooks. */
struct keys {
	size_t settings;
	char hooks[CONFIG_HOOKS][CONFIG_KEY_SIZE];
};

static const char *key_at(const void *arg, size_t i)
{
	const struct keys *keys = arg;
	const struct config_key *setting = config_key_at(i);

	if (setting)
		return setting->key;
	return *keys->hooks[i - keys->settings] != '\0' ? keys->hooks[i - keys->settings] : NULL;
}

static int no_key(struct reading *reading, const char *name)
{
	struct keys keys = {0};

	while (config_key_at(keys.settings))
		keys.settings++;
	for (size_t kind = 0; kind < CONFIG_HOOKS; kind++) {
		char room[CONFIG_KEY_SIZE];
		const char *key = config_hook_key(room, kind);
		struct text text = TEXT_IN(keys.hooks[kind]);

		text_puts(&text, key ? key : "");
	}
	return no_such(reading, "key", name,
		nearest_name(slice_of(name), keys.settings + CONFIG_HOOKS, key_at, &keys));
}

static int twice(struct reading *reading, const char *name)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(name));
	return complain(reading, "%s is given twice", shown);
}

static bool is_set(const struct config *config, const struct config_key *setting)
{
	list_each(link, &config->values)
	{
		if (container_of(link, struct config_value, link)->setting == setting)
			return true;
	}
	return false;
}

static int read_hook(struct reading *reading, size_t kind, const char *name, struct slice value)
{
	char **command = &reading->out->hooks[kind];

	if (*command)
		return twice(reading, name);
	if (value.len == 0)
		return complain(reading, "%s: COMMAND is empty", name);

	*command = slice_copy(value);
	if (!*command)
		return -ENOMEM;
	reading->out->count++;
	return 0;
}

static int read_setting(struct reading *reading, const char *name, struct slice value)
{
	const struct config_key *setting = find_setting(name);
	struct config *config = reading->out;
	struct config_value *made;
	struct fault why;
	size_t kind;

	if (!setting) {
		kind = find_hook(name);
		return kind < CONFIG_HOOKS ? read_hook(reading, kind, name, value)
					   : no_key(reading, name);
	}
	if (!setting->repeats && is_set(config, setting))
		return twice(reading, name);

	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->setting = setting;
	list_add(&config->values, &made->link);
	made->value = config_key_copy(setting, value);
	if (!made->value)
		return -ENOMEM;

	config->count++;
	if (config_key_check(setting, made->value, reading->reader->all, &reading->scratch, &why))
		return complain(reading, "%s", why.words);
	return 0;
}

/* Of "Bob Example" what is within the quotes. */
static int unquote(struct reading *reading, struct slice *name)
{
	if (name->len == 0 || name->data[0] != '"')
		return 0;
	if (name->len == 1 || name->data[name->len - 1] != '"')
		return complain(reading, "the quote around the name is not closed before = or :");

	*name = slice_trim((struct slice){name->data + 1, name->len - 2});
	return 0;
}

static int read_contact(struct reading *reading, const char *name, struct slice value)
{
	struct slice plain = slice_of(name);
	struct fault why;
	int err;

	err = unquote(reading, &plain);
	if (!err)
		err = contacts_add(reading->out->contacts, plain, value, &why);
	else
		return err;
	if (err == -EEXIST)
		return twice(reading, name);
	if (err == -EINVAL || err == -ENOSPC)
		return complain(reading, "%s", why.words);
	return err;
}

static int read_account(struct reading *reading, const char *name, struct slice value)
{
	struct fault why;
	size_t at;
	int err;

	err = config_account_set(reading->account, name, value, &why, &at);
	if (err == -EEXIST)
		return twice(reading, name);
	if (err == -ENOENT)
		return no_such(reading, "key", name,
			nearest_name(
				slice_of(name), CONFIG_ACCOUNT_KEYS, config_account_key, NULL));
	if (!err)
		reading->out->count++;
	if (err == -EINVAL && at <= value.len)
		return complain_of(reading, why.words, value, at);
	return err == -EINVAL ? complain(reading, "%s", why.words) : err;
}

static struct config_account *find_account(const struct config *config, struct slice name)
{
	for (struct table_node *node = table_find(&config->by_name, table_hash(0, name)); node;
		node = table_find_next(node)) {
		struct config_account *account = container_of(node, struct config_account, by_name);

		if (slice_is(name, account->name))
			return account;
	}
	return NULL;
}

/* "[account work]" */
static int begin_account(struct reading *reading, struct slice name)
{
	int err;

	reading->lost = true;
	if (name.len == 0)
		return complain(reading, "an account needs a name: [account work]");
	if (find_account(reading->out, name))
		return complain(reading, "an account of that name is there already");

	err = config_account_new(&reading->account, name, reading->line);
	if (err)
		return err;
	list_add(&reading->out->accounts, &reading->account->link);
	table_add(&reading->out->by_name, &reading->account->by_name, table_hash(0, name));
	reading->lost = false;
	return 0;
}

static int check_accounts(struct reading *reading)
{
	struct fault why;

	list_each(link, &reading->out->accounts)
	{
		const struct config_account *account =
			container_of(link, struct config_account, link);

		if (config_account_check(account, &why))
			(void)complain_at(reading, account->line, "%s", why.words);
	}
	return reading->wrong ? -EINVAL : 0;
}

static const char *section_at(const void *arg, size_t i)
{
	(void)arg;
	return sections[i].name;
}

static int read_section(struct reading *reading, const char *name)
{
	struct slice behind = slice_of(name), kind;

	(void)slice_cut(&kind, &behind, ' ');
	reading->section = NULL;
	for (size_t i = 0; i < SECTIONS; i++)
		if (slice_is(sections[i].entry == read_account ? kind : slice_of(name),
			    sections[i].name))
			reading->section = &sections[i];
	reading->lost = !reading->section;
	if (reading->section && reading->section->entry == read_account)
		return begin_account(reading, slice_trim(behind));
	if (reading->section)
		return 0;
	return no_such(
		reading, "section", name, nearest_name(slice_of(name), SECTIONS, section_at, NULL));
}

static int read_entry(struct reading *reading, const char *name, struct slice value)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	if (reading->lost)
		return 0; /* what it might have been is not known */
	if (reading->section)
		return reading->section->entry(reading, name, value);

	reading->lost = true; /* once is enough */
	words_put(&text, slice_of(name));
	return complain(
		reading, "%s stands in no section; write [%s] above it", shown, sections[0].name);
}

/* What goes on means -EINVAL, as it was told; other errors end it. */
static int read_line(struct reading *reading, struct slice line)
{
	struct ini_line ini;
	struct fault why;

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len > CONFIG_LINE_MAX)
		return complain(reading, "the line is longer than %d bytes", (int)CONFIG_LINE_MAX);
	if (ini_line_read(&ini, &reading->ini, line, &why))
		return complain(reading, "%s", why.words);
	if (ini.kind == INI_SECTION)
		return read_section(reading, ini.name);
	return ini.kind == INI_ENTRY ? read_entry(reading, ini.name, ini.value) : 0;
}

/* Whether text's byte i may be in a file of lines. */
static bool is_text(struct slice text, size_t i)
{
	uint8_t byte = text.data[i];

	if (byte == '\r') /* the end of a line may have one */
		return i + 1 < text.len && text.data[i + 1] == '\n';
	return (byte >= ' ' && byte != 0x7f) || byte == '\t' || byte == '\n';
}

/* Of something else that was taken for it, one line is enough. */
static int check_text(struct reading *reading, struct slice text)
{
	size_t line = 1;

	if (text.len > CONFIG_SIZE_MAX)
		return complain_at(reading, 0, "more than 16 MiB is no configuration");
	for (size_t i = 0; i < text.len; i++) {
		if (!is_text(text, i))
			return complain_at(reading, line,
				"this is no text file: it holds the byte 0x%02x", text.data[i]);
		if (text.data[i] == '\n' && ++line > CONFIG_LINES_MAX)
			return complain_at(reading, 0, "more than %d lines are no configuration",
				(int)CONFIG_LINES_MAX);
	}
	return 0;
}

static int read_text(struct reading *reading, struct slice text)
{
	static const char bom[] = "\xef\xbb\xbf"; /* which some editors write */
	struct slice line;
	struct fault why;
	bool more = true;
	int err;

	err = check_text(reading, text);
	if (err)
		return err;
	if (ini_load(&reading->ini, &why))
		return complain_at(reading, 0, "%s", why.words);

	if (slice_starts_nocase(text, bom))
		(void)slice_take(&line, &text, sizeof(bom) - 1);
	while (more) {
		more = slice_cut(&line, &text, '\n');
		reading->line++;
		err = read_line(reading, line);
		if (err && err != -EINVAL)
			return err;
	}
	return check_accounts(reading);
}

int config_new(struct config **out, const char *name)
{
	struct config *self = calloc(1, sizeof(*self));

	*out = NULL;
	if (!self)
		return -ENOMEM;

	list_init(&self->values);
	list_init(&self->accounts);
	self->name = slice_copy(slice_of(name));
	if (!self->name || contacts_new(&self->contacts) || table_init(&self->by_name)) {
		config_free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

int config_parse(struct config **out, const char *name, struct slice text,
	const struct config_reader *reader)
{
	struct reading reading = {.reader = reader};
	int err;

	err = config_new(&reading.out, name);
	if (!err)
		err = read_text(&reading, text);
	if (err) {
		config_free(reading.out);
		*out = NULL;
		return err;
	}
	reading.out->is_there = true;
	*out = reading.out;
	return 0;
}

void config_free(struct config *config)
{
	if (!config)
		return;

	list_each(link, &config->values)
	{
		struct config_value *value = container_of(link, struct config_value, link);

		free(value->value);
		free(value);
	}
	for (size_t i = 0; i < CONFIG_HOOKS; i++)
		free(config->hooks[i]);
	list_each(link, &config->accounts)
		config_account_free(container_of(link, struct config_account, link));
	table_close(&config->by_name);
	contacts_free(config->contacts);
	free(config->name);
	free(config);
}

void config_apply(const struct config *config, struct options *options)
{
	config_values_apply(&config->values, options);
}

const struct config_account *config_account_next(
	const struct config *config, const struct config_account *before)
{
	const struct list *link = before ? before->link.next : config->accounts.next;

	return link == &config->accounts ? NULL : container_of(link, struct config_account, link);
}

size_t config_accounts(const struct config *config)
{
	return config->by_name.count;
}

bool config_is_exposed(const struct config *config)
{
	list_each(link, &config->accounts)
	{
		if (container_of(link, struct config_account, link)->password)
			return config->open;
	}
	return false;
}

const struct contacts *config_contacts(const struct config *config)
{
	return config->contacts;
}

const char *config_hook(const struct config *config, size_t kind)
{
	return config->hooks[kind];
}

const char *config_name(const struct config *config)
{
	return config->name;
}

bool config_is_there(const struct config *config)
{
	return config->is_there;
}

size_t config_settings(const struct config *config)
{
	return config->count;
}
