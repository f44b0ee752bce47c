/* cmd/readers/hooks: which commands start on which events, with what environment, how many at once,
 * and how it comes to rest. The commands themselves are played. */
#include "cmd/readers/hooks.h"

#include "core/net/command.h"
#include "tests/unit/fake_loop.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	STARTS_MAX = 256,
	TOLD_SIZE = 4096,
};

/* A command that was started: pid - 1 is its place here. */
static struct {
	char line[32];
	char **env; /* as long as it runs */
	bool ended;
	struct pipe_exit exit;
} starts[STARTS_MAX];

static size_t start_count;
static int start_err; /* that starting gives */
static struct fake_loop fake;
static char told[TOLD_SIZE];
static unsigned done;
static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
int __wrap_command_run(struct command *out, const char *line, char *const env[]);
bool __wrap_command_ended(struct command *command, struct pipe_exit *exit);

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;

	allocations_left--;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

int __wrap_command_run(struct command *out, const char *line, char *const env[])
{
	if (start_err)
		return start_err;

	assert_in_range(start_count, 0, STARTS_MAX - 1);
	snprintf(starts[start_count].line, sizeof(starts[0].line), "%s", line);
	starts[start_count].env = (char **)(uintptr_t)env;
	starts[start_count].ended = false;
	out->pid = (pid_t)++start_count;
	return 0;
}

bool __wrap_command_ended(struct command *command, struct pipe_exit *exit)
{
	*exit = starts[command->pid - 1].exit;
	return starts[command->pid - 1].ended;
}

static void on_tell(void *arg, const char *words)
{
	struct text text = {told, strlen(told), sizeof(told), false};

	(void)arg;
	text_printf(&text, "%s\n", words);
}

static void on_done(void *arg)
{
	(void)arg;
	done++;
}

static void no_complaint(void *arg, const char *line)
{
	(void)arg;
	fail_msg("%s", line);
}

/* On the stage: a configuration, and its hooks. */
struct stage {
	struct config *config;
	struct hooks *hooks;
};

static int begin(struct stage *stage, const char *text)
{
	const struct config_reader reader = {.tell = no_complaint};
	struct hooks_config config = {.loop = &fake.loop, .tell = on_tell};

	fake_loop_init(&fake);
	start_count = 0;
	start_err = 0;
	done = 0;
	told[0] = '\0';
	assert_int_equal(config_parse(&stage->config, "f", slice_of(text), &reader), 0);
	config.config = stage->config;
	return hooks_new(&stage->hooks, &config);
}

static void end(struct stage *stage)
{
	hooks_free(stage->hooks);
	fake_loop_settle(&fake); /* what was on its way */
	fake_loop_end(&fake);
	config_free(stage->config);
}

static const char *env_of(size_t start, const char *name)
{
	size_t len = strlen(name);

	for (char **at = starts[start].env; *at; at++)
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	return NULL;
}

#define TEXT(literal)                                                                              \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}

static const struct ua_event incoming = {
	.kind = UA_CALL_INCOMING, .call = 2, .call_id = TEXT("x@y"), .peer = TEXT("sip:a@b")};
static const struct ua_event ended = {.kind = UA_CALL_ENDED,
	.call = 2,
	.ended = {.cause = UA_CAUSE_REMOTE, .code = 200, .duration_s = 1.5, .answered = true}};
static const struct ua_event meter = {.kind = UA_CALL_METER, .call = 2};

static void test_which(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(
		begin(&stage, "[sipcall]\non_call_incoming = one\non_event = any ; more\n"), 0);
	hooks_event(stage.hooks, &incoming);
	hooks_event(stage.hooks, &meter);
	hooks_event(stage.hooks, &ended);
	assert_int_equal(start_count, 0); /* not while an event is told */
	fake_loop_settle(&fake);
	assert_int_equal(start_count, 3);
	assert_string_equal(starts[0].line, "one");
	assert_string_equal(starts[1].line, "any ; more");
	assert_string_equal(starts[2].line, "any ; more");
	assert_string_equal(env_of(1, "SIPCALL_EVENT"), "call.incoming");
	assert_string_equal(env_of(2, "SIPCALL_EVENT"), "call.ended");
	end(&stage);
}

static void test_none(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\nmic = silence\n"), 0);
	assert_null(stage.hooks);
	hooks_event(stage.hooks, &incoming);
	hooks_close(stage.hooks, on_done, NULL);
	assert_int_equal(done, 1);
	end(&stage);
}

static void test_environment(void **state)
{
	static const struct slice targets[] = {TEXT("sip:c@d"), TEXT("sip:e@f;x=\"$(y) z\"")};
	struct ua_event event = ended;
	struct stage stage;

	(void)state;
	setenv("SIPCALL_PEER", "another", 1);
	setenv("SIPCALL_PASSWORD", "secret", 1);
	setenv("OF_OURS", "here", 1);
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	event.ended.reason = (struct slice)TEXT("a\nSIPCALL_X=1 \x1b[31m$(rm) \xc3\xb6 \xff\x00z");
	hooks_event(stage.hooks, &event);
	event = (struct ua_event){
		.kind = UA_CALL_REDIRECTED, .redirected = {302, TEXT("Moved"), targets, 2}};
	hooks_event(stage.hooks, &event);
	unsetenv("SIPCALL_PEER");
	unsetenv("SIPCALL_PASSWORD");
	fake_loop_settle(&fake);

	assert_string_equal(env_of(0, "OF_OURS"), "here");
	assert_null(env_of(0, "SIPCALL_PASSWORD"));
	assert_string_equal(env_of(0, "SIPCALL_V"), "1");
	assert_string_equal(env_of(0, "SIPCALL_CALL"), "2");
	assert_string_equal(env_of(0, "SIPCALL_PEER"), ""); /* null */
	assert_string_equal(env_of(0, "SIPCALL_CAUSE"), "remote");
	assert_string_equal(env_of(0, "SIPCALL_CODE"), "200");
	assert_string_equal(env_of(0, "SIPCALL_DURATION_S"), "1.5");
	assert_string_equal(env_of(0, "SIPCALL_ANSWERED"), "true");
	assert_string_equal(env_of(0, "SIPCALL_REASON"),
		"a\\x0aSIPCALL_X=1 \\x1b[31m$(rm) \xc3\xb6 \\xff\\x00z");
	assert_null(env_of(0, "SIPCALL_X"));
	assert_string_equal(
		env_of(1, "SIPCALL_TARGETS"), "[\"sip:c@d\",\"sip:e@f;x=\\\"$(y) z\\\"\"]");
	end(&stage);
}

/* No value is longer than the system takes, nor cut within a character. */
static void test_long(void **state)
{
	static char name[70000];
	struct ua_event event = incoming;
	struct stage stage;

	(void)state;
	memset(name, 'x', sizeof(name));
	for (size_t i = 1; i + 1 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xb6", 2);
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	event.display = (struct slice){(const uint8_t *)name, sizeof(name)};
	hooks_event(stage.hooks, &event);
	fake_loop_settle(&fake);
	assert_int_equal(strlen(env_of(0, "SIPCALL_DISPLAY")), HOOKS_VALUE_MAX - 1);
	end(&stage);
}

static void end_command(size_t i, int code)
{
	starts[i].exit = (struct pipe_exit){.code = code};
	starts[i].ended = true;
}

/* Some run, some wait, and the rest is left out, which is told once, and how many at the end. */
static void test_many(void **state)
{
	const size_t all = HOOKS_RUNNING_MAX + HOOKS_WAITING_MAX;
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++) {
		hooks_event(stage.hooks, &incoming);
		fake_loop_settle(&fake);
	}
	for (size_t i = 0; i < HOOKS_WAITING_MAX + 3; i++)
		hooks_event(stage.hooks, &incoming);
	fake_loop_settle(&fake);
	assert_int_equal(start_count, HOOKS_RUNNING_MAX);
	assert_string_equal(told, "on_event: left out, as 16 commands of events run and 64 wait\n");

	end_command(3, 1);
	fake_loop_advance(&fake, NS_PER_S);
	assert_int_equal(start_count, HOOKS_RUNNING_MAX + 1);

	hooks_close(stage.hooks, on_done, NULL);
	assert_non_null(strstr(told, "\n3 commands of events were left out\n"));
	while (start_count < all) {
		for (size_t i = 0; i < start_count; i++)
			end_command(i, 0);
		fake_loop_advance(&fake, 10 * NS_PER_MS);
	}
	assert_int_equal(done, 0);
	for (size_t i = 0; i < all; i++)
		end_command(i, 0);
	fake_loop_advance(&fake, 10 * NS_PER_MS);
	assert_int_equal(done, 1);
	end(&stage);
}

/* Who hangs is waited for at the end, but not for long. */
static void test_patience(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	hooks_event(stage.hooks, &incoming);
	fake_loop_advance(&fake, 3600 * NS_PER_S);
	assert_string_equal(told, "");
	hooks_close(stage.hooks, on_done, NULL);
	fake_loop_advance(&fake, HOOKS_PATIENCE_MS * NS_PER_MS - 1);
	assert_int_equal(done, 0);
	fake_loop_advance(&fake, 1);
	assert_int_equal(done, 1);
	assert_string_equal(
		told, "leaving while commands of events have not ended: 1 run, 0 wait\n");
	end(&stage);
}

/* Who ended in time was waited for, and nobody is any more: something else may take longer. */
static void test_in_time(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	hooks_event(stage.hooks, &incoming);
	hooks_close(stage.hooks, on_done, NULL);
	fake_loop_settle(&fake);
	starts[0].ended = true;
	fake_loop_advance(&fake, NS_PER_S);
	assert_int_equal(done, 1);
	fake_loop_advance(&fake, HOOKS_PATIENCE_MS * NS_PER_MS);
	assert_int_equal(done, 1);
	assert_string_equal(told, "");
	end(&stage);
}

/* Nobody is left who waits for what is on its way. */
static void test_left(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	hooks_event(stage.hooks, &incoming);
	hooks_event(stage.hooks, &ended);
	hooks_close(stage.hooks, on_done, NULL);
	assert_int_equal(done, 0);
	end(&stage);
	assert_int_equal(start_count, 1);
	assert_int_equal(done, 0);
}

static void test_no_shell(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\non_call_incoming = y\n"), 0);
	start_err = -EAGAIN;
	fake.work_hastes = true; /* another thread may be faster than we */
	hooks_event(stage.hooks, &incoming);
	fake_loop_settle(&fake);
	assert_string_equal(told,
		"on_call_incoming: cannot run a shell: Resource temporarily unavailable\n"
		"on_event: cannot run a shell: Resource temporarily unavailable\n");
	fake.work_err = -ENOMEM;
	hooks_event(stage.hooks, &ended);
	assert_non_null(strstr(told, "on_event: cannot run a shell: Cannot allocate memory\n"));
	hooks_close(stage.hooks, on_done, NULL);
	assert_int_equal(done, 1);
	end(&stage);
}

static void test_no_memory(void **state)
{
	struct stage stage;
	size_t allowed = 0;

	(void)state;
	assert_int_equal(begin(&stage, "[sipcall]\non_event = x\n"), 0);
	json_set_alloc_funcs(__wrap_malloc, free);
	do {
		told[0] = '\0';
		allocations_left = allowed++;
		hooks_event(stage.hooks, &ended);
		allocations_left = SIZE_MAX;
		assert_true(told[0] == '\0' ||
			    strcmp(told, "too little memory for the command of an event\n") == 0);
	} while (told[0] != '\0');
	json_set_alloc_funcs(malloc, free);
	assert_true(allowed > 60);
	fake_loop_settle(&fake);
	assert_int_equal(start_count, 1);
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_no_shell),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/hooks", tests, NULL, NULL);
}
