/* core/ua/negotiation: two ends of our own agree, and what a stream is then told. */
#include "core/ua/negotiation.h"

#include "tests/unit/fake_loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct addr at_alice = {ADDR_IPV4, 4000, 0, {192, 0, 2, 1}};
static const struct addr at_bob = {ADDR_IPV4, 5000, 0, {192, 0, 2, 2}};

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

struct end {
	const struct codec *codecs[CODEC_LIST_MAX];
	size_t count;
	struct negotiation negotiation;
	struct media_params params;
	char room[SDP_TEXT_SIZE];
	struct text text;
	struct fault why;
};

struct pair {
	struct fake_loop fake;
	struct end alice, bob;
};

static void end_open(struct end *end, struct fake_loop *fake, const char *codecs)
{
	assert_int_equal(codec_list_parse(end->codecs, &end->count, slice_of(codecs), NULL), 0);
	negotiation_init(&end->negotiation, &fake->loop, end->codecs, end->count);
	end->text = TEXT_IN(end->room);
}

static void pair_open(struct pair *pair, const char *alice, const char *bob)
{
	*pair = (struct pair){0};
	fake_loop_init(&pair->fake);
	end_open(&pair->alice, &pair->fake, alice);
	end_open(&pair->bob, &pair->fake, bob);
}

static void pair_close(struct pair *pair)
{
	negotiation_free(&pair->alice.negotiation);
	negotiation_free(&pair->bob.negotiation);
	fake_loop_end(&pair->fake);
}

/* Offers, answers and applies; returns the first error. */
static int agree(struct pair *pair)
{
	struct end *alice = &pair->alice;
	struct end *bob = &pair->bob;
	int err;

	assert_int_equal(negotiation_offer(&alice->text, &alice->negotiation, &at_alice), 0);
	err = negotiation_answer(&bob->text, &bob->params, &bob->negotiation,
		text_slice(&alice->text), &at_bob, &bob->why);
	if (err)
		return err;
	return negotiation_apply(
		&alice->params, &alice->negotiation, text_slice(&bob->text), &alice->why);
}

static void test_both_agree(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, "opus,pcmu,pcma", "pcma,opus");
	assert_int_equal(agree(&pair), 0);

	assert_string_equal(pair.alice.params.codec->key, "opus");
	assert_ptr_equal(pair.alice.params.codec, pair.bob.params.codec);
	assert_int_equal(pair.alice.params.send_payload_type, 96);
	assert_int_equal(pair.bob.params.heard.list[0].payload_type, 96);
	assert_true(addr_equal(&pair.alice.params.remote_rtp, &at_bob));
	assert_true(addr_equal(&pair.bob.params.remote_rtp, &at_alice));
	assert_true(pair.alice.params.rtcp_mux && pair.bob.params.rtcp_mux);
	assert_true(addr_equal(&pair.alice.params.remote_rtcp, &at_bob));
	assert_int_equal(pair.bob.params.ptime_ms, 20);
	assert_true(pair.alice.params.sends && pair.alice.params.receives);
	pair_close(&pair);
}

/* Two voices are common, one is answered: nobody can change in the middle of the stream. */
static void test_one_voice_is_answered(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, "pcma,pcmu", "pcmu,pcma");
	assert_int_equal(agree(&pair), 0);
	assert_string_equal(pair.bob.params.codec->key, "pcma");
	assert_non_null(strstr(pair.bob.room, "m=audio 5000 RTP/AVP 8\r\n"));
	pair_close(&pair);
}

static void test_nothing_in_common(void **state)
{
	struct text capabilities;
	char room[SDP_TEXT_SIZE];
	struct fault words;
	struct pair pair;

	(void)state;
	pair_open(&pair, "pcma", "opus,pcmu");
	assert_int_equal(agree(&pair), -ENOTSUP);
	assert_string_equal(
		pair.bob.why.words, "they offer no codec of ours (we: opus, pcmu; they: pcma)");

	/* and the other side can say why, if the refusal tells what would have been possible */
	capabilities = TEXT_IN(room);
	assert_int_equal(
		negotiation_capabilities(&capabilities, &pair.bob.negotiation, &at_bob), 0);
	assert_non_null(strstr(room, "m=audio 0 RTP/AVP 96 0\r\n"));
	negotiation_explain(&words, &pair.alice.negotiation, text_slice(&capabilities));
	assert_string_equal(
		words.words, "they offer no codec of ours (we: pcma; they: opus, pcmu)");
	negotiation_explain(&words, &pair.alice.negotiation, (struct slice){0});
	assert_string_equal(words.words, "we offered pcma");
	negotiation_explain(&words, &pair.alice.negotiation, slice_of("no description"));
	assert_string_equal(words.words, "we offered pcma");
	pair_close(&pair);
}

static void test_directions_and_ptime(void **state)
{
	static const char offer[] =
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
		"t=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=ptime:50\r\n"
		"a=sendonly\r\n";
	struct pair pair;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu");
	assert_int_equal(negotiation_answer(&pair.bob.text, &pair.bob.params, &pair.bob.negotiation,
				 slice_of(offer), &at_bob, &pair.bob.why),
		0);
	assert_false(pair.bob.params.sends);
	assert_true(pair.bob.params.receives);
	assert_int_equal(pair.bob.params.ptime_ms, codec_ptime(codec_find(slice_of("pcmu")), 50));
	pair_close(&pair);
}

static void test_broken(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu");
	assert_int_equal(negotiation_answer(&pair.bob.text, &pair.bob.params, &pair.bob.negotiation,
				 slice_of("nonsense"), &at_bob, &pair.bob.why),
		-EPROTO);
	assert_int_equal(negotiation_apply(&pair.alice.params, &pair.alice.negotiation,
				 (struct slice){0}, &pair.alice.why),
		-EPROTO);
	assert_non_null(strstr(pair.alice.why.words, "without a session description"));
	pair_close(&pair);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

/* Their offer, answered by end, which has forgotten what it said before. */
static int take_offer(struct end *end, const char *offer)
{
	end->text = TEXT_IN(end->room);
	return negotiation_answer(
		&end->text, &end->params, &end->negotiation, slice_of(offer), &at_bob, &end->why);
}

static void make_offer(struct end *end)
{
	end->text = TEXT_IN(end->room);
	assert_int_equal(negotiation_offer(&end->text, &end->negotiation, &at_bob), 0);
}

static int take_answer(struct end *end, const char *answer)
{
	return negotiation_apply(&end->params, &end->negotiation, slice_of(answer), &end->why);
}

static unsigned version_of(const struct end *end)
{
	unsigned version = 0;

	assert_int_equal(sscanf(end->room, "v=0\r\no=- %*u %u ", &version), 1);
	return version;
}

/* Lines, number and codec of their first offer come back in ours. */
static void test_reoffer_keeps(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu,opus,pcma");
	assert_int_equal(take_offer(bob, HEAD "m=video 6000 RTP/SAVPF 98\r\n"
					      "m=audio 4000 RTP/AVP 111 0\r\n"
					      "a=rtpmap:111 opus/48000/2\r\n"),
		0);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(
		strstr(bob->room, "m=video 0 RTP/SAVPF 98\r\nm=audio 5000 RTP/AVP 111 0 8\r\n"));
	assert_int_equal(
		take_answer(bob, HEAD "m=video 0 RTP/SAVPF 98\r\nm=audio 4000 RTP/AVP 111\r\n"), 0);
	assert_int_equal(bob->params.heard.list[0].payload_type, 111);
	negotiation_settle(&bob->negotiation);

	/* theirs now goes by another number, and ours still means the same */
	assert_int_equal(take_offer(bob, HEAD "m=video 0 RTP/SAVPF 98\r\n"
					      "m=audio 4000 RTP/AVP 0 112\r\n"
					      "a=rtpmap:112 opus/48000/2\r\n"),
		0);
	assert_string_equal(bob->params.codec->key, "opus");
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 112\r\n"));
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 111 0 8\r\n"));
	pair_close(&pair);
}

/* The current codec goes first; what they never gave a number, only they can offer. */
static void test_reoffer_codecs(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu,pcma");
	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 8 0\r\n"), 0);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 8 0\r\n"));
	assert_int_equal(
		take_offer(bob, HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"), 0);
	assert_string_equal(bob->params.codec->key, "opus");
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 96 0 8\r\n"));
	pair_close(&pair);
}

/* All that their answer names, they may send; of their offer, what our answer names. */
static void test_what_they_may_send(void **state)
{
	struct media_formats formats;
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu,pcma");
	make_offer(bob);
	assert_int_equal(take_answer(bob, HEAD "m=audio 4000 RTP/AVP 8 96\r\n"), 0);
	formats = bob->params.heard;
	assert_int_equal(formats.count, 2);
	assert_string_equal(formats.list[0].codec->key, "pcma");
	assert_int_equal(formats.list[0].payload_type, 8);
	assert_string_equal(formats.list[1].codec->key, "opus");
	assert_int_equal(formats.list[1].payload_type, 96);

	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	negotiation_expect(&formats, &bob->negotiation);
	negotiation_expect(&formats, &bob->negotiation); /* no more than there are */
	assert_int_equal(formats.count, 3);
	assert_string_equal(formats.list[2].codec->key, "pcmu");
	assert_int_equal(formats.list[2].payload_type, 0);

	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 8 0\r\n"), 0);
	assert_int_equal(bob->params.heard.count, 1);
	pair_close(&pair);
}

/*
 * A number of theirs that is one of ours for something else: ours is then not offered. Nor is what
 * they never gave a number; but they may offer it.
 */
static void test_numbers_of_theirs(void **state)
{
	static const struct codec x = {.name = "X",
		.key = "x",
		.payload_type = CODEC_DYNAMIC,
		.clock_rate = 8000,
		.sample_rate = 8000,
		.ptimes_ms = {20}};
	static const struct codec y = {.name = "Y",
		.key = "y",
		.payload_type = CODEC_DYNAMIC,
		.clock_rate = 8000,
		.sample_rate = 8000,
		.ptimes_ms = {20}};
	const struct codec *list[] = {&x, &y, codec_find(slice_of("pcmu"))};
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu");
	negotiation_free(&bob->negotiation);
	negotiation_init(&bob->negotiation, &pair.fake.loop, list, 3);
	assert_int_equal(
		take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 X/8000\r\n"), 0);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 X/8000\r\n"));

	assert_int_equal(
		take_offer(bob, HEAD "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 Y/8000\r\n"), 0);
	assert_ptr_equal(bob->params.codec, &y);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 97 0\r\na=rtpmap:97 Y/8000\r\n"
					  "a=rtpmap:0 X/8000\r\n"));
	assert_int_equal(negotiation_only(&bob->negotiation, list[2]), 0);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000\r\n"));
	pair_close(&pair);
}

/* RFC 3264, section 8.3: one codec alone, by a number that means nothing else in the session. */
static void test_one_alone(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu,pcma");
	assert_int_equal(take_offer(bob, HEAD "m=video 6000 RTP/AVP 96\r\n"
					      "m=audio 4000 RTP/AVP 0 8 97\r\n"
					      "a=rtpmap:97 speex/8000\r\n"),
		0);
	negotiation_settle(&bob->negotiation);
	assert_int_equal(negotiation_only(&bob->negotiation, codec_find(slice_of("gsm"))), -EINVAL);
	assert_int_equal(negotiation_only(&bob->negotiation, codec_find(slice_of("pcma"))), 0);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 8\r\n"));
	assert_int_equal(negotiation_only(&bob->negotiation, codec_find(slice_of("opus"))), 0);
	make_offer(bob);
	assert_non_null(
		strstr(bob->room, "m=audio 5000 RTP/AVP 98\r\na=rtpmap:98 opus/48000/2\r\n"));
	assert_int_equal(
		take_answer(bob, HEAD "m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n"),
		-ENOTSUP);
	assert_int_equal(
		take_answer(bob, HEAD "m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 98\r\n"), 0);
	assert_string_equal(bob->params.codec->key, "opus");
	negotiation_settle(&bob->negotiation);

	/* it is the first of them now, in offers and in answers, and keeps its number */
	assert_int_equal(negotiation_only(&bob->negotiation, NULL), 0);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 98 0 8\r\n"));
	assert_int_equal(negotiation_only(&bob->negotiation, codec_find(slice_of("pcma"))), 0);
	make_offer(bob);
	assert_int_equal(take_offer(bob, HEAD "m=video 0 RTP/AVP 96\r\n"
					      "m=audio 4000 RTP/AVP 0 98\r\n"
					      "a=rtpmap:98 opus/48000/2\r\n"),
		0);
	assert_string_equal(bob->params.codec->key, "opus");
	pair_close(&pair);
}

/* Where their numbers leave none. */
static void test_no_number_is_left(void **state)
{
	char room[SDP_TEXT_SIZE];
	struct text offer = TEXT_IN(room);
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu");
	text_puts(&offer, HEAD "m=audio 4000 RTP/AVP 0");
	for (unsigned number = 96; number < 128; number++)
		text_printf(&offer, " %u", number);
	text_puts(&offer, "\r\n");
	assert_int_equal(take_offer(bob, room), 0);
	negotiation_settle(&bob->negotiation);
	assert_int_equal(
		negotiation_only(&bob->negotiation, codec_find(slice_of("opus"))), -ENOSPC);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 0\r\n"));
	pair_close(&pair);
}

static void test_versions(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu");
	make_offer(bob);
	assert_int_equal(version_of(bob), 1);
	make_offer(bob);
	assert_int_equal(version_of(bob), 1);
	negotiation_hold(&bob->negotiation, true);
	make_offer(bob);
	assert_int_equal(version_of(bob), 2);
	make_offer(bob);
	assert_int_equal(version_of(bob), 2);
	negotiation_hold(&bob->negotiation, false);
	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"), 0);
	assert_int_equal(version_of(bob), 3);
	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"), 0);
	assert_int_equal(version_of(bob), 3);
	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(version_of(bob), 4);
	pair_close(&pair);
}

/* Both hold: quiet; each lets go of its own only. */
static void test_holds(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "pcmu");
	negotiation_hold(&bob->negotiation, true);
	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_non_null(strstr(bob->room, "a=sendonly\r\n"));
	assert_true(bob->params.sends && !bob->params.receives);
	assert_false(negotiation_is_held(&bob->negotiation));
	negotiation_settle(&bob->negotiation);

	assert_int_equal(take_offer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), 0);
	assert_non_null(strstr(bob->room, "a=inactive\r\n"));
	assert_false(bob->params.sends || bob->params.receives);
	assert_true(negotiation_is_held(&bob->negotiation));
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "a=inactive\r\n"));

	negotiation_hold(&bob->negotiation, false);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "a=sendrecv\r\n"));
	assert_int_equal(take_answer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), 0);
	assert_true(negotiation_is_held(&bob->negotiation));
	assert_true(!bob->params.sends && bob->params.receives);
	assert_int_equal(take_answer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_false(negotiation_is_held(&bob->negotiation));
	pair_close(&pair);
}

/* Whatever comes of a change, what was settled can be offered again, byte by byte. */
static void test_failed_change(void **state)
{
	static const char first[] = HEAD "m=video 6000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 111\r\n"
					 "a=rtpmap:111 opus/48000/2\r\na=sendonly\r\n";
	static const char *const bad[] = {"nonsense", HEAD, HEAD "m=audio 0 RTP/AVP 111\r\n",
		HEAD "m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/SAVP 111\r\n",
		HEAD "m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\n"};
	char before[SDP_TEXT_SIZE];
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu");
	assert_int_equal(take_offer(bob, first), 0);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	memcpy(before, bob->room, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(take_offer(bob, bad[i]), 0);
		assert_int_not_equal(take_answer(bob, bad[i]), 0);
		negotiation_settle(&bob->negotiation);
		assert_true(negotiation_is_held(&bob->negotiation));
		make_offer(bob);
		assert_string_equal(bob->room, before);
	}
	for (size_t i = 0; i < 3; i++) {
		allocations_left = i;
		assert_int_equal(take_offer(bob, first), -ENOMEM);
		allocations_left = i < 2 ? i : 0;
		assert_int_equal(take_answer(bob, first), -ENOMEM);
		allocations_left = SIZE_MAX;
		make_offer(bob);
		assert_string_equal(bob->room, before);
	}
	allocations_left = 0;
	bob->text = TEXT_IN(bob->room);
	assert_int_equal(negotiation_offer(&bob->text, &bob->negotiation, &at_bob), -ENOMEM);
	allocations_left = SIZE_MAX;
	pair_close(&pair);
}

/* Several phones answer the first offer before one of them has the call. */
static void test_several_answers(void **state)
{
	struct pair pair;
	struct end *bob = &pair.bob;

	(void)state;
	pair_open(&pair, "pcmu", "opus,pcmu,pcma");
	make_offer(bob);
	assert_int_equal(take_answer(bob, HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(take_answer(bob, HEAD "m=audio 4002 RTP/AVP 0\r\na=inactive\r\n"), 0);
	assert_int_equal(take_answer(bob, HEAD "m=audio 4004 RTP/AVP 96\r\n"), 0);
	assert_string_equal(bob->params.codec->key, "opus");
	assert_int_equal(bob->params.remote_rtp.port, 4004);
	assert_false(bob->params.rtcp_mux);
	assert_int_equal(bob->params.remote_rtcp.port, 4005);
	negotiation_settle(&bob->negotiation);
	make_offer(bob);
	assert_non_null(strstr(bob->room, "m=audio 5000 RTP/AVP 96 0 8\r\n"));
	assert_false(negotiation_is_held(&bob->negotiation));
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_agree),
		cmocka_unit_test(test_one_voice_is_answered),
		cmocka_unit_test(test_nothing_in_common),
		cmocka_unit_test(test_directions_and_ptime),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_reoffer_keeps),
		cmocka_unit_test(test_reoffer_codecs),
		cmocka_unit_test(test_what_they_may_send),
		cmocka_unit_test(test_numbers_of_theirs),
		cmocka_unit_test(test_one_alone),
		cmocka_unit_test(test_no_number_is_left),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_failed_change),
		cmocka_unit_test(test_several_answers),
	};

	return cmocka_run_group_tests_name("ua/negotiation", tests, NULL, NULL);
}
