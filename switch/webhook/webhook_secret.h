/**
 * @file webhook_secret.h  What webhooks are signed with (Standard Webhooks:
 * "whsec_" and base64; signature "v1," and base64 of HMAC-SHA256). A secret
 * has to come back to sign with it, so it is stored sealed with a key that
 * the database does not have.
 */
#ifndef WEBHOOK_SECRET_H
#define WEBHOOK_SECRET_H
#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_KEY_SIZE 32
#define WEBHOOK_SECRET_SIZE 56    /**< "whsec_" 44 characters NUL          */
#define WEBHOOK_BOX_SIZE 176      /**< "\x" and hex of nonce, text, tag    */
#define WEBHOOK_SIGNATURE_SIZE 52 /**< "v1," 44 characters NUL             */

struct rng;

/**
 * The key of a file (key_file.h), which its group may read, too. Made when
 * there is none.
 * @return 0, or as key_file_read() and key_file_make()
 */
int webhook_key_load(uint8_t key[WEBHOOK_KEY_SIZE], const char *file);

/** The same, and never made. */
int webhook_key_read(uint8_t key[WEBHOOK_KEY_SIZE], const char *file);

/** A new secret. */
void webhook_secret_make(struct rng *rng, char text[WEBHOOK_SECRET_SIZE]);

/** AES-256-GCM, as PostgreSQL reads a bytea. @return 0 or ENOMEM */
int webhook_secret_seal(const uint8_t key[WEBHOOK_KEY_SIZE], struct rng *rng,
			const char *text, char box[WEBHOOK_BOX_SIZE]);

/** @return 0 or EBADMSG: of another key, or changed */
int webhook_secret_open(const uint8_t key[WEBHOOK_KEY_SIZE], const char *box,
			char text[WEBHOOK_SECRET_SIZE]);

/** Sign "id.timestamp.body". @return 0, EBADMSG (no secret) or ENOMEM */
int webhook_sign(const char *secret, const char *id, const char *timestamp,
		 const char *body, char signature[WEBHOOK_SIGNATURE_SIZE]);

#endif
