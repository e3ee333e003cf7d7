/**
 * @file digest.c  Tests: vectors of RFC 7616, challenge and check, stale,
 * replay, equal work for unknown users, answers to carriers.
 */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>
#include "digest.h"
#include "digest_fields.h"
#include "digest_hash.h"
#include "fake_catalog.h"
#include "metric.h"
#include "text.h"

#define URI "sip:+4930123@voip.example.com"

static const uint8_t secret[32] = "a secret that the nodes share..";

/** Both ends of an exchange. */
struct bench {
	struct catalog *cat;
	struct digest_server *d;
	const struct realm *realm;
	struct credential user;  /**< as the client knows it             */
	struct rng *rng;
	struct sa src;
	struct moment now;
};


static void bench_open(struct bench *b, unsigned first, size_t nonces_max)
{
	const struct trunk *trunk;

	memset(b, 0, sizeof(*b));
	b->cat = fake_catalog();
	b->realm = fake_realm(b->cat, "voip.example.com", first, HA1_N, HA1_N);
	trunk = fake_trunk(b->cat, "trk_1");
	b->user = *fake_credential(b->cat, b->realm->name, "pbx", "s3cret",
				   trunk);
	b->src = fake_sa("192.0.2.1", 5060);
	b->now.wall_us = INT64_C(1800000000) * 1000000;
	cr_assert_eq(digest_server_alloc(&b->d, secret, 300, nonces_max), 0);
	cr_assert_eq(rng_seeded(&b->rng, 7), 0);
}


static void bench_close(struct bench *b)
{
	mem_deref(b->d);
	mem_deref(b->cat);
	mem_deref(b->rng);
}


static struct sip_msg *challenge(struct bench *b)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct sip_msg *msg;

	cr_assert_eq(digest_challenge(mb, b->d, &b->now, b->realm, false,
				      &b->src, false), 0);
	msg = fake_message("SIP/2.0 401 Unauthorized\n"
			   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n"
			   "%b\n", mb->buf, mb->end);
	mem_deref(mb);

	return msg;
}


/* The client's request with its answer to a challenge. */
static struct sip_msg *request(struct bench *b, const char *method,
			       const char *uri, const struct sip_msg *chall,
			       const struct credential *cred)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct sip_msg *msg;

	cr_assert_eq(digest_answer(mb, chall, cred, method, uri, b->rng,
				   false), 0);
	msg = fake_message("%s %s SIP/2.0\n"
			   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n"
			   "%b\n", method, uri, mb->buf, mb->end);
	mem_deref(mb);

	return msg;
}


static enum digest_verdict check(struct bench *b, const struct sip_msg *msg)
{
	return digest_check(b->d, &b->now, b->cat, b->realm, false, msg,
			    &b->src, NULL);
}


/* A request whose Authorization is written by hand over a real nonce; %s in
   fmt are nonce and response. */
static struct sip_msg *request_raw(struct bench *b, const char *fmt,
				   const char *nc, const char *qop)
{
	struct sip_msg *chall = challenge(b), *msg;
	struct digest_fields f;
	char hex[DIGEST_HEX_SIZE], auth[512];
	struct digest_input in = {.ha1 = b->user.ha1[HA1_MD5]};

	cr_assert_eq(digest_fields_decode(&f,
		&sip_msg_hdr(chall, SIP_HDR_WWW_AUTHENTICATE)->val), 0);
	in.nonce = f.nonce;
	pl_set_str(&in.nc, nc);
	pl_set_str(&in.qop, qop);
	pl_set_str(&in.cnonce, "c");
	pl_set_str(&in.method, "INVITE");
	pl_set_str(&in.uri, URI);
	cr_assert_eq(digest_hash_response(hex, HA1_MD5, &in), 0);

	re_snprintf(auth, sizeof(auth), fmt, &f.nonce, hex);
	msg = fake_message("INVITE " URI " SIP/2.0\nAuthorization: %s\n\n",
			   auth);
	mem_deref(chall);

	return msg;
}


static int64_t hashes(void)
{
	return metric_value(metric_counter("strowger_digest_hashes_total",
					   NULL, ""));
}


/* RFC 7616 3.9.1 */
static struct digest_input rfc_input(const char *ha1)
{
	struct digest_input in = {
		.ha1 = ha1,
		.nonce = PL("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
		.nc = PL("00000001"),
		.cnonce = PL("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
		.qop = PL("auth"),
		.method = PL("GET"),
		.uri = PL("/dir/index.html"),
	};

	return in;
}


static void rfc_response(char hex[DIGEST_HEX_SIZE], unsigned algorithm)
{
	struct pl a1 = PL("Mufasa:http-auth@example.org:Circle of Life");
	char ha1[DIGEST_HEX_SIZE];
	struct digest_input in;

	cr_assert_eq(digest_hash_hex(ha1, algorithm, &a1, 1), 0);
	in = rfc_input(ha1);
	cr_assert_eq(digest_hash_response(hex, algorithm, &in), 0);
}


Test(digest, rfc7616_vectors)
{
	char hex[DIGEST_HEX_SIZE];

	rfc_response(hex, HA1_MD5);
	cr_expect_str_eq(hex, "8ca523f5e9506fed4657c9700eebdbec");
	rfc_response(hex, HA1_SHA256);
	cr_expect_str_eq(hex, "753927fa0e85d155564e2e272a28d1802ca10daf4496"
			      "794697cf8db5856cb6c1");
}


static void hash_otherwise(char hex[DIGEST_HEX_SIZE], const char *text)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n;

	cr_assert(EVP_Digest(text, strlen(text), md, &n, EVP_sha512_256(),
			     NULL));
	text_hex(hex, md, n);
}


/* The RFC's own SHA-512-256 example is disputed (erratum): the text of
   3.4.1 put together here, hashed by OpenSSL's other interface. */
Test(digest, sha512_256_by_another_path)
{
	char ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE];
	char hex[DIGEST_HEX_SIZE], want[DIGEST_HEX_SIZE], text[512];

	hash_otherwise(ha1, "Mufasa:http-auth@example.org:Circle of Life");
	hash_otherwise(ha2, "GET:/dir/index.html");
	text_format(text, sizeof(text),
		    "%s:7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:"
		    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:%s",
		    ha1, ha2);
	hash_otherwise(want, text);

	rfc_response(hex, HA1_SHA512_256);
	cr_expect_str_eq(hex, want);
}


/* RFC 2617 3.5, without qop: HA1:nonce:HA2 */
Test(digest, response_without_qop)
{
	struct pl a1 = PL("Mufasa:testrealm@host.com:Circle Of Life");
	char ha1[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	struct digest_input in = {
		.ha1 = ha1,
		.nonce = PL("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
		.method = PL("GET"),
		.uri = PL("/dir/index.html"),
	};

	cr_assert_eq(digest_hash_hex(ha1, HA1_MD5, &a1, 1), 0);
	cr_assert_eq(digest_hash_response(hex, HA1_MD5, &in), 0);
	cr_expect_str_eq(hex, "670fd8c2df070c60b045671b8b24ff02");
}


Test(digest, every_algorithm_end_to_end)
{
	unsigned a;

	for (a = 0; a < HA1_N; a++) {
		const struct credential *cred = NULL;
		struct sip_msg *chall, *req;
		struct bench b;

		bench_open(&b, a, 10);
		chall = challenge(&b);
		req = request(&b, "INVITE", URI, chall, &b.user);
		cr_expect_eq(digest_check(b.d, &b.now, b.cat, b.realm, false,
					  req, &b.src, &cred), DIGEST_OK);
		cr_assert(cred);
		cr_expect_str_eq(cred->username, "pbx");
		mem_deref(chall);
		mem_deref(req);
		bench_close(&b);
	}
}


Test(digest, challenge_lists_algorithms_in_the_realms_order)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct realm realm = {.name = "r\"x", .algorithms =
		{HA1_SHA512_256, HA1_SHA256, HA1_MD5}, .algorithm_n = 3};
	struct bench b;
	char *text, *p;

	bench_open(&b, HA1_MD5, 10);
	cr_assert_eq(digest_challenge(mb, b.d, &b.now, &realm, true, &b.src,
				      true), 0);
	mb->pos = 0;
	cr_assert_eq(mbuf_strdup(mb, &text, mb->end), 0);

	p = strstr(text, "algorithm=SHA-512-256,");
	cr_assert(p);
	p = strstr(p, "algorithm=SHA-256,");
	cr_assert(p);
	cr_assert(strstr(p, "algorithm=MD5,"));
	cr_expect_eq(strncmp(text, "Proxy-Authenticate: Digest "
				   "realm=\"r\\\"x\", nonce=\"", 45), 0);
	cr_expect(strstr(text, "qop=\"auth\", stale=true\r\n"));

	mem_deref(text);
	mem_deref(mb);
	bench_close(&b);
}


Test(digest, no_credentials)
{
	struct sip_msg *none, *other;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	none = fake_message("INVITE " URI " SIP/2.0\nCSeq: 1 INVITE\n\n");
	other = fake_message("INVITE " URI " SIP/2.0\n"
		"Authorization: Digest username=\"pbx\", realm=\"else\"\n"
		"Authorization: Basic xyz\n\n");
	cr_expect_eq(check(&b, none), DIGEST_NONE);
	cr_expect_eq(check(&b, other), DIGEST_NONE);
	mem_deref(none);
	mem_deref(other);
	bench_close(&b);
}


Test(digest, ours_is_found_among_others)
{
	struct sip_msg *chall, *req, *both;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	chall = challenge(&b);
	req = request(&b, "INVITE", URI, chall, &b.user);
	both = fake_message("INVITE " URI " SIP/2.0\n"
		"Authorization: Digest username=\"x\", realm=\"else\"\n"
		"Authorization: %r\n\n",
		&sip_msg_hdr(req, SIP_HDR_AUTHORIZATION)->val);
	cr_expect_eq(check(&b, both), DIGEST_OK);
	mem_deref(chall);
	mem_deref(req);
	mem_deref(both);
	bench_close(&b);
}


Test(digest, unknown_user_is_as_wrong_and_costs_as_much)
{
	struct credential guess, nobody, no_ha1;
	struct sip_msg *chall, *msg[3];
	int64_t work[3];
	struct bench b;
	int i;

	bench_open(&b, HA1_SHA256, 10);
	guess = nobody = b.user;
	fake_ha1(&guess, "wrong");
	text_copy(nobody.username, sizeof(nobody.username), "nobody");
	fake_ha1(&nobody, "wrong");
	no_ha1 = *fake_credential(b.cat, b.realm->name, "old", "s3cret",
				  b.user.trunk);
	b.cat->credentials[1].ha1[HA1_SHA256][0] = '\0';

	chall = challenge(&b);
	msg[0] = request(&b, "INVITE", URI, chall, &guess);
	msg[1] = request(&b, "INVITE", URI, chall, &nobody);
	msg[2] = request(&b, "INVITE", URI, chall, &no_ha1);

	for (i = 0; i < 3; i++) {
		int64_t before = hashes();

		cr_expect_eq(check(&b, msg[i]), DIGEST_WRONG, "%d", i);
		work[i] = hashes() - before;
		mem_deref(msg[i]);
	}

	cr_expect_eq(work[0], 2);
	cr_expect_eq(work[1], work[0]);
	cr_expect_eq(work[2], work[0]);

	mem_deref(chall);
	bench_close(&b);
}


Test(digest, gateways_credentials_open_no_door)
{
	struct sip_msg *chall, *req;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	b.cat->credentials[0].trunk = NULL;
	chall = challenge(&b);
	req = request(&b, "INVITE", URI, chall, &b.user);
	cr_expect_eq(check(&b, req), DIGEST_WRONG);
	mem_deref(chall);
	mem_deref(req);
	bench_close(&b);
}


Test(digest, stale_only_when_otherwise_right)
{
	struct sip_msg *chall, *right, *wrong;
	struct credential guess;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	guess = b.user;
	fake_ha1(&guess, "wrong");
	chall = challenge(&b);
	right = request(&b, "REGISTER", URI, chall, &b.user);
	wrong = request(&b, "REGISTER", URI, chall, &guess);

	b.now.wall_us += INT64_C(300) * 1000000;
	cr_expect_eq(check(&b, right), DIGEST_OK, "as old as allowed");
	b.now.wall_us += 1000000;
	cr_expect_eq(check(&b, right), DIGEST_STALE);
	cr_expect_eq(check(&b, wrong), DIGEST_WRONG);

	b.now.wall_us -= INT64_C(602) * 1000000;
	cr_expect_eq(check(&b, right), DIGEST_STALE, "clock set back");

	mem_deref(chall);
	mem_deref(right);
	mem_deref(wrong);
	bench_close(&b);
}


Test(digest, nonce_is_bound_to_source_realm_and_secret)
{
	const struct realm *other;
	struct sip_msg *chall, *req;
	struct digest_server *d2;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	chall = challenge(&b);
	req = request(&b, "INVITE", URI, chall, &b.user);

	b.src = fake_sa("192.0.2.2", 5060);
	cr_expect_eq(check(&b, req), DIGEST_STALE, "another source");
	b.src = fake_sa("2001:db8::1", 5060);
	cr_expect_eq(check(&b, req), DIGEST_STALE, "another family");
	b.src = fake_sa("192.0.2.1", 61000);
	cr_expect_eq(check(&b, req), DIGEST_OK, "the port may differ");

	other = fake_realm(b.cat, "voip.example.org", HA1_MD5, HA1_N, HA1_N);
	cr_expect_eq(digest_check(b.d, &b.now, b.cat, other, false, req,
				  &b.src, NULL), DIGEST_NONE);

	cr_assert_eq(digest_server_alloc(&d2, (const uint8_t *)
		"another secret of 32 bytes......", 300, 10), 0);
	cr_expect_eq(digest_check(d2, &b.now, b.cat, b.realm, false, req,
				  &b.src, NULL), DIGEST_STALE);
	mem_deref(d2);
	mem_deref(chall);
	mem_deref(req);
	bench_close(&b);
}


/* Guessing over a forged nonce would otherwise tell right from wrong. */
Test(digest, foreign_nonce_says_nothing_of_the_password)
{
	struct sip_msg *chall, *req;
	struct credential guess;
	struct bench b;
	int64_t before;

	bench_open(&b, HA1_MD5, 10);
	guess = b.user;
	fake_ha1(&guess, "wrong");
	chall = fake_message("SIP/2.0 401 No\nWWW-Authenticate: Digest "
		"realm=\"voip.example.com\", nonce=\"0123\", qop=\"auth\"\n\n");
	req = request(&b, "INVITE", URI, chall, &guess);
	before = hashes();
	cr_expect_eq(check(&b, req), DIGEST_STALE);
	cr_expect_eq(hashes(), before);
	mem_deref(chall);
	mem_deref(req);
	bench_close(&b);
}


Test(digest, replay_is_refused)
{
	struct sip_msg *chall, *req;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	chall = challenge(&b);
	req = request(&b, "INVITE", URI, chall, &b.user);
	cr_expect_eq(check(&b, req), DIGEST_OK);
	cr_expect_eq(check(&b, req), DIGEST_REPLAY);
	mem_deref(chall);
	mem_deref(req);
	bench_close(&b);
}


/* Requests over one nonce with the counts given. */
static enum digest_verdict count_again(struct bench *b, const struct pl *nonce,
				       uint32_t nc)
{
	char hex[DIGEST_HEX_SIZE], count[16];
	struct digest_input in = {.ha1 = b->user.ha1[HA1_MD5],
				  .nonce = *nonce};
	enum digest_verdict v;
	struct sip_msg *msg;

	text_format(count, sizeof(count), "%08x", nc);
	pl_set_str(&in.nc, count);
	pl_set_str(&in.qop, "auth");
	pl_set_str(&in.cnonce, "c");
	pl_set_str(&in.method, "INVITE");
	pl_set_str(&in.uri, URI);
	cr_assert_eq(digest_hash_response(hex, HA1_MD5, &in), 0);
	msg = fake_message("INVITE " URI " SIP/2.0\nAuthorization: Digest "
		"username=\"pbx\", realm=\"voip.example.com\", nonce=\"%r\", "
		"uri=\"" URI "\", response=\"%s\", qop=auth, nc=%s, "
		"cnonce=\"c\"\n\n", nonce, hex, count);
	v = check(b, msg);
	mem_deref(msg);

	return v;
}


Test(digest, counts_in_a_window)
{
	struct digest_fields f;
	struct sip_msg *chall;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	chall = challenge(&b);
	cr_assert_eq(digest_fields_decode(&f,
		&sip_msg_hdr(chall, SIP_HDR_WWW_AUTHENTICATE)->val), 0);

	cr_expect_eq(count_again(&b, &f.nonce, 0), DIGEST_MALFORMED);
	cr_expect_eq(count_again(&b, &f.nonce, 3), DIGEST_OK);
	cr_expect_eq(count_again(&b, &f.nonce, 1), DIGEST_OK, "overtaken");
	cr_expect_eq(count_again(&b, &f.nonce, 1), DIGEST_REPLAY);
	cr_expect_eq(count_again(&b, &f.nonce, 3), DIGEST_REPLAY);
	cr_expect_eq(count_again(&b, &f.nonce, 66), DIGEST_OK);
	cr_expect_eq(count_again(&b, &f.nonce, 3), DIGEST_REPLAY, "in it");
	cr_expect_eq(count_again(&b, &f.nonce, 4), DIGEST_OK);
	cr_expect_eq(count_again(&b, &f.nonce, 2), DIGEST_REPLAY, "behind");
	cr_expect_eq(count_again(&b, &f.nonce, 1000), DIGEST_OK);
	cr_expect_eq(count_again(&b, &f.nonce, 1000), DIGEST_REPLAY);
	cr_expect_eq(count_again(&b, &f.nonce, 999), DIGEST_OK);

	mem_deref(chall);
	bench_close(&b);
}


Test(digest, full_table_forgets_but_takes_no_replay)
{
	struct sip_msg *chall[3], *req[3];
	struct bench b;
	int i;

	bench_open(&b, HA1_MD5, 1);
	for (i = 0; i < 3; i++) {
		chall[i] = challenge(&b);
		req[i] = request(&b, "INVITE", URI, chall[i], &b.user);
		b.now.wall_us += 1000000;
	}

	cr_expect_eq(check(&b, req[1]), DIGEST_OK);
	cr_expect_eq(check(&b, req[2]), DIGEST_OK, "drops the count of 1");
	cr_expect_eq(check(&b, req[1]), DIGEST_STALE, "not taken again");
	cr_expect_eq(check(&b, req[0]), DIGEST_STALE, "as old: not sure");
	cr_expect_eq(check(&b, req[2]), DIGEST_REPLAY);

	for (i = 0; i < 3; i++) {
		mem_deref(chall[i]);
		mem_deref(req[i]);
	}
	bench_close(&b);
}


Test(digest, two_challenges_of_one_second_differ)
{
	struct sip_msg *one, *two, *a, *c;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	one = challenge(&b);
	two = challenge(&b);
	a = request(&b, "INVITE", URI, one, &b.user);
	c = request(&b, "INVITE", URI, two, &b.user);
	cr_expect_eq(check(&b, a), DIGEST_OK);
	cr_expect_eq(check(&b, c), DIGEST_OK);
	mem_deref(one);
	mem_deref(two);
	mem_deref(a);
	mem_deref(c);
	bench_close(&b);
}


static enum digest_verdict invite_with_uri(struct bench *b, const char *ruri,
					   const char *digest_uri)
{
	struct sip_msg *chall = challenge(b), *req, *moved;
	enum digest_verdict v;

	req = request(b, "INVITE", digest_uri, chall, &b->user);
	moved = fake_message("INVITE %s SIP/2.0\nAuthorization: %r\n\n", ruri,
		&sip_msg_hdr(req, SIP_HDR_AUTHORIZATION)->val);
	v = check(b, moved);
	mem_deref(chall);
	mem_deref(req);
	mem_deref(moved);

	return v;
}


Test(digest, answer_to_one_number_buys_no_other)
{
	struct bench b;

	bench_open(&b, HA1_MD5, 100);
	cr_expect_eq(invite_with_uri(&b, "sip:+881@voip.example.com", URI),
		     DIGEST_MALFORMED);
	cr_expect_eq(invite_with_uri(&b, "sip:+4930123@else.example.com",
				     URI), DIGEST_MALFORMED);
	cr_expect_eq(invite_with_uri(&b, "sip:+4930123@VOIP.example.com:5060"
				     ";transport=udp", URI), DIGEST_OK);
	cr_expect_eq(invite_with_uri(&b, "sip:+4930123;npdi=yes"
				     "@voip.example.com", URI), DIGEST_OK);
	cr_expect_eq(invite_with_uri(&b, URI, "sip:voip.example.com"),
		     DIGEST_MALFORMED);
	bench_close(&b);
}


Test(digest, method_is_part_of_it)
{
	struct sip_msg *chall, *req, *invite;
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	chall = challenge(&b);
	req = request(&b, "REGISTER", URI, chall, &b.user);
	invite = fake_message("INVITE " URI " SIP/2.0\nAuthorization: %r\n\n",
		&sip_msg_hdr(req, SIP_HDR_AUTHORIZATION)->val);
	cr_expect_eq(check(&b, invite), DIGEST_WRONG);
	cr_expect_eq(check(&b, req), DIGEST_OK);
	mem_deref(chall);
	mem_deref(req);
	mem_deref(invite);
	bench_close(&b);
}


#define AUTH "Digest username=\"pbx\", realm=\"voip.example.com\", " \
	"nonce=\"%r\", uri=\"" URI "\", response=\"%s\""

Test(digest, what_an_answer_must_have)
{
	static const struct {
		const char *auth, *nc, *qop;
		enum digest_verdict v;
	} rows[] = {
		{AUTH ", qop=auth, nc=00000001, cnonce=\"c\"",
		 "00000001", "auth", DIGEST_OK},
		{AUTH ", qop=auth, nc=00000001, cnonce=\"c\", algorithm=md5",
		 "00000001", "auth", DIGEST_OK},
		{AUTH, "", "", DIGEST_WRONG},
		{AUTH ", qop=auth-int, nc=00000001, cnonce=\"c\"",
		 "00000001", "auth-int", DIGEST_WRONG},
		{AUTH ", qop=auth, nc=00000001, cnonce=\"c\", "
		 "algorithm=SHA-256", "00000001", "auth", DIGEST_WRONG},
		{AUTH ", qop=auth, nc=00000001, cnonce=\"c\", "
		 "algorithm=MD5-sess", "00000001", "auth", DIGEST_WRONG},
		{AUTH ", qop=auth, nc=1, cnonce=\"c\"",
		 "1", "auth", DIGEST_MALFORMED},
		{AUTH ", qop=auth, nc=0000000x, cnonce=\"c\"",
		 "0000000x", "auth", DIGEST_MALFORMED},
		{AUTH ", qop=auth, nc=00000001",
		 "00000001", "auth", DIGEST_MALFORMED},
		{AUTH ", qop=auth, nc=00000001, cnonce=\"c\", uri=\"x\"",
		 "00000001", "auth", DIGEST_MALFORMED},
		{AUTH "00, qop=auth, nc=00000001, cnonce=\"c\"",
		 "00000001", "auth", DIGEST_MALFORMED},
		{"Digest realm=\"voip.example.com\", nonce=\"%r\", "
		 "uri=\"" URI "\", response=\"%s\"",
		 "", "", DIGEST_MALFORMED},
	};
	struct bench b;
	size_t i;

	bench_open(&b, HA1_MD5, 100);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_msg *msg = request_raw(&b, rows[i].auth,
						  rows[i].nc, rows[i].qop);

		cr_expect_eq(check(&b, msg), rows[i].v, "row %zu: %d", i,
			     check(&b, msg));
		mem_deref(msg);
	}
	bench_close(&b);
}


Test(digest, user_before_any_check)
{
	struct sip_msg *msg, *none;
	char user[8];
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	msg = request_raw(&b, AUTH, "", "");
	none = fake_message("INVITE " URI " SIP/2.0\nCSeq: 1 INVITE\n\n");
	cr_expect_eq(digest_user(msg, b.realm, false, user, sizeof(user)), 0);
	cr_expect_str_eq(user, "pbx");
	cr_expect_eq(digest_user(msg, b.realm, false, user, 3), EOVERFLOW);
	cr_expect_eq(digest_user(msg, b.realm, true, user, 8), ENOENT);
	cr_expect_eq(digest_user(none, b.realm, false, user, 8), ENOENT);
	mem_deref(msg);
	mem_deref(none);
	bench_close(&b);
}


/* --- answers to carriers */

static int answer(struct bench *b, char *buf, size_t size, const char *head,
		  bool was_answered)
{
	struct sip_msg *msg = fake_message("%s\n\n", head);
	struct mbuf *mb = mbuf_alloc(64);
	int err;

	err = digest_answer(mb, msg, &b->user, "INVITE", URI, b->rng,
			    was_answered);
	re_snprintf(buf, size, "%b", mb->buf, mb->end);
	if (err)
		cr_expect_eq(mb->end, 0);
	mem_deref(mb);
	mem_deref(msg);

	return err;
}


#define WWW "WWW-Authenticate: Digest realm=\"voip.example.com\", nonce=\"n1\""

Test(digest, strongest_algorithm_is_answered)
{
	static const char all[] = "SIP/2.0 401 No\n"
		WWW ", algorithm=MD5, qop=\"auth\"\n"
		WWW ", algorithm=SHA-512-256, qop=\"auth-int, auth\", "
		"opaque=\"o\\\"\"\n"
		WWW ", algorithm=SHA-256, qop=\"auth\"";
	struct bench b;
	char buf[1024];

	bench_open(&b, HA1_MD5, 10);
	cr_assert_eq(answer(&b, buf, sizeof(buf), all, false), 0);
	cr_expect_eq(strncmp(buf, "Authorization: Digest username=\"pbx\", "
			     "realm=\"voip.example.com\", nonce=\"n1\"", 70),
		     0);
	cr_expect(strstr(buf, "algorithm=SHA-512-256"));
	cr_expect(strstr(buf, "qop=auth, nc=00000001"));
	cr_expect(strstr(buf, "opaque=\"o\\\"\"\r\n"));

	b.user.ha1[HA1_SHA512_256][0] = '\0';
	cr_assert_eq(answer(&b, buf, sizeof(buf), all, false), 0);
	cr_expect(strstr(buf, "algorithm=SHA-256"));

	b.user.ha1[HA1_SHA256][0] = '\0';
	cr_assert_eq(answer(&b, buf, sizeof(buf), all, false), 0);
	cr_expect(strstr(buf, "algorithm=MD5"));

	b.user.ha1[HA1_MD5][0] = '\0';
	cr_expect_eq(answer(&b, buf, sizeof(buf), all, false), ENOENT);
	bench_close(&b);
}


Test(digest, only_our_realm_is_answered)
{
	struct bench b;
	char buf[1024];

	bench_open(&b, HA1_MD5, 10);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
		"WWW-Authenticate: Digest realm=\"voip.example.com.evil\", "
		"nonce=\"n\"", false), ENOENT);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
		"WWW-Authenticate: Digest realm=\"VOIP.example.com\", "
		"nonce=\"n\"", false), ENOENT);
	cr_expect_eq(answer(&b, buf, sizeof(buf),
			    "SIP/2.0 403 No\n" WWW, false), ENOENT);
	cr_expect_eq(answer(&b, buf, sizeof(buf),
			    "SIP/2.0 407 No\n" WWW, false), ENOENT);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
			    WWW ", qop=\"auth-int\"", false), ENOENT);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
			    WWW ", algorithm=MD5-sess", false), ENOENT);

	b.user.username[0] = '\0';
	cr_expect_eq(answer(&b, buf, sizeof(buf),
			    "SIP/2.0 401 No\n" WWW, false), ENOENT);
	bench_close(&b);
}


Test(digest, refused_answer_is_not_tried_again)
{
	struct bench b;
	char buf[1024];

	bench_open(&b, HA1_MD5, 10);
	cr_expect_eq(answer(&b, buf, sizeof(buf),
			    "SIP/2.0 401 No\n" WWW, true), EALREADY);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
			    WWW ", stale=FALSE", true), EALREADY);
	cr_expect_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 401 No\n"
			    WWW ", stale=TRUE", true), 0);
	bench_close(&b);
}


Test(digest, proxy_challenge_and_old_form)
{
	struct bench b;
	char buf[1024];

	bench_open(&b, HA1_MD5, 10);
	cr_assert_eq(answer(&b, buf, sizeof(buf), "SIP/2.0 407 No\n"
		"Proxy-Authenticate: Digest realm=\"voip.example.com\", "
		"nonce=\"n\"", false), 0);
	cr_expect_eq(strncmp(buf, "Proxy-Authorization: Digest ", 28), 0);
	cr_expect_null(strstr(buf, "qop"));
	cr_expect_null(strstr(buf, "algorithm"));
	bench_close(&b);
}


Test(digest, uri_that_breaks_out_is_refused)
{
	struct sip_msg *msg = fake_message("SIP/2.0 401 No\n" WWW "\n\n");
	struct mbuf *mb = mbuf_alloc(64);
	struct bench b;

	bench_open(&b, HA1_MD5, 10);
	cr_expect_eq(digest_answer(mb, msg, &b.user, "INVITE", "sip:a\"b",
				   b.rng, false), EINVAL);
	cr_expect_eq(digest_answer(mb, msg, &b.user, "INVITE", "sip:a\r\nb",
				   b.rng, false), EINVAL);
	mem_deref(mb);
	mem_deref(msg);
	bench_close(&b);
}
