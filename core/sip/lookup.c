#include "core/sip/lookup.h"

#include "core/sip/registry.h"

#include <errno.h>
#include <stdlib.h>

/* What was answered; err -ENOENT: there is nothing. */
struct kept {
	struct list link; /* in the stack's list, the oldest first */
	enum dns_type type;
	char name[DNS_NAME_SIZE];
	uint64_t until_ns;
	struct dns_answer answer;
	struct dns_record records[];
};

static void kept_free(struct sip_stack *stack, struct kept *kept)
{
	list_remove(&kept->link);
	stack->kept_count--;
	free(kept);
}

/* Drops what does not hold any more on its way. */
static struct kept *find(struct sip_stack *stack, enum dns_type type, const char *name)
{
	uint64_t now = loop_now(stack->loop);
	struct kept *found = NULL;

	list_each(link, &stack->kept)
	{
		struct kept *kept = container_of(link, struct kept, link);

		if (kept->until_ns <= now)
			kept_free(stack, kept);
		else if (kept->type == type && slice_is_nocase(slice_of(name), kept->name))
			found = kept;
	}
	return found;
}

/* Without memory it is asked for again, which is no harm. */
static void keep(const struct sip_lookup *lookup, const struct dns_answer *answer)
{
	struct sip_stack *stack = lookup->stack;
	bool nothing = answer->err == -ENOENT && lookup->type != DNS_HOST;
	uint32_t ttl_s = nothing ? SIP_LOOKUP_NOTHING_S : answer->ttl_s;
	size_t size = answer->count * sizeof(*answer->records);
	struct kept *kept;

	if ((answer->err && !nothing) || ttl_s == 0)
		return;
	kept = find(stack, lookup->type, lookup->name);
	if (kept) /* two have asked at the same time */
		kept_free(stack, kept);
	kept = calloc(1, sizeof(*kept) + size);
	if (!kept)
		return;

	kept->type = lookup->type;
	memcpy(kept->name, lookup->name, sizeof(kept->name));
	kept->until_ns = loop_now(stack->loop) + ttl_s * NS_PER_S;
	kept->answer = *answer;
	kept->answer.records = kept->records;
	kept->answer.servers = "";
	if (size > 0)
		memcpy(kept->records, answer->records, size);
	if (stack->kept_count == SIP_LOOKUP_KEPT_MAX)
		kept_free(stack, container_of(stack->kept.next, struct kept, link));
	list_add(&stack->kept, &kept->link);
	stack->kept_count++;
}

static void answered(void *arg, const struct dns_answer *answer)
{
	struct sip_lookup *lookup = arg;

	lookup->resolve = NULL;
	keep(lookup, answer);
	lookup->done(lookup->arg, answer);
}

static void ask(struct sip_lookup *lookup)
{
	lookup->err = loop_resolve(&lookup->resolve, lookup->stack->loop, lookup->type,
		lookup->name, answered, lookup);
	if (lookup->err) {
		lookup->resolve = NULL;
		timer_start_in(&lookup->soon, 0);
	}
}

/* Whoever is told may ask for more, and an answer then be dropped: it gets a copy. */
static void tell(void *arg)
{
	struct sip_lookup *lookup = arg;
	struct dns_record records[DNS_RECORDS_MAX];
	struct dns_answer answer = {.err = lookup->err, .servers = ""};
	const struct kept *kept =
		lookup->err ? NULL : find(lookup->stack, lookup->type, lookup->name);

	if (!lookup->err && !kept) { /* it has just ended to hold */
		ask(lookup);
		return;
	}
	if (kept) {
		answer = kept->answer;
		memcpy(records, kept->records, answer.count * sizeof(records[0]));
	}
	answer.records = records;
	lookup->done(lookup->arg, &answer);
}

void sip_lookup_start(struct sip_lookup *lookup, struct sip_stack *stack, enum dns_type type,
	const char *name, resolve_done *done, void *arg)
{
	size_t len = strlen(name);

	*lookup = (struct sip_lookup){.stack = stack, .type = type, .done = done, .arg = arg};
	timer_init(&lookup->soon, stack->loop, tell, lookup);
	if (len == 0 || len >= sizeof(lookup->name)) {
		lookup->err = -ENOENT;
		timer_start_in(&lookup->soon, 0);
		return;
	}
	memcpy(lookup->name, name, len);
	if (find(stack, type, name))
		timer_start_in(&lookup->soon, 0);
	else
		ask(lookup);
}

void sip_lookup_stop(struct sip_lookup *lookup)
{
	if (!lookup->stack)
		return;

	timer_stop(&lookup->soon);
	if (lookup->resolve)
		resolve_cancel(lookup->resolve);
	lookup->resolve = NULL;
}

void sip_lookup_forget_all(struct sip_stack *stack)
{
	list_each(link, &stack->kept) kept_free(stack, container_of(link, struct kept, link));
}
