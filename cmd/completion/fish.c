/* A line an option. */
#include "cmd/completion/completion.h"

#include <stdio.h>

/* -a "(command words...)": quoted twice, for the words are written between double quotes, in which
 * a quote of one kind does not end those of the other. */
static void put_words(const struct value *value)
{
	char word[VALUE_WORD_SIZE];

	printf(" -a \"(%s", value->list ? "__fish_append , " : "__sipcall_offer");
	for (size_t i = 0; value->word(word, i); i++) {
		putchar(' ');
		completion_quote(word);
	}
	printf(")\"");
}

static void put_option(const struct option *option)
{
	const struct value *value = option->value ? value_find(option->value) : NULL;

	printf("complete -c sipcall -l %s", option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (value && !option->optional)
		printf(value->files ? " -r -F" : " -x");
	if (value && value->word)
		put_words(value);
	printf(" -d ");
	completion_quote(option->help);
	putchar('\n');
}

void completion_fish(void)
{
	const struct option *option;

	for (size_t i = 0; (option = option_at(i)); i++)
		if (option->name)
			put_option(option);
}
