#include "cmd/show.h"

#include "cmd/devices.h"
#include "cmd/readers/verdict.h"
#include "cmd/settings/options.h"
#include "cmd/settings/places.h"
#include "cmd/terminal.h"
#include "cmd/words.h"
#include "codecs/codec.h"

#include <errno.h>
#include <unistd.h>

/* Before and after the threads; while they run, the terminal writes. Returns what write() does. */
static int say(int fd, struct slice words)
{
	while (words.len > 0) {
		ssize_t wrote = write(fd, words.data, words.len);
		struct slice done;

		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0)
			(void)slice_take(&done, &words, (size_t)wrote);
	}
	return 0;
}

void show_lines(struct slice lines)
{
	(void)say(STDERR_FILENO, lines);
}

int show_complaint(int code, const char *words)
{
	char room[FAULT_SIZE + 16];
	struct text text = TEXT_IN(room);

	text_printf(&text, "sipcall: %s\n", words);
	say(STDERR_FILENO, text_slice(&text));
	return code;
}

/* What was asked for, whole: half of it would be no answer. */
static int answer(const struct text *text)
{
	struct fault why;
	int err = say(STDOUT_FILENO, text_slice(text));

	if (!err)
		return VERDICT_DONE;

	fault_set(&why, err, "cannot write to standard output: %s",
		err == -EBADF ? "it is closed" : strerror(-err));
	return show_complaint(VERDICT_LOCAL, why.words);
}

int show_help(void (*help)(struct text *out))
{
	char room[OPTIONS_HELP_SIZE];
	struct text text = TEXT_IN(room);

	help(&text);
	return answer(&text);
}

int show_version(void)
{
	char room[sizeof(SIPCALL_VERSION) + 16];
	struct text text = TEXT_IN(room);

	text_puts(&text, "sipcall " SIPCALL_VERSION "\n");
	return answer(&text);
}

/* Text of ours; of what is not ASCII it has the Greek letter of G.711's law. */
static void put_plain(struct text *out, struct slice text, bool utf8)
{
	static const char micro[] = "µ";
	struct slice byte;

	if (utf8) {
		text_put(out, text);
		return;
	}
	while (text.len > 0) {
		bool is_micro = slice_starts_nocase(text, micro);

		(void)slice_take(&byte, &text, is_micro ? sizeof(micro) - 1 : 1);
		text_putc(out, is_micro ? 'u' : (char)*byte.data);
	}
}

int show_codecs(void)
{
	char room[OPTIONS_HELP_SIZE];
	struct text text = TEXT_IN(room);

	for (size_t i = 0; i < codec_count(); i++) {
		text_printf(&text, "%-9s ", codec_at(i)->key);
		put_plain(&text, slice_of(codec_at(i)->about), terminal_env_utf8());
		text_putc(&text, '\n');
	}
	return answer(&text);
}

int show_devices(void)
{
	char room[DEVICES_LIST_SIZE];
	struct text text = TEXT_IN(room);
	struct fault why;

	if (devices_list(&text, &why))
		return show_complaint(VERDICT_LOCAL, why.words);
	return answer(&text);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

int show_config(const struct config *config)
{
	size_t settings = config_settings(config);
	size_t contacts = contacts_count(config_contacts(config));
	char room[PLACES_PATH_SIZE];
	struct text text = TEXT_IN(room);

	words_put(&text, slice_of(config_name(config)));
	if (config_is_there(config))
		text_printf(&text, ": ok, %zu setting%s, %zu contact%s\n", settings,
			plural(settings), contacts, plural(contacts));
	else
		text_puts(&text, ": is not there, and need not be\n");
	return answer(&text);
}

int show_checked(const char *name, size_t lines)
{
	char room[FAULT_SIZE];
	struct text text = TEXT_IN(room);

	words_put(&text, slice_of(name));
	text_printf(&text, ": %zu line%s, nothing wrong\n", lines, lines == 1 ? "" : "s");
	return answer(&text);
}
