#include "cmd/settings/config_account.h"

#include "core/base/secret.h"
#include "core/ua/agent.h"
#include "core/ua/dialplan.h"
#include "core/ua/identity.h"
#include "core/ua/lifeline.h"

#include <errno.h>
#include <stdlib.h>

enum { EXPIRES_MIN_S = 60, EXPIRES_MAX_S = 86400 };
enum { KEEP_ALIVE_MIN_S = 5, KEEP_ALIVE_MAX_S = 3600 };

static int read_address(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	struct fault wrong;

	account->texts[text] = slice_copy(value);
	if (!account->texts[text])
		return -ENOMEM;
	if (agent_check_target(account->texts[text], false, &wrong, NULL))
		return fault_set(why, -EINVAL, "%s", wrong.words);
	return 0;
}

static int read_identity(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	char room[IDENTITY_SIZE];
	struct text identity = TEXT_IN(room);
	struct fault wrong;

	if (identity_read(&identity, value, &wrong))
		return fault_set(why, -EINVAL, "%s", wrong.words);
	account->texts[text] = slice_copy(value);
	return account->texts[text] ? 0 : -ENOMEM;
}

static int read_text(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	if (value.len == 0)
		return fault_set(why, -EINVAL, "there is nothing behind it");

	account->texts[text] = slice_copy(value);
	return account->texts[text] ? 0 : -ENOMEM;
}

/* As a URI says it, so that what is read here can be put there. */
static int read_transport(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	static const char *const names[] = {"udp", "tcp", "tls", "ws", "wss"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(value, names[i]))
			return read_text(account, text, value, why);
	return fault_set(why, -EINVAL, "udp, tcp, tls, ws or wss");
}

static int read_password(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	int err = secret_new(&account->password, value);

	(void)text;
	if (err == -EMSGSIZE)
		return fault_set(why, -EINVAL, "at most %d bytes", SECRET_MAX);
	return err;
}

static int read_expires(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	uint64_t seconds;

	(void)text;
	if (slice_number(&seconds, value, EXPIRES_MAX_S) || seconds < EXPIRES_MIN_S)
		return fault_set(why, -EINVAL, "seconds, %d to %d", EXPIRES_MIN_S, EXPIRES_MAX_S);
	account->expires_s = (uint32_t)seconds;
	return 0;
}

/* What is so unless it is said not to be: the flag at field is set by no. */
static int read_no(
	struct config_account *account, size_t field, struct slice value, struct fault *why)
{
	bool *no = (bool *)((char *)account + field);

	*no = slice_is(value, "no");
	return *no || slice_is(value, "yes") ? 0 : fault_set(why, -EINVAL, "yes or no");
}

static int read_anonymous(
	struct config_account *account, size_t field, struct slice value, struct fault *why)
{
	int err = read_no(account, field, value, why);

	account->anonymous = !err && !account->anonymous;
	return err;
}

static int need_dialplan(struct config_account *account)
{
	return account->dial ? 0 : dialplan_new(&account->dial);
}

static int read_country(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	int err = need_dialplan(account);

	(void)text;
	return err ? err : dialplan_set_country(account->dial, value, why, &account->wrong_at);
}

static int read_dial(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	int err = need_dialplan(account);

	(void)text;
	return err ? err : dialplan_add(account->dial, value, why, &account->wrong_at);
}

static int read_emergency(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	int err = need_dialplan(account);

	(void)text;
	return err ? err : dialplan_add_emergency(account->dial, value, why, &account->wrong_at);
}

static int read_keep_alive(
	struct config_account *account, size_t text, struct slice value, struct fault *why)
{
	uint64_t seconds;

	(void)text;
	if (slice_is(value, "no"))
		account->keep_alive_s = LIFELINE_NEVER;
	else if (slice_number(&seconds, value, KEEP_ALIVE_MAX_S) || seconds < KEEP_ALIVE_MIN_S)
		return fault_set(why, -EINVAL, "no, or seconds, %d to %d", KEEP_ALIVE_MIN_S,
			KEEP_ALIVE_MAX_S);
	else
		account->keep_alive_s = (uint32_t)seconds;
	return 0;
}

#define FLAG(name) offsetof(struct config_account, name)

static const struct {
	const char *key;
	int (*read)(struct config_account *account, size_t place, struct slice value,
		struct fault *why);
	size_t place; /* of texts; or of the flag in the account */
	bool repeats;
} keys[CONFIG_ACCOUNT_KEYS] = {
	{"address", read_address, ACCOUNT_ADDRESS, false},
	{"display", read_text, ACCOUNT_DISPLAY, false},
	{"registrar", read_address, ACCOUNT_REGISTRAR, false},
	{"proxy", read_address, ACCOUNT_PROXY, false},
	{"transport", read_transport, ACCOUNT_TRANSPORT, false},
	{"auth_user", read_text, ACCOUNT_AUTH_USER, false},
	{"realm", read_text, ACCOUNT_REALM, false},
	{"password", read_password, 0, false},
	{"password_command", read_text, ACCOUNT_PASSWORD_COMMAND, false},
	{"expires", read_expires, 0, false},
	{"register", read_no, FLAG(no_register), false},
	{"allow_md5", read_no, FLAG(no_md5), false},
	{"preferred_identity", read_identity, ACCOUNT_IDENTITY, false},
	{"anonymous", read_anonymous, FLAG(anonymous), false},
	{"country_code", read_country, 0, false},
	{"dial", read_dial, 0, true},
	{"emergency", read_emergency, 0, false},
	{"nat_contact", read_no, FLAG(own_contact), false},
	{"keep_alive", read_keep_alive, 0, false},
	{"outbound", read_no, FLAG(no_outbound), false},
	{"gruu", read_no, FLAG(no_gruu), false},
};

int config_account_new(struct config_account **out, struct slice name, size_t line)
{
	struct config_account *account = calloc(1, sizeof(*account));

	if (!account)
		return -ENOMEM;

	list_init(&account->link);
	account->line = line;
	account->name = slice_copy(name);
	if (!account->name) {
		config_account_free(account);
		return -ENOMEM;
	}
	*out = account;
	return 0;
}

void config_account_free(struct config_account *account)
{
	list_remove(&account->link);
	for (size_t i = 0; i < ACCOUNT_TEXTS; i++)
		free(account->texts[i]);
	dialplan_free(account->dial);
	secret_free(account->password);
	free(account->name);
	free(account);
}

int config_account_set(struct config_account *account, const char *key, struct slice value,
	struct fault *why, size_t *at)
{
	struct fault wrong;
	int err;

	for (size_t i = 0; i < CONFIG_ACCOUNT_KEYS; i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		if (account->given & 1u << i && !keys[i].repeats)
			return -EEXIST;
		account->given |= 1u << i;
		account->wrong_at = SIZE_MAX;
		err = keys[i].read(account, keys[i].place, value, &wrong);
		*at = account->wrong_at;
		return err == -EINVAL ? fault_set(why, err, "%s: %s", key, wrong.words) : err;
	}
	return -ENOENT;
}

int config_account_check(const struct config_account *account, struct fault *why)
{
	if (!account->texts[ACCOUNT_ADDRESS])
		return fault_set(
			why, -EINVAL, "an account needs an address: address = alice@example.org");
	if (account->password && account->texts[ACCOUNT_PASSWORD_COMMAND])
		return fault_set(why, -EINVAL, "password or password_command, not both");
	return 0;
}

const char *config_account_key(const void *arg, size_t i)
{
	(void)arg;
	return i < CONFIG_ACCOUNT_KEYS ? keys[i].key : NULL;
}
