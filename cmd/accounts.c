#include "cmd/accounts.h"

#include "core/base/secret.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

	return (mode == OPTIONS_ANSWER || mode == OPTIONS_PROMPT) && !options->no_register;
}

int accounts_make(struct accounts *out, const struct options *options, struct fault *why)
{
	int err;

	*out = (struct accounts){.count = 0};
	err = take_variable(&out->secrets[0], why);
	if (err || !options->account)
		return err;

	out->list[0] = (struct ua_account){
		.aor = options->account,
		.registrar = options->registrar,
		.proxy = options->proxy,
		.auth_user = options->auth_user,
		.password = out->secrets[0],
		.registers = registers(options),
		.allow_md5 = true,
	};
	out->count = 1;
	return 0;
}

void accounts_wipe(struct accounts *accounts)
{
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		secret_free(accounts->secrets[i]);
		accounts->secrets[i] = NULL;
	}
	accounts->count = 0;
}
