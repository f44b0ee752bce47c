#include "cmd/script/script_check.h"

#include "cmd/check.h"
#include "cmd/words.h"
#include "core/base/loop.h"

#include <limits.h>
#include <stdlib.h>

enum {
	NAME_SIZE = 64, /* of a phone's variable */
	URI_SIZE = 160,
	MISTAKE_SIZE = 2048,
};

int script_scope(struct scope **out, const struct options *options)
{
	int err;

	*out = NULL;
	err = scope_new(out);
	for (size_t i = 0; i < options->var_count && !err; i++) {
		struct slice value = slice_of(options->vars[i]);
		struct slice name;

		(void)slice_cut(&name, &value, '=');
		err = scope_set(*out, name, value, true);
	}
	if (err) {
		scope_free(*out);
		*out = NULL;
	}
	return err;
}

void script_defaults(
	struct options *out, const struct script *script, const struct options *options)
{
	*out = *options;
	out->mic = options->mic ? options->mic : "silence";
	out->speaker = options->speaker ? options->speaker : "null";
	if (script->has_phones)
		out->listen_count = 0; /* they cannot all be there */
}

static int set_member(struct scope *scope, const char *name, const char *member, struct slice value)
{
	char room[NAME_SIZE];
	struct text text = TEXT_IN(room);

	text_printf(&text, "%s.%s", name, member);
	return scope_set(scope, text_slice(&text), value, false);
}

int script_set_address(struct scope *scope, const char *name, const struct addr *address)
{
	static const struct addr here = {.family = ADDR_IPV4, .ip = {127, 0, 0, 1}};
	static const struct addr here6 = {.family = ADDR_IPV6, .ip = {[15] = 1}};
	const struct addr *loopback = address->family == ADDR_IPV6 ? &here6 : &here;
	struct addr at = *address;
	char room[ADDR_TEXT_SIZE];
	char line[URI_SIZE];
	struct text text = TEXT_IN(line);
	struct text port;
	int err;

	if (addr_is_any(address)) {
		at = *loopback; /* any of them is this one too */
		at.port = address->port;
	}
	text_printf(&text, "sip:%s@%s", name, addr_print_port(room, &at));
	err = set_member(scope, name, "uri", text_slice(&text));
	if (!err)
		err = set_member(scope, name, "address", slice_of(addr_print(room, &at)));
	port = TEXT_IN(line);
	text_printf(&port, "%u", (unsigned)at.port);
	return err ? err : set_member(scope, name, "port", text_slice(&port));
}

const char *script_misplaced(
	const struct script *script, const struct scope *scope, const struct step *step)
{
	bool acts = step->kind == SCRIPT_COMMAND || step->kind == SCRIPT_NET;

	if (acts && script->has_phones && scope_phones(scope) == 0)
		return "no phone is there yet; phone NAME comes first";
	return NULL;
}

int script_rounds(unsigned *rounds, unsigned outer, unsigned count, struct fault *why)
{
	if (count > SCRIPT_ROUNDS_MAX / outer)
		return fault_set(why, -EINVAL,
			"with the repeats around it that is %llu times; %d are the most",
			(unsigned long long)outer * count, SCRIPT_ROUNDS_MAX);

	*rounds = outer * count;
	return 0;
}

void script_put_mistake(struct text *out, const struct script *script,
	const struct script_line *line, size_t at, const char *words)
{
	struct slice text = slice_of(line->text);

	words_put(out, slice_of(script->name));
	text_printf(out, ":%u: %s\n", line->number, words);
	if (text.len > 0)
		check_put_caret(out, text, at < text.len ? at : text.len);
}

struct checker {
	const struct script *script;
	const struct options *options;
	struct options defaults;
	struct scope *scope;
	struct step *step;
	unsigned rounds[SCRIPT_DEPTH_MAX + 1]; /* of each repeat around, in all */
	size_t depth;
	void (*tell)(void *arg, struct slice lines);
	void *arg;
	int mistakes;
};

static void tell_mistake(
	struct checker *checker, const struct script_line *line, size_t at, const char *words)
{
	char room[MISTAKE_SIZE];
	struct text text = TEXT_IN(room);

	script_put_mistake(&text, checker->script, line, at, words);
	checker->tell(checker->arg, text_slice(&text));
	if (checker->mistakes < INT_MAX)
		checker->mistakes++;
}

/* What later lines may speak of, also where this one is wrong: each mistake is told once. */
static int take_step(struct checker *checker)
{
	static const struct addr usual = {.family = ADDR_IPV4, .port = 5060, .ip = {127, 0, 0, 1}};
	const struct step *step = checker->step;
	int err;

	if (step->kind == SCRIPT_SET && scope_is_name(step->name))
		return scope_set(checker->scope, step->name, step->value, false);
	if (step->kind != SCRIPT_PHONE || !scope_is_name(step->name))
		return 0;

	err = scope_add_phone(checker->scope, step->name);
	if (err == -ENOMEM)
		return err;
	if (err)
		return 0; /* which has been told */
	return script_set_address(checker->scope,
		scope_phone(checker->scope, scope_phones(checker->scope) - 1), &usual);
}

/* One whose number is wrong counts as one round, and one too deep for none: both have been told. */
static void enter_repeat(struct checker *checker, const struct script_line *line, bool is_wrong)
{
	unsigned outer = checker->rounds[checker->depth];
	unsigned rounds = outer;
	struct fault why;

	if (checker->depth == SCRIPT_DEPTH_MAX)
		return;
	if (!is_wrong && script_rounds(&rounds, outer, checker->step->count, &why))
		tell_mistake(checker, line, 0, why.words);
	checker->rounds[++checker->depth] = rounds;
}

static void check_repeat(struct checker *checker, const struct script_line *line, bool is_wrong)
{
	if (line->kind == SCRIPT_REPEAT)
		enter_repeat(checker, line, is_wrong);
	else if (line->kind == SCRIPT_END && checker->depth > 0)
		checker->depth--;
}

static int check_line(struct checker *checker, const struct script_line *line)
{
	const char *misplaced;
	struct fault why;
	size_t at;
	int err;

	err = step_read(checker->step, checker->scope, &checker->defaults, line, &why, &at);
	misplaced = script_misplaced(checker->script, checker->scope, checker->step);
	if (err)
		tell_mistake(checker, line, at, why.words);
	else if (misplaced)
		tell_mistake(checker, line, 0, misplaced);
	check_repeat(checker, line, err != 0);
	return take_step(checker);
}

int script_check(const struct script *script, const struct options *options,
	void (*tell)(void *arg, struct slice lines), void *arg)
{
	struct checker checker = {
		.script = script, .options = options, .rounds = {1}, .tell = tell, .arg = arg};
	int err;

	err = script_scope(&checker.scope, options);
	if (err)
		return err;

	err = -ENOMEM;
	script_defaults(&checker.defaults, script, options);
	checker.step = calloc(1, sizeof(*checker.step));
	if (!checker.step)
		goto out;

	err = 0;
	for (size_t i = 0; i < script->count && !err; i++)
		err = check_line(&checker, &script->lines[i]);
out:
	free(checker.step);
	scope_free(checker.scope);
	return err ? err : checker.mistakes;
}
