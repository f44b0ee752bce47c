/* Names by the system's own resolver, on libuv's pool of threads. */
#include "core/net/loop_uv_private.h"
#include "core/net/sockaddr.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

enum { ADDRS_MAX = 8 };

struct resolve_request {
	struct resolve resolve;
	uv_getaddrinfo_t request;
	resolve_done *done; /* NULL: cancelled */
	void *arg;
};

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

static size_t copy_addrs(struct addr out[ADDRS_MAX], const struct addrinfo *from)
{
	size_t count = 0;

	for (; from && count < ADDRS_MAX; from = from->ai_next)
		if (sockaddr_get(&out[count], from->ai_addr) == 0)
			count++;
	return count;
}

static void finish(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct resolve_request *self = request->data;
	struct addr addrs[ADDRS_MAX];
	size_t count = copy_addrs(addrs, found);
	int err = 0;

	container_of(self->resolve.loop, struct loop_uv, loop)->away--;
	uv_freeaddrinfo(found);
	if (status)
		err = error_of(status);
	else if (count == 0)
		err = -ENOENT;

	if (self->done)
		self->done(self->arg, err, addrs, err ? 0 : count);
	free(self);
}

int resolve_uv(
	struct resolve **out, struct loop *loop, const char *host, resolve_done *done, void *arg)
{
	struct loop_uv *uv = container_of(loop, struct loop_uv, loop);
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}; /* else each comes once a type */
	struct resolve_request *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->resolve.loop = loop;
	self->request.data = self;
	self->done = done;
	self->arg = arg;
	err = uv_getaddrinfo(&uv->uv, &self->request, finish, host, NULL, &hints);
	if (err) {
		free(self);
		return error_of(err);
	}
	uv->away++;
	*out = &self->resolve;
	return 0;
}

/* A question that is being asked cannot be taken back, only be deaf to the answer. */
void resolve_uv_cancel(struct resolve *resolve)
{
	struct resolve_request *self = container_of(resolve, struct resolve_request, resolve);

	self->done = NULL;
	uv_cancel((uv_req_t *)&self->request);
}
