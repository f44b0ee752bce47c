#include "cmd/control/control_line.h"

#include "cmd/words.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { SHOWN_SIZE = 100 };

static const char form[] = "a line is a command, or {\"command\": \"calls\", \"id\": 1}";

/* What stands for a command is one line: it goes to who reads lines. */
static int copy_command(char **out, struct slice text, struct fault *why)
{
	if (slice_find(text, '\0') < text.len)
		return fault_set(why, -EINVAL, "a command cannot hold a NUL");
	if (slice_find(text, '\n') < text.len)
		return fault_set(why, -EINVAL, "a command is one line");

	*out = slice_copy(text);
	return *out ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

static int check_id(json_t *id, struct fault *why)
{
	size_t len;

	if (!json_is_string(id) && !json_is_number(id))
		return fault_set(why, -EINVAL, "an id is a string or a number");

	len = json_dumpb(id, NULL, 0, JSON_ENCODE_ANY);
	if (len > CONTROL_ID_MAX)
		return fault_set(why, -EINVAL, "an id has at most %d bytes", CONTROL_ID_MAX);
	return 0;
}

/* A member that is written wrong would have no effect. */
static int check_members(json_t *object, struct fault *why)
{
	char shown[SHOWN_SIZE];
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		struct text text = TEXT_IN(shown);

		if (strcmp(name, "command") == 0 || strcmp(name, "id") == 0)
			continue;
		words_put(&text, slice_of(name));
		return fault_set(why, -EINVAL, "there is no \"%s\"; %s", shown, form);
	}
	return 0;
}

static int read_object(struct control_line *out, json_t *object, struct fault *why)
{
	json_t *command = json_object_get(object, "command");
	json_t *id = json_object_get(object, "id");
	int err = 0;

	if (id)
		err = check_id(id, why);
	if (err)
		return err;

	out->id = json_incref(id);
	err = check_members(object, why);
	if (err)
		return err;
	if (!json_is_string(command))
		return fault_set(why, -EINVAL, "there is no command; %s", form);
	return copy_command(&out->command,
		(struct slice){
			(const uint8_t *)json_string_value(command), json_string_length(command)},
		why);
}

static int read_json(struct control_line *out, struct slice text, struct fault *why)
{
	json_error_t error;
	json_t *object = json_loadb(
		(const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	int err;

	if (!object)
		return fault_set(
			why, -EINVAL, "this is no JSON: column %d; %s", error.column, form);

	err = read_object(out, object, why);
	json_decref(object);
	return err;
}

int control_line_read(struct control_line *out, struct slice line, struct fault *why)
{
	struct slice text = line;

	*out = (struct control_line){0};
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	text = slice_trim(text);
	if (text.len > CONTROL_LINE_MAX)
		return fault_set(why, -EINVAL, "a line has at most %d bytes", CONTROL_LINE_MAX);
	if (text.len > 0 && text.data[0] == '{')
		return read_json(out, text, why);
	return copy_command(&out->command, text, why);
}

void control_line_drop(struct control_line *line)
{
	free(line->command);
	json_decref(line->id);
	*line = (struct control_line){0};
}
