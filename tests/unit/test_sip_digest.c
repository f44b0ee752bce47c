/* core/sip/digest: challenges good and bad, and the answers of the standards' own examples. */
#include "core/sip/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { NONE = -ENOENT, BAD = -EPROTO };

/* What stands in the challenges of a header, one word each: hash, "-sess", qop, stale. */
static void describe(struct text *out, const struct sip_challenge *challenge)
{
	static const char *const hashes[] = {"md5", "sha256", "sha512-256", "?"};

	if (!challenge->digest) {
		text_puts(out, "other ");
		return;
	}
	text_printf(out, "%s%s/%u%s%s(%.*s|%.*s) ", hashes[challenge->hash],
		challenge->session ? "-sess" : "", challenge->qop, challenge->stale ? "/stale" : "",
		challenge->userhash ? "/userhash" : "", (int)challenge->realm.len,
		(const char *)challenge->realm.data, (int)challenge->nonce.len,
		(const char *)challenge->nonce.data);
}

static void test_parse(void **state)
{
	static const struct {
		const char *value, *found;
		int end; /* what the last call returns */
	} rows[] = {
		{"", "", NONE},
		{" , ,", "", NONE},
		{"Digest realm=\"a\", nonce=\"n\"", "md5/0(a|n) ", NONE},
		{"digest  REALM = \"a\" ,NONCE=\"n\",", "md5/0(a|n) ", NONE},
		{"Digest realm=\"\",nonce=n", "md5/0(|n) ", NONE},
		{"Digest realm=\"a,b\",nonce=\"n=\\\"\"", "md5/0(a,b|n=\\\") ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",algorithm=SHA-256,qop=\"auth,auth-int\"",
			"sha256/3(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",algorithm=\"md5-SESS\",qop=auth",
			"md5-sess/1(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",algorithm=SHA-512-256-sess,qop=\"auth-int\"",
			"sha512-256-sess/2(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",algorithm=AKAv1-MD5,qop=\" auth , new \"",
			"?/5(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",stale=TRUE,userhash=true,x=y,charset=UTF-8",
			"md5/0/stale/userhash(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"n\",stale=false", "md5/0(a|n) ", NONE},
		{"Digest realm=\"a\",nonce=\"m\",algorithm=SHA-256, Digest realm=\"b\",nonce=\"n\"",
			"sha256/0(a|m) md5/0(b|n) ", NONE},
		{"Basic realm=\"x, y\", Digest realm=\"a\",nonce=\"n\"", "other md5/0(a|n) ", NONE},
		{"NTLM", "other ", NONE},
		{"NTLM TlRMTVNTUAAB==, Digest realm=\"a\",nonce=\"n\"", "other md5/0(a|n) ", NONE},
		{"Bearer, Digest realm=\"a\",nonce=\"n\"", "other md5/0(a|n) ", NONE},
		{"Digest", "", BAD},
		{"Digest realm=\"a\"", "", BAD},
		{"Digest nonce=\"n\"", "", BAD},
		{"Digest realm=\"a\",nonce=\"\"", "", BAD},
		{"Digest realm=\"a,nonce=\"n\"", "", BAD},
		{"Digest realm=\"a\" nonce=\"n\"", "", BAD},
		{"Digest realm=\"a\",nonce=\"n\",nonce=\"m\"", "", BAD},
		{"Digest realm=\"a\",nonce=\"n\",opaque=", "", BAD},
		{"Digest realm=\"a\",nonce=\"n\\\"", "", BAD},
		{"Digest realm=\"a\",nonce=\"n\",=b", "", BAD},
		{"Digest,realm=\"a\",nonce=\"n\"", "", BAD},
		{"\"Digest\" realm=\"a\",nonce=\"n\"", "", BAD},
		{"Digest realm=\"a\",nonce=\"n\"; x", "", BAD},
		{"Basic realm=\"x\", Digest realm=\"a\"", "other ", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice rest = slice_of(rows[i].value);
		struct sip_challenge challenge;
		char room[512];
		struct text found = TEXT_IN(room);
		int err;

		while ((err = sip_challenge_next(&challenge, &rest)) == 0)
			describe(&found, &challenge);
		if (err != rows[i].end || strcmp(room, rows[i].found) != 0)
			fail_msg("row %zu: %d %s", i, err, room);
	}
}

/* The value of one parameter of an answer, without quotes. */
static struct slice value_of(const char *answer, const char *name)
{
	struct slice rest = slice_of(answer), part;

	slice_cut(&part, &rest, ' ');
	while (rest.len > 0) {
		struct slice key;

		slice_cut(&part, &rest, ',');
		part = slice_trim(part);
		slice_cut(&key, &part, '=');
		if (!slice_is(key, name))
			continue;
		if (part.len > 1 && part.data[0] == '"')
			part = (struct slice){part.data + 1, part.len - 2};
		return part;
	}
	return (struct slice){0};
}

struct vector {
	const char *challenge, *user, *password, *method, *uri, *body, *cnonce, *response;
};

/*
 * RFC 7616, section 3.9.1, for MD5 and SHA-256; RFC 2617, section 3.5, with the password that makes
 * its response; RFC 2069, section 2.4, with erratum 749. The responses of the others were computed
 * by Python's hashlib; those of RFC 7616, section 3.9.2, are not SHA-512/256.
 */
#define NONCE_7616                                                                                 \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\","                                  \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define CNONCE_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define DOE                                                                                        \
	"nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\","                                  \
	"opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\""

#define INVITE "alice", "secret", "INVITE", "sip:bob@sip.test", "v=0\r\n", "c1"

static const struct vector vectors[] = {
	{"Digest realm=\"http-auth@example.org\",qop=\"auth, auth-int\",algorithm=MD5," NONCE_7616,
		"Mufasa", "Circle of Life", "GET", "/dir/index.html", "", CNONCE_7616,
		"8ca523f5e9506fed4657c9700eebdbec"},
	{"Digest realm=\"http-auth@example.org\",qop=\"auth, "
	 "auth-int\",algorithm=SHA-256," NONCE_7616,
		"Mufasa", "Circle of Life", "GET", "/dir/index.html", "", CNONCE_7616,
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	{"Digest realm=\"testrealm@host.com\",qop=\"auth,auth-int\","
	 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
		"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "", "0a4f113b",
		"6629fae49393a05397450978507c4ef1"},
	{"Digest realm=\"testrealm@host.com\",nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
		"Mufasa", "CircleOfLife", "GET", "/dir/index.html", "", "x",
		"1949323746fe6a43ef61f9606e7febea"},
	{"Digest realm=\"api@example.org\",qop=auth,algorithm=SHA-512-256,userhash=true," DOE,
		"J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json", "",
		"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
		"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=MD5-sess,qop=auth", INVITE,
		"3f4ab893c78da3602bdf5cd7a558d993"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=MD5-sess,qop=auth-int", INVITE,
		"06c9c714ef105ef512fe77aea4085bf6"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=SHA-256-sess,qop=auth", INVITE,
		"cb6750fb132cb739806e86f78dd75d16025de1d460b5f8ab522c84b5764ff76c"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=SHA-256-sess,qop=auth-int", INVITE,
		"58de635fdf9c1984cd0d07e8711ab9cf4cd14a41d19d2617f2d93f206e7f94b0"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=SHA-512-256-sess,qop=auth", INVITE,
		"0f5b1c56ea86e09270576986e106e8a6cc404e2d674ba3caa33c20ff9b757877"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=SHA-512-256-sess,qop=auth-int", INVITE,
		"f8208edbc5076738af8a7765ad4169fb6dd7d2b8f25421ae8d7b197f3b0dd976"},
	{"Digest realm=\"sip.test\",nonce=\"n1\",algorithm=SHA-512-256,qop=auth-int", "alice",
		"secret", "REGISTER", "sip:sip.test", "", "c1",
		"1e0b0d13108dec8f29bfffd61348e90a3e42e26487ab414eb93524f177cf5fb4"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *row = &vectors[i];
		struct sip_claim claim = {slice_of(row->user), slice_of(row->password),
			slice_of(row->method), slice_of(row->uri), slice_of(row->body), 1,
			slice_of(row->cnonce)};
		struct slice rest = slice_of(row->challenge);
		struct sip_challenge challenge;
		char room[1024];
		struct text out = TEXT_IN(room);
		struct fault why;

		assert_int_equal(sip_challenge_next(&challenge, &rest), 0);
		assert_true(sip_challenge_is_known(&challenge));
		assert_int_equal(sip_digest_print(&out, &challenge, &claim, &why), 0);
		if (!slice_is(value_of(room, "response"), row->response))
			fail_msg("row %zu: %s", i, room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
