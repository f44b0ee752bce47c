/*
 * Names in the real world. Name servers are asked by c-ares; for a host whose name they cannot know
 * (it has no dot, or is of multicast DNS), the system is, on libuv's pool of threads, for it may
 * know more ways to find one.
 */
#include "core/net/resolve_private.h"
#include "core/net/sockaddr.h"

#include "core/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

static struct loop_uv *loop_of(const struct question *question)
{
	return container_of(question->resolve.loop, struct loop_uv, loop);
}

static int error_of(int status)
{
	switch (status) {
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
	case UV_EAI_ADDRFAMILY:
		return -ENOENT;
	case UV_EAI_MEMORY:
	case UV_ENOMEM:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

/* Name servers whom nobody waits for any more are let go, with all that they were asked. */
static void settle(struct loop_uv *loop)
{
	list_each(link, &loop->questions)
	{
		const struct question *question = container_of(link, struct question, link);

		if (question->by_dns && question->done)
			return;
	}
	dns_uv_close(loop);
}

static void question_free(struct question *question)
{
	timer_stop(&question->limit);
	list_remove(&question->link);
	free(question);
}

/* Nobody wants to know any more. What is held cannot be taken back, only be forgotten. */
static void drop(struct question *question)
{
	struct loop_uv *loop = loop_of(question);

	question->done = NULL;
	timer_stop(&question->limit);
	if (!question->held)
		question_free(question);
	else if (!question->by_dns)
		uv_cancel((uv_req_t *)&question->system);
	settle(loop);
}

static void tell(void *arg)
{
	struct question *question = arg;

	if (question->held) /* the limit */
		question->answer = (struct dns_answer){.err = -ETIMEDOUT, .servers = ""};
	if (question->by_dns)
		question->answer.servers = dns_uv_servers(loop_of(question));
	question->answer.records = question->records;
	question->done(question->arg, &question->answer);
	drop(question);
}

void question_answered(struct question *question)
{
	question->held = false;
	if (question->done)
		timer_start_in(&question->limit, 0);
	else
		question_free(question);
}

static void take_addrs(struct question *question, const struct addrinfo *from)
{
	size_t count = 0;

	for (; from && count < DNS_RECORDS_MAX; from = from->ai_next)
		if (sockaddr_get(&question->records[count].addr, from->ai_addr) == 0)
			count++;
	question->answer.count = count;
	question->answer.err = count > 0 ? 0 : -ENOENT;
}

static void system_answered(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct question *question = request->data;

	loop_of(question)->away--;
	if (status)
		question->answer.err = error_of(status);
	else
		take_addrs(question, found);
	uv_freeaddrinfo(found);
	question_answered(question);
}

static int ask_system(struct question *question, const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}; /* else each comes once a type */
	struct loop_uv *loop = loop_of(question);
	int err;

	question->system.data = question;
	question->held = true;
	err = uv_getaddrinfo(&loop->uv, &question->system, system_answered, name, NULL, &hints);
	if (err)
		return error_of(err);

	loop->away++;
	return 0;
}

static bool ends_in(struct slice name, const char *label)
{
	size_t len = strlen(label);

	return name.len >= len &&
	       slice_is_nocase((struct slice){name.data + name.len - len, len}, label);
}

/* RFC 6762, section 3; RFC 6761, section 6.3. */
static bool is_for_system(enum dns_type type, const char *name)
{
	struct slice text = slice_of(name);
	struct addr addr;

	if (type != DNS_HOST)
		return false;
	return !strchr(name, '.') || ends_in(text, ".local") || ends_in(text, ".localhost") ||
	       addr_parse(&addr, text) == 0;
}

int resolve_uv(struct resolve **out, struct loop *loop, enum dns_type type, const char *name,
	resolve_done *done, void *arg)
{
	struct loop_uv *uv = container_of(loop, struct loop_uv, loop);
	struct question *question = calloc(1, sizeof(*question));
	int err;

	if (!question)
		return -ENOMEM;

	question->resolve.loop = loop;
	question->type = type;
	question->by_dns = !is_for_system(type, name);
	question->done = done;
	question->arg = arg;
	question->answer.servers = "";
	timer_init(&question->limit, loop, tell, question);
	timer_start_in(&question->limit, RESOLVE_LIMIT_NS);
	list_add(&uv->questions, &question->link);
	err = question->by_dns ? dns_uv_ask(question, name) : -ENOTSUP;
	if (err == -ENOTSUP && type == DNS_HOST) {
		question->by_dns = false;
		err = ask_system(question, name);
	}
	if (err) {
		question_free(question);
		settle(uv);
		return err;
	}
	*out = &question->resolve;
	return 0;
}

void resolve_uv_cancel(struct resolve *resolve)
{
	drop(container_of(resolve, struct question, resolve));
}

void resolve_uv_forget_all(struct loop_uv *loop)
{
	list_each(link, &loop->questions)
	{
		struct question *question = container_of(link, struct question, link);

		question->done = NULL;
		timer_stop(&question->limit);
		if (!question->held)
			question_free(question);
	}
	dns_uv_close(loop);
}
