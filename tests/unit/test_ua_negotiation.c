/* core/ua/negotiation: two ends of our own agree, and what a stream is then told. */
#include "core/ua/negotiation.h"

#include "tests/unit/fake_loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct addr at_alice = {ADDR_IPV4, 4000, 0, {192, 0, 2, 1}};
static const struct addr at_bob = {ADDR_IPV4, 5000, 0, {192, 0, 2, 2}};

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
	assert_int_equal(pair.bob.params.receive_payload_type, 96);
	assert_true(addr_equal(&pair.alice.params.remote_rtp, &at_bob));
	assert_true(addr_equal(&pair.bob.params.remote_rtp, &at_alice));
	assert_int_equal(pair.alice.params.remote_rtcp.port, at_bob.port + 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_agree),
		cmocka_unit_test(test_one_voice_is_answered),
		cmocka_unit_test(test_nothing_in_common),
		cmocka_unit_test(test_directions_and_ptime),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("ua/negotiation", tests, NULL, NULL);
}
