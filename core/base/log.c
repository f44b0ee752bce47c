#include "core/base/log.h"

#include "core/base/text.h"

#include <stdarg.h>

enum { LINE_SIZE = 2048 }; /* on the stack, twice, of whichever thread logs */

/* The one state of the process: every file of the house may log, and none of them is handed a log.
 */
static struct {
	enum log_level level;
	log_sink *sink;
	void *arg;
} log_state;

void log_open(enum log_level level, log_sink *sink, void *arg)
{
	log_state.level = level;
	log_state.sink = sink;
	log_state.arg = arg;
}

bool log_wanted(enum log_level level)
{
	return log_state.sink && level <= log_state.level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char raw[LINE_SIZE];
	char line[LINE_SIZE];
	struct text text = TEXT_IN(raw);
	struct text escaped = TEXT_IN(line);
	va_list args;

	if (!log_wanted(level))
		return;

	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	text_put_escaped(&escaped, text_slice(&text));
	log_state.sink(log_state.arg, level, line);
}
