/*
 * What goes over the control socket and what is kept of calls: each line of the bytes is read as a
 * client's, as a phone's, and as one of the file of calls. What is taken is one line, and what is
 * shown of it does no harm on a terminal.
 */
#include "cmd/control/control_line.h"
#include "cmd/control/remote_text.h"
#include "cmd/readers/call_entry.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHOWN_SIZE = 8192 };

static void check_shown(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		assert(((unsigned char)*at >= ' ' && *at != 0x7f) || *at == '\n');
}

static void read_client(struct slice line)
{
	struct control_line out;
	struct fault why = {""};
	int err = control_line_read(&out, line, &why);

	assert(err == 0 || err == -EINVAL);
	assert((err == 0) == (out.command != NULL));
	assert((err != 0) == (why.words[0] != '\0'));
	check_shown(why.words);
	if (!err)
		assert(!strchr(out.command, '\n'));
	control_line_drop(&out);
}

static void read_phone(struct slice line)
{
	json_t *event = remote_read(line);
	struct remote_result result;
	char room[SHOWN_SIZE];
	struct text text = TEXT_IN(room);

	if (!event)
		return;

	remote_put_event(&text, event);
	check_shown(room);
	text = TEXT_IN(room);
	remote_result(&result, &text, event);
	check_shown(room);
	assert(result.ok == (result.words == NULL) && result.ok == (result.exit == 0));
	(void)remote_id(event);
	(void)remote_error(event);
	json_decref(event);
}

static void read_call(struct slice line)
{
	struct call_entry entry;
	char *text = slice_copy(line);
	int err;

	assert(text);
	err = call_entry_read(&entry, text);
	assert(err == 0 || err == -EPROTO);
	if (!err) {
		assert(entry.way < CALL_WAYS && entry.duration_s >= 0);
		call_entry_drop(&entry);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {data, size};
	struct slice line;

	while (rest.len > 0) {
		(void)slice_cut(&line, &rest, '\n');
		read_client(line);
		read_phone(line);
		read_call(line);
	}
	return 0;
}
