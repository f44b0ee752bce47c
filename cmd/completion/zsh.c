/* One call of _arguments, a line an option, with a function for each kind of value. */
#include "cmd/completion/completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What _arguments takes for its own punctuation stands behind a backslash. */
static void put_escaped(const char *words)
{
	for (; *words != '\0'; words++) {
		if (strchr("[]:\\", *words))
			putchar('\\');
		if (*words == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*words);
	}
}

/* "_sipcall_udp_addr_port" */
static void put_function(const struct value *value)
{
	printf("_sipcall_");
	for (const char *c = value->name; *c != '\0'; c++)
		putchar(isalnum((unsigned char)*c) ? tolower((unsigned char)*c) : '_');
}

static void put_words(const struct value *value)
{
	char word[VALUE_WORD_SIZE];

	put_function(value);
	printf("()\n{\n\t%s", value->list ? "_sequence compadd -" : "_sipcall_offer");
	for (size_t i = 0; value->word(word, i); i++) {
		putchar(' ');
		completion_quote(word);
	}
	printf("\n}\n\n");
}

/* ":SOURCE:_sipcall_source" */
static void put_value(const struct option *option)
{
	const struct value *value = value_find(option->value);

	printf(option->optional ? "::" : ":");
	put_escaped(option->value);
	putchar(':');
	if (value && value->files)
		printf("_files");
	else if (value && value->word)
		put_function(value);
	else
		putchar(' '); /* it is known to be a value, and nothing more */
}

/* How the value stands: "-d5" or "-d 5", "--duration=5" or "--duration 5"; "--answer=5" only. */
static void put_spec(const struct option *option)
{
	printf("\t'");
	if (option->repeats && option->value)
		putchar('*');
	else if (option->letter)
		printf("(-%c --%s)", option->letter, option->name);
	if (option->letter)
		printf("'{-%c%s,--%s%s}'", option->letter, option->value ? "+" : "", option->name,
			option->value ? "=" : "");
	else
		printf("--%s%s", option->name, option->optional ? "=-" : option->value ? "=" : "");
	putchar('[');
	put_escaped(option->help);
	putchar(']');
	if (option->value)
		put_value(option);
	printf("' \\\n");
}

void completion_zsh(void)
{
	const struct option *option;
	const struct value *value;

	for (size_t i = 0; (value = value_at(i)); i++)
		if (value->word)
			put_words(value);
	printf("_arguments -s -S \\\n");
	for (size_t i = 0; (option = option_at(i)); i++)
		if (option->name)
			put_spec(option);
	/* _guard: the message alone would keep options from being put in */
	printf("\t':URI:_guard \"^-*\" URI'\n");
}
