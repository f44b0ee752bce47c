#include "cmd/readers/hooks.h"

#include "cmd/readers/json.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/net/command.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX "SIPCALL_"

/* Between two looks at what runs: soon after a start, when most end, and seldom at what hangs. */
#define LOOK_MIN_NS (5 * NS_PER_MS)
#define LOOK_MAX_NS (160 * NS_PER_MS)

enum {
	MEMBERS_MAX = 64, /* of an event's object */
	WORDS_SIZE = FAULT_SIZE,
};

/* One run of a command. While it starts it is the work's, but for owner. */
struct hook {
	struct work work;
	struct list link;
	struct hooks *owner; /* NULL: nobody waits for it any more */
	size_t kind;
	const char *line;
	char **env;
	size_t inherited; /* of env, which are not ours */
	size_t env_count;
	struct command command;
	int err; /* why it could not be started */
};

struct hooks {
	struct hooks_config config;
	struct list waiting;
	struct list running;
	struct hook *starting; /* one at a time, so that they start in the order of the events */
	size_t waiting_count;
	size_t running_count;
	unsigned dropped;
	struct timer look;
	uint64_t look_ns;
	struct timer patience;
	hooks_done *done;
	void *arg;
};

static void start_next(struct hooks *self);

static void __attribute__((format(printf, 2, 3)))
tell(const struct hooks *self, const char *format, ...)
{
	char room[WORDS_SIZE];
	struct text text = TEXT_IN(room);
	va_list args;

	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	self->config.tell(self->config.arg, room);
}

static void hook_free(struct hook *hook)
{
	for (size_t i = hook->inherited; i < hook->env_count; i++)
		free(hook->env[i]);
	free(hook->env);
	free(hook);
}

static uint8_t upper(char byte)
{
	return (uint8_t)(byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte);
}

/* "call_id" -> "SIPCALL_CALL_ID=..." */
static int add_member(void *arg, const char *name, const char *value)
{
	struct hook *hook = arg;
	size_t size = strlen(PREFIX) + strlen(name) + strlen("=") + 1;
	size_t len = strlen(value);
	struct text text;
	char *room;

	assert(hook->env_count < hook->inherited + MEMBERS_MAX);
	len = len < HOOKS_VALUE_MAX ? len : HOOKS_VALUE_MAX;
	room = malloc(size + len);
	if (!room)
		return -ENOMEM;

	text = text_in(room, size + len);
	text_puts(&text, PREFIX);
	for (; *name != '\0'; name++)
		text_putc(&text, (char)upper(*name));
	text_putc(&text, '=');
	text_put_escaped(
		&text, slice_of(value)); /* as it is: whole characters, as far as it fits */
	hook->env[hook->env_count++] = room;
	return 0;
}

/* A name of ours that we have from another sipcall speaks of another event. */
static bool is_ours(const char *variable)
{
	return strncmp(variable, PREFIX, strlen(PREFIX)) == 0;
}

/* With what our own environment has. */
static int fill_env(struct hook *hook, const struct ua_event *event)
{
	size_t count = 0;

	while (environ[count])
		count++;
	hook->env = calloc(count + MEMBERS_MAX + 1, sizeof(*hook->env));
	if (!hook->env)
		return -ENOMEM;

	for (size_t i = 0; i < count; i++)
		if (!is_ours(environ[i]))
			hook->env[hook->inherited++] = environ[i];
	hook->env_count = hook->inherited;
	return json_each(event, add_member, hook);
}

/* A thread of the I/O pool: the shell's file may be on a disk that is slow. */
static void run_start(struct work *work)
{
	struct hook *hook = container_of(work, struct hook, work);

	hook->err = command_run(&hook->command, hook->line, hook->env);
}

static void look_soon(struct hooks *self)
{
	self->look_ns = LOOK_MIN_NS;
	timer_start_in(&self->look, self->look_ns);
}

static void cannot_start(struct hooks *self, const struct hook *hook)
{
	char room[CONFIG_KEY_SIZE];

	tell(self, "%s: cannot run a shell: %s", config_hook_key(room, hook->kind),
		strerror(-hook->err));
}

static void check_done(struct hooks *self)
{
	hooks_done *done = self->done;

	if (!done || self->starting || self->waiting_count > 0 || self->running_count > 0)
		return;

	timer_stop(&self->patience);
	self->done = NULL;
	done(self->arg);
}

static void start_done(struct work *work)
{
	struct hook *hook = container_of(work, struct hook, work);
	struct hooks *self = hook->owner;

	if (!self) {
		hook_free(hook);
		return;
	}
	self->starting = NULL;
	if (hook->err) {
		cannot_start(self, hook);
		hook_free(hook);
	} else {
		list_add(&self->running, &hook->link);
		self->running_count++;
		look_soon(self);
	}
	start_next(self);
	check_done(self);
}

static void start_next(struct hooks *self)
{
	struct hook *hook;
	int err;

	if (self->starting || self->waiting_count == 0 || self->running_count == HOOKS_RUNNING_MAX)
		return;

	hook = container_of(self->waiting.next, struct hook, link);
	list_remove(&hook->link);
	self->waiting_count--;
	self->starting = hook;
	hook->work = (struct work){run_start, start_done};
	err = loop_work(self->config.loop, &hook->work);
	if (err) {
		hook->err = err; /* else it is the work's by now */
		start_done(&hook->work);
	}
}

static void ended(struct hooks *self, struct hook *hook, const struct pipe_exit *how)
{
	char room[CONFIG_KEY_SIZE];
	const char *key = config_hook_key(room, hook->kind);

	if (how->signal > 0)
		log_info("%s: its command was ended by signal %d", key, how->signal);
	else if (how->code > 0)
		log_info("%s: its command ended with %d", key, how->code);
	list_remove(&hook->link);
	self->running_count--;
	hook_free(hook);
}

static void on_look(void *arg)
{
	struct hooks *self = arg;
	struct pipe_exit how;

	list_each(link, &self->running)
	{
		struct hook *hook = container_of(link, struct hook, link);

		if (command_ended(&hook->command, &how))
			ended(self, hook, &how);
	}
	if (self->running_count > 0) {
		self->look_ns = 2 * self->look_ns < LOOK_MAX_NS ? 2 * self->look_ns : LOOK_MAX_NS;
		timer_start_in(&self->look, self->look_ns);
	}
	start_next(self);
	check_done(self);
}

static void on_patience(void *arg)
{
	struct hooks *self = arg;
	hooks_done *done = self->done;

	tell(self, "leaving while commands of events have not ended: %zu run, %zu wait",
		self->running_count + (self->starting ? 1 : 0), self->waiting_count);
	self->done = NULL;
	done(self->arg);
}

static void drop(struct hooks *self, size_t kind)
{
	char room[CONFIG_KEY_SIZE];

	if (self->dropped++ == 0)
		tell(self, "%s: left out, as %d commands of events run and %d wait",
			config_hook_key(room, kind), (int)HOOKS_RUNNING_MAX,
			(int)HOOKS_WAITING_MAX);
}

/* NULL if there is no memory. */
static struct hook *hook_new(struct hooks *self, size_t kind, const struct ua_event *event)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return NULL;

	hook->owner = self;
	hook->kind = kind;
	hook->line = config_hook(self->config.config, kind);
	if (fill_env(hook, event) == 0)
		return hook;

	hook_free(hook);
	return NULL;
}

static void add(struct hooks *self, size_t kind, const struct ua_event *event)
{
	struct hook *hook;

	if (!config_hook(self->config.config, kind))
		return;
	if (self->waiting_count == HOOKS_WAITING_MAX) {
		drop(self, kind);
		return;
	}
	hook = hook_new(self, kind, event);
	if (!hook) {
		tell(self, "too little memory for the command of an event");
		return;
	}
	list_add(&self->waiting, &hook->link);
	self->waiting_count++;
	start_next(self);
}

void hooks_event(struct hooks *hooks, const struct ua_event *event)
{
	if (!hooks || !json_tells(event->kind))
		return;

	add(hooks, event->kind, event);
	add(hooks, CONFIG_ANY_EVENT, event);
}

static bool is_wanted(const struct config *config)
{
	for (size_t kind = 0; kind < CONFIG_HOOKS; kind++)
		if (config_hook(config, kind))
			return true;
	return false;
}

int hooks_new(struct hooks **out, const struct hooks_config *config)
{
	struct hooks *self;

	*out = NULL;
	if (!is_wanted(config->config))
		return 0;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->config = *config;
	list_init(&self->waiting);
	list_init(&self->running);
	timer_init(&self->look, config->loop, on_look, self);
	timer_init(&self->patience, config->loop, on_patience, self);
	*out = self;
	return 0;
}

void hooks_close(struct hooks *hooks, hooks_done *done, void *arg)
{
	if (!hooks) {
		done(arg);
		return;
	}
	if (hooks->dropped > 1)
		tell(hooks, "%u commands of events were left out", hooks->dropped);
	hooks->done = done;
	hooks->arg = arg;
	timer_start_in(&hooks->patience, HOOKS_PATIENCE_MS * NS_PER_MS);
	if (hooks->running_count > 0)
		look_soon(hooks);
	check_done(hooks);
}

static void free_all(struct list *hooks)
{
	list_each(link, hooks) hook_free(container_of(link, struct hook, link));
}

void hooks_free(struct hooks *hooks)
{
	if (!hooks)
		return;

	timer_stop(&hooks->look);
	timer_stop(&hooks->patience);
	free_all(&hooks->waiting);
	free_all(&hooks->running);
	if (hooks->starting)
		hooks->starting->owner = NULL;
	free(hooks);
}
