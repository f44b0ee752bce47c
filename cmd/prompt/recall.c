#include "cmd/prompt/recall.h"

#include "cmd/words.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 20, /* bytes of a file that are looked at, its last */
	FOLDER_MODE = 0700, /* of what has to be made (XDG Base Directory, "0700") */
};

struct recall {
	char *path;
	size_t count; /* lines of this run, the last ones */
	char *added[RECALL_MAX];
};

static const char *const secret_words[] = {"password", "passwd"};

bool recall_may_keep(const char *line)
{
	struct slice word, rest = slice_of(line);

	if (rest.len == 0 || line[0] == ' ')
		return false;
	while (rest.len > 0) {
		slice_cut(&word, &rest, ' ');
		if (words_typed_password(word).len > 0)
			return false;
		for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++)
			if (slice_starts_nocase(word, secret_words[i]))
				return false;
	}
	return true;
}

/* Moves to the end of a long file. Whether a line may be cut there. */
static bool skip_beginning(FILE *file)
{
	struct stat about;

	if (fstat(fileno(file), &about) != 0 || about.st_size <= FILE_MAX)
		return false;
	return fseeko(file, about.st_size - FILE_MAX, SEEK_SET) == 0;
}

/* Nobody waits for the other end of a FIFO, and a device is no file of lines; nor is a folder. */
static FILE *open_plain(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat about;
	FILE *file = NULL;

	if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
		file = fdopen(fd, "r");
	if (fd >= 0 && !file)
		close(fd);
	return file;
}

/* The end of the file, NUL-terminated, to be freed; NULL: there is nothing to be had. */
static char *read_end(const char *path)
{
	FILE *file = open_plain(path);
	char *room = calloc(1, FILE_MAX + 1);
	char *whole;

	if (file && room) {
		bool cut = skip_beginning(file);
		size_t len = fread(room, 1, FILE_MAX, file);

		for (size_t i = 0; i < len; i++) /* a NUL ends its own line alone */
			if (room[i] == '\0')
				room[i] = '\n';
		whole = cut ? memchr(room, '\n', len) : room;
		if (!whole)
			room[0] = '\0';
		else if (whole != room)
			memmove(room, whole, len - (size_t)(whole - room) + 1);
	}
	if (file)
		fclose(file);
	return room;
}

/* Calls each with the last lines of text, which is cut into them; skip: so many of them before. */
static void each_line(char *text, size_t skip, void (*each)(void *arg, const char *line), void *arg)
{
	size_t count = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	while (text && *text != '\0') {
		const char *line = strsep(&text, "\n");

		if (count-- <= RECALL_MAX - skip && *line != '\0')
			each(arg, line);
	}
}

int recall_new(
	struct recall **out, const char *path, void (*line)(void *arg, const char *line), void *arg)
{
	struct recall *self = calloc(1, sizeof(*self));
	char *text;

	if (!self)
		return -ENOMEM;
	/* a link to it stays one */
	self->path = realpath(path, NULL);
	if (!self->path)
		self->path = slice_copy(slice_of(path));
	if (!self->path) {
		free(self);
		return -ENOMEM;
	}

	text = read_end(self->path);
	if (text)
		each_line(text, 0, line, arg);
	free(text);
	*out = self;
	return 0;
}

void recall_free(struct recall *recall)
{
	if (!recall)
		return;

	for (size_t i = 0; i < recall->count; i++)
		free(recall->added[i]);
	free(recall->path);
	free(recall);
}

void recall_add(struct recall *recall, const char *line)
{
	char *copy = slice_copy(slice_of(line));

	if (!copy)
		return;
	if (recall->count == RECALL_MAX) {
		free(recall->added[0]);
		recall->count--;
		memmove(recall->added, recall->added + 1, recall->count * sizeof(char *));
	}
	recall->added[recall->count++] = copy;
}

/* The folders that the file is in, as far as they are not there. */
static void make_folders(const char *path)
{
	char room[PATH_MAX];
	struct text text = TEXT_IN(room);

	text_puts(&text, path);
	for (char *at = room; !text.cut && (at = strchr(at + 1, '/'));) {
		*at = '\0';
		(void)mkdir(room, FOLDER_MODE); /* whether it is there, opening the file tells */
		*at = '/';
	}
}

static void put_line(void *arg, const char *line)
{
	FILE *file = arg;

	fputs(line, file);
	fputc('\n', file);
}

static void put_all(struct recall *self, FILE *file)
{
	char *text = read_end(self->path); /* others may have added to it */

	if (text)
		each_line(text, self->count, put_line, file);
	free(text);
	for (size_t i = 0; i < self->count; i++)
		put_line(file, self->added[i]);
}

/* A whole file takes the place of the old one, or none does. mkstemp() makes it 0600. */
static int replace(struct recall *self, char *name)
{
	int fd = mkstemp(name);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int err = 0;

	if (!file) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	put_all(self, file);
	if (fflush(file) != 0 || fsync(fd) != 0)
		err = -errno;
	if (fclose(file) != 0 && !err)
		err = -errno;
	if (!err && rename(name, self->path) != 0)
		err = -errno;
	if (err)
		(void)unlink(name);
	return err;
}

int recall_save(struct recall *recall, struct fault *why)
{
	char name[PATH_MAX];
	struct text text = TEXT_IN(name);
	struct stat about;
	int err = -ENAMETOOLONG;

	if (recall->count == 0)
		return 0;
	if (stat(recall->path, &about) == 0 && !S_ISREG(about.st_mode))
		return 0; /* /dev/null, say: nothing is to be kept */

	make_folders(recall->path);
	text_printf(&text, "%s.XXXXXX", recall->path);
	if (!text.cut)
		err = replace(recall, name);
	if (!err)
		return 0;

	text = text_in(name, 300);
	text_put_escaped(&text, slice_of(recall->path));
	return fault_set(why, err, "what was typed cannot be kept in %s: %s", name, strerror(-err));
}
