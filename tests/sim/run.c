/*
 * Plays plays, one after another, and says what came of it; makes the first one that fails smaller
 * and tells how to see it again. The playing is done by a child, so that its end, too, is a
 * finding.
 */
#include "tests/sim/shrink.h"
#include "tests/sim/stage.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SHRINK_TRIES = 1500,
	PLAY_LIMIT_S = 100, /* of real time, for a play that does not come to its end */
	EXIT_USAGE = 2,
	PATH_SIZE = 512,
	LIST_SIZE = 65536,
};

struct options {
	uint64_t seed;
	uint64_t count;
	bool has_seed;
	bool media;
	bool trace;
	bool print;
	const char *scenario;
	const char *list;
};

/* What the child leaves behind, in memory that both see. */
struct report {
	uint64_t plays;
	uint64_t calls;
	uint64_t answered;
	uint64_t events;
	uint64_t datagrams;
	struct play play; /* the last that was begun */
	struct stage_result result;
	uint8_t hash[STAGE_HASH_SIZE];
	bool done;
};

/* For sanitizers, that a finding of theirs is a signal like any. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void die(const char *words)
{
	fprintf(stderr, "run: %s\n", words);
	exit(EXIT_USAGE);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the child's work */

static void count(struct report *report, const struct stage_result *result)
{
	report->plays++;
	report->calls += result->calls;
	report->answered += result->answered;
	report->events += result->events;
	report->datagrams += result->datagrams;
}

/* Plays report->play; whether all is well. */
static bool play_one(struct report *report, FILE *trace)
{
	int err;

	alarm(PLAY_LIMIT_S);
	err = stage_run(&report->result, &report->play, trace);
	if (err) {
		snprintf(report->result.name, sizeof(report->result.name), "a play can be played");
		snprintf(report->result.section, sizeof(report->result.section),
			"our own design, section 7");
		snprintf(report->result.words, sizeof(report->result.words), "%s", strerror(-err));
	}
	count(report, &report->result);
	return report->result.name[0] == '\0';
}

static bool choose(struct play *play, const struct options *options, uint64_t i)
{
	struct fault why;

	if (!options->scenario) {
		play_random(play, options->seed + i, options->media);
		return true;
	}
	if (play_load(play, options->scenario, &why) != 0) {
		fprintf(stderr, "run: %s\n", why.words);
		return false;
	}
	if (options->has_seed)
		play->world.seed = options->seed;
	play->world.seed += i;
	return true;
}

static void play_many(struct report *report, const struct options *options)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool well = true;

	if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
		_exit(EXIT_USAGE);
	for (uint64_t i = 0; i < options->count && well; i++) {
		if (!choose(&report->play, options, i))
			_exit(EXIT_USAGE);
		well = play_one(report, options->trace ? stdout : NULL);
		EVP_DigestUpdate(hash, report->result.hash, STAGE_HASH_SIZE);
	}
	EVP_DigestFinal_ex(hash, report->hash, NULL);
	EVP_MD_CTX_free(hash);
}

/* ---- the parent's */

static void name_death(struct report *report, int status)
{
	struct stage_result *result = &report->result;
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	*result = (struct stage_result){0};
	snprintf(result->section, sizeof(result->section), "our own design, section 7");
	if (number == SIGALRM) {
		snprintf(result->name, sizeof(result->name), "every play comes to its end");
		snprintf(result->words, sizeof(result->words), "it went on for %d s", PLAY_LIMIT_S);
	} else if (number == 0) {
		snprintf(result->name, sizeof(result->name), "libraries leave nothing behind");
		snprintf(result->words, sizeof(result->words), "the program ended with %d",
			WEXITSTATUS(status));
	} else {
		snprintf(result->name, sizeof(result->name), "nothing breaks");
		snprintf(result->words, sizeof(result->words), "it was ended by signal %d (%s)",
			number, strsignal(number));
	}
}

/* Does work in a child. Whether all was well there. */
static bool in_child(struct report *report, const struct options *options, bool quiet)
{
	int status;
	pid_t child;

	report->done = false;
	fflush(stdout);
	child = fork();
	if (child < 0)
		die(strerror(errno));
	if (child == 0) {
		if (quiet &&
			(!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout)))
			_exit(EXIT_USAGE);
		if (options)
			play_many(report, options);
		else
			play_one(report, NULL);
		report->done = true;
		if (report->result.name[0] == '\0')
			exit(0); /* where a sanitizer looks for leaks */
		fflush(stdout);
		_exit(0); /* the world may have been left behind */
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die(strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE)
		exit(EXIT_USAGE);
	if (!report->done || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
		name_death(report, status);
	return report->result.name[0] == '\0';
}

/* What was found first, to be found again. */
struct finding {
	struct report *report;
	char name[STAGE_NAME_SIZE];
};

static bool fails_again(void *arg, const struct play *play)
{
	struct finding *finding = arg;

	finding->report->play = *play;
	return !in_child(finding->report, NULL, true) &&
	       strcmp(finding->report->result.name, finding->name) == 0;
}

static void print_play(const struct play *play)
{
	char *room = malloc(PLAY_TEXT_SIZE);
	struct text text;

	if (!room)
		die("out of memory");
	text = text_in(room, PLAY_TEXT_SIZE);
	play_print(&text, play);
	fputs(room, stdout);
	free(room);
}

static void print_finding(const struct stage_result *result)
{
	printf("  %s (%s)\n  at %llu.%09llu s: %s\n", result->name, result->section,
		(unsigned long long)(result->at_ns / NS_PER_S),
		(unsigned long long)(result->at_ns % NS_PER_S), result->words);
}

static void print_failure(struct report *report, const struct options *options)
{
	uint64_t seed = report->play.world.seed;
	struct play *smallest = malloc(sizeof(*smallest));
	struct finding finding = {.report = report};
	int tries;

	if (!smallest)
		die("out of memory");
	printf("FAILED: seed %llu\n", (unsigned long long)seed);
	print_finding(&report->result);
	if (options->scenario)
		printf("  again: run --scenario %s --seed %llu --trace\n", options->scenario,
			(unsigned long long)seed);
	else
		printf("  again: run%s --seed %llu --trace\n", options->media ? " --media" : "",
			(unsigned long long)seed);
	fflush(stdout);

	*smallest = report->play;
	memcpy(finding.name, report->result.name, sizeof(finding.name));
	tries = shrink_play(smallest, SHRINK_TRIES, fails_again, &finding);
	if (fails_again(&finding, smallest)) {
		printf("# shrunk to %u steps by %d tries\n", smallest->step_count, tries);
		print_finding(&report->result);
	} else {
		printf("# it does not fail again: something outside of the seed decides\n");
	}
	printf("# keep what follows as tests/sim/regressions/%llu.play, see the list there;\n"
	       "# again: run --scenario tests/sim/regressions/%llu.play --trace\n",
		(unsigned long long)seed, (unsigned long long)seed);
	print_play(smallest);
	free(smallest);
}

static void print_total(const struct report *report, double took_s)
{
	printf("%llu plays, %llu calls (%llu ends answered), %llu events, %llu datagrams, %.3f s, "
	       "%.0f calls/s\nsha256 ",
		(unsigned long long)report->plays, (unsigned long long)report->calls,
		(unsigned long long)report->answered, (unsigned long long)report->events,
		(unsigned long long)report->datagrams, took_s, (double)report->calls / took_s);
	for (size_t i = 0; i < sizeof(report->hash); i++)
		printf("%02x", report->hash[i]);
	putchar('\n');
}

static struct report *new_report(void)
{
	struct report *report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (report == MAP_FAILED)
		die(strerror(errno));
	return report;
}

static bool run(const struct options *options)
{
	struct report *report = new_report();
	double begin_s = seconds();
	bool well = in_child(report, options, false);

	if (well)
		print_total(report, seconds() - begin_s);
	else
		print_failure(report, options);
	munmap(report, sizeof(*report));
	return well;
}

/* ---- what was found once */

static void list_fails(const char *file, unsigned line)
{
	fprintf(stderr, "run: %s:%u: seed N, media N or play FILE\n", file, line);
	exit(EXIT_USAGE);
}

/* One line of the list; plays stand beside it. */
static bool run_line(const char *file, unsigned number, struct slice line)
{
	struct options options = {.count = 1};
	const char *slash = strrchr(file, '/');
	char path[PATH_SIZE];
	struct slice word;

	slice_cut(&word, &line, ' ');
	if (slice_is(word, "play")) {
		snprintf(path, sizeof(path), "%.*s%.*s", slash ? (int)(slash - file) + 1 : 0, file,
			(int)line.len, (const char *)line.data);
		options.scenario = path;
	} else if (slice_is(word, "seed") || slice_is(word, "media")) {
		options.media = slice_is(word, "media");
		if (slice_number(&options.seed, line, UINT64_MAX))
			list_fails(file, number);
	} else {
		list_fails(file, number);
	}
	return run(&options);
}

/* All at once: a child must not share an open file. */
static size_t read_list(char room[static LIST_SIZE], const char *file)
{
	FILE *list = fopen(file, "r");
	size_t len;

	if (!list)
		die(strerror(errno));
	len = fread(room, 1, LIST_SIZE, list);
	if (ferror(list) || len == LIST_SIZE)
		die("the list cannot be read, or is too long");
	fclose(list);
	return len;
}

static bool run_list(const char *file)
{
	char room[LIST_SIZE];
	struct slice line, text = {(const uint8_t *)room, read_list(room, file)};
	unsigned number = 0;
	bool well = true, more = true;

	while (well && more) {
		more = slice_cut(&line, &text, '\n');
		number++;
		line.len = slice_find(line, '#');
		line = slice_trim(line);
		if (line.len > 0)
			well = run_line(file, number, line);
	}
	return well;
}

/* ---- the command line */

static const char usage[] =
	"usage: run [--seed N] [--count M] [--media] [--scenario FILE] [--list FILE] [--trace]\n"
	"           [--print]\n"
	"  --seed N         the first seed (default 1, or that of FILE)\n"
	"  --count M        so many plays, each with the next seed (default 1)\n"
	"  --media          plays with sound\n"
	"  --scenario FILE  this play instead of those that the seeds make\n"
	"  --list FILE      what a file of seeds and plays names\n"
	"  --trace          each step, event and datagram\n"
	"  --print          print the play, do not play it\n";

static uint64_t number_of(const char *text)
{
	uint64_t number;

	if (slice_number(&number, slice_of(text), UINT64_MAX))
		die("a number was expected");
	return number;
}

static void read_options(struct options *out, int argc, char **argv)
{
	static const struct option table[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"media", no_argument, NULL, 'm'},
		{"scenario", required_argument, NULL, 'f'},
		{"list", required_argument, NULL, 'l'},
		{"trace", no_argument, NULL, 't'},
		{"print", no_argument, NULL, 'p'},
		{0},
	};
	int option;

	*out = (struct options){.seed = 1, .count = 1};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 's')
			out->has_seed = true;
		if (option == 's')
			out->seed = number_of(optarg);
		else if (option == 'c')
			out->count = number_of(optarg);
		else if (option == 'm')
			out->media = true;
		else if (option == 'f')
			out->scenario = optarg;
		else if (option == 'l')
			out->list = optarg;
		else if (option == 't')
			out->trace = true;
		else if (option == 'p')
			out->print = true;
		else
			exit((fputs(usage, stderr), EXIT_USAGE));
	}
	if (optind < argc)
		exit((fputs(usage, stderr), EXIT_USAGE));
}

int main(int argc, char **argv)
{
	struct options options;

	read_options(&options, argc, argv);
	if (options.print) {
		static struct play play;

		if (!choose(&play, &options, 0))
			return EXIT_USAGE;
		print_play(&play);
		return 0;
	}
	if (options.list)
		return run_list(options.list) ? 0 : 1;
	return run(&options) ? 0 : 1;
}
