/* cmd/check: what is told, and with which exit code, before anything starts. */
#include "cmd/check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct {
	const char *target;
	size_t at;
	const char *shown;
} carets[] = {
	{"bob@exam ple.org", 8, "  bob@exam ple.org\n          ^\n"}, {"bob", 3, "  bob\n     ^\n"},
	{"b\xc3\xb6"
	 "b@x y",
		6,
		"  b\xc3\xb6"
		"b@x y\n       ^\n"},                             /* bytes are no columns */
	{"\xe5\xbc\xa0@x y", 5, "  \xe5\xbc\xa0@x y\n      ^\n"}, /* wide ones are two */
	{"\x1b@x y", 3, "  \\x1b@x y\n        ^\n"},              /* escaped ones four */
};

static void test_carets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(carets) / sizeof(carets[0]); i++) {
		char room[CHECK_SIZE];
		struct text out = TEXT_IN(room);

		check_put_caret(&out, slice_of(carets[i].target), carets[i].at);
		assert_string_equal(room, carets[i].shown);
	}
}

/* However long it is, the place is seen. */
static void test_long_target(void **state)
{
	static char target[100000];
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);

	(void)state;
	memset(target, '\x1b', sizeof(target) - 1);
	check_put_caret(&out, slice_of(target), 50000);
	assert_false(out.cut);
	assert_int_equal(out.len, 2 + 3 + 2 * 60 * 4 + 3 + 1 + 2 + 3 + 60 * 4 + 2);
}

/* Checks what is given, which ends with code and with the lines of expected. */
static void expect(struct options options, int code, const char *expected)
{
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);

	assert_int_equal(check_options(&out, &options), code);
	assert_string_equal(room, expected);
}

#define EXPECT(code, expected, ...) expect((struct options){__VA_ARGS__}, code, expected)

static void test_options(void **state)
{
	char directory[] = "/tmp/test_cmd_check.XXXXXX";
	char path[64], same[64], words[256];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/there.wav", directory);
	snprintf(same, sizeof(same), "%s/there%%%%.wav", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);

	EXPECT(0, "", .target = "sip:bob@127.0.0.1", .mic = "tone:440", .speaker = "null");
	EXPECT(0, "", .answer = true, .mic = "loop");
	EXPECT(2,
		"sipcall: a host cannot hold a space\n"
		"  bob@exam ple.org\n"
		"          ^\n",
		.target = "bob@exam ple.org");
	EXPECT(2, "sipcall: --mic: no source tune; did you mean tone:?\n", .mic = "tune:440");
	EXPECT(9, "sipcall: --mic: /nowhere/a.wav: no such file\n", .mic = "file:/nowhere/a.wav");
	EXPECT(2, "sipcall: the address is empty\n", .target = "");
	EXPECT(9, "sipcall: --mic: /dev/null: not a regular file\n", .mic = "file:/dev/null");
	EXPECT(2, "sipcall: --speaker: no sink nul; did you mean null?\n", .speaker = "nul");

	snprintf(words, sizeof(words),
		"sipcall: --record: %s is there already and is not overwritten\n", path);
	EXPECT(9, words, .record = path);
	snprintf(path, sizeof(path), "%s/%%n.wav", directory);
	EXPECT(0, "", .record = path);
	EXPECT(0, "", .record = same); /* another name, once it is read */

	snprintf(path, sizeof(path), "%s/there%%.wav", directory);
	EXPECT(2,
		"sipcall: --record: a recording's name knows no %.; there are %n (call), %t "
		"(time), %p (peer) and %%\n",
		.record = path);

	/* A pattern that gives the name of a file today gives another one tomorrow. */
	snprintf(path, sizeof(path), "%s/1.wav", directory);
	assert_int_equal(link(strcat(strcpy(words, directory), "/there.wav"), path), 0);
	snprintf(same, sizeof(same), "%s/%%n.wav", directory);
	EXPECT(0, "", .record = same);

	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/there.wav", directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* What would be read and written, or written twice. */
static void test_same_file(void **state)
{
	char directory[] = "/tmp/test_cmd_check.XXXXXX";
	char speaker[96], record[96], other[64], words[256], data[4096];
	FILE *from, *to;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(speaker, sizeof(speaker), "file:%s/a.wav", directory);
	snprintf(record, sizeof(record), "%s/../%s/a.wav", directory, directory + 5);
	snprintf(other, sizeof(other), "%s/b.wav", directory);
	snprintf(words, sizeof(words),
		"sipcall: --record: %s is the file of --speaker too; choose another name\n",
		record);
	EXPECT(2, words, .target = "x@y", .speaker = speaker, .record = record);
	EXPECT(0, "", .target = "x@y", .speaker = speaker, .record = other);

	from = fopen("tests/data/speech.wav", "r");
	to = fopen(speaker + 5, "w");
	assert_true(from && to);
	assert_int_equal(fread(data, 1, sizeof(data), from), sizeof(data));
	assert_int_equal(fwrite(data, 1, sizeof(data), to), sizeof(data));
	fclose(from);
	fclose(to);
	assert_int_equal(link(speaker + 5, other), 0);
	snprintf(record, sizeof(record), "file:%s", other);
	snprintf(words, sizeof(words),
		"sipcall: --speaker: %s is the file of --mic too; choose another name\n", other);
	EXPECT(2, words, .target = "x@y", .mic = speaker, .speaker = record);
	assert_int_equal(unlink(other), 0);
	EXPECT(0, "", .target = "x@y", .mic = speaker, .speaker = record);
	assert_int_equal(unlink(speaker + 5), 0);
	assert_int_equal(rmdir(directory), 0);
}

static const char record_many[] =
	"sipcall: --record: each call needs a file of its own; use %n in its name, or -n 1\n";
static const char speaker_many[] =
	"sipcall: --speaker: several calls at once do not go into one file; add -n 1 or "
	"--max-calls 1\n";

static void test_many_calls(void **state)
{
	(void)state;
	EXPECT(2, record_many, .answer = true, .record = "/tmp/fixed.wav");
	EXPECT(2, record_many, .answer = true, .calls = 2, .record = "/tmp/%p.wav");
	EXPECT(2, record_many, .answer = true, .max_calls = 1, .record = "/tmp/fixed.wav");
	EXPECT(0, "", .answer = true, .calls = 1, .record = "/tmp/sipcall-no-such-file.wav");
	EXPECT(0, "", .answer = true, .record = "/tmp/%n.wav");
	EXPECT(0, "", .answer = true, .record = "/tmp/%t.wav");
	EXPECT(2, speaker_many, .answer = true, .speaker = "file:/tmp/all.wav");
	EXPECT(2, speaker_many, .answer = true, .calls = 2, .speaker = "file:/tmp/all.wav");
	EXPECT(0, "", .answer = true, .calls = 1, .speaker = "file:/tmp/all.wav");
	EXPECT(0, "", .answer = true, .max_calls = 1, .speaker = "file:/tmp/all.wav");
	EXPECT(0, "", .answer = true, .answer_code = 486, .speaker = "file:/tmp/all.wav");
}

/* Sound in pipes, and options that ask for it in vain. */
static void test_pipes(void **state)
{
	static const char rate[] =
		"sipcall: --pipe-rate goes with stdin, stdout or exec:CMD only\n";
	static const char eof[] =
		"sipcall: --hangup-at-eof goes with a --mic that ends: file:PATH, "
		"stdin or exec:CMD\n";
	int nothing = open("/dev/null", O_RDWR);
	int kept[] = {dup(STDIN_FILENO), dup(STDOUT_FILENO)};

	(void)state;
	dup2(nothing, STDIN_FILENO); /* whoever runs this may do so at a terminal */
	dup2(nothing, STDOUT_FILENO);
	EXPECT(2, rate, .pipe_rate = 8000);
	EXPECT(2, rate, .pipe_rate = 8000, .mic = "tone:440", .speaker = "null");
	EXPECT(0, "", .pipe_rate = 8000, .mic = "exec:x");
	EXPECT(0, "", .pipe_rate = 8000, .speaker = "exec:x");
	EXPECT(2, eof, .hangup_at_eof = true);
	EXPECT(2, eof, .hangup_at_eof = true, .mic = "silence");
	EXPECT(2, eof, .hangup_at_eof = true, .mic = "loop");
	EXPECT(0, "", .hangup_at_eof = true, .mic = "exec:x");
	EXPECT(0, "", .hangup_at_eof = true, .mic = "file:tests/data/speech.wav");
	EXPECT(2,
		"sipcall: --mic: several calls at once cannot share one standard input; add -n 1 "
		"or --max-calls 1\n",
		.answer = true, .mic = "stdin");
	EXPECT(0, "", .answer = true, .calls = 1, .mic = "stdin");
	EXPECT(0, "", .answer = true, .max_calls = 1, .mic = "stdin");
	EXPECT(2,
		"sipcall: --speaker: several calls at once do not go into one standard output; add "
		"-n 1 or --max-calls 1\n",
		.answer = true, .speaker = "stdout");
	EXPECT(0, "", .answer = true, .calls = 1, .speaker = "stdout");
	EXPECT(0, "", .answer = true, .mic = "exec:x", .speaker = "exec:x"); /* one a call */
	dup2(kept[0], STDIN_FILENO);
	dup2(kept[1], STDOUT_FILENO);
	close(kept[0]);
	close(kept[1]);
	close(nothing);
}

static void test_endings(void **state)
{
	static const char mp3[] = "x.mp3: its name has to end in .wav, .flac, .ogg or .opus\n";
	char words[sizeof(mp3) + 40];

	(void)state;
	snprintf(words, sizeof(words), "sipcall: --record: %s", mp3);
	EXPECT(2, words, .record = "x.mp3");
	snprintf(words, sizeof(words), "sipcall: --speaker: %s", mp3);
	EXPECT(2, words, .speaker = "file:x.mp3");
	/* the far end does not choose the format */
	EXPECT(2, "sipcall: --record: x.a: its name has to end in .wav, .flac, .ogg or .opus\n",
		.record = "x.%p");
}

static void test_record_nowhere(void **state)
{
	char room[CHECK_SIZE];
	struct text out = TEXT_IN(room);
	struct options options = {.answer = true, .record = "/nowhere/%n.wav"};

	(void)state;
	assert_int_equal(check_options(&out, &options), 9);
	assert_memory_equal(room, "sipcall: --record: /nowhere/1.wav", 33);
}

static void test_tones(void **state)
{
	static const char no_person[] = "sipcall: --busy-tone: there are no tones where --speaker "
					"is no sound device\n";
	static const char speech[] = "tests/data/speech.wav";

	(void)state;
	EXPECT(0, "", .target = "x@y", .tones[RINGER_BUSY] = speech);
	EXPECT(0, "", .target = "x@y", .tones[RINGER_BUSY] = RINGER_NONE);
	EXPECT(0, "", .target = "x@y", .speaker = "default", .tones[RINGER_BUSY] = speech);
	EXPECT(2, no_person, .target = "x@y", .speaker = "null", .tones[RINGER_BUSY] = speech);
	EXPECT(2, no_person, .target = "x@y", .speaker = "file:/tmp/all.wav",
		.tones[RINGER_BUSY] = RINGER_NONE);
	EXPECT(9, "sipcall: --ringback-tone: /nowhere/a.wav: no such file\n", .target = "x@y",
		.tones[RINGER_RINGBACK] = "/nowhere/a.wav");
	EXPECT(9, "sipcall: --failure-tone: none.wav: no such file\n", .target = "x@y",
		.tones[RINGER_FAILURE] = "none.wav");
	EXPECT(9, "sipcall: --waiting-tone: /dev/null: not a regular file\n", .answer = true,
		.tones[RINGER_WAITING] = "/dev/null");

	EXPECT(0, "", .answer = true, .speaker = "null", .ring_device = "default",
		.tones[RINGER_RING] = speech);
	EXPECT(2, "sipcall: --ring-tone: there are no tones where --speaker is no sound device\n",
		.answer = true, .speaker = "null", .tones[RINGER_RING] = speech);
	EXPECT(2,
		"sipcall: --waiting-tone: there are no tones where --speaker is no sound device\n",
		.answer = true, .speaker = "null", .ring_device = "default",
		.tones[RINGER_WAITING] = speech);
	EXPECT(2, "sipcall: --ring-device: calls ring at default or device:NAME only\n",
		.answer = true, .ring_device = "null");
	EXPECT(2, "sipcall: --ring-device: no sink nul; did you mean null?\n", .answer = true,
		.ring_device = "nul");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carets),
		cmocka_unit_test(test_long_target),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_same_file),
		cmocka_unit_test(test_many_calls),
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_record_nowhere),
		cmocka_unit_test(test_tones),
	};

	return cmocka_run_group_tests_name("cmd/check", tests, NULL, NULL);
}
