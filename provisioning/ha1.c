/**
 * @file ha1.c  What is stored instead of a password.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include "ha1.h"
#include "text.h"

static const struct {
	const char *algorithm, *column, *digest;
} hashes[] = {
	{"MD5", "ha1_md5", "MD5"},
	{"SHA-256", "ha1_sha256", "SHA256"},
	{"SHA-512-256", "ha1_sha512_256", "SHA512-256"},
};


static bool is_listed(const char *list, const char *word)
{
	const size_t len = strlen(word);

	while (*list) {
		const size_t n = strcspn(list, " ");

		if (n == len && !memcmp(list, word, len))
			return true;
		list += n + strspn(list + n, " ");
	}
	return false;
}


static int hash_put(struct record *rec, size_t i, const char *secret)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	size_t len = 0;
	int err;

	if (EVP_Q_digest(NULL, hashes[i].digest, NULL, secret, strlen(secret),
			 md, &len) != 1)
		return ENOTSUP;

	text_hex(hex, md, len);
	err = record_put(rec, hashes[i].column, hex);
	OPENSSL_cleanse(hex, sizeof(hex));
	return err;
}


int ha1_put(struct record *rec, const char *username, const char *realm,
	    const char *password, const char *algorithms)
{
	char secret[4 * (64 + 64 + PASSWORD_MAX) + 3]; /* UTF-8 */
	int err = text_format(secret, sizeof(secret), "%s:%s:%s", username,
			      realm, password);

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]) && !err;
	     i++) {
		if (is_listed(algorithms, hashes[i].algorithm))
			err = hash_put(rec, i, secret);
		else
			err = record_put(rec, hashes[i].column, NULL);
	}

	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}
