#include "cmd/script/script_start.h"

#include "cmd/readers/verdict.h"
#include "cmd/script/script_check.h"
#include "cmd/show.h"

#include <errno.h>

static void tell(void *arg, struct slice lines)
{
	(void)arg;
	show_lines(lines);
}

int script_start(struct script **out, const struct options *options)
{
	struct options defaults;
	struct script *script;
	struct fault why;
	int code = VERDICT_USAGE;
	int mistakes;
	int err;

	*out = NULL;
	err = script_load(&script, options->script, &why);
	if (err)
		return show_complaint(err == -EFBIG ? VERDICT_USAGE : VERDICT_LOCAL, why.words);

	script_defaults(&defaults, script, options);
	if (step_check_sound(&defaults, &why)) {
		script_free(script);
		return show_complaint(VERDICT_USAGE, why.words);
	}
	mistakes = script_check(script, options, tell, NULL);
	if (mistakes < 0)
		code = show_complaint(VERDICT_LOCAL, "too little memory for a script");
	if (mistakes == 0) {
		code = VERDICT_DONE;
		if (options->check && !options->quiet)
			code = show_checked(script->name, script->count);
	}
	if (mistakes != 0 || options->check)
		script_free(script);
	else
		*out = script;
	return code;
}
