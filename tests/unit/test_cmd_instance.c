/* cmd/settings/instance: made once, kept, and another one for who runs beside. */
#include "cmd/settings/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static char folder[] = "/tmp/sipcall-instance-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && setenv("XDG_STATE_HOME", folder, 1) == 0 ? 0 : -1;
}

static const char *path_of(char room[static 128], const char *name)
{
	snprintf(room, 128, "%s/sipcall/%s", folder, name);
	return room;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"instance", "instance.2", "instance.3"};
	char room[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(path_of(room, names[i]));
	snprintf(room, sizeof(room), "%s/sipcall", folder);
	(void)rmdir(room);
	return rmdir(folder);
}

static void write_file(const char *name, const char *text)
{
	char room[128];
	FILE *file = fopen(path_of(room, name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_made_once(void **state)
{
	struct instance first, again;
	struct stat info;
	char room[128];

	(void)state;
	assert_int_equal(instance_claim(&first), 0);
	assert_int_equal(strlen(first.urn), INSTANCE_SIZE - 1);
	assert_int_equal(strncmp(first.urn, "urn:uuid:", 9), 0);
	assert_int_equal(first.urn[23], '4'); /* of chance */
	assert_non_null(strchr("89ab", first.urn[28]));
	assert_int_equal(stat(path_of(room, "instance"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	again = first;
	instance_release(&first);
	assert_int_equal(instance_claim(&first), 0);
	assert_string_equal(first.urn, again.urn);
	instance_release(&first);
}

static void test_one_each(void **state)
{
	struct instance all[3], again;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(instance_claim(&all[i]), 0);
	assert_string_not_equal(all[0].urn, all[1].urn);
	assert_string_not_equal(all[1].urn, all[2].urn);
	again = all[1];
	instance_release(&all[1]);
	assert_int_equal(instance_claim(&all[1]), 0);
	assert_string_equal(all[1].urn, again.urn);
	for (size_t i = 0; i < 3; i++)
		instance_release(&all[i]);
}

/* What is none is made anew. */
static void test_broken(void **state)
{
	static const char *const texts[] = {"", "urn:uuid:", "x",
		"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
		"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n\n",
		"urn:uuid:f81d4fae+7dec-11d0-a765-00a0c91e6bf6",
		"\"><sip:evil>;x=f81d4fae-7dec-11d0-a765-00a0c"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct instance made, again;

		write_file("instance", texts[i]);
		assert_int_equal(instance_claim(&made), 0);
		instance_release(&(struct instance){.fd = made.fd});
		assert_int_equal(instance_claim(&again), 0);
		if (i != 4) /* what follows a good one is not read */
			assert_string_equal(made.urn, again.urn);
		assert_int_equal(strncmp(again.urn, "urn:uuid:", 9), 0);
		assert_null(strpbrk(again.urn, "\"<> \n"));
		instance_release(&again);
	}
}

static void test_no_place(void **state)
{
	struct instance none;

	(void)state;
	setenv("XDG_STATE_HOME", "/proc/nowhere", 1);
	assert_true(instance_claim(&none) < 0);
	assert_string_equal(none.urn, "");
	instance_release(&none);
	setenv("XDG_STATE_HOME", folder, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_once),
		cmocka_unit_test(test_one_each),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_no_place),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
