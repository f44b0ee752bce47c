#include "cmd/script/script_run_private.h"

#include "cmd/readers/verdict.h"
#include "core/base/random.h"

#include <stdlib.h>

enum { STEPS_MAX = 500 }; /* at once, before others have their turn */

static void free_begun(struct begun *begun)
{
	list_remove(&begun->link);
	free(begun->words);
	free(begun);
}

/* The command of a result. Of those with &, several phones' may read alike. */
static struct begun *find_begun(const struct script_run *run, const struct queue_result *result)
{
	if (!result->behind)
		return run->waited;

	list_each(link, &run->behind)
	{
		struct begun *begun = container_of(link, struct begun, link);

		if (begun == result->mark)
			return begun;
	}
	return NULL;
}

/* An end that was expected is no failure of that call, which was begun with &. */
static void forgive(struct script_run *run, const struct script_phone *phone, unsigned call)
{
	list_each(link, &run->owed)
	{
		struct begun *begun = container_of(link, struct begun, link);

		if (begun->phone == phone && begun->call == call) {
			free_begun(begun);
			return;
		}
	}
}

/* It may be expected yet: what comes of it is decided at the end. */
static void owe(struct script_run *run, struct begun *begun, const struct queue_result *result)
{
	begun->call = result->call;
	begun->words = slice_copy(slice_of(result->words));
	list_remove(&begun->link);
	if (begun->words) {
		list_add(&run->owed, &begun->link);
		return;
	}
	script_run_fail(
		run, begun->line, begun->phone, "too little memory to remember why it failed", 0);
	free_begun(begun);
}

static void step_on(struct script_run *run);

static void run_post(struct post *post)
{
	struct script_run *run = container_of(post, struct script_run, post);

	run->posted = false;
	step_on(run);
}

/* Goes on, not from within what is going on. */
static void go_on(struct script_run *run)
{
	if (run->posted || run->over)
		return;

	run->posted = true;
	loop_post(run->config.agent_loop, &run->post);
}

static void on_done(void *arg, const struct queue_result *result)
{
	struct script_run *run = arg;
	struct begun *begun = find_begun(run, result);

	if (run->over || !begun)
		return;

	if (result->output.len > 0)
		script_run_show(run, result->output);
	if (!result->ok && result->behind && !begun->expects) {
		owe(run, begun, result);
		go_on(run);
		return;
	}
	if (!result->behind)
		run->waited = NULL;
	if (result->ok) {
		script_run_pass(run, begun);
		if (begun->expects_end)
			forgive(run, begun->phone, result->call);
	} else {
		script_run_fail(run, begun->line, begun->phone, result->words,
			script_run_now(run) - begun->begin_ns);
	}
	free_begun(begun);
	go_on(run);
}

/* The phone of that name; the first where none is said. */
static struct script_phone *phone_of(const struct script_run *run, struct slice name)
{
	for (size_t i = 0; i < run->phone_count; i++)
		if (name.len == 0 || slice_is(name, script_phone_handset(run->phones[i])->name))
			return run->phones[i];
	return NULL;
}

static int begin_command(struct script_run *run, const struct script_line *line)
{
	struct begun *begun = calloc(1, sizeof(*begun));
	const struct step *step = run->step;

	if (!begun)
		return -ENOMEM;

	list_init(&begun->link);
	begun->line = line;
	begun->phone = phone_of(run, step->name);
	begun->begin_ns = script_run_now(run);
	begun->expects = step->expects;
	begun->expects_end = step->expects_end;
	if (step->behind)
		list_add(&run->behind, &begun->link);
	else
		run->waited = begun;
	run->at++;
	queue_use(run->queue, script_phone_handset(begun->phone));
	return queue_put_marked(run->queue, step->command, begun); /* which may be gone by then */
}

static int take_command(struct script_run *run, const struct script_line *line)
{
	int err = begin_command(run, line);

	if (err)
		script_run_spoil(run, VERDICT_LOCAL, "too little memory for a command");
	return err;
}

static int take_set(struct script_run *run, const struct script_line *line)
{
	int err = scope_set(run->scope, run->step->name, run->step->value, false);

	(void)line;
	run->at++;
	if (err)
		script_run_spoil(run, VERDICT_LOCAL, "too little memory for a variable");
	return err;
}

/* step: NULL for the only one. */
static int add_phone(struct script_run *run, struct step *step, struct fault *why)
{
	const struct options *options = run->config.options;
	const struct script_phone_config config = {
		.desk = run->config.desk,
		.agent_loop = run->config.agent_loop,
		.media_loop = run->config.media_loop,
		.devices = run->config.devices,
		.tap = run->config.tap,
		.accounts = run->config.accounts,
		.has_net = run->config.script->has_nets,
		.seed = random_derive(options->seed, run->phone_count),
		.show = options->json ? NULL : script_run_show,
		.verbose = options->verbose > 0,
		.arg = run,
	};
	struct script_phone *phone;
	int err;

	err = script_phone_new(&phone, &config, step, &run->defaults, why);
	if (phone)
		run->phones[run->phone_count++] = phone;
	return err;
}

static int name_phone(struct script_run *run)
{
	const struct handset *handset = script_phone_handset(run->phones[run->phone_count - 1]);
	int err;

	err = scope_add_phone(run->scope, slice_of(handset->name));
	if (!err)
		err = script_set_address(run->scope, handset->name, &handset->udp);
	return err;
}

static int take_phone(struct script_run *run, const struct script_line *line)
{
	struct step *step = run->step;
	struct fault why;
	int err;

	run->at++;
	run->step = calloc(1, sizeof(*run->step)); /* the phone has the other */
	err = add_phone(run, step, &why);
	if (err) {
		script_run_fail(run, line, NULL, why.words, 0);
		return err;
	}
	err = run->step ? name_phone(run) : -ENOMEM;
	if (err)
		script_run_spoil(run, VERDICT_LOCAL, "too little memory for a phone");
	return err;
}

static int take_net(struct script_run *run, const struct script_line *line)
{
	int err = script_phone_impair(phone_of(run, run->step->name), &run->step->net);

	(void)line;
	run->at++;
	if (err)
		script_run_spoil(run, VERDICT_LOCAL, "too little memory for a network");
	return err;
}

static int take_repeat(struct script_run *run, const struct script_line *line)
{
	unsigned outer = run->depth > 0 ? run->rounds[run->depth - 1].rounds : 1;
	struct round round = {.begin = run->at, .left = run->step->count};
	struct fault why;
	int err;

	err = script_rounds(&round.rounds, outer, run->step->count, &why);
	if (err) {
		script_run_mistake(run, line, 0, why.words);
		return err;
	}
	run->rounds[run->depth++] = round;
	run->at++;
	return 0;
}

static int take_end(struct script_run *run, const struct script_line *line)
{
	struct round *round = &run->rounds[run->depth - 1];

	(void)line;
	round->left--;
	if (round->left > 0) {
		run->at = round->begin + 1;
		return 0;
	}
	run->depth--;
	run->at++;
	return 0;
}

static void take_line(struct script_run *run)
{
	static int (*const takers[])(struct script_run * run, const struct script_line *line) = {
		[SCRIPT_COMMAND] = take_command,
		[SCRIPT_SET] = take_set,
		[SCRIPT_PHONE] = take_phone,
		[SCRIPT_NET] = take_net,
		[SCRIPT_REPEAT] = take_repeat,
		[SCRIPT_END] = take_end,
	};
	const struct script_line *line = &run->config.script->lines[run->at];
	struct fault why;
	size_t at;
	int err;

	err = step_read(run->step, run->scope, &run->defaults, line, &why, &at);
	if (err == -ENOMEM)
		script_run_spoil(run, VERDICT_LOCAL, why.words);
	else if (err)
		script_run_mistake(run, line, at, why.words);
	else
		(void)takers[line->kind](run, line); /* it has told */
}

/* Whether something is still expected that nobody waits for. */
static bool expects_more(const struct script_run *run)
{
	list_each(link, &run->behind)
	{
		if (container_of(link, struct begun, link)->expects)
			return true;
	}
	return false;
}

/* All lines were taken: what has failed and was not expected to is told, once all is known. */
static void complete(struct script_run *run)
{
	struct begun *begun;

	if (list_empty(&run->owed) && expects_more(run))
		return; /* the end of that goes on with this */
	if (list_empty(&run->owed)) {
		script_run_over(run, VERDICT_DONE);
		return;
	}
	begun = container_of(run->owed.next, struct begun, link);
	script_run_fail(run, begun->line, begun->phone, begun->words, 0);
}

static void step_on(struct script_run *run)
{
	unsigned steps = 0;

	while (!run->over && !run->waited && run->at < run->config.script->count &&
		steps++ < STEPS_MAX)
		take_line(run);
	if (run->over || run->waited)
		return;
	if (run->at < run->config.script->count)
		go_on(run);
	else
		complete(run);
}

static void begin(struct post *post)
{
	struct script_run *run = container_of(post, struct script_run, post);
	struct fault why;

	run->post.run = run_post;
	run->posted = false;
	if (run->over)
		return;
	if (!run->config.script->has_phones && add_phone(run, NULL, &why)) {
		script_run_spoil(run, VERDICT_LOCAL, why.words);
		return;
	}
	step_on(run);
}

static int make(struct script_run *run)
{
	static const struct queue_events events = {.done = on_done};
	const struct queue_config queue = {
		.desk = run->config.desk, .waits = true, .events = &events, .arg = run};
	const struct report_config report = {
		run->config.script->name, run->config.options->tap, run->config.options->junit};
	int err;

	err = script_scope(&run->scope, run->config.options);
	if (!err)
		err = inbox_new(&run->inbox, run->config.desk); /* before who looks into it */
	if (!err)
		err = queue_new(&run->queue, &queue);
	if (!err)
		err = report_new(&run->report, &report);
	run->step = calloc(1, sizeof(*run->step));
	return run->step ? err : -ENOMEM;
}

int script_run_new(struct script_run **out, const struct script_run_config *config)
{
	struct script_run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return -ENOMEM;

	run->config = *config;
	list_init(&run->behind);
	list_init(&run->owed);
	script_defaults(&run->defaults, config->script, config->options);
	err = make(run);
	if (err) {
		script_run_end(run);
		script_run_free(run);
		return err;
	}
	run->begin_ns = script_run_now(run);
	run->begin_wall_ns = desk_wall(config->desk);
	run->posted = true;
	run->post.run = begin;
	loop_post(config->agent_loop, &run->post);
	*out = run;
	return 0;
}

void script_run_break(struct script_run *run, int exit, const char *words)
{
	if (run->over)
		return;

	report_broken(run->report, words);
	script_run_over(run, exit);
}

void script_run_quit(struct script_run *run)
{
	run->at = run->config.script->count;
	if (!run->over)
		complete(run);
}

void script_run_end(struct script_run *run)
{
	if (run->over && !(run->config.options->quiet && run->exit == VERDICT_DONE))
		script_run_show_summary(run);
	queue_free(run->queue);
	inbox_free(run->inbox);
	for (size_t i = 0; i < run->phone_count; i++)
		script_phone_detach(run->phones[i]);
	run->queue = NULL;
	run->inbox = NULL;
}

void script_run_free(struct script_run *run)
{
	if (!run)
		return;

	if (run->waited)
		free_begun(run->waited);
	list_each(link, &run->behind) free_begun(container_of(link, struct begun, link));
	list_each(link, &run->owed) free_begun(container_of(link, struct begun, link));
	for (size_t i = 0; i < run->phone_count; i++)
		script_phone_free(run->phones[i]);
	report_free(run->report);
	scope_free(run->scope);
	free(run->step);
	free(run);
}
