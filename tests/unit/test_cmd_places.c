/* cmd/settings/places: what the environment says of places, and the folder of what is kept. */
#include "cmd/settings/places.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static char folder[] = "/tmp/cmd_places.XXXXXX";

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_config(void **state)
{
	static const struct {
		const char *home, *config;
		const char *path;
	} rows[] = {
		{"/home/x", NULL, "/home/x/.config/sipcall/sipcall.conf"},
		{"/home/x", "", "/home/x/.config/sipcall/sipcall.conf"},
		{"/home/x", "relative", "/home/x/.config/sipcall/sipcall.conf"},
		{"/home/x", "./x", "/home/x/.config/sipcall/sipcall.conf"},
		{"/home/x", "/etc/x", "/etc/x/sipcall/sipcall.conf"},
		{NULL, "/etc/x", "/etc/x/sipcall/sipcall.conf"},
		{"/", NULL, "//.config/sipcall/sipcall.conf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[PLACES_PATH_SIZE];
		struct text text = TEXT_IN(room);

		set("HOME", rows[i].home);
		set("XDG_CONFIG_HOME", rows[i].config);
		assert_int_equal(places_config(&text), 0);
		assert_string_equal(room, rows[i].path);
	}
}

/* Without a variable, or one that is no path, the user database knows it. */
static void test_home(void **state)
{
	static const char *const none[] = {NULL, "", "here"};
	const struct passwd *entry = getpwuid(getuid());

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		char room[PLACES_PATH_SIZE];
		struct text text = TEXT_IN(room);

		set("HOME", none[i]);
		assert_int_equal(places_home(&text), entry ? 0 : -ENOENT);
		assert_string_equal(room, entry ? entry->pw_dir : "");
	}
}

static void test_long(void **state)
{
	char home[PLACES_PATH_SIZE];
	char room[PLACES_PATH_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	memset(home, 'x', sizeof(home) - 1);
	home[0] = '/';
	home[sizeof(home) - 1] = '\0';
	set("XDG_CONFIG_HOME", NULL);
	set("XDG_STATE_HOME", NULL);
	set("HOME", home);
	assert_int_equal(places_config(&text), -ENAMETOOLONG);
	text = TEXT_IN(room);
	assert_int_equal(places_state(&text, "history"), -ENAMETOOLONG);
}

static unsigned mode_of(const char *path)
{
	struct stat about;

	assert_int_equal(stat(path, &about), 0);
	return about.st_mode & 0777;
}

static void test_state(void **state)
{
	char room[PLACES_PATH_SIZE], path[PLACES_PATH_SIZE];
	struct text expected = TEXT_IN(path);
	struct text text;

	(void)state;
	set("HOME", folder);
	set("XDG_STATE_HOME", NULL);
	text_printf(&expected, "%s/.local/state/sipcall", folder);
	for (int i = 0; i < 2; i++) { /* when it is there already, too */
		text = TEXT_IN(room);
		assert_int_equal(places_state(&text, "history"), 0);
		assert_memory_equal(room, path, expected.len);
		assert_string_equal(room + expected.len, "/history");
		assert_int_equal(mode_of(path), 0700);
	}

	text_puts(&expected, "/no folder");
	assert_int_equal(close(creat(path, 0600)), 0);
	set("XDG_STATE_HOME", path);
	text = TEXT_IN(room);
	assert_int_equal(places_state(&text, "history"), -ENOTDIR);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const paths[] = {"/.local/state/sipcall/no folder",
		"/.local/state/sipcall", "/.local/state", "/.local", ""};
	char room[PLACES_PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct text text = TEXT_IN(room);

		text_printf(&text, "%s%s", folder, paths[i]);
		(void)(i == 0 ? unlink(room) : rmdir(room));
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests_name("cmd/settings/places", tests, set_up, tear_down);
}
