/* completion bash|zsh|fish TEMPLATE: what that shell reads to complete the arguments of sipcall. */
#include "cmd/completion/completion.h"

#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 200 };

static const char mark[] = "# @tables@\n"; /* the line of a template that the tables replace */

void completion_quote(const char *words)
{
	putchar('\'');
	for (; *words != '\0'; words++)
		if (*words == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*words);
	putchar('\'');
}

static int fill(const char *path, void (*write_tables)(void))
{
	char line[LINE_SIZE];
	FILE *template = fopen(path, "r");
	bool marked = false;
	int err;

	if (!template) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), template)) {
		if (strcmp(line, mark) != 0) {
			fputs(line, stdout);
			continue;
		}
		write_tables();
		marked = true;
	}
	err = ferror(template) || fflush(stdout) || !marked;
	fclose(template);
	return err ? 1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*write_tables)(void);
	} shells[] = {
		{"bash", completion_bash},
		{"zsh", completion_zsh},
		{"fish", completion_fish},
	};

	for (size_t i = 0; argc == 3 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(argv[1], shells[i].name) == 0)
			return fill(argv[2], shells[i].write_tables);
	fputs("usage: completion bash|zsh|fish TEMPLATE\n", stderr);
	return 2;
}
