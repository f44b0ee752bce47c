#include "cmd/readers/call_file.h"

#include "cmd/prompt/recall.h"
#include "cmd/settings/places.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { SHOWN_SIZE = 300 };

static int explain(struct fault *why, int err, const struct text *path)
{
	char room[SHOWN_SIZE];
	struct text shown = TEXT_IN(room);

	text_put_escaped(&shown, text_slice(path));
	return fault_set(why, err, "the calls that were cannot be kept%s%s: %s",
		shown.len > 0 ? " in " : "", room, strerror(-err));
}

/* One program at a time: each puts a whole file in the place of the one before. -1: without. */
static int lock_folder(const struct text *path)
{
	struct slice whole = text_slice(path);
	const char *end = strrchr(path->data, '/');
	char *folder;
	int fd;

	whole.len = end ? (size_t)(end - path->data) : 0;
	folder = slice_copy(whole);
	if (!folder)
		return -1;

	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	return fd;
}

static void pass_by(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

int call_file_add(char *const lines[], size_t count, struct fault *why)
{
	char room[PLACES_PATH_SIZE];
	struct text path = TEXT_IN(room);
	struct recall *recall;
	int lock, err;

	err = places_state(&path, "calls");
	if (!err)
		err = recall_new(&recall, room, pass_by, NULL);
	if (err)
		return explain(why, err, &path);

	for (size_t i = 0; i < count; i++)
		recall_add(recall, lines[i]);
	lock = lock_folder(&path);
	err = recall_save(recall, why);
	if (lock >= 0)
		close(lock);
	recall_free(recall);
	return err ? explain(why, err, &path) : 0;
}

int call_file_read(void (*line)(void *arg, const char *line), void *arg, struct fault *why)
{
	char room[PLACES_PATH_SIZE];
	struct text path = TEXT_IN(room);
	struct recall *recall;
	int err;

	err = places_state(&path, "calls");
	if (!err)
		err = recall_new(&recall, room, line, arg);
	if (err)
		return explain(why, err, &path);

	recall_free(recall);
	return 0;
}
