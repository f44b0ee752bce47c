#include "cmd/readers/readers.h"

#include "audio/open.h"
#include "cmd/readers/capture.h"
#include "cmd/readers/hooks.h"
#include "cmd/readers/json.h"
#include "cmd/readers/print.h"
#include "cmd/readers/ringer.h"
#include "cmd/readers/trace.h"
#include "cmd/say.h"
#include "cmd/settings/setup.h"
#include "cmd/terminal.h"
#include "core/base/log.h"

#include <stdlib.h>

enum { START_LINE_MAX = 200 }; /* bytes of it that the log shows */

static const uint64_t meter_live_ns = 200 * NS_PER_MS;
static const uint64_t meter_line_ns = NS_PER_S;

struct readers {
	struct readers_config config;
	struct printer *printer; /* NULL: nobody reads it */
	struct ringer *ringer;
	struct hooks *hooks;
	struct capture *capture; /* NULL without --pcap, and once it is closed */
	struct ladder_config ladder;
	struct desk_watcher watcher;
	struct desk *desk;
	void (*done)(void *arg); /* of readers_close() */
	void *done_arg;
};

static void print_line(void *arg, struct slice line)
{
	struct readers *self = arg;

	terminal_put(self->config.terminal, TERMINAL_OUT, line);
}

static void show_live(void *arg, struct slice line)
{
	struct readers *self = arg;

	terminal_live(self->config.terminal, line);
}

static void put_json(struct readers *self, const struct ua_event *event)
{
	char *line;
	size_t len;

	if (json_print(&line, event)) {
		say_line(self->config.terminal, "too little memory for an event");
		return;
	}
	if (!line)
		return;

	len = strlen(line);
	line[len] = '\n'; /* a line goes as one piece, and the NUL is of no use there */
	terminal_put(self->config.terminal, TERMINAL_OUT,
		(struct slice){(const uint8_t *)line, len + 1});
	free(line);
}

static void on_event(void *arg, const struct ua_event *event)
{
	struct readers *self = arg;

	if (self->config.options->json)
		put_json(self, event);
	else if (self->printer)
		printer_event(self->printer, event);
	if (options_mode(self->config.options) == OPTIONS_SCRIPT)
		return; /* its phones are no person's, and each numbers its calls */

	if (self->ringer)
		ringer_event(self->ringer, event);
	hooks_event(self->hooks, event);
}

static void trace(struct readers *self, bool sent, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	uint64_t now = loop_wall(self->config.agent_loop);
	size_t len;
	char *text = trace_print(&len, now, sent, local, remote, bytes);

	if (!text) {
		say_line(self->config.terminal, "too little memory for a message of the trace");
		return;
	}
	terminal_put(
		self->config.terminal, TERMINAL_ERR, (struct slice){(const uint8_t *)text, len});
	free(text);
}

/* The first line of a message, for the log: all of it is what --trace is for. */
static void log_message(bool sent, const struct addr *remote, struct slice bytes)
{
	char room[ADDR_TEXT_SIZE];
	struct slice line;

	if (!log_wanted(LOG_DEBUG))
		return;

	(void)slice_cut(&line, &bytes, '\r');
	line.len = line.len < START_LINE_MAX ? line.len : START_LINE_MAX;
	log_debug("sip: %s %s: %.*s", sent ? "to" : "from", addr_print_port(room, remote),
		(int)line.len, (const char *)line.data);
}

static void on_message(void *arg, struct handset *handset, bool sent, enum sip_transport_kind kind,
	const struct addr *local, const struct addr *remote, struct slice bytes)
{
	struct readers *self = arg;

	(void)handset;
	if (self->config.options->trace)
		trace(self, sent, local, remote, bytes);
	else
		log_message(sent, remote, bytes);
	if (self->capture)
		capture_message(self->capture, sent, kind, local, remote, bytes);
}

static size_t live_columns(void *arg)
{
	const struct readers *self = arg;

	return terminal_columns(self->config.terminal);
}

static int make_printer(struct readers *self)
{
	const struct options *options = self->config.options;
	struct printer_config config = {
		.quiet = options->quiet,
		.verbose = options->verbose > 0,
		.color = terminal_has_color(self->config.terminal) && !options->no_color,
		.utf8 = terminal_has_utf8(self->config.terminal),
		.live = terminal_is_live(self->config.terminal),
		.listening = options->listen_count > 0 || options->answer ||
			     options_mode(options) == OPTIONS_PROMPT || options->daemon,
		.keys = self->config.keys,
		.numbered = options_mode(options) != OPTIONS_CALL && options->calls != 1 &&
			    options->max_calls != 1,
		.columns = terminal_is_live(self->config.terminal) ? live_columns : NULL,
		.line = print_line,
		.show_live = show_live,
		.arg = self,
	};

	if (options->json || options_mode(options) == OPTIONS_SCRIPT)
		return 0; /* the phones of a script have theirs */
	return printer_new(&self->printer, &config);
}

/* Beside JSON there is nothing else on standard output. */
static void print_ladder(void *arg, struct slice line)
{
	struct readers *self = arg;

	terminal_put(self->config.terminal,
		self->config.options->json ? TERMINAL_ERR : TERMINAL_OUT, line);
}

static void make_ladder(struct readers *self)
{
	struct terminal *terminal = self->config.terminal;

	self->ladder = (struct ladder_config){
		.utf8 = terminal_has_utf8(terminal),
		.columns = terminal_is_live(terminal) ? live_columns : NULL,
		.line = self->config.options->ladder ? print_ladder : NULL,
		.arg = self,
	};
}

/* Who cannot ask for one afterwards, and has not asked before, needs none. */
const struct ladder_config *readers_ladder(const struct readers *readers)
{
	enum options_mode mode = options_mode(readers->config.options);

	if (readers->config.options->ladder || readers->config.options->control ||
		mode == OPTIONS_PROMPT || mode == OPTIONS_COMMANDS || mode == OPTIONS_SCRIPT)
		return &readers->ladder;
	return NULL;
}

static void tell_ringing(void *arg, const char *words)
{
	struct readers *self = arg;

	if (!self->config.options->quiet)
		say_line(self->config.terminal, words);
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
static int make_ringer(struct readers *self)
{
	const struct options *options = self->config.options;
	const char *speaker = setup_speaker(options);
	const char *bell = options->ring_device ? options->ring_device : speaker;
	bool at_once = options->answer && options->answer_after_ns == 0;
	bool rings = options_mode(options) != OPTIONS_CALL && !at_once && options->answer_code == 0;
	struct ringer_config config = {
		.agent_loop = self->config.agent_loop,
		.media_loop = self->config.media_loop,
		.speaker = audio_sink_is_device(slice_of(speaker)) ? speaker : NULL,
		.ring_device = rings && audio_sink_is_device(slice_of(bell)) ? bell : NULL,
		.plan = options->country ? options->country : plan_of_environment(),
		.tell = tell_ringing,
		.arg = self,
	};

	memcpy(config.files, options->tones, sizeof(config.files));
	return ringer_new(&self->ringer, &config);
}

static void tell_hooks(void *arg, const char *words)
{
	struct readers *self = arg;

	say_line(self->config.terminal, words);
}

static int make_hooks(struct readers *self)
{
	const struct hooks_config config = {.loop = self->config.agent_loop,
		.config = self->config.config,
		.tell = tell_hooks,
		.arg = self};

	return hooks_new(&self->hooks, &config);
}

int readers_new(struct readers **out, const struct readers_config *config)
{
	struct readers *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	self->config = *config;
	self->watcher =
		(struct desk_watcher){.event = on_event, .message = on_message, .arg = self};
	make_ladder(self);
	err = make_printer(self);
	if (!err)
		err = make_ringer(self);
	if (!err)
		err = make_hooks(self);
	if (err) {
		readers_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void readers_free(struct readers *readers)
{
	if (!readers)
		return;

	printer_free(readers->printer);
	ringer_free(readers->ringer);
	hooks_free(readers->hooks);
	free(readers);
}

int readers_open(struct readers *readers, struct fault *why)
{
	const struct readers_config *config = &readers->config;

	if (!config->options->pcap)
		return 0;
	return capture_open(&readers->capture, config->agent_loop, config->media_loop,
		config->options->pcap, why);
}

const struct media_tap *readers_tap(const struct readers *readers)
{
	return readers->capture ? capture_tap(readers->capture) : NULL;
}

void readers_attach(struct readers *readers, struct desk *desk)
{
	readers->desk = desk;
	desk_watch(desk, &readers->watcher);
}

void readers_detach(struct readers *readers, struct desk *desk)
{
	desk_unwatch(desk, &readers->watcher);
}

void readers_hush(struct readers *readers)
{
	if (readers->ringer)
		ringer_hush(readers->ringer);
}

static void on_captured(void *arg, const char *words)
{
	struct readers *self = arg;
	struct ua_event event = {.kind = UA_ERROR, .error = {.words = words, .ours = true}};

	if (words)
		desk_tell(self->desk, NULL, &event);
	self->done(self->done_arg);
}

static void on_hooked(void *arg)
{
	struct readers *self = arg;
	struct capture *capture = self->capture;

	if (!capture) {
		self->done(self->done_arg);
		return;
	}
	self->capture = NULL; /* what is said from now on comes too late */
	capture_close(capture, on_captured, self);
}

static void on_quiet(void *arg)
{
	struct readers *self = arg;

	hooks_close(self->hooks, on_hooked, self);
}

void readers_close(struct readers *readers, void (*done)(void *arg), void *arg)
{
	readers->done = done;
	readers->done_arg = arg;
	ringer_close(readers->ringer, on_quiet, readers);
}

void readers_end(struct readers *readers)
{
	ringer_free(readers->ringer);
	readers->ringer = NULL;
	hooks_free(readers->hooks);
	readers->hooks = NULL;
}

/* Live lines often enough to look alive, lines on a pipe so that they can be read. */
uint64_t readers_meter_ns(const struct readers *readers)
{
	const struct options *options = readers->config.options;
	/* who expects silence or loudness listens by them, too */
	bool listens = options->ladder || options_mode(options) == OPTIONS_COMMANDS;

	if (options->json || options->quiet)
		return listens ? meter_line_ns : 0;
	if (terminal_is_live(readers->config.terminal))
		return meter_live_ns;
	return options->verbose > 0 || listens ? meter_line_ns : 0;
}
