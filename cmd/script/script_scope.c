#include "cmd/script/script_scope.h"

#include "cmd/words.h"
#include "core/base/list.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

#include <stdlib.h>

enum { SHOWN_SIZE = 200 };

struct variable {
	struct list link;
	char *name;
	char *value;
	bool fixed;
};

struct scope {
	struct list variables; /* the oldest first */
	size_t variable_count;
	char *phones[SCRIPT_PHONES_MAX];
	size_t phone_count;
};

int scope_new(struct scope **out)
{
	struct scope *scope = calloc(1, sizeof(*scope));

	if (!scope)
		return -ENOMEM;

	list_init(&scope->variables);
	*out = scope;
	return 0;
}

static void free_variable(struct variable *variable)
{
	list_remove(&variable->link);
	free(variable->name);
	free(variable->value);
	free(variable);
}

void scope_free(struct scope *scope)
{
	if (!scope)
		return;

	list_each(link, &scope->variables) free_variable(container_of(link, struct variable, link));
	for (size_t i = 0; i < scope->phone_count; i++)
		free(scope->phones[i]);
	free(scope);
}

static bool is_letter(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_name_byte(uint8_t byte)
{
	return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '-';
}

bool scope_is_name(struct slice name)
{
	if (name.len == 0 || !is_letter(name.data[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!is_name_byte(name.data[i]))
			return false;
	return true;
}

static struct variable *find(const struct scope *scope, struct slice name)
{
	list_each(link, &scope->variables)
	{
		struct variable *variable = container_of(link, struct variable, link);

		if (slice_is(name, variable->name))
			return variable;
	}
	return NULL;
}

static struct variable *add(struct scope *scope, struct slice name)
{
	struct variable *variable = calloc(1, sizeof(*variable));

	if (!variable)
		return NULL;

	list_init(&variable->link);
	variable->name = slice_copy(name);
	if (!variable->name) {
		free_variable(variable);
		return NULL;
	}
	list_add(&scope->variables, &variable->link);
	scope->variable_count++;
	return variable;
}

int scope_set(struct scope *scope, struct slice name, struct slice value, bool fixed)
{
	struct variable *variable = find(scope, name);
	char *copy;

	if (variable && variable->fixed && !fixed)
		return 0;

	copy = slice_copy(value);
	if (!copy)
		return -ENOMEM;

	if (!variable)
		variable = add(scope, name);
	if (!variable) {
		free(copy);
		return -ENOMEM;
	}
	free(variable->value);
	variable->value = copy;
	variable->fixed = fixed;
	return 0;
}

const char *scope_get(const struct scope *scope, struct slice name)
{
	const struct variable *variable = find(scope, name);

	return variable ? variable->value : NULL;
}

bool scope_has_phone(const struct scope *scope, struct slice name)
{
	for (size_t i = 0; i < scope->phone_count; i++)
		if (slice_is(name, scope->phones[i]))
			return true;
	return false;
}

int scope_add_phone(struct scope *scope, struct slice name)
{
	char *copy;

	if (scope_has_phone(scope, name))
		return -EEXIST;
	if (scope->phone_count == SCRIPT_PHONES_MAX)
		return -ENOSPC;

	copy = slice_copy(name);
	if (!copy)
		return -ENOMEM;

	scope->phones[scope->phone_count++] = copy;
	return 0;
}

size_t scope_phones(const struct scope *scope)
{
	return scope->phone_count;
}

const char *scope_phone(const struct scope *scope, size_t i)
{
	return scope->phones[i];
}

/* A line that is being expanded. */
struct writer {
	struct expanded *out;
	size_t len;
	bool full;
};

static void put(struct writer *writer, char byte, size_t from)
{
	writer->full = writer->full || writer->len == SCRIPT_LINE_MAX;
	if (writer->full)
		return;

	writer->out->text[writer->len] = byte;
	writer->out->from[writer->len] = (uint16_t)from;
	writer->len++;
}

/* What a command line takes for more than itself, outside of quotes. */
static bool is_special(char byte)
{
	return strchr(" \t\"'\\#&", byte) != NULL;
}

/* Appends a value so that it is read as it is. quoted: the line is within double quotes there. */
static void put_value(struct writer *writer, const char *value, bool quoted, size_t from)
{
	bool wrap = *value == '\0';

	for (const char *at = value; *at != '\0'; at++)
		wrap = wrap || is_special(*at);
	wrap = wrap && !quoted;

	if (wrap)
		put(writer, '"', from);
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			put(writer, '\\', from);
		put(writer, *at, from);
	}
	if (wrap)
		put(writer, '"', from);
}

static const char *name_at(const void *arg, size_t i)
{
	const struct scope *scope = arg;
	const struct list *link = scope->variables.next;

	while (i-- > 0)
		link = link->next;
	return container_of(link, struct variable, link)->name;
}

static int unknown(const struct scope *scope, struct slice name, struct fault *why)
{
	const char *near = nearest_name(name, scope->variable_count, name_at, scope);
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, name);
	if (near)
		return fault_set(why, -EINVAL, "no variable %s; did you mean %s?", shown, near);
	return fault_set(
		why, -EINVAL, "no variable %s; set it before, or by --var %s=VALUE", shown, shown);
}

/* Reads the name behind a dollar; *at is moved to its last byte. */
static int read_name(struct slice *name, const char *line, size_t *at, struct fault *why)
{
	bool braces = line[*at + 1] == '{';
	size_t begin = *at + (braces ? 2 : 1);
	size_t end = begin;

	/* a dash or a dot may be what comes behind a name that is without braces */
	while (is_letter((uint8_t)line[end]) || (line[end] >= '0' && line[end] <= '9') ||
		(braces && (line[end] == '.' || line[end] == '-')))
		end++;
	*name = (struct slice){(const uint8_t *)line + begin, end - begin};
	if (end == begin || !is_letter(name->data[0]))
		return fault_set(
			why, -EINVAL, "no name behind the $; a dollar itself is written \\$");
	if (braces && line[end] != '}')
		return fault_set(why, -EINVAL, "${ without its }");

	*at = braces ? end : end - 1;
	return 0;
}

static int put_variable(struct writer *writer, const struct scope *scope, const char *line,
	size_t *at, bool quoted, struct fault *why)
{
	size_t from = *at;
	struct slice name;
	const char *value;
	int err;

	err = read_name(&name, line, at, why);
	if (err)
		return err;

	value = scope_get(scope, name);
	if (!value) {
		*at = from;
		return unknown(scope, name, why);
	}
	put_value(writer, value, quoted, from);
	return 0;
}

/* As cmd/command_line.h has it. */
static bool is_comment(const char *line, size_t at)
{
	return line[at] == '#' && (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') &&
	       !(line[at + 1] >= '0' && line[at + 1] <= '9');
}

int scope_expand(struct expanded *out, const struct scope *scope, const char *line,
	struct fault *why, size_t *at)
{
	struct writer writer = {.out = out};
	char quote = '\0';

	for (*at = 0; line[*at] != '\0'; (*at)++) {
		char byte = line[*at];
		int err = 0;

		if (quote == '\0' && is_comment(line, *at))
			break;
		if (byte == '$' && quote != '\'') {
			err = put_variable(&writer, scope, line, at, quote != '\0', why);
		} else {
			put(&writer, byte, *at);
			if (byte == '\\' && quote != '\'' && line[*at + 1] != '\0') {
				(*at)++;
				put(&writer, line[*at], *at);
			} else if (byte == quote)
				quote = '\0';
			else if (quote == '\0' && (byte == '"' || byte == '\''))
				quote = byte;
		}
		if (err)
			return err;
		if (writer.full)
			return fault_set(why, -EINVAL,
				"with the values of its variables the line is longer than %d bytes",
				SCRIPT_LINE_MAX);
	}
	out->text[writer.len] = '\0';
	out->from[writer.len] = (uint16_t)*at;
	return 0;
}
