#include "cmd/phone.h"

#include "audio/open.h"
#include "cmd/devices.h"
#include "cmd/json.h"
#include "cmd/print.h"
#include "cmd/ringer.h"
#include "cmd/terminal.h"
#include "cmd/trace.h"
#include "cmd/verdict.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/net/loop_uv.h"
#include "core/ua/agent.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	USER_SIZE = 64,
	START_LINE_MAX = 200, /* bytes of it that the log shows */
	USUAL_PORT = 5060,
	LINE_SIZE = 2304, /* of the log, and a few words */
	LINGER_TICKS = 5, /* seconds that a terminal may take nothing before we leave it */
	LINGER_TICKS_SIGNAL = 2,
};

static const uint64_t patience_ns = 300 * NS_PER_MS; /* before a person is told what we wait for */
static const uint64_t twice_ns = 200 * NS_PER_MS;
static const uint64_t meter_live_ns = 200 * NS_PER_MS;
static const uint64_t meter_line_ns = NS_PER_S;

struct phone {
	const struct options *options;
	struct loop *main_loop;
	struct loop *agent_loop;
	struct loop *media_loop;
	struct loop_thread *agent_thread;
	struct loop_thread *media_thread;
	struct terminal *terminal;

	/* From here on the agent thread's, until it has been stopped. */
	struct agent *agent;
	struct printer *printer; /* NULL with --json */
	struct ringer *ringer;
	struct verdict verdict;
	char user[USER_SIZE];
	const struct codec *codecs[CODEC_LIST_MAX];
	size_t codec_count;
	unsigned ended;
	unsigned signals;
	int last_signal;
	uint64_t last_signal_ns;
	unsigned live; /* calls that have begun and not ended */
	bool closing;
	struct work look;            /* whether there are sound devices */
	char missing[LINE_SIZE / 2]; /* the look's, while it is out */
	struct post start;
	struct post close;
	struct post finish;
	struct timer linger;
	struct timer patience;
	uint64_t written;
	unsigned ticks;
};

static void put_line(struct phone *self, const char *words)
{
	char room[LINE_SIZE];
	struct text text = text_in(room, sizeof(room) - 1);

	text_puts(&text, "sipcall: ");
	text_put_escaped(&text, slice_of(words));
	text.size++;
	text.cut = false;
	text_putc(&text, '\n');
	terminal_put(self->terminal, TERMINAL_ERR, text_slice(&text));
}

static void put_log(void *arg, enum log_level level, const char *line)
{
	(void)level;
	put_line(arg, line);
}

static void print_line(void *arg, struct slice line)
{
	struct phone *self = arg;

	terminal_put(self->terminal, TERMINAL_OUT, line);
}

static void show_live(void *arg, struct slice line)
{
	struct phone *self = arg;

	terminal_live(self->terminal, line);
}

static void put_json(struct phone *self, const struct ua_event *event)
{
	char *line;
	size_t len;

	if (json_print(&line, event)) {
		put_line(self, "too little memory for an event");
		return;
	}
	if (!line)
		return;

	len = strlen(line);
	line[len] = '\n'; /* a line goes as one piece, and the NUL is of no use there */
	terminal_put(self->terminal, TERMINAL_OUT, (struct slice){(const uint8_t *)line, len + 1});
	free(line);
}

/* Once: everything that is left is hung up, then it is over. */
static void close_all(struct phone *self)
{
	if (self->closing)
		return;

	self->closing = true;
	loop_post(self->agent_loop, &self->close); /* not from within the agent's own event */
}

static bool is_last(struct phone *self, const struct ua_event *event)
{
	const struct options *options = self->options;

	if (event->kind != UA_CALL_ENDED)
		return false;
	if (!options->answer)
		return event->ended.outgoing;

	self->ended++;
	return options->calls > 0 && self->ended >= options->calls;
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct phone *self = arg;

	verdict_event(&self->verdict, event);
	if (event->kind == UA_CALL_OUTGOING || event->kind == UA_CALL_INCOMING)
		self->live++;
	else if (event->kind == UA_CALL_ENDED && self->live > 0)
		self->live--;
	if (self->printer)
		printer_event(self->printer, event);
	else
		put_json(self, event);
	ringer_event(self->ringer, event);
	if (is_last(self, event))
		close_all(self);
}

static void on_trace(void *arg, bool sent, const struct addr *local, const struct addr *remote,
	struct slice bytes)
{
	struct phone *self = arg;
	uint64_t now = loop_wall(self->agent_loop);
	size_t len;
	char *text = trace_print(&len, now, sent, local, remote, bytes);

	if (!text) {
		put_line(self, "too little memory for a message of the trace");
		return;
	}
	terminal_put(self->terminal, TERMINAL_ERR, (struct slice){(const uint8_t *)text, len});
	free(text);
}

/* The first line of a message, for the log: all of it is what --trace is for. */
static void on_message(void *arg, bool sent, const struct addr *local, const struct addr *remote,
	struct slice bytes)
{
	char room[ADDR_TEXT_SIZE];
	struct slice line;

	(void)arg;
	(void)local;
	if (!log_wanted(LOG_DEBUG))
		return;

	(void)slice_cut(&line, &bytes, '\r');
	line.len = line.len < START_LINE_MAX ? line.len : START_LINE_MAX;
	log_debug("sip: %s %s: %.*s", sent ? "to" : "from", addr_print_port(room, remote),
		(int)line.len, (const char *)line.data);
}

/* Who does not read what we wrote shall not keep us for ever. */
static void on_linger(void *arg)
{
	struct phone *self = arg;
	uint64_t written = terminal_written(self->terminal);

	self->ticks = written == self->written ? self->ticks + 1 : 0;
	self->written = written;
	if (self->ticks >= (self->signals > 0 ? LINGER_TICKS_SIGNAL : LINGER_TICKS))
		_exit(verdict_exit(&self->verdict));
	timer_start_in(&self->linger, NS_PER_S);
}

static void run_finish(struct post *post)
{
	struct phone *self = container_of(post, struct phone, finish);

	agent_free(self->agent);
	self->agent = NULL;
	ringer_free(self->ringer);
	self->ringer = NULL;
	timer_stop(&self->patience);
	timer_start_in(&self->linger, NS_PER_S);
	terminal_end(self->terminal);
}

static void on_quiet(void *arg)
{
	struct phone *self = arg;

	loop_post(self->agent_loop, &self->finish); /* not from within what is freed there */
}

static void on_closed(void *arg)
{
	struct phone *self = arg;

	ringer_close(self->ringer, on_quiet, self);
}

static void run_close(struct post *post)
{
	struct phone *self = container_of(post, struct phone, close);

	if (self->agent) {
		agent_close(self->agent, on_closed, self);
		return;
	}
	if (self->signals > 0 && self->options->target) /* and no call to tell so */
		verdict_fail(&self->verdict, VERDICT_SIGNAL + self->verdict.signal);
	on_closed(self);
}

static void fail(struct phone *self, int code, const char *words)
{
	put_line(self, words);
	verdict_fail(&self->verdict, code);
	close_all(self);
}

static void on_patience(void *arg)
{
	put_line(arg, "hanging up; Ctrl-C again leaves at once");
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

/* The first one hangs up, a second one does not wait for the far end. */
static void on_signal(void *arg, int number)
{
	struct phone *self = arg;

	if (is_echo(self, number))
		return;

	self->signals++;
	if (self->signals > 1) {
		if (self->live > 0)
			terminal_last_words("sipcall: left without waiting for the far end\n");
		_exit(VERDICT_SIGNAL + number);
	}
	if (number == SIGINT)
		terminal_interrupted(self->terminal);
	if (number == SIGINT && !self->options->quiet)
		timer_start_in(&self->patience, patience_ns);
	verdict_signal(&self->verdict, number);
	if (self->ringer)
		ringer_hush(self->ringer);
	close_all(self);
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

	err = loop_uv_signal(self->agent_loop, SIGINT, on_signal, self);
	if (!err)
		err = loop_uv_signal(self->agent_loop, SIGTERM, on_signal, self);
	if (!err && !is_ignored(SIGHUP))
		err = loop_uv_signal(self->agent_loop, SIGHUP, on_signal, self);
	return err;
}

/* Live lines often enough to look alive, lines on a pipe so that they can be read. */
static uint64_t meter_every(const struct phone *self)
{
	const struct options *options = self->options;

	if (options->json || options->quiet)
		return 0;
	if (terminal_is_live(self->terminal))
		return meter_live_ns;
	return options->verbose > 0 ? meter_line_ns : 0;
}

static const char *speaker_of(const struct options *options)
{
	return options->speaker ? options->speaker : "default";
}

static void configure(struct ua_config *config, struct phone *self)
{
	const struct options *options = self->options;

	*config = (struct ua_config){
		.loop = self->agent_loop,
		.media_loop = self->media_loop,
		.user_agent = "sipcall/" SIPCALL_VERSION,
		.user = self->user,
		.mic = options->mic ? options->mic : "default",
		.speaker = speaker_of(options),
		.pipe_rate = options->pipe_rate,
		.record = options->record,
		.volume = {.mic_db = options->mic_db, .speaker_db = options->speaker_db},
		.codecs = self->codecs,
		.codec_count = self->codec_count,
		.headers = {(const uint8_t *)options->headers, options->headers_len},
		.late_offer = options->late_offer,
		.policy =
			{
				.answer = options->answer && options->answer_code == 0,
				.answer_after_ns = options->answer_after_ns,
				.refuse_code = options->answer_code,
				.max_calls = options->max_calls,
				.duration_ns = options->duration_ns,
				.hangup_at_eof = options->hangup_at_eof,
				.ring_limit_ns = options->timeout_ns,
				.silence_ns = options->silence_ns,
			},
		.meter_ns = meter_every(self),
		.event = on_event,
		.arg = self,
		.trace = options->trace ? on_trace : on_message,
	};
}

/* Where nobody said where: calls are expected at the usual port, answers at any. */
static int listen_somewhere(struct phone *self, struct fault *why)
{
	const struct addr usual = {.family = ADDR_IPV4, .port = USUAL_PORT};
	const struct options_listen *listen = self->options->listen;
	int err = 0;

	for (size_t i = 0; i < self->options->listen_count && !err; i++)
		err = agent_listen(self->agent, listen[i].kind, &listen[i].address, false, why);
	if (self->options->listen_count > 0)
		return err;

	if (!self->options->answer)
		return 0; /* the agent finds a port by itself */
	return agent_listen_both(self->agent, &usual, why);
}

/* A thread of the I/O pool. */
static void run_look(struct work *work)
{
	struct phone *self = container_of(work, struct phone, look);
	struct text text = TEXT_IN(self->missing);

	devices_missing(&text, self->options);
}

static void look_done(struct work *work)
{
	struct phone *self = container_of(work, struct phone, look);

	if (self->missing[0] != '\0' && !self->closing)
		put_line(self, self->missing);
}

/* Beside all else, for it takes a while and nobody waits for it. */
static void look_for_devices(struct phone *self)
{
	self->look = (struct work){run_look, look_done};
	if (!self->options->quiet && devices_wanted(self->options))
		(void)loop_work(self->agent_loop, &self->look);
}

static void run_start(struct post *post)
{
	struct phone *self = container_of(post, struct phone, start);
	struct ua_config config;
	struct fault why;
	unsigned call;
	size_t at;
	int err;

	if (self->closing)
		return; /* Ctrl-C was faster */

	configure(&config, self);
	if (agent_new(&self->agent, &config)) {
		self->agent = NULL;
		fail(self, VERDICT_LOCAL, "too little memory for a phone");
		return;
	}
	if (listen_somewhere(self, &why)) {
		fail(self, VERDICT_LOCAL, why.words);
		return;
	}
	look_for_devices(self);
	if (!self->options->target)
		return;

	err = agent_call(&call, self->agent, self->options->target, &why, &at);
	if (err)
		fail(self, err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL, why.words);
}

/* The login name, or of it what can stand in a URI as it is (RFC 3261, section 25.1: unreserved).
 */
static void take_user(struct phone *self)
{
	const char *name = getenv("USER");
	struct text text = TEXT_IN(self->user);

	for (; name && *name != '\0'; name++)
		if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			(*name >= '0' && *name <= '9') || strchr("-_.!~*'()", *name))
			text_putc(&text, *name);
	if (text.len == 0)
		text_puts(&text, "sipcall");
}

static void take_codecs(struct phone *self)
{
	const struct options *options = self->options;

	self->codec_count = options->codec_count > 0 ? options->codec_count : codec_count();
	for (size_t i = 0; i < self->codec_count; i++)
		self->codecs[i] = options->codec_count > 0 ? options->codecs[i] : codec_at(i);
}

static size_t live_columns(void *arg)
{
	const struct phone *self = arg;

	return terminal_columns(self->terminal);
}

static int make_printer(struct phone *self)
{
	const struct options *options = self->options;
	struct printer_config config = {
		.quiet = options->quiet,
		.verbose = options->verbose > 0,
		.color = terminal_has_color(self->terminal) && !options->no_color,
		.utf8 = terminal_has_utf8(self->terminal),
		.live = terminal_is_live(self->terminal),
		.listening = options->answer || options->listen_count > 0,
		.numbered = options->answer && options->calls != 1 && options->max_calls != 1,
		.columns = terminal_is_live(self->terminal) ? live_columns : NULL,
		.line = print_line,
		.show_live = show_live,
		.arg = self,
	};

	return options->json ? 0 : printer_new(&self->printer, &config);
}

static void tell_ringing(void *arg, const char *words)
{
	struct phone *self = arg;

	if (!self->options->quiet)
		put_line(self, words);
}

/* As setlocale() would choose it. */
static const struct tone_plan *plan_of_environment(void)
{
	static const char *const names[] = {"LC_ALL", "LC_TELEPHONE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *locale = getenv(names[i]);

		if (locale && *locale != '\0')
			return tone_plan_of_locale(slice_of(locale));
	}
	return tone_plan_default();
}

/* Tones are for a person: not for a file, and not before an answer that comes at once. */
static int make_ringer(struct phone *self)
{
	const struct options *options = self->options;
	const char *speaker = speaker_of(options);
	const char *bell = options->ring_device ? options->ring_device : speaker;
	bool rings = options->answer && options->answer_after_ns > 0 && options->answer_code == 0;
	struct ringer_config config = {
		.agent_loop = self->agent_loop,
		.media_loop = self->media_loop,
		.speaker = audio_sink_is_device(slice_of(speaker)) ? speaker : NULL,
		.ring_device = rings && audio_sink_is_device(slice_of(bell)) ? bell : NULL,
		.plan = options->country ? options->country : plan_of_environment(),
		.tell = tell_ringing,
		.arg = self,
	};

	memcpy(config.files, options->tones, sizeof(config.files));
	return ringer_new(&self->ringer, &config);
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

/* All that is needed before a thread starts. */
static int make(struct phone *self)
{
	int err;

	err = loop_uv_new(&self->main_loop);
	if (!err)
		err = loop_uv_new(&self->agent_loop);
	if (!err)
		err = loop_uv_new(&self->media_loop);
	if (!err)
		err = terminal_new(&self->terminal, self->main_loop,
			has_sound_on_stdout(self->options) ? STDERR_FILENO : STDOUT_FILENO);
	if (!err)
		err = make_printer(self);
	if (!err)
		err = make_ringer(self);
	if (err)
		return err;

	self->start.run = run_start;
	self->close.run = run_close;
	self->finish.run = run_finish;
	timer_init(&self->linger, self->agent_loop, on_linger, self);
	timer_init(&self->patience, self->agent_loop, on_patience, self);
	take_user(self);
	take_codecs(self);
	return catch_signals(self);
}

/* Runs until the end; everything that was started has ended then. */
static int run(struct phone *self)
{
	int err;

	open_log(self); /* while there is no other thread */
	err = loop_thread_start(&self->media_thread, self->media_loop, "media");
	if (err)
		goto out;
	err = loop_thread_start(&self->agent_thread, self->agent_loop, "agent");
	if (err)
		goto out;

	loop_post(self->agent_loop, &self->start);
	terminal_run(self->terminal);
	loop_thread_stop(self->agent_thread);
out:
	loop_thread_stop(self->media_thread);
	log_open(LOG_ERROR, NULL, NULL);
	return err;
}

int phone_run(int *exit_code, const struct options *options, struct fault *why)
{
	struct phone *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory to start");

	signal(SIGPIPE, SIG_IGN); /* who stops reading ends no call, */
	signal(SIGXFSZ, SIG_IGN); /* and neither does a file that must not grow */
	self->options = options;
	err = make(self);
	if (!err)
		err = run(self);
	if (err)
		fault_set(why, err, "cannot start: %s", strerror(-err));

	if (self->terminal && terminal_has_failed(self->terminal))
		verdict_trouble(&self->verdict);
	*exit_code = verdict_exit(&self->verdict);
	/* all is said and done; a disk or a name server that hangs is not waited for */
	if (!err && (loop_uv_busy(self->agent_loop) || loop_uv_busy(self->media_loop)))
		_exit(*exit_code);
	terminal_free(self->terminal);
	printer_free(self->printer);
	ringer_free(self->ringer);
	loop_uv_free(self->agent_loop);
	loop_uv_free(self->media_loop);
	loop_uv_free(self->main_loop);
	free(self);
	return err;
}
