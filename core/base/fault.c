#include "core/base/fault.h"

#include "core/base/text.h"

#include <stdarg.h>

int fault_set(struct fault *fault, int err, const char *format, ...)
{
	struct text text;
	va_list args;

	if (!fault)
		return err;

	text = TEXT_IN(fault->words);
	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	return err;
}
