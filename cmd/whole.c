#include "cmd/whole.h"

#include <errno.h>
#include <unistd.h>

int whole_read(struct buf *out, int fd)
{
	while (out->len < out->size) {
		ssize_t got = read(fd, out->data + out->len, out->size - out->len);

		if (got == 0)
			break;
		if (got > 0)
			out->len += (size_t)got;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}
