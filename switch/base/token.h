/**
 * @file token.h  Our tags, branches and Call-IDs: 26 base32 characters that
 * hide (node, shard, serial) under AES-128, so that a restart or another node
 * can tell what it meets, and nobody outside can read or aim them.
 */
#ifndef TOKEN_H
#define TOKEN_H
#include <stddef.h>
#include <stdint.h>

#define TOKEN_LEN 26
#define TOKEN_SIZE (TOKEN_LEN + 1)
#define TOKEN_SHARDS 1024

struct token_mint;

/** What a token says once opened. */
struct token {
	uint16_t node;
	uint16_t shard;
	uint64_t serial; /**< 48 bits, unique per node and boot  */
	uint16_t boot;   /**< which start of the node made it    */
};

/** @param key 16 bytes shared by the nodes. One thread. mem_deref() frees. */
int token_mint_alloc(struct token_mint **mp, const uint8_t key[16],
		     uint16_t node, uint16_t boot);

/** Next token of this mint. buf >= TOKEN_SIZE */
void token_next(struct token_mint *m, uint16_t shard, char *buf,
		uint64_t *ret_serial);

/** @return 0, or EBADMSG when it is not one of ours */
int token_open(struct token_mint *m, const char *text, size_t len,
	       struct token *ret_token);

#endif
