#include "cmd/settings/options_private.h"

#include "cmd/readers/verdict.h"

enum {
	LEFT_SIZE = 100, /* of help's left side */
	HELP_COLUMN = 28,
};

/* Those that people need before they have read anything, in this order. */
static const char *const common[] = {"answer", "calls", "duration", "timeout", "execute", "mic",
	"speaker", "record", "codecs", "list-devices", "listen", "json", "verbose", "quiet",
	"help"};

static void put_option(struct text *out, const struct option *option)
{
	char left[LEFT_SIZE];
	struct text text = TEXT_IN(left);

	if (option->letter)
		text_printf(&text, "  -%c, --%s", option->letter, option->name);
	else
		text_printf(&text, "      --%s", option->name);
	if (option->optional)
		text_printf(&text, "[=%s]", option->value);
	else if (option->value)
		text_printf(&text, " %s", option->value);
	text_printf(out, "%-*s  %s\n", HELP_COLUMN, left, option->help);
}

static void put_named(struct text *out, const char *name)
{
	const struct option *option;

	for (size_t i = 0; (option = option_at(i)); i++)
		if (option->name && strcmp(option->name, name) == 0)
			put_option(out, option);
}

static void put_forms(struct text *out)
{
	text_puts(out, "sipcall [options]                 a prompt, with all commands of a phone\n"
		       "sipcall [options] URI             call, talk, exit when the call ends\n"
		       "sipcall [options] --answer[=SEC]  wait for calls and answer them\n"
		       "sipcall [options] -e COMMAND      run it, and more of them, then exit\n"
		       "sipcall [options] --script FILE   run what is in it, then exit\n");
}

void options_help(struct text *out)
{
	put_forms(out);
	text_putc(out, '\n');
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		put_named(out, common[i]);
	text_puts(out,
		"\nThese are some options; sipcall --help=all shows all, and the exit codes;\n"
		"man sipcall explains.\n");
}

void options_help_all(struct text *out)
{
	const struct option *option;
	const struct verdict_meaning *meaning;

	put_forms(out);
	for (size_t i = 0; (option = option_at(i)); i++) {
		if (option->name)
			put_option(out, option);
		else
			text_printf(out, "\n%s:\n", option->help);
	}
	text_puts(out, "\nExit codes:\n");
	for (size_t i = 0; (meaning = verdict_meaning_at(i)); i++)
		text_printf(out, "  %3d  %s\n", meaning->code, meaning->words);
}
