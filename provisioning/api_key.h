/**
 * @file api_key.h  API keys: "sk_<id>_<secret>". Only the SHA-256 of the
 * secret is stored.
 */
#ifndef API_KEY_H
#define API_KEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "request.h"

#define API_KEY_SECRET_CHARS 52  /* 260 bits */
#define API_KEY_TEXT_SIZE 96

/** The two parts of a key as sent. */
struct api_key {
	char id[36];              /**< "key_..."                            */
	uint8_t sha256[32];
};

/** "Bearer sk_<26>_<52>" -> id and hash. 0 or EBADMSG. Pure. */
int api_key_parse(struct api_key *ret, const char *authorization);

/**
 * Who asks: fills req->caller, or sets a problem: unauthorized (same answer
 * for unknown, revoked, expired and wrong keys) or the database's.
 */
void api_key_check(struct request *req);

/** Scopes by their names, separated by blanks. */
unsigned api_key_scopes(const char *list);

/** A new secret, and its hash for the database. 0 or ENOMEM */
int api_key_secret(struct rng *rng, char secret[API_KEY_SECRET_CHARS + 1],
		   char hex[65]);

/** The key as its user sends it; text >= API_KEY_TEXT_SIZE. */
int api_key_text(char *text, const char *id, const char *secret);

/**
 * Make a key and store its hash.
 * @param tenant_id  or NULL: a key of the platform
 * @param text       receives the key, shown once; >= API_KEY_TEXT_SIZE
 * @return 0 or errno of pg
 */
int api_key_create(struct pg *pg, struct rng *rng, const char *name,
		   const char *scope, const char *tenant_id, char *text);

#endif
