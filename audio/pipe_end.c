#include "audio/pipe_end.h"

#include "core/base/text.h"

#include <errno.h>
#include <string.h>

enum {
	/* What may wait between the program and us: a disk may sleep so long, and a sound that is
	 * later is no good. */
	ROOM_MS = 1000,
	SHOWN = 60, /* bytes of a command's line */
	NOT_FOUND = 127,
	NOT_RUN = 126,
};

static void put_name(struct pipe_end *end, enum pipe_way way, const char *command)
{
	struct text name = TEXT_IN(end->name);
	struct slice line = slice_of(command ? command : "");
	size_t shown = line.len < SHOWN ? line.len : SHOWN;

	if (!command) {
		text_printf(&name, "standard %s", way == PIPE_IN ? "input" : "output");
		return;
	}
	text_puts(&name, "the command \"");
	text_put_escaped(&name, (struct slice){line.data, shown});
	text_printf(&name, "%s\"", shown < line.len ? "..." : "");
}

int pipe_end_open(struct pipe_end *out, const struct audio_setup *setup, enum pipe_way way,
	const char *command, struct fault *why)
{
	size_t room = (size_t)setup->pipe_rate / 1000 * ROOM_MS * sizeof(int16_t);
	int err;

	*out = (struct pipe_end){.setup = *setup, .command = command != NULL};
	put_name(out, way, command);
	if (command)
		err = loop_pipe_command(&out->pipe, setup->loop, way, command, room);
	else
		err = loop_pipe_standard(&out->pipe, setup->loop, way, room);
	if (err == -EBADF)
		return fault_set(why, err, "%s is closed", out->name);
	if (err)
		return fault_set(why, err, "%s cannot be %s: %s", out->name,
			command ? "run" : "opened", strerror(-err));
	return 0;
}

void pipe_end_tell(struct pipe_end *end, const struct pipe_exit *exit)
{
	static const char not_found[] = ": there is no such command";
	static const char not_run[] = ": it cannot be run";

	if (end->exited)
		return;

	end->exited = true;
	end->failed = exit->signal || exit->code;
	if (exit->signal)
		audio_tell(&end->setup, AUDIO_FAILED, "%s was killed by signal %d (%s)", end->name,
			exit->signal, strsignal(exit->signal));
	else if (exit->code)
		audio_tell(&end->setup, AUDIO_FAILED, "%s ended with exit code %d%s", end->name,
			exit->code,
			exit->code == NOT_FOUND ? not_found
						: (exit->code == NOT_RUN ? not_run : ""));
}

bool pipe_end_exited(struct pipe_end *end)
{
	struct pipe_exit exit;

	if (end->command && !end->exited && pipe_exited(&exit, end->pipe))
		pipe_end_tell(end, &exit);
	return end->exited;
}
