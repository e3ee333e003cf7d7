/**
 * @file digest.c  Fuzz: a Digest header value as parsed, as a client's answer
 * that we check, and as a carrier's challenge that we answer.
 */
#include <stdlib.h>
#include <string.h>
#include "digest.h"
#include "digest_fields.h"
#include "digest_hash.h"
#include "text.h"

#define VALUE_MAX 8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct realm realm = {
	.name = "a.b", .algorithms = {HA1_MD5, HA1_SHA256, HA1_SHA512_256},
	.algorithm_n = HA1_N,
};
static struct trunk trunk;
static struct credential cred = {
	.username = "bob", .realm = "a.b", .trunk = &trunk,
};
static struct digest_server *server;
static struct sa src;
static struct rng *rng;
static const struct moment now = {0, INT64_C(1800000000000000)};
static char ours[DIGEST_FIELD_MAX]; /**< "Digest nonce=...,": by the server */


/* In place of the catalog's lookup. */
const struct credential *catalog_credential(const struct catalog *c,
					    const char *name,
					    const char *username)
{
	(void)c;
	(void)name;
	return strcmp(username, cred.username) ? NULL : &cred;
}


static void prepare(void)
{
	static const uint8_t secret[32] = "fuzz";
	struct pl a1 = PL("bob:a.b:secret"), nonce;
	struct mbuf *mb = mbuf_alloc(512);
	unsigned i;

	for (i = 0; i < HA1_N; i++)
		if (digest_hash_hex(cred.ha1[i], i, &a1, 1))
			abort();

	if (digest_server_alloc(&server, secret, 300, 16) ||
	    rng_seeded(&rng, 1))
		abort();

	sa_set_in(&src, 0xc0000201, 5060);
	if (digest_challenge(mb, server, &now, &realm, false, &src, false) ||
	    re_regex((char *)mb->buf, mb->end, "nonce=\"[0-9a-f]+\"",
		     &nonce) ||
	    re_snprintf(ours, sizeof(ours), "Digest nonce=\"%r\", ", &nonce)
		    < 0)
		abort();
	mem_deref(mb);
}


static bool is_inside(const struct pl *field, const struct pl *value)
{
	return !field->p || (field->p >= value->p &&
			     field->p + field->l <= value->p + value->l);
}


static void parse(const struct pl *value)
{
	char text[DIGEST_FIELD_MAX + 1];
	struct digest_fields f;

	if (digest_fields_decode(&f, value))
		return;

	if (!is_inside(&f.username, value) || !is_inside(&f.stale, value) ||
	    f.username.l > DIGEST_FIELD_MAX ||
	    digest_fields_text(text, sizeof(text), &f.username) ||
	    strlen(text) > f.username.l)
		abort();
}


static struct sip_msg *message(const char *start, const char *prefix,
			       const struct pl *value)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg = NULL;

	if (!mb || mbuf_printf(mb, "%s%s%r\r\nCSeq: 1 INVITE\r\n\r\n", start,
			       prefix, value))
		abort();

	mb->pos = 0;
	if (sip_msg_decode(&msg, mb))
		msg = NULL;
	mem_deref(mb);

	return msg;
}


static void check(const char *prefix, const struct pl *value)
{
	const struct credential *found = NULL;
	enum digest_verdict v;
	char user[USER_SIZE];
	struct sip_msg *msg;

	msg = message("INVITE sip:x@a.b SIP/2.0\r\nAuthorization: ", prefix,
		      value);
	if (!msg)
		return;

	(void)digest_user(msg, &realm, false, user, sizeof(user));
	v = digest_check(server, &now, NULL, &realm, false, msg, &src, &found);
	if ((v == DIGEST_OK) != (found != NULL))
		abort();

	mem_deref(msg);
}


/* Whatever the carrier wrote: one header line comes out, or none. */
static void answer(const struct pl *value)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg;
	size_t i;
	int err;

	msg = message("SIP/2.0 401 No\r\nWWW-Authenticate: ", "", value);
	if (!msg)
		goto out;

	err = digest_answer(mb, msg, &cred, "INVITE", "sip:x@a.b", rng,
			    false);
	if (err ? mb->end != 0 : mb->end < 2)
		abort();

	for (i = 0; !err && i + 2 < mb->end; i++)
		if (mb->buf[i] < ' ')
			abort();

out:
	mem_deref(msg);
	mem_deref(mb);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pl value = {(const char *)data, size};

	if (!server)
		prepare();

	if (!size || size > VALUE_MAX)
		return 0;

	parse(&value);
	check("", &value);
	check(ours, &value); /* a fuzzer guesses no nonce */
	answer(&value);

	return 0;
}
