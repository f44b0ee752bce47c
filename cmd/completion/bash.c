/* Of which options there are, and by which words of what kind each goes on. */
#include "cmd/completion/completion.h"

#include <stdio.h>

static void put_options(void)
{
	const struct option *option;

	printf("_sipcall_options=(");
	for (size_t i = 0; (option = option_at(i)); i++)
		if (option->name)
			printf("\n\t--%s", option->name);
	printf("\n)\n");
}

static void put_words(const struct value *value)
{
	char word[VALUE_WORD_SIZE];

	printf(" words=(");
	for (size_t i = 0; value->word(word, i); i++) {
		if (i > 0)
			putchar(' ');
		completion_quote(word);
	}
	putchar(')');
}

static const char *takes(const struct value *value)
{
	if (value->files)
		return "files";
	if (!value->word)
		return "any";
	return value->list ? "list" : "words";
}

/* "-i | --mic | --mic=) takes=words words=(...) ;;" */
static void put_case(const struct option *option, const struct value *value)
{
	printf("\t");
	if (option->letter && !option->optional)
		printf("-%c | ", option->letter);
	if (!option->optional)
		printf("--%s | ", option->name);
	printf("--%s=) takes=%s", option->name, takes(value));
	if (value->word)
		put_words(value);
	printf(" ;;\n");
}

void completion_bash(void)
{
	const struct option *option;

	put_options();
	printf("\n_sipcall_value()\n{\n\tcase $option in\n");
	for (size_t i = 0; (option = option_at(i)); i++)
		if (option->name && option->value && value_find(option->value))
			put_case(option, value_find(option->value));
	printf("\tesac\n}\n");
}
