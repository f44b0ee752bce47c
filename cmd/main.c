/* sipcall: start-up and exit code. */
#include "cmd/check.h"
#include "cmd/control/remote.h"
#include "cmd/phone.h"
#include "cmd/readers/verdict.h"
#include "cmd/script/script_start.h"
#include "cmd/settings/options.h"
#include "cmd/settings/settle.h"
#include "cmd/show.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A standard file that the caller closed would else be the number of our next socket. Writing there
 * fails as before. */
static int open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;

	close(fd);
	return 0;
}

static int run(const struct options *options, const struct config *config)
{
	char room[CHECK_SIZE];
	struct text text = TEXT_IN(room);
	struct script *script = NULL;
	struct fault why;
	int code;

	code = check_options(&text, options);
	if (code != VERDICT_DONE) {
		show_lines(text_slice(&text));
		return code;
	}
	if (options->script)
		code = script_start(&script, options);
	if (code == VERDICT_DONE && !options->check) {
		int err = phone_run(&code, options, config, script, &why);

		if (err)
			code = show_complaint(
				err == -EINVAL ? VERDICT_USAGE : VERDICT_LOCAL, why.words);
	}
	script_free(script);
	return code;
}

/* Another phone has its own configuration. */
static int use_remote(const struct options *options)
{
	struct fault why;
	int code;

	if (remote_run(&code, options, &why))
		return show_complaint(VERDICT_LOCAL, why.words);
	return code;
}

/* The command line with the configuration. */
static int settle_and_run(struct options *options)
{
	struct config *config;
	int code;

	code = settle(&config, options);
	if (code == VERDICT_DONE)
		code = run(options, config);
	config_free(config);
	return code;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct fault why;

	if (open_standard_files())
		return VERDICT_LOCAL;
	if (options_parse(&options, argc, argv, &why))
		return show_complaint(VERDICT_USAGE, why.words);

	switch (options.action) {
	case OPTIONS_HELP:
		return show_help(options_help);
	case OPTIONS_HELP_ALL:
		return show_help(options_help_all);
	case OPTIONS_VERSION:
		return show_version();
	case OPTIONS_LIST_CODECS:
		return show_codecs();
	case OPTIONS_LIST_DEVICES:
		return show_devices();
	case OPTIONS_CHECK_CONFIG:
		return settle_check(&options);
	case OPTIONS_RUN:
		break;
	}
	return options.remote ? use_remote(&options) : settle_and_run(&options);
}
