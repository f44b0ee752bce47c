/* codecs/codec: what is found by which name, lists as people write them, packet lengths. */
#include "codecs/codec.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const char *key_of(const struct codec *codec)
{
	return codec ? codec->key : "none";
}

/* clang-format off */
static const struct {
	const char *list;
	const char *keys;  /* what it means; NULL: to be refused */
	const char *words; /* that then must be among those of the fault */
} lists[] = {
	{"opus",                "opus",           NULL},
	{"pcma,opus,pcmu",      "pcma opus pcmu", NULL},
	{" PCMU , Opus ",       "pcmu opus",      NULL},
	{"",                    NULL, "the list of codecs is empty"},
	{"  ",                  NULL, "the list of codecs is empty"},
	{"opus,",               NULL, "a name is missing"},
	{",opus",               NULL, "a name is missing"},
	{"opus,,pcmu",          NULL, "a name is missing"},
	{"opus,pcmu,OPUS",      NULL, "codec opus is named twice"},
	{"opsu",                NULL, "no codec opsu; did you mean opus?"},
	{"opus,pcm",            NULL, "no codec pcm; did you mean pcmu?"},
	{"pcmaa",               NULL, "no codec pcmaa; did you mean pcma?"},
	{"g729",                NULL, "no codec g729; did you mean g722?"},
	{"pc",                  NULL, "no codec pc; there are opus, g722, pcmu, pcma, gsm, l16"},
	{"xy",                  NULL, "no codec xy; there are opus, g722, pcmu, pcma, gsm, l16"},
	{"G722,GSM,L16,l16-8k,LPC10", "g722 gsm l16 l16-8k lpc10", NULL},
	{"op\x1b[2J",           NULL, "no codec op\\x1b[2J; there are"},
	{"opus pcmu",           NULL, "no codec opus pcmu; there are"},
};
/* clang-format on */

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct codec *got[CODEC_LIST_MAX];
		struct fault why = {0};
		char room[100];
		struct text keys = TEXT_IN(room);
		size_t count = 7;
		int err = codec_list_parse(got, &count, slice_of(lists[i].list), &why);

		for (size_t n = 0; n < count; n++)
			text_printf(&keys, "%s%s", n > 0 ? " " : "", got[n]->key);
		if (err != (lists[i].keys ? 0 : -EINVAL))
			fail_msg("'%s': %d", lists[i].list, err);
		if (strcmp(room, lists[i].keys ? lists[i].keys : ""))
			fail_msg("'%s': %s", lists[i].list, room);
		if (lists[i].words && !strstr(why.words, lists[i].words))
			fail_msg("'%s': %s", lists[i].list, why.words);
	}
}

static void test_long_name(void **state)
{
	const struct codec *got[CODEC_LIST_MAX];
	struct fault why;
	char list[5000];
	size_t count;

	(void)state;
	memset(list, 'x', sizeof(list));
	assert_int_equal(codec_list_parse(got, &count, (struct slice){(uint8_t *)list, 5000}, &why),
		-EINVAL);
	assert_non_null(strstr(why.words, "there are opus"));
	assert_int_equal(codec_list_parse(got, &count, slice_of("x"), NULL), -EINVAL);
}

static void test_order(void **state)
{
	static const char *const keys[] = {
		"opus", "g722", "pcmu", "pcma", "gsm", "l16", "l16-8k", "lpc10"};

	(void)state;
	assert_int_equal(codec_count(), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < codec_count(); i++)
		assert_string_equal(key_of(codec_at(i)), keys[i]);
}

static void test_find(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint32_t clock_rate, channels;
		const char *key;
	} rows[] = {
		{"opus", 48000, 2, "opus"}, {"OPUS", 48000, 2, "opus"}, {"opus", 48000, 1, "none"},
		{"opus", 48000, 0, "none"}, {"opus", 8000, 2, "none"},  {"PCMU", 8000, 1, "pcmu"},
		{"pcmu", 8000, 0, "pcmu"},  {"PCMU", 16000, 1, "none"}, {"PCMU", 8000, 2, "none"},
		{"PCMA", 8000, 0, "pcma"},  {"PCM", 8000, 0, "none"},   {"", 8000, 0, "none"},
		{"G722", 8000, 1, "g722"},  {"G722", 16000, 1, "none"}, {"gsm", 8000, 0, "gsm"},
		{"L16", 16000, 1, "l16"},   {"L16", 8000, 0, "l16-8k"}, {"L16", 44100, 2, "none"},
		{"L16", 16000, 2, "none"},  {"LPC", 8000, 0, "lpc10"},  {"LPC10", 8000, 0, "none"},
	};
	/* clang-format on */
	/* RFC 3551, table 4 */
	static const char *const numbered[] = {
		"pcmu", "none", "none", "gsm", "none", "none", "none", "lpc10", "pcma", "g722"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct codec *codec = codec_find_rtpmap(
			slice_of(rows[i].name), rows[i].clock_rate, rows[i].channels);

		if (strcmp(key_of(codec), rows[i].key))
			fail_msg("%s/%u/%u: %s", rows[i].name, rows[i].clock_rate, rows[i].channels,
				key_of(codec));
	}
	for (unsigned type = 0; type < 128; type++) {
		const char *key = type <= 9 ? numbered[type] : "none";

		assert_string_equal(key_of(codec_find_payload_type((uint8_t)type)), key);
	}
	assert_null(codec_find_payload_type(255)); /* no dynamic one by its mark */
	assert_string_equal(key_of(codec_find(slice_of("Pcma"))), "pcma");
	assert_null(codec_find(slice_of("pcmx")));
	assert_null(codec_find(slice_of("")));
}

static void test_ptime(void **state)
{
	static const struct {
		const char *key;
		uint32_t wanted, ptime;
		size_t frame;
	} rows[] = {
		{"opus", 0, 20, 960},
		{"opus", 1, 10, 480},
		{"opus", 10, 10, 480},
		{"opus", 30, 20, 960},
		{"opus", 59, 40, 1920},
		{"opus", UINT32_MAX, 60, 2880},
		{"pcmu", 0, 20, 160},
		{"pcmu", 5, 10, 80},
		{"pcma", 30, 30, 240},
		{"pcma", 200, 60, 480},
		{"g722", 0, 20, 320},
		{"gsm", 10, 20, 160},
		{"l16", 60, 40, 640},
		{"lpc10", 0, 45, 360},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct codec *codec = codec_find(slice_of(rows[i].key));
		uint32_t ptime = codec_ptime(codec, rows[i].wanted);

		if (ptime != rows[i].ptime || codec_frame(codec, ptime) != rows[i].frame)
			fail_msg("%s %u: %u", rows[i].key, rows[i].wanted, ptime);
	}
}

/* A length that the codec does not make is refused, whichever codec it is. */
static void test_every_codec(void **state)
{
	(void)state;
	for (size_t i = 0; i < codec_count(); i++) {
		const struct codec *codec = codec_at(i);
		static const uint32_t bad[] = {0, 7, 25, 200, UINT32_MAX};
		struct encoder *encoder = NULL;

		for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
			struct codec_settings settings = {.ptime_ms = bad[n]};

			assert_int_equal(codec_encoder_new(&encoder, codec, &settings), -EINVAL);
			assert_null(encoder);
		}
		assert_ptr_equal(codec_find(slice_of(codec->key)), codec);
		assert_true(codec->sample_rate <= CODEC_RATE_MAX);
		assert_true(strlen(codec->about) > 0 && strlen(codec->about) < 40);
	}
	codec_encoder_free(NULL);
	codec_decoder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_ptime),
		cmocka_unit_test(test_every_codec),
	};

	return cmocka_run_group_tests_name("codecs/codec", tests, NULL, NULL);
}
