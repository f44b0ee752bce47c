/* sipcall: start-up and exit code. */
#include "cmd/check.h"
#include "cmd/devices.h"
#include "cmd/options.h"
#include "cmd/phone.h"
#include "cmd/terminal.h"
#include "cmd/verdict.h"
#include "codecs/codec.h"

#include <fcntl.h>
#include <unistd.h>

/* A standard file that the caller closed would else be the number of our next socket. Writing there
 * fails as before. */
static int open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;

	close(fd);
	return 0;
}

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

static int complain(int code, const char *words)
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
	return complain(VERDICT_LOCAL, why.words);
}

static int show_help(void)
{
	char room[OPTIONS_HELP_SIZE];
	struct text text = TEXT_IN(room);

	options_help(&text);
	return answer(&text);
}

static int show_version(void)
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

static int show_codecs(void)
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

static int show_devices(void)
{
	char room[DEVICES_LIST_SIZE];
	struct text text = TEXT_IN(room);
	struct fault why;

	if (devices_list(&text, &why))
		return complain(VERDICT_LOCAL, why.words);
	return answer(&text);
}

static int run(const struct options *options)
{
	char room[CHECK_SIZE];
	struct text text = TEXT_IN(room);
	struct fault why;
	int code;

	code = check_options(&text, options);
	if (code != VERDICT_DONE) {
		say(STDERR_FILENO, text_slice(&text));
		return code;
	}
	if (phone_run(&code, options, &why))
		return complain(VERDICT_LOCAL, why.words);
	return code;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct fault why;

	if (open_standard_files())
		return VERDICT_LOCAL;
	if (options_parse(&options, argc, argv, &why))
		return complain(VERDICT_USAGE, why.words);

	switch (options.action) {
	case OPTIONS_HELP:
		return show_help();
	case OPTIONS_VERSION:
		return show_version();
	case OPTIONS_LIST_CODECS:
		return show_codecs();
	case OPTIONS_LIST_DEVICES:
		return show_devices();
	case OPTIONS_RUN:
		break;
	}
	return run(&options);
}
