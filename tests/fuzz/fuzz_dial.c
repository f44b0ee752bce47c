/*
 * Rules for numbers, a line each, and behind an empty line what is dialled: whatever they are, what
 * comes of them is a URI or nothing.
 */
#include "core/ua/dialplan.h"
#include "core/ua/target.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target_home home = {.domain = slice_of("example.org")};
	struct slice rest = {data, size}, line;
	struct dialplan *plan;
	struct target target;
	struct fault why;
	size_t at;

	if (dialplan_new(&plan))
		return 0;
	while (slice_cut(&line, &rest, '\n') && line.len > 0) {
		if (dialplan_add(plan, line, &why, &at))
			assert(at <= line.len);
		if (line.data[0] == 'c')
			(void)dialplan_set_country(
				plan, (struct slice){line.data + 1, line.len - 1}, &why, &at);
		if (line.data[0] == 'e')
			(void)dialplan_add_emergency(
				plan, (struct slice){line.data + 1, line.len - 1}, &why, &at);
	}
	home.dial = plan;
	if (target_parse_in(&target, rest, &home, &why, &at) == 0) {
		struct sip_uri uri;

		assert(sip_uri_parse(&uri, slice_of(target.text), NULL) == 0);
		assert(!target.rule || !dialplan_is_emergency(plan, rest)); /* it is not changed */
	} else {
		assert(at <= rest.len);
	}
	dialplan_free(plan);
	return 0;
}
