/*
 * bench calls: calls set up and torn down a second, against ourselves.
 *
 *     calls [N [SECONDS]]
 *
 * The program itself answers (--answer, silence for a microphone) in a process of its own; an agent
 * in this one calls it N times a second, evenly, and hangs up each call as soon as it is answered.
 * It prints one JSON line: how many calls were asked for, ended well and failed, how many a second
 * that was, and the memory of the one who answers: at the start, and after the first and the last
 * quarter of the time, which shows whether it grows with the calls; likewise of the caller.
 */
#include "codecs/codec.h"
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"
#include "core/ua/agent.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CALLS_A_SECOND = 1000,
	SECONDS = 10,
	LINE_SIZE = 4096,
	PATH_SIZE = 4096,
	CODECS_MAX = 16,
};

struct bench {
	struct loop *loop;
	struct loop *media_loop;
	struct agent *agent;
	struct timer tick;
	char target[64];
	pid_t program;

	uint64_t started_ns;
	uint64_t total; /* calls to be made */
	double rate;    /* of them, a second */
	uint64_t asked;
	uint64_t good;
	uint64_t failed;
	uint64_t ended_ns; /* of the last call */
	long rss_kb[3];    /* of the program */
	long own_rss_kb[3];
	int first_failure; /* SIP status */
};

static void die(const char *what)
{
	fprintf(stderr, "calls: %s\n", what);
	exit(1);
}

/* VmRSS of a process in kB. */
static long rss_of(pid_t process)
{
	char line[LINE_SIZE];
	long kb = -1;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", (int)process);
	file = fopen(line, "r");
	if (!file)
		return -1;
	while (kb < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	fclose(file);
	return kb;
}

/* The program stands two folders above build/tests/bench/calls. */
static void path_of_program(char out[static PATH_SIZE])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_SIZE - 1);

	if (len <= 0)
		die("cannot find the program");
	out[len] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(out, '/');

		if (!slash)
			die("cannot find the program");
		*slash = '\0';
	}
	strncat(out, "/sipcall", PATH_SIZE - strlen(out) - 1);
}

/* Starts the program that answers; its output goes into a pipe, whose other end is returned. */
static int start_program(pid_t *process)
{
	char path[PATH_SIZE];
	int ends[2];

	path_of_program(path);
	if (pipe(ends))
		die("no pipe");
	*process = fork();
	if (*process < 0)
		die("no process");
	if (*process == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(path, path, "--answer", "--json", "-l", "udp:127.0.0.1:0", "-i", "silence",
			"-o", "null", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return ends[0];
}

/* Reads the first line, which tells the port. */
static void read_target(char *out, size_t size, int from)
{
	char line[LINE_SIZE] = {0};
	const char *port;
	size_t len = 0;

	while (len < sizeof(line) - 1 && read(from, line + len, 1) == 1 && line[len] != '\n')
		len++;
	port = strstr(line, "\"port\":");
	if (!port)
		die("the program does not listen; build it with ./dev build");
	snprintf(
		out, size, "sip:bench@127.0.0.1:%ld", strtol(port + strlen("\"port\":"), NULL, 10));
}

/* A process of its own throws away what the program says of each call. */
static pid_t drain(int from)
{
	char bytes[LINE_SIZE];
	pid_t process = fork();

	if (process == 0) {
		while (read(from, bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	close(from);
	return process;
}

static void closed(void *arg)
{
	struct bench *bench = arg;

	loop_uv_stop(bench->loop);
}

static void event(void *arg, const struct ua_event *event)
{
	struct bench *bench = arg;

	if (event->kind == UA_CALL_ANSWERED) {
		agent_hangup(bench->agent, event->call);
		return;
	}
	if (event->kind != UA_CALL_ENDED)
		return;

	bench->ended_ns = loop_now(bench->loop);
	if (event->ended.answered) {
		bench->good++;
	} else {
		bench->failed++;
		bench->first_failure =
			bench->first_failure ? bench->first_failure : event->ended.code;
	}
}

static void call(struct bench *bench)
{
	struct fault why;
	unsigned number;
	size_t at;

	bench->asked++;
	if (agent_call(&number, bench->agent, bench->target, &why, &at)) {
		bench->failed++;
		fprintf(stderr, "calls: %s\n", why.words);
	}
}

static void remember_rss(struct bench *bench, size_t when)
{
	bench->rss_kb[when] = rss_of(bench->program);
	bench->own_rss_kb[when] = rss_of(getpid());
}

/* As many calls as are due by now. */
static void tick(void *arg)
{
	struct bench *bench = arg;
	uint64_t now = loop_now(bench->loop);
	double passed_s = (double)(now - bench->started_ns) / (double)NS_PER_S;

	if (bench->rss_kb[1] == 0 && bench->asked * 4 >= bench->total)
		remember_rss(bench, 1);
	while (bench->asked < bench->total && (double)bench->asked < passed_s * bench->rate)
		call(bench);
	if (bench->good + bench->failed < bench->total) {
		timer_start_in(&bench->tick, NS_PER_MS);
		return;
	}
	remember_rss(bench, 2);
	agent_close(bench->agent, closed, bench);
}

static void prepare(struct bench *bench, const struct codec **codecs)
{
	struct ua_config config = {
		.user_agent = "bench",
		.user = "bench",
		.mic = "silence",
		.speaker = "null",
		.codecs = codecs,
		.codec_count = codec_count(),
		.policy = {.ring_limit_ns = 30 * NS_PER_S},
		.event = event,
		.arg = bench,
	};
	struct addr local;
	struct fault why;

	if (config.codec_count > CODECS_MAX)
		die("too many codecs");
	for (size_t i = 0; i < config.codec_count; i++)
		codecs[i] = codec_at(i);
	if (loop_uv_new(&bench->loop) || loop_uv_new(&bench->media_loop))
		die("no loop");
	config.loop = bench->loop;
	config.media_loop = bench->media_loop;
	if (agent_new(&bench->agent, &config))
		die("no agent");
	if (addr_parse_port(&local, slice_of("127.0.0.1:0")) ||
		agent_listen(bench->agent, SIP_UDP, &local, false, &why))
		die("no port");
}

static void print(const struct bench *bench)
{
	double took_s = (double)(bench->ended_ns - bench->started_ns) / (double)NS_PER_S;

	printf("{\"bench\":\"calls\",\"wanted_per_s\":%g,\"calls\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"first_failure\":%d,\"seconds\":%.3f,\"per_s\":%.1f,"
	       "\"rss_kb\":{\"start\":%ld,\"quarter\":%ld,\"end\":%ld},"
	       "\"caller_rss_kb\":{\"start\":%ld,\"quarter\":%ld,\"end\":%ld}}\n",
		bench->rate, bench->asked, bench->failed, bench->first_failure, took_s,
		(double)bench->good / took_s, bench->rss_kb[0], bench->rss_kb[1], bench->rss_kb[2],
		bench->own_rss_kb[0], bench->own_rss_kb[1], bench->own_rss_kb[2]);
}

int main(int argc, char **argv)
{
	const struct codec *codecs[CODECS_MAX];
	struct bench bench = {0};
	struct loop_thread *media;
	double seconds = argc > 2 ? strtod(argv[2], NULL) : SECONDS;
	pid_t drainer;
	int output;

	bench.rate = argc > 1 ? strtod(argv[1], NULL) : CALLS_A_SECOND;
	if (argc > 3 || !(bench.rate >= 1) || !(seconds > 0) || bench.rate * seconds > 1e7)
		die("usage: calls [N [SECONDS]], N calls a second");
	bench.total = (uint64_t)(bench.rate * seconds);

	output = start_program(&bench.program);
	read_target(bench.target, sizeof(bench.target), output);
	drainer = drain(output);
	prepare(&bench, codecs);
	if (loop_thread_start(&media, bench.media_loop, "media"))
		die("no thread");

	remember_rss(&bench, 0);
	bench.started_ns = loop_now(bench.loop);
	timer_init(&bench.tick, bench.loop, tick, &bench);
	timer_start_in(&bench.tick, 0);
	loop_uv_run(bench.loop);

	agent_free(bench.agent);
	loop_thread_stop(media);
	loop_uv_free(bench.media_loop);
	loop_uv_free(bench.loop);
	kill(bench.program, SIGTERM);
	waitpid(bench.program, NULL, 0);
	waitpid(drainer, NULL, 0);
	print(&bench);
	return bench.failed > 0 ? 1 : 0;
}
