/* What a run begins with: phones that listen, and who or what tells them what to do. */
#include "cmd/phone_private.h"

#include "cmd/control/control.h"
#include "cmd/errands.h"
#include "cmd/look.h"
#include "cmd/prompt/console.h"
#include "cmd/prompt/prompt.h"
#include "cmd/readers/readers.h"
#include "cmd/script/inbox.h"
#include "cmd/script/loops.h"
#include "cmd/script/script_run.h"
#include "cmd/terminal.h"

#include <errno.h>

enum { USUAL_PORT = 5060 };

/* Where nobody said where: calls are expected at the usual port, answers at any. */
static int listen_somewhere(struct phone *self, struct handset *handset, struct fault *why)
{
	const struct addr usual = {.family = ADDR_IPV4, .port = USUAL_PORT};
	const struct options_listen *listen = self->options->listen;
	int err = 0;

	for (size_t i = 0; i < self->options->listen_count && !err; i++)
		err = agent_listen(handset->agent, listen[i].kind, &listen[i].address, false, why);
	if (self->options->listen_count > 0)
		return err;

	if (options_mode(self->options) != OPTIONS_ANSWER && !self->prompt &&
		!self->options->daemon)
		return 0; /* the agent finds a port by itself */
	return agent_listen_both(handset->agent, &usual, why);
}

/* Once it listens, so that they register with where that is. */
static int open_accounts(struct phone *self, struct handset *handset, struct fault *why)
{
	int err = 0;

	for (size_t i = 0; i < self->accounts.count && !err; i++)
		err = agent_add_account(handset->agent, &self->accounts.all[i].settings, why);
	return err;
}

static void call_target(struct phone *self, struct handset *handset)
{
	struct fault why;
	size_t at;
	int err;

	err = agent_call(&self->target, handset->agent, self->options->target, &why, &at);
	if (err)
		phone_fail(self, err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL, why.words);
}

/* What a command shows, and why it failed. */
static void show_result(void *arg, const struct queue_result *result)
{
	char room[QUEUE_FAILURE_SIZE];
	struct text text = TEXT_IN(room);
	struct phone *self = arg;

	if (self->options->json)
		return; /* the event has told it all */
	if (result->output.len > 0)
		terminal_put(self->terminal, TERMINAL_OUT, result->output);
	queue_print_failure(&text, result);
	if (text.len > 0)
		terminal_put(self->terminal, TERMINAL_ERR, text_slice(&text));
}

static void errands_over(void *arg, int exit)
{
	struct phone *self = arg;

	self->errands_over = true;
	if (exit != VERDICT_DONE)
		verdict_fail(&self->verdict, exit);
	phone_close(self);
}

static void begin_errands(struct phone *self)
{
	struct errands_config config = {
		.desk = self->desk,
		.lines = self->options->commands,
		.count = self->options->command_count,
		.ended = show_result,
		.over = errands_over,
		.arg = self,
	};

	if (inbox_new(&self->inbox, self->desk) || errands_new(&self->errands, &config))
		phone_fail(self, VERDICT_LOCAL, "too little memory for that many commands");
}

/* Of a pipe, the first line that fails tells how all went; at a prompt a person has seen it. */
static void line_ended(void *arg, const struct queue_result *result)
{
	struct phone *self = arg;

	show_result(self, result);
	if (!result->ok && !prompt_has_keys(self->prompt))
		verdict_fail(&self->verdict, result->exit);
}

static void greet(struct phone *self)
{
	static const char words[] = "sipcall " SIPCALL_VERSION "   type help, or whom to call\n";

	if (prompt_has_keys(self->prompt) && !self->options->quiet)
		terminal_put(self->terminal, TERMINAL_OUT, slice_of(words));
}

static void begin_console(struct phone *self)
{
	struct console_config config = {self->desk, self->prompt, line_ended, self};

	if (console_new(&self->console, &config))
		phone_fail(self, VERDICT_LOCAL, "too little memory for a prompt");
}

/* Before we listen: whoever connects to it misses nothing of that. */
static int open_control(struct phone *self, struct fault *why)
{
	const char *path = self->options->control;

	return path ? control_new(&self->control, self->desk, path, why) : 0;
}

static void script_over(void *arg, int exit)
{
	struct phone *self = arg;

	if (exit != VERDICT_DONE)
		verdict_fail(&self->verdict, exit);
	phone_close(self);
}

static void begin_script(struct phone *self)
{
	struct script_run_config config = {
		.script = self->script,
		.options = self->options,
		.desk = self->desk,
		.agent_loop = self->agent_loop,
		.media_loop = self->media_loop,
		.devices = loops_devices(self->loops),
		.accounts = &self->accounts,
		.terminal = self->terminal,
		.over = script_over,
		.arg = self,
	};
	struct fault why;

	if (readers_open(self->readers, &why)) {
		phone_fail(self, VERDICT_LOCAL, why.words);
		return;
	}
	config.tap = readers_tap(self->readers);
	if (script_run_new(&self->script_run, &config)) {
		self->script_run = NULL;
		phone_fail(self, VERDICT_LOCAL, "too little memory for a script");
	}
}

void phone_start(struct post *post)
{
	struct phone *self = container_of(post, struct phone, start);
	struct handset *handset;
	struct fault why;

	if (self->closing)
		return; /* Ctrl-C was faster */
	if (self->script) {
		begin_script(self);
		return;
	}

	self->setup.config.loop = self->agent_loop;
	self->setup.config.media_loop = self->media_loop;
	self->setup.config.meter_ns = readers_meter_ns(self->readers);
	if (readers_open(self->readers, &why)) {
		phone_fail(self, VERDICT_LOCAL, why.words);
		return;
	}
	self->setup.config.tap = readers_tap(self->readers);
	if (self->prompt)
		greet(self);
	if (desk_add(&handset, self->desk, "", &self->setup.config)) {
		phone_fail(self, VERDICT_LOCAL, "too little memory for a phone");
		return;
	}
	if (open_control(self, &why) || listen_somewhere(self, handset, &why)) {
		phone_fail(self, VERDICT_LOCAL, why.words);
		return;
	}
	if (open_accounts(self, handset, &why)) {
		phone_fail(self, VERDICT_USAGE, why.words);
		return;
	}
	loop_post(loops_main(self->loops), &self->ready);
	look_begin(self->look); /* beside all else, for it takes a while */
	if (self->options->target)
		call_target(self, handset);
	else if (self->options->command_count > 0)
		begin_errands(self);
	else if (self->prompt)
		begin_console(self);
}
