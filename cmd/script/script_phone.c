#include "cmd/script/script_phone.h"

#include "cmd/readers/print.h"
#include "cmd/settings/setup.h"
#include "core/base/random.h"
#include "core/net/lossy.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	LAST_MESSAGES = 5,
	NAME_COLUMNS = 8, /* before what is told of a phone */
	LINE_SIZE = 9000, /* of that */
};

static const uint64_t meter_ns = 100 * NS_PER_MS; /* for who expects silence or loudness */

struct script_phone {
	struct setup setup;
	struct step *step;
	struct handset *handset;
	struct desk *desk;
	struct desk_watcher watcher;
	struct addr address;
	struct printer *printer; /* NULL: what happens is not told */
	bool verbose;            /* but for trouble of ours, which changes the exit code */
	void (*show)(void *arg, struct slice lines);
	void *arg;

	/* Its network; NULL: the real one as it is. */
	struct loop *agent_net;
	struct loop *media_net;
	struct loop *media_loop;   /* on whose thread the latter is */
	bool impaired[LOSSY_WAYS]; /* ever */
};

/* What a network is to do, on its way to the thread of the sound. */
struct order {
	struct post post;
	struct loop *net;
	struct net_change change;
};

/* Of this phone alone: numbers of calls are its own. */
static void on_event(void *arg, const struct ua_event *event)
{
	struct script_phone *phone = arg;
	const char *name = event->phone ? event->phone : "";

	if (!phone->handset || strcmp(name, phone->handset->name) != 0)
		return;
	if (event->kind == UA_LISTENING && phone->address.family == ADDR_NONE)
		phone->address = event->listening.address;
	if (phone->printer && (phone->verbose || (event->kind == UA_ERROR && event->error.ours)))
		printer_event(phone->printer, event);
}

/* A line of the printer's, with whose it is. */
static void print_line(void *arg, struct slice line)
{
	struct script_phone *phone = arg;
	char room[LINE_SIZE];
	struct text text = TEXT_IN(room);

	text_printf(&text, "%-*s ", NAME_COLUMNS, phone->handset->name);
	text_put(&text, line);
	phone->show(phone->arg, text_slice(&text));
}

static int make_printer(struct script_phone *phone, const struct script_phone_config *config)
{
	const struct printer_config printer = {
		.listening = true, .numbered = true, .line = print_line, .arg = phone};

	phone->show = config->show;
	phone->verbose = config->verbose;
	phone->arg = config->arg;
	return phone->show ? printer_new(&phone->printer, &printer) : 0;
}

/* A phone with a name is there to be called; one without, only where it was told so. */
static int listen(struct script_phone *phone, const struct options *options, struct fault *why)
{
	static const struct addr any = {.family = ADDR_IPV4};
	struct agent *agent = phone->handset->agent;
	int err = 0;

	for (size_t i = 0; i < options->listen_count && !err; i++)
		err = agent_listen(
			agent, options->listen[i].kind, &options->listen[i].address, false, why);
	if (options->listen_count == 0 && phone->step)
		err = agent_listen_both(agent, &any, why);
	return err;
}

/* The loops that it is given, with a bad network before them if there may be one. */
static int make_nets(struct script_phone *phone, const struct script_phone_config *config)
{
	int err;

	phone->media_loop = config->media_loop;
	phone->setup.config.loop = config->agent_loop;
	phone->setup.config.media_loop = config->media_loop;
	phone->setup.config.devices = config->devices;
	phone->setup.config.tap = config->tap;
	phone->setup.config.meter_ns = meter_ns;
	if (!config->has_net)
		return 0;

	err = lossy_new(&phone->agent_net, config->agent_loop, random_derive(config->seed, 0));
	if (!err)
		err = lossy_new(
			&phone->media_net, config->media_loop, random_derive(config->seed, 1));
	if (err)
		return err;

	phone->setup.config.loop = phone->agent_net;
	phone->setup.config.media_loop = phone->media_net;
	return 0;
}

static int take_account(struct script_phone *phone, const struct script_phone_config *config,
	const struct options *options, struct fault *why)
{
	struct ua_account account;
	int err = -ENOENT;

	if (config->accounts)
		err = accounts_pick(&account, config->accounts, options, why);
	if (!err)
		err = agent_add_account(phone->handset->agent, &account, why);
	return err == -ENOENT ? 0 : err;
}

static int take_place(struct script_phone *phone, const struct script_phone_config *config,
	const struct options *options, struct fault *why)
{
	char name[DESK_NAME_SIZE];
	struct text text = TEXT_IN(name);
	int err;

	setup_make(&phone->setup, options);
	err = make_nets(phone, config);
	if (err)
		return fault_set(why, err, "too little memory for a network");
	if (phone->step) {
		text_put(&text, phone->step->name);
		phone->setup.config.user = desk_keep(config->desk, text_slice(&text));
	}
	if (!phone->setup.config.user)
		return fault_set(why, -ENOMEM, "too little memory for a phone");

	desk_watch(config->desk, &phone->watcher); /* before it has anything to tell */
	err = desk_add(&phone->handset, config->desk, name, &phone->setup.config);
	if (err) {
		desk_unwatch(config->desk, &phone->watcher);
		return fault_set(why, err, "too little memory for a phone");
	}
	err = listen(phone, options, why);
	return err ? err : take_account(phone, config, options, why);
}

int script_phone_new(struct script_phone **out, const struct script_phone_config *config,
	struct step *step, const struct options *defaults, struct fault *why)
{
	struct script_phone *phone = calloc(1, sizeof(*phone));
	int err;

	*out = phone;
	if (!phone) {
		free(step);
		return fault_set(why, -ENOMEM, "too little memory for a phone");
	}
	phone->step = step;
	phone->desk = config->desk;
	phone->watcher = (struct desk_watcher){.event = on_event, .arg = phone};
	list_init(&phone->watcher.link);
	err = make_printer(phone, config);
	if (err)
		return fault_set(why, err, "too little memory for a phone");

	return take_place(phone, config, step ? &step->options : defaults, why);
}

void script_phone_free(struct script_phone *phone)
{
	if (!phone)
		return;

	lossy_free(phone->agent_net);
	lossy_free(phone->media_net);
	printer_free(phone->printer);
	free(phone->step);
	free(phone);
}

void script_phone_detach(struct script_phone *phone)
{
	desk_unwatch(phone->desk, &phone->watcher);
	phone->handset = NULL;
}

struct handset *script_phone_handset(const struct script_phone *phone)
{
	return phone->handset;
}

const struct addr *script_phone_address(const struct script_phone *phone)
{
	return &phone->address;
}

static void put_line(void *arg, struct slice line)
{
	text_put(arg, line);
}

void script_phone_put_last(struct text *out, const struct script_phone *phone)
{
	if (phone->handset->ladder) /* there may be none, as there may be nothing in it */
		(void)ladder_last(phone->handset->ladder, 0, LAST_MESSAGES, put_line, out);
}

static void change_net(struct loop *net, const struct net_change *change)
{
	if (change->rx)
		lossy_change(net, LOSSY_RX, &change->config);
	if (change->tx)
		lossy_change(net, LOSSY_TX, &change->config);
}

static void run_order(struct post *post)
{
	struct order *order = container_of(post, struct order, post);

	change_net(order->net, &order->change);
	free(order);
}

int script_phone_impair(struct script_phone *phone, const struct net_change *change)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return -ENOMEM;

	phone->impaired[LOSSY_RX] = phone->impaired[LOSSY_RX] || change->rx;
	phone->impaired[LOSSY_TX] = phone->impaired[LOSSY_TX] || change->tx;
	change_net(phone->agent_net, change);
	*order = (struct order){{.run = run_order}, phone->media_net, *change};
	loop_post(phone->media_loop, &order->post);
	return 0;
}

static void add(struct impair_counts *sum, const struct loop *net, enum lossy_way way)
{
	struct impair_counts counts;

	lossy_counts(&counts, net, way);
	sum->asked += counts.asked;
	sum->passed += counts.passed;
	sum->lost += counts.lost;
	sum->cut += counts.cut;
	sum->overflowed += counts.overflowed;
	sum->duplicated += counts.duplicated;
	sum->corrupted += counts.corrupted;
	sum->overtaken += counts.overtaken;
}

/* Those of which there are some, but for the first two. */
static void put_counts(struct text *out, const struct impair_counts *counts)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{"lost", counts->lost},
		{"cut", counts->cut},
		{"overflowed", counts->overflowed},
		{"doubled", counts->duplicated},
		{"damaged", counts->corrupted},
		{"overtaken", counts->overtaken},
	};

	text_printf(out, "%" PRIu64 " datagram%s, %" PRIu64 " passed", counts->asked,
		counts->asked == 1 ? "" : "s", counts->passed);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].count > 0)
			text_printf(out, ", %" PRIu64 " %s", rows[i].count, rows[i].name);
	text_putc(out, '\n');
}

void script_phone_put_net(struct text *out, const struct script_phone *phone)
{
	static const char *const names[] = {[LOSSY_RX] = "rx", [LOSSY_TX] = "tx"};

	for (unsigned way = 0; way < LOSSY_WAYS; way++) {
		struct impair_counts counts = {0};

		if (!phone->impaired[way])
			continue;
		add(&counts, phone->agent_net, (enum lossy_way)way);
		add(&counts, phone->media_net, (enum lossy_way)way);
		text_printf(out, "net %s%s%s   ", phone->handset->name,
			phone->handset->name[0] != '\0' ? " " : "", names[way]);
		put_counts(out, &counts);
	}
}
