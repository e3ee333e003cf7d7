/**
 * @file digest_client.c  Answers to a carrier's challenge, with that
 * gateway's credentials and for its realm only.
 */
#include <string.h>
#include "digest.h"
#include "digest_fields.h"
#include "digest_hash.h"

#define CNONCE_LEN 24
#define FIRST_COUNT "00000001" /* each answer is to a nonce not used before */

/** The best of the challenges so far. */
struct offer {
	const struct credential *cred;
	struct digest_fields fields;
	unsigned algorithm;     /**< HA1_N: none yet                        */
	bool has_qop;
};


/* qop is a list, "auth,auth-int" */
static bool lists_auth(const struct pl *qop)
{
	struct pl rest = *qop;

	while (rest.l) {
		const char *comma = pl_strchr(&rest, ',');
		struct pl one = rest;

		one.l = comma ? (size_t)(comma - rest.p) : rest.l;
		pl_advance(&rest, (ssize_t)(one.l + (comma ? 1 : 0)));

		while (one.l && *one.p == ' ')
			pl_advance(&one, 1);
		while (one.l && one.p[one.l - 1] == ' ')
			--one.l;

		if (!pl_strcasecmp(&one, "auth"))
			return true;
	}

	return false;
}


static bool is_ours(const struct digest_fields *f,
		    const struct credential *cred, unsigned algorithm)
{
	char realm[REALM_SIZE];

	if (!f->realm.p || !f->nonce.p ||
	    digest_fields_text(realm, sizeof(realm), &f->realm) ||
	    strcmp(realm, cred->realm) != 0)
		return false;

	if (algorithm >= HA1_N ||
	    strlen(cred->ha1[algorithm]) != digest_hash_len(algorithm))
		return false;

	/* auth-int alone: we do not sign bodies */
	return !f->qop.p || lists_auth(&f->qop);
}


static bool offer_handler(const struct sip_hdr *hdr,
			  const struct sip_msg *msg, void *arg)
{
	struct offer *o = arg;
	struct digest_fields f;
	unsigned algorithm;
	(void)msg;

	if (digest_fields_decode(&f, &hdr->val))
		return false;

	/* HA1_MD5 .. HA1_SHA512_256 are in order of strength */
	algorithm = digest_hash_find(&f.algorithm);
	if (!is_ours(&f, o->cred, algorithm) ||
	    (o->algorithm < HA1_N && algorithm <= o->algorithm))
		return false;

	o->fields = f;
	o->algorithm = algorithm;
	o->has_qop = f.qop.p != NULL;

	return false;
}


static int answer_print(struct mbuf *mb, bool is_proxy, const struct offer *o,
			const struct digest_input *in, const char *response)
{
	const struct digest_fields *f = &o->fields;
	int err;

	err = mbuf_printf(mb,
			  "%sAuthorization: Digest username=\"%H\","
			  " realm=\"%r\", nonce=\"%r\", uri=\"%r\","
			  " response=\"%s\"",
			  is_proxy ? "Proxy-" : "",
			  digest_fields_escape, o->cred->username,
			  &f->realm, &f->nonce, &in->uri, response);

	if (f->algorithm.l)
		err |= mbuf_printf(mb, ", algorithm=%s",
				   digest_hash_name(o->algorithm));
	if (o->has_qop)
		err |= mbuf_printf(mb, ", cnonce=\"%r\", qop=auth, nc=%r",
				   &in->cnonce, &in->nc);
	if (f->opaque.p)
		err |= mbuf_printf(mb, ", opaque=\"%r\"", &f->opaque);

	err |= mbuf_write_str(mb, "\r\n");

	return err ? ENOMEM : 0;
}


static bool is_quotable(const char *uri)
{
	for (; *uri; ++uri)
		if (*uri <= ' ' || *uri == '"' || *uri == '\\')
			return false;

	return true;
}


int digest_answer(struct mbuf *mb, const struct sip_msg *challenge,
		  const struct credential *cred, const char *method,
		  const char *uri, struct rng *rng, bool was_answered)
{
	struct offer o = {.cred = cred, .algorithm = HA1_N};
	char response[DIGEST_HEX_SIZE], cnonce[CNONCE_LEN + 1];
	struct digest_input in;
	bool is_proxy;
	size_t pos, end;
	int err;

	if (!mb || !challenge || !cred || !method || !uri || !rng ||
	    !is_quotable(uri))
		return EINVAL;

	is_proxy = challenge->scode == 407;
	if (!cred->username[0] || (!is_proxy && challenge->scode != 401))
		return ENOENT;

	sip_msg_hdr_apply(challenge, true,
			  is_proxy ? SIP_HDR_PROXY_AUTHENTICATE
				   : SIP_HDR_WWW_AUTHENTICATE,
			  offer_handler, &o);
	if (o.algorithm == HA1_N)
		return ENOENT;

	if (was_answered && pl_strcasecmp(&o.fields.stale, "true"))
		return EALREADY;

	memset(&in, 0, sizeof(in));
	in.ha1 = cred->ha1[o.algorithm];
	in.nonce = o.fields.nonce;
	pl_set_str(&in.method, method);
	pl_set_str(&in.uri, uri);
	if (o.has_qop) {
		rng_token(rng, cnonce, CNONCE_LEN);
		pl_set_str(&in.cnonce, cnonce);
		pl_set_str(&in.nc, FIRST_COUNT);
		pl_set_str(&in.qop, "auth");
	}

	err = digest_hash_response(response, o.algorithm, &in);
	if (err)
		return err;

	pos = mb->pos;
	end = mb->end;
	err = answer_print(mb, is_proxy, &o, &in, response);
	if (err) {
		mb->pos = pos;
		mb->end = end;
	}

	return err;
}
