#include "cmd/prompt/typing.h"

#include "cmd/say.h"
#include "cmd/settings/places.h"
#include "core/base/list.h"
#include "core/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct typing {
	struct typing_config config;
	struct prompt *prompt;
};

/* What was done, on its way. */
struct deed {
	struct post post;
	struct typing *typing;
	void (*tell)(struct deed *deed);
	char line[];
};

static void tell_line(struct deed *deed)
{
	deed->typing->config.events->line(deed->typing->config.arg, deed->line);
}

static void tell_end(struct deed *deed)
{
	deed->typing->config.events->end(deed->typing->config.arg);
}

static void tell_gone(struct deed *deed)
{
	deed->typing->config.events->gone(deed->typing->config.arg);
}

static void tell_interrupted(struct deed *deed)
{
	deed->typing->config.events->interrupted(deed->typing->config.arg);
}

static void tell_digit(struct deed *deed)
{
	deed->typing->config.events->digit(deed->typing->config.arg, deed->line[0]);
}

static void run_deed(struct post *post)
{
	struct deed *deed = container_of(post, struct deed, post);

	deed->tell(deed);
	free(deed);
}

/* Without memory a deed is lost, and that is told. */
static void hand_on(struct typing *typing, void (*tell)(struct deed *deed), const char *line)
{
	size_t len = strlen(line);
	struct deed *deed = calloc(1, sizeof(*deed) + len + 1);

	if (!deed) {
		say_line(typing->config.terminal, "too little memory for what was typed");
		return;
	}
	deed->post.run = run_deed;
	deed->typing = typing;
	deed->tell = tell;
	memcpy(deed->line, line, len);
	loop_post(typing->config.agent_loop, &deed->post);
}

static void on_line(void *arg, const char *line)
{
	hand_on(arg, tell_line, line);
}

static void on_end(void *arg)
{
	hand_on(arg, tell_end, "");
}

static void on_gone(void *arg)
{
	hand_on(arg, tell_gone, "");
}

static void on_interrupted(void *arg)
{
	hand_on(arg, tell_interrupted, "");
}

static void on_digit(void *arg, char digit)
{
	hand_on(arg, tell_digit, (char[]){digit, '\0'});
}

int typing_new(struct typing **out, const struct typing_config *config, struct fault *why)
{
	static const struct prompt_events events = {
		on_line, on_end, on_gone, on_interrupted, on_digit};
	struct typing *typing = calloc(1, sizeof(*typing));
	struct prompt_config prompt = {.plain = config->plain, .events = &events, .arg = typing};
	char history[PLACES_PATH_SIZE];
	struct text path = TEXT_IN(history);
	int err;

	if (!typing)
		return fault_set(why, -ENOMEM, "too little memory for a prompt");

	typing->config = *config;
	if (places_state(&path, "history") == 0) /* else what is typed is forgotten at the end */
		prompt.history = history;
	err = prompt_new(&typing->prompt, config->terminal, &prompt, why);
	if (err) {
		free(typing);
		return err;
	}
	*out = typing;
	return 0;
}

void typing_free(struct typing *typing)
{
	if (!typing)
		return;

	prompt_free(typing->prompt);
	free(typing);
}

struct prompt *typing_prompt(struct typing *typing)
{
	return typing->prompt;
}
