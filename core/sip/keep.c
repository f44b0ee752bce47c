#include "core/sip/keep.h"

#include "core/base/log.h"
#include "core/nat/stun.h"
#include "core/sip/msg.h"
#include "core/sip/registry.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

enum {
	UDP_S = 29,     /* section 4.4.2: between 24 and 29 */
	STREAM_S = 120, /* section 4.4.1: between 95 and 120 */
	LEAST_PERCENT = 80,
	STUN_SENDS = 7, /* RFC 8489, section 6.2.1: Rc */
	AGREED_MAX_S = 24 * 3600,
};

#define PONG_NS (10 * NS_PER_S) /* section 4.4.1 */
#define STUN_RTO_NS (500 * NS_PER_MS)
#define STUN_LAST_NS (16 * STUN_RTO_NS) /* Rm */

static const char ping[] = "\r\n\r\n";

enum keep_state {
	RESTING, /* until the next is due */
	ASKING,  /* an answer is awaited */
	OVER,
};

struct sip_keep {
	struct list link;
	struct sip_stack *stack;
	struct sip_flow flow;
	const struct sip_flow *followed; /* or NULL */
	enum sip_keep_how how;
	uint32_t every_s;
	enum keep_state state;
	uint64_t nudged_ns; /* when it sent something last, or began */
	struct timer due;
	struct stun_id id; /* of what is asked by UDP */
	unsigned sent;     /* how often */
	const struct sip_keep_events *events;
	void *arg;
};

static void become(struct sip_keep *keep, enum keep_state next)
{
	static const unsigned int allowed[] = {
		[RESTING] = 1u << RESTING | 1u << ASKING | 1u << OVER,
		[ASKING] = 1u << RESTING | 1u << OVER,
		[OVER] = 0,
	};

	assert(allowed[keep->state] & 1u << next);
	keep->state = next;
	timer_stop(&keep->due);
}

static bool is_stream(const struct sip_keep *keep)
{
	return sip_flow_is_reliable(&keep->flow);
}

/* Section 4.4: by chance, so that those who came together do not stay together. */
static uint64_t pause_ns(const struct sip_keep *keep)
{
	uint32_t most_ms = keep->every_s * 1000;
	uint32_t least_ms = most_ms / 100 * LEAST_PERCENT;

	return (least_ms + loop_random_below(keep->stack->loop, most_ms - least_ms + 1)) *
	       NS_PER_MS;
}

static void rest(struct sip_keep *keep)
{
	become(keep, RESTING);
	if (keep->how != SIP_KEEP_HELD)
		timer_start_in(&keep->due, pause_ns(keep));
}

static void give_up(struct sip_keep *keep, int err)
{
	char text[ADDR_TEXT_SIZE];

	log_info("sip: the way to %s is dead: %s", addr_print_port(text, &keep->flow.remote),
		strerror(-err));
	if (!keep->events && !is_stream(keep)) {
		keep->how = SIP_KEEP_TOLD;
		rest(keep);
		return;
	}
	become(keep, OVER);
	list_remove(&keep->link);
	sip_flow_drop(&keep->flow);
	if (keep->events)
		keep->events->dead(keep->arg, err);
}

/* What cannot be sent by UDP is as good as lost: it is the answer that counts. */
static bool nudge(struct sip_keep *keep, struct slice bytes)
{
	int err = sip_flow_nudge(&keep->flow, bytes);

	keep->nudged_ns = loop_now(keep->stack->loop);
	if (!err || !is_stream(keep))
		return true;
	give_up(keep, err);
	return false;
}

/* RFC 8489, section 6.2.1: the pauses double; after the last one it is waited longer. */
static void send_stun(struct sip_keep *keep)
{
	uint64_t pause_ns = STUN_RTO_NS << keep->sent;
	uint8_t room[STUN_REQUEST_SIZE];
	struct buf out = {.data = room, .size = sizeof(room)};

	if (++keep->sent == STUN_SENDS)
		pause_ns = STUN_LAST_NS;
	if (stun_print_binding(&out, &keep->id) == 0)
		(void)nudge(keep, (struct slice){room, out.len});
	timer_start_in(&keep->due, pause_ns);
}

static void ask(struct sip_keep *keep)
{
	become(keep, ASKING);
	if (!is_stream(keep)) {
		loop_random(keep->stack->loop, &keep->id, sizeof(keep->id));
		keep->sent = 0;
		send_stun(keep);
	} else if (nudge(keep, slice_of(ping))) {
		timer_start_in(&keep->due, PONG_NS);
	}
}

static bool is_same_way(const struct sip_flow *a, const struct sip_flow *b)
{
	return a->transport == b->transport && a->connection == b->connection &&
	       addr_equal(&a->remote, &b->remote);
}

/* When something last went that way which does as well: an answer takes a question. */
static uint64_t last_nudged_ns(const struct sip_keep *keep)
{
	uint64_t last_ns = keep->nudged_ns;

	list_each(link, &keep->stack->keeps)
	{
		const struct sip_keep *other = container_of(link, struct sip_keep, link);

		if (other->how >= keep->how && is_same_way(&other->flow, &keep->flow) &&
			other->nudged_ns > last_ns)
			last_ns = other->nudged_ns;
	}
	return last_ns;
}

/* Whether another one on the same way has sent for this one, too. */
static bool rest_by_others(struct sip_keep *keep)
{
	uint64_t last_ns = last_nudged_ns(keep);

	if (last_ns == keep->nudged_ns)
		return false;
	become(keep, RESTING);
	keep->nudged_ns = last_ns;
	timer_start(&keep->due, last_ns + pause_ns(keep));
	return true;
}

static void on_due(void *arg)
{
	struct sip_keep *keep = arg;

	if (keep->state == RESTING && keep->followed)
		keep->flow = *keep->followed;
	if (keep->state == RESTING && rest_by_others(keep))
		return;
	if (keep->state == ASKING && !is_stream(keep) && keep->sent < STUN_SENDS)
		send_stun(keep);
	else if (keep->state == ASKING)
		give_up(keep, -ETIMEDOUT);
	else if (keep->how == SIP_KEEP_ASKED)
		ask(keep);
	else if (nudge(keep, slice_of(ping)))
		rest(keep);
}

int sip_keep_new(struct sip_keep **out, struct sip_stack *stack,
	const struct sip_keep_config *config, const struct sip_keep_events *events, void *arg)
{
	struct sip_keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return -ENOMEM;

	keep->stack = stack;
	keep->flow = *config->flow;
	if (config->follows && !is_stream(keep))
		keep->followed = config->flow;
	keep->how = config->how;
	keep->every_s = config->every_s;
	if (keep->every_s == 0)
		keep->every_s = is_stream(keep) ? STREAM_S : UDP_S;
	keep->events = events;
	keep->arg = arg;
	keep->nudged_ns = loop_now(stack->loop);
	timer_init(&keep->due, stack->loop, on_due, keep);
	list_add(&stack->keeps, &keep->link);
	rest(keep);
	*out = keep;
	return 0;
}

void sip_keep_free(struct sip_keep *keep)
{
	if (!keep)
		return;

	timer_stop(&keep->due);
	list_remove(&keep->link);
	free(keep);
}

/* Those on a connection, put aside: what events start or end is not in the way then. */
static void put_aside(struct list *out, struct sip_stack *stack, uint64_t connection)
{
	list_init(out);
	list_each(link, &stack->keeps)
	{
		if (container_of(link, struct sip_keep, link)->flow.connection != connection)
			continue;
		list_remove(link);
		list_add(out, link);
	}
}

static struct sip_keep *take_back(struct list *aside, struct sip_stack *stack)
{
	struct sip_keep *keep;

	if (list_empty(aside))
		return NULL;
	keep = container_of(aside->next, struct sip_keep, link);
	list_remove(&keep->link);
	list_add(&stack->keeps, &keep->link);
	return keep;
}

bool sip_keep_pong(struct sip_stack *stack, uint64_t connection)
{
	struct sip_keep *keep;
	struct list aside;
	bool awaited = false;

	put_aside(&aside, stack, connection);
	while ((keep = take_back(&aside, stack))) {
		if (keep->state != ASKING)
			continue;
		awaited = true;
		rest(keep);
		if (keep->events)
			keep->events->alive(keep->arg, NULL);
	}
	return awaited;
}

void sip_keep_lost(struct sip_stack *stack, uint64_t connection, int err)
{
	struct sip_keep *keep;
	struct list aside;

	put_aside(&aside, stack, connection);
	while ((keep = take_back(&aside, stack)))
		give_up(keep, err);
}

static bool leads_to(const struct sip_keep *keep, const struct sip_transport *transport,
	const struct addr *remote)
{
	return keep->flow.transport == transport && addr_equal(&keep->flow.remote, remote);
}

bool sip_keep_agreed(uint32_t *every_s, const struct sip_via *via)
{
	uint64_t seconds;
	struct slice value;

	if (!sip_param(&value, via->params, "keep") || value.len == 0 ||
		slice_number(&seconds, value, AGREED_MAX_S) != 0)
		return false;
	*every_s = (uint32_t)seconds;
	return true;
}

bool sip_keep_is_asked(const struct sip_msg *request)
{
	struct sip_cursor cursor = {0};
	struct slice via, value;

	return sip_param(&value, request->via.params, "keep") && value.len == 0 &&
	       sip_msg_next(&via, &cursor, request, SIP_VIA) &&
	       !sip_msg_next(&via, &cursor, request, SIP_VIA);
}

void sip_keep_allow(
	struct sip_keep_leave *leave, struct sip_stack *stack, const struct sip_flow *flow)
{
	leave->flow = *flow;
	list_add(&stack->leaves, &leave->link);
}

/* RFC 5626, section 8, for those alone who may: to others we are no server of STUN. */
static void answer_stun(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *from, const struct stun_msg *request)
{
	uint8_t room[STUN_SUCCESS_SIZE];
	struct buf out = {.data = room, .size = sizeof(room)};

	list_each(link, &stack->leaves)
	{
		const struct sip_flow *flow =
			&container_of(link, struct sip_keep_leave, link)->flow;

		if (flow->transport != transport || !addr_equal(&flow->remote, from))
			continue;
		if (stun_print_mapped(&out, &request->id, from) == 0)
			(void)sip_flow_nudge(flow, (struct slice){room, out.len});
		return;
	}
}

/* An answer, even one that refuses, says that the way is open. Whatever else it is, is nobody's. */
void sip_keep_stun(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *from, struct slice datagram)
{
	struct stun_msg msg;
	struct addr mapped;

	if (stun_parse(&msg, datagram))
		return;
	if (msg.class == STUN_REQUEST && msg.method == STUN_BINDING && msg.unknown_count == 0) {
		answer_stun(stack, transport, from, &msg);
		return;
	}
	list_each(link, &stack->keeps)
	{
		struct sip_keep *keep = container_of(link, struct sip_keep, link);

		if (keep->state != ASKING || !leads_to(keep, transport, from) ||
			!stun_answers(&msg, &keep->id))
			continue;
		rest(keep);
		if (keep->events)
			keep->events->alive(
				keep->arg, stun_mapped(&mapped, &msg) == 0 ? &mapped : NULL);
		return;
	}
}

/* The oldest that sends to there, of somebody whom that concerns. */
static struct sip_keep *find_sending(
	struct sip_stack *stack, const struct sip_transport *transport, const struct addr *to)
{
	list_each(link, &stack->keeps)
	{
		struct sip_keep *keep = container_of(link, struct sip_keep, link);

		if (keep->how != SIP_KEEP_HELD && keep->events && leads_to(keep, transport, to))
			return keep;
	}
	return NULL;
}

void sip_keep_unreachable(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *to, int err)
{
	struct sip_keep *keep;

	while ((keep = find_sending(stack, transport, to)))
		give_up(keep, err);
}

bool sip_keep_uses(const struct sip_stack *stack, uint64_t connection)
{
	list_each(link, &stack->keeps)
	{
		if (container_of(link, struct sip_keep, link)->flow.connection == connection)
			return true;
	}
	return false;
}
