/*
 * cmd/settings/config: any bytes as the file. What is refused is told line by line, and each line
 * can be shown; what is taken can be applied, and its contacts are found by their names.
 */
#include "cmd/settings/config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_told(void *arg, const char *line)
{
	size_t *count = arg;

	for (const char *at = line; *at != '\0'; at++)
		assert(((unsigned char)*at >= ' ' && *at != 0x7f) || strncmp(at, "\n  ", 3) == 0);
	assert(strncmp(line, "f:", 2) == 0);
	(*count)++;
}

static void check_contacts(const struct contacts *contacts)
{
	for (size_t i = 0; i < contacts_count(contacts); i++) {
		const struct contact *contact = contacts_at(contacts, i);

		assert(contacts_find(contacts, slice_of(contact->name)) == contact);
	}
}

static void check_apply(const struct config *config)
{
	static char *const calls[] = {(char *)"sipcall", (char *)"a@b"};
	static char *const waits[] = {(char *)"sipcall", (char *)"--answer=1"};
	struct options options;
	int err;

	err = options_parse(&options, 2, calls, NULL);
	assert(!err);
	config_apply(config, &options);
	err = options_parse(&options, 2, waits, NULL);
	assert(!err);
	config_apply(config, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = 0;
	const struct config_reader reader = {.tell = on_told, .arg = &count};
	struct config *config;
	int err;

	err = config_parse(&config, "f", (struct slice){data, size}, &reader);
	assert(err == 0 || err == -EINVAL);
	assert((count > 0) == (err != 0));
	if (err)
		return 0;

	check_contacts(config_contacts(config));
	check_apply(config);
	config_free(config);
	return 0;
}
