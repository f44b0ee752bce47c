#include "core/net/wslay.h"

#include "core/base/library.h"

/* One for the program, as the library is; library_load() sees to who fills it. */
static struct wslay functions;

int wslay_load(const struct wslay **out, struct fault *why)
{
#define SYMBOL(name) {#name, offsetof(struct wslay, name)},
	static const struct library_symbol symbols[] = {WSLAY_EACH(SYMBOL)};
#undef SYMBOL
	int err = library_load(
		&functions, "libwslay.so.1", symbols, sizeof(symbols) / sizeof(symbols[0]), why);

	if (!err)
		*out = &functions;
	return err;
}
