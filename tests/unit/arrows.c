/*
 * Checks who includes whom.
 *
 * arrows ROOT         prints each violation below ROOT as file:line; ends with 0 if there is none,
 *                     with 1 if there are, with 2 if that cannot be told
 * arrows --self-test  shows on small trees with known violations that they are found
 */
#include "tests/unit/arrows_check.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FILES_MAX = 6 };

/* clang-format off */
static const struct example {
	const char *name;
	struct {
		const char *path;
		const char *words;
	} files[FILES_MAX];
	const char *expected; /* each line that is printed */
} examples[] = {
	{"each allowed arrow", {
		{"core/base/a.h",  "#include <stdint.h>\n"},
		{"core/sip/b.c",   "#include \"core/base/a.h\"\n#include \"core/net/n.h\"\n"},
		{"core/net/n.h",   "#include <uv.h>\n#include <time.h>\n"},
		{"core/ua/u.c",    "#include \"core/media/m.h\"\n#include \"core/base/a.h\"\n"},
		{"core/media/m.h", "#include \"core/net/n.h\"\n#include \"audio/file.h\"\n"},
		{"audio/file.h",   "#include <unistd.h>\n#include \"core/base/a.h\"\n"},
	}, ""},
	{"cmd stands above all", {
		{"cmd/commands/call.c", "#include <time.h>\n#include \"core/ua/u.h\"\n"
		                        "#include \"core/rtp/r.h\"\n"},
		{"core/ua/u.h", ""},
		{"core/rtp/r.h", ""},
	}, ""},
	{"forbidden arrows", {
		{"core/rtp/r.c",  "#include <stddef.h>\n\n  #  include \"codecs/c.h\" /* why */\n"},
		{"codecs/c.h",    "#include \"core/net/n.h\"\n"},
		{"core/net/n.h",  ""},
		{"core/base/b.h", "#include \"core/sip/s.h\"\n"},
		{"core/sip/s.h",  ""},
		{"core/ua/u.c",   "#include \"cmd/x.h\"\n#include \"core/rtp/r.c\"\n"},
	},
		"codecs/c.h:1: codecs may not use core/net (\"core/net/n.h\")\n"
		"core/base/b.h:1: core/base may not use core/sip (\"core/sip/s.h\")\n"
		"core/rtp/r.c:3: core/rtp may not use codecs (\"codecs/c.h\")\n"
		"core/ua/u.c:1: \"cmd/x.h\" is no file below the root\n"
		"core/ua/u.c:1: core/ua may not use cmd (\"cmd/x.h\")\n"
		"core/ua/u.c:2: \"core/rtp/r.c\" is a source\n"
		"core/ua/u.c:2: core/ua may not use core/rtp (\"core/rtp/r.c\")\n"},
	{"what may never be", {
		{"core/sip/s.h", "#include \"core/ua/u.h\"\n#include \"core/media/m.h\"\n"
		                 "#include \"codecs/c.h\"\n"},
		{"core/rtp/r.c", "#include \"audio/a.h\"\n"},
		{"core/ua/u.h",  ""},
		{"core/media/m.h", ""},
		{"codecs/c.h",   ""},
		{"audio/a.h",    "#include \"codecs/c.h\"\n"},
	},
		"audio/a.h:1: audio may not use codecs (\"codecs/c.h\")\n"
		"core/rtp/r.c:1: core/rtp may not use audio (\"audio/a.h\")\n"
		"core/sip/s.h:1: core/sip may not use core/ua (\"core/ua/u.h\")\n"
		"core/sip/s.h:2: core/sip may not use core/media (\"core/media/m.h\")\n"
		"core/sip/s.h:3: core/sip may not use codecs (\"codecs/c.h\")\n"},
	{"ways round the check", {
		{"core/sip/a.h", ""},
		{"core/sip/b.c", "#include \"a.h\"\n#include \"../ua/u.h\"\n#include <core/ua/u.h>\n"
		                 "#include MACRO\n#include_next <x.h>\n#include \"a.h\n"},
		{"core/ua/u.h",  ""},
		{"core/lost.c",  ""},
		{"core/network/n.c", ""},
	},
		"core/lost.c:1: stands in no room\n"
		"core/network/n.c:1: stands in no room\n"
		"core/sip/b.c:1: \"a.h\" is no file below the root\n"
		"core/sip/b.c:2: \"../ua/u.h\" is no file below the root\n"
		"core/sip/b.c:3: <core/ua/u.h> is ours and belongs in quotes\n"
		"core/sip/b.c:4: an include that cannot be followed\n"
		"core/sip/b.c:5: an include that cannot be followed\n"
		"core/sip/b.c:6: an include that cannot be followed\n"},
	{"past the loop", {
		{"core/sip/a.c",     "#include <time.h>\n#include <sys/types.h>\n"},
		{"audio/tone.c",     "#include <unistd.h>\n"},
		{"audio/file.c",     "#include <unistd.h>\n#include <pthread.h>\n"},
		{"codecs/c.c",       "#include <threads.h>\n"},
		{"core/base/addr.c", "#include <arpa/inet.h>\n#include <sys/socket.h>\n"},
		{"core/base/text.c", "#include <arpa/inet.h>\n"},
	},
		"audio/file.c:2: <pthread.h>: the loop is asked for that\n"
		"audio/tone.c:1: <unistd.h>: the loop is asked for that\n"
		"codecs/c.c:1: <threads.h>: the loop is asked for that\n"
		"core/base/addr.c:2: <sys/socket.h>: the loop is asked for that\n"
		"core/base/text.c:1: <arpa/inet.h>: the loop is asked for that\n"
		"core/sip/a.c:1: <time.h>: the loop is asked for that\n"},
	{"circle of headers", {
		{"core/sip/a.h", "#pragma once\n#include \"core/sip/b.h\"\n"},
		{"core/sip/b.h", "\n\n#include \"core/sip/c.h\"\n"},
		{"core/sip/c.h", "#include \"core/sip/b.h\"\n"},
		{"core/sip/b.c", "#include \"core/sip/b.h\"\n"},
		{"core/sip/c.c", "#include \"core/sip/c.h\"\n"},
	}, "core/sip/c.h:1: circle: core/sip/b.h -> core/sip/c.h -> core/sip/b.h\n"},
	{"a header of itself", {
		{"core/sip/a.h", "#include \"core/sip/a.h\"\n"},
	}, "core/sip/a.h:1: circle: core/sip/a.h -> core/sip/a.h\n"},
	{"circle of modules", {
		{"core/sip/a.c", "#include \"core/sip/a.h\"\n#include \"core/sip/b.h\"\n"},
		{"core/sip/a.h", ""},
		{"core/sip/b.c", "#include \"core/sip/b.h\"\n#include \"core/sip/c.h\"\n#include \"core/sip/a.h\"\n"
		                 "#include \"core/sip/a.h\"\n"},
		{"core/sip/b.h", ""},
		{"core/sip/c.c", "#include \"core/sip/c.h\"\n"},
		{"core/sip/c.h", ""},
	}, "core/sip/b.c:3: circle: core/sip/a.h -> core/sip/b.h -> core/sip/a.h\n"},
	{"circle of modules through a header alone", {
		{"core/sip/a.c",   "#include \"core/sip/types.h\"\n"},
		{"core/sip/a.h",   ""},
		{"core/sip/b.c",   "#include \"core/sip/a.h\"\n"},
		{"core/sip/b.h",   ""},
		{"core/sip/types.h", "#include \"core/sip/b.h\"\n"},
	}, "core/sip/b.c:1: circle: core/sip/a.h -> core/sip/b.h -> core/sip/a.h\n"},
	{"a diamond, and a private header, are no circles", {
		{"core/sip/a.c",         "#include \"core/sip/a.h\"\n#include \"core/sip/a_private.h\"\n"},
		{"core/sip/a.h",         "#include \"core/sip/types.h\"\n"},
		{"core/sip/a_private.h", "#include \"core/sip/a.h\"\n#include \"core/sip/types.h\"\n"},
		{"core/sip/b.c",         "#include \"core/sip/a_private.h\"\n"},
		{"core/sip/types.h",     ""},
	}, ""},
};
/* clang-format on */

static void make_folders(const char *root, const char *path)
{
	char *full = arrows_text("%s/%s", root, path);

	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700); /* it may be there; if it is not, the file below tells */
		*at = '/';
	}
	free(full);
}

static void make_file(const char *root, const char *path, const char *words)
{
	char *full = arrows_text("%s/%s", root, path);
	FILE *file;

	make_folders(root, path);
	file = fopen(full, "w");
	if (!file || fputs(words, file) < 0 || fclose(file))
		arrows_give_up(full);
	free(full);
}

static void remove_tree(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, NULL);

	for (int i = 0; i < count; i++) {
		char *below = arrows_text("%s/%s", path, entries[i]->d_name);

		if (entries[i]->d_type == DT_DIR && entries[i]->d_name[0] != '.')
			remove_tree(below);
		else
			unlink(below);
		free(below);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	rmdir(path);
}

static bool run_example(const struct example *example)
{
	char root[] = "/tmp/arrows-XXXXXX";
	char *printed = NULL;
	size_t size = 0;
	size_t file_count;
	FILE *out;
	bool good;

	if (!mkdtemp(root))
		arrows_give_up(root);
	for (size_t i = 0; i < ARROWS_TOPS; i++) {
		char *inside = arrows_text("%s/", arrows_tops[i]);

		make_folders(root, inside);
		free(inside);
	}
	for (size_t i = 0; i < FILES_MAX && example->files[i].path; i++)
		make_file(root, example->files[i].path, example->files[i].words);

	out = open_memstream(&printed, &size);
	if (!out)
		arrows_give_up("memory");
	good = arrows_check(root, out, &file_count) == 0;
	fclose(out);
	remove_tree(root);

	good = good == (size == 0) && strcmp(printed, example->expected) == 0;
	printf("%s %s\n", good ? "ok  " : "FAIL", example->name);
	if (!good)
		printf("expected:\n%sgot:\n%s", example->expected, printed);
	free(printed);
	return good;
}

static int self_test(void)
{
	size_t failed = 0;

	for (size_t i = 0; i < COUNT(examples); i++)
		if (!run_example(&examples[i]))
			failed++;
	return failed > 0;
}

int main(int argc, char **argv)
{
	size_t file_count;
	size_t violations;

	if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
		return self_test();
	if (argc != 2) {
		fputs("usage: arrows ROOT | --self-test\n", stderr);
		return 2;
	}

	violations = arrows_check(argv[1], stdout, &file_count);
	printf("%zu files, %zu violations\n", file_count, violations);
	if (file_count == 0) /* then nothing was proved */
		return 2;
	return violations > 0;
}
