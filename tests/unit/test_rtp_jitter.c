/* core/rtp/jitter: single decisions, many of them by scripts, and its bounds. */
#include "core/rtp/jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS UINT64_C(1000000)
#define START (UINT64_C(3600000) * MS)

enum {
	RATE = 8000,
	TICKS_PER_MS = 8,
	FRAME_MS = 20,
	FRAME = 160,
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct jitter *new_jitter(uint32_t min_ms, uint32_t max_ms)
{
	struct jitter_config config = {RATE, min_ms, max_ms};
	struct jitter *jitter;

	assert_int_equal(jitter_new(&jitter, &config), 0);
	return jitter;
}

static struct jitter_stats stats_of(const struct jitter *jitter)
{
	struct jitter_stats stats;

	jitter_stats(&stats, jitter);
	return stats;
}

static int put(struct jitter *jitter, uint16_t seq, uint32_t timestamp, uint64_t arrival_ns)
{
	uint8_t payload[2] = {(uint8_t)(seq >> 8), (uint8_t)seq};
	struct rtp_packet packet = {.seq = seq, .timestamp = timestamp, .payload = {payload, 2}};

	return jitter_put(jitter, &packet, arrival_ns, FRAME);
}

/*
 * Scripts. Time goes on by 20 ms with each G; gets lie halfway between the puts.
 *   P put the next packet     . the next is lost         S the sender is silent for a packet's time
 *   L the last lost comes     D the last put comes again J a stray comes, each time another
 *   R the sender starts anew  G get 20 ms                O another SSRC starts
 *   C the sender's clock is set anew
 * What comes out, a letter a decision: p play, c conceal, f FEC, n noise, - nothing; and of a put
 * that was not taken: l late, d duplicate.
 */
/* clang-format off */
static const struct script {
	const char *name;
	uint32_t min_ms;
	const char *script;
	const char *wanted;
} scripts[] = {
	{"nothing ever",            0, "GGG", "---"},
	{"in time",                 0, "PGPGPGPG", "pppp"},
	{"silence first",           0, "GGPGPG", "--pp"},
	{"one lost",                0, "PGPG.GPGPGPG", "ppcppp"},
	{"two lost",                0, "PGPG.G.GPGPG", "ppccpp"},
	{"late, but still next",    0, "PG.GLPGPGPG", "pcppp"},
	{"late by two",             0, "PG.GGLPPGPGPG", "pccppp"},
	{"swapped before the get",  0, "PG.PLGGPG", "pppp"},
	{"too late",                0, "PG.GPGLPG", "pcplp"},
	{"twice",                   0, "PDGPG", "dpp"},
	{"played, and again",       0, "PGDPG", "plp"},
	{"waits as told",          40, "PGPGPGPG", "--pp"},
	{"lost, but the next is here", 40, "PGPGPGPG.GPGPGPGPG", "--pppp" "fpp"},
	{"two lost, the next is here", 40, "PGPGPGPG.G.GPGPGPGPG", "--pppp" "cfpp"},
	{"late, in time",          40, "PGPGPGPG.GPLGPGPGPG", "--pp" "ppppp"},
	{"late after FEC",         40, "PGPGPGPG.GPGPGLPGPG", "--ppppf" "lpp"},
	{"short silence",           0, "PGPGSGSGPGPG", "ppccpp"},
	{"silence, then wait",     40, "PGPGPGSGSGSGPGPGPGPG", "--pppcnnpp"},
	{"a stop",                  0, "PGGGGGGGGGGGGG", "pcccccccccc--"},
	{"a stop, then talk",       0, "PGSGSGSGSGSGSGSGSGSGSGSGPGPG", "pcccccccccc-pp"},
	{"stalled past the stop",   0, "PGGGGGGGGGGGGPPG", "pcccccccccc-p"},
	{"a stray",                 0, "PGJPGPG", "ppp"},
	{"a stray alone", 0, "PGJGPG", "pcp"},
	{"a new clock", 0, "PGPGCPGPGPG", "ppcpp"},
	{"strays",                  0, "PGJPGJPGJPG", "pppp"},
	{"a new start",             0, "PGPGRPGPGPG", "ppcpp"},
	{"a new start, lost again", 0, "PGPGRPG.GPGPGPG", "ppccc" "pp"},
	{"another source",          0, "PGPGOPGPG", "pppp"},
};
/* clang-format on */

struct player {
	struct jitter *jitter;
	uint64_t now_ns;
	uint16_t seq, lost_seq, last_seq;
	uint32_t timestamp, lost_timestamp, last_timestamp;
	uint32_t ssrc;
	uint16_t strays;
	char out[64];
	size_t len;
};

static void player_put(struct player *player, uint16_t seq, uint32_t timestamp)
{
	struct rtp_packet packet = {.seq = seq, .timestamp = timestamp, .ssrc = player->ssrc};
	int err = jitter_put(player->jitter, &packet, player->now_ns, FRAME);

	assert_true(err == 0 || err == -ETIME || err == -EALREADY);
	if (err)
		player->out[player->len++] = err == -ETIME ? 'l' : 'd';
}

static void player_get(struct player *player)
{
	struct jitter_decision decision;
	uint32_t ready = 0;

	for (;;) {
		jitter_next(&decision, player->jitter, player->now_ns + 10 * MS, ready, FRAME);
		if (decision.action == JITTER_ENOUGH)
			break;
		player->out[player->len++] = "e-pfcn"[decision.action];
		if (decision.action == JITTER_NOTHING)
			break;
		ready += decision.duration;
		jitter_done(player->jitter,
			&(struct jitter_done){decision.action, decision.duration, 0, false});
	}
	player->now_ns += FRAME_MS * MS;
}

static void player_step(struct player *player, char letter)
{
	switch (letter) {
	case 'P':
		player->last_seq = player->seq++;
		player->last_timestamp = player->timestamp;
		player->timestamp += FRAME;
		player_put(player, player->last_seq, player->last_timestamp);
		break;
	case '.':
		player->lost_seq = player->seq++;
		player->lost_timestamp = player->timestamp;
		player->timestamp += FRAME;
		break;
	case 'S':
		player->timestamp += FRAME;
		break;
	case 'L':
		player_put(player, player->lost_seq, player->lost_timestamp);
		break;
	case 'D':
		player_put(player, player->last_seq, player->last_timestamp);
		break;
	case 'J':
		player->strays = (uint16_t)(player->strays + 7);
		player_put(player, (uint16_t)(player->seq + 20000 + player->strays),
			player->timestamp);
		break;
	case 'C':
		player->timestamp += 0x50000000;
		break;
	case 'R':
		player->seq = (uint16_t)(player->seq + 30000);
		player->timestamp += 0x50000000;
		break;
	case 'O':
		player->ssrc++;
		player->seq = (uint16_t)(player->seq + 3);
		player->timestamp += 12345;
		break;
	case 'G':
		player_get(player);
		break;
	default:
		fail_msg("no letter %c", letter);
	}
}

/* Each twice: where the numbers begin, and where they run over. */
static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(scripts); i++) {
		const struct script *script = &scripts[i / 2];
		struct player player = {
			.jitter = new_jitter(script->min_ms, 500),
			.now_ns = START,
			.seq = i % 2 ? 65534 : 0,
			.timestamp = i % 2 ? (uint32_t)-FRAME : 0,
		};

		for (const char *letter = script->script; *letter; letter++)
			player_step(&player, *letter);
		if (strcmp(player.out, script->wanted) != 0)
			fail_msg("%s: %s, not %s", script->name, player.out, script->wanted);
		jitter_free(player.jitter);
	}
}

/* What nobody sent is not told as made up for a loss, once that is known. */
static void test_silence_is_no_loss(void **state)
{
	static const struct {
		const char *script;
		uint64_t concealed, noise; /* packets' worth */
	} rows[] = {
		{"PGPGSGSGPG", 0, 2}, {"PGPG.G.GPG", 2, 0},
		{"PGPGSG.GPG", 2, 0}, /* nobody can know which of them was lost */
		{"PGPGSGPG.GPGSGSGPG", 1, 3}, {"PGPGSGSGSGSGSGSGSGSGSGSGSGSGPGPG", 0, 10},
		{"PGPGGGPPPGGG", 2, 0}, /* late, all of them */
		{"PGPGSGSG", 2, 0},     /* nothing has shown yet what it was */
		{"PGPG.G.G.G.G.G.G.G.G.G.G.G.G.GPGPG", 13, 0}, /* made up, but for the last three */
		{"PGPGSGSGSGSGSGSGSGSGSGSGSG.GSGPGPG", 10, 0}, /* one was lost, and more made up */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct player player = {.jitter = new_jitter(0, 500), .now_ns = START};
		struct jitter_stats stats;

		for (const char *p = rows[i].script; *p; p++)
			player_step(&player, *p);
		stats = stats_of(player.jitter);
		if (stats.concealed_ticks != rows[i].concealed * FRAME ||
			stats.noise_ticks != rows[i].noise * FRAME)
			fail_msg("%s: %llu, %llu", rows[i].script,
				(unsigned long long)stats.concealed_ticks,
				(unsigned long long)stats.noise_ticks);
		jitter_free(player.jitter);
	}
}

/* A caller whose samples do not come as asked: what really happened is what counts. */
static void test_done_is_believed(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	for (uint16_t i = 0; i < 5; i++)
		assert_int_equal(put(jitter, i, i * (uint32_t)FRAME, START + i * MS), 0);

	/* played longer than thought: the second is over before its turn */
	jitter_next(&decision, jitter, START + 20 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 0);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, 2 * FRAME, 0, false});
	jitter_next(&decision, jitter, START + 60 * MS, 0, FRAME);
	assert_int_equal(decision.packet->seq, 2);
	assert_int_equal(stats_of(jitter).late, 1);

	/* stretched: the stream went on by a packet all the same */
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, 2 * FRAME, FRAME, false});
	jitter_next(&decision, jitter, START + 80 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 3);

	/* could not be decoded: concealed, and gone */
	jitter_done(jitter, &(struct jitter_done){JITTER_CONCEAL, FRAME, 0, false});
	jitter_next(&decision, jitter, START + 100 * MS, 0, FRAME);
	assert_int_equal(decision.packet->seq, 4);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_int_equal(stats_of(jitter).played_ticks, 5 * FRAME);
	assert_int_equal(stats_of(jitter).concealed_ticks, FRAME);
	jitter_free(jitter);
}

/* FEC leaves its packet for the play that follows; the caller's next samples join without a seam.
 */
static void test_fec(void **state)
{
	struct jitter *jitter = new_jitter(40, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	put(jitter, 2, 2 * FRAME, START + 40 * MS);
	jitter_next(&decision, jitter, START + 45 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	jitter_next(&decision, jitter, START + 45 * MS, FRAME, FRAME);
	assert_int_equal(decision.action, JITTER_ENOUGH);
	jitter_next(&decision, jitter, START + 65 * MS, 0, 2 * FRAME);
	assert_int_equal(decision.action, JITTER_FEC);
	assert_int_equal(decision.packet->seq, 2);
	assert_int_equal(decision.packet->payload.len, 2);
	assert_int_equal(decision.duration, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_FEC, FRAME, 0, false});
	jitter_next(&decision, jitter, START + 65 * MS, FRAME, 2 * FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 2);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_int_equal(stats_of(jitter).fec_ticks, FRAME);
	assert_int_equal(stats_of(jitter).lost, 1);
	assert_int_equal(stats_of(jitter).concealed_ticks, 0);
	jitter_free(jitter);
}

/* Too little delay is made up in a gap, by one packet's length, and the late one still plays. */
static void test_delay_grows_in_a_gap(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_next(&decision, jitter, START + 10 * MS, 0, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	put(jitter, 1, FRAME, START + 45 * MS); /* from here on the target is 25 ms */
	put(jitter, 3, 3 * FRAME, START + 60 * MS);
	jitter_next(&decision, jitter, START + 30 * MS + 16 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.stretch, 0);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_int_equal(stats_of(jitter).target_ms, 25);

	jitter_next(&decision, jitter, START + 62 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_CONCEAL);
	assert_int_equal(decision.duration, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_CONCEAL, FRAME, 0, false});
	assert_int_equal(put(jitter, 2, 2 * FRAME, START + 70 * MS), 0);
	jitter_next(&decision, jitter, START + 82 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 2);
	assert_true(stats_of(jitter).delay_ms > 41.9 && stats_of(jitter).delay_ms < 42.1);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	jitter_free(jitter);
}

/* However much delay is wanted, a gap gives one packet's length of it, and then is closed. */
static void test_delay_grows_by_one(void **state)
{
	static const enum jitter_action wanted[] = {JITTER_CONCEAL, JITTER_FEC, JITTER_PLAY};
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_next(&decision, jitter, START + 10 * MS, 0, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_int_equal(put(jitter, 65535, (uint32_t)-FRAME, START + 80 * MS), -ETIME);
	assert_int_equal(put(jitter, 65534, FRAME, START + 80 * MS), -ETIME); /* by its number */
	assert_int_equal(stats_of(jitter).target_ms, 100); /* late ones tell of the network, too */
	put(jitter, 2, 2 * FRAME, START + 40 * MS);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		jitter_next(&decision, jitter, START + (30 + 20 * i) * MS, 0, FRAME);
		assert_int_equal(decision.action, wanted[i]);
		jitter_done(jitter, &(struct jitter_done){decision.action, FRAME, 0, false});
	}
	jitter_free(jitter);
}

/* A quarter of a packet passes before a start, so that a tick that comes early finds the next. */
static void test_grace(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_next(&decision, jitter, START + 5 * MS - 1, 0, FRAME);
	assert_int_equal(decision.action, JITTER_NOTHING);
	jitter_next(&decision, jitter, START + 5 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	jitter_free(jitter);
}

/* When the path becomes longer, its new delay is no delay any more after a few seconds. */
static void test_target_forgets(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);

	(void)state;
	for (uint16_t i = 0; i < 800; i++) {
		uint64_t late_ns = i < 250 ? 0 : 80 * MS;

		put(jitter, i, i * (uint32_t)FRAME, START + i * 20 * MS + late_ns);
		if (i == 249)
			assert_int_equal(stats_of(jitter).target_ms, 0);
		if (i == 300)
			assert_int_equal(stats_of(jitter).target_ms, 80);
	}
	assert_int_equal(stats_of(jitter).target_ms, 0);
	put(jitter, 800, 800 * FRAME, START + 800 * 20 * MS + 80 * MS + 1);
	put(jitter, 801, 801 * FRAME, START + 801 * 20 * MS + 80 * MS + MS);
	put(jitter, 802, 802 * FRAME, START + 802 * 20 * MS + 80 * MS + 1);
	assert_int_equal(stats_of(jitter).target_ms, 1); /* upwards; two of 200 may be later */
	jitter_free(jitter);
}

/* Plays the next packet, seq, which comes early_ms before that, and returns what was wished, of
 * which as much is done as in done. */
static int32_t play_next(struct jitter *jitter, uint16_t seq, uint64_t now_ns, uint32_t early_ms,
	const struct jitter_done *done)
{
	static const struct jitter_done plain = {JITTER_PLAY, FRAME, 0, false};
	struct jitter_decision decision;

	assert_int_equal(put(jitter, seq, seq * (uint32_t)FRAME, now_ns - early_ms * MS), 0);
	jitter_next(&decision, jitter, now_ns, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	jitter_done(jitter, decision.stretch != 0 ? done : &plain);
	return decision.stretch;
}

/* Less than a millisecond over the target: a whole packet more is wished for, not again for 50 ms
 * after some was given, unless nobody could hear it. */
static void test_lengthens(void **state)
{
	static const struct row {
		struct jitter_done done;
		int32_t next[4];
	} rows[] = {
		{{JITTER_PLAY, FRAME, 0, false}, {FRAME, FRAME, FRAME, FRAME}},
		{{JITTER_PLAY, FRAME + 1, 1, false}, {0, 0, FRAME, 0}},
		{{JITTER_PLAY, FRAME + 1, 1, true}, {FRAME, FRAME, FRAME, FRAME}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jitter_done plain = {JITTER_PLAY, FRAME, 0, false};
		struct jitter *jitter = new_jitter(0, 500);
		uint64_t now_ns = START + 21 * MS;
		uint16_t seq = 2;

		put(jitter, 0, 0, START); /* the quickest */
		jitter_next(&(struct jitter_decision){0}, jitter, START + 5 * MS, 0, FRAME);
		jitter_done(jitter, &plain);
		assert_int_equal(play_next(jitter, 1, now_ns, 1, &plain), 0);
		now_ns += 20 * MS - MS / 10; /* the tick comes a little nearer */
		assert_int_equal(play_next(jitter, seq, now_ns, 0, &rows[i].done), FRAME);
		for (size_t n = 0; n < COUNT(rows[i].next); n++) {
			now_ns += 20 * MS;
			if (play_next(jitter, ++seq, now_ns, 0, &rows[i].done) != rows[i].next[n])
				fail_msg("row %zu, packet %zu", i, n);
		}
		jitter_free(jitter);
	}
}

/* After a second of more than 5 ms over what is needed, the rest is to go; nothing is dropped. */
static void test_shortens(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;
	struct jitter_done plain = {JITTER_PLAY, FRAME, 0, false};
	uint64_t now_ns = START + 86 * MS;
	uint16_t seq = 4;
	int i;

	(void)state;
	for (uint16_t n = 0; n < 4; n++)
		put(jitter, n, n * (uint32_t)FRAME, START + n * 20 * MS);
	for (i = 0; i < 200; i++, seq++, now_ns += 20 * MS) {
		int32_t wish = play_next(jitter, seq, now_ns, 6, &plain);

		assert_int_equal(wish, i < 50 ? 0 : -FRAME);
	}
	assert_true(stats_of(jitter).delay_ms > 85.9 && stats_of(jitter).delay_ms < 86.1);

	/* no more than the packet itself, however much is ready */
	put(jitter, seq, seq * (uint32_t)FRAME, now_ns - 6 * MS);
	jitter_next(&decision, jitter, now_ns, FRAME / 2, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.stretch, -FRAME);
	jitter_done(jitter, &plain);
	jitter_free(jitter);
}

/* Many milliseconds are lacking: a packet may become twice as long, not more. */
static void test_lengthens_by_one(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_next(&decision, jitter, START + 10 * MS, 0, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	put(jitter, 1, FRAME, START + 20 * MS);
	put(jitter, 65535, (uint32_t)-FRAME, START + 80 * MS); /* 100 ms late */
	jitter_next(&decision, jitter, START + 30 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.stretch, FRAME);
	jitter_free(jitter);
}

/* What goes through a filter is heard later, and has that delay. */
static void test_hold(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_hold(jitter, 3 * TICKS_PER_MS);
	jitter_next(&decision, jitter, START + 10 * MS, 0, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_true(stats_of(jitter).delay_ms > 12.9 && stats_of(jitter).delay_ms < 13.1);
	assert_true(stats_of(jitter).buffer_ms > 12.9 && stats_of(jitter).buffer_ms < 13.1);
	jitter_free(jitter);
}

/* A filter that goes makes what is heard next earlier than what was heard before. */
static void test_hold_ends(void **state)
{
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	put(jitter, 0, 0, START);
	jitter_hold(jitter, 100 * TICKS_PER_MS);
	jitter_next(&decision, jitter, START + 5 * MS, 0, FRAME);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	jitter_hold(jitter, 0);
	put(jitter, 1, FRAME, START + 5 * MS); /* by a quicker way */
	jitter_next(&decision, jitter, START + 45 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.stretch, 0); /* which is not a second yet */
	jitter_free(jitter);
}

/* What cannot be caught up with is left out at once, but for the newest. */
static void test_far_behind(void **state)
{
	struct jitter *jitter = new_jitter(0, 100);
	struct jitter_decision decision;

	(void)state;
	for (uint16_t i = 0; i < 50; i++)
		put(jitter, i, i * (uint32_t)FRAME, START + i * 20 * MS);
	jitter_next(&decision, jitter, START + 1000 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 43); /* 140 ms: the bound, and two packets */
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_int_equal(stats_of(jitter).dropped, 43);
	assert_int_equal(stats_of(jitter).lost, 0);
	jitter_next(&decision, jitter, START + 1700 * MS, 0, FRAME);
	assert_int_equal(decision.action, JITTER_PLAY);
	assert_int_equal(decision.packet->seq, 49);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	jitter_free(jitter);
}

static void test_target_bounds(void **state)
{
	struct jitter *jitter = new_jitter(30, 60);

	(void)state;
	assert_int_equal(stats_of(jitter).target_ms, 30);
	put(jitter, 0, 0, START);
	put(jitter, 1, FRAME, START + 65 * MS);
	assert_int_equal(stats_of(jitter).target_ms, 45);
	put(jitter, 2, 2 * FRAME, START + 40 * MS + 200 * MS);
	assert_int_equal(stats_of(jitter).target_ms, 60);
	jitter_free(jitter);
}

static void test_caps(void **state)
{
	static const uint8_t payload[JITTER_BYTES_MAX];
	struct rtp_packet packet = {.payload = {payload, 1}};
	struct jitter *jitter = new_jitter(0, 500);

	(void)state;
	assert_int_equal(jitter_put(jitter, &packet, START, 0), -EPROTO);
	assert_int_equal(jitter_put(jitter, &packet, START, RATE + 1), -EPROTO);
	for (; packet.seq < JITTER_PACKETS_MAX; packet.seq++)
		assert_int_equal(jitter_put(jitter, &packet, START, RATE), 0);
	assert_int_equal(jitter_put(jitter, &packet, START, RATE), -ENOBUFS);
	assert_int_equal(stats_of(jitter).overflow, 1);
	jitter_reset(jitter);
	assert_int_equal(stats_of(jitter).dropped, JITTER_PACKETS_MAX);

	packet.payload.len = JITTER_BYTES_MAX - 1;
	assert_int_equal(jitter_put(jitter, &packet, START, FRAME), 0);
	packet.seq++;
	packet.payload.len = 2;
	assert_int_equal(jitter_put(jitter, &packet, START, FRAME), -ENOBUFS);
	packet.payload.len = 1;
	assert_int_equal(jitter_put(jitter, &packet, START, FRAME), 0);
	assert_int_equal(stats_of(jitter).overflow, 2);
	jitter_free(jitter);
}

/* A packet is the decision's own: fields, payload, and a payload type that changes in mid-stream.
 */
static void test_packet_fields(void **state)
{
	uint8_t payload[] = "abc";
	struct rtp_packet packet = {.seq = 7, .payload_type = 8, .payload = {payload, 3}};
	struct jitter *jitter = new_jitter(0, 500);
	struct jitter_decision decision;

	(void)state;
	jitter_put(jitter, &packet, START, FRAME);
	packet = (struct rtp_packet){.seq = 8,
		.payload_type = 96,
		.timestamp = FRAME,
		.marker = true,
		.payload = {payload, 2}};
	jitter_put(jitter, &packet, START, FRAME);
	memset(payload, 'x', sizeof(payload));

	jitter_next(&decision, jitter, START + 10 * MS, 0, FRAME);
	assert_int_equal(decision.packet->payload_type, 8);
	assert_false(decision.packet->marker);
	assert_int_equal(decision.packet->payload.len, 3);
	assert_memory_equal(decision.packet->payload.data, "abc", 3);
	assert_int_equal(decision.packet->duration, FRAME);
	assert_true(decision.packet->arrival_ns == START);
	jitter_done(jitter, &(struct jitter_done){JITTER_PLAY, FRAME, 0, false});
	assert_true(stats_of(jitter).buffer_ms > 9.9 && stats_of(jitter).buffer_ms < 10.1);
	jitter_next(&decision, jitter, START + 30 * MS, 0, FRAME);
	assert_int_equal(decision.packet->payload_type, 96);
	assert_int_equal(decision.packet->timestamp, FRAME);
	assert_true(decision.packet->marker);
	assert_int_equal(decision.packet->payload.len, 2);
	jitter_free(jitter); /* with the decision still open */
}

static void test_no_memory(void **state)
{
	struct jitter_config config = {RATE, 0, 500};
	struct jitter *jitter = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(jitter_new(&jitter, &config), -ENOMEM);
	assert_null(jitter);
	allocations_left = 1;
	assert_int_equal(jitter_new(&jitter, &config), 0);
	assert_int_equal(put(jitter, 0, 0, START), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_int_equal(put(jitter, 0, 0, START), 0); /* as if the first had not come */
	jitter_free(jitter);
	jitter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_silence_is_no_loss),
		cmocka_unit_test(test_done_is_believed),
		cmocka_unit_test(test_fec),
		cmocka_unit_test(test_delay_grows_in_a_gap),
		cmocka_unit_test(test_delay_grows_by_one),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_target_forgets),
		cmocka_unit_test(test_lengthens),
		cmocka_unit_test(test_shortens),
		cmocka_unit_test(test_lengthens_by_one),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_ends),
		cmocka_unit_test(test_far_behind),
		cmocka_unit_test(test_target_bounds),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_packet_fields),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("rtp/jitter", tests, NULL, NULL);
}
