/*
 * tests/sim/checks: each invariant on a small history that is written by hand, and on the same
 * history with a line or two changed so that just that invariant is broken.
 */
#include "tests/unit/sim_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LINE_SIZE = 160, ROOM_SIZE = 8192, EDITS_MAX = 8 };

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int calloc_fails_in = -1; /* calls from now; negative: never */

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (calloc_fails_in >= 0 && calloc_fails_in-- == 0)
		return NULL;
	return __real_calloc(count, size);
}

/* ---- histories */

/* b answers, a hangs up. */
#define BEGIN                                                                                      \
	"0 a! outgoing\n0 a> INVITE\n20 b< INVITE\n20 b! incoming\n20 b> 180\n40 a< 180\n"         \
	"40 a! ringing\n"
#define ANSWER                                                                                     \
	"100 b> 200\n100 b! answered\n100 b! media\n120 a< 200\n120 a! answered\n120 a! media\n"   \
	"120 a> ACK\n140 b< ACK\n"
#define END                                                                                        \
	"1000 a@\n1000 a> BYE\n1020 b< BYE\n1020 b> 200B\n1020 b! stats\n1020 b! ended remote\n"   \
	"1040 a< 200B\n1040 a! stats\n1040 a! ended local\n"

static const char talk[] = BEGIN ANSWER END;

static const char refusal[] = BEGIN "100 b> 486\n100 b! ended rejected code=486\n120 a< 486\n"
				    "120 a> ACKN\n120 a! ended rejected code=486\n140 b< ACKN\n";

static const char giving_up[] =
	BEGIN "100 a@\n100 a> CANCEL\n120 b< CANCEL\n120 b> 200C\n120 b> 487\n"
	      "120 b! ended remote code=487\n140 a< 200C\n140 a< 487\n140 a> ACKN\n"
	      "140 a! ended local code=487\n160 b< ACKN\n";

static const char crossing[] = BEGIN ANSWER
	"1000 a@\n1000 a> BYE\n1005 b@\n1005 b> BYEB\n1020 b< BYE\n1020 b> 200B\n1020 b! stats\n"
	"1020 b! ended local\n1025 a< BYEB\n1025 a> 200BB\n1025 a! stats\n1025 a! ended local\n"
	"1040 a< 200B\n1045 b< 200BB\n";

/* Nobody is there for a while; then a user who does not answer. */
static const char silence[] = "0 a! outgoing\n0 a> INVITE\n500 a> INVITE\n1500 a> INVITE\n"
			      "3500 a> INVITE\n3520 b< INVITE\n3520 b! incoming\n3520 b> 486\n"
			      "3520 b! ended rejected code=486\n4020 b> 486\n5020 b> 486\n"
			      "5040 a< 486\n5040 a> ACKN\n5040 a! ended rejected code=486\n"
			      "5060 b< ACKN\n";

/* No ACK comes: the 200 goes on and on, then BYE. */
static const char no_ack[] = BEGIN
	"100 b> 200\n100 b! answered\n100 b! media\n120 a< 200\n120 a! answered\n120 a! media\n"
	"120 a> ACK\n130 a- ACK\n600 b> 200\n1600 b> 200\n3600 b> 200\n7600 b> 200\n11600 b> 200\n"
	"15600 b> 200\n19600 b> 200\n23600 b> 200\n27600 b> 200\n31600 b> 200\n"
	"32100 b> BYEB\n32100 b! stats\n32100 b! ended media code=408\n"
	"32120 a< BYEB\n32120 a> 200BB\n32120 a! stats\n32120 a! ended remote\n32140 b< 200BB\n";

/* Three packets from a, one of which gets lost; two from b. */
static const char sound[] = BEGIN ANSWER
	"150 a> rtp seq=1 ts=0\n160 b> rtp seq=7 ts=0 ssrc=9\n170 a> rtp seq=2 ts=160\n"
	"170 b< rtp seq=1 ts=0\n180 b> rtp seq=8 ts=160 ssrc=9\n180 a< rtp seq=7 ts=0 ssrc=9\n"
	"190 a> rtp seq=3 ts=320\n200 a< rtp seq=8 ts=160 ssrc=9\n210 b< rtp seq=3 ts=320\n"
	"300 a> rtcp\n"
	"1000 a@\n1000 a> BYE\n1020 b< BYE\n1020 b> 200B\n"
	"1020 b! stats sent=2 received=2 lost=1 mos=4\n"
	"1020 b! ended remote sent=2 received=2 lost=1\n1040 a< 200B\n"
	"1040 a! stats sent=3 received=2 mos=4\n1040 a! ended local sent=3 received=2\n";

/* a is dead: nothing is asked of it, and b does what it can. */
static const char crash[] = BEGIN ANSWER
	"990 a#\n2000 b@\n2000 b> BYEB\n2500 b> BYEB\n3500 b> BYEB\n5500 b> BYEB\n6000 b! stats\n"
	"6000 b! ended local\n9500 b> BYEB\n13500 b> BYEB\n17500 b> BYEB\n21500 b> BYEB\n"
	"25500 b> BYEB\n29500 b> BYEB\n33500 b> BYEB\n";

/* b is asked to be quiet, and to go on. */
#define HOLD                                                                                       \
	"200 a% hold=1\n200 a> INVITER dir=sendonly version=2\n"                                   \
	"220 b< INVITER dir=sendonly version=2\n220 b! held remote=1\n"                            \
	"220 b> 200R dir=recvonly version=2\n240 a< 200R dir=recvonly version=2\n240 a! held\n"    \
	"240 a> ACKR\n260 b< ACKR\n"
#define RESUME                                                                                     \
	"500 a% hold=0\n500 a> INVITER branch=z9hG4bKr3 cseq=3 version=3\n"                        \
	"520 b< INVITER branch=z9hG4bKr3 cseq=3 version=3\n520 b! resumed remote=1\n"              \
	"520 b> 200R branch=z9hG4bKr3 cseq=3 version=3\n"                                          \
	"540 a< 200R branch=z9hG4bKr3 cseq=3 version=3\n540 a! resumed\n"                          \
	"540 a> ACKR branch=z9hG4bKq3 cseq=3\n560 b< ACKR branch=z9hG4bKq3 cseq=3\n"
#define END_AFTER(cseq)                                                                            \
	"1000 a@\n1000 a> BYE cseq=" cseq "\n1020 b< BYE cseq=" cseq "\n1020 b> 200B cseq=" cseq   \
	"\n1020 b! stats\n1020 b! ended remote\n1040 a< 200B cseq=" cseq                           \
	"\n1040 a! stats\n1040 a! ended local\n"

static const char hold[] = BEGIN ANSWER HOLD RESUME END_AFTER("4");
static const char held[] = BEGIN ANSWER HOLD END_AFTER("3");

/* Both hold at once; b, who does not own the Call-ID, is the first to try again. */
static const char glare[] = BEGIN ANSWER
	"200 a> INVITER dir=sendonly version=2\n200 b> INVITEB dir=sendonly version=2\n"
	"220 b< INVITER dir=sendonly version=2\n220 b> 491R\n"
	"220 a< INVITEB dir=sendonly version=2\n220 a> 491S\n"
	"240 a< 491R\n240 a> ACKRN\n240 b< 491S\n240 b> ACKSN\n260 b< ACKRN\n260 a< ACKSN\n"
	"1240 b> INVITEB branch=z9hG4bKs2 cseq=2 dir=sendonly version=2\n"
	"1260 a< INVITEB branch=z9hG4bKs2 cseq=2 dir=sendonly version=2\n1260 a! held remote=1\n"
	"1260 a> 200S branch=z9hG4bKs2 cseq=2 dir=recvonly version=3\n"
	"1280 b< 200S branch=z9hG4bKs2 cseq=2 dir=recvonly version=3\n1280 b! held\n"
	"1280 b> ACKS cseq=2\n1300 a< ACKS cseq=2\n"
	"3000 a> INVITER branch=z9hG4bKr3 cseq=3 dir=inactive version=4\n"
	"3020 b< INVITER branch=z9hG4bKr3 cseq=3 dir=inactive version=4\n3020 b! held remote=1\n"
	"3020 b> 200R branch=z9hG4bKr3 cseq=3 dir=inactive version=3\n"
	"3040 a< 200R branch=z9hG4bKr3 cseq=3 dir=inactive version=3\n3040 a! held\n"
	"3040 a> ACKR cseq=3\n3060 b< ACKR cseq=3\n"
	"4000 a@\n4000 a> BYE cseq=4\n4020 b< BYE cseq=4\n4020 b> 200B cseq=4\n4020 b! stats\n"
	"4020 b! ended remote\n4040 a< 200B cseq=4\n4040 a! stats\n4040 a! ended local\n";

/* ---- playing a history with some of its lines changed */

struct bench {
	struct history history;
	struct checks *checks;
	struct world_left left;
};

struct edit {
	const char *line;    /* the beginning of one */
	const char *instead; /* lines; "": none */
};

static const struct addr hosts[] = {
	{.family = ADDR_IPV4, .ip = {10, 0, 0, 1}},
	{.family = ADDR_IPV4, .ip = {10, 0, 0, 2}},
};

static void open_bench(struct bench *bench, bool perfect, bool tcp)
{
	const struct checks_config config = {
		.agents = 2,
		.addrs = hosts,
		.timer_late_ns = 1000000,
		.post_late_ns = 1000000,
		.way_ns = 100000000,
		.bound_ns = UINT64_C(60) * 1000000000,
		.perfect = perfect,
	};

	*bench = (struct bench){0};
	assert_int_equal(checks_new(&bench->checks, &config), 0);
	bench->history.checks = bench->checks;
	bench->history.tcp = tcp;
}

static void apply(char *out, const char *history, const struct edit *edits)
{
	unsigned used = 0;

	*out = '\0';
	while (*history) {
		size_t len = (size_t)(strchr(history, '\n') - history) + 1;
		const char *instead = NULL;

		for (int i = 0; i < EDITS_MAX && edits[i].line; i++)
			if (strncmp(history, edits[i].line, strlen(edits[i].line)) == 0 &&
				!(used & 1u << i)) {
				instead = edits[i].instead;
				used |= 1u << i;
				break;
			}
		if (instead)
			strcat(out, instead);
		else
			strncat(out, history, len);
		history += len;
	}
	for (int i = 0; i < EDITS_MAX && edits[i].line; i++)
		if (!(used & 1u << i))
			fail_msg("there is no line %s", edits[i].line);
}

static void play(
	struct bench *bench, const char *history, const struct edit *edits, bool perfect, bool tcp)
{
	static const struct edit none[EDITS_MAX];
	static char room[ROOM_SIZE];

	open_bench(bench, perfect, tcp);
	apply(room, history, edits ? edits : none);
	history_play(&bench->history, room);
	checks_quiet(bench->checks, &bench->left, 0,
		bench->history.last_ns + UINT64_C(100) * 1000000000);
}

static void expect_well(const struct bench *bench, const char *what)
{
	const struct checks_failure *failure = checks_failure(bench->checks);

	if (failure)
		fail_msg("%s: %s: %s, at %llu ms", what, failure->name, failure->words,
			(unsigned long long)failure->at_ns / 1000000);
}

static void test_good_histories(void **state)
{
	const char *const histories[] = {talk, refusal, giving_up, crossing, silence, no_ack, sound,
		crash, hold, held, glare};

	(void)state;
	for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
		struct bench bench;

		play(&bench, histories[i], NULL, false, false);
		expect_well(&bench, histories[i]);
		checks_free(bench.checks);
	}
}

/* What is different, and well all the same. */
static const struct {
	const char *history;
	struct edit edits[EDITS_MAX];
} harmless[] = {
	/* timers may be a little late */
	{silence, {{"500 a> INVITE", "501 a> INVITE\n"}, {"1500 a>", "1502 a> INVITE\n"},
			  {"3500 a>", "3503 a> INVITE\n"}}},
	/* copies bring the last response again; each 2xx that comes brings an ACK */
	{talk, {{"40 a< 180", "30 b< INVITE\n30 b> 180\n40 a< 180\n"}}},
	{talk, {{"140 b< ACK", "130 a< 200\n130 a> ACK\n140 b< ACK\n145 b< ACK\n"}}},
	{refusal, {{"140 b< ACKN", "130 a< 486\n130 a> ACKN\n140 b< ACKN\n"}}},
	{talk, {{"1040 a< 200B", "1030 b< BYE\n1030 b> 200B\n1040 a< 200B\n"}}},
};

/* The same, but for what is repeated. */
static void test_good_histories_by_tcp(void **state)
{
	const char *const histories[] = {
		talk, refusal, giving_up, crossing, no_ack, sound, hold, held, glare};

	(void)state;
	for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
		struct bench bench;

		play(&bench, histories[i], NULL, false, true);
		if (histories[i] != no_ack) /* whose BYE is repeated as by UDP */
			expect_well(&bench, histories[i]);
		checks_free(bench.checks);
	}
}

static void test_harmless_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		struct edit edits[EDITS_MAX];
		struct bench bench;
		char name[32];

		snprintf(name, sizeof(name), "harmless %zu", i);
		memcpy(edits, harmless[i].edits, sizeof(edits));
		play(&bench, harmless[i].history, edits, false, false);
		expect_well(&bench, name);
		checks_free(bench.checks);
	}
}

struct breach {
	const char *name; /* of the invariant */
	const char *history;
	struct edit edits[EDITS_MAX];
};

static const struct breach broken[] = {
	{"Via names the transport", talk, {{"1000 a> BYE", "1000 a> BYE via=TCP\n"}}},
	{"a long request goes by TCP", talk, {{"1000 a> BYE", "1000 a> BYE long=1301\n"}}},
	{"there is one INVITE at a time", hold,
		{{"240 a< 200R", "230 a> INVITER branch=z9hG4bKx "
				 "cseq=3 dir=sendonly version=2\n"}}},
	{"there is one INVITE at a time", hold,
		{{"240 a< 200R", "230 b> INVITEB version=2 "
				 "dir=recvonly\n"}}},
	{"there is one INVITE at a time", talk, {{"120 a> ACK", "120 a> INVITER\n"}}},
	{"there is one INVITE at a time", talk,
		{{"1040 a! ended", "1030 a> INVITER cseq=3\n1040 a! ended local\n"}}},
	{"re-INVITEs that cross are refused", hold,
		{{"220 b> 200R", "220 b> 491R\n"}, {"220 b! held", ""}}},
	{"re-INVITEs that cross are refused", glare,
		{{"220 b> 491R", "220 b> 200R dir=recvonly version=3\n"}}},
	{"who was refused by 491", glare,
		{{"3000 a> INVITER", "2339 a> INVITER "
				     "branch=z9hG4bKr3 cseq=3 dir=inactive version=4\n"}}},
	{"who was refused by 491", glare,
		{{"1240 b> INVITEB", "2250 b> INVITEB "
				     "branch=z9hG4bKs2 cseq=2 dir=sendonly version=2\n"},
			{"1260 a<", ""}}},
	{"the version of a description", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly\n"}}},
	{"the version of a description", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly version=3\n"}}},
	{"the version of a description", hold, {{"200 a> INVITER", "200 a> INVITER version=2\n"}}},
	{"the version of a description", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly version=2 session=2\n"}}},
	{"a description keeps its m-lines", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly version=2 lines=2\n"}}},
	{"it is told who is on hold", hold, {{"240 a! held", ""}}},
	{"it is told who is on hold", hold, {{"220 b! held", ""}}},
	{"it is told who is on hold", hold, {{"220 b! held", "220 b! held\n"}}},
	{"it is told who is on hold", hold, {{"540 a! resumed", ""}}},
	{"it is told who is on hold", talk, {{"1000 a@", "900 a! held\n1000 a@\n"}}},
	{"events come in a legal order", hold, {{"240 a! held", "240 a! held\n240 a! held\n"}}},
	{"events come in a legal order", talk, {{"1000 a@", "900 a! resumed\n1000 a@\n"}}},
	{"who wants to hold, or no more", talk, {{"1000 a@", "900 a% hold=1\n1000 a@\n"}}},
	{"who wants to hold, or no more", held, {{"1000 a@", "900 a% hold=0\n1000 a@\n"}}},
	{"who is on hold is quiet", held,
		{{"1000 a@", "210 b> rtp seq=7 ts=0 ssrc=9\n410 b> rtp seq=8 ts=160 ssrc=9\n"}}},
	{"every 2xx has its ACK", hold, {{"240 a> ACKR", ""}}},
	{"every other final response has its ACK", glare, {{"240 a> ACKRN", ""}}},
	{"what has no answer is sent again", hold, {{"260 b< ACKR", ""}}},
	{"what has its answer is not sent again", hold,
		{{"500 a% hold=0", "720 b> 200R dir=recvonly "
				   "version=2\n"}}},
	{"CSeq grows", hold, {{"240 a> ACKR", "240 a> ACKR cseq=1\n"}}},
	{"CSeq grows", held, {{"1000 a> BYE", "1000 a> BYE cseq=4\n"}}},
	{"CSeq grows", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly version=2 cseq=1\n"}}},
	{"the tags of a dialog", hold,
		{{"200 a> INVITER", "200 a> INVITER dir=sendonly version=2 to=zz\n"}}},
	{"events come in a legal order", talk, {{"20 b! incoming", ""}}},
	{"events come in a legal order", talk, {{"40 a! ringing", "40 a! media\n"}}},
	{"events come in a legal order", talk, {{"120 a! media", ""}}},
	{"events come in a legal order", talk, {{"1040 a! stats", ""}}},
	{"events come in a legal order", talk,
		{{"1040 a! ended", "1040 a! ended local\n1040 a! ended local\n"}}},
	{"events come in a legal order", talk,
		{{"120 a! media", "120 a! media\n120 a! answered\n"}}},
	{"events tell what can be", talk, {{"1040 a! ended", "1040 a! ended local duration=3\n"}}},
	{"events tell what can be", talk, {{"1040 a! stats", "1040 a! stats duration=3\n"}}},
	{"events tell what can be", talk, {{"40 a! ringing", "40 a! ringing code=183\n"}}},
	{"events tell what can be", talk, {{"40 a! ringing", "40 a! ringing peer=1\n"}}},
	{"events tell what can be", talk, {{"20 b! incoming", "20 b! incoming wall=5e9\n"}}},
	{"events tell what can be", talk, {{"1000 a@", "900 a! stats final=0\n1000 a@\n"}}},
	{"statistics only grow", sound,
		{{"1000 a@", "900 a! meter sent=4 received=2 mos=4\n1000 a@\n"}}},
	{"statistics only grow", sound,
		{{"1040 a! stats", "1040 a! stats sent=3 received=2 mos=5\n"}}},
	{"statistics only grow", sound,
		{{"1040 a! stats", "1040 a! stats sent=3 received=2 mos=4 jitter=-1\n"}}},
	{"statistics count what was on the wire", sound,
		{{"1040 a! stats", "1040 a! stats sent=4 received=2 mos=4\n"},
			{"1040 a! ended", "1040 a! ended local sent=4 received=2\n"}}},
	{"statistics count what was on the wire", sound,
		{{"1020 b! stats", "1020 b! stats sent=2 received=3 lost=1 mos=4\n"},
			{"1020 b! ended", "1020 b! ended remote sent=2 received=3 lost=1\n"}}},
	{"statistics count what was on the wire", sound,
		{{"1020 b! stats", "1020 b! stats sent=2 received=2 lost=0 mos=4\n"},
			{"1020 b! ended", "1020 b! ended remote sent=2 received=2 lost=0\n"}}},
	{"a perfect network loses nothing", sound, {{0}}},
	{"every call ends", talk, {{"1040 a! ended", ""}}},
	{"every call ends", refusal, {{"100 b! ended", ""}}},
	{"every call ends in time", talk,
		{{"1040 a! stats", ""},
			{"1040 a! ended", "62000 a! stats\n62000 a! ended local\n"}}},
	{"every call ends in time", talk,
		{{"1020 b! stats", ""}, {"1020 b! ended", ""},
			{"1040 a! ended",
				"1040 a! ended local\n3000 b! stats\n3000 b! ended remote\n"}}},
	{"both sides agree whether", talk,
		{{"100 b! answered", ""}, {"100 b! media", ""}, {"1020 b! stats", ""},
			{"1020 b! ended", "1020 b! ended remote code=487\n"}}},
	{"both sides agree who", crossing,
		{{"1005 b@", ""}, {"1020 b! ended", "1020 b! ended remote\n"}, {"1000 a@", ""},
			{"1025 a! ended", "1025 a! ended remote\n"}}},
	{"the cause of an end", talk, {{"1040 a! ended", "1040 a! ended remote\n"}}},
	{"the cause of an end", talk, {{"1020 b! ended", "1020 b! ended local\n"}}},
	{"the cause of an end", refusal, {{"120 a! ended", "120 a! ended rejected code=603\n"}}},
	{"the cause of an end", refusal, {{"120 a! ended", "120 a! ended unreachable code=503\n"}}},
	{"the cause of an end", refusal, {{"120 a! ended", "120 a! ended error code=0\n"}}},
	{"the cause of an end", giving_up, {{"100 a@", ""}}},
	{"the cause of an end", talk, {{"40 a< 180", ""}}},
	{"an answer answers the call", talk, {{"120 a! answered", ""}, {"120 a! media", ""}}},
	{"an answer answers the call", talk,
		{{"100 b> 200", ""}, {"100 b! media", "100 b! media\n101 b> 200\n"}}},
	{"an INVITE that is repeated rings once", talk,
		{{"40 a< 180", "30 b< INVITE\n30 b> 180\n30 b! incoming number=2\n40 a< 180\n"}}},
	{"every INVITE has a final response", giving_up,
		{{"120 b> 487", ""}, {"140 a< 487", ""}, {"140 a> ACKN", ""}, {"160 b< ACKN", ""}}},
	{"an INVITE hears something within", talk,
		{{"20 b> 180", ""}, {"40 a< 180", ""}, {"40 a! ringing", ""},
			{"100 b> 200", "400 b> 200\n"}}},
	{"every request is answered at once", talk, {{"1020 b> 200B", ""}}},
	{"every request is answered at once", talk, {{"40 a< 180", "30 b< INVITE\n40 a< 180\n"}}},
	{"every request is answered at once", giving_up, {{"120 b> 200C", ""}}},
	{"every 2xx has its ACK", talk, {{"120 a> ACK", ""}}},
	{"every 2xx has its ACK", talk, {{"140 b< ACK", "130 a< 200\n140 b< ACK\n"}}},
	{"every other final response has its ACK", refusal, {{"120 a> ACKN", ""}}},
	{"every other final response has its ACK", refusal,
		{{"140 b< ACKN", "130 a< 486\n140 b< ACKN\n"}}},
	{"an ACK is for a final response", talk, {{"140 b< ACK", "130 a> ACK\n140 b< ACK\n"}}},
	{"an ACK is for a final response", refusal,
		{{"140 b< ACKN", "130 a> ACKN\n140 b< ACKN\n"}}},
	{"an ACK is for a final response", talk, {{"120 a> ACK", "120 a> ACKN\n"}}},
	{"who hangs up says BYE", talk,
		{{"1000 a> BYE", ""}, {"1020 b< BYE", ""}, {"1020 b> 200B", ""},
			{"1020 b! stats", ""}, {"1020 b! ended", ""}, {"1040 a< 200B", ""}}},
	{"BYE waits for the dialog", talk, {{"120 a< 200", "110 b> BYEB\n120 a< 200\n"}}},
	{"BYE waits for the dialog", talk, {{"40 a! ringing", "40 a! ringing\n50 a> BYE\n"}}},
	{"BYE waits for the dialog", talk, {{"120 a> ACK", "120 a> BYE\n"}}},
	{"an answer without ACK ends in BYE", no_ack,
		{{"32100 b> BYEB", ""}, {"32120 a< BYEB", ""}, {"32120 a> 200BB", ""},
			{"32120 a! ended", "32100 a@\n32120 a> BYE\n32120 a! ended local\n"},
			{"32140 b< 200BB", "32130 b< BYE\n32130 b> 200B\n32140 a< 200B\n"}}},
	{"CANCEL comes between", giving_up, {{"40 a< 180", ""}, {"40 a! ringing", ""}}},
	{"CANCEL comes between", refusal, {{"140 b< ACKN", "140 b< ACKN\n150 a> CANCEL\n"}}},
	{"who gives up what rings says CANCEL", giving_up,
		{{"100 a> CANCEL", ""}, {"120 b< CANCEL", ""}, {"120 b> 200C", ""},
			{"120 b> 487", ""}, {"120 b! ended", ""}, {"140 a< 200C", ""},
			{"140 a< 487", ""}, {"140 a> ACKN", ""}}},
	{"CSeq grows", talk, {{"1000 a> BYE", "1000 a> BYE cseq=1\n"}}},
	{"CSeq grows", talk, {{"120 a> ACK", "120 a> ACK cseq=2\n"}}},
	{"the tags of a dialog", talk, {{"1000 a> BYE", "1000 a> BYE to=zz\n"}}},
	{"the tags of a dialog", talk, {{"1000 a> BYE", "1000 a> BYE from=zz\n"}}},
	{"the tags of a dialog", talk, {{"120 a> ACK", "120 a> ACK from=zz\n"}}},
	{"the tags of a dialog", giving_up, {{"100 a> CANCEL", "100 a> CANCEL to=tb\n"}}},
	{"only its own dialog's requests", talk,
		{{"1020 b< BYE", "1020 b< BYE from=zz\n"},
			{"1020 b> 200B", "1020 b> 200B from=zz\n"}}},
	{"only its own dialog's requests", talk, {{"1000 a> BYE", "1000 a> BYE id=two\n"}}},
	{"a response repeats what", talk, {{"20 b> 180", "20 b> 180 cseq=2\n"}}},
	{"a response repeats what", talk, {{"20 b> 180", "20 b> 180 from=zz\n"}}},
	{"a response repeats what", talk, {{"1020 b< BYE", ""}}},
	{"every response but 100", talk, {{"100 b> 200", "100 b> 200 to=zz\n"}}},
	{"every response but 100", talk, {{"20 b> 180", "20 b> 180 to=\n"}}},
	{"a request has one final response", talk, {{"120 a< 200", "110 b> 486\n120 a< 200\n"}}},
	{"a request has one final response", talk, {{"120 a< 200", "110 b> 180\n120 a< 200\n"}}},
	{"every message is whole", talk, {{"0 a> INVITE", "0 a> INVITE call=0\n"}}},
	{"every request has Max-Forwards", talk, {{"1000 a> BYE", "1000 a> BYE forwards=0\n"}}},
	{"every branch begins with", talk, {{"1000 a> BYE", "1000 a> BYE branch=b\n"}}},
	{"every request has a branch", talk, {{"1000 a> BYE", "1000 a> BYE branch=z9hG4bKi\n"}}},
	{"every request has a branch", talk, {{"1000 a> BYE", "1000 a> BYE branch=z9hG4bKa\n"}}},
	{"Content-Length is", talk, {{"100 b> 200", "100 b> 200 length=3\n"}}},
	{"what is sent again is the same", silence,
		{{"500 a> INVITE", "500 a> INVITE forwards=69\n"}}},
	{"what is sent again is the same", silence, {{"4020 b> 486", "4020 b> 486 forwards=60\n"}}},
	{"nothing is sent again too early", silence, {{"500 a> INVITE", "499.9 a> INVITE\n"}}},
	{"nothing is sent again too early", silence, {{"5020 b> 486", "4900 b> 486\n"}}},
	{"nothing is sent again too early", no_ack, {{"600 b> 200", "599 b> 200\n"}}},
	{"nothing is sent again too late", silence, {{"500 a> INVITE", "502.1 a> INVITE\n"}}},
	{"nothing is sent again too late", silence, {{"4020 b> 486", "4023 b> 486\n"}}},
	{"nothing is sent again too late", no_ack,
		{{"15600 b> 200", "15600 b> 200\n"}, {"11600 b> 200", ""}}},
	{"what has no answer is sent again", silence, {{"3500 a> INVITE", ""}}},
	{"what has no answer is sent again", silence, {{"4020 b> 486", ""}, {"5020 b> 486", ""}}},
	{"what has no answer is sent again", no_ack, {{"31600 b> 200", ""}}},
	{"what has no answer is sent again", talk, {{"1040 a< 200B", ""}}},
	{"what has its answer is not sent again", talk,
		{{"120 a> ACK", "120 a> ACK\n500 a> INVITE\n"}, {"140 b< ACK", ""}}},
	{"what has its answer is not sent again", talk, {{"1000 a@", "600 b> 200\n1000 a@\n"}}},
	{"what has its answer is not sent again", refusal,
		{{"140 b< ACKN", "140 b< ACKN\n600 b> 486\n"}}},
	{"what has its answer is not sent again", talk, {{"40 a< 180", "30 b> 180\n40 a< 180\n"}}},
	{"what has its answer is not sent again", talk,
		{{"1040 a! ended", "1040 a! ended local\n1500 a> BYE\n"}}},
	{"what has its answer is not sent again", talk,
		{{"1040 a< 200B", "1030 b> 200B\n1040 a< 200B\n"}}},
	{"nothing is sent where nobody", talk, {{"0 a> INVITE", "0 a> INVITE there=99\n"}}},
	{"no sound before the answer", sound, {{"40 a! ringing", "40 a! ringing\n50 a> rtp\n"}}},
	{"no sound before the answer", sound, {{"40 a! ringing", "40 a! ringing\n50 a> rtcp\n"}}},
	{"no sound after the end", sound, {{"1040 a< 200B", "1010 a> rtp seq=4 ts=6880\n"}}},
	{"no sound after the end", sound, {{"1040 a< 200B", "1030 b> rtcp ssrc=9\n"}}},
	{"sound comes from where", sound, {{"150 a> rtp", "150 a> rtp port=4444\n"}}},
	{"packets of sound count up", sound, {{"170 a> rtp", "170 a> rtp seq=3 ts=160\n"}}},
	{"packets of sound count up", sound, {{"170 a> rtp", "170 a> rtp seq=2 ts=160 ssrc=8\n"}}},
	{"packets of sound come with", sound, {{"170 a> rtp", "170 a> rtp seq=2 ts=161\n"}}},
	{"packets of sound come with", sound, {{"170 a> rtp", "170 a> rtp seq=2 ts=320\n"}}},
	{"packets of sound come with", sound, {{"170 a> rtp", "169 a> rtp seq=2 ts=160\n"}}},
	{"packets of sound come with", sound, {{"170 a> rtp", "173 a> rtp seq=2 ts=160\n"}}},
	{"sound is in a format", sound, {{"150 a> rtp", "150 a> rtp pt=8\n"}}},
	{"sound follows its sender", sound, {{"150 a> rtp", "150 a> rtp there=5060\n"}}},
	{"sound follows its sender", sound,
		{{"150 a> rtp", "145 a< rtp seq=1 port=5060 ssrc=3\n146 a< rtp seq=2 port=5060 "
				"ssrc=3\n150 a> rtp there=5060\n"}}},
};

static const struct breach broken_by_tcp[] = {
	{"a connection that stands", talk, {{"1000 a> BYE", "1000 a> BYE port=7777\n"}}},
	{"Via names the transport", talk, {{"1000 a> BYE", "1000 a> BYE via=UDP\n"}}},
	{"what goes by TCP is whole", talk, {{"1000 a> BYE", "1000 a> BYE length=3\n"}}},
	{"what goes by TCP is not repeated", silence, {{NULL, NULL}}},
	{"what goes by TCP is not repeated", refusal,
		{{"120 a< 486", "600 b> 486\n620 a< 486\n"}, {"120 a> ACKN", "620 a> ACKN\n"},
			{"120 a! ended", "620 a! ended rejected code=486\n"},
			{"140 b< ACKN", "640 b< ACKN\n"}}},
};

static void expect_breach(const struct breach *breach, bool tcp)
{
	bool perfect = strncmp(breach->name, "a perfect network", 17) == 0 ||
		       strncmp(breach->name, "a connection that stands", 24) == 0;
	const struct checks_failure *failure;
	struct bench bench;

	play(&bench, breach->history, breach->edits, perfect, tcp);
	failure = checks_failure(bench.checks);
	if (!failure)
		fail_msg("\"%s\" is not noticed (%s)", breach->name, breach->edits[0].line);
	if (strncmp(failure->name, breach->name, strlen(breach->name)) != 0)
		fail_msg("\"%s\" instead of \"%s\" (%s): %s", failure->name, breach->name,
			breach->edits[0].line, failure->words);
	assert_true(strlen(failure->section) > 0 && strlen(failure->words) > 0);
	checks_free(bench.checks);
}

static void test_broken_histories(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		expect_breach(&broken[i], false);
	for (size_t i = 0; i < sizeof(broken_by_tcp) / sizeof(broken_by_tcp[0]); i++)
		expect_breach(&broken_by_tcp[i], true);
}

static void test_nothing_is_left(void **state)
{
	struct world_left some[] = {{.loops = 1}, {.sockets = 1}, {.timers = 1}, {.posts = 1},
		{.work = 1}, {.questions = 1}};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		open_bench(&bench, false, false);
		checks_quiet(bench.checks, &some[i], 0, 1);
		assert_non_null(checks_failure(bench.checks));
		assert_string_equal(checks_failure(bench.checks)->name,
			"at quiet nothing is left in the world");
		checks_free(bench.checks);
	}
	open_bench(&bench, false, false);
	checks_quiet(bench.checks, &bench.left, 1, 1);
	assert_string_equal(
		checks_failure(bench.checks)->name, "at quiet no byte is left allocated");
	checks_free(bench.checks);
}

/* It counts what comes first. */
static void test_first_failure_stays(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false, false);
	history_play(&bench.history, "7 a! media\n8 a! media\n9 a> ACK\n");
	assert_int_equal(checks_failure(bench.checks)->at_ns, 7000000);
	checks_free(bench.checks);
}

static void test_no_memory(void **state)
{
	const struct checks_config config = {.agents = 2, .addrs = hosts};
	struct checks *checks = NULL;
	struct bench bench;
	int n = 0, err;

	(void)state;
	do {
		calloc_fails_in = n++;
		err = checks_new(&checks, &config);
		assert_true(err == 0 || err == -ENOMEM);
	} while (err != 0);
	calloc_fails_in = -1;
	assert_int_equal(n, 10); /* itself and eight tables */
	checks_free(checks);

	no_memory = true;
	assert_int_equal(checks_new(&checks, &config), -ENOMEM);
	no_memory = false;

	open_bench(&bench, false, false);
	history_play(&bench.history, "0 a! outgoing\n");
	no_memory = true;
	for (int i = 0; i < 2000 && !checks_failure(bench.checks); i++) {
		char line[LINE_SIZE];

		snprintf(line, sizeof(line), "%d a> INVITE branch=z9hG4bK%d id=%d\n", i, i, i);
		history_play(&bench.history, line);
	}
	no_memory = false;
	assert_non_null(checks_failure(bench.checks));
	assert_string_equal(checks_failure(bench.checks)->name, "the checks have memory");
	checks_free(bench.checks);
	checks_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_histories),
		cmocka_unit_test(test_good_histories_by_tcp),
		cmocka_unit_test(test_harmless_differences),
		cmocka_unit_test(test_broken_histories),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_first_failure_stays),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
