#include "cmd/script/report.h"

#include "cmd/words.h"
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	PATH_SIZE = 4096,
	TRIES = 100, /* names beside the place that may be taken */
	TIME_SIZE = 64,
};

struct point {
	struct list link;
	unsigned line;
	bool ok;
	uint64_t ns;
	char *text; /* NULL: there was no memory for it */
	char *words;
	char *more;
};

struct report {
	struct report_config config;
	struct list points;
	size_t count;
	size_t failed;
	char *broken; /* by what; NULL: it has come to its end */
	bool lost;    /* a point, for want of memory */
};

int report_new(struct report **out, const struct report_config *config)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return -ENOMEM;

	report->config = *config;
	list_init(&report->points);
	*out = report;
	return 0;
}

static void free_point(struct point *point)
{
	free(point->text);
	free(point->words);
	free(point->more);
	free(point);
}

void report_free(struct report *report)
{
	if (!report)
		return;

	list_each(link, &report->points) free_point(container_of(link, struct point, link));
	free(report->broken);
	free(report);
}

void report_add(struct report *report, const struct report_point *point)
{
	struct point *copy = calloc(1, sizeof(*copy));

	report->count++;
	report->failed += !point->ok;
	if (!copy) {
		report->lost = true;
		return;
	}
	copy->line = point->line;
	copy->ok = point->ok;
	copy->ns = point->ns;
	copy->text = slice_copy(slice_of(point->text));
	copy->words = slice_copy(slice_of(point->words ? point->words : ""));
	copy->more = slice_copy(point->more);
	list_add(&report->points, &copy->link);
	if (!copy->text || !copy->words || !copy->more)
		report->lost = true;
}

void report_broken(struct report *report, const char *words)
{
	free(report->broken);
	report->broken = slice_copy(slice_of(words));
	report->lost = report->lost || !report->broken;
}

size_t report_points(const struct report *report)
{
	return report->count;
}

size_t report_failed(const struct report *report)
{
	return report->failed;
}

/* As much text as there is, in memory of its own. */
struct sheet {
	FILE *file;
	char *text;
	size_t len;
};

static int sheet_open(struct sheet *sheet)
{
	*sheet = (struct sheet){0};
	sheet->file = open_memstream(&sheet->text, &sheet->len);
	return sheet->file ? 0 : -ENOMEM;
}

/* The text, or NULL if there was no memory for all of it. */
static char *sheet_close(struct sheet *sheet, size_t *len, bool whole)
{
	bool failed = ferror(sheet->file) != 0;

	failed = fclose(sheet->file) != 0 || failed;
	if (failed || !whole) {
		free(sheet->text);
		return NULL;
	}
	*len = sheet->len;
	return sheet->text;
}

/* Text from outside, harmless, on one line. What TAP takes for more than text is escaped too. */
static int put_tap(FILE *file, const char *string)
{
	size_t size = strlen(string) * 4 + 1;
	char *room = calloc(1, size);
	struct text text;

	if (!room)
		return -ENOMEM;

	text = text_in(room, size);
	text_put_escaped(&text, slice_of(string));
	for (const char *at = room; *at != '\0'; at++) {
		if (*at == '#' || *at == '\\')
			fputc('\\', file);
		fputc(*at, file);
	}
	free(room);
	return 0;
}

/* Lines, each behind "# ". */
static void put_comments(FILE *file, const char *lines)
{
	struct slice rest = slice_of(lines);
	struct slice line;

	while (rest.len > 0) {
		(void)slice_cut(&line, &rest, '\n');
		fprintf(file, "# %.*s\n", (int)line.len, (const char *)line.data);
	}
}

static int put_tap_point(
	FILE *file, const struct report *report, const struct point *point, size_t number)
{
	int err;

	fprintf(file, "%sok %zu - ", point->ok ? "" : "not ", number);
	err = put_tap(file, report->config.name);
	fprintf(file, ":%u ", point->line);
	if (!err)
		err = put_tap(file, point->text);
	fputc('\n', file);
	if (!err && !point->ok) {
		fputs("# ", file);
		err = put_tap(file, point->words);
		fputc('\n', file);
		put_comments(file, point->more);
	}
	return err;
}

char *report_tap(const struct report *report, size_t *len)
{
	struct sheet sheet;
	size_t number = 1;
	int err = 0;

	if (report->lost || sheet_open(&sheet))
		return NULL;

	fputs("TAP version 13\n", sheet.file);
	list_each(link, &report->points)
	{
		if (!err)
			err = put_tap_point(sheet.file, report,
				container_of(link, struct point, link), number++);
	}
	if (report->broken) {
		fputs("Bail out! ", sheet.file);
		err = err ? err : put_tap(sheet.file, report->broken);
		fputc('\n', sheet.file);
	} else {
		fprintf(sheet.file, "1..%zu\n", report->count);
	}
	return sheet_close(&sheet, len, !err);
}

/* Text from outside for an attribute or between tags; lines stay lines. XML 1.0 has no way to
 * write most control characters, so they are escaped as everywhere. */
static int put_xml(FILE *file, struct slice bytes)
{
	size_t size = bytes.len * 4 + 1;
	char *room = calloc(1, size);
	struct slice line;
	bool more;

	if (!room)
		return -ENOMEM;

	do {
		struct text text = text_in(room, size);

		more = slice_cut(&line, &bytes, '\n');
		text_put_escaped(&text, line);
		for (const char *at = room; *at != '\0'; at++) {
			if (*at == '&')
				fputs("&amp;", file);
			else if (*at == '<')
				fputs("&lt;", file);
			else if (*at == '>')
				fputs("&gt;", file);
			else if (*at == '"')
				fputs("&quot;", file);
			else
				fputc(*at, file);
		}
		if (more)
			fputc('\n', file);
	} while (more);
	free(room);
	return 0;
}

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static int put_junit_point(FILE *file, const struct report *report, const struct point *point)
{
	struct slice name = slice_of(report->config.name);
	int err;

	fputs("    <testcase classname=\"", file);
	err = put_xml(file, name);
	fputs("\" name=\"", file);
	err = err ? err : put_xml(file, name);
	fprintf(file, ":%u ", point->line);
	err = err ? err : put_xml(file, slice_of(point->text));
	fprintf(file, "\" time=\"%.3f\"", seconds(point->ns));
	if (point->ok) {
		fputs("/>\n", file);
		return err;
	}
	fputs(">\n      <failure message=\"", file);
	err = err ? err : put_xml(file, slice_of(point->words));
	fputs("\">", file);
	err = err ? err : put_xml(file, slice_of(point->more));
	fputs("</failure>\n    </testcase>\n", file);
	return err;
}

/* A run that was cut short is an error, not a failure of what it tests. */
static int put_junit_broken(FILE *file, const struct report *report)
{
	int err;

	fputs("    <testcase classname=\"", file);
	err = put_xml(file, slice_of(report->config.name));
	fputs("\" name=\"the whole script\">\n      <error message=\"", file);
	err = err ? err : put_xml(file, slice_of(report->broken));
	fputs("\"/>\n    </testcase>\n", file);
	return err;
}

static void put_time(FILE *file, uint64_t wall_ns)
{
	time_t at = (time_t)(wall_ns / NS_PER_S);
	char room[TIME_SIZE];
	struct tm parts;

	if (gmtime_r(&at, &parts) && strftime(room, sizeof(room), "%Y-%m-%dT%H:%M:%S", &parts) > 0)
		fprintf(file, " timestamp=\"%s\"", room);
}

char *report_junit(const struct report *report, uint64_t wall_ns, uint64_t ns, size_t *len)
{
	size_t tests = report->count + (report->broken != NULL);
	struct sheet sheet;
	int err;

	if (report->lost || sheet_open(&sheet))
		return NULL;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"",
		sheet.file);
	err = put_xml(sheet.file, slice_of(report->config.name));
	fprintf(sheet.file, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"%.3f\"", tests,
		report->failed, report->broken != NULL, seconds(ns));
	put_time(sheet.file, wall_ns);
	fputs(">\n", sheet.file);
	list_each(link, &report->points)
	{
		if (!err)
			err = put_junit_point(
				sheet.file, report, container_of(link, struct point, link));
	}
	if (!err && report->broken)
		err = put_junit_broken(sheet.file, report);
	fputs("  </testsuite>\n</testsuites>\n", sheet.file);
	return sheet_close(&sheet, len, !err);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		len -= (size_t)written;
	}
	return 0;
}

/* A file beside path that was not there; its name goes to out. */
static int open_beside(struct text *out, int *fd, const char *path)
{
	for (unsigned i = 0; i < TRIES; i++) {
		out->len = 0;
		text_printf(out, "%s.%ld-%u", path, (long)getpid(), i);
		if (out->cut)
			return -ENAMETOOLONG;
		*fd = open(out->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd >= 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Into a pipe or a device, which cannot be moved away. For who reads a pipe nobody waits. */
static int write_through(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;

	err = fcntl(fd, F_SETFL, O_WRONLY) ? -errno : write_all(fd, text, len);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int write_file(const char *name, const char *text, size_t len)
{
	char room[PATH_SIZE], real[PATH_SIZE];
	const char *path = realpath(name, real) ? real : name; /* a link stays one */
	struct text beside = TEXT_IN(room);
	struct stat about;
	int fd;
	int err;

	if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
		return write_through(path, text, len);

	err = open_beside(&beside, &fd, path);
	if (err)
		return err;

	err = write_all(fd, text, len);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(beside.data, path))
		err = -errno;
	if (err)
		unlink(beside.data);
	return err;
}

/* text is freed. */
static int write_one(const char *path, char *text, size_t len, struct fault *why)
{
	char shown[FAULT_SIZE];
	struct text name = TEXT_IN(shown);
	int err;

	err = text ? write_file(path, text, len) : -ENOMEM;
	free(text);
	if (!err)
		return 0;

	words_put(&name, slice_of(path));
	return fault_set(why, err, "cannot write %s: %s", shown,
		err == -ENXIO ? "nobody reads that pipe" : strerror(-err));
}

static bool is_file(const char *path)
{
	return path && strcmp(path, "-") != 0;
}

int report_write(struct report *report, uint64_t wall_ns, uint64_t ns, struct fault *why)
{
	const struct report_config *config = &report->config;
	size_t len = 0;
	int err = 0, junit_err = 0;
	char *text;

	if (is_file(config->tap)) {
		text = report_tap(report, &len);
		err = write_one(config->tap, text, len, why);
	}
	if (is_file(config->junit)) {
		struct fault other;

		text = report_junit(report, wall_ns, ns, &len);
		junit_err = write_one(config->junit, text, len, err ? &other : why);
	}
	return err ? err : junit_err;
}
