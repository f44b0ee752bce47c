/* The accounts of an agent. */
#include "core/ua/account.h"
#include "core/ua/agent_private.h"

#include <assert.h>
#include <errno.h>

enum { STARTS_AT_ONCE = 50, LEAVES_AT_ONCE = 50 };

/* A thousand a second: registrars are asked for a password, look it up and write it down. Who
 * leaves has shown one already, and somebody may be waiting for the end. */
#define START_GAP_NS (NS_PER_S / 1000)
#define LEAVE_GAP_NS (NS_PER_S / 40)

static void need(void *arg, enum sip_transport_kind kind)
{
	agent_need(arg, kind);
}

static void emit(struct agent *agent, const struct account *account,
	const struct registration_news *news, enum ua_event_kind kind)
{
	struct ua_event event = {
		.kind = kind,
		.wall_ns = loop_wall(agent->config.loop),
		.account = account_settings(account)->name,
		.registration =
			{
				.code = news->code,
				.reason = news->reason,
				.words = news->words,
				.expires_s = news->expires_s,
				.contact = news->contact,
				.retry_s = news->retry_s,
				.wanted = news->kind == REGISTRATION_GONE,
			},
	};

	agent->config.event(agent->config.arg, &event);
}

static void told(void *arg, struct account *account, const struct registration_news *news)
{
	static const enum ua_event_kind kinds[] = {
		[REGISTRATION_OK] = UA_REGISTRATION_OK,
		[REGISTRATION_FAILED] = UA_REGISTRATION_FAILED,
		[REGISTRATION_LOST] = UA_REGISTRATION_LOST,
		[REGISTRATION_GONE] = UA_REGISTRATION_LOST,
	};
	struct agent *agent = arg;

	if (!agent->closing)
		emit(agent, account, news, kinds[news->kind]);
	else if (!agent->settling)
		agent_settle(agent);
}

/*
 * Of thousands of accounts that start at once, or find at once that this host has another address,
 * a registrar's socket holds a hundred requests; the rest would be lost, and with them half a
 * minute. Later they stay apart by themselves.
 */
static uint64_t turn_ns(struct agent *agent)
{
	uint64_t now_ns = loop_now(agent->config.loop);
	uint64_t ahead_ns;

	if (agent->next_start_ns < now_ns)
		agent->next_start_ns = now_ns;
	ahead_ns = agent->next_start_ns - now_ns;
	return ahead_ns < STARTS_AT_ONCE * START_GAP_NS ? 0
							: ahead_ns - STARTS_AT_ONCE * START_GAP_NS;
}

static void take_turn(struct agent *agent)
{
	agent->next_start_ns += START_GAP_NS;
}

void agent_reroute_accounts(struct agent *agent, bool network)
{
	list_each(link, &agent->accounts.all)
	{
		struct registration *registration = account_registration(account_of(link));

		if (registration_reroute(registration, network, turn_ns(agent)))
			take_turn(agent);
	}
}

int agent_add_account(struct agent *agent, const struct ua_account *settings, struct fault *why)
{
	const struct account_config config = {
		.loop = agent->config.loop,
		.stack = agent->stack,
		.need = need,
		.told = told,
		.arg = agent,
	};
	struct account *account;
	int err;

	err = account_new(&account, &config, settings, why);
	if (err)
		return err;

	account_list_add(&agent->accounts, account);
	if (settings->registers) {
		registration_start_in(account_registration(account), turn_ns(agent));
		take_turn(agent);
	}
	return 0;
}

/* NULL: the first. */
static struct account *find(struct agent *agent, const char *name)
{
	list_each(link, &agent->accounts.all)
	{
		if (!name || strcmp(account_settings(account_of(link))->name, name) == 0)
			return account_of(link);
	}
	return NULL;
}

int agent_register(struct agent *agent, const char *name)
{
	struct account *account = find(agent, name);

	if (!account)
		return -ENOENT;
	registration_start(account_registration(account));
	return 0;
}

int agent_unregister(struct agent *agent, const char *name)
{
	struct account *account = find(agent, name);

	if (!account)
		return -ENOENT;
	if (registration_is_off(account_registration(account)))
		return -EALREADY;
	registration_stop(account_registration(account));
	return 0;
}

bool agent_account_next(struct agent_account *at, const struct agent *agent)
{
	struct list *link = at->place ? at->place->next : agent->accounts.all.next;
	const struct account *account;

	if (link == &agent->accounts.all)
		return false;

	account = account_of(link);
	*at = (struct agent_account){
		.place = link,
		.settings = account_settings(account),
		.registered = registration_stands(account_registration(account)),
		.trying = !registration_is_off(account_registration(account)),
	};
	return true;
}

/* Those whose turn it is; paced for the same reason as they have started. */
static void leave_some(struct agent *agent)
{
	const struct list *end = &agent->accounts.all;

	agent->settling = true;
	for (int i = 0; i < LEAVES_AT_ONCE && agent->leaving != end; i++) {
		struct account *account = account_of(agent->leaving);

		agent->leaving = agent->leaving->next;
		registration_stop(account_registration(account));
	}
	agent->settling = false;
	if (agent->leaving != end)
		timer_start_in(&agent->next_leave, LEAVE_GAP_NS);
}

void agent_leave(void *arg)
{
	struct agent *agent = arg;

	leave_some(agent);
	agent_settle(agent);
}

void agent_end_accounts(struct agent *agent)
{
	agent->leaving = agent->accounts.all.next;
	agent->staying = agent->leaving;
	leave_some(agent);
}

/* What is over stays so: nobody asks to register while it closes. */
bool agent_has_registrations(struct agent *agent)
{
	const struct list *end = &agent->accounts.all;

	while (agent->staying != end &&
		registration_is_off(account_registration(account_of(agent->staying))))
		agent->staying = agent->staying->next;
	return agent->staying != end;
}
