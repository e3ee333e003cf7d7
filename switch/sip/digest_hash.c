/**
 * @file digest_hash.c  Digest responses over OpenSSL.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include "catalog.h"
#include "digest_hash.h"
#include "metric.h"
#include "text.h"

static const struct {
	const char *name;       /**< RFC 7616 6.1                           */
	const char *fetch;      /**< OpenSSL's name                         */
	size_t hex_len;
} algorithms[HA1_N] = {
	[HA1_MD5] = {"MD5", "MD5", 32},
	[HA1_SHA256] = {"SHA-256", "SHA256", 64},
	[HA1_SHA512_256] = {"SHA-512-256", "SHA512-256", 64},
};

/* Fetching walks the providers; once a process is enough. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *mds[HA1_N];
static struct metric *hashes;


static void fetch_all(void)
{
	unsigned i;

	for (i = 0; i < HA1_N; i++)
		mds[i] = EVP_MD_fetch(NULL, algorithms[i].fetch, NULL);

	hashes = metric_counter("strowger_digest_hashes_total", NULL,
				"Hashes computed to check or answer digests");
}


const char *digest_hash_name(unsigned algorithm)
{
	return algorithm < HA1_N ? algorithms[algorithm].name : "";
}


unsigned digest_hash_find(const struct pl *name)
{
	unsigned i;

	if (!name->l)
		return HA1_MD5;

	for (i = 0; i < HA1_N; i++)
		if (!pl_strcasecmp(name, algorithms[i].name))
			return i;

	return HA1_N;
}


size_t digest_hash_len(unsigned algorithm)
{
	return algorithm < HA1_N ? algorithms[algorithm].hex_len : 0;
}


int digest_hash_hex(char hex[DIGEST_HEX_SIZE], unsigned algorithm,
		    const struct pl *parts, size_t n)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	unsigned len = 0;
	bool ok;
	size_t i;

	if (pthread_once(&once, fetch_all) || algorithm >= HA1_N ||
	    !mds[algorithm])
		return ENOTSUP;

	ctx = EVP_MD_CTX_new();
	if (!ctx)
		return ENOMEM;

	ok = EVP_DigestInit_ex2(ctx, mds[algorithm], NULL);
	for (i = 0; i < n && ok; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].l);
	ok = ok && EVP_DigestFinal_ex(ctx, md, &len) &&
	     (size_t)len * 2 == algorithms[algorithm].hex_len;

	EVP_MD_CTX_free(ctx);
	metric_add(hashes, 1);
	if (!ok)
		return ENOTSUP;

	text_hex(hex, md, len);
	return 0;
}


int digest_hash_response(char hex[DIGEST_HEX_SIZE], unsigned algorithm,
			 const struct digest_input *in)
{
	const struct pl colon = PL(":");
	char ha2[DIGEST_HEX_SIZE];
	struct pl parts[11];
	size_t n = 0;
	int err;

	parts[0] = in->method;
	parts[1] = colon;
	parts[2] = in->uri;
	err = digest_hash_hex(ha2, algorithm, parts, 3);
	if (err)
		return err;

	pl_set_str(&parts[n++], in->ha1);
	parts[n++] = colon;
	parts[n++] = in->nonce;
	if (in->qop.l) {
		parts[n++] = colon;
		parts[n++] = in->nc;
		parts[n++] = colon;
		parts[n++] = in->cnonce;
		parts[n++] = colon;
		parts[n++] = in->qop;
	}
	parts[n++] = colon;
	pl_set_str(&parts[n++], ha2);

	return digest_hash_hex(hex, algorithm, parts, n);
}
