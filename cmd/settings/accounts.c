#include "cmd/settings/accounts.h"

#include "cmd/settings/config_account.h"
#include "cmd/settings/password.h"
#include "cmd/words.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 256 };

#define PASSWORD_VARIABLE "SIPCALL_PASSWORD"

/* Out of the environment, where every program that we start would find it, and a look at /proc. */
static int take_variable(struct secret **out, struct fault *why)
{
	char *value = getenv(PASSWORD_VARIABLE);
	int err;

	*out = NULL;
	if (!value)
		return 0;

	err = secret_new(out, slice_of(value));
	explicit_bzero(value, strlen(value));
	unsetenv(PASSWORD_VARIABLE);
	if (err == -EMSGSIZE)
		return fault_set(why, -EINVAL, PASSWORD_VARIABLE " is too long: at most %d bytes",
			SECRET_MAX);
	return err ? fault_set(why, err, "out of memory") : 0;
}

/* Where calls are waited for, or a person is: a single call and commands register when asked. */
static bool registers(const struct options *options)
{
	enum options_mode mode = options_mode(options);

	return (mode == OPTIONS_ANSWER || mode == OPTIONS_PROMPT || mode == OPTIONS_SERVICE) &&
	       !options->no_register;
}

/* Of an [account]; its own password is the configuration's, and stays there. */
static struct ua_account of_config(const struct config_account *account)
{
	return (struct ua_account){
		.name = account->name,
		.aor = account->texts[ACCOUNT_ADDRESS],
		.display = account->texts[ACCOUNT_DISPLAY],
		.registrar = account->texts[ACCOUNT_REGISTRAR],
		.proxy = account->texts[ACCOUNT_PROXY],
		.transport = account->texts[ACCOUNT_TRANSPORT],
		.auth_user = account->texts[ACCOUNT_AUTH_USER],
		.realm = account->texts[ACCOUNT_REALM],
		.password = account->password,
		.expires_s = account->expires_s,
		.registers = !account->no_register,
		.allow_md5 = !account->no_md5,
		.identity = account->texts[ACCOUNT_IDENTITY],
		.dial = account->dial,
		.anonymous = account->anonymous,
		.own_contact = account->own_contact,
		.keep_alive_s = account->keep_alive_s,
		.gruu = !account->no_gruu,
	};
}

/*
 * Registrars tell by it one phone of an account from another: who only calls needs none. Those of a
 * script may be several of the same account, and none of them comes back.
 */
static void claim_instance(struct accounts *out, const struct options *options)
{
	int err;

	if (out->count == 0 || options_mode(options) == OPTIONS_CALL)
		return;
	err = instance_claim(&out->instance);
	if (err)
		log_info("no place to keep which phone this is: %s", strerror(-err));
	for (size_t i = 0; i < out->count && !err; i++)
		if (!out->all[i].no_outbound)
			out->all[i].settings.instance = out->instance.urn;
}

/* The command line comes before the configuration. */
static void override(struct ua_account *account, const struct options *options)
{
	if (options->registrar)
		account->registrar = options->registrar;
	if (options->proxy)
		account->proxy = options->proxy;
	if (options->auth_user)
		account->auth_user = options->auth_user;
}

static int no_account(const char *name, const struct config *config, struct fault *why)
{
	char shown[NAME_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(name));
	if (config_accounts(config) > 0)
		return fault_set(why, -EINVAL, "--account: no [account %s] in %s", shown,
			config_name(config));
	return fault_set(why, -EINVAL,
		"--account: %s is no address like alice@example.org, and there is no [account] "
		"of that name",
		shown);
}

/* The next of them, whose place is there. */
static struct accounts_one *add(struct accounts *out, const struct config_account *account)
{
	struct accounts_one *made = &out->all[out->count++];

	*made = (struct accounts_one){
		.settings = of_config(account),
		.command = account->texts[ACCOUNT_PASSWORD_COMMAND],
		.no_outbound = account->no_outbound,
	};
	return made;
}

/* Only the one that is named, or all. */
static int choose(struct accounts *out, const struct options *options, const struct config *config,
	struct fault *why)
{
	const struct config_account *account = NULL;

	while ((account = config_account_next(config, account)))
		if (!options->account || strcmp(options->account, account->name) == 0)
			add(out, account);
	if (out->count > 0 || !options->account)
		return 0;
	if (!strpbrk(options->account, "@:"))
		return no_account(options->account, config, why);
	out->all[out->count++].settings = (struct ua_account){
		.aor = options->account,
		.registers = true,
		.allow_md5 = true,
		.gruu = true,
	};
	return 0;
}

/* From the environment for the first, else as the configuration says, else from a person. */
static int find_password(struct accounts *out, size_t i, struct fault *why)
{
	struct accounts_one *one = &out->all[i];
	struct ua_account *account = &one->settings;
	const char *name = account->name ? account->name : account->aor;
	struct fault wrong;
	int err = 0;

	if (i == 0 && out->variable)
		account->password = out->variable;
	if (account->password)
		return 0;
	if (!one->command)
		err = password_ask(&one->secret, name, why);
	else if ((err = password_run(&one->secret, one->command, &wrong)))
		fault_set(why, err, "account %s: %s", name, wrong.words);
	account->password = one->secret;
	return err;
}

/* What phones of a script may pick from. */
static void take_all(struct accounts *out, const struct config *config)
{
	const struct config_account *account = NULL;

	while ((account = config_account_next(config, account))) {
		struct ua_account *made = &add(out, account)->settings;

		made->registers = false;
		if (!made->password)
			made->password = out->variable;
	}
}

int accounts_pick(struct ua_account *out, const struct accounts *accounts,
	const struct options *options, struct fault *why)
{
	size_t i = 0;

	if (!options->account)
		return -ENOENT;

	while (i < accounts->count && strcmp(accounts->all[i].settings.name, options->account) != 0)
		i++;
	if (i == accounts->count && !strpbrk(options->account, "@:"))
		return fault_set(why, -EINVAL, "account=%s: there is no [account %s]",
			options->account, options->account);
	if (i < accounts->count)
		*out = accounts->all[i].settings;
	else
		*out = (struct ua_account){
			.aor = options->account, .password = accounts->variable, .allow_md5 = true};
	if (!out->password && i < accounts->count && accounts->all[i].command)
		return fault_set(why, -EINVAL,
			"account=%s: a script runs no password_command; " PASSWORD_VARIABLE
			" has the password",
			options->account);
	override(out, options);
	return 0;
}

int accounts_make(struct accounts *out, const struct options *options, const struct config *config,
	struct fault *why)
{
	int err;

	*out = (struct accounts){.instance.fd = -1};
	err = take_variable(&out->variable, why);
	if (err)
		return err;
	out->all = calloc(config_accounts(config) + 1, sizeof(*out->all));
	if (!out->all) {
		err = fault_set(why, -ENOMEM, "out of memory");
		goto out;
	}
	if (options_mode(options) == OPTIONS_SCRIPT) {
		take_all(out, config);
		return 0;
	}
	err = choose(out, options, config, why);
	if (!err && out->count > 0)
		override(&out->all[0].settings, options);
	if (!err)
		claim_instance(out, options);
	for (size_t i = 0; i < out->count && !err; i++) {
		struct ua_account *account = &out->all[i].settings;

		account->registers = account->registers && registers(options);
		err = find_password(out, i, why);
	}
out:
	if (err)
		accounts_wipe(out);
	return err;
}

void accounts_wipe(struct accounts *accounts)
{
	for (size_t i = 0; i < accounts->count; i++)
		secret_free(accounts->all[i].secret);
	free(accounts->all);
	secret_free(accounts->variable);
	instance_release(&accounts->instance);
	*accounts = (struct accounts){.instance.fd = -1};
}
