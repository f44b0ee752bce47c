/* cmd/script/report: the exact TAP and XML, whatever the script's text is; files that are whole. */
#include "cmd/script/report.h"

#include "core/base/loop.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program here, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct report *make(const char *tap, const char *junit)
{
	const struct report_config config = {"a<b.sipcall", tap, junit};
	struct report *report;

	assert_int_equal(report_new(&report, &config), 0);
	return report;
}

static void fill(struct report *report)
{
	report_add(
		report, &(struct report_point){
				.line = 3, .text = "call x", .ok = true, .ns = 1500 * NS_PER_MS});
	report_add(report, &(struct report_point){.line = 4,
				   .text = "expect \"a\" # \x1b[31m & <b>",
				   .words = "got 'b' > \"c\" #1\\",
				   .more = slice_of("    one\n    two & \x01\n")});
}

static void test_tap(void **state)
{
	struct report *report = make(NULL, NULL);
	size_t len = 0;
	char *text;

	(void)state;
	fill(report);
	assert_int_equal(report_points(report), 2);
	assert_int_equal(report_failed(report), 1);
	text = report_tap(report, &len);
	assert_string_equal(text, "TAP version 13\n"
				  "ok 1 - a<b.sipcall:3 call x\n"
				  "not ok 2 - a<b.sipcall:4 expect \"a\" \\# \\\\x1b[31m & <b>\n"
				  "# got 'b' > \"c\" \\#1\\\\\n"
				  "#     one\n"
				  "#     two & \x01\n"
				  "1..2\n");
	assert_int_equal(len, strlen(text));
	free(text);
	report_broken(report, "Interrupt # 2");
	text = report_tap(report, &len);
	assert_non_null(strstr(text, "two & \x01\nBail out! Interrupt \\# 2\n"));
	assert_null(strstr(text, "1.."));
	free(text);
	report_free(report);
}

static void test_junit(void **state)
{
	static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
	struct report *report = make(NULL, NULL);
	size_t len = 0;
	char *text;

	(void)state;
	fill(report);
	text = report_junit(report, 86400 * NS_PER_S, 2500 * NS_PER_MS, &len);
	assert_memory_equal(text, head, strlen(head));
	assert_string_equal(text + strlen(head),
		"  <testsuite name=\"a&lt;b.sipcall\" tests=\"2\" failures=\"1\" errors=\"0\" "
		"time=\"2.500\" timestamp=\"1970-01-02T00:00:00\">\n"
		"    <testcase classname=\"a&lt;b.sipcall\" name=\"a&lt;b.sipcall:3 call x\" "
		"time=\"1.500\"/>\n"
		"    <testcase classname=\"a&lt;b.sipcall\" name=\"a&lt;b.sipcall:4 expect "
		"&quot;a&quot; # \\x1b[31m &amp; &lt;b&gt;\" time=\"0.000\">\n"
		"      <failure message=\"got 'b' &gt; &quot;c&quot; #1\\\">    one\n"
		"    two &amp; \\x01\n"
		"</failure>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
	assert_int_equal(len, strlen(text));
	free(text);
	report_broken(report, "killed & \"gone\"");
	text = report_junit(report, 0, 0, &len);
	assert_non_null(strstr(text, "tests=\"3\" failures=\"1\" errors=\"1\""));
	assert_non_null(strstr(text, "<error message=\"killed &amp; &quot;gone&quot;\"/>\n"));
	free(text);
	report_free(report);
}

static void test_empty(void **state)
{
	struct report *report = make(NULL, NULL);
	size_t len;
	char *text = report_tap(report, &len);

	(void)state;
	assert_string_equal(text, "TAP version 13\n1..0\n");
	free(text);
	report_free(report);
}

static size_t read_file(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
	return len;
}

/* A file takes the place of another, through a link too; a pipe is written through. */
static void test_files(void **state)
{
	char folder[] = "/tmp/report-XXXXXX", tap[64], link[64], fifo[64], room[2048];
	struct report *report;
	struct fault why;
	int reader;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(tap, sizeof(tap), "%s/a.tap", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(symlink(tap, link), 0);
	assert_int_equal(close(creat(tap, 0600)), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);

	report = make(link, fifo);
	fill(report);
	assert_int_equal(report_write(report, 0, 0, &why), 0);
	read_file(tap, room, sizeof(room));
	assert_non_null(strstr(room, "\n1..2\n"));
	assert_true(read(reader, room, sizeof(room)) > 100);
	assert_memory_equal(room, "<?xml", 5);
	report_free(report);

	close(reader);
	unlink(link);
	unlink(tap);
	unlink(fifo);
	assert_int_equal(rmdir(folder), 0); /* and nothing else is there */
}

static void test_no_place(void **state)
{
	struct report *report = make("/nowhere/a.tap", "/nowhere/b.xml");
	struct fault why;

	(void)state;
	fill(report);
	assert_int_equal(report_write(report, 0, 0, &why), -ENOENT);
	assert_string_equal(why.words, "cannot write /nowhere/a.tap: No such file or directory");
	report_free(report);
}

/* Half a report is none. */
static void test_no_memory(void **state)
{
	const struct report_config config = {"s", NULL, NULL};
	struct report *report;
	char *text = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; !text; i++) {
		allocations_left = i;
		if (report_new(&report, &config) == 0) {
			fill(report);
			report_broken(report, "x");
			text = report_tap(report, &len);
			if (text) {
				free(text);
				text = report_junit(report, 0, 0, &len);
			}
			assert_int_equal(report_points(report), 2);
			report_free(report);
		}
		allocations_left = SIZE_MAX;
	}
	assert_non_null(strstr(text, "</testsuites>\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
