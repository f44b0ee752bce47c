/* One call of _arguments, a line for each name of an option, and a function a kind of value. */
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

static void put_spec(const struct option *option, bool is_short)
{
	bool takes_value = option->value && !(is_short && option->optional);

	printf("\t'");
	if (option->repeats && option->value && !option->optional)
		putchar('*');
	else if (option->letter)
		printf("(-%c --%s)", option->letter, option->name);
	if (is_short)
		printf("-%c%s", option->letter, takes_value ? "+" : "");
	else
		printf("--%s%s", option->name, takes_value ? "=" : "");
	if (takes_value && option->optional)
		putchar('-'); /* behind "=" only */
	putchar('[');
	put_escaped(option->help);
	putchar(']');
	if (takes_value)
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
	for (size_t i = 0; (option = option_at(i)); i++) {
		if (option->name && option->letter)
			put_spec(option, true);
		if (option->name)
			put_spec(option, false);
	}
	/* _guard: the message alone would keep options from being put in */
	printf("\t':URI:_guard \"^-*\" URI'\n");
}
