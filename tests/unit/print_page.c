#include "tests/unit/print_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

const struct printer_config print_plain = {.utf8 = true, .listening = true};

void print_page_line(void *arg, struct slice line)
{
	struct print_page *out = arg;

	text_put(&out->text, line);
}

void print_page_live(void *arg, struct slice line)
{
	struct print_page *out = arg;

	text_putc(&out->text, '[');
	text_put(&out->text, line);
	text_puts(&out->text, "]\n");
}

void print_page_expect(const struct printer_config *how, const struct ua_event *events,
	size_t count, const char *expected)
{
	struct printer_config config = *how;
	struct printer *printer;
	struct print_page out;

	out.text = TEXT_IN(out.room);
	config.line = print_page_line;
	config.show_live = print_page_live;
	config.arg = &out;
	assert_int_equal(printer_new(&printer, &config), 0);
	for (size_t i = 0; i < count; i++)
		printer_event(printer, &events[i]);
	printer_free(printer);
	assert_string_equal(out.room, expected);
}
