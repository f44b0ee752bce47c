#include "cmd/phone_private.h"

#include "audio/portaudio.h"
#include "cmd/control/control.h"
#include "cmd/errands.h"
#include "cmd/look.h"
#include "cmd/prompt/console.h"
#include "cmd/prompt/prompt.h"
#include "cmd/prompt/typing.h"
#include "cmd/readers/call_log.h"
#include "cmd/readers/readers.h"
#include "cmd/say.h"
#include "cmd/script/inbox.h"
#include "cmd/script/loops.h"
#include "cmd/script/script_run.h"
#include "cmd/terminal.h"
#include "core/base/log.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	LEAVE_MS = 1000, /* that somebody may be inside the library of sound devices */
	LEAVE_SOON_MS = 200,
	ADVICE_SIZE = 128,
	LINGER_TICKS = 5, /* seconds that a terminal may take nothing before we leave it */
	LINGER_TICKS_SIGNAL = 2,
};

static const uint64_t patience_ns = 300 * NS_PER_MS; /* before a person is told what we wait for */
static const uint64_t twice_ns = 200 * NS_PER_MS;

static void put_log(void *arg, enum log_level level, const char *line)
{
	struct phone *self = arg;

	(void)level;
	say_line(self->terminal, line);
}

void phone_close(struct phone *self)
{
	if (self->closing)
		return;

	self->closing = true;
	errands_stop(self->errands);
	loop_post(self->agent_loop, &self->close); /* not from within the agent's own event */
}

static bool is_last(struct phone *self, const struct ua_event *event)
{
	const struct options *options = self->options;

	if (event->kind != UA_CALL_ENDED)
		return false;
	if (options_mode(options) == OPTIONS_CALL)
		return event->call == self->target;
	if (event->ended.outgoing)
		return false; /* by --control: none of those that were waited for */

	self->ended++;
	return options->calls > 0 && self->ended >= options->calls;
}

/* Calls are waited for, and none can come. */
static bool is_hopeless(const struct phone *self, const struct ua_event *event)
{
	return options_mode(self->options) == OPTIONS_ANSWER && self->accounts.count == 1 &&
	       event->registration.retry_s == 0;
}

/* Whether how it ended is what the program was started for. Whoever places calls at a prompt or by
 * --control is told there, and goes on; a script judges by itself. */
static bool is_judged(const struct phone *self, const struct ua_event *event)
{
	enum options_mode mode = options_mode(self->options);

	if (mode == OPTIONS_CALL)
		return event->call == self->target;
	return mode == OPTIONS_COMMANDS ||
	       (mode == OPTIONS_PROMPT && !prompt_has_keys(self->prompt));
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct phone *self = arg;

	if (event->kind != UA_CALL_ENDED || is_judged(self, event))
		verdict_event(&self->verdict, event);
	if (event->kind == UA_CALL_OUTGOING || event->kind == UA_CALL_INCOMING)
		self->live++;
	else if (event->kind == UA_CALL_ENDED && self->live > 0)
		self->live--;
	if (is_last(self, event))
		phone_close(self);
	if (event->kind == UA_REGISTRATION_FAILED && is_hopeless(self, event)) {
		verdict_fail(&self->verdict, verdict_of_registration(event));
		phone_close(self);
	}
}

/* Who does not read what we wrote shall not keep us for ever. */
static void on_linger(void *arg)
{
	struct phone *self = arg;
	uint64_t written = terminal_written(self->terminal);

	self->ticks = written == self->written ? self->ticks + 1 : 0;
	self->written = written;
	if (self->ticks >= (self->signals > 0 ? LINGER_TICKS_SIGNAL : LINGER_TICKS)) {
		portaudio_leave(LEAVE_SOON_MS);
		if (self->prompt)
			prompt_abandon(self->prompt);
		_exit(verdict_exit(&self->verdict));
	}
	timer_start_in(&self->linger, NS_PER_S);
}

static void run_finish(struct post *post)
{
	struct phone *self = container_of(post, struct phone, finish);

	errands_free(self->errands);
	self->errands = NULL;
	inbox_free(self->inbox);
	self->inbox = NULL;
	console_free(self->console);
	self->console = NULL;
	control_free(self->control);
	self->control = NULL;
	call_log_free(self->log);
	self->log = NULL;
	if (self->script_run)
		script_run_end(self->script_run);
	readers_detach(self->readers, self->desk);
	desk_unwatch(self->desk, &self->watcher);
	desk_free(self->desk);
	self->desk = NULL;
	readers_end(self->readers);
	timer_stop(&self->patience);
	loops_settle(self->loops);
	timer_start_in(&self->linger, NS_PER_S);
	terminal_end(self->terminal);
}

static void on_looked(void *arg)
{
	struct phone *self = arg;

	loop_post(self->agent_loop, &self->finish); /* not from within what is freed there */
}

static void on_logged(void *arg)
{
	struct phone *self = arg;

	look_end(self->look, on_looked, self);
}

static void on_quiet(void *arg)
{
	struct phone *self = arg;

	call_log_close(self->log, on_logged, self);
}

static void on_closed(void *arg)
{
	struct phone *self = arg;

	readers_close(self->readers, on_quiet, self);
}

static void run_close(struct post *post)
{
	struct phone *self = container_of(post, struct phone, close);

	if (self->signals > 0 && self->options->target && !desk_first(self->desk))
		verdict_fail(&self->verdict, VERDICT_SIGNAL + self->verdict.signal);
	desk_close(self->desk, on_closed, self);
}

void phone_fail(struct phone *self, int code, const char *words)
{
	say_line(self->terminal, words);
	verdict_fail(&self->verdict, code);
	phone_close(self);
}

static void on_patience(void *arg)
{
	struct phone *self = arg;

	say_line(self->terminal, "hanging up; Ctrl-C again leaves at once");
}

/*
 * One wish that comes twice: timeout(1) tells the program and then its whole group, and a terminal
 * that goes away is told of by the system and by the shell.
 */
static bool is_echo(struct phone *self, int number)
{
	uint64_t now = loop_now(self->agent_loop);
	bool echo = self->signals > 0 && number == self->last_signal &&
		    now - self->last_signal_ns < twice_ns;

	if (!echo) { /* a key that is held down is no echo for ever */
		self->last_signal = number;
		self->last_signal_ns = now;
	}
	return echo;
}

/* Whether somebody waits for an end of it that has not come: at a prompt, a person decides. */
static bool has_work(const struct phone *self)
{
	enum options_mode mode = options_mode(self->options);

	return (mode == OPTIONS_COMMANDS && !self->errands_over) ||
	       (mode == OPTIONS_PROMPT && !prompt_has_keys(self->prompt) && !self->closing);
}

/* The first one hangs up, a second one does not wait for the far end. */
static void on_signal(void *arg, int number)
{
	struct phone *self = arg;

	if (is_echo(self, number))
		return;
	if (number == SIGINT && self->prompt && prompt_has_keys(self->prompt) && !self->closing) {
		prompt_interrupt(self->prompt);
		return;
	}

	self->signals++;
	if (self->signals > 1) {
		if (self->live > 0)
			terminal_last_words("sipcall: left without waiting for the far end\n");
		if (self->prompt)
			prompt_abandon(self->prompt);
		portaudio_leave(LEAVE_SOON_MS);
		_exit(VERDICT_SIGNAL + number);
	}
	if (number == SIGINT)
		terminal_interrupted(self->terminal);
	if (number == SIGINT && !self->options->quiet)
		timer_start_in(&self->patience, patience_ns);
	verdict_signal(&self->verdict, number);
	if (has_work(self))
		verdict_fail(&self->verdict, VERDICT_SIGNAL + number);
	readers_hush(self->readers);
	look_hurry(self->look);
	if (self->script_run)
		script_run_break(self->script_run, VERDICT_SIGNAL + number, strsignal(number));
	else
		phone_close(self);
}

/* nohup has the terminal's end ignored, and so do we. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int catch_signals(struct phone *self)
{
	int err;

	err = loops_signal(self->loops, SIGINT, on_signal, self);
	if (!err)
		err = loops_signal(self->loops, SIGTERM, on_signal, self);
	if (!err && !is_ignored(SIGHUP))
		err = loops_signal(self->loops, SIGHUP, on_signal, self);
	return err;
}

static void on_quit(void *arg)
{
	struct phone *self = arg;

	if (self->script_run)
		script_run_quit(self->script_run);
	else
		phone_close(self);
}

static void on_line(void *arg, const char *line)
{
	struct phone *self = arg;

	if (self->console && !self->closing)
		console_line(self->console, line);
}

static void on_gone(void *arg)
{
	on_signal(arg, SIGHUP);
}

static void on_digit(void *arg, char digit)
{
	struct phone *self = arg;

	if (self->console && !self->closing)
		console_digit(self->console, digit);
}

static void on_interrupted(void *arg)
{
	struct phone *self = arg;
	char room[ADVICE_SIZE];
	struct text text = TEXT_IN(room);

	if (!self->console || self->closing)
		return;

	console_advise(&text, self->console);
	say_line(self->terminal, room);
}

static int make_prompt(struct phone *self, struct fault *why)
{
	static const struct typing_events events = {
		on_line, on_quit, on_gone, on_digit, on_interrupted};
	struct typing_config config = {
		.terminal = self->terminal,
		.agent_loop = self->agent_loop,
		.plain = self->options->json,
		.events = &events,
		.arg = self,
	};
	int err;

	if (options_mode(self->options) != OPTIONS_PROMPT)
		return 0;

	err = typing_new(&self->typing, &config, why);
	if (!err)
		self->prompt = typing_prompt(self->typing);
	return err;
}

static void run_ready(struct post *post)
{
	daemon_ready(&container_of(post, struct phone, ready)->daemon);
}

static void open_log(struct phone *self)
{
	static const enum log_level levels[] = {LOG_WARNING, LOG_INFO, LOG_DEBUG};
	unsigned verbose = self->options->verbose < 2 ? self->options->verbose : 2;

	log_open(self->options->quiet ? LOG_ERROR : levels[verbose], put_log, self);
}

static bool has_sound_on_stdout(const struct options *options)
{
	return options->speaker && strcmp(options->speaker, "stdout") == 0;
}

/* A person's calls: scripts, and tests by the thousand, are nobody's. */
static bool remembers(const struct options *options)
{
	if (options->daemon)
		return true;
	if (options_mode(options) == OPTIONS_CALL)
		return isatty(STDOUT_FILENO);
	return options_mode(options) == OPTIONS_PROMPT && isatty(STDIN_FILENO);
}

/* Those who look on, in the order in which they see events. */
static int make_desk(struct phone *self)
{
	struct readers_config readers = {
		.options = self->options,
		.config = self->config,
		.terminal = self->terminal,
		.agent_loop = self->agent_loop,
		.media_loop = self->media_loop,
		.keys = self->prompt && prompt_has_keys(self->prompt),
	};
	struct desk_config desk = {.loop = self->agent_loop,
		.contacts = config_contacts(self->config),
		.quit = on_quit,
		.arg = self};
	int err;

	setup_make(&self->setup, self->options);
	err = readers_new(&self->readers, &readers);
	if (!err) {
		desk.ladder = readers_ladder(self->readers);
		err = desk_new(&self->desk, &desk);
	}
	if (err)
		return err;

	readers_attach(self->readers, self->desk);
	self->watcher = (struct desk_watcher){.event = on_event, .arg = self};
	desk_watch(self->desk, &self->watcher);
	return remembers(self->options) ? call_log_new(&self->log, self->desk) : 0;
}

/* "127.0.0.1:5353,[::1]:53" */
static void print_name_servers(struct text *out, const struct options *options)
{
	char at[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < options->dns_server_count; i++) {
		const struct addr *addr = &options->dns_servers[i];

		text_printf(out, "%s%s", i > 0 ? "," : "",
			addr->port ? addr_print_port(at, addr) : addr_print_host(at, addr));
	}
}

/* All that is needed before a thread starts. */
static int make(struct phone *self, struct fault *why)
{
	char servers[OPTIONS_DNS_SERVERS_MAX * ADDR_TEXT_SIZE];
	struct text text = TEXT_IN(servers);
	const struct loops_config loops = {
		.in_virtual = self->options->in_virtual,
		.seed = self->options->seed,
		.dscp = self->options->dscp_sip,
		.name_servers = servers,
	};
	int err;

	print_name_servers(&text, self->options);
	err = self->options->daemon ? daemon_begin(&self->daemon) : 0;
	if (!err)
		err = loops_new(&self->loops, &loops);
	if (err)
		return err;

	self->agent_loop = loops_agent(self->loops);
	self->media_loop = loops_media(self->loops);
	err = terminal_new(&self->terminal, loops_main(self->loops),
		has_sound_on_stdout(self->options) ? STDERR_FILENO : STDOUT_FILENO);
	if (!err && self->options->in_virtual)
		terminal_be_patient(self->terminal); /* time is nothing there, and all counts */
	if (!err)
		err = make_prompt(self, why);
	if (!err)
		err = make_desk(self);
	if (!err)
		err = look_new(&self->look, self->agent_loop, self->options, self->terminal);
	if (err)
		return err;

	self->ready.run = run_ready;
	self->start.run = phone_start;
	self->close.run = run_close;
	self->finish.run = run_finish;
	timer_init(&self->linger, self->agent_loop, on_linger, self);
	timer_init(&self->patience, self->agent_loop, on_patience, self);
	return catch_signals(self);
}

/* Runs until the end; everything that was started has ended then. */
static int run(struct phone *self)
{
	int err;

	open_log(self); /* while there is no other thread */
	loop_post(self->agent_loop, &self->start);
	err = loops_start(self->loops);
	if (!err) {
		terminal_run(self->terminal);
		loops_stop(self->loops);
	}
	log_open(LOG_ERROR, NULL, NULL);
	return err;
}

int phone_run(int *exit_code, const struct options *options, const struct config *config,
	const struct script *script, struct fault *why)
{
	struct phone *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory to start");

	signal(SIGPIPE, SIG_IGN); /* who stops reading ends no call, */
	signal(SIGXFSZ, SIG_IGN); /* and neither does a file that must not grow */
	self->options = options;
	self->config = config;
	self->daemon.pipe = -1;
	self->script = script;
	err = accounts_make(&self->accounts, options, config, why);
	if (err)
		goto out;
	why->words[0] = '\0';
	err = make(self, why);
	if (!err)
		err = run(self);
	if (err && why->words[0] == '\0')
		fault_set(why, err, "cannot start: %s", strerror(-err));

	if (self->terminal && terminal_has_failed(self->terminal))
		verdict_trouble(&self->verdict);
	*exit_code = verdict_exit(&self->verdict);
	typing_free(self->typing); /* the terminal is as it was, whatever else hangs */
	/* all is said and done; a disk or a name server that hangs is not waited for */
	if (!err && loops_busy(self->loops)) {
		portaudio_leave(look_is_stuck(self->look) ? LEAVE_SOON_MS : LEAVE_MS);
		_exit(*exit_code);
	}
	look_free(self->look);
	script_run_free(self->script_run);
	terminal_free(self->terminal);
	readers_free(self->readers);
	loops_free(self->loops);
out:
	accounts_wipe(&self->accounts);
	free(self);
	return err;
}
