#include "cmd/settings/places.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "sipcall"

enum { FOLDER_MODE = 0700, ENTRY_SIZE = 4096 };

/* Who is not told it by a shell is told it by the user database. */
static int look_up_home(struct text *out)
{
	char room[ENTRY_SIZE];
	struct passwd entry, *found;

	if (getpwuid_r(getuid(), &entry, room, sizeof(room), &found) != 0 || !found ||
		!entry.pw_dir || entry.pw_dir[0] != '/')
		return -ENOENT;

	text_puts(out, entry.pw_dir);
	return out->cut ? -ENAMETOOLONG : 0;
}

int places_home(struct text *out)
{
	const char *home = getenv("HOME");

	if (!home || home[0] != '/')
		return look_up_home(out);

	text_puts(out, home);
	return out->cut ? -ENAMETOOLONG : 0;
}

/* "All paths set in these environment variables must be absolute. If [...] a relative path [is
 * there], the implementation should consider the path invalid and ignore it." */
static int put_base(struct text *out, const char *variable, const char *below_home)
{
	const char *base = getenv(variable);
	int err;

	if (base && base[0] == '/') {
		text_puts(out, base);
		return 0;
	}
	err = places_home(out);
	text_puts(out, below_home);
	return err;
}

int places_config(struct text *out)
{
	int err = put_base(out, "XDG_CONFIG_HOME", "/.config");

	if (err)
		return err;
	text_puts(out, "/" FOLDER "/sipcall.conf");
	return out->cut ? -ENAMETOOLONG : 0;
}

/* With those above it, as far as they are not there. */
static int make_folder(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, FOLDER_MODE); /* the last one tells */
		*slash = '/';
	}
	return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST ? 0 : -errno;
}

int places_state(struct text *out, const char *name)
{
	int err = put_base(out, "XDG_STATE_HOME", "/.local/state");

	if (err)
		return err;
	text_puts(out, "/" FOLDER);
	if (out->cut)
		return -ENAMETOOLONG;
	err = make_folder(out->data);
	if (err)
		return err;
	text_printf(out, "/%s", name);
	return out->cut ? -ENAMETOOLONG : 0;
}
