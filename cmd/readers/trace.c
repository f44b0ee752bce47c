#include "cmd/readers/trace.h"

#include "core/base/loop.h"
#include "core/base/text.h"

#include <stdlib.h>

enum {
	HEAD_SIZE = 256,  /* with the newlines at the end */
	ESCAPED_SIZE = 4, /* of one byte, at most */
	S_PER_DAY = 86400,
};

/* UTC, as in the JSON of the same run. */
static void put_time(struct text *out, uint64_t wall_ns)
{
	unsigned second = (unsigned)(wall_ns / NS_PER_S % S_PER_DAY);

	text_printf(out, "%02u:%02u:%02u.%06uZ", second / 3600, second / 60 % 60, second % 60,
		(unsigned)(wall_ns % NS_PER_S / NS_PER_US));
}

char *trace_print(size_t *len, uint64_t wall_ns, bool sent, const struct addr *local,
	const struct addr *remote, struct slice message)
{
	/* each byte escaped or, if it ends a line, a newline */
	size_t size = HEAD_SIZE + message.len * ESCAPED_SIZE;
	char ours[ADDR_TEXT_SIZE], theirs[ADDR_TEXT_SIZE];
	char *data = calloc(1, size);
	struct text text;
	bool more = message.len > 0;

	if (!data)
		return NULL;

	text = text_in(data, size);
	put_time(&text, wall_ns);
	text_printf(&text, "  %s  %s %s %s  %zu bytes\n", sent ? "sent" : "received",
		addr_print_port(ours, local), sent ? "->" : "<-", addr_print_port(theirs, remote),
		message.len);
	while (more) {
		struct slice line;

		more = slice_cut(&line, &message, '\n');
		if (more && line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (!more && line.len == 0)
			break;
		text_put_escaped(&text, line);
		text_putc(&text, '\n');
	}
	text_putc(&text, '\n');
	*len = text.len;
	return data;
}
