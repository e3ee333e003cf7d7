/**
 * @file li_secret.h  The one key of strowger-li, and what is done with it:
 * AES-256-GCM for what lies on disk, HMAC-SHA-256 for what must not be
 * changed. Every use has a key of its own, made from the one.
 */
#ifndef LI_SECRET_H
#define LI_SECRET_H
#include <stddef.h>
#include <stdint.h>

#define LI_SECRET_NONCE 12
#define LI_SECRET_TAG 16
#define LI_SECRET_OVERHEAD (LI_SECRET_NONCE + LI_SECRET_TAG)
#define LI_SECRET_MAC 32
#define LI_SECRET_KEY 32

enum li_secret_use {
	LI_SECRET_STORE,
	LI_SECRET_AUDIT,
	LI_SECRET_SPOOL,
	LI_SECRET_N
};

struct li_secret;

/**
 * Read a key of a file (key_file.h) that nobody else may read. mem_deref()
 * wipes it.
 *
 * @return 0, ENOMEM, or as key_file_read()
 */
int li_secret_load(struct li_secret **sp, const char *file);

/**
 * @param out  nonce, ciphertext and tag: len + LI_SECRET_OVERHEAD octets
 * @param aad  is not hidden, but must be the same at opening
 */
int li_secret_seal(const struct li_secret *s, enum li_secret_use use,
		   const void *aad, size_t aad_len, const void *plain,
		   size_t len, uint8_t *out);

/** @param plain len - LI_SECRET_OVERHEAD octets. @return 0 or EBADMSG */
int li_secret_open(const struct li_secret *s, enum li_secret_use use,
		   const void *aad, size_t aad_len, const uint8_t *sealed,
		   size_t len, void *plain);

/** HMAC-SHA-256 with the key of a use. */
void li_secret_mac(const struct li_secret *s, enum li_secret_use use,
		   const void *bytes, size_t len, uint8_t mac[LI_SECRET_MAC]);

#endif
