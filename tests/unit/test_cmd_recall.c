/* cmd/prompt/recall: which lines are kept, how many, who may read them, and what becomes of them
 * when several runs keep some or the disk will not. */
#include "cmd/prompt/recall.h"

#include "core/base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 1 << 17, PATH_SIZE = 256 };

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static const struct {
	const char *line;
	bool kept;
} lines[] = {
	{"call bob", true},
	{"call sip:bob@example.org", true},
	{"call sip:bob@example.org:5070;transport=tcp", true},
	{"call sips:bob@example.org:5061", true},
	{"call bob@192.0.2.1:5060", true},
	{"message carol at 10:30", true},
	{"message carol at 10:30 to me@home", true},
	{"", false},
	{" call bob", false},
	{"call sip:bob:secret@example.org", false},
	{"call SIPS:bob:secret@example.org", false},
	{"call <sip:bob:secret@example.org>", false},
	{"call \"sip:bob:secret@example.org\"", false},
	{"call bob:secret@example.org", false},
	{"call x bob:@example.org", false},
	{"set password hunter2", false},
	{"set Password=hunter2", false},
};

static void test_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (recall_may_keep(lines[i].line) != lines[i].kept)
			fail_msg("\"%s\"", lines[i].line);
}

/* A folder of its own, with the path of a file in it that is in a folder that is not there. */
struct place {
	char folder[PATH_SIZE];
	char path[2 * PATH_SIZE];
};

static void place_make(struct place *place)
{
	snprintf(place->folder, sizeof(place->folder), "/tmp/sipcall-recall-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/state/sipcall/history", place->folder);
}

static void place_remove(struct place *place)
{
	char command[2 * PATH_SIZE];

	snprintf(command, sizeof(command), "rm -rf %s", place->folder);
	assert_int_equal(system(command), 0);
}

static void put_line(void *arg, const char *line)
{
	struct text *out = arg;

	text_printf(out, "%s\n", line);
}

/* Reads what is there into room, and adds these lines. */
static struct recall *open_recall(char room[static ROOM], const char *path)
{
	struct text text = text_in(room, ROOM);
	struct recall *recall;

	assert_int_equal(recall_new(&recall, path, put_line, &text), 0);
	return recall;
}

static void expect(const char *path, const char *want)
{
	static char room[ROOM];

	recall_free(open_recall(room, path));
	assert_string_equal(room, want);
}

static unsigned mode_of(const char *path)
{
	struct stat about;

	assert_int_equal(stat(path, &about), 0);
	return about.st_mode & 07777;
}

static void test_runs(void **state)
{
	static char room[ROOM];
	struct place place;
	struct recall *one, *other;
	struct fault why;

	(void)state;
	place_make(&place);
	expect(place.path, "");
	one = open_recall(room, place.path);
	other = open_recall(room, place.path);
	assert_int_equal(recall_save(one, &why), 0); /* nothing: no file, either */
	assert_int_equal(access(place.path, F_OK), -1);
	recall_add(one, "first");
	recall_add(other, "second");
	recall_add(one, "third");
	assert_int_equal(recall_save(one, &why), 0);
	expect(place.path, "first\nthird\n");
	assert_int_equal(recall_save(other, &why), 0);
	expect(place.path, "first\nthird\nsecond\n");
	assert_int_equal(mode_of(place.path), 0600);
	recall_free(one);
	recall_free(other);
	recall_free(NULL);
	place_remove(&place);
}

static void test_bounded(void **state)
{
	static char room[ROOM], want[ROOM];
	struct text text = TEXT_IN(want);
	struct place place;
	struct recall *recall;
	struct fault why;

	(void)state;
	place_make(&place);
	for (int run = 0; run < 2; run++) {
		recall = open_recall(room, place.path);
		for (int i = 0; i < RECALL_MAX * 3 / 4; i++) {
			snprintf(want, sizeof(want), "line %d of %d", i, run);
			recall_add(recall, want);
		}
		assert_int_equal(recall_save(recall, &why), 0);
		recall_free(recall);
	}
	for (int i = RECALL_MAX / 2; i < RECALL_MAX * 3 / 4; i++)
		text_printf(&text, "line %d of 0\n", i);
	for (int i = 0; i < RECALL_MAX * 3 / 4; i++)
		text_printf(&text, "line %d of 1\n", i);
	expect(place.path, want);

	recall = open_recall(room, place.path);
	for (int i = 0; i < RECALL_MAX + 3; i++) {
		snprintf(room, sizeof(room), "%d", i);
		recall_add(recall, room);
	}
	assert_int_equal(recall_save(recall, &why), 0);
	recall_free(recall);
	recall_free(open_recall(room, place.path));
	assert_int_equal(strncmp(room, "3\n4\n", 4), 0);
	place_remove(&place);
}

/* A file of somebody's own making: too large, without an end, with empty lines. */
static void test_odd_files(void **state)
{
	static char room[ROOM];
	struct place place;
	FILE *file;

	(void)state;
	place_make(&place);
	snprintf(place.path, sizeof(place.path), "%s/history", place.folder);
	file = fopen(place.path, "w");
	for (int i = 0; i < 3 << 20; i++)
		fputc('x', file);
	fputs("\none\n\n\ntwo", file);
	fclose(file);
	recall_free(open_recall(room, place.path));
	assert_non_null(strstr(room, "one\ntwo\n"));
	place_remove(&place);
}

static void test_links(void **state)
{
	static char room[ROOM];
	char link[3 * PATH_SIZE];
	struct place place;
	struct recall *recall;
	struct fault why;
	struct stat about;

	(void)state;
	place_make(&place);
	snprintf(place.path, sizeof(place.path), "%s/file", place.folder);
	snprintf(link, sizeof(link), "%s/link", place.folder);
	fclose(fopen(place.path, "w"));
	assert_int_equal(symlink(place.path, link), 0);
	recall = open_recall(room, link);
	recall_add(recall, "one");
	assert_int_equal(recall_save(recall, &why), 0);
	recall_free(recall);
	assert_int_equal(lstat(link, &about), 0);
	assert_true(S_ISLNK(about.st_mode));
	expect(place.path, "one\n");

	recall = open_recall(room, "/dev/null");
	recall_add(recall, "one");
	assert_int_equal(recall_save(recall, &why), 0);
	recall_free(recall);
	assert_int_equal(stat("/dev/null", &about), 0);
	assert_true(S_ISCHR(about.st_mode));
	place_remove(&place);
}

/* Its other end would be waited for. */
static void test_fifo(void **state)
{
	static char room[ROOM];
	struct place place;
	struct recall *recall;
	struct fault why;
	struct stat about;

	(void)state;
	place_make(&place);
	snprintf(place.path, sizeof(place.path), "%s/fifo", place.folder);
	assert_int_equal(mkfifo(place.path, 0600), 0);
	alarm(5); /* as it did wait */
	recall = open_recall(room, place.path);
	assert_string_equal(room, "");
	recall_add(recall, "one");
	assert_int_equal(recall_save(recall, &why), 0);
	recall_free(recall);
	alarm(0);
	assert_int_equal(lstat(place.path, &about), 0);
	assert_true(S_ISFIFO(about.st_mode));
	place_remove(&place);
}

static void test_no_way(void **state)
{
	static char room[ROOM];
	struct place place;
	struct recall *recall;
	struct fault why;

	(void)state;
	place_make(&place);
	recall = open_recall(room, "/proc/no/such/history\x1b");
	recall_add(recall, "one");
	assert_int_equal(recall_save(recall, &why), -ENOENT);
	assert_string_equal(why.words,
		"what was typed cannot be kept in /proc/no/such/history\\x1b: No such file or "
		"directory");
	recall_free(recall);

	for (size_t i = 0; i < 3; i++) {
		struct text text = TEXT_IN(room);

		allocations_left = i;
		if (recall_new(&recall, place.path, put_line, &text) == 0)
			recall_free(recall);
	}
	allocations_left = 0;
	assert_int_equal(recall_new(&recall, place.path, put_line, NULL), -ENOMEM);
	allocations_left = SIZE_MAX;
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_no_way),
	};

	return cmocka_run_group_tests_name("cmd/prompt/recall", tests, NULL, NULL);
}
