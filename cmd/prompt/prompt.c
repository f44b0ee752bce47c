#include "cmd/prompt/prompt.h"

#include "cmd/prompt/choices.h"
#include "cmd/prompt/editor.h"
#include "cmd/prompt/keys.h"
#include "cmd/prompt/lines.h"
#include "cmd/prompt/listing.h"
#include "cmd/prompt/offer.h"
#include "cmd/prompt/recall.h"
#include "cmd/terminal.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BATCH = 256, /* keys that are taken before others have a turn */
	DIALLED_SIZE = 32,
	ESCAPE = 0x1b,
	CTRL_D = 'D' & 0x1f,
};

#define LOOK_NS (200 * NS_PER_MS)

static const char dial_prompt[] = "dial> ";
static const char paste_on[] = "\x1b[?2004h";
static const char paste_off[] = "\x1b[?2004l";

/* What other threads want, a bit each. */
enum { WANT_NEXT = 1, WANT_INTERRUPT = 2 };

struct prompt {
	struct prompt_config config;
	struct terminal *terminal;
	struct loop *loop;
	struct keys *keys;     /* NULL, with editor: lines are read plainly */
	struct editor *editor; /* lives as long as keys */
	struct lines *lines;
	struct complete complete;
	struct listing *listing; /* lives as long as editor */
	struct recall *recall;   /* NULL: nothing is kept */
	struct timer look;       /* in the background: whether we still are */
	bool over;               /* no line comes any more */
	bool dialling;           /* keys are digits */
	unsigned heralded;       /* signals to come, with nothing typed when they were sent */
	char dialled[DIALLED_SIZE];

	/* Each thread's. */
	atomic_uint wanted;
	atomic_bool ringing;
	atomic_bool dials;
	atomic_uint posted; /* that wait in the loop */
	atomic_bool wants;  /* post is one of them */
	struct post post;
};

static void show(struct prompt *self)
{
	if (self->over)
		return;
	if (self->dialling)
		terminal_type(self->terminal, dial_prompt, slice_of(self->dialled),
			strlen(self->dialled));
	else
		terminal_type(self->terminal, editor_prompt(self->editor),
			editor_line(self->editor), editor_point(self->editor));
}

static void let_go(struct prompt *self)
{
	if (keys_taken(self->keys))
		terminal_steer(self->terminal, paste_off);
	keys_let_go(self->keys);
}

/* No key is taken any more. */
static void finish(struct prompt *self)
{
	self->over = true;
	timer_stop(&self->look);
	let_go(self);
	terminal_untype(self->terminal);
}

static void enter(struct prompt *self, const char *line)
{
	terminal_enter(self->terminal, self->config.prompt, slice_of(line), NULL);
	self->config.events->line(self->config.arg, line);
}

static void call_back(void *arg, const char *line)
{
	struct prompt *self = arg;

	(void)editor_remember(self->editor, line);
}

/* Twice the same is one, also in a row with what another run typed. */
static void remember(struct prompt *self, const char *line)
{
	if (!recall_may_keep(line) || !editor_remember(self->editor, line))
		return;
	if (self->recall)
		recall_add(self->recall, line);
}

static void on_line(void *arg, const char *line)
{
	struct prompt *self = arg;

	remember(self, line);
	enter(self, line);
}

static void on_end(void *arg)
{
	struct prompt *self = arg;

	finish(self);
	self->config.events->end(self->config.arg);
}

static void on_clear(void *arg)
{
	struct prompt *self = arg;

	terminal_clear(self->terminal);
}

static void offer_word(void *arg, const char *word)
{
	struct prompt *self = arg;

	editor_offer(self->editor, word);
}

static bool on_complete(void *arg, const char *before)
{
	struct prompt *self = arg;
	struct complete_more more;

	complete_each(&more, &self->complete, before, offer_word, self);
	if (more.devices)
		listing_ask(self->listing); /* the next time there are more */
	return more.files;
}

static void on_listed(void *arg, enum complete_list list, char *words, size_t len)
{
	struct prompt *self = arg;

	complete_set(&self->complete, list, words, len);
}

static void on_alternatives(void *arg, const char *const *words, size_t count)
{
	struct prompt *self = arg;
	char *lines = choices_print(words, count, terminal_columns(self->terminal));

	if (lines)
		terminal_write(self->terminal, slice_of(lines));
	free(lines);
}

static int next_key(void *arg)
{
	struct prompt *self = arg;

	return keys_read(self->keys);
}

static bool is_key_waiting(void *arg, int wait_ms)
{
	struct prompt *self = arg;
	int key = keys_peek(self->keys, wait_ms);

	return key >= 0 && !keys_is_interrupt(self->keys, key);
}

/* The digits stay on the screen, as a line. */
static void stop_dialling(struct prompt *self)
{
	self->dialling = false;
	atomic_store(&self->dials, false);
	terminal_enter(self->terminal, dial_prompt, slice_of(self->dialled), NULL);
	show(self);
}

static void start_dialling(struct prompt *self)
{
	self->dialling = true;
	self->dialled[0] = '\0';
	show(self);
}

static void take_digit(struct prompt *self, char digit)
{
	size_t len = strlen(self->dialled);

	if (len == DIALLED_SIZE - 1)
		memmove(self->dialled, self->dialled + 1, len--);
	self->dialled[len] = digit;
	self->dialled[len + 1] = '\0';
	show(self);
	self->config.events->digit(self->config.arg, digit);
}

static void dial(struct prompt *self, int key)
{
	char upper = (char)(key >= 'a' && key <= 'd' ? key - 'a' + 'A' : key);

	if (key > 0 && strchr("0123456789*#ABCD", upper)) {
		take_digit(self, upper);
		return;
	}
	if (key != '\r' && key != '\n' && key != ESCAPE && key != CTRL_D)
		return;
	while (key == ESCAPE && keys_waiting(self->keys) && keys_read(self->keys) >= 0)
		; /* what follows belongs to a key that begins so */
	stop_dialling(self);
}

/* Of a key that is the whole answer to who rings. Keys that come all at once are a word. */
static const char *answer_of(const struct prompt *self, int key)
{
	if (!atomic_load(&self->ringing) || !editor_is_empty(self->editor) ||
		keys_waiting(self->keys))
		return NULL;
	return key == 'a' ? "answer" : key == 'r' ? "reject" : NULL;
}

/* Whether there was something to be forgotten. */
static bool forget(struct prompt *self)
{
	if (self->dialling) {
		stop_dialling(self);
	} else if (self->editor && !editor_is_empty(self->editor)) {
		terminal_enter(
			self->terminal, self->config.prompt, editor_line(self->editor), "^C");
		editor_drop(self->editor);
	} else {
		return false;
	}
	return true;
}

/* The key itself: with nothing to be forgotten, what it means is for whoever has signals. */
static void take_interrupt(struct prompt *self)
{
	if (forget(self))
		return;
	self->heralded++;
	kill(getpid(), SIGINT);
}

/* A signal. Of one that the key has sent it is known that nothing was typed. */
static void interrupt(struct prompt *self)
{
	if (self->over)
		return;
	if (self->heralded > 0)
		self->heralded--;
	else if (forget(self))
		return;
	self->config.events->interrupted(self->config.arg);
}

static void take_key(struct prompt *self, int key)
{
	const char *answer;

	if (keys_is_interrupt(self->keys, key)) {
		take_interrupt(self);
		return;
	}
	if (self->dialling) {
		dial(self, key);
		return;
	}
	answer = answer_of(self, key);
	if (answer)
		enter(self, answer);
	else
		editor_key(self->editor, key);
}

static void step_aside(struct prompt *self)
{
	terminal_hide(self->terminal);
	let_go(self);
	timer_start_in(&self->look, LOOK_NS);
}

static void on_keys(void *arg)
{
	struct prompt *self = arg;
	int key = 0;

	for (int i = 0; i < BATCH && key >= 0 && !self->over && keys_waiting(self->keys); i++) {
		key = keys_read(self->keys);
		if (key >= 0)
			take_key(self, key);
	}
	if (key == -EAGAIN) {
		step_aside(self);
	} else if (key < 0) {
		finish(self);
		self->config.events->gone(self->config.arg);
	}
	if (editor_changed(self->editor))
		show(self);
}

/* A shell that fetches us from the background need not say so: only who was stopped is told to go
 * on. */
static void come_back(void *arg)
{
	struct prompt *self = arg;

	if (self->over)
		return;
	if (!keys_take(self->keys)) {
		timer_start_in(&self->look, LOOK_NS);
		return;
	}
	timer_stop(&self->look);
	if (editor_wants_paste(self->editor))
		terminal_steer(self->terminal, paste_on);
	terminal_show(self->terminal);
}

/* Stops as one does who does not catch the signal. Where nobody could make us go on (no shell has
 * us as a job), the system does not stop us. */
static void stop(void)
{
	struct sigaction ours, plain = {.sa_handler = SIG_DFL};

	sigaction(SIGTSTP, &plain, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
}

static void on_signal(void *arg, int number)
{
	struct prompt *self = arg;

	if (number == SIGTSTP) {
		step_aside(self);
		stop();
	}
	if (number == SIGWINCH)
		terminal_redraw(self->terminal);
	else
		come_back(self);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int catch_signals(struct prompt *self)
{
	int err = 0;

	if (!is_ignored(SIGTSTP))
		err = loop_uv_signal(self->loop, SIGTSTP, on_signal, self);
	if (!err)
		err = loop_uv_signal(self->loop, SIGCONT, on_signal, self);
	if (!err)
		err = loop_uv_signal(self->loop, SIGWINCH, on_signal, self);
	return err;
}

static void change_dialling(struct prompt *self)
{
	bool dials = atomic_load(&self->dials) && !self->over;

	if (dials && !self->dialling)
		start_dialling(self);
	else if (!dials && self->dialling)
		stop_dialling(self);
}

static void run_wanted(struct post *post)
{
	struct prompt *self = container_of(post, struct prompt, post);
	unsigned wanted;

	atomic_fetch_sub(&self->posted, 1);
	atomic_store(&self->wants, false);
	wanted = atomic_exchange(&self->wanted, 0);
	if ((wanted & WANT_NEXT) && self->lines)
		lines_next(self->lines);
	if (wanted & WANT_INTERRUPT)
		interrupt(self);
	if (self->editor)
		change_dialling(self);
}

static void want(struct prompt *self, unsigned what)
{
	atomic_fetch_or(&self->wanted, what);
	if (atomic_exchange(&self->wants, true))
		return;
	atomic_fetch_add(&self->posted, 1);
	loop_post(self->loop, &self->post);
}

static void on_plain_line(void *arg, const char *line)
{
	struct prompt *self = arg;

	self->config.events->line(self->config.arg, line);
}

static void on_plain_end(void *arg)
{
	struct prompt *self = arg;

	self->over = true;
	self->config.events->end(self->config.arg);
}

static int read_plainly(struct prompt *self)
{
	const struct lines_events events = {on_plain_line, on_plain_end};

	return lines_new(&self->lines, self->loop, STDIN_FILENO, PROMPT_LINE_MAX, &events, self);
}

static void tell(struct prompt *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct prompt *self, const char *format, ...)
{
	char room[FAULT_SIZE + 64];
	struct text text = TEXT_IN(room);
	va_list args;

	text_puts(&text, "sipcall: ");
	va_start(args, format);
	text_vprintf(&text, format, args);
	va_end(args);
	text_putc(&text, '\n');
	terminal_put(self->terminal, TERMINAL_ERR, text_slice(&text));
}

static int read_keys(struct prompt *self, struct fault *why)
{
	const struct editor_config config = {
		.prompt = self->config.prompt,
		.utf8 = terminal_has_utf8(self->terminal),
		.next = next_key,
		.waiting = is_key_waiting,
		.line = on_line,
		.end = on_end,
		.complete = on_complete,
		.alternatives = on_alternatives,
		.clear = on_clear,
		.arg = self,
	};
	int err;

	err = editor_new(&self->editor, &config, why);
	if (err)
		return err;
	err = listing_new(&self->listing, self->loop, on_listed, self);
	if (!err)
		err = keys_new(&self->keys, self->loop, STDIN_FILENO, on_keys, self);
	if (!err)
		err = catch_signals(self);
	if (!err && self->config.history)
		err = recall_new(&self->recall, self->config.history, call_back, self);
	if (err)
		return fault_set(why, err, "no prompt: %s", strerror(-err));

	terminal_hide(self->terminal); /* should we be in the background */
	show(self);
	come_back(self);
	return 0;
}

static bool wants_keys(const struct prompt *self)
{
	return !self->config.plain && isatty(STDIN_FILENO) && terminal_is_screen(self->terminal);
}

int prompt_new(struct prompt **out, struct terminal *terminal, const struct prompt_config *config,
	struct fault *why)
{
	struct prompt *self = calloc(1, sizeof(*self));
	int err = -ENOENT;

	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a prompt");

	self->config = *config;
	if (!config->prompt)
		self->config.prompt = "> ";
	self->terminal = terminal;
	self->loop = terminal_loop(terminal);
	self->post.run = run_wanted;
	timer_init(&self->look, self->loop, come_back, self);
	if (wants_keys(self)) {
		err = read_keys(self, why);
		if (err == -ENOENT || err == -ENOSYS)
			tell(self, "%s; lines are read as they are", why->words);
	}
	if (err == -ENOENT || err == -ENOSYS) {
		err = read_plainly(self);
		if (err)
			fault_set(why, err, "no prompt: %s", strerror(-err));
	}
	if (err) {
		prompt_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void prompt_free(struct prompt *prompt)
{
	struct fault why;

	if (!prompt)
		return;

	if (prompt->keys && !terminal_takes(prompt->terminal)) /* Ctrl-S, and nobody waits for us */
		prompt_abandon(prompt);
	if (prompt->keys && !prompt->over)
		finish(prompt);
	loop_uv_signal_stop(prompt->loop, prompt);
	lines_free(prompt->lines);
	prompt->lines = NULL;
	prompt->over = true;
	if (atomic_load(&prompt->posted) > 0) { /* that is run before what is posted now */
		terminal_end(prompt->terminal);
		terminal_run(prompt->terminal);
	}
	if (prompt->recall && recall_save(prompt->recall, &why))
		tell(prompt, "%s", why.words);
	recall_free(prompt->recall);
	listing_free(prompt->listing);
	complete_free(&prompt->complete);
	keys_free(prompt->keys);
	editor_free(prompt->editor);
	free(prompt);
}

bool prompt_has_keys(const struct prompt *prompt)
{
	return prompt->keys != NULL;
}

void prompt_next(struct prompt *prompt)
{
	want(prompt, WANT_NEXT);
}

void prompt_interrupt(struct prompt *prompt)
{
	want(prompt, WANT_INTERRUPT);
}

void prompt_ringing(struct prompt *prompt, bool ringing)
{
	atomic_store(&prompt->ringing, ringing);
}

void prompt_dial(struct prompt *prompt, bool dials)
{
	atomic_store(&prompt->dials, dials);
	want(prompt, 0);
}

void prompt_offer(
	struct prompt *prompt, enum complete_list list, const char *const *words, size_t count)
{
	offer_post(prompt->loop, &prompt->complete, list, words, count, &prompt->posted);
}

void prompt_abandon(struct prompt *prompt)
{
	if (!prompt->keys || !keys_taken(prompt->keys))
		return;
	terminal_abandon(prompt->terminal);
	keys_abandon(prompt->keys);
}
