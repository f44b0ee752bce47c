/*
 * cmd/script/script: any bytes. Either it is right, or each mistake is told with a line of the
 * script and with a caret, harmless on a terminal.
 */
#include "cmd/script/script_check.h"

#include "core/base/loop.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 400 };

struct told {
	int mistakes;
};

static void tell(void *arg, struct slice lines)
{
	struct told *told = arg;

	assert(lines.len > 0 && lines.data[lines.len - 1] == '\n');
	for (size_t i = 0; i < lines.len; i++)
		assert(lines.data[i] == '\n' || lines.data[i] >= ' ');
	told->mistakes++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* with nothing of this machine but its files */
	static const struct options options = {
		.in_virtual = true, .vars = {"far=sip:x@192.0.2.1"}, .var_count = 1};
	struct told told = {0};
	struct script *script;
	struct fault why;

	if (size > INPUT_MAX || script_new(&script, "s", (struct slice){data, size}, &why))
		return 0;

	assert(script_check(script, &options, tell, &told) == told.mistakes);
	script_free(script);
	return 0;
}
