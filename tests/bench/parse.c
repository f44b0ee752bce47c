/*
 * How fast a message is read to typed form: the start line with its URI, the index of all headers,
 * each Via, From, To, each Contact and Route with their URIs and parameters, Call-ID, CSeq,
 * Max-Forwards, Content-Length and, if there is one, the session description in the body. What is
 * left as text, to be decoded when it is asked for: Record-Route, which is echoed only, and the
 * lists of tokens (Allow, Supported).
 *
 * A FILE without a body measures the headers alone.
 *
 *   parse [FILE [N]]      reads FILE N times; one JSON line
 *   parse --read FILE N   the same without a word, for a profiler
 *
 * Instructions are those of valgrind's callgrind, run on this very program with two counts, so that
 * what it takes to start and to end falls out; null if there is no valgrind.
 */
#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/sdp/session.h"
#include "core/sip/body.h"
#include "core/sip/msg.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	COUNT = 200000,
	FEW = 100, /* under valgrind, and ten times as many */
	MANY = 1000,
	NS_PER_S = 1000000000,
};

static uint8_t room[SIP_MESSAGE_MAX + 1];

static bool load(struct slice *out, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return false;
	}
	*out = (struct slice){room, fread(room, 1, sizeof(room), file)};
	fclose(file);
	return true;
}

static size_t read_addresses(const struct sip_msg *msg, enum sip_header_name id)
{
	struct sip_cursor cursor = {0};
	struct sip_name_addr addr;
	struct slice value;
	size_t good = 0;

	while (sip_msg_next(&value, &cursor, msg, id))
		good += sip_name_addr_parse(&addr, value) == 0;
	return good;
}

/* The first is decoded with the message. */
static size_t read_vias(const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	struct sip_via via;
	struct slice value;
	size_t good = 0;

	for (size_t at = 0; sip_msg_next(&value, &cursor, msg, SIP_VIA); at++)
		good += at == 0 || sip_via_parse(&via, value) == 0;
	return good;
}

static bool read_description(const struct sip_msg *msg)
{
	struct sdp_session *session;
	struct fault why;
	struct slice body;

	if (!sip_body_find(&body, msg, "application/sdp"))
		return msg->body.len == 0;
	if (sdp_parse(&session, body, &why))
		return false;
	sdp_free(session);
	return true;
}

/* Whether all of it is good. */
static bool read_once(struct slice bytes)
{
	struct sip_msg *msg;
	bool good;

	if (sip_msg_parse(&msg, bytes))
		return false;
	good = !msg->fault_status && read_vias(msg) > 0 && read_addresses(msg, SIP_CONTACT) > 0 &&
	       read_description(msg);
	read_addresses(msg, SIP_ROUTE);
	sip_msg_free(msg);
	return good;
}

static bool read_times(struct slice bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (!read_once(bytes))
			return false;
	return true;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / NS_PER_S;
}

/* Instructions of this program reading so many times, as callgrind tells; 0: it does not. */
static uint64_t count_instructions(const char *path, int count)
{
	char self[PATH_MAX] = "", command[2 * PATH_MAX + 200], line[400];
	uint64_t instructions = 0;
	FILE *pipe;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 0;
	snprintf(command, sizeof(command),
		"valgrind --tool=callgrind --callgrind-out-file=/dev/null '%s' --read '%s' %d 2>&1",
		self, path, count);
	pipe = popen(command, "r");
	if (!pipe)
		return 0;
	while (fgets(line, sizeof(line), pipe)) {
		const char *found = strstr(line, "Collected : ");

		if (found)
			instructions = strtoull(found + strlen("Collected : "), NULL, 10);
	}
	return pclose(pipe) == 0 ? instructions : 0;
}

static void print_instructions(const char *path)
{
	uint64_t few = count_instructions(path, FEW);
	uint64_t many = few ? count_instructions(path, MANY) : 0;

	if (many > few)
		printf("%" PRIu64, (many - few) / (MANY - FEW));
	else
		printf("null");
}

int main(int argc, char **argv)
{
	bool silent = argc == 4 && strcmp(argv[1], "--read") == 0;
	const char *path = silent ? argv[2] : argc > 1 ? argv[1] : "tests/data/invite-900.sip";
	uint64_t count = silent ? strtoull(argv[3], NULL, 10) : COUNT;
	struct slice bytes;
	double begin;

	if (!silent && argc > 2)
		count = strtoull(argv[2], NULL, 10);
	if (!load(&bytes, path))
		return EXIT_FAILURE;
	begin = seconds();
	if (count == 0 || !read_times(bytes, count)) {
		fprintf(stderr, "%s: not read as a good message %" PRIu64 " times\n", path, count);
		return EXIT_FAILURE;
	}
	if (silent)
		return EXIT_SUCCESS;

	printf("{\"bench\":\"parse\",\"bytes\":%zu,\"messages_per_s\":%.0f,\"instructions\":",
		bytes.len, (double)count / (seconds() - begin));
	fflush(stdout);
	print_instructions(path);
	printf("}\n");
	return EXIT_SUCCESS;
}
