/* cmd/settings/accounts: what each key of an [account] comes to, who of several is taken, what the
 * command line has to say, where passwords come from. */
#include "cmd/settings/accounts.h"

#include "cmd/settings/config_account.h"
#include "core/base/secret.h"
#include "core/ua/dialplan.h"
#include "core/ua/lifeline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ARGS_MAX = 8, TOLD_SIZE = 1024 };

#define VARIABLE "SIPCALL_PASSWORD"

/* How often read() still works; SIZE_MAX, as at first: always. The linker sends it here. */
static size_t reads_left = SIZE_MAX;

ssize_t __wrap_read(int fd, void *room, size_t size);
ssize_t __real_read(int fd, void *room, size_t size);

ssize_t __wrap_read(int fd, void *room, size_t size)
{
	if (reads_left == 0) {
		errno = EIO;
		return -1;
	}
	if (reads_left < SIZE_MAX)
		reads_left--;
	return __real_read(fd, room, size);
}

#define WORK "[account work]\naddress = alice@example.org\npassword = w\n"
#define HOME "[account home]\naddress = carol@example.net\npassword = h\n"

/* What accounts are made of; they borrow from it. */
struct made {
	struct config *config;
	struct options options;
	struct accounts accounts;
};

static void on_told(void *arg, const char *line)
{
	(void)arg;
	fail_msg("%s", line);
}

static int try_make(struct made *out, struct fault *why, const char *text, const char *const *args)
{
	const struct config_reader reader = {.tell = on_told};
	char *argv[ARGS_MAX + 1] = {(char *)"sipcall"};
	int argc = 1, err;

	for (; argc <= ARGS_MAX && args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	assert_int_equal(config_parse(&out->config, "f", slice_of(text), &reader), 0);
	if (options_parse(&out->options, argc, argv, why))
		fail_msg("%s", why->words);
	err = accounts_make(&out->accounts, &out->options, out->config, why);
	if (err)
		config_free(out->config);
	return err;
}

static void make(struct made *out, const char *text, const char *const *args)
{
	struct fault why;

	if (try_make(out, &why, text, args))
		fail_msg("%s", why.words);
}

#define ARGS(...) ((const char *const[ARGS_MAX + 1]){__VA_ARGS__})

static void drop(struct made *made)
{
	accounts_wipe(&made->accounts);
	assert_null(made->accounts.all);
	config_free(made->config);
}

static const struct ua_account *nth(const struct made *made, size_t i)
{
	assert_true(i < made->accounts.count);
	return &made->accounts.all[i].settings;
}

static void expect_password(const struct ua_account *account, const char *expected)
{
	assert_non_null(account->password);
	assert_true(slice_is(secret_text(account->password), expected));
}

static void test_what_is_said(void **state)
{
	char room[64];
	struct text dialled = TEXT_IN(room);
	const struct ua_account *account;
	struct made made;

	(void)state;
	make(&made,
		WORK "display = Alice\nregistrar = r.example.org\nproxy = p.example.org\n"
		     "transport = tls\nauth_user = al\nrealm = here\nexpires = 600\n"
		     "register = no\nallow_md5 = no\npreferred_identity = tel:+4930\n"
		     "anonymous = yes\ncountry_code = 49\ndial = 7. -> 8.\nemergency = 19\n"
		     "nat_contact = no\nkeep_alive = 30\noutbound = no\ngruu = no\n",
		ARGS("--answer"));
	assert_int_equal(made.accounts.count, 1);
	account = nth(&made, 0);
	assert_string_equal(account->name, "work");
	assert_string_equal(account->aor, "alice@example.org");
	assert_string_equal(account->display, "Alice");
	assert_string_equal(account->registrar, "r.example.org");
	assert_string_equal(account->proxy, "p.example.org");
	assert_string_equal(account->transport, "tls");
	assert_string_equal(account->auth_user, "al");
	assert_string_equal(account->realm, "here");
	expect_password(account, "w");
	assert_int_equal(account->expires_s, 600);
	assert_false(account->registers);
	assert_false(account->allow_md5);
	assert_string_equal(account->identity, "tel:+4930");
	assert_true(account->anonymous);
	assert_string_equal(dialplan_apply(&dialled, account->dial, slice_of("71")), "7. -> 8.");
	assert_string_equal(room, "81");
	assert_true(dialplan_is_emergency(account->dial, slice_of("19")));
	assert_true(account->own_contact);
	assert_int_equal(account->keep_alive_s, 30);
	assert_null(account->instance);
	assert_false(account->gruu);
	drop(&made);
}

static void test_what_is_not_said(void **state)
{
	const struct ua_account *account;
	struct made made;

	(void)state;
	make(&made, WORK "nat_contact = yes\n" HOME "keep_alive = no\n", ARGS("--answer"));
	assert_int_equal(made.accounts.count, 2);
	account = nth(&made, 0);
	assert_null(account->display);
	assert_null(account->registrar);
	assert_null(account->proxy);
	assert_null(account->transport);
	assert_null(account->auth_user);
	assert_null(account->realm);
	assert_int_equal(account->expires_s, 0);
	assert_true(account->registers);
	assert_true(account->allow_md5);
	assert_null(account->identity);
	assert_false(account->anonymous);
	assert_null(account->dial);
	assert_false(account->own_contact);
	assert_int_equal(account->keep_alive_s, LIFELINE_AUTO);
	assert_string_equal(account->instance, made.accounts.instance.urn);
	assert_true(account->gruu);
	assert_string_equal(nth(&made, 1)->name, "home");
	assert_int_equal(nth(&made, 1)->keep_alive_s, LIFELINE_NEVER);
	drop(&made);
}

/* Which of them, whether they register by themselves, and as which phone. */
static void test_which(void **state)
{
	static const struct {
		const char *args[ARGS_MAX + 1];
		const char *first;
		size_t count;
		bool registers, instance;
	} rows[] = {
		{{"--answer"}, "alice@example.org", 2, true, true},
		{{"--daemon", "--control", "c"}, "alice@example.org", 2, true, true},
		{{NULL}, "alice@example.org", 2, true, true},
		{{"--no-register"}, "alice@example.org", 2, false, true},
		{{"-a", "home"}, "carol@example.net", 1, true, true},
		{{"-e", "register"}, "alice@example.org", 2, false, true},
		{{"bob"}, "alice@example.org", 2, false, false},
		{{"-a", "dave@example.com", "bob"}, "dave@example.com", 1, false, false},
	};
	struct made made;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv(VARIABLE, "v", 1);
		make(&made, WORK HOME, rows[i].args);
		assert_string_equal(nth(&made, 0)->aor, rows[i].first);
		assert_int_equal(made.accounts.count, rows[i].count);
		for (size_t n = 0; n < rows[i].count; n++) {
			assert_true(nth(&made, n)->registers == rows[i].registers);
			assert_true((nth(&made, n)->instance != NULL) == rows[i].instance);
		}
		drop(&made);
	}
}

static void test_the_command_line_comes_first(void **state)
{
	const struct ua_account *account;
	struct made made;

	(void)state;
	make(&made, WORK "registrar = r.org\nproxy = p.org\nauth_user = u\n" HOME "proxy = p.org\n",
		ARGS("--answer", "--registrar=R", "--proxy=P", "--auth-user=U"));
	account = nth(&made, 0);
	assert_string_equal(account->registrar, "R");
	assert_string_equal(account->proxy, "P");
	assert_string_equal(account->auth_user, "U");
	assert_string_equal(nth(&made, 1)->proxy, "p.org");
	drop(&made);
}

/* The variable is for the first, and gone from the environment; a command is run. */
static void test_passwords(void **state)
{
	struct made made;

	(void)state;
	setenv(VARIABLE, "variable", 1);
	make(&made, WORK HOME "[account x]\naddress = x@y\npassword_command = echo said\n",
		ARGS("--answer"));
	assert_null(getenv(VARIABLE));
	expect_password(nth(&made, 0), "variable");
	expect_password(nth(&made, 1), "h");
	expect_password(nth(&made, 2), "said");
	drop(&made);
}

/* Phones of a script pick theirs; none is asked for, and none registers that does not say so. */
static void test_script(void **state)
{
	struct options phone = {.account = "home", .proxy = "P"};
	struct ua_account account;
	struct made made;
	struct fault why;

	(void)state;
	setenv(VARIABLE, "variable", 1);
	make(&made, WORK HOME "[account x]\naddress = x@y\npassword_command = false\n",
		ARGS("--script", "-"));
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), 0);
	assert_string_equal(account.aor, "carol@example.net");
	assert_string_equal(account.proxy, "P");
	assert_false(account.registers);
	assert_null(account.instance);
	expect_password(&account, "h");

	phone.account = "x";
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), 0);
	expect_password(&account, "variable");
	phone.account = "a@b";
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), 0);
	assert_string_equal(account.aor, "a@b");
	expect_password(&account, "variable");
	phone.account = "other";
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), -EINVAL);
	assert_string_equal(why.words, "account=other: there is no [account other]");
	phone.account = NULL;
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), -ENOENT);
	drop(&made);

	make(&made, "[account x]\naddress = x@y\npassword_command = echo p\n",
		ARGS("--script", "-"));
	phone.account = "x";
	assert_int_equal(accounts_pick(&account, &made.accounts, &phone, &why), -EINVAL);
	assert_string_equal(why.words,
		"account=x: a script runs no password_command; " VARIABLE " has the password");
	drop(&made);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *args[ARGS_MAX + 1], *words;
	} rows[] = {
		{WORK, {"-a", "wrok", "--answer"}, "--account: no [account wrok] in f"},
		{"", {"-a", "work", "--answer"},
			"--account: work is no address like alice@example.org, and there is no "
			"[account] of that name"},
		{"[account x]\naddress = x@y\npassword_command = exit 3\n", {"--answer"},
			"account x: password_command failed with exit code 3"},
	};
	struct made made;
	struct fault why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(try_make(&made, &why, rows[i].text, rows[i].args), -EINVAL);
		assert_string_equal(why.words, rows[i].words);
		assert_null(made.accounts.all);
	}
}

/* What came before it broke off is no password. */
static void test_a_command_that_cannot_be_read(void **state)
{
	struct made made;
	struct fault why;

	(void)state;
	reads_left = 1;
	assert_int_equal(
		try_make(&made, &why, "[account x]\naddress = x@y\npassword_command = echo said\n",
			ARGS("--answer")),
		-EINVAL);
	reads_left = SIZE_MAX;
	assert_string_equal(
		why.words, "account x: password_command cannot be read: Input/output error");
}

static char folder[] = "/tmp/cmd_accounts.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && setenv("XDG_STATE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"/sipcall/instance", "/sipcall", ""};
	char room[128];
	struct text path;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path = TEXT_IN(room);
		text_printf(&path, "%s%s", folder, names[i]);
		(void)(i == 0 ? unlink(room) : rmdir(room));
	}
	return access(folder, F_OK) == 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_what_is_not_said),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_the_command_line_comes_first),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_a_command_that_cannot_be_read),
	};

	unsetenv(VARIABLE);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
