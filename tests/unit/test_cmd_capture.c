/* cmd/readers/capture: the exact bytes of packets and of their file, their order, and what a disk
 * that is full, or slow, makes of it. */
#include "cmd/readers/capture.h"

#include "cmd/readers/capture_packet.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "tests/unit/fake_loop.h"
#include "tests/unit/scarce.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	FILE_SIZE = 24 << 20,
	HEAD_SIZE = 24,   /* of a file */
	RECORD_SIZE = 16, /* before each packet */
	PATH_SIZE = 64,
};

static char folder[] = "/tmp/capture.XXXXXX";
static char path[PATH_SIZE];

static const struct addr ours = {.family = ADDR_IPV4, .port = 5060, .ip = {192, 0, 2, 7}};
static const struct addr theirs = {.family = ADDR_IPV4, .port = 5070, .ip = {192, 0, 2, 9}};
static const struct addr ours6 = {
	.family = ADDR_IPV6, .port = 5060, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}};
static const struct addr theirs6 = {
	.family = ADDR_IPV6, .port = 5070, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 9}};

/* The header checksums were reckoned by hand from RFC 1071. */
static const uint8_t udp4[] = {0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, 17, 0xb6, 0xbe, 192, 0, 2, 7, 192,
	0, 2, 9, 0x13, 0xc4, 0x13, 0xce, 0, 10, 0xeb, 0xcd, 'h', 'i'};
static const uint8_t tcp6[] = {0x60, 0, 0, 0, 0, 23, 6, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 9, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x13, 0xce,
	0x13, 0xc4, 0, 0, 0, 5, 0, 0, 0, 9, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0, 'h', 'o', '!'};

/* One's complement sum over the pseudo header and all that follows: right if it is all ones. */
static uint32_t folded(
	const uint8_t *packet, size_t len, size_t ip_size, size_t addrs, uint8_t protocol)
{
	uint32_t total = protocol + (uint32_t)(len - ip_size);

	for (size_t i = addrs; i < len; i++) {
		bool high = (i < ip_size ? i - addrs : i - ip_size) % 2 == 0;

		total += high ? (uint32_t)packet[i] << 8 : packet[i];
	}
	while (total > 0xffff)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static void test_packets(void **state)
{
	uint8_t out[CAPTURE_HEADERS_MAX + 8];
	size_t size = capture_udp(out, &ours, &theirs, slice_of("hi"));

	(void)state;
	assert_int_equal(size, 28);
	memcpy(out + size, "hi", 2);
	assert_memory_equal(out, udp4, 10);
	assert_memory_equal(out + 12, udp4 + 12, 14);
	assert_int_equal(folded(out, 30, 20, 12, 17), 0xffff);
	assert_memory_equal(out + 28, udp4 + 28, 2);

	size = capture_udp(out, &ours, &theirs, slice_of("T7"));
	assert_int_equal(be16_get(out + size - 2), 0xffff); /* the sum is 0, which says: none */

	size = capture_tcp(out, &theirs6, &ours6, 5, 9, slice_of("ho!"));
	assert_int_equal(size, 60);
	memcpy(out + size, "ho!", 3);
	assert_memory_equal(out, tcp6, 56);
	assert_memory_equal(out + 58, tcp6 + 58, 5);
	assert_int_equal(folded(out, 63, 40, 8, 6), 0xffff);
}

static void test_packets_that_are_none(void **state)
{
	static const uint8_t bytes[65536];
	uint8_t out[CAPTURE_HEADERS_MAX];

	(void)state;
	assert_int_equal(capture_udp(out, &ours, &theirs6, slice_of("x")), 0);
	assert_int_equal(capture_udp(out, &(struct addr){0}, &(struct addr){0}, slice_of("x")), 0);
	assert_int_equal(capture_udp(out, &ours, &theirs, (struct slice){bytes, 65507}), 28);
	assert_int_equal(capture_udp(out, &ours, &theirs, (struct slice){bytes, 65508}), 0);
	assert_int_equal(capture_udp(out, &ours6, &theirs6, (struct slice){bytes, 65527}), 48);
	assert_int_equal(capture_udp(out, &ours6, &theirs6, (struct slice){bytes, 65528}), 0);
	assert_int_equal(capture_tcp(out, &ours, &theirs6, 0, 0, slice_of("x")), 0);
}

/* A capture on a loop that stands still, and what it said when it was over. */
struct bench {
	struct fake_loop agent;
	struct fake_loop media;
	struct capture *capture;
	unsigned ended;
	char words[FAULT_SIZE];
};

static void set_out(struct bench *bench)
{
	struct fault why;

	unlink(path); /* of a test that failed */
	*bench = (struct bench){0};
	fake_loop_init(&bench->agent);
	fake_loop_init(&bench->media);
	bench->media.wall_ns = bench->agent.wall_ns = 1795215600 * NS_PER_S + 412 * NS_PER_US;
	assert_int_equal(
		capture_open(&bench->capture, &bench->agent.loop, &bench->media.loop, path, &why),
		0);
}

static void note_end(void *arg, const char *words)
{
	struct bench *bench = arg;

	bench->ended++;
	snprintf(bench->words, sizeof(bench->words), "%s", words ? words : "");
}

static void end(struct bench *bench)
{
	capture_close(bench->capture, note_end, bench);
	assert_int_equal(bench->ended, 0);
	fake_loop_settle(&bench->agent);
	assert_int_equal(bench->ended, 1);
	fake_loop_end(&bench->agent);
	fake_loop_end(&bench->media);
}

static void say(struct bench *bench, bool sent, enum sip_transport_kind kind, const char *text)
{
	capture_message(bench->capture, sent, kind, &ours, &theirs, slice_of(text));
}

static void sound(struct bench *bench, bool sent, uint64_t at_ns, const char *text)
{
	const struct media_tap *tap = capture_tap(bench->capture);

	tap->datagram(tap->arg, sent, &ours6, &theirs6, slice_of(text), at_ns);
}

static size_t file_size(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (size_t)status.st_size;
}

/* For the caller to free(). */
static uint8_t *read_file(size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(FILE_SIZE);

	assert_non_null(file);
	*len = fread(bytes, 1, FILE_SIZE, file);
	fclose(file);
	return bytes;
}

static uint32_t native32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* Whole packets only, the last byte included; the payload's first byte of each, in order. */
static void read_order(char *out, size_t size)
{
	size_t len, at = HEAD_SIZE, count = 0;
	uint8_t *bytes = read_file(&len);

	assert_true(len >= HEAD_SIZE);
	while (at < len) {
		const uint8_t *packet = bytes + at + RECORD_SIZE;
		size_t headers;

		assert_true(len - at > RECORD_SIZE);
		headers = packet[0] >> 4 == 6 ? 40 : 20;
		headers += packet[packet[0] >> 4 == 6 ? 6 : 9] == 6 ? 20 : 8;
		assert_int_equal(native32(bytes + at + 8), native32(bytes + at + 12));
		at += RECORD_SIZE + native32(bytes + at + 8);
		assert_true(at <= len);
		if (count + 1 < size)
			out[count++] = (char)packet[headers];
	}
	out[count] = '\0';
	free(bytes);
}

/* RFC draft-ietf-opsawg-pcap: the head, then each packet behind its time and length. */
static void test_file(void **state)
{
	static const uint32_t head[] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65595, 101};
	struct bench bench;
	uint8_t *bytes;
	size_t len;

	(void)state;
	set_out(&bench);
	assert_int_equal(file_size(), HEAD_SIZE); /* can be read from the first moment */
	say(&bench, true, SIP_UDP, "hi");
	fake_loop_advance(&bench.agent, 60 * NS_PER_MS);
	assert_int_equal(file_size(), HEAD_SIZE + RECORD_SIZE + sizeof(udp4));
	end(&bench);
	assert_string_equal(bench.words, "");

	bytes = read_file(&len);
	assert_int_equal(len, HEAD_SIZE + RECORD_SIZE + sizeof(udp4));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(native32(bytes + 4 * i), i == 1 ? 4 << 16 | 2 : head[i]);
	assert_int_equal(native32(bytes + 24), 1795215600);
	assert_int_equal(native32(bytes + 28), 412);
	assert_int_equal(native32(bytes + 32), sizeof(udp4));
	assert_memory_equal(bytes + 40, udp4, sizeof(udp4));
	free(bytes);
	unlink(path);
}

/* Both threads' packets by their time; of one time, what was said first. */
static void test_order(void **state)
{
	struct bench bench;
	uint64_t now;
	char order[16];

	(void)state;
	set_out(&bench);
	now = bench.media.now_ns;
	sound(&bench, true, now + 1 * NS_PER_MS, "B");
	sound(&bench, false, now + 3 * NS_PER_MS, "D");
	sound(&bench, false, now + 5 * NS_PER_MS, "F");
	say(&bench, true, SIP_UDP, "A");
	bench.agent.now_ns += 3 * NS_PER_MS;
	say(&bench, false, SIP_UDP, "C");
	bench.agent.now_ns += 1 * NS_PER_MS;
	say(&bench, false, SIP_TCP, "E");
	fake_loop_advance(&bench.agent, 100 * NS_PER_MS);
	read_order(order, sizeof(order));
	assert_string_equal(order, "ABCDEF");
	say(&bench, false, SIP_UDP, "G");
	sound(&bench, false, now + 300 * NS_PER_MS, "H");
	end(&bench);
	read_order(order, sizeof(order));
	assert_string_equal(order, "ABCDEFGH");
	unlink(path);
}

/* Numbers of TCP go on by what each side said; a long message is several segments. */
static void test_tcp(void **state)
{
	static char longest[3001];
	static const struct {
		uint32_t seq, ack;
	} rows[] = {{1, 1}, {1, 4}, {1401, 4}, {2801, 4}, {4, 3001}};
	struct bench bench;
	size_t len, at = HEAD_SIZE;
	uint8_t *bytes;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	set_out(&bench);
	say(&bench, true, SIP_TCP, "abc");
	say(&bench, false, SIP_TCP, longest);
	say(&bench, true, SIP_TCP, "d");
	end(&bench);
	bytes = read_file(&len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *tcp = bytes + at + RECORD_SIZE + 20;

		assert_int_equal(be32_get(tcp + 4), rows[i].seq);
		assert_int_equal(be32_get(tcp + 8), rows[i].ack);
		at += RECORD_SIZE + native32(bytes + at + 8);
	}
	assert_int_equal(at, len);
	free(bytes);
	unlink(path);
}

/* Of more connections than are kept, the one that was silent longest begins anew. */
static void test_many_connections(void **state)
{
	struct addr remote = theirs;
	struct bench bench;
	size_t len, at = HEAD_SIZE;
	uint32_t seqs[258 + 2];
	size_t count = 0;
	uint8_t *bytes;

	(void)state;
	set_out(&bench);
	for (uint16_t i = 0; i < 258 + 2; i++) {
		remote.port = i < 258 ? i : i == 258 ? 257 : 0;
		capture_message(bench.capture, true, SIP_TCP, &ours, &remote, slice_of("abc"));
	}
	end(&bench);
	bytes = read_file(&len);
	for (; at < len; at += RECORD_SIZE + native32(bytes + at + 8))
		seqs[count++] = be32_get(bytes + at + RECORD_SIZE + 24);
	assert_int_equal(count, 260);
	assert_int_equal(seqs[257], 1);
	assert_int_equal(seqs[258], 4);
	assert_int_equal(seqs[259], 1);
	free(bytes);
	unlink(path);
}

static void test_names(void **state)
{
	struct bench bench;
	struct capture *capture = NULL;
	struct fault why;

	(void)state;
	set_out(&bench);
	assert_int_equal(
		capture_open(&capture, &bench.agent.loop, &bench.media.loop, path, &why), -EEXIST);
	assert_non_null(strstr(why.words, "exists already, and is not overwritten"));
	assert_int_equal(capture_open(&capture, &bench.agent.loop, &bench.media.loop,
				 "/nowhere/at/all", &why),
		-ENOENT);
	assert_string_equal(why.words, "/nowhere/at/all: there is no such folder");
	assert_null(capture);
	end(&bench);
	assert_int_equal(file_size(), HEAD_SIZE);
	unlink(path);
}

/* What does not fit into a packet, or has no address, is counted and told. */
static void test_odd(void **state)
{
	struct bench bench;

	(void)state;
	set_out(&bench);
	say(&bench, true, SIP_UDP, "hi");
	capture_message(bench.capture, true, SIP_UDP, &ours, &theirs6, slice_of("x"));
	end(&bench);
	assert_string_equal(
		strstr(bench.words, ": "), ": 1 of 2 packets are missing, as they fit into none");
	assert_int_equal(file_size(), HEAD_SIZE + RECORD_SIZE + sizeof(udp4));
	unlink(path);
}

/* What the queue does not hold while the disk stands still is dropped, and the rest is there. */
static void test_slow_disk(void **state)
{
	static char long_text[60001];
	struct bench bench;
	char order[256];

	(void)state;
	memset(long_text, 's', sizeof(long_text) - 1);
	set_out(&bench);
	for (unsigned i = 0; i < 200; i++)
		sound(&bench, true, bench.media.now_ns, long_text);
	end(&bench);
	assert_string_equal(strstr(bench.words, ": "),
		": 61 of 200 packets are missing, as the disk was too slow");
	read_order(order, sizeof(order));
	assert_int_equal(strlen(order), 139);
	unlink(path);
}

/* A disk that is full holds whole packets only. */
static void test_full_disk(void **state)
{
	static char long_text[10001];
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit little = {100000, RLIM_INFINITY};
	struct bench bench;
	char order[256];

	(void)state;
	memset(long_text, 's', sizeof(long_text) - 1);
	set_out(&bench);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	for (unsigned i = 0; i < 30; i++) {
		sound(&bench, true, bench.media.now_ns, long_text);
		fake_loop_advance(&bench.agent, (i % 4) * 60 * NS_PER_MS);
	}
	end(&bench);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_non_null(strstr(bench.words, " of 30 packets are missing, as File too large"));
	read_order(order, sizeof(order));
	assert_true(strlen(order) >= 6 && strlen(order) <= 9);
	unlink(path);
}

/* A pool that takes no work: it is done with the next, or when it is closed. */
static void test_no_pool(void **state)
{
	struct bench bench;

	(void)state;
	set_out(&bench);
	bench.agent.work_err = -ENOMEM;
	say(&bench, true, SIP_UDP, "hi");
	fake_loop_advance(&bench.agent, 200 * NS_PER_MS);
	assert_int_equal(file_size(), HEAD_SIZE);
	end(&bench);
	assert_int_equal(file_size(), HEAD_SIZE + RECORD_SIZE + sizeof(udp4));
	unlink(path);
}

/* Closed while it writes: what came meanwhile is written, too. */
static void test_close_while_writing(void **state)
{
	struct bench bench;
	struct timer *timer;

	(void)state;
	set_out(&bench);
	say(&bench, true, SIP_UDP, "hi");
	timer = container_of(heap_first(&bench.agent.timers), struct timer, node);
	timer_stop(timer);
	bench.agent.work_hastes = true;
	timer->fire(timer->arg);
	assert_int_equal(bench.agent.work_count, 1);
	say(&bench, true, SIP_UDP, "hi");
	end(&bench);
	assert_int_equal(file_size(), HEAD_SIZE + 2 * (RECORD_SIZE + sizeof(udp4)));
	unlink(path);
}

/* Each allocation fails in turn: there is no file then, or a packet less. */
static void test_no_memory(void **state)
{
	struct bench bench;
	struct fault why;
	size_t allowed = 0;
	int err;

	(void)state;
	fake_loop_init(&bench.agent);
	fake_loop_init(&bench.media);
	do {
		bench.capture = NULL;
		allocations_left = allowed++;
		err = capture_open(
			&bench.capture, &bench.agent.loop, &bench.media.loop, path, &why);
		allocations_left = SIZE_MAX;
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_null(bench.capture);
			assert_int_equal(access(path, F_OK), -1);
		}
	} while (err);
	assert_true(allowed > 6);
	bench.ended = 0;
	allocations_left = 0;
	say(&bench, true, SIP_TCP, "hi");
	end(&bench);
	allocations_left = SIZE_MAX;
	assert_non_null(strstr(bench.words, "1 of 1 packets are missing"));
	unlink(path);
}

static int make_folder(void **state)
{
	struct text text = TEXT_IN(path);

	(void)state;
	assert_non_null(mkdtemp(folder));
	text_printf(&text, "%s/a.pcap", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_packets_that_are_none),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_pool),
		cmocka_unit_test(test_close_while_writing),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name(
		"cmd/readers/capture", tests, make_folder, remove_folder);
}
