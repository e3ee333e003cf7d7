/**
 * @file webhook_secret.c  Secrets of webhooks: made, sealed, used.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <re.h>
#include <stdbool.h>
#include <string.h>
#include "key_file.h"
#include "rng.h"
#include "text.h"
#include "webhook_secret.h"

#define PREFIX "whsec_"
#define PREFIX_LEN 6
#define BYTES 32
#define NONCE 12
#define TAG 16
#define TEXT_MAX (WEBHOOK_SECRET_SIZE - 1)

_Static_assert(WEBHOOK_KEY_SIZE == KEY_FILE_SIZE, "a key is that of a file");


int webhook_key_load(uint8_t key[WEBHOOK_KEY_SIZE], const char *file)
{
	int err = webhook_key_read(key, file);

	if (err != ENOENT)
		return err;

	err = key_file_make(file);

	/* another process may have made it just now */
	return err && err != EEXIST ? err : webhook_key_read(key, file);
}


int webhook_key_read(uint8_t key[WEBHOOK_KEY_SIZE], const char *file)
{
	return key_file_read(key, file, KEY_FILE_GROUP);
}


void webhook_secret_make(struct rng *rng, char text[WEBHOOK_SECRET_SIZE])
{
	uint8_t bytes[BYTES];

	rng_bytes(rng, bytes, sizeof(bytes));
	memcpy(text, PREFIX, PREFIX_LEN);
	(void)EVP_EncodeBlock((uint8_t *)text + PREFIX_LEN, bytes, BYTES);
	OPENSSL_cleanse(bytes, sizeof(bytes));
}


/* box: nonce, sealed text, tag. @return bytes or 0 */
static size_t seal(const uint8_t *key, const uint8_t nonce[NONCE],
		   const char *text, uint8_t *box)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const int len = (int)strlen(text);
	uint8_t *out = box + NONCE;
	int n = 0, rest = 0;
	bool ok;

	memcpy(box, nonce, NONCE);
	ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
				       nonce) == 1 &&
	     EVP_EncryptUpdate(ctx, out, &n, (const uint8_t *)text, len) &&
	     EVP_EncryptFinal_ex(ctx, out + n, &rest) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG,
				 out + len) == 1;
	EVP_CIPHER_CTX_free(ctx);

	return ok ? (size_t)len + NONCE + TAG : 0;
}


int webhook_secret_seal(const uint8_t key[WEBHOOK_KEY_SIZE], struct rng *rng,
			const char *text, char box[WEBHOOK_BOX_SIZE])
{
	uint8_t nonce[NONCE], bytes[NONCE + TEXT_MAX + TAG];
	size_t len;

	if (strlen(text) > TEXT_MAX)
		return EOVERFLOW;

	rng_bytes(rng, nonce, sizeof(nonce));
	len = seal(key, nonce, text, bytes);
	if (!len)
		return ENOMEM;

	memcpy(box, "\\x", 2);
	text_hex(box + 2, bytes, len);

	return 0;
}


static bool unseal(const uint8_t *key, uint8_t *box, size_t len, char *text)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const int text_len = (int)(len - NONCE - TAG);
	int n = 0, rest = 0;
	const bool ok =
		ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
					  box) == 1 &&
		EVP_DecryptUpdate(ctx, (uint8_t *)text, &n, box + NONCE,
				  text_len) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG,
				    box + len - TAG) == 1 &&
		EVP_DecryptFinal_ex(ctx, (uint8_t *)text + n, &rest) == 1;

	EVP_CIPHER_CTX_free(ctx);
	text[ok ? text_len : 0] = '\0';

	return ok;
}


int webhook_secret_open(const uint8_t key[WEBHOOK_KEY_SIZE], const char *box,
			char text[WEBHOOK_SECRET_SIZE])
{
	uint8_t bytes[NONCE + TEXT_MAX + TAG];
	const size_t len = box && !strncmp(box, "\\x", 2)
				   ? (strlen(box) - 2) / 2 : 0;

	if (len < NONCE + TAG || len > sizeof(bytes) ||
	    text_unhex(bytes, len, box + 2) ||
	    !unseal(key, bytes, len, text))
		return EBADMSG;

	return 0;
}


/* @return bytes, or 0 */
static size_t secret_bytes(const char *secret, uint8_t *bytes)
{
	const char *text = secret + PREFIX_LEN;
	size_t len, pad = 0;
	int n;

	if (strncmp(secret, PREFIX, PREFIX_LEN) != 0)
		return 0;

	len = strlen(text);
	if (!len || len > WEBHOOK_SECRET_SIZE || len % 4)
		return 0;
	while (pad < 2 && text[len - 1 - pad] == '=')
		++pad;
	n = EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)len);

	return n < 0 ? 0 : (size_t)n - pad;
}


static bool mac(const uint8_t *key, size_t key_len, const char *const *parts,
		size_t n, uint8_t md[32])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", digest, 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	size_t len = 0;
	bool ok = ctx && EVP_MAC_init(ctx, key, key_len, params) == 1;

	for (size_t i = 0; i < n && ok; i++)
		ok = EVP_MAC_update(ctx, (const uint8_t *)parts[i],
				    strlen(parts[i])) == 1;
	ok = ok && EVP_MAC_final(ctx, md, &len, 32) == 1 && len == 32;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);

	return ok;
}


int webhook_sign(const char *secret, const char *id, const char *timestamp,
		 const char *body, char signature[WEBHOOK_SIGNATURE_SIZE])
{
	const char *const parts[] = {id, ".", timestamp, ".", body};
	uint8_t key[WEBHOOK_SECRET_SIZE], md[32];
	const size_t key_len = secret_bytes(secret, key);
	bool ok;

	if (!key_len)
		return EBADMSG;

	ok = mac(key, key_len, parts, 5, md);
	OPENSSL_cleanse(key, sizeof(key));
	if (!ok)
		return ENOMEM;

	memcpy(signature, "v1,", 3);
	(void)EVP_EncodeBlock((uint8_t *)signature + 3, md, sizeof(md));

	return 0;
}
