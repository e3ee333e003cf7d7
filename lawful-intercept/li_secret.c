/**
 * @file li_secret.c  Keys and what they seal.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <re.h>
#include <string.h>
#include "key_file.h"
#include "li_secret.h"

struct li_secret {
	uint8_t key[LI_SECRET_N][LI_SECRET_KEY];
};

static const char *const labels[LI_SECRET_N] = {
	[LI_SECRET_STORE] = "strowger-li store",
	[LI_SECRET_AUDIT] = "strowger-li audit",
	[LI_SECRET_SPOOL] = "strowger-li spool",
};


static void secret_destructor(void *arg)
{
	struct li_secret *s = arg;

	OPENSSL_cleanse(s->key, sizeof(s->key));
}


int li_secret_load(struct li_secret **sp, const char *file)
{
	uint8_t root[KEY_FILE_SIZE];
	struct li_secret *s;
	size_t i;
	int err = key_file_read(root, file, KEY_FILE_OWNER);

	if (err)
		return err;

	s = mem_zalloc(sizeof(*s), secret_destructor);
	for (i = 0; s && i < LI_SECRET_N; i++)
		(void)HMAC(EVP_sha256(), root, sizeof(root),
			   (const uint8_t *)labels[i], strlen(labels[i]),
			   s->key[i], NULL);
	OPENSSL_cleanse(root, sizeof(root));
	if (!s)
		return ENOMEM;

	*sp = s;

	return 0;
}


int li_secret_seal(const struct li_secret *s, enum li_secret_use use,
		   const void *aad, size_t aad_len, const void *plain,
		   size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *text = out + LI_SECRET_NONCE;
	int n, err = EIO;

	if (!ctx || len > INT32_MAX || aad_len > INT32_MAX)
		goto out;

	if (RAND_bytes(out, LI_SECRET_NONCE) == 1 &&
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key[use],
			       out) &&
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) &&
	    EVP_EncryptUpdate(ctx, text, &n, plain, (int)len) &&
	    EVP_EncryptFinal_ex(ctx, text + n, &n) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, LI_SECRET_TAG,
				text + len))
		err = 0;

 out:
	EVP_CIPHER_CTX_free(ctx);

	return err;
}


int li_secret_open(const struct li_secret *s, enum li_secret_use use,
		   const void *aad, size_t aad_len, const uint8_t *sealed,
		   size_t len, void *plain)
{
	EVP_CIPHER_CTX *ctx;
	size_t text_len;
	int n, err = EBADMSG;
	uint8_t tag[LI_SECRET_TAG], end[16];

	if (len < LI_SECRET_OVERHEAD || len > INT32_MAX)
		return EBADMSG;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return ENOMEM;

	text_len = len - LI_SECRET_OVERHEAD;
	memcpy(tag, sealed + len - LI_SECRET_TAG, sizeof(tag));
	if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key[use],
			       sealed) &&
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) &&
	    EVP_DecryptUpdate(ctx, plain, &n, sealed + LI_SECRET_NONCE,
			      (int)text_len) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, LI_SECRET_TAG,
				tag) &&
	    EVP_DecryptFinal_ex(ctx, end, &n) > 0)
		err = 0;
	EVP_CIPHER_CTX_free(ctx);

	return err;
}


void li_secret_mac(const struct li_secret *s, enum li_secret_use use,
		   const void *bytes, size_t len, uint8_t mac[LI_SECRET_MAC])
{
	(void)HMAC(EVP_sha256(), s->key[use], LI_SECRET_KEY, bytes, len, mac,
		   NULL);
}
