#include "cmd/control/remote_text.h"

#include "cmd/readers/verdict.h"
#include "cmd/words.h"

#include <jansson.h>

enum { FIELDS_MAX = 5, NAME_COLUMNS = 14, EXIT_MAX = 255 };

/* What of each event a person is told beside its name, its call and its far end. */
static const struct row {
	const char *event;
	const char *fields[FIELDS_MAX];
} table[] = {
	{"listening", {"transport", "address", "port"}},
	{"call.incoming", {"display"}},
	{"call.ringing", {"code", "reason"}},
	{"call.progress", {"code", "reason"}},
	{"call.answered", {"codec", "address"}},
	{"call.media", {"codec", "address"}},
	{"call.held", {"by"}},
	{"call.resumed", {"by"}},
	{"call.muted", {"muted"}},
	{"call.redirected", {"code", "reason"}},
	{"call.ended", {"cause", "code", "words", "duration_s", "mos"}},
	{"error", {"words"}},
	{"notice", {"words"}},
};

/* What comes often, and what others have typed. */
static const char *const silent[] = {"call.stats", "command.done"};

enum { ROWS = sizeof(table) / sizeof(table[0]), SILENT = sizeof(silent) / sizeof(silent[0]) };

static const char *string_of(const json_t *event, const char *name)
{
	return json_string_value(json_object_get(event, name));
}

json_t *remote_read(struct slice line)
{
	json_t *event = json_loadb((const char *)line.data, line.len, 0, NULL);

	if (event && string_of(event, "event"))
		return event;
	json_decref(event);
	return NULL;
}

static bool is_event(const json_t *event, const char *name)
{
	return strcmp(string_of(event, "event"), name) == 0;
}

unsigned remote_id(const json_t *event)
{
	json_int_t id = json_integer_value(json_object_get(event, "id"));

	return is_event(event, "command.done") && id > 0 && id <= UINT32_MAX ? (unsigned)id : 0;
}

const char *remote_error(const json_t *event)
{
	if (!is_event(event, "error") || json_is_integer(json_object_get(event, "call")))
		return NULL;
	return string_of(event, "words");
}

void remote_result(struct remote_result *out, struct text *output, const json_t *event)
{
	json_int_t exit = json_integer_value(json_object_get(event, "code"));
	const json_t *at = json_object_get(event, "at");
	const json_t *lines = json_object_get(event, "output");
	const json_t *line;
	size_t i;

	*out = (struct remote_result){.at = SIZE_MAX};
	out->ok = json_is_true(json_object_get(event, "ok"));
	if (!out->ok) {
		out->exit = exit > 0 && exit <= EXIT_MAX ? (int)exit : VERDICT_LOCAL;
		out->words = string_of(event, "words");
		out->words = out->words ? out->words : "it failed";
	}
	if (json_is_integer(at) && json_integer_value(at) >= 0)
		out->at = (size_t)json_integer_value(at);
	json_array_foreach(lines, i, line)
	{
		if (!json_is_string(line))
			continue;
		text_put_escaped(output, slice_of(json_string_value(line)));
		text_putc(output, '\n');
	}
}

/* Text as it is, numbers as short as they can be, and of what is true its name. */
static void put_field(struct text *out, const char *name, const json_t *value)
{
	if (json_is_string(value) && json_string_length(value) > 0) {
		text_puts(out, "  ");
		words_put(out, slice_of(json_string_value(value)));
	} else if (json_is_number(value) && json_number_value(value) != 0) {
		text_printf(out, "  %s %g", name, json_number_value(value));
	} else if (json_is_boolean(value)) {
		text_printf(out, "  %s", json_is_true(value) ? "on" : "off");
	}
}

static const struct row *row_of(const json_t *event)
{
	size_t i = 0;

	while (i < ROWS && !is_event(event, table[i].event))
		i++;
	return i < ROWS ? &table[i] : NULL;
}

void remote_put_event(struct text *out, const json_t *event)
{
	const json_t *call = json_object_get(event, "call");
	const char *peer = string_of(event, "peer");
	const struct row *row = row_of(event);
	char room[NAME_COLUMNS * 4];
	struct text name = TEXT_IN(room);

	for (size_t i = 0; i < SILENT; i++)
		if (is_event(event, silent[i]))
			return;

	text_put_escaped(&name, slice_of(string_of(event, "event")));
	text_printf(out, "%-*s", NAME_COLUMNS, room);
	if (json_is_integer(call))
		text_printf(out, "  #%d", (int)json_integer_value(call));
	if (peer) {
		text_puts(out, "  ");
		words_put_uri(out, slice_of(peer));
	}
	for (size_t i = 0; row && i < FIELDS_MAX && row->fields[i]; i++)
		put_field(out, row->fields[i], json_object_get(event, row->fields[i]));
	text_putc(out, '\n');
}
