#include "cmd/say.h"

#include "cmd/terminal.h"
#include "core/base/text.h"

enum { LINE_SIZE = 2304 }; /* of the log, and a few words */

void say_line(struct terminal *terminal, const char *words)
{
	char room[LINE_SIZE];
	struct text text = text_in(room, sizeof(room) - 1);

	text_puts(&text, "sipcall: ");
	text_put_escaped(&text, slice_of(words));
	text.size++;
	text.cut = false;
	text_putc(&text, '\n');
	terminal_put(terminal, TERMINAL_ERR, text_slice(&text));
}
