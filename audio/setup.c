#include "audio/setup.h"

#include "core/base/fault.h"
#include "core/base/text.h"

#include <stdarg.h>

void audio_tell(const struct audio_setup *setup, enum audio_news news, const char *format, ...)
{
	struct fault fault;
	struct text text = TEXT_IN(fault.words);
	va_list args;

	if (!setup->tell)
		return;

	va_start(args, format);
	text_vprintf_cut(&text, format, args);
	va_end(args);
	setup->tell(setup->arg, news, fault.words);
}
