/* The file of a configuration: where it is, and its bytes. */
#include "cmd/settings/config_private.h"

#include "cmd/settings/places.h"
#include "cmd/whole.h"
#include "cmd/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOLD_SIZE = 1024 };

static int cannot(const char *path, int err, const struct config_reader *reader)
{
	char room[TOLD_SIZE];
	struct text text = TEXT_IN(room);

	if (err == -ENOMEM)
		return err;

	words_put(&text, slice_of(path));
	text_printf(&text, ": %s", strerror(-err));
	reader->tell(reader->arg, room);
	return -EINVAL;
}

/* Whether others may read it. */
static bool is_open(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) != 0;
}

/* Below us, lines with passwords may still stand where they were read. */
static void __attribute__((noinline)) wipe_stack(void)
{
	char room[4 * CONFIG_LINE_MAX];

	explicit_bzero(room, sizeof(room));
}

static int read_file(
	struct config **out, const char *path, int fd, const struct config_reader *reader)
{
	struct buf bytes = {.data = malloc(CONFIG_SIZE_MAX + 1), .size = CONFIG_SIZE_MAX + 1};
	int err;

	if (!bytes.data)
		return -ENOMEM;

	err = whole_read(&bytes, fd);
	if (err)
		err = cannot(path, err, reader);
	else
		err = config_parse(out, path, (struct slice){bytes.data, bytes.len}, reader);
	if (!err)
		(*out)->open = is_open(fd);
	explicit_bzero(bytes.data, bytes.len);
	wipe_stack();
	free(bytes.data);
	return err;
}

/* Where nobody said that there is one: a home may be somebody else's. */
static bool may_be_missing(const char *path)
{
	return access(path, F_OK) != 0;
}

static int read_path(
	struct config **out, const char *path, bool optional, const struct config_reader *reader)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0) {
		err = -errno;
		return optional && may_be_missing(path) ? config_new(out, path)
							: cannot(path, err, reader);
	}
	err = read_file(out, path, fd, reader);
	close(fd);
	return err;
}

int config_read(struct config **out, const char *path, const struct config_reader *reader)
{
	char room[PLACES_PATH_SIZE];
	struct text usual = TEXT_IN(room);

	*out = NULL;
	if (path)
		return read_path(out, path, false, reader);
	if (places_config(&usual))
		return config_new(out, "sipcall.conf"); /* no home, and so nothing in it */
	return read_path(out, room, true, reader);
}
