#include "core/net/local.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { OWNER_ONLY = 0600 };

int local_check(const char *path)
{
	if (*path == '\0')
		return -ENOENT;
	return strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -ENAMETOOLONG;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* 0: nobody listens there any more. */
static int ask_whose(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = open_socket();
	int err = 0;

	if (fd < 0)
		return fd;

	/* EAGAIN: so many wait for it that we cannot */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
		err = -EADDRINUSE;
	else if (errno == EPROTOTYPE) /* a socket for datagrams */
		err = -EEXIST;
	else if (errno != ECONNREFUSED && errno != ENOENT)
		err = -errno;
	close(fd);
	return err;
}

/* Takes away what a dead process has left; everything else stays. */
static int make_room(const char *path)
{
	struct stat what;
	int err;

	if (lstat(path, &what) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(what.st_mode))
		return -EEXIST;

	err = ask_whose(path);
	if (err)
		return err;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

/*
 * Linux gives the name that bind() makes the mode of the socket itself, so there is no moment at
 * which others could connect; and no umask is touched, which is all threads' at once.
 */
static int bind_for_owner(int fd, const char *path)
{
	struct sockaddr_un address = address_of(path);

	if (fchmod(fd, OWNER_ONLY) != 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return -errno;
	return 0;
}

static int take_name(struct local_name *out, const char *path)
{
	struct stat what;

	if (lstat(path, &what) != 0)
		return -errno;
	if (what.st_mode & (S_IRWXG | S_IRWXO)) { /* another system's bind() */
		unlink(path);
		return -ENOTSUP;
	}

	out->device = what.st_dev;
	out->inode = what.st_ino;
	out->path = slice_copy(slice_of(path));
	if (!out->path) {
		unlink(path);
		return -ENOMEM;
	}
	return 0;
}

/* Of two that come at once, both could find the same dead socket, and the later one would take away
 * what the earlier has made. -EADDRINUSE: there is another. */
static int lock_folder(int *fd, const char *path)
{
	const char *end = strrchr(path, '/');
	char *folder;

	if (end)
		folder = slice_copy((struct slice){
			(const uint8_t *)path, end == path ? 1 : (size_t)(end - path)});
	else
		folder = slice_copy(slice_of("."));
	if (!folder)
		return -ENOMEM;

	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return -EADDRINUSE;
	return 0; /* without a lock where there can be none */
}

static int listen_locked(int fd, struct local_name *name, const char *path, int backlog)
{
	int err;

	err = make_room(path);
	if (!err)
		err = bind_for_owner(fd, path);
	if (!err)
		err = take_name(name, path);
	if (!err && listen(fd, backlog) != 0) {
		err = -errno;
		local_remove(name);
	}
	return err;
}

int local_listen(int *fd, struct local_name *name, const char *path, int backlog)
{
	int folder = -1;
	int got, err;

	err = local_check(path);
	if (err)
		return err;
	got = open_socket();
	if (got < 0)
		return got;

	err = lock_folder(&folder, path);
	if (!err)
		err = listen_locked(got, name, path, backlog);
	if (folder >= 0)
		close(folder);
	if (err)
		close(got);
	else
		*fd = got;
	return err;
}

void local_remove(struct local_name *name)
{
	struct stat what;

	if (name->path && lstat(name->path, &what) == 0 && what.st_dev == name->device &&
		what.st_ino == name->inode)
		unlink(name->path);
	free(name->path);
	name->path = NULL;
}
