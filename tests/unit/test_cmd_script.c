/* cmd/script/script: each script with what is wrong with it, in the exact words; which are right.
 */
#include "cmd/script/script.h"

#include "cmd/script/script_check.h"
#include "core/base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TOLD_SIZE = 16384, LONG = 5000 };

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program here, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static const struct options usual = {.vars = {"far=sip:x@y", "n=2"}, .var_count = 2};

static void tell(void *arg, struct slice lines)
{
	text_put(arg, lines);
}

/* What is told about a script; returns what script_check() does. */
static int check(struct text *told, const char *bytes)
{
	struct script *script;
	struct fault why;
	int mistakes;

	if (script_new(&script, "s", slice_of(bytes), &why))
		return -ENOMEM;

	mistakes = script_check(script, &usual, tell, told);
	script_free(script);
	return mistakes;
}

static void test_right(void **state)
{
	static const char *const rows[] = {
		"",
		"\n\n# nothing\n   # at all\n",
		"calls",
		"calls\r\ncalls # twice\r\n",
		"\xef\xbb\xbf"
		"phone alice\r\n",
		"call $far\nhangup",
		"call \"${far}\" &\nexpect ended within 1s",
		"where = sip:bob@192.0.2.1\ncall $where",
		"a = \"\"\nb-2 = '$a'\n_c = \"x $a\"\ncall ${b-2}$a-x",
		"call \\$far\ncall '$nobody'",
		"phone alice\nphone bob answer=1.5 mic=tone:440 speaker=null\n"
		"alice call ${bob.uri}\nbob expect incoming\ncall "
		"sip:x@${bob.address}:${bob.port}\n"
		"alice hangup",
		"phone a listen=udp:127.0.0.1:0 listen=tcp:127.0.0.1:0\na calls",
		"phone call-2\ncall-2 call $far",
		"repeat $n\nrepeat 3\nwait 1ms\nend\nend",
		"repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n"
		"wait 0\nend\nend\nend\nend\nend\nend\nend\nend",
		"net loss 3%",
		"net rx off\nnet cut",
		"phone a\nnet a tx loss 0.0001% delay 40ms jitter 1.5s dup 100% reorder 2% "
		"corrupt 1% rate 64k\nnet a off",
		"expect call.ended code == 486 reason ~ \"^Busy\" duration_s < 1e3 cause != '' "
		"within 2m",
		"expect no incoming within 0",
		"expect answered codec == within within 1s",
		"expect error words == \"\"",
		"expect ended recording == null answered == true",
		"expect rx.tone 440\nexpect no rx.tone 697.5 within 1s",
		"audio-match a.wav > 0.9\naudio-match a.wav < 0.4 of 'b c.wav' within 3s",
		"expect rx.silence for 1h\nexpect rx.silence for 2s within 5s\nexpect rx.silence "
		"within "
		"3s",
		"expect rx.level > -20\nexpect rx.level <= -40.5 within 1s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[TOLD_SIZE];
		struct text told = TEXT_IN(room);
		int mistakes = check(&told, rows[i]);

		if (mistakes != 0 || told.len > 0)
			fail_msg("row %zu: %s\n%d: %s", i, rows[i], mistakes, room);
	}
}

/* A script of one mistake, its line and column there, and the words. */
static const struct wrong {
	const char *script;
	unsigned line;
	size_t column;
	const char *words;
} wrongs[] = {
	{"cal x@y", 1, 0, "no command \"cal\"; did you mean call?"},
	{"\n  bob call $far", 2, 0, "no command \"bob\"; help shows them all"},
	{"call $nobody", 1, 5, "no variable nobody; set it before, or by --var nobody=VALUE"},
	{"call $fat", 1, 5, "no variable fat; did you mean far?"},
	{"call \"a ${fat}\"", 1, 8, "no variable fat; did you mean far?"},
	{"call $", 1, 5, "no name behind the $; a dollar itself is written \\$"},
	{"call $1", 1, 5, "no name behind the $; a dollar itself is written \\$"},
	{"call ${}", 1, 5, "no name behind the $; a dollar itself is written \\$"},
	{"call ${far", 1, 5, "${ without its }"},
	{"call ${far.uri}", 1, 5, "no variable far.uri; set it before, or by --var far.uri=VALUE"},
	{"call \"x", 1, 5, "a quote that is never closed"},
	{"call bob@", 1, 9, "the host is missing"},
	{"call sip:bob@a:99999 &", 1, 15, "a port is a number from 1 to 65535"},
	{"call $far \"x", 1, 10, "a quote that is never closed"},
	{"$far", 1, 0, "no command \"sip:x@y\"; help shows them all"},
	{"wait soon", 1, 5, "\"soon\" is no time; like 5, 1.5s, 200ms and 2m are"},
	{"wait", 1, 4, "wait needs DURATION; help wait"},
	{"wait 1 2", 1, 7, "wait takes no more than that; help wait"},
	{"x=5", 1, 1, "to set a variable takes spaces: NAME = VALUE"},
	{"x =", 1, 3, "a value is missing; \"\" is an empty one"},
	{"x = 1 2", 1, 6, "a value is one word; put quotes around what has spaces"},
	{"5 = 1", 1, 0, "\"5\" is no name of a variable: letters, digits, \"_\" and \"-\" are"},
	{"a.b = 1", 1, 0, "\"a.b\" is no name of a variable: letters, digits, \"_\" and \"-\" are"},
	{"phone a\na = 1", 2, 0, "a is a phone, and so no variable"},
	{"x = 1\nphone x", 2, 6, "x is a variable, and so no phone"},
	{"phone", 1, 5, "a phone needs a name: phone alice mic=tone:440"},
	{"phone a.b", 1, 6,
		"\"a.b\" is no name of a phone: up to 31 letters, digits, \"_\" and \"-\" are"},
	{"phone a2345678901234567890123456789012", 1, 6,
		"\"a2345678901234567890123456789012\" is no name of a phone: up to 31 letters, "
		"digits, \"_\" and \"-\" are"},
	{"phone a\nphone a", 2, 6, "there is a phone a already"},
	{"phone call", 1, 6, "call is a command; choose another name"},
	{"phone a record=/nowhere/a.wav", 1, 6, "/nowhere/a.wav: no such folder"},
	{"phone a record=%q.wav", 1, 6,
		"a recording's name knows no %q; there are %n (call), %t (time), %p (peer) and "
		"%%"},
	{"phone net", 1, 6, "net is a command; choose another name"},
	{"phone a answr", 1, 8, "a phone has no \"answr\"; did you mean answer?"},
	{"phone a json", 1, 8, "a phone has no \"json\"; man sipcall-script has the list"},
	{"phone a mic", 1, 8, "mic needs a value: mic=SOURCE"},
	{"phone a mic=", 1, 8, "mic: SOURCE is empty"},
	{"phone a mic=tone", 1, 6, "source tone needs a frequency: tone:HZ"},
	{"phone a late-offer=1", 1, 8, "late-offer takes no value"},
	{"phone a answer answer=2", 1, 15, "answer is given twice"},
	{"phone a answer=now", 1, 8, "answer: \"now\" is no number of seconds"},
	{"phone a codecs=opuss", 1, 8, "codecs: no codec opuss; did you mean opus?"},
	{"calls\nphone a", 1, 0, "no phone is there yet; phone NAME comes first"},
	{"net loss 1%\nphone a", 1, 0, "no phone is there yet; phone NAME comes first"},
	{"phone a\na", 2, 1, "what is that phone to do?"},
	{"phone a\na & # nothing", 2, 2, "no command"},
	{"repeat\nend", 1, 6, "how often? repeat 3"},
	{"repeat 0\nend", 1, 7, "\"0\" is no number from 1 to 1000000"},
	{"repeat 2 times\nend", 1, 9, "repeat takes a number alone"},
	{"repeat 1000000\nrepeat 1\nrepeat 2\nend\nend\nend\nrepeat 1000000\nend", 3, 0,
		"with the repeats around it that is 2000000 times; 1000000 are the most"},
	{"repeat 1000\nrepeat 1000\nend\nrepeat 1001\nend\nend", 4, 0,
		"with the repeats around it that is 1001000 times; 1000000 are the most"},
	{"repeat 1000000\nrepeat 1000000\nrepeat 1\nend\nend\nend", 2, 0,
		"with the repeats around it that is 1000000000000 times; 1000000 are the most"},
	{"repeat 2", 1, 0, "a repeat without its end"},
	{"end", 1, 0, "there is no repeat that it could be the end of"},
	{"repeat 2\nend now", 2, 4, "end stands alone"},
	{"repeat 2\nphone a\nend", 2, 0, "a phone is there once, and not within a repeat"},
	{"repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n"
	 "repeat 1\nwait 0\nend\nend\nend\nend\nend\nend\nend\nend\nend",
		9, 0, "more than 8 repeats in each other"},
	{"net", 1, 3, "what does the network do? Like delay 40ms, or off"},
	{"net rx", 1, 6, "what does the network do? Like delay 40ms, or off"},
	{"phone a\nnet loss 3%", 2, 4, "no phone loss here; phone NAME makes one"},
	{"phone a\nnet", 2, 3, "which phone's network?"},
	{"net loss", 1, 4, "loss needs a value"},
	{"net loss 3", 1, 9, "\"3\" is no share, like 3% or 0.5%"},
	{"net loss 3%%", 1, 9, "\"3%%\" is no share, like 3% or 0.5%"},
	{"net loss 0.00001%", 1, 9, "\"0.00001%\" is no share, like 3% or 0.5%"},
	{"net loss 100.1%", 1, 9, "\"100.1%\" is more than all of them"},
	{"net loss 1% loss 2%", 1, 12, "loss is given twice"},
	{"net los 1%", 1, 4, "a network has no \"los\"; did you mean loss?"},
	{"net wind 1%", 1, 4,
		"a network has no \"wind\"; loss, delay, jitter, dup, reorder, corrupt, rate, cut "
		"and off are"},
	{"net loss 1% off", 1, 12, "cut and off stand alone, behind rx or tx at most"},
	{"net cut loss 1%", 1, 4, "cut and off stand alone, behind rx or tx at most"},
	{"net loss 101%", 1, 9, "\"101%\" is more than all of them"},

	{"net delay ms", 1, 10, "\"ms\" is no time; like 5, 1.5s, 200ms and 2m are"},
	{"net rate 64", 1, 9, "\"64\" is no rate, like 64k: thousands of bits a second"},
	{"net rate 0k", 1, 9, "\"0k\" is no rate, like 64k: thousands of bits a second"},
	{"expect", 1, 6, "expect needs EVENT; help expect"},
	{"expect no", 1, 9, "which event? Like expect call.answered"},
	{"expect answerd", 1, 7, "no event \"answerd\"; did you mean answered?"},
	{"expect call.meter", 1, 7, "no event \"call.meter\"; did you mean call.muted?"},
	{"expect nothing", 1, 7, "no event \"nothing\"; man sipcall-script has them"},
	{"expect no incoming", 1, 18, "for how long not? Like within 2s"},
	{"expect ended with", 1, 13,
		"call.ended has no field \"with\"; man sipcall-script has its fields"},
	{"expect answered codek == opus", 1, 16,
		"call.answered has no field \"codek\"; did you mean codec?"},
	{"expect answered codec", 1, 21, "what is the field to be? Like code == 486"},
	{"expect answered codec = opus", 1, 22, "\"=\" compares nothing; == != < <= > >= and ~ do"},
	{"expect answered codec ==", 1, 24, "a value is missing; \"\" is an empty one"},
	{"expect ended code < many", 1, 20,
		"\"many\" is no number, which is more or less than others"},
	{"expect ended reason ~ (", 1, 22, "\"(\" is no regular expression: Unmatched ( or \\("},
	{"expect ended reason ~ ((a{9}){9}){9}", 1, 22,
		"\"((a{9}){9}){9}\" repeats by more than two {}"},
	{"expect ended within", 1, 19, "within what time? Like within 3s"},
	{"expect ended within x", 1, 20, "\"x\" is no time; like 5, 1.5s, 200ms and 2m are"},
	{"expect ended within 1s code == 1", 1, 23,
		"\"code\" comes behind within, which ends the line"},
	{"audio-match", 1, 11, "audio-match needs FILE; help audio-match"},
	{"audio-match a.wav", 1, 17, "audio-match needs LIKENESS; help audio-match"},
	{"audio-match a.wav 0.9", 1, 18, "how like? Like > 0.9"},
	{"audio-match a.wav >", 1, 18, "how like? Like > 0.9"},
	{"audio-match a.wav > 90", 1, 20, "a likeness is from 0 to 1"},
	{"audio-match a.wav > 0.9 of", 1, 24, "only of FILE and within TIME may follow"},
	{"audio-match a.wav > 0.9 in b.wav", 1, 24, "only of FILE and within TIME may follow"},
	{"audio-match a.wav > 0.9 within x", 1, 31,
		"\"x\" is no time; like 5, 1.5s, 200ms and 2m are"},
	{"expect rx.tone", 1, 14, "which tone? Like rx.tone 440"},
	{"expect rx.tone high", 1, 15, "\"high\" is no number"},
	{"expect rx.tone 20", 1, 15, "\"20\" is no tone; 50 to 20000 Hz are"},
	{"expect rx.tone 440 hz", 1, 19, "\"hz\" is too much; only within may follow"},
	{"expect no rx.tone 440", 1, 21, "for how long not? Like within 2s"},
	{"expect rx.noise", 1, 7, "no sound \"rx.noise\"; rx.tone, rx.silence and rx.level are"},
	{"expect no rx.silence within 1s", 1, 30, "no silence is a sound: rx.level > -50"},
	{"expect rx.silence for", 1, 21, "for how long? Like for 2s"},
	{"expect rx.silence within 1s", 1, 25,
		"\"1s\" has to be longer than the silence itself: for 1s within 2s"},
	{"expect rx.silence for ever", 1, 22,
		"\"ever\" is no time; like 5, 1.5s, 200ms and 2m are"},
	{"expect rx.level", 1, 15, "what is the field to be? Like code == 486"},
	{"expect rx.level == 5", 1, 16, "\"==\" is no way to compare loudness; < <= > and >= are"},
	{"expect rx.level > loud", 1, 18, "\"loud\" is no number"},
	{"expect rx.level >", 1, 17, "how loud? Like rx.level > -20"},
	{"expect no rx.level > 1 within 1s", 1, 32,
		"rx.level has no \"no\"; turn the comparison around"},
	{"expect ended code == 1 code == 1 code == 1 code == 1 code == 1 code == 1 code == 1 "
	 "code == 1 code == 1",
		1, 83, "\"code\" is a ninth condition; eight are enough"},
};

/* One mistake is told by its line, its words, and a caret under its place. */
static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *row = &wrongs[i];
		char room[TOLD_SIZE], wanted[TOLD_SIZE];
		struct text told = TEXT_IN(room);
		struct text text = TEXT_IN(wanted);
		int mistakes = check(&told, row->script);
		const char *caret;

		text_printf(&text, "s:%u: %s\n", row->line, row->words);
		caret = strrchr(room, '^');
		if (mistakes != 1 || strncmp(room, wanted, strlen(wanted)) != 0)
			fail_msg("row %zu: %s\n%d: %s\nwanted %s", i, row->script, mistakes, room,
				wanted);
		while (caret && caret[-1] == ' ')
			caret--;
		if (!caret || strspn(caret, " ") != 2 + (row->column > 60 ? 63 : row->column))
			fail_msg("row %zu: caret at column %zu, not %zu\n%s", i,
				caret ? strspn(caret, " ") - 2 : 0, row->column, room);
	}
}

static void test_all_are_told(void **state)
{
	char room[TOLD_SIZE];
	struct text told = TEXT_IN(room);

	(void)state;
	assert_int_equal(check(&told, "phone a x\ncal\nphone b\nb call ${a.uri}\nwait soon"), 3);
	assert_string_equal(room, "s:1: a phone has no \"x\"; man sipcall-script has the list\n"
				  "  phone a x\n"
				  "          ^\n"
				  "s:2: no command \"cal\"; did you mean call?\n"
				  "  cal\n"
				  "  ^\n"
				  "s:5: \"soon\" is no time; like 5, 1.5s, 200ms and 2m are\n"
				  "  wait soon\n"
				  "       ^\n");
}

/* What is in a file is shown so that it harms no terminal. */
static void test_hostile(void **state)
{
	char room[TOLD_SIZE];
	struct text told = TEXT_IN(room);

	(void)state;
	assert_int_equal(check(&told, "\x1b[31m\xff"), 1);
	assert_string_equal(room, "s:1: no command \"\\x1b[31m\\xff\"; help shows them all\n"
				  "  \\x1b[31m\\xff\n"
				  "  ^\n");
}

static int check_bytes(struct text *told, const char *bytes, size_t len)
{
	struct script *script;
	struct fault why;
	int mistakes;

	assert_int_equal(
		script_new(&script, "s", (struct slice){(const uint8_t *)bytes, len}, &why), 0);
	mistakes = script_check(script, &usual, tell, told);
	script_free(script);
	return mistakes;
}

static void test_limits(void **state)
{
	static char bytes[SCRIPT_BYTES_MAX + 1];
	char room[TOLD_SIZE];
	struct text told = TEXT_IN(room);
	struct script *script;
	struct fault why;

	(void)state;
	memset(bytes, '#', sizeof(bytes));
	assert_int_equal(
		script_new(&script, "s", (struct slice){(uint8_t *)bytes, sizeof(bytes)}, &why),
		-EFBIG);
	assert_string_equal(why.words, "s: more than a megabyte is no script");
	memset(bytes, '\n', sizeof(bytes));
	assert_int_equal(
		script_new(&script, "s", (struct slice){(uint8_t *)bytes, SCRIPT_LINES_MAX}, &why),
		-EFBIG);
	assert_string_equal(why.words, "s: more than 20000 lines are no script");

	memset(bytes, 'x', LONG);
	assert_int_equal(check_bytes(&told, bytes, LONG), 1);
	assert_string_equal(room, "s:1: longer than 4096 bytes\n");
	told = TEXT_IN(room);
	assert_int_equal(check_bytes(&told, "calls\0 x", 8), 1);
	assert_string_equal(room, "s:1: a byte 0; a script is text\n  calls\n  ^\n");
	told = TEXT_IN(room);
	memcpy(bytes, "x = ", 4);
	bytes[4000] = '\n';
	memcpy(bytes + 4001, "y = $x$x", 8);
	assert_int_equal(check_bytes(&told, bytes, 4009), 1);
	assert_true(strncmp(room,
			    "s:2: with the values of its variables the line is longer than 4096 "
			    "bytes\n",
			    70) == 0);
}

/* Whatever is wanting, it is told by an error, and nothing is left behind. */
static void test_no_memory(void **state)
{
	char room[TOLD_SIZE];
	int mistakes = -ENOMEM;

	(void)state;
	for (size_t allocations = 0; mistakes == -ENOMEM; allocations++) {
		struct text told = TEXT_IN(room);

		allocations_left = allocations;
		mistakes = check(&told, "phone a mic=tone:440\nx = 1\na call $x");
		allocations_left = SIZE_MAX;
		assert_true(mistakes == -ENOMEM || mistakes == 0 || told.len > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_all_are_told),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
